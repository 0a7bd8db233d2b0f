//! Events as they are read: pages in order of (timestamp, id).

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Row};

use super::errors;
use super::groups::Group;
use super::pattern::Pattern;
use super::streams::{self, Listing, OrderBy, Stream};
use crate::error::ApiError;

/// Events of a page (GetLogEvents, FilterLogEvents).
pub const MAX_PAGE_EVENTS: usize = 10_000;
/// Bytes of a page's messages (GetLogEvents, FilterLogEvents: 1 MB); one event passes in any case.
const MAX_PAGE_BYTES: usize = 1_048_576;
/// Events that one FilterLogEvents looks at: bounds its work. The page may then be short, or empty, with a token.
const MAX_SCANNED: usize = 100_000;

/// A place in the order of events: that of an event, or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Epoch ms.
    pub timestamp: i64,
    /// The event's id; ids begin at 1.
    pub id: i64,
}

impl Position {
    /// Before all events of this instant.
    pub fn before(timestamp: i64) -> Position {
        Position { timestamp, id: 0 }
    }

    /// 56 digits, as event ids have in CloudWatch Logs.
    pub fn digits(self) -> String {
        format!("{:020}{:036}", self.timestamp.max(0), self.id)
    }

    /// Reads [`digits`](Self::digits).
    pub fn parse(digits: &str) -> Option<Position> {
        if digits.len() != 56 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Position { timestamp: digits[..20].parse().ok()?, id: digits[20..].parse().ok()? })
    }
}

/// An event that is read.
#[derive(Debug)]
pub struct Event {
    /// Its place; its id is made of it.
    pub position: Position,
    /// When it came, epoch ms.
    pub ingested_at: i64,
    /// The text.
    pub message: String,
}

/// What GetLogEvents wants of one stream.
pub struct Page {
    /// No event before this instant, epoch ms.
    pub start: i64,
    /// Only events before this one.
    pub end: i64,
    /// From where.
    pub from: Position,
    /// Towards later events.
    pub forward: bool,
    /// At most so many.
    pub limit: usize,
}

/// One page of a stream, in order of time.
pub fn page(db: &Connection, stream: &Stream, page: &Page) -> Result<Vec<Event>, ApiError> {
    // One bound on each side, so that a page costs what it holds, wherever it begins.
    let (lower, upper) = match page.forward {
        true => (page.from.max(Position::before(page.start)), Position::before(page.end)),
        false => (Position::before(page.start), page.from.min(Position::before(page.end))),
    };
    let direction = if page.forward { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT id, timestamp, ingested_at, message FROM logs_events
         WHERE stream_id = ?1 AND (timestamp, id) > (?2, ?3) AND (timestamp, id) < (?4, ?5)
         ORDER BY timestamp {direction}, id {direction} LIMIT ?6"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let limit = page.limit as i64;
    let mut rows = statement.query((stream.id, lower.timestamp, lower.id, upper.timestamp, upper.id, limit))?;
    let (mut events, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let event = read(row)?;
        bytes += event.message.len();
        if bytes > MAX_PAGE_BYTES && !events.is_empty() {
            break;
        }
        events.push(event);
    }
    if !page.forward {
        events.reverse();
    }
    Ok(events)
}

/// A page of a group: the events, each with its stream's name, and where to go on if there may be more.
pub type Filtered = (Vec<(String, Event)>, Option<Position>);

/// What FilterLogEvents wants of a group.
pub struct Filter {
    /// Only these streams; all when empty.
    pub stream_names: Vec<String>,
    /// Only streams that begin so.
    pub stream_prefix: Option<String>,
    /// What the messages must contain.
    pub pattern: Pattern,
    /// After this place.
    pub from: Position,
    /// Events of this instant are the last, epoch ms.
    pub end: i64,
    /// At most so many.
    pub limit: usize,
}

/// One page of a group.
pub fn filter(db: &Connection, group: &Group, filter: &Filter) -> Result<Filtered, ApiError> {
    let wanted = wanted_streams(db, group, filter)?;
    let mut statement = db.prepare_cached(
        "SELECT id, timestamp, ingested_at, message, stream_id FROM logs_events
         WHERE group_id = ?1 AND (timestamp, id) > (?2, ?3) AND timestamp <= ?4 ORDER BY timestamp, id",
    )?;
    let mut rows = statement.query((group.id, filter.from.timestamp, filter.from.id, filter.end))?;
    let mut names = StreamNames::default();
    let (mut events, mut bytes) = (Vec::new(), 0);
    let mut last = filter.from;
    for _ in 0..MAX_SCANNED {
        if events.len() == filter.limit {
            return Ok((events, Some(last)));
        }
        let Some(row) = rows.next()? else { return Ok((events, None)) };
        let stream_id = row.get(4)?;
        if wanted.as_ref().is_none_or(|wanted| wanted.contains(&stream_id)) {
            let event = read(row)?;
            if filter.pattern.matches(&event.message) {
                bytes += event.message.len();
                if bytes > MAX_PAGE_BYTES && !events.is_empty() {
                    return Ok((events, Some(last)));
                }
                last = event.position;
                events.push((names.of(db, stream_id)?, event));
                continue;
            }
        }
        last = Position { timestamp: row.get(1)?, id: row.get(0)? };
    }
    Ok((events, Some(last)))
}

/// The keys of the streams that a filter names; `None` for all.
fn wanted_streams(db: &Connection, group: &Group, filter: &Filter) -> Result<Option<HashSet<i64>>, ApiError> {
    match (&filter.stream_prefix, filter.stream_names.as_slice()) {
        (None, []) => Ok(None),
        (None, names) => {
            let streams = names.iter().map(|name| Ok(streams::by_name(db, group, name)?.id));
            streams.collect::<Result<_, ApiError>>().map(Some)
        }
        (Some(prefix), []) => {
            let listing = Listing {
                prefix: prefix.clone(),
                order: OrderBy::Name,
                descending: false,
                after: None,
                limit: MAX_SCANNED,
            };
            Ok(Some(streams::list(db, group, &listing)?.into_iter().map(|stream| stream.id).collect()))
        }
        (Some(_), _) => Err(errors::invalid("logStreamNames and logStreamNamePrefix exclude each other")),
    }
}

#[derive(Default)]
struct StreamNames(HashMap<i64, String>);

impl StreamNames {
    fn of(&mut self, db: &Connection, id: i64) -> Result<String, ApiError> {
        if let Some(name) = self.0.get(&id) {
            return Ok(name.clone());
        }
        let mut statement = db.prepare_cached("SELECT name FROM logs_streams WHERE id = ?1")?;
        let name: String = statement.query_row([id], |row| row.get(0))?;
        self.0.insert(id, name.clone());
        Ok(name)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event {
        position: Position { timestamp: row.get(1)?, id: row.get(0)? },
        ingested_at: row.get(2)?,
        message: row.get(3)?,
    })
}
