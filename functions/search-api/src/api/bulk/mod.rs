//! `_bulk`: many operations at once.
//!
//! The operations of each index are one commit; the indexes' commits go on side by side. An item's own fault is its own answer.
//! What is nobody's fault (the store is not there, others win every race) fails the request as a whole with 429 or 503 and
//! `Retry-After`, never a single item: Fluent Bit counts a batch of which some items were taken as delivered, and loses the others.
//! The documents of another index may have been taken then; with ids of their own the repeat does no harm, without it makes copies.
//!
//! Pipelines that a request names are accepted and do nothing.

mod action;
mod lines;

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use search_index::write::{Done, Op};
use search_query::source_filter::SourceFilter;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use self::action::Kind;
use self::lines::{Defaults, Item};
use super::document::refreshes;
use super::written::{self, Current, Written, current};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Post | Put, "/_bulk" => bulk),
    route!(Post | Put, "/{index}/_bulk" => bulk),
    route!(Post | Put, "/{index}/{type}/_bulk" => bulk),
    route!(Post | Put, "/{index}/_doc/_bulk" => bulk),
];

/// Indexes written at once.
const WRITES: usize = 16;

type Results = BTreeMap<usize, Result<Done, ApiError>>;

async fn bulk(context: &Context, call: &Call) -> Outcome {
    let defaults = Defaults {
        index: if call.index().is_empty() { "" } else { Targets::one(call)? },
        require_alias: call.flag("require_alias", false)?,
        source: SourceFilter::from_parameters(&call.request.parameters.0),
    };
    let mut items = Vec::new();
    let mut results = Results::new();
    let mut by_index: BTreeMap<String, Vec<(usize, Op)>> = BTreeMap::new();
    for (at, (item, op)) in lines::items(&call.request.body, &defaults)?.into_iter().enumerate() {
        match op {
            Ok(op) => by_index.entry(item.index.clone()).or_default().push((at, op)),
            Err(error) => drop(results.insert(at, Err(error))),
        }
        items.push(item);
    }
    let writes = stream::iter(by_index).map(|(index, ops)| write(context, index, ops, call.request.now));
    let written: Vec<Results> = writes.buffer_unordered(WRITES).try_collect().await?;
    results.extend(written.into_iter().flatten());
    let documents = documents(context, &items, &results).await?;
    let answers: Vec<ItemAnswer<'_>> = items
        .iter()
        .enumerate()
        .filter_map(|(at, item)| {
            Some(ItemAnswer::new(context, item, results.get(&at)?, documents.get(&at), refreshes(call)))
        })
        .collect();
    let errors = answers.iter().any(|answer| matches!(answer.result, ItemResult::Failed(_)));
    // Fluent Bit looks for the very text `"errors":false,"items":[`.
    Reply::ok(&Answer { took: call.took(), errors, items: answers })
}

/// Carries out the operations on one index. What is wrong with the index itself (its name, say) is the answer of each.
async fn write(context: &Context, index: String, ops: Vec<(usize, Op)>, now: i64) -> Result<Results, ApiError> {
    let (places, ops): (Vec<usize>, Vec<Op>) = ops.into_iter().unzip();
    match written::write(context, &index, ops, now).await {
        Ok(results) => {
            let results = results.into_iter().map(|result| result.map_err(|refused| written::refused(&index, refused)));
            Ok(places.into_iter().zip(results).collect())
        }
        Err(error) => {
            let text = error.to_string();
            let error = ApiError::from(error);
            if error.status >= 429 {
                return Err(error);
            }
            tracing::warn!(index, error = text, "an index took nothing of a bulk");
            Ok(places.into_iter().map(|at| (at, Err(error.clone()))).collect())
        }
    }
}

/// Updated documents that are to come back.
async fn documents(context: &Context, items: &[Item], results: &Results) -> Result<BTreeMap<usize, Current>, ApiError> {
    let mut documents = BTreeMap::new();
    for (at, item) in items.iter().enumerate() {
        let Some(filter) = item.source.as_ref().filter(|filter| !filter.none && item.kind == Kind::Update) else {
            continue;
        };
        if let Some(Ok(done)) = results.get(&at) {
            documents.insert(at, current(context, &item.index, done, filter).await?);
        }
    }
    Ok(documents)
}

#[derive(Serialize)]
struct Answer<'a> {
    took: u64,
    errors: bool,
    items: Vec<ItemAnswer<'a>>,
}

struct ItemAnswer<'a> {
    kind: Kind,
    result: ItemResult<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ItemResult<'a> {
    Done(Box<Written<'a>>),
    Failed(Failed<'a>),
}

#[derive(Serialize)]
struct Failed<'a> {
    _index: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    _type: Option<&'static str>,
    _id: Option<&'a str>,
    status: u16,
    error: Value,
}

impl<'a> ItemAnswer<'a> {
    fn new(
        context: &Context,
        item: &'a Item,
        result: &'a Result<Done, ApiError>,
        document: Option<&'a Current>,
        refresh: bool,
    ) -> ItemAnswer<'a> {
        let result = match result {
            Ok(done) => {
                let mut answer = Written::new(context, &item.index, done, refresh);
                answer.get = document;
                answer.status = Some(written::status(done));
                ItemResult::Done(Box::new(answer))
            }
            Err(error) => ItemResult::Failed(Failed {
                _index: &item.index,
                _type: context.cluster.document_type(),
                _id: item.id.as_deref(),
                status: error.status,
                error: error.cause(),
            }),
        };
        ItemAnswer { kind: item.kind, result }
    }
}

impl Serialize for ItemAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut item = serializer.serialize_map(Some(1))?;
        item.serialize_entry(self.kind.name(), &self.result)?;
        item.end()
    }
}
