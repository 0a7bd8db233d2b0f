//! The end of the input: nothing that is open or waits is lost, whatever its time depends on.

use stream_sql::{Application, Event, InputSchema, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "N", "SqlType": "INTEGER", "Mapping": "$.n"}, {"Name": "T", "SqlType": "TIMESTAMP", "Mapping": "$.t"}]}"#;

/// Rows of time T come a second after each other from 90 s on, their own times in the order 3, 1, 2 s; then comes the end.
fn check(query: &str, expected: &[(i64, &str)]) {
    let schema: InputSchema = serde_json::from_str(SCHEMA).unwrap();
    let sql = format!("CREATE STREAM o (n BIGINT); CREATE PUMP p AS INSERT INTO o {query};");
    let application = Application::compile(&sql, &[schema.source("S").unwrap()], &[]).unwrap();
    let (mut state, mut rows) = (State::default(), Vec::new());
    for (arrival, own) in (90_000..).step_by(1_000).zip([3, 1, 2]) {
        let record = format!(r#"{{"n":{own},"t":"1970-01-01 00:00:0{own}"}}"#);
        let bytes = record.as_bytes();
        let event = Event::Record { source: 0, rowtime: arrival, arrival, origin: None, bytes };
        application.run(&mut state, event, &mut rows);
    }
    application.run(&mut state, Event::Bound(95_000), &mut rows);
    application.run(&mut state, Event::End(95_000), &mut rows);
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        (row.rowtime, String::from_utf8(json).unwrap())
    });
    let expected: Vec<(i64, String)> = expected.iter().map(|(time, n)| (*time, format!(r#"{{"N":{n}}}"#))).collect();
    assert_eq!(shown.collect::<Vec<_>>(), expected, "{query}");
}

#[test]
fn nothing_is_lost_at_the_end() {
    check("SELECT STREAM COUNT(*) FROM s GROUP BY FLOOR(s.ROWTIME TO HOUR)", &[(3_600_000, "3")]);
    check(
        "SELECT STREAM n, t AS ROWTIME FROM s ORDER BY t WITHIN INTERVAL '5' SECOND",
        &[(1_000, "1"), (2_000, "2"), (3_000, "3")],
    );
    check(
        "SELECT STREAM COUNT(*) FROM (SELECT STREAM n, t AS ROWTIME FROM s WHERE n = 3) AS q GROUP BY FLOOR(q.ROWTIME TO MINUTE)",
        &[(60_000, "1")],
    );
    check("SELECT STREAM SUM(n) FROM s GROUP BY MONOTONIC(n / 10)", &[(95_000, "6")]);
}
