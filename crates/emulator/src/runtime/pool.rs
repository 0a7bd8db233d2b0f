//! The function processes: one invocation at a time each, more processes under load, an idle limit.

use bytes::Bytes;

use crate::Ctx;
use crate::config::Config;
use crate::error::ApiError;

/// What a function answered.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its reply, or the error object (`errorType`, `errorMessage`).
    pub payload: Bytes,
    /// `Unhandled` when the function failed (error, exit, time-out).
    pub function_error: Option<String>,
    /// The last 4 KB that it printed.
    pub log_tail: String,
    /// The request id.
    pub request_id: String,
}

/// The processes of all functions.
pub struct Pool {}

impl Pool {
    /// No processes yet: they start on demand.
    pub fn new(_config: &Config) -> Self {
        Pool {}
    }

    /// Invokes `function` (a name) and waits for its answer. An `Err` is one of Lambda's own (no such function, throttled,
    /// payload too large); a function that fails is an [`Invocation`] with `function_error`.
    pub async fn invoke(&self, _ctx: &Ctx, function: &str, _payload: Bytes) -> Result<Invocation, ApiError> {
        Err(ApiError::not_emulated("lambda", function))
    }

    /// Ends all processes.
    pub async fn stop(&self) {}
}
