//! Settings of an index: what its creator sent, and what `PUT _settings` sent later.
//!
//! `index.logmill.tag_fields`, `.retention_days` and `.time_field` mean something here, from the creation of the index on. All others
//! are kept and given back; those of a later `PUT` beside the index, under the name of its incarnation.

use std::collections::BTreeMap;

use ledger::{Precondition, StoreError};
use search_index::Reader;
use search_index::manifest::Settings;
use serde_json::{Map, Value, json};

use crate::context::{Context, uuid};
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};
use crate::targets::Targets;

pub(crate) const ROUTES: &[Route] = &[
    route!(Get, "/_settings" => get),
    route!(Get, "/_settings/{name}" => get),
    route!(Get, "/{index}/_settings" => get),
    route!(Get, "/{index}/_settings/{name}" => get),
    route!(Put, "/_settings" => put),
    route!(Put, "/{index}/_settings" => put),
];

/// Where what a later `PUT` sent is kept, by incarnation.
const KEPT: &str = "stored/_settings/";

/// Ours.
const OURS: &str = "index.logmill.";

async fn get(context: &Context, call: &Call) -> Outcome {
    let flat = call.flag("flat_settings", false)?;
    let mut answer = Map::new();
    for reader in Targets::of(call)?.readers(context).await? {
        let mut settings = all(context, &reader).await?;
        if let Some(names) = call.part("name").filter(|names| !matches!(*names, "_all" | "*")) {
            let fits = |known: &String| names.split(',').any(|name| search_query::pattern::matches(name, known));
            settings.retain(|known, _| fits(known));
        }
        if !settings.is_empty() {
            answer.insert(reader.name, json!({"settings": if flat { json!(settings) } else { nested(&settings) }}));
        }
    }
    Reply::ok(&answer)
}

async fn put(context: &Context, call: &Call) -> Outcome {
    let body: Value = match call.request.body.is_empty() {
        true => return Err(ApiError::no_body()),
        false => serde_json::from_slice(&call.request.body)
            .map_err(|error| ApiError::new(400, "parse_exception", format!("settings: {error}")))?,
    };
    let changes = flat(body.get("settings").unwrap_or(&body));
    let fixed = |name: &&String| name.starts_with(OURS) || *name == "index.number_of_shards";
    let preserve = call.flag("preserve_existing", false)?;
    for reader in Targets::of(call)?.readers(context).await? {
        if let Some(name) = changes.keys().find(fixed) {
            let index = &reader.name;
            return Err(ApiError::illegal(format!(
                "Can't update non dynamic settings [[{name}]] for open indices [[{index}]]"
            )));
        }
        let known = all(context, &reader).await?;
        let mut kept = kept(context, &reader).await?;
        for (name, value) in &changes {
            if !(preserve && known.contains_key(name)) {
                kept.insert(name.clone(), value.clone());
            }
        }
        let body = serde_json::to_vec(&kept).unwrap_or_default();
        context.store.put(&key(&reader), body.into(), &Precondition::None).await?;
    }
    Reply::acknowledged()
}

/// Settings as their creator sent them.
pub(super) fn parse(settings: &Value) -> Result<Settings, ApiError> {
    let mut parsed = Settings::default();
    for (name, value) in flat(settings) {
        let wrong = |what: &str| {
            ApiError::illegal(format!("Failed to parse value [{value}] for setting [{name}], expected {what}"))
        };
        match name.strip_prefix(OURS) {
            Some("tag_fields") => parsed.tag_fields = texts(&value).ok_or_else(|| wrong("names of fields"))?,
            Some("retention_days") => {
                let days = value.as_str().and_then(|days| days.parse().ok());
                parsed.retention_days = Some(days.ok_or_else(|| wrong("a number of days"))?);
            }
            Some("time_field") => parsed.time_field = value.as_str().map(str::to_owned),
            Some(_) => return Err(ApiError::illegal(format!("unknown setting [{name}]"))),
            None if value.is_null() => {}
            None => drop(parsed.other.insert(name, value)),
        }
    }
    Ok(parsed)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split(',').map(|name| name.trim().to_owned()).collect()),
        Value::Array(names) => names.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// All settings of an index, nested, as `GET /{index}` has them.
pub(super) async fn of(context: &Context, reader: &Reader) -> Result<Value, ApiError> {
    Ok(nested(&all(context, reader).await?))
}

/// The name that stands for an index's life.
pub(super) fn index_uuid(reader: &Reader) -> String {
    uuid(reader.state.incarnation.as_deref().unwrap_or_default())
}

/// A setting as its creator sent it.
pub(super) fn sent<'a>(reader: &'a Reader, name: &str) -> Option<&'a str> {
    reader.state.settings.other.get(name).and_then(Value::as_str)
}

async fn all(context: &Context, reader: &Reader) -> Result<BTreeMap<String, Value>, ApiError> {
    let state = &reader.state;
    let mut settings = BTreeMap::from([
        ("index.number_of_shards".to_owned(), json!("1")),
        ("index.number_of_replicas".to_owned(), json!("0")),
        ("index.provided_name".to_owned(), json!(reader.name)),
        ("index.creation_date".to_owned(), json!(state.created.to_string())),
        ("index.uuid".to_owned(), json!(index_uuid(reader))),
        ("index.version.created".to_owned(), json!(version_id(&context.cluster.version))),
    ]);
    let Settings { tag_fields, retention_days, time_field, other } = &state.settings;
    settings.extend(other.clone());
    if !tag_fields.is_empty() {
        settings.insert(format!("{OURS}tag_fields"), json!(tag_fields));
    }
    settings.extend(retention_days.map(|days| (format!("{OURS}retention_days"), json!(days.to_string()))));
    settings.extend(time_field.as_ref().map(|field| (format!("{OURS}time_field"), json!(field))));
    settings.extend(kept(context, reader).await?);
    settings.retain(|_, value| !value.is_null());
    Ok(settings)
}

fn key(reader: &Reader) -> String {
    format!("{KEPT}{}", reader.state.incarnation.as_deref().unwrap_or_default())
}

async fn kept(context: &Context, reader: &Reader) -> Result<BTreeMap<String, Value>, ApiError> {
    match context.store.get(&key(reader)).await {
        Ok(object) => serde_json::from_slice(&object.body)
            .map_err(|error| ApiError::new(500, "corrupt_index_exception", format!("{}: {error}", key(reader)))),
        Err(StoreError::NotFound { .. }) => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

/// `8.15.0` as `8150099`.
fn version_id(version: &str) -> String {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    let mut part = || parts.next().unwrap_or_default();
    (part() * 1_000_000 + part() * 10_000 + part() * 100 + 99).to_string()
}

/// `{"number_of_shards": 1}`, `{"index": {…}}` and `{"index.number_of_shards": 1}` as `index.number_of_shards` → `"1"`.
pub(super) fn flat(settings: &Value) -> BTreeMap<String, Value> {
    fn walk(prefix: &str, value: &Value, flat: &mut BTreeMap<String, Value>) {
        let text =
            |value: &Value| if value.is_string() || value.is_null() { value.clone() } else { json!(value.to_string()) };
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    walk(&name, value, flat);
                }
            }
            Value::Array(items) => drop(flat.insert(prefix.to_owned(), items.iter().map(text).collect())),
            scalar => drop(flat.insert(prefix.to_owned(), text(scalar))),
        }
    }
    let mut flat = BTreeMap::new();
    walk("", settings, &mut flat);
    let named = |name: String| if name.starts_with("index.") { name } else { format!("index.{name}") };
    flat.into_iter().map(|(name, value)| (named(name), value)).collect()
}

/// Names with dots as objects. Where a name is a value and the beginning of another (`a`, `a.b`), the longer keeps its dots.
pub(super) fn nested(flat: &BTreeMap<String, Value>) -> Value {
    let mut root = Map::new();
    for (name, value) in flat {
        place(&mut root, name, value);
    }
    Value::Object(root)
}

fn place(object: &mut Map<String, Value>, name: &str, value: &Value) {
    if let Some((first, rest)) = name.split_once('.')
        && let Value::Object(inner) = object.entry(first).or_insert_with(|| json!({}))
    {
        return place(inner, rest, value);
    }
    object.insert(name.to_owned(), value.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_in_any_form() {
        let expected = json!({"index": {"number_of_shards": "2", "sort": {"field": ["a", "b"]}, "x": "true"}});
        for sent in [
            json!({"number_of_shards": 2, "sort.field": ["a", "b"], "x": true}),
            json!({"index": {"number_of_shards": "2", "sort": {"field": ["a", "b"]}, "x": true}}),
            json!({"index.number_of_shards": 2, "index": {"sort.field": ["a", "b"]}, "index.x": "true"}),
        ] {
            assert_eq!(nested(&flat(&sent)), expected, "{sent}");
        }
        assert_eq!(nested(&flat(&json!({"a": 1, "a.b": 2}))), json!({"index": {"a": "1", "a.b": "2"}}));
    }

    #[test]
    fn settings_that_mean_something() {
        let sent = json!({"index.logmill": {"tag_fields": ["host"], "retention_days": 30, "time_field": "@timestamp"}, "codec": "x"});
        let parsed = parse(&sent).unwrap();
        assert_eq!(
            (parsed.tag_fields, parsed.retention_days, parsed.time_field),
            (vec!["host".into()], Some(30), Some("@timestamp".into()))
        );
        assert_eq!(parsed.other, BTreeMap::from([("index.codec".to_owned(), json!("x"))]));
        assert!(parse(&json!({"logmill.retention_days": "x"})).unwrap_err().reason.contains("a number of days"));
        assert!(parse(&json!({"logmill.retention": 3})).unwrap_err().reason.contains("[index.logmill.retention]"));
    }
}
