//! Writing: operations in, one commit out.
//!
//! ```text
//! parts ─ batch ─▶ entries ─ attempt ─┬ sources taken before? (positions)
//!                                     ├ lookup: ids in the splits that there are
//!                                     ├ decide: what becomes of each operation; documents through the mapping into a split
//!                                     ├ upload: split, deletion bitsets, positions, snapshot if one is due
//!                                     └ commit; lost the race: from the top, doing again only what has changed
//! ```

mod attempt;
mod batch;
mod decide;
mod lookup;
mod partial;
mod upload;

use bytes::Bytes;
use ledger::{MAX_RACES, SourceId, StoreError, commit};

use crate::manifest::Settings;
use crate::{Error, Index};

use attempt::Attempt;
use batch::Batch;
pub use batch::MAX_OPS;
pub(crate) use lookup::Lookups;
pub(crate) use upload::put_deletes;

/// Where a document's `_id` comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentId {
    /// The client's: a document that has it already is replaced.
    Given(String),
    /// From the position in a source that the index remembers: nobody else has it, so it is not looked up.
    Source(String),
    /// None was given: a random one is made.
    Auto,
}

/// What a write demands of the document that is there (`if_seq_no`).
pub type IfSeqNo = Option<u64>;

/// An operation of a bulk.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Index a document, in place of one with its id.
    Index {
        /// Its id.
        id: DocumentId,
        /// The JSON object.
        source: Bytes,
        /// Only if the copy that is there has this `_seq_no`.
        if_seq_no: IfSeqNo,
    },
    /// Index a document unless its id is taken.
    Create {
        /// Its id.
        id: DocumentId,
        /// The JSON object.
        source: Bytes,
    },
    /// Change a document.
    Update {
        /// Its id.
        id: String,
        /// Merged into the copy that is there.
        doc: Bytes,
        /// What is indexed when there is none (`upsert`, or `doc` itself with `doc_as_upsert`).
        upsert: Option<Bytes>,
        /// Only if the copy that is there has this `_seq_no`.
        if_seq_no: IfSeqNo,
    },
    /// Delete a document.
    Delete {
        /// Its id.
        id: String,
        /// Only if the copy that is there has this `_seq_no`.
        if_seq_no: IfSeqNo,
    },
}

/// Operations that are committed together; those of one source once.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The source and its time (epoch ms): if the index has taken it, nothing of this part is done.
    pub source: Option<(SourceId, i64)>,
    /// In order.
    pub ops: Vec<Op>,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was none with this id.
    Created,
    /// There was one.
    Updated,
    /// It is gone.
    Deleted,
    /// There was none to delete.
    NotFound,
    /// An update that changes nothing.
    Noop,
}

/// An operation that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// `_id`.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
    /// `_seq_no`.
    pub seq_no: u64,
    /// `_version`.
    pub version: u64,
}

/// An operation that was refused; the others of its batch are not touched by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// `_id`, if it had one.
    pub id: Option<String>,
    /// Elasticsearch's `error.type`: `document_parsing_exception`, `version_conflict_engine_exception`,
    /// `document_missing_exception`, …
    pub kind: &'static str,
    /// `error.reason`.
    pub reason: String,
    /// HTTP status.
    pub status: u16,
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Carried out, operation by operation.
    Now(Vec<Result<Done, Refused>>),
    /// Its source was taken by an earlier commit.
    Before,
    /// Its source is too old to know whether it was taken.
    Stale,
}

impl Index {
    /// Carries out the parts in order, in one commit; in more if they have more than [`MAX_OPS`] operations. An index that does not
    /// exist is created with `defaults` and dynamic mapping.
    ///
    /// What is decided from what is there (`create`, `if_seq_no`, updates, types of new fields) is decided again whenever another
    /// writer's commit comes first.
    pub async fn write(&self, parts: &[Part], defaults: &Settings, now: i64) -> Result<Vec<Taken>, Error> {
        let mut taken: Vec<Option<Taken>> = vec![None; parts.len()];
        for batch in Batch::of(parts)? {
            // Boxed: the futures of those who call this stay small.
            let of_pieces = Box::pin(self.write_together(&batch, defaults, now)).await?;
            for (piece, of_piece) in batch.pieces.iter().zip(of_pieces) {
                match (&mut taken[piece.part], of_piece) {
                    (Some(Taken::Now(results)), Taken::Now(more)) => results.extend(more),
                    (part, of_piece) => *part = Some(of_piece),
                }
            }
        }
        Ok(taken.into_iter().flatten().collect())
    }

    async fn write_together(&self, batch: &Batch<'_>, defaults: &Settings, now: i64) -> Result<Vec<Taken>, Error> {
        let mut attempt = Attempt::new(self, batch, defaults, now);
        for race in 1..=MAX_RACES {
            let view = self.view().await?;
            match attempt.run(&view).await {
                Ok(Some(taken)) => return Ok(taken),
                Ok(None) => {}
                // What this commit names was dropped and collected: this writer has slept, and the commit is not the last.
                Err(Error::Store(StoreError::NotFound { .. }))
                    if self.view().await?.head.etag() != view.head.etag() => {}
                Err(error) => return Err(error),
            }
            commit::jitter(race.min(4)).await;
        }
        Err(self.contended())
    }
}
