//! CAST, and the same conversions where a row enters a stream.

use super::RowError;
use crate::datetime::calendar::Unit;
use crate::datetime::interval::Qualifier;
use crate::datetime::{DAY, text};
use crate::value::{Datum, SqlType};

/// What is cast: its SQL type where that changes how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Interval(Qualifier),
    /// Its value says.
    Plain,
}

/// A value as a type; or why it has none.
pub(crate) fn cast<'r>(value: Datum<'r>, from: Kind, to: SqlType) -> Result<Datum<'r>, RowError> {
    let failed = |value: &Datum<'_>| RowError(format!("cannot cast {:?} to {to}", from.text(value)));
    Ok(match to {
        _ if value.is_null() => Datum::Null,
        SqlType::Boolean => match &value {
            Datum::Boolean(_) => value,
            Datum::Text(text) if text.trim().eq_ignore_ascii_case("true") => Datum::Boolean(true),
            Datum::Text(text) if text.trim().eq_ignore_ascii_case("false") => Datum::Boolean(false),
            _ => return Err(failed(&value)),
        },
        SqlType::TinyInt | SqlType::SmallInt | SqlType::Integer | SqlType::BigInt => {
            let whole = to_integer(&value, from).ok_or_else(|| failed(&value))?;
            if !fits(whole, to) {
                return Err(RowError(format!("{whole} is out of range for {to}")));
            }
            Datum::Integer(whole)
        }
        SqlType::Double | SqlType::Real => {
            let number = match &value {
                Datum::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
                Datum::Integer(_) | Datum::Double(_) | Datum::Decimal(..) => Some(to_double(&value)),
                _ => None,
            };
            let number = number.ok_or_else(|| failed(&value))?;
            // REAL has 32 bits.
            Datum::Double(if to == SqlType::Real { f64::from(number as f32) } else { number })
        }
        SqlType::Decimal { precision, scale } => {
            let digits = to_decimal(&value, from, scale).ok_or_else(|| failed(&value))?;
            if digits.unsigned_abs() >= 10u64.pow(u32::from(precision)) {
                return Err(RowError(format!("{} is out of range for {to}", from.text(&value))));
            }
            Datum::Decimal(digits, scale)
        }
        SqlType::Char { length } | SqlType::Varchar { length } => {
            let text = match value {
                Datum::Text(text) => text,
                other => from.text(&other).into(),
            };
            let length = length as usize;
            if text.len() > length && text.chars().count() > length {
                return Err(RowError(format!("a text of {} characters is too long for {to}", text.chars().count())));
            }
            match to {
                SqlType::Char { .. } => Datum::Text(super::padded(text, length)),
                _ => Datum::Text(text),
            }
        }
        SqlType::Date => Datum::Date(match &value {
            Datum::Date(days) => *days,
            Datum::Timestamp(ms) => i32::try_from(ms.div_euclid(DAY)).map_err(|_| failed(&value))?,
            Datum::Text(text) => text::parse_date(text.trim()).ok_or_else(|| failed(&value))?,
            _ => return Err(failed(&value)),
        }),
        SqlType::Time => Datum::Time(match &value {
            Datum::Time(ms) => *ms,
            Datum::Timestamp(ms) => i32::try_from(ms.rem_euclid(DAY)).map_err(|_| failed(&value))?,
            Datum::Text(text) => text::parse_time(text.trim()).ok_or_else(|| failed(&value))?,
            _ => return Err(failed(&value)),
        }),
        SqlType::Timestamp => Datum::Timestamp(match &value {
            Datum::Timestamp(ms) => *ms,
            Datum::Date(days) => i64::from(*days) * DAY,
            // A time alone is of the first day: the clock is none of a row's business.
            Datum::Time(ms) => i64::from(*ms),
            Datum::Text(text) => text::parse_timestamp(text.trim()).ok_or_else(|| failed(&value))?,
            _ => return Err(failed(&value)),
        }),
    })
}

/// Whether a whole number fits a type.
pub(crate) fn fits(value: i64, sql_type: SqlType) -> bool {
    match sql_type {
        SqlType::TinyInt => i8::try_from(value).is_ok(),
        SqlType::SmallInt => i16::try_from(value).is_ok(),
        SqlType::Integer => i32::try_from(value).is_ok(),
        _ => true,
    }
}

/// Rounds half away from zero; an interval is counted in its last field.
fn to_integer(value: &Datum<'_>, from: Kind) -> Option<i64> {
    match value {
        Datum::Integer(value) => Some(*value),
        Datum::Double(value) => whole(value.round()),
        Datum::Decimal(digits, scale) => {
            i64::try_from(divide_rounded(i128::from(*digits), 10i128.pow(u32::from(*scale)))).ok()
        }
        Datum::Text(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse::<f64>().ok().and_then(|value| whole(value.round())))
        }
        Datum::Interval(length) => match from {
            Kind::Interval(qualifier) => Some(length / last_unit(qualifier).length()),
            Kind::Plain => Some(*length),
        },
        _ => None,
    }
}

fn last_unit(qualifier: Qualifier) -> Unit {
    qualifier.to
}

/// A double as a whole number, if it is one that fits.
fn whole(value: f64) -> Option<i64> {
    // 2^63 itself does not fit.
    (value >= i64::MIN as f64 && value < i64::MAX as f64).then_some(value as i64)
}

/// Digits at a scale, rounded half away from zero.
pub(super) fn to_decimal(value: &Datum<'_>, from: Kind, scale: u8) -> Option<i64> {
    let factor = 10i128.pow(u32::from(scale));
    let digits = match value {
        Datum::Integer(value) => i128::from(*value).checked_mul(factor)?,
        Datum::Decimal(digits, own) => {
            divide_rounded(i128::from(*digits).checked_mul(factor)?, 10i128.pow(u32::from(*own)))
        }
        Datum::Double(value) => i128::from(whole((value * factor as f64).round())?),
        Datum::Text(text) => return to_decimal(&parse_number(text.trim())?, from, scale),
        // Seconds have a fraction, other units are whole.
        Datum::Interval(length) if matches!(from, Kind::Interval(Qualifier { to: Unit::Second, .. })) => {
            divide_rounded(i128::from(*length).checked_mul(factor)?, i128::from(Unit::Second.length()))
        }
        Datum::Interval(_) => i128::from(to_integer(value, from)?).checked_mul(factor)?,
        _ => return None,
    };
    i64::try_from(digits).ok()
}

fn parse_number(text: &str) -> Option<Datum<'static>> {
    if let Some((whole, fraction)) = text.split_once('.')
        && let (Ok(scale), Ok(digits)) = (u8::try_from(fraction.len()), format!("{whole}{fraction}").parse::<i64>())
        && scale <= 18
    {
        return Some(Datum::Decimal(digits, scale));
    }
    text.parse().ok().map(Datum::Integer).or_else(|| text.parse().ok().map(Datum::Double))
}

pub(super) fn divide_rounded(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    if rest.abs() * 2 >= divisor.abs() { quotient + dividend.signum() * divisor.signum() } else { quotient }
}

pub(crate) fn to_double(value: &Datum<'_>) -> f64 {
    match value {
        Datum::Integer(value) => *value as f64,
        Datum::Double(value) => *value,
        Datum::Decimal(digits, scale) => *digits as f64 / 10f64.powi(i32::from(*scale)),
        _ => f64::NAN,
    }
}

/// The text of a value whose type adds nothing to it.
pub(super) fn to_text(value: &Datum<'_>) -> String {
    let mut out = Vec::new();
    match value {
        Datum::Null => {}
        Datum::Boolean(value) => return if *value { "TRUE".into() } else { "FALSE".into() },
        Datum::Integer(value) => return value.to_string(),
        Datum::Interval(value) => return value.to_string(),
        Datum::Double(value) => return value.to_string(),
        Datum::Decimal(digits, scale) => return decimal_text(*digits, *scale),
        Datum::Text(text) => return text.to_string(),
        Datum::Date(days) => text::write_date(i64::from(*days), &mut out),
        Datum::Time(ms) => text::write_time(i64::from(*ms), false, &mut out),
        Datum::Timestamp(ms) => text::write_timestamp(*ms, false, &mut out),
    }
    String::from_utf8(out).unwrap_or_default()
}

/// `-0.50` of -50 and scale 2.
pub(crate) fn decimal_text(digits: i64, scale: u8) -> String {
    if scale == 0 {
        return digits.to_string();
    }
    let factor = 10u64.pow(u32::from(scale));
    let (whole, fraction) = (digits.unsigned_abs() / factor, digits.unsigned_abs() % factor);
    format!("{}{whole}.{fraction:0width$}", if digits < 0 { "-" } else { "" }, width = usize::from(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts() {
        let varchar = SqlType::Varchar { length: 12 };
        let cases = [
            (Datum::Decimal(27, 1), SqlType::Integer, Some(Datum::Integer(3))),
            (Datum::Double(-1.6), SqlType::Integer, Some(Datum::Integer(-2))),
            (Datum::text(" 42 "), SqlType::Integer, Some(Datum::Integer(42))),
            (Datum::text("x"), SqlType::Integer, None),
            (Datum::Integer(40_000), SqlType::SmallInt, None),
            (Datum::Null, SqlType::SmallInt, Some(Datum::Null)),
            (Datum::Decimal(-50, 2), varchar, Some(Datum::text("-0.50"))),
            (Datum::text("abcdefghijklm"), varchar, None),
            (Datum::text("1.25"), SqlType::Decimal { precision: 3, scale: 1 }, Some(Datum::Decimal(13, 1))),
            (Datum::Integer(100), SqlType::Decimal { precision: 3, scale: 1 }, None),
            (Datum::Double(0.1), SqlType::Real, Some(Datum::Double(f64::from(0.1f32)))),
        ];
        for (value, to, expected) in cases {
            assert_eq!(cast(value.clone(), Kind::Plain, to).ok(), expected, "{value:?} as {to}");
        }
    }
}
