//! Event source mappings with real queues and streams.

use std::collections::{BTreeMap, BTreeSet};

use emulator::runtime::Timing;
use emulator::services::{lambda, sqs};
use serde_json::{Value, json};

use super::rig::*;

impl Rig {
    /// An operation of an awsJson service.
    async fn aws(&self, target: &str, input: Value) -> Value {
        let answer = send(
            "POST",
            &self.emulator.endpoint(),
            &[("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")],
            input.to_string().into(),
        )
        .await;
        assert_eq!(answer.status(), 200, "{target}: {:?}", answer.0.body());
        serde_json::from_slice(answer.0.body()).unwrap_or_default()
    }

    async fn queue(&self, name: &str, redrive: Option<(String, u32)>) -> String {
        let spec = sqs::QueueSpec {
            name: name.into(),
            visibility_timeout: 2,
            retention: 345_600,
            delay: 0,
            receive_wait: 0,
            redrive,
            attributes: Default::default(),
        };
        self.emulator.ctx().store.write(move |tx| sqs::ensure_queue(tx, &spec)).await.unwrap()
    }

    async fn enqueue(&self, arn: &str, bodies: impl IntoIterator<Item = String>) {
        let (arn, bodies) = (arn.to_owned(), bodies.into_iter().collect::<Vec<_>>());
        let write = self.emulator.ctx().store.write(move |tx| {
            for body in bodies {
                sqs::enqueue(tx, &arn, sqs::NewMessage { body, ..Default::default() })?;
            }
            Ok(())
        });
        write.await.unwrap();
    }

    /// Takes what is visible in a queue.
    async fn receive(&self, arn: &str) -> Vec<String> {
        let arn = arn.to_owned();
        let write = self.emulator.ctx().store.write(move |tx| sqs::receive(tx, &arn, 100, None));
        write.await.unwrap().into_iter().map(|message| message.body).collect()
    }

    async fn count(&self, queue: &str) -> i64 {
        let input = json!({
            "QueueUrl": format!("{}/000000000000/{queue}", self.emulator.endpoint()),
            "AttributeNames": ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        });
        let got = self.aws("AmazonSQS.GetQueueAttributes", input).await;
        let number = |name: &str| got["Attributes"][name].as_str().unwrap().parse::<i64>().unwrap();
        number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesNotVisible")
    }

    async fn stream(&self, shards: u32) -> &'static str {
        self.aws("Kinesis_20131202.CreateStream", json!({"StreamName": "s", "ShardCount": shards})).await;
        eventually("the stream is active", async || {
            let summary = self.aws("Kinesis_20131202.DescribeStreamSummary", json!({"StreamName": "s"})).await;
            summary["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
        })
        .await;
        "arn:aws:kinesis:us-east-1:000000000000:stream/s"
    }

    async fn put(&self, texts: impl IntoIterator<Item = String>) {
        use base64::Engine;
        let records: Vec<Value> = texts
            .into_iter()
            .map(|text| {
                let key = text.split('-').next().unwrap().to_owned();
                json!({"Data": base64::prelude::BASE64_STANDARD.encode(&text), "PartitionKey": key})
            })
            .collect();
        let got = self.aws("Kinesis_20131202.PutRecords", json!({"StreamName": "s", "Records": records})).await;
        assert_eq!(got["FailedRecordCount"], 0, "{got}");
    }

    async fn map(&self, source: &str, extra: Value) -> String {
        let mut spec = json!({"FunctionName": "probe", "EventSourceArn": source});
        if source.contains("kinesis") {
            spec["StartingPosition"] = json!("TRIM_HORIZON");
        }
        for (name, value) in extra.as_object().unwrap() {
            spec[name] = value.clone();
        }
        self.emulator.ctx().store.write(move |tx| lambda::ensure_mapping(tx, &spec)).await.unwrap()
    }

    async fn probe(&self, variable: (&str, &str)) {
        self.function("probe", |spec| {
            logged(self, spec);
            spec.environment.insert(variable.0.into(), variable.1.into());
        })
        .await;
        self.emulator.ctx().pool.set_timing(Timing { stream_retries: [1, 10], ..Timing::default() });
    }

    /// The positions of the mapping, as stored.
    async fn reached(&self) -> BTreeSet<String> {
        let read = self.emulator.ctx().store.read(|db| {
            let mut statement = db.prepare_cached("SELECT after FROM lambda_positions")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        });
        read.await.unwrap()
    }

    /// The last sequence number of each shard that the function has seen.
    fn last_of_shards(&self) -> BTreeSet<String> {
        let mut last = BTreeMap::new();
        for event in self.logged() {
            for record in event["Records"].as_array().unwrap() {
                let (shard, number) = record["eventID"].as_str().unwrap().split_once(':').unwrap();
                last.insert(shard.to_owned(), number.to_owned());
            }
        }
        last.into_values().collect()
    }

    /// The texts of the records of each event that the function got.
    fn batches(&self) -> Vec<Vec<String>> {
        use base64::Engine;
        let text = |record: &Value| match record["kinesis"]["data"].as_str() {
            Some(data) => String::from_utf8(base64::prelude::BASE64_STANDARD.decode(data).unwrap()).unwrap(),
            None => record["body"].as_str().unwrap().to_owned(),
        };
        let texts = |event: &Value| event["Records"].as_array().unwrap().iter().map(text).collect();
        self.logged().iter().map(texts).collect()
    }

    fn seen(&self) -> Vec<String> {
        self.batches().concat()
    }
}

fn numbered(key: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{key}-{i:03}")).collect()
}

fn of<'s>(seen: &'s [String], key: &str) -> Vec<&'s str> {
    seen.iter().map(String::as_str).filter(|text| text.starts_with(key)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_failed_come_again_and_end_in_the_dead_letter_queue() {
    let rig = Rig::start().await;
    rig.probe(("PROBE_FAIL_ITEMS", "poison")).await;
    let dead = rig.queue("dead", None).await;
    let queue = rig.queue("q", Some((dead.clone(), 2))).await;
    rig.map(&queue, json!({"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]})).await;
    rig.enqueue(&queue, numbered("m", 25).into_iter().chain(["poison".to_owned()])).await;
    eventually("the poison is in the dead-letter queue", async || rig.count("dead").await == 1).await;
    assert_eq!(rig.receive(&dead).await, ["poison"]);
    assert_eq!(rig.count("q").await, 0);
    let mut seen = rig.seen();
    seen.sort();
    assert_eq!(seen, [numbered("m", 25), vec!["poison".into(); 2]].concat());
    assert!(rig.batches().iter().all(|batch| batch.len() <= 10));
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_messages_that_failed_comes_again_whole() {
    let rig = Rig::start().await;
    rig.probe(("PROBE_FAIL_BATCH", "poison")).await;
    let dead = rig.queue("dead", None).await;
    let queue = rig.queue("q", Some((dead, 1))).await;
    rig.enqueue(&queue, ["a".into(), "poison".into(), "b".into()]).await;
    rig.map(&queue, json!({"BatchSize": 10, "ScalingConfig": {"MaximumConcurrency": 2}})).await;
    eventually("all are in the dead-letter queue", async || rig.count("dead").await == 3).await;
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_gathers_messages() {
    let rig = Rig::start().await;
    rig.probe(("X1", "")).await;
    let queue = rig.queue("q", None).await;
    rig.map(&queue, json!({"BatchSize": 3, "MaximumBatchingWindowInSeconds": 60})).await;
    for text in numbered("m", 3) {
        rig.enqueue(&queue, [text]).await;
    }
    eventually("they have come", async || rig.seen().len() == 3).await;
    assert_eq!(rig.batches().len(), 1);
    eventually("they are deleted", async || rig.count("q").await == 0).await;
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_in_order_and_once() {
    let rig = Rig::start().await;
    rig.probe(("X1", "")).await;
    let stream = rig.stream(2).await;
    rig.put([numbered("a", 40), numbered("b", 40), numbered("c", 40)].concat()).await;
    rig.map(stream, json!({"BatchSize": 7})).await;
    eventually("all have come", async || rig.seen().len() == 120).await;
    // A batch whose end is not written down yet would come again, as it should.
    eventually("the positions are at the ends", async || rig.reached().await == rig.last_of_shards()).await;
    let rig = rig.restart().await;
    rig.put(["end-0".into()]).await;
    eventually("the last one has come", async || rig.seen().contains(&"end-0".to_owned())).await;
    let seen = rig.seen();
    assert_eq!(seen.len(), 121, "nothing came twice");
    for key in ["a", "b", "c"] {
        assert_eq!(of(&seen, key), numbered(key, 40));
    }
    assert!(rig.batches().iter().all(|batch| batch.len() <= 7));
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_always_fails_is_given_up_alone() {
    for extra in [
        json!({"FunctionResponseTypes": ["ReportBatchItemFailures"]}),
        json!({}), // the whole batch fails: only halving finds the record
    ] {
        let rig = Rig::start().await;
        let variable = if extra == json!({}) { "PROBE_FAIL_BATCH" } else { "PROBE_FAIL_ITEMS" };
        rig.probe((variable, "poison")).await;
        let failures = rig.queue("failures", None).await;
        let stream = rig.stream(1).await;
        rig.put([numbered("a", 10), vec!["a-poison".into()], numbered("b", 10)].concat()).await;
        let mut spec = extra.clone();
        spec["BisectBatchOnFunctionError"] = json!(true);
        spec["MaximumRetryAttempts"] = json!(1);
        spec["DestinationConfig"] = json!({"OnFailure": {"Destination": failures}});
        let uuid = rig.map(stream, spec).await;
        eventually("the record is given up", async || rig.count("failures").await == 1).await;
        eventually("the rest has come", async || rig.seen().contains(&"b-009".to_owned())).await;
        let record: Value = serde_json::from_str(&rig.receive(&failures).await[0]).unwrap();
        assert_eq!(record["KinesisBatchInfo"]["batchSize"], 1, "{record}");
        assert_eq!(record["requestContext"]["condition"], "RetryAttemptsExhausted");
        assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
        let seen = rig.seen();
        for text in [numbered("a", 10), numbered("b", 10)].concat() {
            assert!(seen.contains(&text), "{text} in {extra}");
        }
        eventually("the position is at the end", async || {
            let id = uuid.clone();
            let mappings = rig.emulator.ctx().store.read(lambda::overview).await.unwrap().mappings;
            mappings.iter().any(|mapping| mapping.uuid == id && mapping.last_result == "OK")
        })
        .await;
        rig.emulator.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn latest_begins_where_the_mapping_was_made() {
    let rig = Rig::start().await;
    rig.probe(("X1", "")).await;
    let stream = rig.stream(1).await;
    rig.put(numbered("old", 5)).await;
    // A record that arrived in the millisecond of the mapping's making counts as new.
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    rig.map(stream, json!({"StartingPosition": "LATEST", "Enabled": false})).await;
    rig.put(numbered("new", 5)).await;
    rig.map(stream, json!({"StartingPosition": "LATEST", "Enabled": true})).await;
    eventually("the new ones have come", async || rig.seen().len() >= 5).await;
    assert_eq!(rig.seen(), numbered("new", 5));
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_shard_is_read_before_its_children() {
    let rig = Rig::start().await;
    rig.probe(("X1", "")).await;
    let stream = rig.stream(1).await;
    rig.put(numbered("a", 30)).await;
    let middle = "170141183460469231731687303715884105728";
    let split = json!({"StreamName": "s", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": middle});
    rig.aws("Kinesis_20131202.SplitShard", split).await;
    eventually("the stream is active again", async || {
        let summary = rig.aws("Kinesis_20131202.DescribeStreamSummary", json!({"StreamName": "s"})).await;
        summary["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE"
    })
    .await;
    let later: Vec<String> = (30..60).map(|i| format!("a-{i:03}")).collect();
    rig.put(later).await;
    rig.map(stream, json!({"BatchSize": 4})).await;
    eventually("all have come", async || rig.seen().len() == 60).await;
    assert_eq!(rig.seen(), numbered("a", 60));
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_gathers_records() {
    let rig = Rig::start().await;
    rig.probe(("X1", "")).await;
    let stream = rig.stream(1).await;
    rig.map(stream, json!({"BatchSize": 3, "MaximumBatchingWindowInSeconds": 60})).await;
    for text in numbered("a", 3) {
        rig.put([text]).await;
    }
    eventually("they have come", async || rig.seen().len() == 3).await;
    assert_eq!(rig.batches().len(), 1);
    rig.emulator.stop().await;
}
