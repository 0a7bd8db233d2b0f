//! Where rows go, and what happens when they are not taken.

use crate::rig::stage::{DONE, Stage};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

/// Each row through, into two streams.
const THROUGH: &str = r#"
    CREATE STREAM "ROWS" (a INTEGER, t VARCHAR(65535), at_time TIMESTAMP);
    CREATE PUMP "P" AS INSERT INTO "ROWS" SELECT STREAM "a", "t", ROWTIME FROM "SOURCE_SQL_STREAM_001";
    CREATE STREAM "LARGE" (a INTEGER);
    CREATE PUMP "Q" AS INSERT INTO "LARGE" SELECT STREAM a FROM "ROWS" WHERE a > 10;"#;

fn outputs(outputs: &str) -> String {
    format!(r#""outputs": [{outputs}]"#)
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[tokio::test]
async fn rows_go_to_streams_and_indexes_as_json_and_csv() {
    let stage = Stage::new();
    let all = r#"{"stream": "ROWS", "kinesis": "k"}, {"stream": "LARGE", "index": "large-rows", "format": "JSON"},
        {"stream": "ROWS", "firehose": "summary", "format": "CSV"}"#;
    stage.application(&outputs(all), THROUGH);
    let records = [r#"{"a": 1, "t": "x, \"y\""}"#, r#"{"a": 11}"#, r#"{"a": 12, "t": ""}"#];
    assert_eq!(stage.records(&records).await, DONE);
    stage.tick_after(60_000).await;
    let world = stage.wires.world.lock().unwrap();
    // Its partition key is its id; its line ends.
    for (key, record) in &world.records {
        assert_eq!(parsed(record)["_id"], json!(key));
        assert!(record.ends_with("}\n"), "{record:?}");
    }
    let mut rows: Vec<Value> = world.records.values().map(|record| parsed(record)).collect();
    rows.sort_by_key(|row| row["A"].as_i64());
    let texts: Vec<(&Value, &Value)> = rows.iter().map(|row| (&row["A"], &row["T"])).collect();
    assert_eq!(json!(texts), json!([[1, "x, \"y\""], [11, null], [12, ""]]));
    let time = "2018-08-27 10:15:00.001";
    assert_eq!(world.csv, [format!("1,\"x, \"\"y\"\"\",{time}"), format!("11,,{time}"), format!("12,\"\",{time}")]);
    drop(world);
    let lines: Vec<Value> =
        stage.lines("inbox/large-rows/2018/08/27/10/stream-analytics-a-").iter().map(|line| parsed(line)).collect();
    assert_eq!(lines.iter().map(|row| row["A"].as_i64().unwrap()).collect::<Vec<_>>(), [11, 12]);
    assert!(lines.iter().all(|row| row["_id"].is_string()));
    assert!(stage.lines("failed/").is_empty());
}

#[tokio::test]
async fn rows_of_two_hours_are_two_objects() {
    let stage = Stage::new();
    stage.application(&outputs(r#"{"stream": "ROWS", "index": "i"}"#), THROUGH);
    stage.wires.world.lock().unwrap().clock += 44 * 60_000;
    stage.records(&[r#"{"a": 1}"#]).await;
    stage.wires.world.lock().unwrap().clock += 60_000;
    stage.records(&[r#"{"a": 2}"#]).await;
    stage.tick_after(60_000).await;
    for (hour, a) in [("10", 1), ("11", 2)] {
        let lines = stage.lines(&format!("inbox/i/2018/08/27/{hour}/"));
        assert_eq!(lines.iter().map(|line| parsed(line)["A"].clone()).collect::<Vec<_>>(), [json!(a)]);
    }
}

#[tokio::test]
async fn what_fails_is_reported_where_nobody_takes_it() {
    let stage = Stage::new();
    stage.application(&outputs(r#"{"stream": "ROWS", "firehose": "summary"}"#), THROUGH);
    assert_eq!(stage.records(&[r#"{"a": 1}"#, "no JSON", r#"{"a": "x", "t": "é"}"#]).await, DONE);
    stage.tick_after(60_000).await;
    let reports: Vec<Value> =
        stage.lines("failed/stream-analytics/2018/08/27/10/").iter().map(|line| parsed(line)).collect();
    let data = |report: &Value| String::from_utf8(BASE64.decode(report["rawData"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert_eq!(data(&reports[0]), "no JSON");
    assert!(reports[0]["reason"].as_str().unwrap().contains("JSON"), "{}", reports[0]);
    assert!(data(&reports[1]).contains('é'), "{}", data(&reports[1]));
    assert!(reports.iter().all(|report| report["position"].is_string() && report["source"] == "a"));
    // One object, for one commit.
    assert_eq!(stage.lake.keys("failed/").len(), 1);
    assert_eq!(stage.rows().len(), 1);
}

#[tokio::test]
async fn a_row_that_no_record_holds_is_reported() {
    let stage = Stage::new();
    let sql = r#"CREATE STREAM "ROWS" (a VARCHAR(65535), b VARCHAR(65535), c VARCHAR(65535));
        CREATE PUMP "P" AS INSERT INTO "ROWS" SELECT STREAM "t", "t", "t" FROM "SOURCE_SQL_STREAM_001";"#;
    stage.application(&outputs(r#"{"stream": "ROWS", "kinesis": "k"}"#), sql);
    stage.records(&[&format!(r#"{{"t": "{}"}}"#, "\\u0001".repeat(65_000)), r#"{"t": "short"}"#]).await;
    stage.tick_after(60_000).await;
    assert_eq!(stage.wires.world.lock().unwrap().records.len(), 1);
    let reports = stage.lines("failed/");
    assert!(reports.len() == 1 && reports[0].contains("a row of ROWS of 1170"), "{reports:?}");
}

#[tokio::test]
async fn errors_may_be_an_output() {
    let stage = Stage::new();
    let all = r#"{"stream": "ROWS", "firehose": "summary"}, {"stream": "error_stream", "index": "errors"}"#;
    stage.application(&outputs(all), THROUGH);
    stage.records(&[r#"{"a": 1}"#, "no JSON"]).await;
    stage.tick_after(60_000).await;
    let errors = stage.lines("inbox/errors/2018/08/27/10/");
    assert_eq!(errors.len(), 1, "{errors:?}");
    let error = parsed(&errors[0]);
    assert!(error["MESSAGE"].is_string() && error["DATA_ROW"].is_string() && error["_id"].is_string(), "{error}");
    assert!(stage.lines("failed/").is_empty());
}

#[tokio::test]
async fn one_that_takes_nothing_holds_up_the_source_and_no_other() {
    let stage = Stage::new();
    let all = r#"{"stream": "ROWS", "kinesis": "stuck"}, {"stream": "ROWS", "firehose": "summary"},
        {"stream": "LARGE", "index": "large"}"#;
    stage.application(&outputs(all), THROUGH);
    stage.wires.world.lock().unwrap().refusing.insert("stuck".to_owned());
    let text = "x".repeat(50_000);
    // 10 MB: more than may wait.
    let mut put = 0;
    for _ in 0..20 {
        let records: Vec<String> =
            (put..put + 10).map(|number| format!(r#"{{"a": {number}, "t": "{text}"}}"#)).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        assert_eq!(stage.records(&records).await, DONE);
        put += 10;
    }
    stage.tick_after(60_000).await;
    let taken = stage.rows().len();
    assert!((80..put).contains(&taken), "{taken} of {put}");
    // What was folded has gone to the others, as a whole.
    assert_eq!(stage.lines("inbox/large/").len(), taken - 11);
    assert!(!stage.index.keys("analytics/a/segments/").is_empty(), "the rest waits as it came");
    stage.wires.world.lock().unwrap().refusing.clear();
    for _ in 0..5 {
        stage.tick_after(60_000).await;
    }
    let world = stage.wires.world.lock().unwrap();
    assert_eq!((world.records.len(), world.rows.len()), (put, put));
    drop(world);
    assert_eq!(stage.lines("inbox/large/").len(), put - 11);
    assert!(stage.index.keys("analytics/a/segments/").is_empty());
}

#[tokio::test]
async fn of_records_that_are_taken_in_part_the_rest_is_sent() {
    let stage = Stage::new();
    stage.application(&outputs(r#"{"stream": "ROWS", "kinesis": "k"}"#), THROUGH);
    *stage.wires.faulty.lock().unwrap() = true;
    let records: Vec<String> = (0..30).map(|number| format!(r#"{{"a": {number}}}"#)).collect();
    for few in records.chunks(10) {
        stage.records(&few.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    *stage.wires.faulty.lock().unwrap() = false;
    stage.tick_after(60_000).await;
    assert_eq!(stage.wires.world.lock().unwrap().records.len(), 30);
}
