//! The whole over HTTP: an emulator on a free port, driven by plain requests as curl sends them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::configuration::{self, Kind};
use super::{BucketSpec, Notification, SCHEMA, ensure_bucket};
use crate::store::Store;
use crate::{Config, Emulator};

/// Writers that race for one key.
const RACERS: usize = 8;

/// Rounds of a race in a run of the unit tests; the end-to-end tests run many more.
const ROUNDS: usize = 20;

/// A restart takes milliseconds; this is for a machine that is busy with other things.
const RESTART: Duration = Duration::from_secs(60);

struct Fixture {
    emulator: Emulator,
    client: Client<HttpConnector, Full<Bytes>>,
    dir: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The text of the first element of this name.
    fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.text().split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn config(dir: &Path) -> Config {
    Config { port: 0, ..Config::new(dir) }
}

impl Fixture {
    /// An emulator with the bucket `bucket`.
    async fn start() -> Fixture {
        let dir = tempfile::tempdir().unwrap();
        let emulator = Emulator::start(config(dir.path())).await.unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let fixture = Fixture { emulator, client, dir };
        fixture.ok("PUT", "/bucket", &[], "").await;
        fixture
    }

    async fn restart(self) -> Fixture {
        let Fixture { emulator, dir, client } = self;
        // A connection has a handle on the state: it ends when the client has gone, at its own pace.
        drop(client);
        emulator.stop().await;
        let start = async {
            loop {
                match Emulator::start(config(dir.path())).await {
                    Ok(emulator) => return emulator,
                    Err(error) => assert!(error.to_string().contains("in use"), "{error}"),
                }
                tokio::task::yield_now().await;
            }
        };
        let emulator = tokio::time::timeout(RESTART, start).await.expect("the state of the one before is released");
        Fixture { emulator, client: Client::builder(TokioExecutor::new()).build_http(), dir }
    }

    async fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Bytes) -> http::Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.emulator.endpoint()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.request(request.body(Full::new(body)).unwrap()).await.unwrap()
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let (parts, body) = self.open(method, path, headers, body.into()).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn ok(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let answer = self.send(method, path, headers, body).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {:?}", answer.status, answer.body);
        answer
    }

    /// Body files on disk.
    fn files(&self) -> usize {
        let Ok(folders) = std::fs::read_dir(self.dir.path().join("objects")) else { return 0 };
        folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }
}

#[tokio::test]
async fn errors_have_status_and_code() {
    let s3 = Fixture::start().await;
    s3.ok("PUT", "/bucket/key", &[], "0123456789").await;
    let long = format!("/bucket/{}", "k".repeat(1025));
    for (method, path, headers, body, status, code) in [
        ("GET", "/bucket/none", &[][..], "", 404, "NoSuchKey"),
        ("GET", "/none/key", &[], "", 404, "NoSuchBucket"),
        ("PUT", "/none/key", &[], "x", 404, "NoSuchBucket"),
        ("PUT", "/Not_A_Bucket", &[], "", 400, "InvalidBucketName"),
        ("PUT", &long, &[], "", 400, "KeyTooLongError"),
        ("DELETE", "/bucket", &[], "", 409, "BucketNotEmpty"),
        ("GET", "/bucket/key", &[("range", "bytes=10-")], "", 416, "InvalidRange"),
        ("GET", "/bucket/key", &[("if-match", "\"other\"")], "", 412, "PreconditionFailed"),
        ("GET", "/bucket/key?versionId=1", &[], "", 404, "NoSuchVersion"),
        ("PUT", "/bucket/key", &[("if-none-match", "*")], "x", 412, "PreconditionFailed"),
        ("PUT", "/bucket/none", &[("if-match", "\"other\"")], "x", 404, "NoSuchKey"),
        ("PUT", "/bucket/key", &[("if-none-match", "\"other\"")], "x", 501, "NotImplemented"),
        ("DELETE", "/bucket/key", &[("if-match", "\"other\"")], "", 412, "PreconditionFailed"),
        ("DELETE", "/bucket/none", &[("if-match", "\"other\"")], "", 404, "NoSuchKey"),
        ("PUT", "/bucket/x", &[("content-md5", "nonsense")], "x", 400, "InvalidDigest"),
        ("PUT", "/bucket/x", &[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], "x", 400, "BadDigest"),
        ("PUT", "/bucket/x", &[("x-amz-checksum-crc32", "AAAAAA==")], "x", 400, "BadDigest"),
        ("PUT", "/bucket/x", &[("x-amz-checksum-crc32", "AAAA")], "x", 400, "InvalidRequest"),
        ("PUT", "/bucket/x", &[("x-amz-content-sha256", &"0".repeat(64))], "x", 400, "XAmzContentSHA256Mismatch"),
        ("PUT", "/bucket/x", &[("x-amz-expected-bucket-owner", "1")], "x", 403, "AccessDenied"),
        ("PUT", "/bucket/x?partNumber=1&uploadId=none", &[], "x", 404, "NoSuchUpload"),
        ("POST", "/bucket?delete", &[], "junk", 400, "MalformedXML"),
        ("GET", "/bucket?acl", &[], "", 501, "NotImplemented"),
        ("POST", "/bucket/key?nonsense", &[], "", 501, "NotImplemented"),
        ("GET", "/bucket?list-type=2&continuation-token=%21", &[], "", 400, "InvalidArgument"),
    ] {
        let answer = s3.send(method, path, headers, body).await;
        let label = format!("{method} {path} {headers:?}: {:?}", answer.body);
        assert_eq!((answer.status.as_u16(), answer.element("Code")), (status, Some(code)), "{label}");
        assert_eq!(answer.element("RequestId"), Some(answer.header("x-amz-request-id")), "{label}");
        assert!(answer.element("Message").is_some_and(|message| !message.is_empty()), "{label}");
    }
    assert_eq!(s3.files(), 1, "refused bodies are removed");
    let unknown = s3.send("POST", "/bucket/key?nonsense", &[], "").await;
    assert!(unknown.text().contains("POST /bucket/key?nonsense"));
    assert!(s3.send("GET", "/bucket?acl", &[], "").await.text().contains("GetBucketAcl"));
}

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let s3 = Fixture::start().await;
    let key = "/bucket/a%20b%2B%C3%BC/..//x";
    let put = [
        ("content-type", "text/plain"),
        ("content-encoding", "gzip"),
        ("x-amz-meta-owner", "me"),
        ("x-amz-tagging", "a=1&b=2"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=k/20261120/us-east-1/s3/aws4_request, Signature=s"),
    ];
    let etag = s3.ok("PUT", key, &put, "0123456789").await.header("etag").to_owned();
    assert_eq!(etag, "\"781e5e245d69b566979b86e28d23f2c7\"");
    let whole = s3.ok("GET", key, &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(whole.text(), "0123456789");
    for (name, value) in [
        ("etag", etag.as_str()),
        ("content-type", "text/plain"),
        ("content-encoding", "gzip"),
        ("content-length", "10"),
        ("accept-ranges", "bytes"),
        ("x-amz-meta-owner", "me"),
        ("x-amz-tagging-count", "2"),
        ("x-amz-checksum-type", "FULL_OBJECT"),
    ] {
        assert_eq!(whole.header(name), value, "{name}");
    }
    assert!(whole.headers.contains_key("x-amz-checksum-crc64nvme") && whole.headers.contains_key("last-modified"));
    let range = s3.ok("GET", key, &[("range", "bytes=2-4")], "").await;
    assert_eq!((range.status.as_u16(), range.text(), range.header("content-range")), (206, "234", "bytes 2-4/10"));
    let head = s3.ok("HEAD", key, &[("range", "bytes=2-4")], "").await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (206, "3", 0));
    let same = s3.send("GET", key, &[("if-none-match", &etag)], "").await;
    assert_eq!((same.status.as_u16(), same.header("etag"), same.body.len()), (304, etag.as_str(), 0));
    let list = s3.ok("GET", "/bucket?list-type=2&encoding-type=url", &[], "").await;
    assert_eq!(list.element("Key"), Some("a+b%2B%C3%BC/..//x"));
    s3.ok("DELETE", key, &[("if-match", &etag)], "").await;
    assert_eq!((s3.send("GET", key, &[], "").await.status.as_u16(), s3.files()), (404, 0));
}

#[tokio::test]
async fn chunked_bodies_are_decoded_and_their_trailers_compared() {
    let s3 = Fixture::start().await;
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "11"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let body = |trailer: &str| format!("5\r\nhello\r\n6\r\n world\r\n0\r\n{trailer}\r\n");
    for (body, status, code) in [
        (body("x-amz-checksum-crc32:DUoRhQ==\r\n"), 200, None),
        (body("x-amz-checksum-crc32:AAAAAA==\r\n"), 400, Some("BadDigest")),
        (body(""), 400, Some("MalformedTrailerError")),
        ("5\r\nhello\r\n0\r\n\r\n".to_owned(), 400, Some("IncompleteBody")),
        ("nonsense\r\n".to_owned(), 400, Some("InvalidRequest")),
    ] {
        let answer = s3.send("PUT", "/bucket/key", &headers, body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.element("Code")), (status, code), "{body:?}: {:?}", answer.body);
        assert_eq!(s3.files(), 1, "{body:?}");
    }
    let stored = s3.ok("GET", "/bucket/key", &[("x-amz-checksum-mode", "ENABLED")], "").await;
    assert_eq!(stored.text(), "hello world");
    assert_eq!((stored.header("content-encoding"), stored.header("x-amz-checksum-crc32")), ("", "DUoRhQ=="));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_conditional_writers_one_wins() {
    let s3 = Fixture::start().await;
    for size in [64, 1024 * 1024] {
        for round in 0..ROUNDS {
            let path = format!("/bucket/{size}/{round}");
            let body = |racer: usize| Bytes::from(vec![racer as u8; size]);
            let first = |racer| s3.send("PUT", &path, &[("if-none-match", "*")], body(racer));
            let answers = futures::future::join_all((0..RACERS).map(first)).await;
            let etag = the_winner(&answers, &path);
            let headers = [("if-match", etag.as_str())];
            let second = |racer| s3.send("PUT", &path, &headers, body(racer + RACERS));
            let answers = futures::future::join_all((0..RACERS).map(second)).await;
            let etag = the_winner(&answers, &path);
            let stored = s3.ok("GET", &path, &[], "").await;
            assert_eq!((stored.header("etag"), stored.body.len()), (etag.as_str(), size));
        }
    }
    assert_eq!(s3.files(), 2 * ROUNDS, "the losers' bodies are removed");
}

/// The ETag of the one that succeeded; all others got a 412.
fn the_winner(answers: &[Answer], path: &str) -> String {
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(winners.len(), 1, "{path}: {statuses:?}");
    assert_eq!(statuses.iter().filter(|&&status| status == 412).count(), RACERS - 1, "{path}: {statuses:?}");
    winners[0].header("etag").to_owned()
}

#[tokio::test]
async fn a_reader_keeps_what_it_opened() {
    let s3 = Fixture::start().await;
    let old = Bytes::from(vec![b'o'; 8 * 1024 * 1024]);
    s3.ok("PUT", "/bucket/key", &[], old.clone()).await;
    let mut reading = s3.open("GET", "/bucket/key", &[], Bytes::new()).await.into_body();
    let mut got = reading.frame().await.unwrap().unwrap().into_data().unwrap().to_vec();
    s3.ok("PUT", "/bucket/key", &[], "new").await;
    assert_eq!(s3.files(), 1, "the old body has no name any more");
    got.extend_from_slice(&reading.collect().await.unwrap().to_bytes());
    assert!(got == old, "the reader got {} bytes of the old body", got.len());
    assert_eq!(s3.ok("GET", "/bucket/key", &[], "").await.text(), "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_and_writers_of_one_key_never_miss() {
    let s3 = Fixture::start().await;
    s3.ok("PUT", "/bucket/key", &[], "start").await;
    let write = async {
        for n in 0..200 {
            s3.ok("PUT", "/bucket/key", &[], n.to_string()).await;
        }
    };
    let read = async {
        for _ in 0..200 {
            s3.ok("GET", "/bucket/key", &[], "").await;
        }
    };
    tokio::join!(write, read);
    assert_eq!(s3.files(), 1);
}

#[tokio::test]
async fn a_multipart_upload_survives_a_restart() {
    let s3 = Fixture::start().await;
    let begun =
        s3.ok("POST", "/bucket/big?uploads", &[("x-amz-meta-a", "b"), ("x-amz-checksum-algorithm", "CRC32")], "").await;
    let id = begun.element("UploadId").unwrap().to_owned();
    let first = Bytes::from(vec![1; 5 * 1024 * 1024]);
    let path = |n: usize| format!("/bucket/big?partNumber={n}&uploadId={id}");
    let etag_1 = s3.ok("PUT", &path(1), &[], first.clone()).await.header("etag").to_owned();
    s3.ok("PUT", &path(2), &[], "replaced").await;
    let etag_2 = s3.ok("PUT", &path(2), &[], "second").await.header("etag").to_owned();
    let s3 = s3.restart().await;
    let part = |n: usize, etag: &str| format!("<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>");
    let complete = |parts: String| format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let end = format!("/bucket/big?uploadId={id}");
    let swapped = s3.send("POST", &end, &[], complete(part(2, &etag_2) + &part(1, &etag_1))).await;
    assert_eq!(swapped.element("Code"), Some("InvalidPartOrder"));
    let done = s3.ok("POST", &end, &[], complete(part(1, &etag_1) + &part(2, &etag_2))).await;
    assert!(done.element("ETag").unwrap().contains("-2"), "{}", done.text());
    assert!(done.element("ChecksumCRC32").unwrap().ends_with("-2"), "{}", done.text());
    let whole = s3.ok("GET", "/bucket/big", &[], "").await;
    assert!(whole.body == [first, Bytes::from("second")].concat());
    assert_eq!(whole.header("x-amz-meta-a"), "b");
    assert_eq!(s3.ok("GET", "/bucket/big?partNumber=2", &[], "").await.text(), "second");
    assert_eq!(s3.files(), 1, "the parts are gone");
    assert_eq!(s3.send("POST", &end, &[], complete(part(1, &etag_1))).await.element("Code"), Some("NoSuchUpload"));
}

#[tokio::test]
async fn the_checksums_of_an_upload_are_shown_when_the_client_named_an_algorithm() {
    let s3 = Fixture::start().await;
    for (named, sent, of_part, listed, of_whole) in [
        (None, None, "x-amz-checksum-crc64nvme", None, "ChecksumCRC64NVME"),
        (None, Some("CRC32"), "x-amz-checksum-crc32", None, "ChecksumCRC64NVME"),
        (Some("CRC32"), None, "x-amz-checksum-crc32", Some("ChecksumCRC32"), "ChecksumCRC32"),
    ] {
        let header = |name: &'static str, value: Option<&'static str>| value.map(|value| (name, value));
        let named_header: Vec<_> = header("x-amz-checksum-algorithm", named).into_iter().collect();
        let sent_header: Vec<_> = header("x-amz-sdk-checksum-algorithm", sent).into_iter().collect();
        let id = s3.ok("POST", "/bucket/big?uploads", &named_header, "").await.element("UploadId").unwrap().to_owned();
        let put = s3.ok("PUT", &format!("/bucket/big?partNumber=1&uploadId={id}"), &sent_header, "part").await;
        let sums: Vec<_> = put.headers.keys().filter(|name| name.as_str().starts_with("x-amz-checksum-")).collect();
        assert_eq!(sums, [of_part], "{named:?} {sent:?}");
        let parts = s3.ok("GET", &format!("/bucket/big?uploadId={id}"), &[], "").await;
        let uploads = s3.ok("GET", "/bucket?uploads", &[], "").await;
        for (list, text) in [("parts", parts.text()), ("uploads", uploads.text())] {
            assert_eq!(text.contains("Checksum"), named.is_some(), "{list} {named:?} {sent:?}: {text}");
        }
        assert_eq!(listed.is_some_and(|listed| parts.element(listed).is_some()), named.is_some());
        assert_eq!(uploads.element("NextUploadIdMarker"), Some(id.as_str()));
        assert!(!uploads.text().contains("<Prefix>"), "{}", uploads.text());
        let etag = put.header("etag");
        let part = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
        let complete = format!("<CompleteMultipartUpload>{part}</CompleteMultipartUpload>");
        let done = s3.ok("POST", &format!("/bucket/big?uploadId={id}"), &[], complete).await;
        assert!(done.element(of_whole).is_some(), "{named:?} {sent:?}: {}", done.text());
    }
}

#[tokio::test]
async fn files_without_a_row_are_removed_at_start() {
    let s3 = Fixture::start().await;
    s3.ok("PUT", "/bucket/key", &[], "body").await;
    let folder = s3.dir.path().join("objects").join("zz");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("orphan"), "half a body").unwrap();
    assert_eq!(s3.files(), 2);
    let s3 = s3.restart().await;
    assert_eq!(s3.files(), 1);
    assert_eq!(s3.ok("GET", "/bucket/key", &[], "").await.text(), "body");
}

#[tokio::test]
async fn copies_outlive_their_source() {
    let s3 = Fixture::start().await;
    s3.ok("PUT", "/bucket/from", &[("content-type", "text/x"), ("x-amz-tagging", "a=1")], "body").await;
    let source = ("x-amz-copy-source", "/bucket/from");
    s3.ok("PUT", "/bucket/same", &[source], "").await;
    s3.ok("PUT", "/bucket/other", &[source, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-b", "c")], "").await;
    let failed = s3.send("PUT", "/bucket/none", &[source, ("x-amz-copy-source-if-match", "\"other\"")], "").await;
    assert_eq!(failed.element("Code"), Some("PreconditionFailed"));
    s3.ok("DELETE", "/bucket/from", &[], "").await;
    let same = s3.ok("GET", "/bucket/same", &[], "").await;
    assert_eq!((same.text(), same.header("content-type"), same.header("x-amz-tagging-count")), ("body", "text/x", "1"));
    let other = s3.ok("GET", "/bucket/other", &[], "").await;
    assert_eq!(
        (other.text(), other.header("content-type"), other.header("x-amz-meta-b")),
        ("body", "binary/octet-stream", "c")
    );
    assert_eq!(s3.files(), 2);
}

/// What a queue of SQS has got, in order.
async fn receive_all(s3: &Fixture, queue_url: &str) -> Vec<Value> {
    let mut got = Vec::new();
    loop {
        let input = json!({ "QueueUrl": queue_url, "MaxNumberOfMessages": 10 });
        let answer = sqs(s3, "ReceiveMessage", input).await;
        let Some(messages) = answer["Messages"].as_array().filter(|messages| !messages.is_empty()) else { return got };
        got.extend(messages.iter().map(|m| serde_json::from_str::<Value>(m["Body"].as_str().unwrap()).unwrap()));
    }
}

async fn sqs(s3: &Fixture, operation: &str, input: Value) -> Value {
    let target = format!("AmazonSQS.{operation}");
    let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.0")];
    serde_json::from_slice(&s3.ok("POST", "/", &headers, input.to_string()).await.body).unwrap()
}

#[tokio::test]
async fn a_queue_hears_of_what_was_done_and_of_nothing_else() {
    let s3 = Fixture::start().await;
    let queue = sqs(&s3, "CreateQueue", json!({ "QueueName": "q" })).await["QueueUrl"].as_str().unwrap().to_owned();
    let configure = |arn: &str| {
        format!(
            "<NotificationConfiguration><QueueConfiguration><Id>all</Id><Queue>{arn}</Queue>
             <Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event>
             <Filter><S3Key><FilterRule><Name>prefix</Name><Value>logs/</Value></FilterRule></S3Key></Filter>
             </QueueConfiguration></NotificationConfiguration>"
        )
    };
    let missing = configure("arn:aws:sqs:us-east-1:000000000000:missing");
    assert_eq!(s3.send("PUT", "/bucket?notification", &[], missing).await.element("Code"), Some("InvalidArgument"));
    s3.ok("PUT", "/bucket?notification", &[], configure("arn:aws:sqs:us-east-1:000000000000:q")).await;
    assert_eq!(receive_all(&s3, &queue).await[0]["Event"], "s3:TestEvent");

    s3.ok("PUT", "/bucket/logs/a%20b", &[], "12345").await;
    s3.ok("PUT", "/bucket/elsewhere", &[], "x").await;
    assert_eq!(s3.send("PUT", "/bucket/logs/a%20b", &[("if-none-match", "*")], "x").await.status.as_u16(), 412);
    s3.ok("PUT", "/bucket/logs/copy", &[("x-amz-copy-source", "/bucket/elsewhere")], "").await;
    s3.ok("DELETE", "/bucket/logs/a%20b", &[], "").await;
    s3.ok("DELETE", "/bucket/logs/a%20b", &[], "").await;
    let heard: Vec<_> = receive_all(&s3, &queue)
        .await
        .iter()
        .map(|event| {
            let record = &event["Records"][0];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&record["eventName"]), text(&record["s3"]["object"]["key"]))
        })
        .collect();
    let expected =
        [("ObjectCreated:Put", "logs/a+b"), ("ObjectCreated:Copy", "logs/copy"), ("ObjectRemoved:Delete", "logs/a+b")];
    assert_eq!(heard, expected.map(|(event, key)| (event.to_owned(), key.to_owned())));
}

#[tokio::test]
async fn a_bucket_is_brought_to_its_template() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&Arc::new(config(dir.path())), &[SCHEMA]).unwrap();
    let notification = |prefix: &str| Notification {
        id: prefix.to_owned(),
        events: vec!["s3:ObjectCreated:*".into()],
        prefix: Some(prefix.to_owned()),
        suffix: None,
        destination: "arn:aws:lambda:us-east-1:000000000000:function:f".into(),
    };
    let spec = BucketSpec {
        name: "bucket".into(),
        notifications: vec![notification("logs/"), notification("inbox/")],
        configuration: BTreeMap::from([
            (
                "LifecycleConfiguration".to_owned(),
                json!({ "Rules": [{
                    "Id": "old", "Status": "Enabled", "Prefix": "logs/", "ExpirationInDays": "30",
                    "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 2 },
                }] }),
            ),
            (
                "BucketEncryption".to_owned(),
                json!({ "ServerSideEncryptionConfiguration": [{
                    "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" },
                }] }),
            ),
            (
                "PublicAccessBlockConfiguration".to_owned(),
                json!({ "BlockPublicAcls": true, "BlockPublicPolicy": "true" }),
            ),
            ("OwnershipControls".to_owned(), json!({ "Rules": [] })),
            ("Policy".to_owned(), json!({ "Version": "2012-10-17", "Statement": [] })),
        ]),
    };
    let overlapping = BucketSpec { notifications: vec![notification("logs/"), notification("logs/a")], ..spec.clone() };
    for _ in 0..2 {
        let spec = spec.clone();
        store.write(move |tx| ensure_bucket(tx, &spec)).await.unwrap();
    }
    let error = store.write(move |tx| ensure_bucket(tx, &overlapping)).await.unwrap_err();
    assert_eq!(error.code, "InvalidArgument");
    let lifecycle: s3s::dto::BucketLifecycleConfiguration =
        store.read(|db| configuration::load(db, "bucket", Kind::Lifecycle)).await.unwrap().unwrap();
    let rule = &lifecycle.rules[0];
    assert_eq!(rule.expiration.as_ref().unwrap().days, Some(30));
    assert_eq!(rule.filter.as_ref().unwrap().prefix.as_deref(), Some("logs/"));
    assert_eq!(rule.abort_incomplete_multipart_upload.as_ref().unwrap().days_after_initiation, Some(2));
    let block: s3s::dto::PublicAccessBlockConfiguration =
        store.read(|db| configuration::load(db, "bucket", Kind::PublicAccessBlock)).await.unwrap().unwrap();
    assert_eq!((block.block_public_acls, block.block_public_policy), (Some(true), Some(true)));
    assert_eq!(block.restrict_public_buckets, Some(false));
    let policy: String = store.read(|db| configuration::load(db, "bucket", Kind::Policy)).await.unwrap().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&policy).unwrap()["Version"], "2012-10-17");
}
