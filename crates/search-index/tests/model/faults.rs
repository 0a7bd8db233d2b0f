//! What goes wrong between a process and the store, by a seed.

use std::future::pending;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use ledger::commit::HEADER;
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use tokio::sync::Notify;

use super::clock::{Clock, MINUTE};
use super::memory::Memory;

/// How often in a thousand calls each happens.
#[derive(Clone, Copy, Default)]
pub struct Rates {
    /// The process dies before the call is carried out, or after it.
    pub killed: u32,
    /// It is carried out, and the answer is lost.
    pub lost: u32,
    /// It is not carried out: throttled, or another conditional write is under way.
    pub refused: u32,
    /// A put that is given up and is carried out later nevertheless.
    pub late: u32,
    /// The process sleeps before the call,
    pub asleep: u32,
    /// for so many minutes at most.
    pub minutes: i64,
}

/// A store as one process sees it.
pub struct Faults {
    inner: Arc<Memory>,
    clock: Arc<Clock>,
    rates: Rates,
    random: Mutex<StdRng>,
    killed: Notify,
    late: Mutex<Option<(String, Bytes, Precondition)>>,
    landed: Mutex<Vec<Landed>>,
}

/// A head that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The life of the index; none when it was deleted.
    pub incarnation: Option<String>,
    /// The number of the commit.
    pub commit: u64,
}

/// What a head holds, as JSON.
pub fn head(body: &[u8]) -> Value {
    let head: Value = serde_json::from_slice(&body[HEADER..]).unwrap();
    head["state"].clone()
}

enum Fate {
    Good,
    Killed { after: bool },
    Lost,
    Refused,
    Late,
}

impl Faults {
    /// Of this seed.
    pub fn new(inner: &Arc<Memory>, clock: &Arc<Clock>, rates: Rates, seed: u64) -> Arc<Faults> {
        Arc::new(Faults {
            inner: inner.clone(),
            clock: clock.clone(),
            rates,
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            killed: Notify::new(),
            late: Mutex::default(),
            landed: Mutex::default(),
        })
    }

    /// Carries out what one process does, unless it is killed; and what is still under way then. Tells the heads that it wrote.
    pub async fn process<T>(&self, work: impl Future<Output = T>) -> (Option<T>, Vec<Landed>) {
        let result = tokio::select! {
            biased;
            () = self.killed.notified() => None,
            result = work => Some(result),
        };
        self.settle().await;
        (result, std::mem::take(&mut *self.landed.lock().unwrap()))
    }

    async fn settle(&self) {
        let late = self.late.lock().unwrap().take();
        if let Some((key, body, precondition)) = late {
            _ = self.put_now(&key, body, &precondition).await;
        }
    }

    async fn put_now(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        let etag = self.inner.put(key, body.clone(), precondition).await?;
        if key.starts_with("heads/") {
            let state = head(&body);
            let incarnation = state["incarnation"].as_str().map(str::to_owned);
            self.landed.lock().unwrap().push(Landed { incarnation, commit: state["commit"].as_u64().unwrap() });
        }
        Ok(etag)
    }

    /// Lets others go first, and decides what becomes of a call.
    async fn fate(&self) -> Fate {
        let rates = self.rates;
        let (yields, dice, sleep) = {
            let mut random = self.random.lock().unwrap();
            let after: bool = random.random();
            let kinds = [
                (rates.killed, Fate::Killed { after }),
                (rates.lost, Fate::Lost),
                (rates.refused, Fate::Refused),
                (rates.late, Fate::Late),
            ];
            let mut dice = random.random_range(0..1000u32);
            let mut fate = Fate::Good;
            for (rate, kind) in kinds {
                if dice < rate {
                    fate = kind;
                    break;
                }
                dice -= rate;
            }
            let asleep = random.random_range(0..1000u32) < rates.asleep;
            (random.random_range(0..4u32), fate, asleep.then(|| random.random_range(0..rates.minutes) * MINUTE))
        };
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        self.clock.advance(20);
        if let Some(ms) = sleep {
            self.clock.sleep(ms).await;
        }
        self.settle().await;
        dice
    }

    async fn call<T>(&self, key: &str, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.fate().await {
            Fate::Good => call.await,
            fate => self.wrong(key, fate, call).await,
        }
    }

    async fn wrong<T>(
        &self,
        key: &str,
        fate: Fate,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let transient = |reason: &str| Err(StoreError::Transient { key: key.to_owned(), reason: reason.to_owned() });
        match fate {
            Fate::Killed { after } => {
                if after {
                    _ = call.await;
                }
                self.killed.notify_one();
                pending().await
            }
            Fate::Lost => {
                _ = call.await;
                transient("the answer was lost")
            }
            Fate::Good => call.await,
            Fate::Refused | Fate::Late => transient("another conditional write is under way"),
        }
    }
}

#[async_trait]
impl ObjectStore for Faults {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.call(key, self.inner.get(key)).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        self.call(key, self.inner.get_range(key, range)).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        self.call(key, self.inner.get_if_changed(key, etag)).await
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        self.call(key, self.inner.head(key)).await
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        match self.fate().await {
            Fate::Good => self.put_now(key, body, precondition).await,
            Fate::Late => {
                *self.late.lock().unwrap() = Some((key.to_owned(), body, precondition.clone()));
                Err(StoreError::Transient { key: key.to_owned(), reason: "no answer in time".to_owned() })
            }
            fate => self.wrong(key, fate, self.put_now(key, body, precondition)).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.call(key, self.inner.delete(key)).await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        self.call(prefix, self.inner.list(prefix, start_after)).await
    }
}
