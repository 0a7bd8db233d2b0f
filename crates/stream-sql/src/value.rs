//! Values and their types.

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

/// A value. Dates are days, times and timestamps milliseconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// NULL.
    Null,
    /// BOOLEAN.
    Boolean(bool),
    /// TINYINT, SMALLINT, INTEGER, BIGINT.
    Integer(i64),
    /// REAL, DOUBLE.
    Double(f64),
    /// DECIMAL: digits and scale.
    Decimal(i64, u8),
    /// CHAR, VARCHAR.
    Text(Box<str>),
    /// DATE.
    Date(i32),
    /// TIME.
    Time(i32),
    /// TIMESTAMP.
    Timestamp(i64),
}
