//! A window of an hour: most of it lies in pages apart from the head.

use std::collections::BTreeMap;

use crate::rig::stage::{DONE, Stage};
use crate::rig::streams::tick;
use stream_analytics::handler::handle;
use tokio::task::LocalSet;

const SLIDING: &str = r#"
    CREATE STREAM "ROWS" (a INTEGER, n INTEGER, s BIGINT);
    CREATE PUMP "P" AS INSERT INTO "ROWS"
        SELECT STREAM "a", COUNT(*) OVER W, SUM("a") OVER W FROM "SOURCE_SQL_STREAM_001"
        WINDOW W AS (RANGE INTERVAL '1' HOUR PRECEDING);"#;

const OUTPUT: &str = r#""outputs": [{"stream": "ROWS", "firehose": "summary"}]"#;

const HOUR: i64 = 3_600_000;

/// Rows of a record.
const ROWS: i64 = 500;

/// `{"a": first}`, …: many values in one record.
fn record(first: i64) -> String {
    (first..first + ROWS).map(|a| format!("{{\"a\":{a}}}\n")).collect()
}

/// What came out: row → rows in its hour, and their sum.
fn found(stage: &Stage) -> BTreeMap<i64, (i64, i64)> {
    let number = |row: &serde_json::Value, key: &str| row[key].as_i64().unwrap();
    stage.rows().iter().map(|row| (number(row, "A"), (number(row, "N"), number(row, "S")))).collect()
}

/// The same, of the times of the records.
fn expected(times: &[i64]) -> BTreeMap<i64, (i64, i64)> {
    let mut expected = BTreeMap::new();
    let mut from = 0;
    for (place, time) in times.iter().enumerate() {
        while times[from] < time - HOUR {
            from += 1;
        }
        let first = from as i64 * ROWS;
        for a in place as i64 * ROWS..(place as i64 + 1) * ROWS {
            expected.insert(a, (a - first + 1, (first..=a).sum()));
        }
    }
    expected
}

fn clock(stage: &Stage, step: i64) -> i64 {
    let mut world = stage.wires.world.lock().unwrap();
    world.clock += step;
    world.clock
}

#[tokio::test]
async fn an_hour_of_rows_is_kept_in_pages_and_they_go_with_it() {
    let mut stage = Stage::new();
    stage.application(OUTPUT, SLIDING);
    let mut times = Vec::new();
    // From 10:20 on: each fourth step is a tick that collects.
    clock(&stage, 150_000);
    let (mut pages, mut heads) = (0, Vec::new());
    for step in 0..72 {
        times.push(clock(&stage, 150_000));
        assert_eq!(stage.records(&[&record(step * ROWS)]).await, DONE);
        if step % 4 == 0 {
            stage.tick_after(0).await;
            stage.another();
        }
        pages = pages.max(stage.index.keys("analytics/a/pages/").len());
        heads.push(stage.index.body("analytics/a/head").len());
    }
    stage.tick_after(60_000).await;
    assert_eq!(found(&stage), expected(&times));
    // 12,500 rows are three pages and a part of one; what is gone is collected every ten minutes.
    assert!((3..=6).contains(&pages), "{pages} pages");
    // A head has no more than the page that is being filled.
    assert!(heads.iter().all(|bytes| *bytes < 64 * 1024), "{heads:?}");
    // A version that ends takes its pages with it.
    stage.rules.set("rules/analytics/a.json", r#"{"enabled": false}"#);
    stage.another();
    for _ in 0..12 {
        stage.tick_after(60_000).await;
    }
    assert_eq!(stage.index.keys("analytics/a/pages/"), [] as [&str; 0]);
}

/// Calls die anywhere, also between a page and its head, and those that were thought dead go on.
async fn random(seed: u64) {
    let mut stage = Stage::seeded(seed);
    stage.application(OUTPUT, SLIDING);
    let dice = stage.wires.dice.clone();
    stage.faulty(true);
    let (mut times, mut zombies) = (Vec::new(), Vec::new());
    for step in 0..50 {
        times.push(clock(&stage, 60_000 + dice.below(180_000) as i64));
        let event = stage.event(&[&record(step * ROWS)]);
        loop {
            if dice.once_in(3) {
                stage.another();
            }
            let (context, event) = (stage.context(), event.clone());
            let call = tokio::task::spawn_local(async move {
                let reply = handle(&event, &context).await.ok();
                reply.map(|reply| serde_json::to_string(&reply).unwrap())
            });
            for _ in 0..dice.below(200) {
                tokio::task::yield_now().await;
            }
            match dice.below(6) {
                0 => call.abort(),
                1 => zombies.push(call),
                _ => {
                    if call.await.unwrap().as_deref() == Some(DONE) {
                        break;
                    }
                }
            }
        }
        if dice.once_in(3) {
            let (context, event) = (stage.context(), tick(clock(&stage, 0)));
            zombies.push(tokio::task::spawn_local(async move {
                handle(&event, &context).await.ok().map(|_| String::new())
            }));
        }
    }
    stage.faulty(false);
    for zombie in zombies {
        let _ = zombie.await;
    }
    stage.another();
    for _ in 0..3 {
        stage.tick_after(60_000).await;
    }
    assert_eq!(found(&stage), expected(&times), "seed {seed}");
}

#[tokio::test]
async fn whatever_dies_each_row_sees_its_hour() {
    let seeds = if std::env::var_os("LOGMILL_LONG").is_some() { 0..30 } else { 0..2 };
    for seed in seeds {
        LocalSet::new().run_until(random(seed)).await;
    }
}
