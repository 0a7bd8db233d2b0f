//! ORDER BY: sorts the rows of one period of time.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::tumble::next_change;
use crate::expression::{Expr, Row, RowError, compare};
use crate::value::Value;

#[derive(Debug, Clone)]
pub(crate) struct Sort {
    /// The leading key, over ROWTIME: a period ends when it changes, and its rows get that ROWTIME. None: the rows are the groups of
    /// a window, which come together.
    pub(crate) period: Option<Expr>,
    pub(crate) keys: Vec<SortKey>,
}

/// A place of the row to sort by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SortKey {
    pub(crate) place: usize,
    pub(crate) descending: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SortState {
    #[serde(rename = "e")]
    end: Option<i64>,
    #[serde(rename = "r")]
    rows: Vec<(i64, Vec<Value>)>,
}

impl Sort {
    pub(super) fn row(&self, state: &mut SortState, row: Row<'_>) -> Result<(), RowError> {
        if state.rows.is_empty() {
            state.end = match &self.period {
                Some(key) => next_change(key, row.rowtime)?,
                None => None,
            };
        }
        state.rows.push((row.rowtime, row.values.iter().cloned().map(Value::from).collect()));
        Ok(())
    }

    /// The rows of a period that is over, sorted.
    pub(super) fn bound(&self, state: &mut SortState, time: i64) -> Vec<(i64, Vec<Value>)> {
        let over = match (&self.period, state.end) {
            (None, _) => true,
            (Some(_), Some(end)) => end <= time,
            (Some(_), None) => false,
        };
        if !over || state.rows.is_empty() {
            return Vec::new();
        }
        let mut rows = std::mem::take(&mut state.rows);
        if let Some(end) = state.end.take() {
            rows.iter_mut().for_each(|row| row.0 = end);
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| order(&self.keys, &a.1, &b.1)));
        rows
    }
}

/// NULLs come last, first when descending.
pub(super) fn order(keys: &[SortKey], a: &[Value], b: &[Value]) -> Ordering {
    for key in keys {
        let (a, b) = (a[key.place].borrow(), b[key.place].borrow());
        let ordering = compare(&a, &b).unwrap_or_else(|| a.is_null().cmp(&b.is_null()));
        if ordering != Ordering::Equal {
            return if key.descending { ordering.reverse() } else { ordering };
        }
    }
    Ordering::Equal
}
