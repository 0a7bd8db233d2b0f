//! A queue's mapping: receive, gather, invoke, delete what is done with. What is not deleted comes again when its visibility
//! time-out is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::answer::{done_messages, failed_items};
use super::{AFTER_ERROR, event, is_stopped, until_stopped};
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::runtime::Invocation;
use crate::runtime::timing::back_off;
use crate::services::lambda::{self, Mapping};
use crate::services::sqs;
use crate::store::Wake;

/// Batches at once without a ScalingConfig (Lambda developer guide: polling begins with five).
const DEFAULT_AT_ONCE: usize = 5;

/// How often a batch is offered to a throttled function before its messages are left to their visibility time-out.
const MAX_OFFERS: u32 = 6;

/// Between these offers, ms: together below the default visibility time-out of 30 s.
const OFFER_DELAYS: [i64; 2] = [100, 5_000];

/// The shortest wait for a message that is visible and was not received: the queue has as many in flight as it may.
const MIN_WAIT_MS: i64 = 50;

/// Runs until the mapping is to stop; the batches under way are ended first.
pub async fn run(ctx: Ctx, mapping: Arc<Mapping>, mut stopped: watch::Receiver<()>) {
    let at_once = mapping.spec.scaling_config.map_or(DEFAULT_AT_ONCE, |config| config.maximum_concurrency as usize);
    let mut visible = ctx.store.watch(Wake::Queue(mapping.source_name().to_owned()));
    let mut batches = JoinSet::new();
    while !is_stopped(&stopped) {
        if batches.len() >= at_once {
            batches.join_next().await;
            continue;
        }
        while batches.try_join_next().is_some() {}
        let received = gather(&ctx, &mapping, &mut visible, &mut stopped).await;
        match received {
            Ok(messages) if messages.is_empty() => {
                if wait(&ctx, &mapping, &mut visible, &mut stopped).await.is_err() {
                    pause(&mut stopped).await;
                }
            }
            Ok(messages) => {
                for batch in split(&ctx, &mapping, messages) {
                    batches.spawn(process(ctx.clone(), mapping.clone(), batch));
                }
            }
            Err(error) => {
                tracing::warn!(%error, queue = mapping.source_name(), "a queue was not read");
                pause(&mut stopped).await;
            }
        }
    }
    while batches.join_next().await.is_some() {}
}

/// Messages and their records.
struct Batch {
    messages: Vec<sqs::Received>,
    records: Vec<String>,
}

/// Receives until the batch is full or, from the first message on, the window is over.
async fn gather(
    ctx: &Ctx,
    mapping: &Mapping,
    visible: &mut watch::Receiver<()>,
    stopped: &mut watch::Receiver<()>,
) -> Result<Vec<sqs::Received>, ApiError> {
    let size = mapping.batch_size();
    visible.borrow_and_update();
    let mut messages = receive(ctx, mapping, size).await?;
    let window = Duration::from_secs(mapping.spec.maximum_batching_window_in_seconds.into());
    let until = Instant::now() + window;
    while !messages.is_empty() && messages.len() < size && Instant::now() < until && !is_stopped(stopped) {
        tokio::select! {
            () = sleep_until(until) => break,
            waited = wait(ctx, mapping, visible, stopped) => if waited.is_err() { break },
        }
        visible.borrow_and_update();
        // What was received is hidden from everybody else: an error now must not leave it unprocessed.
        match receive(ctx, mapping, size - messages.len()).await {
            Ok(more) => messages.extend(more),
            Err(_) => break,
        }
    }
    Ok(messages)
}

async fn receive(ctx: &Ctx, mapping: &Mapping, max: usize) -> Result<Vec<sqs::Received>, ApiError> {
    let arn = mapping.spec.event_source_arn.clone();
    ctx.store.write(move |tx| sqs::receive(tx, &arn, max, None)).await
}

/// Until a message becomes visible, or the mapping is to stop.
async fn wait(
    ctx: &Ctx,
    mapping: &Mapping,
    visible: &mut watch::Receiver<()>,
    stopped: &mut watch::Receiver<()>,
) -> Result<(), ApiError> {
    let arn = mapping.spec.event_source_arn.clone();
    let next = ctx.store.read(move |db| sqs::next_visible_at(db, &arn)).await?;
    let next = next.map(|at| Duration::from_millis((at - now_ms()).max(MIN_WAIT_MS) as u64));
    tokio::select! {
        _ = visible.changed() => {}
        () = sleep(next.unwrap_or_default()), if next.is_some() => {}
        () = until_stopped(stopped) => {}
    }
    Ok(())
}

async fn pause(stopped: &mut watch::Receiver<()>) {
    tokio::select! {
        () = sleep(AFTER_ERROR) => {}
        () = until_stopped(stopped) => {}
    }
}

/// Batches whose events are small enough.
fn split(ctx: &Ctx, mapping: &Mapping, mut messages: Vec<sqs::Received>) -> Vec<Batch> {
    let (arn, region) = (&mapping.spec.event_source_arn, &ctx.config.region);
    let mut records = event::encode(messages.iter().map(|message| event::of_message(message, arn, region)));
    let mut batches = Vec::new();
    while !messages.is_empty() {
        let rest = event::fitting(&records);
        let (later, later_records) = (messages.split_off(rest), records.split_off(rest));
        batches.push(Batch { messages, records });
        (messages, records) = (later, later_records);
    }
    batches
}

async fn process(ctx: Ctx, mapping: Arc<Mapping>, batch: Batch) {
    let ids: Vec<&str> = batch.messages.iter().map(|message| message.message_id.as_str()).collect();
    let (done, result) = match offer(&ctx, &mapping, &batch.records).await {
        Ok(invocation) => {
            let failed = failed_items(&invocation, mapping.reports_failures(), &ids);
            let result = match &invocation.function_error {
                Some(_) => "PROBLEM: Function call failed",
                None => "OK",
            };
            (done_messages(&failed, ids.len()), result)
        }
        Err(error) => {
            tracing::warn!(%error, function = mapping.function, "a batch of messages is left to its visibility time-out");
            (Vec::new(), "PROBLEM: Function call failed")
        }
    };
    let handles: Vec<String> = done.into_iter().map(|place| batch.messages[place].receipt_handle.clone()).collect();
    let written = ctx.store.write({
        let mapping = mapping.clone();
        move |tx| {
            if !handles.is_empty() {
                sqs::delete(tx, &mapping.spec.event_source_arn, &handles)?;
            }
            lambda::set_result(tx, &mapping.uuid, result)
        }
    });
    if let Err(error) = written.await {
        tracing::warn!(%error, queue = mapping.source_name(), "messages that are done with were not deleted");
    }
}

/// Invokes; a function that is throttled is asked again a few times.
async fn offer(ctx: &Ctx, mapping: &Mapping, records: &[String]) -> Result<Invocation, ApiError> {
    let mut offers = 0;
    loop {
        match ctx.pool.invoke(ctx, &mapping.function, event::join(records)).await {
            Err(error) if error.status == http::StatusCode::TOO_MANY_REQUESTS && offers + 1 < MAX_OFFERS => {
                sleep(Duration::from_millis(back_off(OFFER_DELAYS, offers) as u64)).await;
                offers += 1;
            }
            outcome => return outcome,
        }
    }
}
