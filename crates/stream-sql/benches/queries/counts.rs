//! Counts per minute and status; beside it a loop over `serde_json::Value` and a loop that reads just the two columns with a struct.

use std::collections::HashMap;

use criterion::{Criterion, Throughput};
use serde::Deserialize;

use crate::access_log::{Line, MINUTE, ROWS, SCHEMA, lines};
use crate::engine;

pub const SQL: &str = r#"CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (datetime TIMESTAMP, status INTEGER, statusCount INTEGER);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM ROWTIME as datetime, "response" as status, COUNT(*) AS statusCount
FROM "SOURCE_SQL_STREAM_001"
GROUP BY "response",
FLOOR(("SOURCE_SQL_STREAM_001".ROWTIME - TIMESTAMP '1970-01-01 00:00:00') minute / 1 TO MINUTE);"#;

fn values(lines: &[Line]) -> usize {
    let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
    for (rowtime, line) in lines {
        let value: serde_json::Value = serde_json::from_str(line).expect("the lines are JSON");
        let status = value["response"].as_str().and_then(|text| text.parse().ok()).expect("every line has a status");
        *counts.entry((rowtime / MINUTE, status)).or_default() += 1;
    }
    counts.len()
}

#[derive(Deserialize)]
struct TwoColumns<'a> {
    response: &'a str,
    #[serde(rename = "@ingested")]
    ingested: i64,
}

fn two_columns(lines: &[Line]) -> usize {
    let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
    for (_, line) in lines {
        let row: TwoColumns<'_> = serde_json::from_str(line).expect("the lines are JSON");
        let status = row.response.parse().expect("every line has a status");
        *counts.entry((row.ingested / MINUTE, status)).or_default() += 1;
    }
    counts.len()
}

pub fn bench(criterion: &mut Criterion) {
    let lines = lines(ROWS);
    let application = engine::compile(SCHEMA, SQL);
    assert_eq!(engine::run(&application, &lines), values(&lines));
    let mut group = criterion.benchmark_group("counts per minute and status");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("stream-sql", |b| b.iter(|| engine::run(&application, &lines)));
    group.bench_function("serde_json::Value", |b| b.iter(|| values(&lines)));
    group.bench_function("two columns by hand", |b| b.iter(|| two_columns(&lines)));
    group.finish();
}
