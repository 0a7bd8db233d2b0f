//! The API over a folder that goes with it.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use flate2::read::GzDecoder;
use ledger::{FileStore, ObjectStore};
use search_api::auth::Keys;
use search_api::context::{Cluster, Context};
use search_api::handler::respond;
use search_api::request::{Method, Parameters, Request};
use serde_json::Value;

/// 2026-11-20 20:00 UTC.
pub const NOW: i64 = 1_795_204_800_000;

pub struct Server {
    pub context: Context,
    pub store: Arc<dyn ObjectStore>,
    now: std::cell::Cell<i64>,
    _folder: tempfile::TempDir,
}

#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: BTreeMap<&'static str, String>,
    pub text: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Server {
    pub fn new() -> Server {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(FileStore::open(folder.path()).unwrap());
        let context = Context::new(store.clone(), None, Cluster::new("logmill", "bucket", "8.15.0"));
        Server { context, store, now: NOW.into(), _folder: folder }
    }

    pub async fn with_keys(mut self) -> Server {
        self.context.keys = Some(Keys::load(self.store.clone()).await.unwrap());
        self
    }

    /// Another process over the same folder.
    pub fn restarted(mut self) -> Server {
        self.context = Context::new(self.store.clone(), None, self.context.cluster.clone());
        self
    }

    /// The same over another store, made of the folder's.
    pub fn over(mut self, store: impl FnOnce(Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore>) -> Server {
        self.store = store(self.store);
        self.restarted()
    }

    /// So many milliseconds later.
    pub fn later(&self, millis: i64) {
        self.now.set(self.now.get() + millis);
    }

    /// `line` is a method and a path with its parameters.
    pub async fn send(&self, line: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Got {
        let (method, uri) = line.split_once(' ').unwrap();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let request = Request {
            method: Method::of(method),
            path: path.to_owned(),
            parameters: Parameters::parse(query),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.into(),
            now: self.now.get(),
        };
        got(respond(request, &self.context).await)
    }

    /// Sends a request and compares status and body: what is expected must be there, more may be.
    #[track_caller]
    pub fn check<'a>(
        &'a self,
        line: &'a str,
        body: &'a str,
        status: u16,
        expected: Value,
    ) -> impl Future<Output = Value> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let got = self.send(line, &[], body.to_owned()).await;
            assert_eq!(got.status, status, "{place}: {line}: {}", got.text);
            let json = if got.text.is_empty() { Value::Null } else { got.json() };
            if let Err(difference) = contains(&json, &expected, "") {
                panic!("{place}: {line}: {difference}\nin {json}");
            }
            json
        }
    }
}

pub fn got(answer: search_api::reply::Answer) -> Got {
    let mut bytes = match answer.is_base64_encoded {
        true => BASE64_STANDARD.decode(&answer.body).unwrap(),
        false => answer.body.into_bytes(),
    };
    if answer.headers.get("Content-Encoding").is_some_and(|coding| coding == "gzip") {
        let mut text = Vec::new();
        GzDecoder::new(&*bytes).read_to_end(&mut text).unwrap();
        bytes = text;
    }
    Got { status: answer.status_code, headers: answer.headers, text: String::from_utf8(bytes).unwrap() }
}

/// Whether all that is expected is there. Arrays have the same length; the text `*` stands for any value.
pub fn contains(got: &Value, expected: &Value, path: &str) -> Result<(), String> {
    match (got, expected) {
        (_, Value::String(any)) if any == "*" && !got.is_null() => Ok(()),
        (Value::Object(got), Value::Object(expected)) => expected.iter().try_for_each(|(key, expected)| {
            let path = format!("{path}.{key}");
            match got.get(key) {
                Some(got) => contains(got, expected, &path),
                None => Err(format!("{path} is not there")),
            }
        }),
        (Value::Array(got), Value::Array(expected)) if got.len() == expected.len() => got
            .iter()
            .zip(expected)
            .enumerate()
            .try_for_each(|(at, (got, expected))| contains(got, expected, &format!("{path}[{at}]"))),
        (Value::Number(got), Value::Number(expected)) if got.as_f64() == expected.as_f64() => Ok(()),
        _ if got == expected => Ok(()),
        _ => Err(format!("{path} is {got}, expected {expected}")),
    }
}
