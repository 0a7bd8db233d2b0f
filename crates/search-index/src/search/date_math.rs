//! Dates in requests: `now-1h/d`, `2026-11-20||+1M/d`, or as the field's format has them.

use jiff::tz::TimeZone;
use search_query::date::{Anchor, DateMath};
use serde_json::Value;

use crate::Error;
use crate::mapping::{DateFormat, Fill};

use super::{refused, text};

/// The moment (epoch ms) that a value means. `fill` says whether what it leaves open, or rounds off, is taken from below or above.
pub(crate) fn resolve(value: &Value, format: &DateFormat, zone: &TimeZone, now: i64, fill: Fill) -> Result<i64, Error> {
    let whole = text(value);
    let (anchor, math) = DateMath::split(&whole).map_err(refused)?;
    let base = match anchor {
        Anchor::Now => Some(now),
        Anchor::Date(date) => format.parse(date, if math.is_empty() { fill } else { Fill::Down }, zone),
    };
    let base = base.ok_or_else(|| Error::Request {
        kind: "parse_exception",
        reason: format!("failed to parse date field [{whole}] with format [{format}]"),
    })?;
    math.apply(base, fill == Fill::Up, zone).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, zone: &str, down: &str, up: &str) {
        let now = "2026-11-20T10:11:12.345Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let zone = search_query::date::zone(zone).unwrap();
        for (fill, expected) in [(Fill::Down, down), (Fill::Up, up)] {
            let at = resolve(&Value::from(value), &DateFormat::standard(), &zone, now, fill).unwrap();
            assert_eq!(at, expected.parse::<jiff::Timestamp>().unwrap().as_millisecond(), "{value} {fill:?}");
        }
    }

    #[test]
    fn dates_with_math() {
        for (value, zone, down, up) in [
            ("now-1d/d", "+01:00", "2026-11-18T23:00:00Z", "2026-11-19T22:59:59.999Z"),
            ("2026-01-31||+1M", "UTC", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("2026-01-31||/M", "UTC", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59.999Z"),
            ("2026-01-31||", "UTC", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00Z"),
            ("2026-01-31", "-05:00", "2026-01-31T05:00:00Z", "2026-02-01T04:59:59.999Z"),
            ("1763637072123", "UTC", "2025-11-20T11:11:12.123Z", "2025-11-20T11:11:12.123Z"),
        ] {
            check(value, zone, down, up);
        }
    }

    #[test]
    fn what_is_no_date_is_named() {
        for value in ["yesterday", "now+1x", "now/2d", "2026-01-01||*2"] {
            let error = resolve(&Value::from(value), &DateFormat::standard(), &TimeZone::UTC, 0, Fill::Down);
            let Error::Request { kind: "parse_exception", reason } = error.unwrap_err() else {
                panic!("{value}");
            };
            assert!(!reason.is_empty(), "{value}");
        }
    }
}
