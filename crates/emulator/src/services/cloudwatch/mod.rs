//! CloudWatch metrics: PutMetricData stored, ListMetrics.
//!
//! A datum is checked as the service does ([`put`]) and becomes a row of its metric, which is a namespace, a name and a set of
//! dimensions ([`list`]). Data are kept 15 days. Absent, answered with a 501: reading statistics, alarms, dashboards.

mod list;
mod put;
#[cfg(test)]
mod tests;

use crate::Ctx;
use crate::error::ApiError;
use crate::wire::protocol::{Call, Reply};

/// The tables. `dimensions` is JSON, `[["name","value"],…]` in the order of the names; instants are epoch milliseconds. A datum
/// of one value or of a statistic set has its statistics alone; `samples` is JSON, `[[value,count],…]`, for one of many values.
pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS cloudwatch_metrics (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    last_put INTEGER NOT NULL,
    UNIQUE (namespace, name, dimensions)
) STRICT;
CREATE TABLE IF NOT EXISTS cloudwatch_data (
    metric INTEGER NOT NULL,
    at INTEGER NOT NULL,
    unit TEXT NOT NULL,
    resolution INTEGER NOT NULL,
    sample_count REAL NOT NULL,
    sum REAL NOT NULL,
    minimum REAL NOT NULL,
    maximum REAL NOT NULL,
    samples TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS cloudwatch_data_metric ON cloudwatch_data (metric, at);
CREATE INDEX IF NOT EXISTS cloudwatch_metrics_last_put ON cloudwatch_metrics (last_put);
CREATE INDEX IF NOT EXISTS cloudwatch_data_at ON cloudwatch_data (at);
";

/// Answers an operation.
pub async fn call(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        "PutMetricData" => {
            put::check_size(call.body.len())?;
            let input = call.input()?;
            ctx.store.write(move |tx| put::put_metric_data(tx, input)).await?;
            call.empty()
        }
        "ListMetrics" => {
            let input = call.input()?;
            call.reply(&ctx.store.read(move |db| list::list_metrics(db, input)).await?)
        }
        other => Err(ApiError::not_emulated("cloudwatch", other)),
    }
}

/// `InvalidParameterValue`.
fn invalid_value(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterValueException", message).with_query_code("InvalidParameterValue")
}

/// `MissingParameter`.
fn missing(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("MissingRequiredParameterException", message).with_query_code("MissingParameter")
}

/// `InvalidParameterCombination`.
fn combination(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterCombinationException", message)
        .with_query_code("InvalidParameterCombination")
}
