//! A calm world: one shard, and whoever calls the function for it.

use std::io::Read;
use std::sync::{Arc, Mutex};

use lambda::rules::RulesBucket;
use serde_json::Value;
use stream_analytics::handler::{Context, handle};

use super::streams::{Put, START, ShardLog, tick};
use super::{Dice, Memory, Wires, World, instance};

pub struct Stage {
    pub index: Memory,
    pub lake: Memory,
    pub rules: Memory,
    pub wires: Wires,
    context: Arc<Context<Wires, RulesBucket>>,
}

pub const DONE: &str = r#"{"batchItemFailures":[]}"#;

impl Stage {
    pub fn new() -> Stage {
        Stage::seeded(1)
    }

    pub fn seeded(seed: u64) -> Stage {
        let dice = Dice::new(seed);
        let [index, lake, rules] = [(); 3].map(|()| Memory::new(&dice));
        for memory in [&index, &lake, &rules] {
            *memory.faulty.lock().unwrap() = false;
        }
        let world = World { clock: START, sequence: 1_000, shards: vec![ShardLog::default(); 1], ..World::default() };
        let (world, faulty) = (Arc::new(Mutex::new(world)), Arc::new(Mutex::new(false)));
        let wires = Wires { world, dice, faulty, modified: Arc::default() };
        rules.set("rules/analytics/log-aggregation.json", r#"{"enabled": false}"#);
        let context = instance(&index, &lake, &rules, &wires);
        Stage { index, lake, rules, wires, context }
    }

    /// An application of one source, `{"a": INTEGER, "t": VARCHAR}`, and these keys besides.
    pub fn application(&self, keys: &str, sql: &str) {
        let rule = format!(
            r#"{{"source": {{"kinesis": "log-stream"}},
                "inputSchema": {{"RecordFormat": {{"RecordFormatType": "JSON"}}, "RecordColumns": [
                    {{"Name": "a", "SqlType": "INTEGER"}}, {{"Name": "t", "SqlType": "VARCHAR(65535)"}}]}}, {keys}}}"#
        );
        stream_analytics::application::parse("a", &rule, Some(sql)).expect("a good application");
        self.files(&rule, Some(sql));
    }

    pub fn files(&self, json: &str, sql: Option<&str>) {
        self.rules.set("rules/analytics/a.json", json);
        match sql {
            Some(sql) => drop(self.rules.set("rules/analytics/a.sql", sql)),
            None => self.rules.remove("rules/analytics/a.sql"),
        }
        // In a process that has just started: nobody waits until the rules are looked at again.
        self.wires.world.lock().unwrap().clock += 1;
    }

    /// From now on a process that knows nothing.
    pub fn another(&mut self) {
        self.context = instance(&self.index, &self.lake, &self.rules, &self.wires);
    }

    pub fn context(&self) -> Arc<Context<Wires, RulesBucket>> {
        self.context.clone()
    }

    /// Stores lose answers, receivers refuse.
    pub fn faulty(&self, faulty: bool) {
        for flag in [&self.index.faulty, &self.lake.faulty, &self.wires.faulty] {
            *flag.lock().unwrap() = faulty;
        }
    }

    pub async fn call(&self, event: &str) -> Result<String, String> {
        let reply = handle(event, &self.context).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_string(&reply).unwrap())
    }

    /// Records arrive now: the event that tells of them.
    pub fn event(&self, records: &[&str]) -> String {
        let mut world = self.wires.world.lock().unwrap();
        let mut puts = Vec::new();
        for data in records {
            world.sequence += 1;
            let data = data.as_bytes().to_vec();
            puts.push(Put { sequence: world.sequence, arrival: world.clock, data });
        }
        world.shards[0].records.extend_from_slice(&puts);
        world.event(0, &puts)
    }

    /// Records arrive now, and the function is called for them.
    pub async fn records(&self, records: &[&str]) -> String {
        self.call(&self.event(records)).await.unwrap()
    }

    /// So much later (ms), a tick.
    pub async fn tick_after(&self, ms: i64) {
        self.wires.world.lock().unwrap().clock += ms;
        let now = self.wires.world.lock().unwrap().clock;
        self.call(&tick(now)).await.expect("a tick succeeds");
    }

    /// What the delivery stream took.
    pub fn rows(&self) -> Vec<Value> {
        self.wires.world.lock().unwrap().rows.values().cloned().collect()
    }

    /// The lines of the lake's objects under a prefix, in the order of their keys.
    pub fn lines(&self, prefix: &str) -> Vec<String> {
        lines(&self.lake, prefix)
    }
}

/// The lines of objects under a prefix, in the order of their keys.
pub fn lines(memory: &Memory, prefix: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for key in memory.keys(prefix) {
        let (body, mut text) = (memory.body(&key), String::new());
        match key.ends_with(".gz") {
            true => flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap(),
            false => (&body[..]).read_to_string(&mut text).unwrap(),
        };
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}
