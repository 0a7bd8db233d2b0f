//! Errors: S3's codes and messages, and how they become s3s's.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::error::ApiError;

impl From<ApiError> for S3Error {
    fn from(error: ApiError) -> Self {
        // S3's name for what the other services call InternalFailure.
        let code = if error.code == "InternalFailure" { "InternalError" } else { &error.code };
        let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut answer = S3Error::with_message(code, error.message);
        answer.set_status_code(error.status);
        answer
    }
}

fn not_found(code: &str, message: String) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, code, message)
}

pub(super) fn no_such_bucket(bucket: &str) -> ApiError {
    not_found("NoSuchBucket", format!("The specified bucket does not exist: {bucket}"))
}

pub(super) fn no_such_key(key: &str) -> ApiError {
    not_found("NoSuchKey", format!("The specified key does not exist: {key}"))
}

pub(super) fn no_such_upload(id: &str) -> ApiError {
    let why = "The upload ID may be invalid, or the upload may have been aborted or completed";
    not_found("NoSuchUpload", format!("The specified upload does not exist. {why}: {id}"))
}

/// 412; `condition` is the header that did not hold.
pub(super) fn precondition_failed(condition: &str) -> ApiError {
    ApiError::new(
        StatusCode::PRECONDITION_FAILED,
        "PreconditionFailed",
        format!("At least one of the pre-conditions you specified did not hold: {condition}"),
    )
}

pub(super) fn invalid_argument(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidArgument", message)
}

pub(super) fn invalid_request(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("InvalidRequest", message)
}

/// What AWS answers to a header that it knows but does not implement, such as `If-None-Match` with an ETag on a put.
pub(super) fn header_not_implemented(header: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_IMPLEMENTED,
        "NotImplemented",
        format!("A header you provided implies functionality that is not implemented: {header}"),
    )
}
