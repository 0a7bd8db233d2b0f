//! CHAR_TO_TIMESTAMP, TIMESTAMP_TO_CHAR and their kin: a value and a pattern of SimpleDateFormat.

use super::function::instant;
use super::{Function, Kind, RowError, cast};
use crate::datetime::pattern::Format;
use crate::value::{Datum, SqlType};

impl Function {
    /// Whether the first argument is a pattern.
    pub(crate) fn has_format(self) -> bool {
        self.is_to_char() || matches!(self, Function::CharToTimestamp | Function::CharToDate | Function::CharToTime)
    }

    fn is_to_char(self) -> bool {
        matches!(self, Function::TimestampToChar | Function::DateToChar | Function::TimeToChar)
    }

    /// The result for the second argument.
    pub(super) fn call_with<'r>(self, format: &Format, value: Datum<'_>) -> Result<Datum<'r>, RowError> {
        let to = match self {
            Function::CharToDate => SqlType::Date,
            Function::CharToTime => SqlType::Time,
            _ => SqlType::Timestamp,
        };
        match value {
            Datum::Null if self == Function::TimestampToChar => Ok(Datum::Text("null".into())),
            Datum::Null => Ok(Datum::Null),
            value if self.is_to_char() => Ok(Datum::text(format.write(instant(&value)))),
            Datum::Text(text) => cast(Datum::Timestamp(format.parse(&text).map_err(RowError)?), Kind::Plain, to),
            _ => Ok(Datum::Null),
        }
    }
}
