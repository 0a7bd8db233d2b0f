//! `_mapping`.

use search_index::mapping::Mapping;
use search_query::pattern::matches;
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get, "/_mapping" => get),
    route!(Get, "/_mappings" => get),
    route!(Get, "/{index}/_mapping" => get),
    route!(Get, "/{index}/_mappings" => get),
    route!(Put | Post, "/{index}/_mapping" => put),
    route!(Put | Post, "/{index}/_mappings" => put),
    route!(Get, "/_mapping/field/{name}" => get_fields),
    route!(Get, "/{index}/_mapping/field/{name}" => get_fields),
];

async fn get(context: &Context, call: &Call) -> Outcome {
    let readers = Targets::of(call)?.readers(context).await?;
    let mappings = readers.into_iter().map(|reader| (reader.name, json!({"mappings": reader.state.mapping.to_json()})));
    Reply::ok(&mappings.collect::<Map<String, Value>>())
}

async fn put(context: &Context, call: &Call) -> Outcome {
    if call.request.body.trim_ascii().is_empty() {
        return Err(ApiError::validation("mapping source is missing"));
    }
    let body: Value = serde_json::from_slice(&call.request.body)
        .map_err(|error| ApiError::new(400, "parse_exception", format!("mapping: {error}")))?;
    let mapping = parse(&body)?;
    for reader in Targets::of(call)?.readers(context).await? {
        context.catalog.index(&reader.name)?.put_mapping(&mapping, call.request.now).await?;
    }
    Reply::acknowledged()
}

/// A mapping, without the type that clients before version 7 put around it.
pub(super) fn parse(mapping: &Value) -> Result<Mapping, ApiError> {
    if mapping.get("_doc").is_some() {
        return Err(ApiError::illegal(
            "The mapping definition cannot be nested under a type [_doc] unless include_type_name is set to true.",
        ));
    }
    Mapping::from_json(mapping).map_err(|error| ApiError::new(400, error.kind, error.reason))
}

async fn get_fields(context: &Context, call: &Call) -> Outcome {
    let patterns: Vec<&str> = call.name().split(',').collect();
    let mut answer = Map::new();
    for reader in Targets::of(call)?.readers(context).await? {
        let mut fields = Map::new();
        leaves("", &reader.state.mapping.to_json(), &mut |path, name, definition| {
            if patterns.iter().any(|pattern| matches(pattern, path)) {
                let mut mapping = Map::new();
                mapping.insert(name.to_owned(), definition.clone());
                fields.insert(path.to_owned(), json!({"full_name": path, "mapping": mapping}));
            }
        });
        answer.insert(reader.name, json!({"mappings": fields}));
    }
    Reply::ok(&answer)
}

/// Path, name and definition of each field, sub-fields included.
fn leaves(prefix: &str, mapping: &Value, found: &mut impl FnMut(&str, &str, &Value)) {
    for inner in ["properties", "fields"] {
        for (name, definition) in mapping.get(inner).and_then(Value::as_object).into_iter().flatten() {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if definition.get("properties").is_none() && definition.get("type").is_some_and(|kind| kind != "object") {
                found(&path, name, definition);
            }
            leaves(&path, definition, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_mapping() {
        let mapping = json!({"properties": {
            "a": {"type": "text", "fields": {"keyword": {"type": "keyword"}}},
            "o": {"properties": {"n": {"type": "long"}}},
            "e": {"type": "object"},
        }});
        let mut found = Vec::new();
        leaves("", &mapping, &mut |path, name, _| found.push(format!("{path}={name}")));
        assert_eq!(found, ["a=a", "a.keyword=keyword", "o.n=n"]);
    }
}
