//! The names that a function is called by.

use http::StatusCode;

use super::LATEST;
use crate::error::ApiError;

/// The longest function name (Lambda CreateFunction: 64 characters).
pub const MAX_NAME: usize = 64;

/// The function's name in any of its forms: `NAME`, `ACCOUNT:function:NAME`, the whole ARN, each with `:$LATEST` or without.
/// Another version or alias is a 404: there are none.
pub fn function_name(reference: &str) -> Result<&str, ApiError> {
    let name = match reference.split_once("function:") {
        Some((head, name)) if head.is_empty() || head.ends_with(':') => name,
        _ => reference,
    };
    let (name, qualifier) = name.split_once(':').unwrap_or((name, LATEST));
    if !is_name(name) {
        return Err(ApiError::bad_request(
            "ValidationException",
            format!("function {reference:?}: a name is 1 to {MAX_NAME} letters, digits, hyphens or underscores"),
        ));
    }
    check_qualifier(reference, qualifier)?;
    Ok(name)
}

/// A qualifier must be `$LATEST`.
pub fn check_qualifier(reference: &str, qualifier: &str) -> Result<(), ApiError> {
    if qualifier == LATEST { Ok(()) } else { Err(not_found(&format!("{reference}:{qualifier}"))) }
}

/// Lambda's 404 for a function.
pub fn not_found(function: &str) -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", format!("Function not found: {function}"))
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_many_names() {
        for (reference, expected) in [
            ("probe", Ok("probe")),
            ("probe:$LATEST", Ok("probe")),
            ("000000000000:function:probe", Ok("probe")),
            ("arn:aws:lambda:us-east-1:000000000000:function:probe", Ok("probe")),
            ("arn:aws:lambda:us-east-1:000000000000:function:probe:$LATEST", Ok("probe")),
            ("function:probe", Ok("probe")),
            ("my-function", Ok("my-function")),
            ("probe:7", Err("ResourceNotFoundException")),
            ("arn:aws:lambda:us-east-1:000000000000:function:probe:live", Err("ResourceNotFoundException")),
            ("", Err("ValidationException")),
            ("../etc/passwd", Err("ValidationException")),
            (&"x".repeat(65), Err("ValidationException")),
        ] {
            let got = function_name(reference);
            assert_eq!(got.as_ref().map(|name| *name).map_err(|e| e.code.as_str()), expected, "{reference}");
        }
    }
}
