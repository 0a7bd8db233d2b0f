//! The environment, typed. Region, credentials and endpoints are read by the SDK (`AWS_*`).

use lambda::{Error, required_env};

/// The lake bucket: lines under `logs/`, and `failed/` for what cannot be read.
const LAKE_BUCKET: &str = "LAKE_BUCKET";
/// The index bucket, whose `analytics/` is the state.
const INDEX_BUCKET: &str = "INDEX_BUCKET";
/// The bucket of the rule files.
const RULES_BUCKET: &str = "RULES_BUCKET";
/// The delivery stream that the built-in application reads.
const INGESTION_STREAM: &str = "INGESTION_STREAM";
/// The delivery stream that it writes to.
const SUMMARY_STREAM: &str = "SUMMARY_STREAM";
/// This function's name, given by Lambda.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";
/// How long Firehose buffers, for the transformation and again for the delivery.
const BUFFER_SECONDS: &str = "BUFFER_SECONDS";

/// What a line takes from Firehose to its fold besides the two buffers, ms: transformation, delivery, notification, queue.
const TRANSIT_MS: i64 = 30_000;

/// What the function is configured with.
#[derive(Clone, Debug)]
pub struct Config {
    /// This function's name.
    pub function: String,
    /// Name of the lake bucket.
    pub lake_bucket: String,
    /// Name of the index bucket.
    pub index_bucket: String,
    /// Name of the rules bucket.
    pub rules_bucket: String,
    /// Name of the delivery stream that the built-in application reads.
    pub ingestion_stream: String,
    /// Name of the delivery stream that it writes to.
    pub summary_stream: String,
    /// How far the lake's lines are behind, ms.
    pub lake_lag: i64,
}

impl Config {
    /// Reads the environment; the error names the missing variable.
    pub fn from_env() -> Result<Config, Error> {
        Ok(Config {
            function: required_env(FUNCTION_NAME, "the function's name, as Lambda sets it")?,
            lake_bucket: required_env(LAKE_BUCKET, "the name of the lake bucket")?,
            index_bucket: required_env(INDEX_BUCKET, "the name of the index bucket")?,
            rules_bucket: required_env(RULES_BUCKET, "the name of the rules bucket")?,
            ingestion_stream: required_env(INGESTION_STREAM, "the name of the delivery stream for log lines")?,
            summary_stream: required_env(SUMMARY_STREAM, "the name of the delivery stream for results")?,
            lake_lag: lake_lag(&required_env(BUFFER_SECONDS, "the seconds that Firehose buffers")?)?,
        })
    }
}

fn lake_lag(buffer_seconds: &str) -> Result<i64, Error> {
    match buffer_seconds.parse::<u32>() {
        Ok(seconds) => Ok(2 * 1000 * i64::from(seconds) + TRANSIT_MS),
        Err(error) => Err(format!("environment variable {BUFFER_SECONDS}: {buffer_seconds:?}: {error}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_of_the_lake() {
        assert_eq!(lake_lag("60").unwrap(), 150_000);
        assert_eq!(lake_lag("0").unwrap(), 30_000);
        assert!(lake_lag("a minute").unwrap_err().to_string().contains("BUFFER_SECONDS"));
    }
}
