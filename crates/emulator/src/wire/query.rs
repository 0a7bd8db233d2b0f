//! The query protocol: a form in (`Attributes.entry.1.key=…`), XML out.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::Reply;
use crate::error::ApiError;

/// Reads an operation's input: dotted names become objects, `member.N` and `entry.N` arrays; every scalar is a string.
pub fn decode<T: DeserializeOwned>(_body: &[u8]) -> Result<T, ApiError> {
    Err(ApiError::internal("query protocol: to be written"))
}

/// Writes an operation's output: `<OpResponse><OpResult>…</OpResult><ResponseMetadata>…`. An array is repeated `<member>`s, one
/// under the key `entry` repeated `<entry>`s.
pub fn encode<T: Serialize>(_operation: &str, _request_id: &str, _output: &T) -> Result<Reply, ApiError> {
    Err(ApiError::internal("query protocol: to be written"))
}

/// The `Action` of a form.
pub fn action(_body: &[u8]) -> Option<String> {
    None
}

/// An error: `<ErrorResponse><Error><Type>Sender</Type><Code>…`.
pub fn error(_error: &ApiError, _request_id: &str) -> Result<Reply, ApiError> {
    Err(ApiError::internal("query protocol: to be written"))
}
