//! A stream's mapping: each shard in order, its position moved on only after its records are done with; a shard's parents are
//! read to their end before it. `batch` gives what was read to the function.

mod batch;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::{AFTER_ERROR, is_stopped, until_stopped};
use crate::Ctx;
use crate::error::ApiError;
use crate::runtime::MAX_REQUEST;
use crate::services::kinesis::{self, Position, Shard};
use crate::services::lambda::{self, Mapping, Reached};
use crate::store::Wake;

/// Data of one read, bytes: what base64 makes 6 MB of.
const MAX_READ: usize = MAX_REQUEST / 4 * 3;

/// Runs until the mapping is to stop; the batches under way are ended first.
pub async fn run(ctx: Ctx, mapping: Arc<Mapping>, mut stopped: watch::Receiver<()>) {
    let mut readers: JoinSet<String> = JoinSet::new();
    let mut reading = HashSet::new();
    loop {
        match next_shards(&ctx, &mapping, &reading).await {
            Ok(shards) => {
                for (shard, from) in shards {
                    reading.insert(shard.clone());
                    let reader = Reader {
                        ctx: ctx.clone(),
                        mapping: mapping.clone(),
                        shard,
                        position: from,
                        stopped: stopped.clone(),
                    };
                    readers.spawn(reader.run());
                }
            }
            Err(error) => tracing::warn!(%error, stream = mapping.source_name(), "a stream's shards were not read"),
        }
        // A shard's children are looked for when it has been read to its end.
        tokio::select! {
            Some(ended) = readers.join_next() => match ended {
                Ok(shard) => drop(reading.remove(&shard)),
                Err(_) => { // a panic took the name with it: all are begun again
                    readers.shutdown().await;
                    reading.clear();
                }
            },
            () = sleep(AFTER_ERROR), if reading.is_empty() => {}
            () = until_stopped(&mut stopped) => break,
        }
    }
    while readers.join_next().await.is_some() {}
}

/// The shards that may be read now and are not yet, with the place to begin.
async fn next_shards(
    ctx: &Ctx,
    mapping: &Arc<Mapping>,
    reading: &HashSet<String>,
) -> Result<Vec<(String, Position)>, ApiError> {
    let (for_read, mapping) = (mapping.clone(), mapping.clone());
    let (shards, positions) = ctx
        .store
        .read(move |db| Ok((kinesis::shards(db, for_read.source_name())?, lambda::positions(db, &for_read.uuid)?)))
        .await?;
    let start = mapping.start_at.map_or(Position::TrimHorizon, Position::AtTimestamp);
    Ok(eligible(&shards, &positions, reading)
        .into_iter()
        .map(|shard| {
            let after = positions.iter().find_map(|(id, reached)| match reached {
                Reached::After(after) if id == shard => Some(Position::After(after.clone())),
                _ => None,
            });
            (shard.to_owned(), after.unwrap_or_else(|| start.clone()))
        })
        .collect())
}

/// Not read to the end, not being read, and no parent left to read.
fn eligible<'s>(shards: &'s [Shard], positions: &[(String, Reached)], reading: &HashSet<String>) -> Vec<&'s str> {
    let ended = |id: &str| positions.iter().any(|(known, reached)| known == id && *reached == Reached::End);
    let kept = |id: &str| shards.iter().any(|shard| shard.id == id);
    shards
        .iter()
        .filter(|shard| !ended(&shard.id) && !reading.contains(&shard.id))
        .filter(|shard| shard.parents.iter().all(|parent| ended(parent) || !kept(parent)))
        .map(|shard| shard.id.as_str())
        .collect()
}

struct Reader {
    ctx: Ctx,
    mapping: Arc<Mapping>,
    shard: String,
    position: Position,
    stopped: watch::Receiver<()>,
}

impl Reader {
    /// Reads the shard to its end, or until the mapping is to stop.
    async fn run(mut self) -> String {
        let mut put = self.ctx.store.watch(Wake::Stream(self.mapping.source_name().to_owned()));
        while !is_stopped(&self.stopped) {
            match self.step(&mut put).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, stream = self.mapping.source_name(), shard = self.shard, "a shard was not read");
                    self.pause(AFTER_ERROR).await;
                }
            }
        }
        self.shard
    }

    /// One batch, or a wait for it. True at the end of the shard.
    async fn step(&mut self, put: &mut watch::Receiver<()>) -> Result<bool, ApiError> {
        let window = Duration::from_secs(self.mapping.spec.maximum_batching_window_in_seconds.into());
        let mut opened = None;
        loop {
            put.borrow_and_update();
            let batch = self.read().await?;
            if batch.records.is_empty() && batch.ended {
                let (mapping, shard) = (self.mapping.clone(), self.shard.clone());
                self.ctx.store.write(move |tx| lambda::end_shard(tx, &mapping.uuid, &shard)).await?;
                return Ok(true);
            }
            // The window opens with the first record.
            if !batch.records.is_empty() {
                let over = *opened.get_or_insert_with(Instant::now) + window;
                let bytes: usize = batch.records.iter().map(|record| record.data.len()).sum();
                let full = batch.records.len() >= self.mapping.batch_size() || bytes >= MAX_READ || batch.ended;
                if full || Instant::now() >= over {
                    return self.process(batch.records).await.map(|()| false);
                }
            }
            tokio::select! {
                _ = put.changed() => {}
                () = sleep_until(opened.unwrap_or_else(Instant::now) + window), if opened.is_some() => {}
                () = until_stopped(&mut self.stopped) => return Ok(false),
            }
        }
    }

    async fn read(&self) -> Result<kinesis::Batch, ApiError> {
        let (mapping, shard, from) = (self.mapping.clone(), self.shard.clone(), self.position.clone());
        let read = move |db: &rusqlite::Connection| {
            kinesis::read(db, mapping.source_name(), &shard, &from, mapping.batch_size(), MAX_READ)
        };
        self.ctx.store.read(read).await
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            () = until_stopped(&mut self.stopped) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_before_children() {
        let shard = |id: &str, parents: &[&str]| Shard {
            id: id.into(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            closed: false,
        };
        let shards = [shard("0", &["gone"]), shard("1", &[]), shard("2", &["0"]), shard("3", &["1", "2"])];
        for (ended, reading, expected) in [
            (&[][..], &[][..], &["0", "1"][..]),
            (&[], &["0"], &["1"]),
            (&["0"], &["1"], &["2"]),
            (&["0", "2"], &["1"], &[]),
            (&["0", "1", "2"], &[], &["3"]),
            (&["0", "1", "2", "3"], &[], &[]),
        ] {
            let mut positions: Vec<_> = ended.iter().map(|id| ((*id).to_owned(), Reached::End)).collect();
            positions.push(("1".to_owned(), Reached::After("7".into())));
            let reading = reading.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(eligible(&shards, &positions, &reading), expected, "{ended:?} {reading:?}");
        }
    }
}
