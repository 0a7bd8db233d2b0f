//! What statements over an access log must give, by the plainest means: all lines in memory, sorting, loops within loops.
//!
//! [`log`] makes a day of lines; [`pumps`] has the statements, and beside each what it must give; [`compare`] finds the first row
//! that differs. Nothing here knows how the engine works.

pub mod compare;
pub mod log;
pub mod pumps;

use serde_json::Value;
use stream_sql::{InputSchema, Source};

pub use log::Line;
pub use pumps::{PUMPS, Pump, Windows};

/// A row that must come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// ROWTIME (epoch ms).
    pub rowtime: i64,
    /// Its columns.
    pub columns: Value,
}

/// The source stream.
pub const SOURCE: &str = "SOURCE_SQL_STREAM_001";

/// What a line looks like.
pub const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "number", "SqlType": "INTEGER", "Mapping": "$.number"},
    {"Name": "host", "SqlType": "VARCHAR(64)", "Mapping": "$.host"},
    {"Name": "path", "SqlType": "VARCHAR(256)", "Mapping": "$.path"},
    {"Name": "status", "SqlType": "INTEGER", "Mapping": "$.status"},
    {"Name": "bytes", "SqlType": "BIGINT", "Mapping": "$.bytes"}]}"#;

/// The reference table: whose host it is. Some hosts are nobody's, one has two owners, some owners have no host here.
pub const OWNERS: [(&str, &str); 6] = [
    ("10.0.0.1", "shop"),
    ("10.0.0.2", "search"),
    ("10.0.0.3", "shop"),
    ("10.0.0.3", "mail"),
    ("10.0.0.5", "images"),
    ("10.0.9.9", "nobody"),
];

/// Its name.
pub const TABLE: &str = "owners";

/// What it looks like: CSV.
pub const TABLE_SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "CSV", "MappingParameters": {"CSVMappingParameters":
    {"RecordColumnDelimiter": ",", "RecordRowDelimiter": "\n"}}}, "RecordColumns": [
    {"Name": "host", "SqlType": "VARCHAR(64)"}, {"Name": "owner", "SqlType": "VARCHAR(16)"}]}"#;

/// The table's records.
pub fn table_records() -> String {
    OWNERS.iter().map(|(host, owner)| format!("{host},{owner}\n")).collect()
}

/// A source of this schema.
pub fn source(schema: &str, name: &str) -> Source {
    let schema: InputSchema = serde_json::from_str(schema).expect("a schema");
    schema.source(name).expect("a schema that can be read")
}
