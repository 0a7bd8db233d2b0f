//! Joins of two streams: a row meets those that are in the window of the other side.
//!
//! The rows of both sides are taken in the order of ROWTIME: one waits until the other side can bring no earlier one. Of equal
//! times the first to arrive is the first to be taken. So the pair of two rows comes out with the later one, and with its ROWTIME.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::calc::holds;
use super::equality::Hashed;
use super::join_window::{Kept, Place, Window};
use crate::expression::{Expr, Row, RowError};
use crate::value::{Datum, Value};

#[derive(Debug, Clone)]
pub(crate) struct Join {
    /// Left and right.
    pub(crate) sides: [JoinSide; 2],
    /// Over a row that comes out. None: every pair.
    pub(crate) on: Option<Expr>,
    /// What of the left side must equal what of the right one, for a pair that comes out.
    pub(crate) keys: Vec<[Expr; 2]>,
    /// How many columns a row has that comes out.
    pub(crate) width: usize,
    /// The place of the time at which a row that comes out has left its windows, if somebody reads it.
    pub(crate) end: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct JoinSide {
    pub(crate) condition: Option<Expr>,
    /// What is kept of a row, and its place in a row that comes out.
    pub(crate) columns: Vec<(usize, Expr)>,
    pub(crate) reach: Reach,
    /// Whether a row that meets none comes out, with NULLs for the other side.
    pub(crate) outer: bool,
}

/// How long later rows of the other side meet a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reach {
    /// Not at all: it meets those that are there.
    Current,
    /// So many milliseconds, the last one included.
    Range(i64),
    /// Until so many more have come on its own side.
    Rows(u64),
    /// Until the time that it says: a pair that was joined before is there as long as both of its rows.
    Until(Expr),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct JoinState {
    /// What no row of a side will be earlier than.
    #[serde(rename = "b")]
    bounds: [i64; 2],
    /// Rows that wait for the other side, by ROWTIME.
    #[serde(rename = "q")]
    waiting: VecDeque<Waiting>,
    #[serde(rename = "w")]
    windows: [Window; 2],
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Waiting {
    #[serde(rename = "s")]
    side: usize,
    #[serde(rename = "t")]
    rowtime: i64,
    #[serde(rename = "e")]
    end: i64,
    #[serde(rename = "v")]
    values: Vec<Value>,
}

/// A row of a side, as far as it is kept.
struct Arrival<'r> {
    side: usize,
    rowtime: i64,
    /// When it leaves its window.
    end: i64,
    values: Vec<Datum<'r>>,
}

/// Takes a row that comes out; or one that failed, and why.
pub(super) type Emit<'e> = &'e mut dyn FnMut(Row<'_>, Option<&RowError>);

impl Join {
    pub(super) fn start(&self) -> JoinState {
        JoinState { bounds: [i64::MIN; 2], waiting: VecDeque::new(), windows: Default::default() }
    }

    /// A row comes to a side.
    pub(super) fn row(&self, state: &mut JoinState, side: usize, row: Row<'_>, emit: Emit<'_>) -> Result<(), RowError> {
        let plan = &self.sides[side];
        if !holds(plan.condition.as_ref(), row)? {
            return Ok(());
        }
        if row.rowtime < state.bounds[side] {
            return Err(RowError("the row is late: a later ROWTIME has been in the join before".into()));
        }
        let end = match &plan.reach {
            Reach::Current => row.rowtime,
            Reach::Range(length) => row.rowtime.saturating_add(*length),
            Reach::Rows(_) => i64::MAX,
            Reach::Until(end) => match end.eval(row)? {
                Datum::Timestamp(end) => end,
                _ => row.rowtime,
            },
        };
        let values = plan.columns.iter().map(|(_, expr)| expr.eval(row)).collect::<Result<Vec<_>, _>>()?;
        let bound = self.bound(state, side, row.rowtime, row.now, emit);
        let arrival = Arrival { side, rowtime: row.rowtime, end, values };
        if row.rowtime <= bound {
            self.take(state, arrival, row.now, emit);
        } else {
            let place = state.waiting.partition_point(|waiting| waiting.rowtime <= row.rowtime);
            let values = arrival.values.into_iter().map(Value::from).collect();
            state.waiting.insert(place, Waiting { side, rowtime: row.rowtime, end, values });
        }
        Ok(())
    }

    /// A side brings no row before a time; returns what holds for the rows that come out.
    pub(super) fn bound(&self, state: &mut JoinState, side: usize, time: i64, now: i64, emit: Emit<'_>) -> i64 {
        state.bounds[side] = time.max(state.bounds[side]);
        let bound = state.bounds[0].min(state.bounds[1]);
        while let Some(Waiting { side, rowtime, end, values }) = state.waiting.pop_front_if(|row| row.rowtime <= bound)
        {
            let values = values.iter().map(Value::borrow).collect();
            self.take(state, Arrival { side, rowtime, end, values }, now, emit);
        }
        self.advance(state, bound, now, emit);
        bound
    }

    /// The row meets the other side's window, and goes into its own.
    fn take(&self, state: &mut JoinState, arrival: Arrival<'_>, now: i64, emit: Emit<'_>) {
        self.advance(state, arrival.rowtime, now, emit);
        let (own, other) = (arrival.side, 1 - arrival.side);
        let mut values = vec![Datum::Null; self.width];
        for ((place, _), value) in self.sides[own].columns.iter().zip(&arrival.values) {
            values[*place] = value.borrow();
        }
        let row = Row { rowtime: arrival.rowtime, now, values: &values };
        let hash = Hashed::of(self.keys.iter().map(|key| &key[own]), row);
        let [left, right] = &mut state.windows;
        let (window, met_window) = if own == 0 { (left, right) } else { (right, left) };
        met_window.index(|kept| self.hash(other, kept, now));
        let (met, error) = self.meet(met_window, &arrival, hash, row, emit);
        if let Some(error) = &error {
            emit(Row { values: &arrival.values, ..row }, Some(error));
        }
        let has_met = !met.is_empty();
        if self.sides[other].outer {
            met.into_iter().for_each(|place| met_window.meet(place));
        }
        match self.sides[own].reach {
            Reach::Current if has_met || !self.sides[own].outer => {}
            Reach::Current => self.alone(own, &arrival.values, arrival.rowtime, now, emit),
            _ => {
                window.index(|kept| self.hash(own, kept, now));
                let kept = Kept { met: has_met, values: arrival.values.into_iter().map(Value::from).collect() };
                window.push(arrival.end, hash, kept);
                self.slide(state, own, arrival.rowtime, now, emit);
            }
        }
    }

    /// Gives the pairs of a row; returns whom it met, and why the condition failed if it did. Who failed to be compared has not met
    /// nobody.
    fn meet(
        &self,
        window: &Window,
        arrival: &Arrival<'_>,
        hash: Hashed,
        row: Row<'_>,
        emit: Emit<'_>,
    ) -> (Vec<Place>, Option<RowError>) {
        let (mut met, mut failed) = (Vec::new(), None);
        let mut values: Vec<Datum<'_>> = row.values.iter().map(Datum::borrow).collect();
        for (place, kept) in window.find(hash) {
            for ((place, _), value) in self.sides[1 - arrival.side].columns.iter().zip(&kept.values) {
                values[*place] = value.borrow();
            }
            if let Some(end) = self.end {
                values[end] = Datum::Timestamp(arrival.end.min(place.0));
            }
            let row = Row { values: &values, ..row };
            match holds(self.on.as_ref(), row) {
                Ok(false) => continue,
                Ok(true) => emit(row, None),
                Err(error) => failed = failed.or(Some(error)),
            }
            met.push(place);
        }
        (met, failed)
    }

    /// Rows leave the windows that end before a time; those that met none come out when they do.
    fn advance(&self, state: &mut JoinState, time: i64, now: i64, emit: Emit<'_>) {
        loop {
            let ends = [state.windows[0].first_end(), state.windows[1].first_end()];
            let (side, end) = match ends {
                [Some(left), Some(right)] if right < left => (1, right),
                [Some(left), _] => (0, left),
                [None, Some(right)] => (1, right),
                [None, None] => return,
            };
            if end >= time {
                return;
            }
            self.leave(state, side, end, now, emit);
        }
    }

    /// Lets go of the rows that a window of so many rows has no room for.
    fn slide(&self, state: &mut JoinState, side: usize, rowtime: i64, now: i64, emit: Emit<'_>) {
        let Reach::Rows(preceding) = self.sides[side].reach else { return };
        while state.windows[side].len() as u64 > preceding.saturating_add(1) {
            self.leave(state, side, rowtime, now, emit);
        }
    }

    fn leave(&self, state: &mut JoinState, side: usize, rowtime: i64, now: i64, emit: Emit<'_>) {
        let Some(kept) = state.windows[side].pop(|kept| self.hash(side, kept, now)) else { return };
        if self.sides[side].outer && !kept.met {
            let values: Vec<Datum<'_>> = kept.values.iter().map(Value::borrow).collect();
            self.alone(side, &values, rowtime, now, emit);
        }
    }

    /// A row that met none comes out.
    fn alone(&self, side: usize, kept: &[Datum<'_>], rowtime: i64, now: i64, emit: Emit<'_>) {
        let mut values = vec![Datum::Null; self.width];
        for ((place, _), value) in self.sides[side].columns.iter().zip(kept) {
            values[*place] = value.borrow();
        }
        if let Some(end) = self.end {
            values[end] = Datum::Timestamp(rowtime);
        }
        emit(Row { rowtime, now, values: &values }, None);
    }

    /// What the keys of a row of a side can equal.
    fn hash(&self, side: usize, kept: &Kept, now: i64) -> Hashed {
        let mut values = vec![Datum::Null; self.width];
        for ((place, _), value) in self.sides[side].columns.iter().zip(&kept.values) {
            values[*place] = value.borrow();
        }
        Hashed::of(self.keys.iter().map(|key| &key[side]), Row { rowtime: now, now, values: &values })
    }
}
