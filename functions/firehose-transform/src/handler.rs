//! Event in, answer out.

use std::{collections::HashMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use lambda::{Error, RuleCache, RuleSource};

use crate::{
    answer::{Place, Room},
    failed::{self, Failure},
    record::{Outcome, Reading},
    reingest::{Header, MAX_ROUNDS, Outgoing, put_all},
    rules::Rules,
    sink::{Sink, Target},
    wire::{Answer, Record, Reply, Request, Verdict},
};

/// What the function has while its process lives.
pub struct Context<S, R> {
    /// Where records go round again and reports are written.
    pub sink: S,
    /// The streams' formats.
    pub rules: RuleCache<R, Rules>,
    /// Log groups with this prefix are never a source.
    pub own_log_groups: String,
    /// Wait after a first failed put.
    pub first_backoff: Duration,
}

/// A record id of the event, with what the answer to it is made from.
struct Entry<'a> {
    record: &'a Record<'a>,
    /// Decoded; more than one record's when an id comes with different data.
    data: Vec<u8>,
    state: State,
}

enum State {
    /// In base64.
    Output(String),
    /// Delivers nothing, here.
    Dropped,
    Failed(String),
}

/// Answers a batch: every record id exactly once. An error fails the invocation, and Firehose invokes again.
pub async fn handle<S: Sink, R: RuleSource>(event: &str, context: &Context<S, R>) -> Result<Reply, Error> {
    let request = Request::parse(event)?;
    let rules = context.rules.current().await?;
    let reading = Reading { formats: rules.formats(request.stream()), own_log_groups: &context.own_log_groups };
    let mut entries = entries(&request, reading);
    let mut room = Room::new(entries.iter().map(|entry| Answer::overhead(&entry.record.record_id)));
    let target = target(&request);
    let leftovers = place(&mut entries, &mut room, &target);
    if !leftovers.is_empty() {
        tracing::info!(records = leftovers.len(), target = ?target, "no room in the answer, re-ingesting");
        for (index, reason) in put_all(&context.sink, &target, leftovers, context.first_backoff).await {
            entries[index].state = State::Failed(reason);
        }
    }
    report(&request, &entries, &context.sink).await;
    let records = entries.into_iter().map(|entry| answer(entry, &mut room)).collect();
    Ok(Reply { records })
}

/// Decodes and transforms the records. Firehose's ids are unique; were one to come twice, its data is one record's: the same
/// data once, different data joined.
fn entries<'a>(request: &'a Request<'a>, reading: Reading<'_>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::with_capacity(request.records.len());
    let mut known: HashMap<&str, usize> = HashMap::with_capacity(request.records.len());
    for record in &request.records {
        let decoded = BASE64.decode(record.data.as_bytes()).map_err(|error| format!("data is not base64: {error}"));
        let (data, broken) = match decoded {
            Ok(data) => (data, None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        match known.get(&*record.record_id).map(|index| &mut entries[*index]) {
            None => {
                known.insert(&record.record_id, entries.len());
                let state = broken.map_or(State::Dropped, State::Failed);
                entries.push(Entry { record, data, state });
            }
            Some(entry) if entry.data == data && broken.is_none() => {}
            Some(entry) => {
                if !entry.data.ends_with(b"\n") {
                    entry.data.push(b'\n');
                }
                entry.data.extend_from_slice(&data);
                if let Some(reason) = broken {
                    entry.state = State::Failed(reason);
                }
            }
        }
    }
    for entry in entries.iter_mut().filter(|entry| matches!(entry.state, State::Dropped)) {
        let (header, data) = Header::read(&entry.data, entry.record.approximate_arrival_timestamp);
        entry.state = match reading.transform(data, header.arrival) {
            Outcome::Output(output) => State::Output(BASE64.encode(output)),
            Outcome::Nothing => State::Dropped,
            Outcome::Failed(reason) => State::Failed(reason),
        };
    }
    entries
}

/// Keeps the outputs that fit, in order; gives the others' next round.
fn place(entries: &mut [Entry<'_>], room: &mut Room, target: &Target) -> Vec<Outgoing> {
    let mut leftovers = Vec::new();
    for (index, entry) in entries.iter_mut().enumerate() {
        let State::Output(output) = &entry.state else { continue };
        let record = entry.record;
        match room.place(Answer::overhead(&record.record_id), output.len()) {
            Place::Here => {}
            Place::Nowhere => {
                let reason = format!("the output, {} bytes in base64, does not fit into any answer", output.len());
                entry.state = State::Failed(reason);
            }
            Place::Again => {
                let (header, data) = Header::read(&entry.data, record.approximate_arrival_timestamp);
                if header.rounds >= MAX_ROUNDS {
                    entry.state =
                        State::Failed(format!("no room in the answer, and re-ingested {MAX_ROUNDS} times before"));
                    continue;
                }
                let key = record.kinesis_record_metadata.as_ref().map_or(&record.record_id, |meta| &meta.partition_key);
                let partition_key = partition_key(key);
                let parts = header.next_round(data, target.limits().record_bytes - partition_key.len());
                entry.state = State::Dropped;
                leftovers.extend(parts.into_iter().map(|data| Outgoing {
                    index,
                    data,
                    partition_key: partition_key.clone(),
                }));
            }
        }
    }
    leftovers
}

/// Kinesis takes 256 characters; a record id, standing in for a key that is not known, may be longer.
fn partition_key(key: &str) -> String {
    key.chars().take(256).collect()
}

fn target(request: &Request<'_>) -> Target {
    match &request.source_kinesis_stream_arn {
        Some(arn) => Target::KinesisStream(arn.clone().into_owned()),
        None => Target::DeliveryStream(request.stream().to_owned()),
    }
}

/// Logs every failed record and writes one report on all of them; the answer does not depend on it.
async fn report(request: &Request<'_>, entries: &[Entry<'_>], sink: &impl Sink) {
    let invocation = &*request.invocation_id;
    let failures: Vec<Failure<'_>> = entries
        .iter()
        .filter_map(|Entry { record, state, .. }| match state {
            State::Failed(reason) => Some(Failure {
                record_id: &record.record_id,
                approximate_arrival_timestamp: record.approximate_arrival_timestamp,
                reason: reason.clone(),
                raw_data: &record.data,
            }),
            _ => None,
        })
        .collect();
    if failures.is_empty() {
        return;
    }
    for failure in &failures {
        tracing::error!(invocation, record = failure.record_id, reason = failure.reason, "record not transformed");
    }
    let key = failed::key(request.now(), invocation);
    if let Err(error) = sink.store(&key, failed::body(&failures)).await {
        tracing::error!(invocation, key, error, "the report on failed records could not be written");
    }
}

fn answer(entry: Entry<'_>, room: &mut Room) -> Answer {
    let record_id = entry.record.record_id.to_string();
    let (result, data) = match entry.state {
        State::Output(output) => (Verdict::Ok, Some(output)),
        State::Dropped => (Verdict::Dropped, None),
        State::Failed(_) => {
            let input = entry.record.data.to_string();
            let length = serde_json::to_string(&input).map_or(usize::MAX / 2, |quoted| quoted.len());
            (Verdict::ProcessingFailed, room.returns(length).then_some(input))
        }
    };
    Answer { record_id, result, data }
}
