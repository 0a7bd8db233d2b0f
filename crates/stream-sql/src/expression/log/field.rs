//! Fields of records: names, types, and texts as their values.

use std::borrow::Cow;

use crate::datetime::pattern::Format;
use crate::expression::{Kind, RowError, cast, cut};
use crate::syntax::ColumnDescription;
use crate::value::{Datum, SqlType, Value};

/// A field without a type of its own ("columns … of type varchar(1024)").
const DEFAULT_TYPE: SqlType = SqlType::Varchar { length: 1_024 };
/// Fields of one record: more than any log has, and few enough for a plan.
const MAX_FIELDS: usize = 1_000;

/// The fields of a record.
pub(super) type Fields = Vec<Field>;

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) sql_type: SqlType,
    not_null: bool,
    /// How a date or time is written.
    format: Option<Format>,
}

/// COLUMN1 to COLUMNn.
pub(super) fn default_fields(count: usize) -> Result<Fields, String> {
    if count > MAX_FIELDS {
        return Err(format!("a record of {count} fields: {MAX_FIELDS} are allowed"));
    }
    let field = |number| Field::new(format!("COLUMN{number}"), DEFAULT_TYPE);
    Ok((1..=count).map(field).collect())
}

impl Field {
    pub(super) fn new(name: String, sql_type: SqlType) -> Field {
        Field { name, sql_type, not_null: false, format: None }
    }

    /// A described field; or why there is none.
    pub(super) fn described(column: &ColumnDescription) -> Result<Field, String> {
        let sql_type = column.sql_type.unwrap_or(DEFAULT_TYPE);
        let is_datetime = matches!(sql_type, SqlType::Date | SqlType::Time | SqlType::Timestamp);
        if column.format.is_some() && !is_datetime {
            return Err(format!("{}: only DATE, TIME and TIMESTAMP have a format, not {sql_type}", column.name));
        }
        let format = column.format.as_deref().map(Format::new).transpose()?;
        Ok(Field { name: column.name.clone(), sql_type, not_null: column.not_null, format })
    }

    /// A part of a line as the field's value: too long a text is cut off; around anything else blanks are ignored, and it is NULL if
    /// nothing else is there.
    pub(super) fn value<'t>(&self, text: Option<Cow<'t, str>>) -> Result<Datum<'t>, RowError> {
        let text = match (text, self.sql_type) {
            (Some(text), SqlType::Char { length } | SqlType::Varchar { length }) => {
                return Ok(Datum::Text(cut(text, length)));
            }
            (Some(text), _) if !text.trim().is_empty() => text,
            _ if self.not_null => return Err(RowError(format!("{} is NULL", self.name))),
            _ => return Ok(Datum::Null),
        };
        self.convert(text.trim()).map_err(|RowError(error)| RowError(format!("{}: {error}", self.name)))
    }

    /// Numbers, booleans, dates and times borrow nothing.
    fn convert(&self, text: &str) -> Result<Datum<'static>, RowError> {
        let value = match &self.format {
            None => Datum::Text(text.into()),
            Some(format) => Datum::Timestamp(format.parse(text).map_err(RowError)?),
        };
        cast(value, Kind::Plain, self.sql_type).map(|value| Value::from(value).into())
    }
}
