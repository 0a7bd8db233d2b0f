//! Templates, policies, pipelines, data streams: kept as they were put, and given back.
//!
//! Shippers set them up before they send anything, and some compare what they find with what they put. They change nothing here
//! yet: no template is applied, no pipeline runs, and a data stream is an index of its name.

use futures::{StreamExt, TryStreamExt, stream};
use ledger::{Precondition, StoreError};
use search_query::pattern::matches;
use serde_json::{Map, Value, json};

use super::index_settings::{self, nested};
use crate::context::Context;
use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome, Route, route};

macro_rules! family {
    ($one:literal, $all:literal, $family:ident) => {
        &[
            route!(Put | Post, $one => |context, call| put(context, call, &$family)),
            route!(Get, $one => |context, call| get(context, call, &$family)),
            route!(Get, $all => |context, call| get(context, call, &$family)),
            route!(Delete, $one => |context, call| delete(context, call, &$family)),
        ]
    };
}

pub(crate) const POLICIES: &[Route] = family!("/_ilm/policy/{name}", "/_ilm/policy", POLICY);
pub(crate) const TEMPLATES: &[Route] = family!("/_template/{name}", "/_template", TEMPLATE);
pub(crate) const INDEX_TEMPLATES: &[Route] = family!("/_index_template/{name}", "/_index_template", INDEX_TEMPLATE);
pub(crate) const COMPONENTS: &[Route] = family!("/_component_template/{name}", "/_component_template", COMPONENT);
pub(crate) const PIPELINES: &[Route] = family!("/_ingest/pipeline/{name}", "/_ingest/pipeline", PIPELINE);
pub(crate) const DATA_STREAMS: &[Route] = family!("/_data_stream/{name}", "/_data_stream", DATA_STREAM);

/// The longest of them: templates of Beats are half of this.
const MAX_STORED: usize = 1 << 20;

/// Read at once.
const READS: usize = 32;

/// Names, and what is kept under them.
type Named = Vec<(String, Value)>;

/// A kind of what is kept.
struct Family {
    /// Its folder, below `stored/`.
    folder: &'static str,
    /// A member that it must have.
    required: Option<&'static str>,
    /// What `GET` answers.
    answer: fn(Named, &Call) -> Result<Value, ApiError>,
    /// What is missing, in words; `None`: `{}`.
    missing: Option<fn(&str) -> ApiError>,
}

static POLICY: Family = Family {
    folder: "_ilm/policy",
    required: None,
    answer: |found, _| {
        Ok(by_name(found, |body| {
            json!({"version": 1, "modified_date": "2026-11-20T00:00:00.000Z", "policy": body.get("policy").unwrap_or(body),
                   "in_use_by": {"indices": [], "data_streams": [], "composable_templates": []}})
        }))
    },
    missing: Some(|name| ApiError::no_such_resource(format!("Lifecycle policy not found: {name}"))),
};

static TEMPLATE: Family = Family {
    folder: "_template",
    required: Some("index_patterns"),
    answer: |found, call| {
        let flat = call.flag("flat_settings", false)?;
        Ok(by_name(found, |body| {
            let mut template = json!({"order": 0, "index_patterns": [], "settings": {}, "mappings": {}, "aliases": {}});
            for (key, value) in with_patterns(body).as_object().into_iter().flatten() {
                template[key] = match key.as_str() {
                    "settings" if flat => json!(index_settings::flat(value)),
                    "settings" => nested(&index_settings::flat(value)),
                    _ => value.clone(),
                };
            }
            template
        }))
    },
    missing: None,
};

static INDEX_TEMPLATE: Family = Family {
    folder: "_index_template",
    required: None,
    answer: |found, _| {
        let found = found.into_iter().map(|(name, body)| (name, with_patterns(&body))).collect();
        Ok(listed("index_templates", "index_template", found))
    },
    missing: Some(|name| ApiError::no_such_resource(format!("index template matching [{name}] not found"))),
};

static COMPONENT: Family = Family {
    folder: "_component_template",
    required: None,
    answer: |found, _| Ok(listed("component_templates", "component_template", found)),
    missing: Some(|name| ApiError::no_such_resource(format!("component template matching [{name}] not found"))),
};

static PIPELINE: Family = Family {
    folder: "_ingest/pipeline",
    required: None,
    answer: |found, _| Ok(by_name(found, Value::clone)),
    missing: None,
};

static DATA_STREAM: Family = Family {
    folder: "_data_stream",
    required: None,
    answer: |found, _| {
        let stream = |(name, _): (String, Value)| json!({"name": name, "timestamp_field": {"name": "@timestamp"}, "indices": [], "generation": 1, "status": "GREEN"});
        Ok(json!({"data_streams": found.into_iter().map(stream).collect::<Vec<_>>()}))
    },
    missing: Some(ApiError::no_such_index),
};

/// A template whose patterns are a list.
fn with_patterns(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(Value::String(pattern)) = template.get("index_patterns") {
        template["index_patterns"] = json!([pattern]);
    }
    template
}

fn by_name(found: Named, form: impl Fn(&Value) -> Value) -> Value {
    Value::Object(
        found
            .into_iter()
            .map(|(name, body)| {
                let body = form(&body);
                (name, body)
            })
            .collect::<Map<_, _>>(),
    )
}

fn listed(list: &str, member: &str, found: Named) -> Value {
    let item = |(name, body): (String, Value)| {
        let mut item = Map::new();
        item.insert("name".into(), name.into());
        item.insert(member.into(), body);
        Value::Object(item)
    };
    let items: Vec<Value> = found.into_iter().map(item).collect();
    let mut answer = Map::new();
    answer.insert(list.into(), items.into());
    Value::Object(answer)
}

impl Family {
    fn prefix(&self) -> String {
        format!("stored/{}/", self.folder)
    }

    /// Nothing of this name.
    fn missing(&self, name: &str) -> Outcome {
        match self.missing {
            Some(error) => Err(error(name)),
            None => Reply::json(404, &json!({})),
        }
    }
}

async fn put(context: &Context, call: &Call, family: &Family) -> Outcome {
    let body = match call.request.body.trim_ascii() {
        b"" => b"{}",
        body => body,
    };
    if body.len() > MAX_STORED {
        return Err(ApiError::too_large(format!("{} bytes are kept at most, these are {}", MAX_STORED, body.len())));
    }
    let object = serde_json::from_slice::<Map<String, Value>>(body)
        .map_err(|error| ApiError::new(400, "parse_exception", format!("{}: {error}", family.folder)))?;
    if let Some(member) = family.required.filter(|member| !object.contains_key(*member)) {
        return Err(ApiError::validation(&format!("{} are missing", member.replace('_', " "))));
    }
    let name = call.name();
    let precondition = if call.flag("create", false)? { Precondition::Absent } else { Precondition::None };
    let key = format!("{}{name}", family.prefix());
    match context.store.put(&key, body.to_vec().into(), &precondition).await {
        Ok(_) => Reply::acknowledged(),
        Err(StoreError::Precondition { .. }) => {
            Err(ApiError::illegal(format!("{} [{name}] already exists", family.folder.trim_start_matches('_'))))
        }
        Err(error) => Err(error.into()),
    }
}

async fn get(context: &Context, call: &Call, family: &Family) -> Outcome {
    let names = names(context, call.name(), family).await?;
    let reads = stream::iter(names).map(|name| async move {
        match context.store.get(&format!("{}{name}", family.prefix())).await {
            Ok(object) => {
                let body = serde_json::from_slice(&object.body)
                    .map_err(|error| ApiError::new(500, "exception", format!("{}{name}: {error}", family.prefix())))?;
                Ok(Some((name, body)))
            }
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(ApiError::from(error)),
        }
    });
    let found: Vec<Option<(String, Value)>> = reads.buffered(READS).try_collect().await?;
    let found: Named = found.into_iter().flatten().collect();
    if found.is_empty() && is_one(call.name()) {
        return family.missing(call.name());
    }
    Reply::ok(&(family.answer)(found, call)?)
}

async fn delete(context: &Context, call: &Call, family: &Family) -> Outcome {
    let mut deleted = 0;
    for name in names(context, call.name(), family).await? {
        let key = format!("{}{name}", family.prefix());
        match context.store.head(&key).await {
            Ok(_) => context.store.delete(&key).await?,
            Err(StoreError::NotFound { .. }) => continue,
            Err(error) => return Err(error.into()),
        }
        deleted += 1;
    }
    if deleted == 0 && is_one(call.name()) {
        return family.missing(call.name());
    }
    Reply::acknowledged()
}

fn is_one(names: &str) -> bool {
    !names.is_empty() && !names.contains('*')
}

/// Names of a list; those that patterns match (of the first [`ledger::store`] page of a thousand) are looked up.
async fn names(context: &Context, names: &str, family: &Family) -> Result<Vec<String>, ApiError> {
    if is_one(names) {
        return Ok(names.split(',').map(str::to_owned).collect());
    }
    let prefix = family.prefix();
    let there = context.store.list(&prefix, None).await?;
    let fits = |name: &str| names.is_empty() || names.split(',').any(|pattern| matches(pattern, name));
    let there = there.into_iter().filter_map(|meta| meta.key.strip_prefix(&prefix).map(str::to_owned));
    Ok(there.filter(|name| fits(name)).collect())
}
