//! Asynchronous events: rows until they have succeeded or were given up.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};

use super::functions;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// The largest payload of an asynchronous event, bytes: 1 MB since October 2025, 256 KB before (Lambda quotas, "Invocation
/// payload").
pub const MAX_ASYNC_PAYLOAD: usize = 1024 * 1024;

/// An event that waits for its function.
#[derive(Debug, Clone)]
pub struct AsyncEvent {
    /// Its request id, the same at every attempt.
    pub id: String,
    /// The function's name.
    pub function: String,
    /// The event.
    pub payload: Bytes,
    /// When it came, epoch ms.
    pub enqueued_at: i64,
    /// How often the function ran with it.
    pub invocations: u32,
    /// How often the function failed with it.
    pub failures: u32,
    /// How often it could not be run at all (throttled).
    pub postponements: u32,
}

/// Queues an asynchronous event for the function of this ARN or name; returns its request id.
pub fn enqueue_event(tx: &Tx<'_>, function: &str, payload: &Bytes) -> Result<String, ApiError> {
    let function = functions::get(tx, function)?.spec.name;
    if payload.len() > MAX_ASYNC_PAYLOAD {
        return Err(ApiError::new(
            http::StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            format!(
                "event of {} bytes for function {function}: an asynchronous one must be smaller than \
                 {MAX_ASYNC_PAYLOAD} bytes",
                payload.len()
            ),
        ));
    }
    let id = uuid::Uuid::new_v4().to_string();
    tx.prepare_cached(
        "INSERT INTO lambda_events (id, function, payload, enqueued_at, due_at) VALUES (?1, ?2, ?3, ?4, ?4)",
    )?
    .execute((&id, &function, payload.as_ref(), tx.now()))?;
    tx.wake(Wake::AsyncEvents);
    Ok(id)
}

/// Up to `limit` events that are due at `now`, the longest waiting first, but for those in `except`.
pub fn due_events(db: &Connection, now: i64, limit: usize, except: &[String]) -> Result<Vec<AsyncEvent>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT id, function, payload, enqueued_at, invocations, failures, postponements FROM lambda_events
         WHERE due_at <= ?1 AND id NOT IN (SELECT value FROM json_each(?3)) ORDER BY due_at, rowid LIMIT ?2",
    )?;
    let except = serde_json::to_string(except).map_err(ApiError::internal)?;
    let rows = statement.query_map((now, limit as i64, except), event)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn event(row: &Row<'_>) -> rusqlite::Result<AsyncEvent> {
    Ok(AsyncEvent {
        id: row.get(0)?,
        function: row.get(1)?,
        payload: row.get::<_, Vec<u8>>(2)?.into(),
        enqueued_at: row.get(3)?,
        invocations: row.get(4)?,
        failures: row.get(5)?,
        postponements: row.get(6)?,
    })
}

/// When the next event after `now` is due, epoch ms.
pub fn next_due(db: &Connection, now: i64) -> Result<Option<i64>, ApiError> {
    let mut statement = db.prepare_cached("SELECT min(due_at) FROM lambda_events WHERE due_at > ?1")?;
    Ok(statement.query_row([now], |row| row.get(0)).optional()?.flatten())
}

/// Keeps an event for another attempt, with its counts, after `delay_ms`.
pub fn postpone(tx: &Tx<'_>, event: &AsyncEvent, delay_ms: i64) -> Result<(), ApiError> {
    tx.prepare_cached(
        "UPDATE lambda_events SET due_at = ?2, invocations = ?3, failures = ?4, postponements = ?5 WHERE id = ?1",
    )?
    .execute((&event.id, tx.now() + delay_ms, event.invocations, event.failures, event.postponements))?;
    tx.wake(Wake::AsyncEvents);
    Ok(())
}

/// Forgets an event: it has succeeded, or what became of it is written in this transaction.
pub fn remove(tx: &Tx<'_>, id: &str) -> Result<(), ApiError> {
    tx.prepare_cached("DELETE FROM lambda_events WHERE id = ?1")?.execute([id])?;
    Ok(())
}
