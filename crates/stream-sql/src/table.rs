//! Reference tables: rows that are there before the first event.
//!
//! They are kept by columns, in few pieces: a table may be as large as 1 GB.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::expression::{Expr, Row};
use crate::operator::Hashed;
use crate::record::Reader;
use crate::schema::Source;
use crate::value::{Datum, SqlType};

/// How large a table may be ("the maximum size of a reference data object is 1 GB").
const MAX_BYTES: usize = 1 << 30;

/// A table of an application: what it is, what is read of it, and its rows.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    pub(crate) source: Source,
    /// Which columns somebody reads.
    pub(crate) used: Vec<bool>,
    pub(crate) indexes: Vec<IndexPlan>,
    /// Shared by all who run the application.
    pub(crate) rows: Arc<Table>,
}

/// By what rows are to be found: expressions over a row whose columns begin at a place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexPlan {
    pub(crate) offset: usize,
    pub(crate) keys: Vec<Expr>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    len: u32,
    columns: Vec<Column>,
    indexes: Vec<Index>,
}

/// The values of a column.
#[derive(Debug)]
struct Column {
    sql_type: SqlType,
    is_null: Vec<bool>,
    /// Values as numbers; of a text where it ends.
    numbers: Vec<i64>,
    texts: String,
}

/// Rows by the hashes of their keys.
#[derive(Debug, Default)]
struct Index {
    first: HashMap<u64, u32, BuildHasherDefault<FxHasher>>,
    /// Of each row the next one with its hash, or [`NONE`].
    next: Vec<u32>,
    /// Rows whose keys could not be computed: they are always tried.
    failed: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl TablePlan {
    /// A table without rows, of which nothing is read yet.
    pub(crate) fn new(source: &Source) -> TablePlan {
        let used = vec![false; source.columns.len()];
        TablePlan { source: source.clone(), used, indexes: Vec::new(), rows: Arc::default() }
    }

    /// The number of the index by some keys, over rows whose columns begin at a place.
    pub(crate) fn index_by(&mut self, offset: usize, keys: Vec<Expr>) -> usize {
        let column = |key: &Expr| match key {
            Expr::Column(place) => place.checked_sub(offset).map(Expr::Column),
            _ => None,
        };
        // By mere columns they are the same wherever these stand.
        let index = match keys.iter().map(column).collect() {
            Some(columns) => IndexPlan { offset: 0, keys: columns },
            None => IndexPlan { offset, keys },
        };
        self.indexes.iter().position(|known| *known == index).unwrap_or_else(|| {
            self.indexes.push(index);
            self.indexes.len() - 1
        })
    }

    /// The table with these records; or which of them is wrong, and how.
    pub(crate) fn load(&self, records: &[u8]) -> Result<Table, String> {
        if records.len() > MAX_BYTES {
            return Err(format!("it has {} bytes: {MAX_BYTES} are allowed", records.len()));
        }
        let mut table = Table {
            columns: self.source.columns.iter().map(|c| Column::new(c.sql_type)).collect(),
            ..Table::default()
        };
        // Nothing is not a record that is wrong.
        if records.trim_ascii().is_empty() {
            return Ok(table);
        }
        let mut failed = None;
        Reader::new(&self.source, &self.used).read(records, &mut |values| match values {
            _ if failed.is_some() => {}
            Err(error) => failed = Some(format!("record {}: {}", table.len + 1, error.0)),
            Ok(values) => {
                for ((column, value), used) in table.columns.iter_mut().zip(&*values).zip(&self.used) {
                    if *used {
                        column.push(value);
                    }
                }
                table.len += 1;
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        for index in &self.indexes {
            let index = table.index(index);
            table.indexes.push(index);
        }
        Ok(table)
    }
}

impl Table {
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The value of a row's column; NULL if nobody was to read it.
    pub(crate) fn value(&self, column: usize, row: u32) -> Datum<'_> {
        self.columns.get(column).map_or(Datum::Null, |column| column.value(row as usize))
    }

    /// The rows whose keys have a hash, in their order; behind them those of whom that is not known.
    pub(crate) fn find(&self, index: usize, hash: u64) -> impl Iterator<Item = u32> {
        let index = self.indexes.get(index);
        let next = |row: u32| Some(row).filter(|row| *row != NONE);
        let first = index.and_then(|index| index.first.get(&hash).copied());
        let found = std::iter::successors(first, move |row| index.and_then(|index| next(index.next[*row as usize])));
        found.chain(index.into_iter().flat_map(|index| &index.failed).copied())
    }

    fn index(&self, plan: &IndexPlan) -> Index {
        let mut index = Index { next: vec![NONE; self.len as usize], ..Index::default() };
        let mut values = vec![Datum::Null; plan.offset + self.columns.len()];
        // From the last to the first: so that each chain ascends.
        for row in (0..self.len).rev() {
            for (place, column) in self.columns.iter().enumerate() {
                values[plan.offset + place] = column.value(row as usize);
            }
            match Hashed::of(&plan.keys, Row { rowtime: 0, now: 0, values: &values }) {
                Hashed::Value(hash) => {
                    if let Some(later) = index.first.insert(hash, row) {
                        index.next[row as usize] = later;
                    }
                }
                Hashed::Null => {}
                Hashed::Failed => index.failed.push(row),
            }
        }
        index.failed.reverse();
        index
    }
}

impl Column {
    fn new(sql_type: SqlType) -> Column {
        Column { sql_type, is_null: Vec::new(), numbers: Vec::new(), texts: String::new() }
    }

    fn push(&mut self, value: &Datum<'_>) {
        self.is_null.push(value.is_null());
        self.numbers.push(match value {
            Datum::Null | Datum::Text(_) => {
                if let Datum::Text(text) = value {
                    self.texts.push_str(text);
                }
                self.texts.len() as i64
            }
            Datum::Boolean(value) => i64::from(*value),
            Datum::Integer(value) | Datum::Decimal(value, _) | Datum::Timestamp(value) | Datum::Interval(value) => {
                *value
            }
            Datum::Double(value) => value.to_bits() as i64,
            Datum::Date(value) | Datum::Time(value) => i64::from(*value),
        });
    }

    fn value(&self, row: usize) -> Datum<'_> {
        let (Some(false), Some(number)) = (self.is_null.get(row), self.numbers.get(row).copied()) else {
            return Datum::Null;
        };
        match self.sql_type {
            SqlType::Boolean => Datum::Boolean(number != 0),
            SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::BigInt => Datum::Integer(number),
            SqlType::Real | SqlType::Double => Datum::Double(f64::from_bits(number as u64)),
            SqlType::Decimal { scale, .. } => Datum::Decimal(number, scale),
            SqlType::Char { .. } | SqlType::Varchar { .. } => {
                let start = row.checked_sub(1).map_or(0, |before| self.numbers[before]);
                Datum::Text(self.texts[start as usize..number as usize].into())
            }
            // Days and milliseconds were 32 bits when they came.
            SqlType::Date => Datum::Date(number as i32),
            SqlType::Time => Datum::Time(number as i32),
            SqlType::Timestamp => Datum::Timestamp(number),
        }
    }
}
