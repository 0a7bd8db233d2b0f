//! A lake and indexes in memory, with what tests want to go wrong.
#![allow(dead_code, missing_docs)] // each test program uses its part

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use index_writer::event::Batch;
use index_writer::handler::{Context, handle};
use index_writer::indexes::Indexes;
use index_writer::lake::{Body, Identity, Lake, LakeError};
use index_writer::rules::{Defaults, Rules};
use lambda::{RuleCache, RuleSource, Stored};
use ledger::{SourceId, StoreError};
use search_index::Error;
use search_index::write::{DocumentId, Done, Op, Outcome, Part, Refused, Taken};
use serde_json::{Value, json};

pub const LAKE: &str = "logmill-lake-000000000000-us-east-1";
pub const DAY: i64 = 24 * 60 * 60 * 1000;

#[derive(Default)]
pub struct MemoryLake {
    pub objects: RefCell<BTreeMap<String, (Bytes, i64)>>,
    /// Puts that are refused before one is taken.
    pub refuse_puts: Cell<usize>,
    /// Bytes after which reading breaks off, once.
    pub break_after: Cell<Option<usize>>,
}

impl MemoryLake {
    pub fn add(&self, key: &str, body: impl Into<Bytes>, modified: i64) {
        self.objects.borrow_mut().insert(key.to_owned(), (body.into(), modified));
    }

    /// Lines under `failed/`, by object.
    pub fn failures(&self) -> BTreeMap<String, Vec<Value>> {
        let objects = self.objects.borrow();
        let failed = objects.iter().filter(|(key, _)| key.starts_with("failed/"));
        let lines = |body: &Bytes| body.split(|b| *b == b'\n').filter(|line| !line.is_empty()).map(json_of).collect();
        failed.map(|(key, (body, _))| (key.clone(), lines(body))).collect()
    }

    pub fn only_failures(&self) -> Vec<Value> {
        let failures = self.failures();
        assert!(failures.len() <= 1, "{failures:?}");
        failures.into_values().next().unwrap_or_default()
    }
}

fn json_of(line: &[u8]) -> Value {
    serde_json::from_slice(line).expect("a line of JSON")
}

pub struct Pieces(VecDeque<Result<Bytes, String>>);

impl Body for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, String> {
        self.0.pop_front().transpose()
    }
}

impl Lake for MemoryLake {
    type Body = Pieces;

    fn bucket(&self) -> &str {
        LAKE
    }

    async fn open(&self, key: &str) -> Result<(Identity, Pieces), LakeError> {
        let objects = self.objects.borrow();
        let (body, modified) = objects.get(key).ok_or_else(|| LakeError::Gone { key: key.to_owned() })?;
        let etag = format!("{:x}", crc(body));
        let identity = Identity { bucket: LAKE.into(), key: key.into(), etag, modified: *modified };
        let mut pieces: VecDeque<_> = body.chunks(50_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        if let Some(after) = self.break_after.take() {
            pieces = VecDeque::from([Ok(body.slice(..after)), Err("connection reset".to_owned())]);
        }
        Ok((identity, Pieces(pieces)))
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<(), LakeError> {
        if self.refuse_puts.get() > 0 {
            self.refuse_puts.set(self.refuse_puts.get() - 1);
            return Err(LakeError::Failed { key: key.to_owned(), reason: "slow down".into() });
        }
        self.add(key, body, 0);
        Ok(())
    }
}

fn crc(body: &[u8]) -> u64 {
    body.iter().fold(1469598103934665603, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(1099511628211))
}

/// What a plain model of an index has: documents by id, and the sources it has taken. A document with a number in `text` is refused.
#[derive(Default)]
pub struct Model {
    pub documents: BTreeMap<String, Value>,
    sources: HashSet<SourceId>,
    pub commits: usize,
}

#[derive(Default)]
pub struct MemoryIndexes {
    pub indexes: RefCell<BTreeMap<String, Model>>,
    /// Commits of an index that fail, before one succeeds.
    pub fail: RefCell<HashMap<String, usize>>,
    /// An index whose commits are carried out and whose answer is lost, once.
    pub lose_answer: RefCell<Option<String>>,
}

impl MemoryIndexes {
    pub fn documents(&self, index: &str) -> BTreeMap<String, Value> {
        self.indexes.borrow().get(index).map(|model| model.documents.clone()).unwrap_or_default()
    }

    pub fn names(&self) -> Vec<String> {
        self.indexes.borrow().keys().cloned().collect()
    }

    pub fn commits(&self) -> usize {
        self.indexes.borrow().values().map(|model| model.commits).sum()
    }
}

fn store_error(index: &str) -> Error {
    Error::Store(StoreError::Transient { key: index.to_owned(), reason: "503".into() })
}

fn refusal(source: &[u8]) -> Option<Refused> {
    let document = json_of(source);
    document["text"].is_number().then(|| Refused {
        id: None,
        kind: "document_parsing_exception",
        reason: "failed to parse field [text]".into(),
        status: 400,
    })
}

impl Model {
    fn apply(&mut self, op: &Op) -> Result<Done, Refused> {
        let done = |id: &str, outcome| Ok(Done { id: id.to_owned(), outcome, seq_no: 0, version: 1 });
        let (id, source, create) = match op {
            Op::Index { id, source, .. } => (id, source, false),
            Op::Create { id, source } => (id, source, true),
            Op::Delete { id, .. } => {
                let there = self.documents.remove(id).is_some();
                return done(id, if there { Outcome::Deleted } else { Outcome::NotFound });
            }
            Op::Update { .. } => unreachable!("not sent by the writer"),
        };
        if let Some(refused) = refusal(source) {
            return Err(refused);
        }
        let (DocumentId::Given(id) | DocumentId::Source(id)) = id else { unreachable!("the writer gives ids") };
        let there = self.documents.contains_key(id);
        assert!(!(there && matches!(op, Op::Index { id: DocumentId::Source(_), .. })), "{id} is there already");
        if there && create {
            let kind = "version_conflict_engine_exception";
            return Err(Refused { id: Some(id.clone()), kind, reason: "exists".into(), status: 409 });
        }
        self.documents.insert(id.clone(), json_of(source));
        done(id, if there { Outcome::Updated } else { Outcome::Created })
    }
}

impl Indexes for MemoryIndexes {
    async fn write(&self, index: &str, _: &Defaults, parts: &[Part], now: i64) -> Result<Vec<Taken>, Error> {
        if index.chars().any(char::is_uppercase) {
            return Err(Error::InvalidName { name: index.into(), reason: "must be lowercase" });
        }
        if let Some(left) = self.fail.borrow_mut().get_mut(index).filter(|left| **left > 0) {
            *left -= 1;
            return Err(store_error(index));
        }
        let mut indexes = self.indexes.borrow_mut();
        let model = indexes.entry(index.to_owned()).or_default();
        model.commits += 1;
        let take = |part: &Part| match part.source {
            Some((_, at)) if at < now - 15 * DAY => Taken::Stale,
            Some((id, _)) if !model.sources.insert(id) => Taken::Before,
            _ => Taken::Now(part.ops.iter().map(|op| model.apply(op)).collect()),
        };
        let taken = parts.iter().map(take).collect();
        if self.lose_answer.borrow().as_deref() == Some(index) {
            *self.lose_answer.borrow_mut() = None;
            return Err(store_error(index));
        }
        Ok(taken)
    }

    async fn refused(&self, _: &str, part: &Part) -> Result<Vec<(usize, Refused)>, Error> {
        let of = |op: &Op| match op {
            Op::Index { source, .. } | Op::Create { source, .. } => refusal(source),
            _ => None,
        };
        Ok(part.ops.iter().enumerate().filter_map(|(at, op)| Some((at, of(op)?))).collect())
    }
}

pub struct NoRules;

impl RuleSource for NoRules {
    async fn get(&self, _: &str, _: Option<&str>) -> Result<Stored, lambda::Error> {
        Ok(Stored::Missing)
    }
}

pub fn context<I: Indexes>(lake: MemoryLake, indexes: I) -> Context<MemoryLake, I, NoRules> {
    Context {
        lake,
        indexes,
        rules: RuleCache::new(NoRules, "rules/index.json", index_writer::rules::parse, Rules::default()),
    }
}

pub fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// The message of an object's event; `logmill` as `logmill replay` writes it.
pub fn message(id: &str, key: &str, at: &str, logmill: Option<Value>) -> Value {
    let mut record = json!({
        "eventName": "ObjectCreated:Put", "eventTime": at,
        "s3": {"bucket": {"name": LAKE}, "object": {"key": key}},
    });
    if let Some(logmill) = logmill {
        record["logmill"] = logmill;
    }
    json!({"messageId": id, "body": json!({"Records": [record]}).to_string()})
}

/// The ids of the messages that come again.
pub async fn send<I: Indexes>(context: &Context<MemoryLake, I, NoRules>, messages: &[Value]) -> Vec<String> {
    let batch: Batch = serde_json::from_value(json!({"Records": messages})).unwrap();
    let reply = serde_json::to_value(handle(batch, context).await.unwrap()).unwrap();
    let failures = reply["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}
