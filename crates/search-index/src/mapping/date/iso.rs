//! `strict_date_optional_time`: ISO 8601 as far as one likes to write it.

use jiff::Zoned;

use super::parts::Parts;
use super::time_zone;

/// `2026`, `2026-11`, `2026-11-20`, `2026-11-20T10`, `2026-11-20T10:00:00.123+01:00`, … Strict: two digits each, four for the year.
pub(super) fn parse(text: &str, strict: bool) -> Option<Parts> {
    let mut parts = Parts::default();
    let (year, rest) = digits(text, if strict { 4 } else { 1 }, 4)?;
    parts.year = Some(year as i16);
    let rest = date(rest, strict, &mut parts)?;
    let Some(rest) = rest.strip_prefix('T') else {
        return rest.is_empty().then_some(parts);
    };
    let rest = time(rest, strict, &mut parts)?;
    zone(rest, &mut parts).then_some(parts)
}

fn date<'a>(rest: &'a str, strict: bool, parts: &mut Parts) -> Option<&'a str> {
    let least = if strict { 2 } else { 1 };
    let Some(rest) = rest.strip_prefix('-') else {
        return Some(rest);
    };
    let (month, rest) = digits(rest, least, 2)?;
    parts.month = Some(month as i8);
    let Some(rest) = rest.strip_prefix('-') else {
        return Some(rest);
    };
    let (day, rest) = digits(rest, least, 2)?;
    parts.day = Some(day as i8);
    Some(rest)
}

fn time<'a>(rest: &'a str, strict: bool, parts: &mut Parts) -> Option<&'a str> {
    let least = if strict { 2 } else { 1 };
    let Some((hour, rest)) = digits(rest, least, 2) else {
        return Some(rest);
    };
    parts.hour = Some(hour as i8);
    let Some(after) = rest.strip_prefix(':') else {
        return Some(rest);
    };
    let (minute, rest) = digits(after, least, 2)?;
    parts.minute = Some(minute as i8);
    let Some(after) = rest.strip_prefix(':') else {
        return Some(rest);
    };
    let (second, rest) = digits(after, least, 2)?;
    parts.second = Some(second as i8);
    let Some(after) = rest.strip_prefix(['.', ',']) else {
        return Some(rest);
    };
    let (nanos, rest) = fraction(after, 1, 9)?;
    parts.nanos = Some(nanos);
    Some(rest)
}

fn zone(rest: &str, parts: &mut Parts) -> bool {
    if rest.is_empty() {
        return true;
    }
    if let Some((seconds, rest)) = offset(rest) {
        parts.offset = Some(seconds);
        return rest.is_empty();
    }
    parts.zone = time_zone(rest);
    parts.zone.is_some()
}

/// `least` to `most` digits (at most nine) as a number.
pub(super) fn digits(text: &str, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    let number = text.as_bytes()[..count].iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((number, &text[count..]))
}

/// Digits after the point as nanoseconds.
pub(super) fn fraction(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let (number, rest) = digits(text, least, most)?;
    let scale = 10_u32.pow(9 - (text.len() - rest.len()) as u32);
    Some(((number * scale) as i32, rest))
}

/// `Z`, `+01`, `+0100`, `+01:00`, in seconds.
pub(super) fn offset(text: &str) -> Option<(i32, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2, 2)?;
    let after = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = digits(after, 2, 2).unwrap_or((0, rest));
    (hours <= 18 && minutes < 60).then_some((sign * (hours * 3_600 + minutes * 60) as i32, rest))
}

/// `2026-11-20T10:00:00.123Z`, with the offset where it is not UTC.
pub(super) fn format(at: &Zoned) -> String {
    let millis = at.subsec_nanosecond() / 1_000_000;
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{millis:03}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    text.push_str(&format_offset(at.offset().seconds(), true, true));
    text
}

/// An offset as text: `Z` for none (if `zulu`), `+01:00` or (without `colon`) `+0100`.
pub(super) fn format_offset(seconds: i32, zulu: bool, colon: bool) -> String {
    if seconds == 0 && zulu {
        return "Z".into();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3_600, seconds.abs() / 60 % 60);
    format!("{sign}{hours:02}{}{minutes:02}", if colon { ":" } else { "" })
}
