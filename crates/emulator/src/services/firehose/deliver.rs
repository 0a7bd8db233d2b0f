//! Rows into objects.

use std::collections::BTreeMap;
use std::io::Write;

use bytes::Bytes;
use delivery::{Buffer, Decision, Evaluation, Failure, PROCESSING_FAILED, object_name};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use rusqlite::Connection;

use super::answer::Fault;
use super::journal;
use super::records::{self, Batch, Retry, Row, Stage};
use super::settings::{Settings, Target};
use super::streams::{self, Stream};
use super::worker::Next;
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::services::s3::{self, NewObject, Precondition};
use crate::store::{Tx, Wake};

/// How long a delivery is tried again before its records are lost (delivery failures, Firehose guide: 24 hours).
pub const MAX_RETRY_MS: i64 = 24 * 60 * 60 * 1000;

/// Pause before the first repeat of a delivery, ms. Firehose's own is not documented.
const FIRST_PAUSE_MS: i64 = 500;

/// The longest pause, ms.
const MAX_PAUSE_MS: i64 = 30_000;

/// An object that is due.
#[derive(Debug)]
pub struct Parcel {
    pub batch: Batch,
    /// Arrival of its oldest record, epoch ms.
    pub oldest: i64,
    /// When its first row came into the stage, epoch ms.
    pub since: i64,
    pub body: Vec<u8>,
    pub retry: Option<Retry>,
}

/// Delivers each stage's object that is due.
pub async fn step(ctx: &Ctx, stream: &Stream, settings: &Settings) -> Result<Next, ApiError> {
    let mut next = Next::Wait(None);
    for stage in [Stage::Ready, Stage::Failed, Stage::Backup] {
        let target = if stage == Stage::Backup { settings.backup.as_ref() } else { Some(&settings.target) };
        if let Some(target) = target {
            next = next.sooner(deliver(ctx, stream, settings, stage, target).await?);
        }
    }
    Ok(next)
}

async fn deliver(
    ctx: &Ctx,
    stream: &Stream,
    settings: &Settings,
    stage: Stage,
    target: &Target,
) -> Result<Next, ApiError> {
    let form = Form::of(stage, target, settings);
    let (id, hints) = (stream.id, target.hints);
    let packed = ctx.store.read(move |db| pack(db, id, stage, hints, &form, now_ms())).await?;
    let parcel = match packed {
        Ok(parcel) => parcel,
        Err(wait) => return Ok(Next::Wait(wait)),
    };
    let Parcel { batch, since, retry, .. } = parcel;
    let Err(error) = send(ctx, stream, stage, target, parcel).await else { return Ok(Next::Again) };
    let lost = is_lost(now_ms(), since, retry);
    let place = format!("arn:aws:s3:::{}", target.bucket);
    let mut message = format!("{} records ({} bytes): {}", batch.records, batch.bytes, error.message);
    if lost {
        message.push_str("; not delivered in 24 hours: the records are LOST");
    }
    let fault = Fault::new(&format!("S3.{}", error.code), message);
    journal::report(ctx, stream, settings, &place, &fault).await;
    ctx.store.write(move |tx| give_up_or_wait(tx, id, stage, &batch, retry, lost)).await?;
    Ok(Next::Again)
}

/// How records are written into an object.
#[derive(Debug, Clone)]
pub struct Form {
    failures: bool,
    gzip: bool,
    delimiter: String,
}

impl Form {
    /// Error objects are plain lines whatever the compression.
    pub fn of(stage: Stage, target: &Target, settings: &Settings) -> Form {
        let delimiter = settings.delimiter.clone().filter(|_| stage == Stage::Ready).unwrap_or_default();
        Form { failures: stage == Stage::Failed, gzip: target.gzip && stage != Stage::Failed, delimiter }
    }
}

/// The stage's object if it is due, or until when it is not.
pub fn pack(
    db: &Connection,
    stream: i64,
    stage: Stage,
    hints: delivery::Hints,
    form: &Form,
    now: i64,
) -> Result<Result<Parcel, Option<i64>>, ApiError> {
    let head = records::head(db, stream, stage)?;
    if let Some(retry) = head.retry.filter(|retry| retry.next_at > now) {
        return Ok(Err(Some(retry.next_at)));
    }
    if let Decision::Wait(until) = head.buffer(hints).tick(now) {
        return Ok(Err(until));
    }
    let mut buffer = Buffer::cut(hints);
    let mut writer = Writer::new(form.gzip);
    let (mut batch, mut oldest) = (None, i64::MAX);
    records::visit(db, stream, stage, |row| {
        batch = Some(Batch::with(batch, &row));
        oldest = oldest.min(row.arrival);
        if form.failures {
            writer.write(failure_line(&row)?.as_bytes())?;
        } else {
            writer.write(&row.data)?;
            writer.write(form.delimiter.as_bytes())?;
        }
        Ok(buffer.offer(row.data.len() as u64, now) != Decision::Flush)
    })?;
    let Some(batch) = batch else { return Ok(Err(None)) };
    Ok(Ok(Parcel { batch, oldest, since: head.since, body: writer.finish()?, retry: head.retry }))
}

fn failure_line(row: &Row) -> Result<String, ApiError> {
    let failure: Failure =
        serde_json::from_str(row.about.as_deref().unwrap_or_default()).map_err(ApiError::internal)?;
    Ok(failure.line(&row.data))
}

/// One object's body: records one after another, in one gzip member if they are compressed.
enum Writer {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
}

impl Writer {
    fn new(gzip: bool) -> Writer {
        if gzip { Writer::Gzip(GzEncoder::new(Vec::new(), Compression::default())) } else { Writer::Plain(Vec::new()) }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Writer::Plain(body) => body.write_all(bytes),
            Writer::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    fn finish(self) -> std::io::Result<Vec<u8>> {
        match self {
            Writer::Plain(body) => Ok(body),
            Writer::Gzip(encoder) => encoder.finish(),
        }
    }
}

/// The object's key: prefix and name.
pub fn key(stream: &Stream, stage: Stage, target: &Target, oldest: i64) -> Result<String, ApiError> {
    let at = Timestamp::from_millisecond(oldest).map_err(ApiError::internal)?;
    let mut random = rand::random::<u64>;
    let mut with = Evaluation::new(at, &mut random);
    with.zone = target.zone.clone();
    let prefix = match stage {
        Stage::Failed => target.prefixes.failed(PROCESSING_FAILED, &mut with),
        _ => target.prefixes.delivered(&mut with),
    };
    let prefix = prefix.map_err(ApiError::internal)?;
    let extension = if stage == Stage::Failed { "" } else { target.extension.as_str() };
    let uuid = uuid::Uuid::new_v4().to_string();
    Ok(prefix + &object_name(&stream.name, stream.version, at, &target.zone, &uuid, extension))
}

/// Writes the body, then in one transaction the object with all that follows from it, and takes its records.
async fn send(ctx: &Ctx, stream: &Stream, stage: Stage, target: &Target, parcel: Parcel) -> Result<(), ApiError> {
    let key = key(stream, stage, target, parcel.oldest)?;
    let body = s3::write_body(ctx, Bytes::from(parcel.body)).await?;
    let object = NewObject {
        bucket: target.bucket.clone(),
        key,
        body,
        headers: BTreeMap::from([("content-type".to_owned(), "application/octet-stream".to_owned())]),
        tags: BTreeMap::new(),
        event: "ObjectCreated:Put",
    };
    let (id, batch) = (stream.id, parcel.batch);
    let write = move |tx: &Tx<'_>| {
        s3::put_object(tx, &object, &Precondition::None)?;
        delivered(tx, id, stage, &batch, &format!("{}/{}", object.bucket, object.key))
    };
    ctx.store.write(write).await
}

/// Takes the records of an object that was written in this transaction.
pub fn delivered(tx: &Tx<'_>, stream: i64, stage: Stage, batch: &Batch, place: &str) -> Result<(), ApiError> {
    streams::check_alive(tx, stream)?;
    records::remove(tx, stream, stage, batch)?;
    records::clear_retry(tx, stream, stage)?;
    tx.prepare_cached(
        "UPDATE firehose_streams SET objects = objects + 1, delivered_at = ?2, delivered_key = ?3 WHERE id = ?1",
    )?
    .execute((stream, tx.now(), place))?;
    if let Some(stream) = streams::by_id(tx, stream)? {
        tx.wake(Wake::Delivery(stream.name)); // a source that waits for room
    }
    Ok(())
}

/// Whether a batch has been tried for as long as Firehose does: since its first failure, or since its first record came, if
/// that was later.
pub fn is_lost(now: i64, since: i64, retry: Option<Retry>) -> bool {
    retry.is_some_and(|retry| now - retry.since.max(since) >= MAX_RETRY_MS)
}

/// After a delivery that failed.
pub fn give_up_or_wait(
    tx: &Tx<'_>,
    stream: i64,
    stage: Stage,
    batch: &Batch,
    retry: Option<Retry>,
    lost: bool,
) -> Result<(), ApiError> {
    streams::check_alive(tx, stream)?;
    if lost {
        records::remove(tx, stream, stage, batch)?;
    }
    let attempts = retry.map_or(0, |retry| retry.attempts) + 1;
    let pause = FIRST_PAUSE_MS.saturating_mul(1 << (attempts - 1).min(30)).min(MAX_PAUSE_MS);
    let since = retry.map_or(tx.now(), |retry| retry.since);
    let next_at = if lost { tx.now() } else { tx.now() + pause };
    records::set_retry(tx, stream, stage, &Retry { last: batch.last, attempts, since, next_at })
}
