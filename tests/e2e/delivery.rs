//! From a line in a file to a line in the lake: each at least once whatever dies, each once when nothing does.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::Record;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use logmill_tests::access_log::{Log, agent_configuration, number, open, start_agent};
use logmill_tests::lake::Lake;
use logmill_tests::stack::{Agent, Options, Stack, signal, wait_for, wait_until};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

/// Not UTF-8 in any reading: what a transform can never decode.
const POISON: &[u8] = b"\xff\xfe planted \xfd";

fn lines() -> u64 {
    if std::env::var_os("LOGMILL_LONG").is_some() { 100_000 } else { 20_000 }
}

fn counts(lake: &Lake) -> HashMap<u64, u64> {
    let mut counts = HashMap::new();
    for line in lake.lines() {
        let document = serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        *counts.entry(number(&document)).or_default() += 1;
    }
    counts
}

async fn wait_for_lines(lake: &mut Lake, expected: u64) -> HashMap<u64, u64> {
    let mut seen = HashMap::new();
    let deadline = std::time::Instant::now() + logmill_tests::stack::PATIENCE;
    while seen.len() < expected as usize {
        assert!(std::time::Instant::now() < deadline, "{} of {expected} lines arrived", seen.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
        if lake.refresh().await.is_ok() {
            seen = counts(lake);
        }
    }
    seen
}

fn lake_of(stack: &Stack, prefix: &str) -> Lake {
    Lake::new(aws::s3_client(&stack.sdk()), &stack.outputs["LakeBucketName"], prefix)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_arrives_once_when_nothing_fails() {
    for destination in [("deliveryStream", "log-ingestion-stream"), ("kinesisStream", "log-stream")] {
        let stack = Stack::start(Options::default());
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::create(folder.path());
        let mut agent = start_agent(&agent_configuration(folder.path(), &stack.endpoint, destination));
        for _ in 0..5 {
            log.write(1000);
            log.rotate();
        }
        let mut lake = lake_of(&stack, &format!("logs/{}/", destination.1));
        let seen = wait_for_lines(&mut lake, log.written).await;
        assert!(seen.values().all(|count| *count == 1), "a line came twice");
        assert!(lake.keys().all(|key| key.ends_with(".gz")), "objects are gzip");
        let mut failed = lake_of(&stack, "failed/");
        failed.refresh().await.unwrap();
        assert_eq!(failed.keys().count(), 0);
        assert_eq!(agent.stop(), Some(0), "{}", agent.log());
    }
}

/// Kills the emulator, a function process or the agent, at moments that a seed chooses, while lines are written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_arrives_whatever_is_killed_and_fails() {
    const SEED: u64 = 20;
    let total = lines();
    let kills = total / 2000;
    // Transforms are retried more often than this fault rate can exhaust.
    let options = Options { inject: Some(SEED), ..Options::default() }.parameter("TransformRetries", "300");
    let mut stack = Stack::start(options);
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::create(folder.path());
    let mut agent =
        start_agent(&agent_configuration(folder.path(), &stack.endpoint, ("deliveryStream", "log-ingestion-stream")));
    let mut random = StdRng::seed_from_u64(SEED);
    let mut planted = 0;
    let mut lake = lake_of(&stack, "logs/log-ingestion-stream/");

    let mut next_kill = random.random_range(1..=total / kills);
    while log.written < total {
        log.write(random.random_range(20..200).min(total - log.written));
        if random.random_range(0..12) == 0 {
            log.rotate();
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(5..60))).await;
        if log.written < next_kill {
            continue;
        }
        next_kill = log.written + random.random_range(1..=2 * total / kills);
        match random.random_range(0..3) {
            0 => {
                stack.kill();
                stack.restart();
            }
            1 => stack.function_processes("firehose-transform").into_iter().for_each(|pid| signal(pid, "KILL")),
            _ => {
                agent.kill();
                agent.restart();
            }
        }
        if planted < 3 {
            planted += 1;
            plant(&stack, POISON).await;
        }
    }
    let seen = wait_for_lines(&mut lake, total).await;
    let repeated: u64 = seen.values().map(|count| count - 1).sum();
    println!("{total} lines, {repeated} repeats");

    // What was planted is there, with its bytes and the reason, and nothing else is.
    let mut failed = lake_of(&stack, "failed/");
    let bodies = wait_until("the planted records under failed/", async || {
        failed_records(&mut failed).await.filter(|records| records.len() >= planted)
    })
    .await;
    for (raw, reason) in bodies {
        assert_eq!(raw, POISON);
        assert!(!reason.is_empty());
    }
}

async fn plant(stack: &Stack, data: &[u8]) {
    let firehose = aws_sdk_firehose::Client::new(&stack.sdk());
    let record = Record::builder().data(Blob::new(data)).build().expect("a record");
    wait_until("a record to be planted", async || {
        firehose.put_record().delivery_stream_name("log-ingestion-stream").record(record.clone()).send().await.ok()
    })
    .await;
}

/// (raw data, reason) of every failure line.
async fn failed_records(lake: &mut Lake) -> Option<Vec<(Vec<u8>, String)>> {
    lake.refresh().await.ok()?;
    let lines = lake.lines().map(|line| serde_json::from_str::<Value>(line).expect("a failure line is JSON"));
    Some(
        lines
            .map(|line| {
                let raw = BASE64_STANDARD.decode(line["rawData"].as_str().expect("rawData")).expect("base64");
                let reason = line["errorMessage"].as_str().or_else(|| line["reason"].as_str()).unwrap_or_default();
                (raw, reason.to_owned())
            })
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transform_that_never_succeeds_leaves_every_record_under_failed() {
    // No retries, and the function's program fails each time: it is not one.
    let stack =
        Stack::start(Options { template: "tests/templates/broken-transform.yaml".into(), ..Options::default() });
    let firehose = aws_sdk_firehose::Client::new(&stack.sdk());
    let records: Vec<Vec<u8>> = (0..200u32).map(|n| format!("line {n} \u{fc}\n").into_bytes()).collect();
    for chunk in records.chunks(50) {
        let batch = chunk.iter().map(|data| Record::builder().data(Blob::new(data.clone())).build().expect("a record"));
        let put = firehose.put_record_batch().delivery_stream_name("broken").set_records(Some(batch.collect())).send();
        assert_eq!(put.await.unwrap().failed_put_count(), 0);
    }
    let mut failed = lake_of(&stack, "failed/");
    let mut found = wait_until("every record under failed/", async || {
        failed_records(&mut failed).await.filter(|found| found.len() >= records.len())
    })
    .await;
    assert!(found.iter().all(|(_, reason)| !reason.is_empty()));
    found.sort();
    let mut expected = records.clone();
    expected.sort();
    assert_eq!(found.into_iter().map(|(raw, _)| raw).collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_too_long_is_cut_and_the_rest_goes_on() {
    let stack = Stack::start(Options::default());
    let folder = tempfile::tempdir().unwrap();
    let configuration = agent_configuration(folder.path(), &stack.endpoint, ("deliveryStream", "log-ingestion-stream"));
    let text = std::fs::read_to_string(&configuration).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["flows"][0].as_object_mut().unwrap().remove("dataProcessingOptions");
    std::fs::write(&configuration, value.to_string()).unwrap();

    let mut file = open(&folder.path().join("access.log"));
    file.write_all(b"before\n").unwrap();
    file.write_all(&vec![b'x'; 2 * 1024 * 1024]).unwrap();
    file.write_all(b"\nafter\n").unwrap();
    let agent = Agent::start(&configuration);
    let mut lake = lake_of(&stack, "logs/log-ingestion-stream/");
    wait_until("three lines", async || lake.refresh().await.ok().filter(|()| lake.lines().count() >= 3)).await;
    let messages: Vec<String> = lake
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].as_str().unwrap().to_owned())
        .collect();
    assert!(messages.contains(&"before".to_owned()) && messages.contains(&"after".to_owned()));
    // Firehose takes 1,024,000 bytes, the newline included.
    assert!(messages.iter().any(|message| message.len() == 1_023_999 && message.bytes().all(|b| b == b'x')));
    wait_for("the agent to say so", || agent.log().contains("truncated").then_some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_stream_is_said_and_the_other_flow_goes_on() {
    let stack = Stack::start(Options::default());
    let folder = tempfile::tempdir().unwrap();
    let configuration = agent_configuration(folder.path(), &stack.endpoint, ("deliveryStream", "log-ingestion-stream"));
    let text = std::fs::read_to_string(&configuration).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    let mut missing = value["flows"][0].clone();
    missing["deliveryStream"] = "no-such-stream".into();
    value["flows"].as_array_mut().unwrap().insert(0, missing);
    std::fs::write(&configuration, value.to_string()).unwrap();

    let mut log = Log::create(folder.path());
    log.write(10);
    let agent = Agent::start(&configuration);
    let mut lake = lake_of(&stack, "logs/log-ingestion-stream/");
    wait_for_lines(&mut lake, 10).await;
    wait_for("the agent to name the stream", || agent.log().contains("no-such-stream").then_some(()));
}
