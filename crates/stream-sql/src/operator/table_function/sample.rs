//! Which points a tree holds: a random sample in which the recent ones are more likely.

use serde::{Deserialize, Serialize};

use super::packed;
use super::random::Random;

/// A weighted sample without replacement (Efraimidis and Spirakis, 2006): every point draws a key, and those of the least keys stay.
/// A point's weight falls by the factor e with every `decay` that come after it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// Ascending.
    #[serde(rename = "k", with = "packed")]
    keys: Vec<f64>,
    #[serde(rename = "l")]
    leaves: Vec<usize>,
}

impl Sample {
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Draws the key of the point of this number; or none if the point does not come in.
    pub(super) fn draw(&self, number: u64, size: usize, decay: f64, random: &mut Random) -> Option<f64> {
        // The logarithm of an exponential variate divided by the weight.
        let key = (-random.unit().ln()).ln() - number as f64 / decay;
        (self.len() < size || self.keys.last().is_some_and(|last| key < *last)).then_some(key)
    }

    /// The leaf that makes room for another, once the sample is full.
    pub(super) fn evict(&mut self, size: usize) -> Option<usize> {
        if self.len() < size {
            return None;
        }
        self.keys.pop();
        self.leaves.pop()
    }

    pub(super) fn add(&mut self, key: f64, leaf: usize) {
        let place = self.keys.partition_point(|other| *other <= key);
        self.keys.insert(place, key);
        self.leaves.insert(place, leaf);
    }
}
