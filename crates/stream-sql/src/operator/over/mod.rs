//! OVER: sliding windows. One row comes out for each that goes in, at once, and sees the rows that have come so far.
//!
//! What a call remembers changes with each row that comes or leaves, so the cost of a row does not depend on the size of its window.
//! Rows of a RANGE window wait in a queue of pages for their time to leave, those of a ROWS window in their partition; from a window
//! without bounds none leaves.

mod ahead;
mod bytes;
mod partitions;
mod queue;
mod running;
mod sum;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::aggregate::AggregateFunction;
use super::calc::holds;
use super::tumble::KeyHasher;
use crate::expression::{Expr, Row, RowError};
use crate::value::{Datum, Value};

use partitions::{Partition, Partitions};
pub(crate) use queue::Queue;
use queue::{KeptValues, QueuedRow};
use running::{Keeps, Place, Running};

/// How many rows a page has. A thousand rows a second fill one in four seconds; it is stored once, while what has not filled one yet
/// is a part of every state.
pub(crate) const PAGE_ROWS: usize = 4_096;

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

#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) partition: Vec<Expr>,
    pub(crate) frame: Frame,
    pub(crate) calls: Vec<WindowCall>,
    /// What is kept of a row until it leaves: whose argument.
    kept: Vec<(usize, Keeps)>,
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct WindowState {
    #[serde(rename = "p")]
    partitions: Partitions,
    /// Of a RANGE window.
    #[serde(rename = "q")]
    queue: Queue,
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
        let start = |window: &Window| WindowState {
            partitions: Partitions::default(),
            queue: Queue::new(if let Frame::Range(length) = window.frame { length } else { 0 }),
        };
        OverState { high: i64::MIN, windows: self.windows.iter().map(start).collect() }
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
        // All that can fail for this row alone comes before anything is changed.
        let mut entering = SmallVec::<[Entering<'_>; 2]>::new();
        for window in &self.windows {
            entering.push(window.entering(row)?);
        }
        state.high = row.rowtime;
        let width = row.values.len();
        let mut values = Vec::with_capacity(width + self.results);
        values.extend(row.values.iter().map(Datum::borrow));
        values.resize(width + self.results, Datum::Null);
        for ((window, state), entering) in self.windows.iter().zip(&mut state.windows).zip(&entering) {
            let (place, number) = window.enter(state, entering, self.page_rows);
            let Some(partition) = state.partitions.get_mut(number) else { continue };
            for ((call, running), arg) in window.calls.iter().zip(&partition.running).zip(&entering.args) {
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

/// A row that comes to a window.
struct Entering<'r> {
    rowtime: i64,
    key: SmallVec<[Datum<'r>; 2]>,
    /// One for each call of the window.
    args: SmallVec<[Datum<'r>; 4]>,
}

impl Window {
    pub(crate) fn new(partition: Vec<Expr>, frame: Frame) -> Window {
        Window { partition, frame, calls: Vec::new(), kept: Vec::new() }
    }

    fn choose_kept(&mut self) {
        let paged = matches!(self.frame, Frame::Range(_));
        // A value says whether it is NULL, too.
        for what in [Keeps::Value, Keeps::Presence] {
            for number in 0..self.calls.len() {
                if self.frame == Frame::Unbounded || self.calls[number].keeps(paged) != what {
                    continue;
                }
                let same = |(other, _): &(usize, Keeps)| self.calls[*other].arg == self.calls[number].arg;
                let place = self.kept.iter().position(same).unwrap_or_else(|| {
                    self.kept.push((number, what));
                    self.kept.len() - 1
                });
                self.calls[number].kept = Some(place);
            }
        }
    }

    fn entering<'r>(&'r self, row: Row<'r>) -> Result<Entering<'r>, RowError> {
        let arg = |call: &'r WindowCall| match &call.arg {
            Some(arg) => arg.eval(row),
            None => Ok(Datum::Boolean(true)),
        };
        Ok(Entering {
            rowtime: row.rowtime,
            key: self.partition.iter().map(|key| key.eval(row)).collect::<Result<_, _>>()?,
            args: self.calls.iter().map(arg).collect::<Result<_, _>>()?,
        })
    }

    /// A row comes, and those leave that the window has left behind. Its place, and its partition.
    fn enter(&self, state: &mut WindowState, row: &Entering<'_>, page_rows: usize) -> (Place, u32) {
        self.slide(state, row.rowtime);
        let partition = state.partitions.entry(&row.key, || self.calls.iter().map(WindowCall::start).collect());
        let place = Place { number: partition.entered, rowtime: row.rowtime };
        partition.entered += 1;
        for ((call, running), arg) in self.calls.iter().zip(&mut partition.running).zip(&row.args) {
            running.enter(call, place, arg, self.frame == Frame::Unbounded);
        }
        let number = partition.number;
        let kept = self.kept.iter().map(|(call, keeps)| match (&row.args[*call], keeps) {
            (Datum::Null, _) => Datum::Null,
            (_, Keeps::Presence) => Datum::Boolean(true),
            (arg, _) => arg.borrow(),
        });
        match self.frame {
            Frame::Range(_) => {
                let is_full = state.queue.push(row.rowtime, number, kept, page_rows);
                if is_full && state.queue.is_last_page_whole() {
                    self.collapse(state);
                }
            }
            Frame::Rows(preceding) => {
                partition.rows.push_back((row.rowtime, kept.map(Value::from).collect()));
                if partition.rows.len() > preceding.saturating_add(1)
                    && let Some((rowtime, kept)) = partition.rows.pop_front()
                {
                    self.leave(partition, rowtime, &kept);
                }
            }
            Frame::Unbounded => {}
        }
        (place, number)
    }

    /// Rows leave that a row of this time does not see.
    fn slide(&self, state: &mut WindowState, time: i64) {
        let Frame::Range(length) = self.frame else { return };
        let start = time.saturating_sub(length);
        if state.queue.is_before(start) {
            state.queue.clear();
            state.partitions.clear();
        }
        while state.queue.has_before(start) {
            if state.queue.begins_page() {
                self.expand(state);
            }
            let Some(QueuedRow { rowtime, partition: number, kept }) = state.queue.pop(self.kept.len()) else { return };
            let Some(partition) = state.partitions.get_mut(number) else { continue };
            self.leave(partition, rowtime, &kept);
            if partition.left == partition.entered {
                state.partitions.remove(number);
            }
        }
    }

    /// The oldest row of a partition leaves.
    fn leave(&self, partition: &mut Partition, rowtime: i64, kept: &[Value]) {
        let place = Place { number: partition.left, rowtime };
        partition.left += 1;
        for (call, running) in self.calls.iter().zip(&mut partition.running) {
            // COUNT(*) does not ask.
            let value = call.kept.and_then(|place| kept.get(place)).map_or(Datum::Boolean(true), Value::borrow);
            running.leave(call, place, &value);
        }
    }

    fn picks(&self) -> bool {
        self.calls.iter().any(|call| call.pick().is_some())
    }

    /// The last page is full: see [`ahead::Ahead`].
    fn collapse(&self, state: &mut WindowState) {
        if !self.picks() {
            return;
        }
        let mut counts: IndexMap<u32, u64, KeyHasher> = IndexMap::default();
        for row in state.queue.last_page(self.kept.len()) {
            *counts.entry(row.partition).or_default() += 1;
        }
        for (number, count) in counts {
            let Some(partition) = state.partitions.get_mut(number) else { continue };
            let first = partition.entered.saturating_sub(count);
            for (call, running) in self.calls.iter().zip(&mut partition.running) {
                if let (Running::Ahead(ahead), Some(pick)) = (running, call.pick()) {
                    ahead.collapse(pick, first);
                }
            }
        }
    }

    /// The first row of the first page is about to leave: see [`ahead::Ahead`].
    fn expand(&self, state: &mut WindowState) {
        if !self.picks() {
            return;
        }
        let mut rows: IndexMap<u32, Vec<KeptValues>, KeyHasher> = IndexMap::default();
        for row in state.queue.first_page(self.kept.len()) {
            rows.entry(row.partition).or_default().push(row.kept);
        }
        for (number, rows) in rows {
            let Some(partition) = state.partitions.get_mut(number) else { continue };
            for (call, running) in self.calls.iter().zip(&mut partition.running) {
                if let (Running::Ahead(ahead), Some(pick), Some(place)) = (running, call.pick(), call.kept) {
                    ahead.expand(pick, partition.left, rows.iter().map(|row| &row[place]));
                }
            }
        }
    }
}
