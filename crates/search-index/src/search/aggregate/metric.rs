//! Numbers about the values in a bucket.

use tantivy::DocId;

use super::collect::Collect;
use super::digest::Digest;
use super::keyed::resolve;
use super::partial::{Partial, Stats};
use super::sketch::Sketch;
use super::slots::Slots;
use super::values::Values;

/// Something that takes in numbers.
pub(super) trait Takes: Default + Clone {
    fn take(&mut self, value: f64);
    fn partial(self) -> Partial;
}

impl Takes for Stats {
    fn take(&mut self, value: f64) {
        self.add(value);
    }

    fn partial(self) -> Partial {
        Partial::Stats(self)
    }
}

impl Takes for Digest {
    fn take(&mut self, value: f64) {
        self.add(value);
    }

    fn partial(self) -> Partial {
        Partial::Percentiles(self)
    }
}

/// Collects numbers about numbers.
pub(super) struct Metric<T> {
    values: Option<Values>,
    each: Vec<T>,
}

impl<T: Takes> Metric<T> {
    pub fn new(values: Option<Values>) -> Metric<T> {
        Metric { values, each: Vec::new() }
    }
}

impl<T: Takes> Collect for Metric<T> {
    fn collect(&mut self, docs: &[DocId], buckets: &[u32]) -> tantivy::Result<()> {
        let Some(values) = &mut self.values else {
            return Ok(());
        };
        let (kind, each) = (values.kind, &mut self.each);
        if let Some(largest) = buckets.iter().max()
            && *largest as usize >= each.len()
        {
            each.resize(*largest as usize + 1, T::default());
        }
        values.each(docs, |place, value| each[buckets[place] as usize].take(Values::float(kind, value)));
        Ok(())
    }

    fn finish(mut self: Box<Self>, buckets: usize) -> tantivy::Result<Vec<Partial>> {
        self.each.resize(buckets, T::default());
        Ok(self.each.into_iter().map(T::partial).collect())
    }
}

/// Distinct pairs of bucket and value that are kept as they are; more go into sketches.
const MAX_PAIRS: usize = 1 << 20;

/// Collects distinct values.
pub(super) struct Distinct {
    values: Option<Values>,
    floats: bool,
    slots: Slots,
    sketches: Vec<Sketch>,
}

impl Distinct {
    pub fn new(values: Option<Values>, floats: bool) -> Distinct {
        Distinct { values, floats, slots: Slots::default(), sketches: Vec::new() }
    }

    /// Puts what was seen into the sketches.
    fn condense(&mut self) -> tantivy::Result<()> {
        let pairs = std::mem::take(&mut self.slots).pairs;
        let Some(values) = &self.values else {
            return Ok(());
        };
        let names = match &values.strings {
            Some(strings) => resolve(strings, pairs.iter().map(|(_, value)| *value).collect())?,
            None => Default::default(),
        };
        let buckets = pairs.iter().map(|(bucket, _)| *bucket as usize + 1).max().unwrap_or_default();
        self.sketches.resize(buckets.max(self.sketches.len()), Sketch::default());
        for (bucket, value) in &pairs {
            let sketch = &mut self.sketches[*bucket as usize];
            match names.get(value) {
                Some(name) => sketch.add(name),
                None if self.floats => sketch.add(Values::float(values.kind, *value).to_bits()),
                None => sketch.add(Values::whole(values.kind, *value)),
            }
        }
        Ok(())
    }
}

impl Collect for Distinct {
    fn collect(&mut self, docs: &[DocId], buckets: &[u32]) -> tantivy::Result<()> {
        if let Some(values) = &mut self.values {
            let slots = &mut self.slots;
            values.each(docs, |place, value| _ = slots.get(buckets[place], value));
        }
        if self.slots.len() > MAX_PAIRS { self.condense() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>, buckets: usize) -> tantivy::Result<Vec<Partial>> {
        self.condense()?;
        self.sketches.resize(buckets, Sketch::default());
        Ok(self.sketches.into_iter().map(Partial::Distinct).collect())
    }
}
