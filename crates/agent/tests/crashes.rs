//! Lines written, rotated and truncated-by-copy while the agent is killed again and again and its destination fails by a
//! seeded rule: every line arrives at least once.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use agent::config::{Config, Source, parse};
use agent::sink::{PutError, Record, Sink};
use agent::{Stop, run_with};
use async_trait::async_trait;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::oneshot;

/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stores what it is given, fails by a seeded rule, and may store without saying so.
struct Fake {
    random: Mutex<StdRng>,
    /// Failures in a hundred.
    failures: u32,
    stored: Mutex<HashMap<String, usize>>,
    calls: AtomicUsize,
    largest: AtomicU64,
}

impl Fake {
    fn new(seed: u64, failures: u32) -> Arc<Fake> {
        Arc::new(Fake {
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            failures,
            stored: Mutex::default(),
            calls: AtomicUsize::new(0),
            largest: AtomicU64::new(0),
        })
    }

    fn fails(&self) -> bool {
        self.random.lock().unwrap().random_range(0..100) < self.failures
    }

    fn store(&self, record: &Record) {
        for line in String::from_utf8(record.data.to_vec()).unwrap().lines() {
            *self.stored.lock().unwrap().entry(line.to_owned()).or_default() += 1;
        }
    }

    fn count(&self) -> usize {
        self.stored.lock().unwrap().len()
    }
}

#[async_trait]
impl Sink for Fake {
    async fn put(&self, records: Vec<Record>) -> Result<Vec<Option<String>>, PutError> {
        self.calls.fetch_add(1, Relaxed);
        self.largest.fetch_max(records.iter().map(|record| record.data.len() as u64).sum(), Relaxed);
        let pause = self.random.lock().unwrap().random_range(0..3);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if self.fails() {
            return Err(PutError::Refused("AccessDeniedException".to_owned()));
        }
        let mut answers = Vec::new();
        for record in &records {
            if self.fails() {
                answers.push(Some("ServiceUnavailableException: slow down".to_owned()));
            } else {
                self.store(record);
                answers.push(None);
            }
        }
        // The answer is lost.
        if self.fails() { Err(PutError::Failed("timed out".to_owned())) } else { Ok(answers) }
    }
}

fn config(root: &Path, keys: &str) -> Config {
    let root = root.display();
    let text = format!(
        "{{\"checkpointFile\": \"{root}/state/checkpoints\", \"cloudwatch.emitMetrics\": false, \"flows\": [{{
            \"filePattern\": \"{root}/logs/app.log*\", \"deliveryStream\": \"s\", \"initialPosition\": \"START_OF_FILE\",
            \"maxBufferAgeMillis\": 1000, \"maxBufferSizeRecords\": 50, \"minTimeBetweenFilePollsMillis\": 1,
            \"retryInitialBackoffMillis\": 1, \"retryMaxBackoffMillis\": 20 {keys}}}]}}"
    );
    parse(&Source { path: "agent.json".into(), text }, &[]).unwrap().config
}

/// An agent on a thread of its own with its own runtime; it ends as it is told.
struct Agent {
    stop: oneshot::Sender<Stop>,
    thread: std::thread::JoinHandle<()>,
}

impl Agent {
    fn start(config: Config, sink: Arc<Fake>) -> Agent {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let stop = async { stopped.await.unwrap_or(Stop::Abort) };
            runtime.block_on(run_with(config, vec![sink], stop)).unwrap();
        });
        Agent { stop, thread }
    }

    fn end(self, how: Stop) {
        self.stop.send(how).ok();
        self.thread.join().unwrap();
    }
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The flow is known and what exists has its position: from here on nothing that is written is older than the agent.
fn wait_for_start(root: &Path) {
    wait_for("the first checkpoint", || root.join("state/checkpoints.logmill").exists());
}

struct Writer {
    root: std::path::PathBuf,
    lines: usize,
    rotations: usize,
}

impl Writer {
    fn current(&self) -> std::path::PathBuf {
        self.root.join("logs/app.log")
    }

    /// Writes lines, in pieces that do not end with them.
    fn write(&mut self, random: &mut StdRng, count: usize) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.current()).unwrap();
        for _ in 0..count {
            let line = format!("line {} {}\n", self.lines, "x".repeat(random.random_range(0..200)));
            let cut = random.random_range(0..line.len());
            file.write_all(&line.as_bytes()[..cut]).unwrap();
            file.write_all(&line.as_bytes()[cut..]).unwrap();
            self.lines += 1;
        }
    }

    fn rename(&mut self) {
        self.rotations += 1;
        fs::rename(self.current(), self.root.join(format!("logs/app.log.{}", self.rotations))).unwrap();
        File::create(self.current()).unwrap();
    }

    fn copytruncate(&mut self) {
        self.rotations += 1;
        fs::copy(self.current(), self.root.join(format!("logs/app.log.{}", self.rotations))).unwrap();
        OpenOptions::new().write(true).truncate(true).open(self.current()).unwrap();
    }
}

fn crash(seed: u64, keys: &str) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("logs")).unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let mut writer = Writer { root: root.path().to_owned(), lines: 0, rotations: 0 };
    let sink = Fake::new(seed, 15);
    File::create(writer.current()).unwrap();
    for _ in 0..12 {
        let agent = Agent::start(config(root.path(), keys), sink.clone());
        wait_for_start(root.path());
        for _ in 0..random.random_range(1..5) {
            let count = random.random_range(1..150);
            writer.write(&mut random, count);
            match random.random_range(0..4) {
                0 => writer.rename(),
                1 => writer.copytruncate(),
                _ => {}
            }
            let calls = sink.calls.load(Relaxed) + random.random_range(0..6);
            let patience = Instant::now() + Duration::from_millis(200);
            wait_for("a call", || sink.calls.load(Relaxed) >= calls || Instant::now() > patience);
        }
        agent.end(if random.random_range(0..4) == 0 { Stop::Drain } else { Stop::Abort });
        // While it is down.
        writer.write(&mut random, 20);
        match random.random_range(0..3) {
            0 => writer.rename(),
            1 => writer.copytruncate(),
            _ => {}
        }
    }
    let agent = Agent::start(config(root.path(), keys), sink.clone());
    let lines = writer.lines;
    let started = Instant::now();
    while sink.count() < lines && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    agent.end(Stop::Drain);
    let stored = sink.stored.lock().unwrap();
    let numbers: std::collections::HashSet<usize> =
        stored.keys().map(|line| line.split(' ').nth(1).unwrap().parse().unwrap()).collect();
    let missing: Vec<_> = (0..lines).filter(|number| !numbers.contains(number)).collect();
    assert!(missing.is_empty(), "seed {seed}: {} of {lines} lines missing: {missing:?}", missing.len());
    assert_eq!(stored.len(), lines, "seed {seed}: a line arrived in pieces");
}

#[test]
fn every_line_at_least_once() {
    for seed in 1..=4 {
        crash(seed, "");
    }
}

#[test]
fn every_line_at_least_once_in_aggregated_records() {
    crash(11, ", \"aggregatedRecordSizeBytes\": 2000");
}

#[test]
fn every_line_at_least_once_with_a_small_budget() {
    crash(21, ", \"publishQueueCapacity\": 2");
}

#[test]
fn without_failures_and_crashes_every_line_exactly_once() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("logs")).unwrap();
    let mut random = StdRng::seed_from_u64(7);
    let mut writer = Writer { root: root.path().to_owned(), lines: 0, rotations: 0 };
    let sink = Fake::new(7, 0);
    for round in 0..6 {
        let agent = Agent::start(config(root.path(), ""), sink.clone());
        wait_for_start(root.path());
        for _ in 0..3 {
            writer.write(&mut random, 200);
            if round % 2 == 0 {
                writer.rename();
            } else {
                writer.copytruncate();
            }
        }
        agent.end(Stop::Drain);
    }
    let agent = Agent::start(config(root.path(), ""), sink.clone());
    wait_for("every line", || sink.count() == writer.lines);
    agent.end(Stop::Drain);
    let stored = sink.stored.lock().unwrap();
    let repeated: Vec<_> = stored.iter().filter(|(_, times)| **times > 1).take(3).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
    let text = fs::read_to_string(root.path().join("state/checkpoints.logmill")).unwrap();
    assert!(text.contains("\"version\":1"), "{text}");
}
