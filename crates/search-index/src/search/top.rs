//! The best documents of one split, by any sort keys.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use search_query::sort::{Missing, Order};
use tantivy::columnar::{ColumnType, StrColumn};
use tantivy::{DocId, Score, SegmentReader};

use crate::Error;
use crate::split::Rows;

use super::aggregate::Values;
use super::sort::{By, Class, SortKey, SortValue};

/// Where a split's documents stand among all others.
#[derive(Clone)]
pub(super) struct Place {
    /// Of the split among all that are searched.
    pub split: usize,
    /// `_seq_no`s, where they are sorted by, and what the manifest adds to them.
    pub rows: Option<(Arc<Rows>, u64)>,
}

/// A document that may become a hit.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// A value for each sort key.
    pub values: Vec<SortValue>,
    pub split: usize,
    pub doc: DocId,
    pub score: Option<Score>,
}

/// The best documents of one split.
pub(super) struct Top<'a> {
    keys: Vec<Ranks<'a>>,
    size: usize,
    split: usize,
    /// What `search_after` says, as ranks: only what comes after it counts.
    after: Option<Vec<u128>>,
    heap: BinaryHeap<Entry>,
    scratch: Vec<u128>,
}

/// Ordered by ranks, then by number: the worst is on top of the heap.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    ranks: Vec<u128>,
    doc: DocId,
    /// Bits of the score.
    score: Option<u32>,
}

/// A sort key as numbers of which the smallest comes first.
struct Ranks<'a> {
    key: &'a SortKey,
    source: Source,
    missing: u128,
}

enum Source {
    Score,
    Doc { base: i64 },
    SeqNo(Arc<Rows>, u64),
    Column(Box<Values>),
    Absent,
}

impl<'a> Top<'a> {
    /// For a split's segment.
    pub fn open(
        keys: &'a [SortKey],
        segment: &SegmentReader,
        place: &Place,
        size: usize,
        after: Option<&[SortValue]>,
    ) -> Result<Top<'a>, Error> {
        let keys = keys.iter().map(|key| Ranks::open(key, segment, place)).collect::<Result<Vec<_>, _>>()?;
        let after = match after {
            Some(values) => {
                Some(keys.iter().zip(values).map(|(key, value)| key.rank(value)).collect::<Result<Vec<_>, _>>()?)
            }
            None => None,
        };
        Ok(Top { keys, size, split: place.split, after, heap: BinaryHeap::new(), scratch: Vec::new() })
    }

    /// Takes a document in, if it is among the best.
    pub fn collect(&mut self, doc: DocId, score: Option<Score>) {
        if self.size == 0 {
            return;
        }
        self.scratch.clear();
        let worst = if self.heap.len() == self.size { self.heap.peek() } else { None };
        let mut level = true;
        for (place, key) in self.keys.iter().enumerate() {
            let rank = key.of(doc, score);
            if let Some(worst) = worst.filter(|_| level) {
                match rank.cmp(&worst.ranks[place]) {
                    Ordering::Greater => return,
                    Ordering::Less => level = false,
                    Ordering::Equal => {}
                }
            }
            self.scratch.push(rank);
        }
        if worst.is_some_and(|worst| level && doc > worst.doc) {
            return;
        }
        if self.after.as_ref().is_some_and(|after| self.scratch <= *after) {
            return;
        }
        if self.heap.len() == self.size {
            self.heap.pop();
        }
        self.heap.push(Entry { ranks: self.scratch.clone(), doc, score: score.map(f32::to_bits) });
    }

    /// Documents come in their order, and what comes later cannot be better.
    pub fn is_done(&self) -> bool {
        let in_order = self.keys.first().is_some_and(|key| {
            matches!(key.source, Source::Doc { .. } | Source::SeqNo(..)) && key.key.order == Order::Asc
        });
        self.size == 0 || (in_order && self.heap.len() == self.size)
    }

    /// The best documents, best first.
    pub fn finish(self) -> Result<Vec<Candidate>, Error> {
        let Top { keys, split, heap, .. } = self;
        let candidate = |entry: Entry| {
            let value = |(key, rank): (&Ranks<'_>, &u128)| key.value(*rank);
            let values = keys.iter().zip(&entry.ranks).map(value).collect::<Result<_, _>>()?;
            Ok(Candidate { values, split, doc: entry.doc, score: entry.score.map(f32::from_bits) })
        };
        heap.into_sorted_vec().into_iter().map(candidate).collect()
    }
}

/// Ranks of strings that are missing: before and after all others.
const FIRST: u128 = 0;
const LAST: u128 = u128::MAX;

impl<'a> Ranks<'a> {
    fn open(key: &'a SortKey, segment: &SegmentReader, place: &Place) -> Result<Ranks<'a>, Error> {
        let source = match &key.by {
            By::Score => Source::Score,
            // Numbers of documents are below 2³², and all stay below 2⁵³ with fewer than 2²¹ splits.
            By::Doc => Source::Doc { base: (place.split as i64) << 32 },
            By::SeqNo => match &place.rows {
                Some((rows, base)) => Source::SeqNo(rows.clone(), *base),
                None => Source::Absent,
            },
            By::Column(path) => {
                Values::open(segment, path)?.map_or(Source::Absent, |values| Source::Column(Box::new(values)))
            }
            By::Absent => Source::Absent,
        };
        let mut ranks = Ranks { key, source, missing: 0 };
        ranks.missing = ranks.rank(&key.missing_value()?)?;
        Ok(ranks)
    }

    fn directed(&self, bits: u64) -> u128 {
        // Between FIRST and LAST.
        let bits = if self.key.order == Order::Asc { bits } else { !bits };
        u128::from(bits) + 1
    }

    /// The bits that sort as a value does.
    fn bits(&self, kind: ColumnType, value: u64) -> u64 {
        match self.key.class {
            // Room between two strings for one that the split does not have.
            Class::Text => value * 2 + 1,
            Class::Whole => tantivy::i64_to_u64(Values::whole(kind, value)),
            Class::Float => tantivy::f64_to_u64(Values::float(kind, value)),
        }
    }

    fn of(&self, doc: DocId, score: Option<Score>) -> u128 {
        match &self.source {
            Source::Score => self.directed(tantivy::f64_to_u64(f64::from(score.unwrap_or_default()))),
            Source::Doc { base } => self.directed(tantivy::i64_to_u64(base + i64::from(doc))),
            Source::SeqNo(rows, base) => {
                let seq_no = rows.row(doc).map_or(0, |row| row.seq_no + base);
                self.directed(tantivy::i64_to_u64(seq_no as i64))
            }
            Source::Column(values) => {
                let ranks = values.column.values_for_doc(doc).map(|value| self.directed(self.bits(values.kind, value)));
                // Of several values the one that puts the document first.
                ranks.min().unwrap_or(self.missing)
            }
            Source::Absent => self.missing,
        }
    }

    fn strings(&self) -> Option<&StrColumn> {
        if let Source::Column(values) = &self.source { values.strings.as_ref() } else { None }
    }

    /// The rank of a value that need not be in this split.
    fn rank(&self, value: &SortValue) -> Result<u128, Error> {
        Ok(match value {
            SortValue::None if matches!(self.key.missing, Missing::First) => FIRST,
            SortValue::None => LAST,
            SortValue::Text(text) => {
                let Some(strings) = self.strings() else {
                    // Only documents without a value are there.
                    return Ok(self.directed(1 << 63));
                };
                let dictionary = strings.dictionary();
                let bounds = dictionary
                    .term_bounds_to_ord(
                        std::ops::Bound::Included(text.as_bytes()),
                        std::ops::Bound::Included(text.as_bytes()),
                    )
                    .map_err(|error| Error::Engine(error.to_string()))?;
                match bounds {
                    (std::ops::Bound::Included(from), std::ops::Bound::Included(to)) if from == to => {
                        self.directed(from * 2 + 1)
                    }
                    (std::ops::Bound::Included(next), _) => self.directed(next.min(strings.num_terms() as u64) * 2),
                    _ => self.directed(strings.num_terms() as u64 * 2),
                }
            }
            SortValue::Whole(whole) => match self.key.class {
                Class::Float => self.directed(tantivy::f64_to_u64(*whole as f64)),
                _ => self.directed(tantivy::i64_to_u64(*whole)),
            },
            SortValue::Float(number) => self.directed(tantivy::f64_to_u64(*number)),
        })
    }

    /// The value that a rank stands for.
    fn value(&self, rank: u128) -> Result<SortValue, Error> {
        if rank == self.missing
            && let Ok(value) = self.key.missing_value()
        {
            return Ok(value);
        }
        if rank == FIRST || rank == LAST {
            return Ok(SortValue::None);
        }
        let bits = (rank - 1) as u64;
        let bits = if self.key.order == Order::Asc { bits } else { !bits };
        Ok(match self.key.class {
            Class::Whole => SortValue::Whole(tantivy::u64_to_i64(bits)),
            Class::Float => SortValue::Float(tantivy::u64_to_f64(bits)),
            Class::Text => {
                let mut text = String::new();
                if let Some(strings) = self.strings() {
                    strings.ord_to_str(bits / 2, &mut text).map_err(|error| Error::Engine(error.to_string()))?;
                }
                SortValue::Text(text)
            }
        })
    }
}
