//! The rules bucket, as an object store.

use std::sync::Arc;

use ledger::{ObjectStore, StoreError};

use super::{MAX_RULE_FILE_BYTES, RuleListing, RuleSource, Stored};
use crate::Error;

/// The rules bucket.
#[derive(Clone)]
pub struct RulesBucket(pub Arc<dyn ObjectStore>);

impl RuleSource for RulesBucket {
    async fn get(&self, key: &str, if_none_match: Option<&str>) -> Result<Stored, Error> {
        if let Some(etag) = if_none_match {
            match self.0.head(key).await {
                Ok(meta) if meta.etag.0 == etag => return Ok(Stored::Unchanged),
                Ok(_) => {}
                Err(StoreError::NotFound { .. }) => return Ok(Stored::Missing),
                Err(error) => return Err(error.into()),
            }
        }
        match self.0.get_range(key, 0..MAX_RULE_FILE_BYTES as u64 + 1).await {
            Ok(object) => Ok(Stored::Found { etag: object.etag.0, body: object.body.to_vec() }),
            Err(StoreError::NotFound { .. }) => Ok(Stored::Missing),
            Err(error) => match self.0.head(key).await {
                // There is no range of nothing.
                Ok(meta) if meta.size == 0 => Ok(Stored::Found { etag: meta.etag.0, body: Vec::new() }),
                _ => Err(error.into()),
            },
        }
    }
}

impl RuleListing for RulesBucket {
    async fn list(&self, prefix: &str) -> Result<Vec<(String, String)>, Error> {
        let page = self.0.list(prefix, None).await?;
        Ok(page.into_iter().map(|meta| (meta.key, meta.etag.0)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use ledger::{FileStore, Precondition};

    #[tokio::test]
    async fn files_are_read_when_they_change_and_never_whole_when_they_are_too_large() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(FileStore::open(folder.path()).unwrap());
        let bucket = RulesBucket(store.clone());
        let read = async |etag: Option<&str>| bucket.get("rules/a.json", etag).await.unwrap();
        assert_eq!(read(None).await, Stored::Missing);
        for (length, expected) in [(0, 0), (2, 2), (MAX_RULE_FILE_BYTES + 5, MAX_RULE_FILE_BYTES + 1)] {
            store.put("rules/a.json", Bytes::from(vec![b' '; length]), &Precondition::None).await.unwrap();
            let Stored::Found { etag, body } = read(None).await else { panic!("{length}") };
            assert_eq!(body.len(), expected);
            assert_eq!(read(Some(&etag)).await, Stored::Unchanged);
        }
        assert_eq!(bucket.list("rules/").await.unwrap().len(), 1);
    }
}
