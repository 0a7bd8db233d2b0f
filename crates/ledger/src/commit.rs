//! Conditional puts that are exact although an answer may be lost.
//!
//! A put that succeeded and whose answer did not arrive is tried again (by the SDK or here) and is then told «precondition
//! failed». So each object begins with the random id of the commit that wrote it: whoever is refused reads it back, and if the id
//! is his own, he has written it.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use rand::RngExt;

use crate::store::{ETag, Object, ObjectStore, Precondition, StoreError};

/// How often an operation is tried when the store says try again: with [`BACKOFF`] doubling, about six seconds in all.
pub const MAX_TRIES: u32 = 8;

/// Before the second try; doubled for each further one, and shortened by up to its whole at random (full jitter).
const BACKOFF: Duration = Duration::from_millis(50);

/// `LMC1 ` + 32 hexadecimal digits + newline.
pub const HEADER: usize = 38;

const MAGIC: &[u8; 5] = b"LMC1 ";

/// The random id of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct CommitId(String);

impl CommitId {
    /// A new one.
    pub fn random() -> CommitId {
        CommitId(uuid::Uuid::new_v4().simple().to_string())
    }

    /// 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An object that a commit wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Who wrote it.
    pub id: CommitId,
    /// What it holds.
    pub payload: Bytes,
    /// Its version.
    pub etag: ETag,
}

/// What became of a conditional put.
#[derive(Debug)]
pub enum Outcome {
    /// It is written, by this very commit.
    Written(ETag),
    /// Another commit is there.
    Lost(Committed),
    /// `If-Match` on an object that is gone; or `If-None-Match` on one that was there a moment ago and is gone now.
    Gone,
}

/// Puts `payload` under the id if the precondition holds, until it is known whether it did.
pub async fn put(
    store: &dyn ObjectStore,
    key: &str,
    id: &CommitId,
    payload: &[u8],
    precondition: &Precondition,
) -> Result<Outcome, StoreError> {
    let body = frame(id, payload);
    let mut tries = 0;
    loop {
        tries += 1;
        match store.put(key, body.clone(), precondition).await {
            Ok(etag) => return Ok(Outcome::Written(etag)),
            Err(StoreError::NotFound { .. }) => return Ok(Outcome::Gone),
            Err(StoreError::Precondition { .. }) => match read(store, key).await {
                Ok(there) if there.id == *id => return Ok(Outcome::Written(there.etag)),
                Ok(there) => return Ok(Outcome::Lost(there)),
                Err(StoreError::NotFound { .. }) => return Ok(Outcome::Gone),
                Err(error) => retry(error, tries).await?,
            },
            Err(error) => retry(error, tries).await?,
        }
    }
}

/// Reads an object that a commit wrote, trying again when the store says so.
pub async fn read(store: &dyn ObjectStore, key: &str) -> Result<Committed, StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match store.get(key).await {
            Ok(object) => return unframe(key, object),
            Err(error) => retry(error, tries).await?,
        }
    }
}

/// Reads an object that a commit wrote unless it still has this version.
pub(crate) async fn read_if_changed(
    store: &dyn ObjectStore,
    key: &str,
    etag: &ETag,
) -> Result<Option<Committed>, StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match store.get_if_changed(key, etag).await {
            Ok(object) => return object.map(|object| unframe(key, object)).transpose(),
            Err(error) => retry(error, tries).await?,
        }
    }
}

/// As [`read`], of the payload no more than its first `bytes`.
pub async fn read_beginning(store: &dyn ObjectStore, key: &str, bytes: usize) -> Result<Committed, StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match store.get_range(key, 0..(HEADER + bytes) as u64).await {
            Ok(object) => return unframe(key, object),
            Err(error) => retry(error, tries).await?,
        }
    }
}

/// Puts an object under a name that nobody else has, so that nothing need be demanded and trying again does no harm.
pub async fn put_new(store: &dyn ObjectStore, key: &str, body: Bytes) -> Result<(), StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match store.put(key, body.clone(), &Precondition::None).await {
            Ok(_) => return Ok(()),
            Err(error) => retry(error, tries).await?,
        }
    }
}

/// Waits if the error is worth another try, and gives it back if it is not or there were too many (`tries` counts from 1).
pub async fn retry(error: StoreError, tries: u32) -> Result<(), StoreError> {
    if !matches!(error, StoreError::Transient { .. }) || tries >= MAX_TRIES {
        return Err(error);
    }
    jitter(tries).await;
    Ok(())
}

/// Sleeps before try number `tries` + 1: so that those who race do not do it in step.
pub async fn jitter(tries: u32) {
    let longest = BACKOFF * 2u32.pow(tries.min(MAX_TRIES) - 1);
    let drawn = rand::rng().random_range(0.0..1.0);
    tokio::time::sleep(longest.mul_f64(drawn)).await;
}

fn frame(id: &CommitId, payload: &[u8]) -> Bytes {
    let mut body = BytesMut::with_capacity(HEADER + payload.len());
    body.put_slice(MAGIC);
    body.put_slice(id.0.as_bytes());
    body.put_u8(b'\n');
    body.put_slice(payload);
    body.freeze()
}

fn unframe(key: &str, object: Object) -> Result<Committed, StoreError> {
    let Object { body, etag } = object;
    let id = body.get(MAGIC.len()..HEADER - 1).and_then(|id| std::str::from_utf8(id).ok());
    match id {
        Some(id) if body.starts_with(MAGIC) && body[HEADER - 1] == b'\n' => {
            Ok(Committed { id: CommitId(id.to_owned()), payload: body.slice(HEADER..), etag })
        }
        _ => Err(StoreError::Other {
            key: key.to_owned(),
            reason: format!("not written by a commit: expected {HEADER} bytes «LMC1 ID» first"),
        }),
    }
}
