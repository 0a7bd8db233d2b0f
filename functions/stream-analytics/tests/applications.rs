//! What is wrong with an application, and where.

#[allow(unused_imports)]
mod rig;

use rig::{STATEMENTS, rule};
use stream_analytics::application::parse;

const DEFAULT: &str = include_str!("../../../infra/rules/analytics/log-aggregation.json");

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
