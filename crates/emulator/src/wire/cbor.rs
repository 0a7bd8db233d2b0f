//! CBOR: `application/x-amz-cbor-1.1` (Kinesis) and rpc-v2-cbor (CloudWatch).
//!
//! Both put an instant under tag 1, and count it differently: Kinesis in whole milliseconds (what the Java SDKs send and expect,
//! against RFC 8949; aws-sdk-java-v2 issue 4661), rpc-v2-cbor in seconds, an integer or a float, as the RFC says. Serde tells a
//! field's type nothing about the protocol around it, so the unit of the body at hand is kept for the thread that is at it:
//! reading and writing a body never waits.

use std::cell::Cell;

use ciborium::tag::{Captured, Required};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde::ser::{Serialize, Serializer};

use super::protocol::Reply;
use super::types::{Number, Timestamp};
use crate::error::ApiError;

/// The tag of an epoch-based instant (RFC 8949, 3.4.2).
const EPOCH_TAG: u64 = 1;

/// What an instant is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `application/x-amz-cbor-1.1`.
    Milliseconds,
    /// rpc-v2-cbor.
    Seconds,
}

thread_local! {
    static UNIT: Cell<Unit> = const { Cell::new(Unit::Seconds) };
}

/// Reads an operation's input; an empty body is an empty input.
pub fn decode<T: DeserializeOwned>(body: &[u8], unit: Unit) -> Result<T, ApiError> {
    let body = if body.is_empty() { &[0xa0] } else { body };
    UNIT.set(unit);
    ciborium::from_reader(body).map_err(|e| ApiError::bad_request("SerializationException", e.to_string()))
}

/// Writes an operation's output.
pub fn encode<T: Serialize>(content_type: &'static str, unit: Unit, output: &T) -> Result<Reply, ApiError> {
    let mut body = Vec::new();
    UNIT.set(unit);
    ciborium::into_writer(output, &mut body).map_err(ApiError::internal)?;
    Ok(Reply { content_type, body: body.into() })
}

pub(super) fn serialize_timestamp<S: Serializer>(at: Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    match UNIT.get() {
        Unit::Milliseconds => Required::<i64, EPOCH_TAG>(at.0).serialize(serializer),
        Unit::Seconds => Required::<f64, EPOCH_TAG>(at.0 as f64 / 1000.0).serialize(serializer),
    }
}

pub(super) fn deserialize_timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let Captured(tag, Number(value)) = Captured::<Number>::deserialize(deserializer)?;
    if let Some(other) = tag.filter(|tag| *tag != EPOCH_TAG) {
        return Err(D::Error::custom(format!("tag {other} where an instant was expected: tag {EPOCH_TAG}")));
    }
    let milliseconds = match UNIT.get() {
        Unit::Milliseconds => value,
        Unit::Seconds => value * 1000.0,
    };
    Ok(Timestamp(milliseconds.round() as i64))
}

#[cfg(test)]
mod tests {
    use super::super::types::Blob;
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Shape {
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Blob>,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        list: Vec<Number>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    #[track_caller]
    fn check(unit: Unit, hex: &str, expected: Shape) {
        assert_eq!(decode::<Shape>(&bytes(hex), unit).unwrap(), expected, "{hex}");
    }

    #[test]
    fn every_form_of_a_value_is_read() {
        use Unit::*;
        let at = |ms| Shape { at: Some(Timestamp(ms)), ..Shape::default() };
        let blob = |data: &'static [u8]| Shape { data: Some(Blob(data.into())), ..Shape::default() };
        let list = |values: &[f64]| Shape { list: values.iter().copied().map(Number).collect(), ..Shape::default() };
        // Nothing at all, an empty map, an empty map of indefinite length.
        check(Milliseconds, "", Shape::default());
        check(Milliseconds, "a0", Shape::default());
        check(Milliseconds, "bf ff", Shape::default());
        // An instant as the Java SDK sends it: tag 1, 64-bit integer of milliseconds.
        check(Milliseconds, "a1 62 4174 c1 1b 000001a013accc38", at(1_787_036_486_712));
        check(Milliseconds, "a1 62 4174 1b 000001a013accc38", at(1_787_036_486_712));
        check(Milliseconds, "a1 62 4174 c1 fb 427a013accc38000", at(1_787_036_486_712));
        // As rpc-v2-cbor sends it: seconds, integer, double, single.
        check(Seconds, "a1 62 4174 c1 1a 6a83e246", at(1_787_028_038_000));
        check(Seconds, "a1 62 4174 c1 fb 41daa0f891900000", at(1_787_028_038_250));
        check(Seconds, "a1 62 4174 fa 3fc00000", at(1_500));
        // A blob: definite, indefinite in two pieces, empty; longer than the reader's own buffer.
        check(Seconds, "a1 64 44617461 43 010203", blob(&[1, 2, 3]));
        check(Seconds, "a1 64 44617461 5f 41 01 42 0203 ff", blob(&[1, 2, 3]));
        check(Seconds, "a1 64 44617461 40", blob(&[]));
        let long = format!("a1 64 44617461 5a 00002000 {}", "2a".repeat(8192));
        check(Seconds, &long, blob(&[0x2a; 8192]));
        // Lists, definite or not, of integers and floats of every width.
        check(Seconds, "a1 64 4c697374 84 01 20 f9 3e00 fb 3ff8000000000000", list(&[1.0, -1.0, 1.5, 1.5]));
        check(Seconds, "bf 64 4c697374 9f 18 64 fa 3fc00000 ff ff", list(&[100.0, 1.5]));
        // A text in pieces, null, members that nobody knows.
        check(Seconds, "a1 64 4e616d65 7f 61 61 61 62 ff", Shape { name: Some("ab".into()), ..Shape::default() });
        check(Seconds, "a2 64 4e616d65 f6 64 44617461 f6", Shape::default());
        check(Seconds, "a2 64 4f746865 c1 01 64 4d6f7265 82 a0 f5", Shape::default());
    }

    #[test]
    fn an_instant_is_written_in_the_unit_of_its_protocol() {
        let shape =
            Shape { at: Some(Timestamp(1_787_036_486_712)), data: Some(Blob([7][..].into())), ..Shape::default() };
        let written = |unit| encode("", unit, &shape).unwrap().body.to_vec();
        assert_eq!(written(Unit::Milliseconds), bytes("a2 64 44617461 41 07 62 4174 c1 1b 000001a013accc38"));
        let seconds = written(Unit::Seconds);
        assert_eq!(seconds[..12], bytes("a2 64 44617461 41 07 62 4174 c1")[..]);
        assert_eq!(decode::<Shape>(&seconds, Unit::Seconds).unwrap(), shape);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for hex in
            ["a1", "a1 62 4174 c2 41 01", "a1 62 4174 c0 61 61", "a1 64 4e616d65 01", "a1 64 44617461 5f 01 ff", "82"]
        {
            let error = decode::<Shape>(&bytes(hex), Unit::Seconds).unwrap_err();
            assert_eq!(error.code, "SerializationException", "{hex}");
        }
    }
}
