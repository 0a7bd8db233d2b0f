//! Firehose: direct put and Kinesis source, transformation, buffering, S3 destination.

use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};
use tokio::task::JoinSet;

/// The tables.
pub const SCHEMA: &str = "";

/// Starts the deliveries: one task a stream, woken by `Wake::Delivery` and `Wake::Stream`.
pub fn start(_ctx: &Ctx, _tasks: &mut JoinSet<()>) {}

/// Makes a delivery stream or brings it to `spec`, the properties of an `AWS::KinesisFirehose::DeliveryStream` (the API's
/// CreateDeliveryStream input has the same shape); returns its ARN.
pub fn ensure_stream(_tx: &Tx<'_>, name: &str, _spec: &serde_json::Value) -> Result<String, ApiError> {
    Err(ApiError::not_emulated("firehose", name))
}

/// Answers an operation.
pub async fn call(_ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    match call.operation.as_str() {
        other => Err(ApiError::not_emulated("firehose", other)),
    }
}
