//! The report on what an invocation could not transform: one object under `failed/`, one JSON line a record.

use jiff::Timestamp;
use serde::Serialize;

/// A record that was answered `ProcessingFailed`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure<'a> {
    /// From the event.
    pub record_id: &'a str,
    /// Epoch milliseconds.
    pub approximate_arrival_timestamp: i64,
    /// Why.
    pub reason: String,
    /// The input as it came, in base64.
    pub raw_data: &'a str,
}

/// The report's key: the hour is the batch's own, so an invocation that comes again writes the same object again.
pub fn key(now: i64, invocation_id: &str) -> String {
    let hour = Timestamp::from_millisecond(now).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y/%m/%d/%H");
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = invocation_id.chars().map(safe).collect();
    format!("failed/firehose-transform/{hour}/{name}.json")
}

/// The report's content.
pub fn body(failures: &[Failure<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for failure in failures {
        // Serialising strings and numbers into memory cannot fail.
        if serde_json::to_writer(&mut body, failure).is_ok() {
            body.push(b'\n');
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report() {
        let expected = "failed/firehose-transform/2024/02/29/12/0a1b-2_.json";
        assert_eq!(key(1_709_208_000_123, "0a1b-2/"), expected);
        let failure =
            Failure { record_id: "1", approximate_arrival_timestamp: 2, reason: "r".into(), raw_data: "YQ==" };
        let line = "{\"recordId\":\"1\",\"approximateArrivalTimestamp\":2,\"reason\":\"r\",\"rawData\":\"YQ==\"}\n";
        assert_eq!(String::from_utf8(body(&[failure])).unwrap(), line);
    }
}
