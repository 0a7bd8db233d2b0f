//! Buckets that come from the values: terms and histograms.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::io;
use std::ops::Range;

use tantivy::DocId;
use tantivy::columnar::{ColumnType, StrColumn};

use super::collect::{Collect, Tree};
use super::partial::{Bucket, Buckets, Key, Partial};
use super::rounding::Rounding;
use super::slots::{Mix, Slots};
use super::values::Values;

/// The value of a document that has none and is counted as `missing`.
const MISSING: u64 = u64::MAX;

/// Nanoseconds of a millisecond: the engine's moments are nanoseconds.
const NANOS: i64 = 1_000_000;

/// How values become buckets.
pub(super) enum Cut {
    /// Each value is one.
    Terms {
        missing: Option<Key>,
        /// The most frequent ones go on to be joined with those of other splits.
        keep: usize,
        /// Keys are floating numbers.
        floats: bool,
    },
    /// Stretches of time.
    Time {
        rounding: Rounding,
        /// Of the stretches seen so far, and where they stand.
        starts: Vec<i64>,
        places: HashMap<i64, u64, BuildHasherDefault<Mix>>,
        /// The last one (nanoseconds), and where it stands.
        current: Range<i64>,
        place: u64,
    },
    /// Stretches of numbers.
    Width { interval: f64, offset: f64 },
}

impl Cut {
    pub fn time(rounding: Rounding) -> Cut {
        Cut::Time { rounding, starts: Vec::new(), places: HashMap::default(), current: 0..0, place: 0 }
    }

    /// What stands for a value's bucket in this split.
    fn value(&mut self, kind: ColumnType, value: u64) -> u64 {
        match self {
            Cut::Terms { .. } => value,
            Cut::Time { rounding, starts, places, current, place } => {
                let nanos = tantivy::u64_to_i64(value);
                if !current.contains(&nanos) {
                    let start = rounding.floor(nanos.div_euclid(NANOS));
                    let end = rounding.next(start);
                    *current = start.saturating_mul(NANOS)..end.saturating_mul(NANOS);
                    *place = *places.entry(start).or_insert_with(|| {
                        starts.push(start);
                        starts.len() as u64 - 1
                    });
                }
                *place
            }
            Cut::Width { interval, offset } => {
                let place = ((Values::float(kind, value) - *offset) / *interval).floor() as i64;
                // Small numbers for small distances from zero.
                ((place << 1) ^ (place >> 63)) as u64
            }
        }
    }

    /// The key of what [`Cut::value`] gave.
    fn key(&self, kind: ColumnType, value: u64, names: &HashMap<u64, String>) -> Option<Key> {
        match self {
            Cut::Terms { missing: Some(missing), .. } if value == MISSING => Some(missing.clone()),
            Cut::Terms { .. } if kind == ColumnType::Str => names.get(&value).cloned().map(Key::Text),
            Cut::Terms { floats: true, .. } => Some(Key::float(Values::float(kind, value))),
            Cut::Terms { .. } => Some(Key::Whole(Values::whole(kind, value))),
            Cut::Time { starts, .. } => starts.get(value as usize).copied().map(Key::Whole),
            Cut::Width { interval, offset } => {
                let place = (value >> 1) as i64 ^ -((value & 1) as i64);
                Some(Key::float(place as f64 * interval + offset))
            }
        }
    }
}

/// The buckets of one bucket outside, by what stands for them.
type Inside = Vec<(u64, Bucket)>;

/// Collects buckets that come from the values.
pub(super) struct Keyed {
    values: Option<Values>,
    cut: Cut,
    slots: Slots,
    tree: Tree,
    /// What stands for the buckets that a document with several values is in already.
    seen: Vec<u64>,
}

impl Keyed {
    pub fn new(values: Option<Values>, cut: Cut, tree: Tree) -> Keyed {
        Keyed { values, cut, slots: Slots::default(), tree, seen: Vec::new() }
    }
}

impl Collect for Keyed {
    fn collect(&mut self, docs: &[DocId], buckets: &[u32]) -> tantivy::Result<()> {
        let Keyed { values, cut, slots, tree, seen } = self;
        let with_missing = matches!(cut, Cut::Terms { missing: Some(_), .. });
        let mut next = 0;
        if let Some(values) = values {
            let (several, kind) = (values.several(), values.kind);
            let mut last = usize::MAX;
            values.each(docs, |place, value| {
                if with_missing {
                    (next..place).for_each(|place| tree.add(docs[place], slots.get(buckets[place], MISSING)));
                    next = place + 1;
                }
                let value = cut.value(kind, value);
                if several {
                    if place != last {
                        last = place;
                        seen.clear();
                    }
                    if seen.contains(&value) {
                        return;
                    }
                    seen.push(value);
                }
                tree.add(docs[place], slots.get(buckets[place], value));
            });
        }
        if with_missing {
            (next..docs.len()).for_each(|place| tree.add(docs[place], slots.get(buckets[place], MISSING)));
        }
        tree.flush()
    }

    fn finish(self: Box<Self>, buckets: usize) -> tantivy::Result<Vec<Partial>> {
        let Keyed { values, cut, slots, tree, .. } = *self;
        let mut inside: Vec<Inside> = (0..buckets).map(|_| Vec::new()).collect();
        for ((outside, value), bucket) in slots.pairs.iter().zip(tree.finish(slots.len())?) {
            if let Some(inside) = inside.get_mut(*outside as usize) {
                inside.push((*value, bucket));
            }
        }
        let keep = if let Cut::Terms { keep, .. } = cut { keep } else { usize::MAX };
        let dropped: Vec<(u64, u64)> = inside.iter_mut().map(|inside| drop_rare(inside, keep)).collect();
        let kind = values.as_ref().map_or(ColumnType::U64, |values| values.kind);
        let names = match values.as_ref().and_then(|values| values.strings.as_ref()) {
            Some(strings) => names(strings, &inside)?,
            None => HashMap::new(),
        };
        let keyed = inside.into_iter().zip(dropped).map(|(inside, (left_out, error))| {
            let mut keyed = Buckets { left_out, error, ..Buckets::default() };
            for (value, bucket) in inside {
                if let Some(key) = cut.key(kind, value, &names) {
                    keyed.by_key.entry(key).or_default().merge(bucket);
                }
            }
            Partial::Keyed(keyed)
        });
        Ok(keyed.collect())
    }
}

/// Keeps the buckets with the most documents. Tells how many documents the others had together, and the largest of them.
fn drop_rare(inside: &mut Inside, keep: usize) -> (u64, u64) {
    if inside.len() <= keep {
        return (0, 0);
    }
    inside.select_nth_unstable_by_key(keep, |(_, bucket)| std::cmp::Reverse(bucket.count));
    let rare = inside.split_off(keep);
    let counts = rare.iter().map(|(_, bucket)| bucket.count);
    (counts.clone().sum(), counts.max().unwrap_or_default())
}

/// The strings that ordinals stand for, read in one pass over the dictionary.
pub(super) fn resolve(strings: &StrColumn, mut ordinals: Vec<u64>) -> io::Result<HashMap<u64, String>> {
    ordinals.sort_unstable();
    ordinals.dedup();
    ordinals.retain(|ordinal| *ordinal < strings.num_terms() as u64);
    let mut names = HashMap::with_capacity(ordinals.len());
    let mut next = ordinals.iter();
    strings.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
        if let Some(ordinal) = next.next() {
            names.insert(*ordinal, String::from_utf8_lossy(term).into_owned());
        }
    })?;
    Ok(names)
}

fn names(strings: &StrColumn, inside: &[Inside]) -> io::Result<HashMap<u64, String>> {
    resolve(strings, inside.iter().flatten().map(|(value, _)| *value).collect())
}
