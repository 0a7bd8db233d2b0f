//! Aggregations over the documents of one split, a block at a time.
//!
//! Every document comes with the number of the bucket that it is in. An aggregation that makes buckets numbers its own, and hands its
//! documents on with those numbers: so one collector serves all buckets around it.

use tantivy::query::EnableScoring;
use tantivy::{BitSet, DocId, DocSet, Searcher, SegmentReader, TERMINATED, TantivyError};

use super::digest::Digest;
use super::keyed::{Cut, Keyed};
use super::listed::{Listed, Membership};
use super::metric::{Distinct, Metric};
use super::partial::{Bucket, Partial, Stats};
use super::plan::{Node, NodeKind, Source};
use super::slots::MAX_SLOTS;
use super::values::Values;

/// What a split says that has more buckets than [`MAX_SLOTS`]; known again by these words.
pub(crate) const TOO_MANY: &str = "too many buckets in one split";

/// Collects one aggregation.
pub(crate) trait Collect {
    /// Takes a block of documents, each with the bucket that it is in.
    fn collect(&mut self, docs: &[DocId], buckets: &[u32]) -> tantivy::Result<()>;

    /// What was found, for each bucket outside.
    fn finish(self: Box<Self>, buckets: usize) -> tantivy::Result<Vec<Partial>>;
}

impl Node {
    /// A collector for a split.
    pub fn open(&self, searcher: &Searcher, segment: &SegmentReader) -> tantivy::Result<Box<dyn Collect>> {
        let values = |source: &Source| match &source.path {
            Some(path) => Values::open(segment, path),
            None => Ok(None),
        };
        let inside = self.subs.iter().map(|sub| sub.open(searcher, segment)).collect::<tantivy::Result<_>>()?;
        let tree = Tree::new(inside);
        Ok(match &self.kind {
            NodeKind::Terms { source, missing, keep } => {
                let cut = Cut::Terms { missing: missing.clone(), keep: *keep, floats: source.floats() };
                Box::new(Keyed::new(values(source)?, cut, tree))
            }
            NodeKind::DateHistogram { source, rounding, .. } => {
                Box::new(Keyed::new(values(source)?, Cut::time(rounding.clone()), tree))
            }
            NodeKind::Histogram { source, interval, offset } => {
                let cut = Cut::Width { interval: *interval, offset: *offset };
                Box::new(Keyed::new(values(source)?, cut, tree))
            }
            NodeKind::Range { source, ranges } => {
                Box::new(Listed::new(Membership::Ranges(Box::new(values(source)?), ranges.clone()), tree))
            }
            NodeKind::Filters(filters) => {
                let docs = filters.iter().map(|query| documents(query.as_ref(), searcher, segment));
                Box::new(Listed::new(Membership::Filters(docs.collect::<tantivy::Result<_>>()?), tree))
            }
            NodeKind::Stats(source) => Box::new(Metric::<Stats>::new(values(source)?)),
            NodeKind::Percentiles(source) => Box::new(Metric::<Digest>::new(values(source)?)),
            NodeKind::Cardinality(source) => Box::new(Distinct::new(values(source)?, source.floats())),
        })
    }
}

/// The documents of a filter.
pub(crate) fn documents(
    query: &dyn tantivy::query::Query,
    searcher: &Searcher,
    segment: &SegmentReader,
) -> tantivy::Result<BitSet> {
    let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
    let mut scorer = weight.scorer(segment, 1.0)?;
    let mut docs = BitSet::with_max_value(segment.max_doc());
    while scorer.doc() != TERMINATED {
        docs.insert(scorer.doc());
        scorer.advance();
    }
    Ok(docs)
}

/// Counts of buckets, and what is inside them.
pub(super) struct Tree {
    counts: Vec<u64>,
    subs: Vec<Box<dyn Collect>>,
    docs: Vec<DocId>,
    slots: Vec<u32>,
}

impl Tree {
    fn new(subs: Vec<Box<dyn Collect>>) -> Tree {
        Tree { counts: Vec::new(), subs, docs: Vec::new(), slots: Vec::new() }
    }

    /// A document in a bucket.
    pub fn add(&mut self, doc: DocId, slot: u32) {
        let at = slot as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        if !self.subs.is_empty() {
            self.docs.push(doc);
            self.slots.push(slot);
        }
    }

    /// Hands the block on to what is inside.
    pub fn flush(&mut self) -> tantivy::Result<()> {
        if self.counts.len() > MAX_SLOTS {
            return Err(TantivyError::InternalError(TOO_MANY.into()));
        }
        for sub in &mut self.subs {
            sub.collect(&self.docs, &self.slots)?;
        }
        self.docs.clear();
        self.slots.clear();
        Ok(())
    }

    /// The buckets, by slot.
    pub fn finish(mut self, slots: usize) -> tantivy::Result<Vec<Bucket>> {
        self.counts.resize(slots, 0);
        let bucket = |count| Bucket { count, subs: Vec::with_capacity(self.subs.len()) };
        let mut buckets: Vec<Bucket> = self.counts.into_iter().map(bucket).collect();
        for sub in self.subs {
            for (bucket, partial) in buckets.iter_mut().zip(sub.finish(slots)?) {
                bucket.subs.push(partial);
            }
        }
        Ok(buckets)
    }
}
