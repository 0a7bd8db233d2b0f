//! A split: one immutable object with everything about some documents.
//!
//! 1. [`Builder`] gives the documents to the engine, in memory, and packs its files into one object together with a filter of ids,
//!    their `_seq_no`s, and the hot part: all that opening takes. Its layout is written down in `docs/index-format.md`.
//! 2. [`SplitReader`] opens it with one request. What the engine reads it reads from ranges that are in memory; one that is not there
//!    is an error and is noted. So reading ahead is running the engine, fetching what it missed in one round trip, and running it
//!    again ([`SplitReader::prefetch`], [`SplitReader::find`], [`SplitReader::documents`]). Where a step would depend on the one
//!    before, the hot part has a map that guesses well: of the postings of a term before its dictionary entry is known.
//! 3. Every byte is checked against a checksum before the engine sees it. [`Cache`] keeps what was read.
//! 4. [`merge`] joins neighbours, without documents that were deleted.

mod alive;
mod analyzer;
mod builder;
mod cache;
mod directory;
mod document;
mod fetch;
mod filters;
mod format;
mod hot;
mod ids;
mod merge;
mod pack;
mod reader;
mod rows;
pub mod schema;
mod stored;
mod terms;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub use analyzer::analyzer;
pub use builder::{BuildOptions, Builder, MAX_TAGS};
pub use cache::Cache;
pub use document::{Document, FieldValue};
pub(crate) use ids::hash as id_hash;
pub use merge::{Input, Merged, merge};
pub use reader::SplitReader;
pub use rows::Rows;
pub use schema::schema;
pub use wanted::{Pattern, TermTest, Wanted};

/// What the manifest keeps of a split, as its builder measured it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitMeta {
    /// Documents, deleted ones included.
    pub documents: u32,
    /// Bytes of the object.
    pub size: u64,
    /// Bytes of the documents as they came.
    pub source_bytes: u64,
    /// The part of the object that every open reads, in one request.
    pub hot: Range<u64>,
    /// Where the filter of ids is.
    pub ids: Range<u64>,
    /// Where `_seq_no` and `_version` of its documents are.
    pub rows: Range<u64>,
    /// Date field → smallest and largest value (epoch ms); a field that is not here has no value in this split.
    pub times: BTreeMap<String, (i64, i64)>,
    /// Tag field → its values in this split. A tag field with too many values is not here.
    pub tags: BTreeMap<String, BTreeSet<String>>,
}

/// A split that is built and not yet stored.
#[derive(Debug, Clone)]
pub struct Built {
    /// The object.
    pub bytes: Bytes,
    /// What to put into the manifest.
    pub meta: SplitMeta,
}

/// `_seq_no` and `_version` of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its `_seq_no`; of a fresh split the ordinal in its commit, to which the manifest's `seq_base` is added.
    pub seq_no: u64,
    /// Its `_version`.
    pub version: u64,
}

/// A document as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// `_id`.
    pub id: String,
    /// `_source`, byte for byte.
    pub source: Bytes,
}

/// Deleted documents of a split.
pub type Deleted = Arc<RoaringBitmap>;
