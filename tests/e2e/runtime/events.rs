//! Asynchronous events and schedules.

use emulator::runtime::Timing;
use emulator::services::lambda::{self, AsyncSpec};
use emulator::store::Wake;
use http::StatusCode;
use serde_json::json;

use super::rig::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_event_is_tried_three_times() {
    let rig = Rig::start().await;
    rig.emulator.ctx().pool.set_timing(Timing { async_retries: [10, 20], ..Timing::default() });
    rig.function("probe", |spec| logged(&rig, spec)).await;
    let path = "/2015-03-31/functions/probe/invocations";
    for event in [json!({"n": 1}), json!({"fail": "always"})] {
        let answer = rig.call(path, &[("x-amz-invocation-type", "Event")], event.to_string()).await;
        assert_eq!((answer.status(), answer.0.body().len()), (StatusCode::ACCEPTED, 0));
    }
    eventually("both events have ended", async || rig.pending().await == 0).await;
    let events = rig.logged();
    assert_eq!(events.iter().filter(|event| event["n"] == 1).count(), 1);
    assert_eq!(events.iter().filter(|event| event["fail"] == "always").count(), 3);
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_succeeded_or_failed_is_told_to_another_function() {
    let rig = Rig::start().await;
    rig.function("listener", |spec| logged(&rig, spec)).await;
    rig.function("probe", |spec| {
        let listener = Some("arn:aws:lambda:us-east-1:000000000000:function:listener".to_owned());
        let (on_success, on_failure) = (listener.clone(), listener);
        spec.asynchronous = AsyncSpec { retries: Some(0), on_success, on_failure, ..Default::default() };
    })
    .await;
    let path = "/2015-03-31/functions/probe/invocations";
    for event in [json!({"answer": 7}), json!({"fail": "no"})] {
        rig.call(path, &[("x-amz-invocation-type", "Event")], event.to_string()).await;
    }
    eventually("both records have come", async || rig.logged().len() == 2).await;
    let records = rig.logged();
    let of =
        |condition: &str| records.iter().find(|record| record["requestContext"]["condition"] == condition).unwrap();
    assert_eq!(of("Success")["responsePayload"], 7);
    assert_eq!(of("Success")["requestPayload"], json!({"answer": 7}));
    assert_eq!(of("RetriesExhausted")["responseContext"]["functionError"], "Unhandled");
    assert_eq!(of("RetriesExhausted")["responsePayload"]["errorMessage"], "no");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_taken_and_not_finished_runs_again() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| logged(&rig, spec)).await;
    let event = json!({"sleep_ms": 3000}).to_string();
    rig.call("/2015-03-31/functions/probe/invocations", &[("x-amz-invocation-type", "Event")], event).await;
    eventually("the event was taken", async || rig.logged().len() == 1).await;
    let rig = rig.restart().await;
    eventually("it is taken again", async || rig.logged().len() == 2).await;
    eventually("it ends", async || rig.pending().await == 0).await;
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_tick_fires_once() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| logged(&rig, spec)).await;
    rig.emulator
        .ctx()
        .store
        .write(|tx| {
            lambda::ensure_schedule(tx, "tick", "rate(1 minute)", "probe", None, true)?;
            lambda::ensure_schedule(tx, "given", "cron(0 0 * * ? *)", "probe", Some(r#"{"mine":1}"#), true)?;
            lambda::ensure_schedule(tx, "off", "rate(1 minute)", "probe", None, false)?;
            // As if nothing had run for an hour, or a day.
            tx.execute("UPDATE lambda_schedules SET next_at = next_at - 3600000 WHERE name <> 'given'", [])?;
            tx.execute("UPDATE lambda_schedules SET next_at = next_at - 86400000 WHERE name = 'given'", [])?;
            tx.wake(Wake::Resources);
            Ok(())
        })
        .await
        .unwrap();
    eventually("both ticks fire", async || rig.logged().len() == 2).await;
    // An event that is not written off yet would run again, as it should.
    eventually("they have ended", async || rig.pending().await == 0).await;
    let rig = rig.restart().await;
    eventually("nothing waits", async || rig.pending().await == 0).await;
    let events = rig.logged();
    assert_eq!(events.len(), 2, "{events:?}");
    let tick = events.iter().find(|event| event["detail-type"] == "Scheduled Event").unwrap();
    let time: jiff::Timestamp = tick["time"].as_str().unwrap().parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(time) < jiff::SignedDuration::from_mins(5), "{tick}");
    assert!(events.contains(&json!({"mine": 1})));
    let schedules = rig.emulator.ctx().store.read(lambda::list_schedules).await.unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    for schedule in schedules.iter().filter(|schedule| schedule.enabled) {
        assert!(schedule.next_at.unwrap() > now, "{schedule:?}");
    }
    rig.emulator.stop().await;
}
