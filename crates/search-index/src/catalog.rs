//! All indexes of a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use ledger::{ETag, MAX_RACES, ObjectStore, commit};

use crate::manifest::{Bitsets, HEADS, Settings, State, View, Views, new_incarnation};
use crate::mapping::Mapping;
use crate::{Error, Index, Reader, name, split};

/// Bounds of what one process does and keeps.
#[derive(Debug, Clone)]
pub struct Options {
    /// Reads under way at once.
    pub reads: usize,
    /// Bytes of splits that are kept in memory.
    pub cache_bytes: usize,
    /// Bytes of splits that the janitor joins into one at most: they, the engine's files and the new object are in memory at once.
    pub join_bytes: u64,
}

impl Default for Options {
    fn default() -> Options {
        // Reads: Lambda gives 1,024 file descriptors. Cache: an eighth of the search function's 2 GB.
        // Joining: three times as much fits beside the rest into the janitor's 2 GB.
        Options { reads: 256, cache_bytes: 256 << 20, join_bytes: 384 << 20 }
    }
}

/// All indexes of a bucket, and what this process has read of them. Clones share it.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) options: Options,
    /// Ranges of splits.
    pub(crate) cache: Arc<split::Cache>,
    /// Deletion bitsets.
    pub(crate) bitsets: Arc<Bitsets>,
    /// Heads and snapshots.
    pub(crate) views: Arc<Views>,
}

impl Catalog {
    /// Of this store.
    pub fn new(store: Arc<dyn ObjectStore>, options: Options) -> Catalog {
        let cache = split::Cache::new(options.cache_bytes, options.reads);
        Catalog { store, options, cache, bitsets: Arc::default(), views: Arc::default() }
    }

    /// The index of this name, which may not exist (yet).
    pub fn index(&self, name: &str) -> Result<Index, Error> {
        name::check(name)?;
        Ok(Index { catalog: self.clone(), name: name.to_owned() })
    }

    /// Names of the indexes that match any of the patterns (`*` matches any run of characters, `-` before one excludes), sorted.
    /// A name without `*` that does not exist is [`Error::NoSuchIndex`].
    pub async fn resolve(&self, patterns: &[&str]) -> Result<Vec<String>, Error> {
        Ok(self.readers(patterns).await?.into_iter().map(|reader| reader.name).collect())
    }

    /// The last commits of the indexes that [`Catalog::resolve`] names, in fewer requests: what a listing shows to be unchanged is
    /// not loaded.
    pub async fn readers(&self, patterns: &[&str]) -> Result<Vec<Reader>, Error> {
        let mut wanted: BTreeMap<String, (bool, Option<ETag>)> = BTreeMap::new();
        for pattern in patterns {
            if let Some(excluded) = pattern.strip_prefix('-') {
                wanted.retain(|name, _| !name::matches(excluded, name));
            } else if name::is_wildcard(pattern) {
                for (name, etag) in self.list(name::prefix(pattern)).await? {
                    if name::matches(pattern, &name) {
                        wanted.entry(name).or_insert((false, Some(etag)));
                    }
                }
            } else {
                name::check(pattern)?;
                wanted.insert((*pattern).to_owned(), (true, None));
            }
        }
        let views = wanted.into_iter().map(|(name, (demanded, etag))| async move {
            let view = self.view(&name, etag.as_ref()).await?;
            match view.state.incarnation {
                Some(_) => Ok(Some(Reader { catalog: self.clone(), name, state: view.state })),
                None if demanded => Err(Error::NoSuchIndex(name)),
                None => Ok(None),
            }
        });
        let readers = stream::iter(views).buffered(self.options.reads);
        readers.try_filter_map(|reader| async move { Ok(reader) }).try_collect().await
    }

    /// Names of all heads, those of indexes that were deleted and leave something to be collected among them, sorted.
    pub async fn names_with_tombstones(&self) -> Result<BTreeSet<String>, Error> {
        Ok(self.list("").await?.into_iter().map(|(name, _)| name).collect())
    }

    /// Creates an index.
    pub async fn create(
        &self,
        name: &str,
        settings: Settings,
        mapping: Mapping,
        now: i64,
    ) -> Result<Arc<State>, Error> {
        let index = self.index(name)?;
        let (incarnation, mapping) = (new_incarnation(), Arc::new(mapping));
        for race in 1..=MAX_RACES {
            let view = self.views.load(&self.store, name).await?;
            if view.state.incarnation.is_some() {
                return Err(Error::Exists(name.to_owned()));
            }
            let mut head = (*view.head).clone();
            head.state.begin(&incarnation, settings.clone(), mapping.clone(), now);
            if let Some(view) = self.views.commit(&self.store, name, head, None).await? {
                return Ok(view.state);
            }
            commit::jitter(race.min(4)).await;
        }
        Err(index.contended())
    }

    /// Deletes an index; what it held is collected later, when no reader can hold it.
    pub async fn delete(&self, name: &str, now: i64) -> Result<(), Error> {
        let index = self.index(name)?;
        for race in 1..=MAX_RACES {
            let view = self.views.load(&self.store, name).await?;
            if view.state.incarnation.is_none() {
                return Err(Error::NoSuchIndex(name.to_owned()));
            }
            let mut head = (*view.head).clone();
            head.state.end(now);
            if self.views.commit(&self.store, name, head, None).await?.is_some() {
                return Ok(());
            }
            commit::jitter(race.min(4)).await;
        }
        Err(index.contended())
    }

    /// The commit that this process has, if it has this version; else the last.
    async fn view(&self, name: &str, etag: Option<&ETag>) -> Result<View, Error> {
        match self.views.get(name) {
            Some(view) if etag.is_some() && view.head.etag() == etag => Ok(view),
            _ => self.views.load(&self.store, name).await,
        }
    }

    /// Names and versions of the heads whose names begin so.
    async fn list(&self, prefix: &str) -> Result<Vec<(String, ETag)>, Error> {
        let heads = list(&*self.store, &format!("{HEADS}{prefix}"), None).await?;
        Ok(heads.into_iter().map(|meta| (meta.key[HEADS.len()..].to_owned(), meta.etag)).collect())
    }
}

/// All objects whose keys begin so and come before `end`, page by page.
pub(crate) async fn list(store: &dyn ObjectStore, prefix: &str, end: Option<&str>) -> Result<Vec<ledger::Meta>, Error> {
    let mut listed: Vec<ledger::Meta> = Vec::new();
    let mut tries = 0;
    loop {
        match store.list(prefix, listed.last().map(|last| last.key.as_str())).await {
            Ok(page) => {
                let is_last =
                    page.is_empty() || end.is_some_and(|end| page.iter().any(|meta| meta.key.as_str() >= end));
                listed.extend(page.into_iter().filter(|meta| end.is_none_or(|end| meta.key.as_str() < end)));
                if is_last {
                    return Ok(listed);
                }
                tries = 0;
            }
            Err(error) => {
                tries += 1;
                commit::retry(error, tries).await?;
            }
        }
    }
}
