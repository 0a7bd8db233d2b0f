//! The manifest of an index: which splits it has, what its fields are, which sources it has taken.
//!
//! A `ledger::Head` under `heads/<index>`: the number of the last commit, the changes since the last snapshot, and the key of that
//! snapshot. A reader that has the head (and the snapshot, which is immutable) has one commit. `docs/index-format.md` tells the
//! rest: names of objects, generations, what may be deleted when.

mod cache;
mod deletes;
mod head;
mod object;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::Positions;
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;
use crate::split::SplitMeta;

pub(crate) use cache::{View, Views};
pub(crate) use deletes::{Bitsets, encode as encode_deletes};
pub(crate) use head::{Change, Grave, HeadState, NewDeletes, Turn};
pub(crate) use object::{HEADS, Kind, Names, new_incarnation};
pub(crate) use snapshot::Snapshot;

/// Bits of `_seq_no` for the ordinal in its commit: a commit has at most 2²⁰ operations, and `_seq_no` stays below 2⁵³, which
/// JavaScript clients keep, for 2³³ commits (design).
pub const ORDINAL_BITS: u32 = 20;

/// A split in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Its object: `splits/<incarnation>/<generation>-<uuid>`.
    pub key: String,
    /// Added to the `_seq_no`s in the split: a fresh one's commit × 2²⁰; 0 for a joined one.
    pub seq_base: u64,
    /// Smallest and largest `_seq_no`, base included. Those of two splits never overlap.
    pub seq: (u64, u64),
    /// The object with its deletion bitset, if it has one; replaced, never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

impl State {
    /// Documents that are there.
    pub fn documents(&self) -> u64 {
        self.splits.iter().map(|split| u64::from(split.meta.documents - split.deleted.min(split.meta.documents))).sum()
    }

    /// Documents that were deleted or replaced and still take up room.
    pub fn deleted(&self) -> u64 {
        self.splits.iter().map(|split| u64::from(split.deleted)).sum()
    }

    /// Bytes of the splits.
    pub fn size(&self) -> u64 {
        self.splits.iter().map(|split| split.meta.size).sum()
    }
}
