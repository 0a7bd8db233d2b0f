//! The environment, typed. Region, credentials and endpoints are read by the SDK (`AWS_*`).

use lambda::{Error, required_env};

/// The bucket of the indexes.
const INDEX_BUCKET: &str = "INDEX_BUCKET";

/// What the function is configured with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the index bucket.
    pub index_bucket: String,
}

impl Config {
    /// Reads the environment; the error names the missing variable.
    pub fn from_env() -> Result<Config, Error> {
        Ok(Config { index_bucket: required_env(INDEX_BUCKET, "the name of the index bucket")? })
    }
}
