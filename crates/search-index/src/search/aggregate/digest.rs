//! Percentiles: a merging t-digest. Exact (interpolated between neighbours) while there are few values.

/// How finely the distribution is kept (Elasticsearch's `compression`).
const COMPRESSION: f64 = 100.0;

/// Centroids that wait to be merged: with fewer values than that nothing is merged, and percentiles are exact.
const BUFFER: usize = 500;

/// A distribution of numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digest {
    /// Mean and weight.
    centroids: Vec<(f64, f64)>,
    smallest: Option<f64>,
    largest: Option<f64>,
    sorted: bool,
}

impl Digest {
    pub fn add(&mut self, value: f64) {
        self.smallest = Some(self.smallest.map_or(value, |smallest| smallest.min(value)));
        self.largest = Some(self.largest.map_or(value, |largest| largest.max(value)));
        self.push(value, 1.0);
    }

    fn push(&mut self, mean: f64, weight: f64) {
        self.centroids.push((mean, weight));
        self.sorted = false;
        if self.centroids.len() > 2 * BUFFER {
            self.compress();
        }
    }

    pub fn merge(&mut self, other: Digest) {
        for (mean, weight) in other.centroids {
            self.push(mean, weight);
        }
        let both = |ours: Option<f64>, theirs: Option<f64>, pick: fn(f64, f64) -> f64| match (ours, theirs) {
            (Some(ours), Some(theirs)) => Some(pick(ours, theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.smallest = both(self.smallest, other.smallest, f64::min);
        self.largest = both(self.largest, other.largest, f64::max);
    }

    fn sort(&mut self) {
        if !self.sorted {
            self.centroids.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            self.sorted = true;
        }
    }

    /// Joins neighbours, fewer towards the ends (the scale function k1 of the t-digest paper).
    fn compress(&mut self) {
        self.sort();
        let total: f64 = self.centroids.iter().map(|(_, weight)| weight).sum();
        let scale = |q: f64| COMPRESSION * 2.0 / std::f64::consts::TAU * (2.0 * q - 1.0).clamp(-1.0, 1.0).asin();
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(BUFFER);
        let (mut before, mut low) = (0.0, scale(0.0));
        for (mean, weight) in self.centroids.drain(..) {
            match merged.last_mut() {
                Some((last, held)) if scale((before + *held + weight) / total) - low <= 1.0 => {
                    *held += weight;
                    *last += (mean - *last) * weight / *held;
                }
                last => {
                    before += last.map_or(0.0, |(_, held)| *held);
                    low = scale(before / total);
                    merged.push((mean, weight));
                }
            }
        }
        self.centroids = merged;
        self.sorted = true;
    }

    /// The value below which so many percent lie; `None` of nothing.
    pub fn percentile(&mut self, percent: f64) -> Option<f64> {
        self.sort();
        let (smallest, largest) = (self.smallest?, self.largest?);
        let total: f64 = self.centroids.iter().map(|(_, weight)| weight).sum();
        // Rank among positions 0 to total - 1, of which each centroid stands in the middle of its own.
        let rank = (percent / 100.0).clamp(0.0, 1.0) * (total - 1.0);
        let (mut before, mut last) = (0.0, (0.0, smallest));
        for (mean, weight) in &self.centroids {
            let middle = before + (weight - 1.0) / 2.0;
            if rank <= middle {
                return Some(between(last, (middle, *mean), rank));
            }
            last = (middle, *mean);
            before += weight;
        }
        Some(between(last, (total - 1.0, largest), rank))
    }
}

fn between(from: (f64, f64), to: (f64, f64), rank: f64) -> f64 {
    if to.0 <= from.0 { to.1 } else { from.1 + (to.1 - from.1) * (rank - from.0) / (to.0 - from.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let mut digest = Digest::default();
        assert_eq!(digest.percentile(50.0), None);
        for value in [4.0, 1.0, 3.0, 2.0] {
            digest.add(value);
        }
        for (percent, expected) in [(0.0, 1.0), (50.0, 2.5), (100.0, 4.0), (25.0, 1.75)] {
            assert_eq!(digest.percentile(percent), Some(expected), "{percent}");
        }
    }

    #[test]
    fn many_values_are_close() {
        let mut whole = Digest::default();
        for part in 0..10 {
            let mut digest = Digest::default();
            (0..10_000).for_each(|n| digest.add(f64::from((n * 7_919 + part) % 100_000)));
            whole.merge(digest);
        }
        for percent in [1.0, 5.0, 50.0, 95.0, 99.0, 99.9] {
            let found = whole.percentile(percent).unwrap();
            assert!((found - percent * 1_000.0).abs() < 700.0, "{percent}: {found}");
        }
    }
}
