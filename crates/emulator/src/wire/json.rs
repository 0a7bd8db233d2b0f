//! awsJson 1.0 and 1.1.

use std::fmt;

use bytes::Bytes;
use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
            deserializer.deserialize_any(TimestampVisitor)
        } else {
            super::cbor::deserialize_timestamp(deserializer)
        }
    }
}

struct TimestampVisitor;

impl Visitor<'_> for TimestampVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds since the epoch, or a date and time of ISO 8601")
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
        Ok(Timestamp((seconds * 1000.0).round() as i64))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
        Ok(Timestamp(seconds.saturating_mul(1000)))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
        self.visit_i64(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(Timestamp(at.as_millisecond()));
        }
        let seconds = text.parse::<f64>().map_err(|_| E::custom(format!("not a date and time: {text:?}")))?;
        self.visit_f64(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_seconds_or_text() {
        for (json, expected) in [
            ("1787036486", Some(1_787_036_486_000)),
            ("1787036486.712", Some(1_787_036_486_712)),
            ("1.787036486712E9", Some(1_787_036_486_712)),
            ("-1.5", Some(-1_500)),
            (r#""2026-08-18T07:41:26.712Z""#, Some(1_787_038_886_712)),
            (r#""2026-08-18T09:41:26+02:00""#, Some(1_787_038_886_000)),
            (r#""1787036486""#, Some(1_787_036_486_000)),
            (r#""yesterday""#, None),
            ("true", None),
            ("18446744073709551615", Some(i64::MAX)),
        ] {
            let read = serde_json::from_str::<Timestamp>(json).ok();
            assert_eq!(read, expected.map(Timestamp), "{json}");
        }
        assert_eq!(serde_json::to_string(&Timestamp(1_787_036_486_712)).unwrap(), "1787036486.712");
    }
}
