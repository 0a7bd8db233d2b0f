//! Filter policies ("Amazon SNS subscription filter policies" in the developer guide).
//!
//! Message attributes are seen as a JSON object of their own, so that a policy means the same over attributes and over the
//! body: every key must match, any of a key's patterns will do, any element of an array will do.

use serde_json::{Map, Value};

use super::errors::invalid;
use crate::error::ApiError;

/// Keys of a policy ("Filter policy constraints").
const MAX_KEYS: usize = 5;
/// The product of the numbers of patterns of all keys, each times its depth (the same page).
const MAX_COMBINATIONS: usize = 150;
/// Pattern operators, by which a list of patterns is told from the alternatives of `$or`.
const OPERATORS: &[&str] =
    &["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"];

/// A policy that was checked.
#[derive(Debug)]
pub struct Policy(Fields);

#[derive(Debug, Default)]
struct Fields {
    keys: Vec<(String, Field)>,
    /// Of each `$or`, the alternatives.
    any: Vec<Vec<Fields>>,
}

#[derive(Debug)]
enum Field {
    Patterns(Vec<Pattern>),
    Nested(Fields),
}

#[derive(Debug)]
enum Pattern {
    Equals(Value),
    EqualsIgnoreCase(String),
    Prefix(String),
    Suffix(String),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
    AnythingBut(Vec<Pattern>),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Default)]
struct Cost {
    keys: usize,
    combinations: usize,
}

impl Policy {
    /// Reads a policy; nested keys are only for the body.
    pub fn parse(policy: &Value, body: bool) -> Result<Policy, ApiError> {
        let Value::Object(object) = policy else { return Err(refuse("must be a JSON object")) };
        let mut cost = Cost { keys: 0, combinations: 1 };
        let fields = parse_fields(object, body, 1, &mut cost)?;
        if cost.keys > MAX_KEYS {
            return Err(refuse(format!("can not have more than {MAX_KEYS} keys, found {}", cost.keys)));
        }
        if cost.combinations > MAX_COMBINATIONS {
            return Err(refuse("is too complex"));
        }
        Ok(Policy(fields))
    }

    /// Whether the policy lets a message with these attributes (as published) pass.
    pub fn matches_attributes(&self, attributes: &Map<String, Value>) -> bool {
        let values = attributes.iter().map(|(name, attribute)| (name.clone(), attribute_value(attribute))).collect();
        matches_fields(&self.0, &values)
    }

    /// Whether the policy lets a message of this text pass; one that is no JSON object does not.
    pub fn matches_body(&self, body: &str) -> bool {
        matches!(serde_json::from_str(body), Ok(Value::Object(object)) if matches_fields(&self.0, &object))
    }
}

fn refuse(reason: impl std::fmt::Display) -> ApiError {
    invalid(format!("FilterPolicy: {reason}"))
}

fn parse_fields(object: &Map<String, Value>, body: bool, depth: usize, cost: &mut Cost) -> Result<Fields, ApiError> {
    let mut fields = Fields::default();
    for (key, value) in object {
        match value {
            Value::Array(items) if key == "$or" && is_alternatives(items) => {
                let objects = items.iter().filter_map(Value::as_object);
                let alternatives = objects.map(|object| parse_fields(object, body, depth, cost));
                fields.any.push(alternatives.collect::<Result<_, _>>()?);
            }
            Value::Array(items) if items.is_empty() => {
                return Err(refuse(format!("{key}: empty arrays are not allowed")));
            }
            Value::Array(items) => {
                cost.keys += 1;
                cost.combinations = cost.combinations.saturating_mul(items.len() * depth);
                let patterns = items.iter().map(|item| parse_pattern(key, item));
                fields.keys.push((key.clone(), Field::Patterns(patterns.collect::<Result<_, _>>()?)));
            }
            Value::Object(inner) if body => {
                fields.keys.push((key.clone(), Field::Nested(parse_fields(inner, body, depth + 1, cost)?)));
            }
            Value::Object(_) => {
                return Err(refuse(format!("{key}: nested keys need FilterPolicyScope MessageBody")));
            }
            _ => return Err(refuse(format!("\"{key}\" must be an object or an array"))),
        }
    }
    Ok(fields)
}

fn is_alternatives(items: &[Value]) -> bool {
    let alternative = |item: &Value| {
        item.as_object().is_some_and(|object| object.keys().all(|key| !OPERATORS.contains(&key.as_str())))
    };
    items.len() >= 2 && items.iter().all(alternative)
}

fn parse_pattern(key: &str, item: &Value) -> Result<Pattern, ApiError> {
    let Value::Object(object) = item else {
        return match item {
            Value::Array(_) => Err(refuse(format!("{key}: match value must be string, number, true, false, or null"))),
            scalar => Ok(Pattern::Equals(scalar.clone())),
        };
    };
    let mut entries = object.iter();
    let (Some((operator, operand)), None) = (entries.next(), entries.next()) else {
        return Err(refuse(format!("{key}: expected one match type, found {}", object.len())));
    };
    match (operator.as_str(), operand) {
        ("prefix", Value::String(text)) => Ok(Pattern::Prefix(text.clone())),
        ("suffix", Value::String(text)) => Ok(Pattern::Suffix(text.clone())),
        ("equals-ignore-case", Value::String(text)) => Ok(Pattern::EqualsIgnoreCase(text.to_lowercase())),
        ("exists", Value::Bool(exists)) => Ok(Pattern::Exists(*exists)),
        ("numeric", Value::Array(parts)) => parse_numeric(key, parts).map(Pattern::Numeric),
        ("anything-but", operand) => parse_anything_but(key, operand).map(Pattern::AnythingBut),
        (known, _) if OPERATORS.contains(&known) && known != "cidr" && known != "wildcard" => {
            Err(refuse(format!("{key}: {known} has an operand of the wrong type")))
        }
        (other, _) => Err(refuse(format!("{key}: match type {other:?} is unknown, or not emulated"))),
    }
}

fn parse_anything_but(key: &str, operand: &Value) -> Result<Vec<Pattern>, ApiError> {
    let wrong = || refuse(format!("{key}: anything-but needs strings, numbers, a prefix or a suffix"));
    let items = match operand {
        Value::Array(items) if !items.is_empty() => items.as_slice(),
        Value::Array(_) => return Err(wrong()),
        single => std::slice::from_ref(single),
    };
    items
        .iter()
        .map(|item| match (item, parse_pattern(key, item)?) {
            (Value::String(_) | Value::Number(_), pattern) => Ok(pattern),
            (_, pattern @ (Pattern::Prefix(_) | Pattern::Suffix(_) | Pattern::EqualsIgnoreCase(_))) => Ok(pattern),
            _ => Err(wrong()),
        })
        .collect()
}

/// `["=", 3]`, `[">", 0, "<=", 5]`.
fn parse_numeric(key: &str, parts: &[Value]) -> Result<Vec<(Comparison, f64)>, ApiError> {
    let wrong = || refuse(format!("{key}: numeric needs an operator and a number, or two of both"));
    if !matches!(parts.len(), 2 | 4) {
        return Err(wrong());
    }
    let comparison = |operator: &Value| match operator.as_str() {
        Some("=") => Some(Comparison::Equal),
        Some("<") => Some(Comparison::Less),
        Some("<=") => Some(Comparison::LessOrEqual),
        Some(">") => Some(Comparison::Greater),
        Some(">=") => Some(Comparison::GreaterOrEqual),
        _ => None,
    };
    let pairs = parts.chunks_exact(2).map(|pair| Some((comparison(&pair[0])?, pair[1].as_f64()?)));
    pairs.collect::<Option<_>>().ok_or_else(wrong)
}

/// A message attribute as the value it stands for. A binary one is there, but equals nothing.
fn attribute_value(attribute: &Value) -> Value {
    let text = attribute.get("StringValue").and_then(Value::as_str).unwrap_or_default();
    match attribute.get("DataType").and_then(Value::as_str).unwrap_or_default() {
        "String.Array" => serde_json::from_str(text).unwrap_or(Value::Null),
        kind if kind.starts_with("Number") => text.parse::<f64>().map_or(Value::Null, Value::from),
        kind if kind.starts_with("String") => text.into(),
        _ => Value::Object(Map::new()),
    }
}

fn matches_fields(fields: &Fields, object: &Map<String, Value>) -> bool {
    fields.keys.iter().all(|(key, field)| matches_field(field, object.get(key)))
        && fields.any.iter().all(|alternatives| alternatives.iter().any(|fields| matches_fields(fields, object)))
}

fn matches_field(field: &Field, value: Option<&Value>) -> bool {
    match (field, value) {
        (Field::Patterns(patterns), value) => patterns.iter().any(|pattern| matches_pattern(pattern, value)),
        (Field::Nested(fields), Some(Value::Object(object))) => matches_fields(fields, object),
        (Field::Nested(_), Some(Value::Array(items))) => items.iter().any(|item| matches_field(field, Some(item))),
        // So that `exists: false` holds below a key that is not there.
        (Field::Nested(fields), None) => matches_fields(fields, &Map::new()),
        (Field::Nested(_), Some(_)) => false,
    }
}

fn matches_pattern(pattern: &Pattern, value: Option<&Value>) -> bool {
    match (pattern, value) {
        (Pattern::Exists(exists), value) => *exists == value.is_some(),
        (_, None) => false,
        (pattern, Some(Value::Array(items))) => items.iter().any(|item| matches_pattern(pattern, Some(item))),
        (Pattern::AnythingBut(patterns), Some(value)) => {
            !value.is_object() && !patterns.iter().any(|pattern| matches_scalar(pattern, value))
        }
        (pattern, Some(value)) => matches_scalar(pattern, value),
    }
}

fn matches_scalar(pattern: &Pattern, value: &Value) -> bool {
    match (pattern, value) {
        (Pattern::Equals(Value::Number(expected)), Value::Number(found)) => expected.as_f64() == found.as_f64(),
        (Pattern::Equals(expected), found) => expected == found,
        (Pattern::EqualsIgnoreCase(expected), Value::String(text)) => text.to_lowercase() == *expected,
        (Pattern::Prefix(prefix), Value::String(text)) => text.starts_with(prefix),
        (Pattern::Suffix(suffix), Value::String(text)) => text.ends_with(suffix),
        (Pattern::Numeric(comparisons), Value::Number(number)) => {
            number.as_f64().is_some_and(|found| comparisons.iter().all(|(by, bound)| compare(*by, found, *bound)))
        }
        _ => false,
    }
}

fn compare(by: Comparison, found: f64, bound: f64) -> bool {
    match by {
        Comparison::Equal => found == bound,
        Comparison::Less => found < bound,
        Comparison::LessOrEqual => found <= bound,
        Comparison::Greater => found > bound,
        Comparison::GreaterOrEqual => found >= bound,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_over_attributes_lets_pass_or_not() {
        let attributes = json!({
            "store": {"DataType": "String", "StringValue": "example_corp"},
            "price": {"DataType": "Number", "StringValue": "100.50"},
            "tags": {"DataType": "String.Array", "StringValue": "[\"red\", \"blue\", true, 3]"},
            "image": {"DataType": "Binary", "BinaryValue": "AQID"},
        });
        for (policy, expected) in [
            (json!({}), true),
            (json!({"store": ["example_corp"]}), true),
            (json!({"store": ["other", "example_corp"]}), true),
            (json!({"store": ["example"]}), false),
            (json!({"store": ["example_corp"], "price": [1]}), false),
            (json!({"missing": ["x"]}), false),
            (json!({"store": [{"prefix": "example"}]}), true),
            (json!({"store": [{"suffix": "_corp"}]}), true),
            (json!({"store": [{"suffix": "example"}]}), false),
            (json!({"store": [{"equals-ignore-case": "EXAMPLE_corp"}]}), true),
            (json!({"store": [{"anything-but": "example_corp"}]}), false),
            (json!({"store": [{"anything-but": ["a", "b"]}]}), true),
            (json!({"store": [{"anything-but": {"prefix": "example"}}]}), false),
            (json!({"store": [{"anything-but": {"suffix": "example"}}]}), true),
            (json!({"missing": [{"anything-but": "x"}]}), false),
            (json!({"price": [100.5]}), true),
            (json!({"price": ["100.50"]}), false),
            (json!({"price": [{"numeric": [">", 100, "<=", 101]}]}), true),
            (json!({"price": [{"numeric": ["<", 100]}]}), false),
            (json!({"price": [{"anything-but": [100.5]}]}), false),
            (json!({"tags": ["blue"]}), true),
            (json!({"tags": [true]}), true),
            (json!({"tags": [3]}), true),
            (json!({"tags": ["green"]}), false),
            (json!({"tags": [{"anything-but": ["red"]}]}), true),
            (json!({"image": [{"exists": true}]}), true),
            (json!({"image": [{"anything-but": ["x"]}]}), false),
            (json!({"missing": [{"exists": false}]}), true),
            (json!({"store": [{"exists": false}]}), false),
            (json!({"$or": [{"store": ["x"]}, {"price": [{"numeric": [">", 1]}]}]}), true),
            (json!({"$or": [{"store": ["x"]}, {"price": [1]}]}), false),
            (json!({"$or": [{"prefix": "x"}, {"prefix": "y"}]}), false),
        ] {
            let parsed = Policy::parse(&policy, false).unwrap();
            assert_eq!(parsed.matches_attributes(attributes.as_object().unwrap()), expected, "{policy}");
        }
    }

    #[test]
    fn a_policy_over_the_body_lets_pass_or_not() {
        let body = r#"{"Records": [{"s3": {"object": {"key": "logs/a", "size": 12}}}], "kind": null, "on": true}"#;
        let key = |pattern: Value| json!({"Records": {"s3": {"object": {"key": [pattern]}}}});
        for (policy, body, expected) in [
            (key(json!({"prefix": "logs/"})), body, true),
            (key(json!({"prefix": "inbox/"})), body, false),
            (json!({"kind": [null]}), body, true),
            (json!({"on": [true]}), body, true),
            (json!({"gone": {"deep": [{"exists": false}]}}), body, true),
            (json!({"kind": {"deep": [{"exists": false}]}}), body, false),
            (json!({"on": [true]}), "not json", false),
            (json!({}), "[]", false),
        ] {
            assert_eq!(Policy::parse(&policy, true).unwrap().matches_body(body), expected, "{policy}");
        }
    }

    #[test]
    fn a_policy_that_is_not_understood_is_refused() {
        for (policy, body, expected) in [
            (json!([]), false, "must be a JSON object"),
            (json!({"a": "b"}), false, "\"a\" must be an object or an array"),
            (json!({"a": []}), false, "a: empty arrays"),
            (json!({"a": {"b": ["c"]}}), false, "nested keys need FilterPolicyScope"),
            (json!({"a": [["b"]]}), true, "match value must be"),
            (json!({"a": [{"cidr": "10.0.0.0/8"}]}), false, "\"cidr\" is unknown, or not emulated"),
            (json!({"a": [{"like": "x"}]}), false, "\"like\" is unknown"),
            (json!({"a": [{"prefix": 1}]}), false, "prefix has an operand of the wrong type"),
            (json!({"a": [{"prefix": "x", "suffix": "y"}]}), false, "expected one match type, found 2"),
            (json!({"a": [{"numeric": ["="]}]}), false, "numeric needs"),
            (json!({"a": [{"numeric": ["!", 1]}]}), false, "numeric needs"),
            (json!({"a": [{"anything-but": []}]}), false, "anything-but needs"),
            (json!({"a": [{"anything-but": {"exists": true}}]}), false, "anything-but needs"),
            (json!({"a": [1], "b": [1], "c": [1], "d": [1], "e": [1], "f": [1]}), false, "more than 5 keys"),
            (json!({"a": (0..13).collect::<Vec<_>>(), "b": (0..13).collect::<Vec<_>>()}), false, "too complex"),
        ] {
            let error = Policy::parse(&policy, body).unwrap_err();
            assert_eq!(error.code, "InvalidParameter");
            assert!(error.message.contains(expected), "{policy}: {}", error.message);
        }
    }
}
