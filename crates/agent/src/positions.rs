//! How far each file of a flow is safe: the lowest offset that is not acknowledged.
//!
//! The tailer says what it has consumed and which batch took a record; the sender says what was acknowledged. Everything
//! below a file's low-water mark is stored at the destination or was meant to be dropped; a restart goes on there.

use std::collections::{HashMap, VecDeque};

use crate::checkpoint::Entry;

/// A file being followed; a number of this process only. A truncated file goes on under a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileKey(u64);

/// A batch's number within its flow.
pub type BatchId = u64;

/// Files remembered after they have gone out of the pattern's sight (they may come back, or be found as a copy).
const MAX_ABSENT: usize = 1_000;

/// All files of a flow.
#[derive(Debug, Default)]
pub struct Positions {
    files: HashMap<FileKey, Position>,
    next: u64,
    /// Files of the checkpoint that are not there now.
    absent: Vec<Entry>,
    changed: bool,
}

#[derive(Debug)]
struct Position {
    /// Who the file is; its offset is the one at the last snapshot.
    entry: Entry,
    /// Batches that hold records of the file, in reading order, each with its lowest unacknowledged offset.
    open: VecDeque<(BatchId, u64)>,
    /// Everything below was put into a batch or dropped.
    consumed: u64,
    /// From here on, a record that was too long is being passed over.
    discarding_from: Option<u64>,
}

impl Position {
    fn low_water(&self) -> u64 {
        self.open.front().map_or(self.consumed, |(_, lowest)| *lowest)
    }

    fn snapshot(&self) -> Entry {
        let offset = self.low_water();
        let discarding = self.discarding_from.is_some_and(|from| offset >= from);
        Entry { offset, discarding, ..self.entry.clone() }
    }
}

impl Positions {
    /// A file that is followed from its entry's offset on.
    pub fn follow(&mut self, entry: Entry) -> FileKey {
        let key = FileKey(self.next);
        self.next += 1;
        self.changed = true;
        let consumed = entry.offset;
        let discarding_from = entry.discarding.then_some(consumed);
        self.files.insert(key, Position { entry, open: VecDeque::new(), consumed, discarding_from });
        key
    }

    /// Ends a file: what is still open of it counts no more.
    pub fn forget(&mut self, key: FileKey) -> Option<Entry> {
        self.changed = true;
        self.files.remove(&key).map(|position| position.snapshot())
    }

    /// Changes who a file is: its path, a longer fingerprint.
    pub fn identify(&mut self, key: FileKey, change: impl FnOnce(&mut Entry)) {
        if let Some(position) = self.files.get_mut(&key) {
            change(&mut position.entry);
            self.changed = true;
        }
    }

    /// A record that starts at `from` is in a batch. Before the `consumed` that passes it.
    pub fn opened(&mut self, key: FileKey, batch: BatchId, from: u64) {
        let Some(position) = self.files.get_mut(&key) else { return };
        if position.open.back().is_none_or(|(last, _)| *last != batch) {
            position.open.push_back((batch, from));
        }
    }

    /// Everything below `offset` is in a batch or dropped.
    pub fn consumed(&mut self, key: FileKey, offset: u64, discarding_from: Option<u64>) {
        let Some(position) = self.files.get_mut(&key) else { return };
        self.changed |= position.consumed != offset;
        position.consumed = offset;
        position.discarding_from = discarding_from;
    }

    /// Of a batch's records of this file, `lowest` is the first still unacknowledged; `None`: all are stored.
    pub fn acknowledged(&mut self, key: FileKey, batch: BatchId, lowest: Option<u64>) {
        let Some(position) = self.files.get_mut(&key) else { return };
        let Some(index) = position.open.iter().position(|(id, _)| *id == batch) else { return };
        self.changed = true;
        match lowest {
            Some(offset) => position.open[index].1 = offset,
            None => {
                position.open.remove(index);
            }
        }
    }

    /// The offset below which everything is safe.
    #[cfg(test)]
    pub fn low_water(&self, key: FileKey) -> Option<u64> {
        self.files.get(&key).map(Position::low_water)
    }

    /// Whether nothing of the file is on its way.
    pub fn is_clear(&self, key: FileKey) -> bool {
        self.files.get(&key).is_none_or(|position| position.open.is_empty())
    }

    /// Keeps a file that is not there.
    pub fn remember(&mut self, entry: Entry) {
        self.changed = true;
        if self.absent.len() >= MAX_ABSENT {
            self.absent.remove(0);
        }
        self.absent.push(entry);
    }

    /// Takes the absent file that fits.
    pub fn recall(&mut self, fits: impl FnMut(&Entry) -> bool) -> Option<Entry> {
        let index = self.absent.iter().position(fits)?;
        self.changed = true;
        Some(self.absent.remove(index))
    }

    /// Makes the next `take_changes` answer.
    #[cfg(test)]
    pub fn mark_changed(&mut self) {
        self.changed = true;
    }

    /// What a checkpoint says, if it changed since the last time. `now` is the time of seeing the followed files.
    pub fn take_changes(&mut self, now: i64) -> Option<Vec<Entry>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut live: Vec<_> = self.files.iter().collect();
        live.sort_by_key(|(key, _)| **key);
        let live = live.into_iter().map(|(_, position)| Entry { seen: now, ..position.snapshot() });
        Some(live.chain(self.absent.iter().cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(steps: impl FnOnce(&mut Positions, FileKey), expected: u64) {
        let mut positions = Positions::default();
        let key = positions.follow(Entry::default());
        steps(&mut positions, key);
        assert_eq!(positions.low_water(key), Some(expected));
    }

    #[test]
    fn lowest_unacknowledged() {
        check(|_, _| {}, 0);
        check(|p, key| p.consumed(key, 30, None), 30);
        check(
            |p, key| {
                p.opened(key, 1, 10);
                p.consumed(key, 30, None);
            },
            10,
        );
        // A later batch does not lift it over an earlier one.
        check(
            |p, key| {
                p.opened(key, 1, 0);
                p.opened(key, 2, 20);
                p.consumed(key, 50, None);
                p.acknowledged(key, 2, None);
            },
            0,
        );
        check(
            |p, key| {
                p.opened(key, 1, 0);
                p.opened(key, 2, 20);
                p.consumed(key, 50, None);
                p.acknowledged(key, 2, None);
                p.acknowledged(key, 1, Some(7));
            },
            7,
        );
        check(
            |p, key| {
                p.opened(key, 1, 0);
                p.consumed(key, 50, None);
                p.acknowledged(key, 1, None);
            },
            50,
        );
    }

    #[test]
    fn a_checkpoint_inside_a_discarded_record_says_so() {
        let mut positions = Positions::default();
        let key = positions.follow(Entry::default());
        positions.opened(key, 1, 0);
        positions.consumed(key, 150, Some(100));
        assert!(!positions.take_changes(5).unwrap()[0].discarding);
        positions.acknowledged(key, 1, None);
        let entry = positions.take_changes(6).unwrap().remove(0);
        assert_eq!((entry.offset, entry.discarding, entry.seen), (150, true, 6));
        assert_eq!(positions.take_changes(7), None);
    }

    #[test]
    fn absent_files_are_bounded_and_come_back() {
        let mut positions = Positions::default();
        for inode in 0..MAX_ABSENT as u64 + 1 {
            positions.remember(Entry { inode, ..Entry::default() });
        }
        assert!(positions.recall(|entry| entry.inode == 0).is_none());
        assert!(positions.recall(|entry| entry.inode == 1).is_some());
        assert!(positions.recall(|entry| entry.inode == 1).is_none());
    }

    proptest! {
        /// Random batches over two files, acknowledged record by record in any order, against a plain list of records.
        #[test]
        fn agrees_with_a_list_of_records(
            records in proptest::collection::vec((0..2usize, 1..50u64, any::<bool>(), any::<bool>()), 1..60),
            order in proptest::collection::vec(any::<prop::sample::Index>(), 0..120),
        ) {
            let mut positions = Positions::default();
            let keys = [positions.follow(Entry::default()), positions.follow(Entry::default())];
            // (file, from, batch, stored); a skipped record is stored from the start.
            let mut model: Vec<(usize, u64, u64, bool)> = Vec::new();
            let mut ends = [0u64; 2];
            let mut batch = 0;
            for (file, length, skipped, next_batch) in records {
                batch += u64::from(next_batch);
                if !skipped {
                    positions.opened(keys[file], batch, ends[file]);
                }
                model.push((file, ends[file], batch, skipped));
                ends[file] += length;
                positions.consumed(keys[file], ends[file], None);
            }
            for index in order {
                let index = index.index(model.len());
                let (file, _, batch, _) = model[index];
                model[index].3 = true;
                let left = model.iter().filter(|r| r.0 == file && r.2 == batch && !r.3).map(|r| r.1).min();
                positions.acknowledged(keys[file], batch, left);
                for file in 0..2 {
                    let expected = model.iter().filter(|r| r.0 == file && !r.3).map(|r| r.1).min().unwrap_or(ends[file]);
                    prop_assert_eq!(positions.low_water(keys[file]), Some(expected));
                }
            }
        }
    }
}
