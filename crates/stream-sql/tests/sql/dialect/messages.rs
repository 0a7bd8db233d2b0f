//! What the compiler says, and where.

use super::refused;

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
        ("SELECT STREAM n IS NOT TRUE FROM s", 15, "Cannot apply 'IS TRUE' to arguments of type '<INTEGER> IS TRUE'"),
        ("SELECT STREAM n FROM s WHERE n", 30, "WHERE clause must be a condition"),
        ("SELECT STREAM n FROM s WHERE COUNT(*) > 1", 30, "Aggregate expression is illegal in WHERE clause"),
        ("SELECT STREAM COUNT(*) FROM s GROUP BY SUM(n)", 40, "Aggregate expression is illegal in GROUP BY clause"),
        ("SELECT STREAM MAX(MIN(n)) FROM s GROUP BY s.ROWTIME", 19, "Aggregate expressions cannot be nested"),
        ("SELECT STREAM k FROM s GROUP BY FLOOR(s.ROWTIME TO DAY), n", 15, "Expression 'K' is not being grouped"),
        ("SELECT STREAM * FROM s GROUP BY FLOOR(s.ROWTIME TO DAY), k", 15, "Expression 'N' is not being grouped"),
        ("SELECT STREAM n, COUNT(*) FROM s", 15, "Expression 'N' is not being grouped"),
        ("SELECT STREAM 1 + n * SUM(n) FROM s", 23, "Aggregate expression SUM is illegal: there is no GROUP BY"),
        (
            "SELECT STREAM SUM(n) OVER w FROM s WINDOW w AS (ROWS 1 PRECEDING), w AS (ROWS 2 PRECEDING)",
            68,
            "Duplicate window names not allowed: 'W'",
        ),
        ("SELECT STREAM SUM(n) OVER (ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM s", 57, "FOLLOWING is not allowed"),
        ("SELECT STREAM SUM(n) OVER (ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) FROM s", 57, "PRECEDING is not allowed"),
        ("SELECT STREAM SUM(n) OVER (ROWS UNBOUNDED FOLLOWING) FROM s", 33, "UNBOUNDED FOLLOWING is not allowed"),
        ("SELECT STREAM SUM(n) OVER (ROWS -1 PRECEDING) FROM s", 33, "ROWS takes no negative number"),
        (
            "SELECT STREAM SUM(n) OVER (RANGE INTERVAL -'1' DAY PRECEDING) FROM s",
            34,
            "RANGE takes no negative INTERVAL",
        ),
        ("SELECT STREAM LAG(DISTINCT n) OVER (ROWS 1 PRECEDING) FROM s", 15, "LAG(DISTINCT"),
        ("SELECT STREAM a FROM s AS q(a, b)", 29, "List of column aliases must have same degree as table"),
        ("SELECT STREAM LAG(n) FROM s GROUP BY s.ROWTIME", 15, "OVER clause is necessary for window functions"),
        ("SELECT STREAM LAG(n) FROM s", 15, "OVER clause is necessary for window functions"),
        (
            "SELECT STREAM a FROM (SELECT STREAM n FROM s) AS q(a, b)",
            52,
            "List of column aliases must have same degree as table",
        ),
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
        (
            "CREATE STREAM o (v INTEGER, w DATE NOT NULL);\nCREATE PUMP p AS INSERT INTO o (v) SELECT STREAM n FROM s",
            (2, 30),
            "Column 'W' has no default value and does not allow NULLs",
        ),
        ("CREATE STREAM o (v INTEGER, \"V\" DATE)", (1, 29), "Duplicate name 'V' in column list"),
        ("CREATE STREAM o (v INTERVAL DAY)", (1, 20), "The type INTERVAL here is not supported"),
        ("CREATE STREAM o (v DECIMAL(19))", (1, 20), "DECIMAL(19, 0)"),
        ("CREATE STREAM o (v VARCHAR(0))", (1, 20), "the length 0"),
    ]);
}
