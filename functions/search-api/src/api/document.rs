//! Documents by their id: index, create, get, delete.

use bytes::Bytes;
use search_index::Found;
use search_index::write::{DocumentId, Op};
use search_query::source_filter::SourceFilter;
use serde::Serialize;
use serde_json::value::RawValue;

use super::written::{self, PRIMARY_TERM, Written, check_id, condition, write_one};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::{Content, Reply};
use crate::router::{Call, Outcome, Route, route};
use crate::targets::{self, Targets};

pub(crate) const ROUTES: &[Route] = &[
    route!(Put | Post, "/{index}/_doc/{id}" => index),
    route!(Post, "/{index}/_doc" => index),
    route!(Put | Post, "/{index}/_create/{id}" => create),
    route!(Get, "/{index}/_doc/{id}" => get),
    route!(Get, "/{index}/_source/{id}" => get_source),
    route!(Delete, "/{index}/_doc/{id}" => delete),
    // As clients before version 7 write them, with a type.
    route!(Put | Post, "/{index}/{type}/{id}" => index),
    route!(Post, "/{index}/{type}" => index),
    route!(Put | Post, "/{index}/{type}/{id}/_create" => create),
    route!(Put | Post, "/{index}/_doc/{id}/_create" => create),
    route!(Get, "/{index}/{type}/{id}" => get),
    route!(Get, "/{index}/{type}/{id}/_source" => get_source),
    route!(Get, "/{index}/_doc/{id}/_source" => get_source),
    route!(Delete, "/{index}/{type}/{id}" => delete),
];

async fn index(context: &Context, call: &Call) -> Outcome {
    match call.parameter("op_type") {
        None | Some("" | "index") => put(context, call, false).await,
        Some("create") => put(context, call, true).await,
        Some(other) => Err(ApiError::illegal(format!("opType must be 'create' or 'index', found: [{other}]"))),
    }
}

async fn create(context: &Context, call: &Call) -> Outcome {
    put(context, call, true).await
}

async fn put(context: &Context, call: &Call, create: bool) -> Outcome {
    let if_seq_no = if_seq_no(call)?;
    let source = body(call)?;
    let id = match call.part("id") {
        None => DocumentId::Auto,
        Some(id) => {
            check_id(id)?;
            DocumentId::Given(id.to_owned())
        }
    };
    if create && call.parameter("version_type").is_some_and(|kind| kind != "internal") {
        return Err(ApiError::validation("create operations only support internal versioning. use index instead"));
    }
    let name = writable(call)?;
    if create && if_seq_no.is_some() {
        return Err(ApiError::validation("create operations do not support compare and set. use index instead"));
    }
    let op = if create { Op::Create { id, source } } else { Op::Index { id, source, if_seq_no } };
    let done = write_one(context, name, op, call.request.now).await?;
    let mut reply = Reply::json(written::status(&done), &Written::new(context, name, &done, refreshes(call)))?;
    reply.headers.push((
        "Location",
        format!("/{name}/_doc/{}", percent_encoding::utf8_percent_encode(&done.id, percent_encoding::NON_ALPHANUMERIC)),
    ));
    Ok(reply)
}

async fn delete(context: &Context, call: &Call) -> Outcome {
    let name = writable(call)?;
    let if_seq_no = if_seq_no(call)?;
    check_id(call.name())?;
    // Unlike a document, a deletion does not make the index.
    targets::reader(context, name).await?;
    let op = Op::Delete { id: call.name().to_owned(), if_seq_no };
    let done = write_one(context, name, op, call.request.now).await?;
    Reply::json(written::status(&done), &Written::new(context, name, &done, refreshes(call)))
}

/// A document, as `_doc` and `_mget` answer it.
#[derive(Serialize)]
pub(super) struct Document<'a> {
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
    found: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    _source: Option<Box<RawValue>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(
        context: &Context,
        index: &'a str,
        id: &'a str,
        found: Option<&Found>,
        filter: &SourceFilter,
    ) -> Result<Document<'a>, ApiError> {
        Ok(Document {
            _index: index,
            _type: context.cluster.document_type(),
            _id: id,
            _version: found.map(|found| found.version),
            _seq_no: found.map(|found| found.seq_no),
            _primary_term: found.map(|_| PRIMARY_TERM),
            found: found.is_some(),
            _source: found.map(|found| written::source(&found.stored.source, filter)).transpose()?.flatten(),
        })
    }
}

async fn get(context: &Context, call: &Call) -> Outcome {
    let name = Targets::one(call)?;
    let filter = SourceFilter::from_parameters(&call.request.parameters.0).unwrap_or_default();
    let found = find(context, call, name).await?;
    let status = if found.is_some() { 200 } else { 404 };
    Reply::json(status, &Document::new(context, name, call.name(), found.as_ref(), &filter)?)
}

async fn get_source(context: &Context, call: &Call) -> Outcome {
    let name = Targets::one(call)?;
    let filter = SourceFilter::from_parameters(&call.request.parameters.0).unwrap_or_default();
    if filter.none {
        return Err(ApiError::validation("fetching source can not be disabled"));
    }
    match find(context, call, name).await? {
        Some(found) => {
            let source = filter.filter(&found.stored.source).into_owned();
            Ok(Reply { status: 200, headers: Vec::new(), content: Content::Json(source) })
        }
        None => Err(ApiError::no_such_resource(format!("Document not found [{name}]/[{}]", call.name()))),
    }
}

async fn find(context: &Context, call: &Call, name: &str) -> Result<Option<Found>, ApiError> {
    let id = call.name();
    let found = targets::reader(context, name).await?.get(&[id]).await?.pop().flatten();
    if let (Some(found), Some(wanted)) = (&found, call.request.parameters.number("version")?)
        && found.version != wanted
    {
        let reason = format!(
            "[{id}]: version conflict, current version [{}] is different than the one provided [{wanted}]",
            found.version
        );
        return Err(ApiError::new(409, "version_conflict_engine_exception", reason)
            .with("index_uuid", "_na_")
            .with("shard", "0")
            .with("index", name));
    }
    Ok(found)
}

/// The index that is written to, once what is asked of the write has been looked at.
pub(super) fn writable(call: &Call) -> Result<&str, ApiError> {
    for parameter in ["version", "version_type"] {
        if call.parameter(parameter).is_some_and(|value| value != "internal") {
            return Err(ApiError::unsupported(&format!("[{parameter}] of a write")));
        }
    }
    let name = Targets::one(call)?;
    if call.flag("require_alias", false)? {
        return Err(not_an_alias(name));
    }
    Ok(name)
}

/// There are no aliases.
pub(super) fn not_an_alias(name: &str) -> ApiError {
    let mut error = ApiError::no_such_index(name);
    error.reason =
        format!("no such index [{name}] and [require_alias] request flag is [true] and [{name}] is not an alias");
    error
}

pub(super) fn if_seq_no(call: &Call) -> Result<Option<u64>, ApiError> {
    let parameters = &call.request.parameters;
    condition(parameters.number("if_seq_no")?, parameters.number("if_primary_term")?)
}

/// `refresh` that is not `wait_for`: the answer says `forced_refresh`.
pub(super) fn refreshes(call: &Call) -> bool {
    matches!(call.parameter("refresh"), Some("" | "true"))
}

fn body(call: &Call) -> Result<Bytes, ApiError> {
    let body = &call.request.body;
    if body.trim_ascii().is_empty() { Err(ApiError::no_body()) } else { Ok(body.clone()) }
}
