//! Values of records to values of columns: the mapping's own coercions, laxer than CAST.

use std::borrow::Cow;

use super::scan::{Raw, unescape};
use crate::datetime::text;
use crate::expression::{Kind, cast, cut, fits};
use crate::value::{Datum, SqlType};

/// The value as a type; `None` is a coercion error. Texts that are cut off are counted.
#[inline]
pub(super) fn convert<'r>(raw: Raw<'r>, to: SqlType, cut: &mut u64) -> Option<Datum<'r>> {
    match raw {
        Raw::Null => Some(Datum::Null),
        Raw::Number(digits) => number(digits, to, cut),
        Raw::Text(bytes, false) => from_text(Cow::Borrowed(std::str::from_utf8(bytes).ok()?), to, cut),
        Raw::Text(bytes, true) => from_text(Cow::Owned(unescape(bytes)?), to, cut),
        Raw::Boolean(value) => boolean(value, to, cut),
        // Objects and arrays are texts, as they stand.
        Raw::Nested(bytes) if to.is_text() => from_text(Cow::Borrowed(std::str::from_utf8(bytes).ok()?), to, cut),
        Raw::Nested(_) => None,
    }
}

fn boolean<'r>(value: bool, to: SqlType, cut: &mut u64) -> Option<Datum<'r>> {
    match to {
        SqlType::Boolean => Some(Datum::Boolean(value)),
        to if to.is_text() => from_text(Cow::Borrowed(if value { "true" } else { "false" }), to, cut),
        to if to.is_numeric() => cast(Datum::Integer(i64::from(value)), Kind::Plain, to).ok(),
        _ => None,
    }
}

#[inline]
fn number<'r>(digits: &'r [u8], to: SqlType, cut: &mut u64) -> Option<Datum<'r>> {
    if to.is_integer() {
        let value = whole(digits)?;
        return fits(value, to).then_some(Datum::Integer(value));
    }
    let text = std::str::from_utf8(digits).ok()?;
    match to {
        SqlType::Double | SqlType::Real | SqlType::Decimal { .. } => {
            cast(Datum::Text(Cow::Borrowed(text)), Kind::Plain, to).ok()
        }
        SqlType::Boolean => text.parse::<f64>().ok().map(|value| Datum::Boolean(value != 0.0)),
        to if to.is_text() => from_text(Cow::Borrowed(text), to, cut),
        _ => None,
    }
}

/// A number without a fraction.
#[inline]
fn whole(digits: &[u8]) -> Option<i64> {
    let (negative, body) = match digits {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // Eighteen digits cannot overflow; more take the slow way.
    if body.is_empty() || body.len() > 18 || !body.iter().all(u8::is_ascii_digit) {
        let text = std::str::from_utf8(digits).ok()?;
        return text.parse().ok().or_else(|| {
            text.parse::<f64>()
                .ok()
                .filter(|value| value.fract() == 0.0 && value.abs() < 9e15)
                .map(|value| value as i64)
        });
    }
    let value = body.iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(if negative { -value } else { value })
}

/// A text as a type: also how CSV values are read.
pub(super) fn from_text<'r>(value: Cow<'r, str>, to: SqlType, cut: &mut u64) -> Option<Datum<'r>> {
    Some(match to {
        SqlType::Varchar { length } | SqlType::Char { length } => Datum::Text(truncated(value, length, cut)),
        SqlType::Boolean => Datum::Boolean(value.trim().eq_ignore_ascii_case("true")),
        SqlType::Timestamp => Datum::Timestamp(text::parse_timestamp_of_record(&value)?),
        SqlType::Date => {
            let day = text::parse_timestamp_of_record(&value)?.div_euclid(crate::datetime::DAY);
            Datum::Date(i32::try_from(day).ok()?)
        }
        SqlType::Time => Datum::Time(text::parse_time(value.trim())?),
        to if to.is_integer() => {
            let whole = whole(value.trim().as_bytes())?;
            return fits(whole, to).then_some(Datum::Integer(whole));
        }
        to => return cast(Datum::Text(value), Kind::Plain, to).ok(),
    })
}

/// Too long a text is cut off; it is counted, and its row goes on ("VARCHAR truncated silently").
fn truncated<'r>(value: Cow<'r, str>, length: u32, count: &mut u64) -> Cow<'r, str> {
    let before = value.len();
    let value = cut(value, length);
    *count += u64::from(value.len() < before);
    value
}
