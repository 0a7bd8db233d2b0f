//! What no head names any more, and applications whose files are gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{HeadError, ObjectStore, StoreError};

use crate::places;
use crate::state::State;

/// How often a tick looks.
const EVERY_MINUTES: i64 = 10;

/// Positions that are left alone: what a head may name (16 of a day, 15 days) and some.
const FEW: usize = 256;

/// A page of a listing (`ledger`'s store).
const PAGE: usize = 1000;

/// Whether this tick looks.
pub fn is_due(now: i64) -> bool {
    now.div_euclid(60_000) % EVERY_MINUTES == 0
}

/// Applications that have state: one whose files are gone is to end, too.
pub async fn applications(index: &dyn ObjectStore) -> Result<BTreeSet<String>, StoreError> {
    let mut names = BTreeSet::new();
    let mut start_after = None;
    loop {
        let page = index.list(places::ROOT, start_after.as_deref()).await?;
        let name = page.last().and_then(|meta| meta.key[places::ROOT.len()..].split('/').next());
        let Some(name) = name.map(str::to_owned) else { return Ok(names) };
        names
            .extend(page.iter().filter_map(|meta| meta.key[places::ROOT.len()..].split('/').next()).map(str::to_owned));
        // Past everything of the last one.
        start_after = Some(format!("{}{name}/~", places::ROOT));
    }
}

/// Deletes positions, pages and tables that the head does not name: of lost commits, of versions that have ended, and what was
/// joined.
///
/// They are listed before the head is committed anew: a commit that is under way and would name one of them was built on an older
/// head, and is lost; one that is built on this head or a later names what it writes by other keys.
pub async fn collect(index: &Arc<dyn ObjectStore>, application: &str) -> Result<(), HeadError> {
    let listed = list(&**index, application).await?;
    let head = places::head(index, application);
    let few = listed.positions.len() < FEW;
    if few && listed.others.is_empty() {
        return Ok(());
    }
    let loaded = head.load().await?;
    if few && listed.unnamed(application, &loaded.state).is_empty() {
        return Ok(());
    }
    let Some(committed) = head.commit(loaded).await? else { return Ok(()) };
    for key in listed.unnamed(application, &committed.state) {
        index.delete(key).await?;
    }
    if !few {
        for key in committed.state.lake.positions.garbage(&listed.positions) {
            index.delete(key).await?;
        }
    }
    Ok(())
}

/// Keys of an application.
#[derive(Default)]
struct Listed {
    positions: Vec<String>,
    /// Pages and tables.
    others: Vec<String>,
}

impl Listed {
    /// Pages and tables that the head does not name.
    fn unnamed(&self, application: &str, state: &State) -> Vec<&str> {
        let pages = state.pages.iter().map(|(page, head)| places::page(application, page, *head));
        let named: BTreeSet<String> = pages.chain(state.tables.values().cloned()).collect();
        self.others.iter().filter(|key| !named.contains(*key)).map(String::as_str).collect()
    }
}

async fn list(index: &dyn ObjectStore, application: &str) -> Result<Listed, StoreError> {
    let prefix = places::prefix(application);
    let mut listed = Listed::default();
    let mut start_after: Option<String> = None;
    loop {
        let page = index.list(&prefix, start_after.as_deref()).await?;
        let Some(last) = page.last().map(|meta| meta.key.clone()) else { return Ok(listed) };
        let full = page.len() >= PAGE;
        for meta in page {
            match meta.key[prefix.len()..].split('/').next() {
                Some("positions") => listed.positions.push(meta.key),
                Some("pages" | "tables") => listed.others.push(meta.key),
                _ => {}
            }
        }
        if !full {
            return Ok(listed);
        }
        start_after = Some(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use ledger::{FileStore, Precondition, SourceId};

    #[tokio::test]
    async fn applications_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        for key in ["a/head", "a/positions/2018-08-09/x", "b/segments/lake/s/x", "c-d/head"] {
            store.put(&format!("analytics/{key}"), "x".into(), &Precondition::None).await.unwrap();
        }
        assert_eq!(Vec::from_iter(applications(&store).await.unwrap()), ["a", "b", "c-d"]);
    }

    #[tokio::test]
    async fn positions_that_no_head_names_go() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(FileStore::open(folder.path()).unwrap());
        let prefix = places::positions_prefix("a");
        let head = places::head(&store, "a");
        let mut loaded = head.load().await.unwrap();
        let source = (SourceId::object("b", "k", "e"), 5);
        loaded.state.lake.positions = loaded.state.lake.positions.with(&*store, &prefix, &[source], 5).await.unwrap();
        let late = head.commit(loaded).await.unwrap().unwrap();
        for number in 0..FEW {
            let key = format!("{prefix}1970-01-01/{number}");
            store.put(&key, Bytes::new(), &Precondition::None).await.unwrap();
        }
        collect(&store, "a").await.unwrap();
        assert_eq!(store.list(&prefix, None).await.unwrap().len(), 1);
        // Built on what was before: it cannot name what is gone.
        assert!(head.commit(late).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn pages_and_tables_that_no_head_names_go() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(FileStore::open(folder.path()).unwrap());
        let head = places::head(&store, "a");
        let mut loaded = head.load().await.unwrap();
        let page = stream_sql::PageId("0-0-0-5".to_owned());
        loaded.state.pages.insert(page.clone(), 3);
        loaded.state.tables.insert("T".to_owned(), places::table("a", "5f", 0));
        let late = head.commit(loaded).await.unwrap().unwrap();
        let named = [places::page("a", &page, 3), places::table("a", "5f", 0)];
        let unnamed = [places::page("a", &page, 2), places::table("a", "5f", 1)];
        for key in named.iter().chain(&unnamed) {
            store.put(key, Bytes::new(), &Precondition::None).await.unwrap();
        }
        collect(&store, "a").await.unwrap();
        assert_eq!(list(&*store, "a").await.unwrap().others, named);
        // Built on what was before: it cannot name what is gone.
        assert!(head.commit(late).await.unwrap().is_none());
        // Nothing to collect: the head stays as it is.
        let before = head.load().await.unwrap().sequence;
        collect(&store, "a").await.unwrap();
        assert_eq!(head.load().await.unwrap().sequence, before);
    }
}
