//! Reads what waits of a stream's shards.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{ObjectStore, StoreError};

use crate::merge::Lane;
use crate::places;
use crate::segment::Batch;
use crate::sequence::Sequence;
use crate::state::Shard;

/// Segments of a shard that one commit reads.
const MAX_SEGMENTS: usize = 16;

/// Bytes that one commit reads; at least one segment of each shard is.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A page of a listing (`ledger`'s store).
const PAGE: usize = 1000;

/// Keys that a shard's positions come before: digits do.
const AFTER_POSITIONS: &str = "~";

/// What waits of a stream.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Of each shard that the state knows, or of which something waits.
    pub lanes: BTreeMap<String, Lane>,
    /// Segments behind where the head stands: shard and position. They are to be collected.
    pub stale: Vec<(String, String)>,
}

/// Reads what waits of a stream, as seen under a head that knows these shards.
pub async fn read(
    store: &Arc<dyn ObjectStore>,
    application: &str,
    stream: &str,
    shards: &BTreeMap<String, Shard>,
) -> Result<Waiting, StoreError> {
    let mut waiting = Waiting::default();
    let mut listed = list(store, &places::stream_prefix(application, stream)).await?;
    for name in shards.keys() {
        listed.entry(name.clone()).or_insert_with(|| Listed { positions: Vec::new(), complete: true });
    }
    let share = MAX_BYTES / listed.len().max(1);
    for (name, listed) in listed {
        let mut follows = shards.get(&name).map(|shard| shard.end.clone()).unwrap_or_default();
        let segments = places::shard(store, application, stream, &name);
        let mut lane = Lane { batches: Vec::new(), complete: listed.complete, ahead: None };
        let mut bytes = 0;
        for position in listed.positions {
            match Sequence::from_position(&position) {
                Some(at) if at < follows && lane.batches.is_empty() => {
                    waiting.stale.push((name.clone(), position));
                    continue;
                }
                // Of a chain that was never taken up: it falls behind in time.
                Some(at) if at != follows => continue,
                Some(_) => {}
                None => continue,
            }
            if lane.batches.len() >= MAX_SEGMENTS || bytes >= share {
                lane.complete = false;
                break;
            }
            let Some(segment) = segments.read(&position).await? else {
                // Folded meanwhile: this commit will be lost.
                lane.complete = false;
                break;
            };
            bytes += segment.payload.len();
            let batch = Batch::decode(&segment.payload).map_err(|error| StoreError::Other {
                key: format!("{}{name}/{position}", places::stream_prefix(application, stream)),
                reason: error.to_string(),
            })?;
            follows = batch.header.end.clone();
            lane.batches.push(batch);
        }
        waiting.lanes.insert(name, lane);
    }
    Ok(waiting)
}

struct Listed {
    positions: Vec<String>,
    complete: bool,
}

/// Positions by shard, in their order; of a shard with very many, the first.
async fn list(store: &Arc<dyn ObjectStore>, prefix: &str) -> Result<BTreeMap<String, Listed>, StoreError> {
    let mut found: BTreeMap<String, Listed> = BTreeMap::new();
    let mut start_after: Option<String> = None;
    loop {
        let page = store.list(prefix, start_after.as_deref()).await?;
        let full = page.len() >= PAGE;
        let mut last = None;
        for meta in page {
            let Some((shard, position)) = meta.key[prefix.len()..].split_once('/') else { continue };
            let listed = found.entry(shard.to_owned());
            let listed = listed.or_insert_with(|| Listed { positions: Vec::new(), complete: true });
            listed.positions.push(position.to_owned());
            last = Some(shard.to_owned());
        }
        match last {
            Some(shard) if full => {
                start_after = Some(format!("{prefix}{shard}/{AFTER_POSITIONS}"));
                if let Some(listed) = found.get_mut(&shard) {
                    listed.complete = false;
                }
            }
            _ => return Ok(found),
        }
    }
}
