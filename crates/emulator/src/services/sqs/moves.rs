//! Message move tasks: dead letters back to where they came from.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Value, json};

use super::errors;
use super::queues::{self, Queue};
use crate::error::ApiError;
use crate::store::{Store, Tx, Wake};

/// Messages that one write moves: bounds its work.
const MOVE_AT_ONCE: i64 = 1_000;

/// Tasks that ListMessageMoveTasks shows at most (its `MaxResults`).
const MAX_LISTED: i64 = 10;

/// Moves what is visible in the dead-letter queue `source` to `destination`, or each message to the queue that gave it up.
/// The task is over when this returns: AWS moves in the background.
pub async fn start(store: &Store, source: String, destination: Option<String>) -> Result<String, ApiError> {
    let (from, to) = (source.clone(), destination.clone());
    store.read(move |db| check(db, &from, to.as_deref())).await?;
    let mut moved = 0;
    loop {
        let (from, to) = (source.clone(), destination.clone());
        let count = store.write(move |tx| move_some(tx, &from, to.as_deref())).await?;
        moved += count;
        if count < MOVE_AT_ONCE {
            break;
        }
    }
    let handle = uuid::Uuid::new_v4().to_string();
    let answer = handle.clone();
    store
        .write(move |tx| {
            tx.prepare_cached(
                "INSERT INTO sqs_moves (handle, source_arn, destination_arn, moved, started_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((handle, source, destination, moved, tx.now()))?;
            Ok(())
        })
        .await?;
    Ok(answer)
}

/// The last tasks of a dead-letter queue, newest first.
pub fn list(db: &rusqlite::Connection, source: &str, max: i64) -> Result<Vec<Value>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT destination_arn, moved, started_at FROM sqs_moves WHERE source_arn = ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let tasks = statement.query_map((source, max.clamp(1, MAX_LISTED)), |row| {
        let mut task = json!({
            "Status": "COMPLETED",
            "SourceArn": source,
            "ApproximateNumberOfMessagesMoved": row.get::<_, i64>(1)?,
            "ApproximateNumberOfMessagesToMove": row.get::<_, i64>(1)?,
            "StartedTimestamp": row.get::<_, i64>(2)?,
        });
        if let Some(destination) = row.get::<_, Option<String>>(0)? {
            task["DestinationArn"] = destination.into();
        }
        Ok(task)
    })?;
    Ok(tasks.collect::<Result<_, _>>()?)
}

fn check(db: &rusqlite::Connection, source: &str, destination: Option<&str>) -> Result<(), ApiError> {
    let exists = |arn: &str| {
        let missing = || errors::resource_not_found(format!("The resource that you specified doesn't exist: {arn}"));
        queues::find_arn(db, arn)?.ok_or_else(missing)
    };
    exists(source)?;
    if let Some(destination) = destination {
        exists(destination)?;
    }
    if queues::dead_letter_sources(db, source, "", 1)?.is_empty() {
        return Err(errors::invalid_value("Source queue must be configured as a Dead Letter Queue."));
    }
    Ok(())
}

fn move_some(tx: &Tx<'_>, source: &str, destination: Option<&str>) -> Result<i64, ApiError> {
    let from = queues::by_arn(tx, source)?;
    let mut targets: HashMap<String, Option<Queue>> = HashMap::new();
    let mut moved = 0;
    for (id, origin) in candidates(tx, &from, destination)? {
        let target = destination.unwrap_or(&origin).to_owned();
        let to = match targets.entry(target) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let queue = queues::find_arn(tx, new.key())?;
                new.insert(queue)
            }
        };
        // A message whose queue is gone stays where it is.
        if let Some(to) = to {
            tx.prepare_cached(
                "UPDATE sqs_messages SET queue = ?2, visible_at = ?3, sent_at = ?3, source_arn = NULL,
                     first_received_at = NULL, receive_count = 0, receipt = NULL WHERE id = ?1",
            )?
            .execute((id, to.id, tx.now()))?;
            moved += 1;
        }
    }
    for queue in targets.into_values().flatten() {
        tx.wake(Wake::Queue(queue.spec.name));
    }
    Ok(moved)
}

/// Visible messages, with the queue that each came from; all of them when they have one destination.
fn candidates(tx: &Tx<'_>, from: &Queue, destination: Option<&str>) -> Result<Vec<(i64, String)>, ApiError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, coalesce(source_arn, '') FROM sqs_messages
         WHERE queue = ?1 AND visible_at <= ?2 AND (?3 OR source_arn IS NOT NULL) ORDER BY visible_at, id LIMIT ?4",
    )?;
    let parameters = (from.id, tx.now(), destination.is_some(), MOVE_AT_ONCE);
    let found = statement.query_map(parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
