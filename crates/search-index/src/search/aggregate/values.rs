//! Columns, a block of documents at a time.

use tantivy::columnar::{Cardinality, Column, ColumnIndex, ColumnType, StrColumn};
use tantivy::{DateTime, DocId, SegmentReader};

use crate::split::schema::column;

/// A column of numbers, moments, booleans (as the engine orders them), or of the ordinals of strings.
pub(crate) struct Values {
    pub column: Column<u64>,
    pub kind: ColumnType,
    /// Of strings.
    pub strings: Option<StrColumn>,
    buffer: Vec<u64>,
}

impl Values {
    /// The column of a path; `None` if the split has no value of it.
    pub fn open(segment: &SegmentReader, path: &str) -> tantivy::Result<Option<Values>> {
        let name = column(path);
        let columns = segment.fast_fields();
        if let Some(strings) = columns.str(&name)? {
            let column = strings.ords().clone();
            return Ok(Some(Values { column, kind: ColumnType::Str, strings: Some(strings), buffer: Vec::new() }));
        }
        let values = columns.u64_lenient_for_type(None, &name)?;
        Ok(values.map(|(column, kind)| Values { column, kind, strings: None, buffer: Vec::new() }))
    }

    /// Whether a document may have several values.
    pub fn several(&self) -> bool {
        self.column.get_cardinality() == Cardinality::Multivalued
    }

    /// Calls with each value of each document, and the document's place in the block.
    pub fn each(&mut self, docs: &[DocId], mut call: impl FnMut(usize, u64)) {
        match &self.column.index {
            ColumnIndex::Empty { .. } => {}
            ColumnIndex::Full => {
                self.buffer.resize(docs.len(), 0);
                self.column.values.get_vals(docs, &mut self.buffer);
                self.buffer.iter().enumerate().for_each(|(place, value)| call(place, *value));
            }
            _ if self.strings.is_some() && self.several() => {
                // A string counts once in a document, as in Lucene's sorted sets.
                for (place, doc) in docs.iter().enumerate() {
                    self.buffer.clear();
                    self.buffer.extend(self.column.values_for_doc(*doc));
                    self.buffer.sort_unstable();
                    self.buffer.dedup();
                    self.buffer.iter().for_each(|value| call(place, *value));
                }
            }
            _ => {
                for (place, doc) in docs.iter().enumerate() {
                    self.column.values_for_doc(*doc).for_each(|value| call(place, value));
                }
            }
        }
    }

    /// A value as a whole number: moments in milliseconds, booleans 0 and 1.
    pub fn whole(kind: ColumnType, value: u64) -> i64 {
        match kind {
            ColumnType::I64 => tantivy::u64_to_i64(value),
            ColumnType::F64 => tantivy::u64_to_f64(value) as i64,
            ColumnType::DateTime => {
                DateTime::from_timestamp_nanos(tantivy::u64_to_i64(value)).into_timestamp_nanos().div_euclid(1_000_000)
            }
            _ => i64::try_from(value).unwrap_or(i64::MAX),
        }
    }

    /// A value as a floating number.
    pub fn float(kind: ColumnType, value: u64) -> f64 {
        match kind {
            ColumnType::F64 => tantivy::u64_to_f64(value),
            ColumnType::U64 => value as f64,
            _ => Values::whole(kind, value) as f64,
        }
    }
}
