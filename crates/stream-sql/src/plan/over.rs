//! OVER: read and placed, not planned yet.

use super::expression::Binder;
use super::types::Typed;
use crate::error::SqlError;
use crate::syntax::tree::{Call, Name, Over, Span, Window};

/// The windows a query may name.
pub(super) struct Windows<'s> {
    pub(super) named: &'s [(Name, Window)],
}

impl Binder<'_> {
    /// `SUM(x) OVER w`
    pub(super) fn windowed(&mut self, call: &Call, over: &Over, span: Span) -> Result<Typed, SqlError> {
        if let (Over::Named(name), Some(windows)) = (over, &self.windows)
            && !windows.named.iter().any(|(known, _)| known.text == name.text)
        {
            return Err(name.span.error(format!("Window '{}' not found", name.text)));
        }
        Err(span.error(format!("{} OVER a window is not supported", call.name.text)))
    }
}
