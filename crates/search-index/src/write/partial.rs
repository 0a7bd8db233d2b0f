//! Partial updates: a JSON object merged into the copy that is there.

use bytes::Bytes;
use serde_json::{Map, Value};

/// What an update makes of a document, as Elasticsearch's `XContentHelper.update` does: objects are merged, whatever else is replaced.
/// `None`: nothing changes (`noop`). The error says what is wrong with the update.
pub fn merge(there: &[u8], update: &[u8]) -> Result<Option<Bytes>, String> {
    let mut document = object(there, "document")?;
    let update = object(update, "doc")?;
    if !merge_into(&mut document, update) {
        return Ok(None);
    }
    serde_json::to_vec(&document).map(|merged| Some(merged.into())).map_err(|error| error.to_string())
}

fn object(json: &[u8], what: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(json).map_err(|error| format!("failed to parse the {what}: {error}"))
}

/// Tells whether anything changed. As deep as `serde_json` reads (128).
fn merge_into(there: &mut Map<String, Value>, update: Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, new) in update {
        changed |= match (there.get_mut(&name), new) {
            (Some(Value::Object(there)), Value::Object(new)) => merge_into(there, new),
            (Some(there), new) if *there == new => false,
            (_, new) => {
                there.insert(name, new);
                true
            }
        };
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges() {
        for (there, update, expected) in [
            (r#"{"a":1}"#, r#"{"a":1}"#, None),
            (r#"{"a":1}"#, "{}", None),
            (r#"{"a":1}"#, r#"{"a":2}"#, Some(r#"{"a":2}"#)),
            (r#"{"a":1}"#, r#"{"a":1.0}"#, Some(r#"{"a":1.0}"#)),
            (
                r#"{"b":1,"a":{"x":1,"y":[1]}}"#,
                r#"{"a":{"y":[2]},"c":null}"#,
                Some(r#"{"b":1,"a":{"x":1,"y":[2]},"c":null}"#),
            ),
            (r#"{"a":{"x":1}}"#, r#"{"a":{"x":1}}"#, None),
            (r#"{"a":{"x":1}}"#, r#"{"a":3}"#, Some(r#"{"a":3}"#)),
            (r#"{"a":3}"#, r#"{"a":{"x":1}}"#, Some(r#"{"a":{"x":1}}"#)),
            (r#"{"a":null}"#, r#"{"a":null}"#, None),
        ] {
            let merged = merge(there.as_bytes(), update.as_bytes()).unwrap();
            assert_eq!(merged.as_deref(), expected.map(str::as_bytes), "{there} {update}");
        }
        for (there, update, expected) in [("{}", "[]", "doc"), ("{}", "{", "doc"), ("3", "{}", "document")] {
            assert!(merge(there.as_bytes(), update.as_bytes()).unwrap_err().contains(expected));
        }
    }
}
