//! Rows into the state: what a commit changes, decided without a store or a clock.

use std::collections::BTreeMap;

use ledger::Outbox;
use stream_sql::{Event, OutputRow};

use crate::application::Application;
use crate::engine::ERROR_STREAM;
use crate::line;
use crate::row::Identity;
use crate::seen::LineId;
use crate::state::State;

/// Rows that one commit takes; the rest waits for the next one.
pub const MAX_ROWS: usize = 250_000;

/// Bytes of output rows that wait in the head, which is read and written with them: beyond, nothing is folded until the delivery
/// streams take some (back pressure: segments wait).
pub const MAX_OUTBOX_BYTES: usize = 4 * 1024 * 1024;

/// Effects that wait: well below what the ledger takes (10,000), so that one event's rows fit in any case.
const MAX_OUTBOX_EFFECTS: usize = 5_000;

/// Rows of an effect, which is one record of a delivery stream.
pub const MAX_EFFECT_ROWS: usize = 500;

/// Bytes of an effect, but for one of a single row.
const MAX_EFFECT_BYTES: usize = 256 * 1024;

/// Bytes of a row: a record of Firehose has at most 1,000 KiB. A longer one is left out and counted as an error.
const MAX_ROW_BYTES: usize = 1_024_000;

/// Far in the future: the bound that closes every window (9999-12-31T23:59:59.999Z).
pub const END_OF_TIME: i64 = 253_402_300_799_999;

/// Why a fold ended before its input did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It took [`MAX_ROWS`].
    Rows,
    /// The outbox is full: its delivery streams do not take what is in it.
    Outbox,
}

/// One event's rows were more than the outbox holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rows of one event do not fit: {0}")]
pub struct Overflow(String);

/// Rows into a state, and what comes out of them into its outbox.
pub struct Fold<'a> {
    application: &'a Application,
    /// The state.
    pub state: &'a mut State,
    outbox: &'a mut Outbox,
    identity: Identity,
    rows: usize,
    /// Bytes in the outbox.
    waiting: usize,
    /// Lines that are no effect yet, by delivery stream.
    pending: BTreeMap<String, Pending>,
    out: Vec<OutputRow>,
    full: Option<Overflow>,
}

#[derive(Default)]
struct Pending {
    lines: Vec<u8>,
    rows: usize,
}

impl<'a> Fold<'a> {
    /// Into this state, which runs this application, and its outbox.
    pub fn new(application: &'a Application, state: &'a mut State, outbox: &'a mut Outbox) -> Fold<'a> {
        let identity = Identity::new(application.name(), application.version(), state.born);
        let waiting = outbox.waiting().iter().map(|effect| effect.payload.len()).sum();
        let (pending, out) = (BTreeMap::new(), Vec::new());
        Fold { application, state, outbox, identity, rows: 0, waiting, pending, out, full: None }
    }

    /// The application.
    pub fn application(&self) -> &'a Application {
        self.application
    }

    /// Whether no further row may be taken, and why.
    pub fn stop(&self) -> Option<Stop> {
        if self.waiting >= MAX_OUTBOX_BYTES || self.outbox.waiting().len() >= MAX_OUTBOX_EFFECTS {
            return Some(Stop::Outbox);
        }
        (self.rows >= MAX_ROWS).then_some(Stop::Rows)
    }

    /// Takes a line that arrived at `arrival` and stands at `rowtime` (the last of its shard or its own arrival, whichever is
    /// later); gives its ROWTIME.
    pub fn line(&mut self, rowtime: i64, arrival: i64, line: &[u8]) -> i64 {
        self.rows += 1;
        if rowtime < self.state.watermark {
            self.state.counters.raised += 1;
        }
        let rowtime = rowtime.max(self.state.watermark);
        self.state.watermark = rowtime;
        if let Some(field) = self.application.record_id_field()
            && let Some(id) = line::id(line, field)
            && let Some(id) = LineId::parse(&id)
            && self.state.seen.note(id, rowtime)
        {
            self.state.counters.repeats += 1;
            return rowtime;
        }
        self.state.counters.rows += 1;
        self.event(Event::Record { source: 0, rowtime, arrival, origin: None, bytes: line });
        rowtime
    }

    /// No earlier row will come.
    pub fn bound(&mut self, at: i64) {
        if at > self.state.watermark {
            self.state.watermark = at;
            self.event(Event::Bound(at));
        }
    }

    /// Closes all windows, as they are: the version ends here.
    pub fn close(&mut self) {
        self.event(Event::Bound(END_OF_TIME));
    }

    fn event(&mut self, event: Event<'_>) {
        let mut out = std::mem::take(&mut self.out);
        self.application.run(&mut self.state.engine, event, &mut out);
        for row in out.drain(..) {
            self.put(&row);
        }
        self.out = out;
    }

    fn put(&mut self, row: &OutputRow) {
        let Some(stream) = self.application.stream(row) else { return };
        if stream.name == ERROR_STREAM {
            self.state.counters.errors += 1;
        }
        for target in &stream.targets {
            let mut pending = self.pending.remove(target).unwrap_or_default();
            let start = pending.lines.len();
            self.application.write_json(row, &mut pending.lines);
            self.identity.add(&stream.name, self.state.outputs, &mut pending.lines);
            if pending.lines.len() - start > MAX_ROW_BYTES {
                // No record can hold it: sent, it would be refused for ever.
                pending.lines.truncate(start);
                self.state.counters.errors += 1;
            } else {
                self.waiting += pending.lines.len() - start;
                pending.rows += 1;
            }
            if pending.lines.len() > MAX_EFFECT_BYTES && start > 0 {
                let lines = pending.lines.split_off(start);
                self.push(target, std::mem::replace(&mut pending, Pending { lines, rows: 1 }));
            }
            if pending.rows >= MAX_EFFECT_ROWS {
                self.push(target, std::mem::take(&mut pending));
            }
            self.pending.insert(target.clone(), pending);
        }
        if !stream.targets.is_empty() {
            self.state.outputs += 1;
        }
    }

    fn push(&mut self, target: &str, pending: Pending) {
        // Values are text and JSON is UTF-8.
        let lines = String::from_utf8_lossy(&pending.lines).into_owned();
        if let Err(full) = self.outbox.push(target, lines) {
            self.full = Some(Overflow(full.to_string()));
        }
    }

    /// Everything is in the outbox. An error when one event's rows were more than it holds: then this fold must not be committed.
    pub fn finish(mut self, now: i64) -> Result<(), Overflow> {
        for (target, pending) in std::mem::take(&mut self.pending) {
            if pending.rows > 0 {
                self.push(&target, pending);
            }
        }
        self.state.now = self.state.now.max(now);
        let stream_time = self.state.watermark;
        self.state.counters.forgotten += self.state.seen.trim(stream_time) as u64;
        self.full.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::parse;

    const RULE: &str = r#"{"source": {"kinesis": "s"}, "inputSchema": {"RecordFormat": {"RecordFormatType": "JSON"},
        "RecordColumns": [{"Name": "a", "SqlType": "VARCHAR(65535)"}]},
        "outputs": [{"stream": "D", "firehose": "f", "format": "JSON"}]}"#;

    fn application(columns: usize) -> Application {
        let names = |what: &str| (0..columns).map(|n| what.replace('N', &n.to_string())).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "CREATE STREAM \"D\" ({}); CREATE PUMP \"P\" AS INSERT INTO \"D\" SELECT STREAM {} FROM \"SOURCE_SQL_STREAM_001\";",
            names("cN VARCHAR(65535)"),
            names("\"a\"")
        );
        parse("x", RULE, Some(&sql)).unwrap().unwrap()
    }

    /// Rows of this many bytes in each column; bytes of the effects.
    fn effects(columns: usize, lengths: &[usize]) -> (Vec<(usize, usize)>, State) {
        let application = application(columns);
        let (mut state, mut outbox) = (State::default(), Outbox::default());
        state.begin(&application, 5);
        let mut fold = Fold::new(&application, &mut state, &mut outbox);
        for length in lengths {
            fold.line(7, 7, format!("{{\"a\":\"{}\"}}", "x".repeat(*length)).as_bytes());
        }
        fold.finish(9).unwrap();
        let of = |effect: &ledger::Effect| (effect.payload.lines().count(), effect.payload.len() / 1024);
        (outbox.waiting().iter().map(of).collect(), state)
    }

    #[test]
    fn rows_share_effects() {
        assert_eq!(effects(1, &[10; 1_100]).0.iter().map(|effect| effect.0).collect::<Vec<_>>(), [500, 500, 100]);
        assert_eq!(effects(1, &[60_000; 6]).0, [(4, 234), (2, 117)]);
        // Each on its own, and one that no record holds.
        let (effects, state) = effects(16, &[60_000, 65_000, 60_000]);
        assert_eq!(effects.iter().map(|effect| effect.0).collect::<Vec<_>>(), [1, 1]);
        assert_eq!((state.counters.errors, state.counters.rows, state.outputs, state.now), (1, 3, 3, 9));
    }

    #[test]
    fn a_row_is_raised_to_the_watermark_and_counted() {
        let application = application(1);
        let (mut state, mut outbox) = (State::default(), Outbox::default());
        state.begin(&application, 5);
        let mut fold = Fold::new(&application, &mut state, &mut outbox);
        assert_eq!(fold.line(10, 10, b"{}"), 10);
        fold.bound(20);
        assert_eq!(fold.line(15, 15, b"{}"), 20);
        assert_eq!(fold.line(25, 25, b"{}"), 25);
        assert_eq!((state.counters.raised, state.watermark), (1, 25));
    }

    #[test]
    fn a_full_outbox_stops() {
        let application = application(1);
        let (mut state, mut outbox) = (State::default(), Outbox::default());
        state.begin(&application, 5);
        outbox.push("f", "x".repeat(MAX_OUTBOX_BYTES)).unwrap();
        assert_eq!(Fold::new(&application, &mut state, &mut outbox).stop(), Some(Stop::Outbox));
    }
}
