//! What Elasticsearch says of a request that it refuses.

/// A request that cannot be understood, in the words of Elasticsearch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RequestError {
    /// `error.type`: `parsing_exception`, `illegal_argument_exception`, `x_content_parse_exception`, …
    pub kind: &'static str,
    /// `error.reason`, names the place.
    pub reason: String,
    /// HTTP status (400 but for little).
    pub status: u16,
}

impl RequestError {
    /// `parsing_exception`, 400.
    pub fn parsing(reason: impl Into<String>) -> RequestError {
        RequestError { kind: "parsing_exception", reason: reason.into(), status: 400 }
    }

    /// `illegal_argument_exception`, 400.
    pub fn illegal(reason: impl Into<String>) -> RequestError {
        RequestError { kind: "illegal_argument_exception", reason: reason.into(), status: 400 }
    }
}
