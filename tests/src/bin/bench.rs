//! The figures that need the whole: put-to-lake latency, emulator throughput, the agent at rest and at work.
//!
//! Printed as a table by `scripts/bench`; CPU time is that of the process measured, wall time is beside it.

use std::time::{Duration, Instant};

use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::Record;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use logmill_tests::lake::Lake;
use logmill_tests::stack::{Agent, Options, Stack, wait_until};

/// Records of one call: the most that both services take.
const BATCH: usize = 500;

/// Calls measured.
const CALLS: usize = 100;

/// A line of the usual length.
const LINE: &[u8] = b"{\"host\":\"10.0.0.1\",\"request\":\"GET /index.html HTTP/1.1\",\"response\":\"200\",\"bytes\":\"5316\",\"agent\":\"Mozilla/5.0 (X11; Linux x86_64)\"}\n";

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        println!("| what | figure | CPU |");
        println!("| --- | --- | --- |");
        latency().await;
        firehose().await;
        kinesis().await;
        agent_at_rest().await;
    });
}

/// User and system time of a process so far.
fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or(Vec::new(), |(_, rest)| rest.split(' ').collect());
    // Fields 14 and 15 of proc(5), in ticks of 1/100 s.
    let ticks: u64 = [11, 12].iter().filter_map(|field| fields.get(*field)?.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Resident memory of a process, MB.
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
}

fn row(what: &str, figure: String, cpu: Option<Duration>) {
    println!("| {what} | {figure} | {} |", cpu.map_or("-".to_owned(), |cpu| format!("{:.2} s", cpu.as_secs_f64())));
}

async fn latency() {
    let stack = Stack::start(Options::default());
    let firehose = aws_sdk_firehose::Client::new(&stack.sdk());
    let mut lake = Lake::new(aws::s3_client(&stack.sdk()), &stack.outputs["LakeBucketName"], "logs/log-ingestion-stream/");
    let mut times = Vec::new();
    for round in 0..10 {
        let record = Record::builder().data(Blob::new(LINE)).build().expect("a record");
        let begun = Instant::now();
        firehose.put_record().delivery_stream_name("log-ingestion-stream").record(record).send().await.expect("a put");
        wait_until("the record", async || lake.refresh().await.ok().filter(|()| lake.lines().count() > round)).await;
        times.push(begun.elapsed());
    }
    times.sort();
    let figure = format!("median {:.2} s, longest {:.2} s", times[5].as_secs_f64(), times[9].as_secs_f64());
    row("put to lake, one record, BufferSeconds=1", figure, None);
}

async fn firehose() {
    let stack = Stack::start(Options::default());
    let firehose = aws_sdk_firehose::Client::new(&stack.sdk());
    let before = cpu(stack.pid());
    let begun = Instant::now();
    for _ in 0..CALLS {
        let records = (0..BATCH).map(|_| Record::builder().data(Blob::new(LINE)).build().expect("a record")).collect();
        let put = firehose.put_record_batch().delivery_stream_name("log-ingestion-stream").set_records(Some(records));
        assert_eq!(put.send().await.expect("a put").failed_put_count(), 0);
    }
    let put = begun.elapsed();
    let mut lake = Lake::new(aws::s3_client(&stack.sdk()), &stack.outputs["LakeBucketName"], "logs/log-ingestion-stream/");
    wait_until("all records", async || lake.refresh().await.ok().filter(|()| lake.lines().count() >= CALLS * BATCH))
        .await;
    let used = cpu(stack.pid()) - before;
    let rate = |time: Duration| (CALLS * BATCH) as f64 / time.as_secs_f64() / 1000.0;
    let figure = format!("{:.0} k records/s put, {:.0} k records/s to the lake", rate(put), rate(begun.elapsed()));
    row("emulator, Firehose with the transform", figure, Some(used));
}

async fn kinesis() {
    let stack = Stack::start(Options::default());
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    // A stream of its own with shards enough for the rate: the limits are AWS's.
    kinesis.create_stream().stream_name("bench").shard_count(100).send().await.expect("a stream");
    let before = cpu(stack.pid());
    let begun = Instant::now();
    let mut stored = 0;
    for call in 0..CALLS {
        let entry = |n: usize| {
            let key = format!("{call}-{n}");
            PutRecordsRequestEntry::builder()
                .data(aws_sdk_kinesis::primitives::Blob::new(LINE))
                .partition_key(key)
                .build()
        };
        let records = (0..BATCH).map(|n| entry(n).expect("an entry")).collect();
        let answer = kinesis.put_records().stream_name("bench").set_records(Some(records)).send().await.expect("a put");
        stored += BATCH - answer.failed_record_count().unwrap_or_default() as usize;
    }
    let rate = stored as f64 / begun.elapsed().as_secs_f64() / 1000.0;
    let used = cpu(stack.pid()) - before;
    row(
        "emulator, Kinesis PutRecords",
        format!("{rate:.0} k records/s, {stored} of {} taken", CALLS * BATCH),
        Some(used),
    );
}

async fn agent_at_rest() {
    let stack = Stack::start(Options::default());
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("access.log");
    std::fs::write(&log, LINE).expect("a log");
    let configuration = folder.path().join("agent.json");
    let text = serde_json::json!({
        "cloudwatch.emitMetrics": false,
        "firehose.endpoint": stack.endpoint,
        "checkpointFile": folder.path().join("checkpoints"),
        "flows": [{ "filePattern": log, "deliveryStream": "log-ingestion-stream", "initialPosition": "START_OF_FILE",
                    "maxBufferAgeMillis": 1000 }],
    });
    std::fs::write(&configuration, text.to_string()).expect("a configuration");
    let agent = Agent::start(&configuration);
    let mut lake = Lake::new(aws::s3_client(&stack.sdk()), &stack.outputs["LakeBucketName"], "logs/log-ingestion-stream/");
    wait_until("its line", async || lake.refresh().await.ok().filter(|()| lake.lines().count() == 1)).await;
    let before = cpu(agent.pid());
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let share = (cpu(agent.pid()) - before).as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let figure = format!("{:.1} MB resident (goal 20), {share:.1} % of a core", resident(agent.pid()));
    row("agent, idle after its first line", figure, None);
}
