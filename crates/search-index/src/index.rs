//! One index.

use std::collections::HashSet;
use std::sync::Arc;

use ledger::{HeadError, MAX_RACES, commit};

use crate::manifest::{Change, HEADS, Split, State, View};
use crate::mapping::Mapping;
use crate::split::{Deleted, SplitReader, Stored};
use crate::write::Lookups;
use crate::{Catalog, Error};

/// One index.
#[derive(Clone)]
pub struct Index {
    pub(crate) catalog: Catalog,
    pub(crate) name: String,
}

/// One commit of an index, to be read.
#[derive(Clone)]
pub struct Reader {
    pub(crate) catalog: Catalog,
    /// The name of the index.
    pub name: String,
    /// The commit.
    pub state: Arc<State>,
}

impl Index {
    /// Adds fields to the mapping. A field that is there with another type is [`Error::Request`].
    pub async fn put_mapping(&self, mapping: &Mapping, _now: i64) -> Result<(), Error> {
        for race in 1..=MAX_RACES {
            let view = self.view().await?;
            if view.state.incarnation.is_none() {
                return Err(Error::NoSuchIndex(self.name.clone()));
            }
            let mut merged = (*view.state.mapping).clone();
            if !merged.merge(mapping)? {
                return Ok(());
            }
            let (mut next, snapshot) = view.next(&*self.catalog.store).await?;
            next.state.mapping = Arc::new(merged);
            next.state.push(Change::default());
            if self.catalog.views.commit(&self.catalog.store, &self.name, next, snapshot).await?.is_some() {
                return Ok(());
            }
            commit::jitter(race.min(4)).await;
        }
        Err(self.contended())
    }

    /// The last commit.
    pub async fn reader(&self) -> Result<Reader, Error> {
        let state = self.view().await?.state;
        match state.incarnation {
            Some(_) => Ok(Reader { catalog: self.catalog.clone(), name: self.name.clone(), state }),
            None => Err(Error::NoSuchIndex(self.name.clone())),
        }
    }

    /// The last commit, with the head to build the next one on.
    pub(crate) async fn view(&self) -> Result<View, Error> {
        self.catalog.views.load(&self.catalog.store, &self.name).await
    }

    /// Others won each time.
    pub(crate) fn contended(&self) -> Error {
        HeadError::Contended { key: format!("{HEADS}{}", self.name) }.into()
    }
}

/// A document found by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The document.
    pub stored: Stored,
    /// Its `_seq_no`.
    pub seq_no: u64,
    /// Its `_version`.
    pub version: u64,
}

impl Reader {
    /// Documents by their ids, in the order asked.
    pub async fn get(&self, ids: &[&str]) -> Result<Vec<Option<Found>>, Error> {
        let distinct: HashSet<&str> = ids.iter().copied().collect();
        let mut lookups = Lookups::new(distinct.into_iter().map(str::to_owned).collect(), |_| true);
        let located = lookups.run(&self.catalog, &self.state).await?;
        let found = ids.iter().map(|id| {
            let located = located.get(*id)?;
            let stored = Stored { id: (*id).to_owned(), source: located.source.clone()? };
            Some(Found { stored, seq_no: located.seq_no, version: located.version })
        });
        Ok(found.collect())
    }
}

impl Catalog {
    /// Opens a split.
    pub(crate) async fn open(&self, split: &Split) -> Result<Arc<SplitReader>, Error> {
        SplitReader::open(self.store.clone(), self.cache.clone(), &split.key, &split.meta).await
    }

    /// Documents of a split that are gone; `None` if none are.
    pub(crate) async fn deleted(&self, split: &Split) -> Result<Option<Deleted>, Error> {
        self.bitsets.of(&*self.store, split).await
    }
}
