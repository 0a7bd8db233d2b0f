//! Where documents are, by their ids.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use crate::manifest::{Split, State};
use crate::split::{SplitReader, Stored, id_hash};
use crate::{Catalog, Error};

/// A copy of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Key of its split.
    pub split: String,
    /// Its number there.
    pub doc: u32,
    /// `_seq_no`.
    pub seq_no: u64,
    /// `_version`.
    pub version: u64,
    /// `_source`, if it was asked for.
    pub source: Option<Bytes>,
}

/// The ids of a batch, and what was found of them in splits so far: when a race is lost, only splits that are new or of which more
/// is deleted are searched again.
#[derive(Debug, Default)]
pub struct Lookups {
    ids: Vec<String>,
    /// Their hashes, as filters have them.
    hashes: Vec<u64>,
    /// Whose `_source` is needed.
    whole: Vec<bool>,
    searched: HashMap<(String, Option<String>), Vec<(usize, Located)>>,
}

impl Lookups {
    /// For these ids, and the documents of those that are `whole`.
    pub fn new(ids: Vec<String>, whole: impl Fn(&str) -> bool) -> Lookups {
        let whole = ids.iter().map(|id| whole(id)).collect();
        let hashes = ids.iter().map(|id| id_hash(id.as_bytes())).collect();
        Lookups { ids, hashes, whole, searched: HashMap::new() }
    }

    /// The copies that this state has.
    pub async fn run(&mut self, catalog: &Catalog, state: &State) -> Result<HashMap<String, Located>, Error> {
        if self.ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut before = std::mem::take(&mut self.searched);
        let mut unknown = Vec::new();
        for split in &state.splits {
            let key = (split.key.clone(), split.deletes.clone());
            match before.remove(&key) {
                Some(found) => _ = self.searched.insert(key, found),
                None => unknown.push(split.clone()),
            }
        }
        let this = &*self;
        let searches = unknown.into_iter().map(|split| async move {
            let found = this.search(catalog, &split).await?;
            Ok::<_, Error>(((split.key.clone(), split.deletes.clone()), found))
        });
        let found: Vec<_> = stream::iter(searches).buffer_unordered(catalog.options.reads).try_collect().await?;
        self.searched.extend(found);
        let found = self.searched.values().flatten().map(|(id, located)| (self.ids[*id].clone(), located.clone()));
        Ok(found.collect())
    }

    async fn search(&self, catalog: &Catalog, split: &Arc<Split>) -> Result<Vec<(usize, Located)>, Error> {
        let filter = catalog.cache.filters().get(&split.key);
        let may_have = |id: &usize| filter.as_ref().is_none_or(|filter| filter.may_have(self.hashes[*id]));
        let candidates: Vec<usize> = (0..self.ids.len()).filter(may_have).collect();
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let (reader, deleted) = futures::try_join!(catalog.open(split), catalog.deleted(split))?;
        let ids: Vec<&str> = candidates.iter().map(|id| self.ids[*id].as_str()).collect();
        let docs = reader.find(&ids, deleted.as_ref()).await?;
        let found: Vec<(usize, u32)> =
            candidates.into_iter().zip(docs).filter_map(|(id, doc)| Some((id, doc?))).collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let whole: Vec<u32> = found.iter().filter(|(id, _)| self.whole[*id]).map(|(_, doc)| *doc).collect();
        let (rows, documents) = futures::try_join!(reader.rows(), documents(&reader, &whole))?;
        let sources: HashMap<u32, Bytes> =
            whole.into_iter().zip(documents.into_iter().map(|stored| stored.source)).collect();
        let locate = |(id, doc): (usize, u32)| {
            let row = rows.row(doc).ok_or_else(|| Error::Corrupt {
                key: split.key.clone(),
                reason: format!("it has no row for document {doc}"),
            })?;
            let (seq_no, version, source) = (split.seq_base + row.seq_no, row.version, sources.get(&doc).cloned());
            Ok((id, Located { split: split.key.clone(), doc, seq_no, version, source }))
        };
        found.into_iter().map(locate).collect()
    }
}

async fn documents(reader: &SplitReader, docs: &[u32]) -> Result<Vec<Stored>, Error> {
    if docs.is_empty() { Ok(Vec::new()) } else { reader.documents(docs).await }
}
