//! From a line in a file to an answer: each line once in the raw index, and once in the counts, whatever dies.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_kinesis::types::Shard;
use logmill_tests::access_log::{Log, agent_configuration, number, set_in_flow, start_agent, status};
use logmill_tests::lake::Lake;
use logmill_tests::search::Search;
use logmill_tests::stack::{Agent, Options, Stack, signal, wait_until};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// Windows are a minute long and idle ones are closed by the tick of the minute after: what a count may take after the last line
/// has arrived, with everything that is killed on the way.
const CHAIN_PATIENCE: Duration = Duration::from_secs(420);

const FUNCTIONS: [&str; 5] = ["firehose-transform", "index-writer", "stream-analytics", "search-api", "index-janitor"];

fn lines() -> u64 {
    if std::env::var_os("LOGMILL_LONG").is_some() { 100_000 } else { 20_000 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_is_searchable_once_and_counted_once_over_firehose() {
    // Transforms and messages are tried again more often than this fault rate can exhaust.
    let options = Options { inject: Some(3), ..Options::default() }
        .parameter("TransformRetries", "300")
        .parameter("MaxReceiveCount", "1000");
    chain(Stack::start(options), ("deliveryStream", "log-ingestion-stream"), 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_is_searchable_once_and_counted_once_over_four_shards() {
    let options = Options { inject: Some(4), ..Options::default() }
        .parameter("TransformRetries", "300")
        .parameter("MaxReceiveCount", "1000")
        .parameter("StreamShards", "4");
    let stack = Stack::start(options);
    put_application(&stack, &json!({ "kinesis": "log-stream" })).await;
    // A shard of one hash key: it stays empty for ever.
    split(&stack, 0, |start, _| start + 1).await;
    chain(stack, ("kinesisStream", "log-stream"), 4).await;
}

/// Ships lines with rotation, kills every process in turn, then asks.
async fn chain(mut stack: Stack, destination: (&str, &str), seed: u64) {
    let total = lines();
    let kills = total / 2000;
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::create(folder.path());
    let configuration = agent_configuration(folder.path(), &stack.endpoint, destination);
    set_in_flow(&configuration, "recordIdField", "line_id".into());
    let mut agent = start_agent(&configuration);
    let mut random = StdRng::seed_from_u64(seed);
    let mut has_split = destination.0 != "kinesisStream";

    let mut next_kill = random.random_range(1..=total / kills);
    while log.written < total {
        log.write(random.random_range(20..200).min(total - log.written));
        if random.random_range(0..12) == 0 {
            log.rotate();
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(5..60))).await;
        if !has_split && log.written > total / 2 {
            has_split = true;
            split(&stack, 1, |start, end| start / 2 + end / 2).await;
        }
        if log.written >= next_kill {
            next_kill = log.written + random.random_range(1..=2 * total / kills);
            kill_one(&mut stack, &mut agent, &mut random);
        }
    }

    let documents = wait_for_documents(&mut stack, total, &mut random).await;
    let mut numbers: Vec<u64> = documents.iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers.len() as u64, total, "a line is in the index twice");
    assert!(numbers.into_iter().eq(0..total), "a line is missing");

    let mut expected = BTreeMap::new();
    for number in 0..total {
        *expected.entry(u64::from(status(number))).or_default() += 1;
    }
    wait_for_counts(&stack, &expected).await;

    let mut failed = Lake::new(aws::s3_client(&stack.sdk()), &stack.outputs["LakeBucketName"], "failed/");
    wait_until("the failures to be listed", async || failed.refresh().await.ok()).await;
    assert_eq!(failed.keys().collect::<Vec<_>>(), Vec::<&str>::new(), "nothing failed for good");
}

fn kill_one(stack: &mut Stack, agent: &mut Agent, random: &mut StdRng) {
    match random.random_range(0..FUNCTIONS.len() + 2) {
        0 => {
            stack.kill();
            stack.restart();
        }
        1 => {
            agent.kill();
            agent.restart();
        }
        choice => stack.function_processes(FUNCTIONS[choice - 2]).into_iter().for_each(|pid| signal(pid, "KILL")),
    }
}

/// The raw index, once it has all of them; index-writer goes on being killed until then.
async fn wait_for_documents(stack: &mut Stack, total: u64, random: &mut StdRng) -> Vec<Value> {
    let search = Search::new(&stack.outputs["SearchUrl"]);
    let deadline = Instant::now() + CHAIN_PATIENCE;
    let mut kills = 5;
    loop {
        let count = search.count("access-log*").await;
        if count >= total {
            break;
        }
        assert!(Instant::now() < deadline, "{count} of {total} lines are searchable");
        if kills > 0 && random.random_range(0..10) == 0 {
            kills -= 1;
            stack.function_processes("index-writer").into_iter().for_each(|pid| signal(pid, "KILL"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    wait_until("all documents", async || search.all("access-log*").await).await
}

/// Waits until the counts by status add up to what was written, and not to more.
async fn wait_for_counts(stack: &Stack, expected: &BTreeMap<u64, u64>) {
    let search = Search::new(&stack.outputs["SearchUrl"]);
    let body = json!({
        "size": 0,
        "aggs": { "status": {
            "terms": { "field": "STATUS", "size": 100 },
            "aggs": { "lines": { "sum": { "field": "STATUSCOUNT" } } },
        } },
    });
    let deadline = Instant::now() + CHAIN_PATIENCE;
    loop {
        let answer = search.search("request_data", &body).await.unwrap_or_default();
        let buckets = answer["aggregations"]["status"]["buckets"].as_array().cloned().unwrap_or_default();
        let counts: BTreeMap<u64, u64> = buckets
            .iter()
            .map(|bucket| {
                (bucket["key"].as_u64().unwrap_or(0), bucket["lines"]["value"].as_f64().unwrap_or(0.0) as u64)
            })
            .collect();
        if counts == *expected {
            return;
        }
        let over = counts.iter().find(|(status, count)| expected.get(status).is_none_or(|most| *count > most));
        assert_eq!(over, None, "counted twice, of {expected:?}");
        assert!(Instant::now() < deadline, "counted {counts:?} of {expected:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Puts the default application into the rules bucket with another source.
async fn put_application(stack: &Stack, source: &Value) {
    let rules = logmill_tests::stack::repository().join("infra/rules/analytics");
    let text = std::fs::read_to_string(rules.join("log-aggregation.json")).expect("the default application");
    let mut application: Value = serde_json::from_str(&text).expect("JSON");
    application["source"] = source.clone();
    let sql = std::fs::read_to_string(rules.join("log-aggregation.sql")).expect("its SQL");
    let s3 = aws::s3_client(&stack.sdk());
    for (name, body) in [("sql", sql), ("json", application.to_string())] {
        let key = format!("rules/analytics/log-aggregation.{name}");
        wait_until("the application to be put", async || {
            let put = s3.put_object().bucket(&stack.outputs["RulesBucketName"]).key(&key);
            put.body(body.clone().into_bytes().into()).send().await.ok()
        })
        .await;
    }
}

/// Splits the open shard at `place` (by hash key) where `at` says, given its bounds.
async fn split(stack: &Stack, place: usize, at: impl Fn(u128, u128) -> u128) {
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    let mut shards = wait_until("the open shards", async || {
        let shards = kinesis.list_shards().stream_name("log-stream").send().await.ok()?.shards?;
        Some(shards.into_iter().filter(is_open).collect::<Vec<_>>())
    })
    .await;
    shards.sort_by_key(|shard| bounds(shard).0);
    let (start, end) = bounds(&shards[place]);
    let key = at(start, end).to_string();
    wait_until("the shard to be split", async || {
        let split = kinesis.split_shard().stream_name("log-stream").shard_to_split(shards[place].shard_id());
        match split.new_starting_hash_key(&key).send().await {
            Ok(_) => Some(()),
            // The answer to an earlier try was lost.
            Err(_) => {
                let listed = kinesis.list_shards().stream_name("log-stream").send().await.ok()?.shards?;
                listed.iter().any(|shard| bounds(shard).0.to_string() == key).then_some(())
            }
        }
    })
    .await;
    wait_until("the stream to be active again", async || {
        let stream = kinesis.describe_stream_summary().stream_name("log-stream").send().await.ok()?;
        let status = stream.stream_description_summary?.stream_status;
        (status == aws_sdk_kinesis::types::StreamStatus::Active).then_some(())
    })
    .await;
}

fn is_open(shard: &Shard) -> bool {
    shard.sequence_number_range().is_some_and(|range| range.ending_sequence_number().is_none())
}

fn bounds(shard: &Shard) -> (u128, u128) {
    let range = shard.hash_key_range().expect("a hash key range");
    (range.starting_hash_key().parse().expect("a number"), range.ending_hash_key().parse().expect("a number"))
}
