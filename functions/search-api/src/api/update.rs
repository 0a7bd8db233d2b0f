//! `_update`: a document changed in part.

use std::collections::BTreeMap;

use bytes::Bytes;
use search_index::write::Op;
use search_query::source_filter::SourceFilter;
use serde_json::value::RawValue;

use super::document::{if_seq_no, refreshes, writable};
use super::written::{self, Written, check_id, current, write_one};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};

pub(crate) const ROUTES: &[Route] = &[
    route!(Post, "/{index}/_update/{id}" => update),
    route!(Post, "/{index}/{type}/{id}/_update" => update),
    route!(Post, "/{index}/_doc/{id}/_update" => update),
];

async fn update(context: &Context, call: &Call) -> Outcome {
    let name = writable(call)?;
    check_id(call.name())?;
    if call.request.body.is_empty() {
        return Err(ApiError::no_body());
    }
    let body = Body::parse(&call.request.body)?;
    let filter = match SourceFilter::from_parameters(&call.request.parameters.0) {
        Some(filter) => Some(filter),
        None => body.source.clone(),
    };
    let condition = match body.if_seq_no {
        Some(condition) => Some(condition),
        None => if_seq_no(call)?,
    };
    let doc_as_upsert = call.flag("doc_as_upsert", false)?;
    let op = body.op(call.name().to_owned(), condition, doc_as_upsert)?;
    let done = write_one(context, name, op, call.request.now).await?;
    let current = match filter.filter(|filter| !filter.none) {
        Some(filter) => Some(current(context, name, &done, &filter).await?),
        None => None,
    };
    let mut answer = Written::new(context, name, &done, refreshes(call));
    answer.get = current.as_ref();
    Reply::json(written::status(&done), &answer)
}

/// What stands below an update.
#[derive(Debug, Default)]
pub(super) struct Body {
    doc: Option<Bytes>,
    upsert: Option<Bytes>,
    doc_as_upsert: bool,
    /// The document is to come back, in part.
    pub(super) source: Option<SourceFilter>,
    if_seq_no: Option<u64>,
}

impl Body {
    /// Reads `{"doc", "upsert", "doc_as_upsert", …}`; the documents stay where they are.
    pub(super) fn parse(body: &Bytes) -> Result<Body, ApiError> {
        let malformed =
            |error: serde_json::Error| ApiError::new(400, "x_content_parse_exception", format!("update: {error}"));
        let members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).map_err(malformed)?;
        let mut update = Body::default();
        let mut seq_no = None;
        let mut primary_term = None;
        for (name, raw) in members {
            match name.as_str() {
                "doc" => update.doc = Some(body.slice_ref(raw.get().as_bytes())),
                "upsert" => update.upsert = Some(body.slice_ref(raw.get().as_bytes())),
                "doc_as_upsert" => update.doc_as_upsert = value(raw)?,
                "_source" => update.source = Some(SourceFilter::parse(&value(raw)?)?),
                "if_seq_no" => seq_no = Some(value(raw)?),
                "if_primary_term" => primary_term = Some(value(raw)?),
                "detect_noop" if value(raw)? => {}
                "detect_noop" => return Err(ApiError::unsupported("[detect_noop: false]")),
                "script" | "scripted_upsert" => return Err(ApiError::unsupported(&format!("[{name}] of an update"))),
                other => return Err(unknown(other)),
            }
        }
        update.if_seq_no = written::condition(seq_no, primary_term)?;
        Ok(update)
    }

    /// As an operation. `condition` and `doc_as_upsert` are what was said outside the body.
    pub(super) fn op(self, id: String, condition: Option<u64>, doc_as_upsert: bool) -> Result<Op, ApiError> {
        let as_upsert = self.doc_as_upsert || doc_as_upsert;
        let doc = self.doc.ok_or_else(|| ApiError::validation("script or doc is missing"))?;
        let upsert = if as_upsert { Some(doc.clone()) } else { self.upsert };
        let if_seq_no = self.if_seq_no.or(condition);
        if upsert.is_some() && if_seq_no.is_some() {
            return Err(ApiError::validation("upsert requests don't support `if_seq_no` and `if_primary_term`"));
        }
        Ok(Op::Update { id, doc, upsert, if_seq_no })
    }
}

fn unknown(name: &str) -> ApiError {
    ApiError::new(400, "x_content_parse_exception", format!("[UpdateRequest] unknown field [{name}]"))
}

fn value<'a, T: serde::Deserialize<'a>>(raw: &'a RawValue) -> Result<T, ApiError> {
    serde_json::from_str(raw.get())
        .map_err(|error| ApiError::new(400, "x_content_parse_exception", format!("[UpdateRequest] {error}")))
}
