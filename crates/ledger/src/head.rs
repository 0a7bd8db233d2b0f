//! State that is replaced by compare-and-swap.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::commit::{self, CommitId, Outcome};
use crate::outbox::Outbox;
use crate::store::{ETag, ObjectStore, Precondition, StoreError};

/// Commit ids that a head remembers. A writer whose answer was lost, and whose commit others have built on meanwhile, finds
/// itself among them as long as fewer than this many have: what the writers of a busy head get done (some twenty commits a
/// second) while he tries again for six seconds. 4.5 kB of the head.
const RECENT: usize = 128;

/// How often [`Head::update`], and whoever loops over [`Head::commit`], starts over when others win: with jitter, enough for the two dozen writers that a queue's
/// concurrency lets in.
pub const MAX_RACES: u32 = 64;

/// Why a head could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is there is no head of this kind.
    #[error("{key}: not a head of this kind: {source}")]
    Format {
        /// The key.
        key: String,
        /// What was expected, and where.
        source: serde_json::Error,
    },
    /// Others won each time.
    #[error("{key}: lost {MAX_RACES} races for the head")]
    Contended {
        /// The key.
        key: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Wire<T> {
    /// Commits so far.
    sequence: u64,
    /// The last commits, this one at the end.
    recent: VecDeque<CommitId>,
    outbox: Outbox,
    state: T,
}

/// A head as it was read, to be built on.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// The state.
    pub state: T,
    /// Effects that are decided on and not yet known to have happened.
    pub outbox: Outbox,
    /// Commits so far.
    pub sequence: u64,
    recent: VecDeque<CommitId>,
    etag: Option<ETag>,
}

impl<T> Loaded<T> {
    /// Its version as a listing has it; none before the first commit.
    pub fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }
}

/// State under one key, replaced by compare-and-swap.
pub struct Head<T> {
    store: Arc<dyn ObjectStore>,
    key: String,
    state: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned + Default> Head<T> {
    /// Under this key.
    pub fn new(store: Arc<dyn ObjectStore>, key: &str) -> Head<T> {
        Head { store, key: key.to_owned(), state: PhantomData }
    }

    /// The state as it is; the default before the first commit.
    pub async fn load(&self) -> Result<Loaded<T>, HeadError> {
        match commit::read(&*self.store, &self.key).await {
            Ok(there) => self.parse(&there.payload, there.etag),
            Err(StoreError::NotFound { .. }) => Ok(Self::absent()),
            Err(error) => Err(error.into()),
        }
    }

    /// The state as it is, unless it still is what was loaded: then nothing is transferred.
    pub async fn load_if_changed(&self, known: &Loaded<T>) -> Result<Option<Loaded<T>>, HeadError> {
        let Some(etag) = &known.etag else {
            let there = self.load().await?;
            return Ok(there.etag.is_some().then_some(there));
        };
        match commit::read_if_changed(&*self.store, &self.key, etag).await {
            Ok(there) => there.map(|there| self.parse(&there.payload, there.etag)).transpose(),
            Err(StoreError::NotFound { .. }) => Ok(Some(Self::absent())),
            Err(error) => Err(error.into()),
        }
    }

    fn absent() -> Loaded<T> {
        let (state, outbox, recent) = (T::default(), Outbox::default(), VecDeque::new());
        Loaded { state, outbox, sequence: 0, recent, etag: None }
    }

    fn parse(&self, payload: &[u8], etag: ETag) -> Result<Loaded<T>, HeadError> {
        let wire: Wire<T> =
            serde_json::from_slice(payload).map_err(|source| HeadError::Format { key: self.key.clone(), source })?;
        let Wire { sequence, recent, outbox, state } = wire;
        Ok(Loaded { state, outbox, sequence, recent, etag: Some(etag) })
    }

    /// Commits what was built on a loaded head. `None`: another commit came first; load, recompute, and try again.
    pub async fn commit(&self, built: Loaded<T>) -> Result<Option<Loaded<T>>, HeadError> {
        let id = CommitId::random();
        let mut recent = built.recent;
        recent.push_back(id.clone());
        while recent.len() > RECENT {
            recent.pop_front();
        }
        let wire = Wire { sequence: built.sequence + 1, recent, outbox: built.outbox, state: built.state };
        let payload =
            serde_json::to_vec(&wire).map_err(|source| HeadError::Format { key: self.key.clone(), source })?;
        let precondition = built.etag.map_or(Precondition::Absent, Precondition::Matches);
        match commit::put(&*self.store, &self.key, &id, &payload, &precondition).await? {
            Outcome::Written(etag) => {
                let Wire { sequence, recent, outbox, state } = wire;
                Ok(Some(Loaded { state, outbox, sequence, recent, etag: Some(etag) }))
            }
            // Another commit is there, and perhaps it was built on this one, whose answer was lost.
            Outcome::Lost(there) => {
                let there = self.parse(&there.payload, there.etag)?;
                Ok(there.recent.contains(&id).then_some(there))
            }
            Outcome::Gone => Ok(None),
        }
    }

    /// Applies `change` to the state as it is, over again whenever another commit comes first.
    pub async fn update<R>(&self, mut change: impl FnMut(&mut T, &mut Outbox) -> R) -> Result<R, HeadError> {
        for race in 1..=MAX_RACES {
            let mut loaded = self.load().await?;
            let result = change(&mut loaded.state, &mut loaded.outbox);
            if self.commit(loaded).await?.is_some() {
                return Ok(result);
            }
            commit::jitter(race.min(4)).await;
        }
        Err(HeadError::Contended { key: self.key.clone() })
    }
}
