//! What a split contributes to an aggregation, and how contributions become one.

use std::collections::HashMap;

use super::digest::Digest;
use super::sketch::Sketch;

/// The key of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Whole numbers, moments (epoch ms), 0 and 1 for booleans.
    Whole(i64),
    /// A floating number, in bits that sort as it does.
    Float(u64),
    /// A string.
    Text(String),
}

impl Key {
    pub fn float(number: f64) -> Key {
        Key::Float(tantivy::f64_to_u64(number))
    }
}

/// A bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bucket {
    /// Documents.
    pub count: u64,
    /// The aggregations inside, in the order of the request.
    pub subs: Vec<Partial>,
}

impl Bucket {
    pub fn merge(&mut self, other: Bucket) {
        self.count += other.count;
        if self.subs.is_empty() {
            self.subs = other.subs;
        } else {
            self.subs.iter_mut().zip(other.subs).for_each(|(ours, theirs)| ours.merge(theirs));
        }
    }
}

/// Buckets by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buckets {
    pub by_key: HashMap<Key, Bucket>,
    /// Documents in buckets that a split left out because it had too many.
    pub left_out: u64,
    /// How much a bucket's count may be short of what it should be, for that reason.
    pub error: u64,
}

/// Numbers about numbers.
#[derive(Debug, Clone)]
pub(crate) struct Stats {
    pub count: u64,
    pub sum: f64,
    /// What rounding has lost of `sum` (Kahan).
    lost: f64,
    pub squares: f64,
    pub min: f64,
    pub max: f64,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats { count: 0, sum: 0.0, lost: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Stats {
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.add_to_sum(value);
        self.squares += value * value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    fn add_to_sum(&mut self, value: f64) {
        let corrected = value - self.lost;
        let sum = self.sum + corrected;
        self.lost = (sum - self.sum) - corrected;
        self.sum = sum;
    }

    fn merge(&mut self, other: &Stats) {
        self.count += other.count;
        self.add_to_sum(other.sum);
        self.squares += other.squares;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// What a split contributes.
#[derive(Debug, Clone)]
pub(crate) enum Partial {
    /// Terms and histograms.
    Keyed(Buckets),
    /// Ranges and filters, in the order of the request.
    Listed(Vec<Bucket>),
    Stats(Stats),
    Distinct(Sketch),
    Percentiles(Digest),
}

impl Partial {
    pub fn merge(&mut self, other: Partial) {
        match (self, other) {
            (Partial::Keyed(ours), Partial::Keyed(theirs)) => {
                ours.left_out += theirs.left_out;
                ours.error += theirs.error;
                if ours.by_key.is_empty() {
                    ours.by_key = theirs.by_key;
                    return;
                }
                for (key, bucket) in theirs.by_key {
                    ours.by_key.entry(key).or_default().merge(bucket);
                }
            }
            (Partial::Listed(ours), Partial::Listed(theirs)) => {
                ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| ours.merge(theirs));
            }
            (Partial::Stats(ours), Partial::Stats(theirs)) => ours.merge(&theirs),
            (Partial::Distinct(ours), Partial::Distinct(theirs)) => ours.merge(theirs),
            (Partial::Percentiles(ours), Partial::Percentiles(theirs)) => ours.merge(theirs),
            // Of one aggregation all contributions are of one kind.
            _ => {}
        }
    }
}
