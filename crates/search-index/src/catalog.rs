//! All indexes of a bucket.

use std::sync::Arc;

use ledger::ObjectStore;

use crate::manifest::{Settings, State};
use crate::mapping::Mapping;
use crate::{Error, Index};

/// Bounds of what one process does and keeps.
#[derive(Debug, Clone)]
pub struct Options {
    /// Reads under way at once.
    pub reads: usize,
    /// Bytes of splits that are kept in memory.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Options {
        // Reads: Lambda gives 1,024 file descriptors. Cache: an eighth of the search function's 2 GB.
        Options { reads: 256, cache_bytes: 256 << 20 }
    }
}

/// All indexes of a bucket.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) options: Options,
}

impl Catalog {
    /// Of this store.
    pub fn new(store: Arc<dyn ObjectStore>, options: Options) -> Catalog {
        Catalog { store, options }
    }

    /// The index of this name, which may not exist (yet).
    pub fn index(&self, _name: &str) -> Result<Index, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// Names of the indexes that match any of the patterns (`*` matches any run of characters, `-` before one excludes), sorted.
    /// A name without `*` that does not exist is [`Error::NoSuchIndex`].
    pub async fn resolve(&self, _patterns: &[&str]) -> Result<Vec<String>, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// Creates an index.
    pub async fn create(
        &self,
        _name: &str,
        _settings: Settings,
        _mapping: Mapping,
        _now: i64,
    ) -> Result<Arc<State>, Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// Deletes an index; what it held is collected later, when no reader can hold it.
    pub async fn delete(&self, _name: &str, _now: i64) -> Result<(), Error> {
        Err(Error::Engine("to be written".into()))
    }
}
