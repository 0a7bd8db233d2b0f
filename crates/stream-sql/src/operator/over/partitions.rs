//! The partitions of a window.

use std::collections::VecDeque;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::running::Running;
use crate::operator::tumble::{BorrowedKey, GroupKey, KeyHasher};
use crate::value::{Datum, Value};

/// Those that have rows in the window. A partition has a number while it is there, by which the rows of a queue call it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Partitions {
    #[serde(rename = "p", with = "indexmap::map::serde_seq")]
    partitions: IndexMap<GroupKey, Partition, KeyHasher>,
    /// Where in the map the partition of each number is.
    #[serde(rename = "a")]
    places: Vec<usize>,
    /// Numbers without a partition.
    #[serde(rename = "f")]
    free: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Partition {
    #[serde(rename = "n")]
    pub(super) number: u32,
    /// How many rows have come.
    #[serde(rename = "e")]
    pub(super) entered: u64,
    /// How many have left.
    #[serde(rename = "l")]
    pub(super) left: u64,
    /// Rows of a ROWS window: ROWTIME, and what must be known of the arguments when they leave.
    #[serde(rename = "r")]
    pub(super) rows: VecDeque<(i64, Vec<Value>)>,
    /// One for each call.
    #[serde(rename = "c")]
    pub(super) running: Vec<Running>,
}

impl Partitions {
    /// The partition of a key, which is there afterwards.
    pub(super) fn entry(&mut self, key: &[Datum<'_>], start: impl FnOnce() -> Vec<Running>) -> &mut Partition {
        let place = match self.partitions.get_index_of(&BorrowedKey(key)) {
            Some(place) => place,
            None => {
                let place = self.partitions.len();
                let number = self.free.pop().unwrap_or_else(|| {
                    self.places.push(place);
                    (self.places.len() - 1) as u32
                });
                self.places[number as usize] = place;
                let rows = VecDeque::new();
                let partition = Partition { number, entered: 0, left: 0, rows, running: start() };
                self.partitions.insert_full(GroupKey(key.iter().cloned().map(Value::from).collect()), partition).0
            }
        };
        &mut self.partitions[place]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Partition> {
        let place = self.places.get(number as usize)?;
        self.partitions.get_index_mut(*place).map(|(_, partition)| partition).filter(|found| found.number == number)
    }

    /// A partition has no rows any more.
    pub(super) fn remove(&mut self, number: u32) {
        let Some(place) = self.places.get(number as usize).copied() else { return };
        self.partitions.swap_remove_index(place);
        if let Some((_, moved)) = self.partitions.get_index(place) {
            self.places[moved.number as usize] = place;
        }
        self.free.push(number);
        if self.partitions.is_empty() {
            self.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Partitions::default();
    }
}
