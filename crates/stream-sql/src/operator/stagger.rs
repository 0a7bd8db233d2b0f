//! WINDOWED BY STAGGER: a window per key, which opens with the key's first row.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::aggregate::{Accumulator, Aggregate};
use super::calc::holds;
use super::tumble::{Complete, GroupKey, KeyHasher};
use crate::expression::{Expr, Row, RowError};
use crate::value::Value;

#[derive(Debug, Clone)]
pub(crate) struct Stagger {
    pub(crate) condition: Option<Expr>,
    pub(crate) keys: Vec<Expr>,
    pub(crate) aggregates: Vec<Aggregate>,
    /// Milliseconds. A row exactly so long after the first is outside.
    pub(crate) length: i64,
}

/// When a window closes, and its aggregates.
type OpenWindow = (i64, Box<[Accumulator]>);

/// Windows in the order in which they opened, which is that in which they close.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct StaggerState {
    #[serde(rename = "g", with = "indexmap::map::serde_seq")]
    open: IndexMap<GroupKey, OpenWindow, KeyHasher>,
}

impl Stagger {
    pub(super) fn row(&self, state: &mut StaggerState, row: Row<'_>) -> Result<(), RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(());
        }
        let keys = self.keys.iter().map(|key| key.eval(row).map(Value::from)).collect::<Result<Vec<_>, _>>()?;
        let mut args = Vec::with_capacity(self.aggregates.len());
        for aggregate in &self.aggregates {
            args.push(match &aggregate.arg {
                Some(arg) => arg.eval(row)?,
                None => crate::value::Datum::Boolean(true),
            });
        }
        let start =
            || (row.rowtime.saturating_add(self.length), self.aggregates.iter().map(Aggregate::start).collect());
        let (_, accumulators) = state.open.entry(GroupKey(keys)).or_insert_with(start);
        for ((aggregate, accumulator), arg) in self.aggregates.iter().zip(accumulators).zip(&args) {
            aggregate.add(accumulator, arg);
        }
        Ok(())
    }

    pub(super) fn bound(&self, state: &mut StaggerState, time: i64, complete: &mut Vec<Complete>) {
        let closing = state.open.values().take_while(|(end, _)| *end <= time).count();
        for (key, (end, accumulators)) in state.open.drain(..closing) {
            let finish = |(aggregate, accumulator): (&Aggregate, _)| aggregate.finish(accumulator).map(Value::from);
            let results = self.aggregates.iter().zip(&accumulators).map(finish).collect::<Result<Vec<_>, _>>();
            complete.push(results.map(|results| (end, key.0.into_iter().chain(results).collect())));
        }
    }
}
