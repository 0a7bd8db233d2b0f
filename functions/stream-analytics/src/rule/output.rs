//! Where the rows of a stream go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of an index's name (Elasticsearch's limit).
const MAX_INDEX_BYTES: usize = 255;

/// Where the rows of a stream go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Wire", into = "Wire")]
#[schemars(with = "Wire")]
pub struct Output {
    /// The in-application stream, exactly as the statements make it.
    pub stream: String,
    /// What takes its rows.
    pub destination: Destination,
    /// How a row is written.
    pub format: OutputFormat,
}

/// What takes rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// The delivery stream of this name.
    Firehose(String),
    /// The Kinesis stream of this name.
    Kinesis(String),
    /// The index of this name, over the lake's `inbox/`.
    Index(String),
}

/// How a row is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum OutputFormat {
    /// A JSON object in a line of its own, with an `_id`.
    #[default]
    Json,
    /// A line of values, in the order of the columns (RFC 4180).
    Csv,
}

/// Its keys. One of `firehose`, `kinesis` and `index`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Output")]
struct Wire {
    /// The in-application stream, exactly as the statements make it (`DESTINATION_SQL_STREAM`, `error_stream`).
    stream: String,
    /// The delivery stream that takes its rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    firehose: Option<String>,
    /// The Kinesis stream that takes its rows, each a record whose partition key is the row's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kinesis: Option<String>,
    /// The index that takes its rows, within a minute. `JSON` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<String>,
    /// Not supported: Kinesis Data Analytics called this function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lambda: Option<String>,
    /// How a row is written (`JSON`).
    #[serde(default)]
    format: OutputFormat,
}

impl TryFrom<Wire> for Output {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Output, String> {
        if wire.lambda.is_some() {
            return Err("lambda: a function as an output is not supported: let it read a Kinesis stream (\"kinesis\")"
                .to_owned());
        }
        let destination = match (wire.firehose, wire.kinesis, wire.index) {
            (Some(name), None, None) => Destination::Firehose(stream_name("firehose", name)?),
            (None, Some(name), None) => Destination::Kinesis(stream_name("kinesis", name)?),
            (None, None, Some(name)) => Destination::Index(index_name(name)?),
            _ => {
                return Err(format!("output of {}: expected one of \"firehose\", \"kinesis\", \"index\"", wire.stream));
            }
        };
        if matches!(destination, Destination::Index(_)) && wire.format != OutputFormat::Json {
            return Err("format: an index takes JSON".to_owned());
        }
        Ok(Output { stream: wire.stream, destination, format: wire.format })
    }
}

/// Letters, digits, `_`, `.` and `-`, up to 128 (Kinesis and Firehose service models).
fn stream_name(key: &str, name: String) -> Result<String, String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    match !name.is_empty() && name.len() <= 128 && name.bytes().all(known) {
        true => Ok(name),
        false => Err(format!("{key}: {name:?}: expected a stream's name: up to 128 letters, digits, _, . and -")),
    }
}

/// As Elasticsearch has them, and nothing that means something in a key.
fn index_name(name: String) -> Result<String, String> {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    match begins && name.len() <= MAX_INDEX_BYTES && name.bytes().all(known) {
        true => Ok(name),
        false => Err(format!(
            "index: {name:?}: expected an index's name: up to {MAX_INDEX_BYTES} lower-case letters, digits, _, . and -, beginning \
             with a letter or a digit"
        )),
    }
}

impl From<Output> for Wire {
    fn from(output: Output) -> Wire {
        let Output { stream, destination, format } = output;
        let none = Wire { stream, firehose: None, kinesis: None, index: None, lambda: None, format };
        match destination {
            Destination::Firehose(name) => Wire { firehose: Some(name), ..none },
            Destination::Kinesis(name) => Wire { kinesis: Some(name), ..none },
            Destination::Index(name) => Wire { index: Some(name), ..none },
        }
    }
}
