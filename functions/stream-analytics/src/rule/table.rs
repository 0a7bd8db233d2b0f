//! Reference tables: rows of an object of S3, to join with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Schema;

/// Where tables are in the rules bucket: what the function may read there.
pub const TABLES_FOLDER: &str = "rules/tables/";

/// A reference table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name in the statements, exact.
    pub name: String,
    /// Its rows.
    pub s3: S3Object,
    /// What they look like.
    pub schema: Schema,
}

/// An object of S3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Wire", into = "Wire")]
#[schemars(with = "Wire")]
pub struct S3Object {
    /// None: the rules bucket.
    pub bucket: Option<String>,
    /// The key, whole.
    pub key: String,
}

/// Its keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "S3Object")]
struct Wire {
    /// Another bucket than the rules bucket; the template's `AnalyticsTableArns` must let the function read the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    /// The whole key; in the rules bucket, it begins with `rules/tables/`.
    key: String,
}

impl TryFrom<Wire> for S3Object {
    type Error = String;

    fn try_from(Wire { bucket, key }: Wire) -> Result<S3Object, String> {
        if key.is_empty() {
            return Err("key: expected the object's key".to_owned());
        }
        if bucket.is_none() && !key.starts_with(TABLES_FOLDER) {
            return Err(format!("key: {key:?}: expected it to begin with {TABLES_FOLDER}, or \"bucket\" beside it"));
        }
        if bucket.as_ref().is_some_and(|name| name.len() < 3 || name.contains(['/', ':'])) {
            return Err("bucket: expected a bucket's name".to_owned());
        }
        Ok(S3Object { bucket, key })
    }
}

impl From<S3Object> for Wire {
    fn from(S3Object { bucket, key }: S3Object) -> Wire {
        Wire { bucket, key }
    }
}

impl std::fmt::Display for S3Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket.as_deref().unwrap_or("(rules bucket)"), self.key)
    }
}
