//! What calls the function for the shards of a stream: batches of any bounds, some again, by any of several instances, of which any
//! may be killed, or be thought dead and live on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use lambda::rules::RulesBucket;
use stream_analytics::handler::{Context, handle};
use tokio::task::JoinHandle;

use super::kinds::TABLE;
use super::streams::{START, ShardLog, tick};
use super::{Dice, Memory, Wires, World, instance};

pub type Instance = Arc<Context<Wires, RulesBucket>>;

/// Rounds of calls in which everything is done, when everything works.
const MAX_ROUNDS: usize = 500;

/// A call for a shard that the mapping waits for.
pub struct Call {
    pub to: usize,
    pub from: usize,
    pub task: JoinHandle<Option<String>>,
}

pub struct Run {
    pub dice: Dice,
    pub index: Memory,
    pub lake: Memory,
    pub rules: Memory,
    pub wires: Wires,
    pub instances: Vec<Instance>,
    pub calls: BTreeMap<usize, Call>,
    /// Calls that are thought dead, and ticks.
    pub others: Vec<JoinHandle<Option<String>>>,
}

impl Run {
    /// Over four shards, with these applications: name, rule and statements.
    pub fn new(seed: u64, applications: &[(&str, String, String)]) -> Run {
        let dice = Dice::new(seed);
        let [index, lake, rules] = [(); 3].map(|()| Memory::new(&dice));
        let shards = vec![ShardLog::default(); 4];
        let world = World { clock: START, sequence: 1_000, shards, ..World::default() };
        let (world, faults) = (Arc::new(Mutex::new(world)), Arc::new(Mutex::new(true)));
        let wires = Wires { world, dice: dice.clone(), faulty: faults, modified: Arc::default() };
        *rules.faulty.lock().unwrap() = false;
        for (name, rule, statements) in applications {
            rules.set(&format!("rules/analytics/{name}.json"), rule);
            rules.set(&format!("rules/analytics/{name}.sql"), statements);
        }
        rules.set(TABLE.0, TABLE.1);
        rules.set("rules/analytics/log-aggregation.json", r#"{"enabled": false}"#);
        let instances = (0..3).map(|_| instance(&index, &lake, &rules, &wires)).collect();
        Run { dice, index, lake, rules, wires, instances, calls: BTreeMap::new(), others: Vec::new() }
    }

    /// An instance is given an event.
    pub fn start(&self, event: String) -> JoinHandle<Option<String>> {
        let context = self.instances[self.dice.below(self.instances.len() as u64) as usize].clone();
        tokio::task::spawn_local(async move {
            let reply = handle(&event, &context).await.ok()?;
            Some(serde_json::to_string(&reply).unwrap())
        })
    }

    /// The mapping calls for shards that are free, and looks at the answers.
    pub async fn map(&mut self) {
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

    pub fn call(&mut self, shard: usize) {
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

    /// At times, what there was a success for comes again.
    pub fn go_back(&self) {
        let shards = &mut self.wires.world.lock().unwrap().shards;
        let shard = self.dice.below(shards.len() as u64) as usize;
        if self.dice.once_in(12) && !self.calls.contains_key(&shard) {
            shards[shard].done -= self.dice.below(shards[shard].done as u64 + 1) as usize;
        }
    }

    pub fn answer(&self, shard: usize, from: usize, to: usize, reply: Option<String>) {
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

    /// Whether stores and streams misbehave.
    pub fn set_faulty(&self, faulty: bool) {
        for there in [&self.index.faulty, &self.lake.faulty, &self.wires.faulty] {
            *there.lock().unwrap() = faulty;
        }
    }

    /// Everything works from now on, and time goes by.
    pub async fn end(&mut self) {
        self.set_faulty(false);
        for task in self.others.drain(..) {
            let _ = task.await;
        }
        for round in 0.. {
            assert!(round < MAX_ROUNDS, "the mapping gets nowhere");
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
}
