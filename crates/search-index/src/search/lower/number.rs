//! Numbers in requests.

use serde_json::Value;

use crate::Error;
use crate::search::text;

use super::misfit;

/// A number of a request, exact where it is whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Fraction(f64),
}

impl Number {
    /// A JSON number, or a string with one.
    pub fn parse(value: &Value) -> Result<Number, Error> {
        let text = text(value);
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(Number::Whole(whole));
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_nan() => Err(misfit(format!("For input string: \"{text}\""))),
            Ok(number) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(Number::Whole(number as i64)),
            Ok(number) => Ok(Number::Fraction(number)),
            Err(_) => Err(misfit(format!("For input string: \"{text}\""))),
        }
    }

    pub fn as_f64(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Fraction(number) => number,
        }
    }

    /// The smallest whole number that is not below; `None` above all of them.
    pub fn ceil(self) -> Option<i64> {
        match self {
            Number::Whole(whole) => Some(whole),
            Number::Fraction(number) if number >= i64::MAX as f64 => None,
            Number::Fraction(number) => Some(number.ceil() as i64),
        }
    }

    /// The largest whole number that is not above; `None` below all of them.
    pub fn floor(self) -> Option<i64> {
        match self {
            Number::Whole(whole) => Some(whole),
            Number::Fraction(number) if number < i64::MIN as f64 => None,
            Number::Fraction(number) => Some(number.floor() as i64),
        }
    }
}
