//! A random cut tree: points are parted by random cuts until each is alone (Guha, Mishra, Roy and Schrijvers, "Robust random cut
//! forest based anomaly detection on streams", 2016). Points come and go, and the tree is always as likely as one that was made of
//! its points alone.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::derived::Derived;
use super::packed;
use super::random::Random;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CutTree {
    #[serde(rename = "r")]
    root: Option<Link>,
    /// Of each cut: which dimension it parts, where, and what is on its two sides: points at most, and points above.
    #[serde(rename = "d")]
    dimensions: Vec<u16>,
    #[serde(rename = "c", with = "packed")]
    cuts: Vec<f64>,
    #[serde(rename = "s")]
    sides: Vec<[Link; 2]>,
    /// Of each leaf: its point, and how often it is there.
    #[serde(rename = "p", with = "packed")]
    points: Vec<f64>,
    #[serde(rename = "m")]
    masses: Vec<u32>,
    #[serde(rename = "fc")]
    free_cuts: Vec<usize>,
    #[serde(rename = "fl")]
    free_leaves: Vec<usize>,
    /// Of each cut: the least and the greatest of its points in each dimension.
    #[serde(skip)]
    boxes: Derived<Vec<f64>>,
}

/// A cut, or a leaf: its number's complement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Link(i32);

enum End {
    Cut(usize),
    Leaf(usize),
}

impl Link {
    fn cut(number: usize) -> Link {
        Link(number as i32)
    }

    fn leaf(number: usize) -> Link {
        Link(!(number as i32))
    }

    fn end(self) -> End {
        if self.0 < 0 { End::Leaf(!self.0 as usize) } else { End::Cut(self.0 as usize) }
    }
}

/// Cuts from the root down, with the side that is taken at each.
type Path = SmallVec<[(usize, usize); 32]>;

impl CutTree {
    /// Must be called before anything else after a tree was stored.
    pub(super) fn prepare(&mut self, width: usize) {
        if self.boxes.0.len() == self.cuts.len() * 2 * width {
            return;
        }
        let empty = [vec![f64::INFINITY; width], vec![f64::NEG_INFINITY; width]].concat();
        self.boxes.0 = empty.repeat(self.cuts.len());
        for leaf in 0..self.masses.len() {
            if self.masses[leaf] == 0 {
                continue;
            }
            let point = self.point(leaf).to_vec();
            for (cut, _) in self.path(&point) {
                self.extend(cut, &point);
            }
        }
    }

    fn width(&self) -> usize {
        self.points.len() / self.masses.len().max(1)
    }

    fn point(&self, leaf: usize) -> &[f64] {
        let width = self.width();
        &self.points[leaf * width..][..width]
    }

    /// The least and the greatest of the points there.
    fn bounds(&self, link: Link) -> (&[f64], &[f64]) {
        match link.end() {
            End::Leaf(leaf) => (self.point(leaf), self.point(leaf)),
            End::Cut(cut) => {
                let width = self.width();
                self.boxes.0[cut * 2 * width..][..2 * width].split_at(width)
            }
        }
    }

    fn side(&self, cut: usize, point: &[f64]) -> usize {
        usize::from(point[usize::from(self.dimensions[cut])] > self.cuts[cut])
    }

    fn path(&self, point: &[f64]) -> Path {
        let (mut path, mut link) = (Path::new(), self.root);
        while let Some(End::Cut(cut)) = link.map(Link::end) {
            let side = self.side(cut, point);
            path.push((cut, side));
            link = Some(self.sides[cut][side]);
        }
        path
    }

    /// Adds a point; returns its leaf.
    pub(super) fn insert(&mut self, point: &[f64], random: &mut Random) -> usize {
        let Some(mut link) = self.root else {
            let leaf = self.new_leaf(point);
            self.root = Some(Link::leaf(leaf));
            return leaf;
        };
        let mut path = Path::new();
        loop {
            if let End::Leaf(leaf) = link.end()
                && self.point(leaf) == point
            {
                self.masses[leaf] += 1;
                return leaf;
            }
            let (dimension, place) = self.choose(link, point, random);
            let (lows, highs) = self.bounds(link);
            let is_below = point[dimension] <= place && place < lows[dimension];
            let is_above = highs[dimension] <= place && place < point[dimension];
            if is_below || is_above {
                let leaf = self.new_leaf(point);
                let (here, there) = (Link::leaf(leaf), link);
                let cut = self.new_cut(dimension, place, if is_below { [here, there] } else { [there, here] });
                self.relink(&path, Link::cut(cut));
                path.iter().for_each(|(cut, _)| self.extend(*cut, point));
                return leaf;
            }
            // A leaf that is another point is always parted from it.
            let End::Cut(cut) = link.end() else { return 0 };
            let side = self.side(cut, point);
            path.push((cut, side));
            link = self.sides[cut][side];
        }
    }

    /// A cut through the points there and one more: each dimension is as likely as it is long.
    fn choose(&self, link: Link, point: &[f64], random: &mut Random) -> (usize, f64) {
        let (lows, highs) = self.bounds(link);
        let sides = || lows.iter().zip(highs).zip(point).map(|((low, high), at)| (low.min(*at), high.max(*at)));
        let mut rest = random.unit() * sides().map(|(low, high)| high - low).sum::<f64>();
        let mut chosen = (0, 0.0);
        for (dimension, (low, high)) in sides().enumerate().filter(|(_, (low, high))| low < high) {
            let place = low + rest;
            // Rounding must not put a cut where it parts nothing.
            chosen = (dimension, if place < high { place } else { low });
            if rest < high - low {
                break;
            }
            rest -= high - low;
        }
        chosen
    }

    /// Takes a point away, once.
    pub(super) fn remove(&mut self, leaf: usize) {
        self.masses[leaf] -= 1;
        if self.masses[leaf] > 0 {
            return;
        }
        let mut path = self.path(self.point(leaf));
        self.free_leaves.push(leaf);
        let Some((parent, side)) = path.pop() else {
            self.root = None;
            return;
        };
        self.free_cuts.push(parent);
        self.relink(&path, self.sides[parent][1 - side]);
        for (cut, _) in path.iter().rev() {
            if !self.shrink(*cut) {
                break;
            }
        }
    }

    /// Puts something at the end of a path.
    fn relink(&mut self, path: &Path, link: Link) {
        match path.last() {
            Some((cut, side)) => self.sides[*cut][*side] = link,
            None => self.root = Some(link),
        }
    }

    fn new_leaf(&mut self, point: &[f64]) -> usize {
        let Some(leaf) = self.free_leaves.pop() else {
            self.points.extend(point);
            self.masses.push(1);
            return self.masses.len() - 1;
        };
        self.points[leaf * point.len()..][..point.len()].copy_from_slice(point);
        self.masses[leaf] = 1;
        leaf
    }

    fn new_cut(&mut self, dimension: usize, place: f64, sides: [Link; 2]) -> usize {
        let cut = self.free_cuts.pop().unwrap_or(self.cuts.len());
        if cut == self.cuts.len() {
            self.dimensions.push(0);
            self.cuts.push(0.0);
            self.sides.push(sides);
            let boxes = self.boxes.0.len() + 2 * self.width();
            self.boxes.0.resize(boxes, 0.0);
        }
        // Dimensions are fewer than 1,000: columns times shingles.
        self.dimensions[cut] = dimension as u16;
        self.cuts[cut] = place;
        self.sides[cut] = sides;
        self.shrink(cut);
        cut
    }

    /// Makes a box as large as what is on its two sides; whether it was another before.
    fn shrink(&mut self, cut: usize) -> bool {
        let (width, mut changed) = (self.width(), false);
        let [left, right] = self.sides[cut];
        for dimension in 0..width {
            let ((lows, highs), (other_lows, other_highs)) = (self.bounds(left), self.bounds(right));
            let low = lows[dimension].min(other_lows[dimension]);
            let high = highs[dimension].max(other_highs[dimension]);
            for (place, value) in [(dimension, low), (width + dimension, high)] {
                let side = &mut self.boxes.0[cut * 2 * width + place];
                changed |= *side != value;
                *side = value;
            }
        }
        changed
    }

    fn extend(&mut self, cut: usize, point: &[f64]) {
        let width = point.len();
        let (lows, highs) = self.boxes.0[cut * 2 * width..][..2 * width].split_at_mut(width);
        for ((low, high), at) in lows.iter_mut().zip(highs).zip(point) {
            *low = low.min(*at);
            *high = high.max(*at);
        }
    }

    /// How far a point is from the others: the expected inverse of the depth at which a cut would part it from them, times the depth
    /// that is usual among `size` points. About 1 is ordinary, 3 and more is not.
    ///
    /// `part` is told how much of it comes of which dimension: above 0 where the point is above the others, below 0 where it is below.
    pub(super) fn score(&self, point: &[f64], size: usize, part: &mut impl FnMut(usize, f64)) -> f64 {
        let Some(mut link) = self.root else { return 0.0 };
        let usual = (1.0 + size as f64).log2();
        let (mut score, mut reach, mut depth) = (0.0, usual, 0.0);
        // What the point is compared with where it is alone.
        let mut others = None;
        let leaf = loop {
            let cut = match link.end() {
                End::Cut(cut) => cut,
                End::Leaf(leaf) => break leaf,
            };
            let (lows, highs) = self.bounds(link);
            let inside: f64 = lows.iter().zip(highs).map(|(low, high)| high - low).sum();
            let outside = self.outside(link, point);
            if outside > 0.0 {
                let parted = reach * outside / (inside + outside);
                self.tell(link, point, parted / (depth + 1.0) / outside, part);
                score += parted / (depth + 1.0);
                reach -= parted;
            }
            depth += 1.0;
            let side = self.side(cut, point);
            others = Some(self.sides[cut][1 - side]);
            link = self.sides[cut][side];
        };
        let last = if self.point(leaf) == point {
            // Others like it make it less of an anomaly.
            let mass = f64::from(self.masses[leaf]);
            (1.0 - mass / (2.0 * size as f64)) / (depth + (1.0 + mass).log2())
        } else {
            others = Some(link);
            1.0 / (depth + 1.0)
        };
        if let Some(others) = others {
            self.tell(others, point, reach * last / self.outside(others, point), part);
        }
        score + reach * last
    }

    /// How far a point is outside of a box, over all dimensions.
    fn outside(&self, link: Link, point: &[f64]) -> f64 {
        let (lows, highs) = self.bounds(link);
        lows.iter().zip(highs).zip(point).map(|((low, high), at)| (low - at).max(at - high).max(0.0)).sum()
    }

    fn tell(&self, link: Link, point: &[f64], factor: f64, part: &mut impl FnMut(usize, f64)) {
        let (lows, highs) = self.bounds(link);
        for (dimension, ((low, high), at)) in lows.iter().zip(highs).zip(point).enumerate() {
            part(dimension, factor * ((at - high).max(0.0) - (low - at).max(0.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_those_of_the_points() {
        let (mut tree, mut random, mut leaves) = (CutTree::default(), Random::default(), Vec::new());
        for step in 0..2_000 {
            if leaves.len() == 64 {
                let leaf = leaves.swap_remove((random.next() % 64) as usize);
                tree.remove(leaf);
            }
            let point = [0, 1, 2].map(|dimension| (random.next() % (5 + dimension * 50)) as f64);
            leaves.push(tree.insert(&point, &mut random));
            if step % 100 == 0 {
                let kept = tree.boxes.0.clone();
                tree.boxes = Derived::default();
                tree.prepare(3);
                for cut in (0..tree.cuts.len()).filter(|cut| !tree.free_cuts.contains(cut)) {
                    assert_eq!(tree.boxes.0[cut * 6..][..6], kept[cut * 6..][..6], "{step}");
                }
            }
        }
        let distinct: std::collections::BTreeSet<usize> = leaves.iter().copied().collect();
        assert_eq!(tree.masses.iter().sum::<u32>(), 64);
        assert_eq!(tree.masses.len() - tree.free_leaves.len(), distinct.len());
        assert_eq!(tree.cuts.len() - tree.free_cuts.len(), distinct.len() - 1);
        leaves.into_iter().for_each(|leaf| tree.remove(leaf));
        assert!(tree.root.is_none());
    }

    #[test]
    fn a_point_far_away_is_parted_first() {
        let (mut tree, mut random, mut points) = (CutTree::default(), Random::default(), Random::default());
        assert_eq!(tree.score(&[1.0], 0, &mut |_, _| {}), 0.0);
        random.next();
        (0..256).for_each(|_| {
            tree.insert(&[points.unit()], &mut random);
        });
        assert!(tree.score(&[1e9], 256, &mut |_, _| {}) > 7.9);
        assert!(tree.score(&[0.5], 256, &mut |_, _| {}) < 2.0);
    }
}
