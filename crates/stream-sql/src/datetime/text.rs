//! Dates, times and timestamps as SQL writes them.

use std::io::Write as _;

use super::calendar::{civil_from_days, days_from_civil, days_in_month};
use super::{DAY, HOUR, MINUTE, SECOND};

/// Appends `yyyy-MM-dd`.
pub(crate) fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    write_number(year, 4, out);
    out.push(b'-');
    write_number(month, 2, out);
    out.push(b'-');
    write_number(day, 2, out);
}

/// Appends `HH:mm:ss`, and `.SSS` if asked or not zero.
pub(crate) fn write_time(ms: i64, fraction: bool, out: &mut Vec<u8>) {
    write_number(ms / HOUR, 2, out);
    out.push(b':');
    write_number(ms / MINUTE % 60, 2, out);
    out.push(b':');
    write_number(ms / SECOND % 60, 2, out);
    if fraction || ms % SECOND != 0 {
        out.push(b'.');
        write_number(ms % SECOND, 3, out);
    }
}

/// Appends `yyyy-MM-dd HH:mm:ss.SSS`.
pub(crate) fn write_timestamp(ms: i64, fraction: bool, out: &mut Vec<u8>) {
    write_date(ms.div_euclid(DAY), out);
    out.push(b' ');
    write_time(ms.rem_euclid(DAY), fraction, out);
}

/// Appends a number with at least so many digits.
pub(super) fn write_number(number: i64, width: usize, out: &mut Vec<u8>) {
    if !(0..10_000).contains(&number) || width > 4 {
        // Writing to a Vec does not fail.
        let _ = write!(out, "{number:0width$}");
        return;
    }
    // What nearly all fields of times are.
    let digits = [number / 1_000, number / 100 % 10, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    out.extend_from_slice(&digits[zeros.min(4 - width.max(1))..]);
}

/// Days of `yyyy-MM-dd`; nothing may follow.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let (days, rest) = take_date(text.as_bytes())?;
    (rest.is_empty()).then_some(days).and_then(|days| i32::try_from(days).ok())
}

/// Milliseconds of `HH:mm:ss[.S…]`.
pub(crate) fn parse_time(text: &str) -> Option<i32> {
    let (ms, rest) = take_time(text.as_bytes())?;
    (rest.is_empty()).then_some(ms).and_then(|ms| i32::try_from(ms).ok())
}

/// Milliseconds since 1970 of `yyyy-MM-dd HH:mm:ss[.S…]`; digits behind the milliseconds are cut off.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let (days, rest) = take_date(text.as_bytes())?;
    let (ms, rest) = take_time(rest.strip_prefix(b" ")?)?;
    rest.is_empty().then_some(days * DAY + ms)
}

/// The same as records have it: a date alone, `T` between date and time, and a zone (`Z`, `+hh:mm`) are taken too.
pub(crate) fn parse_timestamp_of_record(text: &str) -> Option<i64> {
    let (days, rest) = take_date(text.trim().as_bytes())?;
    if rest.is_empty() {
        return Some(days * DAY);
    }
    let (ms, rest) = take_time(rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"T"))?)?;
    let offset = match rest {
        b"" | b"Z" => 0,
        [sign @ (b'+' | b'-'), zone @ ..] => {
            let (hours, zone) = take_number(zone, 2)?;
            let (minutes, zone) = take_number(zone.strip_prefix(b":").unwrap_or(zone), 2)?;
            if !zone.is_empty() {
                return None;
            }
            (hours * HOUR + minutes * MINUTE) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    Some(days * DAY + ms - offset)
}

fn take_date(text: &[u8]) -> Option<(i64, &[u8])> {
    let (year, rest) = take_number(text, 4)?;
    let (month, rest) = take_number(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = take_number(rest.strip_prefix(b"-")?, 2)?;
    let valid = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    valid.then(|| (days_from_civil(year, month, day), rest))
}

fn take_time(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = take_number(text, 2)?;
    let (minute, rest) = take_number(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = take_number(rest.strip_prefix(b":")?, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = match rest.strip_prefix(b".") {
        None => (0, rest),
        Some(digits) => {
            let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let ms =
                digits[..count].iter().chain(b"000").take(3).fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
            (ms, &digits[count..])
        }
    };
    Some((hour * HOUR + minute * MINUTE + second * SECOND + fraction, rest))
}

/// Exactly so many digits.
fn take_number(text: &[u8], digits: usize) -> Option<(i64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let valid = number.iter().all(u8::is_ascii_digit);
    valid.then(|| (number.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read_and_written() {
        let text = |ms| {
            let mut out = Vec::new();
            write_timestamp(ms, true, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(parse_timestamp("2018-05-09 12:50:41.337510").unwrap()), "2018-05-09 12:50:41.337");
        assert_eq!(text(-1), "1969-12-31 23:59:59.999");
        assert_eq!(parse_timestamp("2018-05-09 12:50"), None);
        assert_eq!(parse_timestamp("2018-02-30 12:50:00"), None);
        assert_eq!(parse_date("2018-05-09 "), None);
        let record = |text| parse_timestamp_of_record(text).map(super::tests::shown);
        assert_eq!(record("2018-06-13T14:11:05.766191").as_deref(), Some("2018-06-13 14:11:05.766"));
        assert_eq!(record("1992-02-14").as_deref(), Some("1992-02-14 00:00:00.000"));
        assert_eq!(record("1992-02-14T10:00:00+01:30").as_deref(), Some("1992-02-14 08:30:00.000"));
        assert_eq!(record("14/02/1992"), None);
    }

    #[test]
    fn numbers_have_so_many_digits() {
        for width in 0..7 {
            for number in [i64::MIN, -12, 0, 7, 10, 99, 100, 999, 1_000, 9_999, 10_000, i64::MAX] {
                let mut out = Vec::new();
                write_number(number, width, &mut out);
                assert_eq!(String::from_utf8(out).unwrap(), format!("{number:0width$}"), "{number} {width}");
            }
        }
    }

    fn shown(ms: i64) -> String {
        let mut out = Vec::new();
        write_timestamp(ms, true, &mut out);
        String::from_utf8(out).unwrap()
    }
}
