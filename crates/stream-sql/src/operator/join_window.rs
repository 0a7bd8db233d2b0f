//! The window of one side of a join: its rows, and where those with equal keys are.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::tumble::KeyHasher;
use crate::value::Value;

/// When a row leaves the window, and its number: rows leave in this order.
pub(super) type Place = (i64, u64);

/// What is kept of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Whether it met one of the other side.
    #[serde(rename = "m")]
    pub(super) met: bool,
    #[serde(rename = "v")]
    pub(super) values: Vec<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Window {
    /// The number of the next row.
    #[serde(rename = "n")]
    next: u64,
    #[serde(rename = "r", with = "as_list")]
    rows: BTreeMap<Place, Kept>,
    #[serde(skip)]
    index: Index,
}

/// Places by the hashes of keys: made of the rows when it is not there.
#[derive(Debug, Clone, Default)]
struct Index(Option<HashMap<u64, VecDeque<Place>, KeyHasher>>);

/// It is no part of the state.
impl PartialEq for Index {
    fn eq(&self, _: &Index) -> bool {
        true
    }
}

impl Window {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// When the first row leaves.
    pub(super) fn first_end(&self) -> Option<i64> {
        self.rows.first_key_value().map(|((end, _), _)| *end)
    }

    /// Makes the index if it is not there.
    pub(super) fn index(&mut self, hash: impl Fn(&Kept) -> Option<u64>) {
        if self.index.0.is_some() {
            return;
        }
        let mut index = HashMap::default();
        for (place, kept) in &self.rows {
            if let Some(hash) = hash(kept) {
                index.entry(hash).or_insert_with(VecDeque::new).push_back(*place);
            }
        }
        self.index.0 = Some(index);
    }

    /// The rows whose keys have a hash, in the order in which they leave.
    pub(super) fn find(&self, hash: u64) -> impl Iterator<Item = (Place, &Kept)> {
        let places = self.index.0.as_ref().and_then(|index| index.get(&hash));
        places.into_iter().flatten().filter_map(|place| self.rows.get(place).map(|kept| (*place, kept)))
    }

    /// Notes that a row has met one of the other side.
    pub(super) fn meet(&mut self, place: Place) {
        if let Some(kept) = self.rows.get_mut(&place) {
            kept.met = true;
        }
    }

    /// Adds a row. The index must be there.
    pub(super) fn push(&mut self, end: i64, hash: Option<u64>, kept: Kept) {
        let place = (end, self.next);
        self.next += 1;
        self.rows.insert(place, kept);
        if let (Some(hash), Some(index)) = (hash, &mut self.index.0) {
            let places = index.entry(hash).or_default();
            places.insert(places.partition_point(|known| *known < place), place);
        }
    }

    /// The first row leaves.
    pub(super) fn pop(&mut self, hash: impl Fn(&Kept) -> Option<u64>) -> Option<Kept> {
        let (_, kept) = self.rows.pop_first()?;
        if let Some(index) = &mut self.index.0
            && let Some(hash) = hash(&kept)
            && let Some(places) = index.get_mut(&hash)
        {
            // Those with its keys leave in the same order.
            places.pop_front();
            if places.is_empty() {
                index.remove(&hash);
            }
        }
        Some(kept)
    }
}

/// Rows as a list of places and rows: keys of JSON are texts.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Kept, Place};

    pub(super) fn serialize<S: Serializer>(rows: &BTreeMap<Place, Kept>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(rows)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Place, Kept>, D::Error> {
        Ok(Vec::<(Place, Kept)>::deserialize(deserializer)?.into_iter().collect())
    }
}
