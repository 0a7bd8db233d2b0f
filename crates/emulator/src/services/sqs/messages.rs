//! Messages: put in, received, hidden, buried, deleted.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value};

use super::queues::{self, Queue};
use super::{NewMessage, Received, attributes, errors, md5};
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// Messages of a queue that are received and not deleted ("Amazon SQS message quotas", standard queues).
pub const MAX_IN_FLIGHT: i64 = 120_000;

/// Attributes of a message (quotas).
const MAX_ATTRIBUTES: usize = 10;

/// Expired messages that one use of a queue removes at most: bounds its work.
const EXPIRE_AT_ONCE: i64 = 1_000;

/// Times that one receive looks for messages again because it buried what it found: bounds its work.
const MAX_ROUNDS: usize = 100;

/// Puts a message into the queue of this ARN; returns its id.
pub fn enqueue(tx: &Tx<'_>, queue_arn: &str, message: NewMessage) -> Result<String, ApiError> {
    insert(tx, &queues::by_arn(tx, queue_arn)?, &message, None)
}

/// Puts a message, with its `AWSTraceHeader`, into a queue; returns its id.
pub fn insert(tx: &Tx<'_>, queue: &Queue, message: &NewMessage, trace: Option<&str>) -> Result<String, ApiError> {
    check(queue, message)?;
    expire(tx, queue)?;
    let delay = message.delay_ms.unwrap_or(queue.spec.delay * 1000);
    let message_id = uuid::Uuid::new_v4().to_string();
    tx.prepare_cached(
        "INSERT INTO sqs_messages (queue, message_id, body, md5, attributes, trace, sent_at, visible_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        queue.id,
        message_id,
        message.body,
        md5::text(&message.body),
        serde_json::to_string(&message.attributes).map_err(ApiError::internal)?,
        trace,
        tx.now(),
        tx.now() + delay,
    ])?;
    tx.wake(Wake::Queue(queue.spec.name.clone()));
    Ok(message_id)
}

/// Receives up to `max` visible messages and hides them for `visibility_ms` (`None`: the queue's own time-out). Messages over
/// the redrive policy's count go to the dead-letter queue instead. With [`MAX_IN_FLIGHT`] messages out there are none.
pub fn receive(
    tx: &Tx<'_>,
    queue_arn: &str,
    max: usize,
    visibility_ms: Option<i64>,
) -> Result<Vec<Received>, ApiError> {
    let queue = queues::by_arn(tx, queue_arn)?;
    expire(tx, &queue)?;
    let room = MAX_IN_FLIGHT - in_flight(tx, &queue, tx.now())?;
    let max = max.min(usize::try_from(room).unwrap_or(0));
    let hidden_until = tx.now() + visibility_ms.unwrap_or(queue.spec.visibility_timeout * 1000);
    let grave = match &queue.spec.redrive {
        Some((arn, count)) => queues::find_arn(tx, arn)?.map(|queue| (queue, *count)),
        None => None,
    };
    let mut found = Vec::new();
    for _ in 0..MAX_ROUNDS {
        found = visible(tx, &queue, max)?;
        let Some((grave, limit)) = &grave else { break };
        // The count includes the receipt that is about to be.
        let dead = found.extract_if(.., |(_, message)| message.receive_count > *limit).collect::<Vec<_>>();
        dead.iter().try_for_each(|(id, _)| bury(tx, *id, grave, queue_arn))?;
        if dead.is_empty() {
            break;
        }
    }
    found.into_iter().map(|(id, message)| hide(tx, id, message, hidden_until)).collect()
}

/// Deletes received messages by receipt handle; one that is gone is no error.
pub fn delete(tx: &Tx<'_>, queue_arn: &str, receipt_handles: &[String]) -> Result<(), ApiError> {
    let queue = queues::by_arn(tx, queue_arn)?;
    receipt_handles.iter().try_for_each(|handle| delete_one(tx, &queue, handle))
}

/// Deletes a received message; a handle of an earlier receipt deletes nothing (the message is somebody else's now).
pub fn delete_one(tx: &Tx<'_>, queue: &Queue, receipt_handle: &str) -> Result<(), ApiError> {
    let (id, receipt) = parse_handle(receipt_handle)?;
    tx.prepare_cached("DELETE FROM sqs_messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3")?
        .execute((id, queue.id, receipt))?;
    Ok(())
}

/// Hides a message in flight for `seconds` from now; 0 makes it visible.
pub fn change_visibility(tx: &Tx<'_>, queue: &Queue, receipt_handle: &str, seconds: i64) -> Result<(), ApiError> {
    if !attributes::VISIBILITY_SECONDS.contains(&seconds) {
        return Err(errors::invalid_value(format!(
            "Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and {}.",
            attributes::VISIBILITY_SECONDS.end()
        )));
    }
    let (id, receipt) = parse_handle(receipt_handle)?;
    let visible_at: Option<i64> = tx
        .prepare_cached("SELECT visible_at FROM sqs_messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3")?
        .query_row((id, queue.id, receipt), |row| row.get(0))
        .optional()?;
    match visible_at {
        None => {
            return Err(errors::invalid_value(format!(
                "Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not \
                 available for visibility timeout change."
            )));
        }
        Some(at) if at <= tx.now() => return Err(errors::not_in_flight()),
        Some(_) => {}
    }
    tx.prepare_cached("UPDATE sqs_messages SET visible_at = ?2 WHERE id = ?1")?
        .execute((id, tx.now() + seconds * 1000))?;
    tx.wake(Wake::Queue(queue.spec.name.clone()));
    Ok(())
}

/// When the next message of the queue becomes visible, epoch ms; `None` with none there. An instant that has passed says that
/// a message became visible since the caller last looked: receive again.
pub fn next_visible_at(db: &Connection, queue_arn: &str) -> Result<Option<i64>, ApiError> {
    let queue = queues::by_arn(db, queue_arn)?;
    // The plus keeps SQLite from the index on sent_at, by which it would sort the whole queue.
    let mut statement = db.prepare_cached(
        "SELECT visible_at FROM sqs_messages WHERE queue = ?1 AND +sent_at > ?2 ORDER BY visible_at LIMIT 1",
    )?;
    let oldest = queue.oldest(crate::clock::now_ms());
    Ok(statement.query_row((queue.id, oldest), |row| row.get(0)).optional()?)
}

/// Messages received and not deleted, [`MAX_IN_FLIGHT`] at most.
pub fn in_flight(db: &Connection, queue: &Queue, now: i64) -> Result<i64, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM sqs_messages WHERE queue = ?1 AND visible_at > ?2 AND receipt IS NOT NULL
                               LIMIT ?3)",
    )?;
    Ok(statement.query_row((queue.id, now, MAX_IN_FLIGHT), |row| row.get(0))?)
}

/// The bytes of a message that count against limits: its text and its attributes' names, types and values.
pub fn size(message: &NewMessage) -> usize {
    let of = |value: &Value| value.as_str().map_or(0, str::len);
    let attribute = |(name, value): (&String, &Value)| {
        let binary = value.get("BinaryValue").and_then(Value::as_str).unwrap_or_default();
        let binary = binary.trim_end_matches('=').len() * 3 / 4;
        name.len() + of(&value["DataType"]) + value.get("StringValue").map_or(binary, of)
    };
    message.body.len() + message.attributes.iter().map(attribute).sum::<usize>()
}

fn check(queue: &Queue, message: &NewMessage) -> Result<(), ApiError> {
    if message.body.is_empty() {
        return Err(errors::missing("MessageBody"));
    }
    let limit = queue.spec.maximum_message_size();
    if size(message) > limit {
        let reason = format!("Message must be shorter than {limit} bytes");
        return Err(errors::invalid_value(format!("One or more parameters are invalid. Reason: {reason}.")));
    }
    if let Some(delay) = message.delay_ms
        && !attributes::DELAY_SECONDS.contains(&(delay / 1000))
    {
        return Err(errors::invalid_value(format!(
            "Value {} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= {}.",
            delay / 1000,
            attributes::DELAY_SECONDS.end()
        )));
    }
    check_characters(&message.body)?;
    check_attributes(&message.attributes)
}

fn check_characters(text: &str) -> Result<(), ApiError> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    match text.chars().find(|c| !allowed(*c)) {
        Some(character) => Err(errors::contents(character)),
        None => Ok(()),
    }
}

fn check_attributes(attributes: &Map<String, Value>) -> Result<(), ApiError> {
    if attributes.len() > MAX_ATTRIBUTES {
        let message = format!("Number of message attributes [{}] exceeds the allowed maximum [10].", attributes.len());
        return Err(errors::invalid_value(message));
    }
    for (name, attribute) in attributes {
        let invalid = |reason: &str| errors::invalid_value(format!("The message attribute '{name}' {reason}."));
        let field = |name: &str| attribute.get(name).and_then(Value::as_str).unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 256 || !name.chars().all(allowed) {
            return Err(invalid("has a name that is not 1 to 256 of A-Z, a-z, 0-9, underscore, hyphen and period"));
        }
        match field("DataType").split('.').next().unwrap_or_default() {
            "String" | "Number" if field("StringValue").is_empty() => {
                return Err(invalid("must contain a non-empty message attribute value"));
            }
            "Binary" if BASE64_STANDARD.decode(field("BinaryValue")).map_or(true, |value| value.is_empty()) => {
                return Err(invalid("must contain a non-empty binary value"));
            }
            "Number" if field("StringValue").parse::<f64>().is_err() => {
                return Err(invalid("of type Number must have a number as its value"));
            }
            "String" | "Number" => check_characters(field("StringValue"))?,
            "Binary" => {}
            _ => return Err(invalid("must have a type that begins with String, Number or Binary")),
        }
    }
    Ok(())
}

fn expire(tx: &Tx<'_>, queue: &Queue) -> Result<(), ApiError> {
    tx.prepare_cached(
        "DELETE FROM sqs_messages WHERE id IN
             (SELECT id FROM sqs_messages WHERE queue = ?1 AND sent_at <= ?2 LIMIT ?3)",
    )?
    .execute((queue.id, queue.oldest(tx.now()), EXPIRE_AT_ONCE))?;
    Ok(())
}

/// Up to `limit` visible messages with their row ids, as this receipt would give them out (but for its handle).
fn visible(tx: &Tx<'_>, queue: &Queue, limit: usize) -> Result<Vec<(i64, Received)>, ApiError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, message_id, body, md5, attributes, sent_at, first_received_at, receive_count, trace, source_arn
         FROM sqs_messages WHERE queue = ?1 AND visible_at <= ?2 AND +sent_at > ?3 ORDER BY visible_at, id LIMIT ?4",
    )?;
    let read = |row: &Row<'_>| -> rusqlite::Result<(i64, Received, String)> {
        let message = Received {
            message_id: row.get(1)?,
            receipt_handle: String::new(),
            body: row.get(2)?,
            md5: row.get(3)?,
            attributes: Map::new(),
            sent_at: row.get(5)?,
            first_received_at: row.get::<_, Option<i64>>(6)?.unwrap_or(tx.now()),
            receive_count: row.get::<_, u32>(7)? + 1,
            trace_header: row.get(8)?,
            dead_letter_source: row.get(9)?,
        };
        Ok((row.get(0)?, message, row.get(4)?))
    };
    let rows = statement.query_map((queue.id, tx.now(), queue.oldest(tx.now()), limit as i64), read)?;
    let mut found = Vec::new();
    for row in rows {
        let (id, message, attributes) = row?;
        let attributes = serde_json::from_str(&attributes).map_err(ApiError::internal)?;
        found.push((id, Received { attributes, ..message }));
    }
    Ok(found)
}

fn hide(tx: &Tx<'_>, id: i64, message: Received, until: i64) -> Result<Received, ApiError> {
    let receipt = uuid::Uuid::new_v4().to_string();
    tx.prepare_cached(
        "UPDATE sqs_messages SET visible_at = ?2, first_received_at = ?3, receive_count = ?4, receipt = ?5 WHERE id = ?1",
    )?
    .execute((id, until, message.first_received_at, message.receive_count, &receipt))?;
    Ok(Received { receipt_handle: BASE64_STANDARD.encode(format!("{id}/{receipt}")), ..message })
}

/// Into the dead-letter queue, where its counts begin anew; it keeps the time at which it was sent ("Using dead-letter queues").
fn bury(tx: &Tx<'_>, id: i64, grave: &Queue, source_arn: &str) -> Result<(), ApiError> {
    tx.prepare_cached(
        "UPDATE sqs_messages SET queue = ?2, visible_at = ?3, source_arn = ?4, first_received_at = NULL,
                                 receive_count = 0, receipt = NULL
         WHERE id = ?1",
    )?
    .execute((id, grave.id, tx.now(), source_arn))?;
    tx.wake(Wake::Queue(grave.spec.name.clone()));
    Ok(())
}

/// Row id and receipt of a handle.
fn parse_handle(handle: &str) -> Result<(i64, String), ApiError> {
    if handle.is_empty() {
        return Err(errors::missing("ReceiptHandle"));
    }
    let text = BASE64_STANDARD.decode(handle).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = text.as_deref().and_then(|text| text.split_once('/'));
    match parts.and_then(|(id, receipt)| Some((id.parse().ok()?, receipt.to_owned()))) {
        Some(parsed) => Ok(parsed),
        None => Err(errors::receipt_handle(handle)),
    }
}
