//! Batches: up to ten entries, each with its own outcome.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors;
use crate::error::ApiError;

/// Entries of a batch (SendMessageBatch and its kin).
const MAX_ENTRIES: usize = 10;

/// The longest id of an entry.
const MAX_ID: usize = 80;

/// An entry: its id, and what the operation wants.
#[derive(Debug, Clone, Deserialize)]
pub struct Entry<T> {
    /// Names the entry in the reply.
    #[serde(rename = "Id", default)]
    pub id: String,
    /// The rest.
    #[serde(flatten)]
    pub input: T,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    id: String,
    sender_fault: bool,
    code: String,
    message: String,
}

/// Refuses a batch that is empty, too large, or whose ids are not distinct.
pub fn check<T>(entries: &[Entry<T>]) -> Result<(), ApiError> {
    if entries.is_empty() {
        return Err(errors::empty_batch());
    }
    if entries.len() > MAX_ENTRIES {
        return Err(errors::too_many_entries(entries.len()));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut seen = HashSet::new();
    for Entry { id, .. } in entries {
        if id.is_empty() || id.len() > MAX_ID || !id.chars().all(allowed) {
            return Err(errors::batch_entry_id(id));
        }
        if !seen.insert(id) {
            return Err(errors::ids_not_distinct(id));
        }
    }
    Ok(())
}

/// Does `one` with each entry: `{"Successful": […], "Failed": […]}`. What the caller did wrong fails that entry alone; the emulator's own faults fail the batch.
pub fn each<T>(
    entries: &[Entry<T>],
    mut one: impl FnMut(&T) -> Result<serde_json::Map<String, Value>, ApiError>,
) -> Result<Value, ApiError> {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for Entry { id, input } in entries {
        match one(input) {
            Ok(mut output) => {
                output.insert("Id".into(), id.as_str().into());
                successful.push(Value::Object(output));
            }
            Err(error) if error.status.is_client_error() => failed.push(Failure {
                id: id.clone(),
                sender_fault: true,
                code: error.query_code.unwrap_or(&error.code).to_owned(),
                message: error.message,
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}
