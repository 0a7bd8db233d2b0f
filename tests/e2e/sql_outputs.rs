//! Where the rows of an application go, and what becomes of records that are none: Kinesis, the lake, an index, `error_stream`,
//! `failed/`. Then its files are broken and mended while records arrive: no row is lost or comes twice.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{ShardIteratorType, StreamStatus};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use logmill_tests::lake::Lake;
use logmill_tests::search::Search;
use logmill_tests::stack::{Options, Stack, programs, signal, wait_until};
use serde_json::{Value, json};

const SOURCE: &str = "log-stream";
const JSON_STREAM: &str = "owned-rows";
const CSV_STREAM: &str = "texts";
const TABLE: &str = "rules/tables/owners.csv";
const LOG_GROUP: &str = "/aws/lambda/logmill-stream-analytics";

/// Columns of both applications' source.
const COLUMNS: [(&str, &str, &str); 3] =
    [("id", "INTEGER", "$.id"), ("k", "VARCHAR(8)", "$.k"), ("text", "VARCHAR(16)", "$.text")];

/// As it was exported: its statements are in it, and `error_stream` is no output.
const OWNED: &str = r#"CREATE OR REPLACE STREAM "OWNED" ("id" INTEGER, "owner" VARCHAR(16));
CREATE OR REPLACE PUMP "P" AS INSERT INTO "OWNED"
    SELECT STREAM s."id", o."owner" FROM "SOURCE_SQL_STREAM_001" AS s LEFT JOIN "OWNERS" AS o ON s."k" = o."k";"#;

const TEXTS: &str = r#"CREATE STREAM "TEXTS" ("id" INTEGER, "text" VARCHAR(16), "version" INTEGER);
CREATE PUMP "P" AS INSERT INTO "TEXTS"
    SELECT STREAM "id", "text", 1 FROM "SOURCE_SQL_STREAM_001";"#;

/// Its fault is in line 3, column 25.
const BROKEN_TEXTS: &str = r#"CREATE STREAM "TEXTS" ("id" INTEGER, "text" VARCHAR(16), "version" INTEGER);
CREATE PUMP "P" AS INSERT INTO "TEXTS"
    SELECT STREAM "id", "txet", 1 FROM "SOURCE_SQL_STREAM_001";"#;
const FAULT: &str = "texts.sql:3:25: ";

const NOT_UTF8: &[u8] = b"{\"id\": 9, \"text\": \"\xff\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_ends_where_it_should() {
    let arn = |name: &str| format!("arn:aws:kinesis:us-east-1:000000000000:stream/{name}");
    let outputs = [JSON_STREAM, CSV_STREAM].map(arn).join(",");
    let options = Options::default().parameter("BufferSeconds", "1").parameter("AnalyticsOutputArns", &outputs);
    let stack = Stack::start(options);
    for name in [JSON_STREAM, CSV_STREAM] {
        create_stream(&stack, name).await;
    }
    put_rule(&stack, TABLE, "a,\"ann, of a\"\nb,ben\n").await;
    put_rule(&stack, "rules/analytics/owned.json", &exported(&stack, arn, TABLE).to_string()).await;
    put_rule(&stack, "rules/analytics/texts.json", &texts().to_string()).await;
    put_rule(&stack, "rules/analytics/texts.sql", TEXTS).await;
    // Those that have read the rules before know nothing of it.
    kill_function(&stack);

    put(&stack, br#"{"id": 1, "k": "a", "text": "say \"hi\", all"}"#).await;
    put(&stack, br#"{"id": 2, "k": "none", "text": "longer than sixteen"}"#).await;
    put(&stack, br#"{"id": "seven", "k": "a", "text": "no number"}"#).await;
    put(&stack, b"no JSON").await;
    put(&stack, NOT_UTF8).await;
    put(&stack, br#"{"id": 3, "k": "b", "text": null}"#).await;

    kinesis_takes_json(&stack).await;
    kinesis_takes_csv(&stack).await;
    the_lake_takes_lines(&stack).await;
    the_index_takes_documents(&stack).await;
    errors_are_documents(&stack).await;
    what_nobody_takes_is_reported(&stack).await;
    let first = status(&stack, "texts");
    assert!(first["broken"].is_null() && first["running"].is_string(), "{first}");

    // A broken version, met by a process that never saw the good one.
    put_rule(&stack, "rules/analytics/texts.sql", BROKEN_TEXTS).await;
    kill_function(&stack);
    let mut last = 9;
    for _ in 0..5 {
        last = put_next(&stack, last).await;
    }
    wait_until("the last good version to go on", async || rows(&stack).await?.contains_key(&last).then_some(())).await;
    wait_until("the log to say why", async || is_logged(&stack, FAULT).await.then_some(())).await;
    let second = status(&stack, "texts");
    assert_eq!(second["running"], first["running"]);
    assert!(second["broken"].as_str().is_some_and(|error| error.starts_with(FAULT)), "{second}");

    // The right one, while records arrive.
    put_rule(&stack, "rules/analytics/texts.sql", &TEXTS.replace(", 1 FROM", ", 2 FROM")).await;
    wait_until("the new version", async || {
        last = put_next(&stack, last).await;
        // The index is later, and never even with the stream while records arrive.
        lines(&stack).await?.values().any(|version| *version == 2).then_some(())
    })
    .await;
    for _ in 0..5 {
        last = put_next(&stack, last).await;
    }
    let rows = wait_until("every row", async || rows(&stack).await.filter(|rows| rows.contains_key(&last))).await;
    assert!(rows.keys().copied().eq((1..=3).chain(10..=last)), "a row is missing: {rows:?}");
    assert!(rows.values().is_sorted(), "a version after the next: {rows:?}");
    let third = status(&stack, "texts");
    assert!(third["broken"].is_null() && third["running"] != first["running"], "{third}");

    let missing = "rules/tables/none.csv";
    put_rule(&stack, "rules/analytics/owned.json", &exported(&stack, arn, missing).to_string()).await;
    let owned = status(&stack, "owned");
    assert!(
        owned["broken"].as_str().is_some_and(|error| error.contains(missing)) && owned["running"].is_string(),
        "{owned}"
    );
}

async fn kinesis_takes_json(stack: &Stack) {
    let found =
        wait_until("JSON of Kinesis", async || records(stack, JSON_STREAM).await.filter(|all| all.len() >= 3)).await;
    let mut rows = Vec::new();
    for (key, line) in &found {
        let mut row: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(row.as_object_mut().and_then(|row| row.remove("_id")), Some(json!(key)), "{line:?}");
        assert!(line.ends_with('\n'), "{line:?}");
        rows.push(row);
    }
    let expected =
        [json!({"id": 1, "owner": "ann, of a"}), json!({"id": 2, "owner": null}), json!({"id": 3, "owner": "ben"})];
    assert_eq!(rows, expected);
}

async fn kinesis_takes_csv(stack: &Stack) {
    let found =
        wait_until("CSV of Kinesis", async || records(stack, CSV_STREAM).await.filter(|all| all.len() >= 3)).await;
    let lines: Vec<&str> = found.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(lines, ["1,\"say \"\"hi\"\", all\",1\n", "2,longer than sixt,1\n", "3,,1\n"]);
}

/// What the delivery stream was given.
async fn the_lake_takes_lines(stack: &Stack) {
    let mut lake = Lake::new(aws::s3_client(&stack.sdk()), &stack.outputs["LakeBucketName"], "inbox/request_data/");
    let rows = wait_until("lines of the lake", async || {
        lake.refresh().await.ok()?;
        let lines =
            lake.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")));
        let rows: BTreeMap<i64, Value> = lines.filter_map(|row: Value| Some((row["id"].as_i64()?, row))).collect();
        (rows.len() >= 3).then_some(rows)
    })
    .await;
    let owners: Vec<_> = rows.iter().map(|(id, row)| (*id, row["owner"].as_str(), row["_id"].is_string())).collect();
    assert_eq!(owners, [(1, Some("ann, of a"), true), (2, None, true), (3, Some("ben"), true)]);
}

async fn the_index_takes_documents(stack: &Stack) {
    let documents = documents(stack, "texts", 3).await;
    let texts = [json!("say \"hi\", all"), json!("longer than sixt"), Value::Null];
    let expected: Vec<Value> =
        (1..).zip(texts).map(|(id, text)| json!({"id": id, "text": text, "version": 1})).collect();
    assert_eq!(documents, expected);
}

async fn errors_are_documents(stack: &Stack) {
    let errors = documents(stack, "texts-errors", 2).await;
    let data = |error: &Value| {
        let digits = error["DATA_ROW"].as_str().expect("hexadecimal digits");
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
        String::from_utf8((0..digits.len()).step_by(2).map(byte).collect()).expect("UTF-8")
    };
    for expected in ["seven", "no JSON"] {
        assert!(errors.iter().any(|error| data(error).contains(expected)), "{expected}: {errors:?}");
    }
    for error in errors {
        assert!(error["MESSAGE"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        assert!(error["DATA_ROWTIME"].is_string() && error["ERROR_TIME"].is_string(), "{error}");
    }
}

/// The record that is no text, and the errors of the application without an output for them.
async fn what_nobody_takes_is_reported(stack: &Stack) {
    let bucket = &stack.outputs["LakeBucketName"];
    let mut failed = Lake::new(aws::s3_client(&stack.sdk()), bucket, "failed/stream-analytics/");
    let reports = wait_until("reports", async || {
        failed.refresh().await.ok()?;
        let parsed = |line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let reports: Vec<Value> = failed.lines().map(parsed).collect();
        (reports.len() >= 3).then_some(reports)
    })
    .await;
    let raw = |report: &Value| BASE64.decode(report["rawData"].as_str().expect("Base64")).expect("Base64");
    let of = |source: &str, has: &[u8]| {
        let report = reports
            .iter()
            .find(|report| report["source"] == source && raw(report).windows(has.len()).any(|part| part == has));
        report
            .and_then(|report| report["reason"].as_str())
            .unwrap_or_else(|| panic!("{source}: {reports:?}"))
            .to_owned()
    };
    assert!(of(SOURCE, NOT_UTF8).contains("UTF-8"), "{reports:?}");
    assert!(of("owned", b"no JSON").contains("JSON"), "{reports:?}");
    assert!(!of("owned", b"seven").is_empty());
    assert_eq!(reports.len(), 3, "{reports:?}");
}

/// As `aws kinesisanalytics describe-application` prints it.
fn exported(stack: &Stack, arn: impl Fn(&str) -> String, table: &str) -> Value {
    let role = "arn:aws:iam::000000000000:role/service-role/kinesis-analytics";
    let firehose = "arn:aws:firehose:us-east-1:000000000000:deliverystream/log-summary-stream";
    let bucket = format!("arn:aws:s3:::{}", stack.outputs["RulesBucketName"]);
    let column = |name: &str, sql_type: &str| json!({"Name": name, "SqlType": sql_type});
    json!({"ApplicationDetail": {
        "ApplicationName": "owned",
        "ApplicationARN": "arn:aws:kinesisanalytics:us-east-1:000000000000:application/owned",
        "ApplicationStatus": "RUNNING",
        "CreateTimestamp": 1503356430.0,
        "LastUpdateTimestamp": 1503356500.0,
        "InputDescriptions": [{
            "InputId": "1.1",
            "NamePrefix": "SOURCE_SQL_STREAM",
            "InAppStreamNames": ["SOURCE_SQL_STREAM_001"],
            "KinesisStreamsInputDescription": {"ResourceARN": arn(SOURCE), "RoleARN": role},
            "InputSchema": schema(),
            "InputParallelism": {"Count": 1},
            "InputStartingPositionConfiguration": {"InputStartingPosition": "NOW"},
        }],
        "OutputDescriptions": [{
            "OutputId": "2.1",
            "Name": "OWNED",
            "KinesisStreamsOutputDescription": {"ResourceARN": arn(JSON_STREAM), "RoleARN": role},
            "DestinationSchema": {"RecordFormatType": "JSON"},
        }, {
            "OutputId": "3.1",
            "Name": "OWNED",
            "KinesisFirehoseOutputDescription": {"ResourceARN": firehose, "RoleARN": role},
            "DestinationSchema": {"RecordFormatType": "JSON"},
        }],
        "ReferenceDataSourceDescriptions": [{
            "ReferenceId": "4.1",
            "TableName": "OWNERS",
            "S3ReferenceDataSourceDescription": {
                "BucketARN": bucket, "FileKey": table, "ReferenceRoleARN": role,
            },
            "ReferenceSchema": {
                "RecordFormat": {
                    "RecordFormatType": "CSV",
                    "MappingParameters": {"CSVMappingParameters": {"RecordRowDelimiter": "\n", "RecordColumnDelimiter": ","}},
                },
                "RecordEncoding": "UTF-8",
                "RecordColumns": [column("k", "VARCHAR(8)"), column("owner", "VARCHAR(16)")],
            },
        }],
        "CloudWatchLoggingOptionDescriptions": [],
        "ApplicationCode": OWNED,
        "ApplicationVersionId": 7,
    }})
}

fn texts() -> Value {
    json!({
        "source": {"kinesis": SOURCE},
        "inputSchema": schema(),
        "outputs": [
            {"stream": "TEXTS", "index": "texts"},
            {"stream": "TEXTS", "kinesis": CSV_STREAM, "format": "CSV"},
            {"stream": "error_stream", "index": "texts-errors"},
        ],
    })
}

fn schema() -> Value {
    let columns = COLUMNS.map(|(name, sql_type, path)| json!({"Name": name, "SqlType": sql_type, "Mapping": path}));
    json!({
        "RecordFormat": {
            "RecordFormatType": "JSON",
            "MappingParameters": {"JSONMappingParameters": {"RecordRowPath": "$"}},
        },
        "RecordEncoding": "UTF-8",
        "RecordColumns": columns,
    })
}

async fn create_stream(stack: &Stack, name: &str) {
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    kinesis.create_stream().stream_name(name).shard_count(1).send().await.expect("a stream");
    wait_until("a stream to be active", async || {
        let stream =
            kinesis.describe_stream_summary().stream_name(name).send().await.ok()?.stream_description_summary?;
        (stream.stream_status == StreamStatus::Active).then_some(())
    })
    .await;
}

fn kill_function(stack: &Stack) {
    stack.function_processes("stream-analytics").into_iter().for_each(|pid| signal(pid, "KILL"));
}

async fn put_rule(stack: &Stack, key: &str, body: &str) {
    let put = aws::s3_client(&stack.sdk()).put_object().bucket(&stack.outputs["RulesBucketName"]).key(key);
    put.body(body.as_bytes().to_vec().into()).send().await.expect("a rule is put");
}

async fn put(stack: &Stack, data: &[u8]) {
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    kinesis
        .put_record()
        .stream_name(SOURCE)
        .partition_key("p")
        .data(Blob::new(data))
        .send()
        .await
        .expect("a record is put");
}

/// Puts the record after this one, and gives its number.
async fn put_next(stack: &Stack, last: i64) -> i64 {
    let id = last + 1;
    put(stack, json!({"id": id, "k": "a", "text": id.to_string()}).to_string().as_bytes()).await;
    id
}

/// Partition keys and data of what is in a stream of one shard, each key once.
async fn records(stack: &Stack, stream: &str) -> Option<Vec<(String, String)>> {
    let kinesis = aws_sdk_kinesis::Client::new(&stack.sdk());
    let shards = kinesis.list_shards().stream_name(stream).send().await.ok()?.shards?;
    let request = kinesis.get_shard_iterator().stream_name(stream).shard_id(shards.first()?.shard_id());
    let mut iterator = request.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.ok()?.shard_iterator?;
    let mut records: Vec<(String, String)> = Vec::new();
    loop {
        let reply = kinesis.get_records().shard_iterator(iterator).send().await.ok()?;
        for record in reply.records() {
            let (key, data) =
                (record.partition_key()?, String::from_utf8(record.data().as_ref().to_vec()).expect("text"));
            match records.iter().find(|(known, _)| known == key) {
                Some((_, before)) => assert_eq!(*before, data, "two rows of one id"),
                None => records.push((key.to_owned(), data)),
            }
        }
        if reply.millis_behind_latest == Some(0) {
            // Two calls may have sent at the same time.
            records.sort_by(|(_, a), (_, b)| a.cmp(b));
            return Some(records);
        }
        iterator = reply.next_shard_iterator?;
    }
}

/// An index's documents, once there are so many, by `id`.
async fn documents(stack: &Stack, index: &str, count: usize) -> Vec<Value> {
    let search = Search::new(&stack.outputs["SearchUrl"]);
    let mut all = wait_until("documents", async || search.all(index).await.filter(|all| all.len() >= count)).await;
    assert_eq!(all.len(), count, "{all:?}");
    all.sort_by_key(|document| document["id"].as_i64());
    all
}

/// Ids and versions of `texts` in its index, each once, and the same in Kinesis. None: not all are in both yet.
async fn rows(stack: &Stack) -> Option<BTreeMap<i64, i64>> {
    let documents = Search::new(&stack.outputs["SearchUrl"]).all("texts").await?;
    let mut rows = BTreeMap::new();
    for document in &documents {
        let (id, version) = (document["id"].as_i64()?, document["version"].as_i64()?);
        assert_eq!(rows.insert(id, version), None, "{id} has two rows");
    }
    (rows == lines(stack).await?).then_some(rows)
}

/// Ids and versions of `texts` in Kinesis, each once.
async fn lines(stack: &Stack) -> Option<BTreeMap<i64, i64>> {
    let mut lines = BTreeMap::new();
    for (_, line) in records(stack, CSV_STREAM).await? {
        let (id, rest) = line.trim_end().split_once(',')?;
        let version = rest.rsplit_once(',')?.1.parse().ok()?;
        assert_eq!(lines.insert(id.parse().ok()?, version), None, "{id} has two rows");
    }
    Some(lines)
}

/// What `logmill status` says of an application.
fn status(stack: &Stack, name: &str) -> Value {
    let mut command = Command::new(programs().join("logmill"));
    command.args(["status", "--format", "json", "--endpoint", &stack.endpoint]);
    command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", "us-east-1")]);
    let output = command.stdin(Stdio::null()).output().expect("logmill runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let applications = status["applications"].as_array().expect("applications");
    let application = applications.iter().find(|application| application["application"] == name);
    application.unwrap_or_else(|| panic!("{status}")).clone()
}

async fn is_logged(stack: &Stack, text: &str) -> bool {
    let logs = aws_sdk_cloudwatchlogs::Client::new(&stack.sdk());
    let events = logs.filter_log_events().log_group_name(LOG_GROUP).filter_pattern(format!("{text:?}")).send().await;
    events.is_ok_and(|found| {
        found.events().iter().any(|event| event.message().is_some_and(|message| message.contains(text)))
    })
}
