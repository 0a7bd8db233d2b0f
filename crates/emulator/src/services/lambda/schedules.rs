//! Schedules: `rate(…)` and `cron(…)` rules that send an event to a function.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::json;

use super::async_events::enqueue_event;
use super::expression::Expression;
use super::functions;
use crate::config::Config;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// A schedule as it is stored.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// `rate(…)` or `cron(…)`.
    pub expression: String,
    /// The function's name.
    pub target: String,
    /// What it sends; `None`: EventBridge's scheduled event.
    pub input: Option<String>,
    /// Whether it fires.
    pub enabled: bool,
    /// When it fires next, epoch ms; `None` when never again.
    pub next_at: Option<i64>,
}

/// Makes a schedule (`rate(…)`, `cron(…)`) that sends `input` (`None`: EventBridge's scheduled event) to a function. The time
/// it fires next is kept while its expression stays the same.
pub fn ensure_schedule(
    tx: &Tx<'_>,
    name: &str,
    expression: &str,
    target_arn: &str,
    input: Option<&str>,
    enabled: bool,
) -> Result<(), ApiError> {
    let parsed = parse(name, expression)?;
    let target = functions::get(tx, target_arn)?.spec.name;
    let known = find(tx, name)?;
    let next_at = match &known {
        Some(known) if known.expression == expression && (known.enabled || !enabled) => known.next_at,
        _ => parsed.next_after(tx.now()),
    };
    let changed = tx
        .prepare_cached(
            "INSERT INTO lambda_schedules (name, expression, target, input, enabled, next_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO UPDATE SET
             expression = excluded.expression, target = excluded.target, input = excluded.input,
             enabled = excluded.enabled, next_at = excluded.next_at
             WHERE expression <> excluded.expression OR target <> excluded.target OR input IS NOT excluded.input
                OR enabled <> excluded.enabled",
        )?
        .execute((name, expression, target, input, enabled, next_at))?;
    if changed > 0 {
        tx.wake(Wake::Resources);
    }
    Ok(())
}

/// All schedules, by name.
pub fn list(db: &Connection) -> Result<Vec<Schedule>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT name, expression, target, input, enabled, next_at FROM lambda_schedules ORDER BY name LIMIT 1000",
    )?;
    let rows = statement.query_map([], schedule)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Queues the events of all schedules that are due and sets when they fire next; returns the earliest of these. Ticks that
/// were missed while nothing ran fire once, as the last of them.
pub fn fire_due(tx: &Tx<'_>) -> Result<Option<i64>, ApiError> {
    let mut earliest = None;
    for schedule in list(tx)?.into_iter().filter(|schedule| schedule.enabled) {
        let Some(due) = schedule.next_at else { continue };
        let mut next_at = schedule.next_at;
        if due <= tx.now() {
            let expression = parse(&schedule.name, &schedule.expression)?;
            let tick = expression.last_until(due, tx.now());
            let payload = payload(tx.config(), &schedule, tick);
            // A target that was refused must not stop the other schedules: this tick is lost, and said so.
            if let Err(error) = enqueue_event(tx, &schedule.target, &payload) {
                tracing::warn!(schedule = schedule.name, %error, "the schedule's event was not queued");
            }
            next_at = expression.next_after_tick(tick, tx.now());
            tx.prepare_cached("UPDATE lambda_schedules SET next_at = ?2 WHERE name = ?1")?
                .execute((&schedule.name, next_at))?;
        }
        earliest = [earliest, next_at].into_iter().flatten().min();
    }
    Ok(earliest)
}

fn find(db: &Connection, name: &str) -> Result<Option<Schedule>, ApiError> {
    let mut statement = db.prepare_cached(
        "SELECT name, expression, target, input, enabled, next_at FROM lambda_schedules WHERE name = ?1",
    )?;
    Ok(statement.query_row([name], schedule).optional()?)
}

fn schedule(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    Ok(Schedule {
        name: row.get(0)?,
        expression: row.get(1)?,
        target: row.get(2)?,
        input: row.get(3)?,
        enabled: row.get(4)?,
        next_at: row.get(5)?,
    })
}

fn parse(name: &str, expression: &str) -> Result<Expression, ApiError> {
    expression
        .parse()
        .map_err(|e| ApiError::bad_request("ValidationException", format!("schedule {name}: {expression:?}: {e}")))
}

/// The event of a tick (EventBridge, "Scheduled Event"), or the schedule's own input.
fn payload(config: &Config, schedule: &Schedule, tick: i64) -> Bytes {
    if let Some(input) = &schedule.input {
        return Bytes::from(input.clone());
    }
    let time = jiff::Timestamp::from_millisecond(tick / 1000 * 1000).unwrap_or_default();
    // A rule has one schedule for each of its targets: `RULE/TARGET`.
    let rule = schedule.name.split('/').next().unwrap_or_default();
    let event = json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": config.account,
        "time": time.to_string(),
        "region": config.region,
        "resources": [config.arn("events", &format!("rule/{rule}"))],
        "detail": {},
    });
    Bytes::from(event.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_a_scheduled_event_or_the_input() {
        let config = Config::new("unused");
        let mut schedule = Schedule {
            name: "tick/Target0".into(),
            expression: "rate(1 minute)".into(),
            target: "f".into(),
            input: None,
            enabled: true,
            next_at: None,
        };
        let event: serde_json::Value = serde_json::from_slice(&payload(&config, &schedule, 1_444_323_186_000)).unwrap();
        assert_eq!(event["time"], "2015-10-08T16:53:06Z");
        assert_eq!(event["detail-type"], "Scheduled Event");
        assert_eq!(event["resources"][0], "arn:aws:events:us-east-1:000000000000:rule/tick");
        schedule.input = Some("[1]".into());
        assert_eq!(payload(&config, &schedule, 0), "[1]");
    }
}
