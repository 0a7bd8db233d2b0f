//! Commits that this process has read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{Head, Loaded, ObjectStore};

use crate::Error;

use super::{HEADS, HeadState, Snapshot, State};

/// Indexes whose last commit is kept.
const MAX_VIEWS: usize = 4_096;

/// Snapshots are deleted an hour and more after a head has named them last: who finds none has been asleep, and looks again.
const MAX_READS: u32 = 4;

/// One commit of an index as it was read.
#[derive(Clone)]
pub struct View {
    /// The head.
    pub head: Arc<Loaded<HeadState>>,
    /// What it means.
    pub state: Arc<State>,
    snapshot: Option<Arc<Snapshot>>,
}

/// The last commits read, by the names of the indexes.
#[derive(Default)]
pub struct Views {
    kept: Mutex<HashMap<String, View>>,
}

impl Views {
    /// The commit that is kept, which may not be the last.
    pub fn get(&self, index: &str) -> Option<View> {
        self.lock().get(index).cloned()
    }

    /// The last commit.
    pub async fn load(&self, store: &Arc<dyn ObjectStore>, index: &str) -> Result<View, Error> {
        let head = head(store, index);
        let mut reads = 0;
        loop {
            reads += 1;
            let known = self.get(index);
            let loaded = match &known {
                Some(known) => match head.load_if_changed(&known.head).await? {
                    Some(loaded) => loaded,
                    None => return Ok(known.clone()),
                },
                None => head.load().await?,
            };
            let kept = known.as_ref().and_then(|known| Some((known.head.state.snapshot.as_ref()?, &known.snapshot)));
            let snapshot = match &loaded.state.snapshot {
                None => None,
                Some(key) => match kept {
                    Some((known, snapshot)) if known == key => snapshot.clone(),
                    _ => match Snapshot::read(&**store, key).await? {
                        Some(snapshot) => Some(snapshot),
                        None if reads < MAX_READS => continue,
                        None => {
                            return Err(Error::Corrupt {
                                key: key.clone(),
                                reason: "the snapshot is missing".to_owned(),
                            });
                        }
                    },
                },
            };
            return Ok(self.keep(index, loaded, snapshot));
        }
    }

    /// Commits what was built on a view; `None` if another commit came first.
    pub async fn commit(
        &self,
        store: &Arc<dyn ObjectStore>,
        index: &str,
        built: Loaded<HeadState>,
        snapshot: Option<Arc<Snapshot>>,
    ) -> Result<Option<View>, Error> {
        let named = built.state.snapshot.clone();
        let Some(there) = head(store, index).commit(built).await? else { return Ok(None) };
        if there.state.snapshot != named {
            return self.load(store, index).await.map(Some); // others have built on it already
        }
        Ok(Some(self.keep(index, there, snapshot)))
    }

    fn keep(&self, index: &str, head: Loaded<HeadState>, snapshot: Option<Arc<Snapshot>>) -> View {
        let state = Arc::new(head.state.state(snapshot.as_deref()));
        let view = View { head: Arc::new(head), state, snapshot };
        let mut kept = self.lock();
        if kept.len() >= MAX_VIEWS {
            kept.clear();
        }
        // One who was slower may put an older commit in its place: the next load finds that it has changed.
        kept.insert(index.to_owned(), view.clone());
        view
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, View>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl View {
    /// The head as it is, to be committed with another field, and the snapshot that goes with it.
    pub fn same(&self) -> (Loaded<HeadState>, Option<Arc<Snapshot>>) {
        ((*self.head).clone(), self.snapshot.clone())
    }

    /// The head to be built on, and the snapshot that goes with it: a new one if the changes have become too many.
    pub async fn next(&self, store: &dyn ObjectStore) -> Result<(Loaded<HeadState>, Option<Arc<Snapshot>>), Error> {
        match self.head.state.names() {
            Some(names) if self.head.state.is_full() => self.snapshotted(store, &names).await,
            _ => Ok(self.same()),
        }
    }

    /// The head with a new snapshot and no changes.
    pub async fn snapshotted(
        &self,
        store: &dyn ObjectStore,
        names: &super::Names,
    ) -> Result<(Loaded<HeadState>, Option<Arc<Snapshot>>), Error> {
        let (key, snapshot) = Snapshot::write(store, names, &self.state).await?;
        let mut head = (*self.head).clone();
        head.state.snapshot = Some(key);
        head.state.changes.clear();
        Ok((head, Some(snapshot)))
    }
}

fn head(store: &Arc<dyn ObjectStore>, index: &str) -> Head<HeadState> {
    Head::new(store.clone(), &format!("{HEADS}{index}"))
}
