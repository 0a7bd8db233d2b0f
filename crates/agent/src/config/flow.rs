//! One flow: a file pattern and where its records go.

use std::time::Duration;

use line_convert::Converter;
use serde_json::Value;

use super::section::{Section, Wrong, wrong};
use crate::pattern::{FilePattern, LinePattern};
use crate::sink::Limits;

/// Where the records of a flow go.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    /// `deliveryStream`: Firehose, by PutRecordBatch.
    Firehose(String),
    /// `kinesisStream`: Kinesis Data Streams, by PutRecords.
    Kinesis(String),
}

impl Destination {
    /// The stream's name.
    pub fn stream(&self) -> &str {
        match self {
            Destination::Firehose(name) | Destination::Kinesis(name) => name,
        }
    }

    /// What one call may hold.
    pub fn limits(&self) -> Limits {
        match self {
            Destination::Firehose(_) => Limits::FIREHOSE,
            Destination::Kinesis(_) => Limits::KINESIS,
        }
    }
}

/// `partitionKeyOption`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PartitionKey {
    /// A random number's text.
    Random,
    /// Hex MD5 of the record.
    Deterministic,
}

/// `initialPosition`: where the newest file starts when the flow has no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum InitialPosition {
    /// At the last complete line.
    EndOfFile,
    /// At 0.
    StartOfFile,
}

/// One flow, checked.
#[derive(Debug, Clone)]
pub struct Flow {
    /// `fh:STREAM:DIR/PATTERN` or `kinesis:STREAM:DIR/PATTERN`, as the original names it.
    pub id: String,
    /// Which files.
    pub files: FilePattern,
    /// Where to.
    pub destination: Destination,
    /// Kinesis only.
    pub partition_key: PartitionKey,
    /// Without a checkpoint.
    pub initial_position: InitialPosition,
    /// A batch is sent at this age at the latest.
    pub max_buffer_age: Duration,
    /// Records of a batch.
    pub max_buffer_records: usize,
    /// Bytes of a batch.
    pub max_buffer_bytes: usize,
    /// Pause after a pass that read nothing.
    pub poll: Duration,
    /// Directories are listed at least so often.
    pub refresh: Duration,
    /// A record starts where this matches; every line is one without it.
    pub multi_line_start: Option<LinePattern>,
    /// Lines passed over at the start of every file.
    pub skip_header_lines: usize,
    /// The record at which a file is done.
    pub footer: Option<LinePattern>,
    /// What a cut record ends with.
    pub truncated_terminator: Vec<u8>,
    /// Lines are joined up to this size; 0: not.
    pub aggregate_bytes: usize,
    /// Batches read and not yet acknowledged.
    pub queue_capacity: usize,
    /// First pause after a failure.
    pub retry_initial: Duration,
    /// Longest pause after failures.
    pub retry_max: Duration,
    /// `dataProcessingOptions`, which `Converter::new` has accepted.
    pub options: Value,
    /// Ours: the field that gets the line's id.
    pub record_id_field: Option<String>,
}

/// Reads a flow; `warn` takes a line and what its writer should know.
pub fn read(section: &Section<'_>, warn: &mut impl FnMut(usize, String)) -> Result<Flow, Wrong> {
    let destination = destination(section, warn)?;
    let limits = destination.limits();
    let pattern = section.required("filePattern")?;
    let kind = match destination {
        Destination::Firehose(_) => "fh",
        Destination::Kinesis(_) => "kinesis",
    };
    let millis = |key: &str, default: u64, range| section.number(key, default, range).map(Duration::from_millis);
    section.number("waitOnFullPublishQueueMillis", 60_000, 1_000..=900_000)?;
    section.number("waitOnEmptyPublishQueueMillis", 60_000, 1_000..=900_000)?;
    Ok(Flow {
        id: format!("{kind}:{}:{pattern}", destination.stream()),
        files: FilePattern::new(&pattern).map_err(|message| at(section, "filePattern", message))?,
        partition_key: section.choice(
            "partitionKeyOption",
            &[("RANDOM", PartitionKey::Random), ("DETERMINISTIC", PartitionKey::Deterministic)],
        )?,
        initial_position: section.choice(
            "initialPosition",
            &[("END_OF_FILE", InitialPosition::EndOfFile), ("START_OF_FILE", InitialPosition::StartOfFile)],
        )?,
        max_buffer_age: millis("maxBufferAgeMillis", 60_000, 1_000..=900_000)?,
        max_buffer_records: section.number("maxBufferSizeRecords", 500, 1..=limits.records as u64)? as usize,
        max_buffer_bytes: section.number("maxBufferSizeBytes", limits.bytes as u64, 1..=limits.bytes as u64)? as usize,
        poll: millis("minTimeBetweenFilePollsMillis", 100, 0..=super::MAX_MILLIS)?,
        refresh: millis("maxTimeBetweenFileTrackerRefreshMillis", 10_000, 1..=super::MAX_MILLIS)?,
        multi_line_start: line_pattern(section, "multiLineStartPattern", LinePattern::at_start)?,
        skip_header_lines: section.number("skipHeaderLines", 0, 0..=1_000_000)? as usize,
        footer: line_pattern(section, "fileFooterPattern", LinePattern::whole)?,
        truncated_terminator: terminator(section, limits)?,
        aggregate_bytes: aggregate_bytes(section, &destination, warn)?,
        queue_capacity: section.number("publishQueueCapacity", 100, 1..=100_000)? as usize,
        retry_initial: millis("retryInitialBackoffMillis", 100, 1..=super::MAX_MILLIS)?,
        retry_max: millis("retryMaxBackoffMillis", 10_000, 1..=super::MAX_MILLIS)?,
        options: options(section)?,
        record_id_field: record_id_field(section)?,
        destination,
    })
}

/// An error on the line of a key, or of the flow without it.
fn at(section: &Section<'_>, key: &str, message: String) -> Wrong {
    Wrong { line: section.get(key).map_or(section.line(), |node| node.line), message: format!("`{key}`: {message}") }
}

fn destination(section: &Section<'_>, warn: &mut impl FnMut(usize, String)) -> Result<Destination, Wrong> {
    let stream = |key: &str| section.string(key).map(|name| name.filter(|name| !name.is_empty()));
    match (stream("deliveryStream")?, stream("kinesisStream")?) {
        (Some(delivery), kinesis) => {
            if kinesis.is_some() {
                warn(section.line(), "both deliveryStream and kinesisStream: only deliveryStream is used".to_owned());
            }
            Ok(Destination::Firehose(delivery))
        }
        (None, Some(kinesis)) => Ok(Destination::Kinesis(kinesis)),
        (None, None) => {
            let message = "Required configuration value missing: deliveryStream or kinesisStream".to_owned();
            Err(Wrong { line: section.line(), message })
        }
    }
}

fn line_pattern(
    section: &Section<'_>,
    key: &str,
    compile: fn(&str) -> Result<LinePattern, String>,
) -> Result<Option<LinePattern>, Wrong> {
    let text = section.string(key)?.filter(|text| !text.is_empty());
    text.map(|text| compile(&text).map_err(|message| at(section, key, message))).transpose()
}

fn terminator(section: &Section<'_>, limits: Limits) -> Result<Vec<u8>, Wrong> {
    let key = "truncatedRecordTerminator";
    let terminator = section.string(key)?.unwrap_or("\n".to_owned()).into_bytes();
    if terminator.len() >= limits.record {
        return Err(at(section, key, format!("expected fewer than {} bytes", limits.record)));
    }
    Ok(terminator)
}

fn aggregate_bytes(
    section: &Section<'_>,
    destination: &Destination,
    warn: &mut impl FnMut(usize, String),
) -> Result<usize, Wrong> {
    let key = "aggregatedRecordSizeBytes";
    let bytes = section.number(key, 0, 0..=Limits::FIREHOSE.record as u64)? as usize;
    let line = section.get(key).map_or(section.line(), |node| node.line);
    if bytes > 0 && !matches!(destination, Destination::Firehose(_)) {
        warn(line, format!("`{key}` has no effect: it is for deliveryStream"));
        return Ok(0);
    }
    if bytes > 0 && section.get("multiLineStartPattern").is_some() {
        warn(line, format!("`{key}` has no effect beside multiLineStartPattern"));
        return Ok(0);
    }
    Ok(bytes)
}

fn options(section: &Section<'_>) -> Result<Value, Wrong> {
    let key = "dataProcessingOptions";
    let Some(node) = section.get(key) else { return Ok(Value::Array(Vec::new())) };
    let options = node.to_value();
    if !options.is_array() {
        return Err(wrong(node, format!("`{key}` is {}: expected a list", node.kind_name())));
    }
    Converter::new(&options).map_err(|error| at(section, key, error.to_string()))?;
    Ok(options)
}

fn record_id_field(section: &Section<'_>) -> Result<Option<String>, Wrong> {
    match section.string("recordIdField")? {
        Some(name) if name.is_empty() => Err(at(section, "recordIdField", "expected the name of a field".to_owned())),
        name => Ok(name),
    }
}
