//! Scripts over rows and records: what comes out, in which order, and what is refused where.

use stream_sql::{Application, Event, InputSchema, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "k", "SqlType": "VARCHAR(4)", "Mapping": "$.k"}, {"Name": "n", "SqlType": "INTEGER", "Mapping": "$.n"},
    {"Name": "t", "SqlType": "TIMESTAMP", "Mapping": "$.t"}]}"#;

fn compile(sql: &str) -> Result<Application, stream_sql::SqlError> {
    let schema: InputSchema = serde_json::from_str(SCHEMA).unwrap();
    Application::compile(sql, &[schema.source("S").unwrap()], &[])
}

/// What happens at a time: a record, or nothing earlier will come.
type Step<'a> = (i64, Option<&'a str>);

/// Runs a script over records; `stream ROWTIME row` of each row. The state is stored and loaded between any two events, in JSON and
/// in no way: both must agree.
fn run(sql: &str, steps: &[Step<'_>]) -> (Vec<String>, State) {
    let application = compile(sql).unwrap();
    let mut runs = [false, true].map(|reload| {
        let (mut state, mut rows) = (State::default(), Vec::new());
        for (time, record) in steps {
            let event = match record {
                Some(record) => {
                    Event::Record { source: 0, rowtime: *time, arrival: *time, origin: None, bytes: record.as_bytes() }
                }
                None => Event::Bound(*time),
            };
            application.run(&mut state, event, &mut rows);
            if reload {
                state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
            }
        }
        (rows, state)
    });
    assert_eq!(runs[0], runs[1]);
    let (rows, state) = std::mem::take(&mut runs[0]);
    let names = application.streams();
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        format!("{} {} {}", names[row.stream].0, row.rowtime, String::from_utf8(json).unwrap())
    });
    (shown.collect(), state)
}

fn check(sql: &str, steps: &[Step<'_>], expected: &[&str]) {
    assert_eq!(run(sql, steps).0, expected, "{sql}");
}

const COUNTS: &str = r#"CREATE STREAM o (k VARCHAR(4), n BIGINT);
    CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT(*) FROM s GROUP BY "k", FLOOR(s.ROWTIME TO SECOND);"#;

#[test]
fn groups_come_in_the_order_of_their_first_rows() {
    let steps = [
        (10, Some(r#"{"k":"b"}"#)),
        (20, Some(r#"{"k":"a"} {"k":"b"}"#)),
        (999, Some("{}")),
        (1_000, Some(r#"{"k":"a"}"#)),
        (5_000, None),
    ];
    let expected = [
        r#"O 1000 {"K":"b","N":2}"#,
        r#"O 1000 {"K":"a","N":1}"#,
        r#"O 1000 {"K":null,"N":1}"#,
        r#"O 2000 {"K":"a","N":1}"#,
    ];
    check(COUNTS, &steps, &expected);
}

#[test]
fn a_late_row_is_dropped_and_counted() {
    let (rows, state) = run(COUNTS, &[(10, Some("{}")), (9, Some(r#"{"k":"x"}"#)), (10, Some("{}")), (1_000, None)]);
    assert_eq!(rows.len(), 2);
    assert!(rows[0].starts_with(r#"error_stream 9 {"ERROR_TIME":"1970-01-01 00:00:00.009","#), "{}", rows[0]);
    assert_eq!(rows[1], r#"O 1000 {"K":null,"N":2}"#);
    let counters = state.counters;
    assert_eq!((counters.rows, counters.late, counters.errors), (3, 1, 1));
}

#[test]
fn a_record_that_fails_says_why_and_the_rest_goes_on() {
    let sql = r#"CREATE STREAM o (n INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM 10 / "n" FROM s;"#;
    let bad = [
        "x",
        "[]",
        r#"{"n":"#,
        r#"{"n":1.5}"#,
        r#"{"n":"many"}"#,
        r#"{"n":0}"#,
        r#"{"n":99999999999}"#,
        r#"{"n":[1]}"#,
    ];
    for record in bad {
        let (rows, state) = run(sql, &[(1, Some(record)), (2, Some(r#"{"n":"5","t":"no time, but nobody asks"}"#))]);
        assert!(rows[0].starts_with("error_stream 1 "), "{record}: {rows:?}");
        assert_eq!(rows[1], r#"O 2 {"N":2}"#, "{record}");
        assert_eq!(state.counters.errors, 1, "{record}");
    }
}

#[test]
fn two_pumps_into_one_stream_are_merged_by_rowtime() {
    let sql = r#"CREATE STREAM o (w VARCHAR(8), n BIGINT);
        CREATE PUMP p1 AS INSERT INTO o SELECT STREAM 'row', "n" FROM s WHERE "n" > 1;
        CREATE PUMP p2 AS INSERT INTO o SELECT STREAM 'sum', SUM("n") FROM s GROUP BY FLOOR(s.ROWTIME TO SECOND);"#;
    let steps = [(100, Some(r#"{"n":2}"#)), (1_500, Some(r#"{"n":3}"#)), (1_600, Some(r#"{"n":1}"#)), (9_000, None)];
    let expected = [
        r#"O 100 {"W":"row","N":2}"#,
        r#"O 1000 {"W":"sum","N":2}"#,
        r#"O 1500 {"W":"row","N":3}"#,
        r#"O 2000 {"W":"sum","N":4}"#,
    ];
    check(sql, &steps, &expected);
}

#[test]
fn time_passes_through_a_cascade_without_rows() {
    let sql = r#"CREATE STREAM a (n INTEGER); CREATE STREAM b (c BIGINT);
        CREATE PUMP pb AS INSERT INTO b SELECT STREAM COUNT(*) FROM a GROUP BY STEP(a.ROWTIME BY INTERVAL '10' SECOND);
        CREATE PUMP pa AS INSERT INTO a SELECT STREAM "n" FROM s WHERE "n" > 0;"#;
    let steps = [(1, Some(r#"{"n":1}"#)), (9_999, Some(r#"{"n":2}"#)), (10_000, Some(r#"{"n":0}"#))];
    check(sql, &steps, &[r#"A 1 {"N":1}"#, r#"A 9999 {"N":2}"#, r#"B 10000 {"C":2}"#]);
}

#[test]
fn windows_end_where_their_key_changes() {
    let counted = |key: &str| {
        format!(
            "CREATE STREAM o (n BIGINT); CREATE PUMP p AS INSERT INTO o SELECT STREAM COUNT(*) FROM s GROUP BY {key};"
        )
    };
    // A leap year's February, in milliseconds since 1970.
    let (february, march, may) = (1_706_745_600_000, 1_709_251_200_000, 1_714_521_600_000);
    let day = 86_400_000;
    for (key, first, end) in [
        ("FLOOR(s.ROWTIME TO MONTH)", february + day, march),
        ("FLOOR(s.ROWTIME TO YEAR)", february, 1_735_689_600_000),
        ("STEP(s.ROWTIME BY INTERVAL '3' MONTH)", february, 1_711_929_600_000),
        ("STEP(s.ROWTIME BY INTERVAL '2' MONTH)", march, may),
        ("CEIL(s.ROWTIME TO DAY)", february + 1, february + day + 1),
        (
            "FLOOR((s.ROWTIME - TIMESTAMP '1970-01-01 00:00:00') SECOND / 10 TO SECOND)",
            february + 9_999,
            february + 10_000,
        ),
        ("FLOOR(s.ROWTIME + INTERVAL '30' MINUTE TO HOUR)", february, february + 1_800_000),
        ("FLOOR(s.ROWTIME TO HOUR), FLOOR(s.ROWTIME TO MINUTE)", february, february + 60_000),
        ("UNIX_TIMESTAMP(s.ROWTIME) / 250", february + 1, february + 250),
    ] {
        let steps = [(first, Some("{}")), (end - 1, Some("{}")), (end, Some("{}"))];
        check(&counted(key), &steps, &[&format!(r#"O {end} {{"N":2}}"#)]);
    }
}

#[test]
fn a_monotonic_column_closes_its_groups_when_it_changes() {
    let sql = r#"CREATE STREAM o (n INTEGER, c BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM MONOTONIC("n"), COUNT(*) FROM s GROUP BY MONOTONIC("n");"#;
    let steps = [(1, Some(r#"{"n":1}"#)), (2, Some(r#"{"n":1}"#)), (60_000, None), (60_001, Some(r#"{"n":2}"#))];
    check(sql, &steps, &[r#"O 60001 {"N":1,"C":2}"#]);
}

#[test]
fn sliding_windows_see_what_has_come() {
    let sql = r#"CREATE STREAM o (k VARCHAR(4), c BIGINT, m INTEGER, l INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT(*) OVER w, MAX("n") OVER w, LAG("n", 1, 0) OVER (ROWS 2 PRECEDING)
        FROM s WHERE "n" > 0 WINDOW w AS (PARTITION BY "k" RANGE INTERVAL '1' SECOND PRECEDING);"#;
    let steps = [
        (0, Some(r#"{"k":"a","n":9}"#)),
        (500, Some(r#"{"k":"b","n":8}"#)),
        (1_000, Some(r#"{"k":"a","n":7} {"n":0}"#)),
        (1_001, Some(r#"{"k":"a","n":6}"#)),
        (9_000, None),
        (9_001, Some(r#"{"k":"b","n":5}"#)),
    ];
    let expected = [
        r#"O 0 {"K":"a","C":1,"M":9,"L":0}"#,
        r#"O 500 {"K":"b","C":1,"M":8,"L":9}"#,
        r#"O 1000 {"K":"a","C":2,"M":9,"L":8}"#,
        r#"O 1001 {"K":"a","C":2,"M":7,"L":7}"#,
        r#"O 9001 {"K":"b","C":1,"M":5,"L":6}"#,
    ];
    check(sql, &steps, &expected);
}

#[test]
fn values_are_written_as_json_has_them() {
    let sql = r#"CREATE STREAM o ("a ""b" VARCHAR(9), d DECIMAL(5, 2), f DOUBLE, b BOOLEAN, x DATE, y TIME, z TIMESTAMP NOT NULL);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM 'ä"' || "k", -1.5, 1e2, "n" IS NULL, DATE '2024-02-29', TIME '01:02:03', "t" FROM s;"#;
    let expected = r#"O 1 {"a \"b":"ä\"x","D":-1.50,"F":100.0,"B":true,"X":"2024-02-29","Y":"01:02:03.000","Z":"2024-02-29 12:00:00.000"}"#;
    check(sql, &[(1, Some(r#"{"k":"x","t":"2024-02-29T12:00:00Z"}"#))], &[expected]);
    let (rows, _) = run(sql, &[(1, Some("{}"))]);
    assert!(rows[0].contains("NOT NULL"), "{rows:?}");
}

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    let pump = |query: &str| format!("CREATE STREAM o (a INTEGER);\nCREATE PUMP p AS INSERT INTO o\n{query}");
    let cases = [
        (pump("SELECT STREAM n FROM s"), (3, 15), "Column 'N' not found in any table: did you mean \"n\"?"),
        (pump("SELECT STREAM \"n\" FROM \"s\""), (3, 24), "Table 's' not found: did you mean \"S\"?"),
        (pump("SELECT STREAM \"k\" FROM s"), (3, 15), "Cannot assign"),
        (pump("SELECT STREAM \"k\" + 1 FROM s"), (3, 15), "Cannot apply '+'"),
        (pump("SELECT STREAM \"n\" FROM s WHERE \"n\""), (3, 32), "WHERE clause must be a condition"),
        (pump("SELECT STREAM COUNT(*) FROM s"), (3, 15), "no GROUP BY"),
        (pump("SELECT STREAM 1 FROM s GROUP BY 1 + 1"), (3, 24), "monotonic"),
        (
            pump("SELECT STREAM SUM(SUM(\"n\")) FROM s GROUP BY s.ROWTIME"),
            (3, 19),
            "Aggregate expressions cannot be nested",
        ),
        (pump("SELECT STREAM COUNT(*) OVER w FROM s"), (3, 29), "Window 'W' not found"),
        (pump("SELECT STREAM COUNT(*) OVER (ROWS 0 PRECEDING) FROM s"), (3, 35), "CURRENT ROW is"),
        (
            pump("SELECT STREAM FROBNICATE(1) FROM s"),
            (3, 15),
            "No match found for function signature FROBNICATE(<NUMERIC>)",
        ),
        (
            pump("SELECT STREAM 1 FROM TABLE(GROUP_RANK(CURSOR(SELECT STREAM * FROM s), 'a'))"),
            (3, 28),
            "Invalid number of arguments to function 'GROUP_RANK'",
        ),
        (pump("SELECT STREAM a FROM o"), (2, 30), "fed by its own rows"),
        (pump("SELECT STREAM 'a' LIKE 'b!' ESCAPE '!' FROM s"), (3, 24), "escape character"),
        (
            pump("SELECT STREAM (s.ROWTIME - DATE '2024-01-01') DAY FROM s"),
            (3, 15),
            "Parameters must be of the same type",
        ),
        (
            pump("SELECT STREAM s.ROWTIME - s.ROWTIME FROM s"),
            (3, 15),
            "Cannot apply '-' to arguments of type '<TIMESTAMP> - <TIMESTAMP>'",
        ),
        (pump("SELECT STREAM DATE '2024-02-30' FROM s"), (3, 15), "Illegal DATE literal"),
        (pump(&format!("SELECT STREAM {}1 FROM s", "(".repeat(99))), (3, 46), "nested deeper"),
        ("SELECT STREAM 1 FROM s".into(), (1, 1), "outside of a pump"),
        ("CREATE STREAM o (a FOO)".into(), (1, 20), "Encountered \"FOO\" at line 1, column 20. Was expecting: a type"),
        ("CREATE STREAM o (a INTEGER, A INTEGER)".into(), (1, 29), "Duplicate name 'A' in column list"),
        ("CREATE STREAM \"S\" (a INTEGER)".into(), (1, 15), "source stream"),
        ("CREATE STREAM o (a VARBINARY(3))".into(), (1, 20), "The type VARBINARY here is not supported"),
        ("CREATE STREAM o (a INTEGER) garbage".into(), (1, 29), "GARBAGE"),
    ];
    for (sql, place, message) in cases {
        let error = compile(&sql).unwrap_err();
        assert!(error.to_string().contains(message), "{sql}\n{error}");
        assert_eq!((error.line, error.column), place, "{sql}\n{error}");
    }
}

#[test]
fn outputs_can_be_chosen() {
    let application = compile(COUNTS).unwrap().with_outputs(&["S"]).unwrap();
    let (mut state, mut rows) = (State::default(), Vec::new());
    let event = Event::Record { source: 0, rowtime: 1, arrival: 1, origin: None, bytes: br#"{"n":1,"k":"long name"}"# };
    application.run(&mut state, event, &mut rows);
    application.run(&mut state, Event::Bound(5_000), &mut rows);
    let mut json = Vec::new();
    application.write_json(&rows[0], &mut json);
    assert_eq!((rows.len(), json.as_slice()), (1, &br#"{"k":"long","n":1,"t":null}"#[..]));
    assert_eq!(compile(COUNTS).unwrap().with_outputs(&["NO"]).unwrap_err(), "NO");
}
