//! Tail and batch without parsing, to a sink that only counts: MB/s by CPU time of the whole process (reader, batches,
//! acknowledgements, checkpoints). The goal is in the design: 400 MB/s a core; Fluent Bit reads 142.

// The macro's functions have none.
#![allow(missing_docs)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use agent::config::{Source, parse};
use agent::sink::{PutError, Record, Sink};
use agent::{Stop, run_with};
use async_trait::async_trait;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::sync::Notify;

/// Bytes of the file; more than any cache of the processor, less than what is kept of files in memory.
const BYTES: u64 = 256 << 20;

struct Null {
    bytes: AtomicU64,
    expected: u64,
    done: Notify,
}

#[async_trait]
impl Sink for Null {
    async fn put(&self, records: Vec<Record>) -> Result<Vec<Option<String>>, PutError> {
        let bytes = records.iter().map(|record| record.data.len() as u64).sum();
        if self.bytes.fetch_add(bytes, Relaxed) + bytes >= self.expected {
            self.done.notify_one();
        }
        Ok(vec![None; records.len()])
    }
}

fn write_log(path: &Path) -> u64 {
    let mut file = BufWriter::new(File::create(path).expect("the temporary directory takes a file"));
    let mut written = 0;
    for number in 0u64.. {
        let line = format!(
            "10.{}.{}.7 - - [07/Jul/2026:12:00:{:02} +0000] \"GET /item/{number} HTTP/1.1\" 200 {} \"-\" \"Mozilla/5.0 \
             (X11; Linux x86_64)\"\n",
            number % 256,
            number / 256 % 256,
            number % 60,
            number % 90_000
        );
        file.write_all(line.as_bytes()).expect("there is room for the file");
        written += line.len() as u64;
        if written >= BYTES {
            break;
        }
    }
    file.flush().expect("there is room for the file");
    written
}

fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the struct is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Reads the whole file once, without a checkpoint; the CPU time it took.
fn run_once(root: &Path, expected: u64, keys: &str) -> Duration {
    let state = tempfile::tempdir().expect("a temporary directory");
    let text = format!(
        "{{\"checkpointFile\": \"{}/c\", \"flows\": [{{\"filePattern\": \"{}/app.log\", \"deliveryStream\": \"s\",
            \"initialPosition\": \"START_OF_FILE\", \"maxBufferAgeMillis\": 1000 {keys}}}]}}",
        state.path().display(),
        root.display()
    );
    let config = parse(&Source { path: "agent.json".into(), text }, &[]).expect("the configuration is right").config;
    let sink = Arc::new(Null { bytes: AtomicU64::new(0), expected, done: Notify::new() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let before = cpu_time();
    let done = sink.clone();
    let stop = async move {
        done.done.notified().await;
        Stop::Drain
    };
    runtime.block_on(run_with(config, vec![sink], stop)).expect("the agent runs");
    cpu_time() - before
}

fn tail(criterion: &mut Criterion) {
    let root = tempfile::tempdir().expect("a temporary directory");
    let bytes = write_log(&root.path().join("app.log"));
    let mut group = criterion.benchmark_group("tail");
    group.throughput(Throughput::Bytes(bytes)).sample_size(10);
    for (name, keys) in [("lines", ""), ("aggregated", ", \"aggregatedRecordSizeBytes\": 5000")] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| run_once(root.path(), bytes, keys)).sum());
        });
    }
    group.finish();
}

criterion_group!(benches, tail);
criterion_main!(benches);
