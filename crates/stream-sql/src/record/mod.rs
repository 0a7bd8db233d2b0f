//! Records to rows ("Mapping source stream elements to SQL input stream columns").
//!
//! A record is scanned once, and only the columns that the plan needs are converted: a value that no query reads cannot make its
//! row fail.

mod convert;
mod csv;
mod json;
mod path;
mod scan;

use crate::expression::RowError;
use crate::schema::{Format, Source};
use crate::value::Datum;

pub(crate) use path::row_path;

/// Reads a source's records.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    Json(json::JsonReader),
    Csv(csv::CsvReader),
}

/// Takes a row: one value for each column, with room for one more; or why a record has none.
pub(crate) type TakeRow<'t, 'r> = &'t mut dyn FnMut(Result<&mut Vec<Datum<'r>>, RowError>);

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

    /// Gives each row of a record.
    pub(crate) fn read<'r>(&'r self, record: &'r [u8], take: TakeRow<'_, 'r>) {
        match self {
            Reader::Json(reader) => reader.read(record, take),
            Reader::Csv(reader) => reader.read(record, take),
        }
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
