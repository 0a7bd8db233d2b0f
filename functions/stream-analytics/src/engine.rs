//! The seam to `stream-sql`: sources, tables, and the streams that are wanted.

use stream_sql::{Application, InputSchema, Source, SqlError};

use crate::rule::Schema;

/// Where the engine puts rows that it cannot work with.
pub const ERROR_STREAM: &str = "error_stream";

/// A source or a table of the engine's with this schema; or what it cannot read in it.
pub fn source(name: &str, schema: &Schema) -> Result<Source, String> {
    let json = serde_json::to_value(schema).map_err(|error| error.to_string())?;
    let schema: InputSchema = serde_json::from_value(json).map_err(|error| error.to_string())?;
    schema.source(name)
}

/// Compiles statements over sources and tables.
pub fn compile(sql: &str, sources: &[Source], tables: &[Source]) -> Result<Application, SqlError> {
    Application::compile(sql, sources, tables)
}

/// Fills a table.
pub fn with_table(engine: Application, name: &str, records: &[u8]) -> Result<Application, String> {
    engine.with_table(name, records)
}

/// Gives out the rows of these streams alone, and its errors. A name that is no stream is handed back.
pub fn with_outputs(engine: Application, names: &[&str]) -> Result<Application, String> {
    engine.with_outputs(&[names, &[ERROR_STREAM]].concat())
}
