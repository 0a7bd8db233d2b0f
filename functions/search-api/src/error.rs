//! Errors, as Elasticsearch writes them.
//!
//! The one place where errors of the request's reader, of the index, and our own become statuses and bodies.

use ledger::{HeadError, StoreError};
use search_index::Error as IndexError;
use search_query::RequestError;
use serde_json::{Map, Value, json};

/// How long a client waits before it tries again after a refusal that will pass (seconds): one commit of somebody else.
const RETRY_AFTER: u32 = 1;

/// A request that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{kind}: {reason}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// `error.type`.
    pub kind: &'static str,
    /// `error.reason`.
    pub reason: String,
    /// What else the error says, in order.
    pub details: Vec<(&'static str, Value)>,
    /// `error.root_cause`, when it is not the error itself.
    pub root_cause: Option<Box<Value>>,
    /// A header that goes with it: `Retry-After`, `Allow`, `WWW-Authenticate`.
    pub header: Option<(&'static str, String)>,
}

impl ApiError {
    /// An error of a status and a type.
    pub fn new(status: u16, kind: &'static str, reason: impl Into<String>) -> ApiError {
        ApiError { status, kind, reason: reason.into(), details: Vec::new(), root_cause: None, header: None }
    }

    /// `illegal_argument_exception`, 400.
    pub fn illegal(reason: impl Into<String>) -> ApiError {
        ApiError::new(400, "illegal_argument_exception", reason)
    }

    /// Something of Elasticsearch that is not here.
    pub fn unsupported(what: &str) -> ApiError {
        ApiError::illegal(format!("{what} is not supported"))
    }

    /// `action_request_validation_exception`, 400: what is missing.
    pub fn validation(missing: &str) -> ApiError {
        ApiError::new(400, "action_request_validation_exception", format!("Validation Failed: 1: {missing};"))
    }

    /// `parse_exception`, 400: there is no body.
    pub fn no_body() -> ApiError {
        ApiError::new(400, "parse_exception", "request body is required")
    }

    /// A body or an answer over its limit, 413.
    pub fn too_large(reason: impl Into<String>) -> ApiError {
        ApiError::new(413, "content_too_long_exception", reason)
    }

    /// `index_not_found_exception`, 404.
    pub fn no_such_index(name: &str) -> ApiError {
        ApiError::new(404, "index_not_found_exception", format!("no such index [{name}]"))
            .with("resource.type", "index_or_alias")
            .with("resource.id", name)
            .with("index_uuid", "_na_")
            .with("index", name)
    }

    /// `resource_not_found_exception`, 404.
    pub fn no_such_resource(reason: impl Into<String>) -> ApiError {
        ApiError::new(404, "resource_not_found_exception", reason)
    }

    /// With one more member in the error's object.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> ApiError {
        self.details.push((name, value.into()));
        self
    }

    /// With another status.
    pub fn with_status(mut self, status: u16) -> ApiError {
        self.status = status;
        self
    }

    /// To be tried again.
    pub fn retryable(mut self) -> ApiError {
        self.header = Some(("Retry-After", RETRY_AFTER.to_string()));
        self
    }

    /// `{"type", "reason", …}`: the error in an item of a bulk, a document of `_mget`, a failed shard.
    pub fn cause(&self) -> Value {
        let mut object = Map::new();
        object.insert("type".into(), json!(self.kind));
        object.insert("reason".into(), json!(self.reason));
        object.extend(self.details.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Value::Object(object)
    }

    /// `{"root_cause": […], "type", "reason", …}`: the error itself.
    pub fn error(&self) -> Value {
        let cause = self.cause();
        let mut object = Map::new();
        object.insert("root_cause".into(), self.root_cause.as_deref().cloned().unwrap_or_else(|| json!([cause])));
        if let Value::Object(members) = cause {
            object.extend(members);
        }
        Value::Object(object)
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        json!({"error": self.error(), "status": self.status})
    }

    /// A search that no shard could answer, for this reason.
    pub fn of_search(error: IndexError, index: &str) -> ApiError {
        let IndexError::Request { kind, reason } = error else { return error.into() };
        let cause = ApiError::new(400, kind, reason).with("index_uuid", "_na_").with("index", index);
        let shard = json!({"shard": 0, "index": index, "reason": cause.cause()});
        ApiError::all_shards_failed(400, json!([shard]), json!([cause.cause()]))
    }

    /// `search_phase_execution_exception`.
    pub fn all_shards_failed(status: u16, failed_shards: Value, root_cause: Value) -> ApiError {
        let mut error = ApiError::new(status, "search_phase_execution_exception", "all shards failed")
            .with("phase", "query")
            .with("grouped", true)
            .with("failed_shards", failed_shards);
        error.root_cause = Some(Box::new(root_cause));
        error
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> ApiError {
        ApiError::new(error.status, error.kind, error.reason)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        match error {
            // An object that a commit names is gone: it was dropped while this request read; the next one reads another commit.
            StoreError::Transient { .. } | StoreError::NotFound { .. } | StoreError::Precondition { .. } => {
                ApiError::new(503, "unavailable_shards_exception", error.to_string()).retryable()
            }
            StoreError::Other { .. } => ApiError::new(500, "repository_exception", error.to_string()),
        }
    }
}

impl From<HeadError> for ApiError {
    fn from(error: HeadError) -> ApiError {
        match error {
            HeadError::Store(error) => error.into(),
            HeadError::Contended { .. } => {
                ApiError::new(429, "es_rejected_execution_exception", error.to_string()).retryable()
            }
            HeadError::Format { .. } => ApiError::new(500, "corrupt_index_exception", error.to_string()),
        }
    }
}

impl From<IndexError> for ApiError {
    fn from(error: IndexError) -> ApiError {
        let text = error.to_string();
        match error {
            IndexError::NoSuchIndex(name) => ApiError::no_such_index(&name),
            IndexError::Exists(name) => ApiError::new(400, "resource_already_exists_exception", text)
                .with("index_uuid", "_na_")
                .with("index", name),
            IndexError::InvalidName { name, reason } => {
                ApiError::new(400, "invalid_index_name_exception", format!("Invalid index name [{name}], {reason}"))
                    .with("index_uuid", "_na_")
                    .with("index", name)
            }
            IndexError::Mapping(reason) => ApiError::illegal(reason),
            IndexError::Request { kind, reason } => ApiError::new(400, kind, reason),
            IndexError::Corrupt { .. } => ApiError::new(500, "corrupt_index_exception", text),
            IndexError::Store(error) => error.into(),
            IndexError::Head(error) => error.into(),
            IndexError::Engine(reason) => ApiError::new(500, "exception", reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_its_cause_twice() {
        let body = ApiError::no_such_index("logs").body();
        let cause = json!({
            "type": "index_not_found_exception", "reason": "no such index [logs]", "resource.type": "index_or_alias",
            "resource.id": "logs", "index_uuid": "_na_", "index": "logs",
        });
        assert_eq!(body["error"]["root_cause"], json!([cause]));
        assert_eq!(body["error"]["resource.id"], "logs");
        assert_eq!(body["status"], 404);
    }

    #[test]
    fn what_will_pass_is_to_be_tried_again() {
        let transient = || StoreError::Transient { key: "heads/a".into(), reason: "slow down".into() };
        for (error, status, retry) in [
            (IndexError::Head(HeadError::Contended { key: "heads/a".into() }), 429, true),
            (IndexError::Head(HeadError::Store(transient())), 503, true),
            (IndexError::Store(transient()), 503, true),
            (IndexError::Corrupt { key: "splits/a".into(), reason: "magic".into() }, 500, false),
        ] {
            let error = ApiError::from(error);
            assert_eq!((error.status, error.header.is_some()), (status, retry), "{error}");
        }
    }
}
