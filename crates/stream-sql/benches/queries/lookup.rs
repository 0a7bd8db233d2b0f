//! Every line with the owner of its host out of a reference table; beside it the same with a map.

use std::collections::HashMap;

use criterion::{Criterion, Throughput};
use stream_sql::Application;

use crate::access_log::{HOSTS, Line, ROWS, SCHEMA, host, lines};
use crate::engine;

const TABLE: &str = r#"{"RecordFormat": {"RecordFormatType": "CSV"}, "RecordColumns": [
    {"Name": "host", "SqlType": "VARCHAR(16)"}, {"Name": "owner", "SqlType": "VARCHAR(16)"}]}"#;
const SQL: &str = r#"CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (host VARCHAR(16), owner VARCHAR(16), status INTEGER);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM l."host", h."owner", l."response"
FROM "SOURCE_SQL_STREAM_001" AS l LEFT JOIN "HOSTS" AS h ON l."host" = h."host";"#;

/// Every other host has an owner.
fn owners() -> HashMap<String, String> {
    (0..HOSTS).step_by(2).map(|number| (host(number), format!("team-{}", number % 30))).collect()
}

fn values(lines: &[Line], owners: &HashMap<String, String>) -> usize {
    let mut rows = Vec::new();
    for (_, line) in lines {
        let value: serde_json::Value = serde_json::from_str(line).expect("the lines are JSON");
        let host = value["host"].as_str().expect("every line has a host").to_owned();
        let owner = owners.get(&host).cloned();
        let status: i64 =
            value["response"].as_str().and_then(|text| text.parse().ok()).expect("every line has a status");
        rows.push((host, owner, status));
    }
    rows.len()
}

pub fn bench(criterion: &mut Criterion) {
    let (lines, owners) = (lines(ROWS), owners());
    let records: String = owners.iter().map(|(host, owner)| format!("{host},{owner}\n")).collect();
    let source = engine::source("SOURCE_SQL_STREAM_001", SCHEMA);
    let application =
        Application::compile(SQL, &[source], &[engine::source("HOSTS", TABLE)]).expect("the script is right");
    let application = application.with_table("HOSTS", records.as_bytes()).expect("the table is right");
    assert_eq!(engine::run(&application, &lines), values(&lines, &owners));
    let mut group = criterion.benchmark_group("join with a reference table of 500 rows");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("stream-sql", |b| b.iter(|| engine::run(&application, &lines)));
    group.bench_function("serde_json::Value", |b| b.iter(|| values(&lines, &owners)));
    group.finish();
}
