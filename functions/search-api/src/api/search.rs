//! `_search`.

use std::collections::BTreeMap;

use search_index::Reader;
use search_index::search::{self, Answer, Failure, Hit, Total};
use search_query::{SearchRequest, TrackTotalHits};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::scroll;
use super::written::{self, PRIMARY_TERM};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get | Post, "/_search" => search),
    route!(Get | Post, "/{index}/_search" => search),
    route!(Get | Post, "/{index}/{type}/_search" => search),
];

async fn search(context: &Context, call: &Call) -> Outcome {
    let targets = Targets::of(call)?;
    let request = SearchRequest::parse(&call.request.body, &call.request.parameters.0)?;
    let form = Form::of(context, call, &request)?;
    let request = form.adapt(request);
    if let Some(keep) = call.parameter("scroll") {
        return scroll::begin(context, call, &targets, request, form, keep).await;
    }
    let readers = targets.readers(context).await?;
    let answer = run(&readers, &request, call.request.now).await?;
    if !answer.failures.is_empty() && !call.flag("allow_partial_search_results", true)? {
        return Err(all_failed(&answer));
    }
    Reply::ok(&SearchAnswer::new(&readers, &request, &answer, form, call.took())?)
}

/// Searches. That no split could be read is an error; of some, it is told in the answer.
pub(super) async fn run(readers: &[Reader], request: &SearchRequest, now: i64) -> Result<Answer, ApiError> {
    let name = readers.first().map_or("", |reader| reader.name.as_str());
    let answer = search::search(readers, request, now).await.map_err(|error| ApiError::of_search(error, name))?;
    none_left(&answer)?;
    Ok(answer)
}

/// An error if not one split could be searched.
pub(super) fn none_left(answer: &Answer) -> Result<(), ApiError> {
    for failure in &answer.failures {
        tracing::error!(
            index = failure.index,
            object = failure.object,
            reason = failure.reason,
            "a split could not be searched"
        );
    }
    if answer.failures.is_empty() || answer.failures.len() + answer.skipped < answer.splits {
        return Ok(());
    }
    Err(all_failed(answer))
}

fn all_failed(answer: &Answer) -> ApiError {
    let reasons: Vec<Value> = answer.failures.iter().map(reason).collect();
    ApiError::all_shards_failed(503, json!(failures(&answer.failures)), json!(reasons))
}

/// How the answer is to be written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form {
    /// `rest_total_hits_as_int`: as before version 7.
    pub total_as_int: bool,
    /// `_type` of the hits.
    pub document_type: Option<&'static str>,
}

impl Form {
    /// What the parameters say; those that cannot be followed are errors.
    pub(super) fn of(context: &Context, call: &Call, request: &SearchRequest) -> Result<Form, ApiError> {
        let total_as_int = call.flag("rest_total_hits_as_int", false)?;
        if let TrackTotalHits::UpTo(most) = request.track_total_hits
            && total_as_int
            && request.track_total_hits != SearchRequest::default().track_total_hits
        {
            return Err(ApiError::illegal(format!(
                "[rest_total_hits_as_int] cannot be used if the tracking of total hits is not accurate, got {most}"
            )));
        }
        if call.flag("typed_keys", false)? && !request.aggregations.is_empty() {
            return Err(ApiError::unsupported("[typed_keys]"));
        }
        Ok(Form { total_as_int, document_type: context.cluster.document_type() })
    }

    /// The request as it has to be made for this form: a total that is a number alone is exact.
    pub(super) fn adapt(self, mut request: SearchRequest) -> SearchRequest {
        if self.total_as_int && matches!(request.track_total_hits, TrackTotalHits::UpTo(_)) {
            request.track_total_hits = TrackTotalHits::Exact;
        }
        request
    }
}

/// The body of an answer.
#[derive(Serialize)]
pub(super) struct SearchAnswer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    _scroll_id: Option<&'a str>,
    took: u64,
    timed_out: bool,
    _shards: Value,
    hits: Hits<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregations: Option<&'a Value>,
    /// In `_msearch`.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

#[derive(Serialize)]
struct Hits<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Value>,
    max_score: Option<f32>,
    hits: Vec<HitAnswer<'a>>,
}

#[derive(Serialize)]
struct HitAnswer<'a> {
    _index: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _type: Option<&'static str>,
    _id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _seq_no: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _primary_term: Option<u64>,
    _score: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _source: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    sort: &'a [Value],
}

impl<'a> SearchAnswer<'a> {
    pub(super) fn new(
        readers: &[Reader],
        request: &SearchRequest,
        answer: &'a Answer,
        form: Form,
        took: u64,
    ) -> Result<SearchAnswer<'a>, ApiError> {
        let hits = answer.hits.iter().map(|hit| HitAnswer::new(hit, request, form)).collect::<Result<_, _>>()?;
        Ok(SearchAnswer {
            _scroll_id: None,
            took,
            timed_out: false,
            _shards: shards(readers, answer),
            hits: Hits { total: total(answer.total, form), max_score: answer.max_score, hits },
            aggregations: answer.aggregations.as_ref(),
            status: None,
        })
    }

    pub(super) fn with_scroll(mut self, id: &'a str) -> SearchAnswer<'a> {
        self._scroll_id = Some(id);
        self
    }

    pub(super) fn with_status(mut self, status: u16) -> SearchAnswer<'a> {
        self.status = Some(status);
        self
    }

    /// With the shards that the answer tells of, where there are no readers at hand.
    pub(super) fn with_shards(mut self, answer: &Answer) -> SearchAnswer<'a> {
        self._shards = shards_of(answer.splits.max(1), answer);
        self
    }
}

impl<'a> HitAnswer<'a> {
    fn new(hit: &'a Hit, request: &SearchRequest, form: Form) -> Result<HitAnswer<'a>, ApiError> {
        Ok(HitAnswer {
            _index: &hit.index,
            _type: form.document_type,
            _id: &hit.id,
            _version: request.version.then_some(hit.version),
            _seq_no: request.seq_no_primary_term.then_some(hit.seq_no),
            _primary_term: request.seq_no_primary_term.then_some(PRIMARY_TERM),
            _score: hit.score,
            _source: written::source(&hit.source, &request.source)?,
            sort: &hit.sort,
        })
    }
}

fn total(total: Option<Total>, form: Form) -> Option<Value> {
    match total {
        Some(total) if form.total_as_int => Some(json!(total.value)),
        Some(total) => Some(json!({"value": total.value, "relation": if total.at_least { "gte" } else { "eq" }})),
        None => form.total_as_int.then(|| json!(-1)),
    }
}

/// `_shards`: a split is a shard, and an index without any counts as one.
pub(super) fn shards(readers: &[Reader], answer: &Answer) -> Value {
    shards_of(readers.iter().map(|reader| reader.state.splits.len().max(1)).sum(), answer)
}

fn shards_of(total: usize, answer: &Answer) -> Value {
    let failed = answer.failures.len();
    let mut shards = json!({"total": total, "successful": total.saturating_sub(failed), "skipped": answer.skipped, "failed": failed});
    if failed > 0 {
        shards["failures"] = json!(failures(&answer.failures));
    }
    shards
}

/// The failures; those of one index are numbered.
fn failures(failures: &[Failure]) -> Vec<Value> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let numbered = failures.iter().map(|failure| {
        let number = numbers.entry(failure.index.as_str()).or_default();
        *number += 1;
        json!({"shard": *number - 1, "index": failure.index, "node": null, "reason": reason(failure)})
    });
    numbered.collect()
}

fn reason(failure: &Failure) -> Value {
    json!({"type": "corrupt_index_exception", "reason": format!("{}: {}", failure.object, failure.reason), "index": failure.index})
}
