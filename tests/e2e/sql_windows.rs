//! From records of a stream with four shards to rows in the lake, through an application of each kind of window: exactly those that
//! the model gives of the lines as they arrived, whatever dies.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_kinesis::primitives::Blob as Data;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, ShardIteratorType};
use aws_sdk_lambda::primitives::Blob;
use logmill_tests::lake::Lake;
use logmill_tests::sql_model::{Line, PUMPS, Pump, Row, SCHEMA, TABLE, TABLE_SCHEMA, Windows, table_records};
use logmill_tests::stack::{Options, Stack, signal, wait_until};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

const SEED: u64 = 20;

/// So short that many windows end while lines arrive.
const WINDOWS: Windows = Windows { step: 1_000, slide: 2_000, session: 3_000 };

const STREAM: &str = "log-stream";

fn lines() -> i64 {
    if std::env::var_os("LOGMILL_LONG").is_some() { 30_000 } else { 3_000 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_of_each_kind_over_four_shards_are_those_of_the_model() {
    let options = Options { inject: Some(SEED), ..Options::default() }
        .parameter("MaxReceiveCount", "1000")
        .parameter("BufferSeconds", "1")
        .parameter("StreamShards", "4");
    let mut stack = Stack::start(options);
    for pump in PUMPS {
        put_application(&stack, &pump).await;
    }
    // Those that have read the rules before know nothing of it.
    kill_function(&stack);

    let mut random = StdRng::seed_from_u64(SEED);
    let (mut written, mut next_kill) = (0, 200);
    while written < lines() {
        let count = random.random_range(1..40).min(lines() - written);
        put(&stack, (written..written + count).map(|number| Line::random(&mut random, number)).collect()).await;
        written += count;
        tokio::time::sleep(Duration::from_millis(random.random_range(5..100))).await;
        if written >= next_kill {
            next_kill = written + random.random_range(1..800);
            match random.random_range(0..4) {
                0 => {
                    stack.kill();
                    stack.restart();
                }
                _ => kill_function(&stack),
            }
        }
    }

    let arrived = arrived(&stack).await;
    assert!(arrived.len() as i64 >= lines());
    let expected: BTreeMap<&str, Vec<Row>> =
        PUMPS.iter().map(|pump| (pump.kind, (pump.rows)(&arrived, &WINDOWS))).collect();
    let total: usize = expected.values().map(Vec::len).sum();
    let mut lake = Lake::new(aws::s3_client(&stack.sdk()), &stack.outputs["LakeBucketName"], "inbox/");
    let mut kills = 3;
    let rows = wait_until("the rows of all windows", async || {
        tick(&stack).await;
        if kills > 0 {
            kills -= 1;
            kill_function(&stack);
        }
        lake.refresh().await.ok()?;
        let rows = rows(&lake);
        (rows.len() >= total).then_some(rows)
    })
    .await;
    for (kind, expected) in expected {
        let mut found: Vec<String> = rows.values().filter(|row| row["kind"] == kind).map(Value::to_string).collect();
        let mut expected: Vec<String> = expected.iter().map(|row| row.columns.to_string()).collect();
        found.sort_unstable();
        expected.sort_unstable();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{kind}");
        }
        assert_eq!(found.len(), expected.len(), "{kind}: rows");
    }
    assert_eq!(rows.len(), total);
}

fn kill_function(stack: &Stack) {
    stack.function_processes("stream-analytics").into_iter().for_each(|pid| signal(pid, "KILL"));
}

/// An application of this pump alone, over the stream.
async fn put_application(stack: &Stack, pump: &Pump) {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    let mut rule = json!({
        "source": { "kinesis": STREAM },
        "inputSchema": schema,
        "outputs": [{ "stream": pump.kind, "firehose": "log-summary-stream", "format": "JSON" }],
    });
    if pump.reads_table {
        let schema: Value = serde_json::from_str(TABLE_SCHEMA).expect("JSON");
        let key = "rules/tables/owners.csv";
        rule["referenceTables"] = json!([{ "name": TABLE, "s3": { "key": key }, "schema": schema }]);
        put_rule(stack, key, &table_records()).await;
    }
    put_rule(stack, &format!("rules/analytics/{}.sql", pump.kind), &(pump.statements)(&WINDOWS)).await;
    put_rule(stack, &format!("rules/analytics/{}.json", pump.kind), &rule.to_string()).await;
}

async fn put_rule(stack: &Stack, key: &str, body: &str) {
    let s3 = aws::s3_client(&stack.sdk());
    wait_until("a rule to be put", async || {
        let put = s3.put_object().bucket(&stack.outputs["RulesBucketName"]).key(key);
        put.body(body.as_bytes().to_vec().into()).send().await.ok()
    })
    .await;
}

/// Puts lines into the stream, each at least once.
async fn put(stack: &Stack, lines: Vec<Line>) {
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    let entry = |line: &Line| {
        let entry = PutRecordsRequestEntry::builder().partition_key(line.number.to_string());
        entry.data(Data::new(line.json())).build().expect("a record")
    };
    let mut waiting: Vec<PutRecordsRequestEntry> = lines.iter().map(entry).collect();
    wait_until("records to be put", async || {
        let put = kinesis.put_records().stream_name(STREAM).set_records(Some(waiting.clone())).send().await.ok()?;
        let failed = waiting.iter().zip(put.records()).filter(|(_, result)| result.error_code().is_some());
        waiting = failed.map(|(record, _)| record.clone()).collect();
        waiting.is_empty().then_some(())
    })
    .await;
}

/// What is in the stream, in the order of arrival; within a millisecond in that of the shards' names.
async fn arrived(stack: &Stack) -> Vec<Line> {
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    let mut shards: Vec<String> = wait_until("the shards", async || {
        let shards = kinesis.list_shards().stream_name(STREAM).send().await.ok()?.shards?;
        Some(shards.iter().map(|shard| shard.shard_id().to_owned()).collect())
    })
    .await;
    shards.sort_unstable();
    assert_eq!(shards.len(), 4);
    let mut all = Vec::new();
    for shard in shards {
        let of_shard = wait_until("a shard's records", async || records(&kinesis, &shard).await).await;
        assert!(of_shard.len() as i64 > lines() / 8, "{shard} has few lines: {}", of_shard.len());
        all.extend(of_shard);
    }
    all.sort_by_key(|line| line.at);
    all
}

async fn records(kinesis: &aws_sdk_kinesis::Client, shard: &str) -> Option<Vec<Line>> {
    let request = kinesis.get_shard_iterator().stream_name(STREAM).shard_id(shard);
    let reply = request.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.ok()?;
    let (mut iterator, mut lines, mut last) = (reply.shard_iterator?, Vec::new(), 0);
    loop {
        let reply = kinesis.get_records().shard_iterator(iterator).send().await.ok()?;
        for record in reply.records() {
            // Seconds come with a fraction, of which `to_millis` would cut off what a double lacks of the next millisecond.
            let arrival = (record.approximate_arrival_timestamp()?.as_secs_f64() * 1_000.0).round() as i64;
            last = arrival.max(last);
            lines.push(Line::parse(std::str::from_utf8(record.data().as_ref()).ok()?, last)?);
        }
        if reply.millis_behind_latest == Some(0) {
            return Some(lines);
        }
        iterator = reply.next_shard_iterator?;
    }
}

/// As the schedule does every minute. It may fail: the next one goes on.
async fn tick(stack: &Stack) {
    let lambda = aws_sdk_lambda::Client::new(&stack.sdk());
    let event = json!({ "source": "aws.events", "time": jiff::Timestamp::now().to_string() }).to_string();
    let invoke = lambda.invoke().function_name("logmill-stream-analytics").payload(Blob::new(event));
    let _ = invoke.send().await;
}

/// What came out, by `_id`: a repeat is the same row.
fn rows(lake: &Lake) -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    for line in lake.lines() {
        let mut row: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let id =
            row.as_object_mut().and_then(|row| row.shift_remove("_id")).unwrap_or_else(|| panic!("{line}: no _id"));
        let before = rows.insert(id.to_string(), row.clone());
        assert!(before.is_none_or(|before| before == row), "two rows of one id: {line}");
    }
    rows
}
