//! Events as they come in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::errors;
use super::groups::{self, Group};
use super::streams::{self, Stream};
use crate::error::ApiError;
use crate::store::Tx;

/// Bytes that each event counts beyond its message (PutLogEvents).
pub const EVENT_OVERHEAD: usize = 26;
/// Bytes of a batch, overhead included (PutLogEvents).
const MAX_BATCH_BYTES: usize = 1_048_576;
/// Bytes of one event, overhead included (1 MB since April 2025, 256 KB before; in a batch of one it is the batch's own limit).
const MAX_EVENT_BYTES: usize = MAX_BATCH_BYTES;
/// Events of a batch (PutLogEvents).
const MAX_BATCH_EVENTS: usize = 10_000;
/// Between the first and the last event of a batch (PutLogEvents: 24 hours).
const MAX_SPAN_MS: i64 = 24 * 3_600_000;
/// How far in the future an event can be (PutLogEvents: 2 hours).
const MAX_FUTURE_MS: i64 = 2 * 3_600_000;
/// How old an event can be (PutLogEvents: 14 days).
const MAX_AGE_MS: i64 = 14 * 86_400_000;
/// Expired events that one write removes at most: bounds its work.
const EXPIRE_AT_ONCE: i64 = 1_000;

/// An event of PutLogEvents.
#[derive(Debug, Clone, Deserialize)]
pub struct InputEvent {
    /// Epoch ms.
    pub timestamp: i64,
    /// At least one character.
    pub message: String,
}

/// `rejectedLogEventsInfo`: indexes into the batch. The start is inclusive, the ends are exclusive.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    #[serde(skip_serializing_if = "Option::is_none")]
    too_new_log_event_start_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    too_old_log_event_end_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_log_event_end_index: Option<usize>,
}

/// Appends events (epoch ms, message) to a stream of a group, making both where they are missing: what functions print. Empty
/// messages, which CloudWatch Logs cannot hold, are left out, and longer ones than it takes are cut.
pub fn append(tx: &Tx<'_>, group: &str, stream: &str, events: &[(i64, String)]) -> Result<(), ApiError> {
    let group = match groups::find(tx, group)? {
        Some(group) => group,
        None => groups::create(tx, group, &BTreeMap::new())?,
    };
    let stream = match streams::find(tx, &group, stream)? {
        Some(stream) => stream,
        None => streams::create(tx, &group, stream)?,
    };
    let events = events.iter().filter(|(_, message)| !message.is_empty());
    store(tx, &group, &stream, events.map(|(at, message)| (*at, cut(message, MAX_EVENT_BYTES - EVENT_OVERHEAD))))
        .map(drop)
}

/// PutLogEvents: stores what is neither too old nor too new. Returns the id of the last event (0 without one), and what was
/// rejected.
pub fn put(
    tx: &Tx<'_>,
    group: &Group,
    stream: &Stream,
    events: &[InputEvent],
) -> Result<(i64, Option<Rejected>), ApiError> {
    let (accepted, rejected) = admit(events, tx.now(), group.oldest(tx.now()));
    let accepted = accepted.iter().map(|event| (event.timestamp, event.message.as_str()));
    let last = store(tx, group, stream, accepted)?;
    Ok((last, rejected))
}

/// Refuses a batch that PutLogEvents refuses as a whole.
pub fn check(events: &[InputEvent]) -> Result<(), ApiError> {
    if events.is_empty() || events.len() > MAX_BATCH_EVENTS {
        let count = events.len();
        return Err(errors::invalid(format!("logEvents: expected 1 to {MAX_BATCH_EVENTS} events, found {count}")));
    }
    let mut bytes = 0;
    for (index, event) in events.iter().enumerate() {
        if event.message.is_empty() {
            return Err(errors::invalid(format!("logEvents[{index}].message: expected at least 1 character")));
        }
        if event.timestamp < 0 {
            return Err(errors::invalid(format!(
                "logEvents[{index}].timestamp: expected 0 or more, found {}",
                event.timestamp
            )));
        }
        let size = event.message.len() + EVENT_OVERHEAD;
        if size > MAX_EVENT_BYTES {
            return Err(errors::invalid(format!(
                "Log event too large: {size} bytes exceeds limit of {MAX_EVENT_BYTES}"
            )));
        }
        bytes += size;
    }
    if bytes > MAX_BATCH_BYTES {
        return Err(errors::invalid(format!("Upload too large: {bytes} bytes exceeds limit of {MAX_BATCH_BYTES}")));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(errors::invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    if events[events.len() - 1].timestamp - events[0].timestamp > MAX_SPAN_MS {
        return Err(errors::invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    Ok(())
}

/// The events that are stored out of a batch in order of time. Older than the group keeps them is expired; older than 14 days
/// is too old whatever the group keeps.
fn admit(events: &[InputEvent], now: i64, oldest: i64) -> (&[InputEvent], Option<Rejected>) {
    let before = |instant: i64| events.partition_point(|event| event.timestamp < instant);
    let too_old = before(now - MAX_AGE_MS);
    let expired = before(oldest);
    let too_new = events.partition_point(|event| event.timestamp <= now + MAX_FUTURE_MS);
    let rejected = Rejected {
        too_new_log_event_start_index: (too_new < events.len()).then_some(too_new),
        too_old_log_event_end_index: (too_old > 0).then_some(too_old),
        expired_log_event_end_index: (expired > too_old).then_some(expired),
    };
    let first = too_old.max(expired);
    let accepted = events.get(first..too_new).unwrap_or_default();
    (accepted, Some(rejected).filter(|rejected| *rejected != Rejected::default()))
}

fn store<'e>(
    tx: &Tx<'_>,
    group: &Group,
    stream: &Stream,
    events: impl Iterator<Item = (i64, &'e str)>,
) -> Result<i64, ApiError> {
    expire(tx, group)?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO logs_events (group_id, stream_id, timestamp, ingested_at, message) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let (mut bytes, mut span) = (0, None);
    for (at, message) in events {
        insert.execute((group.id, stream.id, at, tx.now(), message))?;
        bytes += message.len() + EVENT_OVERHEAD;
        let (first, last) = span.unwrap_or((at, at));
        span = Some((at.min(first), at.max(last)));
    }
    let Some((first, last)) = span else { return Ok(0) };
    let last_id = tx.last_insert_rowid();
    tx.prepare_cached(
        "UPDATE logs_streams SET first_event = min(coalesce(first_event, ?2), ?2),
             last_event = max(coalesce(last_event, ?3), ?3), last_ingested = ?4 WHERE id = ?1",
    )?
    .execute((stream.id, first, last, tx.now()))?;
    tx.prepare_cached("UPDATE logs_groups SET bytes = bytes + ?2 WHERE id = ?1")?.execute((group.id, bytes as i64))?;
    Ok(last_id)
}

fn expire(tx: &Tx<'_>, group: &Group) -> Result<(), ApiError> {
    if group.retention_days.is_none() {
        return Ok(());
    }
    let mut statement = tx.prepare_cached(
        "DELETE FROM logs_events WHERE id IN
             (SELECT id FROM logs_events WHERE group_id = ?1 AND timestamp < ?2 ORDER BY timestamp LIMIT ?3)
         RETURNING octet_length(message)",
    )?;
    let lengths =
        statement.query_map((group.id, group.oldest(tx.now()), EXPIRE_AT_ONCE), |row| row.get::<_, i64>(0))?;
    let mut bytes = 0;
    for length in lengths {
        bytes += length? + EVENT_OVERHEAD as i64;
    }
    tx.prepare_cached("UPDATE logs_groups SET bytes = bytes - ?2 WHERE id = ?1")?.execute((group.id, bytes))?;
    Ok(())
}

/// The longest beginning of a text that has at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: i64 = 1_795_194_000_000;

    fn event(at: i64) -> InputEvent {
        InputEvent { timestamp: at, message: "m".into() }
    }

    #[test]
    fn a_batch_is_admitted_event_by_event() {
        let day = 24 * HOUR;
        for (ages, retention, stored, expected) in [
            (vec![2 * HOUR, 0], None, 2, json!(null)),
            (vec![0, -2 * HOUR], None, 2, json!(null)),
            (vec![0, -2 * HOUR - 1], None, 1, json!({"tooNewLogEventStartIndex": 1})),
            (vec![-3 * HOUR], None, 0, json!({"tooNewLogEventStartIndex": 0})),
            (vec![14 * day + 1, 14 * day], None, 1, json!({"tooOldLogEventEndIndex": 1})),
            (vec![3 * day, 2 * day], Some(1), 0, json!({"expiredLogEventEndIndex": 2})),
            (vec![day + 1, day], Some(1), 1, json!({"expiredLogEventEndIndex": 1})),
            (
                vec![15 * day, 2 * day, 0],
                Some(1),
                1,
                json!({"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2}),
            ),
            (vec![15 * day, 0], Some(30), 1, json!({"tooOldLogEventEndIndex": 1})),
            (vec![15 * day, -3 * HOUR], None, 0, json!({"tooNewLogEventStartIndex": 1, "tooOldLogEventEndIndex": 1})),
        ] {
            let events: Vec<InputEvent> = ages.iter().map(|age| event(NOW - age)).collect();
            let oldest = retention.map_or(i64::MIN, |days: i64| NOW - days * day);
            let (accepted, rejected) = admit(&events, NOW, oldest);
            assert_eq!((accepted.len(), serde_json::to_value(rejected).unwrap()), (stored, expected), "{ages:?}");
        }
    }

    #[test]
    fn a_batch_is_refused_as_a_whole() {
        let of = |length: usize| InputEvent { timestamp: NOW, message: "x".repeat(length) };
        let half = MAX_BATCH_BYTES / 2 - EVENT_OVERHEAD;
        for (events, expected) in [
            (vec![], "expected 1 to 10000 events, found 0"),
            (vec![event(NOW); 10_001], "found 10001"),
            (vec![event(NOW); 10_000], ""),
            (vec![of(0)], "logEvents[0].message"),
            (vec![event(-1)], "logEvents[0].timestamp"),
            (vec![of(MAX_BATCH_BYTES - EVENT_OVERHEAD)], ""),
            (vec![of(MAX_BATCH_BYTES - EVENT_OVERHEAD + 1)], "Log event too large: 1048577 bytes"),
            (vec![of(half), of(half)], ""),
            (vec![of(half), of(half + 1)], "Upload too large: 1048577 bytes"),
            (vec![event(NOW), event(NOW - 1)], "chronological order"),
            (vec![event(NOW), event(NOW + 24 * HOUR)], ""),
            (vec![event(NOW), event(NOW + 24 * HOUR + 1)], "more than 24 hours"),
        ] {
            let message = check(&events).err().map(|error| error.message).unwrap_or_default();
            assert!(message.contains(expected) && message.is_empty() == expected.is_empty(), "{expected}: {message}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, limit, expected) in [("abc", 5, "abc"), ("abc", 2, "ab"), ("aé", 2, "a"), ("", 0, "")] {
            assert_eq!(cut(text, limit), expected);
        }
    }
}
