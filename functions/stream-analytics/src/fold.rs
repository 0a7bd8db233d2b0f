//! Rows into the state: what a commit changes, decided without a store or a clock.

use ledger::{Outbox, OutboxFull};
use stream_sql::{Event, Origin, OutputRow};

use crate::application::{Application, Stream};
use crate::engine::ERROR_STREAM;
use crate::failed::{self, Report};
use crate::line;
use crate::outgoing::Outgoing;
use crate::row::Identity;
use crate::rule::OutputFormat;
use crate::seen::LineId;
use crate::state::State;

/// Rows that one commit takes; the rest waits for the next one.
pub const MAX_ROWS: usize = 250_000;

/// Bytes of output rows that wait in the head, which is read and written with them: beyond, nothing is folded until the delivery
/// streams take some (back pressure: segments wait).
pub const MAX_OUTBOX_BYTES: usize = 4 * 1024 * 1024;

/// Effects that wait: well below what the ledger takes (10,000), so that one event's rows fit in any case.
const MAX_OUTBOX_EFFECTS: usize = 5_000;

/// Bytes of a row: a record of Firehose has at most 1,000 KiB, one of Kinesis 1 MiB with its key. A longer row is left out, counted
/// as an error and reported.
const MAX_ROW_BYTES: usize = 1_024_000;

/// Bytes of such a row that its report has: what DATA_ROW has of a failed one.
const MAX_REPORTED_BYTES: usize = 24 * 1024;

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
    /// Rows that are no effect yet.
    outgoing: Outgoing,
    out: Vec<OutputRow>,
    /// A row, as it is written.
    written: Vec<u8>,
    full: Option<Overflow>,
}

impl<'a> Fold<'a> {
    /// Into this state, which runs this application, and its outbox.
    pub fn new(application: &'a Application, state: &'a mut State, outbox: &'a mut Outbox) -> Fold<'a> {
        let identity = Identity::new(application.name(), application.version(), state.born);
        let waiting = outbox.waiting().iter().map(|effect| effect.payload.len()).sum();
        let outgoing = Outgoing::new(application.name());
        let (out, written) = (Vec::new(), Vec::new());
        Fold { application, state, outbox, identity, rows: 0, waiting, outgoing, out, written, full: None }
    }

    /// The application.
    pub fn application(&self) -> &'a Application {
        self.application
    }

    /// Whether no further row may be taken, and why.
    pub fn stop(&self) -> Option<Stop> {
        let effects = self.outbox.waiting().len() + self.outgoing.effects();
        if self.waiting >= MAX_OUTBOX_BYTES || effects >= MAX_OUTBOX_EFFECTS {
            return Some(Stop::Outbox);
        }
        (self.rows >= MAX_ROWS).then_some(Stop::Rows)
    }

    /// Takes a line that arrived at `arrival` and stands at `rowtime` (the last of its shard or its own arrival, whichever is
    /// later), of a record that came from `origin`; gives its ROWTIME.
    pub fn line(&mut self, rowtime: i64, arrival: i64, origin: Option<Origin<'_>>, line: &[u8]) -> i64 {
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
        self.event(Event::Record { source: 0, rowtime, arrival, origin, bytes: line });
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
        self.event(Event::End(self.state.watermark));
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
        let is_error = stream.name == ERROR_STREAM;
        if is_error {
            self.state.counters.errors += 1;
        }
        if stream.outputs.is_empty() && !is_error {
            return;
        }
        let id = self.identity.of(&stream.name, self.state.number(&stream.name));
        if stream.outputs.is_empty() {
            let failure = self.application.failure(row);
            self.report(row.rowtime, &id, &failure.reason, &failure.data);
        } else {
            self.send(stream, row, &id);
        }
    }

    /// A row of a stream that has outputs.
    fn send(&mut self, stream: &Stream, row: &OutputRow, id: &str) {
        for (destination, format) in &stream.outputs {
            let mut written = std::mem::take(&mut self.written);
            written.clear();
            match format {
                OutputFormat::Json => {
                    self.application.write_json(row, &mut written);
                    Identity::add(id, &mut written);
                }
                OutputFormat::Csv => self.application.write_csv(row, &mut written),
            }
            written.push(b'\n');
            if written.len() > MAX_ROW_BYTES {
                // No record can hold it: sent, it would be refused for ever.
                self.state.counters.errors += 1;
                let reason =
                    format!("a row of {} of {} bytes: expected at most {MAX_ROW_BYTES}", stream.name, written.len());
                self.report(row.rowtime, id, &reason, &written[..MAX_REPORTED_BYTES]);
            } else {
                let added = self.outgoing.add(destination, (row.rowtime, id), &written, self.outbox);
                self.note(added);
            }
            self.written = written;
        }
    }

    /// What nobody takes is to be found in the lake.
    fn report(&mut self, rowtime: i64, id: &str, reason: &str, data: &[u8]) {
        let source = self.application.name();
        let report = Report { source, position: id, arrival: rowtime, reason, raw_data: failed::raw(data) };
        let added = self.outgoing.report(rowtime, &report.line(), self.outbox);
        self.note(added);
    }

    fn note(&mut self, added: Result<usize, OutboxFull>) {
        match added {
            Ok(bytes) => self.waiting += bytes,
            Err(full) => self.full = Some(Overflow(full.to_string())),
        }
    }

    /// Everything is in the outbox. An error when one event's rows were more than it holds: then this fold must not be committed.
    pub fn finish(self, now: i64) -> Result<(), Overflow> {
        let finished = self.outgoing.finish(self.outbox).map_err(|full| Overflow(full.to_string()));
        self.state.now = self.state.now.max(now);
        let stream_time = self.state.watermark;
        self.state.counters.forgotten += self.state.seen.trim(stream_time) as u64;
        self.full.map_or(finished, Err)
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
        state.begin(&application, Default::default(), 5);
        let mut fold = Fold::new(&application, &mut state, &mut outbox);
        for length in lengths {
            fold.line(7, 7, None, format!("{{\"a\":\"{}\"}}", "x".repeat(*length)).as_bytes());
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
        // The last is its report.
        assert_eq!(effects.iter().map(|effect| effect.0).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!((state.counters.errors, state.counters.rows, state.outputs["D"], state.now), (1, 3, 3, 9));
    }

    #[test]
    fn a_row_is_raised_to_the_watermark_and_counted() {
        let application = application(1);
        let (mut state, mut outbox) = (State::default(), Outbox::default());
        state.begin(&application, Default::default(), 5);
        let mut fold = Fold::new(&application, &mut state, &mut outbox);
        assert_eq!(fold.line(10, 10, None, b"{}"), 10);
        fold.bound(20);
        assert_eq!(fold.line(15, 15, None, b"{}"), 20);
        assert_eq!(fold.line(25, 25, None, b"{}"), 25);
        assert_eq!((state.counters.raised, state.watermark), (1, 25));
    }

    #[test]
    fn rows_of_many_hours_stop_before_they_overflow() {
        let json = RULE.replace("firehose", "index").replace("\"f\"", "\"i\"").replace("VARCHAR(65535)", "INTEGER");
        let sql = "CREATE STREAM \"D\" (a INTEGER); CREATE PUMP \"P\" AS INSERT INTO \"D\"
            SELECT STREAM \"a\", TIMESTAMP '1970-01-01 00:00:00' + \"a\" * INTERVAL '1' HOUR AS ROWTIME FROM \"SOURCE_SQL_STREAM_001\";";
        let application = parse("x", &json, Some(sql)).unwrap().unwrap();
        let (mut state, mut outbox) = (State::default(), Outbox::default());
        state.begin(&application, Default::default(), 5);
        let mut fold = Fold::new(&application, &mut state, &mut outbox);
        let taken = (0..20_000).take_while(|hour| {
            fold.line(7, 7, None, format!("{{\"a\":{hour}}}").as_bytes());
            fold.stop().is_none()
        });
        assert_eq!(taken.count() + 1, MAX_OUTBOX_EFFECTS);
        assert_eq!(fold.stop(), Some(Stop::Outbox));
        fold.finish(9).unwrap();
        assert_eq!((outbox.waiting().len(), state.counters.errors), (MAX_OUTBOX_EFFECTS, 0));
    }

    #[test]
    fn a_full_outbox_stops() {
        let application = application(1);
        let (mut state, mut outbox) = (State::default(), Outbox::default());
        state.begin(&application, Default::default(), 5);
        outbox.push("f", "x".repeat(MAX_OUTBOX_BYTES)).unwrap();
        assert_eq!(Fold::new(&application, &mut state, &mut outbox).stop(), Some(Stop::Outbox));
    }
}
