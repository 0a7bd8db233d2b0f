//! The manifest of an index: which splits it has, what its fields are, which sources it has taken.
//!
//! A `ledger::Head` under `heads/<index>`: the number of the last commit, the changes since the last snapshot, and the key of that
//! snapshot. A reader that has the head (and the snapshot, which is immutable) has one commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::Positions;
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;
use crate::split::SplitMeta;

/// Bits of `_seq_no` for the ordinal in its commit: a commit has at most 2²⁰ operations, and `_seq_no` stays below 2⁵³, which
/// JavaScript clients keep, for 2³³ commits (design).
pub const ORDINAL_BITS: u32 = 20;

/// A split in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Its object: `splits/<incarnation>/<uuid v7>`; the name tells when it was made.
    pub key: String,
    /// Added to the `_seq_no`s in the split: a fresh one's commit × 2²⁰; 0 for a joined one.
    pub seq_base: u64,
    /// Smallest and largest `_seq_no`, base included. Those of two splits never overlap.
    pub seq: (u64, u64),
    /// The object with its deletion bitset, if it has one; replaced, never changed.
    pub deletes: Option<String>,
    /// Documents that the bitset names.
    pub deleted: u32,
    /// What its builder measured.
    pub meta: SplitMeta,
}

/// Settings of an index.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Keyword fields whose values the manifest keeps for each split, so that searches for others skip it.
    #[serde(default)]
    pub tag_fields: Vec<String>,
    /// Splits whose newest time is older than this many days are dropped; by [`Settings::time_field`].
    #[serde(default)]
    pub retention_days: Option<u32>,
    /// The field that retention goes by.
    #[serde(default)]
    pub time_field: Option<String>,
    /// What the creator of the index sent as `settings` and this index does not use, given back as it came.
    #[serde(default)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// One commit of an index, whole: what a reader sees.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The number of the commit.
    pub commit: u64,
    /// Names this life of the index: one deleted and created again has another. `None`: there is no such index.
    pub incarnation: Option<String>,
    /// When it was created (epoch ms).
    pub created: i64,
    /// Settings.
    pub settings: Settings,
    /// Fields.
    pub mapping: Arc<Mapping>,
    /// Splits, in the order of `_seq_no`.
    pub splits: Vec<Arc<Split>>,
    /// Source positions of the last days.
    pub positions: Positions,
}
