//! OVER: sliding windows. One row comes out for each that goes in, at once, and sees the rows that have come so far.
//!
//! A window keeps what its calls need of its rows and computes them anew for each row: the cost of a row is the size of its window.

use std::collections::VecDeque;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, AggregateFunction};
use super::calc::holds;
use super::tumble::{GroupKey, KeyHasher};
use crate::expression::{Expr, Row, RowError, to_double};
use crate::value::{Datum, Value};

#[derive(Debug, Clone)]
pub(crate) struct Over {
    pub(crate) condition: Option<Expr>,
    pub(crate) windows: Vec<Window>,
    /// Their results follow the columns of the row.
    pub(crate) calls: Vec<WindowCall>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    pub(crate) partition: Vec<Expr>,
    pub(crate) frame: Frame,
}

/// How far a window reaches back from the current row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// So many rows more than the current one.
    Rows(u64),
    /// So many milliseconds, both ends included.
    Range(i64),
}

#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    /// Which window.
    pub(crate) window: usize,
    pub(crate) function: WindowFunction,
    /// None: `COUNT(*)`.
    pub(crate) arg: Option<Expr>,
    /// What LAG gives where there is no such row.
    pub(crate) default: Option<Expr>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum WindowFunction {
    Aggregate(AggregateFunction),
    First {
        ignore_nulls: bool,
    },
    Last {
        ignore_nulls: bool,
    },
    Lag {
        rows: u64,
        ignore_nulls: bool,
    },
    /// A row weighs half as much after each half-life (ms).
    ExponentialAverage {
        half_life: i64,
    },
}

/// What a window keeps of a row: ROWTIME and the arguments of its calls.
type Kept = (i64, Vec<Value>);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OverState {
    #[serde(rename = "w")]
    windows: Vec<WindowState>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct WindowState {
    #[serde(rename = "p", with = "indexmap::map::serde_seq")]
    partitions: IndexMap<GroupKey, VecDeque<Kept>, KeyHasher>,
    /// When partitions out of which all rows have slid were last removed.
    #[serde(rename = "s")]
    swept: i64,
}

impl Over {
    /// The row with the results behind its columns, or nothing if it does not meet the condition.
    pub(super) fn row<'r>(&self, state: &mut OverState, row: Row<'r>) -> Result<Option<Vec<Datum<'r>>>, RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(None);
        }
        state.windows.resize_with(self.windows.len(), WindowState::default);
        // All that can fail comes before anything is changed.
        let mut kept = Vec::with_capacity(self.windows.len());
        for (number, window) in self.windows.iter().enumerate() {
            let key =
                window.partition.iter().map(|key| key.eval(row).map(Value::from)).collect::<Result<Vec<_>, _>>()?;
            let calls = self.calls.iter().filter(|call| call.window == number);
            let args = calls.map(|call| match &call.arg {
                Some(arg) => arg.eval(row).map(Value::from),
                None => Ok(Value::Boolean(true)),
            });
            kept.push((GroupKey(key), args.collect::<Result<Vec<_>, _>>()?));
        }
        let mut rows = Vec::with_capacity(self.windows.len());
        for ((window, state), (key, args)) in self.windows.iter().zip(&mut state.windows).zip(kept) {
            rows.push(window.slide(state, row.rowtime, key, args));
        }
        let mut values: Vec<Datum<'r>> = row.values.iter().map(Datum::borrow).collect();
        let mut places = vec![0; self.windows.len()];
        for call in &self.calls {
            let place = &mut places[call.window];
            values.push(call.result(rows[call.window], *place, row)?.into());
            *place += 1;
        }
        Ok(Some(values))
    }

    /// Forgets the partitions out of which all rows have slid.
    pub(super) fn bound(&self, state: &mut OverState, time: i64) {
        for (window, state) in self.windows.iter().zip(&mut state.windows) {
            if let Frame::Range(length) = window.frame
                && time.saturating_sub(state.swept) > length
            {
                state
                    .partitions
                    .retain(|_, rows| rows.back().is_some_and(|last| last.0 >= time.saturating_sub(length)));
                state.swept = time;
            }
        }
    }
}

impl Window {
    /// Adds a row and lets go of those that the window has left behind.
    fn slide<'s>(
        &self,
        state: &'s mut WindowState,
        rowtime: i64,
        key: GroupKey,
        args: Vec<Value>,
    ) -> &'s VecDeque<Kept> {
        let rows = state.partitions.entry(key).or_default();
        rows.push_back((rowtime, args));
        match self.frame {
            Frame::Rows(preceding) => {
                while rows.len() as u64 > preceding.saturating_add(1) {
                    rows.pop_front();
                }
            }
            Frame::Range(length) => {
                while rows.front().is_some_and(|first| first.0 < rowtime.saturating_sub(length)) {
                    rows.pop_front();
                }
            }
        }
        rows
    }
}

impl WindowCall {
    fn result(&self, rows: &VecDeque<Kept>, place: usize, row: Row<'_>) -> Result<Value, RowError> {
        let wanted = |ignore_nulls: bool| {
            rows.iter().map(move |(_, args)| &args[place]).filter(move |value| !ignore_nulls || **value != Value::Null)
        };
        let found = match self.function {
            WindowFunction::Aggregate(function) => {
                let aggregate = Aggregate { function, arg: None };
                let mut accumulator = aggregate.start();
                rows.iter().for_each(|(_, args)| aggregate.add(&mut accumulator, &args[place].borrow()));
                return aggregate.finish(&accumulator).map(Value::from);
            }
            WindowFunction::ExponentialAverage { half_life } => {
                let (mut sum, mut weights) = (0.0, 0.0);
                for (rowtime, args) in rows.iter().filter(|(_, args)| args[place] != Value::Null) {
                    let weight = 0.5f64.powf((row.rowtime - rowtime) as f64 / half_life as f64);
                    sum += weight * to_double(&args[place].borrow());
                    weights += weight;
                }
                return Ok(if weights > 0.0 { Value::Double(sum / weights) } else { Value::Null });
            }
            WindowFunction::First { ignore_nulls } => wanted(ignore_nulls).next(),
            WindowFunction::Last { ignore_nulls } => wanted(ignore_nulls).next_back(),
            WindowFunction::Lag { rows: 0, .. } => rows.back().map(|(_, args)| &args[place]),
            WindowFunction::Lag { rows: back, ignore_nulls } => {
                let before = rows.iter().rev().skip(1).map(|(_, args)| &args[place]);
                let skip = usize::try_from(back - 1).unwrap_or(usize::MAX);
                before.filter(|value| !ignore_nulls || **value != Value::Null).nth(skip)
            }
        };
        match (found, &self.default) {
            (Some(value), _) => Ok(value.clone()),
            (None, Some(default)) => default.eval(row).map(Value::from),
            (None, None) => Ok(Value::Null),
        }
    }
}
