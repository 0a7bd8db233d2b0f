//! Times as logs write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Whole numbers from here on are milliseconds, smaller ones seconds (as milliseconds it is March 1973).
const MILLISECONDS_FROM: f64 = 1e11;

/// Epoch ms of a number of seconds or milliseconds since 1970, of ISO 8601 (without an offset: UTC), or of a web server's
/// `27/Aug/2018:10:15:05 +0000`.
pub fn parse(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && let Ok(number) = text.parse::<f64>()
    {
        let factor = if number.abs() >= MILLISECONDS_FROM { 1.0 } else { 1000.0 };
        return Some((number * factor).floor() as i64);
    }
    let millisecond = |time: Timestamp| time.as_millisecond();
    let with_offset = text.parse::<Timestamp>().map(millisecond);
    let without = || {
        let time = text.parse::<DateTime>().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| millisecond(zoned.timestamp()))
    };
    let apache = || Timestamp::strptime("%d/%b/%Y:%H:%M:%S %z", text).ok().map(millisecond);
    with_offset.ok().or_else(without).or_else(apache)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(parse(text), expected, "{text}");
        check("1535364905", Some(1_535_364_905_000));
        check("1535364905.123", Some(1_535_364_905_123));
        check("1535364905123", Some(1_535_364_905_123));
        check("-1", Some(-1000));
        check("2018-08-27T10:15:05Z", Some(1_535_364_905_000));
        check("2018-08-27T12:15:05.123+02:00", Some(1_535_364_905_123));
        check("2018-08-27 10:15:05.123", Some(1_535_364_905_123));
        check("2018-08-27", Some(1_535_328_000_000));
        check("27/Aug/2018:12:15:05 +0200", Some(1_535_364_905_000));
        check("[27/Aug/2018:10:15:05 +0000]", Some(1_535_364_905_000));
        check("yesterday", None);
        check("nan", None);
        check("", None);
    }
}
