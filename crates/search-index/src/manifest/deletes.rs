//! Deletion bitsets: which documents of a split are gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use ledger::{ObjectStore, commit};
use roaring::RoaringBitmap;

use crate::Error;
use crate::split::Deleted;

use super::Split;

/// First in a bitset's object; then the CRC-32 of what follows (little-endian), then the bitmap in Roaring's portable format.
const MAGIC: &[u8] = b"LMD1";

const HEADER: usize = MAGIC.len() + 4;

/// The object of a bitset.
pub fn encode(deleted: &RoaringBitmap) -> Result<Bytes, Error> {
    let mut body = vec![0; HEADER];
    deleted.serialize_into(&mut body).map_err(|error| Error::Engine(format!("a deletion bitset: {error}")))?;
    body[..MAGIC.len()].copy_from_slice(MAGIC);
    let crc = crc32fast::hash(&body[HEADER..]);
    body[MAGIC.len()..HEADER].copy_from_slice(&crc.to_le_bytes());
    Ok(body.into())
}

fn decode(key: &str, body: &[u8]) -> Result<RoaringBitmap, Error> {
    let corrupt = |reason: String| Error::Corrupt { key: key.to_owned(), reason };
    let Some((header, bitmap)) = body.split_at_checked(HEADER).filter(|(header, _)| header.starts_with(MAGIC)) else {
        return Err(corrupt("not a deletion bitset: expected «LMD1» first".to_owned()));
    };
    if header[MAGIC.len()..] != crc32fast::hash(bitmap).to_le_bytes() {
        return Err(corrupt("the checksum of the deletion bitset is wrong".to_owned()));
    }
    RoaringBitmap::deserialize_from(bitmap).map_err(|error| corrupt(format!("not a deletion bitset: {error}")))
}

/// Bitsets that were read, by their objects, which never change.
#[derive(Default)]
pub struct Bitsets {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bitsets: HashMap<String, Deleted>,
    bytes: usize,
}

/// Bytes of bitsets that are kept: those of some thousand splits with a few deleted documents each, or of a few dozen with many.
const MAX_KEPT: usize = 16 << 20;

impl Bitsets {
    /// Of a split; `None` if nothing of it is deleted.
    pub async fn of(&self, store: &dyn ObjectStore, split: &Split) -> Result<Option<Deleted>, Error> {
        match &split.deletes {
            Some(key) => self.read(store, key).await.map(Some),
            None => Ok(None),
        }
    }

    async fn read(&self, store: &dyn ObjectStore, key: &str) -> Result<Deleted, Error> {
        if let Some(there) = self.lock().bitsets.get(key) {
            return Ok(there.clone());
        }
        let mut tries = 0;
        let object = loop {
            tries += 1;
            match store.get(key).await {
                Ok(object) => break object,
                Err(error) => commit::retry(error, tries).await?,
            }
        };
        let deleted = Arc::new(decode(key, &object.body)?);
        self.keep(key, deleted.clone());
        Ok(deleted)
    }

    /// Keeps one that was just written.
    pub fn keep(&self, key: &str, deleted: Deleted) {
        let mut kept = self.lock();
        if kept.bytes > MAX_KEPT {
            *kept = Kept::default();
        }
        kept.bytes += key.len() + deleted.serialized_size();
        kept.bitsets.insert(key.to_owned(), deleted);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_named() {
        let deleted: RoaringBitmap = [1, 2, 3, 70_000, u32::MAX].into_iter().collect();
        let body = encode(&deleted).unwrap();
        assert_eq!(decode("k", &body).unwrap(), deleted);
        for at in 0..body.len() {
            let mut damaged = body.to_vec();
            damaged[at] ^= 1;
            assert!(matches!(decode("k", &damaged), Err(Error::Corrupt { key, .. }) if key == "k"), "{at}");
            assert!(decode("k", &body[..at]).is_err());
        }
    }
}
