//! What the head of an index holds, and how it becomes the state that a reader sees.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::Positions;
use serde::{Deserialize, Serialize};

use crate::mapping::Mapping;

use super::{Names, Settings, Snapshot, Split, State};

/// Bytes of changes that a head carries; the next commit writes a snapshot and begins anew. Read by every cold search and written
/// by every commit: about as much as S3 transfers in the time to the first byte of a GET.
pub const MAX_CHANGES: usize = 128 * 1024;

/// The head of an index.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct HeadState {
    /// The number of the last commit that changed what a reader sees.
    pub commit: u64,
    /// This life of the index; `None`: there is none (the head remains, for [`HeadState::graves`]).
    pub incarnation: Option<String>,
    /// Lives that have ended and whose objects may still lie there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub graves: Vec<Grave>,
    /// When it was created (epoch ms).
    pub created: i64,
    /// Settings.
    pub settings: Settings,
    /// Fields.
    pub mapping: Arc<Mapping>,
    /// Source positions of the last days.
    pub positions: Positions,
    /// How often garbage was looked for: see `janitor::garbage`. Never goes back, not even with a new life.
    pub generation: u64,
    /// The generation of the last change.
    pub changed: u64,
    /// When the generation began, and what was there; `None` in the first one.
    pub turn: Option<Turn>,
    /// The object with the splits as they were before `changes`; `None`: there were none.
    pub snapshot: Option<String>,
    /// Since the snapshot, oldest first.
    pub changes: Vec<Change>,
}

/// A life that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grave {
    /// Its name.
    pub incarnation: String,
    /// When (epoch ms).
    pub at: i64,
    /// Its objects were deleted once.
    #[serde(default)]
    pub swept: bool,
}

/// The beginning of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When (epoch ms, the janitor's).
    pub at: i64,
    /// A snapshot of what was there: a reader may have loaded it just then.
    pub snapshot: String,
}

/// What a commit changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// New splits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<Arc<Split>>,
    /// Keys of splits that are there no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Splits of which more documents are deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deletes: Vec<NewDeletes>,
}

/// A split has another deletion bitset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDeletes {
    /// Key of the split.
    pub split: String,
    /// Key of the bitset.
    pub object: String,
    /// Documents that it names.
    pub deleted: u32,
}

impl Change {
    /// Nothing.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.deletes.is_empty()
    }
}

impl HeadState {
    /// Begins a new life, if there is none.
    pub fn begin(&mut self, incarnation: &str, settings: Settings, mapping: Arc<Mapping>, now: i64) {
        let (graves, generation) = (std::mem::take(&mut self.graves), self.generation);
        let incarnation = Some(incarnation.to_owned());
        *self = HeadState {
            incarnation,
            graves,
            created: now,
            settings,
            mapping,
            generation,
            changed: generation,
            ..Default::default()
        };
    }

    /// Ends this life.
    pub fn end(&mut self, now: i64) {
        let (mut graves, generation) = (std::mem::take(&mut self.graves), self.generation);
        graves.extend(self.incarnation.take().map(|incarnation| Grave { incarnation, at: now, swept: false }));
        *self = HeadState { graves, generation, changed: generation, ..Default::default() };
    }

    /// Adds a commit.
    pub fn push(&mut self, change: Change) {
        self.commit += 1;
        self.changed = self.generation;
        if !change.is_empty() {
            self.changes.push(change);
        }
    }

    /// Whether the changes have become so many that a snapshot is due.
    pub fn is_full(&self) -> bool {
        serde_json::to_vec(&self.changes).is_ok_and(|bytes| bytes.len() > MAX_CHANGES)
    }

    /// Names for what is to be committed onto this head; none if there is no index.
    pub fn names(&self) -> Option<Names> {
        let incarnation = self.incarnation.clone()?;
        Some(Names { incarnation, generation: self.generation })
    }

    /// What a reader sees: the snapshot and the changes since.
    pub fn state(&self, snapshot: Option<&Snapshot>) -> State {
        State {
            commit: self.commit,
            incarnation: self.incarnation.clone(),
            created: self.created,
            settings: self.settings.clone(),
            mapping: self.mapping.clone(),
            splits: apply(snapshot.map_or(&[][..], |snapshot| &snapshot.splits), &self.changes),
            positions: self.positions.clone(),
        }
    }
}

fn apply(before: &[Arc<Split>], changes: &[Change]) -> Vec<Arc<Split>> {
    if changes.is_empty() {
        return before.to_vec();
    }
    let mut there: HashMap<&str, Arc<Split>> = before.iter().map(|split| (split.key.as_str(), split.clone())).collect();
    for change in changes {
        for key in &change.removed {
            there.remove(key.as_str());
        }
        there.extend(change.added.iter().map(|split| (split.key.as_str(), split.clone())));
        for NewDeletes { split, object, deleted } in &change.deletes {
            if let Some(split) = there.get_mut(split.as_str()) {
                let split = Arc::make_mut(split);
                (split.deletes, split.deleted) = (Some(object.clone()), *deleted);
            }
        }
    }
    let mut splits: Vec<Arc<Split>> = there.into_values().collect();
    splits.sort_unstable_by_key(|split| split.seq.0);
    splits
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::split::SplitMeta;

    /// A split of this name that begins at this `_seq_no`.
    pub(crate) fn split(key: &str, first: u64) -> Arc<Split> {
        let meta = SplitMeta {
            documents: 10,
            size: 1,
            source_bytes: 1,
            hot: 0..0,
            ids: 0..0,
            rows: 0..0,
            times: Default::default(),
            tags: Default::default(),
        };
        let key = key.to_owned();
        Arc::new(Split { key, seq_base: 0, seq: (first, first + 9), deletes: None, deleted: 0, meta })
    }

    fn show(state: &State) -> String {
        let show = |split: &Arc<Split>| match &split.deletes {
            Some(deletes) => format!("{}-{deletes}{}", split.key, split.deleted),
            None => split.key.clone(),
        };
        state.splits.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn changes_apply_in_order() {
        let mut head = HeadState::default();
        head.begin("i", Settings::default(), Arc::default(), 5);
        let add = |key, first| Change { added: vec![split(key, first)], ..Change::default() };
        let deletes = |split: &str, object: &str, deleted| Change {
            deletes: vec![NewDeletes { split: split.to_owned(), object: object.to_owned(), deleted }],
            ..Change::default()
        };
        let join = Change {
            added: vec![split("ab", 10)],
            removed: vec!["a".to_owned(), "b".to_owned()],
            deletes: vec![NewDeletes { split: "ab".to_owned(), object: "z".to_owned(), deleted: 4 }],
        };
        let steps = [
            (add("a", 10), "a"),
            (add("b", 20), "a b"),
            (deletes("a", "x", 1), "a-x1 b"),
            (add("c", 30), "a-x1 b c"),
            (deletes("a", "y", 2), "a-y2 b c"),
            (join, "ab-z4 c"),
            (Change { removed: vec!["c".to_owned()], ..Change::default() }, "ab-z4"),
        ];
        let mut snapshots = vec![Snapshot { commit: 0, splits: vec![] }];
        for (at, (change, expected)) in steps.into_iter().enumerate() {
            head.push(change);
            let state = head.state(None);
            assert_eq!((state.commit, show(&state).as_str()), (at as u64 + 1, expected));
            snapshots.push(Snapshot { commit: state.commit, splits: state.splits });
        }
        // Every snapshot with what came after it gives the same state.
        let last = head.state(None);
        for snapshot in &snapshots {
            let rest = HeadState { changes: head.changes[snapshot.commit as usize..].to_vec(), ..head.clone() };
            assert_eq!(rest.state(Some(snapshot)), last);
        }
        head.end(9);
        let grave = Grave { incarnation: "i".to_owned(), at: 9, swept: false };
        assert_eq!((head.incarnation.as_ref(), head.graves.as_slice()), (None, &[grave][..]));
        assert!(head.state(None).splits.is_empty());
    }
}
