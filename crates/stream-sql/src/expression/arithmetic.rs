//! `+ - * /`, by the types that the planner settled.

use super::cast::{divide_rounded, to_decimal, to_double};
use super::{Kind, RowError};
use crate::datetime::DAY;
use crate::datetime::calendar::{add_months, in_range, months_between};
use crate::syntax::tree::Binary;
use crate::value::Datum;

/// An operation of two values that are not NULL.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Arithmetic {
    /// Of whole numbers; `/` truncates.
    Integer(Binary),
    Double(Binary),
    /// Of decimals and whole numbers, at the result's scale.
    Decimal(Binary, u8),
    /// A datetime and an interval.
    Shift {
        months: bool,
        back: bool,
    },
    /// Of two datetimes.
    Difference {
        months: bool,
    },
    /// Of two intervals.
    Interval(Binary),
    /// An interval times or by a number.
    Scale(Binary),
}

fn overflow() -> RowError {
    RowError("arithmetic overflow".into())
}

fn division_by_zero() -> RowError {
    RowError("division by zero".into())
}

impl Arithmetic {
    pub(super) fn apply<'r>(self, left: Datum<'r>, right: Datum<'r>) -> Result<Datum<'r>, RowError> {
        match self {
            Arithmetic::Integer(operator) | Arithmetic::Interval(operator) => {
                let (Some(a), Some(b)) = (whole(&left), whole(&right)) else { return Ok(Datum::Null) };
                let result = integer(operator, a, b)?;
                Ok(if matches!(self, Arithmetic::Integer(_)) {
                    Datum::Integer(result)
                } else {
                    Datum::Interval(result)
                })
            }
            Arithmetic::Double(operator) => double(operator, to_double(&left), to_double(&right)).map(Datum::Double),
            Arithmetic::Decimal(operator, scale) => decimal(operator, &left, &right, scale),
            Arithmetic::Shift { months, back } => shift(left, right, months, back),
            Arithmetic::Difference { months } => {
                let (Some(a), Some(b)) = (instant(&left), instant(&right)) else { return Ok(Datum::Null) };
                Ok(Datum::Interval(if months {
                    months_between(b, a)
                } else {
                    a.checked_sub(b).ok_or_else(overflow)?
                }))
            }
            Arithmetic::Scale(operator) => scale(operator, &left, &right),
        }
    }
}

fn whole(value: &Datum<'_>) -> Option<i64> {
    match value {
        Datum::Integer(value) | Datum::Interval(value) => Some(*value),
        _ => None,
    }
}

/// Milliseconds since 1970, or since midnight.
fn instant(value: &Datum<'_>) -> Option<i64> {
    match value {
        Datum::Timestamp(ms) => Some(*ms),
        Datum::Date(days) => Some(i64::from(*days) * DAY),
        Datum::Time(ms) => Some(i64::from(*ms)),
        _ => None,
    }
}

fn integer(operator: Binary, a: i64, b: i64) -> Result<i64, RowError> {
    match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        _ if b == 0 => return Err(division_by_zero()),
        _ => a.checked_div(b),
    }
    .ok_or_else(overflow)
}

fn double(operator: Binary, a: f64, b: f64) -> Result<f64, RowError> {
    match operator {
        Binary::Add => Ok(a + b),
        Binary::Subtract => Ok(a - b),
        Binary::Multiply => Ok(a * b),
        _ if b == 0.0 => Err(division_by_zero()),
        _ => Ok(a / b),
    }
}

fn decimal<'r>(operator: Binary, left: &Datum<'_>, right: &Datum<'_>, scale: u8) -> Result<Datum<'r>, RowError> {
    let own = |value: &Datum<'_>| match value {
        Datum::Decimal(digits, scale) => (i128::from(*digits), u32::from(*scale)),
        Datum::Integer(value) => (i128::from(*value), 0),
        _ => (0, 0),
    };
    let power = |exponent: u32| 10i128.checked_pow(exponent).ok_or_else(overflow);
    let target = u32::from(scale);
    let digits = match operator {
        Binary::Add | Binary::Subtract => {
            let at = |value| to_decimal(value, Kind::Plain, scale).ok_or_else(overflow);
            return integer(operator, at(left)?, at(right)?).map(|digits| Datum::Decimal(digits, scale));
        }
        Binary::Multiply => {
            let ((a, a_scale), (b, b_scale)) = (own(left), own(right));
            let product = a.checked_mul(b).ok_or_else(overflow)?;
            match (a_scale + b_scale).checked_sub(target) {
                Some(more) => divide_rounded(product, power(more)?),
                None => product.checked_mul(power(target - a_scale - b_scale)?).ok_or_else(overflow)?,
            }
        }
        _ => {
            let ((a, a_scale), (b, b_scale)) = (own(left), own(right));
            if b == 0 {
                return Err(division_by_zero());
            }
            let dividend = a.checked_mul(power(target + b_scale)?).ok_or_else(overflow)?;
            divide_rounded(dividend, b.checked_mul(power(a_scale)?).ok_or_else(overflow)?)
        }
    };
    Ok(Datum::Decimal(i64::try_from(digits).map_err(|_| overflow())?, scale))
}

fn shift<'r>(left: Datum<'r>, right: Datum<'r>, months: bool, back: bool) -> Result<Datum<'r>, RowError> {
    let (Some(from), Datum::Interval(by)) = (instant(&left), right) else { return Ok(Datum::Null) };
    let by = if back { by.checked_neg().ok_or_else(overflow)? } else { by };
    let to =
        if months { add_months(from, by) } else { from.checked_add(by).and_then(in_range) }.ok_or_else(overflow)?;
    Ok(match left {
        Datum::Date(_) => Datum::Date(i32::try_from(to.div_euclid(DAY)).map_err(|_| overflow())?),
        Datum::Time(_) => Datum::Time(i32::try_from(to.rem_euclid(DAY)).map_err(|_| overflow())?),
        _ => Datum::Timestamp(to),
    })
}

fn scale<'r>(operator: Binary, left: &Datum<'_>, right: &Datum<'_>) -> Result<Datum<'r>, RowError> {
    let (length, number) = match (left, right) {
        (Datum::Interval(length), number) | (number, Datum::Interval(length)) => (*length, number),
        _ => return Ok(Datum::Null),
    };
    // Whole numbers stay exact; the rest is cut to a whole millisecond or month.
    if let Datum::Integer(number) = number {
        return integer(operator, length, *number).map(Datum::Interval);
    }
    let result = double(operator, length as f64, to_double(number))?;
    if result.abs() >= i64::MAX as f64 {
        return Err(overflow());
    }
    Ok(Datum::Interval(result as i64))
}
