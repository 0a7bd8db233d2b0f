//! Date math against what `java.time` gives for the same expressions.

use jiff::Timestamp;
use search_query::date::{Anchor, DateMath, zone};

const NOW: &str = "2026-11-20T14:25:36.789Z";

fn ms(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

fn check(text: &str, round_up: bool, time_zone: &str, expected: &str) {
    let (anchor, math) = DateMath::split(text).unwrap();
    let from = match anchor {
        Anchor::Now => ms(NOW),
        Anchor::Date(date) => ms(date),
    };
    let at = math.apply(from, round_up, &zone(time_zone).unwrap()).unwrap();
    assert_eq!(Timestamp::from_millisecond(at).unwrap().to_string(), expected, "{text} {round_up} {time_zone}");
}

#[test]
fn operations() {
    for (text, down, up) in [
        ("now", "2026-11-20T14:25:36.789Z", "2026-11-20T14:25:36.789Z"),
        ("now-1h", "2026-11-20T13:25:36.789Z", "2026-11-20T13:25:36.789Z"),
        ("now+d", "2026-11-21T14:25:36.789Z", "2026-11-21T14:25:36.789Z"),
        ("now-1H/H", "2026-11-20T13:00:00Z", "2026-11-20T13:59:59.999Z"),
        ("now/s", "2026-11-20T14:25:36Z", "2026-11-20T14:25:36.999Z"),
        ("now/m", "2026-11-20T14:25:00Z", "2026-11-20T14:25:59.999Z"),
        ("now/d", "2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999Z"),
        ("now/w", "2026-11-16T00:00:00Z", "2026-11-22T23:59:59.999Z"),
        ("now/M", "2026-11-01T00:00:00Z", "2026-11-30T23:59:59.999Z"),
        ("now/y", "2026-01-01T00:00:00Z", "2026-12-31T23:59:59.999Z"),
        ("now-1d/d", "2026-11-19T00:00:00Z", "2026-11-19T23:59:59.999Z"),
        ("now/d-1h", "2026-11-19T23:00:00Z", "2026-11-20T22:59:59.999Z"),
        ("now-1w+2M-1y", "2026-01-13T14:25:36.789Z", "2026-01-13T14:25:36.789Z"),
        ("2024-01-31T00:00:00Z||+1M", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ("2026-11-20T01:02:03Z||+1M/d", "2026-12-20T00:00:00Z", "2026-12-20T23:59:59.999Z"),
        ("2026-11-20T01:02:03Z||", "2026-11-20T01:02:03Z", "2026-11-20T01:02:03Z"),
        ("2026-11-20T01:02:03Z||-90s", "2026-11-20T01:00:33Z", "2026-11-20T01:00:33Z"),
    ] {
        check(text, false, "UTC", down);
        check(text, true, "UTC", up);
    }
}

#[test]
fn zones() {
    for (text, time_zone, down, up) in [
        ("now/d", "+01:00", "2026-11-19T23:00:00Z", "2026-11-20T22:59:59.999Z"),
        ("now/d", "-0800", "2026-11-20T08:00:00Z", "2026-11-21T07:59:59.999Z"),
        ("now/d", "UTC+5", "2026-11-19T19:00:00Z", "2026-11-20T18:59:59.999Z"),
        ("now/h", "+05:30", "2026-11-20T13:30:00Z", "2026-11-20T14:29:59.999Z"),
        // The day on which the clocks go back in Berlin has 25 hours.
        ("2026-10-25T12:00:00Z||/d", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59.999Z"),
        ("2026-10-24T12:00:00Z||+1d", "Europe/Berlin", "2026-10-25T13:00:00Z", "2026-10-25T13:00:00Z"),
        ("2026-10-24T12:00:00Z||+24h", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-25T12:00:00Z"),
    ] {
        check(text, false, time_zone, down);
        check(text, true, time_zone, up);
    }
}

#[test]
fn a_date_alone_has_no_math() {
    for (text, anchor, empty) in [
        ("2026-11-20", Anchor::Date("2026-11-20"), true),
        ("2026-11-20||", Anchor::Date("2026-11-20"), false),
        ("2026-11-20||/d", Anchor::Date("2026-11-20"), false),
        ("now", Anchor::Now, false),
        ("", Anchor::Date(""), true),
    ] {
        let (found, math) = DateMath::split(text).unwrap();
        assert_eq!((found, math.is_empty()), (anchor, empty), "{text}");
    }
}

#[test]
fn refused() {
    for (text, reason) in [
        ("now*1d", "operator not supported for date math [*1d]"),
        ("nowé", "operator not supported for date math [é]"),
        ("now-", "truncated date math [-]"),
        ("now-12", "truncated date math [-12]"),
        ("now/2d", "rounding `/` can only be used on single unit types [/2d]"),
        ("now-1q", "unit [q] not supported for date math [-1q]"),
        ("now-1é", "unit [é] not supported for date math [-1é]"),
        ("now+99999999999999999999d", "number too large in date math [+99999999999999999999d]"),
    ] {
        let error = DateMath::split(text).unwrap_err();
        assert_eq!((error.kind, error.reason.as_str()), ("parse_exception", reason));
    }
    let (_, math) = DateMath::split("now+9000000000d").unwrap();
    assert!(math.apply(0, false, &jiff::tz::TimeZone::UTC).is_err());
    for text in ["Mars/Olympus", "+25:61", "+", "+1:", "+aa", ""] {
        assert_eq!(zone(text).unwrap_err().reason, format!("unknown time zone [{text}]"));
    }
}
