//! CloudWatch: PutMetricData stored, ListMetrics.

use crate::Ctx;
use crate::error::ApiError;
use crate::wire::protocol::{Call, Reply};

/// The tables.
pub const SCHEMA: &str = "";

/// Answers an operation.
pub async fn call(_ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        other => Err(ApiError::not_emulated("cloudwatch", other)),
    }
}
