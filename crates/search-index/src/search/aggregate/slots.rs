//! Numbers for buckets: each pair of a bucket outside and a value gets the next one.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Values below this are looked up in a table instead of by hash.
const DENSE: u64 = 1 << 16;

/// Entries of all tables together at most.
const DENSE_ENTRIES: usize = 4 << 20;

/// Buckets of one aggregation in one split at most, before the final answer's limit.
pub(super) const MAX_SLOTS: usize = 4 << 20;

/// Buckets by what they are inside of and their value.
#[derive(Default)]
pub(super) struct Slots {
    /// For each bucket outside: value → slot + 1.
    tables: Vec<Vec<u32>>,
    entries: usize,
    sparse: HashMap<(u32, u64), u32, BuildHasherDefault<Mix>>,
    /// Of each slot: the bucket outside, and the value.
    pub pairs: Vec<(u32, u64)>,
}

impl Slots {
    /// The slot of a value in a bucket outside.
    pub fn get(&mut self, outside: u32, value: u64) -> u32 {
        if value < DENSE {
            if let Some(table) = self.tables.get_mut(outside as usize)
                && let Some(slot) = table.get_mut(value as usize)
            {
                if *slot == 0 {
                    self.pairs.push((outside, value));
                    *slot = self.pairs.len() as u32;
                }
                return *slot - 1;
            }
            if self.grow(outside as usize, value as usize) {
                return self.get(outside, value);
            }
        }
        *self.sparse.entry((outside, value)).or_insert_with(|| {
            self.pairs.push((outside, value));
            self.pairs.len() as u32 - 1
        })
    }

    /// Makes the table reach a value, unless tables are large enough already.
    fn grow(&mut self, outside: usize, value: usize) -> bool {
        let len = (value + 1).next_power_of_two();
        let held = self.tables.get(outside).map_or(0, Vec::len);
        // Once a value has gone to the map its table must not take it over: tables only grow while there is no map.
        if !self.sparse.is_empty() || self.entries + len - held > DENSE_ENTRIES || outside >= DENSE_ENTRIES {
            return false;
        }
        self.entries += len - held;
        if self.tables.len() <= outside {
            self.tables.resize_with(outside + 1, Vec::new);
        }
        self.tables[outside].resize(len, 0);
        true
    }

    pub fn len(&self) -> usize {
        self.pairs.len()
    }
}

/// A hash for small whole numbers.
#[derive(Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio's bits, as in Fibonacci hashing.
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_has_one_slot() {
        let mut slots = Slots::default();
        let mut known = HashMap::new();
        for n in 0..200_000_u64 {
            let pair = ((n % 97) as u32, (n * n) % if n % 3 == 0 { 70_000 } else { 1_000 });
            let slot = slots.get(pair.0, pair.1);
            assert_eq!(*known.entry(pair).or_insert(slot), slot);
            assert_eq!(slots.pairs[slot as usize], pair);
        }
        assert_eq!(slots.len(), known.len());
    }
}
