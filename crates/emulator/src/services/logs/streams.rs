//! Log streams.

use rusqlite::{Connection, OptionalExtension, Row};

use super::errors;
use super::events::EVENT_OVERHEAD;
use super::groups::{Group, MAX_NAME};
use crate::error::ApiError;
use crate::store::Tx;

/// A stream that exists.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Key of its events.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Epoch ms.
    pub created_at: i64,
    /// The smallest timestamp of an event, epoch ms.
    pub first_event: Option<i64>,
    /// The largest one.
    pub last_event: Option<i64>,
    /// When the last event came, epoch ms.
    pub last_ingested: Option<i64>,
}

/// How a listing is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderBy {
    /// By name.
    Name,
    /// By the largest timestamp; streams without events come first.
    LastEvent,
}

/// What a listing wants.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The names begin so.
    pub prefix: String,
    /// In which order.
    pub order: OrderBy,
    /// Backwards.
    pub descending: bool,
    /// After the stream with this time and name.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: usize,
}

/// Makes a stream that is not there yet.
pub fn create(tx: &Tx<'_>, group: &Group, name: &str) -> Result<Stream, ApiError> {
    if name.is_empty() || name.len() > MAX_NAME || name.contains([':', '*']) {
        return Err(errors::invalid(format!(
            "logStreamName {name:?}: expected 1 to {MAX_NAME} characters, no ':' or '*'"
        )));
    }
    if find(tx, group, name)?.is_some() {
        return Err(errors::exists("log stream", name));
    }
    tx.prepare_cached("INSERT INTO logs_streams (group_id, name, created_at) VALUES (?1, ?2, ?3)")?.execute((
        group.id,
        name,
        tx.now(),
    ))?;
    by_name(tx, group, name)
}

/// Removes a stream with its events.
pub fn remove(tx: &Tx<'_>, group: &Group, stream: &Stream) -> Result<(), ApiError> {
    tx.prepare_cached(
        "UPDATE logs_groups SET bytes = bytes - (SELECT coalesce(sum(octet_length(message) + ?3), 0) FROM logs_events
                                                 WHERE stream_id = ?2)
         WHERE id = ?1",
    )?
    .execute((group.id, stream.id, EVENT_OVERHEAD as i64))?;
    tx.prepare_cached("DELETE FROM logs_events WHERE stream_id = ?1")?.execute([stream.id])?;
    tx.prepare_cached("DELETE FROM logs_streams WHERE id = ?1")?.execute([stream.id])?;
    Ok(())
}

/// The stream of this name.
pub fn by_name(db: &Connection, group: &Group, name: &str) -> Result<Stream, ApiError> {
    find(db, group, name)?.ok_or_else(|| errors::no_stream(name))
}

/// The stream of this name, if there is one.
pub fn find(db: &Connection, group: &Group, name: &str) -> Result<Option<Stream>, ApiError> {
    let mut statement = db.prepare_cached(&select("name = ?2"))?;
    Ok(statement.query_row((group.id, name), read).optional()?)
}

/// One page of a listing.
pub fn list(db: &Connection, group: &Group, listing: &Listing) -> Result<Vec<Stream>, ApiError> {
    let time = "iif(?6, coalesce(last_event, 0), 0)";
    let (beyond, direction) = if listing.descending { ("<", "DESC") } else { (">", "ASC") };
    let sql = select(&format!(
        "substr(name, 1, length(?2)) = ?2 AND (?4 IS NULL OR ({time}, name) {beyond} (?3, ?4))
         ORDER BY {time} {direction}, name {direction} LIMIT ?5"
    ));
    let by_time = listing.order == OrderBy::LastEvent;
    let (at, name) = listing.after.clone().unzip();
    let mut statement = db.prepare_cached(&sql)?;
    let streams = statement.query_map((group.id, &listing.prefix, at, name, listing.limit as i64, by_time), read)?;
    Ok(streams.collect::<Result<_, _>>()?)
}

impl Stream {
    /// Where a listing in this order goes on after this stream.
    pub fn position(&self, order: OrderBy) -> (i64, String) {
        let at = if order == OrderBy::Name { 0 } else { self.last_event.unwrap_or(0) };
        (at, self.name.clone())
    }
}

fn select(condition: &str) -> String {
    format!(
        "SELECT id, name, created_at, first_event, last_event, last_ingested FROM logs_streams
         WHERE group_id = ?1 AND {condition}"
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id: row.get(0)?,
        name: row.get(1)?,
        created_at: row.get(2)?,
        first_event: row.get(3)?,
        last_event: row.get(4)?,
        last_ingested: row.get(5)?,
    })
}
