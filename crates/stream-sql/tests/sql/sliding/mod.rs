//! Sliding windows: what each function gives, what is refused, and a property test against a model.

mod model;
mod pages;

use stream_sql::{Application, Column, Event, Format, OutputRow, Source, SqlError, SqlType, State, Value};

/// A row: `k VARCHAR, n INTEGER, f DOUBLE, b BOOLEAN, d DECIMAL(9, 2)`.
#[derive(Debug, Clone, Copy, Default)]
struct Record {
    k: Option<&'static str>,
    n: Option<i64>,
    f: Option<f64>,
    b: Option<bool>,
}

fn source() -> Source {
    let column = |name: &str, sql_type| Column { name: name.into(), sql_type, mapping: None };
    let columns = vec![
        column("K", SqlType::Varchar { length: 8 }),
        column("N", SqlType::Integer),
        column("F", SqlType::Double),
        column("B", SqlType::Boolean),
        column("D", SqlType::Decimal { precision: 9, scale: 2 }),
    ];
    Source { name: "S".into(), columns, format: Format::Json { row_path: Vec::new() } }
}

impl Record {
    fn event(&self, time: i64) -> Event<'static> {
        let values = vec![
            self.k.map_or(Value::Null, |k| Value::Text(k.into())),
            self.n.map_or(Value::Null, Value::Integer),
            self.f.map_or(Value::Null, Value::Double),
            self.b.map_or(Value::Null, Value::Boolean),
            // Of the whole number: hundredths.
            self.n.map_or(Value::Null, |n| Value::Decimal(n, 2)),
        ];
        Event::Row { source: 0, rowtime: time, arrival: time, values }
    }
}

fn compile(columns: &str, query: &str) -> Result<Application, SqlError> {
    let sql = format!("CREATE STREAM o ({columns});\nCREATE PUMP p AS INSERT INTO o\nSELECT STREAM {query}");
    Application::compile(&sql, &[source()], &[])
}

fn reloaded(state: &State) -> State {
    serde_json::from_slice(&serde_json::to_vec(state).unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Decimal(digits, scale) => format!("{digits}e-{scale}"),
        Value::Text(text) => text.to_string(),
        other => format!("{other:?}"),
    }
}

/// The one column of a query over rows, of which some fail; the state is stored and loaded between any two.
fn run(sql_type: &str, query: &str, records: &[(i64, Record)]) -> String {
    let application = compile(&format!("a {sql_type}"), query).unwrap_or_else(|error| panic!("{query}\n{error}"));
    let (mut state, mut rows) = (State::default(), Vec::<OutputRow>::new());
    for (time, record) in records {
        application.run(&mut state, record.event(*time), &mut rows);
        let again = reloaded(&state);
        assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&state).unwrap());
        state = again;
    }
    application.run(&mut state, Event::Bound(1_000_000), &mut rows);
    rows.iter().map(|row| text(&row.values[0])).collect::<Vec<_>>().join(" ")
}

const NONE: Record = Record { k: None, n: None, f: None, b: None };

fn n(n: i64) -> Record {
    Record { n: Some(n), ..NONE }
}

fn f(f: f64) -> Record {
    Record { f: Some(f), ..NONE }
}

fn b(b: bool) -> Record {
    Record { b: Some(b), ..NONE }
}

/// One row a second; the window has the current row and those of the two seconds before.
#[test]
fn each_function() {
    let numbers = [n(3), n(1), NONE, n(2), n(2), NONE, NONE, NONE];
    let doubles = [f(1e300), f(0.5), f(f64::NAN), f(0.25), f(f64::INFINITY), f(0.1), f(0.2), f(0.3), NONE, NONE, NONE];
    let truths = [b(true), NONE, b(false), b(false), b(true), NONE, NONE, NONE];
    for (sql_type, function, records, expected) in [
        ("BIGINT", "COUNT(*)", &numbers[..], "1 2 3 3 3 3 3 3"),
        ("BIGINT", "COUNT(n)", &numbers, "1 2 2 2 2 2 1 0"),
        ("BIGINT", "SUM(n)", &numbers, "3 4 4 3 4 4 2 -"),
        ("INTEGER", "AVG(n)", &numbers, "3 2 2 1 2 2 2 -"),
        ("DECIMAL(18, 2)", "SUM(d)", &numbers, "3e-2 4e-2 4e-2 3e-2 4e-2 4e-2 2e-2 -"),
        ("DECIMAL(18, 2)", "AVG(d)", &numbers, "3e-2 2e-2 2e-2 1e-2 2e-2 2e-2 2e-2 -"),
        ("BIGINT", "SUM(DISTINCT n)", &numbers, "3 4 4 3 2 2 2 -"),
        ("INTEGER", "AVG(DISTINCT n)", &numbers, "3 2 2 1 2 2 2 -"),
        ("INTEGER", "MIN(n)", &numbers, "3 1 1 1 2 2 2 -"),
        ("INTEGER", "MAX(n)", &numbers, "3 3 3 2 2 2 2 -"),
        ("INTEGER", "MAX(DISTINCT n)", &numbers, "3 3 3 2 2 2 2 -"),
        ("DOUBLE", "VAR_POP(n)", &numbers, "0 1 1 0.25 0 0 0 -"),
        ("DOUBLE", "VAR_SAMP(n)", &numbers, "- 2 2 0.5 0 0 - -"),
        ("DOUBLE", "STDDEV_POP(n)", &numbers, "0 1 1 0.5 0 0 0 -"),
        (
            "DOUBLE",
            "STDDEV(DISTINCT n) * STDDEV_SAMP(DISTINCT n)",
            &numbers,
            "- 2.0000000000000004 2.0000000000000004 0.5000000000000001 - - - -",
        ),
        ("INTEGER", "FIRST_VALUE(n)", &numbers, "3 3 3 1 - 2 2 -"),
        ("INTEGER", "FIRST_VALUE(n) IGNORE NULLS", &numbers, "3 3 3 1 2 2 2 -"),
        ("INTEGER", "LAST_VALUE(n)", &numbers, "3 1 - 2 2 - - -"),
        ("INTEGER", "LAST_VALUE(n) IGNORE NULLS", &numbers, "3 1 1 2 2 2 2 -"),
        ("INTEGER", "NTH_VALUE(n, 2)", &numbers, "- 1 1 - 2 2 - -"),
        ("INTEGER", "NTH_VALUE(n, 2) FROM FIRST IGNORE NULLS", &numbers, "- 1 1 2 2 2 - -"),
        ("INTEGER", "NTH_VALUE(n, 2) FROM LAST RESPECT NULLS", &numbers, "- 3 1 - 2 2 - -"),
        ("INTEGER", "NTH_VALUE(n, 2) FROM LAST IGNORE NULLS", &numbers, "- 3 3 1 2 2 - -"),
        ("INTEGER", "LAG(n)", &numbers, "- 3 1 - 2 2 - -"),
        ("INTEGER", "LAG(n, 2, -1)", &numbers, "-1 -1 3 1 - 2 2 -"),
        ("INTEGER", "LAG(n, 3, -1)", &numbers, "-1 -1 -1 -1 -1 -1 -1 -1"),
        ("INTEGER", "LAG(n, 0)", &numbers, "3 1 - 2 2 - - -"),
        ("INTEGER", "LAG(n) IGNORE NULLS", &numbers, "- 3 1 1 2 2 2 -"),
        ("DOUBLE", "EXP_AVG(n, INTERVAL '1' SECOND)", &numbers, "3 1.6666666666666667 1.6666666666666667 1.8 2 2 2 -"),
        ("BOOLEAN", "ANY(b)", &truths, "true true true false true true true -"),
        ("BOOLEAN", "EVERY(b)", &truths, "true true false false false false true -"),
        ("DOUBLE", "SUM(f)", &doubles, &format!("1{z} 1{z} NaN NaN NaN inf inf 0.6 0.5 0.3 -", z = "0".repeat(300))),
        ("DOUBLE", "AVG(f)", &doubles[5..], "0.1 0.15000000000000002 0.19999999999999998 0.25 0.3 -"),
        ("DOUBLE", "VAR_POP(f)", &doubles[4..7], "NaN NaN NaN"),
        ("DOUBLE", "VAR_POP(f)", &[doubles[4], NONE, NONE, f(0.5), f(1.5)], "NaN NaN NaN 0 0.25"),
        ("DOUBLE", "EXP_AVG(f, INTERVAL '1' SECOND)", &[doubles[4], NONE, NONE, f(1.5), f(1.5)], "inf inf inf 1.5 1.5"),
        ("DOUBLE", "MAX(f)", &doubles[3..], "0.25 inf inf inf 0.3 0.3 0.3 -"),
    ] {
        let records: Vec<_> = records.iter().enumerate().map(|(time, record)| (time as i64 * 1_000, *record)).collect();
        for frame in
            ["RANGE INTERVAL '2' SECOND PRECEDING", "ROWS 2 PRECEDING", "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW"]
        {
            let call = |call: &str| format!("{call} OVER ({frame})");
            let query = match function.split_once(" * ") {
                Some((left, right)) => format!("{} * {}", call(left), call(right)),
                None => call(function),
            };
            assert_eq!(run(sql_type, &format!("{query} FROM s"), &records), expected, "{query}");
        }
    }
}

#[test]
fn windows_without_bounds_see_all_there_was() {
    let records = [n(3), n(1), NONE, n(2), n(2), n(9)].map(|record| (7, record));
    for (sql_type, function, expected) in [
        ("BIGINT", "COUNT(*)", "1 2 3 4 5 6"),
        ("BIGINT", "SUM(n)", "3 4 4 6 8 17"),
        ("BIGINT", "SUM(DISTINCT n)", "3 4 4 6 6 15"),
        ("INTEGER", "MIN(n)", "3 1 1 1 1 1"),
        ("INTEGER", "MAX(n)", "3 3 3 3 3 9"),
        ("INTEGER", "FIRST_VALUE(n)", "3 3 3 3 3 3"),
        ("INTEGER", "NTH_VALUE(n, 2)", "- 1 1 1 1 1"),
        ("INTEGER", "NTH_VALUE(n, 3) IGNORE NULLS", "- - - 2 2 2"),
        ("INTEGER", "LAST_VALUE(n)", "3 1 - 2 2 9"),
        ("INTEGER", "LAG(n, 3)", "- - - 3 1 -"),
    ] {
        for frame in
            ["", "PARTITION BY k", "ROWS UNBOUNDED PRECEDING", "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"]
        {
            assert_eq!(
                run(sql_type, &format!("{function} OVER ({frame}) FROM s"), &records),
                expected,
                "{function} {frame}"
            );
        }
    }
}

#[test]
fn a_window_without_bounds_remembers_no_rows() {
    let calls = ["MIN(n)", "MAX(n)", "FIRST_VALUE(n)", "LAST_VALUE(n)", "LAG(n, 3)", "NTH_VALUE(n, 2)", "SUM(n)"];
    let list = calls.map(|call| format!("{call} OVER ()")).join(", ");
    let application = compile(
        "a INTEGER, b INTEGER, c INTEGER, d INTEGER, e INTEGER, f INTEGER, g BIGINT",
        &format!("{list} FROM s"),
    )
    .unwrap();
    let (mut state, mut rows) = (State::default(), Vec::new());
    for place in 0..500 {
        application.run(&mut state, n(if place % 2 == 0 { place } else { -place }).event(place), &mut rows);
    }
    assert!(serde_json::to_vec(&state).unwrap().len() < 1_000);
}

#[test]
fn rows_at_both_ends_count_and_equal_ones_that_come_later_do_not() {
    let at = [0, 0, 1_000, 1_000, 1_001, 2_001, 9_000].map(|time| (time, NONE));
    assert_eq!(run("BIGINT", "COUNT(*) OVER (RANGE INTERVAL '1' SECOND PRECEDING) FROM s", &at), "1 2 3 4 3 2 1");
    assert_eq!(run("BIGINT", "COUNT(*) OVER (RANGE CURRENT ROW) FROM s", &at), "1 2 1 2 1 1 1");
    assert_eq!(run("BIGINT", "COUNT(*) OVER (ROWS CURRENT ROW) FROM s", &at), "1 1 1 1 1 1 1");
}

#[test]
fn a_row_that_is_earlier_than_its_window_is_late() {
    let query = "COUNT(*) OVER (RANGE INTERVAL '1' SECOND PRECEDING)
        FROM (SELECT STREAM TO_TIMESTAMP(n) AS ROWTIME, n FROM s)";
    let records = [(1, n(1_000)), (2, n(2_000)), (3, n(1_999)), (4, n(2_500))];
    // The late one is a row of error_stream.
    let shown = run("BIGINT", query, &records);
    assert!(shown.starts_with("1 2 ") && shown.ends_with(" 2"), "{shown}");
}

#[test]
fn columns_that_no_call_reads_are_not_converted() {
    let application = compile("a BIGINT", "COUNT(n) OVER (PARTITION BY k ROWS 2 PRECEDING) FROM s").unwrap();
    let (mut state, mut rows) = (State::default(), Vec::new());
    let bytes = br#"{"K":"a","N":1,"F":"no number","D":"nor this"}"#;
    let record = Event::Record { source: 0, rowtime: 1, arrival: 1, origin: None, bytes };
    application.run(&mut state, record, &mut rows);
    assert_eq!((rows.len(), state.counters.errors), (1, 0));
}

#[test]
fn distinct_in_groups() {
    let records = [n(3), n(1), NONE, n(3), n(1), n(3)].map(|record| (7, record));
    for (sql_type, call, expected) in [
        ("BIGINT", "SUM(DISTINCT n)", "4"),
        ("BIGINT", "SUM(ALL n)", "11"),
        ("INTEGER", "AVG(DISTINCT n)", "2"),
        ("DOUBLE", "VAR_POP(DISTINCT n)", "1"),
        ("INTEGER", "MIN(DISTINCT n)", "1"),
        ("BIGINT", "SUM(DISTINCT n) + SUM(n)", "15"),
    ] {
        for group in
            ["GROUP BY FLOOR(s.ROWTIME TO SECOND)", "WINDOWED BY STAGGER (PARTITION BY k RANGE INTERVAL '1' SECOND)"]
        {
            assert_eq!(run(sql_type, &format!("{call} FROM s {group}"), &records), expected, "{call} {group}");
        }
    }
}

#[test]
fn what_is_refused() {
    for (query, place, message) in [
        ("COUNT(DISTINCT n) OVER (ROWS 2 PRECEDING) FROM s", (3, 15), "COUNT(DISTINCT …) is not supported"),
        ("LAG(DISTINCT n) OVER (ROWS 2 PRECEDING) FROM s", (3, 15), "LAG(DISTINCT …) is not supported"),
        ("FIRST_VALUE(DISTINCT n) OVER (ROWS 2 PRECEDING) FROM s", (3, 15), "FIRST_VALUE(DISTINCT …) is not supported"),
        ("SUM(n) FILTER (WHERE n > 1) OVER (ROWS 2 PRECEDING) FROM s", (3, 22), "FILTER is not supported"),
        ("SUM(n) OVER (ROWS 100001 PRECEDING) FROM s", (3, 33), "ROWS takes 100000 at most"),
        ("SUM(n) OVER (ROWS -1 PRECEDING) FROM s", (3, 33), "ROWS takes no negative number"),
        ("SUM(n) OVER (RANGE INTERVAL '1' MONTH PRECEDING) FROM s", (3, 34), "RANGE takes an INTERVAL"),
        ("NTH_VALUE(n, 0) OVER (ROWS 2 PRECEDING) FROM s", (3, 28), "from 1 to 100000"),
        ("NTH_VALUE(n, n) OVER (ROWS 2 PRECEDING) FROM s", (3, 28), "from 1 to 100000"),
        ("NTH_VALUE(n) OVER (ROWS 2 PRECEDING) FROM s", (3, 15), "Invalid arguments"),
        ("LAG(n, 100001) OVER (ROWS 2 PRECEDING) FROM s", (3, 22), "LAG goes back"),
        ("NTH_VALUE(n, 1) FROM s", (3, 15), "NTH_VALUE"),
        ("SUM(n) FROM FIRST OVER (ROWS 2 PRECEDING) FROM s", (3, 57), "FROM"),
    ] {
        let error = compile("a INTEGER", query).unwrap_err();
        assert!(error.to_string().contains(message), "{query}\n{error}");
        assert_eq!((error.line, error.column), place, "{query}\n{error}");
    }
}
