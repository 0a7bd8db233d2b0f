//! From a publication to the queues and functions that subscribed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::filter::Policy;
use super::subscriptions::{self, Subscription};
use super::{Publication, errors, topics};
use crate::error::ApiError;
use crate::services::{lambda, sqs};
use crate::store::Tx;

/// Bytes of a message with its attributes (Publish).
pub const MAX_MESSAGE_BYTES: usize = 262_144;

/// Characters of a subject (Publish).
const MAX_SUBJECT: usize = 100;

/// Publishes: every subscription's queue entry or asynchronous event is written by this transaction. Returns the message id.
pub fn publish(tx: &Tx<'_>, publication: &Publication) -> Result<String, ApiError> {
    publish_texts(tx, publication, &Map::new())
}

/// Publishes with other texts for some protocols (`MessageStructure: json`); `message` is for the rest.
pub fn publish_texts(tx: &Tx<'_>, publication: &Publication, texts: &Map<String, Value>) -> Result<String, ApiError> {
    topics::by_arn(tx, tx.config(), &publication.topic_arn)?;
    check(publication)?;
    let message_id = uuid::Uuid::new_v4().to_string();
    for subscription in subscriptions::of_topic(tx, &publication.topic_arn)? {
        if passes(&subscription, publication)? {
            let text = texts.get(&subscription.spec.protocol).and_then(Value::as_str);
            let text = text.unwrap_or(&publication.message);
            deliver(tx, &subscription, publication, &Notification { text, message_id: &message_id })?;
        }
    }
    Ok(message_id)
}

/// The bytes of a publication that count against [`MAX_MESSAGE_BYTES`].
pub fn size(publication: &Publication) -> usize {
    let texts = |value: &Value| {
        value.as_object().map_or(0, |fields| fields.values().filter_map(Value::as_str).map(str::len).sum())
    };
    let attributes = publication.attributes.iter().map(|(name, value)| name.len() + texts(value));
    publication.message.len() + attributes.sum::<usize>()
}

struct Notification<'n> {
    text: &'n str,
    message_id: &'n str,
}

fn passes(subscription: &Subscription, publication: &Publication) -> Result<bool, ApiError> {
    let spec = &subscription.spec;
    let Some(policy) = &spec.filter_policy else { return Ok(true) };
    let policy = Policy::parse(policy, spec.filter_body)?;
    Ok(match spec.filter_body {
        true => policy.matches_body(&publication.message),
        false => policy.matches_attributes(&publication.attributes),
    })
}

fn deliver(
    tx: &Tx<'_>,
    subscription: &Subscription,
    publication: &Publication,
    notification: &Notification<'_>,
) -> Result<(), ApiError> {
    let endpoint = &subscription.spec.endpoint;
    let (payload, delivered) = if subscription.spec.protocol == "lambda" {
        let event = lambda_event(tx, subscription, publication, notification).to_string();
        let delivered = lambda::enqueue_event(tx, endpoint, &Bytes::from(event.clone()));
        (sqs::NewMessage { body: event, ..sqs::NewMessage::default() }, delivered)
    } else {
        let message = queue_message(tx, subscription, publication, notification);
        let delivered = sqs::enqueue(tx, endpoint, message.clone());
        (message, delivered)
    };
    let Err(error) = delivered else { return Ok(()) };
    if error.status == StatusCode::INTERNAL_SERVER_ERROR {
        return Err(error);
    }
    give_up(tx, subscription, payload, &error)
}

/// What cannot be delivered goes to the subscription's dead-letter queue. There is no second one.
fn give_up(
    tx: &Tx<'_>,
    subscription: &Subscription,
    payload: sqs::NewMessage,
    error: &ApiError,
) -> Result<(), ApiError> {
    let (arn, endpoint) = (&subscription.arn, &subscription.spec.endpoint);
    let Some(redrive_arn) = &subscription.redrive_arn else {
        tracing::warn!("sns subscription {arn}: message to {endpoint} dropped: {error}");
        return Ok(());
    };
    match sqs::enqueue(tx, redrive_arn, payload) {
        Err(second) if second.status == StatusCode::INTERNAL_SERVER_ERROR => Err(second),
        Err(second) => {
            tracing::warn!(
                "sns subscription {arn}: message to {endpoint} dropped: {error}; dead-letter queue: {second}"
            );
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// The bare message when raw, else the envelope ("Parsing Amazon SNS message formats" in the developer guide).
fn queue_message(
    tx: &Tx<'_>,
    subscription: &Subscription,
    publication: &Publication,
    notification: &Notification<'_>,
) -> sqs::NewMessage {
    if subscription.spec.raw {
        let attributes = publication.attributes.clone();
        return sqs::NewMessage { body: notification.text.to_owned(), attributes, delay_ms: None };
    }
    let mut envelope = envelope(tx, publication, notification);
    envelope.insert("SigningCertURL".into(), certificate(tx).into());
    envelope.insert("UnsubscribeURL".into(), unsubscribe(tx, subscription).into());
    if !publication.attributes.is_empty() {
        envelope.insert("MessageAttributes".into(), shown_attributes(publication));
    }
    sqs::NewMessage { body: Value::Object(envelope).to_string(), ..sqs::NewMessage::default() }
}

/// The event of a function; its names differ from the envelope's in case ("Invoking Lambda functions with Amazon SNS").
fn lambda_event(
    tx: &Tx<'_>,
    subscription: &Subscription,
    publication: &Publication,
    notification: &Notification<'_>,
) -> Value {
    let mut envelope = envelope(tx, publication, notification);
    envelope.entry("Subject").or_insert(Value::Null);
    envelope.insert("SigningCertUrl".into(), certificate(tx).into());
    envelope.insert("UnsubscribeUrl".into(), unsubscribe(tx, subscription).into());
    envelope.insert("MessageAttributes".into(), shown_attributes(publication));
    json!({ "Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": envelope,
    }]})
}

fn envelope(tx: &Tx<'_>, publication: &Publication, notification: &Notification<'_>) -> Map<String, Value> {
    let mut envelope = Map::new();
    envelope.insert("Type".into(), "Notification".into());
    envelope.insert("MessageId".into(), notification.message_id.into());
    envelope.insert("TopicArn".into(), publication.topic_arn.as_str().into());
    if let Some(subject) = &publication.subject {
        envelope.insert("Subject".into(), subject.as_str().into());
    }
    envelope.insert("Message".into(), notification.text.into());
    envelope.insert("Timestamp".into(), instant(tx.now()).into());
    envelope.insert("SignatureVersion".into(), "1".into());
    envelope.insert("Signature".into(), "".into());
    envelope
}

fn instant(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn certificate(tx: &Tx<'_>) -> String {
    format!("{}/SimpleNotificationService.pem", tx.config().endpoint())
}

fn unsubscribe(tx: &Tx<'_>, subscription: &Subscription) -> String {
    format!("{}/?Action=Unsubscribe&SubscriptionArn={}", tx.config().endpoint(), subscription.arn)
}

/// `{"name": {"Type": …, "Value": …}}`.
fn shown_attributes(publication: &Publication) -> Value {
    let shown = |attribute: &Value| {
        let value = attribute.get("StringValue").or_else(|| attribute.get("BinaryValue"));
        json!({ "Type": attribute.get("DataType"), "Value": value })
    };
    publication.attributes.iter().map(|(name, attribute)| (name.clone(), shown(attribute))).collect()
}

fn check(publication: &Publication) -> Result<(), ApiError> {
    if publication.message.is_empty() {
        return Err(errors::invalid("Message Reason: Empty message"));
    }
    if size(publication) > MAX_MESSAGE_BYTES {
        return Err(errors::invalid(format!("Message too long: more than {MAX_MESSAGE_BYTES} bytes")));
    }
    if let Some(subject) = &publication.subject {
        let length = subject.chars().count();
        if length == 0 || length > MAX_SUBJECT || subject.chars().any(char::is_control) {
            return Err(errors::invalid(format!("Subject Reason: 1 to {MAX_SUBJECT} characters, no line breaks")));
        }
    }
    publication.attributes.iter().try_for_each(|(name, attribute)| check_attribute(name, attribute))
}

fn check_attribute(name: &str, attribute: &Value) -> Result<(), ApiError> {
    let field = |name: &str| attribute.get(name).and_then(Value::as_str).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 256 || !name.chars().all(allowed) {
        return Err(errors::attribute(name, "has a name that is not 1 to 256 of A-Z, a-z, 0-9, _, - and ."));
    }
    let kind = field("DataType");
    match kind.split('.').next().unwrap_or_default() {
        "String" | "Number" if field("StringValue").is_empty() => {
            Err(errors::attribute(name, "must contain a non-empty string value"))
        }
        "Number" if field("StringValue").parse::<f64>().is_err() => {
            Err(errors::attribute(name, "of type Number must have a number as its value"))
        }
        "String" if kind == "String.Array" && serde_json::from_str::<Vec<Value>>(field("StringValue")).is_err() => {
            Err(errors::attribute(name, "of type String.Array must have a JSON array as its value"))
        }
        "Binary" if BASE64_STANDARD.decode(field("BinaryValue")).map_or(true, |value| value.is_empty()) => {
            Err(errors::attribute(name, "must contain a non-empty binary value"))
        }
        "String" | "Number" | "Binary" => Ok(()),
        _ => Err(errors::attribute(name, "must have a type that begins with String, Number or Binary")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::sns::SubscriptionSpec;
    use crate::services::sqs::testing::Bench;

    #[tokio::test]
    async fn a_function_gets_the_event_of_lambda() {
        let spec = SubscriptionSpec {
            topic_arn: "arn:aws:sns:us-east-1:000000000000:t".into(),
            protocol: "lambda".into(),
            endpoint: "arn:aws:lambda:us-east-1:000000000000:function:f".into(),
            raw: false,
            filter_policy: None,
            filter_body: false,
        };
        let subscription = Subscription { arn: format!("{}:s", spec.topic_arn), spec, redrive_arn: None };
        let attributes = json!({"a": {"DataType": "Number", "StringValue": "1"}}).as_object().cloned().unwrap();
        for (subject, attributes, expected) in [
            (None, Map::new(), json!({"Subject": null, "MessageAttributes": {}})),
            (
                Some("s".to_owned()),
                attributes,
                json!({"Subject": "s", "MessageAttributes": {"a": {"Type": "Number", "Value": "1"}}}),
            ),
        ] {
            let (subscription, topic_arn) = (subscription.clone(), subscription.spec.topic_arn.clone());
            let publication = Publication { topic_arn, subject, message: "m".into(), attributes };
            let work = move |tx: &Tx<'_>| {
                let notification = Notification { text: "m", message_id: "id" };
                Ok((lambda_event(tx, &subscription, &publication, &notification), tx.now()))
            };
            let (event, now) = Bench::new().ctx.store.write(work).await.unwrap();
            let mut sns = json!({
                "Type": "Notification",
                "MessageId": "id",
                "TopicArn": "arn:aws:sns:us-east-1:000000000000:t",
                "Message": "m",
                "Timestamp": instant(now),
                "SignatureVersion": "1",
                "Signature": "",
                "SigningCertUrl": "http://127.0.0.1:4566/SimpleNotificationService.pem",
                "UnsubscribeUrl": "http://127.0.0.1:4566/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:000000000000:t:s",
            });
            sns.as_object_mut().unwrap().extend(expected.as_object().cloned().unwrap());
            let record = json!({
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": "arn:aws:sns:us-east-1:000000000000:t:s",
                "Sns": sns,
            });
            assert_eq!(event, json!({ "Records": [record] }));
        }
    }

    #[test]
    fn instants_have_milliseconds() {
        for (ms, expected) in [(0, "1970-01-01T00:00:00.000Z"), (1_795_194_000_250, "2026-11-20T17:00:00.250Z")] {
            assert_eq!(instant(ms), expected);
        }
    }
}
