//! A store in memory, exact about preconditions.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};

/// Keys of one page of a listing.
const MAX_PAGE: usize = 1000;

/// Objects by their keys.
#[derive(Default)]
pub struct Memory(Mutex<Objects>);

#[derive(Default)]
struct Objects {
    there: BTreeMap<String, Object>,
    puts: u64,
}

impl Memory {
    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().there.keys().cloned().collect()
    }

    /// The object, if there is one.
    pub fn body(&self, key: &str) -> Option<Bytes> {
        self.0.lock().unwrap().there.get(key).map(|object| object.body.clone())
    }

    /// Inverts the bits of an object.
    pub fn spoil(&self, key: &str) {
        let mut objects = self.0.lock().unwrap();
        let object = objects.there.get_mut(key).unwrap();
        object.body = object.body.iter().map(|byte| !byte).collect();
    }

    fn object(&self, key: &str) -> Result<Object, StoreError> {
        let object = self.0.lock().unwrap().there.get(key).cloned();
        object.ok_or_else(|| StoreError::NotFound { key: key.to_owned() })
    }
}

#[async_trait]
impl ObjectStore for Memory {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.object(key)
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        let Object { body, etag } = self.object(key)?;
        let end = body.len().min(range.end as usize);
        Ok(Object { body: body.slice(end.min(range.start as usize)..end), etag })
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        Ok(Some(self.object(key)?).filter(|object| object.etag != *etag))
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        let Object { body, etag } = self.object(key)?;
        Ok(Meta { key: key.to_owned(), size: body.len() as u64, etag })
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        let mut objects = self.0.lock().unwrap();
        match (precondition, objects.there.get(key)) {
            (Precondition::None, _) | (Precondition::Absent, None) => {}
            (Precondition::Matches(etag), Some(there)) if there.etag == *etag => {}
            (Precondition::Matches(_), None) => return Err(StoreError::NotFound { key: key.to_owned() }),
            _ => return Err(StoreError::Precondition { key: key.to_owned() }),
        }
        objects.puts += 1;
        let etag = ETag(format!("\"{}\"", objects.puts));
        objects.there.insert(key.to_owned(), Object { body, etag: etag.clone() });
        Ok(etag)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.0.lock().unwrap().there.remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        let objects = self.0.lock().unwrap();
        let start = match start_after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let listed = objects.there.range::<str, _>((start, Bound::Unbounded));
        let listed = listed.take_while(|(key, _)| key.starts_with(prefix)).take(MAX_PAGE);
        Ok(listed
            .map(|(key, object)| Meta { key: key.clone(), size: object.body.len() as u64, etag: object.etag.clone() })
            .collect())
    }
}
