//! Queries of exact terms.

use serde_json::{Map, Value};

use super::Query;
use super::parse::{Common, Tree};
use crate::RequestError;
use crate::wire;

/// Values of a `terms` query at most (Elasticsearch's `index.max_terms_count`).
pub const MAX_TERMS: usize = 65_536;

/// Characters of a regular expression at most (Elasticsearch's `index.max_regex_length`).
pub const MAX_REGEX_LENGTH: usize = 1_000;

/// A field's query in its short form `{"f": "v"}` or its long form `{"f": {"value": "v", …}}`; the options that are not the value go
/// to `option`, which says whether it knows them.
fn field_query(
    body: &Map<String, Value>,
    kind: &'static str,
    mut option: impl FnMut(&Common, &str, &Value) -> Result<bool, RequestError>,
) -> Result<(String, Value, Common), RequestError> {
    let mut common = Common::new(kind);
    let (field, value) = wire::single(body, kind)?;
    let mut found = None;
    match value {
        Value::Array(_) => {
            return Err(RequestError::parsing(format!("[{kind}] query does not support array of values")));
        }
        Value::Object(options) => {
            for (key, value) in options {
                match key.as_str() {
                    "value" => found = Some(value),
                    // What the query was called before 7.0, and still is for some clients.
                    _ if key == kind => found = Some(value),
                    "rewrite" => {}
                    _ if option(&common, key, value)? => {}
                    _ => common.take(key, value)?,
                }
            }
        }
        short => found = Some(short),
    }
    match found {
        None | Some(Value::Null) => {
            Err(RequestError::illegal(format!("value cannot be null for [{kind}] query of [{field}]")))
        }
        Some(value @ (Value::Array(_) | Value::Object(_))) => {
            Err(RequestError::parsing(format!("[{kind}] unknown token [{}] after [value]", wire::token(value))))
        }
        Some(value) => Ok((field.clone(), value.clone(), common)),
    }
}

/// Queries whose only option is `case_insensitive`.
fn cased(body: &Map<String, Value>, kind: &'static str) -> Result<(String, Value, bool, Common), RequestError> {
    let mut case_insensitive = false;
    let (field, value, common) = field_query(body, kind, |common, key, value| match key {
        "case_insensitive" => {
            case_insensitive = wire::boolean(value, key)?;
            Ok(true)
        }
        // All of Lucene's syntax is always on.
        "flags" | "flags_value" if kind == "regexp" => {
            common.only(key, value == "ALL")?;
            Ok(true)
        }
        "max_determinized_states" if kind == "regexp" => Ok(true),
        _ => Ok(false),
    })?;
    Ok((field, value, case_insensitive, common))
}

pub(super) fn term(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let (field, value, case_insensitive, common) = cased(body, "term")?;
    Ok(common.boosted(Query::Term { field, value, case_insensitive }))
}

pub(super) fn prefix(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let (field, value, case_insensitive, common) = cased(body, "prefix")?;
    Ok(common.boosted(Query::Prefix { field, value: wire::text(&value, "prefix")?, case_insensitive }))
}

pub(super) fn wildcard(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let (field, value, case_insensitive, common) = cased(body, "wildcard")?;
    Ok(common.boosted(Query::Wildcard { field, value: wire::text(&value, "wildcard")?, case_insensitive }))
}

pub(super) fn regexp(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let (field, value, case_insensitive, common) = cased(body, "regexp")?;
    let value = wire::text(&value, "regexp")?;
    let length = value.chars().count();
    if length > MAX_REGEX_LENGTH {
        return Err(RequestError::illegal(format!(
            "The length of regex [{length}] used in the Regexp Query request has exceeded the allowed maximum of [{MAX_REGEX_LENGTH}]. \
             This maximum can be set by changing the [index.max_regex_length] index level setting."
        )));
    }
    Ok(common.boosted(Query::Regexp { field, value, case_insensitive }))
}

pub(super) fn fuzzy(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut fuzziness = None;
    let (field, value, common) = field_query(body, "fuzzy", |common, key, value| {
        match key {
            "fuzziness" => fuzziness = Some(wire::text(value, key)?),
            // 50 terms by default: all that are near are taken here.
            "max_expansions" => {}
            "prefix_length" => common.only(key, wire::integer(value, key)? == 0)?,
            "transpositions" => common.only(key, wire::boolean(value, key)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let value = wire::text(&value, "fuzzy")?;
    let distance = match fuzziness {
        None => None,
        Some(text) => distance(&text, value.chars().count())?,
    };
    Ok(common.boosted(Query::Fuzzy { field, value, distance }))
}

/// Edits of a `fuzziness` for a term of a length: `0`, `1`, `2`, `AUTO` (none here), `AUTO:low,high`.
fn distance(fuzziness: &str, length: usize) -> Result<Option<u8>, RequestError> {
    let invalid = || {
        RequestError::parsing(format!(
            "failed to parse [fuzziness]: [{fuzziness}] is not 0, 1, 2, AUTO or AUTO:low,high"
        ))
    };
    if fuzziness.eq_ignore_ascii_case("auto") {
        return Ok(None);
    }
    if let Some(limits) = fuzziness.get(5..).filter(|_| fuzziness[..5].eq_ignore_ascii_case("auto:")) {
        let (low, high) = limits.split_once(',').ok_or_else(invalid)?;
        let (low, high): (usize, usize) = (low.parse().map_err(|_| invalid())?, high.parse().map_err(|_| invalid())?);
        return Ok(Some(u8::from(length >= low) + u8::from(length >= high && high >= low)));
    }
    match fuzziness.trim_end_matches(".0") {
        "0" => Ok(Some(0)),
        "1" => Ok(Some(1)),
        "2" => Ok(Some(2)),
        _ => Err(invalid()),
    }
}

pub(super) fn terms(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("terms");
    let mut found: Option<(&String, &Vec<Value>)> = None;
    for (key, value) in body {
        match value {
            Value::Array(values) => {
                if let Some((first, _)) = found {
                    return Err(RequestError::parsing(format!(
                        "[terms] query does not support multiple fields, found [{first}] and [{key}]"
                    )));
                }
                found = Some((key, values));
            }
            Value::Object(_) => {
                return Err(RequestError::illegal(format!("[terms] query: terms lookup of [{key}] is not supported")));
            }
            _ => common.take(key, value)?,
        }
    }
    let (field, values) = found.ok_or_else(|| {
        RequestError::parsing(
            "[terms] query requires a field name, followed by array of terms or a document lookup specification",
        )
    })?;
    if values.len() > MAX_TERMS {
        return Err(RequestError::illegal(format!(
            "The number of terms [{}] used in the Terms Query request has exceeded the allowed maximum of [{MAX_TERMS}]. This maximum \
             can be set by changing the [index.max_terms_count] index level setting.",
            values.len()
        )));
    }
    let values = values.iter().map(|value| wire::scalar(value, field)).collect::<Result<_, _>>()?;
    Ok(common.boosted(Query::Terms { field: field.clone(), values }))
}

pub(super) fn exists(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("exists");
    let mut field = None;
    for (key, value) in body {
        match key.as_str() {
            "field" => field = Some(wire::text(value, key)?),
            _ => common.take(key, value)?,
        }
    }
    let field = field.ok_or_else(|| RequestError::parsing("[exists] must be provided with a [field]"))?;
    Ok(common.boosted(Query::Exists { field }))
}

pub(super) fn ids(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut common = Common::new("ids");
    let mut values = None;
    for (key, value) in body {
        match key.as_str() {
            "values" => values = Some(wire::texts(value, key)?),
            "type" => {}
            _ => common.take(key, value)?,
        }
    }
    let values = values.ok_or_else(|| RequestError::parsing("Required [values]"))?;
    if values.len() > MAX_TERMS {
        return Err(RequestError::illegal(format!(
            "[ids] query has [{}] values, more than [{MAX_TERMS}]",
            values.len()
        )));
    }
    Ok(common.boosted(Query::Ids { values }))
}
