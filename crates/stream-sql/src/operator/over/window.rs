//! One window: rows come to its partitions, and leave them.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::partitions::{Partition, Partitions};
use super::queue::{KeptValues, Queue, QueuedRow};
use super::running::{Keeps, Place, Running};
use super::{Frame, WindowCall};
use crate::expression::{Expr, Row, RowError};
use crate::operator::tumble::KeyHasher;
use crate::value::{Datum, Value};

#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) partition: Vec<Expr>,
    pub(crate) frame: Frame,
    pub(crate) calls: Vec<WindowCall>,
    /// What is kept of a row until it leaves: whose argument.
    kept: Vec<(usize, Keeps)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct WindowState {
    #[serde(rename = "p")]
    pub(super) partitions: Partitions,
    /// Of a RANGE window.
    #[serde(rename = "q")]
    pub(super) queue: Queue,
}

/// A row that comes to a window.
pub(super) struct Entering<'r> {
    rowtime: i64,
    key: &'r [Datum<'r>],
    /// One for each call of the window.
    pub(super) args: &'r [Datum<'r>],
}

/// Keys and arguments of a row, of one window after the other.
pub(super) type Evaluated<'r> = SmallVec<[Datum<'r>; 8]>;

impl Window {
    pub(crate) fn new(partition: Vec<Expr>, frame: Frame) -> Window {
        Window { partition, frame, calls: Vec::new(), kept: Vec::new() }
    }

    pub(super) fn start(&self) -> WindowState {
        let range = if let Frame::Range(length) = self.frame { length } else { 0 };
        WindowState { partitions: Partitions::default(), queue: Queue::new(range) }
    }

    /// Settles what must be known of a row when it leaves.
    pub(super) fn choose_kept(&mut self) {
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

    /// Appends a row's keys and arguments.
    pub(super) fn evaluate<'r>(&'r self, row: Row<'r>, evaluated: &mut Evaluated<'r>) -> Result<(), RowError> {
        for key in &self.partition {
            evaluated.push(key.eval(row)?);
        }
        for call in &self.calls {
            evaluated.push(match &call.arg {
                Some(arg) => arg.eval(row)?,
                None => Datum::Boolean(true),
            });
        }
        Ok(())
    }

    /// A row, and what is left of its keys and arguments for the windows behind this one.
    pub(super) fn entering<'r>(&self, row: Row<'_>, evaluated: &'r [Datum<'r>]) -> (Entering<'r>, &'r [Datum<'r>]) {
        let (key, rest) = evaluated.split_at(self.partition.len());
        let (args, rest) = rest.split_at(self.calls.len());
        (Entering { rowtime: row.rowtime, key, args }, rest)
    }

    /// A row comes, and those leave that the window has left behind. Its place, and its partition.
    pub(super) fn enter(&self, state: &mut WindowState, row: &Entering<'_>, page_rows: usize) -> (Place, u32) {
        self.slide(state, row.rowtime);
        let partition = state.partitions.entry(row.key, || self.calls.iter().map(WindowCall::start).collect());
        let place = Place { number: partition.entered, rowtime: row.rowtime };
        partition.entered += 1;
        for ((call, running), arg) in self.calls.iter().zip(&mut partition.running).zip(row.args) {
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
    pub(super) fn slide(&self, state: &mut WindowState, time: i64) {
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

    /// The last page is full: see [`super::ahead::Ahead`].
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

    /// The first row of the first page is about to leave: see [`super::ahead::Ahead`].
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
