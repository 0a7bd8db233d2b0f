//! What a transforming function is sent, and the rules of its answer.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What a request holds of records at most, as they are sent: Lambda's 6 MB (6,291,556 bytes) less the frame.
pub const REQUEST_CAP: u64 = 6_290_000;

/// Lambda's limit of an answer (data transformation, Firehose guide; Lambda quotas).
pub const MAX_ANSWER: usize = 6_291_556;

/// Bytes of a record in a request besides its data: names, id, arrival.
const RECORD_FRAME: u64 = 160;

/// Where a record stood in Kinesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KinesisMetadata {
    pub sequence_number: String,
    /// Decimal: the record's place in an aggregated one.
    pub subsequence_number: String,
    pub partition_key: String,
    pub shard_id: String,
    pub approximate_arrival_timestamp: i64,
}

/// A record of a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    pub record_id: String,
    pub approximate_arrival_timestamp: i64,
    pub data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinesis_record_metadata: Option<KinesisMetadata>,
}

/// A request to the function.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub invocation_id: String,
    pub delivery_stream_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_kinesis_stream_arn: Option<String>,
    pub region: String,
    pub records: Vec<RequestRecord>,
}

/// Bytes that a record takes in a request.
pub fn encoded_size(data: usize, metadata: Option<&str>) -> u64 {
    let metadata = metadata.map_or(0, |text| text.len() as u64 + 26);
    data.div_ceil(3) as u64 * 4 + RECORD_FRAME + metadata
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To be delivered, as the function gave it.
    Ok(Vec<u8>),
    /// Left out on purpose.
    Dropped,
    /// To the error prefix.
    Failed(Fault),
}

/// Why a record, or a whole invocation, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// As Firehose names it (data delivery errors, Firehose guide).
    pub code: String,
    pub message: String,
}

impl Fault {
    pub fn new(code: &str, message: impl Into<String>) -> Fault {
        Fault { code: code.to_owned(), message: message.into() }
    }
}

#[derive(Deserialize)]
struct Answer {
    records: Vec<AnswerRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnswerRecord {
    record_id: Option<String>,
    result: Option<String>,
    data: Option<String>,
}

/// The outcome of each record, in the order of `ids`. An error is the whole invocation's: it is made again.
pub fn outcomes(payload: &Bytes, ids: &[String]) -> Result<Vec<Outcome>, Fault> {
    if payload.len() > MAX_ANSWER {
        let message = format!("the function answered {} bytes: at most {MAX_ANSWER}", payload.len());
        return Err(Fault::new("Lambda.FunctionError", message));
    }
    let answer: Answer = serde_json::from_slice(payload).map_err(|e| {
        Fault::new("Lambda.JsonProcessingException", format!("the function's answer cannot be parsed: {e}"))
    })?;
    let mut by_id: HashMap<String, Vec<AnswerRecord>> = HashMap::with_capacity(ids.len());
    for mut record in answer.records {
        // A record of no id, or of one that was not sent, stands for none: the one it should have been is missing.
        if let Some(id) = record.record_id.take() {
            by_id.entry(id).or_default().push(record);
        }
    }
    Ok(ids.iter().map(|id| outcome(by_id.remove(id).unwrap_or_default())).collect())
}

fn outcome(mut records: Vec<AnswerRecord>) -> Outcome {
    let failed = |code: &str, message: String| Outcome::Failed(Fault::new(code, message));
    let record = match (records.pop(), records.is_empty()) {
        (Some(record), true) => record,
        (Some(_), false) => {
            let message = "Multiple records were returned with the same record ID.".to_owned();
            return failed("Lambda.DuplicatedRecordId", message);
        }
        (None, _) => {
            let message = "The record's ID was not returned: every record ID must be.".to_owned();
            return failed("Lambda.MissingRecordId", message);
        }
    };
    match (record.result.as_deref(), record.data) {
        (Some("Ok"), Some(data)) => match BASE64_STANDARD.decode(&data) {
            Ok(data) => Outcome::Ok(data),
            Err(e) => failed("Lambda.JsonProcessingException", format!("the record's data is not base64: {e}")),
        },
        (Some("Ok"), None) => failed("Lambda.JsonProcessingException", "the record is Ok but has no data".into()),
        (Some("Dropped"), _) => Outcome::Dropped,
        (Some("ProcessingFailed"), _) => {
            failed("Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record".into())
        }
        (other, _) => {
            let found = other.unwrap_or("none");
            let message = format!("the record's result is {found:?}: expected Ok, Dropped or ProcessingFailed");
            failed("Lambda.JsonProcessingException", message)
        }
    }
}

/// What a function's error object says. A function that timed out has a code of its own.
pub fn function_fault(payload: &[u8]) -> Fault {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ErrorObject {
        error_message: Option<String>,
    }
    let object: Option<ErrorObject> = serde_json::from_slice(payload).ok();
    let message = object
        .and_then(|object| object.error_message)
        .unwrap_or_else(|| "The Lambda function was successfully invoked but it returned an error result.".to_owned());
    // Lambda: "RequestId: … Error: Task timed out after 3.00 seconds".
    let timed_out = message.contains("Task timed out after");
    Fault::new(if timed_out { "Lambda.FunctionTimedOut" } else { "Lambda.FunctionError" }, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Outcomes of the records 1 and 2, as `ok:DATA`, `dropped` or the code of the failure.
    fn check(records: Value, expected: [&str; 2]) {
        let payload = Bytes::from(json!({ "records": records }).to_string());
        let found = outcomes(&payload, &["1".into(), "2".into()]).unwrap();
        let found: Vec<String> = found
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Ok(data) => format!("ok:{}", String::from_utf8(data).unwrap()),
                Outcome::Dropped => "dropped".into(),
                Outcome::Failed(fault) => fault.code,
            })
            .collect();
        assert_eq!(found, expected, "{records}");
    }

    #[test]
    fn every_record_has_its_outcome() {
        let ok = |id: &str| json!({ "recordId": id, "result": "Ok", "data": "YQ==" });
        check(json!([ok("1"), ok("2")]), ["ok:a", "ok:a"]);
        check(json!([ok("2"), { "recordId": "1", "result": "Dropped", "data": "!" }]), ["dropped", "ok:a"]);
        check(json!([ok("1"), { "recordId": "2", "result": "Ok", "data": "" }]), ["ok:a", "ok:"]);
        check(
            json!([ok("1"), { "recordId": "2", "result": "ProcessingFailed", "data": "YQ==" }]),
            ["ok:a", "Lambda.ProcessingFailedStatus"],
        );
        check(json!([ok("1")]), ["ok:a", "Lambda.MissingRecordId"]);
        check(json!([]), ["Lambda.MissingRecordId", "Lambda.MissingRecordId"]);
        check(json!([ok("1"), ok("3")]), ["ok:a", "Lambda.MissingRecordId"]);
        check(json!([ok("1"), ok("2"), ok("3")]), ["ok:a", "ok:a"]);
        check(json!([ok("1"), ok("2"), ok("2")]), ["ok:a", "Lambda.DuplicatedRecordId"]);
        check(json!([ok("1"), { "result": "Ok", "data": "YQ==" }]), ["ok:a", "Lambda.MissingRecordId"]);
        for broken in [
            json!({ "recordId": "2", "result": "OK", "data": "YQ==" }),
            json!({ "recordId": "2", "data": "YQ==" }),
            json!({ "recordId": "2", "result": "Ok" }),
            json!({ "recordId": "2", "result": "Ok", "data": null }),
            json!({ "recordId": "2", "result": "Ok", "data": "YQ" }),
            json!({ "recordId": "2", "result": "Ok", "data": "not base64" }),
        ] {
            check(json!([ok("1"), broken]), ["ok:a", "Lambda.JsonProcessingException"]);
        }
    }

    #[test]
    fn an_answer_that_is_none_fails_the_invocation() {
        for (payload, code) in [
            ("null", "Lambda.JsonProcessingException"),
            ("{}", "Lambda.JsonProcessingException"),
            ("{\"records\":7}", "Lambda.JsonProcessingException"),
            ("not json", "Lambda.JsonProcessingException"),
        ] {
            assert_eq!(outcomes(&Bytes::from(payload), &[]).unwrap_err().code, code, "{payload}");
        }
        let big = Bytes::from(vec![b' '; MAX_ANSWER + 1]);
        assert_eq!(outcomes(&big, &[]).unwrap_err().code, "Lambda.FunctionError");
    }

    #[test]
    fn a_functions_own_words_are_kept() {
        for (payload, code, message) in [
            (r#"{"errorType":"E","errorMessage":"no schema"}"#, "Lambda.FunctionError", "no schema"),
            (
                r#"{"errorMessage":"x Task timed out after 3.00 seconds"}"#,
                "Lambda.FunctionTimedOut",
                "x Task timed out after 3.00 seconds",
            ),
            (
                "gone",
                "Lambda.FunctionError",
                "The Lambda function was successfully invoked but it returned an error result.",
            ),
        ] {
            assert_eq!(function_fault(payload.as_bytes()), Fault::new(code, message));
        }
    }

    #[test]
    fn requests_have_the_contracts_shape_and_size() {
        let metadata = KinesisMetadata {
            sequence_number: "495".into(),
            subsequence_number: "0".into(),
            partition_key: "k".into(),
            shard_id: "shardId-000000000000".into(),
            approximate_arrival_timestamp: 1_500_000_000_000,
        };
        let record = RequestRecord {
            record_id: "9".repeat(56),
            approximate_arrival_timestamp: 1_500_000_000_000,
            data: BASE64_STANDARD.encode([7; 100]),
            kinesis_record_metadata: Some(metadata.clone()),
        };
        let text = serde_json::to_string(&record).unwrap();
        assert!(
            text.starts_with(r#"{"recordId":"999"#) && text.contains(r#""approximateArrivalTimestamp":1500000000000"#)
        );
        assert!(
            text.contains(r#""kinesisRecordMetadata":{"sequenceNumber":"495","subsequenceNumber":"0","partitionKey""#)
        );
        let about = serde_json::to_string(&metadata).unwrap();
        assert!(encoded_size(100, Some(&about)) > text.len() as u64, "{}", text.len());
    }
}
