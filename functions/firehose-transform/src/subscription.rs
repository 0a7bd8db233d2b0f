//! What a CloudWatch Logs subscription puts into a stream: gzip members, each JSON messages with log events.

use std::{borrow::Cow, io::Read};

use flate2::bufread::MultiGzDecoder;
use line_convert::json;
use serde::Deserialize;

use crate::{json_object::INGESTED, record::Outcome};

/// Most bytes that one record may hold decompressed. What is larger could not be answered (6 MB, base64 included) anyway.
pub const MAX_DECOMPRESSED_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes out for a byte in, above [`RATIO_FREE_BYTES`]. Log text compresses 5 to 100 times, a bomb 1,000 times.
pub const MAX_RATIO: usize = 500;
/// Decompressed size up to which the ratio does not matter.
pub const RATIO_FREE_BYTES: usize = 1024 * 1024;

const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    #[serde(borrow)]
    message_type: Cow<'a, str>,
    #[serde(borrow, default)]
    log_group: Cow<'a, str>,
    #[serde(borrow, default)]
    log_stream: Cow<'a, str>,
    #[serde(borrow, default)]
    log_events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default)]
    id: Cow<'a, str>,
    #[serde(default)]
    timestamp: i64,
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// True for bytes that can be nothing but gzip (they are no UTF-8).
pub fn is_gzip(data: &[u8]) -> bool {
    data.starts_with(&GZIP_MAGIC)
}

/// The events of a gzip record as JSON lines: `id` (CloudWatch's, unique), `timestamp`, `logGroup`, `logStream`, `message`,
/// `@ingested`. Control messages, and the log groups whose names start with `own_log_groups`, leave nothing.
pub fn transform(data: &[u8], ingested: i64, own_log_groups: &str) -> Outcome {
    match lines(data, ingested, own_log_groups) {
        Ok(out) if out.is_empty() => Outcome::Nothing,
        Ok(out) => Outcome::Output(out),
        Err(reason) => Outcome::Failed(reason),
    }
}

fn lines(data: &[u8], ingested: i64, own_log_groups: &str) -> Result<Vec<u8>, String> {
    let text = decompress(data)?;
    let mut out = Vec::with_capacity(text.len() + text.len() / 2);
    // Several members, and so several messages, may follow one another.
    for message in serde_json::Deserializer::from_slice(&text).into_iter::<Message<'_>>() {
        let message = message.map_err(|error| format!("gzip, but no CloudWatch Logs message: {error}"))?;
        match &*message.message_type {
            "DATA_MESSAGE" if !message.log_group.starts_with(own_log_groups) => append(&message, ingested, &mut out),
            "DATA_MESSAGE" | "CONTROL_MESSAGE" => {}
            other => {
                return Err(format!("CloudWatch Logs messageType {other:?}, expected DATA_MESSAGE or CONTROL_MESSAGE"));
            }
        }
    }
    Ok(out)
}

fn decompress(data: &[u8]) -> Result<Vec<u8>, String> {
    let most = MAX_DECOMPRESSED_BYTES.min(RATIO_FREE_BYTES.max(data.len().saturating_mul(MAX_RATIO)));
    let mut text = Vec::with_capacity(RATIO_FREE_BYTES.min(data.len() * 8));
    let mut limited = MultiGzDecoder::new(data).take(most as u64 + 1);
    limited.read_to_end(&mut text).map_err(|error| format!("gzip that cannot be read: {error}"))?;
    if text.len() > most { Err(format!("gzip of more than {most} bytes")) } else { Ok(text) }
}

fn append(message: &Message<'_>, ingested: i64, out: &mut Vec<u8>) {
    for event in &message.log_events {
        let texts = [("id", &event.id), ("logGroup", &message.log_group), ("logStream", &message.log_stream)];
        out.extend_from_slice(format!("{{\"timestamp\":{}", event.timestamp).as_bytes());
        for (key, text) in texts {
            out.extend_from_slice(format!(",\"{key}\":").as_bytes());
            json::string(text, out);
        }
        out.extend_from_slice(b",\"message\":");
        json::string(event.message.strip_suffix('\n').unwrap_or(&event.message), out);
        out.extend_from_slice(format!(",\"{INGESTED}\":{ingested}}}\n").as_bytes());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    pub(crate) fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    const DATA: &str = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"s","subscriptionFilters":["f"],
        "logEvents":[{"id":"1","timestamp":5,"message":"a \"b\"\n"},{"id":"2","timestamp":6,"message":"{}"}]}"#;
    const CONTROL: &str = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"",
        "subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health"}]}"#;
    const LINES: &str = "{\"timestamp\":5,\"id\":\"1\",\"logGroup\":\"g\",\"logStream\":\"s\",\"message\":\"a \\\"b\\\"\",\"@ingested\":9}\n\
        {\"timestamp\":6,\"id\":\"2\",\"logGroup\":\"g\",\"logStream\":\"s\",\"message\":\"{}\",\"@ingested\":9}\n";

    fn check(data: &[u8], expected: &str) {
        match transform(data, 9, "/aws/lambda/logmill-") {
            Outcome::Output(out) => assert_eq!(String::from_utf8(out).unwrap(), expected),
            Outcome::Nothing => assert_eq!(expected, ""),
            Outcome::Failed(reason) => assert!(!expected.is_empty() && reason.contains(expected), "{reason}"),
        }
    }

    #[test]
    fn messages() {
        check(&gzip(DATA), LINES);
        check(&gzip(CONTROL), "");
        check(&[gzip(CONTROL), gzip(DATA)].concat(), LINES);
        check(&gzip(&DATA.replace("\"g\"", "\"/aws/lambda/logmill-search-api\"")), "");
    }

    #[test]
    fn gzip_that_is_no_message_fails_with_the_reason() {
        check(&gzip("a line"), "no CloudWatch Logs message");
        check(&gzip(&DATA.replace("DATA_", "OTHER_")), "messageType \"OTHER_MESSAGE\"");
        check(&gzip(DATA)[..30], "cannot be read");
        check(&gzip(&" ".repeat(RATIO_FREE_BYTES + 1)), "gzip of more than 1048576 bytes");
    }
}
