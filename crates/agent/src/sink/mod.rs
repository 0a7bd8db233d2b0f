//! Where batches go. [`Sink`] is what the sender sees; a kind of destination is one file here, thin over its SDK client.
//!
//! The next kind: a file beside `firehose.rs`, a line in `config::Destination` and in `connect`.

mod connect;
mod firehose;
mod kinesis;

use std::error::Error;

use async_trait::async_trait;
use bytes::Bytes;

pub use connect::connect;

/// What one call of a destination may hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Records of a call.
    pub records: usize,
    /// Bytes of a call, keys included.
    pub bytes: usize,
    /// Bytes of one record, its key included.
    pub record: usize,
}

impl Limits {
    /// PutRecordBatch: 500 records, 4 MiB, a record of 1,000 KiB before base64 (Firehose API reference).
    pub const FIREHOSE: Limits = Limits { records: 500, bytes: 4 << 20, record: 1_024_000 };
    /// PutRecords: 500 records, 5 MiB, a record of 1 MiB with its key: what every stream takes. AWS allows 10 MiB since
    /// 2025, where a stream is set up for it.
    pub const KINESIS: Limits = Limits { records: 500, bytes: 5 << 20, record: 1 << 20 };
}

/// One record on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What is stored.
    pub data: Bytes,
    /// Partition key, for Kinesis.
    pub key: Option<String>,
}

/// Why a whole call failed; some of its records may have been stored all the same.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PutError {
    /// Somebody has to change something: the stream is missing, access is denied, an argument is invalid.
    #[error("{0}")]
    Refused(String),
    /// It may pass: throttling, server errors, time-outs.
    #[error("{0}")]
    Failed(String),
}

/// A destination.
#[async_trait]
pub trait Sink: Send + Sync {
    /// One call, without retries. The answer has an entry per record in the order given: `None` is stored, `Some` says why
    /// not.
    async fn put(&self, records: Vec<Record>) -> Result<Vec<Option<String>>, PutError>;
}

/// Codes of errors that no retry heals without somebody changing something.
const REFUSALS: [&str; 12] = [
    "ResourceNotFoundException",
    "AccessDeniedException",
    "InvalidArgumentException",
    "ValidationException",
    "InvalidSourceException",
    "InvalidKMSResourceException",
    "KMSAccessDeniedException",
    "KMSNotFoundException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "IncompleteSignature",
    "ExpiredTokenException",
];

/// The error of a call: its code and message, or the place and all causes when it never got an answer.
fn put_error(code: Option<&str>, message: Option<&str>, place: &str, error: &dyn Error) -> PutError {
    let text = failure(code, message).unwrap_or_else(|| format!("{place}: {}", causes(error)));
    match code {
        Some(code) if REFUSALS.contains(&code) => PutError::Refused(text),
        _ => PutError::Failed(text),
    }
}

/// An error and what it comes from, in one line.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// An answer must speak of every record.
fn complete(answers: Vec<Option<String>>, records: usize) -> Result<Vec<Option<String>>, PutError> {
    if answers.len() == records {
        return Ok(answers);
    }
    Err(PutError::Failed(format!("the answer has {} entries for {records} records", answers.len())))
}

/// Code and message of a record's failure.
fn failure(code: Option<&str>, message: Option<&str>) -> Option<String> {
    code.map(|code| match message {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_need_somebody() {
        let check = |code: Option<&str>, refused: bool| {
            let error = std::io::Error::other("no answer");
            let error = put_error(code, Some("why"), "here", &error);
            assert_eq!(matches!(error, PutError::Refused(_)), refused, "{code:?}");
            assert_eq!(error.to_string(), code.map_or("here: no answer".to_owned(), |code| format!("{code}: why")));
        };
        check(Some("ResourceNotFoundException"), true);
        check(Some("AccessDeniedException"), true);
        check(Some("ServiceUnavailableException"), false);
        check(Some("ProvisionedThroughputExceededException"), false);
        check(None, false);
    }

    #[test]
    fn an_answer_must_be_whole() {
        assert!(complete(vec![None], 2).is_err());
        assert!(complete(vec![None, failure(Some("X"), None)], 2).is_ok());
        assert_eq!(failure(Some("X"), Some("y")), Some("X: y".to_owned()));
        assert_eq!(failure(None, Some("y")), None);
    }
}
