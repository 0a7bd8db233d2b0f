//! A batch of a shard becomes a segment of its chain: that write is its commit.
//!
//! A segment lies under the sequence number that it follows and says where it ends, so a shard's segments are a chain that begins
//! where the head stands. A batch that comes again may have other bounds (bisected, partly failed, taken by one who was thought
//! dead): records up to the end of the chain are dropped first. The chain counts only as seen under one head: a segment that was
//! folded and collected can be written again by one who is late, so the head is read again afterwards, and if it has moved,
//! everything is looked at anew.

use std::sync::Arc;

use ledger::{Append, Head, HeadError, ObjectStore, Segments, StoreError};

use crate::places;
use crate::segment::{Batch, Header, MAX_HEADER_BYTES, Malformed, Record};
use crate::sequence::Sequence;
use crate::state::State;

/// Segments of a shard that may wait. Beyond, batches are refused and come again: the function is far behind, and the mapping's
/// IteratorAge says so.
pub const MAX_WAITING: usize = 64;

/// How often a batch is tried while others move the head.
const MAX_TURNS: usize = 32;

/// Why a batch was not committed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ChainError {
    #[error(transparent)]
    Head(#[from] HeadError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{shard}: segment after {follows}: {source}")]
    Malformed { shard: String, follows: Sequence, source: Malformed },
    #[error("{shard}: {MAX_WAITING} batches wait to be folded")]
    Full { shard: String },
    #[error("{shard}: the head moved {MAX_TURNS} times")]
    Contended { shard: String },
}

/// A record that is to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Where it stands.
    pub sequence: Sequence,
    /// `None`: it can never be read, and its report is written.
    pub record: Option<Record>,
}

/// The chain of a shard, for one application.
pub struct Chain {
    head: Head<State>,
    segments: Segments,
    stream: String,
    shard: String,
    with_origin: bool,
}

impl Chain {
    /// Of this shard. Where its records were is kept `with_origin`.
    pub fn new(store: &Arc<dyn ObjectStore>, application: &str, stream: &str, shard: &str, with_origin: bool) -> Chain {
        Chain {
            with_origin,
            head: places::head(store, application),
            segments: places::shard(store, application, stream, shard),
            stream: stream.to_owned(),
            shard: shard.to_owned(),
        }
    }

    /// Commits records, ascending; those in the chain already are dropped.
    pub async fn append(&self, arrived: &[Arrived]) -> Result<(), ChainError> {
        let Some(last) = arrived.last().map(|arrived| &arrived.sequence) else { return Ok(()) };
        let mut folded = self.folded().await?;
        for _ in 0..MAX_TURNS {
            let end = self.end(folded.clone()).await?;
            let new = &arrived[arrived.partition_point(|arrived| arrived.sequence <= end)..];
            let there = match new.is_empty() {
                true => true,
                false => {
                    self.segments.append(&end.position(), &self.batch(new, last).encode()).await? == Append::Written
                }
            };
            let now = self.folded().await?;
            if there && now == folded || now >= *last {
                return Ok(());
            }
            folded = now;
        }
        Err(ChainError::Contended { shard: self.shard.clone() })
    }

    /// Where the head stands.
    async fn folded(&self) -> Result<Sequence, ChainError> {
        let state = self.head.load().await?.state;
        let shard = state.streams.get(&self.stream).and_then(|shards| shards.get(&self.shard));
        Ok(shard.map(|shard| shard.end.clone()).unwrap_or_default())
    }

    /// From where the head stands, segment after segment.
    async fn end(&self, mut end: Sequence) -> Result<Sequence, ChainError> {
        for _ in 0..MAX_WAITING {
            let Some(beginning) = self.segments.beginning(&end.position(), MAX_HEADER_BYTES).await? else {
                return Ok(end);
            };
            let malformed = |source| ChainError::Malformed { shard: self.shard.clone(), follows: end.clone(), source };
            end = Header::read(&beginning).map_err(malformed)?.end;
        }
        Err(ChainError::Full { shard: self.shard.clone() })
    }

    fn batch(&self, arrived: &[Arrived], end: &Sequence) -> Batch {
        let kept = |mut record: Record| {
            record.origin = record.origin.filter(|_| self.with_origin);
            record
        };
        let records: Vec<Record> = arrived.iter().filter_map(|arrived| arrived.record.clone()).map(kept).collect();
        let poison = (arrived.len() - records.len()) as u64;
        Batch { header: Header { end: end.clone(), poison }, records }
    }
}
