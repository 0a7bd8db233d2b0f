//! A store that counts what is asked of it.

use std::ops::Range;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use ledger::{ETag, FileStore, Meta, Object, ObjectStore, Precondition, StoreError};

/// What was asked.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub gets: u64,
    pub puts: u64,
    pub deletes: u64,
    pub lists: u64,
    /// Bytes of all that was put.
    pub written: u64,
    /// Bytes of the head that was put last.
    pub head: usize,
}

pub struct Counting {
    inner: FileStore,
    counts: Mutex<Counts>,
}

impl Counting {
    pub fn new(inner: FileStore) -> Counting {
        Counting { inner, counts: Mutex::default() }
    }

    /// Forgets what was asked so far.
    pub fn reset(&self) {
        *self.counts.lock().unwrap() = Counts::default();
    }

    pub fn counts(&self) -> Counts {
        *self.counts.lock().unwrap()
    }

    fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.counts.lock().unwrap());
    }
}

#[async_trait]
impl ObjectStore for Counting {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.count(|counts| counts.gets += 1);
        self.inner.get(key).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        self.count(|counts| counts.gets += 1);
        self.inner.get_range(key, range).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        self.count(|counts| counts.gets += 1);
        self.inner.get_if_changed(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        self.count(|counts| counts.gets += 1);
        self.inner.head(key).await
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        self.count(|counts| {
            counts.puts += 1;
            counts.written += body.len() as u64;
            if key.ends_with("/head") {
                counts.head = body.len();
            }
        });
        self.inner.put(key, body, precondition).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.count(|counts| counts.deletes += 1);
        self.inner.delete(key).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        self.count(|counts| counts.lists += 1);
        self.inner.list(prefix, start_after).await
    }
}
