//! Documents with a value of a column in a range.
//!
//! The engine has such a query too; it takes bounds by the type of a term, not of the field, and its document set must not be sought
//! as `Intersection` seeks it (an overflow, in builds that check for it).

use std::io;
use std::ops::{Bound, RangeInclusive};

use tantivy::columnar::{Cardinality, Column, ColumnType};
use tantivy::query::{AllScorer, ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SeekDangerResult, SegmentReader, TERMINATED};

use crate::search::aggregate::Values;

/// Documents looked at in the first step, and in the largest: steps double while documents are read one after the other, and begin
/// anew with a jump.
const FIRST_STEP: u32 = 128;
const LARGEST_STEP: u32 = 1 << 16;

/// What lies in a range.
#[derive(Debug, Clone)]
pub(super) enum Between {
    /// Whole numbers.
    Whole(RangeInclusive<i64>),
    /// Floating numbers.
    Float(Bound<f64>, Bound<f64>),
    /// Moments, epoch ms.
    Millis(RangeInclusive<i64>),
    /// Strings, by their bytes.
    Text(Bound<String>, Bound<String>),
}

/// Documents with a value of a column in a range.
#[derive(Debug, Clone)]
pub(super) struct ColumnRangeQuery {
    pub path: String,
    pub between: Between,
}

impl Query for ColumnRangeQuery {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for ColumnRangeQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let Some(values) = Values::open(reader, &self.path)? else {
            return Ok(Box::new(EmptyScorer));
        };
        let Some(range) = self.between.range(&values)? else {
            return Ok(Box::new(EmptyScorer));
        };
        let column = values.column;
        let (from, to) = (*range.start().max(&column.min_value()), *range.end().min(&column.max_value()));
        if from > to {
            return Ok(Box::new(EmptyScorer));
        }
        let every = from == column.min_value() && to == column.max_value();
        if every && column.get_cardinality() == Cardinality::Full {
            return Ok(Box::new(ConstScorer::new(AllScorer::new(reader.max_doc()), boost)));
        }
        Ok(Box::new(ConstScorer::new(InRange::new(column, from..=to, reader.max_doc()), boost)))
    }

    fn explain(&self, _reader: &SegmentReader, _doc: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new("documents with a value in a range", 1.0))
    }
}

impl Between {
    /// The range in the numbers that the column keeps; `None` if it is empty.
    fn range(&self, values: &Values) -> io::Result<Option<RangeInclusive<u64>>> {
        Ok(match self {
            Between::Whole(range) => match values.kind {
                ColumnType::F64 => {
                    Some(tantivy::f64_to_u64(*range.start() as f64)..=tantivy::f64_to_u64(*range.end() as f64))
                }
                ColumnType::U64 => u64::try_from(*range.end()).ok().map(|to| (*range.start()).max(0) as u64..=to),
                _ => Some(tantivy::i64_to_u64(*range.start())..=tantivy::i64_to_u64(*range.end())),
            },
            Between::Millis(range) => {
                let nanos = |millis: i64| millis.saturating_mul(1_000_000);
                // All of the last millisecond.
                let (from, to) = (nanos(*range.start()), nanos(*range.end()).saturating_add(999_999));
                Some(tantivy::i64_to_u64(from)..=tantivy::i64_to_u64(to))
            }
            Between::Float(from, to) => match values.kind {
                ColumnType::F64 => floats(*from, *to),
                _ => wholes(*from, *to).and_then(|range| match values.kind {
                    ColumnType::U64 => u64::try_from(*range.end()).ok().map(|to| (*range.start()).max(0) as u64..=to),
                    _ => Some(tantivy::i64_to_u64(*range.start())..=tantivy::i64_to_u64(*range.end())),
                }),
            },
            Between::Text(from, to) => {
                let Some(strings) = &values.strings else {
                    return Ok(None);
                };
                let bytes = |bound: &Bound<String>| bound.clone().map(String::into_bytes);
                let (from, to) = strings.dictionary().term_bounds_to_ord(bytes(from), bytes(to))?;
                let from = match from {
                    Bound::Included(from) => Some(from),
                    Bound::Excluded(from) => from.checked_add(1),
                    Bound::Unbounded => Some(0),
                };
                let to = match to {
                    Bound::Included(to) => Some(to),
                    Bound::Excluded(to) => to.checked_sub(1),
                    Bound::Unbounded => Some(u64::MAX),
                };
                from.zip(to).map(|(from, to)| from..=to)
            }
        })
    }
}

fn floats(from: Bound<f64>, to: Bound<f64>) -> Option<RangeInclusive<u64>> {
    let from = match from {
        Bound::Included(from) => tantivy::f64_to_u64(from),
        Bound::Excluded(from) => tantivy::f64_to_u64(from).checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let to = match to {
        Bound::Included(to) => tantivy::f64_to_u64(to),
        Bound::Excluded(to) => tantivy::f64_to_u64(to).checked_sub(1)?,
        Bound::Unbounded => u64::MAX,
    };
    Some(from..=to)
}

/// The whole numbers between two floating ones; those beyond 64 bits end at the last one.
fn wholes(from: Bound<f64>, to: Bound<f64>) -> Option<RangeInclusive<i64>> {
    let from = match from {
        Bound::Included(from) => from.ceil(),
        Bound::Excluded(from) => from.floor() + 1.0,
        Bound::Unbounded => f64::NEG_INFINITY,
    };
    let to = match to {
        Bound::Included(to) => to.floor(),
        Bound::Excluded(to) => to.ceil() - 1.0,
        Bound::Unbounded => f64::INFINITY,
    };
    let beyond = from >= i64::MAX as f64 || to < i64::MIN as f64;
    (!beyond && from <= to).then_some(from as i64..=to as i64)
}

/// The documents, found step by step.
struct InRange {
    column: Column<u64>,
    range: RangeInclusive<u64>,
    max_doc: DocId,
    /// Found and not yet passed, from `place` on.
    found: Vec<DocId>,
    place: usize,
    /// The first document not looked at.
    next: DocId,
    step: u32,
}

impl InRange {
    fn new(column: Column<u64>, range: RangeInclusive<u64>, max_doc: DocId) -> InRange {
        let mut docs = InRange { column, range, max_doc, found: Vec::new(), place: 0, next: 0, step: FIRST_STEP };
        docs.look();
        docs
    }

    /// Looks on until something is found.
    fn look(&mut self) {
        self.found.clear();
        self.place = 0;
        while self.found.is_empty() && self.next < self.max_doc {
            let end = self.next.saturating_add(self.step).min(self.max_doc);
            self.column.get_docids_for_value_range(self.range.clone(), self.next..end, &mut self.found);
            self.next = end;
            self.step = (self.step * 2).min(LARGEST_STEP);
        }
        // Of a document with several values in the range once.
        self.found.dedup();
    }
}

impl DocSet for InRange {
    #[inline]
    fn advance(&mut self) -> DocId {
        self.place += 1;
        if self.place >= self.found.len() {
            self.look();
        }
        self.doc()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc() >= target {
            return self.doc();
        }
        if self.found.last().is_some_and(|last| *last >= target) {
            self.place += self.found[self.place..].partition_point(|doc| *doc < target);
            return self.doc();
        }
        if target > self.next {
            self.next = target;
            self.step = FIRST_STEP;
        }
        self.look();
        // What was not looked at begins at or before the target.
        while self.doc() < target {
            self.advance();
        }
        self.doc()
    }

    /// Looks at one document only; what was found before stays as it is.
    fn seek_danger(&mut self, target: DocId) -> SeekDangerResult {
        if target >= self.max_doc {
            return SeekDangerResult::SeekLowerBound(TERMINATED);
        }
        if !self.column.values_for_doc(target).any(|value| self.range.contains(&value)) {
            return SeekDangerResult::SeekLowerBound(target + 1);
        }
        self.found.clear();
        self.found.push(target);
        self.place = 0;
        self.next = target + 1;
        self.step = FIRST_STEP;
        SeekDangerResult::Found
    }

    #[inline]
    fn doc(&self) -> DocId {
        self.found.get(self.place).copied().unwrap_or(TERMINATED)
    }

    /// A guess: a tenth.
    fn size_hint(&self) -> u32 {
        self.max_doc / 10
    }

    /// Looking at a column is cheaper than at postings, but all of it is looked at.
    fn cost(&self) -> u64 {
        u64::from(self.max_doc) * 4 / 5
    }
}
