use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Publication, SubscriptionSpec};
use crate::services::sqs::testing::{Bench, json_call, outcome};
use crate::services::sqs::{self, QueueSpec};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:t";
const QUEUE: &str = "arn:aws:sqs:us-east-1:000000000000:q";
const DEAD: &str = "arn:aws:sqs:us-east-1:000000000000:dead";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f";

impl Bench {
    async fn sns(&self, operation: &str, input: Value) -> Result<Value, String> {
        outcome(super::call(&self.ctx, &json_call(operation, input)).await)
    }

    /// The topic `t` and the queues `q` and `dead`.
    async fn with_topic() -> Bench {
        let bench = Bench::new();
        let made = bench.ctx.store.write(|tx| {
            sqs::ensure_queue(tx, &QueueSpec::new("q"))?;
            sqs::ensure_queue(tx, &QueueSpec::new("dead"))?;
            super::ensure_topic(tx, "t", &BTreeMap::new())
        });
        assert_eq!(made.await.unwrap(), TOPIC);
        bench
    }

    async fn subscribe(&self, endpoint: &str, attributes: Value) -> String {
        let protocol = endpoint.split(':').nth(2).unwrap();
        let input = json!({"TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes});
        let made = self.sns("Subscribe", input).await.unwrap();
        made["SubscriptionArn"].as_str().unwrap().to_owned()
    }

    async fn messages(&self, queue: &'static str) -> Vec<sqs::Received> {
        self.ctx.store.write(move |tx| sqs::receive(tx, queue, 10, None)).await.unwrap()
    }
}

#[tokio::test]
async fn operations_answer_or_refuse() {
    let bench = Bench::with_topic().await;
    let subscription = bench.subscribe(QUEUE, json!({})).await;
    let create = |name: &str, attributes: Value| json!({"Name": name, "Attributes": attributes});
    let subscribe = |protocol: &str, endpoint: &str, attributes: Value| json!({"TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes});
    let set = |name: &str, value: &str| json!({"SubscriptionArn": subscription, "AttributeName": name, "AttributeValue": value});
    let entries = |ids: &[&str], message: &str| {
        let entries: Vec<Value> = ids.iter().map(|id| json!({"Id": id, "Message": message})).collect();
        json!({"TopicArn": TOPIC, "PublishBatchRequestEntries": entries})
    };
    let long = "x".repeat(262_145);
    let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    for (operation, input, expected) in [
        ("CreateTopic", create("t", json!({})), ""),
        ("CreateTopic", create("t", json!({"DisplayName": "x"})), "InvalidParameter"),
        ("CreateTopic", create("t.fifo", json!({"FifoTopic": "true"})), "NotImplemented"),
        ("CreateTopic", create("a b", json!({})), "InvalidParameter"),
        ("CreateTopic", create("u", json!({"Colour": "red"})), "InvalidParameter"),
        ("GetTopicAttributes", json!({"TopicArn": TOPIC}), ""),
        ("GetTopicAttributes", json!({"TopicArn": format!("{TOPIC}x")}), "NotFound"),
        ("GetTopicAttributes", json!({"TopicArn": "t"}), "InvalidParameter"),
        ("SetTopicAttributes", json!({"TopicArn": TOPIC, "AttributeName": "DisplayName", "AttributeValue": "x"}), ""),
        (
            "SetTopicAttributes",
            json!({"TopicArn": TOPIC, "AttributeName": "Policy", "AttributeValue": "x"}),
            "InvalidParameter",
        ),
        ("Subscribe", subscribe("sqs", QUEUE, json!({})), ""),
        ("Subscribe", subscribe("sqs", QUEUE, json!({"RawMessageDelivery": "true"})), "InvalidParameter"),
        ("Subscribe", subscribe("sqs", "q", json!({})), "InvalidParameter"),
        ("Subscribe", subscribe("lambda", QUEUE, json!({})), "InvalidParameter"),
        ("Subscribe", subscribe("lambda", FUNCTION, json!({"RawMessageDelivery": "true"})), "InvalidParameter"),
        ("Subscribe", subscribe("email", "a@b.example", json!({})), "NotImplemented"),
        ("Subscribe", subscribe("pigeon", "x", json!({})), "InvalidParameter"),
        (
            "Subscribe",
            subscribe("sqs", DEAD, json!({"FilterPolicy": "{\"a\": [{\"cidr\": \"x\"}]}"})),
            "InvalidParameter",
        ),
        ("Subscribe", subscribe("sqs", DEAD, json!({"FilterPolicy": "{"})), "InvalidParameter"),
        ("Subscribe", json!({"TopicArn": format!("{TOPIC}x"), "Protocol": "sqs", "Endpoint": QUEUE}), "NotFound"),
        ("GetSubscriptionAttributes", json!({"SubscriptionArn": subscription}), ""),
        ("GetSubscriptionAttributes", json!({"SubscriptionArn": format!("{TOPIC}:x")}), "NotFound"),
        ("GetSubscriptionAttributes", json!({"SubscriptionArn": TOPIC}), "InvalidParameter"),
        ("SetSubscriptionAttributes", set("FilterPolicyScope", "MessageBody"), ""),
        ("SetSubscriptionAttributes", set("FilterPolicyScope", "Both"), "InvalidParameter"),
        ("SetSubscriptionAttributes", set("RedrivePolicy", "{}"), "InvalidParameter"),
        ("SetSubscriptionAttributes", set("Colour", "red"), "InvalidParameter"),
        ("ListTopics", json!({}), ""),
        ("ListTopics", json!({"NextToken": "?"}), "InvalidParameter"),
        ("ListSubscriptionsByTopic", json!({"TopicArn": format!("{TOPIC}x")}), "NotFound"),
        ("Publish", json!({"TopicArn": TOPIC, "Message": "m"}), ""),
        ("Publish", json!({"TargetArn": TOPIC, "Message": long[1..]}), ""),
        ("Publish", json!({"TopicArn": TOPIC, "Message": long}), "InvalidParameter"),
        ("Publish", json!({"TopicArn": TOPIC, "Message": ""}), "InvalidParameter"),
        ("Publish", json!({"TopicArn": format!("{TOPIC}x"), "Message": "m"}), "NotFound"),
        ("Publish", json!({"TopicArn": TOPIC, "Message": "m", "Subject": "a\nb"}), "InvalidParameter"),
        ("Publish", json!({"TopicArn": TOPIC, "Message": "m", "MessageStructure": "json"}), "InvalidParameter"),
        (
            "Publish",
            json!({"TopicArn": TOPIC, "Message": "{\"sqs\": \"m\"}", "MessageStructure": "json"}),
            "InvalidParameter",
        ),
        (
            "Publish",
            json!({"TopicArn": TOPIC, "Message": "m", "MessageAttributes": {"a": {"DataType": "Text"}}}),
            "ParameterValueInvalid",
        ),
        ("Publish", json!({"PhoneNumber": "1", "Message": "m"}), "NotImplemented"),
        ("PublishBatch", entries(&["a", "b"], "m"), ""),
        ("PublishBatch", entries(&[], "m"), "EmptyBatchRequest"),
        ("PublishBatch", entries(&eleven, "m"), "TooManyEntriesInBatchRequest"),
        ("PublishBatch", entries(&["a", "a"], "m"), "BatchEntryIdsNotDistinct"),
        ("PublishBatch", entries(&["a b"], "m"), "InvalidBatchEntryId"),
        ("PublishBatch", entries(&["a", "b"], &long[..200_000]), "BatchRequestTooLong"),
        ("TagResource", json!({"ResourceArn": TOPIC, "Tags": [{"Key": "k", "Value": "v"}]}), ""),
        ("TagResource", json!({"ResourceArn": format!("{TOPIC}x"), "Tags": []}), "ResourceNotFound"),
        ("ConfirmSubscription", json!({"TopicArn": TOPIC, "Token": "x"}), "InvalidParameter"),
        ("CheckIfPhoneNumberIsOptedOut", json!({}), "NotImplemented"),
        ("Unsubscribe", json!({"SubscriptionArn": subscription}), ""),
        ("DeleteTopic", json!({"TopicArn": TOPIC}), ""),
        ("DeleteTopic", json!({"TopicArn": TOPIC}), ""),
    ] {
        let shown = format!("{operation} {:.200}", input.to_string());
        assert_eq!(bench.sns(operation, input).await.err().unwrap_or_default(), expected, "{shown}");
    }
}

#[tokio::test]
async fn a_queue_gets_the_envelope_or_the_bare_message() {
    let bench = Bench::with_topic().await;
    bench.subscribe(QUEUE, json!({})).await;
    bench.subscribe(DEAD, json!({"RawMessageDelivery": "true"})).await;
    let attributes = json!({"kind": {"DataType": "String", "StringValue": "a"}});
    let input = json!({"TopicArn": TOPIC, "Message": "hi", "Subject": "s", "MessageAttributes": attributes});
    let id = bench.sns("Publish", input).await.unwrap()["MessageId"].clone();

    let enveloped = bench.messages(QUEUE).await.remove(0);
    let mut envelope: Value = serde_json::from_str(&enveloped.body).unwrap();
    assert!(envelope["Timestamp"].take().as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert!(envelope["UnsubscribeURL"].take().as_str().unwrap().contains("Action=Unsubscribe"));
    let expected = json!({
        "Type": "Notification", "MessageId": id, "TopicArn": TOPIC, "Subject": "s", "Message": "hi", "Timestamp": null,
        "SignatureVersion": "1", "Signature": "", "SigningCertURL": "http://127.0.0.1:4566/SimpleNotificationService.pem",
        "UnsubscribeURL": null, "MessageAttributes": {"kind": {"Type": "String", "Value": "a"}},
    });
    assert_eq!(envelope, expected);
    assert!(enveloped.attributes.is_empty());

    let raw = bench.messages(DEAD).await.remove(0);
    assert_eq!(raw.body, "hi");
    assert_eq!(Value::Object(raw.attributes), attributes);
}

#[tokio::test]
async fn a_protocol_can_have_its_own_text() {
    let bench = Bench::with_topic().await;
    bench.subscribe(QUEUE, json!({"RawMessageDelivery": "true"})).await;
    for (message, expected) in [("{\"default\": \"d\", \"sqs\": \"q\"}", "q"), ("{\"default\": \"d\"}", "d")] {
        let input = json!({"TopicArn": TOPIC, "Message": message, "MessageStructure": "json"});
        bench.sns("Publish", input).await.unwrap();
        assert_eq!(bench.messages(QUEUE).await[0].body, expected);
    }
}

#[tokio::test]
async fn a_filter_policy_keeps_messages_back() {
    let bench = Bench::with_topic().await;
    let subscription = bench.subscribe(QUEUE, json!({"FilterPolicy": "{\"kind\": [\"a\"]}"})).await;
    let publish = async |message: &str, kind: &str| {
        let attributes = json!({"kind": {"DataType": "String", "StringValue": kind}});
        let input = json!({"TopicArn": TOPIC, "Message": message, "MessageAttributes": attributes});
        bench.sns("Publish", input).await.unwrap();
        bench.messages(QUEUE).await.len()
    };
    let set = async |name: &str, value: &str| {
        let input = json!({"SubscriptionArn": subscription, "AttributeName": name, "AttributeValue": value});
        bench.sns("SetSubscriptionAttributes", input).await.unwrap();
    };
    assert_eq!(publish("{}", "a").await, 1);
    assert_eq!(publish("{}", "b").await, 0);
    set("FilterPolicyScope", "MessageBody").await;
    assert_eq!(publish("{}", "a").await, 0);
    assert_eq!(publish("{\"kind\": \"a\"}", "b").await, 1);
    set("FilterPolicy", "{}").await;
    assert_eq!(publish("text", "b").await, 1);
}

#[tokio::test]
async fn what_cannot_be_delivered_goes_to_the_dead_letter_queue_or_is_dropped() {
    let bench = Bench::with_topic().await;
    let gone = "arn:aws:sqs:us-east-1:000000000000:gone";
    bench.subscribe(gone, json!({"RawMessageDelivery": "true"})).await;
    bench.subscribe(QUEUE, json!({"RawMessageDelivery": "true"})).await;
    let publish = json!({"TopicArn": TOPIC, "Message": "m"});
    bench.sns("Publish", publish.clone()).await.unwrap();
    assert_eq!(bench.messages(QUEUE).await.len(), 1);
    assert_eq!(bench.messages(DEAD).await.len(), 0);

    let unknown = "arn:aws:sqs:us-east-1:000000000000:lost";
    let policy = json!({"deadLetterTargetArn": DEAD}).to_string();
    bench.subscribe(unknown, json!({"RawMessageDelivery": "true", "RedrivePolicy": policy})).await;
    bench.sns("Publish", publish).await.unwrap();
    assert_eq!(bench.messages(DEAD).await[0].body, "m");
}

#[tokio::test]
async fn the_functions_of_other_services_are_idempotent() {
    let bench = Bench::with_topic().await;
    let spec = SubscriptionSpec {
        topic_arn: TOPIC.into(),
        protocol: "sqs".into(),
        endpoint: QUEUE.into(),
        raw: false,
        filter_policy: None,
        filter_body: false,
    };
    let raw = SubscriptionSpec { raw: true, ..spec.clone() };
    bench
        .ctx
        .store
        .write(move |tx| {
            let first = super::ensure_subscription(tx, &spec)?;
            assert_eq!(super::ensure_subscription(tx, &raw)?, first);
            super::ensure_topic(tx, "t", &BTreeMap::from([("DisplayName".into(), "d".into())]))?;
            super::publish(tx, &Publication { topic_arn: TOPIC.into(), message: "m".into(), ..Publication::default() })
        })
        .await
        .unwrap();
    assert_eq!(bench.messages(QUEUE).await[0].body, "m");
    let listed = bench.sns("ListSubscriptionsByTopic", json!({"TopicArn": TOPIC})).await.unwrap();
    assert_eq!(listed["Subscriptions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_topic_shows_its_effective_delivery_policy() {
    let bench = Bench::with_topic().await;
    let shown = async || {
        let config = bench.ctx.config.clone();
        bench.ctx.store.read(move |db| super::topics::show(db, &config, TOPIC)).await.unwrap()
    };
    let effective = |shown: &BTreeMap<String, String>| -> Value {
        serde_json::from_str(&shown["EffectiveDeliveryPolicy"]).unwrap()
    };
    let before = shown().await;
    assert_eq!(before.get("DeliveryPolicy"), None);
    assert_eq!(effective(&before)["http"]["defaultHealthyRetryPolicy"]["numRetries"], 3);
    let policy = json!({"http": {"defaultHealthyRetryPolicy": {"numRetries": 5}}}).to_string();
    let set = json!({"TopicArn": TOPIC, "AttributeName": "DeliveryPolicy", "AttributeValue": policy});
    bench.sns("SetTopicAttributes", set).await.unwrap();
    let after = effective(&shown().await);
    assert_eq!(after["http"]["defaultHealthyRetryPolicy"]["numRetries"], 5);
    assert_eq!(after["http"]["defaultHealthyRetryPolicy"]["minDelayTarget"], 20);
}
