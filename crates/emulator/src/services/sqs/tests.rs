use std::time::Duration;

use serde_json::{Value, json};

use super::testing::{Bench, form_call, json_call, outcome};
use super::{NewMessage, QueueSpec};
use crate::error::ApiError;
use crate::store::Tx;
use crate::wire::protocol::Protocol;

const URL: &str = "http://127.0.0.1:4566/000000000000/q";
const ARN: &str = "arn:aws:sqs:us-east-1:000000000000:q";
const DEAD_ARN: &str = "arn:aws:sqs:us-east-1:000000000000:dead";

impl Bench {
    async fn sqs(&self, operation: &str, input: Value) -> Result<Value, String> {
        outcome(super::call(&self.ctx, &json_call(operation, input)).await)
    }

    async fn write<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, ApiError> + Send + 'static,
    {
        self.ctx.store.write(work).await
    }

    async fn with_queue(attributes: Value) -> Bench {
        let bench = Bench::new();
        bench.sqs("CreateQueue", json!({"QueueName": "q", "Attributes": attributes})).await.unwrap();
        bench
    }

    async fn send(&self, body: &str) -> String {
        let sent = self.sqs("SendMessage", json!({"QueueUrl": URL, "MessageBody": body})).await.unwrap();
        sent["MessageId"].as_str().unwrap().to_owned()
    }

    /// The bodies and receipt handles of a receive of up to ten.
    async fn receive(&self, queue: &str, visibility: i64) -> Vec<(String, String)> {
        let url = URL.replace("/q", &format!("/{queue}"));
        let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": visibility});
        let answer = self.sqs("ReceiveMessage", input).await.unwrap();
        let text = |message: &Value, field: &str| message[field].as_str().unwrap().to_owned();
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|message| (text(message, "Body"), text(message, "ReceiptHandle"))).collect()
    }

    async fn counts(&self, queue: &str) -> [i64; 3] {
        let url = URL.replace("/q", &format!("/{queue}"));
        let input = json!({"QueueUrl": url, "AttributeNames": ["All"]});
        let shown = self.sqs("GetQueueAttributes", input).await.unwrap()["Attributes"].clone();
        ["", "NotVisible", "Delayed"]
            .map(|kind| shown[format!("ApproximateNumberOfMessages{kind}")].as_str().unwrap().parse().unwrap())
    }
}

#[tokio::test]
async fn operations_answer_or_refuse() {
    let bench = Bench::with_queue(json!({"VisibilityTimeout": "10"})).await;
    let long = "x".repeat(1_048_577);
    let with = |extra: Value| {
        let mut input = json!({"QueueUrl": URL, "MessageBody": "m"});
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        input
    };
    let create = |name: &str, attributes: Value| json!({"QueueName": name, "Attributes": attributes});
    let entries = |ids: &[&str], body: &str| {
        let entries: Vec<Value> = ids.iter().map(|id| json!({"Id": id, "MessageBody": body})).collect();
        json!({"QueueUrl": URL, "Entries": entries})
    };
    let invalid = "com.amazon.coral.service#InvalidParameterValueException";
    let missing = "com.amazon.coral.service#MissingRequiredParameterException";
    let value = "com.amazonaws.sqs#InvalidAttributeValue";
    let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
    for (operation, input, expected) in [
        ("CreateQueue", create("q", json!({})), ""),
        ("CreateQueue", create("q", json!({"VisibilityTimeout": "10"})), ""),
        ("CreateQueue", create("q", json!({"VisibilityTimeout": "11"})), "com.amazonaws.sqs#QueueNameExists"),
        ("CreateQueue", create("q.fifo", json!({})), "NotImplemented"),
        ("CreateQueue", create("r", json!({"FifoQueue": "true"})), "NotImplemented"),
        ("CreateQueue", create("a b", json!({})), invalid),
        ("CreateQueue", create("", json!({})), missing),
        ("CreateQueue", create(&"n".repeat(81), json!({})), invalid),
        ("CreateQueue", create("r", json!({"VisibilityTimeout": "43201"})), value),
        ("CreateQueue", create("r", json!({"VisibilityTimeout": "ten"})), value),
        ("CreateQueue", create("r", json!({"MessageRetentionPeriod": "59"})), value),
        ("CreateQueue", create("r", json!({"DelaySeconds": "901"})), value),
        ("CreateQueue", create("r", json!({"ReceiveMessageWaitTimeSeconds": "21"})), value),
        ("CreateQueue", create("r", json!({"MaximumMessageSize": "1048577"})), value),
        ("CreateQueue", create("r", json!({"RedrivePolicy": "{}"})), value),
        (
            "CreateQueue",
            create(
                "r",
                json!({"RedrivePolicy": format!("{{\"deadLetterTargetArn\":\"{DEAD_ARN}\",\"maxReceiveCount\":1}}")}),
            ),
            invalid,
        ),
        ("CreateQueue", create("r", json!({"Policy": "none"})), value),
        ("CreateQueue", create("r", json!({"Colour": "red"})), "com.amazonaws.sqs#InvalidAttributeName"),
        ("GetQueueUrl", json!({"QueueName": "q"}), ""),
        ("GetQueueUrl", json!({"QueueName": "none"}), "com.amazonaws.sqs#QueueDoesNotExist"),
        (
            "GetQueueAttributes",
            json!({"QueueUrl": URL, "AttributeNames": ["Colour"]}),
            "com.amazonaws.sqs#InvalidAttributeName",
        ),
        ("SendMessage", with(json!({})), ""),
        ("SendMessage", with(json!({"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/q"})), ""),
        (
            "SendMessage",
            with(json!({"QueueUrl": "http://127.0.0.1:4566/111111111111/q"})),
            "com.amazonaws.sqs#QueueDoesNotExist",
        ),
        ("SendMessage", with(json!({"QueueUrl": ""})), missing),
        ("SendMessage", with(json!({"MessageBody": ""})), missing),
        ("SendMessage", with(json!({"MessageBody": long})), invalid),
        ("SendMessage", with(json!({"MessageBody": long[1..]})), ""),
        ("SendMessage", with(json!({"MessageBody": "\u{1}"})), "com.amazonaws.sqs#InvalidMessageContents"),
        ("SendMessage", with(json!({"MessageBody": "\u{fffe}"})), "com.amazonaws.sqs#InvalidMessageContents"),
        ("SendMessage", with(json!({"DelaySeconds": 901})), invalid),
        ("SendMessage", with(json!({"DelaySeconds": i64::MAX})), invalid),
        ("SendMessage", with(json!({"DelaySeconds": "soon"})), "SerializationException"),
        ("SendMessage", with(json!({"MessageAttributes": {"a": {"DataType": "Text", "StringValue": "x"}}})), invalid),
        ("SendMessage", with(json!({"MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}})), invalid),
        ("SendMessage", with(json!({"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}})), invalid),
        ("SendMessage", with(json!({"MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "?"}}})), invalid),
        (
            "SendMessage",
            with(json!({"MessageAttributes": {"a b": {"DataType": "String", "StringValue": "x"}}})),
            invalid,
        ),
        ("SendMessageBatch", entries(&["a", "b"], "m"), ""),
        ("SendMessageBatch", entries(&[], "m"), "com.amazonaws.sqs#EmptyBatchRequest"),
        ("SendMessageBatch", entries(&["a", "a"], "m"), "com.amazonaws.sqs#BatchEntryIdsNotDistinct"),
        ("SendMessageBatch", entries(&["a", "ö"], "m"), "com.amazonaws.sqs#InvalidBatchEntryId"),
        ("SendMessageBatch", entries(&eleven, "m"), "com.amazonaws.sqs#TooManyEntriesInBatchRequest"),
        ("SendMessageBatch", entries(&["a", "b"], &long[..600_000]), "com.amazonaws.sqs#BatchRequestTooLong"),
        ("ReceiveMessage", json!({"QueueUrl": URL, "MaxNumberOfMessages": 11}), invalid),
        ("ReceiveMessage", json!({"QueueUrl": URL, "WaitTimeSeconds": 21}), invalid),
        ("ReceiveMessage", json!({"QueueUrl": URL, "VisibilityTimeout": -1}), invalid),
        ("DeleteMessage", json!({"QueueUrl": URL}), missing),
        ("DeleteMessage", json!({"QueueUrl": URL, "ReceiptHandle": "x"}), "com.amazonaws.sqs#ReceiptHandleIsInvalid"),
        ("ListQueues", json!({"QueueNamePrefix": "q"}), ""),
        ("ListQueues", json!({"NextToken": "?"}), invalid),
        ("PurgeQueue", json!({"QueueUrl": URL}), ""),
        ("PurgeQueue", json!({"QueueUrl": URL}), "com.amazonaws.sqs#PurgeQueueInProgress"),
        ("StartMessageMoveTask", json!({"SourceArn": ARN}), invalid),
        ("StartMessageMoveTask", json!({"SourceArn": DEAD_ARN}), "com.amazonaws.sqs#ResourceNotFoundException"),
        ("AddPermission", json!({}), "NotImplemented"),
        ("DeleteQueue", json!({"QueueUrl": URL}), ""),
        ("DeleteQueue", json!({"QueueUrl": URL}), "com.amazonaws.sqs#QueueDoesNotExist"),
    ] {
        let shown = format!("{operation} {:.200}", input.to_string());
        assert_eq!(bench.sqs(operation, input).await.err().unwrap_or_default(), expected, "{shown}");
    }
    let old = form_call("SendMessage", Protocol::Query, String::new());
    assert!(super::call(&bench.ctx, &old).await.unwrap_err().message.contains("query protocol"));
}

#[tokio::test]
async fn a_failing_entry_fails_alone() {
    let bench = Bench::with_queue(json!({})).await;
    let entries = json!([{"Id": "a", "MessageBody": "m"}, {"Id": "b", "MessageBody": ""}]);
    let answer = bench.sqs("SendMessageBatch", json!({"QueueUrl": URL, "Entries": entries})).await.unwrap();
    assert_eq!(answer["Successful"][0]["Id"], "a");
    assert_eq!(answer["Failed"][0]["Id"], "b");
    assert_eq!(answer["Failed"][0]["Code"], "MissingParameter");
    assert_eq!(bench.counts("q").await, [1, 0, 0]);
}

#[tokio::test]
async fn a_message_is_hidden_then_deleted() {
    let bench = Bench::with_queue(json!({})).await;
    let id = bench.send("one").await;
    let input = json!({"QueueUrl": URL, "MessageSystemAttributeNames": ["All"]});
    let first = bench.sqs("ReceiveMessage", input).await.unwrap()["Messages"][0].clone();
    assert_eq!(first["MessageId"], id.as_str());
    assert_eq!(first["MD5OfBody"], "f97c5d29941bfb1b2fdab0874906ab82");
    assert_eq!(first["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(bench.counts("q").await, [0, 1, 0]);
    assert_eq!(bench.receive("q", 30).await, []);

    let handle = first["ReceiptHandle"].clone();
    let change = |seconds: i64| json!({"QueueUrl": URL, "ReceiptHandle": handle, "VisibilityTimeout": seconds});
    bench.sqs("ChangeMessageVisibility", change(0)).await.unwrap();
    let refused = bench.sqs("ChangeMessageVisibility", change(5)).await;
    assert_eq!(refused, Err("com.amazonaws.sqs#MessageNotInflight".into()));

    let again = bench.receive("q", 30).await;
    assert_eq!(again.len(), 1);
    // The first handle is of an earlier receipt: it deletes nothing, and is no error.
    bench.sqs("DeleteMessage", json!({"QueueUrl": URL, "ReceiptHandle": handle})).await.unwrap();
    assert_eq!(bench.counts("q").await, [0, 1, 0]);
    bench.sqs("DeleteMessage", json!({"QueueUrl": URL, "ReceiptHandle": again[0].1})).await.unwrap();
    assert_eq!(bench.counts("q").await, [0, 0, 0]);
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue_and_back() {
    let bench = Bench::new();
    bench.sqs("CreateQueue", json!({"QueueName": "dead"})).await.unwrap();
    let policy = json!({"deadLetterTargetArn": DEAD_ARN, "maxReceiveCount": "2"}).to_string();
    let attributes = json!({"RedrivePolicy": policy});
    bench.sqs("CreateQueue", json!({"QueueName": "q", "Attributes": attributes})).await.unwrap();
    bench.send("poison").await;
    for _ in 0..2 {
        assert_eq!(bench.receive("q", 0).await.len(), 1);
    }
    assert_eq!(bench.receive("q", 0).await, []);
    assert_eq!((bench.counts("q").await, bench.counts("dead").await), ([0, 0, 0], [1, 0, 0]));

    let sources = bench.sqs("ListDeadLetterSourceQueues", json!({"QueueUrl": URL.replace("/q", "/dead")})).await;
    assert_eq!(sources.unwrap()["queueUrls"], json!([URL]));
    bench.sqs("StartMessageMoveTask", json!({"SourceArn": DEAD_ARN})).await.unwrap();
    let tasks = bench.sqs("ListMessageMoveTasks", json!({"SourceArn": DEAD_ARN})).await.unwrap();
    assert_eq!(tasks["Results"][0]["ApproximateNumberOfMessagesMoved"], 1);
    assert_eq!((bench.counts("q").await, bench.counts("dead").await), ([1, 0, 0], [0, 0, 0]));
    assert_eq!(bench.receive("q", 0).await[0].0, "poison");
}

#[tokio::test]
async fn a_long_poll_sees_a_message_that_comes_and_one_that_becomes_visible() {
    let bench = Bench::with_queue(json!({})).await;
    let poll = json!({"QueueUrl": URL, "WaitTimeSeconds": 20, "VisibilityTimeout": 1});
    let (received, _) = tokio::join!(bench.sqs("ReceiveMessage", poll.clone()), bench.send("late"));
    assert_eq!(received.unwrap()["Messages"][0]["Body"], "late");
    // Hidden for a second: the next poll waits for just that, nobody wakes it.
    let again = tokio::time::timeout(Duration::from_secs(10), bench.sqs("ReceiveMessage", poll.clone())).await;
    assert_eq!(again.unwrap().unwrap()["Messages"][0]["Body"], "late");
    let (gone, _) = tokio::join!(
        bench.sqs("ReceiveMessage", json!({"QueueUrl": URL, "WaitTimeSeconds": 20})),
        bench.sqs("DeleteQueue", json!({"QueueUrl": URL}))
    );
    assert_eq!(gone, Err("com.amazonaws.sqs#QueueDoesNotExist".into()));
}

#[tokio::test]
async fn delays_and_retention_hold() {
    let bench = Bench::with_queue(json!({"DelaySeconds": "900", "MessageRetentionPeriod": "60"})).await;
    bench.send("delayed").await;
    bench.sqs("SendMessage", json!({"QueueUrl": URL, "MessageBody": "now", "DelaySeconds": 0})).await.unwrap();
    assert_eq!(bench.counts("q").await, [1, 0, 1]);
    assert_eq!(bench.receive("q", 30).await[0].0, "now");
    let next = bench.ctx.store.read(|db| super::next_visible_at(db, ARN)).await.unwrap().unwrap();
    assert!(next > crate::clock::now_ms());

    bench
        .write(|tx| Ok(tx.execute("UPDATE sqs_messages SET sent_at = sent_at - 60000, visible_at = 0", ())?))
        .await
        .unwrap();
    assert_eq!(bench.counts("q").await, [0, 0, 0]);
    assert_eq!(bench.receive("q", 30).await, []);
    let left: i64 = bench
        .ctx
        .store
        .read(|db| Ok(db.query_row("SELECT count(*) FROM sqs_messages", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn the_functions_of_other_services_work_in_one_write() {
    let bench = Bench::new();
    let received = bench
        .write(|tx| {
            let arn = super::ensure_queue(tx, &QueueSpec::new("q"))?;
            assert_eq!(arn, ARN);
            for n in 0..15 {
                super::enqueue(tx, &arn, NewMessage { body: format!("{n}"), ..NewMessage::default() })?;
            }
            super::receive(tx, &arn, 12, None)
        })
        .await
        .unwrap();
    let bodies: Vec<&str> = received.iter().map(|message| message.body.as_str()).collect();
    assert_eq!(bodies, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    let handles: Vec<String> = received.into_iter().map(|message| message.receipt_handle).collect();
    bench
        .write(move |tx| {
            super::delete(tx, ARN, &handles)?;
            super::delete(tx, ARN, &handles)
        })
        .await
        .unwrap();
    assert_eq!(bench.counts("q").await, [3, 0, 0]);
    let missing =
        bench.write(|tx| super::enqueue(tx, DEAD_ARN, NewMessage { body: "x".into(), ..NewMessage::default() }));
    assert_eq!(missing.await.unwrap_err().code, "com.amazonaws.sqs#QueueDoesNotExist");
}

#[tokio::test]
async fn attributes_come_back_as_asked_with_their_digest() {
    let bench = Bench::with_queue(json!({})).await;
    let attributes = json!({
        "a.one": {"DataType": "String", "StringValue": "1"},
        "a.two": {"DataType": "Binary.png", "BinaryValue": "AQID"},
        "b": {"DataType": "Number", "StringValue": "2.5"},
    });
    let trace = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}});
    let input =
        json!({"QueueUrl": URL, "MessageBody": "m", "MessageAttributes": attributes, "MessageSystemAttributes": trace});
    let sent = bench.sqs("SendMessage", input).await.unwrap();
    assert_eq!(sent["MD5OfMessageAttributes"], "21ad9bd45178e1b4763e6a4ac5d24f87");
    for (asked, expected) in [
        (json!([]), json!([])),
        (json!(["All"]), json!(["a.one", "a.two", "b"])),
        (json!([".*"]), json!(["a.one", "a.two", "b"])),
        (json!(["a.*"]), json!(["a.one", "a.two"])),
        (json!(["b", "c"]), json!(["b"])),
    ] {
        let input = json!({"QueueUrl": URL, "MessageAttributeNames": asked, "VisibilityTimeout": 0, "AttributeNames": ["AWSTraceHeader"]});
        let message = bench.sqs("ReceiveMessage", input).await.unwrap()["Messages"][0].clone();
        let names: Vec<String> =
            message["MessageAttributes"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        assert_eq!(json!(names), expected, "{asked}");
        assert_eq!(message["Attributes"], json!({"AWSTraceHeader": "Root=1"}));
    }
}
