//! COUNT_DISTINCT_ITEMS_TUMBLING: how many different values each tumbling window has.

use std::hash::Hasher;

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use super::hyper_log_log::HyperLogLog;
use super::random::mix;
use super::window_end;
use crate::expression::{Expr, Row, RowError};
use crate::operator::calc::holds;
use crate::operator::tumble::{Complete, KeyHasher, hash};
use crate::value::Value;

/// Up to so many values the count is exact, as the service says: but for the chance, one in 10^11, that two have the same hash.
const EXACT: usize = 10_000;

/// Gives a row (number) at the end of each window, counted from 1970, that has rows. NULLs are no values.
#[derive(Debug, Clone)]
pub(crate) struct CountDistinct {
    pub(crate) condition: Option<Expr>,
    pub(crate) value: Expr,
    /// Milliseconds.
    pub(crate) length: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CountDistinctState {
    #[serde(rename = "e")]
    end: Option<i64>,
    #[serde(rename = "v")]
    values: Values,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Values {
    /// Their hashes.
    #[serde(rename = "h")]
    Few(IndexSet<u64, KeyHasher>),
    #[serde(rename = "r")]
    Many(HyperLogLog),
}

impl Default for Values {
    fn default() -> Values {
        Values::Few(IndexSet::default())
    }
}

impl CountDistinct {
    pub(super) fn row(&self, state: &mut CountDistinctState, row: Row<'_>) -> Result<(), RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(());
        }
        let value = self.value.eval(row)?;
        state.end.get_or_insert(window_end(row.rowtime, self.length));
        if !value.is_null() {
            let mut hasher = Mixer::default();
            hash(&value, &mut hasher);
            state.values.add(hasher.finish());
        }
        Ok(())
    }
}

impl CountDistinctState {
    pub(super) fn bound(&mut self, time: i64, complete: &mut Vec<Complete>) {
        if let Some(end) = self.end.take_if(|end| *end <= time) {
            let values = std::mem::take(&mut self.values);
            complete.push(Ok((end, vec![Value::Integer(values.count())])));
        }
    }
}

impl Values {
    fn add(&mut self, hash: u64) {
        match self {
            Values::Many(sketch) => sketch.add(hash),
            Values::Few(hashes) => {
                hashes.insert(hash);
                if hashes.len() > EXACT {
                    let mut sketch = HyperLogLog::new();
                    hashes.iter().for_each(|hash| sketch.add(*hash));
                    *self = Values::Many(sketch);
                }
            }
        }
    }

    fn count(&self) -> i64 {
        match self {
            Values::Few(hashes) => hashes.len() as i64,
            Values::Many(sketch) => sketch.estimate().round() as i64,
        }
    }
}

/// A hash all of whose bits are even, the same on every machine.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = mix(self.0 ^ mix(u64::from_le_bytes(word)));
        }
        // A text that ends in zeros is not the same as a shorter one.
        self.0 = mix(self.0 ^ bytes.len() as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
