//! Effects that a commit decided on: sent after it, as often as it takes, with the same id each time.

use serde::{Deserialize, Serialize};

/// Effects that a head holds at most: they are read and written with it, and a receiver that stays away must show.
pub const MAX_EFFECTS: usize = 10_000;

/// One effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Unique under its head, the same in every repetition, increasing.
    pub id: u64,
    /// Whom it is for, in the words of the state's owner.
    pub target: String,
    /// What to send.
    pub payload: String,
}

/// The effects of a head that are not known to have happened.
///
/// Whoever finds some sends them in order, then removes what was taken by an update of the head. Killed in between, it sends them
/// again: at least once, and a receiver that remembers ids sees each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    next: u64,
    waiting: Vec<Effect>,
}

/// The outbox is full: its receiver has been away for too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_EFFECTS} effects wait to be sent: their receiver does not take them")]
pub struct Full;

impl Outbox {
    /// Adds an effect, to be sent once this commit is made; gives its id.
    pub fn push(&mut self, target: &str, payload: String) -> Result<u64, Full> {
        if self.waiting.len() >= MAX_EFFECTS {
            return Err(Full);
        }
        let id = self.next;
        self.next += 1;
        self.waiting.push(Effect { id, target: target.to_owned(), payload });
        Ok(id)
    }

    /// What waits, oldest first.
    pub fn waiting(&self) -> &[Effect] {
        &self.waiting
    }

    /// Part of an effect has happened: this is left of it.
    pub fn leave(&mut self, id: u64, rest: &str) {
        if let Some(effect) = self.waiting.iter_mut().find(|effect| effect.id == id) {
            rest.clone_into(&mut effect.payload);
        }
    }

    /// Forgets effects that have happened.
    pub fn done(&mut self, ids: &[u64]) {
        self.waiting.retain(|effect| !ids.contains(&effect.id));
    }
}
