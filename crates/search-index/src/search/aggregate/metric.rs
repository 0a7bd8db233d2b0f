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

/// Collects distinct values.
pub(super) struct Distinct {
    values: Option<Values>,
    floats: bool,
    slots: Slots,
}

impl Distinct {
    pub fn new(values: Option<Values>, floats: bool) -> Distinct {
        Distinct { values, floats, slots: Slots::default() }
    }
}

impl Collect for Distinct {
    fn collect(&mut self, docs: &[DocId], buckets: &[u32]) -> tantivy::Result<()> {
        if let Some(values) = &mut self.values {
            let slots = &mut self.slots;
            values.each(docs, |place, value| _ = slots.get(buckets[place], value));
        }
        Ok(())
    }

    fn finish(self: Box<Self>, buckets: usize) -> tantivy::Result<Vec<Partial>> {
        let mut sketches = vec![Sketch::default(); buckets];
        let Some(values) = &self.values else {
            return Ok(sketches.into_iter().map(Partial::Distinct).collect());
        };
        let names = match &values.strings {
            Some(strings) => resolve(strings, self.slots.pairs.iter().map(|(_, value)| *value).collect())?,
            None => Default::default(),
        };
        for (bucket, value) in &self.slots.pairs {
            let Some(sketch) = sketches.get_mut(*bucket as usize) else {
                continue;
            };
            match names.get(value) {
                Some(name) => sketch.add(name),
                None if self.floats => sketch.add(Values::float(values.kind, *value).to_bits()),
                None => sketch.add(Values::whole(values.kind, *value)),
            }
        }
        Ok(sketches.into_iter().map(Partial::Distinct).collect())
    }
}
