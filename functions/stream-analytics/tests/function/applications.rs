//! What is wrong with an application, and where.

#[allow(unused_imports)]
use crate::rig::{STATEMENTS, rule};
use stream_analytics::application::parse;

const DEFAULT: &str = include_str!("../../../../infra/rules/analytics/log-aggregation.json");

fn check(json: &str, sql: Option<&str>, expected: &str) {
    let error = parse("a", json, sql).expect_err(expected).to_string();
    assert!(error.starts_with(expected), "found    {error}\nexpected {expected}");
}

#[test]
fn what_runs() {
    assert!(parse("log-aggregation", DEFAULT, Some(STATEMENTS)).unwrap().is_some());
    assert!(parse("a", r#"{"enabled": false}"#, None).unwrap().is_none());
    assert!(parse("a", &rule(r#"{"kinesis": "s"}"#), Some(STATEMENTS)).unwrap().is_some());
}

#[test]
fn versions() {
    let version = |json: &str, sql: &str| parse("a", json, Some(sql)).unwrap().unwrap().version().to_owned();
    let kinesis = rule(r#"{"kinesis": "s"}"#);
    let first = version(&kinesis, STATEMENTS);
    assert_eq!(version(&kinesis.replace("\n", " "), STATEMENTS), first, "laid out otherwise");
    assert_ne!(version(&rule(r#"{"kinesis": "t"}"#), STATEMENTS), first);
    assert_ne!(version(&kinesis, &format!("{STATEMENTS}\n")), first);
}

#[test]
fn errors_of_the_rule() {
    let good = rule(r#"{"kinesis": "s"}"#);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    check("{", Some(STATEMENTS), "a.json:1:1: EOF while parsing an object");
    check(&with("\"outputs\"", "\"output\""), Some(STATEMENTS), "a.json:4:10: unknown field `output`");
    check(&with("\"SqlType\"", "\"Type\""), Some(STATEMENTS), "a.json:3:31: unknown field `Type`");
    check(
        &with("\"kinesis\"", "\"kafka\""),
        Some(STATEMENTS),
        "a.json:1:19: unknown variant `kafka`, expected `firehose` or `kinesis`",
    );
    check(&with("\"format\": \"JSON\"", "\"format\": \"XML\""), Some(STATEMENTS), "a.json:4:89: unknown variant `XML`");
    check(
        &with("INTEGER", "INTEGRE"),
        Some(STATEMENTS),
        "a.json:2:65: inputSchema: column \"response\": SqlType \"INTEGRE\"",
    );
    check(
        &with("DESTINATION", "destination"),
        Some(STATEMENTS),
        "a.json:4:26: outputs: no stream destination_SQL_STREAM: expected one of ",
    );
    check(
        &rule(r#"{"firehose": "s"}"#).replace("\"JSON\"}, \"Rec", "\"CSV\"}, \"Rec"),
        Some(STATEMENTS),
        "a.json:2:3: inputSchema: RecordFormatType: ",
    );
    check(r#"{"inputSchema": {}}"#, Some(STATEMENTS), "a.json:1:18: missing field `RecordFormat`");
    check("{}", Some(STATEMENTS), "a.json:1:2: source: expected");
    check(&good, None, "a.json:0:0: a.sql: no such file");
}

fn check_line(json: &str, expected: &str) {
    let error = parse("a", json, Some(STATEMENTS)).expect_err(expected);
    assert!(
        error.line == 4 && error.column > 0 && error.message.starts_with(expected),
        "found    {error}\nexpected {expected}"
    );
}

#[test]
fn errors_of_outputs_and_tables() {
    let good = rule(r#"{"kinesis": "s"}"#);
    let with = |from: &str, to: &str, expected: &str| {
        assert!(good.contains(from), "{from}");
        check_line(&good.replace(from, to), expected);
    };
    let firehose = r#""firehose": "summary""#;
    with(firehose, r#""lambda": "f""#, "lambda: a function as an output is not supported");
    with(&format!("{firehose}, "), "", "output of DESTINATION_SQL_STREAM: expected one of \"firehose\", ");
    with(firehose, r#""firehose": "a", "kinesis": "b""#, "output of DESTINATION_SQL_STREAM: expected one of");
    with(firehose, r#""kinesis": "a/b""#, "kinesis: \"a/b\": expected a stream's name");
    with(firehose, r#""index": "Rows""#, "index: \"Rows\": expected an index's name");
    with(firehose, r#""index": "../x""#, "index: \"../x\": expected an index's name");
    with(r#"summary", "format": "JSON""#, r#"summary", "format": "csv""#, "unknown variant `csv`");
    with(r#""firehose": "summary", "format": "JSON""#, r#""index": "i", "format": "CSV""#, "format: an index");
    with(firehose, r#""kinesis": "s""#, "outputs: s is the source");
    let schema =
        r#"{"RecordFormat": {"RecordFormatType": "CSV"}, "RecordColumns": [{"Name": "a", "SqlType": "INTEGER"}]}"#;
    let table = |name: &str, s3: &str| format!(r#"{{"name": "{name}", "s3": {s3}, "schema": {schema}}}"#);
    let tables = |tables: &str| {
        let to = format!("\"referenceTables\": [{tables}],\n  \"outputs\"");
        good.replace("\"outputs\"", &to)
    };
    let here = r#"{"key": "rules/tables/t.csv"}"#;
    assert!(parse("a", &tables(&table("T", here)), Some(STATEMENTS)).unwrap().is_some());
    let check = |all: &str, expected: &str| check_line(&tables(all), expected);
    check(&table("T", r#"{"key": "t.csv"}"#), "key: \"t.csv\": expected it to begin with rules/tables/");
    check(&table("T", r#"{"bucket": "a/b", "key": "t.csv"}"#), "bucket: expected a bucket's name");
    check(&[table("T", here), table("T", here)].join(", "), "referenceTables: T is there twice");
    check(&vec![table("T", here); 5].join(", "), "referenceTables: expected at most 4, found 5");
    check(&table("T", here).replace("INTEGER", "INT EGER"), "referenceTables: T: column");
}

#[test]
fn the_source_has_the_name_that_it_is_given() {
    let good = rule(r#"{"kinesis": "s"}"#);
    let named = |keys: &str| good.replacen('{', &format!("{{{keys}, "), 1);
    let sql = |name: &str| STATEMENTS.replace("SOURCE_SQL_STREAM_001", name);
    let two = named(r#""namePrefix": "clicks", "inputParallelism": 2"#);
    for name in ["clicks_001", "clicks_002"] {
        assert!(parse("a", &two, Some(&sql(name))).unwrap().is_some(), "{name}");
    }
    assert!(parse("a", &two, Some(&sql("clicks_003"))).is_err());
    assert!(parse("a", &two, Some(STATEMENTS)).is_err());
    let expected = "a.json:1:2: inputParallelism: expected 1 to 64, found 65";
    check(&named(r#""inputParallelism": 65"#), Some(STATEMENTS), expected);
}

#[test]
fn errors_of_the_statements() {
    let good = rule(r#"{"kinesis": "s"}"#);
    check(
        &good,
        Some(&STATEMENTS.replace("\"response\" AS", "\"respons\" AS")),
        "a.sql:11:9: From line 11, column 9 to line 11, column 17: ",
    );
    let id = STATEMENTS.replace("statusCount INTEGER", "\"_id\" INTEGER");
    check(&good, Some(&id), "a.json:4:26: outputs: stream DESTINATION_SQL_STREAM: a column cannot be named _id");
}
