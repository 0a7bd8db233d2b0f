//! Lake objects into counts.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::rig::caller::{Caller, FAULTS};
use crate::rig::kinds::{KINDS, TABLE, applications};
use crate::rig::mortal::Fault;
use crate::rig::streams::{START, tick};
use crate::rig::{Dice, Memory, STATEMENTS, Wires, World, instance, rule};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use stream_analytics::handler::handle;
use tokio::task::LocalSet;

struct Lake {
    dice: Dice,
    index: Memory,
    lake: Memory,
    rules: Memory,
    wires: Wires,
}

impl Lake {
    fn new(seed: u64, faulty: bool) -> Lake {
        let dice = Dice::new(seed);
        let [index, lake, rules] = [(); 3].map(|()| Memory::new(&dice));
        let world = World { clock: START, ..World::default() };
        let (world, faults) = (Arc::new(Mutex::new(world)), Arc::new(Mutex::new(faulty)));
        let wires = Wires { world, dice: dice.clone(), faulty: faults, modified: Arc::default() };
        *rules.faulty.lock().unwrap() = false;
        *index.faulty.lock().unwrap() = faulty;
        *lake.faulty.lock().unwrap() = faulty;
        rules.set("rules/analytics/counts.json", &rule(r#"{"firehose": "s"}"#));
        rules.set("rules/analytics/counts.sql", STATEMENTS);
        rules.set("rules/analytics/log-aggregation.json", r#"{"enabled": false}"#);
        Lake { dice, index, lake, rules, wires }
    }

    fn calm(&self) {
        for faulty in [&self.index.faulty, &self.lake.faulty, &self.wires.faulty] {
            *faulty.lock().unwrap() = false;
        }
    }

    /// The same object each time.
    fn object_again(&self, name: &str, body: &[u8], at: i64) -> String {
        let message = self.object(name, body, at);
        let event: serde_json::Value = serde_json::from_str(&message).unwrap();
        let etag = event["Records"][0]["s3"]["object"]["eTag"].as_str().unwrap().to_owned();
        self.lake.set_version(&format!("logs/s/2018/08/27/10/{name}"), 7);
        message.replace(&etag, &format!("{:032x}", 7))
    }

    /// An object of this body; the message that tells of it.
    fn object(&self, name: &str, body: &[u8], at: i64) -> String {
        let key = format!("logs/s/2018/08/27/10/{name}");
        let etag = self.lake.set_bytes(&key, body);
        let time = jiff::Timestamp::from_millisecond(at).unwrap().to_string();
        json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": time, "s3": {
            "bucket": {"name": "lake"}, "object": {"key": key, "eTag": etag, "size": body.len()}}}]})
        .to_string()
    }

    fn event(messages: &[(usize, &str)]) -> String {
        let message =
            |(id, body): &(usize, &str)| json!({"messageId": id.to_string(), "body": body, "eventSource": "aws:sqs"});
        json!({"Records": messages.iter().map(message).collect::<Vec<_>>()}).to_string()
    }

    async fn call(&self, event: &str) -> Result<String, String> {
        let context = instance(&self.index, &self.lake, &self.rules, &self.wires);
        let reply = handle(event, &context).await.map_err(|error| error.to_string())?;
        Ok(serde_json::to_string(&reply).unwrap())
    }

    async fn tick_at(&self, at: i64) {
        self.call(&tick(at)).await.expect("a tick succeeds");
    }

    fn rows(&self) -> Vec<serde_json::Value> {
        self.wires.world.lock().unwrap().rows.values().cloned().collect()
    }
}

fn gzip(lines: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(lines.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn line(status: i64, id: &str, ingested: i64) -> String {
    format!("{{\"response\":\"{status}\",\"id\":\"{id}\",\"@ingested\":{ingested}}}\n")
}

const DONE: &str = r#"{"batchItemFailures":[]}"#;

async fn random(seed: u64) {
    let lake = Arc::new(Lake::new(seed, true));
    let (mut messages, mut expected) = (Vec::new(), BTreeMap::<i64, i64>::new());
    let mut number = 0;
    for object in 0..20 {
        let mut lines = String::new();
        for _ in 0..lake.dice.below(12) {
            // Some again, as an agent sends them whose answer was lost.
            let repeat = number > 0 && lake.dice.once_in(8);
            let at = if repeat { number - 1 } else { number };
            let status = 200 + at as i64 % 3;
            lines += &line(status, &format!("f-{at}-{}", at + 1), START + 1_000 * at as i64);
            if !repeat {
                *expected.entry(status).or_default() += 1;
                number += 1;
            }
        }
        let at = START + 1_000 * number as i64;
        messages.push((object, lake.object(&format!("{object:03}.gz"), &gzip(&lines), at)));
    }
    // Each until it was answered for, and some after that.
    let mut open: Vec<usize> = (0..messages.len()).collect();
    let mut running = Vec::new();
    while !open.is_empty() || !running.is_empty() {
        if running.len() < 3 && (!open.is_empty() || lake.dice.once_in(3)) {
            let mut batch: Vec<usize> = (0..1 + lake.dice.below(4) as usize)
                .filter_map(|_| open.get(lake.dice.below(open.len().max(1) as u64) as usize).copied())
                .collect();
            batch.push(lake.dice.below(messages.len() as u64) as usize);
            let parts: Vec<(usize, &str)> =
                batch.iter().map(|at| (messages[*at].0, messages[*at].1.as_str())).collect();
            let event = if lake.dice.once_in(5) { tick(START + 30_000) } else { Lake::event(&parts) };
            let (event, lake) = (event, lake.clone());
            running.push((batch, tokio::task::spawn_local(async move { lake.call(&event).await })));
        }
        for _ in 0..lake.dice.below(60) {
            tokio::task::yield_now().await;
        }
        let mut going = Vec::new();
        for (batch, task) in running {
            if task.is_finished() {
                let reply = task.await.unwrap();
                if reply.as_deref() == Ok(DONE) {
                    open.retain(|at| !batch.contains(at));
                }
            } else if lake.dice.once_in(15) {
                task.abort();
            } else {
                going.push((batch, task));
            }
        }
        running = going;
    }
    lake.calm();
    for minute in 1..4 {
        lake.tick_at(START + minute * 3_600_000).await;
    }
    let mut counted = BTreeMap::<i64, i64>::new();
    for row in lake.rows() {
        *counted.entry(row["STATUS"].as_i64().unwrap()).or_default() += row["STATUSCOUNT"].as_i64().unwrap();
    }
    assert_eq!(counted, expected, "seed {seed}");
    let left = lake.index.keys("analytics/counts/segments/");
    assert!(left.is_empty(), "seed {seed}: {left:?}");
}

#[tokio::test]
async fn each_line_counts_once() {
    let seeds = if std::env::var_os("LOGMILL_LONG").is_some() { 0..100 } else { 0..8 };
    for seed in seeds {
        LocalSet::new().run_until(random(seed)).await;
    }
}

#[tokio::test]
async fn a_tick_closes_what_the_lake_has_brought() {
    let lake = Lake::new(1, false);
    let body = gzip(&(line(200, "f-0-1", START + 5_000) + &line(200, "f-1-2", START + 6_000)));
    let message = lake.object("a.gz", &body, START + 60_000);
    // The same twice in one batch, and again later.
    assert_eq!(lake.call(&Lake::event(&[(1, &message), (2, &message)])).await.unwrap(), DONE);
    lake.tick_at(START + 89_000).await;
    assert!(lake.rows().is_empty());
    lake.tick_at(START + 90_000).await;
    assert_eq!(lake.call(&Lake::event(&[(3, &message)])).await.unwrap(), DONE);
    lake.tick_at(START + 300_000).await;
    let rows = lake.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((&rows[0]["STATUS"], &rows[0]["STATUSCOUNT"]), (&json!(200), &json!(2)));
    assert_eq!(rows[0]["DATETIME"], "2018-08-27 10:16:00.000");
}

#[tokio::test]
async fn an_event_that_is_sent_again_days_later_is_the_same_object() {
    const DAY: i64 = 86_400_000;
    let lake = Lake::new(1, false);
    lake.wires.modified.lock().unwrap().insert("logs/s/2018/08/27/10/a.gz".to_owned(), START);
    let body = gzip(&line(200, "no range", START));
    for days in [0, 3, 14, 20] {
        let message = lake.object_again("a.gz", &body, START + days * DAY);
        assert_eq!(lake.call(&Lake::event(&[(1, &message)])).await.unwrap(), DONE);
        lake.tick_at(START + days * DAY + 600_000).await;
    }
    assert_eq!(lake.rows().iter().map(|row| row["STATUSCOUNT"].as_i64().unwrap()).sum::<i64>(), 1);
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_reported_and_holds_nothing_up() {
    let lake = Lake::new(1, false);
    let body = gzip(&line(200, "f-0-1", START));
    let cut = lake.object("cut.gz", &body[..body.len() - 9], START);
    let gone = lake.object("gone.gz", &body, START).replace("gone.gz", "was.gz");
    let good = lake.object("good.gz", &gzip(&line(404, "f-1-2", START)), START);
    let event = Lake::event(&[(1, &cut), (2, &gone), (3, "no event"), (4, &good)]);
    assert_eq!(lake.call(&event).await.unwrap(), r#"{"batchItemFailures":[{"itemIdentifier":"3"}]}"#);
    lake.tick_at(START + 300_000).await;
    assert!(lake.rows().iter().any(|row| row["STATUS"] == 404 && row["STATUSCOUNT"] == 1));
    assert_eq!(lake.lake.keys("failed/stream-analytics/2018/08/27/10/").len(), 2);
}

/// Rows that go straight through, more than an outbox holds.
#[tokio::test]
async fn an_object_larger_than_a_commit_is_taken_bit_by_bit() {
    let lake = Lake::new(1, false);
    let sql = r#"CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (n INTEGER, pad VARCHAR(400));
        CREATE OR REPLACE PUMP "P" AS INSERT INTO "DESTINATION_SQL_STREAM" SELECT STREAM "response", "pad" FROM "SOURCE_SQL_STREAM_001";"#;
    let with_pad = r#"{"Name": "pad", "SqlType": "VARCHAR(400)", "Mapping": "$.pad"}, {"Name": "response""#;
    let rule = rule(r#"{"firehose": "s"}"#).replace(r#"{"Name": "response""#, with_pad);
    lake.rules.set("rules/analytics/counts.json", &rule);
    lake.rules.set("rules/analytics/counts.sql", sql);
    let (count, pad) = (30_000, "x".repeat(300));
    let lines: String =
        (0..count).map(|n| format!("{{\"response\":{n},\"pad\":\"{pad}\",\"@ingested\":{START}}}\n")).collect();
    let message = lake.object("large.gz", &gzip(&lines), START);
    // Firehose takes nothing at first.
    *lake.wires.faulty.lock().unwrap() = true;
    assert_eq!(lake.call(&Lake::event(&[(1, &message)])).await.unwrap(), DONE);
    assert!(!lake.index.keys("analytics/counts/segments/").is_empty());
    lake.calm();
    for minute in 1..10 {
        lake.tick_at(START + minute * 60_000).await;
    }
    let mut numbers: Vec<i64> = lake.rows().iter().map(|row| row["N"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, Vec::from_iter(0..count));
    assert!(lake.index.keys("analytics/counts/segments/").is_empty());
}

#[tokio::test]
async fn switched_off_broken_and_on_again() {
    let lake = Lake::new(1, false);
    let at = |number: i64| START + number * 1_000;
    let put = async |number: i64| {
        let body = gzip(&line(200, &format!("f-{number}-{}", number + 1), at(number)));
        let message = lake.object(&format!("{number:03}.gz"), &body, at(number));
        assert_eq!(lake.call(&Lake::event(&[(1, &message)])).await.unwrap(), DONE);
    };
    let counted = || lake.rows().iter().map(|row| row["STATUSCOUNT"].as_i64().unwrap()).sum::<i64>();
    put(1).await;
    // Broken: the version that runs goes on, in a new process too.
    lake.rules.set("rules/analytics/counts.sql", "SELECT STREAM nothing");
    put(2).await;
    lake.tick_at(at(600)).await;
    assert_eq!(counted(), 2);
    lake.rules.set("rules/analytics/counts.sql", STATEMENTS);
    put(601).await;
    // Switched off: what is open is closed, and what comes passes by.
    lake.rules.set("rules/analytics/counts.json", r#"{"enabled": false}"#);
    lake.tick_at(at(602)).await;
    assert_eq!(counted(), 3);
    put(603).await;
    lake.rules.set("rules/analytics/counts.json", &rule(r#"{"firehose": "s"}"#));
    put(604).await;
    lake.tick_at(at(1_200)).await;
    assert_eq!(counted(), 4);
    // Its files are gone: it ends like one that is switched off.
    put(1_201).await;
    lake.rules.remove("rules/analytics/counts.json");
    lake.rules.remove("rules/analytics/counts.sql");
    lake.tick_at(at(1_500)).await;
    assert_eq!(counted(), 5);
}

/// Names, lines and times of objects, in the order of their names.
type Objects = Vec<(String, String, i64)>;

/// Objects of lines, some twice, some later than those of the next object.
fn objects(seed: u64) -> Objects {
    let dice = Dice::new(seed);
    let (mut number, mut at, mut last) = (0, START, String::new());
    let mut line = || {
        if number == 0 || !dice.once_in(8) {
            let (key, n, ingested) =
                (["a", "b"][dice.below(2) as usize], dice.below(100), at - dice.below(2_000) as i64);
            let id = format!("f-{number}-{}", number + 1);
            last = format!(
                "{{\"k\":\"{key}\",\"n\":{n},\"response\":\"200\",\"id\":\"{id}\",\"@ingested\":{ingested}}}\n"
            );
            number += 1;
        }
        at += [0, 0, 1, 700, 3_000][dice.below(5) as usize];
        (last.clone(), at)
    };
    let object = |place: u64| {
        let lines: Vec<(String, i64)> = (0..2 + dice.below(14)).map(|_| line()).collect();
        let at = lines[lines.len() - 1].1;
        (format!("{place:03}.gz"), lines.into_iter().map(|(line, _)| line).collect(), at)
    };
    (0..12).map(object).collect()
}

/// The rows by their ids, when objects come in these batches; a tick after each. One call's write goes wrong.
async fn taken(
    kind: &str,
    objects: &Objects,
    batches: &[Vec<usize>],
    wrong: Option<(u64, Fault, usize)>,
) -> (Lake, bool) {
    let lake = Lake::new(1, false);
    for (name, rule, statements) in applications(r#"{"firehose": "s"}"#, Some(kind)) {
        lake.rules.set(&format!("rules/analytics/{name}.json"), &rule);
        lake.rules.set(&format!("rules/analytics/{name}.sql"), &statements);
    }
    lake.rules.set(TABLE.0, TABLE.1);
    lake.rules.set("rules/analytics/counts.json", r#"{"enabled": false}"#);
    let messages: Vec<String> = objects.iter().map(|(name, lines, at)| lake.object(name, &gzip(lines), *at)).collect();
    lake.tick_at(START).await;
    let mut caller = Caller::new(&lake.index, &lake.lake, &lake.rules, &lake.wires, wrong.map_or(0, |wrong| wrong.2));
    if let Some((write, fault, _)) = wrong {
        caller.index.arm(write, fault);
    }
    for batch in batches {
        let parts: Vec<(usize, &str)> = batch.iter().map(|at| (*at, messages[*at].as_str())).collect();
        caller.insist(&Lake::event(&parts), |answer| answer == DONE).await;
        if batch.iter().any(|at| at % 4 == 3) {
            caller.insist(&tick(objects[batch[0] / 4 * 4].2), |_| true).await;
        }
    }
    caller.wake().await;
    for minute in 1..3 {
        caller.insist(&tick(START + minute * 3_600_000), |_| true).await;
    }
    let struck = caller.index.has_struck();
    (lake, struck)
}

/// `0..12`, cut anywhere but across a tick, some of what came before again.
fn batches(seed: u64) -> Vec<Vec<usize>> {
    let dice = Dice::new(seed);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for at in 0..12 {
        match batches.last_mut() {
            Some(batch) if at % 4 != 0 && dice.once_in(2) => batch.push(at),
            _ => batches.push(vec![at]),
        }
        if dice.once_in(3) && at > 0 {
            let again = dice.below(at as u64) as usize;
            batches.last_mut().into_iter().for_each(|batch| batch.push(again));
        }
    }
    batches
}

#[tokio::test]
async fn the_same_order_of_objects_gives_the_same_rows() {
    let is_long = std::env::var_os("LOGMILL_LONG").is_some();
    let rows = |lake: &Lake| lake.wires.world.lock().unwrap().rows.clone();
    for (seed, (kind, _)) in (0..).zip(KINDS) {
        let objects = objects(seed);
        let one_by_one: Vec<Vec<usize>> = (0..12).map(|at| vec![at]).collect();
        let local = LocalSet::new();
        let expected = rows(&local.run_until(taken(kind, &objects, &one_by_one, None)).await.0);
        assert!(expected.len() > 10, "{kind}: {}", expected.len());
        for (place, (fault, patience)) in (0..).zip(FAULTS) {
            let every = if is_long { 1 } else { 9 };
            for write in (1 + place % every..).step_by(every as usize) {
                let batches = batches(seed + write);
                let (lake, struck) =
                    local.run_until(taken(kind, &objects, &batches, Some((write, fault, patience)))).await;
                assert_eq!(rows(&lake), expected, "{kind}: write {write} {fault:?} {patience}, {batches:?}");
                if !struck {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn in_any_order_of_objects_the_totals_are_equal() {
    for seed in 0..if std::env::var_os("LOGMILL_LONG").is_some() { 100 } else { 8 } {
        let (objects, dice) = (objects(seed), Dice::new(seed));
        let mut order: Vec<usize> = (0..12).collect();
        (1..12).for_each(|at| order.swap(at, dice.below(at as u64 + 1) as usize));
        let shuffled: Vec<Vec<usize>> = order.chunks(1 + dice.below(3) as usize).map(<[usize]>::to_vec).collect();
        let mut totals = Vec::new();
        for batches in [batches(seed), shuffled] {
            let (lake, _) = LocalSet::new().run_until(taken("tumbling", &objects, &batches, None)).await;
            let mut of_key = BTreeMap::<String, (i64, i64)>::new();
            for row in lake.rows() {
                let total = of_key.entry(row["k"].to_string()).or_default();
                *total = (total.0 + row["lines"].as_i64().unwrap(), total.1 + row["total"].as_i64().unwrap());
            }
            totals.push(of_key);
        }
        assert_eq!(totals[0], totals[1], "seed {seed}");
    }
}
