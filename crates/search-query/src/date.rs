//! Bounds of ranges, and date math (`now-1h/d`, `2026-11-20||+1M/d`).

use serde_json::Value;

/// A bound of a range.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// `gte`, `lte`.
    Included(Value),
    /// `gt`, `lt`.
    Excluded(Value),
    /// No bound.
    Unbounded,
}
