//! `ADDMETADATA`: the record as `data` beside the configured `metadata`.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    ConfigError,
    json::{self, Layout},
    options::Options,
    text::{decode, without_newline},
};

#[derive(Debug)]
pub(crate) struct AddMetadata {
    metadata: Value,
    timestamp: bool,
    layout: Layout,
}

impl AddMetadata {
    pub(crate) fn new(options: &Options<'_>) -> Result<AddMetadata, ConfigError> {
        let timestamp = match options.value("timestamp") {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(other) => {
                let message =
                    format!("ADDMETADATA: timestamp: expected the string \"true\" or \"false\", found {other}");
                return Err(ConfigError::new(message));
            }
        };
        let metadata = options.value("metadata").cloned().unwrap_or_default();
        Ok(AddMetadata { metadata, timestamp, layout: options.layout()? })
    }

    pub(crate) fn apply(&self, record: &[u8], now: &impl Fn() -> i64, out: &mut Vec<u8>) -> bool {
        let mut open: &[u8] = b"{";
        if self.timestamp {
            let stamp = Timestamp::from_millisecond(now()).unwrap_or(Timestamp::UNIX_EPOCH);
            self.key(open, "ts", out);
            json::string(&format!("{stamp:.3}"), out);
            open = b",";
        }
        self.key(open, "metadata", out);
        json::value(&self.metadata, self.layout, 1, out);
        self.key(b",", "data", out);
        json::string(&decode(without_newline(record)), out);
        out.extend_from_slice(if self.layout == Layout::Pretty { b"\n}\n" } else { b"}\n" });
        true
    }

    fn key(&self, before: &[u8], name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(before);
        let (indent, colon): (&[u8], &[u8]) =
            if self.layout == Layout::Pretty { (b"\n  ", b" : ") } else { (b"", b":") };
        out.extend_from_slice(indent);
        json::string(name, out);
        out.extend_from_slice(colon);
    }
}

/// The host's clock in epoch milliseconds: what the original stamps.
pub(crate) fn system_time() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
