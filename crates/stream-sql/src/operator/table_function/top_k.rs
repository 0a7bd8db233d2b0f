//! TOP_K_ITEMS_TUMBLING: the most frequent values of each tumbling window.

use serde::{Deserialize, Serialize};

use super::space_saving::SpaceSaving;
use super::window_end;
use crate::expression::{Expr, Row, RowError};
use crate::operator::calc::holds;
use crate::operator::tumble::Complete;
use crate::value::Value;

/// Up to so many different values in a window, and always up to twice K, counts are exact.
const COUNTERS: usize = 100_000;

/// Gives K rows (value, count) at the end of each window, counted from 1970, that has values; the most frequent first. NULLs are no
/// values.
#[derive(Debug, Clone)]
pub(crate) struct TopK {
    pub(crate) condition: Option<Expr>,
    pub(crate) value: Expr,
    pub(crate) k: usize,
    /// Milliseconds.
    pub(crate) length: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TopKState {
    #[serde(rename = "e")]
    end: Option<i64>,
    #[serde(rename = "s")]
    summary: SpaceSaving,
}

impl TopK {
    pub(super) fn row(&self, state: &mut TopKState, row: Row<'_>) -> Result<(), RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(());
        }
        let value = self.value.eval(row)?;
        if !value.is_null() {
            state.end.get_or_insert(window_end(row.rowtime, self.length));
            state.summary.add(&value, COUNTERS.max(2 * self.k));
        }
        Ok(())
    }

    pub(super) fn bound(&self, state: &mut TopKState, time: i64, complete: &mut Vec<Complete>) {
        let Some(end) = state.end.take_if(|end| *end <= time) else { return };
        let top = std::mem::take(&mut state.summary).top(self.k);
        let row = |(value, count)| Ok((end, vec![value, Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))]));
        complete.extend(top.map(row));
    }
}
