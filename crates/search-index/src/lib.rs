//! The index on S3.
//!
//! ```text
//! documents ─ mapping::parse ─▶ split::Builder ─▶ one immutable object (a split) ─┐
//!                                                                                  ├ Index::write: a numbered commit, by compare-and-swap
//! updates, deletes ─ ids looked up through the splits' filters ─▶ deletion bitsets ┘
//! request (search-query) ─ Index::reader: one commit ─▶ splits left after pruning ─ search ─▶ hits, aggregations
//! schedule ─ janitor: joins small splits, retention, garbage
//! ```
//!
//! 1. A [`split`] is one object: a tantivy segment's files, a footer with the small ranges that every open touches, a trailer.
//! 2. The [`manifest`] of an index is a `ledger::Head`: numbered commits with snapshots. Of two writers that race, one wins and the
//!    other looks again ([`Index::write`]).
//! 3. A document's version is its `_seq_no` = commit × 2²⁰ + ordinal in the commit. Splits never overlap in `_seq_no`, and documents
//!    stand in their split in its order: sorting by it and ranging on it costs nothing.
//! 4. [`search`] plans over the manifest, opens what is left, fetches what the query needs in two dependent reads, and a third for
//!    `_source`.
//!
//! Absent: HTTP, JSON request bodies (`search-query` reads them), AWS, clocks (`now` is given, epoch milliseconds).

mod catalog;
mod error;
mod index;
pub mod janitor;
pub mod manifest;
pub mod mapping;
mod name;
pub mod search;
pub mod split;
pub mod write;

pub use catalog::{Catalog, Options};
pub use error::Error;
pub use index::{Found, Index, Reader};
