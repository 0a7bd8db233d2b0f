//! What `describe-application` printed runs as it is.

use crate::rig::stage::{DONE, Stage};
use serde_json::{Value, json};
use stream_analytics::application::parse;

const CODE: &str = r#"
CREATE STREAM "DESTINATION_SQL_STREAM" (ticker VARCHAR(4), company VARCHAR(20), price REAL);
CREATE PUMP "STREAM_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM"
    SELECT STREAM s.ticker_symbol, c."Company", price
    FROM "SOURCE_SQL_STREAM_001" AS s LEFT JOIN "CompanyName" AS c ON s.ticker_symbol = c."Ticker";"#;

fn schema(columns: &[(&str, &str, Option<&str>)], format: &str) -> Value {
    let mapping = match format {
        "CSV" => json!({"CSVMappingParameters": {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": ","}}),
        _ => json!({"JSONMappingParameters": {"RecordRowPath": "$"}}),
    };
    let column = |(name, sql_type, path): &(&str, &str, Option<&str>)| {
        let mut column = json!({"Name": name, "SqlType": sql_type});
        if let Some(path) = path {
            column["Mapping"] = json!(path);
        }
        column
    };
    json!({
        "RecordFormat": {"RecordFormatType": format, "MappingParameters": mapping},
        "RecordEncoding": "UTF-8",
        "RecordColumns": columns.iter().map(column).collect::<Vec<_>>(),
    })
}

fn parts() -> Value {
    let arn = |service: &str, name: &str| format!("arn:aws:{service}:us-east-1:123456789012:{name}");
    let role = arn("iam", "role/service-role/kinesis-analytics");
    let input =
        schema(&[("TICKER_SYMBOL", "VARCHAR(4)", Some("$.ticker_symbol")), ("PRICE", "REAL", Some("$.price"))], "JSON");
    json!({
        "InputDescriptions": [{
            "InputId": "1.1",
            "NamePrefix": "SOURCE_SQL_STREAM",
            "InAppStreamNames": ["SOURCE_SQL_STREAM_001"],
            "KinesisStreamsInputDescription": {"ResourceARN": arn("kinesis", "stream/log-stream"), "RoleARN": role},
            "InputSchema": input,
            "InputParallelism": {"Count": 1},
            "InputStartingPositionConfiguration": {"InputStartingPosition": "NOW"},
        }],
        "OutputDescriptions": [{
            "OutputId": "2.1",
            "Name": "DESTINATION_SQL_STREAM",
            "KinesisFirehoseOutputDescription": {"ResourceARN": arn("firehose", "deliverystream/summary"), "RoleARN": role},
            "DestinationSchema": {"RecordFormatType": "JSON"},
        }, {
            "OutputId": "3.1",
            "Name": "DESTINATION_SQL_STREAM",
            "KinesisStreamsOutputDescription": {"ResourceARN": arn("kinesis", "stream/k"), "RoleARN": role},
            "DestinationSchema": {"RecordFormatType": "CSV"},
        }],
        "ReferenceDataSourceDescriptions": [{
            "ReferenceId": "4.1",
            "TableName": "CompanyName",
            "S3ReferenceDataSourceDescription": {
                "BucketARN": "arn:aws:s3:::lake", "FileKey": "TickerReference.csv", "ReferenceRoleARN": role,
            },
            "ReferenceSchema": schema(&[("Ticker", "VARCHAR(4)", None), ("Company", "VARCHAR(20)", None)], "CSV"),
        }],
    })
}

/// As `aws kinesisanalytics` printed it.
fn first() -> Value {
    let mut detail = parts();
    detail["ApplicationName"] = json!("tickers");
    detail["ApplicationARN"] = json!("arn:aws:kinesisanalytics:us-east-1:123456789012:application/tickers");
    detail["ApplicationStatus"] = json!("RUNNING");
    detail["CreateTimestamp"] = json!(1503356430.0);
    detail["CloudWatchLoggingOptionDescriptions"] = json!([]);
    detail["ApplicationCode"] = json!(CODE);
    detail["ApplicationVersionId"] = json!(12);
    json!({"ApplicationDetail": detail})
}

/// As `aws kinesisanalyticsv2` printed it.
fn second() -> Value {
    json!({"ApplicationDetail": {
        "ApplicationName": "tickers",
        "RuntimeEnvironment": "SQL-1_0",
        "ApplicationMode": "STREAMING",
        "ApplicationConfigurationDescription": {
            "SqlApplicationConfigurationDescription": parts(),
            "ApplicationCodeConfigurationDescription": {
                "CodeContentType": "PLAINTEXT",
                "CodeContentDescription": {"TextContent": CODE, "CodeMD5": "x", "CodeSize": 1},
            },
        },
    }})
}

#[tokio::test]
async fn it_runs_as_it_was_printed() {
    for printed in [first(), second()] {
        let stage = Stage::new();
        stage.lake.set("TickerReference.csv", "AMZN,Amazon\nXYZ,Some Company\n");
        stage.files(&format!("{printed:#}"), None);
        let records = [r#"{"ticker_symbol": "AMZN", "price": 1.5}"#, r#"{"ticker_symbol": "QXZ", "price": 2}"#];
        assert_eq!(stage.records(&records).await, DONE);
        stage.tick_after(60_000).await;
        let mut rows = stage.rows();
        rows.sort_by_key(|row| row["TICKER"].to_string());
        let rows: Vec<Value> = rows.iter().map(|row| json!([row["TICKER"], row["COMPANY"], row["PRICE"]])).collect();
        assert_eq!(json!(rows), json!([["AMZN", "Amazon", 1.5], ["QXZ", null, 2.0]]));
        let world = stage.wires.world.lock().unwrap();
        let mut lines: Vec<&str> = world.records.values().map(String::as_str).collect();
        lines.sort_unstable();
        assert_eq!(lines, ["AMZN,Amazon,1.5\n", "QXZ,,2.0\n"]);
    }
}

fn check(printed: &Value, sql: Option<&str>, expected: &str) {
    let error = parse("a", &printed.to_string(), sql).expect_err(expected).to_string();
    assert!(error.starts_with("a.json:") && error.contains(expected), "found    {error}\nexpected {expected}");
}

#[test]
fn what_is_wrong_with_it() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut printed = first();
        change(&mut printed["ApplicationDetail"]);
        printed
    };
    // A file beside it takes the place of its code.
    assert!(parse("a", &first().to_string(), Some(&format!("-- mine\n{CODE}"))).unwrap().is_some());
    // Line and column are those of the statements.
    let broken = with(&|detail| detail["ApplicationCode"] = json!(CODE.replace("price\n", "prize\n")));
    check(&broken, None, "a.json:ApplicationCode:4:49: From line 4, column 49 to line 4, column 53: ");
    let none = with(&|detail| drop(detail.as_object_mut().unwrap().remove("ApplicationCode")));
    check(&none, None, "a.sql: no such file");
    let lambda = with(&|detail| {
        detail["InputDescriptions"][0]["InputProcessingConfigurationDescription"] =
            json!({"InputLambdaProcessorDescription": {"ResourceARN": "arn:aws:lambda:us-east-1:1:function:f"}});
    });
    check(
        &lambda,
        None,
        "InputProcessingConfigurationDescription: pre-processing by a Lambda function is not supported",
    );
    let output = with(&|detail| {
        detail["OutputDescriptions"][0] = json!({"Name": "DESTINATION_SQL_STREAM",
            "LambdaOutputDescription": {"ResourceARN": "arn:aws:lambda:us-east-1:1:function:f"},
            "DestinationSchema": {"RecordFormatType": "JSON"}});
    });
    check(&output, None, "LambdaOutputDescription: a function as an output is not supported");
    let no_output = with(&|detail| detail["OutputDescriptions"] = json!([]));
    check(&no_output, None, "OutputDescriptions: expected 1 to 3, found 0");
    let no_input = with(&|detail| detail["InputDescriptions"] = json!([]));
    check(&no_input, None, "InputDescriptions: expected one, found 0");
    let stream = with(&|detail| detail["OutputDescriptions"][0]["Name"] = json!("NOWHERE"));
    check(&stream, None, "OutputDescriptions: no stream NOWHERE: expected one of ");
    let column =
        with(&|detail| detail["InputDescriptions"][0]["InputSchema"]["RecordColumns"][0]["SqlType"] = json!("INTEGRE"));
    check(&column, None, "InputSchema: column \"TICKER_SYMBOL\": SqlType \"INTEGRE\"");
    let flink = json!({"ApplicationDetail": {"ApplicationConfigurationDescription": {
        "FlinkApplicationConfigurationDescription": {}}}});
    check(&flink, None, "other runtimes than SQL-1_0 are not supported");
}
