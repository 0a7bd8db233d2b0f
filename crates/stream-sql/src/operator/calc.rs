//! WHERE and SELECT of one row at a time, and DISTINCT.

use serde::{Deserialize, Serialize};

use crate::expression::{Expr, Row, RowError, cut, padded};
use crate::value::{Datum, Value};

/// Lets the rows through for which the condition holds, as other rows.
#[derive(Debug, Clone)]
pub(crate) struct Calc {
    pub(crate) condition: Option<Expr>,
    pub(crate) values: Vec<Expr>,
    /// `… AS ROWTIME`
    pub(crate) rowtime: Option<Expr>,
    /// Texts that may be longer than the columns that take them.
    pub(crate) cuts: Vec<Cut>,
}

/// A text that gets as many characters as its column has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// Its place among the values.
    pub(crate) place: usize,
    /// Characters of the column.
    pub(crate) length: u32,
    /// A CHAR: filled up with blanks.
    pub(crate) padded: bool,
}

impl Cut {
    /// Whether anything was cut off.
    fn apply(self, value: &mut Datum<'_>) -> bool {
        let Datum::Text(text) = value else { return false };
        let length = text.len();
        let kept = cut(std::mem::take(text), self.length);
        let is_cut = kept.len() < length;
        *text = if self.padded { padded(kept, self.length as usize) } else { kept };
        is_cut
    }
}

impl Calc {
    /// The row's ROWTIME and values, or nothing if it is not let through. Texts that are cut off are counted.
    pub(super) fn row<'r>(
        &'r self,
        row: Row<'r>,
        truncated: &mut u64,
    ) -> Result<Option<(i64, Vec<Datum<'r>>)>, RowError> {
        if !holds(self.condition.as_ref(), row)? {
            return Ok(None);
        }
        let rowtime = match &self.rowtime {
            None => row.rowtime,
            Some(expr) => match expr.eval(row)? {
                Datum::Timestamp(ms) => ms,
                _ => return Err(RowError("ROWTIME is NULL".into())),
            },
        };
        // Collected as a Result they would not know their number.
        let mut values = Vec::with_capacity(self.values.len());
        for expr in &self.values {
            values.push(expr.eval(row)?);
        }
        for cut in &self.cuts {
            *truncated += u64::from(cut.apply(&mut values[cut.place]));
        }
        Ok(Some((rowtime, values)))
    }
}

/// Whether a condition holds, or there is none.
pub(super) fn holds(condition: Option<&Expr>, row: Row<'_>) -> Result<bool, RowError> {
    match condition {
        None => Ok(true),
        Some(condition) => Ok(condition.truth(row)? == Some(true)),
    }
}

/// Lets a row through once per value of its monotonic columns.
#[derive(Debug, Clone)]
pub(crate) struct Distinct {
    /// Places of the monotonic columns: when one changes, all that was seen is forgotten.
    pub(crate) monotonic: Vec<usize>,
    /// Places that count.
    pub(crate) keys: Vec<usize>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct DistinctState {
    period: Vec<Value>,
    #[serde(with = "seen_as_list")]
    seen: indexmap::IndexSet<super::tumble::GroupKey, super::tumble::KeyHasher>,
}

/// A set of keys as a list.
pub(super) mod seen_as_list {
    use indexmap::IndexSet;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::operator::tumble::{GroupKey, KeyHasher};

    pub(in crate::operator) fn serialize<S: Serializer>(
        set: &IndexSet<GroupKey, KeyHasher>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        set.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(in crate::operator) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<IndexSet<GroupKey, KeyHasher>, D::Error> {
        Ok(Vec::<GroupKey>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Distinct {
    /// Whether the row is the first of its kind.
    pub(super) fn is_new(&self, state: &mut DistinctState, row: Row<'_>) -> bool {
        let pick = |places: &[usize]| -> Vec<Value> {
            places.iter().map(|place| Value::from(row.values.get(*place).cloned().unwrap_or(Datum::Null))).collect()
        };
        let period = pick(&self.monotonic);
        if state.period != period {
            state.period = period;
            state.seen.clear();
        }
        state.seen.insert(super::tumble::GroupKey(pick(&self.keys)))
    }
}
