//! The environment, typed. Region, credentials and endpoints are read by the SDK (`AWS_*`).

use lambda::{Error, required_env};

/// The bucket whose `logs/` and `inbox/` are indexed, and whose `failed/` takes what could not be.
const LAKE_BUCKET: &str = "LAKE_BUCKET";
/// The bucket of the indexes.
const INDEX_BUCKET: &str = "INDEX_BUCKET";
/// The bucket of the rule files.
const RULES_BUCKET: &str = "RULES_BUCKET";

/// What the function is configured with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the lake bucket.
    pub lake_bucket: String,
    /// Name of the index bucket.
    pub index_bucket: String,
    /// Name of the rules bucket.
    pub rules_bucket: String,
}

impl Config {
    /// Reads the environment; the error names the missing variable.
    pub fn from_env() -> Result<Config, Error> {
        Ok(Config {
            lake_bucket: required_env(LAKE_BUCKET, "the name of the lake bucket")?,
            index_bucket: required_env(INDEX_BUCKET, "the name of the index bucket")?,
            rules_bucket: required_env(RULES_BUCKET, "the name of the rules bucket")?,
        })
    }
}
