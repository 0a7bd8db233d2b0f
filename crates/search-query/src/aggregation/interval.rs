//! Widths of the buckets of a `date_histogram`.

use serde_json::Value;

use super::{CalendarUnit, Interval};
use crate::RequestError;
use crate::wire;

/// `calendar_interval`: one unit, by name or as `1d`.
pub(super) fn calendar(text: &str) -> Result<Interval, RequestError> {
    let unit = match text {
        // A second is as long as any other.
        "second" | "1s" => return Ok(Interval::Fixed(1_000)),
        "minute" | "1m" => CalendarUnit::Minute,
        "hour" | "1h" => CalendarUnit::Hour,
        "day" | "1d" => CalendarUnit::Day,
        "week" | "1w" => CalendarUnit::Week,
        "month" | "1M" => CalendarUnit::Month,
        "quarter" | "1q" => CalendarUnit::Quarter,
        "year" | "1y" => CalendarUnit::Year,
        _ => {
            return Err(RequestError::illegal(format!(
                "The supplied interval [{text}] could not be parsed as a calendar interval."
            )));
        }
    };
    Ok(Interval::Calendar(unit))
}

/// `fixed_interval`: a length of time.
pub(super) fn fixed(text: &str) -> Result<Interval, RequestError> {
    let failure = |why: &str| {
        RequestError::illegal(format!(
            "failed to parse setting [date_histogram.fixedInterval] with value [{text}] as a time value: {why}"
        ))
    };
    let length = milliseconds(text).ok_or_else(|| failure("unit is missing or unrecognized"))?;
    if length == 0 { Err(failure("it must be 1 millisecond at least")) } else { Ok(Interval::Fixed(length)) }
}

/// The older `interval`: a calendar's unit, a length, or a number of milliseconds.
pub(super) fn either(value: &Value) -> Result<Interval, RequestError> {
    if let Some(length) = value.as_u64().filter(|length| *length > 0) {
        return Ok(Interval::Fixed(length));
    }
    let text = wire::text(value, "interval")?;
    calendar(&text).or_else(|_| fixed(&text))
}

/// `offset`: `+6h`, `-1d`, or a number of milliseconds.
pub(super) fn offset(value: &Value) -> Result<i64, RequestError> {
    if let Some(offset) = value.as_i64() {
        return Ok(offset);
    }
    let text = wire::text(value, "offset")?;
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    milliseconds(length).and_then(|length| i64::try_from(length).ok()).map(|length| sign * length).ok_or_else(|| {
        RequestError::illegal(format!(
            "failed to parse setting [DateHistogramAggregationBuilder.parseOffset] with value [{text}] as a time value: unit is missing \
             or unrecognized"
        ))
    })
}

/// `90s`: milliseconds. Fractions are refused, as Elasticsearch does.
fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit: u64 = match text[digits..].trim() {
        "ms" => 1,
        "s" | "S" => 1_000,
        "m" => 60_000,
        "h" | "H" => 3_600_000,
        "d" | "D" => 86_400_000,
        "" if &text[..digits] == "0" => 0,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit).filter(|length| i64::try_from(*length).is_ok())
}
