//! `_msearch`: many searches in one request. Grafana reads with it.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use search_query::SearchRequest;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::search::{Form, SearchAnswer, run};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get | Post, "/_msearch" => msearch),
    route!(Get | Post, "/{index}/_msearch" => msearch),
    route!(Get | Post, "/{index}/{type}/_msearch" => msearch),
];

/// Searches at once: each keeps its share of the memory.
const SEARCHES: usize = 4;

/// Searches of one request.
const MAX_SEARCHES: usize = 1000;

async fn msearch(context: &Context, call: &Call) -> Outcome {
    let searches = searches(&call.request.body)?;
    let answers = stream::iter(searches).map(|(header, body)| async move {
        one(context, call, header, body).await.or_else(|error| raw(&error.body()))
    });
    let responses: Vec<Box<RawValue>> = answers.buffered(SEARCHES).try_collect().await?;
    Reply::ok(&Responses { took: call.took(), responses })
}

#[derive(Serialize)]
struct Responses {
    took: u64,
    responses: Vec<Box<RawValue>>,
}

async fn one(context: &Context, call: &Call, header: Header, body: Bytes) -> Result<Box<RawValue>, ApiError> {
    let expression = header.index.map_or_else(|| call.index().to_owned(), Names::joined);
    let mut targets = Targets::named(call, &expression)?;
    targets.overrule(header.ignore_unavailable, header.allow_no_indices);
    let request = SearchRequest::parse(&body, &[])?;
    let form = Form::of(context, call, &request)?;
    let request = form.adapt(request);
    let readers = targets.readers(context).await?;
    let started = std::time::Instant::now();
    let answer = run(&readers, &request, call.request.now).await?;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let answer = SearchAnswer::new(&readers, &request, &answer, form, took)?.with_status(200);
    raw(&answer)
}

fn raw(answer: &impl Serialize) -> Result<Box<RawValue>, ApiError> {
    to_raw_value(answer).map_err(|error| ApiError::new(500, "exception", error.to_string()))
}

/// The line before a search.
#[derive(Default, Deserialize)]
struct Header {
    index: Option<Names>,
    ignore_unavailable: Option<bool>,
    allow_no_indices: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    fn joined(self) -> String {
        match self {
            Names::One(name) => name,
            Names::Many(names) => names.join(","),
        }
    }
}

/// Header and body of each search. A header may be an empty line.
fn searches(body: &Bytes) -> Result<Vec<(Header, Bytes)>, ApiError> {
    if body.trim_ascii().is_empty() {
        return Err(ApiError::no_body());
    }
    let mut lines = body.trim_ascii_end().split(|byte| *byte == b'\n');
    let mut searches = Vec::new();
    while let Some(header) = lines.next() {
        let number = 2 * searches.len() + 1;
        let header = match header.trim_ascii() {
            b"" => Header::default(),
            header => serde_json::from_slice(header).map_err(|error| {
                ApiError::illegal(format!("header on line [{number}] of the multi search: {error}"))
            })?,
        };
        let search =
            lines.next().ok_or_else(|| ApiError::illegal(format!("the header on line [{number}] has no search")))?;
        searches.push((header, body.slice_ref(search.trim_ascii())));
        if searches.len() > MAX_SEARCHES {
            return Err(ApiError::illegal(format!("more than {MAX_SEARCHES} searches in one request")));
        }
    }
    Ok(searches)
}
