//! A store in memory that counts what is read, and takes 30 ms for it.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};

/// What S3 takes for a small GET (design).
const LATENCY: Duration = Duration::from_millis(30);

/// Keys of a page of a listing (S3's `max-keys`).
const PAGE: usize = 1000;

/// The store.
#[derive(Default)]
pub struct CountingStore {
    objects: Mutex<BTreeMap<String, Object>>,
    versions: AtomicU64,
    reads: Mutex<Reads>,
}

#[derive(Default)]
struct Reads {
    /// Object → how many reads, one after the other, have ended.
    depths: HashMap<String, u32>,
    gets: u64,
    bytes: u64,
}

impl CountingStore {
    /// Forgets what was read.
    pub fn reset(&self) {
        *self.reads.lock().unwrap() = Reads::default();
    }

    /// GETs so far.
    pub fn gets(&self) -> u64 {
        self.reads.lock().unwrap().gets
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.reads.lock().unwrap().bytes
    }

    /// Dependent round trips so far of objects under a prefix: of the object with most; with an empty prefix all objects' together.
    pub fn trips(&self, prefix: &str) -> u32 {
        let reads = self.reads.lock().unwrap();
        let depths = reads.depths.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(_, depth)| *depth);
        if prefix.is_empty() { depths.sum() } else { depths.max().unwrap_or(0) }
    }

    async fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Object, StoreError> {
        let depth = 1 + self.reads.lock().unwrap().depths.get(key).copied().unwrap_or(0);
        tokio::time::sleep(LATENCY).await;
        let object = self.objects.lock().unwrap().get(key).cloned();
        let mut object = object.ok_or_else(|| StoreError::NotFound { key: key.to_owned() })?;
        if let Some(range) = range {
            let length = object.body.len() as u64;
            object.body = object.body.slice(range.start.min(length) as usize..range.end.min(length) as usize);
        }
        let mut reads = self.reads.lock().unwrap();
        reads.gets += 1;
        reads.bytes += object.body.len() as u64;
        let known = reads.depths.entry(key.to_owned()).or_default();
        *known = depth.max(*known);
        Ok(object)
    }
}

#[async_trait]
impl ObjectStore for CountingStore {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.read(key, None).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        self.read(key, Some(range)).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        let object = self.read(key, None).await?;
        Ok((object.etag != *etag).then_some(object))
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        let object = self.read(key, Some(0..0)).await?;
        Ok(Meta { key: key.to_owned(), size: object.body.len() as u64, etag: object.etag })
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        let holds = match (precondition, objects.get(key)) {
            (Precondition::None, _) | (Precondition::Absent, None) => true,
            (Precondition::Matches(etag), Some(there)) => there.etag == *etag,
            (Precondition::Matches(_), None) => return Err(StoreError::NotFound { key: key.to_owned() }),
            (Precondition::Absent, Some(_)) => false,
        };
        if !holds {
            return Err(StoreError::Precondition { key: key.to_owned() });
        }
        let etag = ETag(self.versions.fetch_add(1, Ordering::Relaxed).to_string());
        objects.insert(key.to_owned(), Object { body, etag: etag.clone() });
        Ok(etag)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        let objects = self.objects.lock().unwrap();
        let after = |key: &String| start_after.is_none_or(|start| key.as_str() > start);
        let found = objects.iter().filter(|(key, _)| key.starts_with(prefix) && after(key)).take(PAGE);
        Ok(found.map(|(key, o)| Meta { key: key.clone(), size: o.body.len() as u64, etag: o.etag.clone() }).collect())
    }
}
