//! What a call that failed says.

use aws_smithy_types::error::display::DisplayErrorContext;

/// A call that failed: what it was, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct CallError {
    /// The operation, and on what.
    pub what: String,
    /// What happened.
    pub cause: String,
}

impl CallError {
    /// The SDK's errors say little by themselves; their sources say what happened.
    pub(crate) fn of(what: impl Into<String>, error: impl std::error::Error) -> CallError {
        CallError { what: what.into(), cause: DisplayErrorContext(error).to_string() }
    }
}
