//! Points and which of them are near each other, and the clusters they make: DBSCAN (Ester, Kriegel, Sander and Xu, 1996) over the
//! last points of a stream.

use serde::{Deserialize, Serialize};

use super::derived::Derived;
use super::packed;

/// The last points. A new one takes the place of the oldest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Neighbours {
    #[serde(rename = "p", with = "packed")]
    points: Vec<f64>,
    /// The place of the oldest point, once all are taken.
    #[serde(rename = "o")]
    oldest: usize,
    /// Of each place, a set of those of the points that are near it, itself included.
    #[serde(skip)]
    near: Derived<Vec<Set>>,
}

/// Places, as bits.
type Set = Box<[u64]>;

/// Points that are near each other, and the box around them.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) points: usize,
    pub(super) lows: Vec<f64>,
    pub(super) highs: Vec<f64>,
}

impl Neighbours {
    pub(super) fn add(&mut self, point: &[f64], window: usize, radius: f64) {
        let width = point.len();
        self.prepare(width, window, radius);
        let count = self.points.len() / width;
        let place = if count < window {
            self.points.extend(point);
            count
        } else {
            let place = self.oldest;
            self.oldest = (place + 1) % window;
            self.points[place * width..][..width].copy_from_slice(point);
            place
        };
        self.connect(place, width, window, radius);
    }

    /// Works out what is near what, after it was stored.
    fn prepare(&mut self, width: usize, window: usize, radius: f64) {
        if self.near.0.is_empty() {
            for place in 0..self.points.len() / width {
                self.connect(place, width, window, radius);
            }
        }
    }

    /// Finds what is near a place, among the places up to the last that was connected.
    fn connect(&mut self, place: usize, width: usize, window: usize, radius: f64) {
        let near = &mut self.near.0;
        if place == near.len() {
            near.push(vec![0; window.div_ceil(64)].into_boxed_slice());
        }
        let (point, mut set) = (&self.points[place * width..][..width], vec![0; window.div_ceil(64)]);
        for (other, at) in self.points.chunks(width).enumerate().take(near.len()) {
            let square: f64 = point.iter().zip(at).map(|(a, b)| (a - b) * (a - b)).sum();
            let is_near = square <= radius * radius;
            put(&mut near[other], place, is_near);
            put(&mut set, other, is_near);
        }
        near[place] = set.into_boxed_slice();
    }

    /// Clusters of points that have at least `minimum` points near them, each near another of its cluster, with the points near
    /// those; such a one belongs to the first that has it.
    pub(super) fn clusters(&mut self, width: usize, window: usize, radius: f64, minimum: usize) -> Vec<Cluster> {
        self.prepare(width, window, radius);
        let near = &self.near.0;
        let mut cores = vec![0u64; window.div_ceil(64)];
        let mut free = vec![0u64; window.div_ceil(64)];
        for (place, set) in near.iter().enumerate() {
            let count: u32 = set.iter().map(|word| word.count_ones()).sum();
            put(&mut cores, place, count as usize >= minimum);
            put(&mut free, place, true);
        }
        let mut clusters = Vec::new();
        for seed in 0..near.len() {
            if !has(&cores, seed) || !has(&free, seed) {
                continue;
            }
            put(&mut free, seed, false);
            let (mut cluster, mut open) = (vec![seed], vec![seed]);
            while let Some(core) = open.pop() {
                for (word, (set, free)) in near[core].iter().zip(&mut free).enumerate() {
                    let mut found = set & *free;
                    *free &= !found;
                    while found != 0 {
                        let place = word * 64 + found.trailing_zeros() as usize;
                        found &= found - 1;
                        cluster.push(place);
                        if has(&cores, place) {
                            open.push(place);
                        }
                    }
                }
            }
            clusters.push(self.cluster(&cluster, width));
        }
        clusters
    }

    fn cluster(&self, places: &[usize], width: usize) -> Cluster {
        let (mut lows, mut highs) = (vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]);
        for place in places {
            for (dimension, at) in self.points[place * width..][..width].iter().enumerate() {
                lows[dimension] = lows[dimension].min(*at);
                highs[dimension] = highs[dimension].max(*at);
            }
        }
        Cluster { points: places.len(), lows, highs }
    }
}

fn has(set: &[u64], place: usize) -> bool {
    set[place / 64] >> (place % 64) & 1 == 1
}

fn put(set: &mut [u64], place: usize, is_in: bool) {
    let bit = 1 << (place % 64);
    if is_in { set[place / 64] |= bit } else { set[place / 64] &= !bit }
}
