//! Which splits to join: a decision from their sizes alone.
//!
//! Only neighbours are joined, so that splits stay in the order of `_seq_no`. A split's weight adds up when splits are joined; none
//! is heavier than half of what it is joined to, so that a document is written again at most log₂ times of the whole, and about log₈
//! times when splits are alike, because as a rule eight are waited for.

use std::ops::Range;

use crate::manifest::Split;

/// Splits that are joined as a rule: each document is written again once for each time the index grows so many times (design).
const FAN_IN: usize = 8;

/// The most that are joined at once: each is opened, and reads under way are bounded by about as many.
const MAX_INPUTS: usize = 256;

/// Documents of a joined split at most: a deletion bitset is at most an eighth of it in bytes, 1.25 MB.
pub const MAX_DOCUMENTS: u64 = 10_000_000;

/// A split of which more than this share (per cent) is deleted is written again without them.
const MAX_DELETED: u64 = 30;

/// Weight up to which all splits are alike; each further level is [`FAN_IN`] times as heavy.
const LEAST: u64 = 16 << 10;

/// What a document weighs besides its source: its place in the manifest's and the engine's tables.
const PER_DOCUMENT: u64 = 64;

/// A split as the policy sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Bytes of the object.
    pub bytes: u64,
    /// Documents, deleted ones included.
    pub documents: u64,
    /// Of these, the deleted ones.
    pub deleted: u64,
    /// Bytes of its documents as they came.
    pub source: u64,
}

impl Size {
    /// Of a split.
    pub fn of(split: &Split) -> Size {
        Size {
            bytes: split.meta.size,
            documents: u64::from(split.meta.documents),
            deleted: u64::from(split.deleted),
            source: split.meta.source_bytes,
        }
    }

    fn weight(&self) -> u64 {
        self.source + self.documents * PER_DOCUMENT
    }

    fn level(&self) -> u32 {
        self.weight().div_ceil(LEAST).max(1).next_power_of_two().ilog2().div_ceil(FAN_IN.ilog2())
    }

    fn is_hollow(&self) -> bool {
        self.deleted * 100 > self.documents * MAX_DELETED
    }
}

/// The splits to be joined, in ranges that do not overlap, in order. A range of one is a split to be written again by itself.
pub fn joins(splits: &[Size], max_bytes: u64) -> Vec<Range<usize>> {
    let mut joins: Vec<Range<usize>> = Vec::new();
    let highest = splits.iter().map(Size::level).max().unwrap_or(0);
    for level in 0..=highest {
        for run in runs(splits, level, &joins) {
            joins.extend(chunks(splits, run, max_bytes));
        }
    }
    let hollow = |at: &usize| splits[*at].is_hollow() && splits[*at].bytes <= max_bytes;
    let alone: Vec<_> =
        (0..splits.len()).filter(hollow).filter(|at| !is_taken(&joins, *at)).map(|at| at..at + 1).collect();
    joins.extend(alone);
    joins.sort_unstable_by_key(|join| join.start);
    joins
}

fn is_taken(joins: &[Range<usize>], at: usize) -> bool {
    joins.iter().any(|join| join.contains(&at))
}

/// Neighbours of this level and below that are not joined already.
fn runs(splits: &[Size], level: u32, joins: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut free: Vec<bool> = splits.iter().map(|split| split.level() <= level).collect();
    joins.iter().for_each(|join| free[join.clone()].fill(false));
    let mut runs = Vec::new();
    let mut at = 0;
    for run in free.chunk_by(|a, b| a == b) {
        if run[0] {
            runs.push(at..at + run.len());
        }
        at += run.len();
    }
    runs
}

/// The parts of a run that are worth joining.
fn chunks(splits: &[Size], run: Range<usize>, max_bytes: u64) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let mut start = run.start;
    while start < run.end {
        let (mut bytes, mut documents, mut end) = (0, 0, start);
        while end < run.end && end - start < MAX_INPUTS {
            (bytes, documents) = (bytes + splits[end].bytes, documents + splits[end].documents);
            if bytes > max_bytes || documents > MAX_DOCUMENTS {
                break;
            }
            end += 1;
        }
        let is_full = end < run.end;
        let weights = || splits[start..end].iter().map(Size::weight);
        let doubles = weights().max().unwrap_or(0) <= weights().sum::<u64>() / 2;
        let enough = end - start >= if is_full { 2 } else { FAN_IN };
        if enough && doubles {
            chunks.push(start..end);
        }
        // One that is too heavy for its neighbours is passed by; they may be joined without it.
        start = if enough && doubles { end } else { start + 1 };
    }
    chunks
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // a list of one join
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;
    const LIMIT: u64 = 384 * MB;

    fn size(bytes: u64) -> Size {
        Size { bytes, documents: 1, deleted: 0, source: bytes }
    }

    /// `3*8 1` is three splits of 8 KiB and one of 1 KiB; `8-40` is one of 8 KiB with 40 of 100 documents deleted.
    fn sizes(text: &str) -> Vec<Size> {
        let mut sizes = Vec::new();
        for word in text.split_whitespace() {
            let (times, word) = word.split_once('*').unwrap_or(("1", word));
            let (kib, deleted) = word.split_once('-').unwrap_or((word, "0"));
            let deleted = deleted.parse().unwrap();
            let size = Size { documents: 100, deleted, ..size(kib.parse::<u64>().unwrap() << 10) };
            sizes.extend(std::iter::repeat_n(size, times.parse().unwrap()));
        }
        sizes
    }

    #[test]
    fn neighbours_that_are_alike_are_joined() {
        let cases: &[(&str, &[Range<usize>])] = &[
            ("", &[]),
            ("7*4", &[]),
            ("8*4", &[0..8]),
            ("20*4", &[0..20]),
            ("300*4", &[0..256, 256..300]),
            // Small ones beside a large one do without it, and are not joined across it.
            ("7*4 100000", &[]),
            ("7*4 100000 7*4", &[]),
            ("100000 8*4", &[1..9]),
            ("8*4 100000 9*4", &[0..8, 9..18]),
            ("8*1000", &[0..8]),
            // Small and medium ones take turns.
            ("4 200 4 200 4 200 4 200", &[0..8]),
            // Up to the limit (KiB: 384 × 1024), of fewer than eight only if no more would fit.
            ("5*100000", &[0..3]),
            ("2*100000", &[]),
            ("8*393216", &[]),
            ("2*190000 300000", &[0..2]),
            // Deleted documents.
            ("100000-30", &[]),
            ("100000-31", &[0..1]),
            ("400000-31", &[]),
            ("8*4-50 100000 4-50", &[0..8, 9..10]),
        ];
        for (splits, expected) in cases {
            assert_eq!(joins(&sizes(splits), LIMIT), *expected, "{splits}");
        }
        let many = Size { documents: MAX_DOCUMENTS / 4, ..size(MB) };
        assert_eq!(joins(&[many; 9], LIMIT), [0..4, 4..8]);
    }

    /// Commits of one document each, with a visit after every few: each document is written again a few times, not once a visit.
    #[test]
    fn work_is_logarithmic() {
        for between in [1, 8, 60, 5_000] {
            let (mut splits, mut written): (Vec<Size>, u64) = (Vec::new(), 0);
            const COMMITS: u64 = 50_000;
            for n in 1..=COMMITS {
                splits.push(Size { bytes: 10_000, ..size(300) });
                if n % between > 0 {
                    continue;
                }
                loop {
                    let found = joins(&splits, LIMIT);
                    for join in found.iter().rev() {
                        let inputs = &splits[join.clone()];
                        let sum = |of: fn(&Size) -> u64| inputs.iter().map(of).sum::<u64>();
                        let source = sum(|split| split.source);
                        let joined =
                            Size { bytes: source + 9_700, source, documents: sum(|split| split.documents), deleted: 0 };
                        written += joined.documents;
                        splits.splice(join.clone(), [joined]);
                    }
                    if found.is_empty() {
                        break;
                    }
                }
            }
            assert!(written <= COMMITS * 12, "{between}: each {} times", written / COMMITS);
            assert!(splits.len() < 60, "{between}: {} left", splits.len());
        }
    }
}
