//! The errors of SNS.

use http::StatusCode;

use crate::error::ApiError;

/// A parameter that SNS refuses; `what` names it and says why.
pub fn invalid(what: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request("InvalidParameter", format!("Invalid parameter: {what}"))
}

/// A message attribute that SNS refuses.
pub fn attribute(name: &str, reason: &str) -> ApiError {
    ApiError::bad_request("ParameterValueInvalid", format!("The message attribute '{name}' {reason}."))
}

/// No such topic.
pub fn no_topic(arn: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NotFound", format!("Topic does not exist: {arn}"))
}

/// No such subscription.
pub fn no_subscription(arn: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "NotFound", format!("Subscription does not exist: {arn}"))
}

/// No such resource, in the words of the tag operations.
pub fn no_resource(arn: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFound", format!("Resource does not exist: {arn}"))
}
