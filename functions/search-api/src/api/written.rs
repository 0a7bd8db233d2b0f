//! What a write answers, alone or in a bulk.

use search_index::Error as IndexError;
use search_index::manifest::Settings;
use search_index::write::{Done, Op, Outcome, Part, Refused, Taken};
use search_query::source_filter::SourceFilter;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::ApiError;
use crate::targets;

/// The longest `_id` (Elasticsearch's limit).
pub const MAX_ID: usize = 512;

/// The one primary term there is: no shard changes hands here.
pub const PRIMARY_TERM: u64 = 1;

/// What a write answers.
#[derive(Debug, Serialize)]
pub struct Written<'a> {
    _index: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _type: Option<&'static str>,
    _id: &'a str,
    _version: u64,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    forced_refresh: Option<bool>,
    _shards: Value,
    _seq_no: u64,
    _primary_term: u64,
    /// The document as an update left it, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get: Option<&'a Current>,
    /// In a bulk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl<'a> Written<'a> {
    /// Of an operation that was carried out.
    pub fn new(context: &Context, index: &'a str, done: &'a Done, refresh: bool) -> Written<'a> {
        // An update that changes nothing touches no shard.
        let copies = u8::from(done.outcome != Outcome::Noop);
        Written {
            _index: index,
            _type: context.cluster.document_type(),
            _id: &done.id,
            _version: done.version,
            result: match done.outcome {
                Outcome::Created => "created",
                Outcome::Updated => "updated",
                Outcome::Deleted => "deleted",
                Outcome::NotFound => "not_found",
                Outcome::Noop => "noop",
            },
            forced_refresh: (refresh && copies > 0).then_some(true),
            _shards: json!({"total": copies, "successful": copies, "failed": 0}),
            _seq_no: done.seq_no,
            _primary_term: PRIMARY_TERM,
            get: None,
            status: None,
        }
    }
}

/// HTTP status of an operation that was carried out.
pub fn status(done: &Done) -> u16 {
    match done.outcome {
        Outcome::Created => 201,
        Outcome::Updated | Outcome::Deleted | Outcome::Noop => 200,
        Outcome::NotFound => 404,
    }
}

/// An operation that the index refused.
pub fn refused(index: &str, refused: Refused) -> ApiError {
    let error = ApiError::new(refused.status, refused.kind, refused.reason);
    match error.kind {
        "version_conflict_engine_exception" | "document_missing_exception" => {
            error.with("index_uuid", "_na_").with("shard", "0").with("index", index)
        }
        _ => error,
    }
}

/// Carries operations out in one commit. The index is made if there is none.
///
/// A commit whose answer was lost is found again by the ledger, which tries for seconds: what fails here has failed for good or
/// will not be known, so it is not tried again.
pub async fn write(
    context: &Context,
    index: &str,
    ops: Vec<Op>,
    now: i64,
) -> Result<Vec<Result<Done, Refused>>, IndexError> {
    let parts = [Part { source: None, ops }];
    let taken = context.catalog.index(index)?.write(&parts, &Settings::default(), now).await?;
    match taken.into_iter().next() {
        Some(Taken::Now(results)) => Ok(results),
        // Without a source nothing is taken twice.
        _ => Err(IndexError::Engine(format!("{index}: a write without a source was not carried out"))),
    }
}

/// Carries one operation out.
pub async fn write_one(context: &Context, index: &str, op: Op, now: i64) -> Result<Done, ApiError> {
    let result = write(context, index, vec![op], now).await?.pop();
    match result {
        Some(result) => result.map_err(|error| refused(index, error)),
        None => Err(IndexError::Engine(format!("{index}: a write came back without a result")).into()),
    }
}

/// What must hold of the copy that is there.
pub fn condition(seq_no: Option<u64>, primary_term: Option<u64>) -> Result<Option<u64>, ApiError> {
    match (seq_no, primary_term) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ApiError::validation("ifSeqNo is unassigned, but primary term is [1]")),
        (Some(_), None) => Err(ApiError::validation("ifSeqNo is set, but primary term is [0]")),
        (Some(seq_no), Some(PRIMARY_TERM)) => Ok(Some(seq_no)),
        // No copy has another term; and none this number.
        (Some(_), Some(_)) => Ok(Some(u64::MAX)),
    }
}

/// Whether an id is short enough.
pub fn check_id(id: &str) -> Result<(), ApiError> {
    match id.len() {
        0 => Err(ApiError::illegal("if _id is specified it must not be empty")),
        length if length > MAX_ID => Err(ApiError::validation(&format!(
            "id [{id}] is too long, must be no longer than {MAX_ID} bytes but was: {length}"
        ))),
        _ => Ok(()),
    }
}

/// The part of a document that was asked for; none of it with `_source: false`.
pub fn source(bytes: &[u8], filter: &SourceFilter) -> Result<Option<Box<RawValue>>, ApiError> {
    if filter.none {
        return Ok(None);
    }
    let corrupt =
        |error: &dyn std::fmt::Display| ApiError::new(500, "corrupt_index_exception", format!("_source: {error}"));
    let text = String::from_utf8(filter.filter(bytes).into_owned()).map_err(|error| corrupt(&error))?;
    RawValue::from_string(text).map(Some).map_err(|error| corrupt(&error))
}

/// `get` of an update: the document as it is now.
#[derive(Debug, Serialize)]
pub struct Current {
    #[serde(skip_serializing_if = "Option::is_none")]
    _seq_no: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _primary_term: Option<u64>,
    found: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    _source: Option<Box<RawValue>>,
}

/// The document of an update, in part.
pub async fn current(context: &Context, index: &str, done: &Done, filter: &SourceFilter) -> Result<Current, ApiError> {
    let reader = targets::reader(context, index).await?;
    let found = reader.get(&[&done.id]).await?.pop().flatten();
    Ok(Current {
        _seq_no: found.as_ref().map(|found| found.seq_no),
        _primary_term: found.as_ref().map(|_| PRIMARY_TERM),
        found: found.is_some(),
        _source: found.map(|found| source(&found.stored.source, filter)).transpose()?.flatten(),
    })
}
