//! Lambda: functions, invocation, event source mappings, schedules, function URLs (their state and their REST API; `runtime` runs
//! them).

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::{HttpRequest, HttpResponse};

/// The tables.
pub const SCHEMA: &str = "";

/// A function as the template wants it.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone, Default)]
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

/// Makes a function or brings it to `spec`; returns its ARN.
pub fn ensure_function(_tx: &Tx<'_>, spec: &FunctionSpec) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("lambda", &spec.name))
}

/// Makes an event source mapping or brings it to `spec`, the properties of an `AWS::Lambda::EventSourceMapping` (the API's
/// CreateEventSourceMapping input has the same shape); returns its UUID. One per function and source.
pub fn ensure_mapping(_tx: &Tx<'_>, _spec: &serde_json::Value) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("lambda", "event source mapping"))
}

/// Makes a function URL; it listens on a loopback port of its own. `auth` is `AWS_IAM` or `NONE` (not enforced locally).
pub fn ensure_url(
    _tx: &Tx<'_>,
    function: &str,
    _auth: &str,
    _cors: Option<&serde_json::Value>,
) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("lambda", function))
}

/// Makes a schedule (`rate(…)`, `cron(…)`) that sends `input` (`None`: EventBridge's scheduled event) to a function.
pub fn ensure_schedule(
    _tx: &Tx<'_>,
    name: &str,
    _expression: &str,
    _target_arn: &str,
    _input: Option<&str>,
    _enabled: bool,
) -> Result<(), ApiError> {
    Err(ApiError::not_emulated("scheduler", name))
}

/// Queues an asynchronous event for the function of this ARN or name; returns its request id.
pub fn enqueue_event(_tx: &Tx<'_>, function: &str, _payload: &Bytes) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("lambda", function))
}

/// Answers a request of the REST API.
pub async fn call(_ctx: &Ctx, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_emulated("lambda", request.uri().path()))
}
