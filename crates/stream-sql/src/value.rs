//! Values and their types.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum SqlType {
    Boolean,
    TinyInt,
    SmallInt,
    Integer,
    BigInt,
    Real,
    Double,
    Decimal { precision: u8, scale: u8 },
    Char { length: u32 },
    Varchar { length: u32 },
    Date,
    Time,
    Timestamp,
}

impl SqlType {
    /// Reads a type as it stands in `RecordColumns` (`VARCHAR(16)`, `DECIMAL(10,2)`); or says what is wrong with it.
    pub fn parse(text: &str) -> Result<SqlType, String> {
        crate::syntax::parse_type(text).map_err(|error| error.message)
    }

    /// Whether it is a number.
    pub fn is_numeric(self) -> bool {
        self.is_integer() || matches!(self, SqlType::Real | SqlType::Double | SqlType::Decimal { .. })
    }

    /// Whether it is a whole number of a fixed width.
    pub fn is_integer(self) -> bool {
        matches!(self, SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::BigInt)
    }

    /// Whether it is text.
    pub fn is_text(self) -> bool {
        matches!(self, SqlType::Char { .. } | SqlType::Varchar { .. })
    }
}

impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SqlType::Boolean => f.write_str("BOOLEAN"),
            SqlType::TinyInt => f.write_str("TINYINT"),
            SqlType::SmallInt => f.write_str("SMALLINT"),
            SqlType::Integer => f.write_str("INTEGER"),
            SqlType::BigInt => f.write_str("BIGINT"),
            SqlType::Real => f.write_str("REAL"),
            SqlType::Double => f.write_str("DOUBLE"),
            SqlType::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            SqlType::Char { length } => write!(f, "CHAR({length})"),
            SqlType::Varchar { length } => write!(f, "VARCHAR({length})"),
            SqlType::Date => f.write_str("DATE"),
            SqlType::Time => f.write_str("TIME"),
            SqlType::Timestamp => f.write_str("TIMESTAMP"),
        }
    }
}

/// A value that outlives the event it came with. Dates are days, times and timestamps milliseconds since 1970 (UTC).
///
/// Stored with short names, and a double as its bits: a state is the same wherever and in whatever format it was kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// NULL.
    #[serde(rename = "n")]
    Null,
    /// BOOLEAN.
    #[serde(rename = "b")]
    Boolean(bool),
    /// TINYINT, SMALLINT, INTEGER, BIGINT.
    #[serde(rename = "i")]
    Integer(i64),
    /// REAL, DOUBLE.
    #[serde(rename = "f", with = "bits")]
    Double(f64),
    /// DECIMAL: digits and scale.
    #[serde(rename = "d")]
    Decimal(i64, u8),
    /// CHAR, VARCHAR.
    #[serde(rename = "s")]
    Text(Box<str>),
    /// DATE.
    #[serde(rename = "D")]
    Date(i32),
    /// TIME.
    #[serde(rename = "t")]
    Time(i32),
    /// TIMESTAMP.
    #[serde(rename = "T")]
    Timestamp(i64),
    /// INTERVAL, in milliseconds or in months, as its type says. No column has one: it only waits in a state.
    #[serde(rename = "I")]
    Interval(i64),
}

/// Doubles by their bits: JSON has no NaN, and not every reader rounds alike.
pub(crate) mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.to_bits())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// A value while its event lasts: text is borrowed from the record or from the plan wherever it can be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Decimal(i64, u8),
    Text(Cow<'a, str>),
    Date(i32),
    Time(i32),
    Timestamp(i64),
    Interval(i64),
}

impl<'a> Datum<'a> {
    /// The same value without a copy of its text.
    pub(crate) fn borrow(&'a self) -> Datum<'a> {
        match self {
            Datum::Text(text) => Datum::Text(Cow::Borrowed(text)),
            Datum::Null => Datum::Null,
            Datum::Boolean(value) => Datum::Boolean(*value),
            Datum::Integer(value) => Datum::Integer(*value),
            Datum::Double(value) => Datum::Double(*value),
            Datum::Decimal(digits, scale) => Datum::Decimal(*digits, *scale),
            Datum::Date(days) => Datum::Date(*days),
            Datum::Time(ms) => Datum::Time(*ms),
            Datum::Timestamp(ms) => Datum::Timestamp(*ms),
            Datum::Interval(length) => Datum::Interval(*length),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }

    pub(crate) fn text(text: impl Into<String>) -> Datum<'static> {
        Datum::Text(Cow::Owned(text.into()))
    }
}

impl Value {
    pub(crate) fn borrow(&self) -> Datum<'_> {
        match self {
            Value::Text(text) => Datum::Text(Cow::Borrowed(text)),
            Value::Null => Datum::Null,
            Value::Boolean(value) => Datum::Boolean(*value),
            Value::Integer(value) => Datum::Integer(*value),
            Value::Double(value) => Datum::Double(*value),
            Value::Decimal(digits, scale) => Datum::Decimal(*digits, *scale),
            Value::Date(days) => Datum::Date(*days),
            Value::Time(ms) => Datum::Time(*ms),
            Value::Timestamp(ms) => Datum::Timestamp(*ms),
            Value::Interval(length) => Datum::Interval(*length),
        }
    }
}

impl From<Value> for Datum<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Text(text) => Datum::Text(Cow::Owned(text.into())),
            Value::Null => Datum::Null,
            Value::Boolean(value) => Datum::Boolean(value),
            Value::Integer(value) => Datum::Integer(value),
            Value::Double(value) => Datum::Double(value),
            Value::Decimal(digits, scale) => Datum::Decimal(digits, scale),
            Value::Date(days) => Datum::Date(days),
            Value::Time(ms) => Datum::Time(ms),
            Value::Timestamp(ms) => Datum::Timestamp(ms),
            Value::Interval(length) => Datum::Interval(length),
        }
    }
}

impl From<Datum<'_>> for Value {
    fn from(datum: Datum<'_>) -> Value {
        match datum {
            Datum::Text(text) => Value::Text(text.into()),
            Datum::Null => Value::Null,
            Datum::Boolean(value) => Value::Boolean(value),
            Datum::Integer(value) => Value::Integer(value),
            Datum::Double(value) => Value::Double(value),
            Datum::Decimal(digits, scale) => Value::Decimal(digits, scale),
            Datum::Date(days) => Value::Date(days),
            Datum::Time(ms) => Value::Time(ms),
            Datum::Timestamp(ms) => Value::Timestamp(ms),
            Datum::Interval(length) => Value::Interval(length),
        }
    }
}
