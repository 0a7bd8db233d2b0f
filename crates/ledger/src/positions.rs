//! Which sources were taken: so that an object or a batch that comes twice counts once.
//!
//! A source's id is a hash of what identifies it. Ids are kept in objects of 16-byte hashes by the day of the source, and the
//! commit names those objects: an id counts once its commit is made, and not before. After [`KEPT_DAYS`] a day is dropped, and a
//! source of such a day is refused as stale: longer than any queue or retry holds one back (SQS 14 days).

use std::collections::{BTreeMap, HashSet};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::commit::{self, CommitId, Outcome};
use crate::store::{ObjectStore, Precondition, StoreError};

/// Days that positions are kept (design: longer than queues and retries).
pub const KEPT_DAYS: i64 = 15;

/// Objects of one day at most; the next commit joins them into one.
const MAX_OBJECTS: usize = 16;

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// The identity of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId([u8; 16]);

impl SourceId {
    /// An object: bucket, key, ETag.
    pub fn object(bucket: &str, key: &str, etag: &str) -> SourceId {
        SourceId::of([bucket, key, etag])
    }

    /// A batch of log events: their ids.
    pub fn log_batch<'a>(event_ids: impl IntoIterator<Item = &'a str>) -> SourceId {
        SourceId::of(event_ids)
    }

    fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> SourceId {
        let mut hash = Sha256::new();
        for part in parts {
            // Lengths keep ("ab", "c") and ("a", "bc") apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        SourceId(id)
    }
}

/// What is known of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Not taken yet.
    New,
    /// Taken by an earlier commit.
    Known,
    /// Too old to know.
    Stale,
}

/// The objects that hold the ids of the last days: part of the state that is committed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// Day (days since 1970, UTC) → keys.
    days: BTreeMap<i64, Vec<String>>,
}

impl Positions {
    /// What is known of sources, each with its own time (epoch ms: of the object, of its first event).
    pub async fn check(
        &self,
        store: &dyn ObjectStore,
        sources: &[(SourceId, i64)],
        now: i64,
    ) -> Result<Vec<Seen>, StoreError> {
        let mut known: BTreeMap<i64, HashSet<SourceId>> = BTreeMap::new();
        for day in sources.iter().map(|(_, at)| at.div_euclid(MS_PER_DAY)) {
            if let (false, Some(keys)) = (known.contains_key(&day), self.days.get(&day)) {
                known.insert(day, load(store, keys).await?);
            }
        }
        let verdict = |(id, at): &(SourceId, i64)| {
            let day = at.div_euclid(MS_PER_DAY);
            match known.get(&day) {
                _ if day < oldest_day(now) => Seen::Stale,
                Some(ids) if ids.contains(id) => Seen::Known,
                _ => Seen::New,
            }
        };
        Ok(sources.iter().map(verdict).collect())
    }

    /// These positions and `sources`, to be committed with what was made of them. Writes the ids under `prefix` first: if the
    /// commit is lost, nobody names that object, and [`Positions::garbage`] of the next listing finds it.
    pub async fn with(
        &self,
        store: &dyn ObjectStore,
        prefix: &str,
        sources: &[(SourceId, i64)],
        now: i64,
    ) -> Result<Positions, StoreError> {
        let mut days = self.days.clone();
        days.retain(|day, _| *day >= oldest_day(now));
        let mut by_day: BTreeMap<i64, HashSet<SourceId>> = BTreeMap::new();
        for (id, at) in sources {
            by_day.entry(at.div_euclid(MS_PER_DAY)).or_default().insert(*id);
        }
        for (day, mut ids) in by_day {
            let keys = days.entry(day).or_default();
            if keys.len() >= MAX_OBJECTS {
                ids.extend(load(store, keys).await?);
                keys.clear();
            }
            keys.push(write(store, prefix, day, ids).await?);
        }
        Ok(Positions { days })
    }

    /// Of `listed` keys, those that these positions do not name. Delete them only when no commit that may name them can be under
    /// way.
    pub fn garbage<'a>(&self, listed: &'a [String]) -> Vec<&'a str> {
        let named: HashSet<&str> = self.days.values().flatten().map(String::as_str).collect();
        listed.iter().map(String::as_str).filter(|key| !named.contains(key)).collect()
    }
}

fn oldest_day(now: i64) -> i64 {
    now.div_euclid(MS_PER_DAY) - KEPT_DAYS
}

async fn load(store: &dyn ObjectStore, keys: &[String]) -> Result<HashSet<SourceId>, StoreError> {
    let mut ids = HashSet::new();
    for key in keys {
        let object = commit::read(store, key).await?;
        ids.extend(object.payload.as_chunks::<16>().0.iter().map(|id| SourceId(*id)));
    }
    Ok(ids)
}

async fn write(store: &dyn ObjectStore, prefix: &str, day: i64, ids: HashSet<SourceId>) -> Result<String, StoreError> {
    let mut sorted: Vec<SourceId> = ids.into_iter().collect();
    sorted.sort_unstable();
    let mut payload = BytesMut::with_capacity(sorted.len() * 16);
    sorted.iter().for_each(|id| payload.extend_from_slice(&id.0));
    let id = CommitId::random();
    let key = format!("{prefix}{}/{}", date(day), id.as_str());
    match commit::put(store, &key, &id, &Bytes::from(payload), &Precondition::Absent).await? {
        Outcome::Written(_) => Ok(key),
        Outcome::Lost(_) | Outcome::Gone => {
            Err(StoreError::Other { key, reason: "a random name was taken".to_owned() })
        }
    }
}

fn date(day: i64) -> String {
    match Timestamp::from_millisecond(day.saturating_mul(MS_PER_DAY)) {
        Ok(at) => at.to_zoned(TimeZone::UTC).date().to_string(),
        Err(_) => day.to_string(),
    }
}
