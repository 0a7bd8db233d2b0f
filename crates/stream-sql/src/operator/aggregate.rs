//! Aggregates: what a group remembers of its rows.

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use super::tumble::{GroupKey, KeyHasher};
use crate::expression::{Expr, RowError, compare, to_double};
use crate::value::{Datum, Value, bits};

/// An aggregate of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    pub(crate) function: AggregateFunction,
    /// None: `COUNT(*)`.
    pub(crate) arg: Option<Expr>,
    /// Each value counts once.
    pub(crate) distinct: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AggregateFunction {
    Count,
    /// By the type of the argument.
    Sum(Number),
    Average(Number),
    Min,
    Max,
    First,
    Last,
    Any,
    Every,
    Variance {
        sample: bool,
    },
    Deviation {
        sample: bool,
    },
}

/// How numbers are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Whole,
    /// At this scale.
    Decimal(u8),
    Double,
}

/// The state of one aggregate. NULLs are ignored, except by `COUNT(*)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Accumulator {
    #[serde(rename = "c")]
    Count(i64),
    /// Whole numbers, or the digits of decimals; the sum is lost when it overflows.
    #[serde(rename = "i")]
    Whole { sum: Option<i64>, count: i64 },
    #[serde(rename = "f")]
    Double {
        #[serde(with = "bits")]
        sum: f64,
        count: i64,
    },
    /// The least, greatest, first or last value so far.
    #[serde(rename = "v")]
    Value(Value),
    /// Welford's moments.
    #[serde(rename = "m")]
    Moments {
        count: i64,
        #[serde(with = "bits")]
        mean: f64,
        #[serde(with = "bits")]
        squares: f64,
    },
    /// What has been seen, and the function's state over that.
    #[serde(rename = "d")]
    Distinct {
        #[serde(with = "super::calc::seen_as_list")]
        seen: IndexSet<GroupKey, KeyHasher>,
        of: Box<Accumulator>,
    },
}

impl Aggregate {
    pub(crate) fn start(&self) -> Accumulator {
        if self.distinct {
            return Accumulator::Distinct { seen: IndexSet::default(), of: Box::new(self.start_plain()) };
        }
        self.start_plain()
    }

    fn start_plain(&self) -> Accumulator {
        match self.function {
            AggregateFunction::Count => Accumulator::Count(0),
            AggregateFunction::Sum(Number::Double) | AggregateFunction::Average(Number::Double) => {
                Accumulator::Double { sum: 0.0, count: 0 }
            }
            AggregateFunction::Sum(_) | AggregateFunction::Average(_) => Accumulator::Whole { sum: Some(0), count: 0 },
            AggregateFunction::Variance { .. } | AggregateFunction::Deviation { .. } => {
                Accumulator::Moments { count: 0, mean: 0.0, squares: 0.0 }
            }
            _ => Accumulator::Value(Value::Null),
        }
    }

    /// Takes the argument's value of one more row.
    pub(crate) fn add(&self, accumulator: &mut Accumulator, value: &Datum<'_>) {
        if value.is_null() {
            return;
        }
        match accumulator {
            Accumulator::Count(count) => *count += 1,
            Accumulator::Whole { sum, count } => {
                let digits = match value {
                    Datum::Integer(value) | Datum::Decimal(value, _) => *value,
                    _ => 0,
                };
                *sum = sum.and_then(|sum| sum.checked_add(digits));
                *count += 1;
            }
            Accumulator::Double { sum, count } => {
                *sum += to_double(value);
                *count += 1;
            }
            Accumulator::Moments { count, mean, squares } => {
                *count += 1;
                let value = to_double(value);
                let delta = value - *mean;
                *mean += delta / *count as f64;
                *squares += delta * (value - *mean);
            }
            Accumulator::Distinct { seen, of } => {
                if seen.insert(GroupKey(vec![Value::from(value.clone())])) {
                    self.add(of, value);
                }
            }
            Accumulator::Value(kept) => {
                if self.replaces(kept, value) {
                    *kept = Value::from(value.clone());
                }
            }
        }
    }

    fn replaces(&self, kept: &Value, value: &Datum<'_>) -> bool {
        let Some(ordering) = compare(value, &kept.borrow()) else { return true };
        match self.function {
            AggregateFunction::Min | AggregateFunction::Every => ordering.is_lt(),
            AggregateFunction::Max | AggregateFunction::Any => ordering.is_gt(),
            AggregateFunction::First => false,
            _ => true,
        }
    }

    /// The result of a group.
    pub(crate) fn finish<'a>(&self, accumulator: &'a Accumulator) -> Result<Datum<'a>, RowError> {
        Ok(match accumulator {
            Accumulator::Count(count) => Datum::Integer(*count),
            Accumulator::Whole { count: 0, .. } | Accumulator::Double { count: 0, .. } => Datum::Null,
            Accumulator::Whole { sum, count } => {
                let sum = sum.ok_or_else(|| RowError("the sum is out of range".into()))?;
                let average = matches!(self.function, AggregateFunction::Average(_));
                // The average of whole numbers is whole, and cut off.
                let result = if average { sum / count } else { sum };
                match self.function {
                    AggregateFunction::Sum(Number::Decimal(scale))
                    | AggregateFunction::Average(Number::Decimal(scale)) => Datum::Decimal(result, scale),
                    _ => Datum::Integer(result),
                }
            }
            Accumulator::Double { sum, count } => match self.function {
                AggregateFunction::Average(_) => Datum::Double(sum / *count as f64),
                _ => Datum::Double(*sum),
            },
            Accumulator::Value(value) => value.borrow(),
            Accumulator::Distinct { of, .. } => return self.finish(of),
            Accumulator::Moments { count, squares, .. } => {
                let (AggregateFunction::Variance { sample } | AggregateFunction::Deviation { sample }) = self.function
                else {
                    return Ok(Datum::Null);
                };
                let divisor = count - i64::from(sample);
                if divisor <= 0 {
                    return Ok(Datum::Null);
                }
                let variance = squares / divisor as f64;
                let root = matches!(self.function, AggregateFunction::Deviation { .. });
                Datum::Double(if root { variance.sqrt() } else { variance })
            }
        })
    }
}
