//! The one error of an operation: a code that a client can match on, and a message that says what was expected.

use http::StatusCode;

/// An AWS error reply. Codes are the service's own (`ResourceNotFoundException`, `NoSuchBucket`, …); every protocol renders
/// the same value in its own way (see `wire::protocol`).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// The service's error code.
    pub code: String,
    /// What was wrong, with the name of the thing.
    pub message: String,
    /// The code of the service's older query protocol where it differs (SQS: `AWS.SimpleQueueService.NonExistentQueue`).
    pub query_code: Option<&'static str>,
}

impl ApiError {
    /// A 400: the caller's fault.
    pub fn bad_request(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Any status.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        ApiError { status, code: code.to_owned(), message: message.into(), query_code: None }
    }

    /// The 501 of what the emulator does not emulate; names the operation.
    pub fn not_emulated(service: &str, operation: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            format!("the Logmill emulator does not emulate {service} {operation}"),
        )
    }

    /// A 500: the emulator's own fault (its database, its disk).
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", message.to_string())
    }

    /// The same error with the code that the service's query protocol gives it.
    pub fn with_query_code(mut self, code: &'static str) -> Self {
        self.query_code = Some(code);
        self
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        ApiError::internal(format!("emulator state: {error}"))
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        ApiError::internal(format!("emulator files: {error}"))
    }
}
