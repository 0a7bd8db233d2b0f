//! Immutable batches under their source position: writing one is its commit, and a replay finds it there.
//!
//! A writer of a chain (each segment under the position it follows) reads the end of the chain before every batch: the head's,
//! then segment after segment. What an append answers does not replace that: a segment that was folded and collected can be
//! written again by one who is late, and only the head knows that it does not count.

use std::sync::Arc;

use bytes::Bytes;

use crate::commit::{self, CommitId, Outcome};
use crate::store::{ObjectStore, Precondition, StoreError};

/// A batch that was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The position in its source, as its writer gave it.
    pub position: String,
    /// What it holds.
    pub payload: Bytes,
}

/// What became of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Append {
    /// Written now, by this call.
    Written,
    /// Written before: a replay, or another who took the same position.
    Present(Segment),
    /// Written before, folded and collected since.
    Collected,
}

/// The segments under one prefix.
#[derive(Clone)]
pub struct Segments {
    store: Arc<dyn ObjectStore>,
    prefix: String,
}

impl Segments {
    /// Under `prefix`, which ends in `/`.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Segments {
        Segments { store, prefix: prefix.to_owned() }
    }

    fn key(&self, position: &str) -> String {
        format!("{}{position}", self.prefix)
    }

    /// Appends a batch. For a source that can be read again with other bounds (Kinesis), the position is the one the batch
    /// *follows*, and its end is in the payload; else it is the identity of the batch.
    pub async fn append(&self, position: &str, payload: &[u8]) -> Result<Append, StoreError> {
        let (key, id) = (self.key(position), CommitId::random());
        match commit::put(&*self.store, &key, &id, payload, &Precondition::Absent).await? {
            Outcome::Written(_) => Ok(Append::Written),
            Outcome::Lost(there) => {
                Ok(Append::Present(Segment { position: position.to_owned(), payload: there.payload }))
            }
            Outcome::Gone => Ok(Append::Collected),
        }
    }

    /// Positions after `start_after` in the order of their bytes, one page of them.
    pub async fn list(&self, start_after: Option<&str>) -> Result<Vec<String>, StoreError> {
        let start = start_after.map(|position| self.key(position));
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.list(&self.prefix, start.as_deref()).await {
                Ok(page) => {
                    return Ok(page.into_iter().map(|meta| meta.key[self.prefix.len()..].to_owned()).collect());
                }
                Err(error) => commit::retry(error, tries).await?,
            }
        }
    }

    /// Reads a segment; `None` if it is not there (any more).
    pub async fn read(&self, position: &str) -> Result<Option<Segment>, StoreError> {
        match commit::read(&*self.store, &self.key(position)).await {
            Ok(there) => Ok(Some(Segment { position: position.to_owned(), payload: there.payload })),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the beginning of a segment, at most so many bytes; `None` if it is not there (any more).
    pub async fn beginning(&self, position: &str, bytes: usize) -> Result<Option<Bytes>, StoreError> {
        match commit::read_beginning(&*self.store, &self.key(position), bytes).await {
            Ok(there) => Ok(Some(there.payload)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deletes a segment that the head has taken in, or never will.
    pub async fn collect(&self, position: &str) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.delete(&self.key(position)).await {
                Ok(()) => return Ok(()),
                Err(error) => commit::retry(error, tries).await?,
            }
        }
    }
}
