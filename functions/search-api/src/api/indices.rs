//! Indexes: create, delete, get. Aliases are not there yet: asking finds none, making one is an error.

use search_index::mapping::Mapping;
use serde_json::{Map, Value, json};

use super::{index_settings, mapping};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Put, "/{index}" => create),
    route!(Delete, "/{index}" => delete),
    route!(Get, "/{index}" => get),
    route!(Get, "/_alias" => aliases),
    route!(Get, "/_aliases" => aliases),
    route!(Get, "/{index}/_alias" => aliases),
    route!(Get, "/{index}/_aliases" => aliases),
    route!(Get, "/_alias/{name}" => no_alias),
    route!(Get, "/{index}/_alias/{name}" => no_alias),
    route!(Post, "/_aliases" => make_alias),
    route!(Put | Post, "/{index}/_alias/{name}" => make_alias),
    route!(Put | Post, "/{index}/_aliases/{name}" => make_alias),
    route!(Put | Post, "/_alias/{name}" => make_alias),
    route!(Delete, "/{index}/_alias/{name}" => no_alias),
    route!(Delete, "/{index}/_aliases/{name}" => no_alias),
];

async fn create(context: &Context, call: &Call) -> Outcome {
    let name = Targets::one(call)?;
    let mut body = Map::new();
    if !call.request.body.trim_ascii().is_empty() {
        body = serde_json::from_slice(&call.request.body)
            .map_err(|error| ApiError::new(400, "parse_exception", format!("create index: {error}")))?;
    }
    let mut settings = Default::default();
    let mut fields = Mapping::default();
    for (key, value) in &body {
        match key.as_str() {
            "settings" => settings = index_settings::parse(value)?,
            "mappings" => fields = mapping::parse(value)?,
            "aliases" if value.as_object().is_none_or(Map::is_empty) => {}
            "aliases" => return Err(ApiError::unsupported("an alias")),
            other => {
                return Err(ApiError::new(400, "parse_exception", format!("unknown key [{other}] for create index")));
            }
        }
    }
    context.catalog.create(name, settings, fields, call.request.now).await?;
    Reply::ok(&json!({"acknowledged": true, "shards_acknowledged": true, "index": name}))
}

async fn delete(context: &Context, call: &Call) -> Outcome {
    let targets = Targets::of(call)?;
    // All are looked for before the first is deleted.
    for reader in targets.readers(context).await? {
        match context.catalog.delete(&reader.name, call.request.now).await {
            Ok(()) => {}
            // Somebody else was faster.
            Err(search_index::Error::NoSuchIndex(_)) if targets.has_patterns() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Reply::acknowledged()
}

async fn get(context: &Context, call: &Call) -> Outcome {
    let mut answer = Map::new();
    for reader in Targets::of(call)?.readers(context).await? {
        let settings = index_settings::of(context, &reader).await?;
        let index = json!({"aliases": {}, "mappings": reader.state.mapping.to_json(), "settings": settings});
        answer.insert(reader.name, index);
    }
    Reply::ok(&answer)
}

async fn aliases(context: &Context, call: &Call) -> Outcome {
    let readers = Targets::of(call)?.readers(context).await?;
    let answer: Map<String, Value> = readers.into_iter().map(|reader| (reader.name, json!({"aliases": {}}))).collect();
    Reply::ok(&answer)
}

async fn no_alias(context: &Context, call: &Call) -> Outcome {
    Targets::of(call)?.readers(context).await?;
    let name = call.name();
    if name.contains('*') || name == "_all" {
        return Reply::ok(&json!({}));
    }
    Reply::json(404, &json!({"error": format!("alias [{name}] missing"), "status": 404}))
}

async fn make_alias(_: &Context, _: &Call) -> Outcome {
    Err(ApiError::unsupported("an alias"))
}
