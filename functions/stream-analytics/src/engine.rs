//! The seam to `stream-sql`: one source, and the streams that are wanted.

use stream_sql::{Application, InputSchema, Source, SqlError};

use crate::rule::Schema;

/// The name of the one source, as Kinesis Data Analytics gives it to the prefix `SOURCE_SQL_STREAM`.
const SOURCE: &str = "SOURCE_SQL_STREAM_001";

/// Where the engine puts rows that it cannot work with.
pub const ERROR_STREAM: &str = "error_stream";

/// The engine's source with this schema; or what it cannot read in it.
pub fn source(schema: &Schema) -> Result<Source, String> {
    let json = serde_json::to_value(schema).map_err(|error| error.to_string())?;
    let schema: InputSchema = serde_json::from_value(json).map_err(|error| error.to_string())?;
    schema.source(SOURCE)
}

/// Compiles statements over the source.
pub fn compile(sql: &str, source: &Source) -> Result<Application, SqlError> {
    Application::compile(sql, std::slice::from_ref(source), &[])
}

/// Gives out the rows of these streams alone, and its errors. A name that is no stream is handed back.
pub fn with_outputs(engine: Application, names: &[&str]) -> Result<Application, String> {
    engine.with_outputs(&[names, &[ERROR_STREAM]].concat())
}
