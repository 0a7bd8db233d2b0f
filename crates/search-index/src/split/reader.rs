//! A split that is read.

use std::sync::Arc;

use ledger::ObjectStore;

use crate::Error;

use super::{Cache, Deleted, Rows, SplitMeta, Stored, Wanted};

/// A split that is read. Make one for each query: it holds on to every range it has read until it is dropped.
pub struct SplitReader {}

impl SplitReader {
    /// Opens a split: one request, or none if its hot part is in the cache.
    pub async fn open(
        _store: Arc<dyn ObjectStore>,
        _cache: Arc<Cache>,
        _key: &str,
        _meta: &SplitMeta,
    ) -> Result<Arc<SplitReader>, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// The object's key.
    pub fn key(&self) -> &str {
        ""
    }

    /// What the manifest says.
    pub fn meta(&self) -> &SplitMeta {
        unreachable!("cannot be opened yet")
    }

    /// The engine's searcher over this split's one segment, without the deleted documents. It reads only what was prefetched;
    /// anything else is an error that says «not prefetched».
    pub fn searcher(&self, _deleted: Option<&Deleted>) -> Result<tantivy::Searcher, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// Reads everything that is named, in one round trip; a second one for the postings of patterns.
    pub async fn prefetch(&self, _wanted: &Wanted) -> Result<(), Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// The last document of each id that is not deleted. At most two round trips (the filter, once; then postings).
    pub async fn find(&self, _ids: &[&str], _deleted: Option<&Deleted>) -> Result<Vec<Option<u32>>, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// `_seq_no` and `_version` of all documents: one request, the first time.
    pub async fn rows(&self) -> Result<Arc<Rows>, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// Documents by number, in the order asked, in one round trip.
    pub async fn documents(&self, _docs: &[u32]) -> Result<Vec<Stored>, Error> {
        Err(Error::Engine("to be written".into()))
    }
}
