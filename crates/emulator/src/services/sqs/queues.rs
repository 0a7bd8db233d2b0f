//! Queues by name, URL and ARN.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::attributes::Counts;
use super::{QueueSpec, errors};
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// The longest name of a queue (CreateQueue).
const MAX_NAME: usize = 80;

/// How often a queue can be purged, ms (PurgeQueue).
const PURGE_INTERVAL_MS: i64 = 60_000;

/// A queue that exists.
pub struct Queue {
    /// Key of its messages.
    pub id: i64,
    /// What was set.
    pub spec: QueueSpec,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Epoch ms.
    pub created_at: i64,
    /// When an attribute was last set, epoch ms.
    pub modified_at: i64,
    purged_at: Option<i64>,
}

/// Makes a queue or brings it to `spec`; returns its ARN.
pub fn ensure_queue(tx: &Tx<'_>, spec: &QueueSpec) -> Result<String, ApiError> {
    check_name(&spec.name)?;
    spec.check()?;
    if let Some((arn, _)) = &spec.redrive {
        find_arn(tx, arn)?.ok_or_else(|| {
            let reason = format!("Dead letter target does not exist: {arn}");
            errors::invalid_value(format!("Value for parameter RedrivePolicy is invalid. Reason: {reason}."))
        })?;
    }
    let redrive = spec.redrive.as_ref();
    tx.prepare_cached(
        "INSERT INTO sqs_queues (name, visibility_timeout, retention, delay, receive_wait, redrive_arn, redrive_count,
                                 attributes, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)
         ON CONFLICT (name) DO UPDATE SET visibility_timeout = ?2, retention = ?3, delay = ?4, receive_wait = ?5,
             redrive_arn = ?6, redrive_count = ?7, attributes = ?8, modified_at = ?9",
    )?
    .execute(params![
        spec.name,
        spec.visibility_timeout,
        spec.retention,
        spec.delay,
        spec.receive_wait,
        redrive.map(|(arn, _)| arn),
        redrive.map(|(_, count)| count),
        serde_json::to_string(&spec.attributes).map_err(ApiError::internal)?,
        tx.now(),
    ])?;
    tx.wake(Wake::Resources);
    Ok(tx.config().arn("sqs", &spec.name))
}

/// CreateQueue: the same again is no error, other attributes are.
pub fn create(tx: &Tx<'_>, name: &str, attributes: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let mut spec = QueueSpec::new(name);
    spec.set(attributes)?;
    let Some(existing) = find(tx, name)? else { return ensure_queue(tx, &spec).map(drop) };
    let (has, wanted) = (existing.spec.show(), spec.show());
    match attributes.keys().find(|name| has.get(*name) != wanted.get(*name)) {
        Some(other) => Err(errors::queue_exists(other)),
        None => Ok(()),
    }
}

/// Removes a queue and its messages.
pub fn remove(tx: &Tx<'_>, queue: &Queue) -> Result<(), ApiError> {
    tx.prepare_cached("DELETE FROM sqs_messages WHERE queue = ?1")?.execute([queue.id])?;
    tx.prepare_cached("DELETE FROM sqs_queues WHERE id = ?1")?.execute([queue.id])?;
    tx.wake(Wake::Resources);
    tx.wake(Wake::Queue(queue.spec.name.clone())); // who waits for a message learns that there will be none
    Ok(())
}

/// Removes a queue's messages, those in flight too.
pub fn purge(tx: &Tx<'_>, queue: &Queue) -> Result<(), ApiError> {
    if queue.purged_at.is_some_and(|at| tx.now() - at < PURGE_INTERVAL_MS) {
        return Err(errors::purge_in_progress(&queue.spec.name));
    }
    tx.prepare_cached("DELETE FROM sqs_messages WHERE queue = ?1")?.execute([queue.id])?;
    tx.prepare_cached("UPDATE sqs_queues SET purged_at = ?2 WHERE id = ?1")?.execute((queue.id, tx.now()))?;
    Ok(())
}

/// Sets the tags of a queue.
pub fn set_tags(tx: &Tx<'_>, queue: &Queue, tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    let tags = serde_json::to_string(tags).map_err(ApiError::internal)?;
    tx.prepare_cached("UPDATE sqs_queues SET tags = ?2 WHERE id = ?1")?.execute((queue.id, tags))?;
    Ok(())
}

/// The queue of this name.
pub fn find(db: &Connection, name: &str) -> Result<Option<Queue>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT id, name, visibility_timeout, retention, delay, receive_wait, redrive_arn, redrive_count, attributes, tags,
                created_at, modified_at, purged_at
         FROM sqs_queues WHERE name = ?1",
    )?;
    statement.query_row([name], read).optional()?.transpose()
}

/// The queue of this ARN.
pub fn by_arn(db: &Connection, arn: &str) -> Result<Queue, ApiError> {
    find_arn(db, arn)?.ok_or_else(|| errors::no_queue(arn))
}

/// The queue of this ARN, if there is one.
pub fn find_arn(db: &Connection, arn: &str) -> Result<Option<Queue>, ApiError> {
    match arn.strip_prefix("arn:aws:sqs:").and_then(|rest| rest.rsplit(':').next()) {
        Some(name) => find(db, name),
        None => Ok(None),
    }
}

/// The queue of this URL, whatever its host: `http://HOST/ACCOUNT/NAME`.
pub fn by_url(db: &Connection, config: &Config, url: &str) -> Result<Queue, ApiError> {
    let name = name_of_url(config, url)?;
    find(db, name)?.ok_or_else(|| errors::no_queue(name))
}

/// The name of the queue of this URL.
pub fn name_of_url<'u>(config: &Config, url: &'u str) -> Result<&'u str, ApiError> {
    if url.is_empty() {
        return Err(errors::missing("QueueUrl"));
    }
    let mut parts = url.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(name), Some(account)) if account == config.account && !name.is_empty() => Ok(name),
        _ => Err(errors::no_queue(url)),
    }
}

/// Where clients find a queue.
pub fn url(config: &Config, name: &str) -> String {
    format!("{}/{}/{name}", config.endpoint(), config.account)
}

/// Up to `limit` names after `after`, in order, that begin with `prefix`.
pub fn names(db: &Connection, prefix: &str, after: &str, limit: usize) -> Result<Vec<String>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT name FROM sqs_queues WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3",
    )?;
    let names = statement.query_map((after, prefix, limit as i64), |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Up to `limit` names after `after`, in order, of queues whose dead letters go to `arn`.
pub fn dead_letter_sources(db: &Connection, arn: &str, after: &str, limit: usize) -> Result<Vec<String>, ApiError> {
    let mut statement =
        db.prepare_cached("SELECT name FROM sqs_queues WHERE redrive_arn = ?1 AND name > ?2 ORDER BY name LIMIT ?3")?;
    let names = statement.query_map((arn, after, limit as i64), |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// How many messages a queue has at `now`.
pub fn counts(db: &Connection, queue: &Queue, now: i64) -> Result<Counts, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT count(*) FILTER (WHERE visible_at <= ?2),
                count(*) FILTER (WHERE visible_at > ?2 AND receipt IS NOT NULL),
                count(*) FILTER (WHERE visible_at > ?2 AND receipt IS NULL)
         FROM sqs_messages WHERE queue = ?1 AND sent_at > ?3",
    )?;
    let counts = statement.query_row((queue.id, now, queue.oldest(now)), |row| {
        Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? })
    })?;
    Ok(counts)
}

impl Queue {
    /// Messages sent at or before this instant (epoch ms) have expired.
    pub fn oldest(&self, now: i64) -> i64 {
        now - self.spec.retention * 1000
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Result<Queue, ApiError>> {
    let redrive_arn: Option<String> = row.get(6)?;
    let redrive_count: Option<u32> = row.get(7)?;
    let (attributes, tags): (String, String) = (row.get(8)?, row.get(9)?);
    let spec = QueueSpec {
        name: row.get(1)?,
        visibility_timeout: row.get(2)?,
        retention: row.get(3)?,
        delay: row.get(4)?,
        receive_wait: row.get(5)?,
        redrive: redrive_arn.zip(redrive_count),
        attributes: BTreeMap::new(),
    };
    let (id, created_at, modified_at, purged_at) = (row.get(0)?, row.get(10)?, row.get(11)?, row.get(12)?);
    Ok((|| {
        let attributes = serde_json::from_str(&attributes).map_err(ApiError::internal)?;
        let tags = serde_json::from_str(&tags).map_err(ApiError::internal)?;
        Ok(Queue { id, spec: QueueSpec { attributes, ..spec }, tags, created_at, modified_at, purged_at })
    })())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.ends_with(".fifo") {
        return Err(ApiError::not_emulated("sqs", "FIFO queues"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
        return Err(errors::invalid_value(format!(
            "Queue name {name:?}: can only include alphanumeric characters, hyphens, or underscores. 1 to {MAX_NAME} in length"
        )));
    }
    Ok(())
}
