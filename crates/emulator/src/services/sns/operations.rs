//! The operations of the API.

use std::collections::{BTreeMap, HashSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::delivery::{self, publish_texts};
use super::subscriptions::{self, Subscription};
use super::{Publication, SubscriptionSpec, errors, topics};
use crate::Ctx;
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::{Call, Reply};

/// What a listing gives at most (ListTopics, ListSubscriptions).
const PAGE: usize = 100;

/// Entries of a batch (PublishBatch).
const MAX_ENTRIES: usize = 10;

/// Tags of a topic (TagResource).
const MAX_TAGS: usize = 50;

/// Answers an operation.
pub async fn call(ctx: &Ctx, call: &Call) -> Result<Reply, ApiError> {
    let output = match call.operation.as_str() {
        "CreateTopic" => create_topic(ctx, call.input()?).await?,
        "DeleteTopic" => write(ctx, call.input()?, |tx, input| topics::remove(tx, &input.topic_arn)).await?,
        "ListTopics" => list_topics(ctx, call.input()?).await?,
        "GetTopicAttributes" => get_topic_attributes(ctx, call.input()?).await?,
        "SetTopicAttributes" => write(ctx, call.input()?, set_topic_attributes).await?,
        "Subscribe" => subscribe(ctx, call.input()?).await?,
        // Subscriptions to queues and functions of one's own account need no confirmation: there is no token to confirm.
        "ConfirmSubscription" => return Err(errors::invalid("Token")),
        "Unsubscribe" => {
            write(ctx, call.input()?, |tx, input| subscriptions::remove(tx, &input.subscription_arn)).await?
        }
        "ListSubscriptions" | "ListSubscriptionsByTopic" => list_subscriptions(ctx, call).await?,
        "GetSubscriptionAttributes" => get_subscription_attributes(ctx, call.input()?).await?,
        "SetSubscriptionAttributes" => write(ctx, call.input()?, set_subscription_attributes).await?,
        "Publish" => publish(ctx, call.input()?).await?,
        "PublishBatch" => publish_batch(ctx, call.input()?).await?,
        "TagResource" => write(ctx, call.input()?, tag_resource).await?,
        "UntagResource" => write(ctx, call.input()?, untag_resource).await?,
        "ListTagsForResource" => list_tags(ctx, call.input()?).await?,
        other => return Err(ApiError::not_emulated("sns", other)),
    };
    call.reply(&output)
}

/// The input of the operations with few fields; each reads those it knows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    name: String,
    topic_arn: String,
    subscription_arn: String,
    resource_arn: String,
    protocol: String,
    endpoint: String,
    attributes: BTreeMap<String, String>,
    attribute_name: String,
    attribute_value: String,
    tags: Vec<Tag>,
    tag_keys: Vec<String>,
    next_token: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

async fn write(ctx: &Ctx, input: Input, work: fn(&Tx<'_>, &Input) -> Result<(), ApiError>) -> Result<Value, ApiError> {
    ctx.store.write(move |tx| work(tx, &input)).await?;
    Ok(json!({}))
}

async fn create_topic(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let tags = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    let arn = ctx.store.write(move |tx| topics::create(tx, &input.name, &input.attributes, &tags)).await?;
    Ok(json!({ "TopicArn": arn }))
}

async fn list_topics(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let after = read_token(&input.next_token)?;
    let mut names = ctx.store.read(move |db| topics::names(db, &after, PAGE + 1)).await?;
    let token = next_token(&mut names, |name| name);
    let topics: Vec<Value> = names.iter().map(|name| json!({ "TopicArn": ctx.config.arn("sns", name) })).collect();
    Ok(json!({ "Topics": topics, "NextToken": token }))
}

async fn get_topic_attributes(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let config = ctx.config.clone();
    let shown = ctx.store.read(move |db| topics::show(db, &config, &input.topic_arn)).await?;
    Ok(json!({ "Attributes": map(shown) }))
}

fn set_topic_attributes(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    topics::set_attribute(tx, &input.topic_arn, &input.attribute_name, &input.attribute_value)
}

async fn subscribe(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let spec = SubscriptionSpec {
        topic_arn: input.topic_arn,
        protocol: input.protocol,
        endpoint: input.endpoint,
        raw: false,
        filter_policy: None,
        filter_body: false,
    };
    let arn = ctx.store.write(move |tx| subscriptions::create(tx, spec, &input.attributes)).await?;
    Ok(json!({ "SubscriptionArn": arn }))
}

async fn list_subscriptions(ctx: &Ctx, call: &Call) -> Result<Value, ApiError> {
    let input: Input = call.input()?;
    let by_topic = call.operation == "ListSubscriptionsByTopic";
    let after = read_token(&input.next_token)?;
    let config = ctx.config.clone();
    let mut found = ctx
        .store
        .read(move |db| {
            if by_topic {
                topics::by_arn(db, &config, &input.topic_arn)?;
            }
            subscriptions::list(db, by_topic.then_some(input.topic_arn.as_str()), &after, PAGE + 1)
        })
        .await?;
    let token = next_token(&mut found, |subscription: &Subscription| &subscription.arn);
    let shown: Vec<Value> = found
        .iter()
        .map(|Subscription { arn, spec, .. }| {
            json!({
                "SubscriptionArn": arn,
                "Owner": ctx.config.account,
                "Protocol": spec.protocol,
                "Endpoint": spec.endpoint,
                "TopicArn": spec.topic_arn,
            })
        })
        .collect();
    Ok(json!({ "Subscriptions": shown, "NextToken": token }))
}

async fn get_subscription_attributes(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let subscription = ctx.store.read(move |db| subscriptions::by_arn(db, &input.subscription_arn)).await?;
    Ok(json!({ "Attributes": map(subscription.show(&ctx.config)) }))
}

fn set_subscription_attributes(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    let mut subscription = subscriptions::by_arn(tx, &input.subscription_arn)?;
    let attribute = BTreeMap::from([(input.attribute_name.clone(), input.attribute_value.clone())]);
    subscriptions::set_all(&mut subscription, &attribute)?;
    subscriptions::save(tx, &subscription)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Publish {
    id: String,
    topic_arn: String,
    target_arn: String,
    phone_number: String,
    subject: Option<String>,
    message: String,
    message_structure: String,
    message_attributes: Map<String, Value>,
}

/// A publication and its texts by protocol.
type Structured = (Publication, Map<String, Value>);

impl Publish {
    /// With `MessageStructure: json` the message is an object of texts by protocol, `default` among them.
    fn structured(self, topic_arn: &str) -> Result<Structured, ApiError> {
        let mut publication = Publication {
            topic_arn: topic_arn.to_owned(),
            subject: self.subject,
            message: self.message,
            attributes: self.message_attributes,
        };
        match self.message_structure.as_str() {
            "" => return Ok((publication, Map::new())),
            "json" => {}
            other => return Err(errors::invalid(format!("MessageStructure Reason: expected json, found {other:?}"))),
        }
        let wrong = |reason: &str| errors::invalid(format!("Message Structure - {reason}"));
        let texts: Map<String, Value> =
            serde_json::from_str(&publication.message).map_err(|_| wrong("JSON message body failed to parse"))?;
        let default = texts.get("default").and_then(Value::as_str);
        publication.message = default.ok_or_else(|| wrong("No default entry in JSON message body"))?.to_owned();
        Ok((publication, texts))
    }
}

async fn publish(ctx: &Ctx, input: Publish) -> Result<Value, ApiError> {
    if !input.phone_number.is_empty() {
        return Err(ApiError::not_emulated("sns", "Publish to a phone number"));
    }
    let target = if input.topic_arn.is_empty() { &input.target_arn } else { &input.topic_arn };
    let target = target.clone();
    let (publication, texts) = input.structured(&target)?;
    let id = ctx.store.write(move |tx| publish_texts(tx, &publication, &texts)).await?;
    Ok(json!({ "MessageId": id }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PublishBatch {
    topic_arn: String,
    publish_batch_request_entries: Vec<Publish>,
}

async fn publish_batch(ctx: &Ctx, input: PublishBatch) -> Result<Value, ApiError> {
    let entries = input.publish_batch_request_entries;
    check_entries(&entries)?;
    let work = move |tx: &Tx<'_>| {
        topics::by_arn(tx, tx.config(), &input.topic_arn)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for mut entry in entries {
            let id = std::mem::take(&mut entry.id);
            let published = entry
                .structured(&input.topic_arn)
                .and_then(|(publication, texts)| publish_texts(tx, &publication, &texts));
            match published {
                Ok(message_id) => successful.push(json!({ "Id": id, "MessageId": message_id })),
                Err(error) if error.status.is_client_error() => {
                    failed.push(json!({ "Id": id, "Code": error.code, "Message": error.message, "SenderFault": true }))
                }
                Err(error) => return Err(error),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    };
    ctx.store.write(work).await
}

fn check_entries(entries: &[Publish]) -> Result<(), ApiError> {
    let refuse = |code: &str, message: String| Err(ApiError::bad_request(code, message));
    if entries.is_empty() {
        return refuse("EmptyBatchRequest", "The batch request doesn't contain any entries.".into());
    }
    if entries.len() > MAX_ENTRIES {
        let message = format!("The batch request contains more than {MAX_ENTRIES} entries: {}.", entries.len());
        return refuse("TooManyEntriesInBatchRequest", message);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut seen = HashSet::new();
    let mut length = 0;
    for entry in entries {
        if entry.id.is_empty() || entry.id.len() > 80 || !entry.id.chars().all(allowed) {
            return refuse("InvalidBatchEntryId", format!("The Id of a batch entry is invalid: {:?}.", entry.id));
        }
        if !seen.insert(&entry.id) {
            return refuse("BatchEntryIdsNotDistinct", format!("Two entries of the batch have the Id {}.", entry.id));
        }
        length += entry.message.len();
    }
    if length > delivery::MAX_MESSAGE_BYTES {
        let message = format!("The batch is {length} bytes long, more than {}.", delivery::MAX_MESSAGE_BYTES);
        return refuse("BatchRequestTooLong", message);
    }
    Ok(())
}

fn tagged(tx: &Tx<'_>, arn: &str) -> Result<topics::Topic, ApiError> {
    topics::by_arn(tx, tx.config(), arn).map_err(|_| errors::no_resource(arn))
}

fn tag_resource(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    let mut topic = tagged(tx, &input.resource_arn)?;
    topic.tags.extend(input.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())));
    if topic.tags.len() > MAX_TAGS {
        let message = format!("Could not complete request: tag quota of {MAX_TAGS} per resource exceeded");
        return Err(ApiError::bad_request("TagLimitExceeded", message));
    }
    topics::save(tx, &topic)
}

fn untag_resource(tx: &Tx<'_>, input: &Input) -> Result<(), ApiError> {
    let mut topic = tagged(tx, &input.resource_arn)?;
    topic.tags.retain(|key, _| !input.tag_keys.contains(key));
    topics::save(tx, &topic)
}

async fn list_tags(ctx: &Ctx, input: Input) -> Result<Value, ApiError> {
    let config = ctx.config.clone();
    let arn = input.resource_arn;
    let topic =
        ctx.store.read(move |db| topics::by_arn(db, &config, &arn).map_err(|_| errors::no_resource(&arn))).await?;
    let tags: Vec<Value> = topic.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

/// A map as the query protocol writes it.
fn map(values: BTreeMap<String, String>) -> Value {
    let entries: Vec<Value> = values.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({ "entry": entries })
}

/// Cuts `PAGE + 1` items to a page; the token goes on after its last one.
fn next_token<T>(items: &mut Vec<T>, key: impl Fn(&T) -> &String) -> Option<String> {
    let more = items.len() > PAGE;
    items.truncate(PAGE);
    items.last().filter(|_| more).map(|last| BASE64_STANDARD.encode(key(last)))
}

fn read_token(token: &str) -> Result<String, ApiError> {
    let text = BASE64_STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| errors::invalid("NextToken"))
}
