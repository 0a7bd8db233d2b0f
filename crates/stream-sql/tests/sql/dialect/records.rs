//! Records: system columns, coercions, and what becomes of those that are wrong.

use stream_sql::{Application, Event, InputSchema, State};

use super::{check, run};

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
fn a_text_too_long_for_a_column_of_a_stream_is_cut_off_and_counted() {
    let sql = "CREATE STREAM o (v VARCHAR(4), c CHAR(4), d CHAR(9));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM k, k, k FROM s;";
    let (rows, state) = run(sql, &[(1, Some(r#"{"k":"äöüäöü"}"#)), (2, Some(r#"{"k":"abc"}"#))]);
    let expected = [r#"O 1 {"V":"äöüä","C":"äöüä","D":"äöüäöü   "}"#, r#"O 2 {"V":"abc","C":"abc ","D":"abc      "}"#];
    assert_eq!(rows, expected);
    assert_eq!((state.counters.errors, state.counters.truncated), (0, 2));
}

/// What a value of a record is, as text, in a column of a type; `error` where its row fails.
fn mapped(sql_type: &str, format: &str, record: &str) -> String {
    let schema = format!(
        r#"{{"RecordFormat": {format}, "RecordColumns": [{{"Name": "V", "SqlType": "{sql_type}", "Mapping": "$.v"}}]}}"#
    );
    let schema: InputSchema = serde_json::from_str(&schema).unwrap();
    let sql = format!("CREATE STREAM o (v {sql_type}); CREATE PUMP p AS INSERT INTO o SELECT STREAM v FROM s;");
    let application = Application::compile(&sql, &[schema.source("S").unwrap()], &[]).unwrap();
    let (mut state, mut rows) = (State::default(), Vec::new());
    let event = Event::Record { source: 0, rowtime: 1, arrival: 1, origin: None, bytes: record.as_bytes() };
    application.run(&mut state, event, &mut rows);
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        let json = String::from_utf8(json).unwrap();
        json.strip_prefix(r#"{"V":"#).and_then(|json| json.strip_suffix('}')).unwrap_or("error").to_owned()
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn values_of_records_are_coerced() {
    for (sql_type, value, expected) in [
        ("INTEGER", "null", "null"),
        ("INTEGER", "true", "1"),
        ("DECIMAL(4,1)", "false", "0.0"),
        ("BOOLEAN", "true", "true"),
        ("VARCHAR(9)", "true", r#""true""#),
        ("TIMESTAMP", "true", "error"),
        ("INTEGER", "123.4", "error"),
        ("INTEGER", "123.0", "123"),
        ("INTEGER", "3000000000", "error"),
        ("BIGINT", "3000000000", "3000000000"),
        ("DOUBLE", "1e3", "1000.0"),
        ("DECIMAL(5,2)", "123.45", "123.45"),
        ("DECIMAL(5,2)", "1234.5", "error"),
        ("BOOLEAN", "0", "false"),
        ("BOOLEAN", "7", "true"),
        ("VARCHAR(9)", "1.50", r#""1.50""#),
        ("DATE", "20240101", "error"),
        ("INTEGER", r#""42""#, "42"),
        ("INTEGER", r#""many""#, "error"),
        ("DOUBLE", r#""2.5""#, "2.5"),
        ("BOOLEAN", r#""TRUE""#, "true"),
        ("BOOLEAN", r#""yes""#, "false"),
        ("VARCHAR(3)", r#""abcdef""#, r#""abc""#),
        ("DATE", r#""1992-02-14""#, r#""1992-02-14""#),
        ("TIMESTAMP", r#""1992-02-14 18:35:44.0""#, r#""1992-02-14 18:35:44.000""#),
        ("TIMESTAMP", r#""2018-06-13T14:11:05.766191""#, r#""2018-06-13 14:11:05.766""#),
        ("TIME", r#""18:35:44""#, r#""18:35:44.000""#),
        ("TIMESTAMP", r#""yesterday""#, "error"),
        ("VARCHAR(20)", r#"{"a":[1,"b"]}"#, r#""{\"a\":[1,\"b\"]}""#),
        ("INTEGER", "[1]", "error"),
    ] {
        let shown = mapped(sql_type, r#"{"RecordFormatType": "JSON"}"#, &format!(r#"{{"v":{value}}}"#));
        assert_eq!(shown, expected, "{value} as {sql_type}");
    }
    assert_eq!(mapped("INTEGER", r#"{"RecordFormatType": "JSON"}"#, r#"{"V":1}"#), "null");
    let csv = r#"{"RecordFormatType": "CSV", "MappingParameters": {"CSVMappingParameters":
        {"RecordColumnDelimiter": "|", "RecordRowDelimiter": "\n"}}}"#;
    assert_eq!(mapped("INTEGER", csv, "1|x\n2\n\nthree\n|y\n"), "1 2 error null");
}
