//! The seam to `stream-sql`.

use stream_sql::{Application, InputSchema, SqlError};

use crate::rule::Schema;

/// The engine's form of an input schema; or what it cannot read in it.
pub fn schema(schema: &Schema) -> Result<InputSchema, String> {
    let json = serde_json::to_value(schema).map_err(|error| error.to_string())?;
    serde_json::from_value(json).map_err(|error| format!("inputSchema: {error}"))
}

/// Compiles statements over one source, `SOURCE_SQL_STREAM_001`.
pub fn compile(_sql: &str, _schema: &InputSchema) -> Result<Application, SqlError> {
    Application::compile(_sql, &[])
}
