//! Reports on what can never be read, and on rows that failed: `failed/stream-analytics/yyyy/mm/dd/hh/<name>.json` in the lake. The
//! key follows from the source, or from the rows, so a repetition writes the same object.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ledger::{ObjectStore, Precondition, StoreError};
use serde::Serialize;

/// Why something was left out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report<'a> {
    /// The stream, or the object's bucket and key; of a row, the application.
    pub source: &'a str,
    /// The record in its shard, or the object's version; of a row, its id.
    pub position: &'a str,
    /// Epoch ms.
    pub arrival: i64,
    /// What is wrong.
    pub reason: &'a str,
    /// Base64; none of an object, which is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_data: Option<String>,
}

impl Report<'_> {
    /// As a line.
    pub fn line(&self) -> Vec<u8> {
        // Strings and numbers into memory: that cannot fail.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// Base64 of a record.
pub fn raw(data: &[u8]) -> Option<String> {
    Some(BASE64.encode(data))
}

/// Writes a report.
pub async fn store(lake: &dyn ObjectStore, name: &str, report: &Report<'_>) -> Result<(), StoreError> {
    tracing::error!(source = report.source, position = report.position, reason = report.reason, "left out");
    let hour = Timestamp::from_millisecond(report.arrival).unwrap_or(Timestamp::UNIX_EPOCH);
    let hour = hour.to_zoned(TimeZone::UTC).strftime("%Y/%m/%d/%H").to_string();
    let key = format!("failed/stream-analytics/{hour}/{name}.json");
    lake.put(&key, Bytes::from(report.line()), &Precondition::None).await.map(drop)
}
