//! The shards of a Kinesis stream as one stream.
//!
//! A row is folded when every other shard has got as far: its next row is not earlier, or it has none, and nothing earlier can
//! come. So rows go in ROWTIME order, those of one ROWTIME in the order of their shards' names, however they came in batches; and the
//! watermark is where the shard stands that is furthest behind.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use stream_sql::Origin;

use crate::fold::{Fold, Stop};
use crate::line;
use crate::segment::Batch;
use crate::sequence::Sequence;
use crate::state::Shard;

/// What waits of a shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// Batches in the order of the chain, from where the state stands.
    pub batches: Vec<Batch>,
    /// No more wait than these.
    pub complete: bool,
    /// What a look past the end of `batches` has shown.
    pub ahead: Option<Ahead>,
}

/// What comes after a shard's last committed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Nothing, up to now: the shard is idle.
    Nothing,
    /// Nothing, ever: the shard is closed.
    Closed,
    /// A record that arrived at this time and is not committed yet.
    Record(i64),
    /// There is something, and it could not be reached.
    Behind,
}

/// What a merge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Whether anything of the state has changed.
    pub changed: bool,
    /// Why it ended before its input did.
    pub stop: Option<Stop>,
}

/// A shard's part in the merge.
struct Cursor<'a> {
    /// The shard's id.
    name: &'a str,
    shard: Shard,
    lane: &'a Lane,
    /// The next batch.
    batch: usize,
    /// Poison of the batches that were passed over.
    poison: u64,
}

impl Cursor<'_> {
    /// Passes over ends of batches; the ROWTIME of the next row if the watermark lets it.
    fn next(&mut self) -> Option<i64> {
        while let Some(batch) = self.lane.batches.get(self.batch) {
            if let Some(record) = batch.records.get(self.shard.taken) {
                return Some(self.shard.last.max(record.arrival));
            }
            self.poison += batch.header.poison;
            self.shard.end = batch.header.end.clone();
            self.shard.taken = 0;
            self.batch += 1;
        }
        None
    }

    /// Where the shard stands when no row of it waits: none earlier will come.
    fn bound(&self) -> i64 {
        self.shard.last.max(self.shard.bound)
    }

    /// Closed, and all of it folded.
    fn is_over(&self) -> bool {
        self.shard.ended && self.lane.complete
    }
}

/// Folds what can be folded of a stream's lanes. `now` is the time of the tick that looked ahead.
pub fn merge(fold: &mut Fold<'_>, stream: &str, lanes: &BTreeMap<String, Lane>, now: i64) -> Merged {
    let before = fold.state.streams.get(stream).cloned().unwrap_or_default();
    let watermark = fold.state.watermark;
    let mut cursors: Vec<Cursor<'_>> = lanes
        .iter()
        .map(|(name, lane)| cursor(name, before.get(name).cloned().unwrap_or_default(), lane, now))
        .collect();
    let stop = rows(fold, &mut cursors);
    if stop != Some(Stop::Outbox)
        && let Some(standing) = standing(&mut cursors)
    {
        fold.bound(standing);
    }
    let mut shards = before.clone();
    for (name, cursor) in lanes.keys().zip(cursors) {
        fold.state.counters.poison += cursor.poison;
        shards.insert(name.clone(), cursor.shard);
    }
    let changed = shards != before || fold.state.watermark != watermark;
    fold.state.streams.insert(stream.to_owned(), shards);
    Merged { changed, stop }
}

fn cursor<'a>(name: &'a str, mut shard: Shard, lane: &'a Lane, now: i64) -> Cursor<'a> {
    match lane.ahead {
        Some(Ahead::Nothing) => shard.bound = shard.bound.max(now),
        Some(Ahead::Record(arrival)) => shard.bound = shard.bound.max(arrival.min(now)),
        Some(Ahead::Closed) => shard.ended = true,
        Some(Ahead::Behind) | None => {}
    }
    if !lane.batches.is_empty() {
        shard.paused = false;
    }
    Cursor { name, shard, lane, batch: 0, poison: 0 }
}

fn rows(fold: &mut Fold<'_>, cursors: &mut [Cursor<'_>]) -> Option<Stop> {
    // The next row of each lane that has one, and the earliest that the others may still bring.
    let mut next: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::with_capacity(cursors.len());
    let mut horizon = (i64::MAX, 0);
    for (index, cursor) in cursors.iter_mut().enumerate() {
        match cursor.next() {
            Some(rowtime) => next.push(Reverse((rowtime, index))),
            None if cursor.is_over() => {}
            None => horizon = horizon.min((cursor.bound(), index)),
        }
    }
    while let Some(Reverse((rowtime, index))) = next.pop() {
        if (rowtime, index) > horizon {
            return None;
        }
        if let Some(stop) = fold.stop() {
            return Some(stop);
        }
        let cursor = &mut cursors[index];
        record(fold, cursor, rowtime);
        match cursor.next() {
            Some(rowtime) => next.push(Reverse((rowtime, index))),
            None if cursor.is_over() => {}
            None => horizon = horizon.min((cursor.bound(), index)),
        }
    }
    None
}

/// Takes the next record of a lane, all its rows.
fn record(fold: &mut Fold<'_>, cursor: &mut Cursor<'_>, rowtime: i64) {
    let batch = &cursor.lane.batches[cursor.batch];
    let record = &batch.records[cursor.shard.taken];
    let origin = record.origin.as_ref().map(|origin| Origin {
        partition_key: &origin.partition_key,
        sequence_number: &origin.sequence,
        shard_id: cursor.name,
    });
    let mut last = rowtime;
    if fold.application().is_json() {
        line::values(&record.data, |value| last = fold.line(rowtime, record.arrival, origin, value));
    } else {
        last = fold.line(rowtime, record.arrival, origin, &record.data);
    }
    cursor.shard.last = last;
    cursor.shard.taken += 1;
}

/// The time up to which every shard has got.
fn standing(cursors: &mut [Cursor<'_>]) -> Option<i64> {
    let of = |cursor: &mut Cursor<'_>| match cursor.next() {
        Some(rowtime) => Some(rowtime),
        None if cursor.is_over() => None,
        None => Some(cursor.bound()),
    };
    cursors.iter_mut().filter_map(of).min()
}

/// Where a chain ends: the state's end, or the last batch's.
pub fn chain_end<'a>(shard: Option<&'a Shard>, batches: &'a [Batch]) -> &'a Sequence {
    static START: Sequence = Sequence::START;
    batches.last().map(|batch| &batch.header.end).or(shard.map(|shard| &shard.end)).unwrap_or(&START)
}
