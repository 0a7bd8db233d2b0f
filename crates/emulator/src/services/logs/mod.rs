//! CloudWatch Logs: groups, streams, events; what functions print goes to their group.

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};

/// The tables.
pub const SCHEMA: &str = "";

/// Makes a log group or sets its retention (days; `None` keeps for ever).
pub fn ensure_group(_tx: &Tx<'_>, name: &str, _retention_days: Option<u32>) -> Result<(), ApiError> {
    Err(ApiError::not_emulated("logs", name))
}

/// Appends events (epoch ms, message) to a stream of a group, making both where they are missing: what functions print.
pub fn append(_tx: &Tx<'_>, group: &str, _stream: &str, _events: &[(i64, String)]) -> Result<(), ApiError> {
    Err(ApiError::not_emulated("logs", group))
}

/// Answers an operation.
pub async fn call(_ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        other => Err(ApiError::not_emulated("logs", other)),
    }
}
