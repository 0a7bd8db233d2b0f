//! GROUP BY: tumbling windows.
//!
//! Keys that are a function of ROWTIME alone do not change within a window: they are evaluated once, when it closes, and the next
//! instant at which one changes is known when it opens. So a row costs the hash of its other keys.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use indexmap::{Equivalent, IndexMap};
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

use super::aggregate::{Accumulator, Aggregate};
use super::calc::holds;
use crate::expression::{Expr, Row, RowError};
use crate::value::{Datum, Value};

#[derive(Debug, Clone)]
pub(crate) struct Tumble {
    pub(crate) condition: Option<Expr>,
    /// At least one of them is monotonic.
    pub(crate) keys: Vec<Key>,
    pub(crate) aggregates: Vec<Aggregate>,
}

#[derive(Debug, Clone)]
pub(crate) enum Key {
    /// Ascends with ROWTIME and reads nothing else.
    Time(Expr),
    /// Ascends with the rows.
    Monotonic(Expr),
    Plain(Expr),
}

impl Key {
    pub(crate) fn expr(&self) -> &Expr {
        match self {
            Key::Time(expr) | Key::Monotonic(expr) | Key::Plain(expr) => expr,
        }
    }
}

/// The same keys fall to the same place on every machine, and the order of groups is that of their first rows.
pub(crate) type KeyHasher = BuildHasherDefault<FxHasher>;

/// The keys of a group that differ within a window.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct GroupKey(pub(crate) Vec<Value>);

/// The same, borrowed from a row.
pub(super) struct BorrowedKey<'a>(pub(super) &'a [Datum<'a>]);

/// NULLs equal each other, and so do NaNs: keys are equal if their bits are.
impl PartialEq for GroupKey {
    fn eq(&self, other: &GroupKey) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(a, b)| same(&a.borrow(), &b.borrow()))
    }
}

impl Eq for GroupKey {}

impl Hash for GroupKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|value| hash(&value.borrow(), state));
    }
}

impl Hash for BorrowedKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|value| hash(value, state));
    }
}

impl Equivalent<GroupKey> for BorrowedKey<'_> {
    fn equivalent(&self, key: &GroupKey) -> bool {
        self.0.len() == key.0.len() && self.0.iter().zip(&key.0).all(|(a, b)| same(a, &b.borrow()))
    }
}

fn same(a: &Datum<'_>, b: &Datum<'_>) -> bool {
    match (a, b) {
        (Datum::Double(a), Datum::Double(b)) => a == b || a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

pub(super) fn hash<H: Hasher>(value: &Datum<'_>, state: &mut H) {
    match value {
        Datum::Null => state.write_u8(0),
        Datum::Boolean(value) => state.write_u8(1 + u8::from(*value)),
        Datum::Integer(value) | Datum::Timestamp(value) | Datum::Interval(value) => state.write_i64(*value),
        Datum::Decimal(digits, _) => state.write_i64(*digits),
        Datum::Date(value) | Datum::Time(value) => state.write_i32(*value),
        // Zero has two signs.
        Datum::Double(value) => state.write_u64((value + 0.0).to_bits()),
        Datum::Text(text) => state.write(text.as_bytes()),
    }
}

/// An open window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Window {
    /// ROWTIME of its first row.
    #[serde(rename = "f")]
    first: i64,
    /// The instant at which a time key changes, if it ever does.
    #[serde(rename = "e")]
    end: Option<i64>,
    /// How far time has come since it opened.
    #[serde(rename = "l")]
    last: i64,
    /// Values of the monotonic keys that are not functions of ROWTIME.
    #[serde(rename = "m")]
    monotonic: Vec<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TumbleState {
    #[serde(rename = "w")]
    window: Option<Window>,
    #[serde(rename = "g", with = "indexmap::map::serde_seq")]
    groups: IndexMap<GroupKey, Box<[Accumulator]>, KeyHasher>,
}

/// A group that is complete: its ROWTIME, and its keys and aggregates in the order of the query; or why it has none.
pub(super) type Complete = Result<(i64, Vec<Value>), RowError>;

impl Tumble {
    /// Takes a row; the groups that it completes are appended. Only keys other than ROWTIME's can do that: see `bound`.
    pub(super) fn row(
        &self,
        state: &mut TumbleState,
        row: Row<'_>,
        complete: &mut Vec<Complete>,
    ) -> Result<(), RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(());
        }
        let mut keys = smallvec::SmallVec::<[Datum<'_>; 4]>::new();
        let mut monotonic = Vec::new();
        for key in &self.keys {
            match key {
                Key::Time(_) => {}
                Key::Monotonic(expr) => monotonic.push(Value::from(expr.eval(row)?)),
                Key::Plain(expr) => keys.push(expr.eval(row)?),
            }
        }
        // All that can fail comes before anything is changed.
        let mut args = smallvec::SmallVec::<[Datum<'_>; 4]>::new();
        for aggregate in &self.aggregates {
            args.push(match &aggregate.arg {
                Some(arg) => arg.eval(row)?,
                None => Datum::Boolean(true),
            });
        }
        if state.window.as_ref().is_some_and(|window| window.monotonic != monotonic) {
            self.close(state, row.rowtime, complete);
        }
        if state.window.is_none() {
            let end = self.end_of_window(row.rowtime)?;
            state.window = Some(Window { first: row.rowtime, end, last: row.rowtime, monotonic });
        }
        let place = match state.groups.get_index_of(&BorrowedKey(&keys)) {
            Some(place) => place,
            None => {
                let key = GroupKey(keys.into_iter().map(Value::from).collect());
                state.groups.insert_full(key, self.aggregates.iter().map(Aggregate::start).collect()).0
            }
        };
        for ((aggregate, accumulator), arg) in self.aggregates.iter().zip(&mut state.groups[place]).zip(&args) {
            aggregate.add(accumulator, arg);
        }
        Ok(())
    }

    /// No earlier row will come: a window that ends by then is complete.
    pub(super) fn bound(&self, state: &mut TumbleState, time: i64, complete: &mut Vec<Complete>) {
        match &mut state.window {
            Some(Window { end: Some(end), .. }) if *end <= time => {
                let end = *end;
                self.close(state, end, complete);
            }
            Some(window) => window.last = time.max(window.last),
            None => {}
        }
    }

    /// No row comes any more: a window that no time ends is complete as of now.
    pub(super) fn end(&self, state: &mut TumbleState, complete: &mut Vec<Complete>) {
        if let Some(Window { end: None, last, .. }) = state.window {
            self.close(state, last, complete);
        }
    }

    fn close(&self, state: &mut TumbleState, rowtime: i64, complete: &mut Vec<Complete>) {
        let Some(window) = state.window.take() else { return };
        for (key, accumulators) in std::mem::take(&mut state.groups) {
            complete.push(self.group(&window, key, &accumulators).map(|values| (rowtime, values)));
        }
    }

    fn group(&self, window: &Window, key: GroupKey, accumulators: &[Accumulator]) -> Result<Vec<Value>, RowError> {
        let row = Row { rowtime: window.first, now: window.first, values: &[] };
        let mut values = Vec::with_capacity(self.keys.len() + self.aggregates.len());
        let (mut plain, mut monotonic) = (key.0.into_iter(), window.monotonic.iter());
        for key in &self.keys {
            values.push(match key {
                Key::Time(expr) => Value::from(expr.eval(row)?),
                Key::Monotonic(_) => monotonic.next().cloned().unwrap_or(Value::Null),
                Key::Plain(_) => plain.next().unwrap_or(Value::Null),
            });
        }
        for (aggregate, accumulator) in self.aggregates.iter().zip(accumulators) {
            values.push(Value::from(aggregate.finish(accumulator)?));
        }
        Ok(values)
    }

    /// The first instant after a time at which a time key has another value.
    fn end_of_window(&self, time: i64) -> Result<Option<i64>, RowError> {
        let mut end: Option<i64> = None;
        for key in &self.keys {
            if let Key::Time(expr) = key
                && let Some(change) = next_change(expr, time)?
            {
                end = Some(end.map_or(change, |end| end.min(change)));
            }
        }
        Ok(end)
    }
}

/// How far ahead a change is looked for: 2^45 ms are a thousand years.
const FARTHEST: u32 = 45;

/// The first instant after a time at which an expression of ROWTIME changes. It goes one way only, so bisection finds it whatever
/// it is made of.
pub(super) fn next_change(expr: &Expr, time: i64) -> Result<Option<i64>, RowError> {
    let at = |rowtime| expr.eval(Row { rowtime, now: rowtime, values: &[] }).map(Value::from);
    let value = at(time)?;
    let mut same = 0;
    for exponent in 0..=FARTHEST {
        let mut differs = 1i64 << exponent;
        let Some(later) = time.checked_add(differs) else { return Ok(None) };
        if at(later)? == value {
            same = differs;
            continue;
        }
        while differs - same > 1 {
            let middle = same + (differs - same) / 2;
            if at(time + middle)? == value {
                same = middle;
            } else {
                differs = middle;
            }
        }
        return Ok(Some(time + differs));
    }
    Ok(None)
}
