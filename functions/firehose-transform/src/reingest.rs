//! Records that go round again, because their answer had no room for them.
//!
//! A record is put back where it came from with a header line before its data: when it first arrived (that stays its
//! `@ingested`) and how often it went round. Firehose cannot tell it from a new record; we can.

use std::time::Duration;

use crate::{
    sink::{Sink, Target},
    subscription::is_gzip,
};

/// How often a record goes round before it is given up. Each round answers 6 MB of its batch, so a second round is rare already.
pub const MAX_ROUNDS: u32 = 10;
/// Attempts at one put, whole or in part. The SDK's own retries of a failed call come on top.
pub const MAX_PUTS: u32 = 5;
/// Wait after the first failed put; it doubles each time, 1.5 s in all: well inside the function's time-out.
pub const FIRST_BACKOFF: Duration = Duration::from_millis(100);

const MARK: &str = "#logmill-reingested";

/// What the header line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Epoch milliseconds of the first arrival.
    pub arrival: i64,
    /// How often the record went round: 0 for one that did not.
    pub rounds: u32,
}

impl Header {
    /// Reads the header off `data` that arrived at `arrival`, or makes the one of a new record. A header that claims a later or no
    /// arrival, or no round, is not ours but a line.
    pub fn read(data: &[u8], arrival: i64) -> (Header, &[u8]) {
        Header::parse(data)
            .filter(|(header, _)| (1..=arrival).contains(&header.arrival) && header.rounds > 0)
            .unwrap_or((Header { arrival, rounds: 0 }, data))
    }

    fn parse(data: &[u8]) -> Option<(Header, &[u8])> {
        let rest = data.strip_prefix(MARK.as_bytes())?.strip_prefix(b" ")?;
        let end = memchr::memchr(b'\n', rest)?;
        let (arrival, rounds) = std::str::from_utf8(&rest[..end]).ok()?.split_once(' ')?;
        Some((Header { arrival: arrival.parse().ok()?, rounds: rounds.parse().ok()? }, &rest[end + 1..]))
    }

    /// The next round of `data`, as one record or, where it has no room for the header, as several of whole lines. A part that
    /// cannot be cut (gzip, one long line) stays above `most` bytes.
    pub fn next_round(self, data: &[u8], most: usize) -> Vec<Vec<u8>> {
        let line = format!("{MARK} {} {}\n", self.arrival, self.rounds + 1).into_bytes();
        let room = most.saturating_sub(line.len());
        let mut rest = data;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let cut = if rest.len() <= room || is_gzip(rest) { None } else { memchr::memrchr(b'\n', &rest[..room]) };
            let (part, later) = rest.split_at(cut.map_or(rest.len(), |newline| newline + 1));
            parts.push([&line, part].concat());
            rest = later;
        }
        parts
    }
}

/// A record to put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Its place in the batch; the parts of a record share it.
    pub index: usize,
    /// With its header.
    pub data: Vec<u8>,
    /// For a Kinesis stream.
    pub partition_key: String,
}

/// Puts the records, in calls as large as the target takes; what failed is tried again, alone and later. Returns the places of
/// those that could not be put, with the reason.
pub async fn put_all(
    sink: &impl Sink,
    target: &Target,
    records: Vec<Outgoing>,
    first_backoff: Duration,
) -> Vec<(usize, String)> {
    let limits = target.limits();
    let mut failed = Vec::new();
    let (fitting, large): (Vec<_>, Vec<_>) =
        records.into_iter().partition(|record| target.weight(record) <= limits.record_bytes);
    for record in large {
        let (bytes, most) = (target.weight(&record), limits.record_bytes);
        failed.push((
            record.index,
            format!("no room in the answer, and {bytes} bytes are too many to re-ingest ({most})"),
        ));
    }
    let mut rest = fitting.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |record: &&Outgoing| {
            bytes += target.weight(record);
            bytes <= limits.call_bytes
        };
        let length = rest.iter().take(limits.call_records).take_while(fits).count().max(1);
        let (call, later) = rest.split_at(length);
        put(sink, target, call.to_vec(), first_backoff, &mut failed).await;
        rest = later;
    }
    failed
}

async fn put(
    sink: &impl Sink,
    target: &Target,
    mut records: Vec<Outgoing>,
    first_backoff: Duration,
    failed: &mut Vec<(usize, String)>,
) {
    for attempt in 1..=MAX_PUTS {
        let results = match sink.put(target, &records).await {
            Ok(results) => results,
            Err(reason) => vec![Some(reason); records.len()],
        };
        let errors: Vec<(Outgoing, String)> =
            records.into_iter().zip(results).filter_map(|(record, error)| Some((record, error?))).collect();
        if errors.is_empty() {
            return;
        }
        if attempt == MAX_PUTS {
            let reason = |error| format!("no room in the answer, and not re-ingested: {error}");
            failed.extend(errors.into_iter().map(|(record, error)| (record.index, reason(error))));
            return;
        }
        records = errors.into_iter().map(|(record, _)| record).collect();
        tokio::time::sleep(first_backoff * 2_u32.pow(attempt - 1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_without_room_for_the_header_is_cut_between_lines() {
        let header = Header { arrival: 5, rounds: 0 };
        let check = |data: &str, room: usize, expected: &[&str]| {
            let line = format!("{MARK} 5 1\n");
            let parts: Vec<_> = expected.iter().map(|part| format!("{line}{part}").into_bytes()).collect();
            assert_eq!(header.next_round(data.as_bytes(), line.len() + room), parts, "{data:?} {room}");
        };
        check("ab\ncd\nef", 8, &["ab\ncd\nef"]);
        check("ab\ncd\nef", 7, &["ab\ncd\n", "ef"]);
        check("ab\ncd\nef", 5, &["ab\n", "cd\nef"]);
        check("abcdef\ngh", 4, &["abcdef\ngh"]);
        check("ab\ncdefgh", 4, &["ab\n", "cdefgh"]);
    }

    #[test]
    fn headers() {
        let new = Header { arrival: 50, rounds: 0 };
        let check = |data: &[u8], expected: Header, rest: &[u8]| assert_eq!(Header::read(data, 50), (expected, rest));
        let first = new.next_round(b"x\ny", 100);
        check(&first[0], Header { arrival: 50, rounds: 1 }, b"x\ny");
        let second = Header { arrival: 40, rounds: 1 }.next_round(b"\x1f\x8b", 10);
        check(&second[0], Header { arrival: 40, rounds: 2 }, b"\x1f\x8b");
        for line in [
            "#logmill-reingested 51 1\n",
            "#logmill-reingested 50 0\n",
            "#logmill-reingested 50\n",
            "#logmill-reingested 5 1",
        ] {
            check(line.as_bytes(), new, line.as_bytes());
        }
    }
}
