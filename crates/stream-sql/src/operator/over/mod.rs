//! OVER: sliding windows. One row comes out for each that goes in, at once, and sees the rows that have come so far.
//!
//! What a call remembers changes with each row that comes or leaves, so the cost of a row does not depend on the size of its window.
//! Rows of a RANGE window wait in a queue of pages for their time to leave, those of a ROWS window in their partition; from a window
//! without bounds none leaves.

mod ahead;
mod behind;
mod bytes;
mod partitions;
mod queue;
mod running;
mod sum;
mod window;

use serde::{Deserialize, Serialize};

use super::aggregate::AggregateFunction;
use super::calc::holds;
use crate::expression::{Expr, Row, RowError};
use crate::value::Datum;

pub(crate) use queue::Queue;
pub(crate) use window::Window;
use window::{Evaluated, WindowState};

/// How many rows a page has. A thousand rows a second fill one in four seconds; it is stored once, while what has not filled one yet
/// is a part of every state.
const PAGE_ROWS: usize = 4_096;

#[derive(Debug, Clone)]
pub(crate) struct Over {
    condition: Option<Expr>,
    windows: Vec<Window>,
    /// How many calls there are: their results follow the columns of the row.
    results: usize,
    /// Columns of the row that are read after it.
    reads: Vec<usize>,
    pub(crate) page_rows: usize,
}

/// How far a window reaches back from the current row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// So many rows more than the current one.
    Rows(usize),
    /// So many milliseconds, both ends included.
    Range(i64),
    /// To the first row there was.
    Unbounded,
}

#[derive(Debug, Clone)]
pub(crate) struct WindowCall {
    /// Its place among the results of all calls.
    pub(crate) result: usize,
    pub(crate) function: WindowFunction,
    /// None: `COUNT(*)`.
    pub(crate) arg: Option<Expr>,
    /// What LAG gives where there is no such row.
    pub(crate) default: Option<Expr>,
    /// Where its argument is in what the window keeps of a row, if it keeps it.
    kept: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum WindowFunction {
    Aggregate {
        function: AggregateFunction,
        distinct: bool,
    },
    /// The so-many-eth row, from 1: `FIRST_VALUE`, `NTH_VALUE`.
    First {
        place: usize,
        ignore_nulls: bool,
    },
    /// The so-many-eth from the end, from 1: `LAST_VALUE`, `NTH_VALUE … FROM LAST`.
    Last {
        place: usize,
        ignore_nulls: bool,
    },
    /// So many rows before the current one.
    Lag {
        rows: usize,
        ignore_nulls: bool,
    },
    /// A row weighs half as much after each half-life (ms).
    ExponentialAverage {
        half_life: i64,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OverState {
    /// ROWTIME of the latest row, or bound.
    #[serde(rename = "h")]
    high: i64,
    #[serde(rename = "w")]
    windows: Vec<WindowState>,
}

impl WindowCall {
    pub(crate) fn new(result: usize, function: WindowFunction, arg: Option<Expr>, default: Option<Expr>) -> WindowCall {
        WindowCall { result, function, arg, default, kept: None }
    }
}

impl Over {
    /// `reads`: columns of the row that are read after it.
    pub(crate) fn new(condition: Option<Expr>, mut windows: Vec<Window>, reads: Vec<usize>) -> Over {
        windows.iter_mut().for_each(Window::choose_kept);
        let results = windows.iter().map(|window| window.calls.len()).sum();
        Over { condition, windows, results, reads, page_rows: PAGE_ROWS }
    }

    pub(super) fn start(&self) -> OverState {
        OverState { high: i64::MIN, windows: self.windows.iter().map(Window::start).collect() }
    }

    /// Calls `visit` for every column that is read of its input.
    pub(super) fn columns(&self, visit: &mut dyn FnMut(usize)) {
        self.reads.iter().for_each(|place| visit(*place));
        self.condition.iter().for_each(|condition| condition.columns(visit));
        for window in &self.windows {
            let args = window.calls.iter().flat_map(|call| call.arg.iter().chain(&call.default));
            window.partition.iter().chain(args).for_each(|expr| expr.columns(visit));
        }
    }

    /// The row with the results behind its columns, or nothing if it does not meet the condition.
    pub(super) fn row<'r>(&'r self, state: &mut OverState, row: Row<'r>) -> Result<Option<Vec<Datum<'r>>>, RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(None);
        }
        if row.rowtime < state.high {
            return Err(RowError("the row is late: a later ROWTIME has been in its window before".into()));
        }
        // Keys and arguments can fail: they come before anything is changed.
        let mut evaluated = Evaluated::new();
        for window in &self.windows {
            window.evaluate(row, &mut evaluated)?;
        }
        state.high = row.rowtime;
        let width = row.values.len();
        let mut values = Vec::with_capacity(width + self.results);
        values.extend(row.values.iter().map(Datum::borrow));
        values.resize(width + self.results, Datum::Null);
        let mut rest = evaluated.as_slice();
        for (window, state) in self.windows.iter().zip(&mut state.windows) {
            let (entering, behind) = window.entering(row, rest);
            rest = behind;
            let (place, number) = window.enter(state, &entering, self.page_rows);
            let Some(partition) = state.partitions.get_mut(number) else { continue };
            for ((call, running), arg) in window.calls.iter().zip(&partition.running).zip(entering.args) {
                values[width + call.result] = match (running.result(call, place, arg)?, &call.default) {
                    (Some(value), _) => value,
                    (None, Some(default)) => default.eval(row)?,
                    (None, None) => Datum::Null,
                };
            }
        }
        Ok(Some(values))
    }

    /// No row before `time` will come: those leave that no later one sees.
    pub(super) fn bound(&self, state: &mut OverState, time: i64) {
        state.high = state.high.max(time);
        for (window, state) in self.windows.iter().zip(&mut state.windows) {
            window.slide(state, time);
        }
    }
}

impl OverState {
    /// Of each window.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.windows.iter().map(|window| &window.queue)
    }

    pub(crate) fn queues_mut(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.windows.iter_mut().map(|window| &mut window.queue)
    }
}
