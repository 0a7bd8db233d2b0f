//! Raw rows through the function.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use delivery::{Buffer, Decision, Failure, Hints};
use rusqlite::Connection;

use super::answer::{self, Fault, Outcome, REQUEST_CAP, Request, RequestRecord};
use super::journal;
use super::records::{self, Batch, Retry, Row, Stage};
use super::settings::{Settings, Transform};
use super::streams::{self, Stream, arn};
use super::worker::Next;
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::store::{Tx, Wake};

/// How long Firehose waits for the function (data transformation, Firehose guide: 5 minutes).
const INVOCATION_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(300);

/// Pause before the first repeat of an invocation, ms. Firehose's own is not documented.
const FIRST_PAUSE_MS: i64 = 100;

/// The longest pause, ms.
const MAX_PAUSE_MS: i64 = 10_000;

/// Rows that go from `Raw` to `Ready` in one transaction when a stream has lost its function.
const PROMOTED_ROWS: usize = 1_000;

/// A batch as it goes to the function.
#[derive(Debug)]
pub struct Work {
    pub batch: Batch,
    /// For each record: row, arrival.
    pub rows: Vec<(i64, i64)>,
    pub records: Vec<RequestRecord>,
    /// Attempts so far.
    pub attempts: u32,
    /// When the first of them failed.
    pub since: Option<i64>,
}

/// Invokes the function once, if a batch is due.
pub async fn step(ctx: &Ctx, stream: &Stream, settings: &Settings) -> Result<Next, ApiError> {
    let id = stream.id;
    let Some(transform) = settings.transform.clone() else {
        let promoted = ctx.store.write(move |tx| promote(tx, id)).await?;
        return Ok(if promoted { Next::Again } else { Next::Wait(None) });
    };
    let hints = transform.hints;
    let mut work = match ctx.store.read(move |db| plan(db, id, hints, now_ms())).await? {
        Ok(work) => work,
        Err(wait) => return Ok(Next::Wait(wait)),
    };
    let records = std::mem::take(&mut work.records);
    let ids: Vec<String> = records.iter().map(|record| record.record_id.clone()).collect();
    let answered = match invoke(ctx, stream, settings, &transform, records).await {
        Ok(payload) => answer::outcomes(&payload, &ids),
        Err(fault) => Err(fault),
    };
    let lambda_arn = transform.arn.clone();
    match answered {
        Ok(outcomes) => ctx.store.write(move |tx| apply(tx, id, &work, &outcomes, &lambda_arn)).await?,
        Err(fault) => {
            journal::report(ctx, stream, settings, &transform.arn, &fault).await;
            ctx.store.write(move |tx| fail(tx, id, &work, &fault, transform.retries, &lambda_arn)).await?;
        }
    }
    Ok(Next::Again)
}

/// The batch that is due, or until when there is none.
pub fn plan(db: &Connection, stream: i64, hints: Hints, now: i64) -> Result<Result<Work, Option<i64>>, ApiError> {
    let head = records::head(db, stream, Stage::Raw)?;
    let last = match head.retry {
        Some(retry) if retry.next_at > now => return Ok(Err(Some(retry.next_at))),
        // The batch is made again as it was.
        Some(retry) => retry.last,
        None => match head.buffer(hints).tick(now) {
            Decision::Wait(until) => return Ok(Err(until)),
            Decision::Flush | Decision::FlushBefore => i64::MAX,
        },
    };
    let mut raw = Buffer::cut(hints);
    let mut request = Buffer::cut(Hints::from_bytes(u64::MAX, 0).with_cap(REQUEST_CAP));
    let (mut batch, mut rows, mut sent) = (None, Vec::new(), Vec::new());
    records::visit(db, stream, Stage::Raw, |row| {
        let size = answer::encoded_size(row.data.len(), row.about.as_deref());
        if row.seq > last || request.offer(size, now) == Decision::FlushBefore {
            return Ok(false);
        }
        batch = Some(Batch::with(batch, &row));
        rows.push((row.seq, row.arrival));
        let full = raw.offer(row.data.len() as u64, now) == Decision::Flush;
        sent.push(request_record(row));
        Ok(!full)
    })?;
    let Some(batch) = batch else { return Ok(Err(None)) };
    let (attempts, since) = head.retry.map_or((0, None), |retry| (retry.attempts, Some(retry.since)));
    Ok(Ok(Work { batch, rows, records: sent, attempts, since }))
}

fn request_record(row: Row) -> RequestRecord {
    RequestRecord {
        // As long as Firehose's own, and the same at each attempt.
        record_id: format!("4954698668313554428650745793{:022}000000", row.seq),
        approximate_arrival_timestamp: row.arrival,
        data: BASE64_STANDARD.encode(&row.data),
        kinesis_record_metadata: row.about.and_then(|about| serde_json::from_str(&about).ok()),
    }
}

async fn invoke(
    ctx: &Ctx,
    stream: &Stream,
    settings: &Settings,
    transform: &Transform,
    records: Vec<RequestRecord>,
) -> Result<bytes::Bytes, Fault> {
    let request = Request {
        invocation_id: uuid::Uuid::new_v4().to_string(),
        delivery_stream_arn: arn(&ctx.config, &stream.name),
        source_kinesis_stream_arn: settings.source.as_ref().map(|source| source.arn.clone()),
        region: ctx.config.region.clone(),
        records,
    };
    let payload =
        serde_json::to_vec(&request).map_err(|e| Fault::new("Lambda.JsonProcessingException", e.to_string()))?;
    drop(request);
    let invoked = tokio::time::timeout(INVOCATION_TIMEOUT, ctx.pool.invoke(ctx, &transform.function, payload.into()));
    match invoked.await {
        Err(_) => {
            let message = format!("The Lambda function did not answer in {} s.", INVOCATION_TIMEOUT.as_secs());
            Err(Fault::new("Lambda.FunctionTimedOut", message))
        }
        Ok(Err(error)) => Err(invocation_fault(&error)),
        Ok(Ok(invocation)) if invocation.function_error.is_some() => Err(answer::function_fault(&invocation.payload)),
        Ok(Ok(invocation)) => Ok(invocation.payload),
    }
}

/// Lambda's own errors as Firehose names them.
fn invocation_fault(error: &ApiError) -> Fault {
    let code = match error.code.as_str() {
        "TooManyRequestsException" => "Lambda.InvokeLimitExceeded".to_owned(),
        other => format!("Lambda.{}", other.trim_end_matches("Exception")),
    };
    Fault { code, message: error.message.clone() }
}

/// What the answer makes of the batch.
pub fn apply(tx: &Tx<'_>, stream: i64, work: &Work, outcomes: &[Outcome], lambda_arn: &str) -> Result<(), ApiError> {
    streams::check_alive(tx, stream)?;
    let (mut ready, mut failed) = ((0, 0), (0, 0));
    for ((seq, arrival), outcome) in work.rows.iter().zip(outcomes) {
        match outcome {
            Outcome::Ok(data) => {
                records::advance(tx, *seq, Stage::Raw, Stage::Ready, Some(data), None)?;
                ready = (ready.0 + 1, ready.1 + data.len() as i64);
            }
            Outcome::Dropped => {
                records::discard(tx, *seq, Stage::Raw)?;
            }
            Outcome::Failed(fault) => {
                let about = failure(tx, work, *arrival, fault, lambda_arn)?;
                failed = (failed.0 + 1, failed.1 + size_of(tx, *seq)?);
                records::advance(tx, *seq, Stage::Raw, Stage::Failed, None, Some(&about))?;
            }
        }
    }
    records::add(tx, stream, Stage::Raw, -work.batch.records, -work.batch.bytes)?;
    records::add(tx, stream, Stage::Ready, ready.0, ready.1)?;
    records::add(tx, stream, Stage::Failed, failed.0, failed.1)?;
    records::clear_retry(tx, stream, Stage::Raw)?;
    wake(tx, stream)
}

/// An invocation that failed: it is made again, or, after `retries` repeats, all its records have failed.
pub fn fail(
    tx: &Tx<'_>,
    stream: i64,
    work: &Work,
    fault: &Fault,
    retries: u32,
    lambda_arn: &str,
) -> Result<(), ApiError> {
    if work.attempts >= retries {
        let outcomes = vec![Outcome::Failed(fault.clone()); work.rows.len()];
        return apply(tx, stream, work, &outcomes, lambda_arn);
    }
    streams::check_alive(tx, stream)?;
    let retry = Retry {
        last: work.batch.last,
        attempts: work.attempts + 1,
        since: work.since.unwrap_or(tx.now()),
        next_at: tx.now() + pause(work.attempts),
    };
    records::set_retry(tx, stream, Stage::Raw, &retry)
}

/// Doubles with each attempt up to its bound.
fn pause(attempts: u32) -> i64 {
    FIRST_PAUSE_MS.saturating_mul(1 << attempts.min(30)).min(MAX_PAUSE_MS)
}

fn failure(tx: &Tx<'_>, work: &Work, arrival: i64, fault: &Fault, lambda_arn: &str) -> Result<String, ApiError> {
    let failure = Failure {
        attempts_made: work.attempts + 1,
        arrival_timestamp: arrival,
        error_code: fault.code.clone(),
        error_message: fault.message.clone(),
        attempt_ending_timestamp: tx.now(),
        lambda_arn: lambda_arn.to_owned(),
    };
    serde_json::to_string(&failure).map_err(ApiError::internal)
}

fn size_of(tx: &Tx<'_>, seq: i64) -> Result<i64, ApiError> {
    let sql = "SELECT length(data) FROM firehose_records WHERE seq = ?1";
    Ok(tx.prepare_cached(sql)?.query_row([seq], |row| row.get(0))?)
}

/// A stream that has lost its function delivers what waited for it; whether there was any.
pub fn promote(tx: &Tx<'_>, stream: i64) -> Result<bool, ApiError> {
    // The stream may have got one since its settings were read.
    if streams::by_id(tx, stream)?.is_none_or(|stream| stream.configuration.transforms()) {
        return Ok(false);
    }
    let mut batch = None;
    let mut rows = Vec::new();
    records::visit(tx, stream, Stage::Raw, |row| {
        batch = Some(Batch::with(batch, &row));
        rows.push(row.seq);
        Ok(rows.len() < PROMOTED_ROWS)
    })?;
    let Some(Batch { records, bytes, .. }) = batch else { return Ok(false) };
    for seq in rows {
        records::advance(tx, seq, Stage::Raw, Stage::Ready, None, None)?;
    }
    records::add(tx, stream, Stage::Raw, -records, -bytes)?;
    records::add(tx, stream, Stage::Ready, records, bytes)?;
    records::clear_retry(tx, stream, Stage::Raw)?;
    wake(tx, stream)?;
    Ok(true)
}

fn wake(tx: &Tx<'_>, stream: i64) -> Result<(), ApiError> {
    if let Some(stream) = streams::by_id(tx, stream)? {
        tx.wake(Wake::Delivery(stream.name));
    }
    Ok(())
}
