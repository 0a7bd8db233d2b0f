//! What the head of an application holds.

use std::collections::BTreeMap;

use ledger::Positions;
use serde::{Deserialize, Serialize};
use stream_sql::PageId;

use crate::application::{Application, Definition};
use crate::seen::Seen;
use crate::sequence::Sequence;
use crate::tables::Copies;

/// The state of an application, replaced by compare-and-swap together with its outbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The version that runs: its rule and its statements, so that what waits is folded with the old text when they change.
    pub definition: Option<Definition>,
    /// What the engine remembers of that version.
    pub engine: stream_sql::State,
    /// The copies of its reference tables, by name: what was in them when it began.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: Copies,
    /// Pages that the engine's state names, and the number of the head that each was built on: part of its key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<PageId, u64>,
    /// Time of the first commit: keeps ids of rows apart when a state was thrown away.
    pub born: i64,
    /// Time of the commit since which the application has been running without a pause.
    pub since: i64,
    /// The largest `now` of any commit.
    pub now: i64,
    /// No row of the source will be earlier (epoch ms).
    pub watermark: i64,
    /// Rows put out so far by each in-application stream, by all versions: part of a row's `_id`. Each stream counts for itself: what
    /// two put out between two rows comes in another order when time passes in other steps.
    pub outputs: BTreeMap<String, u64>,
    /// Kinesis stream → shard → how far it was folded.
    pub streams: BTreeMap<String, BTreeMap<String, Shard>>,
    /// Lake objects that were folded.
    pub lake: Lake,
    /// Line ids that were counted.
    pub seen: Seen,
    /// What happened so far.
    pub counters: Counters,
}

/// How far a shard was folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// The end of the last batch that was folded as a whole: the next one follows it.
    pub end: Sequence,
    /// Records of the next batch that were folded already.
    pub taken: usize,
    /// ROWTIME of the last row.
    pub last: i64,
    /// No later row will be earlier, as a look past its end has shown.
    pub bound: i64,
    /// It is closed, and everything in it is committed.
    pub ended: bool,
    /// Folded before a pause of the application: what came in the pause passed by.
    pub paused: bool,
}

/// Lake objects that were folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lake {
    /// Those of the last fifteen days.
    pub positions: Positions,
    /// One that was too large for one commit: the position of its segment, and its lines so far.
    pub current: Option<(String, u64)>,
}

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Rows that the engine took.
    pub rows: u64,
    /// Lines that were dropped as repeats.
    pub repeats: u64,
    /// Rows whose ROWTIME was raised to the watermark.
    pub raised: u64,
    /// Records and objects that can never be read.
    pub poison: u64,
    /// Rows that the engine could not work with (its `error_stream`).
    pub errors: u64,
    /// Objects older than positions are kept.
    pub stale: u64,
    /// Pieces of files whose ids were forgotten before their time.
    pub forgotten: u64,
}

impl State {
    /// Hash of the rule and the statements that run.
    pub fn version(&self) -> Option<&str> {
        self.definition.as_ref().map(|definition| definition.version.as_str())
    }

    /// The number of a stream's next row.
    pub fn number(&mut self, stream: &str) -> u64 {
        if !self.outputs.contains_key(stream) {
            self.outputs.insert(stream.to_owned(), 0);
        }
        let number = self.outputs.get_mut(stream);
        number.map_or(0, |number| std::mem::replace(number, *number + 1))
    }

    /// A new version begins, with these copies of its tables: empty, at the same positions.
    pub fn begin(&mut self, application: &Application, tables: Copies, now: i64) {
        if self.definition.is_none() {
            self.since = now;
            self.streams.values_mut().flat_map(BTreeMap::values_mut).for_each(|shard| shard.paused = true);
        }
        if self.born == 0 {
            self.born = now;
        }
        // Ids of another field say nothing about these.
        if self.definition.as_ref().is_some_and(|old| old.record_id_field() != application.record_id_field()) {
            self.seen = Seen::default();
        }
        self.tables = tables;
        self.engine = application.start();
        self.definition = Some(application.definition().clone());
    }

    /// Nothing runs any more; where it stood is kept.
    pub fn stop(&mut self) {
        self.definition = None;
        self.tables = Copies::new();
        self.engine = stream_sql::State::default();
    }
}
