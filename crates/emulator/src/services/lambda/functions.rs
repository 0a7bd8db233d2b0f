//! Functions: what the template says of each.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use super::arn::{function_name, not_found};
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// The longest time-out (Lambda quotas: 900 seconds).
pub const MAX_TIMEOUT_SECONDS: u32 = 900;

/// Memory of a function, MB (Lambda quotas: 128 to 10,240).
const MEMORY_MB: std::ops::RangeInclusive<u32> = 128..=10_240;

/// `/tmp` of a function, MB (Lambda quotas: 512 to 10,240).
const EPHEMERAL_MB: std::ops::RangeInclusive<u32> = 512..=10_240;

/// The environment's variables, all together as JSON (Lambda quotas: 4 KB).
const MAX_ENVIRONMENT_BYTES: usize = 4096;

/// Retries of an asynchronous event (PutFunctionEventInvokeConfig: 0 to 2).
const ASYNC_RETRIES: std::ops::RangeInclusive<u32> = 0..=2;

/// Age of an asynchronous event, seconds (PutFunctionEventInvokeConfig: 60 to 21,600).
const ASYNC_AGE_SECONDS: std::ops::RangeInclusive<u32> = 60..=21_600;

/// Variables that Lambda sets and refuses to have set (Lambda developer guide, "Reserved environment variables").
pub const RESERVED_VARIABLES: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// A function as the template wants it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionSpec {
    /// Its name.
    pub name: String,
    /// The file name of its program in the folder of binaries.
    pub binary: String,
    /// `Environment.Variables`: at most 4 KB.
    pub environment: BTreeMap<String, String>,
    /// `Timeout`, seconds.
    pub timeout: u32,
    /// `MemorySize`, MB.
    pub memory: u32,
    /// `EphemeralStorage.Size`, MB.
    pub ephemeral_storage: u32,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<u32>,
    /// Of asynchronous events.
    pub asynchronous: AsyncSpec,
}

/// `EventInvokeConfig` and dead letters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AsyncSpec {
    /// `MaximumRetryAttempts`, 0-2, default 2.
    pub retries: Option<u32>,
    /// `MaximumEventAgeInSeconds`, default 21,600.
    pub max_age: Option<u32>,
    /// ARN of an SQS queue, SNS topic, function or bucket.
    pub on_success: Option<String>,
    /// The same, for events given up.
    pub on_failure: Option<String>,
    /// `DeadLetterConfig.TargetArn`: gets the event itself.
    pub dead_letter: Option<String>,
}

/// A function as it is stored.
#[derive(Debug, Clone)]
pub struct Function {
    /// What it is.
    pub spec: FunctionSpec,
    /// When it was last changed, epoch ms.
    pub modified_at: i64,
}

/// Makes a function or brings it to `spec`; returns its ARN.
pub fn ensure_function(tx: &Tx<'_>, spec: &FunctionSpec) -> Result<String, ApiError> {
    check(spec)?;
    let arn = tx.config().arn("lambda", &format!("function:{}", spec.name));
    let text = serde_json::to_string(spec).map_err(ApiError::internal)?;
    let changed = tx
        .prepare_cached(
            "INSERT INTO lambda_functions (name, spec, modified_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET spec = excluded.spec, modified_at = excluded.modified_at
             WHERE spec <> excluded.spec",
        )?
        .execute((&spec.name, &text, tx.now()))?;
    if changed > 0 {
        tx.wake(Wake::Resources);
    }
    Ok(arn)
}

/// The function of this name, if there is one.
pub fn find(db: &Connection, name: &str) -> Result<Option<Function>, ApiError> {
    db.prepare_cached("SELECT spec, modified_at FROM lambda_functions WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
        .optional()?
        .map(decode)
        .transpose()
}

/// The function of this name or ARN, or a 404.
pub fn get(db: &Connection, reference: &str) -> Result<Function, ApiError> {
    find(db, function_name(reference)?)?.ok_or_else(|| not_found(reference))
}

/// Up to `limit` functions after the name `after`, by name.
pub fn list(db: &Connection, after: &str, limit: usize) -> Result<Vec<Function>, ApiError> {
    let mut statement =
        db.prepare_cached("SELECT spec, modified_at FROM lambda_functions WHERE name > ?1 ORDER BY name LIMIT ?2")?;
    let rows = statement.query_map((after, limit as i64), |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| decode(row?)).collect()
}

fn decode((spec, modified_at): (String, i64)) -> Result<Function, ApiError> {
    Ok(Function { spec: serde_json::from_str(&spec).map_err(ApiError::internal)?, modified_at })
}

fn check(spec: &FunctionSpec) -> Result<(), ApiError> {
    let name = &spec.name;
    let invalid = |message: String| {
        Err(ApiError::bad_request("InvalidParameterValueException", format!("function {name}: {message}")))
    };
    if function_name(name)? != name {
        return invalid("expected a name, not an ARN".into());
    }
    if spec.binary.is_empty() || spec.binary.contains(['/', '\\']) {
        return invalid(format!("binary {:?} must be a file name in the folder of binaries", spec.binary));
    }
    if !(1..=MAX_TIMEOUT_SECONDS).contains(&spec.timeout) {
        return invalid(format!("Timeout {} is not within 1 and {MAX_TIMEOUT_SECONDS} seconds", spec.timeout));
    }
    if !MEMORY_MB.contains(&spec.memory) {
        return invalid(format!("MemorySize {} is not within 128 and 10240 MB", spec.memory));
    }
    if !EPHEMERAL_MB.contains(&spec.ephemeral_storage) {
        return invalid(format!("EphemeralStorage {} is not within 512 and 10240 MB", spec.ephemeral_storage));
    }
    if spec.asynchronous.retries.is_some_and(|n| !ASYNC_RETRIES.contains(&n)) {
        return invalid("MaximumRetryAttempts is not within 0 and 2".into());
    }
    if spec.asynchronous.max_age.is_some_and(|n| !ASYNC_AGE_SECONDS.contains(&n)) {
        return invalid("MaximumEventAgeInSeconds is not within 60 and 21600".into());
    }
    check_environment(spec).or_else(invalid)
}

fn check_environment(spec: &FunctionSpec) -> Result<(), String> {
    let reserved: Vec<&str> =
        spec.environment.keys().map(String::as_str).filter(|key| RESERVED_VARIABLES.contains(key)).collect();
    if !reserved.is_empty() {
        return Err(format!("environment sets reserved variables: {}", reserved.join(", ")));
    }
    let named_well = |key: &str| {
        key.len() > 1
            && key.as_bytes()[0].is_ascii_alphabetic()
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if let Some(key) = spec.environment.keys().find(|key| !named_well(key)) {
        return Err(format!("environment variable {key:?}: a name is a letter, then letters, digits or underscores"));
    }
    if let Some((key, _)) = spec.environment.iter().find(|(_, value)| value.contains('\0')) {
        return Err(format!("environment variable {key} holds a NUL"));
    }
    let size = serde_json::to_vec(&spec.environment).map_or(usize::MAX, |json| json.len());
    if size > MAX_ENVIRONMENT_BYTES {
        return Err(format!("environment variables take {size} bytes, the limit is {MAX_ENVIRONMENT_BYTES}"));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn spec(name: &str) -> FunctionSpec {
        FunctionSpec {
            name: name.into(),
            binary: "probe".into(),
            environment: BTreeMap::new(),
            timeout: 3,
            memory: 128,
            ephemeral_storage: 512,
            reserved_concurrency: None,
            asynchronous: AsyncSpec::default(),
        }
    }

    #[test]
    fn a_function_outside_the_limits_is_refused() {
        let variable = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        let ok = spec("f");
        for (case, expected) in [
            (ok.clone(), None),
            (FunctionSpec { timeout: 900, ..ok.clone() }, None),
            (FunctionSpec { timeout: 901, ..ok.clone() }, Some("Timeout 901")),
            (FunctionSpec { timeout: 0, ..ok.clone() }, Some("Timeout 0")),
            (FunctionSpec { memory: 64, ..ok.clone() }, Some("MemorySize 64")),
            (FunctionSpec { ephemeral_storage: 1, ..ok.clone() }, Some("EphemeralStorage 1")),
            (FunctionSpec { binary: "../x".into(), ..ok.clone() }, Some("must be a file name")),
            (FunctionSpec { environment: variable("AWS_REGION", "x"), ..ok.clone() }, Some("reserved variables")),
            (FunctionSpec { environment: variable("A-B", "x"), ..ok.clone() }, Some("A-B")),
            (FunctionSpec { environment: variable("BIG", &"x".repeat(4086)), ..ok.clone() }, None),
            (FunctionSpec { environment: variable("BIG", &"x".repeat(4087)), ..ok.clone() }, Some("4097 bytes")),
            (
                FunctionSpec { asynchronous: AsyncSpec { retries: Some(3), ..Default::default() }, ..ok.clone() },
                Some("MaximumRetryAttempts"),
            ),
        ] {
            match (check(&case), expected) {
                (Ok(()), None) => {}
                (Err(e), Some(part)) => assert!(e.message.contains(part), "{e}"),
                (got, _) => panic!("{case:?}: {got:?}, expected {expected:?}"),
            }
        }
    }
}
