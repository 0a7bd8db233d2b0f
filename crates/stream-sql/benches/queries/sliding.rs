//! The average of bytes by host over the last minute, a row for each line; beside it the same with a queue for each host.

use std::collections::{HashMap, VecDeque};

use criterion::{Criterion, Throughput};

use crate::access_log::{Line, MINUTE, ROWS, SCHEMA, lines};
use crate::engine;

pub const SQL: &str = r#"CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (host VARCHAR(16), average INTEGER);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM "host", AVG("bytes") OVER (PARTITION BY "host" RANGE INTERVAL '1' MINUTE PRECEDING)
FROM "SOURCE_SQL_STREAM_001";"#;

#[derive(Default)]
struct Window {
    rows: VecDeque<(i64, i64)>,
    sum: i64,
}

fn values(lines: &[Line]) -> usize {
    let mut windows: HashMap<String, Window> = HashMap::new();
    let mut averages = Vec::new();
    for (rowtime, line) in lines {
        let value: serde_json::Value = serde_json::from_str(line).expect("the lines are JSON");
        let host = value["host"].as_str().expect("every line has a host").to_owned();
        let bytes = value["bytes"].as_str().and_then(|text| text.parse().ok()).expect("every line has bytes");
        let window = windows.entry(host.clone()).or_default();
        window.rows.push_back((*rowtime, bytes));
        window.sum += bytes;
        while let Some((_, gone)) = window.rows.pop_front_if(|(first, _)| *first < rowtime - MINUTE) {
            window.sum -= gone;
        }
        averages.push((host, window.sum / window.rows.len() as i64));
    }
    averages.len()
}

pub fn bench(criterion: &mut Criterion) {
    let lines = lines(ROWS);
    let application = engine::compile(SCHEMA, SQL);
    assert_eq!(engine::run(&application, &lines), values(&lines));
    let mut group = criterion.benchmark_group("sliding average of a minute by host");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("stream-sql", |b| b.iter(|| engine::run(&application, &lines)));
    group.bench_function("serde_json::Value", |b| b.iter(|| values(&lines)));
    group.finish();
}
