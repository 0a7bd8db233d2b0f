//! Time zones in texts: offsets, GMT, and names of which everyone means the same.

use super::read::take_digits;
use crate::datetime::{HOUR, MINUTE};

/// Names and their hours.
const NAMES: [(&str, i64); 31] = [
    ("UTC", 0),
    ("UT", 0),
    ("Z", 0),
    ("Coordinated Universal Time", 0),
    ("Eastern Standard Time", -5),
    ("Eastern Daylight Time", -4),
    ("Central Standard Time", -6),
    ("Central Daylight Time", -5),
    ("Mountain Standard Time", -7),
    ("Mountain Daylight Time", -6),
    ("Pacific Standard Time", -8),
    ("Pacific Daylight Time", -7),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("AKST", -9),
    ("AKDT", -8),
    ("HST", -10),
    ("WEST", 1),
    ("WET", 0),
    ("CEST", 2),
    ("CET", 1),
    ("EEST", 3),
    ("EET", 2),
    ("MSK", 3),
    ("JST", 9),
];

/// `+0130`, `+01:30`, `+01`, `GMT`, `GMT+1:30`, a name: the offset in milliseconds, and what follows.
pub(super) fn take_zone(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = strip_name(text, "GMT") {
        return take_offset(rest).or(Some((0, rest)));
    }
    let named = |(name, hours): (&str, i64)| strip_name(text, name).map(|rest| (hours * HOUR, rest));
    take_offset(text).or_else(|| NAMES.into_iter().find_map(named))
}

fn strip_name<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then_some(rest)
}

fn take_offset(text: &str) -> Option<(i64, &str)> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, digits, rest) = take_digits(&text[1..], 2)?;
    let (minutes, rest) = match rest.strip_prefix(':') {
        Some(rest) => take_digits(rest, 2).map(|(minutes, _, rest)| (minutes, rest))?,
        None if digits == 2 => take_digits(rest, 2).map_or((0, rest), |(minutes, _, rest)| (minutes, rest)),
        None => (0, rest),
    };
    (hours < 24 && minutes < 60).then_some((sign * (hours * HOUR + minutes * MINUTE), rest))
}
