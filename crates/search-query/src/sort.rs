//! Sort keys.

use serde_json::Value;

use crate::RequestError;
use crate::wire;

/// Sort keys at most (Elasticsearch has no limit; each is a value in every hit).
pub const MAX_SORT_KEYS: usize = 32;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// What a document without the field counts as.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// `_last`.
    Last,
    /// `_first`.
    First,
    /// This value.
    Value(Value),
}

/// What is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// `_score`.
    Score,
    /// `_doc`: the order of the index.
    Doc,
    /// `_seq_no`: the order of arrival.
    SeqNo,
    /// A field's value.
    Field(String),
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What.
    pub key: Key,
    /// Which way (`_score` descends by default, all else ascends).
    pub order: Order,
    /// Without the field.
    pub missing: Missing,
    /// `unmapped_type`: an index that does not know the field is no error.
    pub unmapped_type: Option<String>,
    /// `format` of a date.
    pub format: Option<String>,
}

impl Order {
    /// `asc` or `desc`.
    pub(crate) fn of(text: &str) -> Option<Order> {
        match text.to_ascii_lowercase().as_str() {
            "asc" => Some(Order::Asc),
            "desc" => Some(Order::Desc),
            _ => None,
        }
    }
}

impl Sort {
    fn by(name: &str) -> Sort {
        let (key, order) = match name {
            "_score" => (Key::Score, Order::Desc),
            // The order within a point in time, which is that of the index here.
            "_doc" | "_shard_doc" => (Key::Doc, Order::Asc),
            "_seq_no" => (Key::SeqNo, Order::Asc),
            field => (Key::Field(field.to_owned()), Order::Asc),
        };
        Sort { key, order, missing: Missing::Last, unmapped_type: None, format: None }
    }

    /// Reads `sort` of a body: `"f"`, `{"f": "desc"}`, `{"f": {"order": "desc", "missing": "_last", …}}`, or an array of these.
    ///
    /// # Errors
    /// `illegal_argument_exception` or `parsing_exception`, naming the key.
    pub fn parse(value: &Value) -> Result<Vec<Sort>, RequestError> {
        let items = match value {
            Value::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let mut keys = Vec::new();
        for item in items {
            match item {
                Value::String(name) => keys.push(Sort::by(name)),
                Value::Object(object) => {
                    for (name, options) in object {
                        keys.push(one(name, options)?);
                    }
                }
                _ => {
                    return Err(RequestError::illegal(format!(
                        "malformed sort format, within the sort array, an object, or an actual string are allowed, found [{}]",
                        wire::token(item)
                    )));
                }
            }
        }
        bounded(keys)
    }

    /// Reads the URL's `sort`: `f:desc,g`.
    ///
    /// # Errors
    /// `illegal_argument_exception` for a direction that does not exist.
    pub fn parse_parameter(text: &str) -> Result<Vec<Sort>, RequestError> {
        let key = |item: &str| match item.rsplit_once(':') {
            None => Ok(Sort::by(item)),
            Some((name, order)) => Ok(Sort { order: order_of(order)?, ..Sort::by(name) }),
        };
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        bounded(items.map(key).collect::<Result<_, _>>()?)
    }
}

fn bounded(keys: Vec<Sort>) -> Result<Vec<Sort>, RequestError> {
    match keys.len() <= MAX_SORT_KEYS {
        true => Ok(keys),
        false => Err(RequestError::illegal(format!("[sort] has [{}] keys, more than [{MAX_SORT_KEYS}]", keys.len()))),
    }
}

fn order_of(text: &str) -> Result<Order, RequestError> {
    Order::of(text).ok_or_else(|| RequestError::illegal(format!("Unknown sort order [{text}]")))
}

fn one(name: &str, options: &Value) -> Result<Sort, RequestError> {
    if matches!(name, "_geo_distance" | "_geoDistance" | "_script") {
        return Err(wire::unsupported("sort", name));
    }
    let mut sort = Sort::by(name);
    let mut mode = None;
    match options {
        Value::String(order) => sort.order = order_of(order)?,
        Value::Object(options) => {
            for (key, value) in options {
                match key.as_str() {
                    "order" => sort.order = order_of(&wire::text(value, key)?)?,
                    "missing" => sort.missing = missing(value)?,
                    "unmapped_type" => sort.unmapped_type = Some(wire::text(value, key)?),
                    "format" => sort.format = Some(wire::text(value, key)?),
                    "mode" => mode = Some(wire::text(value, key)?),
                    "numeric_type" if matches!(value.as_str(), Some("long" | "double" | "date")) => {}
                    "numeric_type" | "nested" | "nested_path" | "nested_filter" => {
                        return Err(RequestError::illegal(format!(
                            "sort by [{name}]: the option [{key}] is not supported"
                        )));
                    }
                    _ => return Err(RequestError::parsing(format!("[{name}] sort unknown field [{key}]"))),
                }
            }
        }
        _ => {
            return Err(RequestError::parsing(format!(
                "[{name}] sort must be an object, found [{}]",
                wire::token(options)
            )));
        }
    }
    match (mode.as_deref(), sort.order) {
        // What a field of several values is sorted by anyway.
        (None, _) | (Some("min"), Order::Asc) | (Some("max"), Order::Desc) => Ok(sort),
        (Some(mode), _) => Err(RequestError::illegal(format!("sort by [{name}]: [mode] [{mode}] is not supported"))),
    }
}

fn missing(value: &Value) -> Result<Missing, RequestError> {
    match value.as_str() {
        Some("_last") => Ok(Missing::Last),
        Some("_first") => Ok(Missing::First),
        _ => wire::scalar(value, "missing").map(Missing::Value),
    }
}
