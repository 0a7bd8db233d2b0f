//! What a call remembers of the rows in a window: rows come and leave one by one.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::ahead::{Ahead, Pick};
use super::behind::Behind;
use super::sum::{Exact, Moments, Sum, power_of_two};
use super::{WindowCall, WindowFunction};
use crate::expression::{RowError, to_double};
use crate::operator::aggregate::{AggregateFunction, Number};
use crate::operator::tumble::{GroupKey, KeyHasher};
use crate::value::{Datum, Value};

/// What a function's calls remember.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Running {
    #[serde(rename = "c")]
    Count(i64),
    /// Whole numbers, or the digits of decimals.
    #[serde(rename = "i")]
    Whole {
        #[serde(with = "wide")]
        sum: i128,
        count: i64,
    },
    #[serde(rename = "f")]
    Double { sum: Sum, count: i64 },
    #[serde(rename = "m")]
    Moments(Moments),
    /// ANY, EVERY: how many are true, and how many are not.
    #[serde(rename = "b")]
    Truths { yes: i64, no: i64 },
    #[serde(rename = "a")]
    Ahead(Ahead),
    #[serde(rename = "l")]
    Behind(Behind),
    /// EXP_AVG: weights are those at the end of this half-life since 1970.
    #[serde(rename = "e")]
    Decaying { half_lives: i64, count: i64, sum: Sum, weights: Exact },
    /// How often each value is there, and what the function makes of them.
    #[serde(rename = "d")]
    Distinct {
        #[serde(with = "indexmap::map::serde_seq")]
        values: IndexMap<GroupKey, u64, KeyHasher>,
        of: Box<Running>,
    },
}

/// What must be known of a row's argument when it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    Nothing,
    /// Whether it is NULL.
    Presence,
    Value,
}

/// One row of a partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its number within the partition.
    pub(super) number: u64,
    pub(super) rowtime: i64,
}

impl WindowCall {
    /// Of a function the first, least or greatest value.
    pub(super) fn pick(&self) -> Option<Pick> {
        match self.function {
            WindowFunction::Aggregate { function: AggregateFunction::Min, .. } => Some(Pick::Least),
            WindowFunction::Aggregate { function: AggregateFunction::Max, .. } => Some(Pick::Greatest),
            WindowFunction::First { place, ignore_nulls } => Some(Pick::First { place, ignore_nulls }),
            _ => None,
        }
    }

    /// `paged`: values come back with their page.
    pub(super) fn keeps(&self, paged: bool) -> Keeps {
        match self.function {
            _ if self.arg.is_none() => Keeps::Nothing,
            WindowFunction::Aggregate { function: AggregateFunction::Count, .. } => Keeps::Presence,
            WindowFunction::Last { .. } | WindowFunction::Lag { .. } => Keeps::Nothing,
            _ if self.pick().is_some() && !paged => Keeps::Nothing,
            _ => Keeps::Value,
        }
    }

    pub(super) fn start(&self) -> Running {
        match self.function {
            _ if self.pick().is_some() => Running::Ahead(Ahead::default()),
            WindowFunction::ExponentialAverage { .. } => {
                Running::Decaying { half_lives: i64::MIN, count: 0, sum: Sum::default(), weights: Exact::default() }
            }
            WindowFunction::Aggregate { function, distinct } => {
                let running = of_aggregate(function);
                if distinct {
                    Running::Distinct { values: IndexMap::default(), of: Box::new(running) }
                } else {
                    running
                }
            }
            _ => Running::Behind(Behind::default()),
        }
    }
}

fn of_aggregate(function: AggregateFunction) -> Running {
    match function {
        AggregateFunction::Sum(Number::Double) | AggregateFunction::Average(Number::Double) => {
            Running::Double { sum: Sum::default(), count: 0 }
        }
        AggregateFunction::Sum(_) | AggregateFunction::Average(_) => Running::Whole { sum: 0, count: 0 },
        AggregateFunction::Variance { .. } | AggregateFunction::Deviation { .. } => {
            Running::Moments(Moments::default())
        }
        AggregateFunction::Any | AggregateFunction::Every => Running::Truths { yes: 0, no: 0 },
        _ => Running::Count(0),
    }
}

impl Running {
    /// A row comes, of which no other call knows yet. `forever`: rows never leave.
    pub(super) fn enter(&mut self, call: &WindowCall, place: Place, value: &Datum<'_>, forever: bool) {
        match self {
            Running::Ahead(ahead) => {
                if let Some(pick) = call.pick() {
                    ahead.enter(pick, place.number, value, forever);
                }
            }
            Running::Behind(behind) => match call.function {
                WindowFunction::Last { place: count, ignore_nulls } if !ignore_nulls || !value.is_null() => {
                    behind.enter(count, place.number, value);
                }
                // The current row is there too.
                WindowFunction::Lag { rows, ignore_nulls } if !ignore_nulls || !value.is_null() => {
                    behind.enter(rows.saturating_add(1), place.number, value);
                }
                _ => {}
            },
            _ => self.change(call, place, value, false),
        }
    }

    /// The oldest row leaves.
    pub(super) fn leave(&mut self, call: &WindowCall, place: Place, value: &Datum<'_>) {
        match self {
            Running::Ahead(ahead) => ahead.leave(place.number),
            Running::Behind(behind) => behind.leave(place.number),
            _ => self.change(call, place, value, true),
        }
    }

    /// Functions to which it is all the same which row comes and which one leaves. NULLs count for none of them.
    fn change(&mut self, call: &WindowCall, place: Place, value: &Datum<'_>, leaves: bool) {
        if value.is_null() {
            return;
        }
        let by = if leaves { -1 } else { 1 };
        match self {
            Running::Count(count) => *count += by,
            Running::Whole { sum, count } => {
                let digits = match value {
                    Datum::Integer(value) | Datum::Decimal(value, _) => *value,
                    _ => 0,
                };
                *sum += i128::from(digits) * i128::from(by);
                *count += by;
            }
            Running::Double { sum, count } => {
                sum.add(to_double(value), leaves);
                *count += by;
            }
            Running::Moments(moments) => moments.add(to_double(value), leaves),
            Running::Truths { yes, no } => *(if *value == Datum::Boolean(true) { yes } else { no }) += by,
            Running::Decaying { half_lives, count, sum, weights } => {
                let WindowFunction::ExponentialAverage { half_life } = call.function else { return };
                let number = place.rowtime.div_euclid(half_life);
                if *count == 0 {
                    (*half_lives, *sum, *weights) = (number, Sum::default(), Exact::default());
                } else if number > *half_lives {
                    let power = power_of_two(half_lives.saturating_sub(number));
                    sum.scale(power);
                    weights.scale(power);
                    *half_lives = number;
                }
                *count += by;
                // Within a half-life from a half to one; powers of two are exact, so what left leaves nothing.
                let rest = place.rowtime.rem_euclid(half_life) as f64 / half_life as f64;
                let (weight, power) = ((rest - 1.0).exp2(), power_of_two(number.saturating_sub(*half_lives)));
                sum.add(to_double(value) * weight * power, leaves);
                weights.add(if leaves { -(weight * power) } else { weight * power });
            }
            Running::Distinct { values, of } => {
                let key = GroupKey(vec![Value::from(value.clone())]);
                if !leaves {
                    let count = values.entry(key).or_default();
                    *count += 1;
                    if *count == 1 {
                        of.change(call, place, value, false);
                    }
                } else if let Some(count) = values.get_mut(&key) {
                    *count -= 1;
                    if *count == 0 {
                        values.swap_remove(&key);
                        of.change(call, place, value, true);
                    }
                }
            }
            Running::Ahead(_) | Running::Behind(_) => {}
        }
    }

    /// The result for the current row, which has come: `None` where there is no such row.
    pub(super) fn result(
        &self,
        call: &WindowCall,
        place: Place,
        current: &Datum<'_>,
    ) -> Result<Option<Datum<'static>>, RowError> {
        let owned = |value: Option<&Value>| Ok(value.map(|value| Datum::from(value.clone())));
        let result = match self {
            Running::Ahead(ahead) => {
                return owned(call.pick().and_then(|pick| ahead.result(pick)));
            }
            Running::Behind(behind) => {
                return match call.function {
                    WindowFunction::Lag { rows: 0, .. } => Ok(Some(Value::from(current.clone()).into())),
                    WindowFunction::Lag { rows, .. } => owned(behind.result(rows, place.number)),
                    WindowFunction::Last { place: back, .. } => owned(behind.result(back, u64::MAX)),
                    _ => Ok(None),
                };
            }
            Running::Distinct { of, .. } => return of.result(call, place, current),
            Running::Count(count) => Datum::Integer(*count),
            Running::Whole { count: 0, .. }
            | Running::Double { count: 0, .. }
            | Running::Decaying { count: 0, .. }
            | Running::Truths { yes: 0, no: 0 } => Datum::Null,
            Running::Whole { sum, count } => whole(call, *sum, *count)?,
            Running::Double { sum, count } if is_average(call) => Datum::Double(sum.value() / *count as f64),
            Running::Double { sum, .. } => Datum::Double(sum.value()),
            Running::Decaying { sum, weights, .. } => Datum::Double(sum.value() / weights.value()),
            Running::Truths { yes, no } => Datum::Boolean(match call.function {
                WindowFunction::Aggregate { function: AggregateFunction::Any, .. } => *yes > 0,
                _ => *no == 0,
            }),
            Running::Moments(moments) => match call.function {
                WindowFunction::Aggregate { function: AggregateFunction::Variance { sample }, .. } => {
                    moments.variance(sample).map_or(Datum::Null, Datum::Double)
                }
                WindowFunction::Aggregate { function: AggregateFunction::Deviation { sample }, .. } => {
                    moments.variance(sample).map_or(Datum::Null, |variance| Datum::Double(variance.sqrt()))
                }
                _ => Datum::Null,
            },
        };
        Ok(Some(result))
    }
}

fn is_average(call: &WindowCall) -> bool {
    matches!(call.function, WindowFunction::Aggregate { function: AggregateFunction::Average(_), .. })
}

fn whole(call: &WindowCall, sum: i128, count: i64) -> Result<Datum<'static>, RowError> {
    // The average of whole numbers is whole, and cut off.
    let result = if is_average(call) { sum / i128::from(count) } else { sum };
    let result = i64::try_from(result).map_err(|_| RowError("the sum is out of range".into()))?;
    Ok(match call.function {
        WindowFunction::Aggregate {
            function:
                AggregateFunction::Sum(Number::Decimal(scale)) | AggregateFunction::Average(Number::Decimal(scale)),
            ..
        } => Datum::Decimal(result, scale),
        _ => Datum::Integer(result),
    })
}

/// 128 bits as two numbers: not every format has them.
mod wide {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        ((value >> 64) as i64, *value as u64).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        let (high, low) = <(i64, u64)>::deserialize(deserializer)?;
        Ok((i128::from(high) << 64) | i128::from(low))
    }
}
