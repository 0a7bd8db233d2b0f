//! Pages: what long windows hold, apart from the state.
//!
//! A sliding window over an hour of a busy stream holds millions of rows, of which an event needs but the oldest and the newest. So
//! full pages of a window may be stored apart from the state, once, and the state names them. Who does not take pages has them in
//! the state, and needs nothing of this.
//!
//! ```text
//! run … run ─ take_pages ─▶ store each ─▶ store the state
//! load the state ─ wanted(until) ─▶ load each, give ─▶ run … run ─ missing? ─▶ give it, and run again from the stored state
//! ```

use serde::{Deserialize, Serialize};

use crate::application::State;

/// A page's name: of its content and its place, so that it is written once and never changed. Letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageId(pub String);

impl State {
    /// Takes the pages that were filled since the last call out of the state: they must be stored before it is.
    pub fn take_pages(&mut self) -> Vec<(PageId, Vec<u8>)> {
        Vec::new()
    }

    /// Pages that are not there, and that events up to this time are likely to need (epoch ms).
    pub fn wanted(&self, _until: i64) -> Vec<PageId> {
        Vec::new()
    }

    /// Puts a page back; or says what is wrong with its bytes.
    pub fn give(&mut self, id: &PageId, _bytes: &[u8]) -> Result<(), String> {
        Err(format!("page {}: not of this state", id.0))
    }

    /// A page that an event needed and that was not there. What came out since is wrong: give it to the state as it was stored, and
    /// run the events again.
    pub fn missing(&self) -> Option<&PageId> {
        None
    }

    /// All pages that the state names: others are garbage.
    pub fn pages(&self) -> Vec<PageId> {
        Vec::new()
    }
}
