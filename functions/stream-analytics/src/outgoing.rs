//! Rows on their way into the outbox: gathered into effects that their receivers can take as they are.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ledger::{Outbox, OutboxFull};
use sha2::{Digest, Sha256};

use crate::records;
use crate::rule::Destination;
use crate::target::Target;

/// Rows of an effect that is a record of a delivery stream, or a part of a call to Kinesis (500 records).
pub const MAX_EFFECT_ROWS: usize = 500;

/// Bytes of such an effect, but for one of a single row.
const MAX_EFFECT_BYTES: usize = 256 * 1024;

/// Rows of an effect that is an object.
const MAX_OBJECT_ROWS: usize = 10_000;

/// Bytes of an effect that is an object, before compression: a quarter of what may wait.
const MAX_OBJECT_BYTES: usize = 1024 * 1024;

/// Where a row goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Route {
    Firehose(String),
    Kinesis(String),
    /// An index, in the hour of the row's own time.
    Index(String, i64),
    /// The reports, in the hour of the row's own time.
    Failed(i64),
}

/// Rows that are no effect yet.
#[derive(Debug)]
pub struct Outgoing {
    application: String,
    pending: BTreeMap<Route, Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    rows: usize,
}

const HOUR: i64 = 3_600_000;

impl Outgoing {
    /// Of this application.
    pub fn new(application: &str) -> Outgoing {
        Outgoing { application: application.to_owned(), pending: BTreeMap::new() }
    }

    /// How many effects it will be at least.
    pub fn effects(&self) -> usize {
        self.pending.len()
    }

    /// A row of this time and id, as it is to be written, for a destination; the bytes that it takes.
    pub fn add(
        &mut self,
        destination: &Destination,
        (rowtime, id): (i64, &str),
        row: &[u8],
        outbox: &mut Outbox,
    ) -> Result<usize, OutboxFull> {
        match destination {
            Destination::Firehose(name) => self.gather(Route::Firehose(name.clone()), row, outbox),
            Destination::Kinesis(name) => {
                let mut record = Vec::with_capacity(row.len() + 48);
                records::add(id, row, &mut record);
                self.gather(Route::Kinesis(name.clone()), &record, outbox)
            }
            Destination::Index(name) => self.gather(Route::Index(name.clone(), rowtime.div_euclid(HOUR)), row, outbox),
        }
    }

    /// A report on a row that failed at this time.
    pub fn report(&mut self, rowtime: i64, report: &[u8], outbox: &mut Outbox) -> Result<usize, OutboxFull> {
        self.gather(Route::Failed(rowtime.div_euclid(HOUR)), report, outbox)
    }

    fn gather(&mut self, route: Route, row: &[u8], outbox: &mut Outbox) -> Result<usize, OutboxFull> {
        let (max_rows, max_bytes) = match route {
            Route::Firehose(_) | Route::Kinesis(_) => (MAX_EFFECT_ROWS, MAX_EFFECT_BYTES),
            Route::Index(..) | Route::Failed(_) => (MAX_OBJECT_ROWS, MAX_OBJECT_BYTES),
        };
        let full = |pending: &Pending| {
            pending.rows >= max_rows || pending.rows > 0 && pending.bytes.len() + row.len() > max_bytes
        };
        let pending = self.pending.entry(route.clone()).or_default();
        let before = if full(pending) { std::mem::take(pending) } else { Pending::default() };
        pending.bytes.extend_from_slice(row);
        pending.rows += 1;
        self.push(&route, before, outbox)?;
        Ok(row.len())
    }

    /// Everything that was gathered.
    pub fn finish(mut self, outbox: &mut Outbox) -> Result<(), OutboxFull> {
        let pending = std::mem::take(&mut self.pending);
        pending.into_iter().try_for_each(|(route, pending)| self.push(&route, pending, outbox))
    }

    fn push(&self, route: &Route, pending: Pending, outbox: &mut Outbox) -> Result<(), OutboxFull> {
        if pending.rows == 0 {
            return Ok(());
        }
        // Values are text, JSON and CSV are UTF-8.
        let payload = String::from_utf8_lossy(&pending.bytes).into_owned();
        let application = &self.application;
        let key = match route {
            Route::Firehose(_) | Route::Kinesis(_) => String::new(),
            Route::Index(index, hour) => {
                let name = format!("stream-analytics-{application}-{}", batch_id(&payload));
                format!("inbox/{index}/{}/{name}.json.gz", folder(*hour))
            }
            Route::Failed(hour) => {
                let name = format!("{application}-rows-{}", batch_id(&payload));
                format!("failed/stream-analytics/{}/{name}.json", folder(*hour))
            }
        };
        let target = match route {
            Route::Firehose(name) => Target::Firehose(name),
            Route::Kinesis(name) => Target::Kinesis(name),
            Route::Index(..) | Route::Failed(_) => Target::Lake(&key),
        };
        outbox.push(&target.to_string(), payload).map(drop)
    }
}

/// `yyyy/mm/dd/hh` of an hour since 1970.
fn folder(hour: i64) -> String {
    let hour = Timestamp::from_millisecond(hour.saturating_mul(HOUR)).unwrap_or(Timestamp::UNIX_EPOCH);
    hour.to_zoned(TimeZone::UTC).strftime("%Y/%m/%d/%H").to_string()
}

/// Of the lines, which have ids that no other lines have: the same object is written under the same name.
fn batch_id(lines: &str) -> String {
    Sha256::digest(lines)[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects(rows: &[(Destination, i64, usize)]) -> Vec<(String, usize)> {
        let (mut outgoing, mut outbox) = (Outgoing::new("a"), Outbox::default());
        for (number, (destination, rowtime, length)) in rows.iter().enumerate() {
            let row = format!("{}\n", "x".repeat(*length));
            outgoing.add(destination, (*rowtime, &number.to_string()), row.as_bytes(), &mut outbox).unwrap();
        }
        outgoing.finish(&mut outbox).unwrap();
        let of = |effect: &ledger::Effect| {
            let end = effect.target.rfind('-').unwrap_or(effect.target.len());
            (effect.target[..end].to_owned(), effect.payload.len())
        };
        outbox.waiting().iter().map(of).collect()
    }

    #[test]
    fn rows_share_effects_by_destination_and_hour() {
        let (firehose, kinesis) = (Destination::Firehose("f".into()), Destination::Kinesis("k".into()));
        let index = Destination::Index("i".into());
        let rows =
            [(firehose, 5, 1), (kinesis, 5, 1), (index.clone(), HOUR, 1), (index.clone(), 5, 1), (index, HOUR + 1, 1)];
        let expected = [
            ("firehose:f", 2),
            ("kinesis:k", 6),
            ("lake:inbox/i/1970/01/01/00/stream-analytics-a", 2),
            ("lake:inbox/i/1970/01/01/01/stream-analytics-a", 4),
        ];
        assert_eq!(effects(&rows), expected.map(|(target, bytes)| (target.to_owned(), bytes)));
    }

    #[test]
    fn objects_are_larger_than_records() {
        let count = |destination: Destination, rows, length| effects(&vec![(destination, 0, length); rows]).len();
        assert_eq!(count(Destination::Firehose("f".into()), 1_100, 1), 3);
        assert_eq!(count(Destination::Index("i".into()), 1_100, 1), 1);
        assert_eq!(count(Destination::Kinesis("k".into()), 3, 200_000), 3);
        assert_eq!(count(Destination::Index("i".into()), 6, 200_000), 2);
    }
}
