//! The source: how records become rows.

use serde::{Deserialize, Serialize};

use crate::value::SqlType;

/// A column of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, exact.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// JSONPath (`$.a.b`); of a CSV record, none: the order counts.
    pub mapping: Option<String>,
}

/// `InputSchema` as AWS writes it (`RecordFormat`, `RecordEncoding`, `RecordColumns`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSchema {}

/// A source stream of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `SOURCE_SQL_STREAM_001`, exact.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
}
