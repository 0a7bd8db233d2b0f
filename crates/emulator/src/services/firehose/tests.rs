//! Stage transitions on a store, and the API over the wire.

use std::io::Read;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use delivery::Hints;
use serde_json::{Value, json};

use super::answer::{Fault, Outcome};
use super::deliver::{self, Form, MAX_RETRY_MS, Parcel};
use super::records::{self, Head, Retry, Row, Stage};
use super::streams::{self, Stream};
use super::transform::{self, Work};
use super::{SCHEMA, overview, put, source};
use crate::Config;
use crate::error::ApiError;
use crate::services::kinesis;
use crate::store::{Store, Tx};
use crate::wire::types::Blob;

const LAMBDA: &str = "arn:aws:lambda:us-east-1:000000000000:function:shape";

struct Bench {
    store: Store,
    _dir: tempfile::TempDir,
}

/// A stream `s` with a function, gzip and a backup.
fn full() -> Value {
    let at = |bucket: &str| json!({ "RoleARN": "r", "BucketARN": format!("arn:aws:s3:::{bucket}") });
    let mut s3 = at("lake");
    s3["CompressionFormat"] = json!("GZIP");
    s3["Prefix"] = json!("logs/");
    s3["ErrorOutputPrefix"] = json!("failed/!{firehose:error-output-type}/");
    s3["S3BackupMode"] = json!("Enabled");
    s3["S3BackupConfiguration"] = at("backup");
    s3["ProcessingConfiguration"] = json!({ "Enabled": true, "Processors": [
        { "Type": "Lambda", "Parameters": [{ "ParameterName": "LambdaArn", "ParameterValue": LAMBDA }] },
        { "Type": "AppendDelimiterToRecord" }] });
    json!({ "ExtendedS3DestinationConfiguration": s3 })
}

impl Bench {
    async fn new(spec: Value) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Arc::new(Config::new(dir.path())), &[SCHEMA]).unwrap();
        let bench = Bench { store, _dir: dir };
        bench.write(move |tx| streams::ensure_stream(tx, "s", &spec)).await;
        bench
    }

    async fn write<T: Send + 'static>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T, ApiError> + Send + 'static) -> T {
        self.store.write(work).await.unwrap()
    }

    async fn stream(&self) -> Stream {
        self.store.read(|db| Ok(streams::find(db, "s")?.unwrap())).await.unwrap()
    }

    async fn put(&self, records: &[&str]) {
        let records: Vec<Blob> = records.iter().map(|text| Blob(Bytes::copy_from_slice(text.as_bytes()))).collect();
        let taken = self.write(move |tx| put::put(tx, "s", &records, &[])).await;
        assert!(taken.iter().all(|taken| *taken));
    }

    async fn rows(&self, stage: Stage) -> Vec<Row> {
        let id = self.stream().await.id;
        self.store
            .read(move |db| {
                let mut rows = Vec::new();
                records::visit(db, id, stage, |row| {
                    rows.push(row);
                    Ok(true)
                })?;
                Ok(rows)
            })
            .await
            .unwrap()
    }

    /// The stage's texts; its sums must be those of its rows.
    async fn texts(&self, stage: Stage) -> Vec<String> {
        let rows = self.rows(stage).await;
        let head = self.head(stage).await;
        let bytes: usize = rows.iter().map(|row| row.data.len()).sum();
        assert_eq!((head.records, head.bytes), (rows.len() as i64, bytes as i64), "sums of {stage:?}");
        rows.into_iter().map(|row| String::from_utf8(row.data).unwrap()).collect()
    }

    async fn head(&self, stage: Stage) -> Head {
        let id = self.stream().await.id;
        self.store.read(move |db| records::head(db, id, stage)).await.unwrap()
    }

    async fn plan(&self, hints: Hints, now: i64) -> Result<Work, Option<i64>> {
        let id = self.stream().await.id;
        self.store.read(move |db| transform::plan(db, id, hints, now)).await.unwrap()
    }

    async fn apply(&self, work: Work, outcomes: Vec<Outcome>) {
        let id = self.stream().await.id;
        self.write(move |tx| transform::apply(tx, id, &work, &outcomes, LAMBDA)).await;
    }

    async fn fail(&self, work: Work, retries: u32) {
        let id = self.stream().await.id;
        let fault = Fault::new("Lambda.FunctionError", "no schema");
        self.write(move |tx| transform::fail(tx, id, &work, &fault, retries, LAMBDA)).await;
    }

    async fn pack(&self, stage: Stage, now: i64) -> Result<Parcel, Option<i64>> {
        let stream = self.stream().await;
        let settings = stream.settings().unwrap();
        let target = if stage == Stage::Backup { settings.backup.clone().unwrap() } else { settings.target.clone() };
        let form = Form::of(stage, &target, &settings);
        self.store.read(move |db| deliver::pack(db, stream.id, stage, target.hints, &form, now)).await.unwrap()
    }
}

/// Hints by which everything is due.
fn at_once() -> Hints {
    Hints::from_bytes(u64::MAX, 0)
}

const LATER: i64 = i64::MAX / 2;

#[tokio::test]
async fn an_answer_moves_records_to_their_stages() {
    let bench = Bench::new(full()).await;
    bench.put(&["one", "two", "three"]).await;
    assert_eq!(bench.texts(Stage::Raw).await, ["one", "two", "three"]);
    let work = bench.plan(at_once(), LATER).await.unwrap();
    assert_eq!(work.records[1].data, BASE64_STANDARD.encode("two"));
    assert_eq!(work.batch.records, 3);
    // More comes while the function runs.
    bench.put(&["four"]).await;
    let failed = Outcome::Failed(Fault::new("Lambda.ProcessingFailedStatus", "not a line"));
    bench.apply(work, vec![Outcome::Ok(b"ONE and more".to_vec()), Outcome::Dropped, failed]).await;
    assert_eq!(bench.texts(Stage::Raw).await, ["four"]);
    assert_eq!(bench.texts(Stage::Ready).await, ["ONE and more"]);
    assert_eq!(bench.texts(Stage::Failed).await, ["three"]);
    assert_eq!(bench.texts(Stage::Backup).await, ["one", "two", "three", "four"]);
    let parcel = bench.pack(Stage::Failed, LATER).await.unwrap();
    let line: Value = serde_json::from_slice(&parcel.body).unwrap();
    assert_eq!(line["errorCode"], "Lambda.ProcessingFailedStatus");
    assert_eq!((&line["attemptsMade"], &line["errorMessage"]), (&json!(1), &json!("not a line")));
    assert_eq!((&line["rawData"], &line["lambdaArn"]), (&json!(BASE64_STANDARD.encode("three")), &json!(LAMBDA)));
}

#[tokio::test]
async fn an_answer_is_applied_once() {
    let bench = Bench::new(full()).await;
    bench.put(&["one"]).await;
    let id = bench.stream().await.id;
    let again = bench.plan(at_once(), LATER).await.unwrap();
    bench.apply(bench.plan(at_once(), LATER).await.unwrap(), vec![Outcome::Ok(b"1".to_vec())]).await;
    let outcomes = vec![Outcome::Ok(b"1".to_vec())];
    let second = bench.store.write(move |tx| transform::apply(tx, id, &again, &outcomes, LAMBDA)).await;
    assert!(second.unwrap_err().message.contains("is not where it was read"));
    assert_eq!(bench.texts(Stage::Ready).await, ["1"]);
}

#[tokio::test]
async fn a_batch_is_retried_as_it_was_and_then_fails() {
    let bench = Bench::new(full()).await;
    bench.put(&["one", "two"]).await;
    let mut pauses = Vec::new();
    for attempt in 0..3 {
        let work = bench.plan(at_once(), LATER).await.unwrap();
        assert_eq!((work.attempts, work.rows.len()), (attempt, 2), "the batch keeps its records");
        bench.fail(work, 3).await;
        bench.put(&["later"]).await;
        let Retry { since, next_at, .. } = bench.head(Stage::Raw).await.retry.unwrap();
        assert_eq!(bench.plan(at_once(), next_at - 1).await.unwrap_err(), Some(next_at));
        pauses.push(next_at - since);
    }
    assert!(pauses.is_sorted() && pauses[0] == 100, "{pauses:?}");
    bench.fail(bench.plan(at_once(), LATER).await.unwrap(), 3).await;
    assert_eq!(bench.texts(Stage::Failed).await, ["one", "two"]);
    assert_eq!(bench.texts(Stage::Raw).await, ["later", "later", "later"]);
    assert!(bench.head(Stage::Raw).await.retry.is_none());
    let parcel = bench.pack(Stage::Failed, LATER).await.unwrap();
    let lines = String::from_utf8(parcel.body).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["attemptsMade"], &first["errorMessage"]), (&json!(4), &json!("no schema")));
    assert_eq!(lines.lines().count(), 2);
}

#[tokio::test]
async fn batches_keep_to_the_hints_and_to_the_requests_limit() {
    let bench = Bench::new(full()).await;
    bench.put(&["aaaa", "bbbb", "cccc"]).await;
    let now = bench.head(Stage::Raw).await.since;
    let hints = Hints::from_bytes(8, 60);
    assert_eq!(bench.plan(hints, now).await.unwrap().rows.len(), 2);
    assert_eq!(bench.plan(Hints::from_bytes(13, 60), now).await.unwrap_err(), Some(now + 60_000));
    assert_eq!(bench.plan(Hints::from_bytes(13, 60), now + 60_000).await.unwrap().rows.len(), 3);
    // 3 MB of raw bytes are too many for a request when they are many small records.
    let small = Bench::new(full()).await;
    for _ in 0..80 {
        small.put(&["x"; 500]).await;
    }
    let work = small.plan(at_once(), LATER).await.unwrap();
    let request = serde_json::to_vec(&work.records).unwrap().len();
    assert!(work.rows.len() < 40_000 && request < 6_291_556 && request > 4_000_000, "{} {request}", work.rows.len());
}

#[tokio::test]
async fn an_object_takes_its_records_with_it() {
    let bench = Bench::new(full()).await;
    bench.put(&["one", "two"]).await;
    let work = bench.plan(at_once(), LATER).await.unwrap();
    bench.apply(work, vec![Outcome::Ok(b"1".to_vec()), Outcome::Ok(b"2".to_vec())]).await;
    let stream = bench.stream().await;
    let since = bench.head(Stage::Ready).await.since;
    assert_eq!(bench.pack(Stage::Ready, since).await.unwrap_err(), Some(since + 300_000));
    let parcel = bench.pack(Stage::Ready, since + 300_000).await.unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&parcel.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "1\n2\n");
    let settings = stream.settings().unwrap();
    let key = deliver::key(&stream, Stage::Ready, &settings.target, 1_535_365_800_000).unwrap();
    assert!(key.starts_with("logs/2018/08/27/10/s-1-2018-08-27-10-30-00-") && key.ends_with(".gz"), "{key}");
    let failed = deliver::key(&stream, Stage::Failed, &settings.target, 1_535_365_800_000).unwrap();
    assert!(failed.starts_with("failed/processing-failed/s-1-") && !failed.ends_with(".gz"), "{failed}");

    let batch = parcel.batch;
    bench.write(move |tx| deliver::delivered(tx, stream.id, Stage::Ready, &batch, "lake/k")).await;
    assert!(bench.texts(Stage::Ready).await.is_empty());
    // A second delivery of the same rows finds nothing and undoes itself.
    let again = bench.store.write(move |tx| deliver::delivered(tx, stream.id, Stage::Ready, &batch, "lake/k")).await;
    assert!(again.is_err());
    let seen = bench.store.read(overview).await.unwrap();
    assert_eq!((seen[0].objects, seen[0].delivered_key.as_deref()), (1, Some("lake/k")));
    let backup: Vec<_> = seen[0].stages.iter().filter(|stage| stage.records > 0).collect();
    assert_eq!((backup.len(), backup[0].stage, backup[0].bytes), (1, "backup", 6));
}

#[tokio::test]
async fn a_place_that_stays_away_loses_records_after_a_day() {
    let bench = Bench::new(full()).await;
    bench.put(&["one", "two"]).await;
    let id = bench.stream().await.id;
    let parcel = bench.pack(Stage::Backup, LATER).await.unwrap();
    let batch = parcel.batch;
    bench.write(move |tx| deliver::give_up_or_wait(tx, id, Stage::Backup, &batch, None, false)).await;
    let retry = bench.head(Stage::Backup).await.retry.unwrap();
    assert_eq!((retry.attempts, retry.next_at - retry.since), (1, 500));
    assert_eq!(bench.pack(Stage::Backup, retry.since).await.unwrap_err(), Some(retry.next_at));
    for (since, now, lost) in [
        (retry.since, retry.since + MAX_RETRY_MS - 1, false),
        (retry.since, retry.since + MAX_RETRY_MS, true),
        // Records that came since the first failure have their own day.
        (retry.since + 5, retry.since + MAX_RETRY_MS, false),
    ] {
        assert_eq!(deliver::is_lost(now, since, Some(retry)), lost, "{since} {now}");
    }
    assert!(!deliver::is_lost(LATER, 0, None));
    bench.write(move |tx| deliver::give_up_or_wait(tx, id, Stage::Backup, &batch, Some(retry), true)).await;
    assert!(bench.texts(Stage::Backup).await.is_empty());
    assert_eq!(bench.texts(Stage::Raw).await, ["one", "two"]);
}

#[tokio::test]
async fn records_of_a_kinesis_stream_come_with_their_position() {
    let mut spec = full();
    spec["DeliveryStreamType"] = json!("KinesisStreamAsSource");
    spec["KinesisStreamSourceConfiguration"] =
        json!({ "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/log-stream", "RoleARN": "r" });
    let bench = Bench::new(spec).await;
    let id = bench.stream().await.id;
    let record = |sequence: &str, data: &'static [u8]| kinesis::Record {
        sequence_number: sequence.into(),
        data: Bytes::from_static(data),
        partition_key: "k".into(),
        arrival: 77,
    };
    let batch = |records: Vec<kinesis::Record>, ended| kinesis::Batch { records, ended, ..Default::default() };
    let first = batch(vec![record("5", b"one"), record("6", b"two")], false);
    bench.write(move |tx| source::take(tx, id, "shardId-000000000000", &first)).await;
    let work = bench.plan(at_once(), LATER).await.unwrap();
    let metadata = work.records[1].kinesis_record_metadata.clone().unwrap();
    assert_eq!((metadata.sequence_number.as_str(), metadata.approximate_arrival_timestamp), ("6", 77));
    assert_eq!(work.records[1].approximate_arrival_timestamp, 77);
    let position = |bench: &Bench| {
        let store = bench.store.clone();
        async move {
            let sql = "SELECT after, ended FROM firehose_positions";
            store.read(move |db| Ok(db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)).await.unwrap()
        }
    };
    assert_eq!(position(&bench).await, ("6".to_owned(), false));
    let end = batch(vec![], true);
    bench.write(move |tx| source::take(tx, id, "shardId-000000000000", &end)).await;
    assert_eq!(position(&bench).await, ("6".to_owned(), true), "an end without records keeps the position");

    let put = bench.store.write(|tx| put::put(tx, "s", &[Blob(Bytes::from_static(b"x"))], &[])).await.unwrap_err();
    assert_eq!(put.code, "InvalidArgumentException");
}

#[tokio::test]
async fn changes_are_versions_and_keep_what_waits() {
    let bench = Bench::new(full()).await;
    bench.put(&["one"]).await;
    bench.write(|tx| streams::ensure_stream(tx, "s", &full())).await;
    assert_eq!(bench.stream().await.version, 1, "the same configuration is no change");
    let mut plain = full();
    plain["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"] = json!({ "Enabled": false });
    bench.write(move |tx| streams::ensure_stream(tx, "s", &plain)).await;
    let stream = bench.stream().await;
    assert_eq!(stream.version, 2);
    bench.put(&["two"]).await;
    assert!(bench.write(move |tx| transform::promote(tx, stream.id)).await);
    assert!(!bench.write(move |tx| transform::promote(tx, stream.id)).await);
    assert_eq!(bench.texts(Stage::Ready).await, ["one", "two"]);
    assert!(bench.texts(Stage::Raw).await.is_empty());

    let update = json!({ "Prefix": "other/", "S3BackupUpdate": { "Prefix": "b/" } });
    let changed = bench.stream().await.configuration.updated(&update).unwrap();
    assert_eq!(changed.s3.prefix.as_deref(), Some("other/"));
    assert_eq!(changed.s3.compression_format, "GZIP");
    assert_eq!(changed.s3.backup.unwrap().prefix.as_deref(), Some("b/"));

    let mut moved = full();
    moved["KinesisStreamSourceConfiguration"] =
        json!({ "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/k", "RoleARN": "r" });
    let refused = bench.store.write(move |tx| streams::ensure_stream(tx, "s", &moved)).await.unwrap_err();
    assert!(refused.message.contains("exists with another source"), "{}", refused.message);
}

#[tokio::test]
async fn work_for_a_deleted_stream_changes_nothing() {
    let bench = Bench::new(full()).await;
    bench.put(&["one"]).await;
    let id = bench.stream().await.id;
    let work = bench.plan(at_once(), LATER).await.unwrap();
    bench.write(move |tx| streams::delete(tx, &streams::get(tx, tx.config(), "s")?)).await;
    bench.write(move |tx| streams::ensure_stream(tx, "s", &full())).await;
    let late = bench.store.write(move |tx| transform::apply(tx, id, &work, &[Outcome::Dropped], LAMBDA)).await;
    assert!(late.unwrap_err().message.contains("was deleted"));
    assert!(bench.texts(Stage::Raw).await.is_empty());
}

#[tokio::test]
async fn refused_entries_are_not_stored() {
    let bench = Bench::new(full()).await;
    let records: Vec<Blob> = ["a", "b", "c"].map(|text| Blob(Bytes::from_static(text.as_bytes()))).into();
    let taken = bench.write(move |tx| put::put(tx, "s", &records, &[false, true, false])).await;
    assert_eq!(taken, [true, false, true]);
    assert_eq!(bench.texts(Stage::Raw).await, ["a", "c"]);
}

/// An operation of a running emulator: status, answer.
async fn call(emulator: &crate::Emulator, operation: &str, input: Value) -> (u16, Value) {
    use http_body_util::{BodyExt, Full};
    let address = emulator.endpoint().trim_start_matches("http://").to_owned();
    let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("/")
        .header("host", address)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("Firehose_20150804.{operation}"))
        .body(Full::new(Bytes::from(input.to_string())))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_api_answers_as_firehose_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(dir.path());
    config.port = 0;
    let emulator = crate::Emulator::start(config).await.unwrap();
    let named = |mut spec: Value| {
        spec["DeliveryStreamName"] = json!("s");
        spec
    };
    let (status, made) = call(&emulator, "CreateDeliveryStream", named(full())).await;
    assert_eq!(
        (status, &made["DeliveryStreamARN"]),
        (200, &json!("arn:aws:firehose:us-east-1:000000000000:deliverystream/s"))
    );
    let (_, described) = call(&emulator, "DescribeDeliveryStream", named(json!({}))).await;
    let description = &described["DeliveryStreamDescription"];
    let extended = &description["Destinations"][0]["ExtendedS3DestinationDescription"];
    assert_eq!((&description["VersionId"], &extended["Prefix"]), (&json!("1"), &json!("logs/")));
    assert_eq!(extended["BufferingHints"], json!({ "SizeInMBs": 5, "IntervalInSeconds": 300 }));
    assert!(description["Destinations"][0]["S3DestinationDescription"].get("S3BackupMode").is_none());

    let records = json!({ "Records": [{ "Data": "YQ==" }, { "Data": "" }] });
    let (status, put) = call(&emulator, "PutRecordBatch", named(records)).await;
    assert_eq!((status, &put["FailedPutCount"]), (200, &json!(0)));
    assert!(put["RequestResponses"][1]["RecordId"].is_string());
    let (status, _) = call(&emulator, "PutRecord", named(json!({ "Record": { "Data": "YQ==" } }))).await;
    assert_eq!(status, 200);

    let tags = json!({ "Tags": [{ "Key": "a", "Value": "1" }, { "Key": "b" }] });
    assert_eq!(call(&emulator, "TagDeliveryStream", named(tags)).await.0, 200);
    let (_, tags) = call(&emulator, "ListTagsForDeliveryStream", named(json!({ "Limit": 1 }))).await;
    assert_eq!(tags, json!({ "Tags": [{ "Key": "a", "Value": "1" }], "HasMoreTags": true }));

    let update = |version: &str| {
        named(json!({ "CurrentDeliveryStreamVersionId": version, "DestinationId": "destinationId-000000000001",
            "ExtendedS3DestinationUpdate": { "Prefix": "other/" } }))
    };
    assert_eq!(call(&emulator, "UpdateDestination", update("1")).await.0, 200);
    for (operation, input, status, code) in [
        ("UpdateDestination", update("1"), 400, "ConcurrentModificationException"),
        ("CreateDeliveryStream", named(full()), 400, "ResourceInUseException"),
        ("CreateDeliveryStream", json!({ "DeliveryStreamName": "a b" }), 400, "ValidationException"),
        ("CreateDeliveryStream", json!({ "DeliveryStreamName": "t" }), 400, "InvalidArgumentException"),
        (
            "CreateDeliveryStream",
            json!({ "DeliveryStreamName": "t", "SplunkDestinationConfiguration": {} }),
            400,
            "InvalidArgumentException",
        ),
        ("PutRecordBatch", named(json!({ "Records": [] })), 400, "ValidationException"),
        ("PutRecord", named(json!({ "Record": { "Data": "?" } })), 400, "SerializationException"),
        ("StartDeliveryStreamEncryption", named(json!({})), 501, "NotImplemented"),
    ] {
        let (found, error) = call(&emulator, operation, input.clone()).await;
        assert_eq!((found, error["__type"].as_str()), (status, Some(code)), "{operation} {input}: {error}");
    }
    let (_, listed) = call(&emulator, "ListDeliveryStreams", json!({})).await;
    assert_eq!(listed, json!({ "DeliveryStreamNames": ["s"], "HasMoreDeliveryStreams": false }));
    assert_eq!(call(&emulator, "DeleteDeliveryStream", named(json!({}))).await.0, 200);
    let (status, gone) = call(&emulator, "DescribeDeliveryStream", named(json!({}))).await;
    assert_eq!((status, gone["__type"].as_str()), (400, Some("ResourceNotFoundException")));
    assert_eq!(gone["message"], "Firehose s under account 000000000000 not found.");
    emulator.stop().await;
}
