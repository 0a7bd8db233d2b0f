//! CBOR: `application/x-amz-cbor-1.1` (Kinesis) and rpc-v2-cbor (CloudWatch).

use serde::de::{DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::protocol::Reply;
use super::types::Timestamp;
use crate::error::ApiError;

/// Reads an operation's input; an empty body is an empty input.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { &[0xa0] } else { body };
    ciborium::from_reader(body).map_err(|e| ApiError::bad_request("SerializationException", e.to_string()))
}

/// Writes an operation's output.
pub fn encode<T: Serialize>(content_type: &'static str, output: &T) -> Result<Reply, ApiError> {
    let mut body = Vec::new();
    ciborium::into_writer(output, &mut body).map_err(ApiError::internal)?;
    Ok(Reply { content_type, body: body.into() })
}

pub(super) fn serialize_timestamp<S: Serializer>(at: Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.0 as f64 / 1000.0)
}

pub(super) fn deserialize_timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let seconds = <f64 as serde::Deserialize>::deserialize(deserializer)?;
    Ok(Timestamp((seconds * 1000.0).round() as i64))
}
