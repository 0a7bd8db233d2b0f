//! One index.

use std::sync::Arc;

use crate::manifest::{Settings, State};
use crate::mapping::Mapping;
use crate::split::Stored;
use crate::write::{Part, Taken};
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
    /// Carries out the parts in order, in one commit. An index that does not exist is created with `defaults` and dynamic mapping.
    ///
    /// What is decided from what is there (`create`, `if_seq_no`, updates, types of new fields) is decided again whenever another
    /// writer's commit comes first.
    pub async fn write(&self, _parts: &[Part], _defaults: &Settings, _now: i64) -> Result<Vec<Taken>, Error> {
        let _ = (&self.catalog, &self.name);
        Err(Error::Engine("to be written".into()))
    }

    /// Adds fields to the mapping. A field that is there with another type is [`Error::Mapping`].
    pub async fn put_mapping(&self, _mapping: &Mapping, _now: i64) -> Result<(), Error> {
        Err(Error::Engine("to be written".into()))
    }

    /// The last commit.
    pub async fn reader(&self) -> Result<Reader, Error> {
        Err(Error::Engine("to be written".into()))
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
    pub async fn get(&self, _ids: &[&str]) -> Result<Vec<Option<Found>>, Error> {
        let _ = &self.catalog;
        Err(Error::Engine("to be written".into()))
    }
}
