//! The log-parsing functions and columns of records.

use proptest::prelude::*;
use stream_sql::{Application, Event, InputSchema, SqlError, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "LINE", "SqlType": "VARCHAR(2048)", "Mapping": "$.l"}, {"Name": "N", "SqlType": "INTEGER", "Mapping": "$.n"}]}"#;

/// 2026-01-01 10:00:00
const NOW: i64 = 1_767_261_600_000;

fn compile(sql: &str) -> Result<Application, SqlError> {
    let schema: InputSchema = serde_json::from_str(SCHEMA).unwrap();
    Application::compile(sql, &[schema.source("S").unwrap()], &[])
}

/// The rows that come out of lines, `O` and `error_stream`, as arrays of their values; of errors the message.
fn run(sql: &str, lines: &[&str]) -> Vec<String> {
    let application = compile(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let (mut state, mut rows) = (State::default(), Vec::new());
    for (place, line) in (0..).zip(lines) {
        let record = serde_json::json!({"l": if *line == "NULL" { None } else { Some(line) }, "n": place}).to_string();
        let event =
            Event::Record { source: 0, rowtime: NOW + place, arrival: NOW, origin: None, bytes: record.as_bytes() };
        application.run(&mut state, event, &mut rows);
    }
    application.run(&mut state, Event::Bound(NOW + 86_400_000), &mut rows);
    let names = application.streams();
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&json).unwrap();
        match names[row.stream].0.as_str() {
            "error_stream" => format!("error: {}", object["MESSAGE"].as_str().unwrap()),
            _ => serde_json::Value::Array(object.into_iter().map(|(_, value)| value).collect()).to_string(),
        }
    });
    shown.collect()
}

/// What `list` gives of `(SELECT STREAM call AS r FROM S) AS t` into columns of these types, for each line.
fn check(call: &str, columns: &str, list: &str, cases: &[(&str, &str)]) {
    let sql = format!(
        "CREATE STREAM O ({columns}); CREATE PUMP P AS INSERT INTO O
         SELECT STREAM {list} FROM (SELECT STREAM N, {call} AS r FROM S) AS t;"
    );
    let lines: Vec<&str> = cases.iter().map(|(line, _)| *line).collect();
    let expected: Vec<&str> = cases.iter().map(|(_, expected)| *expected).collect();
    assert_eq!(run(&sql, &lines), expected, "{call}");
}

fn check_error(sql: &str, line: u32, column: u32, part: &str) {
    let error = compile(sql).map(|_| ()).expect_err(sql);
    assert!(error.message.contains(part), "{sql}: {error}");
    assert_eq!((error.line, error.column), (line, column), "{sql}: {error}");
}

#[test]
fn regular_expressions() {
    let cases = [
        ("ab=12;", r#"["ab","12",null]"#),
        ("x ab=12 y", r#"["ab","12"," y"]"#),
        ("nothing", "[null,null,null]"),
        ("", "[null,null,null]"),
        ("NULL", "[null,null,null]"),
    ];
    let columns = "a VARCHAR(8), b VARCHAR(8), c VARCHAR(8)";
    check(r"REGEX_LOG_PARSE(LINE, '(\w+)=(\d++)(\s.*)?')", columns, "t.r.COLUMN1, t.r.COLUMN2, t.r.COLUMN3", &cases);
    let cases = [("ab=12", r#"["ab",12,"2"]"#), ("ab=x", "[null,null,null]")];
    let call = r"REGEX_LOG_PARSE(LINE, '(\w+)=(\d*?(\d))$', 'k VARCHAR(9), n TYPE INTEGER')";
    check(call, "a VARCHAR(8), b INTEGER, c VARCHAR(8)", "r.K, r.N, r.COLUMN3", &cases);
}

#[test]
fn fast_regular_expressions() {
    let cases = [
        ("Mary____had", r#"["Mary","had"]"#),
        ("Mary_had_a", r#"["Mary","had_a"]"#),
        ("Mary", "error: FAST_REGEX_LOG_PARSE: \"Mary\" does not match the pattern"),
        ("NULL", "[null,null]"),
    ];
    let columns = "a VARCHAR(64), b VARCHAR(64)";
    check("FAST_REGEX_LOG_PARSE(LINE, '(.*)_+(<Alpha>.*)')", columns, "t.r.COLUMN1, t.r.COLUMN2", &cases);
}

#[test]
fn fixed_columns() {
    let call = "FIXED_COLUMN_LOG_PARSE(LINE, 'a TYPE Integer START 0 FOR 3, b TYPE boolean START 4 FOR 6,
        c TYPE numeric(5,2) START 10 FOR 9, \"d\" TYPE TIMESTAMP ''dd/MMM/yyyy:HH:mm:ss'' START 19, e TYPE VARCHAR(2) START 1')";
    let cases = [
        ("  1   true 423.345 25/Mar/2018:15:25:37", r#"[1,true,423.35,"2018-03-25 15:25:37.000"," 1"]"#),
        ("  1   true", r#"[1,true,null,null," 1"]"#),
        ("  ä", "error: A: cannot cast \"ä\" to INTEGER"),
        ("", "[null,null,null,null,null]"),
        ("NULL", "[null,null,null,null,null]"),
        (
            "  1   true 423.345 31/Feb/2018:15:25:37",
            "error: d: \"31/Feb/2018:15:25:37\" does not match the pattern \"dd/MMM/yyyy:HH:mm:ss\"",
        ),
    ];
    let columns = "a INTEGER, b BOOLEAN, c DECIMAL(5,2), d TIMESTAMP, e VARCHAR(2)";
    check(call, columns, "t.r.A, t.r.B, t.r.C, t.r.\"d\", t.r.E", &cases);
    let call =
        "FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE INTEGER NOT NULL START 2 FOR 2, B TYPE VARCHAR(9) NOT NULL START 4')";
    let cases = [("  12x", r#"[12,"x"]"#), ("    x", "error: A is NULL"), ("äö12", "error: B is NULL")];
    check(call, "a INTEGER, b VARCHAR(9)", "t.r.A, t.r.B", &cases);
}

#[test]
fn variable_columns() {
    let columns = "a VARCHAR(8), b VARCHAR(8), c VARCHAR(8)";
    let list = "t.r.COLUMN1, t.r.COLUMN2, t.r.COLUMN3";
    let cases = [
        ("a,b,c,d", r#"["a","b","c"]"#),
        ("a,", r#"["a","",null]"#),
        ("a much longer text", r#"["a much l",null,null]"#),
        ("NULL", "[null,null,null]"),
    ];
    check("VARIABLE_COLUMN_LOG_PARSE(LINE, 3, ',')", columns, list, &cases);
    check(r"VARIABLE_COLUMN_LOG_PARSE(LINE, 3, u&'\0009')", columns, list, &[("a\tb\tc", r#"["a","b","c"]"#)]);
    let quoted = [(r#"J,"5 W, N",$3"#, r#"["J","5 W, N","$3"]"#), (r"a\,b,c", r#"["a,b","c",null]"#)];
    check(r#"VARIABLE_COLUMN_LOG_PARSE(LINE, 3, ',', '\', '"')"#, columns, list, &quoted);
    check(r#"VARIABLE_COLUMN_LOG_PARSE(LINE, 3, ',', NULL, '"')"#, columns, list, &quoted[..1]);
    let call =
        "VARIABLE_COLUMN_LOG_PARSE(LINE, 'A TYPE INTEGER, T TYPE DATE ''yyyyMMdd'', B TYPE VARCHAR(3) NOT NULL', ', ')";
    let cases = [
        ("7, 20240229, xyzw", r#"[7,"2024-02-29","xyz"]"#),
        ("7, , x", r#"[7,null,"x"]"#),
        ("7", "error: B is NULL"),
        ("x, 20240229, x", "error: A: cannot cast \"x\" to INTEGER"),
    ];
    check(call, "a INTEGER, t DATE, b VARCHAR(8)", "t.r.A, t.r.T, t.r.B", &cases);
}

#[test]
fn system_logs() {
    let cases = [
        ("Oct 11 22:14:15 mymachine su: failed", r#"["2025-10-11 22:14:15.000","mymachine su: failed"]"#),
        ("<34>Jan  1 09:00:00 m", r#"["2026-01-01 09:00:00.000","m"]"#),
        ("yesterday", "[null,null]"),
        ("NULL", "[null,null]"),
    ];
    check("SYS_LOG_PARSE(LINE)", "t TIMESTAMP, m VARCHAR(64)", "t.r.COLUMN1, t.r.COLUMN2", &cases);
}

/// The developer guide's example: what is longer than the columns is cut off.
#[test]
fn web_logs() {
    let sql = r#"CREATE OR REPLACE STREAM "O" (column1 VARCHAR(16), column2 VARCHAR(16), column3 VARCHAR(16), column4 VARCHAR(16),
            column5 VARCHAR(16), column6 VARCHAR(16), column7 VARCHAR(16));
        CREATE OR REPLACE PUMP "myPUMP" AS INSERT INTO "O"
        SELECT STREAM l.r.COLUMN1, l.r.COLUMN2, l.r.COLUMN3, l.r.COLUMN4, l.r.COLUMN5, l.r.COLUMN6, l.r.COLUMN7
        FROM (SELECT STREAM W3C_LOG_PARSE("LINE", 'COMMON') FROM "S") AS l(r);"#;
    let line = r#"192.168.254.30 - John [24/May/2004:22:01:02 -0700] "GET /icons/apache_pb.gif HTTP/1.1" 304 0"#;
    let expected = [
        r#"["192.168.254.30","-","John","[24/May/2004:22:","GET /icons/apach","304","0"]"#,
        "[null,null,null,null,null,null,null]",
    ];
    assert_eq!(run(sql, &[line, "GET /"]), expected);
}

#[test]
fn records_go_through_queries() {
    let head = "CREATE STREAM O (a VARCHAR(9), b VARCHAR(9)); CREATE PUMP P AS INSERT INTO O ";
    let cases = [
        // Handed on, renamed, by *, filtered by what it is.
        (
            "SELECT STREAM u.q.COLUMN1, q.COLUMN2 FROM (SELECT STREAM t.r AS q FROM
            (SELECT STREAM REGEX_LOG_PARSE(LINE, '(a)(.)') AS r FROM S) AS t) AS u WHERE u.q IS NOT NULL",
            &[r#"["a","b"]"#, r#"["a","c"]"#][..],
        ),
        (
            "SELECT STREAM l.r.COLUMN2, l.r.COLUMN1 FROM (SELECT STREAM * FROM
            (SELECT STREAM REGEX_LOG_PARSE(LINE, '(a)(.)') FROM S)) AS l(r) WHERE l.r.COLUMN2 = 'c'",
            &[r#"["c","a"]"#],
        ),
        // Two records, one of a text that is computed, beside a window.
        (
            "SELECT STREAM t.q.COLUMN1 || t.r.COLUMN1, CAST(c AS VARCHAR(9)) FROM (SELECT STREAM
            COUNT(*) OVER (ROWS 9 PRECEDING) AS c, REGEX_LOG_PARSE(LINE || 'z', '(.z)') AS q,
            REGEX_LOG_PARSE(LINE, '(.)') AS r FROM S WHERE LINE LIKE 'a%') AS t",
            &[r#"["bza","1"]"#, r#"["cza","2"]"#],
        ),
        // Groups over fields; rows with a ROWTIME of their own.
        (
            "SELECT STREAM t.r.COLUMN1, MAX(t.r.COLUMN2) FROM (SELECT STREAM
            REGEX_LOG_PARSE(LINE, '(a)(.)') AS r FROM S) AS t GROUP BY t.r.COLUMN1, FLOOR(t.ROWTIME TO HOUR)",
            &[r#"["a","c"]"#, "[null,null]"],
        ),
        (
            "SELECT STREAM t.r.COLUMN2, u FROM (SELECT STREAM S.ROWTIME AS ROWTIME, UPPER(LINE) AS u,
            REGEX_LOG_PARSE(LINE, '(a)(.)') AS r FROM S) AS t",
            &[r#"["b","AB"]"#, r#"[null,"X"]"#, r#"["c","AC"]"#],
        ),
        (
            "SELECT STREAM t.r.COLUMN2, NULL FROM (SELECT STREAM REGEX_LOG_PARSE(LINE, '(a)(.)') AS r FROM S
            ORDER BY FLOOR(S.ROWTIME TO HOUR), N DESC) AS t WHERE t.r.COLUMN1 = 'a'",
            &[r#"["c",null]"#, r#"["b",null]"#],
        ),
        // Beside another stream.
        (
            "SELECT STREAM t.r.COLUMN2, u.LINE FROM (SELECT STREAM N, REGEX_LOG_PARSE(LINE, '(a)(.)') AS r FROM S)
            OVER (RANGE INTERVAL '1' MINUTE PRECEDING) AS t JOIN S AS u ON t.N = u.N AND t.r IS NOT NULL",
            &[r#"["b","ab"]"#, r#"["c","ac"]"#],
        ),
        (
            "SELECT STREAM t.r.COLUMN2, u.r.COLUMN1 FROM (SELECT STREAM N, REGEX_LOG_PARSE(LINE, '(a)(.)') AS r FROM S)
            OVER (RANGE INTERVAL '1' MINUTE PRECEDING) AS t
            JOIN (SELECT STREAM N, REGEX_LOG_PARSE(LINE, '(.)$') AS r FROM S) AS u ON t.N = u.N",
            &[r#"["b","b"]"#, r#"[null,"x"]"#, r#"["c","c"]"#],
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(run(&format!("{head}{query}"), &["ab", "x", "ac"]), expected, "{query}");
    }
}

#[test]
fn many_fields() {
    let groups = "(.)".repeat(60);
    let sql = format!(
        "CREATE STREAM O (a VARCHAR(9)); CREATE PUMP P AS INSERT INTO O SELECT STREAM t.r.COLUMN60 FROM
         (SELECT STREAM REGEX_LOG_PARSE(LINE, '{groups}') AS r FROM S) AS t;"
    );
    assert_eq!(run(&sql, &[&format!("{}!", "x".repeat(59))]), [r#"["!"]"#]);
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let head = "CREATE STREAM O (a VARCHAR(9));\nCREATE PUMP P AS INSERT INTO O\n";
    let record = "(SELECT STREAM REGEX_LOG_PARSE(LINE, '(.)') AS r, LINE FROM S) AS t";
    let cases = [
        (format!("SELECT STREAM t.r FROM {record}"), 15, "of type RECORD"),
        (format!("SELECT STREAM t.r || 'x' FROM {record}"), 15, "A record cannot stand here"),
        (format!("SELECT STREAM 'x' FROM {record} WHERE t.r = 'x'"), 98, "A record cannot stand here"),
        (
            format!("SELECT STREAM t.r.COLUMN2 FROM {record}"),
            19,
            "Field 'COLUMN2' not found in record 'R': it has COLUMN1",
        ),
        (format!("SELECT STREAM t.LINE.COLUMN1 FROM {record}"), 22, "Column 'LINE' is no record"),
        (format!("SELECT STREAM t.x.COLUMN1 FROM {record}"), 15, "Column 'X' not found in table 'T'"),
        (format!("SELECT STREAM a.t.r.COLUMN1 FROM {record}"), 15, "no more parts"),
        (
            format!("SELECT STREAM MAX(t.r) FROM {record} GROUP BY FLOOR(t.ROWTIME TO DAY)"),
            19,
            "A record cannot stand here",
        ),
        (
            format!("SELECT STREAM 'x' FROM {record} GROUP BY FLOOR(t.ROWTIME TO DAY), t.r"),
            126,
            "A record cannot stand here",
        ),
        (format!("SELECT STREAM DISTINCT t.r, ROWTIME AS x FROM {record}"), 24, "A record cannot be DISTINCT"),
        (format!("SELECT STREAM r FROM {record} UNION ALL SELECT STREAM r FROM {record}"), 15, "Type mismatch"),
        (
            format!(
                "SELECT STREAM c FROM TABLE(GROUP_RANK(CURSOR(SELECT STREAM r FROM {record}), 'R', 'x', 'asc', 'asc', 0, 0))"
            ),
            60,
            "A record cannot go into a table function",
        ),
        (format!("SELECT STREAM t.r IN ('x') FROM {record}"), 15, "A record cannot stand here"),
        (format!("SELECT STREAM CAST(t.r AS VARCHAR(9)) FROM {record}"), 20, "A record cannot stand here"),
        (format!("SELECT STREAM CASE WHEN LINE = 'x' THEN t.r END FROM {record}"), 41, "A record cannot stand here"),
        ("SELECT STREAM UPPER(REGEX_LOG_PARSE(LINE, '(.)')) FROM S".into(), 21, "REGEX_LOG_PARSE returns a record"),
        ("SELECT STREAM LINE FROM S WHERE SYS_LOG_PARSE(LINE) IS NULL".into(), 33, "SYS_LOG_PARSE returns a record"),
        ("SELECT STREAM REGEX_LOG_PARSE(LINE, '(') FROM S".into(), 37, "unclosed group"),
        ("SELECT STREAM REGEX_LOG_PARSE(LINE, 'a') FROM S".into(), 37, "has no group"),
        ("SELECT STREAM REGEX_LOG_PARSE(LINE, LINE) FROM S".into(), 37, "expected a text literal"),
        ("SELECT STREAM REGEX_LOG_PARSE(LINE) FROM S".into(), 15, "expected 2 to 3"),
        ("SELECT STREAM REGEX_LOG_PARSE(N, '(.)') FROM S".into(), 31, "Cannot apply 'REGEX_LOG_PARSE'"),
        ("SELECT STREAM REGEX_LOG_PARSE(LINE, '(.)', 'a, b') FROM S".into(), 37, "column B has no group"),
        ("SELECT STREAM FAST_REGEX_LOG_PARSE(LINE, '(<Foo>)') FROM S".into(), 42, "<Foo>"),
        ("SELECT STREAM FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE INTEGER') FROM S".into(), 44, "expected START"),
        ("SELECT STREAM FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE FOO START 1') FROM S".into(), 44, "expecting: a type"),
        (
            "SELECT STREAM FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE INT START 1, A TYPE INT START 2') FROM S".into(),
            44,
            "twice",
        ),
        (
            "SELECT STREAM FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE INT ''yyyy'' START 1') FROM S".into(),
            44,
            "have a format",
        ),
        (
            "SELECT STREAM FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE DATE ''Q'' START 1') FROM S".into(),
            44,
            "unknown letter Q",
        ),
        ("SELECT STREAM VARIABLE_COLUMN_LOG_PARSE(LINE, 0, ',') FROM S".into(), 47, "above 0"),
        ("SELECT STREAM VARIABLE_COLUMN_LOG_PARSE(LINE, 9999, ',') FROM S".into(), 47, "1000 are allowed"),
        ("SELECT STREAM VARIABLE_COLUMN_LOG_PARSE(LINE, 3, '') FROM S".into(), 50, "the delimiter is empty"),
        ("SELECT STREAM VARIABLE_COLUMN_LOG_PARSE(LINE, 3, ',', '', 'abc') FROM S".into(), 59, "one or two characters"),
        ("SELECT STREAM W3C_LOG_PARSE(LINE, 'COMBINED') FROM S".into(), 35, "NCSA EXTENDED"),
        ("SELECT STREAM W3C_LOG_PARSE(LINE, '%h %Q') FROM S".into(), 35, "unknown specifier %Q"),
    ];
    for (query, column, part) in &cases {
        check_error(&format!("{head}{query};"), 3, *column, part);
    }
}

#[test]
fn patterns_of_dates_are_read_with_the_script() {
    let head = "CREATE STREAM O (a TIMESTAMP);\nCREATE PUMP P AS INSERT INTO O\n";
    check_error(
        &format!("{head}SELECT STREAM CHAR_TO_TIMESTAMP('yyyy-MM-ddThh', LINE) FROM S;"),
        3,
        33,
        "unknown letter T",
    );
    let sql = format!("{head}SELECT STREAM CHAR_TO_TIMESTAMP('MM/dd/yy hh:mm:ss', LINE) FROM S;");
    let expected = [
        r#"["2011-09-16 03:15:24.000"]"#,
        "error: \"2009/09/16 03:15:24\" does not match the pattern \"MM/dd/yy hh:mm:ss\"",
    ];
    assert_eq!(run(&sql, &["09/16/11 03:15:24", "2009/09/16 03:15:24"]), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a format is, it is refused or read; whatever a line is, it gives a row or an error.
    #[test]
    fn any_format_and_any_line(
        format in "[%hbrtui{}\\[\\]\"\\\\(). *+?|&<>A-C019,^$@#_=!äö'-]{0,24}",
        place in 0..30u32,
        line in "[a-cA-C0-9 ,\"\\\\\\[\\]:/%_äö=-]{0,40}",
    ) {
        let format = format.replace('\'', "''");
        let calls = [
            format!("REGEX_LOG_PARSE(LINE, '{format}')"),
            format!("FAST_REGEX_LOG_PARSE(LINE, '({format})x*')"),
            format!("FAST_REGEX_LOG_PARSE(LINE, '{format}(.*)')"),
            format!("W3C_LOG_PARSE(LINE, '{format}')"),
            format!("W3C_LOG_PARSE(LINE, '%h \"%r\" {format}%u')"),
            format!("VARIABLE_COLUMN_LOG_PARSE(LINE, 3, '{format}', '{format}', '\"')"),
            "VARIABLE_COLUMN_LOG_PARSE(LINE, 3, ',', '\\', '[]')".to_owned(),
            format!("VARIABLE_COLUMN_LOG_PARSE(LINE, '{format}', ',')"),
            format!("FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE VARCHAR(3) START {place} FOR 2, B TYPE DOUBLE START {place}')"),
            format!("FIXED_COLUMN_LOG_PARSE(LINE, 'A TYPE TIMESTAMP ''{}'' START 0')", format.replace('\'', "''")),
            "SYS_LOG_PARSE(LINE)".to_owned(),
        ];
        for call in calls {
            let sql = format!(
                "CREATE STREAM O (a INTEGER); CREATE PUMP P AS INSERT INTO O
                 SELECT STREAM N FROM (SELECT STREAM N, {call} AS r FROM S) AS t;"
            );
            if compile(&sql).is_ok() {
                assert_eq!(run(&sql, &[&line, &format!("Oct {line}")]).len(), 2, "{sql}");
            }
        }
    }
}

#[test]
fn large_formats_are_refused_or_run() {
    for pattern in [
        "(".repeat(40_000),
        "(a{1000}){1000}".to_owned(),
        format!("{}a{}", "(".repeat(49), "{9}){9}".repeat(49)),
        format!("({}.*)", "<1-1000>".repeat(900)),
        format!("({})", "[".repeat(40_000)),
        "(.*)".repeat(900),
        "(.*)".repeat(9_000),
        format!("({})", "a|".repeat(20_000)),
        format!("(a{})", "*".repeat(20_000)),
    ] {
        for call in ["FAST_REGEX_LOG_PARSE", "REGEX_LOG_PARSE"] {
            let sql = format!(
                "CREATE STREAM O (a INTEGER); CREATE PUMP P AS INSERT INTO O
                 SELECT STREAM N FROM (SELECT STREAM N, {call}(LINE, '{pattern}') AS r FROM S) AS t;"
            );
            if compile(&sql).is_ok() {
                assert_eq!(run(&sql, &["aaa"]).len(), 1);
            }
        }
    }
}
