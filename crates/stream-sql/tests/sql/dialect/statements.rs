//! Statements: functions of the script, what replaces and what is stopped, what is refused.

use super::{check, compile, refused, values};

#[test]
fn functions_of_the_script() {
    let prelude = "CREATE FUNCTION double_it(x INTEGER) RETURNS BIGINT CONTAINS SQL RETURNS NULL ON NULL INPUT RETURN x + x;
        CREATE OR REPLACE FUNCTION four(x INTEGER) RETURNS INTEGER LANGUAGE SQL NOT DETERMINISTIC RETURN CAST(double_it(x) AS INTEGER) * 2;
        CREATE FUNCTION or_zero(x INTEGER) RETURNS INTEGER CALLED ON NULL INPUT RETURN COALESCE(x, 0);
        CREATE FUNCTION name_of(x INTEGER) RETURNS VARCHAR(20) SPECIFIC name_of_1 RETURN 'whole ' || CAST(x AS VARCHAR(9));
        CREATE FUNCTION name_of(x VARCHAR(8)) RETURNS VARCHAR(20) RETURN ('text ' || x);
        CREATE FUNCTION pi() RETURNS DOUBLE RETURN 3.25;
        CREATE FUNCTION tsdiff(IN a INTEGER, b INTEGER) RETURNS INTEGER RETURN a - b;
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
    // The example of the page on EXTRACT.
    let floor = "CREATE or replace FUNCTION FLOOR30MIN( p_time TIMESTAMP ) RETURNS  TIMESTAMP CONTAINS SQL RETURNS NULL ON NULL INPUT
        RETURN  floor(p_time to HOUR) + (( EXTRACT (  MINUTE FROM p_time  ) / 30)* INTERVAL '30' MINUTE ) ;";
    values(
        floor,
        &[
            ("TIMESTAMP", "FLOOR30MIN(t)", r#""2004-09-30 13:30:00.000""#),
            ("TIMESTAMP", "FLOOR30MIN( CURRENT_ROW_TIMESTAMP )", r#""1970-01-01 00:00:00.000""#),
            ("TIMESTAMP", "floor30min(NULL)", "null"),
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
        (
            "CREATE FUNCTION f(x INTEGER) RETURNS INTEGER LANGUAGE JAVA RETURN x".to_owned(),
            (1, 46),
            "A language other than SQL is not supported",
        ),
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
