//! The function runtime with real processes: invocation and its failures, asynchronous events, schedules, function URLs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use emulator::runtime::{MAX_REQUEST, MAX_RESPONSE, Timing};
use emulator::services::lambda::{self, AsyncSpec, FunctionSpec};
use emulator::store::Wake;
use emulator::{Config, Emulator};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Rig {
    emulator: Emulator,
    dir: tempfile::TempDir,
}

impl Rig {
    async fn start() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        Rig { emulator: start_in(dir.path()).await, dir }
    }

    async fn restart(self) -> Rig {
        self.emulator.stop().await;
        // The state is closed with the last connection that was being served.
        eventually("the state is closed", async || {
            let lock = std::fs::File::open(self.dir.path().join("data/lock")).unwrap();
            lock.try_lock().is_ok()
        })
        .await;
        Rig { emulator: start_in(self.dir.path()).await, dir: self.dir }
    }

    async fn function(&self, name: &str, change: impl FnOnce(&mut FunctionSpec)) {
        let mut spec = spec(name);
        change(&mut spec);
        self.emulator.ctx().store.write(move |tx| lambda::ensure_function(tx, &spec)).await.unwrap();
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("events")
    }

    /// The events that functions with [`logged`] have got.
    fn logged(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn invoke(&self, function: &str, event: Value) -> Answer {
        self.call(
            &format!("/2015-03-31/functions/{function}/invocations"),
            &[("x-amz-log-type", "Tail")],
            event.to_string(),
        )
        .await
    }

    async fn process(&self, function: &str) -> u64 {
        self.invoke(function, json!({"process": true})).await.json().as_u64().unwrap()
    }

    async fn call(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        send("POST", &format!("{}{path}", self.emulator.endpoint()), headers, body.into()).await
    }

    async fn pending(&self) -> i64 {
        self.emulator.ctx().store.read(lambda::overview).await.unwrap().pending_events
    }
}

async fn start_in(dir: &Path) -> Emulator {
    let mut config = Config::new(dir.join("data"));
    config.port = 0;
    config.binaries = Path::new(env!("CARGO_BIN_EXE_probe")).parent().unwrap().to_owned();
    Emulator::start(config).await.unwrap()
}

fn spec(name: &str) -> FunctionSpec {
    FunctionSpec {
        name: name.into(),
        binary: "probe".into(),
        environment: BTreeMap::new(),
        timeout: 30,
        memory: 128,
        ephemeral_storage: 512,
        reserved_concurrency: None,
        asynchronous: AsyncSpec::default(),
    }
}

fn logged(rig: &Rig, spec: &mut FunctionSpec) {
    spec.environment.insert("PROBE_LOG".into(), rig.log().to_str().unwrap().into());
}

struct Answer(Response<Bytes>);

impl Answer {
    fn status(&self) -> StatusCode {
        self.0.status()
    }
    fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name).map(|value| value.to_str().unwrap())
    }
    fn json(&self) -> Value {
        serde_json::from_slice(self.0.body()).unwrap_or_else(|e| panic!("{e}: {:?}", self.0.body()))
    }
    fn tail(&self) -> String {
        String::from_utf8(BASE64_STANDARD.decode(self.header("x-amz-log-result").unwrap()).unwrap()).unwrap()
    }
}

async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = tokio::time::timeout(PATIENCE, client.request(request.body(Full::new(body)).unwrap()));
    let (parts, body) = answer.await.expect("an answer in time").unwrap().into_parts();
    Answer(Response::from_parts(parts, body.collect().await.unwrap().to_bytes()))
}

/// Waits until the condition holds.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn is_alive(process: u64) -> bool {
    // A zombie is not alive: it waits for a parent to look at it.
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_is_answered_whatever_the_function_does() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:probe:$LATEST";
    for (function, event, error, expected) in [
        ("probe", json!({"a": [1, 2]}), None, json!({"a": [1, 2]})),
        ("probe", json!("text"), None, json!("text")),
        (arn, json!({"answer": null}), None, json!(null)),
        ("probe", json!({"fail": "no"}), Some("Unhandled"), json!({"errorMessage": "no"})),
        ("probe", json!({"panic": "oh"}), Some("Unhandled"), json!({"errorMessage": "oh"})),
        ("probe", json!({"exit": 7}), Some("Unhandled"), json!({"errorType": "Runtime.ExitError"})),
        ("probe", json!({"exit": 0}), Some("Unhandled"), json!({"errorType": "Runtime.ExitError"})),
        ("probe", json!({"after": "exit"}), None, json!({"after": "exit"})),
        ("probe", json!({"fill_tmp": 512 << 20}), None, json!({"fill_tmp": 512 << 20})),
        ("probe", json!({"fill_tmp": (512 << 20) + 1}), Some("Unhandled"), json!({"errorType": "Runtime.ExitError"})),
        (
            "probe",
            json!({"answer_bytes": MAX_RESPONSE}),
            Some("Unhandled"),
            json!({"errorType": "Function.ResponseSizeTooLarge"}),
        ),
    ] {
        let answer = rig.invoke(function, event.clone()).await;
        assert_eq!(answer.status(), 200, "{event}");
        assert_eq!(answer.header("x-amz-function-error"), error, "{event}: {}", answer.json());
        assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
        match (error, answer.json()) {
            (None, got) => assert_eq!(got, expected, "{event}"),
            (Some(_), got) => {
                let (name, value) = expected.as_object().unwrap().iter().next().unwrap();
                let (got, value) = (got[name].as_str().unwrap(), value.as_str().unwrap());
                assert!(got.ends_with(value), "{event}: {got}");
            }
        }
    }
    let exit = rig.invoke("probe", json!({"exit": 7})).await;
    let message = exit.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("Error: Runtime exited with error: exit status 7"), "{message}");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lambda_itself_refuses() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    rig.function("none", |spec| spec.reserved_concurrency = Some(0)).await;
    let invoke = |name: &str| format!("/2015-03-31/functions/{name}/invocations");
    let event = ("x-amz-invocation-type", "Event");
    let big = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for (path, header, body, status, code) in [
        (invoke("missing"), None, "{}".to_owned(), 404, "ResourceNotFoundException"),
        (invoke("probe:7"), None, "{}".to_owned(), 404, "ResourceNotFoundException"),
        (invoke("probe"), None, "{".to_owned(), 400, "InvalidRequestContentException"),
        (invoke("probe"), None, big(MAX_REQUEST + 1), 413, "RequestTooLargeException"),
        (invoke("probe"), Some(event), big(lambda::MAX_ASYNC_PAYLOAD + 1), 413, "RequestTooLargeException"),
        (invoke("missing"), Some(event), "{}".to_owned(), 404, "ResourceNotFoundException"),
        (
            invoke("probe"),
            Some(("x-amz-invocation-type", "Later")),
            "{}".to_owned(),
            400,
            "InvalidParameterValueException",
        ),
        (invoke("none"), None, "{}".to_owned(), 429, "TooManyRequestsException"),
        ("/2015-03-31/functions".to_owned(), None, "{}".to_owned(), 501, "NotImplemented"),
        ("/2015-03-31/functions/probe/versions".to_owned(), None, "{}".to_owned(), 501, "NotImplemented"),
    ] {
        let headers: Vec<_> = header.into_iter().collect();
        let answer = rig.call(&path, &headers, body).await;
        assert_eq!(answer.status(), status, "{path}: {}", answer.json());
        assert_eq!(answer.header("x-amzn-errortype"), Some(code), "{path}");
        assert!(answer.json()["Message"].is_string() && answer.json()["Type"].is_string(), "{path}: {}", answer.json());
    }
    let dry = rig.call(&invoke("probe"), &[("x-amz-invocation-type", "DryRun")], "").await;
    assert_eq!(dry.status(), 204);
    let largest = rig.call(&invoke("probe"), &[], big(MAX_REQUEST)).await;
    assert_eq!((largest.status(), largest.0.body().len()), (StatusCode::OK, MAX_REQUEST));
    assert!(rig.emulator.ctx().pool.snapshot().iter().any(|seen| seen.function == "none" && seen.throttles == 1));
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tail_tells_of_the_invocation() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let first = rig.invoke("probe", json!({"print": "a line of its own"})).await;
    let id = first.header("x-amzn-requestid").unwrap();
    let tail = first.tail();
    let lines: Vec<&str> = tail.lines().collect();
    let [start, line, end, report] = lines.as_slice() else { panic!("{tail}") };
    assert_eq!(*start, format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!(*line, "a line of its own");
    assert_eq!(*end, format!("END RequestId: {id}"));
    assert!(report.starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{report}");
    assert!(report.contains("Memory Size: 128 MB") && report.contains("Init Duration: "), "{report}");
    assert!(!report.contains("Max Memory Used: 0 MB"), "{report}");
    let second = rig.invoke("probe", json!({"print": "again"})).await.tail();
    assert!(!second.contains("a line of its own") && !second.contains("Init Duration"), "{second}");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_takes_too_long_is_killed() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| spec.timeout = 1).await;
    let process = rig.process("probe").await;
    let answer = rig.invoke("probe", json!({"sleep_ms": 600_000})).await;
    assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"));
    assert_eq!(answer.json()["errorType"], "Sandbox.Timedout");
    assert!(answer.json()["errorMessage"].as_str().unwrap().ends_with("Task timed out after 1.00 seconds"));
    assert!(answer.tail().contains("Task timed out after 1.00 seconds"), "{}", answer.tail());
    eventually("the process ends", async || !is_alive(process)).await;
    assert_ne!(rig.process("probe").await, process);
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_start_is_an_error_of_the_function() {
    let rig = Rig::start().await;
    rig.function("exits", |spec| drop(spec.environment.insert("PROBE_INIT".into(), "exit".into()))).await;
    rig.function("missing", |spec| spec.binary = "no-such-binary".into()).await;
    for (function, kind, message) in
        [("exits", "Runtime.ExitError", "exit status 3"), ("missing", "Runtime.InvalidEntrypoint", "no-such-binary")]
    {
        let answer = rig.invoke(function, json!({})).await;
        assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"), "{function}");
        assert_eq!(answer.json()["errorType"], kind);
        assert!(answer.json()["errorMessage"].as_str().unwrap().contains(message), "{}", answer.json());
    }
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_sees_its_own_environment_only() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| drop(spec.environment.insert("MINE".into(), "yes".into()))).await;
    let environment = rig.invoke("probe", json!({"environment": true})).await.json();
    for (name, expected) in [
        ("MINE", "yes"),
        ("AWS_LAMBDA_FUNCTION_NAME", "probe"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/probe"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", rig.emulator.endpoint().as_str()),
    ] {
        assert_eq!(environment[name], expected, "{name}");
    }
    assert!(environment["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap().contains("/[$LATEST]"));
    assert!(environment.get("CARGO_MANIFEST_DIR").is_none(), "the tests' environment is not the function's");
    let tmp = PathBuf::from(environment["TMPDIR"].as_str().unwrap());
    assert!(tmp.is_dir() && tmp.starts_with(rig.dir.path()));
    rig.emulator.stop().await;
    eventually("its folder is removed", async || !tmp.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_more_processes_under_load_and_they_are_used_again() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    rig.function("one", |spec| spec.reserved_concurrency = Some(1)).await;
    let first = rig.process("probe").await;
    for _ in 0..3 {
        assert_eq!(rig.process("probe").await, first);
    }
    let slow = || rig.invoke("probe", json!({"sleep_ms": 1000}));
    tokio::join!(slow(), slow(), slow());
    let seen = rig.emulator.ctx().pool.snapshot().into_iter().find(|seen| seen.function == "probe").unwrap();
    assert_eq!((seen.processes, seen.running, seen.invocations, seen.errors), (3, 0, 7, 0));

    let (a, b) =
        tokio::join!(rig.invoke("one", json!({"sleep_ms": 2000})), rig.invoke("one", json!({"sleep_ms": 2000})));
    let mut statuses = [a.status().as_u16(), b.status().as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_or_configuration_that_changed_gets_new_processes() {
    let binaries = tempfile::tempdir().unwrap();
    let binary = binaries.path().join("probe");
    let copy = || {
        let fresh = binaries.path().join("probe.new");
        std::fs::copy(env!("CARGO_BIN_EXE_probe"), &fresh).unwrap();
        std::fs::rename(fresh, &binary).unwrap();
    };
    copy();
    let mut config = Config::new(binaries.path().join("data"));
    (config.port, config.binaries) = (0, binaries.path().to_owned());
    let rig = Rig { emulator: Emulator::start(config).await.unwrap(), dir: binaries };
    rig.function("probe", |_| {}).await;
    let first = rig.process("probe").await;
    let copy = || {
        let fresh = rig.dir.path().join("probe.new");
        std::fs::copy(env!("CARGO_BIN_EXE_probe"), &fresh).unwrap();
        std::fs::rename(fresh, &binary).unwrap();
    };
    copy();
    let second = rig.process("probe").await;
    assert_ne!(first, second, "the binary changed");
    eventually("the old process is retired", async || !is_alive(first)).await;
    rig.function("probe", |spec| spec.memory = 256).await;
    assert_ne!(rig.process("probe").await, second, "the configuration changed");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_event_is_tried_three_times() {
    let rig = Rig::start().await;
    rig.emulator.ctx().pool.set_timing(Timing { async_retries: [10, 20], ..Timing::default() });
    rig.function("probe", |spec| logged(&rig, spec)).await;
    let path = "/2015-03-31/functions/probe/invocations";
    for event in [json!({"n": 1}), json!({"fail": "always"})] {
        let answer = rig.call(path, &[("x-amz-invocation-type", "Event")], event.to_string()).await;
        assert_eq!((answer.status(), answer.0.body().len()), (StatusCode::ACCEPTED, 0));
    }
    eventually("both events have ended", async || rig.pending().await == 0).await;
    let events = rig.logged();
    assert_eq!(events.iter().filter(|event| event["n"] == 1).count(), 1);
    assert_eq!(events.iter().filter(|event| event["fail"] == "always").count(), 3);
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_succeeded_or_failed_is_told_to_another_function() {
    let rig = Rig::start().await;
    rig.function("listener", |spec| logged(&rig, spec)).await;
    rig.function("probe", |spec| {
        let listener = Some("arn:aws:lambda:us-east-1:000000000000:function:listener".to_owned());
        let (on_success, on_failure) = (listener.clone(), listener);
        spec.asynchronous = AsyncSpec { retries: Some(0), on_success, on_failure, ..Default::default() };
    })
    .await;
    let path = "/2015-03-31/functions/probe/invocations";
    for event in [json!({"answer": 7}), json!({"fail": "no"})] {
        rig.call(path, &[("x-amz-invocation-type", "Event")], event.to_string()).await;
    }
    eventually("both records have come", async || rig.logged().len() == 2).await;
    let records = rig.logged();
    let of =
        |condition: &str| records.iter().find(|record| record["requestContext"]["condition"] == condition).unwrap();
    assert_eq!(of("Success")["responsePayload"], 7);
    assert_eq!(of("Success")["requestPayload"], json!({"answer": 7}));
    assert_eq!(of("RetriesExhausted")["responseContext"]["functionError"], "Unhandled");
    assert_eq!(of("RetriesExhausted")["responsePayload"]["errorMessage"], "no");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_taken_and_not_finished_runs_again() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| logged(&rig, spec)).await;
    let event = json!({"sleep_ms": 3000}).to_string();
    rig.call("/2015-03-31/functions/probe/invocations", &[("x-amz-invocation-type", "Event")], event).await;
    eventually("the event was taken", async || rig.logged().len() == 1).await;
    let rig = rig.restart().await;
    eventually("it is taken again", async || rig.logged().len() == 2).await;
    eventually("it ends", async || rig.pending().await == 0).await;
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_tick_fires_once() {
    let rig = Rig::start().await;
    rig.function("probe", |spec| logged(&rig, spec)).await;
    rig.emulator
        .ctx()
        .store
        .write(|tx| {
            lambda::ensure_schedule(tx, "tick", "rate(1 minute)", "probe", None, true)?;
            lambda::ensure_schedule(tx, "given", "cron(0 0 * * ? *)", "probe", Some(r#"{"mine":1}"#), true)?;
            lambda::ensure_schedule(tx, "off", "rate(1 minute)", "probe", None, false)?;
            // As if nothing had run for an hour, or a day.
            tx.execute("UPDATE lambda_schedules SET next_at = next_at - 3600000 WHERE name <> 'given'", [])?;
            tx.execute("UPDATE lambda_schedules SET next_at = next_at - 86400000 WHERE name = 'given'", [])?;
            tx.wake(Wake::Resources);
            Ok(())
        })
        .await
        .unwrap();
    eventually("both ticks fire", async || rig.logged().len() == 2).await;
    let rig = rig.restart().await;
    eventually("nothing waits", async || rig.pending().await == 0).await;
    let events = rig.logged();
    assert_eq!(events.len(), 2, "{events:?}");
    let tick = events.iter().find(|event| event["detail-type"] == "Scheduled Event").unwrap();
    let time: jiff::Timestamp = tick["time"].as_str().unwrap().parse().unwrap();
    assert!(jiff::Timestamp::now().duration_since(time) < jiff::SignedDuration::from_mins(5), "{tick}");
    assert!(events.contains(&json!({"mine": 1})));
    let schedules = rig.emulator.ctx().store.read(lambda::list_schedules).await.unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    for schedule in schedules.iter().filter(|schedule| schedule.enabled) {
        assert!(schedule.next_at.unwrap() > now, "{schedule:?}");
    }
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_calls_its_function() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let store = &rig.emulator.ctx().store;
    let url = store.write(|tx| lambda::ensure_url(tx, "probe", "NONE", None)).await.unwrap();
    let again = store.write(|tx| lambda::ensure_url(tx, "probe", "NONE", None)).await.unwrap();
    assert_eq!(url, again);
    let address: std::net::SocketAddr = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    eventually("the URL is served", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;

    let event = send("GET", &format!("{url}a/b?x=1"), &[("cookie", "c=1"), ("X-Name", "v")], Bytes::new()).await.json();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["rawPath"], "/a/b");
    assert_eq!(event["queryStringParameters"], json!({"x": "1"}));
    assert_eq!((&event["cookies"], &event["headers"]["x-name"]), (&json!(["c=1"]), &json!("v")));
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");

    let posted = send("POST", &url, &[("content-type", "application/json")], Bytes::from_static(b"{\"a\":1}")).await;
    assert_eq!((&posted.json()["body"], &posted.json()["isBase64Encoded"]), (&json!("{\"a\":1}"), &json!(false)));
    let head = send("HEAD", &url, &[], Bytes::new()).await;
    assert_eq!((head.status(), head.0.body().len()), (StatusCode::OK, 0));
    let foreign = send("GET", &url, &[("origin", "https://evil.example")], Bytes::new()).await;
    assert_eq!(foreign.status(), 403);
    let too_large = send("POST", &url, &[], vec![b'x'; MAX_REQUEST + 1].into()).await;
    assert_eq!(too_large.status(), 413);

    let rig = rig.restart().await;
    assert_eq!(send("GET", &url, &[], Bytes::new()).await.status(), 200, "the port is remembered");
    rig.emulator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_listed_and_mappings_kept() {
    let rig = Rig::start().await;
    rig.function("probe", |_| {}).await;
    let url = |path: &str| format!("{}{path}", rig.emulator.endpoint());
    let get = async |path: &str| send("GET", &url(path), &[], Bytes::new()).await;
    assert_eq!(get("/2015-03-31/functions/").await.json()["Functions"][0]["FunctionName"], "probe");
    let shown = get("/2015-03-31/functions/probe").await.json();
    assert_eq!(shown["Configuration"]["State"], "Active");
    assert_eq!(get("/2015-03-31/functions/probe/configuration").await.json(), shown["Configuration"]);

    let mappings = "/2015-03-31/event-source-mappings/";
    let spec =
        json!({"FunctionName": "probe", "EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q", "Enabled": false});
    let made = rig.call(mappings, &[], spec.to_string()).await;
    assert_eq!((made.status(), &made.json()["State"]), (StatusCode::ACCEPTED, &json!("Disabled")));
    let again = rig.call(mappings, &[], spec.to_string()).await;
    assert_eq!(
        (again.status(), again.header("x-amzn-errortype")),
        (StatusCode::CONFLICT, Some("ResourceConflictException"))
    );
    let one = format!("{mappings}{}", made.json()["UUID"].as_str().unwrap());
    let changed = send("PUT", &url(&one), &[], Bytes::from_static(b"{\"BatchSize\":7}")).await;
    assert_eq!((changed.status(), &changed.json()["BatchSize"]), (StatusCode::ACCEPTED, &json!(7)));
    assert_eq!(
        get(&format!("{mappings}?FunctionName=probe")).await.json()["EventSourceMappings"].as_array().unwrap().len(),
        1
    );
    assert_eq!(send("DELETE", &url(&one), &[], Bytes::new()).await.status(), 202);
    assert_eq!(get(&one).await.status(), 404);
    rig.emulator.stop().await;
}

/// Started as a process of its own by the test below, which kills it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other half of the next test"]
async fn an_emulator_to_be_killed() {
    let Ok(dir) = std::env::var("RUNTIME_TEST_DIR") else { return };
    let emulator = start_in(Path::new(&dir)).await;
    let spec = spec("probe");
    emulator.ctx().store.write(move |tx| lambda::ensure_function(tx, &spec)).await.unwrap();
    let event = Bytes::from_static(b"{\"process\":true}");
    let answer = emulator.ctx().pool.invoke(emulator.ctx(), "probe", event).await.unwrap();
    std::fs::write(Path::new(&dir).join("process.new"), answer.payload).unwrap();
    std::fs::rename(Path::new(&dir).join("process.new"), Path::new(&dir).join("process")).unwrap();
    std::future::pending().await
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn processes_end_with_an_emulator_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let other_half = format!("{}::an_emulator_to_be_killed", module_path!());
    let other_half = other_half.split_once("::").unwrap().1; // without the name of the crate
    let mut emulator = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", other_half])
        .env("RUNTIME_TEST_DIR", dir.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let told = dir.path().join("process");
    eventually("the function runs", async || told.exists()).await;
    let process: u64 = std::fs::read_to_string(told).unwrap().parse().unwrap();
    assert!(is_alive(process));
    emulator.kill().await.unwrap(); // SIGKILL
    eventually("the function's process ends", async || !is_alive(process)).await;
}
