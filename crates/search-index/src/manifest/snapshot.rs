//! The splits of one commit in an object of their own.

use std::sync::Arc;

use bytes::Bytes;
use ledger::{ObjectStore, StoreError, commit};
use serde::{Deserialize, Serialize};

use crate::Error;

use super::{Kind, Names, Split, State};

/// First in a snapshot; then eight hexadecimal digits of the CRC-32 of what follows, a newline, JSON.
const MAGIC: &[u8] = b"LMS1 ";

const HEADER: usize = MAGIC.len() + 8 + 1;

/// The splits of one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The number of the commit.
    pub commit: u64,
    /// In the order of `_seq_no`.
    pub splits: Vec<Arc<Split>>,
}

impl Snapshot {
    /// Writes a state; gives the object's key.
    pub async fn write(
        store: &dyn ObjectStore,
        names: &Names,
        state: &State,
    ) -> Result<(String, Arc<Snapshot>), Error> {
        let snapshot = Snapshot { commit: state.commit, splits: state.splits.clone() };
        let key = names.object(Kind::Snapshot);
        commit::put_new(store, &key, snapshot.encode()?).await?;
        Ok((key, Arc::new(snapshot)))
    }

    /// Reads one; `None` if it is not there (any more).
    pub async fn read(store: &dyn ObjectStore, key: &str) -> Result<Option<Arc<Snapshot>>, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match store.get(key).await {
                Ok(object) => return Snapshot::decode(key, &object.body).map(|snapshot| Some(Arc::new(snapshot))),
                Err(StoreError::NotFound { .. }) => return Ok(None),
                Err(error) => commit::retry(error, tries).await?,
            }
        }
    }

    fn encode(&self) -> Result<Bytes, Error> {
        let json = serde_json::to_vec(self).map_err(|error| Error::Engine(format!("a snapshot: {error}")))?;
        let mut body = Vec::with_capacity(HEADER + json.len());
        body.extend_from_slice(MAGIC);
        body.extend_from_slice(format!("{:08x}\n", crc32fast::hash(&json)).as_bytes());
        body.extend_from_slice(&json);
        Ok(body.into())
    }

    fn decode(key: &str, body: &[u8]) -> Result<Snapshot, Error> {
        let corrupt = |reason: String| Error::Corrupt { key: key.to_owned(), reason };
        let Some((header, json)) = body.split_at_checked(HEADER).filter(|(header, _)| header.starts_with(MAGIC)) else {
            return Err(corrupt("not a snapshot: expected «LMS1» first".to_owned()));
        };
        if header[MAGIC.len()..] != *format!("{:08x}\n", crc32fast::hash(json)).as_bytes() {
            return Err(corrupt("the checksum of the snapshot is wrong".to_owned()));
        }
        serde_json::from_slice(json).map_err(|error| corrupt(format!("not a snapshot: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::head::tests::split;

    #[test]
    fn what_is_damaged_is_named() {
        let snapshot = Snapshot { commit: 7, splits: vec![split("a", 1), split("b", 11)] };
        let body = snapshot.encode().unwrap();
        assert_eq!(Snapshot::decode("k", &body).unwrap(), snapshot);
        for at in 0..body.len() {
            let mut damaged = body.to_vec();
            damaged[at] ^= 1;
            let error = Snapshot::decode("k", &damaged).unwrap_err();
            assert!(matches!(&error, Error::Corrupt { key, .. } if key == "k"), "{at}: {error}");
            assert!(Snapshot::decode("k", &body[..at]).is_err());
        }
    }
}
