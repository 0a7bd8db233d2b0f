//! The operations of the API.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::batch::{self, Entry};
use super::queues::{self, Queue};
use super::{NewMessage, Received, attributes, errors, md5, messages, moves};
use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::store::{Tx, Wake};
use crate::wire::protocol::{Call, Protocol, Reply};

/// Messages that one receive gives at most (ReceiveMessage).
const MAX_RECEIVED: i64 = 10;

/// Bytes of all messages of a batch together (SendMessageBatch; 256 KiB before August 2025).
const MAX_BATCH_BYTES: usize = 1_048_576;

/// Names that a listing gives at most (ListQueues).
const MAX_LISTED: usize = 1_000;

/// Tags of a queue (TagQueue).
const MAX_TAGS: usize = 50;

/// The shortest wait between two looks of a long poll: with too many messages in flight there is always a visible one.
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// Answers an operation.
pub async fn call(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    if call.protocol == Protocol::Query {
        let what = format!("{} by the query protocol (SDKs since 2023 use AWS JSON 1.0)", call.operation);
        return Err(ApiError::not_emulated("sqs", &what));
    }
    let output = match call.operation.as_str() {
        "CreateQueue" => create_queue(ctx, call.input()?).await?,
        "DeleteQueue" => on_queue(ctx, call.input()?, |tx, queue, _| queues::remove(tx, queue)).await?,
        "GetQueueUrl" => get_queue_url(ctx, call.input()?).await?,
        "ListQueues" => list_queues(ctx, call.input()?).await?,
        "GetQueueAttributes" => get_queue_attributes(ctx, call.input()?).await?,
        "SetQueueAttributes" => on_queue(ctx, call.input()?, set_queue_attributes).await?,
        "SendMessage" => send_message(ctx, call.input()?).await?,
        "SendMessageBatch" => send_message_batch(ctx, call.input()?).await?,
        "ReceiveMessage" => receive_message(ctx, call.input()?).await?,
        "DeleteMessage" => on_queue(ctx, call.input()?, delete_message).await?,
        "DeleteMessageBatch" => delete_message_batch(ctx, call.input()?).await?,
        "ChangeMessageVisibility" => on_queue(ctx, call.input()?, change_visibility).await?,
        "ChangeMessageVisibilityBatch" => change_visibility_batch(ctx, call.input()?).await?,
        "PurgeQueue" => on_queue(ctx, call.input()?, |tx, queue, _| queues::purge(tx, queue)).await?,
        "ListDeadLetterSourceQueues" => list_dead_letter_sources(ctx, call.input()?).await?,
        "StartMessageMoveTask" => start_message_move_task(ctx, call.input()?).await?,
        "ListMessageMoveTasks" => list_message_move_tasks(ctx, call.input()?).await?,
        "TagQueue" => on_queue(ctx, call.input()?, tag_queue).await?,
        "UntagQueue" => on_queue(ctx, call.input()?, untag_queue).await?,
        "ListQueueTags" => list_queue_tags(ctx, call.input()?).await?,
        other => return Err(ApiError::not_emulated("sqs", other)),
    };
    call.reply(&output)
}

/// The input of the operations that change one queue and answer nothing; each reads the fields it knows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct QueueInput {
    queue_url: String,
    attributes: BTreeMap<String, String>,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
    tags: BTreeMap<String, String>,
    tag_keys: Vec<String>,
}

async fn on_queue(
    ctx: &Ctx,
    input: QueueInput,
    work: fn(&Tx<'_>, &Queue, &QueueInput) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let work = move |tx: &Tx<'_>| work(tx, &queues::by_url(tx, tx.config(), &input.queue_url)?, &input);
    ctx.store.write(work).await?;
    Ok(json!({}))
}

fn set_queue_attributes(tx: &Tx<'_>, queue: &Queue, input: &QueueInput) -> Result<(), ApiError> {
    let mut spec = queue.spec.clone();
    spec.set(&input.attributes)?;
    queues::ensure_queue(tx, &spec).map(drop)
}

fn delete_message(tx: &Tx<'_>, queue: &Queue, input: &QueueInput) -> Result<(), ApiError> {
    messages::delete_one(tx, queue, &input.receipt_handle)
}

fn change_visibility(tx: &Tx<'_>, queue: &Queue, input: &QueueInput) -> Result<(), ApiError> {
    let seconds = input.visibility_timeout.ok_or_else(|| errors::missing("VisibilityTimeout"))?;
    messages::change_visibility(tx, queue, &input.receipt_handle, seconds)
}

fn tag_queue(tx: &Tx<'_>, queue: &Queue, input: &QueueInput) -> Result<(), ApiError> {
    let mut tags = queue.tags.clone();
    tags.extend(input.tags.clone());
    if tags.len() > MAX_TAGS {
        return Err(errors::invalid_value(format!("Too many tags added for queue {}.", queue.spec.name)));
    }
    queues::set_tags(tx, queue, &tags)
}

fn untag_queue(tx: &Tx<'_>, queue: &Queue, input: &QueueInput) -> Result<(), ApiError> {
    let mut tags = queue.tags.clone();
    tags.retain(|key, _| !input.tag_keys.contains(key));
    queues::set_tags(tx, queue, &tags)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateQueue {
    #[serde(default)]
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: BTreeMap<String, String>,
}

async fn create_queue(ctx: &Ctx, input: CreateQueue) -> Result<Value, ApiError> {
    if input.queue_name.is_empty() {
        return Err(errors::missing("QueueName"));
    }
    let url = queues::url(&ctx.config, &input.queue_name);
    let work = move |tx: &Tx<'_>| {
        queues::create(tx, &input.queue_name, &input.attributes)?;
        match queues::find(tx, &input.queue_name)? {
            Some(queue) if !input.tags.is_empty() => queues::set_tags(tx, &queue, &input.tags),
            _ => Ok(()),
        }
    };
    ctx.store.write(work).await?;
    Ok(json!({ "QueueUrl": url }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ReadInput {
    queue_url: String,
    queue_name: String,
    queue_name_prefix: String,
    attribute_names: Vec<String>,
    max_results: Option<usize>,
    next_token: String,
}

async fn get_queue_url(ctx: &Ctx, input: ReadInput) -> Result<Value, ApiError> {
    let url = queues::url(&ctx.config, &input.queue_name);
    let found = ctx.store.read(move |db| Ok(queues::find(db, &input.queue_name)?.ok_or(input.queue_name))).await?;
    found.map(|_| json!({ "QueueUrl": url })).map_err(|name| errors::no_queue(&name))
}

async fn list_queues(ctx: &Ctx, input: ReadInput) -> Result<Value, ApiError> {
    let limit = page_size(input.max_results)?;
    let after = read_token(&input.next_token)?;
    let names = ctx.store.read(move |db| queues::names(db, &input.queue_name_prefix, &after, limit + 1)).await?;
    Ok(page(ctx, "QueueUrls", names, limit))
}

async fn list_dead_letter_sources(ctx: &Ctx, input: ReadInput) -> Result<Value, ApiError> {
    let limit = page_size(input.max_results)?;
    let after = read_token(&input.next_token)?;
    let config = ctx.config.clone();
    let names = ctx
        .store
        .read(move |db| {
            let queue = queues::by_url(db, &config, &input.queue_url)?;
            queues::dead_letter_sources(db, &config.arn("sqs", &queue.spec.name), &after, limit + 1)
        })
        .await?;
    let mut output = page(ctx, "queueUrls", names, limit);
    if output.get("queueUrls").is_none() {
        output["queueUrls"] = json!([]);
    }
    Ok(output)
}

/// One page of queue URLs out of `limit + 1` names; nothing at all when there are none, as SQS answers.
fn page(ctx: &Ctx, key: &str, mut names: Vec<String>, limit: usize) -> Value {
    let more = names.len() > limit;
    names.truncate(limit);
    let mut output = json!({});
    if let (true, Some(last)) = (more, names.last()) {
        output["NextToken"] = BASE64_STANDARD.encode(last).into();
    }
    if !names.is_empty() {
        output[key] = names.iter().map(|name| queues::url(&ctx.config, name)).collect();
    }
    output
}

fn page_size(max_results: Option<usize>) -> Result<usize, ApiError> {
    match max_results.unwrap_or(MAX_LISTED) {
        size @ 1..=MAX_LISTED => Ok(size),
        size => Err(errors::invalid_value(format!("MaxResults must be from 1 to {MAX_LISTED}, found {size}"))),
    }
}

fn read_token(token: &str) -> Result<String, ApiError> {
    let name = BASE64_STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| errors::invalid_value("Invalid or expired next token."))
}

async fn get_queue_attributes(ctx: &Ctx, input: ReadInput) -> Result<Value, ApiError> {
    if let Some(unknown) = input.attribute_names.iter().find(|name| !attributes::is_known(name)) {
        return Err(errors::unknown_attribute(unknown));
    }
    let config = ctx.config.clone();
    let names = input.attribute_names;
    let mut shown = ctx
        .store
        .read(move |db| {
            let queue = queues::by_url(db, &config, &input.queue_url)?;
            let counts = queues::counts(db, &queue, now_ms())?;
            Ok(attributes::show(&config, &queue, &counts))
        })
        .await?;
    if !names.iter().any(|name| name == "All") {
        shown.retain(|name, _| names.contains(name));
    }
    Ok(if shown.is_empty() { json!({}) } else { json!({ "Attributes": shown }) })
}

async fn list_queue_tags(ctx: &Ctx, input: ReadInput) -> Result<Value, ApiError> {
    let config = ctx.config.clone();
    let tags = ctx.store.read(move |db| Ok(queues::by_url(db, &config, &input.queue_url)?.tags)).await?;
    Ok(if tags.is_empty() { json!({}) } else { json!({ "Tags": tags }) })
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Send {
    message_body: String,
    delay_seconds: Option<i64>,
    message_attributes: Map<String, Value>,
    message_system_attributes: Map<String, Value>,
}

impl Send {
    fn message(&self) -> NewMessage {
        NewMessage {
            body: self.message_body.clone(),
            attributes: self.message_attributes.clone(),
            delay_ms: self.delay_seconds.map(|seconds| seconds.saturating_mul(1000)),
        }
    }

    fn insert(&self, tx: &Tx<'_>, queue: &Queue) -> Result<Map<String, Value>, ApiError> {
        let trace = self.message_system_attributes.get("AWSTraceHeader").map(|trace| &trace["StringValue"]);
        let id = messages::insert(tx, queue, &self.message(), trace.and_then(Value::as_str))?;
        let mut output = Map::new();
        output.insert("MessageId".into(), id.into());
        output.insert("MD5OfMessageBody".into(), md5::text(&self.message_body).into());
        let mut digest = |name: &str, attributes: &Map<String, Value>| {
            md5::attributes(attributes).map(|md5| output.insert(name.into(), md5.into()))
        };
        digest("MD5OfMessageAttributes", &self.message_attributes);
        digest("MD5OfMessageSystemAttributes", &self.message_system_attributes);
        Ok(output)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct One<T> {
    #[serde(default)]
    queue_url: String,
    #[serde(flatten)]
    input: T,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<T> {
    #[serde(default)]
    queue_url: String,
    #[serde(default = "Vec::new")]
    entries: Vec<Entry<T>>,
}

async fn send_message(ctx: &Ctx, call: One<Send>) -> Result<Value, ApiError> {
    let work = move |tx: &Tx<'_>| call.input.insert(tx, &queues::by_url(tx, tx.config(), &call.queue_url)?);
    Ok(Value::Object(ctx.store.write(work).await?))
}

async fn send_message_batch(ctx: &Ctx, call: Batch<Send>) -> Result<Value, ApiError> {
    batch::check(&call.entries)?;
    let length = call.entries.iter().map(|entry| messages::size(&entry.input.message())).sum();
    if length > MAX_BATCH_BYTES {
        return Err(errors::batch_too_long(MAX_BATCH_BYTES, length));
    }
    on_batch(ctx, call, |tx, queue, entry| entry.insert(tx, queue)).await
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Receipt {
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

async fn delete_message_batch(ctx: &Ctx, call: Batch<Receipt>) -> Result<Value, ApiError> {
    batch::check(&call.entries)?;
    on_batch(ctx, call, |tx, queue, entry| messages::delete_one(tx, queue, &entry.receipt_handle).map(|()| Map::new()))
        .await
}

async fn change_visibility_batch(ctx: &Ctx, call: Batch<Receipt>) -> Result<Value, ApiError> {
    batch::check(&call.entries)?;
    on_batch(ctx, call, |tx, queue, entry| {
        let seconds = entry.visibility_timeout.ok_or_else(|| errors::missing("VisibilityTimeout"))?;
        messages::change_visibility(tx, queue, &entry.receipt_handle, seconds).map(|()| Map::new())
    })
    .await
}

/// What a batch does with an entry: the fields of its outcome.
type OneEntry<T> = fn(&Tx<'_>, &Queue, &T) -> Result<Map<String, Value>, ApiError>;

async fn on_batch<T: std::marker::Send + 'static>(
    ctx: &Ctx,
    call: Batch<T>,
    one: OneEntry<T>,
) -> Result<Value, ApiError> {
    let work = move |tx: &Tx<'_>| {
        let queue = queues::by_url(tx, tx.config(), &call.queue_url)?;
        batch::each(&call.entries, |entry| one(tx, &queue, entry))
    };
    ctx.store.write(work).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Receive {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    attribute_names: Vec<String>,
    message_system_attribute_names: Vec<String>,
    message_attribute_names: Vec<String>,
}

async fn receive_message(ctx: &Ctx, input: Receive) -> Result<Value, ApiError> {
    bounded("MaxNumberOfMessages", input.max_number_of_messages, 1..=MAX_RECEIVED)?;
    bounded("VisibilityTimeout", input.visibility_timeout, attributes::VISIBILITY_SECONDS)?;
    bounded("WaitTimeSeconds", input.wait_time_seconds, attributes::WAIT_SECONDS)?;
    let config = ctx.config.clone();
    let url = input.queue_url.clone();
    let queue = ctx.store.read(move |db| queues::by_url(db, &config, &url)).await?;
    let received = wait_for_messages(ctx, queue, &input).await?;
    if received.is_empty() {
        return Ok(json!({}));
    }
    let shown: Vec<Value> = received.iter().map(|message| show_message(ctx, message, &input)).collect();
    Ok(json!({ "Messages": shown }))
}

/// Receives, and while there is nothing waits for a message to come or to become visible.
async fn wait_for_messages(ctx: &Ctx, queue: Queue, input: &Receive) -> Result<Vec<Received>, ApiError> {
    let arn = ctx.config.arn("sqs", &queue.spec.name);
    let wait = input.wait_time_seconds.unwrap_or(queue.spec.receive_wait);
    let deadline = Instant::now() + Duration::from_secs(wait.unsigned_abs());
    let max = input.max_number_of_messages.unwrap_or(1).unsigned_abs() as usize;
    let hide_ms = input.visibility_timeout.map(|seconds| seconds * 1000);
    let mut watch = ctx.store.watch(Wake::Queue(queue.spec.name.clone()));
    loop {
        let queue_arn = arn.clone();
        let received = ctx.store.write(move |tx| messages::receive(tx, &queue_arn, max, hide_ms)).await?;
        if !received.is_empty() || Instant::now() >= deadline {
            if received.is_empty() && wait == 0 {
                refuse_over_limit(ctx, queue).await?;
            }
            return Ok(received);
        }
        let queue_arn = arn.clone();
        let next = ctx.store.read(move |db| messages::next_visible_at(db, &queue_arn)).await?;
        let until_next = next.map(|at| Duration::from_millis((at - now_ms()).max(0).unsigned_abs()).max(POLL_PAUSE));
        let until = until_next.map_or(deadline, |pause| deadline.min(Instant::now() + pause));
        tokio::select! {
            _ = watch.changed() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// A short poll that gets nothing because too many messages are in flight says so (ReceiveMessage, "OverLimit").
async fn refuse_over_limit(ctx: &Ctx, queue: Queue) -> Result<(), ApiError> {
    let in_flight = ctx.store.read(move |db| messages::in_flight(db, &queue, now_ms())).await?;
    if in_flight >= messages::MAX_IN_FLIGHT { Err(errors::over_limit(messages::MAX_IN_FLIGHT)) } else { Ok(()) }
}

fn show_message(ctx: &Ctx, message: &Received, input: &Receive) -> Value {
    let mut shown = json!({
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": message.md5,
        "Body": message.body,
    });
    let asked: Vec<&String> = input.attribute_names.iter().chain(&input.message_system_attribute_names).collect();
    let mut system = Map::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|_| asked.iter().any(|asked| *asked == "All" || *asked == name)) {
            system.insert(name.to_owned(), value.into());
        }
    };
    add("SenderId", Some(ctx.config.account.clone()));
    add("SentTimestamp", Some(message.sent_at.to_string()));
    add("ApproximateReceiveCount", Some(message.receive_count.to_string()));
    add("ApproximateFirstReceiveTimestamp", Some(message.first_received_at.to_string()));
    add("AWSTraceHeader", message.trace_header.clone());
    add("DeadLetterQueueSourceArn", message.dead_letter_source.clone());
    if !system.is_empty() {
        shown["Attributes"] = system.into();
    }
    let mut attributes = message.attributes.clone();
    attributes.retain(|name, _| input.message_attribute_names.iter().any(|asked| matches_name(asked, name)));
    if let Some(md5) = md5::attributes(&attributes) {
        shown["MD5OfMessageAttributes"] = md5.into();
        shown["MessageAttributes"] = attributes.into();
    }
    shown
}

/// `All`, `.*`, `prefix.*` or a name (ReceiveMessage, "MessageAttributeNames").
fn matches_name(asked: &str, name: &str) -> bool {
    match asked.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => asked == "All" || asked == name,
    }
}

fn bounded(name: &str, value: Option<i64>, bounds: std::ops::RangeInclusive<i64>) -> Result<(), ApiError> {
    match value {
        Some(value) if !bounds.contains(&value) => Err(errors::invalid_value(format!(
            "Value {value} for parameter {name} is invalid. Reason: Must be between {} and {}, if provided.",
            bounds.start(),
            bounds.end()
        ))),
        _ => Ok(()),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct MoveTask {
    source_arn: String,
    destination_arn: Option<String>,
    max_results: Option<i64>,
}

async fn start_message_move_task(ctx: &Ctx, input: MoveTask) -> Result<Value, ApiError> {
    let handle = moves::start(&ctx.store, input.source_arn, input.destination_arn).await?;
    Ok(json!({ "TaskHandle": handle }))
}

async fn list_message_move_tasks(ctx: &Ctx, input: MoveTask) -> Result<Value, ApiError> {
    let max = input.max_results.unwrap_or(1);
    let tasks = ctx.store.read(move |db| moves::list(db, &input.source_arn, max)).await?;
    Ok(json!({ "Results": tasks }))
}
