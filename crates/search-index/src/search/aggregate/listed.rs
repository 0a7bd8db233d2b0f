//! Buckets that the request lists: ranges and filters.

use tantivy::{BitSet, DocId};

use super::collect::{Collect, Tree};
use super::partial::{Bucket, Partial};
use super::values::Values;

/// What is in which bucket.
pub(super) enum Membership {
    /// From (included), to (excluded).
    Ranges(Box<Option<Values>>, Vec<(f64, f64)>),
    Filters(Vec<BitSet>),
}

impl Membership {
    fn len(&self) -> usize {
        match self {
            Membership::Ranges(_, ranges) => ranges.len(),
            Membership::Filters(filters) => filters.len(),
        }
    }
}

/// Collects the buckets that the request lists.
pub(super) struct Listed {
    membership: Membership,
    tree: Tree,
}

impl Listed {
    pub fn new(membership: Membership, tree: Tree) -> Listed {
        Listed { membership, tree }
    }
}

impl Collect for Listed {
    fn collect(&mut self, docs: &[DocId], buckets: &[u32]) -> tantivy::Result<()> {
        let Listed { membership, tree } = self;
        let len = membership.len();
        let slot = |place: usize, nth: usize| (buckets[place] as usize * len + nth) as u32;
        match membership {
            Membership::Filters(filters) => {
                for (nth, filter) in filters.iter().enumerate() {
                    for (place, doc) in docs.iter().enumerate() {
                        if filter.contains(*doc) {
                            tree.add(*doc, slot(place, nth));
                        }
                    }
                }
            }
            Membership::Ranges(values, ranges) => {
                let Some(values) = values.as_mut() else {
                    return Ok(());
                };
                let (kind, mut last, mut seen) = (values.kind, usize::MAX, vec![false; len]);
                values.each(docs, |place, value| {
                    let value = Values::float(kind, value);
                    if place != last {
                        last = place;
                        seen.fill(false);
                    }
                    for (nth, (from, to)) in ranges.iter().enumerate() {
                        if *from <= value && value < *to && !std::mem::replace(&mut seen[nth], true) {
                            tree.add(docs[place], slot(place, nth));
                        }
                    }
                });
            }
        }
        tree.flush()
    }

    fn finish(self: Box<Self>, buckets: usize) -> tantivy::Result<Vec<Partial>> {
        let len = self.membership.len();
        let mut found = self.tree.finish(buckets * len)?.into_iter();
        Ok((0..buckets).map(|_| Partial::Listed(found.by_ref().take(len).collect::<Vec<Bucket>>())).collect())
    }
}
