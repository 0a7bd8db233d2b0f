//! The environment, typed. Region, credentials and endpoints are read by the SDK (`AWS_*`).

use lambda::{Error, required_env};

/// The bucket whose `failed/` takes reports on records that could not be transformed.
const LAKE_BUCKET: &str = "LAKE_BUCKET";
/// The bucket of the rule files.
const RULES_BUCKET: &str = "RULES_BUCKET";
/// This function's name, given by Lambda: `<NamePrefix>-firehose-transform`.
const FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// What the function is configured with.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the lake bucket.
    pub lake_bucket: String,
    /// Name of the rules bucket.
    pub rules_bucket: String,
    /// Log groups that are never a source: those whose name starts with this (our own functions').
    pub own_log_groups: String,
}

impl Config {
    /// Reads the environment; the error names the missing variable.
    pub fn from_env() -> Result<Config, Error> {
        Ok(Config {
            lake_bucket: required_env(LAKE_BUCKET, "the name of the lake bucket")?,
            rules_bucket: required_env(RULES_BUCKET, "the name of the rules bucket")?,
            own_log_groups: own_log_groups(&required_env(FUNCTION_NAME, "the function's name, as Lambda sets it")?),
        })
    }
}

/// `/aws/lambda/<NamePrefix>-`, from this function's name.
fn own_log_groups(function: &str) -> String {
    format!("/aws/lambda/{}", function.strip_suffix("firehose-transform").unwrap_or(function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_log_groups() {
        assert_eq!(own_log_groups("logmill-firehose-transform"), "/aws/lambda/logmill-");
        assert_eq!(own_log_groups("renamed"), "/aws/lambda/renamed");
    }
}
