//! A batch of a shard on its way through the function: in pieces, in order, until each is done with or given up.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::Reader;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::runtime::Invocation;
use crate::runtime::destination::{deliver_with, iso, object_key, prepare};
use crate::runtime::mapping::answer::{
    Piece, Policy, Rest, Verdict, failed_items, is_too_large, judge, judge_too_large,
};
use crate::runtime::mapping::{event, is_stopped};
use crate::runtime::timing::back_off;
use crate::services::kinesis::{Position, Record};
use crate::services::lambda::{self, LATEST};
use crate::store::Tx;

/// The `condition` of records whose retries are used up.
const EXHAUSTED: &str = "RetryAttemptsExhausted";

/// The `condition` of records that are older than the mapping takes.
const TOO_OLD: &str = "RecordAgeExceeded";

/// `LastProcessingResult` after a failure.
const PROBLEM: &str = "PROBLEM: Function call failed";

/// Records, and each of them as it stands in an event.
struct Batch {
    records: Vec<Record>,
    encoded: Vec<String>,
}

impl Batch {
    fn records(&self, piece: Piece) -> &[Record] {
        &self.records[piece.from..piece.to]
    }

    fn event(&self, piece: Piece) -> Bytes {
        event::join(&self.encoded[piece.from..piece.to])
    }

    /// As few pieces as the size of an event allows.
    fn pieces(&self) -> VecDeque<Piece> {
        let mut pieces = VecDeque::new();
        let mut from = 0;
        while from < self.encoded.len() {
            let to = from + event::fitting(&self.encoded[from..]);
            pieces.push_back(Piece { from, to, failures: 0 });
            from = to;
        }
        pieces
    }
}

impl Reader {
    /// Gives the records to the function until all are done with or given up, or the mapping is to stop.
    pub(super) async fn process(&mut self, records: Vec<Record>) -> Result<(), ApiError> {
        let (config, arn) = (&self.ctx.config, &self.mapping.spec.event_source_arn);
        let as_sent = |r: &Record| event::of_record(r, &self.shard, arn, &config.region, &config.account);
        let encoded = event::encode(records.iter().map(as_sent));
        let batch = Batch { records, encoded };
        let mut pieces = batch.pieces();
        let mut refusals = 0;
        while let Some(piece) = pieces.pop_front() {
            if is_stopped(&self.stopped) {
                break;
            }
            let expired = Piece { to: piece.from + self.expired(batch.records(piece)), ..piece };
            if expired.to > expired.from {
                self.give_up(&batch, expired, TOO_OLD, piece.failures, None).await?;
                if expired.to < piece.to {
                    pieces.push_front(Piece { from: expired.to, ..piece });
                }
                continue;
            }
            match self.attempt(&batch, piece).await {
                Some((verdict, answer)) => {
                    refusals = 0;
                    self.apply(&batch, piece, verdict, answer.as_ref(), &mut pieces).await?;
                }
                None => {
                    self.back_off(refusals).await;
                    refusals += 1;
                    pieces.push_front(piece);
                }
            }
        }
        Ok(())
    }

    /// Invokes; `None` when the function was not run (throttled): no failure of its own.
    async fn attempt(&self, batch: &Batch, piece: Piece) -> Option<(Verdict, Option<Invocation>)> {
        match self.ctx.pool.invoke(&self.ctx, &self.mapping.function, batch.event(piece)).await {
            Ok(answer) => {
                let ids: Vec<&str> = batch.records(piece).iter().map(|r| r.sequence_number.as_str()).collect();
                let failed = failed_items(&answer, self.mapping.reports_failures(), &ids);
                let policy = Policy {
                    bisect: self.mapping.spec.bisect_batch_on_function_error,
                    max_retries: self.mapping.spec.maximum_retry_attempts.and_then(|n| u32::try_from(n).ok()),
                };
                Some((judge(piece, &failed, policy), Some(answer)))
            }
            Err(error) if is_too_large(&error) => Some((judge_too_large(piece), None)),
            Err(error) => {
                tracing::warn!(%error, function = self.mapping.function, shard = self.shard, "a batch has to wait");
                None
            }
        }
    }

    /// Writes down what is done with, and puts what comes again in front of the pieces.
    async fn apply(
        &mut self,
        batch: &Batch,
        piece: Piece,
        verdict: Verdict,
        answer: Option<&Invocation>,
        pieces: &mut VecDeque<Piece>,
    ) -> Result<(), ApiError> {
        if verdict.done > piece.from {
            self.advance(&batch.records[verdict.done - 1].sequence_number).await?;
        }
        match verdict.rest {
            Rest::Nothing => {}
            Rest::Split(first, second) => {
                pieces.push_front(second);
                pieces.push_front(first);
            }
            Rest::Again(rest) => {
                self.note_failure().await?;
                self.back_off(rest.failures - 1).await;
                pieces.push_front(rest);
            }
            Rest::GiveUp => {
                let rest = Piece { from: verdict.done, ..piece };
                self.give_up(batch, rest, EXHAUSTED, piece.failures + 1, answer).await?;
            }
        }
        Ok(())
    }

    /// How many of the first records are too old for this mapping.
    fn expired(&self, records: &[Record]) -> usize {
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
        let write = move |tx: &Tx<'_>| lambda::set_result(tx, &mapping.uuid, PROBLEM);
        self.ctx.store.write(write).await
    }

    /// Tells the destination of records that are given up and moves on past them.
    async fn give_up(
        &mut self,
        batch: &Batch,
        piece: Piece,
        condition: &str,
        invocations: u32,
        answer: Option<&Invocation>,
    ) -> Result<(), ApiError> {
        let records = batch.records(piece);
        let Some(last) = records.last() else { return Ok(()) };
        let mut deliveries = Vec::new();
        if let Some(arn) = self.mapping.on_failure() {
            let mut record = self.failure(records, condition, invocations, answer);
            if arn.split(':').nth(2) == Some("s3") {
                record["payload"] = json!(String::from_utf8_lossy(&batch.event(piece)));
            }
            let prefix = format!("aws/lambda/{}/{}", self.mapping.uuid, self.shard);
            match prepare(&self.ctx, arn, &object_key(&prefix, now_ms()), record.to_string()).await {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => tracing::warn!(%error, "a destination did not take its record"),
            }
        }
        let (mapping, shard, after) = (self.mapping.clone(), self.shard.clone(), last.sequence_number.clone());
        deliver_with(&self.ctx, deliveries, move |tx| {
            lambda::set_result(tx, &mapping.uuid, PROBLEM)?;
            lambda::advance(tx, &mapping.uuid, &shard, &after)
        })
        .await?;
        self.position = Position::After(last.sequence_number.clone());
        Ok(())
    }

    /// The record of a batch that was given up (Lambda developer guide, "Discarded batches" of a Kinesis stream).
    fn failure(
        &self,
        records: &[Record],
        condition: &str,
        invocations: u32,
        answer: Option<&Invocation>,
    ) -> serde_json::Value {
        let function = format!("function:{}", self.mapping.function);
        let edge = |record: Option<&Record>| {
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

    async fn back_off(&mut self, n: u32) {
        let ms = back_off(self.ctx.pool.timing().stream_retries, n);
        self.pause(Duration::from_millis(ms.max(0) as u64)).await;
    }
}
