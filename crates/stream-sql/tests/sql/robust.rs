//! Whatever a script or a record is, it is refused or run: nothing panics, and nothing is deeper than a stack.

use proptest::prelude::*;
use stream_sql::{Application, Event, InputSchema, Source, State};

fn source() -> Source {
    let schema = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
        {"Name": "a", "SqlType": "VARCHAR(4)", "Mapping": "$.a"}, {"Name": "n", "SqlType": "BIGINT", "Mapping": "$.o.n"},
        {"Name": "d", "SqlType": "DECIMAL(9,3)", "Mapping": "$.d"}, {"Name": "f", "SqlType": "DOUBLE", "Mapping": "$.f"},
        {"Name": "t", "SqlType": "TIMESTAMP", "Mapping": "$.t"}, {"Name": "e", "SqlType": "INTEGER", "Mapping": "$.l[0:].e"}]}"#;
    serde_json::from_str::<InputSchema>(schema).unwrap().source("S").unwrap()
}

fn run(sql: &str, records: &[&[u8]]) {
    let Ok(application) = Application::compile(sql, &[source()], &[Source { name: "T".into(), ..source() }]) else {
        return;
    };
    let application =
        records.iter().fold(application, |application, record| match application.clone().with_table("T", record) {
            Ok(application) => application,
            Err(_) => application,
        });
    let (mut state, mut rows) = (State::default(), Vec::new());
    for (place, bytes) in (0..).zip(records) {
        application.run(
            &mut state,
            Event::Record { source: 0, rowtime: place * 700, arrival: 1, origin: None, bytes },
            &mut rows,
        );
    }
    application.run(&mut state, Event::Bound(i64::MAX), &mut rows);
    let mut json = Vec::new();
    for row in &rows {
        json.clear();
        application.write_json(row, &mut json);
        serde_json::from_slice::<serde_json::Value>(&json).unwrap();
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "STREAM",
    "FROM",
    "S",
    "WHERE",
    "GROUP",
    "BY",
    "(",
    ")",
    "(",
    ")",
    ",",
    "*",
    "+",
    "-",
    "/",
    "||",
    "=",
    "<",
    "AND",
    "OR",
    "NOT",
    "\"a\"",
    "\"n\"",
    "\"d\"",
    "\"f\"",
    "\"t\"",
    "\"e\"",
    "S.ROWTIME",
    "ROWTIME",
    "1",
    "0",
    "9223372036854775807",
    "1.5",
    "1e300",
    "'x'",
    "'%_'",
    "NULL",
    "TRUE",
    "COUNT",
    "SUM",
    "AVG",
    "MAX",
    "OVER",
    "NTH_VALUE",
    "UNBOUNDED",
    "CURRENT",
    "ROW",
    "FLOOR",
    "CEIL",
    "STEP",
    "TO",
    "MINUTE",
    "MONTH",
    "INTERVAL",
    "'1'",
    "'99'",
    "DAY",
    "YEAR",
    "TIMESTAMP",
    "'2024-02-29 12:00:00'",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "AS",
    "VARCHAR",
    "INTEGER",
    "DATE",
    "LIKE",
    "IN",
    "BETWEEN",
    "IS",
    "SUBSTRING",
    "POSITION",
    "TRIM",
    "ABS",
    "MOD",
    "CHAR_TO_TIMESTAMP",
    "TO_TIMESTAMP",
    "RANGE",
    "ROWS",
    "PRECEDING",
    "PARTITION",
    "ORDER",
    "DISTINCT",
    "HAVING",
    "WINDOW",
    "w",
    "JOIN",
    "LEFT",
    "FULL",
    "ON",
    "T",
    "x",
    "x.\"n\"",
    "OVER (ROWS 2 PRECEDING)",
    "EXTRACT",
    ";",
    "UNION",
    "ALL",
    "WITHIN",
    "ORDER",
    "PERIOD",
    "PRECEDES",
    "STRICTLY",
    "LEADS",
    "CREATE",
    "FUNCTION",
    "RETURNS",
    "RETURN",
];

/// Expressions over the columns, most of them of the right types.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "\"n\"",
        "\"d\"",
        "\"f\"",
        "\"e\"",
        "1",
        "0",
        "-1",
        "9223372036854775807",
        "2.5",
        "1e300",
        "CHAR_LENGTH(\"a\")",
        "NULL",
        "UNIX_TIMESTAMP(\"t\")",
        "EXTRACT(SECOND FROM \"t\")",
        "SUM(\"d\") OVER (ROWS 2 PRECEDING)",
        "STDDEV(DISTINCT \"f\" * \"n\") OVER (RANGE INTERVAL '1' SECOND PRECEDING)",
        "EXP_AVG(\"f\" * 1e300, INTERVAL '1' SECOND) OVER (RANGE INTERVAL '1' SECOND PRECEDING)",
        "NTH_VALUE(\"n\", 2) FROM LAST IGNORE NULLS OVER ()",
        "TSDIFF(TO_TIMESTAMP(\"n\") + INTERVAL '99' YEAR, FLOOR(TO_TIMESTAMP(\"n\") TO MONTH))",
        "UNIX_TIMESTAMP(STEP(TO_TIMESTAMP(\"n\") BY INTERVAL '7' MONTH) - \"n\" * INTERVAL '1' DAY)",
        "UNIX_TIMESTAMP(CHAR_TO_TIMESTAMP('yMdHmsS', \"a\"))",
        "POSITION('a' IN SUBSTRING(\"a\" FROM \"n\" FOR \"e\"))",
        "CAST((\"t\" - TO_TIMESTAMP(\"n\")) MONTH AS BIGINT)",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 16, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("CASE WHEN {a} < {b} THEN {a} ELSE NULLIF({b}, {a}) END")),
            inner.clone().prop_map(|a| format!("CAST({a} AS DECIMAL(18, 6))")),
            inner.clone().prop_map(|a| format!("ABS(FLOOR(-{a}))")),
            inner.prop_map(|a| format!("CAST({a} AS VARCHAR(40)) || 'x' LIKE '%1_'")),
        ]
    })
}

fn record() -> impl Strategy<Value = Vec<u8>> {
    let value = prop::sample::select(vec![
        "1",
        "-7",
        "0.25",
        "1e400",
        "-9223372036854775808",
        "9223372036854775807",
        "null",
        "true",
        "\"\"",
        "\"abc\\u00e9\\n\"",
        "\"ääää\"",
        "\"2024-02-29 12:00:00\"",
        "\"12\"",
        "[]",
        "{}",
        "[{\"e\":1},{\"e\":2},3]",
        "{\"n\":5}",
        "{\"n\":9223372036854775807}",
        "\"\\",
    ]);
    let key = prop::sample::select(vec!["a", "o", "d", "f", "t", "l", "x", "\\u0061"]);
    prop::collection::vec((key, value), 0..8).prop_map(|members| {
        let members: Vec<String> = members.into_iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn words_in_any_order(words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..30)) {
        run(&format!("CREATE STREAM o (a INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM {}", words.join(" ")), &[b"{}"]);
        run(&format!("CREATE STREAM o (a INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM 1 FROM S WHERE {}", words.join(" ")), &[b"{}"]);
        run(&format!("CREATE FUNCTION f(w INTEGER) RETURNS INTEGER RETURN {}; CREATE STREAM o (a INTEGER);
            CREATE PUMP p AS INSERT INTO o SELECT STREAM f(f(1)) FROM S", words.join(" ")), &[b"{}"]);
        run(&format!("CREATE STREAM o (a INTEGER); CREATE PUMP p AS INSERT INTO o SELECT STREAM 1 FROM S
            UNION ALL SELECT STREAM \"n\" FROM S ORDER BY ROWTIME, {}", words.join(" ")), &[b"{}"]);
    }

    #[test]
    fn expressions_over_any_record(expression in expression(), records in prop::collection::vec(record(), 1..5)) {
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        run(&format!("CREATE STREAM o (a DOUBLE); CREATE PUMP p AS INSERT INTO o SELECT STREAM {expression} FROM S"), &records);
        run(&format!("CREATE STREAM o (a BOOLEAN); CREATE PUMP p AS INSERT INTO o SELECT STREAM {expression} FROM S"), &records);
    }

    #[test]
    fn joins_over_any_record(expression in expression(), records in prop::collection::vec(record(), 1..5)) {
        let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        // One side has another name for what the expression reads.
        let (rows, renamed) = ("S OVER (ROWS 2 PRECEDING) AS x", "(SELECT STREAM \"n\" AS m FROM S)");
        for from in [
            format!("{rows} FULL JOIN {renamed} OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS y"),
            format!("{renamed} AS y RIGHT JOIN {rows}"),
            format!("{renamed} AS y LEFT JOIN T"),
        ] {
            run(&format!("CREATE STREAM o (a BIGINT); CREATE PUMP p AS INSERT INTO o SELECT STREAM 1 FROM {from} ON {expression} = y.m"), &records);
        }
    }

    #[test]
    fn any_bytes(record in prop::collection::vec(any::<u8>(), 0..40), text in "[{}\\[\\]\":,\\\\a-f0-9 ]{0,40}") {
        run("CREATE STREAM o (a BIGINT); CREATE PUMP p AS INSERT INTO o SELECT STREAM \"n\" FROM S", &[&record, text.as_bytes()]);
    }
}

#[test]
fn long_chains_and_deep_nests() {
    let select = |expression: String| {
        format!("CREATE STREAM o (a BOOLEAN); CREATE PUMP p AS INSERT INTO o SELECT STREAM {expression} FROM S")
    };
    let records: [&[u8]; 1] = [b"{}"];
    for sql in [
        select(format!("1{} = 1", " + 1".repeat(20_000))),
        select(format!("1{} = 1", " + 1".repeat(120))),
        select(format!("{}TRUE", "TRUE OR ".repeat(10_000))),
        select(format!("{}TRUE", "\"n\" = 1 AND ".repeat(7_000))),
        select(format!("{}1", "- ".repeat(40_000))),
        select(format!("{}TRUE", "NOT ".repeat(20_000))),
        select(format!("1{}", " IS NULL".repeat(10_000))),
        select(format!("{}1{} = 1", "ABS(".repeat(60), ")".repeat(60))),
        select(format!("{}1{}", "CASE WHEN ".repeat(5_000), " THEN 1 END".repeat(2_000))),
        format!(
            "CREATE STREAM o (a BOOLEAN); CREATE PUMP p AS INSERT INTO o {}S{}",
            "SELECT * FROM (".repeat(5_000),
            ")".repeat(5_000)
        ),
    ] {
        run(&sql, &records);
    }
    let chained = select(format!("{}FALSE", "TRUE OR ".repeat(10_000)));
    assert!(Application::compile(&chained, &[source()], &[]).is_ok());
}
