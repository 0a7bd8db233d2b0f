use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;

fn check(format: &str, text: &str, fill: Fill, expected: Option<&str>) {
    let parsed = format.parse::<DateFormat>().unwrap().parse(text, fill, &TimeZone::UTC);
    let expected = expected.map(|text| text.parse::<Timestamp>().unwrap().as_millisecond());
    assert_eq!(parsed, expected, "{text} as {format}, {fill:?}");
}

#[test]
fn reads() {
    const ISO: &str = "strict_date_optional_time";
    for (format, text, expected) in [
        (ISO, "2026-11-20T10:11:12.123Z", "2026-11-20T10:11:12.123Z"),
        (ISO, "2026-11-20T10:11:12.123456789+01:00", "2026-11-20T09:11:12.123Z"),
        (ISO, "2026-11-20T10:11:12+0130", "2026-11-20T08:41:12Z"),
        (ISO, "2026-11-20T10", "2026-11-20T10:00:00Z"),
        (ISO, "2026-11-20T", "2026-11-20T00:00:00Z"),
        (ISO, "2026-11", "2026-11-01T00:00:00Z"),
        (ISO, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("date_optional_time", "2026-1-2T3:4", "2026-01-02T03:04:00Z"),
        ("epoch_millis", "1763637072123", "2025-11-20T11:11:12.123Z"),
        ("epoch_millis", "1763637072123.5", "2025-11-20T11:11:12.123Z"),
        ("epoch_second", "1763637072", "2025-11-20T11:11:12Z"),
        ("epoch_second", "1763637072.25", "2025-11-20T11:11:12.25Z"),
        ("yyyy/MM/dd HH:mm:ss||yyyy/MM/dd", "2026/11/20", "2026-11-20T00:00:00Z"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2026-11-20 01:02:03.004", "2026-11-20T01:02:03.004Z"),
        ("yyyy-MM-dd HH:mm:ss[.SSS]", "2026-11-20 01:02:03", "2026-11-20T01:02:03Z"),
        ("dd/MMM/yyyy:HH:mm:ss Z", "20/Nov/2026:10:00:00 -0500", "2026-11-20T15:00:00Z"),
        ("EEE MMM d h:mm a yyyy", "Fri Nov 6 12:05 PM 2026", "2026-11-06T12:05:00Z"),
        ("yyyyMMdd'T'HHmmssX", "20261120T101112Z", "2026-11-20T10:11:12Z"),
        ("basic_date", "20261120", "2026-11-20T00:00:00Z"),
        ("strict_year_month", "2026-02", "2026-02-01T00:00:00Z"),
        ("MM/dd/yy 'o''clock' HH", "11/20/26 o'clock 07", "2026-11-20T07:00:00Z"),
    ] {
        check(format, text, Fill::Down, Some(expected));
    }
}

#[test]
fn refuses() {
    for (format, text) in [
        ("strict_date_optional_time", "2026-1-2"),
        ("strict_date_optional_time", "2026-02-30"),
        ("strict_date_optional_time", "2026-11-20 10:00:00"),
        ("strict_date_optional_time", "2026-11-20T25"),
        ("strict_date_optional_time", "20261120"),
        ("strict_date_optional_time", "9999-01-01"),
        ("epoch_millis", "12a"),
        ("yyyy/MM/dd", "2026/11/20 "),
        ("dd/MMM/yyyy", "20/Now/2026"),
    ] {
        check(format, text, Fill::Down, None);
    }
    for format in ["YYYY-ww", "yyyy-MM-dd'T", "", "yyyy[-MM"] {
        assert!(format.parse::<DateFormat>().is_err(), "{format}");
    }
}

#[test]
fn fills_from_above() {
    for (format, text, expected) in [
        ("strict_date_optional_time", "2026-11-20", "2026-11-20T23:59:59.999Z"),
        ("strict_date_optional_time", "2026-11-20T10:05", "2026-11-20T10:05:59.999Z"),
        ("strict_date_optional_time", "2026-11", "2026-11-01T23:59:59.999Z"),
        ("epoch_second", "1763637072", "2025-11-20T11:11:12.999Z"),
        ("yyyy/MM/dd HH", "2026/11/20 10", "2026-11-20T10:59:59.999Z"),
    ] {
        check(format, text, Fill::Up, Some(expected));
    }
}

#[test]
fn writes() {
    let zone = time_zone("+01:00").unwrap();
    for (format, utc, east) in [
        (DEFAULT_FORMAT, "2025-11-20T11:11:12.123Z", "2025-11-20T12:11:12.123+01:00"),
        ("epoch_millis", "1763637072123", "1763637072123"),
        ("epoch_second", "1763637072.123", "1763637072.123"),
        ("yyyy-MM-dd", "2025-11-20", "2025-11-20"),
        ("dd/MMM/yyyy:HH:mm:ss Z", "20/Nov/2025:11:11:12 +0000", "20/Nov/2025:12:11:12 +0100"),
        ("EEEE d MMMM h a SS XXX", "Thursday 20 November 11 AM 12 Z", "Thursday 20 November 12 PM 12 +01:00"),
    ] {
        let format: DateFormat = format.parse().unwrap();
        assert_eq!(format.format(1_763_637_072_123, &TimeZone::UTC), utc);
        assert_eq!(format.format(1_763_637_072_123, &zone), east);
    }
}

#[test]
fn zones() {
    for name in ["UTC", "Z", "+05:30", "-0800", "Europe/Berlin"] {
        assert!(time_zone(name).is_some(), "{name}");
    }
    assert!(time_zone("Europe/Atlantis").is_none());
}
