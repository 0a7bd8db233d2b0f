//! Every line with its time in another format; beside it the same with jiff.

use criterion::{Criterion, Throughput};
use jiff::Timestamp;

use crate::access_log::{Line, ROWS, SCHEMA, lines};
use crate::engine;

const SQL: &str = r#"CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (datetime VARCHAR(32), request VARCHAR(256), status INTEGER);
CREATE OR REPLACE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM TIMESTAMP_TO_CHAR('yyyy-MM-dd HH:mm:ss', CHAR_TO_TIMESTAMP('dd/MMM/yyyy:HH:mm:ss Z', "datetime")), "request", "response"
FROM "SOURCE_SQL_STREAM_001";"#;

fn values(lines: &[Line]) -> usize {
    let mut rows = Vec::new();
    for (_, line) in lines {
        let value: serde_json::Value = serde_json::from_str(line).expect("the lines are JSON");
        let text = |name: &str| value[name].as_str().expect("every line has it").to_owned();
        let at = Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", text("datetime")).expect("every line has a time");
        let status: i64 = text("response").parse().expect("every line has a status");
        rows.push((at.strftime("%Y-%m-%d %H:%M:%S").to_string(), text("request"), status));
    }
    rows.len()
}

pub fn bench(criterion: &mut Criterion) {
    let lines = lines(ROWS);
    let application = engine::compile(SCHEMA, SQL);
    assert_eq!(engine::run(&application, &lines), values(&lines));
    let mut group = criterion.benchmark_group("pass-through with dates converted");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function("stream-sql", |b| b.iter(|| engine::run(&application, &lines)));
    group.bench_function("serde_json::Value", |b| b.iter(|| values(&lines)));
    group.finish();
}
