//! Shards into counts: whatever dies, comes twice, comes late or loses its answer, each line is counted once, in its minute.

use std::collections::BTreeMap;

use crate::rig::run::Run;
use crate::rig::stage::{Stage, lines};
use crate::rig::streams::{START, ShardLog, tick};
use crate::rig::{STATEMENTS, instance, rule};
use stream_analytics::handler::handle;
use tokio::task::LocalSet;

impl Run {
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

/// The rows of one stream everywhere.
fn three_outputs() -> String {
    let output = |to: &str| format!(r#"{{"stream": "DESTINATION_SQL_STREAM", {to}, "format": "JSON"}}"#);
    let firehose = output(r#""firehose": "summary""#);
    let others = [output(r#""kinesis": "counts""#), output(r#""index": "counts""#)];
    rule(r#"{"kinesis": "log-stream"}"#).replace(&firehose, &format!("{firehose}, {}", others.join(", ")))
}

/// Counts by minute and status, over the shards.
fn counts(seed: u64) -> Run {
    Run::new(seed, &[("counts", three_outputs(), STATEMENTS.to_owned())])
}

async fn run(seed: u64, between: impl Fn(&mut Run)) {
    let mut run = counts(seed);
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
        let run = counts(seed);
        run.set_faulty(false);
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

#[tokio::test]
async fn a_row_says_where_its_record_was_if_it_is_asked() {
    let stage = Stage::new();
    let outputs = r#""outputs": [{"stream": "ROWS", "firehose": "summary"}]"#;
    let sql = r#"CREATE STREAM "ROWS" (a INTEGER, k VARCHAR(512), n VARCHAR(128), s VARCHAR(64));
        CREATE PUMP "P" AS INSERT INTO "ROWS" SELECT STREAM "a", KEY, NUMBER, SHARD FROM "SOURCE_SQL_STREAM_001";"#;
    let sql = sql.replace("KEY", "PARTITION_KEY").replace("NUMBER", "SEQUENCE_NUMBER").replace("SHARD", "SHARD_ID");
    stage.application(outputs, &sql);
    stage.records(&[r#"{"a": 1}{"a": 2}"#, r#"{"a": 3}"#]).await;
    stage.tick_after(60_000).await;
    let mut rows = stage.rows();
    rows.sort_by_key(|row| row["A"].as_i64());
    let found: Vec<_> = rows.iter().map(|row| ["A", "K", "N", "S"].map(|column| row[column].clone())).collect();
    let shard = "shardId-000000000000";
    let expected = serde_json::json!([[1, "1", "1001", shard], [2, "1", "1001", shard], [3, "1", "1002", shard]]);
    assert_eq!(serde_json::json!(found), expected);
}
