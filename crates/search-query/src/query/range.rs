//! `range`.

use serde_json::{Map, Value};

use super::Query;
use super::parse::{Common, Tree};
use crate::RequestError;
use crate::date::Bound;
use crate::wire;

/// `{"f": {"gte": …, "lt": …}}`, also with the older `from`, `to`, `include_lower`, `include_upper`.
pub(super) fn range(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("range");
    let (field, options) = field_of(body, &mut common)?;
    let (mut from, mut to) = (None, None);
    let (mut include_lower, mut include_upper) = (true, true);
    let (mut format, mut time_zone) = (None, None);
    for (key, value) in options {
        match key.as_str() {
            "gte" | "from" | "gt" | "ge" => from = Some(wire_bound(value, key)?),
            "lte" | "to" | "lt" | "le" => to = Some(wire_bound(value, key)?),
            "include_lower" => include_lower = wire::boolean(value, key)?,
            "include_upper" => include_upper = wire::boolean(value, key)?,
            "format" => format = Some(wire::text(value, key)?),
            "time_zone" => {
                let zone = wire::text(value, key)?;
                crate::date::zone(&zone)?;
                time_zone = Some(zone);
            }
            // Only fields of ranges relate in other ways, and there are none.
            "relation" => {
                common.only(key, value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("intersects")))?
            }
            _ => common.take(key, value)?,
        }
        match key.as_str() {
            "gt" => include_lower = false,
            "gte" | "ge" => include_lower = true,
            "lt" => include_upper = false,
            "lte" | "le" => include_upper = true,
            _ => {}
        }
    }
    let from = bound(from.flatten(), include_lower);
    let to = bound(to.flatten(), include_upper);
    Ok(common.boosted(Query::Range { field: field.clone(), from, to, format, time_zone }))
}

/// The field; beside it `boost` and `_name` may stand.
fn field_of<'a>(
    body: &'a Map<String, Value>,
    common: &mut Common,
) -> Result<(&'a String, &'a Map<String, Value>), RequestError> {
    let mut found = None;
    for (key, value) in body {
        match value {
            Value::Object(options) => {
                if let Some((first, _)) = found {
                    return Err(RequestError::parsing(format!(
                        "[range] query doesn't support multiple fields, found [{first}] and [{key}]"
                    )));
                }
                found = Some((key, options));
            }
            _ => common.take(key, value)?,
        }
    }
    found.ok_or_else(|| RequestError::parsing("[range] query must name a field"))
}

fn wire_bound(value: &Value, key: &str) -> Result<Option<Value>, RequestError> {
    match value {
        Value::Null => Ok(None),
        _ => wire::scalar(value, key).map(Some),
    }
}

fn bound(value: Option<Value>, included: bool) -> Bound {
    match value {
        None => Bound::Unbounded,
        Some(value) if included => Bound::Included(value),
        Some(value) => Bound::Excluded(value),
    }
}
