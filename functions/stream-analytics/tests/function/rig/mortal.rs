//! A store on which one write goes wrong: the one that is chosen, counted from when it is armed.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};
use tokio::sync::Notify;

use super::Memory;

/// What becomes of the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its process is killed before it.
    KilledBefore,
    /// Its process is killed after it.
    KilledAfter,
    /// It is done, and its answer is lost.
    AnswerLost,
    /// Its process stands still before it, and goes on long after it was thought dead.
    Stalled,
}

#[derive(Debug, Default)]
struct Chosen {
    fault: Option<(u64, Fault)>,
    writes: u64,
    struck: bool,
}

/// The store; clones share the fault.
#[derive(Clone)]
pub struct Mortal {
    pub store: Memory,
    chosen: Arc<Mutex<Chosen>>,
    down: Arc<Notify>,
    released: Arc<Notify>,
}

impl Mortal {
    pub fn new(store: Memory) -> Mortal {
        Mortal { store, chosen: Arc::default(), down: Arc::default(), released: Arc::default() }
    }

    /// From now on, this is to become of that write (from 1).
    pub fn arm(&self, write: u64, fault: Fault) {
        *self.chosen.lock().unwrap() = Chosen { fault: Some((write, fault)), ..Chosen::default() };
    }

    /// Whether it has.
    pub fn has_struck(&self) -> bool {
        self.chosen.lock().unwrap().struck
    }

    /// Whether the process that wrote is not there any more.
    pub fn is_killed(&self) -> bool {
        !matches!(self.chosen.lock().unwrap().fault, Some((_, Fault::Stalled)))
    }

    /// Returns when the process that wrote is to be taken for dead.
    pub async fn down(&self) {
        self.down.notified().await;
    }

    /// What stands still goes on.
    pub fn release(&self) {
        self.released.notify_one();
    }

    fn fault(&self) -> Option<Fault> {
        let mut chosen = self.chosen.lock().unwrap();
        chosen.writes += 1;
        let fault = chosen.fault.filter(|(write, _)| *write == chosen.writes).map(|(_, fault)| fault);
        chosen.struck |= fault.is_some();
        fault
    }

    async fn write<T>(&self, write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.fault() {
            None => write.await,
            Some(Fault::KilledBefore) => self.dead().await,
            Some(Fault::KilledAfter) => {
                let _ = write.await;
                self.dead().await
            }
            Some(Fault::AnswerLost) => {
                write.await?;
                Err(StoreError::Transient { key: String::new(), reason: "the answer is lost".to_owned() })
            }
            Some(Fault::Stalled) => {
                self.down.notify_one();
                self.released.notified().await;
                write.await
            }
        }
    }

    async fn dead<T>(&self) -> T {
        self.down.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl ObjectStore for Mortal {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.store.get(key).await
    }

    async fn get_range(&self, key: &str, range: std::ops::Range<u64>) -> Result<Object, StoreError> {
        self.store.get_range(key, range).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        self.store.get_if_changed(key, etag).await
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        self.store.head(key).await
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        self.write(self.store.put(key, body, precondition)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.write(self.store.delete(key)).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        self.store.list(prefix, start_after).await
    }
}
