//! Shards into counts: whatever dies, comes twice, comes late or loses its answer, each line is counted once, in its minute.

mod rig;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rig::stage::lines;
use rig::streams::{START, ShardLog, tick};
use rig::{Dice, Memory, STATEMENTS, Wires, World, instance, rule};
use stream_analytics::handler::{Context, handle};
use stream_analytics::outside::RulesBucket;
use tokio::task::{JoinHandle, LocalSet};

type Instance = Arc<Context<Wires, RulesBucket>>;

/// A call for a shard that the mapping waits for.
struct Call {
    to: usize,
    from: usize,
    task: JoinHandle<Option<String>>,
}

struct Run {
    dice: Dice,
    index: Memory,
    lake: Memory,
    rules: Memory,
    wires: Wires,
    instances: Vec<Instance>,
    calls: BTreeMap<usize, Call>,
    /// Calls that are thought dead, and ticks.
    others: Vec<JoinHandle<Option<String>>>,
}

/// The rows of one stream everywhere.
fn three_outputs() -> String {
    let output = |to: &str| format!(r#"{{"stream": "DESTINATION_SQL_STREAM", {to}, "format": "JSON"}}"#);
    let firehose = output(r#""firehose": "summary""#);
    let others = [output(r#""kinesis": "counts""#), output(r#""index": "counts""#)];
    rule(r#"{"kinesis": "log-stream"}"#).replace(&firehose, &format!("{firehose}, {}", others.join(", ")))
}

impl Run {
    fn new(seed: u64) -> Run {
        let dice = Dice::new(seed);
        let [index, lake, rules] = [(); 3].map(|()| Memory::new(&dice));
        let shards = vec![ShardLog::default(); 4];
        let world = World { clock: START, sequence: 1_000, shards, ..World::default() };
        let (world, faults) = (Arc::new(Mutex::new(world)), Arc::new(Mutex::new(true)));
        let wires = Wires { world, dice: dice.clone(), faulty: faults, modified: Arc::default() };
        *rules.faulty.lock().unwrap() = false;
        rules.set("rules/analytics/counts.json", &three_outputs());
        rules.set("rules/analytics/counts.sql", STATEMENTS);
        rules.set("rules/analytics/log-aggregation.json", r#"{"enabled": false}"#);
        let instances = (0..3).map(|_| instance(&index, &lake, &rules, &wires)).collect();
        Run { dice, index, lake, rules, wires, instances, calls: BTreeMap::new(), others: Vec::new() }
    }

    fn start(&self, event: String) -> JoinHandle<Option<String>> {
        let context = self.instances[self.dice.below(self.instances.len() as u64) as usize].clone();
        tokio::task::spawn_local(async move {
            let reply = handle(&event, &context).await.ok()?;
            Some(serde_json::to_string(&reply).unwrap())
        })
    }

    /// Lines arrive, some twice.
    fn produce(&self) {
        let mut world = self.wires.world.lock().unwrap();
        world.clock += self.dice.below(2_500) as i64;
        let open: Vec<usize> =
            (0..world.shards.len()).filter(|shard| *shard != 3 && !world.shards[*shard].closed).collect();
        for _ in 0..self.dice.below(4) {
            let number = world.lines.len() as u64;
            let repeat = number > 0 && self.dice.once_in(8);
            let number = if repeat { number - 1 - self.dice.below(number.min(20)) } else { number };
            let shard = open[self.dice.below(open.len() as u64) as usize];
            let status = 200 + number % 3;
            // Three files, a byte a line.
            let (file, at) = (number % 3, number / 3);
            world.put(shard, &format!(r#"{{"response":"{status}","id":"f{file}-{at}-{}"}}"#, at + 1));
        }
    }

    /// The mapping calls for shards that are free, and looks at the answers.
    async fn map(&mut self) {
        let shards = self.wires.world.lock().unwrap().shards.len();
        for shard in 0..shards {
            if let Some(call) = self.calls.remove(&shard) {
                if call.task.is_finished() {
                    let reply = call.task.await.ok().flatten();
                    self.answer(shard, call.from, call.to, reply);
                } else if self.dice.once_in(60) {
                    // Killed, in the middle of whatever it does.
                    call.task.abort();
                } else if self.dice.once_in(60) {
                    // Timed out, and alive.
                    self.others.push(call.task);
                } else {
                    self.calls.insert(shard, call);
                }
            } else {
                self.call(shard);
            }
        }
    }

    fn call(&mut self, shard: usize) {
        let world = self.wires.world.lock().unwrap();
        let log = &world.shards[shard];
        let parent = log.parent.map(|parent| &world.shards[parent]);
        if log.done == log.records.len() || parent.is_some_and(|parent| parent.done < parent.records.len()) {
            return;
        }
        // Bounds differ from try to try.
        let from = log.done;
        let to = (from + 1 + self.dice.below(12) as usize).min(log.records.len());
        let event = world.event(shard, &log.records[from..to]);
        drop(world);
        let task = self.start(event);
        self.calls.insert(shard, Call { from, to, task });
    }

    fn answer(&self, shard: usize, from: usize, to: usize, reply: Option<String>) {
        let Some(reply) = reply else { return };
        let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
        let mut world = self.wires.world.lock().unwrap();
        let log = &mut world.shards[shard];
        let failed = reply["batchItemFailures"][0]["itemIdentifier"].as_str().map(str::to_owned);
        let at = |number: String| log.records.iter().position(|put| put.sequence.to_string() == number).unwrap();
        let done = failed.map_or(to, at);
        assert!((from..=to).contains(&done), "{reply}");
        log.done = done;
    }

    fn split(&self) {
        let mut world = self.wires.world.lock().unwrap();
        world.shards[0].closed = true;
        for _ in 0..2 {
            world.shards.push(ShardLog { parent: Some(0), ..ShardLog::default() });
        }
    }

    async fn steps(&mut self, steps: usize) {
        for _ in 0..steps {
            self.produce();
            self.map().await;
            if self.dice.once_in(12) {
                let now = self.wires.world.lock().unwrap().clock;
                self.others.push(self.start(tick(now)));
            }
            for _ in 0..self.dice.below(30) {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Everything works from now on, and time goes by.
    async fn end(&mut self) {
        for faulty in [&self.index.faulty, &self.lake.faulty, &self.wires.faulty] {
            *faulty.lock().unwrap() = false;
        }
        for task in self.others.drain(..) {
            let _ = task.await;
        }
        loop {
            for (shard, call) in std::mem::take(&mut self.calls) {
                let reply = call.task.await.ok().flatten();
                self.answer(shard, call.from, call.to, reply);
            }
            let shards = self.wires.world.lock().unwrap().shards.len();
            (0..shards).for_each(|shard| self.call(shard));
            if self.calls.is_empty() {
                break;
            }
        }
        for _ in 0..3 {
            self.wires.world.lock().unwrap().clock += 120_000;
            let now = self.wires.world.lock().unwrap().clock;
            self.start(tick(now)).await.unwrap().expect("a tick succeeds");
        }
    }

    fn check(&self, seed: u64) {
        let world = self.wires.world.lock().unwrap();
        assert_eq!(world.counted(), world.expected(), "seed {seed}");
        assert!(world.lines.len() > 100, "{}", world.lines.len());
        // Whatever was sent again, every receiver has the same rows.
        let by_id = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            (row["_id"].as_str().unwrap().to_owned(), row)
        };
        let records: BTreeMap<_, _> = world.records.values().map(|record| by_id(record)).collect();
        assert_eq!(records, world.rows, "seed {seed}");
        let lines = lines(&self.lake, "inbox/counts/2018/08/27/10/");
        let indexed: BTreeMap<_, _> = lines.iter().map(|line| by_id(line)).collect();
        assert_eq!((indexed.len(), &indexed), (lines.len(), &world.rows), "seed {seed}: no line is in two objects");
        let left = self.index.keys("analytics/counts/segments/");
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
}

async fn run(seed: u64, between: impl Fn(&mut Run)) {
    let mut run = Run::new(seed);
    run.steps(120).await;
    run.split();
    between(&mut run);
    run.steps(120).await;
    run.end().await;
    run.check(seed);
}

fn seeds() -> std::ops::Range<u64> {
    if std::env::var_os("LOGMILL_LONG").is_some() { 0..100 } else { 0..12 }
}

#[tokio::test]
async fn each_line_counts_once_in_its_minute() {
    for seed in seeds() {
        LocalSet::new().run_until(run(seed, |_| {})).await;
    }
}

#[tokio::test]
async fn a_changed_application_loses_and_repeats_nothing() {
    for seed in seeds() {
        let change = |run: &mut Run| {
            run.rules.set("rules/analytics/counts.sql", &format!("-- Changed.\n{STATEMENTS}"));
            // Others have not heard of it.
            run.instances.push(instance(&run.index, &run.lake, &run.rules, &run.wires));
        };
        LocalSet::new().run_until(run(1_000 + seed, change)).await;
    }
}

impl Run {
    fn calm(seed: u64) -> Run {
        let run = Run::new(seed);
        for faulty in [&run.index.faulty, &run.lake.faulty, &run.wires.faulty] {
            *faulty.lock().unwrap() = false;
        }
        run
    }

    async fn reply(&self, event: &str) -> String {
        let reply = handle(event, &self.instances[0]).await.unwrap();
        serde_json::to_string(&reply).unwrap()
    }

    fn put(&self, shard: usize, number: u64) {
        let line = format!(r#"{{"response":"200","id":"f-{number}-{}"}}"#, number + 1);
        self.wires.world.lock().unwrap().put(shard, &line);
    }

    fn batch(&self, shard: usize) -> String {
        let world = self.wires.world.lock().unwrap();
        world.event(shard, &world.shards[shard].records)
    }
}

const DONE: &str = r#"{"batchItemFailures":[]}"#;

#[tokio::test]
async fn poison_is_reported_and_counts_as_done() {
    let run = Run::calm(1);
    run.put(0, 0);
    run.put(0, 1);
    run.wires.world.lock().unwrap().shards[0].records[0].data = vec![0xff, 0xfe];
    assert_eq!(run.reply(&run.batch(0)).await, DONE);
    let reports = run.lake.keys("failed/stream-analytics/2018/08/27/10/");
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains("/log-stream-shardId-000000000000-"), "{reports:?}");
    run.reply(&tick(START + 120_000)).await;
    let world = run.wires.world.lock().unwrap();
    assert_eq!(world.counted().values().sum::<i64>(), 1);
}

#[tokio::test]
async fn a_record_that_waits_holds_the_watermark_back() {
    let run = Run::calm(1);
    run.put(0, 0);
    run.put(1, 1);
    assert_eq!(run.reply(&run.batch(0)).await, DONE);
    // Shard 1 has a record that was not brought: no minute closes, however long it takes.
    run.reply(&tick(START + 600_000)).await;
    assert!(run.wires.world.lock().unwrap().rows.is_empty());
    assert_eq!(run.reply(&run.batch(1)).await, DONE);
    run.reply(&tick(START + 600_000)).await;
    let world = run.wires.world.lock().unwrap();
    assert_eq!(world.counted(), world.expected());
}

#[tokio::test]
async fn a_new_application_does_not_wait_for_what_was_before_it() {
    let run = Run::calm(1);
    run.put(2, 0);
    run.wires.world.lock().unwrap().clock += 3_600_000;
    run.put(0, 1);
    // The mapping has passed shard 2 by, long ago.
    assert_eq!(run.reply(&run.batch(0)).await, DONE);
    run.reply(&tick(START + 3_720_000)).await;
    assert_eq!(run.wires.world.lock().unwrap().counted().values().sum::<i64>(), 1);
}
