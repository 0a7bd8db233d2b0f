//! The properties of an event source mapping, and what Lambda refuses of them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;

/// Messages or records of one invocation (CreateEventSourceMapping, BatchSize).
const MAX_BATCH_SIZE: u32 = 10_000;

/// From more than this many messages on, a queue's mapping must have a window (CreateEventSourceMapping).
const MAX_BATCH_WITHOUT_WINDOW: u32 = 10;

/// MaximumBatchingWindowInSeconds (CreateEventSourceMapping).
const MAX_WINDOW_SECONDS: u32 = 300;

/// ScalingConfig.MaximumConcurrency (CreateEventSourceMapping).
const MAXIMUM_CONCURRENCY: std::ops::RangeInclusive<u32> = 2..=1000;

/// MaximumRetryAttempts; -1 is for ever (CreateEventSourceMapping).
const RETRY_ATTEMPTS: std::ops::RangeInclusive<i64> = -1..=10_000;

/// MaximumRecordAgeInSeconds, or -1 for ever (CreateEventSourceMapping).
const RECORD_AGE_SECONDS: std::ops::RangeInclusive<i64> = 60..=604_800;

/// Properties that a parameter of a template may hand over as text.
const NUMBERS: &[&str] = &[
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "TumblingWindowInSeconds",
    "StartingPositionTimestamp",
];

/// The same, true or false.
const BOOLEANS: &[&str] = &["Enabled", "BisectBatchOnFunctionError"];

/// The properties of a mapping, with Lambda's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MappingSpec {
    /// The function, by name or ARN.
    pub function_name: String,
    /// The queue's or stream's ARN.
    pub event_source_arn: String,
    /// Whether it runs.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Messages or records at once; default 10 of a queue, 100 of a stream.
    pub batch_size: Option<u32>,
    /// How long it gathers.
    #[serde(default)]
    pub maximum_batching_window_in_seconds: u32,
    /// `ReportBatchItemFailures`.
    #[serde(default)]
    pub function_response_types: Vec<String>,
    /// Queues: how many batches at once.
    pub scaling_config: Option<ScalingConfig>,
    /// Streams: where to begin.
    pub starting_position: Option<String>,
    /// Streams: epoch seconds, or a time in text, for `AT_TIMESTAMP`.
    pub starting_position_timestamp: Option<Value>,
    /// Streams: only 1 here.
    pub parallelization_factor: Option<u32>,
    /// Streams: halve a batch that failed.
    #[serde(default)]
    pub bisect_batch_on_function_error: bool,
    /// Streams: -1 is for ever.
    pub maximum_retry_attempts: Option<i64>,
    /// Streams: -1 is for ever.
    pub maximum_record_age_in_seconds: Option<i64>,
    /// Streams: who hears of what was given up.
    pub destination_config: Option<Value>,
    /// Not emulated.
    pub tumbling_window_in_seconds: Option<u32>,
    /// Not emulated.
    pub filter_criteria: Option<Value>,
    /// Ignored.
    #[serde(default, skip_serializing)]
    pub tags: Option<Value>,
}

/// `ScalingConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScalingConfig {
    /// Batches at once.
    pub maximum_concurrency: u32,
}

fn enabled() -> bool {
    true
}

/// What a mapping reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An SQS queue.
    Queue,
    /// A Kinesis stream.
    Stream,
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterValueException", message)
}

/// Reads the properties; a number or boolean may be text, as parameters of a template are.
pub fn parse(spec: &Value) -> Result<MappingSpec, ApiError> {
    let mut spec = spec.clone();
    if let Some(properties) = spec.as_object_mut() {
        properties.retain(|_, value| !value.is_null());
        for (name, value) in properties.iter_mut() {
            let Some(text) = value.as_str() else { continue };
            let typed = serde_json::from_str::<Value>(text).ok();
            if NUMBERS.contains(&name.as_str()) {
                *value = typed.filter(Value::is_number).unwrap_or_else(|| value.clone());
            } else if BOOLEANS.contains(&name.as_str()) {
                *value = typed.filter(Value::is_boolean).unwrap_or_else(|| value.clone());
            }
        }
        if let Some(number) = properties.get("ScalingConfig").and_then(|c| c["MaximumConcurrency"].as_str()) {
            let number = number.parse::<u32>().map_err(|_| invalid("MaximumConcurrency is not a number"))?;
            properties.insert("ScalingConfig".into(), json!({ "MaximumConcurrency": number }));
        }
    }
    serde_json::from_value(spec).map_err(|e| invalid(format!("event source mapping: {e}")))
}

/// What an ARN is the source of.
pub fn source_of(arn: &str) -> Result<Source, ApiError> {
    match arn.split(':').nth(2) {
        Some("sqs") => Ok(Source::Queue),
        Some("kinesis") if arn.contains(":stream/") => Ok(Source::Stream),
        Some(service @ ("dynamodb" | "kafka" | "mq" | "rds" | "kinesis")) => {
            Err(ApiError::not_emulated("lambda", &format!("event source mapping for {service} ({arn})")))
        }
        _ => Err(invalid(format!("EventSourceArn {arn:?} is not the ARN of a queue or a stream"))),
    }
}

/// Refuses what Lambda refuses, and what is not emulated.
pub fn check(spec: &MappingSpec) -> Result<Source, ApiError> {
    let source = source_of(&spec.event_source_arn)?;
    let not_emulated = |what: &str| Err(ApiError::not_emulated("lambda", &format!("event source mapping with {what}")));
    if spec.filter_criteria.as_ref().is_some_and(|criteria| criteria["Filters"] != json!([])) {
        return not_emulated("FilterCriteria");
    }
    if spec.tumbling_window_in_seconds.is_some_and(|seconds| seconds > 0) {
        return not_emulated("TumblingWindowInSeconds");
    }
    if spec.parallelization_factor.is_some_and(|factor| factor != 1) {
        return not_emulated("a ParallelizationFactor other than 1");
    }
    if let Some(kind) = spec.function_response_types.iter().find(|kind| *kind != "ReportBatchItemFailures") {
        return Err(invalid(format!("FunctionResponseTypes: {kind:?} is not ReportBatchItemFailures")));
    }
    if spec.batch_size.is_some_and(|size| !(1..=MAX_BATCH_SIZE).contains(&size)) {
        return Err(invalid(format!("BatchSize is not within 1 and {MAX_BATCH_SIZE}")));
    }
    if spec.maximum_batching_window_in_seconds > MAX_WINDOW_SECONDS {
        return Err(invalid(format!("MaximumBatchingWindowInSeconds is over {MAX_WINDOW_SECONDS}")));
    }
    match source {
        Source::Queue => check_queue(spec)?,
        Source::Stream => check_stream(spec)?,
    }
    Ok(source)
}

fn check_queue(spec: &MappingSpec) -> Result<(), ApiError> {
    if spec.batch_size.is_some_and(|size| size > MAX_BATCH_WITHOUT_WINDOW)
        && spec.maximum_batching_window_in_seconds == 0
    {
        return Err(invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ));
    }
    if spec.scaling_config.is_some_and(|config| !MAXIMUM_CONCURRENCY.contains(&config.maximum_concurrency)) {
        return Err(invalid("ScalingConfig.MaximumConcurrency is not within 2 and 1000"));
    }
    let of_streams = [
        ("StartingPosition", spec.starting_position.is_some()),
        ("BisectBatchOnFunctionError", spec.bisect_batch_on_function_error),
        ("MaximumRetryAttempts", spec.maximum_retry_attempts.is_some()),
        ("MaximumRecordAgeInSeconds", spec.maximum_record_age_in_seconds.is_some()),
        ("DestinationConfig", spec.destination_config.is_some()),
    ];
    match of_streams.iter().find(|(_, set)| *set) {
        Some((name, _)) => Err(invalid(format!("{name} is not supported for an SQS event source"))),
        None => Ok(()),
    }
}

fn check_stream(spec: &MappingSpec) -> Result<(), ApiError> {
    if spec.scaling_config.is_some() {
        return Err(invalid("ScalingConfig is only supported for an SQS event source"));
    }
    if spec.maximum_retry_attempts.is_some_and(|n| !RETRY_ATTEMPTS.contains(&n)) {
        return Err(invalid("MaximumRetryAttempts is not within -1 and 10000"));
    }
    if spec.maximum_record_age_in_seconds.is_some_and(|n| n != -1 && !RECORD_AGE_SECONDS.contains(&n)) {
        return Err(invalid("MaximumRecordAgeInSeconds is neither -1 nor within 60 and 604800"));
    }
    start_at(spec, Source::Stream, 0).map(|_| ())
}

/// Where a new mapping of a stream begins: `None` is the oldest record.
pub fn start_at(spec: &MappingSpec, source: Source, now: i64) -> Result<Option<i64>, ApiError> {
    if source == Source::Queue {
        return Ok(None);
    }
    match spec.starting_position.as_deref() {
        Some("TRIM_HORIZON") => Ok(None),
        Some("LATEST") => Ok(Some(now)),
        Some("AT_TIMESTAMP") => match &spec.starting_position_timestamp {
            Some(Value::Number(seconds)) => Ok(seconds.as_f64().map(|seconds| (seconds * 1000.0) as i64)),
            Some(Value::String(text)) => match text.parse::<jiff::Timestamp>() {
                Ok(time) => Ok(Some(time.as_millisecond())),
                Err(e) => Err(invalid(format!("StartingPositionTimestamp {text:?}: {e}"))),
            },
            _ => Err(invalid("StartingPosition AT_TIMESTAMP needs a StartingPositionTimestamp")),
        },
        Some(other) => {
            Err(invalid(format!("StartingPosition {other:?} is none of TRIM_HORIZON, LATEST, AT_TIMESTAMP")))
        }
        None => Err(invalid("1 validation error: a stream's mapping needs a StartingPosition")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(extra: &Value, source: &str) -> Value {
        let mut spec = json!({ "FunctionName": "f", "EventSourceArn": source });
        if source.contains("kinesis") {
            spec["StartingPosition"] = json!("TRIM_HORIZON");
        }
        for (name, value) in extra.as_object().unwrap() {
            spec[name] = value.clone();
        }
        spec
    }

    #[test]
    fn a_mapping_outside_the_limits_is_refused() {
        let queue = "arn:aws:sqs:us-east-1:000000000000:q";
        let stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        for (source, extra, expected) in [
            (queue, json!({}), None),
            (queue, json!({"BatchSize": "10", "Enabled": "false"}), None),
            (queue, json!({"BatchSize": 11}), Some("greater than 0")),
            (queue, json!({"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}), None),
            (queue, json!({"BatchSize": 10001, "MaximumBatchingWindowInSeconds": 1}), Some("BatchSize")),
            (queue, json!({"ScalingConfig": {"MaximumConcurrency": "2"}}), None),
            (queue, json!({"ScalingConfig": {"MaximumConcurrency": 1}}), Some("MaximumConcurrency")),
            (queue, json!({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}), Some("FilterCriteria")),
            (queue, json!({"StartingPosition": "LATEST"}), Some("StartingPosition")),
            (queue, json!({"FunctionResponseTypes": ["ReportBatchItemFailures"]}), None),
            (queue, json!({"FunctionResponseTypes": ["Other"]}), Some("Other")),
            (queue, json!({"Unheard": 1}), Some("Unheard")),
            (stream, json!({}), None),
            (stream, json!({"StartingPosition": "LATEST"}), None),
            (stream, json!({"StartingPosition": "EARLIEST"}), Some("EARLIEST")),
            (stream, json!({"StartingPosition": "AT_TIMESTAMP"}), Some("StartingPositionTimestamp")),
            (stream, json!({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1.5}), None),
            (stream, json!({"ParallelizationFactor": 2}), Some("ParallelizationFactor")),
            (stream, json!({"TumblingWindowInSeconds": 60}), Some("TumblingWindowInSeconds")),
            (stream, json!({"MaximumRetryAttempts": "-1", "MaximumRecordAgeInSeconds": "-1"}), None),
            (stream, json!({"MaximumRecordAgeInSeconds": 59}), Some("MaximumRecordAgeInSeconds")),
            (stream, json!({"ScalingConfig": {"MaximumConcurrency": 2}}), Some("ScalingConfig")),
            ("arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/1", json!({}), Some("dynamodb")),
            ("q", json!({}), Some("EventSourceArn")),
        ] {
            let got = parse(&with(&extra, source)).and_then(|spec| check(&spec));
            match (got, expected) {
                (Ok(_), None) => {}
                (Err(e), Some(part)) => assert!(e.message.contains(part), "{extra}: {e}"),
                (got, _) => panic!("{source} {extra}: {got:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn latest_is_the_instant_of_making() {
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        for (extra, expected) in [
            (json!({"StartingPosition": "LATEST"}), Some(7)),
            (json!({"StartingPosition": "TRIM_HORIZON"}), None),
            (json!({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 2.5}), Some(2500)),
            (
                json!({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": "1970-01-01T00:00:03Z"}),
                Some(3000),
            ),
        ] {
            let spec = parse(&with(&extra, arn)).unwrap();
            assert_eq!(start_at(&spec, Source::Stream, 7).unwrap(), expected, "{extra}");
        }
    }
}
