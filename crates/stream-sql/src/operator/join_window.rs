//! The window of one side of a join: its rows, and where those with equal keys are.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::equality::Hashed;
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
    #[serde(rename = "r", with = "super::as_list")]
    rows: BTreeMap<Place, Kept>,
    #[serde(skip)]
    index: Index,
}

/// Places by what their keys can equal: made of the rows when it is not there.
#[derive(Debug, Clone, Default)]
struct Index(Option<HashMap<Hashed, VecDeque<Place>, KeyHasher>>);

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
    pub(super) fn index(&mut self, hash: impl Fn(&Kept) -> Hashed) {
        if self.index.0.is_some() {
            return;
        }
        let mut index = HashMap::default();
        for (place, kept) in &self.rows {
            index.entry(hash(kept)).or_insert_with(VecDeque::new).push_back(*place);
        }
        self.index.0 = Some(index);
    }

    /// The rows whose keys can equal others, in the order in which they leave; behind them those of whom that is not known.
    pub(super) fn find(&self, hash: Hashed) -> impl Iterator<Item = (Place, &Kept)> {
        let wanted = match hash {
            Hashed::Value(_) => [Some(hash), Some(Hashed::Failed)],
            Hashed::Null | Hashed::Failed => [None, None],
        };
        let places = wanted.into_iter().flatten().filter_map(|hash| self.index.0.as_ref()?.get(&hash)).flatten();
        let found = places.filter_map(|place| self.rows.get(place).map(|kept| (*place, kept)));
        let all = (hash == Hashed::Failed).then_some(&self.rows).into_iter().flatten();
        found.chain(all.map(|(place, kept)| (*place, kept)))
    }

    /// Notes that a row has met one of the other side.
    pub(super) fn meet(&mut self, place: Place) {
        if let Some(kept) = self.rows.get_mut(&place) {
            kept.met = true;
        }
    }

    /// Adds a row. The index must be there.
    pub(super) fn push(&mut self, end: i64, hash: Hashed, kept: Kept) {
        let place = (end, self.next);
        self.next += 1;
        self.rows.insert(place, kept);
        if let Some(index) = &mut self.index.0 {
            let places = index.entry(hash).or_default();
            places.insert(places.partition_point(|known| *known < place), place);
        }
    }

    /// The first row leaves.
    pub(super) fn pop(&mut self, hash: impl Fn(&Kept) -> Hashed) -> Option<Kept> {
        let (_, kept) = self.rows.pop_first()?;
        if let Some(index) = &mut self.index.0
            && let Entry::Occupied(mut places) = index.entry(hash(&kept))
        {
            // Those with its keys leave in the same order.
            places.get_mut().pop_front();
            if places.get().is_empty() {
                places.remove();
            }
        }
        Some(kept)
    }
}
