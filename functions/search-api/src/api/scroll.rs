//! Scrolling: a search in pages, without anything kept between them.
//!
//! The scroll id carries the search and how far it came. A search in the order of the index (no `sort`, `_doc`) goes from index to
//! index by `_seq_no`; one with a sort of its own goes on after the last hit's values, with `_seq_no` as the last key; over several
//! indexes, where that key is not unique, it pages by number, and so only as far as `from` and `size` go. Every page sees the
//! indexes as they are when it is read: a document that is changed meanwhile comes again, as it is then.

mod cursor;
mod keep_alive;

use search_index::search::Answer;
use search_query::sort::{Key, Missing, Order, Sort};
use search_query::{SearchRequest, TrackTotalHits};
use serde::Deserialize;
use serde_json::{Value, json};

use self::cursor::{Cursor, Position};
use super::search::{Form, SearchAnswer, run};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::{self, Targets};

pub(crate) const ROUTES: &[Route] = &[
    route!(Get | Post, "/_search/scroll" => next),
    route!(Get | Post, "/_search/scroll/{id}" => next),
    route!(Delete, "/_search/scroll" => clear),
    route!(Delete, "/_search/scroll/{id}" => clear),
];

/// How far a scroll by number goes, and how long a page is (Elasticsearch's `index.max_result_window`).
const MAX_WINDOW: usize = 10_000;

/// The first page of a search with `scroll`.
pub(super) async fn begin(
    context: &Context,
    call: &Call,
    targets: &Targets,
    request: SearchRequest,
    form: Form,
    keep: &str,
) -> Outcome {
    let keep = keep_alive::parse(keep)?;
    check(&request)?;
    let readers = targets.readers(context).await?;
    // Total and aggregations are those of all indexes, also when the first page is filled from one.
    let whole = run(&readers, &SearchRequest { size: 0, ..request.clone() }, call.request.now).await?;
    let in_order = request.sort.iter().all(|sort| sort.key == Key::Doc);
    let mut cursor = Cursor {
        indexes: readers.iter().map(|reader| reader.name.clone()).collect(),
        body: String::from_utf8_lossy(&call.request.body).into_owned(),
        parameters: call.request.parameters.0.clone(),
        position: match readers.len() {
            _ if in_order => Position::Arrival(None),
            1 => Position::Sorted(None),
            _ => Position::Number(0),
        },
        total: whole.total.map(|total| (total.value, total.at_least)),
        expires: call.request.now.saturating_add(keep),
    };
    let page = page(context, &mut cursor, &request, call.request.now).await?;
    let mut answer = Answer { hits: page.hits, ..whole };
    let further: Vec<_> = page.failures.into_iter().filter(|failure| !answer.failures.contains(failure)).collect();
    answer.failures.extend(further);
    let id = cursor.encode()?;
    Reply::ok(&SearchAnswer::new(&readers, &request, &answer, form, call.took())?.with_scroll(&id))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Body {
    scroll: Option<String>,
    scroll_id: Option<Value>,
}

/// A further page.
async fn next(context: &Context, call: &Call) -> Outcome {
    let (ids, keep) = ids(call)?;
    let [id] = ids.as_slice() else { return Err(ApiError::validation("scrollId is missing")) };
    let mut cursor = Cursor::decode(id, call.request.now)?;
    let request = SearchRequest::parse(cursor.body.as_bytes(), &cursor.parameters)?;
    let form = Form::of(context, call, &SearchRequest::default())?;
    if let Some(keep) = keep {
        cursor.expires = call.request.now.saturating_add(keep_alive::parse(&keep)?);
    }
    let mut answer = page(context, &mut cursor, &request, call.request.now).await?;
    answer.total = cursor.total.map(|(value, at_least)| search_index::search::Total { value, at_least });
    let id = cursor.encode()?;
    Reply::ok(&SearchAnswer::new(&[], &request, &answer, form, call.took())?.with_scroll(&id).with_shards(&answer))
}

/// Nothing is kept, so nothing is to be freed; what is no scroll id is told.
async fn clear(_: &Context, call: &Call) -> Outcome {
    let (ids, _) = ids(call)?;
    if ids.is_empty() {
        return Err(ApiError::validation("no scroll ids specified"));
    }
    for id in ids.iter().filter(|id| *id != "_all") {
        Cursor::decode(id, i64::MIN)?;
    }
    Reply::ok(&json!({"succeeded": true, "num_freed": ids.len()}))
}

/// Scroll ids and `scroll` of the path, the parameters or the body.
fn ids(call: &Call) -> Result<(Vec<String>, Option<String>), ApiError> {
    let body: Body = match call.request.body.trim_ascii() {
        b"" => Body::default(),
        body => serde_json::from_slice(body)
            .map_err(|error| ApiError::illegal(format!("Failed to parse request body: {error}")))?,
    };
    let keep = body.scroll.or_else(|| call.parameter("scroll").map(str::to_owned));
    let ids = match body.scroll_id {
        Some(Value::String(id)) => vec![id],
        Some(Value::Array(ids)) => ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => {
            let given = call.part("id").or_else(|| call.parameter("scroll_id")).unwrap_or_default();
            given.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
        }
    };
    Ok((ids, keep))
}

fn check(request: &SearchRequest) -> Result<(), ApiError> {
    if request.from > 0 {
        return Err(ApiError::validation("using [from] is not allowed in a scroll context"));
    }
    if request.size == 0 {
        return Err(ApiError::validation("[size] cannot be [0] in a scroll context"));
    }
    if request.search_after.is_some() {
        return Err(ApiError::illegal("`search_after` cannot be used in a scroll context."));
    }
    if request.track_total_hits == TrackTotalHits::No {
        return Err(ApiError::validation("disabling [track_total_hits] is not allowed in a scroll context"));
    }
    if request.size > MAX_WINDOW {
        return Err(ApiError::illegal(format!(
            "Batch size is too large, size must be less than or equal to: [{MAX_WINDOW}] but was [{}]. Scroll batch sizes cost as \
             much memory as result windows so they are controlled by the [index.max_result_window] index level setting.",
            request.size
        )));
    }
    Ok(())
}

/// The hits after where the cursor stands; moves it behind them.
async fn page(context: &Context, cursor: &mut Cursor, request: &SearchRequest, now: i64) -> Result<Answer, ApiError> {
    let mut request =
        SearchRequest { track_total_hits: TrackTotalHits::No, aggregations: Vec::new(), ..request.clone() };
    match cursor.position.clone() {
        Position::Arrival(after) => by_arrival(context, cursor, after, request, now).await,
        Position::Sorted(after) => {
            request.sort.push(by(Key::SeqNo));
            request.search_after = after;
            let mut answer = search(context, &cursor.indexes, &request, now).await?;
            if let Some(last) = answer.hits.last() {
                cursor.position = Position::Sorted(Some(last.sort.clone()));
            }
            // The last key was not asked for.
            answer.hits.iter_mut().for_each(|hit| drop(hit.sort.pop()));
            Ok(answer)
        }
        Position::Number(from) => {
            request.from = from;
            if from + request.size > MAX_WINDOW {
                return Err(ApiError::illegal(format!(
                    "a scroll over several indexes with a sort goes as far as [{MAX_WINDOW}] hits: scroll over one index, or without \
                     sort"
                )));
            }
            let answer = search(context, &cursor.indexes, &request, now).await?;
            cursor.position = Position::Number(from + answer.hits.len());
            Ok(answer)
        }
    }
}

/// One index after the other, each in the order of arrival.
async fn by_arrival(
    context: &Context,
    cursor: &mut Cursor,
    mut after: Option<u64>,
    mut request: SearchRequest,
    now: i64,
) -> Result<Answer, ApiError> {
    let size = request.size;
    request.sort = vec![by(Key::SeqNo)];
    let mut page = Answer::default();
    while page.hits.len() < size && !cursor.indexes.is_empty() {
        request.size = size - page.hits.len();
        request.search_after = after.map(|seq_no| vec![json!(seq_no)]);
        let mut answer = search(context, &cursor.indexes[..1], &request, now).await?;
        after = answer.hits.last().map(|hit| hit.seq_no);
        if answer.hits.len() < request.size {
            cursor.indexes.remove(0);
            after = None;
        }
        answer.hits.iter_mut().for_each(|hit| hit.sort.clear());
        page.splits += answer.splits;
        page.skipped += answer.skipped;
        page.failures.append(&mut answer.failures);
        page.hits.append(&mut answer.hits);
    }
    cursor.position = Position::Arrival(after);
    Ok(page)
}

/// An index that was deleted meanwhile has no more hits.
async fn search(context: &Context, names: &[String], request: &SearchRequest, now: i64) -> Result<Answer, ApiError> {
    let mut readers = Vec::with_capacity(names.len());
    for name in names {
        match targets::reader(context, name).await {
            Ok(reader) => readers.push(reader),
            Err(error) if error.status == 404 => {}
            Err(error) => return Err(error),
        }
    }
    run(&readers, request, now).await
}

fn by(key: Key) -> Sort {
    Sort { key, order: Order::Asc, missing: Missing::Last, unmapped_type: None, format: None }
}
