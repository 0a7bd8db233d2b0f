//! A store whose reads take their time, and are written down.

use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use ledger::{ETag, FileStore, Meta, Object, ObjectStore, Precondition, StoreError};

pub struct Slow {
    store: FileStore,
    _folder: tempfile::TempDir,
    delay: Mutex<Duration>,
    reads: Mutex<Vec<(Instant, Instant, usize)>>,
}

impl Slow {
    pub fn new() -> Slow {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        Slow { store, _folder: folder, delay: Mutex::default(), reads: Mutex::default() }
    }

    /// From now on each read takes so long.
    pub fn slow_down(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    /// The longest chain of reads that did not overlap, and the bytes of all, since it was last asked.
    pub fn take(&self) -> (usize, usize) {
        let mut reads = std::mem::take(&mut *self.reads.lock().unwrap());
        reads.sort_by_key(|(_, end, _)| *end);
        let (mut chain, mut last) = (0, None);
        for (start, end, _) in &reads {
            if last.is_none_or(|last| *start >= last) {
                chain += 1;
                last = Some(*end);
            }
        }
        (chain, reads.iter().map(|(_, _, bytes)| bytes).sum())
    }

    async fn read<T>(&self, read: impl Future<Output = T>, bytes: impl Fn(&T) -> usize) -> T {
        let start = Instant::now();
        let delay = *self.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let read = read.await;
        self.reads.lock().unwrap().push((start, Instant::now(), bytes(&read)));
        read
    }
}

fn len(read: &Result<Object, StoreError>) -> usize {
    read.as_ref().map_or(0, |object| object.body.len())
}

#[async_trait]
impl ObjectStore for Slow {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.read(self.store.get(key), len).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        self.read(self.store.get_range(key, range), len).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        self.store.get_if_changed(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        self.store.head(key).await
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        self.store.put(key, body, precondition).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.store.delete(key).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        self.store.list(prefix, start_after).await
    }
}
