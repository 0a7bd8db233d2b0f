//! Operators and functions with the examples of their pages.

use super::values;

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
            ("BOOLEAN", "CEIL(-1E-1) = 0 AND NOT CEIL(-1E-1) < 0E0", "true"),
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
            ("DECIMAL(5,3)", "CAST(INTERVAL '1:02.5' MINUTE TO SECOND AS DECIMAL(5,3))", "62.500"),
            ("DECIMAL(5,1)", "CAST((t - TIMESTAMP '2004-09-30 13:45:00') MINUTE AS DECIMAL(5,1))", "3.0"),
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
            ("BOOLEAN", "n BETWEEN SYMMETRIC 9 AND 5", "true"),
            ("BOOLEAN", "n NOT BETWEEN SYMMETRIC 9 AND 8", "true"),
            ("BOOLEAN", "n BETWEEN ASYMMETRIC 9 AND 5", "false"),
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
            ("BOOLEAN", &format!("({}, INTERVAL '4' SECOND) EQUALS {long}", at(1)), "true"),
        ],
    );
}
