//! What could not be indexed: objects under `failed/index-writer/`, one JSON line a line.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::lake::Identity;

/// The prefix of these objects.
pub const PREFIX: &str = "failed/index-writer/";

/// A line that was not indexed, or the object as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// From 1; none for the object as a whole.
    pub line: Option<u64>,
    /// The index it was for, if that was decided.
    pub index: Option<String>,
    /// Elasticsearch's `error.type`, or one of our own words.
    pub kind: Cow<'static, str>,
    /// Why.
    pub reason: String,
    /// The line, unless it is too long: then it is in the object alone.
    pub raw: Option<Bytes>,
}

#[derive(Serialize)]
struct Wire<'a> {
    source: Source<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(rename = "rawBase64", skip_serializing_if = "Option::is_none")]
    raw_base64: Option<String>,
}

#[derive(Serialize)]
struct Source<'a> {
    bucket: &'a str,
    key: &'a str,
    etag: &'a str,
}

/// The object's key: it follows from the source alone, so that a repeat writes the same object again.
pub fn key(source: &Identity, part: &str) -> String {
    let hour = Timestamp::from_millisecond(source.modified).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y/%m/%d/%H");
    format!("{PREFIX}{hour}/{}-{part}.json", source.hash())
}

/// The object's content, in the order of the lines.
pub fn body(source: &Identity, failures: &mut [Failure]) -> Bytes {
    failures.sort_by_key(|failure| failure.line);
    let mut body = Vec::new();
    for failure in failures {
        let text = failure.raw.as_deref().map(std::str::from_utf8);
        let wire = Wire {
            source: Source { bucket: &source.bucket, key: &source.key, etag: &source.etag },
            line: failure.line,
            index: failure.index.as_deref(),
            kind: &failure.kind,
            reason: &failure.reason,
            raw: text.and_then(Result::ok),
            raw_base64: failure.raw.as_ref().filter(|_| matches!(text, Some(Err(_)))).map(|raw| BASE64.encode(raw)),
        };
        // Serialising strings and numbers into memory cannot fail.
        if serde_json::to_writer(&mut body, &wire).is_ok() {
            body.push(b'\n');
        }
    }
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_object() {
        let source =
            Identity { bucket: "b".into(), key: "logs/s/a.gz".into(), etag: "e".into(), modified: 1_709_208_000_123 };
        let key = key(&source, "1");
        assert_eq!(key, format!("failed/index-writer/2024/02/29/12/{}-1.json", source.hash()));
        let failure = |line, raw: &'static [u8]| Failure {
            line: Some(line),
            index: None,
            kind: "document_parsing_exception".into(),
            reason: "r".into(),
            raw: Some(Bytes::from_static(raw)),
        };
        let mut failures = [failure(2, b"\xff"), failure(1, b"{\"a\"")];
        let body = body(&source, &mut failures);
        let at = r#"{"source":{"bucket":"b","key":"logs/s/a.gz","etag":"e"},"line""#;
        let why = r#""type":"document_parsing_exception","reason":"r""#;
        let expected = format!("{at}:1,{why},\"raw\":\"{{\\\"a\\\"\"}}\n{at}:2,{why},\"rawBase64\":\"/w==\"}}\n");
        assert_eq!(std::str::from_utf8(&body).unwrap(), expected);
    }
}
