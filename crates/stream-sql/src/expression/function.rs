//! Scalar functions.

use super::cast::{to_decimal, to_double};
use super::{Kind, RowError, text};
use crate::datetime::DAY;
use crate::datetime::calendar::in_range;
use crate::datetime::pattern::Format;
use crate::value::Datum;

/// A function whose arguments are evaluated first. NULL in, NULL out, unless said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Abs,
    Negate,
    /// Of a number.
    Floor,
    Ceil,
    Exp,
    Ln,
    Log10,
    Mod,
    Power,
    /// Of whole numbers.
    Step,
    Concat,
    CharLength,
    Initcap,
    Lower,
    Upper,
    Overlay,
    Position,
    Substring,
    Trim,
    CharToTimestamp,
    CharToDate,
    CharToTime,
    /// NULL gives the text `null`, as documented.
    TimestampToChar,
    DateToChar,
    TimeToChar,
    ToTimestamp,
    UnixTimestamp,
    Tsdiff,
    /// MONOTONIC(e): e.
    Identity,
    /// The value, which a NOT NULL column takes: NULL fails.
    NotNull,
    /// As much of a text as a column of so many characters takes.
    Cut {
        length: u32,
    },
}

fn invalid<T>(what: &str) -> Result<T, RowError> {
    Err(RowError(what.to_owned()))
}

impl Function {
    pub(super) fn call<'r>(self, args: Vec<Datum<'r>>) -> Result<Datum<'r>, RowError> {
        if args.iter().any(Datum::is_null) {
            if self == Function::NotNull {
                return invalid("NULL for a column that is NOT NULL");
            }
            let null = self == Function::TimestampToChar && args.last().is_some_and(Datum::is_null);
            return Ok(if null { Datum::Text("null".into()) } else { Datum::Null });
        }
        let mut args = args.into_iter();
        let (first, second, third) = (args.next(), args.next(), args.next());
        let fourth = args.next();
        Ok(match (self, first, second, third) {
            (Function::Identity | Function::NotNull, Some(value), ..) => value,
            (Function::Cut { length }, Some(Datum::Text(text)), ..) => Datum::Text(text::cut(text, length)),
            (Function::Concat, Some(Datum::Text(left)), Some(Datum::Text(right)), _) => {
                let mut text = left.into_owned();
                text.push_str(&right);
                Datum::text(text)
            }
            (Function::Mod | Function::Step, Some(Datum::Integer(_)), Some(Datum::Integer(0)), _) => {
                return invalid("division by zero");
            }
            (Function::Mod, Some(Datum::Integer(a)), Some(Datum::Integer(b)), _) => Datum::Integer(a.wrapping_rem(b)),
            (Function::Step, Some(Datum::Integer(a)), Some(Datum::Integer(b)), _) => {
                Datum::Integer(a.wrapping_div(b).wrapping_mul(b))
            }
            (Function::Power, Some(a), Some(b), _) => Datum::Double(to_double(&a).powf(to_double(&b))),
            (Function::Exp, Some(a), ..) => Datum::Double(to_double(&a).exp()),
            (Function::Ln, Some(a), ..) => Datum::Double(logarithm(to_double(&a), f64::ln)?),
            (Function::Log10, Some(a), ..) => Datum::Double(logarithm(to_double(&a), f64::log10)?),
            (Function::Abs | Function::Negate | Function::Floor | Function::Ceil, Some(value), ..) => {
                self.of_number(value)?
            }
            (Function::CharLength, Some(Datum::Text(text)), ..) => Datum::Integer(text.chars().count() as i64),
            (Function::Lower, Some(Datum::Text(text)), ..) => Datum::text(text.to_lowercase()),
            (Function::Upper, Some(Datum::Text(text)), ..) => Datum::text(text.to_uppercase()),
            (Function::Initcap, Some(Datum::Text(text)), ..) => Datum::text(text::initcap(&text)),
            (Function::Position, Some(Datum::Text(part)), Some(Datum::Text(whole)), _) => {
                let place = whole.find(&*part).map_or(0, |at| whole[..at].chars().count() + 1);
                Datum::Integer(place as i64)
            }
            (Function::Substring, Some(Datum::Text(text)), Some(Datum::Integer(from)), length) => {
                text::substring(text, from, length.map(|length| to_whole(&length)))?
            }
            (Function::Overlay, Some(Datum::Text(text)), Some(Datum::Text(by)), Some(Datum::Integer(from))) => {
                let length = fourth.map_or(by.chars().count() as i64, |length| to_whole(&length));
                Datum::text(text::overlay(&text, &by, from, length)?)
            }
            (Function::Trim, Some(Datum::Text(side)), Some(Datum::Text(characters)), Some(Datum::Text(text))) => {
                text::trim(text, &characters, &side)
            }
            (function, Some(Datum::Text(format)), Some(value), _) if function.has_format() => {
                function.call_with(&Format::new(&format).map_err(RowError)?, value)?
            }
            (Function::ToTimestamp, Some(value), ..) => match in_range(to_whole(&value)) {
                Some(ms) => Datum::Timestamp(ms),
                None => return invalid("the time is out of range"),
            },
            (Function::UnixTimestamp, Some(value), ..) => Datum::Integer(instant(&value)),
            (Function::Tsdiff, Some(from), Some(to), _) => Datum::Integer(instant(&to).wrapping_sub(instant(&from))),
            // The planner lets no other arguments through.
            _ => Datum::Null,
        })
    }

    fn of_number<'r>(self, value: Datum<'r>) -> Result<Datum<'r>, RowError> {
        let overflow = || RowError("arithmetic overflow".into());
        Ok(match (self, value) {
            (Function::Abs, Datum::Integer(value)) => Datum::Integer(value.checked_abs().ok_or_else(overflow)?),
            (Function::Abs, Datum::Double(value)) => Datum::Double(value.abs()),
            (Function::Abs, Datum::Decimal(digits, scale)) => {
                Datum::Decimal(digits.checked_abs().ok_or_else(overflow)?, scale)
            }
            (Function::Abs, Datum::Interval(value)) => Datum::Interval(value.checked_abs().ok_or_else(overflow)?),
            (Function::Negate, Datum::Integer(value)) => Datum::Integer(value.checked_neg().ok_or_else(overflow)?),
            (Function::Negate, Datum::Double(value)) => Datum::Double(-value),
            (Function::Negate, Datum::Decimal(digits, scale)) => {
                Datum::Decimal(digits.checked_neg().ok_or_else(overflow)?, scale)
            }
            (Function::Negate, Datum::Interval(value)) => Datum::Interval(value.checked_neg().ok_or_else(overflow)?),
            (_, Datum::Integer(value)) => Datum::Integer(value),
            (Function::Floor, Datum::Double(value)) => Datum::Double(value.floor()),
            (_, Datum::Double(value)) => Datum::Double(value.ceil()),
            (_, Datum::Decimal(digits, scale)) => {
                let factor = 10i64.pow(u32::from(scale));
                let floor = digits.div_euclid(factor);
                let up = self == Function::Ceil && digits.rem_euclid(factor) != 0;
                Datum::Decimal(floor + i64::from(up), 0)
            }
            _ => Datum::Null,
        })
    }
}

fn logarithm(value: f64, of: fn(f64) -> f64) -> Result<f64, RowError> {
    if value > 0.0 { Ok(of(value)) } else { invalid("the logarithm of a number that is not positive") }
}

fn to_whole(value: &Datum<'_>) -> i64 {
    to_decimal(value, Kind::Plain, 0).unwrap_or_default()
}

/// Milliseconds since 1970, or since midnight.
pub(super) fn instant(value: &Datum<'_>) -> i64 {
    match value {
        Datum::Timestamp(ms) => *ms,
        Datum::Date(days) => i64::from(*days) * DAY,
        Datum::Time(ms) => i64::from(*ms),
        other => to_whole(other),
    }
}
