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
use crate::operator::{NodeState, Queue};

/// A page's name: node, window and number of the page, and a hash of its bytes; so it is written once and never changed, whoever
/// writes it. Letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageId(pub String);

impl State {
    /// Takes the pages that were filled since the last call out of the state: they must be stored before it is. Those that were
    /// stored before leave it too: give them again when they are wanted.
    pub fn take_pages(&mut self) -> Vec<(PageId, Vec<u8>)> {
        let mut taken = Vec::new();
        for (node, state) in self.nodes.iter_mut().enumerate() {
            for (window, queue) in state.queues_mut().enumerate() {
                queue.take(&format!("{node}-{window}"), &mut taken);
            }
        }
        taken
    }

    /// Pages that are not there, and that events up to this time are likely to need (epoch ms).
    pub fn wanted(&self, until: i64) -> Vec<PageId> {
        self.queues().flat_map(|queue| queue.wanted(until)).cloned().collect()
    }

    /// Puts a page back; or says what is wrong with its bytes.
    pub fn give(&mut self, id: &PageId, bytes: &[u8]) -> Result<(), String> {
        for queue in self.nodes.iter_mut().flat_map(NodeState::queues_mut) {
            if queue.give(id, bytes)? {
                return Ok(());
            }
        }
        Err(format!("page {}: not of this state", id.0))
    }

    /// A page that an event needed and that was not there. What came out since is wrong: give it to the state as it was stored, and
    /// run the events again.
    pub fn missing(&self) -> Option<&PageId> {
        self.queues().find_map(Queue::missing)
    }

    /// All pages that the state names: others are garbage.
    pub fn pages(&self) -> Vec<PageId> {
        self.queues().flat_map(Queue::named).cloned().collect()
    }

    fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.nodes.iter().flat_map(NodeState::queues)
    }
}
