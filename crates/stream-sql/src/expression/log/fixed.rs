//! FIXED_COLUMN_LOG_PARSE: fields at fixed places.

use std::borrow::Cow;

use super::field::{Field, Fields};
use crate::expression::RowError;
use crate::syntax::ColumnDescription;
use crate::value::Datum;

#[derive(Debug, Clone)]
pub(crate) struct FixedColumnLog {
    fields: Fields,
    /// Of each field: where it begins, in characters, and how many it has; without a length it goes to the end.
    places: Vec<(usize, Option<usize>)>,
}

impl FixedColumnLog {
    pub(crate) fn new(columns: &[ColumnDescription]) -> Result<FixedColumnLog, String> {
        let (mut fields, mut places) = (Fields::new(), Vec::new());
        for column in columns {
            let name = &column.name;
            if column.sql_type.is_none() {
                return Err(format!("column {name}: expected TYPE and a type"));
            }
            match column.place {
                None => return Err(format!("column {name}: expected START and where it begins, from 0")),
                Some((_, Some(0))) => return Err(format!("column {name}: FOR 0 leaves no character")),
                Some((start, length)) => places.push((start as usize, length.map(|length| length as usize))),
            }
            fields.push(Field::described(column)?);
        }
        Ok(FixedColumnLog { fields, places })
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A line that ends before a field begins has NULL there.
    pub(super) fn parse<'t>(&self, line: &'t str, out: &mut Vec<Datum<'t>>) -> Result<bool, RowError> {
        for (field, (start, length)) in self.fields.iter().zip(&self.places) {
            let rest = skip(line, *start);
            let part = length.map_or(rest, |length| &rest[..rest.len() - skip(rest, length).len()]);
            out.push(field.value((!part.is_empty()).then_some(Cow::Borrowed(part)))?);
        }
        Ok(true)
    }
}

/// What follows so many characters.
fn skip(text: &str, characters: usize) -> &str {
    if text.is_ascii() {
        return text.get(characters..).unwrap_or_default();
    }
    text.char_indices().nth(characters).map_or("", |(at, _)| &text[at..])
}
