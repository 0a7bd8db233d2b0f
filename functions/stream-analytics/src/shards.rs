//! Takes what waits of a Kinesis stream's shards, and on a tick looks past their ends.

use std::collections::BTreeMap;

use lambda::Error;
use lambda::rules::RuleListing;

use crate::fold::{Fold, Stop};
use crate::folding::{Call, Folder, Taken};
use crate::lanes::{self, Waiting};
use crate::merge::{self, Ahead, Lane};
use crate::outside::{From, Outside};
use crate::places;
use crate::segment::Batch;
use crate::sequence::Sequence;
use crate::state::{Shard, State};

/// A shard whose next record has been waiting for this long (ms) is stalled: a batch is retried within it several times.
const STALL_MS: i64 = 120_000;

/// Takes what the other shards let.
pub(crate) async fn take<O: Outside, S: RuleListing>(
    folder: &Folder<O, S>,
    stream: &str,
    fold: &mut Fold<'_>,
    call: Call,
) -> Result<Taken, Error> {
    let name = fold.application().name();
    let before = fold.state.streams.entry(stream.to_owned()).or_default().clone();
    let Waiting { mut lanes, stale } = lanes::read(&folder.index, name, stream, &before).await?;
    let known = !before.is_empty() && lanes.keys().all(|shard| before.contains_key(shard));
    let listed = (call.tick || !known) && enlist(folder, stream, fold.state, &mut lanes).await?;
    let mut taken = Taken::default();
    if call.tick {
        taken.stalled = look_ahead(folder, stream, fold.state, &mut lanes, call.now).await;
    }
    let merged = merge::merge(fold, stream, &lanes, call.now);
    taken.changed = merged.changed || listed;
    taken.stop = merged.stop;
    taken.more = merged.stop == Some(Stop::Rows) || merged.changed && lanes.values().any(|lane| !lane.complete);
    let now = &fold.state.streams[stream];
    for (shard, position) in stale.into_iter().chain(finished(&before, now, &lanes)) {
        taken.finished.push((places::shard(&folder.index, name, stream, &shard), position));
    }
    Ok(taken)
}

/// The stream's shards into the state: one that has said nothing yet holds the watermark back too. Forgets those that are over and
/// gone from the stream. Whether anything changed.
async fn enlist<O: Outside, S: RuleListing>(
    folder: &Folder<O, S>,
    stream: &str,
    state: &mut State,
    lanes: &mut BTreeMap<String, Lane>,
) -> Result<bool, Error> {
    let there = folder.outside.shards(stream).await.map_err(|error| format!("shards of {stream}: {error}"))?;
    let shards = state.streams.entry(stream.to_owned()).or_default();
    let before = shards.clone();
    shards.retain(|name, shard| {
        let waits = lanes.get(name).is_some_and(|lane| !lane.batches.is_empty() || !lane.complete);
        !shard.ended || waits || there.contains(name)
    });
    lanes.retain(|name, lane| shards.contains_key(name) || !lane.batches.is_empty() || !lane.complete);
    for name in there {
        shards.entry(name.clone()).or_default();
        lanes.entry(name).or_insert_with(|| Lane { complete: true, ..Lane::default() });
    }
    Ok(*shards != before)
}

/// Reads one record past the end of each shard that may be silent. Why the watermark must wait, if it must.
async fn look_ahead<O: Outside, S: RuleListing>(
    folder: &Folder<O, S>,
    stream: &str,
    state: &State,
    lanes: &mut BTreeMap<String, Lane>,
    now: i64,
) -> Option<String> {
    let none = BTreeMap::new();
    let shards = state.streams.get(stream).unwrap_or(&none);
    let mut stalled = None;
    for (name, lane) in lanes.iter_mut().filter(|(_, lane)| lane.complete) {
        let shard = shards.get(name);
        let latest = lane.batches.iter().flat_map(|batch| &batch.records).map(|record| record.arrival).max();
        if shard.is_some_and(|shard| shard.ended && lane.batches.is_empty()) || latest.is_some_and(|at| at >= now) {
            continue;
        }
        let from = from(shard, &lane.batches, state.since);
        let ahead = folder.outside.ahead(stream, name, &from).await;
        match &ahead {
            Ok(Ahead::Record(arrival)) if now - arrival > STALL_MS => {
                stalled =
                    Some(format!("{stream}/{name}: a record of {} s ago is not committed yet", (now - arrival) / 1000));
            }
            Ok(Ahead::Behind) => stalled = Some(format!("{stream}/{name}: its end could not be reached")),
            Err(error) => stalled = Some(format!("{stream}/{name}: {error}")),
            Ok(_) => {}
        }
        lane.ahead = Some(ahead.unwrap_or(Ahead::Behind));
    }
    stalled
}

/// After the last record that is committed. Of a shard that the application has taken nothing of since it has been running, what
/// came before is not its business: the mapping may have passed it by.
fn from(shard: Option<&Shard>, batches: &[Batch], since: i64) -> From {
    let end = merge::chain_end(shard, batches);
    let passed_by = batches.is_empty() && shard.is_none_or(|shard| shard.paused);
    if passed_by || *end == Sequence::START { From::At(since) } else { From::After(end.clone()) }
}

/// Segments that were folded as a whole: shard and position.
fn finished(
    before: &BTreeMap<String, Shard>,
    now: &BTreeMap<String, Shard>,
    lanes: &BTreeMap<String, Lane>,
) -> Vec<(String, String)> {
    let mut finished = Vec::new();
    for (name, lane) in lanes {
        let mut follows = before.get(name).map(|shard| shard.end.clone()).unwrap_or_default();
        let Some(end) = now.get(name).map(|shard| &shard.end) else { continue };
        for batch in &lane.batches {
            if batch.header.end > *end {
                break;
            }
            finished.push((name.clone(), follows.position()));
            follows = batch.header.end.clone();
        }
    }
    finished
}
