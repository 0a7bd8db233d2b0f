//! The errors of CloudWatch Logs.

use crate::error::ApiError;

/// A parameter outside its bounds.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidParameterException", message)
}

/// No such group.
pub fn no_group(name: &str) -> ApiError {
    not_found(format!("The specified log group does not exist: {name}"))
}

/// No such stream.
pub fn no_stream(name: &str) -> ApiError {
    not_found(format!("The specified log stream does not exist: {name}"))
}

/// Anything else that is not there.
pub fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("ResourceNotFoundException", message)
}

/// A group or stream that is there already.
pub fn exists(kind: &str, name: &str) -> ApiError {
    ApiError::bad_request("ResourceAlreadyExistsException", format!("The specified {kind} already exists: {name}"))
}
