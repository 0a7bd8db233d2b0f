//! A world to run the handler in: a store that stalls, loses answers and dies; streams, and those who call the function for them.

pub mod caller;
pub mod kinds;
pub mod mortal;
pub mod plan;
pub mod run;
pub mod stage;
pub mod streams;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use lambda::rules::RulesBucket;
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use stream_analytics::catalog::Catalog;
use stream_analytics::folding::Folder;
use stream_analytics::handler::Context;
use stream_analytics::pages::Pages;
use stream_analytics::tables::{Buckets, Tables};

pub use streams::{Wires, World};

/// Random numbers that all share.
#[derive(Clone)]
pub struct Dice(Arc<Mutex<StdRng>>);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub fn below(&self, end: u64) -> u64 {
        self.0.lock().unwrap().random_range(0..end)
    }

    /// Once in `n` times.
    pub fn once_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Objects in memory.
#[derive(Clone)]
pub struct Memory {
    objects: Arc<Mutex<BTreeMap<String, (Bytes, u64)>>>,
    versions: Arc<Mutex<u64>>,
    dice: Dice,
    /// Whether it misbehaves.
    pub faulty: Arc<Mutex<bool>>,
}

impl Memory {
    pub fn new(dice: &Dice) -> Memory {
        Memory {
            objects: Arc::default(),
            versions: Arc::default(),
            dice: dice.clone(),
            faulty: Arc::new(Mutex::new(true)),
        }
    }

    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects.lock().unwrap().keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub fn set(&self, key: &str, body: &str) -> String {
        self.write(key, Bytes::from(body.to_owned())).0
    }

    pub fn set_bytes(&self, key: &str, body: &[u8]) -> String {
        self.write(key, Bytes::copy_from_slice(body)).0
    }

    pub fn body(&self, key: &str) -> Bytes {
        self.objects.lock().unwrap()[key].0.clone()
    }

    pub fn set_version(&self, key: &str, version: u64) {
        self.objects.lock().unwrap().get_mut(key).unwrap().1 = version;
    }

    pub fn remove(&self, key: &str) {
        self.objects.lock().unwrap().remove(key);
    }

    fn write(&self, key: &str, body: Bytes) -> ETag {
        let mut versions = self.versions.lock().unwrap();
        *versions += 1;
        self.objects.lock().unwrap().insert(key.to_owned(), (body, *versions));
        ETag(format!("{:032x}", *versions))
    }

    fn is_faulty(&self) -> bool {
        *self.faulty.lock().unwrap()
    }

    /// Others get their turn; at times, very many of them.
    async fn others(&self) {
        if !self.is_faulty() {
            return;
        }
        let turns = if self.dice.once_in(150) { 1_500 } else { self.dice.below(6) };
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    fn read(&self, key: &str) -> Result<Object, StoreError> {
        let objects = self.objects.lock().unwrap();
        let (body, version) = objects.get(key).ok_or_else(|| StoreError::NotFound { key: key.to_owned() })?;
        Ok(Object { body: body.clone(), etag: ETag(format!("{version:032x}")) })
    }

    fn lost(&self, key: &str) -> Result<(), StoreError> {
        if self.is_faulty() && self.dice.once_in(60) {
            return Err(StoreError::Transient { key: key.to_owned(), reason: "the answer is lost".to_owned() });
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for Memory {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.others().await;
        self.read(key)
    }

    async fn get_range(&self, key: &str, range: std::ops::Range<u64>) -> Result<Object, StoreError> {
        self.others().await;
        let Object { body, etag } = self.read(key)?;
        let end = (range.end as usize).min(body.len());
        Ok(Object { body: body.slice((range.start as usize).min(end)..end), etag })
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        let object = self.read(key)?;
        Ok((object.etag != *etag).then_some(object))
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        let Object { body, etag } = self.read(key)?;
        Ok(Meta { key: key.to_owned(), size: body.len() as u64, etag })
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        self.others().await;
        let refused = || StoreError::Precondition { key: key.to_owned() };
        match (precondition, self.read(key)) {
            (Precondition::Absent, Ok(_)) => return Err(refused()),
            (Precondition::Matches(_), Err(error)) => return Err(error),
            (Precondition::Matches(etag), Ok(there)) if there.etag != *etag => return Err(refused()),
            _ => {}
        }
        let etag = self.write(key, body);
        self.others().await;
        self.lost(key)?;
        Ok(etag)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.others().await;
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        self.others().await;
        let objects = self.objects.lock().unwrap();
        let of_page = objects.iter().filter(|(key, _)| key.starts_with(prefix));
        let after = of_page.filter(|(key, _)| start_after.is_none_or(|start| key.as_str() > start));
        let meta = |(key, (body, version)): (&String, &(Bytes, u64))| Meta {
            key: key.clone(),
            size: body.len() as u64,
            etag: ETag(format!("{version:032x}")),
        };
        Ok(after.take(1000).map(meta).collect())
    }
}

/// One instance of the function.
pub fn instance(index: &Memory, lake: &Memory, rules: &Memory, wires: &Wires) -> Arc<Context<Wires, RulesBucket>> {
    instance_over(index, lake, rules, wires)
}

/// One whose state is in a store of another kind.
pub fn instance_over(
    index: &(impl ObjectStore + Clone + 'static),
    lake: &Memory,
    rules: &Memory,
    wires: &Wires,
) -> Arc<Context<Wires, RulesBucket>> {
    let index: Arc<dyn ObjectStore> = Arc::new(index.clone());
    let store = |memory: &Memory| -> Arc<dyn ObjectStore> { Arc::new(memory.clone()) };
    // One other bucket.
    let lake_bucket = store(lake);
    let buckets: Buckets = Arc::new(move |name| match name {
        "lake" => lake_bucket.clone(),
        _ => panic!("no bucket {name}"),
    });
    let tables = Tables::new(store(rules), buckets, index.clone());
    let catalog = Catalog::new(RulesBucket(store(rules)), index.clone(), tables, "ingestion", "summary");
    let pages = Pages::new(index.clone());
    let folder = Folder { index, lake: store(lake), catalog, pages, outside: wires.clone(), lake_lag: 30_000 };
    Arc::new(Context { folder, function: "stream-analytics".to_owned() })
}

/// The rule of a test's application.
pub fn rule(source: &str) -> String {
    format!(
        r#"{{"source": {source}, "recordIdField": "id",
  "inputSchema": {{"RecordFormat": {{"RecordFormatType": "JSON"}}, "RecordColumns": [
    {{"Name": "response", "SqlType": "INTEGER", "Mapping": "$.response"}}]}},
  "outputs": [{{"stream": "DESTINATION_SQL_STREAM", "firehose": "summary", "format": "JSON"}}]}}"#
    )
}

/// The tutorial's statements.
pub const STATEMENTS: &str = include_str!("../../../../../infra/rules/analytics/log-aggregation.sql");
