//! The patterns of `CHAR_TO_TIMESTAMP` and `TIMESTAMP_TO_CHAR`: Java's SimpleDateFormat, lenient, in UTC and English.

use std::fmt::Write as _;

use super::calendar::{civil_from_days, days_from_civil, in_range};
use super::{DAY, HOUR, MINUTE, SECOND};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// Two-digit years are of the hundred years from here on. Java counts from eighty years ago; an engine has no clock.
const FIRST_YEAR: i64 = 1970;

/// The widest field.
const MAX_WIDTH: usize = 64;

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Literal(char),
    /// A letter and how often it stands.
    Field(char, usize),
}

/// The pieces of a pattern; quoted text is literal.
fn pieces(pattern: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\'' {
            if rest.next_if_eq(&'\'').is_some() {
                pieces.push(Piece::Literal('\''));
                continue;
            }
            loop {
                match rest.next() {
                    Some('\'') if rest.next_if_eq(&'\'').is_some() => pieces.push(Piece::Literal('\'')),
                    Some('\'') => break,
                    Some(c) => pieces.push(Piece::Literal(c)),
                    None => return Err(format!("the pattern {pattern:?} has an open quote")),
                }
            }
        } else if c.is_ascii_alphabetic() {
            let mut count = 1;
            while rest.next_if_eq(&c).is_some() {
                count += 1;
            }
            if count > MAX_WIDTH {
                return Err(format!("the pattern repeats {c} more than {MAX_WIDTH} times"));
            }
            if !"GyMwWDdFEaHkKhmsSzZX".contains(c) {
                return Err(format!("the pattern {pattern:?} has the unknown letter {c}"));
            }
            pieces.push(Piece::Field(c, count));
        } else {
            pieces.push(Piece::Literal(c));
        }
    }
    Ok(pieces)
}

/// What has been read. Unread fields are those of 1970-01-01 00:00:00.
#[derive(Debug)]
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    afternoon: bool,
    minute: i64,
    second: i64,
    millisecond: i64,
    offset: i64,
}

/// Milliseconds since 1970 of a text; or why it has none. Text after the last field is ignored.
pub(crate) fn parse(pattern: &str, text: &str) -> Result<i64, String> {
    let no_match = || format!("{text:?} does not match the pattern {pattern:?}");
    let pieces = pieces(pattern)?;
    let mut rest = text;
    let mut fields = Fields {
        year: 1970,
        month: 1,
        day: 1,
        day_of_year: None,
        hour: 0,
        afternoon: false,
        minute: 0,
        second: 0,
        millisecond: 0,
        offset: 0,
    };
    for (place, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(c) => rest = rest.strip_prefix(*c).ok_or_else(no_match)?,
            Piece::Field(letter, count) => {
                // A number that runs into the next one has as many digits as its letters.
                let abuts = matches!(pieces.get(place + 1), Some(Piece::Field(next, n)) if is_number(*next, *n));
                rest = fields.read(*letter, *count, abuts, rest).ok_or_else(no_match)?;
            }
        }
    }
    fields.milliseconds().ok_or_else(no_match)
}

fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'M' => count < 3,
        'G' | 'E' | 'a' | 'z' | 'Z' | 'X' => false,
        _ => true,
    }
}

fn take_digits(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    // Nineteen digits and more fit no i64.
    let value = text[..digits].parse().ok()?;
    Some((value, digits, &text[digits..]))
}

/// One of several words, the longest that fits, or its first three letters.
fn take_word<'t>(text: &'t str, words: &[&str]) -> Option<(usize, &'t str)> {
    let starts = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let full = words.iter().position(|word| starts(word)).map(|place| (place, &text[words[place].len()..]));
    full.or_else(|| words.iter().position(|word| starts(&word[..3])).map(|place| (place, &text[3..])))
}

impl Fields {
    fn read<'t>(&mut self, letter: char, count: usize, abuts: bool, text: &'t str) -> Option<&'t str> {
        match letter {
            'M' if count >= 3 => {
                let (month, rest) = take_word(text, &MONTHS)?;
                self.month = month as i64 + 1;
                return Some(rest);
            }
            'E' => return take_word(text, &DAYS).map(|(_, rest)| rest),
            'G' => return text.strip_prefix("AD").or_else(|| text.strip_prefix("BC")),
            'a' => {
                let half = text.get(..2)?;
                self.afternoon = half.eq_ignore_ascii_case("pm");
                return (self.afternoon || half.eq_ignore_ascii_case("am")).then(|| &text[2..]);
            }
            'z' | 'Z' | 'X' => {
                let (offset, rest) = take_zone(text)?;
                self.offset = offset;
                return Some(rest);
            }
            _ => {}
        }
        // Java skips blanks before a number, and takes a sign.
        let text = text.trim_start_matches([' ', '\t']);
        let (negative, digits_text) = match text.strip_prefix('-') {
            Some(rest) if !abuts => (true, rest),
            _ => (false, text),
        };
        let (value, digits, rest) = take_digits(digits_text, if abuts { count } else { 18 })?;
        let value = if negative { -value } else { value };
        match letter {
            'y' if count <= 2 && digits == 2 && !negative => {
                self.year = FIRST_YEAR + (value - FIRST_YEAR).rem_euclid(100);
            }
            'y' => self.year = value,
            'M' => self.month = value,
            'd' => self.day = value,
            'D' => self.day_of_year = Some(value),
            'H' => self.hour = value,
            'k' => self.hour = if value == 24 { 0 } else { value },
            'K' => self.hour = value,
            // 24-hour values are taken as they are.
            'h' => self.hour = if value == 12 { 0 } else { value },
            'm' => self.minute = value,
            's' => self.second = value,
            'S' => self.millisecond = value,
            // Weeks are checked to be numbers and change nothing: the date says more.
            _ => {}
        }
        Some(rest)
    }

    fn milliseconds(&self) -> Option<i64> {
        // Beyond these a year is no year; they also keep the sum in range.
        if self.year.abs() > 200_000 || self.month.abs() > 1_000_000 || self.day.abs() > 100_000_000 {
            return None;
        }
        let days = match self.day_of_year {
            Some(day) if day.abs() <= 100_000_000 => days_from_civil(self.year, 1, 1) + day - 1,
            Some(_) => return None,
            None => days_from_civil(self.year, self.month, 1) + self.day - 1,
        };
        let hour = if self.afternoon && self.hour < 12 { self.hour + 12 } else { self.hour };
        let mut total = days.checked_mul(DAY)?;
        for (value, length) in [(hour, HOUR), (self.minute, MINUTE), (self.second, SECOND), (self.millisecond, 1)] {
            total = total.checked_add(value.checked_mul(length)?)?;
        }
        in_range(total.checked_sub(self.offset)?)
    }
}

/// `Z`, `+0130`, `+01:30`, `+01`, `GMT`, `UTC`, `GMT+1:30` and the zones of the United States that RFC 822 names.
fn take_zone(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC")) {
        return take_offset(rest).or(Some((0, rest)));
    }
    for (name, hours) in [
        ("EST", -5),
        ("EDT", -4),
        ("CST", -6),
        ("CDT", -5),
        ("MST", -7),
        ("MDT", -6),
        ("PST", -8),
        ("PDT", -7),
        ("Z", 0),
    ] {
        if let Some(rest) = text.strip_prefix(name) {
            return Some((hours * HOUR, rest));
        }
    }
    take_offset(text)
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

/// The text of a time.
pub(crate) fn format(pattern: &str, ms: i64) -> Result<String, String> {
    let (days, of_day) = (ms.div_euclid(DAY), ms.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    let hour = of_day / HOUR;
    let weekday = (days + 4).rem_euclid(7);
    let day_of_year = days - days_from_civil(year, 1, 1) + 1;
    // Weeks start on Sunday, and the first has at least one day of the period (the locale en_US).
    let week_of = |day: i64| (day - 1 + (weekday - (day - 1)).rem_euclid(7)) / 7 + 1;
    let mut out = String::new();
    for piece in pieces(pattern)? {
        let (letter, count) = match piece {
            Piece::Literal(c) => {
                out.push(c);
                continue;
            }
            Piece::Field(letter, count) => (letter, count),
        };
        let name = |name: &'static str| if count >= 4 { name } else { &name[..3] };
        let number = match letter {
            'G' => {
                out.push_str(if year > 0 { "AD" } else { "BC" });
                continue;
            }
            'M' if count >= 3 => {
                out.push_str(name(MONTHS[month as usize - 1]));
                continue;
            }
            'E' => {
                out.push_str(name(DAYS[weekday as usize]));
                continue;
            }
            'a' => {
                out.push_str(if hour < 12 { "AM" } else { "PM" });
                continue;
            }
            'z' => {
                out.push_str(if count >= 4 { "Coordinated Universal Time" } else { "UTC" });
                continue;
            }
            'Z' => {
                out.push_str("+0000");
                continue;
            }
            'X' => {
                out.push('Z');
                continue;
            }
            'y' if count == 2 => year.rem_euclid(100),
            'y' => year,
            'M' => month,
            'd' => day,
            'D' => day_of_year,
            'F' => (day - 1) / 7 + 1,
            'w' => week_of(day_of_year),
            'W' => week_of(day),
            'H' => hour,
            'k' => (hour + 23) % 24 + 1,
            'K' => hour % 12,
            'h' => (hour + 11) % 12 + 1,
            'm' => of_day / MINUTE % 60,
            's' => of_day / SECOND % 60,
            _ => of_day % SECOND,
        };
        // Writing to a String does not fail.
        let _ = write!(out, "{number:0count$}");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pattern: &str, text: &str) -> Result<String, String> {
        format("yyyy-MM-dd HH:mm:ss.SSS", parse(pattern, text)?)
    }

    #[test]
    fn texts_are_read_leniently() {
        let cases = [
            ("dd/MMM/yyyy:HH:mm:ss Z", "25/Mar/2018:15:25:37 -0700", "2018-03-25 22:25:37.000"),
            ("yyyyMMddHHmmssSSS", "20240229013000250", "2024-02-29 01:30:00.250"),
            ("yyyy-MM-dd'T'HH:mm:ssX", "2024-02-29T01:30:00Z", "2024-02-29 01:30:00.000"),
            ("EEE, d MMM yyyy hh:mm a z", "Thu, 29 Feb 2024 12:05 AM PST", "2024-02-29 08:05:00.000"),
            ("hh:mm a", "11:05 PM", "1970-01-01 23:05:00.000"),
            ("dd-MM-yy", "32-12-69", "2070-01-01 00:00:00.000"),
            ("yyyy-DDD", "2024-060", "2024-02-29 00:00:00.000"),
            ("MMM dd, yyyy", "March 7, 2010", "2010-03-07 00:00:00.000"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(shown(pattern, text).as_deref(), Ok(expected), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("yyyy-MM", "2024/02"),
            ("MMM", "Foo"),
            ("yyyy", ""),
            ("Q", "1"),
            ("'a", "a"),
            ("yyyy", "999999999999999999"),
        ] {
            assert!(shown(pattern, text).is_err(), "{pattern} {text}");
        }
    }

    #[test]
    fn times_are_written() {
        let ms = parse("yyyy-MM-dd HH:mm:ss.SSS", "2024-02-29 13:05:09.007").unwrap();
        let cases = [
            ("yyyy-MM-dd hh:mm:ss", "2024-02-29 01:05:09"),
            ("EEEE, MMM d yy 'at' h a", "Thursday, Feb 29 24 at 1 PM"),
            ("D w W F k K SSS Z", "60 9 5 5 13 1 007 +0000"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(format(pattern, ms).as_deref(), Ok(expected), "{pattern}");
        }
    }
}
