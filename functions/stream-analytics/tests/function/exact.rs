//! Shards into windows of every kind: whatever is cut, mixed, repeated, killed or late, the rows that come out are those, with the
//! same ids, that come when nothing happens and everything is taken in one piece.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::rig::caller::{Caller, FAULTS};
use crate::rig::kinds::{KINDS, PAGED, applications};
use crate::rig::plan::{Moment, happen, moments};
use crate::rig::run::Run;
use crate::rig::streams::{START, tick};
use ledger::ObjectStore;
use serde_json::Value;
use stream_analytics::places;
use tokio::task::LocalSet;

type Plan = Vec<(i64, Moment)>;

/// Rows by their ids.
type Rows = BTreeMap<String, Value>;

const SOURCE: &str = r#"{"kinesis": "log-stream"}"#;

fn is_long() -> bool {
    std::env::var_os("LOGMILL_LONG").is_some()
}

/// Applications begin with a tick, before the first line: so they are of the same age in each run.
async fn begun(seed: u64, only: Option<&str>) -> Run {
    let run = Run::new(seed, &applications(SOURCE, only));
    run.set_faulty(false);
    run.start(tick(START)).await.unwrap().expect("a tick succeeds");
    run
}

fn rows(run: &Run) -> Rows {
    run.wires.world.lock().unwrap().rows.clone()
}

/// Each shard in one batch, a parent before its children.
async fn whole(plan: &Plan, only: Option<&str>) -> Rows {
    let mut run = begun(0, only).await;
    plan.iter().for_each(|(after, moment)| happen(&mut run.wires.world.lock().unwrap(), *after, moment));
    let shards = run.wires.world.lock().unwrap().shards.len();
    for shard in 0..shards {
        let event = {
            let mut world = run.wires.world.lock().unwrap();
            world.shards[shard].done = world.shards[shard].records.len();
            let records = &world.shards[shard].records;
            (!records.is_empty()).then(|| world.event(shard, records))
        };
        if let Some(event) = event {
            run.start(event).await.unwrap().expect("a batch is taken");
        }
    }
    run.end().await;
    rows(&run)
}

fn assert_same(found: &Rows, expected: &Rows, what: &str) {
    let of = |rows: &Rows, other: &Rows| -> Vec<String> {
        rows.iter().filter(|(id, row)| other.get(*id) != Some(row)).map(|(_, row)| row.to_string()).collect()
    };
    let (more, less) = (of(found, expected), of(expected, found));
    assert!(
        more.is_empty() && less.is_empty(),
        "{what}: {} rows too many: {more:#?}\n{} are missing: {less:#?}",
        more.len(),
        less.len()
    );
}

/// Batches of any bounds, shards in any order, several instances at once; killed, late, answers lost, throttled.
async fn scattered(plan: &Plan, seed: u64) {
    let expected = whole(plan, None).await;
    let mut run = begun(seed, None).await;
    run.set_faulty(true);
    for (after, moment) in plan {
        happen(&mut run.wires.world.lock().unwrap(), *after, moment);
        if *moment == Moment::Tick {
            let now = run.wires.world.lock().unwrap().clock;
            run.others.push(run.start(tick(now)));
        }
        run.go_back();
        run.map().await;
        for _ in 0..run.dice.below(30) {
            tokio::task::yield_now().await;
        }
    }
    run.end().await;
    assert!(expected.len() > 300, "{}", expected.len());
    assert_same(&rows(&run), &expected, &format!("seed {seed}"));
    for (name, _) in KINDS {
        let left = run.index.keys(&format!("analytics/{name}/segments/"));
        assert!(left.is_empty(), "seed {seed}: {left:?}");
    }
}

#[tokio::test]
async fn any_batches_in_any_order_give_the_same_rows() {
    for seed in 0..if is_long() { 200 } else { 10 } {
        let plan = moments(seed, 160, true);
        LocalSet::new().run_until(scattered(&plan, seed)).await;
    }
}

/// One call after the other, and one write goes wrong.
struct Sequence {
    run: Run,
    caller: Caller,
}

impl Sequence {
    async fn new(only: &str, patience: usize) -> Sequence {
        let run = begun(0, Some(only)).await;
        let caller = Caller::new(&run.index, &run.lake, &run.rules, &run.wires, patience);
        Sequence { run, caller }
    }

    /// What the mapping has not had a success for: all of a shard, and after a failure half of it.
    async fn deliver(&mut self) {
        let shards = self.run.wires.world.lock().unwrap().shards.len();
        for shard in 0..shards {
            let (mut most, mut calls) = (usize::MAX, 0);
            loop {
                let (event, from, to) = {
                    let world = self.run.wires.world.lock().unwrap();
                    let log = &world.shards[shard];
                    let to = log.records.len().min(log.done.saturating_add(most));
                    if log.done == to {
                        break;
                    }
                    calls += 1;
                    assert!(calls <= log.records.len() + FAULTS.len(), "the mapping gets nowhere");
                    (world.event(shard, &log.records[log.done..to]), log.done, to)
                };
                match self.caller.call(&event).await {
                    Some(reply) => self.run.answer(shard, from, to, Some(reply)),
                    None => most = (to - from).div_ceil(2),
                }
            }
        }
    }

    async fn tick(&mut self) {
        let now = self.run.wires.world.lock().unwrap().clock;
        // The schedule's event is tried again.
        self.caller.insist(&tick(now), |_| true).await;
    }

    async fn all(mut self, plan: &Plan, change: Option<&str>) -> Run {
        for (place, (after, moment)) in plan.iter().enumerate() {
            happen(&mut self.run.wires.world.lock().unwrap(), *after, moment);
            match (moment, change) {
                (Moment::Tick, _) => self.tick().await,
                (Moment::Change, Some(statements)) => {
                    self.run.rules.set("rules/analytics/rows.sql", statements);
                    self.caller.renew();
                }
                _ => {}
            }
            if place % 8 == 0 {
                self.deliver().await;
            }
        }
        self.deliver().await;
        for _ in 0..2 {
            self.run.wires.world.lock().unwrap().clock += 60_000;
            self.tick().await;
        }
        self.caller.wake().await;
        for _ in 0..2 {
            self.run.wires.world.lock().unwrap().clock += 60_000;
            self.tick().await;
        }
        self.run
    }
}

/// Runs a plan once for each write and fault; `every`: but for so many of them.
async fn at_each_write(only: &str, plan: &Plan, change: Option<&str>, every: u64, check: impl Fn(&Run, String)) {
    for (place, (fault, patience)) in FAULTS.into_iter().enumerate() {
        for write in (1 + place as u64 % every..).step_by(every as usize) {
            let sequence = Sequence::new(only, patience).await;
            let index = sequence.caller.index.clone();
            index.arm(write, fault);
            let run = sequence.all(plan, change).await;
            check(&run, format!("{only}: write {write} {fault:?} {patience}"));
            if !index.has_struck() {
                assert!(write > 20, "{only}: only {write} writes");
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_write_that_goes_wrong_changes_no_row() {
    for (place, (name, _)) in KINDS.iter().enumerate() {
        let plan = moments(place as u64, 40, true);
        let local = LocalSet::new();
        let expected = local.run_until(whole(&plan, Some(name))).await;
        let check = |run: &Run, what: String| assert_same(&rows(run), &expected, &what);
        local.run_until(at_each_write(name, &plan, None, if is_long() { 1 } else { 11 }, check)).await;
    }
}

#[tokio::test]
async fn pages_of_a_long_window_are_those_of_its_rows() {
    // Each line with many of no id behind it.
    let mut plan = moments(5, 40, true);
    for (place, (_, moment)) in plan.iter_mut().enumerate() {
        let Moment::Line(_, line) = moment else { continue };
        (0..300).for_each(|n| *line += &format!("\n{{\"n\":{}}}", (place * 31 + n * 7) % 100));
    }
    let local = LocalSet::new();
    let expected = local.run_until(whole(&plan, Some(PAGED.0))).await;
    let pages = Cell::new(0);
    let check = |run: &Run, what: String| {
        assert_same(&rows(run), &expected, &what);
        pages.set(pages.get() + run.index.keys("analytics/paged/pages/").len());
    };
    local.run_until(at_each_write(PAGED.0, &plan, None, if is_long() { 1 } else { 23 }, check)).await;
    assert!(pages.get() > 0, "no page was stored");
}

/// What was put in, each line once.
fn lines(run: &Run) -> Vec<String> {
    run.wires.world.lock().unwrap().lines.keys().cloned().collect()
}

fn assert_each_line_once(run: &Run, what: &str) {
    let mut ids: Vec<String> = rows(run).values().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    let mut lines = lines(run);
    lines.sort();
    assert_eq!(ids, lines, "{what}");
}

/// The statements of `rows`, laid out otherwise: another version.
fn changed() -> String {
    format!("-- Changed.\n{}", KINDS[0].1)
}

#[tokio::test]
async fn a_changed_application_takes_each_row_in_one_version() {
    let plan = moments(77, 40, false);
    let check = |run: &Run, what: String| assert_each_line_once(run, &what);
    let every = if is_long() { 1 } else { 3 };
    LocalSet::new().run_until(at_each_write("rows", &plan, Some(&changed()), every, check)).await;
    for seed in 0..if is_long() { 200 } else { 10 } {
        LocalSet::new().run_until(changed_on_the_way(&moments(seed, 120, false), seed)).await;
    }
}

async fn changed_on_the_way(plan: &Plan, seed: u64) {
    let mut run = begun(seed, Some("rows")).await;
    run.set_faulty(true);
    for (after, moment) in plan {
        happen(&mut run.wires.world.lock().unwrap(), *after, moment);
        match moment {
            Moment::Tick => {
                let now = run.wires.world.lock().unwrap().clock;
                run.others.push(run.start(tick(now)));
            }
            Moment::Change => {
                run.rules.set("rules/analytics/rows.sql", &changed());
                // Others have not heard of it.
                run.instances.push(crate::rig::instance(&run.index, &run.lake, &run.rules, &run.wires));
            }
            _ => {}
        }
        run.go_back();
        run.map().await;
        for _ in 0..run.dice.below(30) {
            tokio::task::yield_now().await;
        }
    }
    run.end().await;
    assert_each_line_once(&run, &format!("seed {seed}"));
    // Who had not heard of it did not change it back.
    let index: Arc<dyn ObjectStore> = Arc::new(run.index.clone());
    let definition = places::head(&index, "rows").load().await.unwrap().state.definition;
    assert!(format!("{definition:?}").contains("-- Changed."), "seed {seed}: {definition:?}");
}
