//! Counts per minute and status over access-log JSON, parse included; beside it a loop over `serde_json::Value` and a loop that
//! reads just the two columns with a struct (the anchors).
#![allow(missing_docs)]

use std::collections::HashMap;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use stream_sql::{Application, Event, InputSchema, State};

/// Rows in one pass, over ten minutes.
const ROWS: usize = 100_000;
const MINUTE: i64 = 60_000;

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON", "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}}},
    "RecordEncoding": "UTF-8", "RecordColumns": [
        {"Name": "host", "SqlType": "VARCHAR(16)", "Mapping": "$.host"},
        {"Name": "datetime", "SqlType": "VARCHAR(32)", "Mapping": "$.datetime"},
        {"Name": "request", "SqlType": "VARCHAR(256)", "Mapping": "$.request"},
        {"Name": "response", "SqlType": "INTEGER", "Mapping": "$.response"},
        {"Name": "bytes", "SqlType": "INTEGER", "Mapping": "$.bytes"}]}"#;

const SQL: &str = r#"CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (datetime TIMESTAMP, status INTEGER, statusCount INTEGER);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM ROWTIME as datetime, "response" as status, COUNT(*) AS statusCount
FROM "SOURCE_SQL_STREAM_001"
GROUP BY "response",
FLOOR(("SOURCE_SQL_STREAM_001".ROWTIME - TIMESTAMP '1970-01-01 00:00:00') minute / 1 TO MINUTE);"#;

/// Lines as firehose-transform writes them.
fn rows() -> Vec<(i64, String)> {
    let row = |n: usize| {
        let rowtime = 1_700_000_040_000 + (n as i64) * (10 * MINUTE) / (ROWS as i64);
        let line = format!(
            r#"{{"host":"10.{}.{}.7","ident":null,"authuser":null,"datetime":"14/Nov/2023:22:{:02}:36 +0000","request":"GET /api/v1/items/{n}?q=shoes HTTP/1.1","response":"{}","bytes":"{}","referer":"https://www.example.com/list?page=2","agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","@ingested":{rowtime}}}"#,
            n % 256,
            n / 256 % 256,
            n % 60,
            [200, 200, 200, 304, 404, 500][n % 6],
            100 + n * 37 % 90_000
        );
        (rowtime, line)
    };
    (0..ROWS).map(row).collect()
}

fn engine(application: &Application, rows: &[(i64, String)]) -> usize {
    let (mut state, mut output) = (State::default(), Vec::new());
    for (rowtime, line) in rows {
        let event =
            Event::Record { source: 0, rowtime: *rowtime, arrival: *rowtime, origin: None, bytes: line.as_bytes() };
        application.run(&mut state, event, &mut output);
    }
    application.run(&mut state, Event::Bound(i64::MAX), &mut output);
    output.len()
}

fn values(rows: &[(i64, String)]) -> usize {
    let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
    for (rowtime, line) in rows {
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

fn two_columns(rows: &[(i64, String)]) -> usize {
    let mut counts: HashMap<(i64, i64), u64> = HashMap::new();
    for (_, line) in rows {
        let row: TwoColumns<'_> = serde_json::from_str(line).expect("the lines are JSON");
        let status = row.response.parse().expect("every line has a status");
        *counts.entry((row.ingested / MINUTE, status)).or_default() += 1;
    }
    counts.len()
}

fn counts(c: &mut Criterion) {
    let rows = rows();
    let schema: InputSchema = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    let source = schema.source("SOURCE_SQL_STREAM_001").expect("the schema is right");
    let application = Application::compile(SQL, &[source], &[]).expect("the script is right");
    assert_eq!(engine(&application, &rows), values(&rows));
    let mut group = c.benchmark_group("counts per minute and status");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.sample_size(20);
    group.bench_function("stream-sql", |b| b.iter(|| engine(&application, &rows)));
    group.bench_function("serde_json::Value", |b| b.iter(|| values(&rows)));
    group.bench_function("two columns by hand", |b| b.iter(|| two_columns(&rows)));
    group.finish();
}

criterion_group!(benches, counts);
criterion_main!(benches);
