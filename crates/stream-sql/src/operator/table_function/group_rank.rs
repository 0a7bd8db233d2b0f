//! GROUP_RANK: ranks the rows of one ROWTIME.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::expression::{Row, RowError, compare};
use crate::operator::tumble::Complete;
use crate::value::Value;

/// How many rows of one ROWTIME may wait: a row more fails.
const MAX_ROWS: usize = 1_000_000;

/// Holds rows of one ROWTIME until a later one comes or is announced; then gives them out with their ranks, as RANK() has them:
/// equals have the same one, and those after them are as far on as if they had not.
#[derive(Debug, Clone)]
pub(crate) struct GroupRank {
    /// The place of the column to rank by. NULLs are the greatest.
    pub(crate) column: usize,
    pub(crate) descending: bool,
    pub(crate) order: OutputOrder,
    /// How many rows of a group come out.
    pub(crate) limit: usize,
}

/// The order in which the rows of a group come out; those of one rank as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputOrder {
    Ascending,
    Descending,
    Received,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GroupRankState {
    #[serde(rename = "t")]
    rowtime: i64,
    #[serde(rename = "r")]
    rows: Vec<Vec<Value>>,
}

impl GroupRank {
    pub(super) fn row(
        &self,
        state: &mut GroupRankState,
        row: Row<'_>,
        complete: &mut Vec<Complete>,
    ) -> Result<(), RowError> {
        if state.rowtime != row.rowtime {
            self.release(state, complete);
        }
        if state.rows.len() == MAX_ROWS {
            return Err(RowError(format!("GROUP_RANK: more than {MAX_ROWS} rows have this ROWTIME")));
        }
        state.rowtime = row.rowtime;
        state.rows.push(row.values.iter().cloned().map(Value::from).collect());
        Ok(())
    }

    pub(super) fn bound(&self, state: &mut GroupRankState, time: i64, complete: &mut Vec<Complete>) {
        if time > state.rowtime {
            self.release(state, complete);
        }
    }

    fn release(&self, state: &mut GroupRankState, complete: &mut Vec<Complete>) {
        let rows = std::mem::take(&mut state.rows);
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by(|a, b| self.compare(&rows[*a], &rows[*b]));
        let mut ranks = vec![1; rows.len()];
        for (before, pair) in places.windows(2).enumerate() {
            let is_tie = self.compare(&rows[pair[0]], &rows[pair[1]]).is_eq();
            ranks[pair[1]] = if is_tie { ranks[pair[0]] } else { before as i64 + 2 };
        }
        let mut ranked: Vec<(i64, Vec<Value>)> = ranks.into_iter().zip(rows).collect();
        match self.order {
            OutputOrder::Ascending => ranked.sort_by_key(|(rank, _)| *rank),
            OutputOrder::Descending => ranked.sort_by_key(|(rank, _)| -rank),
            OutputOrder::Received => {}
        }
        complete.extend(ranked.into_iter().take(self.limit).map(|(rank, mut row)| {
            row.push(Value::Integer(rank));
            Ok((state.rowtime, row))
        }));
    }

    fn compare(&self, a: &[Value], b: &[Value]) -> Ordering {
        let (a, b) = (a[self.column].borrow(), b[self.column].borrow());
        let ordering = compare(&a, &b).unwrap_or_else(|| a.is_null().cmp(&b.is_null()));
        if self.descending { ordering.reverse() } else { ordering }
    }
}
