//! Statements, operators and functions as the pages of the SQL reference describe them.
#![allow(missing_docs)]

use stream_sql::{Application, Event, InputSchema, Origin, SqlError, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "K", "SqlType": "VARCHAR(8)", "Mapping": "$.k"}, {"Name": "N", "SqlType": "INTEGER", "Mapping": "$.n"},
    {"Name": "F", "SqlType": "DOUBLE", "Mapping": "$.f"}, {"Name": "T", "SqlType": "TIMESTAMP", "Mapping": "$.t"}]}"#;

fn compile(sql: &str) -> Result<Application, SqlError> {
    let schema: InputSchema = serde_json::from_str(SCHEMA).unwrap();
    Application::compile(sql, &[schema.source("S").unwrap()], &[])
}

/// What happens at a time: a record, or nothing earlier will come.
type Step<'a> = (i64, Option<&'a str>);

/// Runs a script over records; `stream ROWTIME row` of each row. The state is stored and loaded between any two events, or not: both
/// must agree.
fn run(sql: &str, steps: &[Step<'_>]) -> (Vec<String>, State) {
    let application = compile(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let mut runs = [false, true].map(|reload| {
        let (mut state, mut rows) = (State::default(), Vec::new());
        for (time, record) in steps {
            let origin = Origin { partition_key: "pk", sequence_number: "42", shard_id: "shardId-0" };
            let event = match record {
                Some(record) => Event::Record {
                    source: 0,
                    rowtime: *time,
                    arrival: *time - 1,
                    origin: (*time != 1).then_some(origin),
                    bytes: record.as_bytes(),
                },
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

/// `(type, expression, JSON)`: what an expression is, in a column of that type; `error` where its row fails.
fn values(prelude: &str, cases: &[(&str, &str, &str)]) {
    let record = r#"{"k":"abc","n":7,"f":2.5,"t":"2004-09-30 13:48:23.123"}"#;
    for (sql_type, expr, expected) in cases {
        let sql = format!(
            "{prelude} CREATE STREAM o (v {sql_type}); CREATE PUMP p AS INSERT INTO o SELECT STREAM {expr} FROM s;"
        );
        let (rows, _) = run(&sql, &[(60_000, Some(record))]);
        let shown = match &rows[..] {
            [row] => row.strip_prefix(r#"O 60000 {"V":"#).and_then(|row| row.strip_suffix('}')).unwrap_or("error"),
            _ => "no row",
        };
        assert_eq!(shown, *expected, "{expr} as {sql_type}: {rows:?}");
    }
}

/// `(script, place, part of the message)`
fn refused(cases: &[(&str, (u32, u32), &str)]) {
    for (sql, place, message) in cases {
        let error = compile(sql).map(|_| ()).expect_err(sql);
        assert!(error.to_string().contains(message), "{sql}\n{error}");
        assert_eq!((error.line, error.column), *place, "{sql}\n{error}");
    }
}

#[test]
fn functions_of_the_script() {
    let prelude = "CREATE FUNCTION double_it(x INTEGER) RETURNS BIGINT CONTAINS SQL RETURNS NULL ON NULL INPUT RETURN x + x;
        CREATE OR REPLACE FUNCTION four(x INTEGER) RETURNS INTEGER LANGUAGE SQL NOT DETERMINISTIC RETURN CAST(double_it(x) AS INTEGER) * 2;
        CREATE FUNCTION or_zero(x INTEGER) RETURNS INTEGER CALLED ON NULL INPUT RETURN COALESCE(x, 0);
        CREATE FUNCTION name_of(x INTEGER) RETURNS VARCHAR(20) SPECIFIC name_of_1 RETURN 'whole ' || CAST(x AS VARCHAR(9));
        CREATE FUNCTION name_of(x VARCHAR(8)) RETURNS VARCHAR(20) RETURN ('text ' || x);
        CREATE FUNCTION pi() RETURNS DOUBLE RETURN 3.25;
        CREATE FUNCTION tsdiff(a INTEGER, b INTEGER) RETURNS INTEGER RETURN a - b;
        CREATE FUNCTION early(t TIMESTAMP) RETURNS TIMESTAMP RETURN FLOOR(t TO DAY);";
    values(
        prelude,
        &[
            ("BIGINT", "double_it(n)", "14"),
            ("BIGINT", "DOUBLE_IT(NULLIF(n, 7))", "null"),
            ("INTEGER", "four(n + 1)", "32"),
            ("INTEGER", "or_zero(NULLIF(n, 7)) + or_zero(5)", "5"),
            ("VARCHAR(20)", "name_of(n)", r#""whole 7""#),
            ("VARCHAR(20)", "name_of(k)", r#""text abc""#),
            ("DOUBLE", "pi() * 2", "6.5"),
            ("INTEGER", "tsdiff(9, n)", "2"),
            ("BIGINT", "four(four(four(four(n))))", "1792"),
            ("TIMESTAMP", "early(t)", r#""2004-09-30 00:00:00.000""#),
        ],
    );
    let many = "four(".repeat(20) + "0" + &")".repeat(20);
    values(prelude, &[("BIGINT", &many, "0")]);
}

#[test]
fn a_function_of_rowtime_is_monotonic() {
    let sql = "CREATE FUNCTION tenth(t TIMESTAMP) RETURNS TIMESTAMP RETURN STEP(t BY INTERVAL '10' SECOND);
        CREATE STREAM o (n BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM COUNT(*) FROM s GROUP BY tenth(s.ROWTIME);";
    check(sql, &[(1, Some("{}")), (9_999, Some("{}")), (10_000, Some("{}"))], &[r#"O 10000 {"N":2}"#]);
}

#[test]
fn functions_that_are_refused() {
    let call = |functions: &str, call: &str| {
        format!("{functions}\nCREATE STREAM o (v INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM\n{call} FROM s")
    };
    let f = "CREATE FUNCTION f(x INTEGER) RETURNS INTEGER RETURN x;";
    let recursive = "CREATE FUNCTION f(x INTEGER) RETURNS INTEGER RETURN f(x);";
    let mut deep = String::from("CREATE FUNCTION f0(x INTEGER) RETURNS INTEGER RETURN x + 1;");
    let mut wide = deep.clone();
    for i in 1..200 {
        deep += &format!("\nCREATE FUNCTION f{i}(x INTEGER) RETURNS INTEGER RETURN f{}(x);", i - 1);
        wide += &format!("\nCREATE FUNCTION f{i}(x INTEGER) RETURNS INTEGER RETURN f{0}(x) + f{0}(x);", i - 1);
    }
    for (sql, place, message) in [
        (call(f, "f('a')"), (3, 1), "No match found for function signature F(<CHARACTER>)"),
        (call(f, "f(1, 2)"), (3, 1), "No match found for function signature F(<NUMERIC>, <NUMERIC>)"),
        (call(f, "g(1)"), (3, 1), "No match found for function signature G(<NUMERIC>)"),
        (call(recursive, "1"), (1, 53), "No match found for function signature F(<NUMERIC>)"),
        (call(&format!("{f}\n{f}"), "1"), (2, 17), "Function 'F' already exists"),
        (call("CREATE FUNCTION f(x INTEGER) RETURNS INTEGER RETURN y;", "1"), (1, 53), "Column 'Y' not found"),
        (call("CREATE FUNCTION f(x INTEGER) RETURNS INTEGER RETURN 'a';", "1"), (1, 53), "returns INTEGER"),
        (
            call("CREATE FUNCTION f(x INTEGER) RETURNS INTEGER RETURN SUM(x);", "1"),
            (1, 53),
            "Aggregate expression SUM is illegal",
        ),
        (call("CREATE FUNCTION f() RETURNS TIMESTAMP RETURN ROWTIME;", "1"), (1, 46), "ROWTIME"),
        (
            call("CREATE FUNCTION f(x INTEGER, X INTEGER) RETURNS INTEGER RETURN x;", "1"),
            (1, 30),
            "Duplicate name 'X' in parameter list",
        ),
        (call("CREATE FUNCTION step(x INTEGER) RETURNS INTEGER RETURN x;", "1"), (1, 17), "built in"),
        (call(&deep, "1"), (96, 55), "deeper than 96 levels, with the functions it calls"),
        (call(&wide, "1"), (15, 55), "larger than 100000 nodes"),
    ] {
        refused(&[(&sql, place, message)]);
    }
}

#[test]
fn what_is_replaced_is_as_if_it_were_not_there() {
    let sql = "CREATE STREAM o (a INTEGER); CREATE OR REPLACE STREAM o (b VARCHAR(8)) DESCRIPTION 'the other one';
        CREATE PUMP p AS INSERT INTO o SELECT STREAM n FROM s;
        CREATE FUNCTION f(x INTEGER) RETURNS INTEGER RETURN 1;
        CREATE OR REPLACE FUNCTION f(x INTEGER) RETURNS INTEGER RETURN 2;
        CREATE OR REPLACE PUMP p AS INSERT EXPEDITED INTO o SELECT STREAM k || CAST(f(1) AS VARCHAR(1)) FROM s;";
    check(sql, &[(1, Some(r#"{"k":"a"}"#))], &[r#"O 1 {"B":"a2"}"#]);
}

#[test]
fn a_stopped_pump_does_nothing_and_is_known() {
    let sql = "CREATE STREAM o (a INTEGER); CREATE PUMP p STOPPED AS INSERT INTO o SELECT STREAM 1 / 0 FROM s;
        CREATE PUMP q AS INSERT INTO o SELECT STREAM n FROM s;";
    check(sql, &[(5, Some(r#"{"n":1}"#))], &[r#"O 5 {"A":1}"#]);
    assert_eq!(compile(sql).unwrap().stopped_pumps(), ["P"]);
    let wrong = "CREATE STREAM o (a INTEGER); CREATE PUMP p STOPPED AS INSERT INTO o SELECT STREAM m FROM s;";
    refused(&[(wrong, (1, 83), "Column 'M' not found")]);
}

#[test]
fn statements_that_are_refused() {
    let pump = "CREATE STREAM o (a INTEGER); CREATE PUMP p AS INSERT INTO o\n";
    let set = |query: &str| format!("{pump}{query}");
    for (sql, place, message) in [
        ("ALTER PUMP p START".to_owned(), (1, 1), "ALTER"),
        ("CREATE STREAM a (x INTEGER); DROP STREAM a".to_owned(), (1, 30), "DROP"),
        ("CREATE OR REPLACE STREAM a RENAME b".to_owned(), (1, 28), "RENAME is not supported"),
        (set("VALUES (1)"), (2, 1), "VALUES is not supported"),
        (set("SELECT STREAM n FROM s UNION SELECT STREAM n FROM s"), (2, 24), "UNION is not supported"),
        (set("SELECT STREAM n FROM s EXCEPT ALL SELECT STREAM n FROM s"), (2, 24), "EXCEPT ALL is not supported"),
        (set("SELECT STREAM n FROM s INTERSECT SELECT STREAM n FROM s"), (2, 24), "INTERSECT is not supported"),
        (
            set("SELECT STREAM n FROM s UNION ALL SELECT STREAM n, k FROM s"),
            (2, 48),
            "Column count mismatch in UNION ALL",
        ),
        (
            set("SELECT STREAM n FROM s UNION ALL SELECT STREAM k FROM s"),
            (2, 15),
            "Type mismatch in column 1 of UNION ALL",
        ),
        (set("SELECT STREAM n FROM s ORDER BY ROWTIME UNION ALL SELECT STREAM n FROM s"), (2, 41), "UNION"),
        (set("SELECT STREAM n FROM s WHERE n IN (SELECT n FROM s)"), (2, 36), "IN with a query is not supported"),
        (set("SELECT STREAM n FROM s WHERE EXISTS (SELECT n FROM s)"), (2, 30), "EXISTS is not supported"),
        (set("SELECT STREAM n FROM s ORDER BY n"), (2, 24), "monotonic"),
        (set("SELECT STREAM n FROM s ORDER BY ROWTIME, 3"), (2, 42), "Ordinal out of range"),
    ] {
        refused(&[(&sql, place, message)]);
    }
}

#[test]
fn union_all_is_one_stream_by_rowtime() {
    let sql = "CREATE STREAM o (w VARCHAR(8), d DECIMAL(8,2));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM k, n FROM s WHERE n > 1
        UNION ALL SELECT STREAM 'sum', CAST(SUM(n) AS DECIMAL(6,2)) FROM s GROUP BY FLOOR(s.ROWTIME TO SECOND)
        UNION ALL (SELECT STREAM 'null', NULL FROM s WHERE n = 3);";
    let steps = [
        (100, Some(r#"{"k":"a","n":2}"#)),
        (1_500, Some(r#"{"k":"b","n":3}"#)),
        (1_600, Some(r#"{"k":"c","n":1}"#)),
        (9_000, None),
    ];
    let expected = [
        r#"O 100 {"W":"a","D":2.00}"#,
        r#"O 1000 {"W":"sum","D":2.00}"#,
        r#"O 1500 {"W":"b","D":3.00}"#,
        r#"O 1500 {"W":"null","D":null}"#,
        r#"O 2000 {"W":"sum","D":4.00}"#,
    ];
    check(sql, &steps, &expected);
    let ordered = "CREATE STREAM o (x INTEGER, y VARCHAR(8));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM n AS x, k AS y FROM s
        UNION ALL SELECT STREAM n + 1, 'b' FROM s ORDER BY ROWTIME, MOD(x, 5), 2 DESC;";
    let steps = [(1, Some(r#"{"k":"a","n":4}"#)), (1, Some(r#"{"k":"c","n":5}"#)), (2, None)];
    let expected =
        [r#"O 2 {"X":5,"Y":"c"}"#, r#"O 2 {"X":5,"Y":"b"}"#, r#"O 2 {"X":6,"Y":"b"}"#, r#"O 2 {"X":4,"Y":"a"}"#];
    check(ordered, &steps, &expected);
}

#[test]
fn order_by_within_puts_rows_in_the_order_of_a_time_of_their_own() {
    let sql = "CREATE STREAM o (k VARCHAR(8)); CREATE STREAM c (n BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM k, t AS ROWTIME FROM s ORDER BY t WITHIN INTERVAL '2' SECOND;
        CREATE PUMP q AS INSERT INTO c SELECT STREAM COUNT(*) FROM o GROUP BY FLOOR(o.ROWTIME TO SECOND);";
    let row = |k: &str, t: &str| format!(r#"{{"k":"{k}","t":"1970-01-01 00:00:{t}"}}"#);
    let records = [
        row("a", "10.000"),
        row("b", "09.000"),
        row("c", "11.500"),
        row("late", "09.400"),
        r#"{"k":"null"}"#.to_owned(),
        row("d", "11.000"),
        row("e", "13.500"),
        row("f", "20.000"),
    ];
    let steps: Vec<Step<'_>> = (900_000..).zip(&records).map(|(time, record)| (time, Some(record.as_str()))).collect();
    let (rows, state) = run(sql, &steps);
    let shown: Vec<&str> = rows.iter().map(|row| row.as_str()).filter(|row| !row.starts_with("error")).collect();
    let expected = [
        r#"O 9000 {"K":"b"}"#,
        r#"C 10000 {"N":1}"#,
        r#"O 10000 {"K":"a"}"#,
        r#"C 11000 {"N":1}"#,
        r#"O 11000 {"K":"d"}"#,
        r#"O 11500 {"K":"c"}"#,
        r#"C 12000 {"N":2}"#,
        r#"O 13500 {"K":"e"}"#,
        r#"C 14000 {"N":1}"#,
    ];
    assert_eq!(shown, expected);
    assert_eq!((state.counters.late, state.counters.errors), (1, 1));
    let pump = "CREATE STREAM o (k VARCHAR(8)); CREATE PUMP p AS INSERT INTO o\nSELECT STREAM k, t AS ROWTIME FROM s ORDER BY ";
    for (order, column, message) in [
        ("t DESC WITHIN INTERVAL '2' SECOND", 47, "DESC"),
        ("n WITHIN INTERVAL '2' SECOND", 47, "takes a TIMESTAMP, not INTEGER"),
        ("FLOOR(t TO DAY) WITHIN INTERVAL '2' SECOND", 47, "AS ROWTIME"),
        ("t WITHIN 2", 56, "INTERVAL literal"),
        ("t WITHIN INTERVAL '1' MONTH", 56, "INTERVAL literal"),
    ] {
        refused(&[(&format!("{pump}{order}"), (2, column), message)]);
    }
}

#[test]
fn a_rowtime_of_a_query_in_from_moves_what_reads_it() {
    let sql = "CREATE STREAM o (n BIGINT); CREATE PUMP p AS INSERT INTO o
        SELECT STREAM COUNT(*) FROM (SELECT STREAM t AS ROWTIME, k FROM s) AS q GROUP BY FLOOR(q.ROWTIME TO SECOND);";
    let row = |t: &str| format!(r#"{{"t":"1970-01-01 00:00:{t}"}}"#);
    let records = [row("01.000"), row("01.500"), row("03.000"), row("02.000"), row("05.000")];
    let steps: Vec<Step<'_>> = (900_000..).zip(&records).map(|(time, record)| (time, Some(record.as_str()))).collect();
    let (rows, state) = run(sql, &steps);
    assert_eq!(rows[0], r#"O 2000 {"N":2}"#);
    assert_eq!(rows[2], r#"O 4000 {"N":1}"#);
    assert_eq!(state.counters.late, 1);
}

#[test]
fn windows_over_windows_keep_their_bounds() {
    let sql =
        "CREATE STREAM o (n BIGINT, m BIGINT); CREATE PUMP p AS INSERT INTO o SELECT STREAM COUNT(*), SUM(q.c) FROM
        (SELECT STREAM COUNT(*) AS c FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '10' SECOND)) AS q
        GROUP BY FLOOR(q.ROWTIME TO MINUTE);";
    let steps: Vec<Step<'_>> = (0..13).map(|i| (i * 10_000, Some("{}"))).collect();
    check(sql, &steps, &[r#"O 60000 {"N":5,"M":5}"#, r#"O 120000 {"N":6,"M":6}"#]);
}

#[test]
fn order_by_takes_places_names_and_distinct() {
    let sql = "CREATE STREAM o (k VARCHAR(8), n INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM k AS name, n FROM s ORDER BY FLOOR(s.ROWTIME TO SECOND), name DESC, 2;";
    let record = |k: &str, n: i32| format!(r#"{{"k":"{k}","n":{n}}}"#);
    let records = [record("a", 1), record("b", 3), record("b", 2), record("b", 2)];
    let steps: Vec<Step<'_>> = records.iter().map(|record| (7, Some(record.as_str()))).chain([(2_000, None)]).collect();
    let expected = [
        r#"O 1000 {"K":"b","N":2}"#,
        r#"O 1000 {"K":"b","N":2}"#,
        r#"O 1000 {"K":"b","N":3}"#,
        r#"O 1000 {"K":"a","N":1}"#,
    ];
    check(sql, &steps, &expected);
    let distinct = "CREATE STREAM o (r TIMESTAMP, k VARCHAR(8));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM DISTINCT ROWTIME, k FROM s ORDER BY ROWTIME, k DESC;";
    let expected = [r#"O 8 {"R":"1970-01-01 00:00:00.007","K":"b"}"#, r#"O 8 {"R":"1970-01-01 00:00:00.007","K":"a"}"#];
    check(distinct, &steps, &expected);
}

#[test]
fn sources_have_system_columns() {
    let sql = r#"CREATE STREAM o (a TIMESTAMP, p VARCHAR(512), q VARCHAR(128), h VARCHAR(64));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM s.APPROXIMATE_ARRIVAL_TIME, "PARTITION_KEY", sequence_number, s.SHARD_ID FROM s;"#;
    let expected = [
        r#"O 1 {"A":"1970-01-01 00:00:00.000","P":null,"Q":null,"H":null}"#,
        r#"O 2 {"A":"1970-01-01 00:00:00.001","P":"pk","Q":"42","H":"shardId-0"}"#,
    ];
    check(sql, &[(1, Some("{}")), (2, Some("{}"))], &expected);
    let all = "CREATE STREAM o (k VARCHAR(8), n INTEGER, f DOUBLE, t TIMESTAMP);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM * FROM s;";
    check(all, &[(2, Some("{}"))], &[r#"O 2 {"K":null,"N":null,"F":null,"T":null}"#]);
}

#[test]
fn a_record_that_does_not_coerce_is_in_error_stream_with_its_data() {
    let sql = "CREATE STREAM o (k VARCHAR(8), n INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM k, n FROM s;";
    let bad = r#"{"k":"a","n":"many"}"#;
    let (rows, state) =
        run(sql, &[(1, Some(&format!(r#"{{"k":"longer than eight"}} {bad} {{"k":"b"}}"#))), (2, Some("x"))]);
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(rows[0], r#"O 1 {"K":"longer t","N":null}"#);
    let error = rows[1].strip_prefix("error_stream 1 ").unwrap();
    let expected = format!(
        r#"{{"ERROR_TIME":"1970-01-01 00:00:00.001","ERROR_LEVEL":"ERROR","ERROR_NAME":"ROW_ERROR","MESSAGE":"column \"N\": the value is no INTEGER","DATA_ROWTIME":"1970-01-01 00:00:00.001","DATA_ROW":"{}","PUMP_NAME":null}}"#,
        hex(bad)
    );
    assert_eq!(error, expected);
    assert_eq!(rows[2], r#"O 1 {"K":"b","N":null}"#);
    assert!(rows[3].contains(&format!(r#""DATA_ROW":"{}""#, hex("x"))), "{}", rows[3]);
    let counters = state.counters;
    assert_eq!((counters.rows, counters.errors, counters.truncated), (4, 2, 1));
}

#[test]
fn numeric_functions() {
    values(
        "",
        &[
            ("DECIMAL(4,1)", "ABS(-2.5)", "2.5"),
            ("INTEGER", "ABS(n - 10)", "3"),
            ("VARCHAR(9)", "CAST(ABS(INTERVAL '-3' DAY) AS VARCHAR(9))", r#""+3""#),
            ("INTEGER", "CEIL(2)", "2"),
            ("INTEGER", "CEILING(-1.2)", "-1"),
            ("INTEGER", "CEIL(1.8)", "2"),
            ("DOUBLE", "FLOOR(f)", "2.0"),
            ("DOUBLE", "FLOOR(-f)", "-3.0"),
            ("INTEGER", "FLOOR(1.8)", "1"),
            ("DOUBLE", "EXP(1)", "2.718281828459045"),
            ("DOUBLE", "EXP(0)", "1.0"),
            ("DOUBLE", "LN(1)", "0.0"),
            ("DOUBLE", "LN(0)", "error"),
            ("DOUBLE", "LOG10(100)", "2.0"),
            ("DOUBLE", "LOG10(CAST('23' AS DECIMAL))", "1.3617278360175928"),
            ("INTEGER", "MOD(4, 2)", "0"),
            ("INTEGER", "MOD(5, 3)", "2"),
            ("INTEGER", "MOD(-4, 3)", "-1"),
            ("INTEGER", "MOD(5, 12)", "5"),
            ("INTEGER", "MOD(n, 0)", "error"),
            ("DOUBLE", "POWER(3, 2)", "9.0"),
            ("DOUBLE", "POWER(-2, 3)", "-8.0"),
            ("DOUBLE", "POWER(4, -2)", "0.0625"),
            ("INTEGER", "STEP(26 BY 8)", "24"),
            ("INTEGER", "STEP(n BY 0)", "error"),
            ("INTEGER", "7 / 2", "3"),
            ("INTEGER", "-7 / 2", "-3"),
            ("DECIMAL(18,12)", "5.0 / 2", "2.500000000000"),
            ("DOUBLE", "f / 0", "error"),
            ("INTEGER", "n / (n - 7)", "error"),
            ("BIGINT", "9223372036854775807 + n", "error"),
            ("TINYINT", "n * 100", "error"),
            ("INTEGER", "n + 2147483647", "error"),
            ("BIGINT", "n + 2147483647", "2147483654"),
            ("DOUBLE", "1.5E0 + 1", "2.5"),
            ("DOUBLE", ".5E1", "5.0"),
            ("BOOLEAN", "1 = 1.0 AND 1.0 = 1E0", "true"),
            ("INTEGER", "- - 2", "2"),
            ("INTEGER", "2 + 3 * 4 - 10 / 5", "12"),
        ],
    );
}

#[test]
fn string_functions() {
    values(
        "",
        &[
            ("INTEGER", "CHAR_LENGTH('one')", "3"),
            ("INTEGER", "CHAR_LENGTH('')", "0"),
            ("INTEGER", "CHARACTER_LENGTH(CAST(NULL AS VARCHAR(16)))", "null"),
            ("INTEGER", "CHARACTER_LENGTH(CAST('fred' AS CHAR(16)))", "16"),
            ("VARCHAR(40)", "INITCAP('Each FIRST lEtTeR is cApItAlIzEd')", r#""Each First Letter Is Capitalized""#),
            ("VARCHAR(20)", "LOWER('abcDEFghi123')", r#""abcdefghi123""#),
            ("VARCHAR(20)", "UPPER('abcDEFghi123')", r#""ABCDEFGHI123""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM 1)", r#""foo45""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM 0)", r#""foo345""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM -2)", r#""foo12345""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM 4)", r#""123foo""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM 17)", r#""12345foo""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM 2 FOR 0)", r#""1foo2345""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM 2 FOR 2)", r#""1foo45""#),
            ("VARCHAR(20)", "OVERLAY('12345' PLACING 'foo' FROM 2 FOR 9)", r#""1foo""#),
            ("INTEGER", "POSITION('findme' IN '1234findmeXXX')", "5"),
            ("INTEGER", "POSITION('findme' IN '1234not-hereXXX')", "0"),
            ("INTEGER", "POSITION('1' IN '1234findmeXXX')", "1"),
            ("INTEGER", "POSITION('x' IN '1234findmeXXX')", "0"),
            ("INTEGER", "POSITION('' IN k)", "1"),
            ("VARCHAR(20)", "SUBSTRING('123456789' FROM 3 FOR 4)", r#""3456""#),
            ("VARCHAR(20)", "SUBSTRING('123456789' FROM 17 FOR 4)", r#""""#),
            ("VARCHAR(20)", "SUBSTRING('123456789' FROM -1 FOR 4)", r#""12""#),
            ("VARCHAR(20)", "SUBSTRING('123456789' FROM 6 FOR 0)", r#""""#),
            ("VARCHAR(20)", "SUBSTRING('123456789', 8, 4)", r#""89""#),
            ("VARCHAR(20)", "SUBSTRING('TECHNOLOGY' FROM 'L[A-Z]*')", r#""LOGY""#),
            ("VARCHAR(20)", "SUBSTRING('TECHNOLOGY' FROM 'FOO')", "null"),
            ("VARCHAR(20)", "SUBSTRING('TECHNOLOGY' FROM 'O[A-Z]')", r#""OL""#),
            ("VARCHAR(20)", r#"SUBSTRING('123456789' SIMILAR '23#"456#"78' ESCAPE '#')"#, r#""456""#),
            ("VARCHAR(20)", r#"SUBSTRING('TECHNOLOGY' SIMILAR 'TECH%"NOLOGY%"' ESCAPE '%')"#, r#""NOLOGY""#),
            ("VARCHAR(20)", "TRIM(BOTH FROM '  both  ') || '|'", r#""both|""#),
            ("VARCHAR(20)", "TRIM(LEADING 'x' FROM 'xxaxx')", r#""axx""#),
            ("VARCHAR(20)", "TRIM('x' FROM 'xxaxx')", r#""a""#),
            ("VARCHAR(20)", "TRIM(TRAILING FROM ' a ') || '|'", r#"" a|""#),
            ("VARCHAR(20)", "'a' || NULL || 'b'", "null"),
            ("VARCHAR(20)", "REGEX_REPLACE('fred', 'e', 'o', 1, 0)", r#""frod""#),
            ("VARCHAR(20)", "REGEX_REPLACE('fred', 'e', 'o', 9, 0)", r#""fred""#),
            ("VARCHAR(20)", "REGEX_REPLACE('fred', 'e', 'o', 0, 0)", "error"),
            ("VARCHAR(20)", "REGEX_REPLACE('fred', 'e', NULL, 1, 0)", "null"),
            ("VARCHAR(20)", "u&'can''t!0009' UESCAPE '!'", r#""can't\t""#),
            ("VARCHAR(20)", r"u&'back\\slash'", r#""back\\slash""#),
        ],
    );
}

#[test]
fn casts() {
    values(
        "",
        &[
            ("VARCHAR(20)", "CAST(DATE '2008-08-23' AS VARCHAR(10))", r#""2008-08-23""#),
            ("VARCHAR(20)", "CAST(DATE '2008-08-23' AS VARCHAR(9))", "error"),
            ("VARCHAR(20)", "CAST(DATE '2008-08-23' AS CHAR(12)) || '|'", r#""2008-08-23  |""#),
            ("INTEGER", "CAST(-2.49 AS INTEGER)", "-2"),
            ("INTEGER", "CAST(2.5 AS INTEGER)", "3"),
            ("TIMESTAMP", "CAST('2007-02-19 21:25:35' AS TIMESTAMP)", r#""2007-02-19 21:25:35.000""#),
            ("TIMESTAMP", "CAST('2007-02-19 21:25' AS TIMESTAMP)", "error"),
            ("TIMESTAMP", "CAST(DATE '2007-02-19' AS TIMESTAMP)", r#""2007-02-19 00:00:00.000""#),
            ("DATE", "CAST(t AS DATE)", r#""2004-09-30""#),
            ("TIME", "CAST(t AS TIME)", r#""13:48:23.123""#),
            ("BOOLEAN", "CAST('true' AS BOOLEAN)", "true"),
            ("VARCHAR(5)", "CAST(n > 1 AS VARCHAR(5))", r#""TRUE""#),
            ("INTEGER", "CAST(' 42 ' AS INTEGER)", "42"),
            ("INTEGER", "CAST('many' AS INTEGER)", "error"),
            ("BIGINT", "CAST(INTERVAL '3' DAY AS BIGINT)", "3"),
            ("DECIMAL(5,2)", "CAST(INTERVAL '120' MINUTE(3) AS DECIMAL(5,2))", "120.00"),
            ("VARCHAR(9)", "CAST(CAST('3:20' AS INTERVAL HOUR TO MINUTE) AS VARCHAR(9))", r#""+3:20""#),
            ("VARCHAR(9)", "CAST(CAST(INTERVAL '2' HOUR AS INTERVAL MINUTE) AS VARCHAR(9))", r#""+120""#),
            ("BIGINT", "CAST(CAST(k AS INTERVAL DAY) AS BIGINT)", "error"),
            ("BOOLEAN", "CAST('ab' AS CHAR(5)) = 'ab'", "true"),
            ("CHAR(5)", "k", r#""abc  ""#),
            ("SMALLINT", "CAST(40000 AS SMALLINT)", "error"),
            ("REAL", "CAST(f AS REAL)", "2.5"),
        ],
    );
}

#[test]
fn null_functions_and_logic() {
    values(
        "",
        &[
            ("VARCHAR(9)", "COALESCE('chair')", r#""chair""#),
            ("VARCHAR(9)", "COALESCE('chair', NULL, 'sofa')", r#""chair""#),
            ("VARCHAR(9)", "COALESCE(NULL, NULL, 'sofa')", r#""sofa""#),
            ("INTEGER", "COALESCE(NULL, 2, 5)", "2"),
            ("INTEGER", "NULLIF(4, 2)", "4"),
            ("INTEGER", "NULLIF(4, 4)", "null"),
            ("VARCHAR(9)", "NULLIF('amy', 'fred')", r#""amy""#),
            ("VARCHAR(9)", "NULLIF('amy', CAST(NULL AS VARCHAR(3)))", r#""amy""#),
            ("BOOLEAN", "TRUE AND UNKNOWN", "null"),
            ("BOOLEAN", "FALSE AND UNKNOWN", "false"),
            ("BOOLEAN", "TRUE OR UNKNOWN", "true"),
            ("BOOLEAN", "NOT UNKNOWN", "null"),
            ("BOOLEAN", "UNKNOWN IS UNKNOWN", "true"),
            ("BOOLEAN", "NULL IS NOT TRUE", "true"),
            ("BOOLEAN", "NULL IS NOT DISTINCT FROM NULL", "true"),
            ("BOOLEAN", "n IS DISTINCT FROM NULL", "true"),
            ("BOOLEAN", "n BETWEEN 7 AND 7", "true"),
            ("BOOLEAN", "n NOT BETWEEN 1 AND NULL", "null"),
            ("BOOLEAN", "n NOT BETWEEN 8 AND NULL", "true"),
            ("BOOLEAN", "n IN (1, NULL)", "null"),
            ("BOOLEAN", "n IN (7, NULL)", "true"),
            ("BOOLEAN", "n NOT IN (1, 2)", "true"),
            ("BOOLEAN", "k LIKE 'a_c'", "true"),
            ("BOOLEAN", "k LIKE 'A%'", "false"),
            ("BOOLEAN", "'10%' LIKE '10!%' ESCAPE '!'", "true"),
            ("BOOLEAN", "k SIMILAR TO '(a|b)+c'", "true"),
            ("BOOLEAN", "k SIMILAR TO 'b'", "false"),
            ("VARCHAR(9)", "CASE n WHEN 1 THEN 'one' WHEN 7 THEN 'seven' END", r#""seven""#),
            ("VARCHAR(9)", "CASE WHEN n > 7 THEN 'more' END", "null"),
        ],
    );
}

#[test]
fn datetimes_and_intervals() {
    let as_text = |interval: &str| format!("CAST({interval} AS VARCHAR(30))");
    for (interval, text) in [
        ("INTERVAL '1' DAY + INTERVAL '3' DAY", "+4"),
        ("INTERVAL '1' DAY + INTERVAL '3 4' DAY TO HOUR", "+4 04"),
        ("INTERVAL '1' DAY - INTERVAL '3 4' DAY TO HOUR", "-2 04"),
        ("INTERVAL '1' YEAR + INTERVAL '3-4' YEAR TO MONTH", "+4-04"),
        ("2 * INTERVAL '3 4' DAY TO HOUR", "+6 08"),
        ("INTERVAL '3 4' DAY TO HOUR / 2", "+1 14"),
        ("(TIME '12:03:34' - TIME '11:57:23') MINUTE TO SECOND", "+6:11"),
        ("(TIME '12:03:34' - TIME '11:57:23') SECOND", "+371"),
        ("(TIMESTAMP '2004-05-01 12:03:34' - TIMESTAMP '2004-04-29 11:57:23') DAY TO SECOND", "+2 00:06:11"),
        ("(TIMESTAMP '2004-05-01 12:03:34' - TIMESTAMP '2004-04-29 11:57:23') DAY TO HOUR", "+2 00"),
        ("(DATE '2004-12-02' - DATE '2003-12-01') DAY", "+367"),
        ("INTERVAL -'2' DAY", "-2"),
        ("INTERVAL '+59:59.999' MINUTE TO SECOND(3)", "+59:59.999"),
        ("FLOOR(INTERVAL '3:4:5' HOUR TO SECOND TO MINUTE)", "+3:04:00"),
    ] {
        values("", &[("VARCHAR(30)", &as_text(interval), &format!("\"{text}\""))]);
    }
    values(
        "",
        &[
            ("TIMESTAMP", "t + INTERVAL '1:30' HOUR TO MINUTE", r#""2004-09-30 15:18:23.123""#),
            ("TIMESTAMP", "INTERVAL '1' MONTH + t", r#""2004-10-30 13:48:23.123""#),
            ("TIMESTAMP", "TIMESTAMP '2024-01-31 00:00:00' + INTERVAL '1' MONTH", r#""2024-02-29 00:00:00.000""#),
            ("DATE", "DATE '2024-03-01' - INTERVAL '1' DAY", r#""2024-02-29""#),
            ("TIME", "TIME '23:59:00' + INTERVAL '2' MINUTE", r#""00:01:00.000""#),
            ("TIMESTAMP", "FLOOR(t TO YEAR)", r#""2004-01-01 00:00:00.000""#),
            ("TIMESTAMP", "FLOOR(t TO MONTH)", r#""2004-09-01 00:00:00.000""#),
            ("TIMESTAMP", "FLOOR(t TO DAY)", r#""2004-09-30 00:00:00.000""#),
            ("TIMESTAMP", "FLOOR(t TO HOUR)", r#""2004-09-30 13:00:00.000""#),
            ("TIMESTAMP", "FLOOR(t TO MINUTE)", r#""2004-09-30 13:48:00.000""#),
            ("TIMESTAMP", "FLOOR(t TO SECOND)", r#""2004-09-30 13:48:23.000""#),
            ("TIMESTAMP", "CEIL(t TO YEAR)", r#""2005-01-01 00:00:00.000""#),
            ("TIMESTAMP", "CEIL(t TO MONTH)", r#""2004-10-01 00:00:00.000""#),
            ("TIMESTAMP", "CEILING(t TO SECOND)", r#""2004-09-30 13:48:24.000""#),
            ("TIMESTAMP", "STEP(t BY INTERVAL '1' YEAR)", r#""2004-01-01 00:00:00.000""#),
            ("TIMESTAMP", "STEP(t BY INTERVAL '15' MINUTE)", r#""2004-09-30 13:45:00.000""#),
            ("TIMESTAMP", "STEP(t BY INTERVAL '10' SECOND)", r#""2004-09-30 13:48:20.000""#),
            ("BIGINT", "EXTRACT(DAY FROM INTERVAL '2 3:4:5.678' DAY TO SECOND)", "2"),
            ("BIGINT", "EXTRACT(HOUR FROM INTERVAL '2 3:4:5.678' DAY TO SECOND)", "3"),
            ("BIGINT", "EXTRACT(MINUTE FROM INTERVAL '2 3:4:5.678' DAY TO SECOND)", "4"),
            ("DECIMAL(5,3)", "EXTRACT(SECOND FROM INTERVAL '2 3:4:5.678' DAY TO SECOND)", "5.678"),
            ("BIGINT", "EXTRACT(YEAR FROM t) * 100 + EXTRACT(MONTH FROM t)", "200409"),
            ("DECIMAL(5,3)", "EXTRACT(SECOND FROM t)", "23.123"),
            ("BIGINT", "UNIX_TIMESTAMP(TO_TIMESTAMP(1234567890123))", "1234567890123"),
            ("BIGINT", "TSDIFF(TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 00:01:00')", "60000"),
            ("VARCHAR(30)", "TIMESTAMP_TO_CHAR('yyyy-MM-dd', NULL)", r#""null""#),
            ("TIMESTAMP", "CHAR_TO_TIMESTAMP('dd/MM/yyyy', '29/02/2024 and more')", r#""2024-02-29 00:00:00.000""#),
            ("TIMESTAMP", "CHAR_TO_TIMESTAMP('dd/MM/yyyy', 'never')", "error"),
            ("TIMESTAMP", "CURRENT_TIMESTAMP", r#""1970-01-01 00:01:00.000""#),
            ("DATE", "CURRENT_DATE", r#""1970-01-01""#),
            ("TIME", "LOCALTIME", r#""00:01:00.000""#),
            ("TIMESTAMP", "CURRENT_ROW_TIMESTAMP", r#""1970-01-01 00:01:00.000""#),
            ("BOOLEAN", "DATE '2024-01-01' = TIMESTAMP '2024-01-01 00:00:00'", "true"),
            ("BOOLEAN", "INTERVAL '1' HOUR = INTERVAL '60' MINUTE", "true"),
        ],
    );
}

#[test]
fn what_is_wrong_is_said_as_the_original_did() {
    let pump = "CREATE STREAM o (v INTEGER); CREATE PUMP p AS INSERT INTO o\n";
    for (query, column, message) in [
        ("SELECT STREAM x FROM s", 15, "Column 'X' not found in any table"),
        ("SELECT STREAM q.n FROM s", 15, "Table 'Q' not found"),
        ("SELECT STREAM s.x FROM s", 15, "Column 'X' not found in table 'S'"),
        ("SELECT STREAM n FROM missing", 22, "Table 'MISSING' not found"),
        ("SELECT STREAM n FORM s", 22, "Encountered \"S\" at line 2, column 22."),
        ("SELECT STREAM n, FROM s", 18, "Encountered \"FROM\" at line 2, column 18."),
        ("SELECT STREAM n FROM s WHERE", 29, "Encountered \"<EOF>\" at line 2, column 29."),
        ("SELECT STREAM n # 2 FROM s", 17, "Lexical error at line 2, column 17."),
        ("SELECT STREAM value FROM s", 15, "Encountered \"VALUE\" at line 2, column 15."),
        ("SELECT STREAM FOO(n, k) FROM s", 15, "No match found for function signature FOO(<NUMERIC>, <CHARACTER>)"),
        ("SELECT STREAM ABS(k) FROM s", 15, "Cannot apply 'ABS' to arguments of type 'ABS(<VARCHAR(8)>)'"),
        (
            "SELECT STREAM ABS(1, 2) FROM s",
            15,
            "Invalid number of arguments to function 'ABS'. Was expecting 1 arguments",
        ),
        ("SELECT STREAM n + k FROM s", 15, "Cannot apply '+' to arguments of type '<INTEGER> + <VARCHAR(8)>'"),
        ("SELECT STREAM n FROM s WHERE k = n", 30, "Cannot apply '=' to arguments of type '<VARCHAR(8)> = <INTEGER>'"),
        ("SELECT STREAM n FROM s WHERE NOT n", 30, "Cannot apply 'NOT' to arguments of type 'NOT<INTEGER>'"),
        ("SELECT STREAM n FROM s WHERE n LIKE 'a'", 30, "Cannot apply 'LIKE'"),
        ("SELECT STREAM n FROM s WHERE n IN (1, 'a')", 39, "Values passed to IN operator must have compatible types"),
        ("SELECT STREAM n FROM s WHERE n", 30, "WHERE clause must be a condition"),
        ("SELECT STREAM n FROM s WHERE COUNT(*) > 1", 30, "Aggregate expression is illegal in WHERE clause"),
        ("SELECT STREAM COUNT(*) FROM s GROUP BY SUM(n)", 40, "Aggregate expression is illegal in GROUP BY clause"),
        ("SELECT STREAM MAX(MIN(n)) FROM s GROUP BY s.ROWTIME", 19, "Aggregate expressions cannot be nested"),
        ("SELECT STREAM k FROM s GROUP BY FLOOR(s.ROWTIME TO DAY), n", 15, "Expression 'K' is not being grouped"),
        (
            "SELECT STREAM CASE WHEN TRUE THEN 1 ELSE 'a' END FROM s",
            15,
            "Illegal mixing of types in CASE or COALESCE statement",
        ),
        ("SELECT STREAM COALESCE(1, 'a') FROM s", 15, "Illegal mixing of types in CASE or COALESCE statement"),
        (
            "SELECT STREAM CAST(TRUE AS INTEGER) FROM s",
            15,
            "Cast function cannot convert value of type BOOLEAN to type INTEGER",
        ),
        ("SELECT STREAM TIME '25:00:00' FROM s", 15, "Illegal TIME literal '25:00:00': not in format 'HH:mm:ss'"),
        ("SELECT STREAM DATE '2024-01-01 ' FROM s", 15, "Illegal DATE literal '2024-01-01 '"),
        (
            "SELECT STREAM INTERVAL '120' SECOND FROM s",
            15,
            "Interval field value 120 exceeds precision of SECOND(2) field",
        ),
        (
            "SELECT STREAM INTERVAL '1' DAY(11) FROM s",
            28,
            "Interval leading field precision '11' out of range for INTERVAL DAY(11)",
        ),
        ("SELECT STREAM INTERVAL '1 2' DAY FROM s", 15, "Illegal interval literal format '1 2' for INTERVAL DAY"),
        ("SELECT STREAM t - t FROM s", 15, "Cannot apply '-' to arguments of type '<TIMESTAMP> - <TIMESTAMP>'"),
        ("SELECT STREAM (t - CAST(t AS DATE)) DAY FROM s", 15, "Parameters must be of the same type"),
        ("SELECT STREAM 12345678901234567890 FROM s", 15, "Numeric literal '12345678901234567890' out of range"),
        (
            "SELECT STREAM n, n FROM s",
            15,
            "Number of INSERT target columns (1) does not equal number of source items (2)",
        ),
        (
            "SELECT STREAM k FROM s",
            15,
            "Cannot assign to target field 'V' of type INTEGER from source field 'K' of type VARCHAR(8)",
        ),
        ("SELECT STREAM FLOOR(n TO MINUTE) FROM s", 15, "Cannot apply 'FLOOR' to arguments of type 'FLOOR(<INTEGER>)'"),
        (
            "SELECT STREAM EXTRACT(HOUR FROM n) FROM s",
            15,
            "Cannot apply 'EXTRACT' to arguments of type 'EXTRACT(<INTEGER>)'",
        ),
        ("SELECT STREAM (n, n) EQUALS (n, k) FROM s", 15, "Cannot apply 'of periods'"),
        (
            "SELECT STREAM n FROM s WHERE (t, t) STRICTLY EQUALS (t, t)",
            46,
            "Encountered \"EQUALS\" at line 2, column 46.",
        ),
    ] {
        refused(&[(&format!("{pump}{query}"), (2, column), message)]);
    }
    refused(&[
        (
            "CREATE STREAM o (v INTEGER);\nCREATE PUMP p AS INSERT INTO o (w) SELECT STREAM n FROM s",
            (2, 33),
            "Unknown target column 'W'",
        ),
        (
            "CREATE STREAM o (v INTEGER);\nCREATE PUMP p AS INSERT INTO o (v, v) SELECT STREAM n, n FROM s",
            (2, 36),
            "Target column 'V' is assigned more than once",
        ),
        ("CREATE STREAM o (v INTEGER, \"V\" DATE)", (1, 29), "Duplicate name 'V' in column list"),
        ("CREATE STREAM o (v INTERVAL DAY)", (1, 20), "The type INTERVAL here is not supported"),
        ("CREATE STREAM o (v DECIMAL(19))", (1, 20), "DECIMAL(19, 0)"),
        ("CREATE STREAM o (v VARCHAR(0))", (1, 20), "the length 0"),
    ]);
}

#[test]
fn reserved_words_are_no_names() {
    let reserved = "APPROXIMATE_ARRIVAL_TIME PARTITION_KEY SEQUENCE_NUMBER SHARD_ID ROWTIME STREAM VALUE DATE DAY HOUR MINUTE SECOND \
        MONTH YEAR TIME TIMESTAMP COUNT MIN MAX SUM AVG ROW ROWS RANGE RESULT START STOP USER SYSTEM METHOD NEW OLD TABLE WINDOW \
        POSITION CONDITION";
    for word in reserved.split_whitespace() {
        refused(&[(&format!("CREATE STREAM o ({word} INTEGER)"), (1, 18), word)]);
        compile(&format!("CREATE STREAM o (\"{word}\" INTEGER)")).unwrap();
    }
    for word in "STEP STAGGER PUMP WINDOWED TICKER STATUS DATETIME CHANGE PRICE SECTOR TYPE NAME".split(' ') {
        compile(&format!("CREATE STREAM o ({word} INTEGER)")).unwrap();
    }
    values("", &[("BOOLEAN", "ROWTIME > s.APPROXIMATE_ARRIVAL_TIME", "true")]);
}

#[test]
fn tests_of_periods() {
    let at = |n: u32| format!("TIMESTAMP '2024-01-01 00:00:0{n}'");
    let period = |from: u32, to: u32| format!("({}, {})", at(from), at(to));
    let long = period(1, 5);
    for (test, other, expected) in [
        ("CONTAINS", (2, 4), true),
        ("CONTAINS", (1, 5), true),
        ("CONTAINS", (4, 6), false),
        ("STRICTLY CONTAINS", (2, 4), true),
        ("STRICTLY CONTAINS", (1, 4), false),
        ("OVERLAPS", (4, 6), true),
        ("OVERLAPS", (5, 6), false),
        ("STRICTLY OVERLAPS", (4, 6), true),
        ("STRICTLY OVERLAPS", (1, 6), false),
        ("EQUALS", (1, 5), true),
        ("EQUALS", (1, 6), false),
        ("PRECEDES", (5, 6), true),
        ("PRECEDES", (4, 6), false),
        ("STRICTLY PRECEDES", (5, 6), false),
        ("STRICTLY PRECEDES", (6, 7), true),
        ("IMMEDIATELY PRECEDES", (5, 6), true),
        ("IMMEDIATELY PRECEDES", (6, 7), false),
        ("SUCCEEDS", (0, 1), true),
        ("SUCCEEDS", (0, 2), false),
        ("STRICTLY SUCCEEDS", (0, 1), false),
        ("IMMEDIATELY SUCCEEDS", (0, 1), true),
        ("LEADS", (2, 6), true),
        ("LEADS", (1, 6), false),
        ("LEADS", (2, 5), true),
        ("STRICTLY LEADS", (2, 6), true),
        ("STRICTLY LEADS", (2, 5), false),
        ("IMMEDIATELY LEADS", (2, 5), true),
        ("LAGS", (0, 2), true),
        ("LAGS", (1, 2), true),
        ("STRICTLY LAGS", (1, 2), false),
        ("IMMEDIATELY LAGS", (1, 2), true),
    ] {
        let other = period(other.0, other.1);
        let expected = if expected { "true" } else { "false" };
        values("", &[("BOOLEAN", &format!("{long} {test} PERIOD{other}"), expected)]);
    }
    let chain = format!("PERIOD{} PRECEDES {} PRECEDES {}", period(0, 1), period(2, 3), period(3, 4));
    let broken = format!("{} PRECEDES {} PRECEDES {}", period(0, 1), period(2, 4), period(3, 5));
    let instant = format!("{long} CONTAINS {}", at(5));
    values(
        "",
        &[
            ("BOOLEAN", &chain, "true"),
            ("BOOLEAN", &broken, "false"),
            ("BOOLEAN", &instant, "false"),
            ("BOOLEAN", &format!("{long} CONTAINS {}", at(1)), "true"),
            ("BOOLEAN", &format!("{long} CONTAINS CAST(NULL AS TIMESTAMP)"), "null"),
        ],
    );
}
