//! UNION ALL, ORDER BY, and what a query in FROM passes on.

use super::{Step, check, refused, run};

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
        ("FLOOR(ROWTIME TO MINUTE) WITHIN INTERVAL '2' SECOND", 47, "as in s.ROWTIME"),
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
fn groups_are_ordered_by_what_is_not_selected() {
    // The example of the page on ORDER BY.
    let sql = "CREATE STREAM o (k VARCHAR(8));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM k FROM s GROUP BY FLOOR(ROWTIME TO HOUR), k
        ORDER BY FLOOR(ROWTIME TO HOUR), SUM(n) DESC, k;";
    let record = |k: &str, n: i32| format!(r#"{{"k":"{k}","n":{n}}}"#);
    let records = [record("a", 1), record("c", 2), record("b", 3), record("a", 1)];
    let steps: Vec<Step<'_>> =
        records.iter().map(|record| (7, Some(record.as_str()))).chain([(3_600_000, None)]).collect();
    check(sql, &steps, &[r#"O 3600000 {"K":"b"}"#, r#"O 3600000 {"K":"a"}"#, r#"O 3600000 {"K":"c"}"#]);
}

#[test]
fn a_stream_takes_names_for_its_columns() {
    let sql = "CREATE STREAM o (k VARCHAR(8), r TIMESTAMP);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM a, q.ROWTIME FROM s AS q(a, b, c, d) WHERE q.b = 2;";
    check(
        sql,
        &[(7, Some(r#"{"k":"a","n":2}"#)), (8, Some(r#"{"k":"b","n":3}"#))],
        &[r#"O 7 {"K":"a","R":"1970-01-01 00:00:00.007"}"#],
    );
}
