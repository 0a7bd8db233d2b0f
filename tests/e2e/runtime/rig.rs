//! An emulator with the probe as its functions, and how to speak to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use emulator::services::lambda::{self, AsyncSpec, FunctionSpec};
use emulator::{Config, Emulator};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    pub emulator: Emulator,
    pub dir: tempfile::TempDir,
}

impl Rig {
    pub async fn start() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        Rig { emulator: start_in(dir.path()).await, dir }
    }

    pub async fn restart(self) -> Rig {
        self.emulator.stop().await;
        Rig { emulator: start_in(self.dir.path()).await, dir: self.dir }
    }

    pub async fn function(&self, name: &str, change: impl FnOnce(&mut FunctionSpec)) {
        let mut spec = spec(name);
        change(&mut spec);
        self.emulator.ctx().store.write(move |tx| lambda::ensure_function(tx, &spec)).await.unwrap();
    }

    pub fn log(&self) -> PathBuf {
        self.dir.path().join("events")
    }

    /// The events that functions with [`logged`] have got.
    pub fn logged(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub async fn invoke(&self, function: &str, event: Value) -> Answer {
        self.call(
            &format!("/2015-03-31/functions/{function}/invocations"),
            &[("x-amz-log-type", "Tail")],
            event.to_string(),
        )
        .await
    }

    pub async fn process(&self, function: &str) -> u64 {
        self.invoke(function, json!({"process": true})).await.json().as_u64().unwrap()
    }

    pub async fn call(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        send("POST", &format!("{}{path}", self.emulator.endpoint()), headers, body.into()).await
    }

    pub async fn pending(&self) -> i64 {
        self.emulator.ctx().store.read(lambda::overview).await.unwrap().pending_events
    }
}

pub async fn start_in(dir: &Path) -> Emulator {
    let mut config = Config::new(dir.join("data"));
    config.port = 0;
    config.binaries = Path::new(env!("CARGO_BIN_EXE_probe")).parent().unwrap().to_owned();
    Emulator::start(config).await.unwrap()
}

pub fn spec(name: &str) -> FunctionSpec {
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

pub fn logged(rig: &Rig, spec: &mut FunctionSpec) {
    spec.environment.insert("PROBE_LOG".into(), rig.log().to_str().unwrap().into());
}

pub struct Answer(pub Response<Bytes>);

impl Answer {
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.headers().get(name).map(|value| value.to_str().unwrap())
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.0.body()).unwrap_or_else(|e| panic!("{e}: {:?}", self.0.body()))
    }
    pub fn tail(&self) -> String {
        String::from_utf8(BASE64_STANDARD.decode(self.header("x-amz-log-result").unwrap()).unwrap()).unwrap()
    }
}

pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
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
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

pub fn is_alive(process: u64) -> bool {
    // A zombie is not alive: it waits for a parent to look at it.
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}
