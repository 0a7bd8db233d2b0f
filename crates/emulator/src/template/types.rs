//! The resource types that the emulator knows: their properties' names and shapes, and CloudFormation's conversions between
//! scalars. `types.json` is written by `scripts/resource-types`.

use std::sync::LazyLock;

use serde_json::{Map, Number, Value};

use super::node::{Entry, Kind, Node, Place, Result, unknown};

/// Type → properties. A shape is the name of a scalar, `"any"`, a list of one shape, or a map of names (`!`: required).
static TYPES: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("types.json")).unwrap_or_default());

/// Whether the type is known.
pub fn check_type(kind: &str, at: Place) -> Result<()> {
    if TYPES.contains_key(kind) && kind.starts_with("AWS::") {
        return Ok(());
    }
    let names = TYPES.keys().map(String::as_str).filter(|name| name.starts_with("AWS::"));
    Err(unknown(at, "resource type", kind, names.chain(["AWS::Serverless::Function"])))
}

/// The resolved properties of a resource as JSON, each converted to the type that its schema says.
pub fn properties(kind: &str, properties: &Node) -> Result<Value> {
    match TYPES.get(kind) {
        Some(shape) => convert(shape, properties, kind),
        None => Ok(properties.to_json()),
    }
}

fn convert(shape: &Value, node: &Node, path: &str) -> Result<Value> {
    match shape {
        Value::String(scalar) if scalar != "any" => convert_scalar(scalar, node, path),
        Value::Array(inner) => {
            let items = node.expect_list(path)?.iter();
            inner
                .first()
                .map_or_else(|| Ok(node.to_json()), |inner| items.map(|item| convert(inner, item, path)).collect())
        }
        Value::Object(shapes) => convert_map(shapes, node, path),
        _ => Ok(node.to_json()),
    }
}

fn convert_map(shapes: &Map<String, Value>, node: &Node, path: &str) -> Result<Value> {
    let entries = node.expect_map(path)?;
    for name in shapes.keys().filter_map(|name| name.strip_suffix('!')) {
        if !entries.iter().any(|entry| entry.key == name) {
            return Err(node.at.fault(format!("{path}: required property {name} is missing")));
        }
    }
    let convert = |Entry { key, at, value }: &Entry| {
        let shape = shapes.get(key).or_else(|| shapes.get(&format!("{key}!")));
        let names = || shapes.keys().map(|name| name.trim_end_matches('!'));
        let shape = shape.ok_or_else(|| unknown(*at, &format!("property of {path}:"), key, names()))?;
        Ok((key.clone(), convert(shape, value, &format!("{path}.{key}"))?))
    };
    entries.iter().map(convert).collect()
}

fn convert_scalar(scalar: &str, node: &Node, path: &str) -> Result<Value> {
    let wanted = match scalar {
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "a string",
    };
    let text = node.scalar().ok_or_else(|| node.expected(path, wanted))?;
    let converted = match (scalar, &node.kind) {
        ("integer", _) => text.parse::<i64>().ok().map(Value::from),
        ("number", Kind::Number(number)) => Some(Value::Number(number.clone())),
        ("number", _) => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        ("boolean", _) => text.to_ascii_lowercase().parse::<bool>().ok().map(Value::Bool),
        _ => Some(Value::String(text.clone())),
    };
    converted.ok_or_else(|| node.at.fault(format!("{path}: expected {wanted}, found {text:?}")))
}
