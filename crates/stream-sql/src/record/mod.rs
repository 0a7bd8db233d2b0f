//! Records to rows ("Mapping source stream elements to SQL input stream columns").
//!
//! A record is scanned once, and only the columns that the plan needs are converted: a value that no query reads cannot make its
//! row fail.

mod convert;
mod csv;
mod json;
mod path;
mod scan;

use crate::schema::{Format, Source};
use crate::value::Datum;

pub(crate) use path::row_path;

/// Reads a source's records.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    Json(json::JsonReader),
    Csv(csv::CsvReader),
}

/// Takes a row: one value for each column, with room for the system columns; or why a record has none.
pub(crate) type TakeRow<'t, 'r> = &'t mut dyn FnMut(Result<&mut Vec<Datum<'r>>, BadRow<'r>>);

/// What becomes no row: why, and the piece of the record.
#[derive(Debug)]
pub(crate) struct BadRow<'r>(pub(crate) String, pub(crate) &'r [u8]);

/// APPROXIMATE_ARRIVAL_TIME, PARTITION_KEY, SEQUENCE_NUMBER and SHARD_ID.
pub(crate) const SYSTEM_COLUMNS: usize = 4;

/// Where a record's rows go, and how many texts were cut off on the way.
struct Sink<'t, 'r> {
    take: TakeRow<'t, 'r>,
    truncated: u64,
    /// The piece of the record that is being read.
    piece: &'r [u8],
}

impl Sink<'_, '_> {
    fn fail(&mut self, reason: impl Into<String>) {
        (self.take)(Err(BadRow(reason.into(), self.piece)));
    }
}

impl Reader {
    /// A reader of the columns that are used.
    pub(crate) fn new(source: &Source, used: &[bool]) -> Reader {
        match &source.format {
            Format::Json { row_path } => Reader::Json(json::JsonReader::new(&source.columns, used, row_path)),
            Format::Csv { column_delimiter, row_delimiter } => {
                Reader::Csv(csv::CsvReader::new(&source.columns, used, column_delimiter, row_delimiter))
            }
        }
    }

    /// Gives each row of a record; returns how many texts were too long for their columns and cut off.
    pub(crate) fn read<'r>(&'r self, record: &'r [u8], take: TakeRow<'_, 'r>) -> u64 {
        let mut sink = Sink { take, truncated: 0, piece: record };
        match self {
            Reader::Json(reader) => reader.read(record, &mut sink),
            Reader::Csv(reader) => reader.read(record, &mut sink),
        }
        sink.truncated
    }
}

/// What is wrong with a source's mappings, if anything is.
pub(crate) fn check(source: &Source) -> Result<(), String> {
    let Format::Json { .. } = source.format else { return Ok(()) };
    let mut array: Option<Vec<String>> = None;
    for column in &source.columns {
        let path = path::Path::of(column)?;
        if let Some(inner) = path.array() {
            if array.as_ref().is_some_and(|known| known != inner) {
                return Err(format!("column {:?}: only one array of a record can be flattened", column.name));
            }
            array = Some(inner.to_vec());
        }
    }
    Ok(())
}
