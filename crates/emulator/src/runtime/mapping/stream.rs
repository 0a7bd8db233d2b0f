//! A stream's mapping: each shard in order, its position moved on only after its records are done with; a shard's parents are
//! read to their end before it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::answer::{Piece, Policy, Rest, failed_items, is_too_large, judge, judge_too_large};
use super::{AFTER_ERROR, event, is_stopped, until_stopped};
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::runtime::destination::{deliver_with, iso, object_key, prepare};
use crate::runtime::timing::back_off;
use crate::runtime::{Invocation, MAX_REQUEST};
use crate::services::kinesis::{self, Position, Shard};
use crate::services::lambda::{self, LATEST, Mapping, Reached};
use crate::store::Wake;

/// Data of one read, bytes: what base64 makes 6 MB of.
const MAX_READ: usize = MAX_REQUEST / 4 * 3;

/// Runs until the mapping is to stop; the batches under way are ended first.
pub async fn run(ctx: Ctx, mapping: Arc<Mapping>, mut stopped: watch::Receiver<()>) {
    let mut readers: JoinSet<String> = JoinSet::new();
    let mut reading = HashSet::new();
    loop {
        match next_shards(&ctx, &mapping, &reading).await {
            Ok(shards) => {
                for (shard, from) in shards {
                    reading.insert(shard.clone());
                    let reader = Reader {
                        ctx: ctx.clone(),
                        mapping: mapping.clone(),
                        shard,
                        position: from,
                        stopped: stopped.clone(),
                    };
                    readers.spawn(reader.run());
                }
            }
            Err(error) => tracing::warn!(%error, stream = mapping.source_name(), "a stream's shards were not read"),
        }
        // A shard's children are looked for when it has been read to its end.
        tokio::select! {
            Some(ended) = readers.join_next() => match ended {
                Ok(shard) => drop(reading.remove(&shard)),
                Err(_) => { // a panic took the name with it: all are begun again
                    readers.shutdown().await;
                    reading.clear();
                }
            },
            () = sleep(AFTER_ERROR), if reading.is_empty() => {}
            () = until_stopped(&mut stopped) => break,
        }
    }
    while readers.join_next().await.is_some() {}
}

/// The shards that may be read now and are not yet, with the place to begin.
async fn next_shards(
    ctx: &Ctx,
    mapping: &Arc<Mapping>,
    reading: &HashSet<String>,
) -> Result<Vec<(String, Position)>, ApiError> {
    let (for_read, mapping) = (mapping.clone(), mapping.clone());
    let (shards, positions) = ctx
        .store
        .read(move |db| Ok((kinesis::shards(db, for_read.source_name())?, lambda::positions(db, &for_read.uuid)?)))
        .await?;
    let start = mapping.start_at.map_or(Position::TrimHorizon, Position::AtTimestamp);
    Ok(eligible(&shards, &positions, reading)
        .into_iter()
        .map(|shard| {
            let after = positions.iter().find_map(|(id, reached)| match reached {
                Reached::After(after) if id == shard => Some(Position::After(after.clone())),
                _ => None,
            });
            (shard.to_owned(), after.unwrap_or_else(|| start.clone()))
        })
        .collect())
}

/// Not read to the end, not being read, and no parent left to read.
fn eligible<'s>(shards: &'s [Shard], positions: &[(String, Reached)], reading: &HashSet<String>) -> Vec<&'s str> {
    let ended = |id: &str| positions.iter().any(|(known, reached)| known == id && *reached == Reached::End);
    let kept = |id: &str| shards.iter().any(|shard| shard.id == id);
    shards
        .iter()
        .filter(|shard| !ended(&shard.id) && !reading.contains(&shard.id))
        .filter(|shard| shard.parents.iter().all(|parent| ended(parent) || !kept(parent)))
        .map(|shard| shard.id.as_str())
        .collect()
}

struct Reader {
    ctx: Ctx,
    mapping: Arc<Mapping>,
    shard: String,
    position: Position,
    stopped: watch::Receiver<()>,
}

impl Reader {
    /// Reads the shard to its end, or until the mapping is to stop.
    async fn run(mut self) -> String {
        let mut put = self.ctx.store.watch(Wake::Stream(self.mapping.source_name().to_owned()));
        while !is_stopped(&self.stopped) {
            match self.step(&mut put).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, stream = self.mapping.source_name(), shard = self.shard, "a shard was not read");
                    self.pause(AFTER_ERROR).await;
                }
            }
        }
        self.shard
    }

    /// One batch, or a wait for it. True at the end of the shard.
    async fn step(&mut self, put: &mut watch::Receiver<()>) -> Result<bool, ApiError> {
        let window = Duration::from_secs(self.mapping.spec.maximum_batching_window_in_seconds.into());
        let mut opened = None;
        loop {
            put.borrow_and_update();
            let batch = self.read().await?;
            if batch.records.is_empty() && batch.ended {
                let (mapping, shard) = (self.mapping.clone(), self.shard.clone());
                self.ctx.store.write(move |tx| lambda::end_shard(tx, &mapping.uuid, &shard)).await?;
                return Ok(true);
            }
            // The window opens with the first record.
            if !batch.records.is_empty() {
                let over = *opened.get_or_insert_with(Instant::now) + window;
                let bytes: usize = batch.records.iter().map(|record| record.data.len()).sum();
                let full = batch.records.len() >= self.mapping.batch_size() || bytes >= MAX_READ || batch.ended;
                if full || Instant::now() >= over {
                    return self.process(batch.records).await.map(|()| false);
                }
            }
            tokio::select! {
                _ = put.changed() => {}
                () = sleep_until(opened.unwrap_or_else(Instant::now) + window), if opened.is_some() => {}
                () = until_stopped(&mut self.stopped) => return Ok(false),
            }
        }
    }

    async fn read(&self) -> Result<kinesis::Batch, ApiError> {
        let (mapping, shard, from) = (self.mapping.clone(), self.shard.clone(), self.position.clone());
        let read = move |db: &rusqlite::Connection| {
            kinesis::read(db, mapping.source_name(), &shard, &from, mapping.batch_size(), MAX_READ)
        };
        self.ctx.store.read(read).await
    }

    /// Gives the records to the function until all are done with or given up, or the mapping is to stop.
    async fn process(&mut self, records: Vec<kinesis::Record>) -> Result<(), ApiError> {
        let config = &self.ctx.config;
        let arn = &self.mapping.spec.event_source_arn;
        let encoded = event::encode(
            records.iter().map(|r| event::of_record(r, &self.shard, arn, &config.region, &config.account)),
        );
        let policy = Policy {
            bisect: self.mapping.spec.bisect_batch_on_function_error,
            max_retries: self.mapping.spec.maximum_retry_attempts.and_then(|n| u32::try_from(n).ok()),
        };
        let mut pieces = VecDeque::new();
        let mut from = 0;
        while from < encoded.len() {
            let to = from + event::fitting(&encoded[from..]);
            pieces.push_back(Piece { from, to, failures: 0 });
            from = to;
        }
        let mut refusals = 0;
        while let Some(piece) = pieces.pop_front() {
            if is_stopped(&self.stopped) {
                return Ok(());
            }
            let expired = self.expired(&records[piece.from..piece.to]);
            if expired > 0 {
                let given_up = &records[piece.from..piece.from + expired];
                let event = event::join(&encoded[piece.from..piece.from + expired]);
                self.give_up(given_up, &event, "RecordAgeExceeded", piece.failures, None).await?;
                if piece.from + expired < piece.to {
                    pieces.push_front(Piece { from: piece.from + expired, ..piece });
                }
                continue;
            }
            let payload = event::join(&encoded[piece.from..piece.to]);
            let outcome = self.ctx.pool.invoke(&self.ctx, &self.mapping.function, payload.clone()).await;
            let verdict = match &outcome {
                Ok(invocation) => {
                    refusals = 0;
                    let ids: Vec<&str> =
                        records[piece.from..piece.to].iter().map(|r| r.sequence_number.as_str()).collect();
                    judge(piece, &failed_items(invocation, self.mapping.reports_failures(), &ids), policy)
                }
                Err(error) if is_too_large(error) => judge_too_large(piece),
                // Not run at all (throttled): no failure of the function.
                Err(_) => {
                    self.pause_ms(back_off(self.ctx.pool.timing().stream_retries, refusals)).await;
                    refusals += 1;
                    pieces.push_front(piece);
                    continue;
                }
            };
            if verdict.done > piece.from {
                self.advance(&records[verdict.done - 1].sequence_number).await?;
            }
            match verdict.rest {
                Rest::Nothing => {}
                Rest::Split(first, second) => {
                    pieces.push_front(second);
                    pieces.push_front(first);
                }
                Rest::Again(rest) => {
                    self.note_failure().await?;
                    self.pause_ms(back_off(self.ctx.pool.timing().stream_retries, rest.failures - 1)).await;
                    pieces.push_front(rest);
                }
                Rest::GiveUp => {
                    let event = event::join(&encoded[verdict.done..piece.to]);
                    let rest = &records[verdict.done..piece.to];
                    let condition = "RetryAttemptsExhausted";
                    self.give_up(rest, &event, condition, piece.failures + 1, outcome.as_ref().ok()).await?;
                }
            }
        }
        Ok(())
    }

    /// How many of the first records are too old for this mapping.
    fn expired(&self, records: &[kinesis::Record]) -> usize {
        match self.mapping.spec.maximum_record_age_in_seconds {
            Some(seconds @ 1..) => {
                let oldest = now_ms() - seconds * 1000;
                records.iter().take_while(|record| record.arrival < oldest).count()
            }
            _ => 0,
        }
    }

    async fn advance(&mut self, after: &str) -> Result<(), ApiError> {
        let (mapping, shard, to) = (self.mapping.clone(), self.shard.clone(), after.to_owned());
        let write = self.ctx.store.write(move |tx| {
            lambda::set_result(tx, &mapping.uuid, "OK")?;
            lambda::advance(tx, &mapping.uuid, &shard, &to)
        });
        write.await?;
        self.position = Position::After(after.to_owned());
        Ok(())
    }

    async fn note_failure(&self) -> Result<(), ApiError> {
        let mapping = self.mapping.clone();
        let write =
            move |tx: &crate::store::Tx<'_>| lambda::set_result(tx, &mapping.uuid, "PROBLEM: Function call failed");
        self.ctx.store.write(write).await
    }

    /// Tells the destination of records that are given up and moves on past them.
    async fn give_up(
        &mut self,
        records: &[kinesis::Record],
        event: &[u8],
        condition: &str,
        invocations: u32,
        answer: Option<&Invocation>,
    ) -> Result<(), ApiError> {
        let Some(last) = records.last() else { return Ok(()) };
        let mut deliveries = Vec::new();
        if let Some(arn) = self.mapping.on_failure() {
            let mut record = self.failure(records, condition, invocations, answer);
            if arn.split(':').nth(2) == Some("s3") {
                record["payload"] = json!(String::from_utf8_lossy(event));
            }
            let prefix = format!("aws/lambda/{}/{}", self.mapping.uuid, self.shard);
            match prepare(&self.ctx, arn, &object_key(&prefix, now_ms()), record.to_string()).await {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => tracing::warn!(%error, "a destination did not take its record"),
            }
        }
        let (mapping, shard, after) = (self.mapping.clone(), self.shard.clone(), last.sequence_number.clone());
        deliver_with(&self.ctx, deliveries, move |tx| {
            lambda::set_result(tx, &mapping.uuid, "PROBLEM: Function call failed")?;
            lambda::advance(tx, &mapping.uuid, &shard, &after)
        })
        .await?;
        self.position = Position::After(last.sequence_number.clone());
        Ok(())
    }

    /// The record of a batch that was given up (Lambda developer guide, "Discarded batches" of a Kinesis stream).
    fn failure(
        &self,
        records: &[kinesis::Record],
        condition: &str,
        invocations: u32,
        answer: Option<&Invocation>,
    ) -> serde_json::Value {
        let function = format!("function:{}", self.mapping.function);
        let edge = |record: Option<&kinesis::Record>| {
            record.map_or((String::new(), String::new()), |r| (r.sequence_number.clone(), iso(r.arrival)))
        };
        let (first, last) = (edge(records.first()), edge(records.last()));
        let mut record = json!({
            "requestContext": {
                "requestId": answer.map_or_else(|| uuid::Uuid::new_v4().to_string(), |a| a.request_id.clone()),
                "functionArn": self.ctx.config.arn("lambda", &function),
                "condition": condition,
                "approximateInvokeCount": invocations,
            },
            "version": "1.0",
            "timestamp": iso(now_ms()),
            "KinesisBatchInfo": {
                "shardId": self.shard,
                "startSequenceNumber": first.0,
                "endSequenceNumber": last.0,
                "approximateArrivalOfFirstRecord": first.1,
                "approximateArrivalOfLastRecord": last.1,
                "batchSize": records.len(),
                "streamArn": self.mapping.spec.event_source_arn,
            },
        });
        if let Some(answer) = answer {
            record["responseContext"] = json!({
                "statusCode": 200, "executedVersion": LATEST, "functionError": answer.function_error,
            });
        }
        record
    }

    async fn pause_ms(&mut self, ms: i64) {
        self.pause(Duration::from_millis(ms.max(0) as u64)).await;
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            () = until_stopped(&mut self.stopped) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_before_children() {
        let shard = |id: &str, parents: &[&str]| Shard {
            id: id.into(),
            parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
            closed: false,
        };
        let shards = [shard("0", &["gone"]), shard("1", &[]), shard("2", &["0"]), shard("3", &["1", "2"])];
        for (ended, reading, expected) in [
            (&[][..], &[][..], &["0", "1"][..]),
            (&[], &["0"], &["1"]),
            (&["0"], &["1"], &["2"]),
            (&["0", "2"], &["1"], &[]),
            (&["0", "1", "2"], &[], &["3"]),
            (&["0", "1", "2", "3"], &[], &[]),
        ] {
            let mut positions: Vec<_> = ended.iter().map(|id| ((*id).to_owned(), Reached::End)).collect();
            positions.push(("1".to_owned(), Reached::After("7".into())));
            let reading = reading.iter().map(|id| (*id).to_owned()).collect();
            assert_eq!(eligible(&shards, &positions, &reading), expected, "{ended:?} {reading:?}");
        }
    }
}
