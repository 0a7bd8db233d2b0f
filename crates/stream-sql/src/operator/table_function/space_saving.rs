//! Counts of the most frequent values in bounded memory: Space-Saving (Metwally, Agrawal and El Abbadi, "Efficient computation of
//! frequent and top-k elements in data streams", 2005).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::derived::Derived;
use crate::operator::tumble::{BorrowedKey, GroupKey, KeyHasher};
use crate::value::{Datum, Value};

/// Exact while there are no more values than counters. From then on a new value takes the place, and the count, of the least
/// frequent one: a count is too high by at most the number of rows divided by that of counters, and never too low.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SpaceSaving {
    #[serde(rename = "i", with = "indexmap::map::serde_seq")]
    counters: IndexMap<GroupKey, Counter, KeyHasher>,
    /// How often a value came that had no counter.
    #[serde(rename = "n")]
    arrivals: u64,
    /// Counts and places of the counters, once all are taken.
    #[serde(skip)]
    least: Derived<Option<BTreeSet<(u64, usize)>>>,
}

/// A count, and which arrival its value was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Counter(u64, u64);

impl SpaceSaving {
    pub(super) fn add(&mut self, value: &Datum<'_>, capacity: usize) {
        if let Some(place) = self.counters.get_index_of(&BorrowedKey(std::slice::from_ref(value))) {
            let count = &mut self.counters[place].0;
            if let Some(least) = &mut self.least.0 {
                least.remove(&(*count, place));
                least.insert((*count + 1, place));
            }
            *count += 1;
            return;
        }
        let key = GroupKey(vec![Value::from(value.clone())]);
        if self.counters.len() < capacity {
            self.counters.insert(key, Counter(1, self.arrivals));
        } else {
            self.replace(key);
        }
        self.arrivals += 1;
    }

    fn replace(&mut self, key: GroupKey) {
        let all = || self.counters.values().enumerate().map(|(place, counter)| (counter.0, place)).collect();
        let least = self.least.0.get_or_insert_with(all);
        let Some((count, place)) = least.pop_first() else { return };
        least.insert((count + 1, place));
        // Counters keep their places: the last one comes in for a moment.
        self.counters.swap_remove_index(place);
        let (last, _) = self.counters.insert_full(key, Counter(count + 1, self.arrivals));
        self.counters.swap_indices(place, last);
    }

    /// The most frequent values and their counts, those that came first before others of the same count.
    pub(super) fn top(self, k: usize) -> impl Iterator<Item = (Value, u64)> {
        let mut counters: Vec<(GroupKey, Counter)> = self.counters.into_iter().collect();
        counters.sort_by_key(|(_, Counter(count, arrival))| (Reverse(*count), *arrival));
        counters.into_iter().take(k).filter_map(|(key, counter)| Some((key.0.into_iter().next()?, counter.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::*;

    /// Values of which each is half as frequent as the one before, among others that come once.
    fn summary(rows: u64, capacity: usize, reload: bool) -> (SpaceSaving, Vec<u64>) {
        let (mut summary, mut random, mut counts) = (SpaceSaving::default(), Random::default(), vec![0; 8]);
        for row in 0..rows {
            let rank = random.next().trailing_zeros() as usize;
            let value = if rank < counts.len() { rank as i64 } else { 1_000 + row as i64 };
            counts.get_mut(rank).into_iter().for_each(|count| *count += 1);
            summary.add(&Datum::Integer(value), capacity);
            summary.add(&Datum::Integer(-1 - row as i64), capacity);
            if reload && row % 97 == 0 {
                summary = serde_json::from_str(&serde_json::to_string(&summary).unwrap()).unwrap();
            }
        }
        (summary, counts)
    }

    #[test]
    fn counts_are_at_most_the_bound_too_high() {
        let (rows, capacity) = (20_000, 500);
        let (summary, counts) = summary(rows, capacity, false);
        assert_eq!(summary.counters.len(), capacity);
        let top: Vec<(Value, u64)> = summary.top(5).collect();
        for (rank, (value, count)) in top.into_iter().enumerate() {
            assert_eq!(value, Value::Integer(rank as i64));
            assert!(count >= counts[rank] && count <= counts[rank] + 2 * rows / capacity as u64, "{rank}: {count}");
        }
    }

    #[test]
    fn a_stored_one_goes_on_as_it_was() {
        assert_eq!(summary(2_000, 100, true).0, summary(2_000, 100, false).0);
    }
}
