//! Pieces of a JSON request, with Elasticsearch's leniency (`"10"` for 10, `"true"` for true) and its words for what is wrong.

use serde_json::{Map, Value};

use crate::RequestError;

/// The name of a value's first token in Elasticsearch's messages.
pub(crate) fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// A key that has no meaning where it stands.
pub(crate) fn unknown_key(key: &str, value: &Value) -> RequestError {
    RequestError::parsing(format!("Unknown key for a {} in [{key}].", token(value)))
}

/// A key that Elasticsearch knows and this crate does not: `what` it is (`query`, `aggregation`, `parameter`).
pub(crate) fn unsupported(what: &str, name: &str) -> RequestError {
    RequestError::illegal(format!("{what} [{name}] is not supported"))
}

/// Whether a value asks for nothing: `null`, `{}`, `[]`, `false`.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// An object. `place` says where it stands.
pub(crate) fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, RequestError> {
    value.as_object().ok_or_else(|| wrong(value, place, "an object"))
}

/// A boolean, or its text.
pub(crate) fn boolean(value: &Value, place: &str) -> Result<bool, RequestError> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::String(text) => boolean_text(text, place),
        _ => Err(wrong(value, place, "a boolean")),
    }
}

/// A boolean's text.
pub(crate) fn boolean_text(text: &str, place: &str) -> Result<bool, RequestError> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(RequestError::illegal(format!(
            "Failed to parse value [{text}] of [{place}] as only [true] or [false] are allowed."
        ))),
    }
}

/// A whole number, or its text. A fraction is cut off, as Elasticsearch does.
pub(crate) fn integer(value: &Value, place: &str) -> Result<i64, RequestError> {
    let found = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => text.parse().ok().or_else(|| text.parse().ok().and_then(whole)),
        _ => None,
    };
    found.ok_or_else(|| wrong(value, place, "a whole number"))
}

#[allow(clippy::cast_possible_truncation)] // in the range of i64, which is checked first
fn whole(number: f64) -> Option<i64> {
    (number.abs() < 9.2e18).then(|| number.trunc() as i64)
}

/// A number that is not negative, within a type's range.
pub(crate) fn unsigned<T: TryFrom<i64>>(value: &Value, place: &str) -> Result<T, RequestError> {
    let number = integer(value, place)?;
    T::try_from(number)
        .map_err(|_| RequestError::illegal(format!("[{place}] must be greater than or equal to 0. Found [{number}]")))
}

/// A number, or its text.
pub(crate) fn number(value: &Value, place: &str) -> Result<f64, RequestError> {
    let found = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    found.filter(|n| n.is_finite()).ok_or_else(|| wrong(value, place, "a number"))
}

/// A boost or score.
#[allow(clippy::cast_possible_truncation)] // a score has no more digits
pub(crate) fn score(value: &Value, place: &str) -> Result<f32, RequestError> {
    let score = number(value, place)? as f32;
    if place == "boost" && score < 0.0 {
        return Err(RequestError::illegal(format!("negative [boost] are not allowed in [boost], but found [{score}]")));
    }
    Ok(score)
}

/// A string, or the text of a number or boolean.
pub(crate) fn text(value: &Value, place: &str) -> Result<String, RequestError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(wrong(value, place, "a string")),
    }
}

/// A string, or some.
pub(crate) fn texts(value: &Value, place: &str) -> Result<Vec<String>, RequestError> {
    match value {
        Value::Array(items) => items.iter().map(|item| text(item, place)).collect(),
        _ => Ok(vec![text(value, place)?]),
    }
}

/// A string, number or boolean.
pub(crate) fn scalar(value: &Value, place: &str) -> Result<Value, RequestError> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(value.clone()),
        _ => Err(wrong(value, place, "a value")),
    }
}

/// The single field of `{"field": …}` in a query or sort key called `kind`.
pub(crate) fn single<'a>(object: &'a Map<String, Value>, kind: &str) -> Result<(&'a String, &'a Value), RequestError> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some(entry), None) => Ok(entry),
        (Some((a, _)), Some((b, _))) => {
            Err(RequestError::parsing(format!("[{kind}] query doesn't support multiple fields, found [{a}] and [{b}]")))
        }
        (None, _) => Err(RequestError::parsing(format!("[{kind}] query must name a field"))),
    }
}

fn wrong(value: &Value, place: &str, expected: &str) -> RequestError {
    match value {
        Value::String(text) => RequestError::illegal(format!("Failed to parse [{place}]: [{text}] is not {expected}")),
        _ => RequestError::parsing(format!("[{place}] must be {expected}, found [{}]", token(value))),
    }
}
