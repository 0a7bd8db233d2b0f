//! Counting distinct values: exactly while there are few, then by HyperLogLog.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Distinct values that are counted exactly (Elasticsearch's largest `precision_threshold`).
const EXACT: usize = 40_000;

/// Registers of the estimate are 2¹⁴: a standard error of 0.8 %.
const BITS: u32 = 14;

/// Distinct values.
#[derive(Debug, Clone)]
pub(crate) enum Sketch {
    /// Hashes of 64 bits.
    Few(HashSet<u64>),
    /// The longest run of zeros, for each register.
    Many(Vec<u8>),
}

impl Default for Sketch {
    fn default() -> Sketch {
        Sketch::Few(HashSet::new())
    }
}

impl Sketch {
    pub fn add(&mut self, value: impl Hash) {
        // The same in all splits, because its keys are constants.
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        self.insert(hasher.finish());
    }

    fn insert(&mut self, hash: u64) {
        match self {
            Sketch::Few(hashes) => {
                hashes.insert(hash);
                if hashes.len() > EXACT {
                    self.condense();
                }
            }
            Sketch::Many(registers) => {
                let register = &mut registers[(hash >> (64 - BITS)) as usize];
                let zeros = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
                *register = zeros.max(*register);
            }
        }
    }

    fn condense(&mut self) {
        if let Sketch::Few(hashes) = self {
            let hashes = std::mem::take(hashes);
            *self = Sketch::Many(vec![0; 1 << BITS]);
            hashes.into_iter().for_each(|hash| self.insert(hash));
        }
    }

    pub fn merge(&mut self, other: Sketch) {
        match other {
            Sketch::Few(hashes) => hashes.into_iter().for_each(|hash| self.insert(hash)),
            Sketch::Many(theirs) => {
                self.condense();
                if let Sketch::Many(ours) = self {
                    ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours = theirs.max(*ours));
                }
            }
        }
    }

    pub fn count(&self) -> u64 {
        match self {
            Sketch::Few(hashes) => hashes.len() as u64,
            Sketch::Many(registers) => {
                let m = registers.len() as f64;
                let sum: f64 = registers.iter().map(|zeros| 0.5_f64.powi(i32::from(*zeros))).sum();
                let estimate = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
                let empty = registers.iter().filter(|zeros| **zeros == 0).count() as f64;
                if estimate <= 2.5 * m && empty > 0.0 { (m * (m / empty).ln()) as u64 } else { estimate as u64 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        for (values, error) in [(0, 0.0), (1_000, 0.0), (40_000, 0.0), (60_000, 0.03), (300_000, 0.03)] {
            let (mut one, mut other) = (Sketch::default(), Sketch::default());
            for value in 0..values {
                one.add(value);
                other.add(values - 1 - value / 2);
            }
            one.merge(other);
            let off = (one.count() as f64 - f64::from(values)).abs();
            assert!(off <= error * f64::from(values), "{values}: {}", one.count());
        }
    }
}
