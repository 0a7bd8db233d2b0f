//! Dates in requests: `now-1h/d`, `2026-11-20||+1M/d`, or as the field's format has them.

use jiff::tz::TimeZone;
use jiff::{Span, ToSpan, Unit, Zoned, ZonedRound};
use serde_json::Value;

use crate::Error;
use crate::mapping::{DateFormat, Fill};

use super::text;

/// The moment (epoch ms) that a value means. `fill` says whether what it leaves open, or rounds off, is taken from below or above.
pub(crate) fn resolve(
    value: &Value,
    format: &DateFormat,
    zone: &TimeZone,
    now: i64,
    fill: Fill,
) -> Result<i64, Error> {
    let whole = text(value);
    let (base, math) = match whole.strip_prefix("now") {
        Some(math) => (Some(now), math),
        None => match whole.split_once("||") {
            // With math after it the date itself is taken from below; the math rounds.
            Some((date, math)) => (format.parse(date, if math.is_empty() { fill } else { Fill::Down }, zone), math),
            None => (format.parse(&whole, fill, zone), ""),
        },
    };
    let Some(base) = base else {
        return Err(Error::Request {
            kind: "parse_exception",
            reason: format!("failed to parse date field [{whole}] with format [{format}]"),
        });
    };
    if math.is_empty() {
        return Ok(base);
    }
    apply(base, math, zone, fill).ok_or_else(|| Error::Request {
        kind: "parse_exception",
        reason: format!("failed to parse date math [{math}] of [{whole}]"),
    })
}

/// `+1M-2d/h`.
fn apply(base: i64, math: &str, zone: &TimeZone, fill: Fill) -> Option<i64> {
    let mut at = jiff::Timestamp::from_millisecond(base).ok()?.to_zoned(zone.clone());
    let mut rest = math;
    let mut rounded_up = false;
    while let Some(operator) = rest.chars().next() {
        rest = &rest[operator.len_utf8()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = if digits == 0 { 1 } else { rest[..digits].parse().ok()? };
        let unit = rest[digits..].chars().next()?;
        rest = &rest[digits + unit.len_utf8()..];
        match operator {
            '+' => at = at.checked_add(span(number, unit)?).ok()?,
            '-' => at = at.checked_sub(span(number, unit)?).ok()?,
            '/' if digits == 0 => {
                at = floor(&at, unit)?;
                rounded_up = fill == Fill::Up;
                if rounded_up {
                    at = at.checked_add(span(1, unit)?).ok()?;
                }
            }
            _ => return None,
        }
        // The last millisecond of what was rounded to.
        if operator == '/' && rounded_up {
            at = at.checked_sub(1.millisecond()).ok()?;
        }
    }
    Some(at.timestamp().as_millisecond())
}

fn span(number: i64, unit: char) -> Option<Span> {
    let span = Span::new();
    match unit {
        'y' => span.try_years(number),
        'M' => span.try_months(number),
        'w' => span.try_weeks(number),
        'd' => span.try_days(number),
        'h' | 'H' => span.try_hours(number),
        'm' => span.try_minutes(number),
        's' => span.try_seconds(number),
        _ => return None,
    }
    .ok()
}

/// The beginning of the unit in which a moment lies.
fn floor(at: &Zoned, unit: char) -> Option<Zoned> {
    let unit = match unit {
        'y' => return at.first_of_year().ok()?.start_of_day().ok(),
        'M' => return at.first_of_month().ok()?.start_of_day().ok(),
        'w' => {
            let days = i64::from(at.weekday().to_monday_zero_offset());
            return at.checked_sub(days.days()).ok()?.start_of_day().ok();
        }
        'd' => return at.start_of_day().ok(),
        'h' | 'H' => Unit::Hour,
        'm' => Unit::Minute,
        's' => Unit::Second,
        _ => return None,
    };
    at.round(ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Floor)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, zone: &str, down: &str, up: &str) {
        let now = "2026-11-20T10:11:12.345Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let zone = crate::mapping::time_zone(zone).unwrap();
        for (fill, expected) in [(Fill::Down, down), (Fill::Up, up)] {
            let at = resolve(&Value::from(value), &DateFormat::standard(), &zone, now, fill).unwrap();
            assert_eq!(at, expected.parse::<jiff::Timestamp>().unwrap().as_millisecond(), "{value} {fill:?}");
        }
    }

    #[test]
    fn dates_with_math() {
        for (value, zone, down, up) in [
            ("now", "UTC", "2026-11-20T10:11:12.345Z", "2026-11-20T10:11:12.345Z"),
            ("now-1h", "UTC", "2026-11-20T09:11:12.345Z", "2026-11-20T09:11:12.345Z"),
            ("now/d", "UTC", "2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999Z"),
            ("now-1d/d", "+01:00", "2026-11-18T23:00:00Z", "2026-11-19T22:59:59.999Z"),
            ("now/w", "UTC", "2026-11-16T00:00:00Z", "2026-11-22T23:59:59.999Z"),
            ("now/M+1d", "UTC", "2026-11-02T00:00:00Z", "2026-12-01T23:59:59.999Z"),
            ("now/y", "UTC", "2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z"),
            ("now/h", "UTC", "2026-11-20T10:00:00Z", "2026-11-20T10:59:59.999Z"),
            ("2026-01-31||+1M", "UTC", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-01-31||/M", "UTC", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59.999Z"),
            ("2026-01-31", "-05:00", "2026-01-31T05:00:00Z", "2026-02-01T04:59:59.999Z"),
            ("1763637072123", "UTC", "2025-11-20T11:11:12.123Z", "2025-11-20T11:11:12.123Z"),
        ] {
            check(value, zone, down, up);
        }
    }

    #[test]
    fn what_is_no_date_is_named() {
        for value in ["yesterday", "now+1x", "now/2d", "2026-01-01||*2", "nowish"] {
            let error = resolve(&Value::from(value), &DateFormat::standard(), &TimeZone::UTC, 0, Fill::Down);
            assert!(error.unwrap_err().to_string().contains(value), "{value}");
        }
    }
}
