//! awsJson 1.0 and 1.1.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serializer};

use super::protocol::Reply;
use super::types::Timestamp;
use crate::error::ApiError;

/// Reads an operation's input; an empty body is an empty input.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|e| ApiError::bad_request("SerializationException", e.to_string()))
}

/// Writes an operation's output.
pub fn encode<T: Serialize>(content_type: &'static str, output: &T) -> Result<Reply, ApiError> {
    let body = serde_json::to_vec(output).map_err(ApiError::internal)?;
    Ok(Reply { content_type, body: Bytes::from(body) })
}

/// JSON: seconds since the epoch with a fraction. CBOR: `wire::cbor` puts the tag on.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_f64(self.0 as f64 / 1000.0)
        } else {
            super::cbor::serialize_timestamp(*self, serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let seconds = f64::deserialize(deserializer)?;
            Ok(Timestamp((seconds * 1000.0).round() as i64))
        } else {
            super::cbor::deserialize_timestamp(deserializer)
        }
    }
}
