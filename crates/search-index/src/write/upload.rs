//! The objects of a commit, written before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use ledger::commit;
use roaring::RoaringBitmap;

use crate::manifest::{Change, Kind, Names, NewDeletes, Split, State, encode_deletes};
use crate::split::Built;
use crate::{Catalog, Error};

/// Deletion bitsets of one commit that are written at once.
const UPLOADS: usize = 32;

/// Objects of a new split.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The split.
    pub split: String,
    /// The bitset of those of its documents that a later operation of its commit has replaced.
    pub deletes: Option<String>,
}

impl Stored {
    fn is_admitted(&self, names: &Names) -> bool {
        names.admits(Kind::Split, &self.split)
            && self.deletes.as_ref().is_none_or(|deletes| names.admits(Kind::Deletes, deletes))
    }
}

/// Writes a new split, unless an earlier try has and a commit may still name it.
pub async fn store(
    catalog: &Catalog,
    names: &Names,
    built: Option<&Built>,
    gone: &[u32],
    earlier: Option<Stored>,
) -> Result<Option<Stored>, Error> {
    let Some(built) = built else { return Ok(None) };
    if let Some(earlier) = earlier.filter(|earlier| earlier.is_admitted(names)) {
        return Ok(Some(earlier));
    }
    let split = names.new(Kind::Split);
    let deletes = async {
        match gone {
            [] => Ok(None),
            gone => put_deletes(catalog, names, gone.iter().copied().collect()).await.map(Some),
        }
    };
    let put = async { Ok(commit::put_new(&*catalog.store, &split, built.bytes.clone()).await?) };
    let (deletes, ()) = futures::try_join!(deletes, put)?;
    Ok(Some(Stored { split, deletes }))
}

/// Writes the deletion bitsets of splits that lose documents. One that loses its last is there no more.
pub async fn buried(
    catalog: &Catalog,
    names: &Names,
    state: &State,
    deleted: &BTreeMap<String, Vec<u32>>,
) -> Result<Change, Error> {
    if deleted.is_empty() {
        return Ok(Change::default());
    }
    let touched = state.splits.iter().filter_map(|split| Some((split.clone(), deleted.get(&split.key)?.clone())));
    let touched: Vec<(Arc<Split>, Vec<u32>)> = touched.collect(); // owned, or the compiler cannot tell that the future is Send
    let bury = touched.into_iter().map(|(split, docs)| async move {
        let before = catalog.deleted(&split).await?;
        let mut bitset = before.map_or_else(RoaringBitmap::new, |before| (*before).clone());
        bitset.extend(docs);
        let deleted = bitset.len() as u32;
        let object = match deleted >= split.meta.documents {
            true => None,
            false => Some(put_deletes(catalog, names, bitset).await?),
        };
        Ok::<_, Error>((split.key.clone(), object, deleted))
    });
    let mut change = Change::default();
    let mut buried = stream::iter(bury).buffered(UPLOADS);
    while let Some((split, object, deleted)) = buried.try_next().await? {
        match object {
            Some(object) => change.deletes.push(NewDeletes { split, object, deleted }),
            None => change.removed.push(split),
        }
    }
    Ok(change)
}

/// Writes a deletion bitset; gives its key.
pub async fn put_deletes(catalog: &Catalog, names: &Names, bitset: RoaringBitmap) -> Result<String, Error> {
    let key = names.new(Kind::Deletes);
    commit::put_new(&*catalog.store, &key, encode_deletes(&bitset)?).await?;
    catalog.bitsets.keep(&key, bitset.into());
    Ok(key)
}
