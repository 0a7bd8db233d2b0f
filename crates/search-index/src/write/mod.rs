//! Writing: operations in, one commit out.

use bytes::Bytes;
use ledger::SourceId;

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
