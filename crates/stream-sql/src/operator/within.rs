//! ORDER BY … WITHIN: puts rows into the order of a time of their own, as far as they are out of it by no more than an interval.
//!
//! It knows time from the rows alone: what the bounds of its input say is of another clock ("You cannot use incoming rowtimebounds").

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::sort::{SortKey, order};
use super::tumble::Complete;
use crate::expression::{Row, RowError};
use crate::value::{Datum, Value};

#[derive(Debug, Clone)]
pub(crate) struct Within {
    /// How far behind the latest row one may come, in milliseconds.
    pub(crate) length: i64,
    /// The place of the time.
    pub(crate) key: usize,
    /// What rows of the same time are sorted by.
    pub(crate) keys: Vec<SortKey>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct WithinState {
    /// The latest time of a row.
    #[serde(rename = "h")]
    high: Option<i64>,
    /// Rows that wait, in order.
    #[serde(rename = "r")]
    rows: VecDeque<(i64, Vec<Value>)>,
}

impl Within {
    /// Takes a row; one that comes too late is an error, one without a time is dropped.
    pub(super) fn row(&self, state: &mut WithinState, row: Row<'_>) -> Result<(), RowError> {
        let Some(Datum::Timestamp(time)) = row.values.get(self.key) else { return Ok(()) };
        if self.bound(state).is_some_and(|bound| *time < bound) {
            return Err(RowError("the row is late: it comes later than WITHIN allows".into()));
        }
        let values: Vec<Value> = row.values.iter().cloned().map(Value::from).collect();
        let place = state
            .rows
            .partition_point(|known| known.0.cmp(time).then_with(|| order(&self.keys, &known.1, &values)).is_le());
        state.rows.insert(place, (*time, values));
        state.high = state.high.max(Some(*time));
        Ok(())
    }

    /// No row of an earlier time will be taken.
    pub(super) fn bound(&self, state: &WithinState) -> Option<i64> {
        state.high.map(|high| high.saturating_sub(self.length))
    }

    /// The rows before which no other can come.
    pub(super) fn release(&self, state: &mut WithinState) -> Vec<Complete> {
        let Some(bound) = self.bound(state) else { return Vec::new() };
        // Of those at the bound more may come: they need to wait only where something else orders them.
        let until = if self.keys.is_empty() { bound } else { bound.saturating_sub(1) };
        let count = state.rows.partition_point(|row| row.0 <= until);
        state.rows.drain(..count).map(Ok).collect()
    }
}

impl WithinState {
    /// All rows: no other comes.
    pub(super) fn release_all(&mut self) -> Vec<Complete> {
        self.rows.drain(..).map(Ok).collect()
    }
}
