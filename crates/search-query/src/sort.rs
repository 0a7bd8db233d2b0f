//! Sort keys.

use serde_json::Value;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// What a document without the field counts as.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    /// `_last`.
    Last,
    /// `_first`.
    First,
    /// This value.
    Value(Value),
}

/// What is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// `_score`.
    Score,
    /// `_doc`: the order of the index.
    Doc,
    /// `_seq_no`: the order of arrival.
    SeqNo,
    /// A field's value.
    Field(String),
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What.
    pub key: Key,
    /// Which way (`_score` descends by default, all else ascends).
    pub order: Order,
    /// Without the field.
    pub missing: Missing,
    /// `unmapped_type`: an index that does not know the field is no error.
    pub unmapped_type: Option<String>,
    /// `format` of a date.
    pub format: Option<String>,
}
