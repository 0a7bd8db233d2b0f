//! Asynchronous events: due rows become invocations; a failure is tried again later, an end is told to the destinations.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::destination::{Delivery, dead_letter, deliver_with, iso, json_or_text, object_key, prepare};
use super::pool::Invocation;
use super::timing::{Timing, back_off};
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::services::lambda::{self, AsyncEvent, AsyncSpec, LATEST};
use crate::store::Wake;

/// Events that are with their functions at once; the pool has its own bound for all invocations.
const MAX_AT_ONCE: usize = 16;

/// Retries of an event whose function failed (Lambda developer guide: two).
const DEFAULT_RETRIES: u32 = 2;

/// How long an event is tried, seconds (Lambda developer guide: six hours).
const DEFAULT_MAX_AGE: u32 = 21_600;

/// Before the tables are looked at again after they could not be read or written.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Runs until the task is aborted.
pub async fn run(ctx: Ctx) {
    let mut queued = ctx.store.watch(Wake::AsyncEvents);
    let mut running = JoinSet::new();
    let mut ids: Vec<String> = Vec::new();
    loop {
        queued.borrow_and_update();
        let now = now_ms();
        let (except, room) = (ids.clone(), MAX_AT_ONCE - ids.len());
        let look =
            ctx.store.read(move |db| Ok((lambda::due_events(db, now, room, &except)?, lambda::next_due(db, now)?)));
        let next = match look.await {
            Ok((due, next)) => {
                for event in due {
                    ids.push(event.id.clone());
                    running.spawn(attempt(ctx.clone(), event));
                }
                next.map(|at| Duration::from_millis((at - now).max(0) as u64))
            }
            Err(error) => {
                tracing::warn!(%error, "asynchronous events were not read");
                Some(AFTER_ERROR)
            }
        };
        tokio::select! {
            Some(done) = running.join_next() => match done {
                Ok(id) => ids.retain(|known| *known != id),
                // A panic took the id with it. Every row is still there: all that are not done are begun again.
                Err(_) => {
                    running.shutdown().await;
                    ids.clear();
                }
            },
            changed = queued.changed(), if ids.len() < MAX_AT_ONCE => {
                if changed.is_err() { return }
            }
            () = sleep(next.unwrap_or(Duration::MAX)), if next.is_some() && ids.len() < MAX_AT_ONCE => {}
        }
    }
}

async fn attempt(ctx: Ctx, event: AsyncEvent) -> String {
    let id = event.id.clone();
    if let Err(error) = attempt_once(&ctx, event).await {
        tracing::warn!(%error, event = id, "an asynchronous event was left for later");
        sleep(AFTER_ERROR).await;
    }
    id
}

async fn attempt_once(ctx: &Ctx, mut event: AsyncEvent) -> Result<(), ApiError> {
    let name = event.function.clone();
    let Some(function) = ctx.store.read(move |db| lambda::find_function(db, &name)).await? else {
        tracing::warn!(function = event.function, event = event.id, "an event was dropped: there is no such function");
        return ctx.store.write(move |tx| lambda::remove(tx, &event.id)).await;
    };
    let spec = function.spec.asynchronous;
    let payload = event.payload.clone();
    let answer = ctx.pool.invoke_as(ctx, &event.function, payload, event.id.clone(), None).await;
    let fate = decide(&mut event, &spec, &answer, ctx.pool.timing(), now_ms());
    match fate {
        Fate::Again(delay) => ctx.store.write(move |tx| lambda::postpone(tx, &event, delay)).await,
        Fate::End(condition) => {
            let deliveries = deliveries(ctx, &event, &spec, condition, answer.as_ref().ok()).await;
            deliver_with(ctx, deliveries, move |tx| lambda::remove(tx, &event.id)).await
        }
    }
}

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// Tried again after so many ms.
    Again(i64),
    /// Over: the `condition` of its record.
    End(&'static str),
}

/// The condition of an event that succeeded.
const SUCCESS: &str = "Success";

fn decide(
    event: &mut AsyncEvent,
    spec: &AsyncSpec,
    answer: &Result<Invocation, ApiError>,
    timing: Timing,
    now: i64,
) -> Fate {
    let delay = match answer {
        Ok(invocation) => {
            event.invocations += 1;
            if invocation.function_error.is_none() {
                return Fate::End(SUCCESS);
            }
            event.failures += 1;
            if event.failures > spec.retries.unwrap_or(DEFAULT_RETRIES) {
                return Fate::End("RetriesExhausted");
            }
            timing.async_retries[(event.failures as usize - 1).min(timing.async_retries.len() - 1)]
        }
        // Throttled, or the system's own fault.
        Err(_) => {
            event.postponements += 1;
            back_off(timing.throttled, event.postponements - 1)
        }
    };
    let max_age = i64::from(spec.max_age.unwrap_or(DEFAULT_MAX_AGE)) * 1000;
    if now + delay - event.enqueued_at > max_age { Fate::End("EventAgeExceeded") } else { Fate::Again(delay) }
}

async fn deliveries(
    ctx: &Ctx,
    event: &AsyncEvent,
    spec: &AsyncSpec,
    condition: &str,
    answer: Option<&Invocation>,
) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    let mut add = |delivery: Result<Delivery, ApiError>| match delivery {
        Ok(delivery) => deliveries.push(delivery),
        Err(error) => tracing::warn!(%error, function = event.function, "a destination did not take its record"),
    };
    let succeeded = condition == SUCCESS;
    if let Some(arn) = if succeeded { &spec.on_success } else { &spec.on_failure } {
        let function_arn = ctx.config.arn("lambda", &format!("function:{}:{LATEST}", event.function));
        let record = record(event, &function_arn, condition, answer, now_ms());
        let key = object_key(&format!("aws/lambda/async/{}", event.function), now_ms());
        add(prepare(ctx, arn, &key, record).await);
    }
    if let (false, Some(arn)) = (succeeded, &spec.dead_letter) {
        let error = answer.map(|answer| json_or_text(&answer.payload)["errorMessage"].as_str().map(str::to_owned));
        let payload = String::from_utf8_lossy(&event.payload).into_owned();
        add(dead_letter(arn, payload, &event.id, error.flatten().as_deref().unwrap_or(condition)));
    }
    deliveries
}

/// The record of an event's end (Lambda developer guide, "Destinations for asynchronous invocation").
fn record(event: &AsyncEvent, function_arn: &str, condition: &str, answer: Option<&Invocation>, now: i64) -> String {
    let mut record = json!({
        "version": "1.0",
        "timestamp": iso(now),
        "requestContext": {
            "requestId": event.id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": event.invocations,
        },
        "requestPayload": json_or_text(&event.payload),
    });
    if let Some(answer) = answer {
        record["responseContext"] = json!({ "statusCode": 200, "executedVersion": LATEST });
        if let Some(error) = &answer.function_error {
            record["responseContext"]["functionError"] = json!(error);
        }
        record["responsePayload"] = json_or_text(&answer.payload);
    }
    record.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(failures: u32, postponements: u32) -> AsyncEvent {
        AsyncEvent {
            id: "e4b4".into(),
            function: "f".into(),
            payload: bytes::Bytes::from_static(b"{\"a\":1}"),
            enqueued_at: 0,
            invocations: failures,
            failures,
            postponements,
        }
    }

    fn answer(error: Option<&str>) -> Result<Invocation, ApiError> {
        Ok(Invocation {
            payload: bytes::Bytes::from_static(b"{\"errorMessage\":\"no\"}"),
            function_error: error.map(str::to_owned),
            log_tail: String::new(),
            request_id: String::new(),
        })
    }

    #[test]
    fn an_event_is_tried_again_or_ends() {
        let failed = answer(Some("Unhandled"));
        let throttled = Err(ApiError::bad_request("TooManyRequestsException", ""));
        let default = AsyncSpec::default();
        let none = AsyncSpec { retries: Some(0), ..Default::default() };
        let short = AsyncSpec { max_age: Some(60), ..Default::default() };
        let six_hours = 6 * 3600 * 1000;
        for (case, (failures, postponements, spec, answer, now), expected) in [
            ("success", (0, 0, &default, &answer(None), 0), Fate::End("Success")),
            ("first failure", (0, 0, &default, &failed, 0), Fate::Again(60_000)),
            ("second failure", (1, 0, &default, &failed, 0), Fate::Again(120_000)),
            ("third failure", (2, 0, &default, &failed, 0), Fate::End("RetriesExhausted")),
            ("no retries", (0, 0, &none, &failed, 0), Fate::End("RetriesExhausted")),
            ("throttled", (0, 0, &none, &throttled, 0), Fate::Again(1_000)),
            ("throttled again", (0, 4, &default, &throttled, 0), Fate::Again(16_000)),
            ("throttled for long", (0, 60, &default, &throttled, 0), Fate::Again(300_000)),
            ("too old", (0, 60, &default, &throttled, six_hours), Fate::End("EventAgeExceeded")),
            ("too old by then", (1, 0, &short, &failed, 0), Fate::End("EventAgeExceeded")),
        ] {
            assert_eq!(
                decide(&mut event(failures, postponements), spec, answer, Timing::default(), now),
                expected,
                "{case}"
            );
        }
    }

    #[test]
    fn the_record_of_an_end() {
        let failed = answer(Some("Unhandled")).unwrap();
        let got = record(&event(3, 0), "arn:f:$LATEST", "RetriesExhausted", Some(&failed), 1_573_755_365_568);
        let got: serde_json::Value = serde_json::from_str(&got).unwrap();
        assert_eq!(
            got,
            json!({
                "version": "1.0",
                "timestamp": "2019-11-14T18:16:05.568Z",
                "requestContext": {"requestId": "e4b4", "functionArn": "arn:f:$LATEST", "condition": "RetriesExhausted",
                    "approximateInvokeCount": 3},
                "requestPayload": {"a": 1},
                "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
                "responsePayload": {"errorMessage": "no"},
            })
        );
        let never_run = record(&event(0, 9), "arn:f:$LATEST", "EventAgeExceeded", None, 0);
        assert!(!never_run.contains("response"), "{never_run}");
    }
}
