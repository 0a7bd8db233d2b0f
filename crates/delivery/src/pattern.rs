//! Patterns of Java's `DateTimeFormatter`, which `!{timestamp:…}` takes.
//!
//! Week fields (`Y`, `w`, `W`, `e`, `c`) depend on the locale in Java. Firehose does not say which it uses; here it is `en_US`
//! (weeks begin on Sunday, week 1 holds the 1st of January), so `YYYY` is 2019 from 2018-12-30 on. Who wants the calendar year
//! writes `yyyy`.

use jiff::Zoned;
use jiff::civil::{Date, Time, Weekday};

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
const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];

/// What is wrong with a pattern, and at which of its characters (from 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternError {
    pub at: usize,
    pub message: String,
}

/// A pattern that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// A letter, how often it stands there, and the width it is padded to (`p`).
    Field(char, usize, usize),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Pattern, PatternError> {
        let chars: Vec<char> = text.chars().collect();
        let error = |at: usize, message: String| Err(PatternError { at, message });
        let mut parts = Vec::new();
        let mut open = Vec::new();
        let mut pad = 0;
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            let start = at;
            let count = chars[at..].iter().take_while(|&&next| next == c).count();
            match c {
                'p' => {
                    at += count;
                    pad = count;
                    if !chars.get(at).is_some_and(char::is_ascii_alphabetic) {
                        return error(start, "pad letter 'p' must be followed by a letter to pad".into());
                    }
                    continue;
                }
                'a'..='z' | 'A'..='Z' => {
                    check_field(c, count).map_err(|message| PatternError { at, message })?;
                    parts.push(Part::Field(c, count, pad));
                    pad = 0;
                    at += count;
                }
                '\'' => {
                    let (literal, end) = quoted(&chars, at)?;
                    parts.push(Part::Literal(literal));
                    at = end;
                }
                // Optional sections matter to parsing only: everything can be printed.
                '[' => {
                    open.push(at);
                    at += 1;
                }
                ']' => {
                    if open.pop().is_none() {
                        return error(at, "']' without '['".into());
                    }
                    at += 1;
                }
                '{' | '}' | '#' => return error(at, format!("{c:?} is reserved: write it as '{c}' in quotes")),
                other => {
                    parts.push(Part::Literal(other.into()));
                    at += 1;
                }
            }
        }
        match open.pop() {
            Some(at) => error(at, "'[' without ']'".into()),
            None => Ok(Pattern { parts }),
        }
    }

    /// The instant as the pattern writes it.
    pub fn format(&self, at: &Zoned) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Field(letter, count, pad) => text.push_str(&format!("{:>pad$}", field(*letter, *count, at))),
            }
        }
        text
    }
}

/// A quoted literal that begins at `start`; two quotes are one, inside as alone.
fn quoted(chars: &[char], start: usize) -> Result<(String, usize), PatternError> {
    let mut literal = String::new();
    let mut at = start + 1;
    loop {
        match (chars.get(at), chars.get(at + 1)) {
            (Some('\''), Some('\'')) if at > start + 1 => {
                literal.push('\'');
                at += 2;
            }
            (Some('\''), _) => {
                // `''` alone is a quote.
                let empty = at == start + 1;
                return Ok((if empty { "'".into() } else { literal }, at + 1));
            }
            (Some(c), _) => {
                literal.push(*c);
                at += 1;
            }
            (None, _) => return Err(PatternError { at: start, message: "quoted literal without its end (')".into() }),
        }
    }
}

/// Whether Java takes the letter this often.
fn check_field(letter: char, count: usize) -> Result<(), String> {
    let most = match letter {
        'G' | 'E' | 'M' | 'L' | 'Q' | 'q' | 'e' | 'X' | 'x' | 'Z' => 5,
        'c' if count == 2 => return Err("\"cc\" is no field: c, ccc, cccc or ccccc".into()),
        'c' => 5,
        'u' | 'y' | 'Y' | 'A' | 'n' | 'N' => 19,
        'D' => 3,
        'w' | 'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' => 2,
        'W' | 'F' | 'a' => 1,
        'S' => 9,
        'V' if count == 2 => 2,
        'V' => return Err("the zone's id is written \"VV\"".into()),
        'O' if count == 1 || count == 4 => 4,
        'O' => return Err("a localized offset is written \"O\" or \"OOOO\"".into()),
        'z' if count < 4 => 3,
        'z' => return Err("the zone's full name (\"zzzz\") depends on a locale: use \"VV\" or \"z\"".into()),
        other => return Err(format!("unknown pattern letter {other:?}")),
    };
    if count > most { Err(format!("too many pattern letters: {letter} (at most {most})")) } else { Ok(()) }
}

fn field(letter: char, count: usize, at: &Zoned) -> String {
    let number = |value: i64| format!("{value:0count$}");
    let (date, time) = (at.date(), at.time());
    let (hour, month) = (i64::from(time.hour()), usize::from(date.month().unsigned_abs()));
    let weekday = usize::from(date.weekday().to_sunday_zero_offset().unsigned_abs());
    match letter {
        'u' | 'y' => year(date.year().into(), count),
        'Y' => year(last_of_week(date).year().into(), count),
        'G' => text("Anno Domini", "AD", count),
        'D' => number(date.day_of_year().into()),
        'M' | 'L' if count <= 2 => number(month as i64),
        'M' | 'L' => text(MONTHS[month - 1], &MONTHS[month - 1][..3], count),
        'd' => number(date.day().into()),
        'Q' | 'q' => {
            let quarter = (month - 1) / 3;
            match count {
                1 | 2 => number(quarter as i64 + 1),
                3 => format!("Q{}", quarter + 1),
                4 => QUARTERS[quarter].into(),
                _ => (quarter + 1).to_string(),
            }
        }
        'w' => number((i64::from(last_of_week(date).day_of_year()) - 1) / 7 + 1),
        'W' => {
            let first = date.first_of_month().weekday().to_sunday_zero_offset();
            number((i64::from(date.day()) - 1 + i64::from(first)) / 7 + 1)
        }
        'e' | 'c' if count <= 2 => number(weekday as i64 + 1),
        'E' | 'e' | 'c' => text(DAYS[weekday], &DAYS[weekday][..3], count),
        'F' => number((i64::from(date.day()) - 1) % 7 + 1),
        'a' => if hour < 12 { "AM" } else { "PM" }.into(),
        'h' => number((hour + 11) % 12 + 1),
        'K' => number(hour % 12),
        'k' => number((hour + 23) % 24 + 1),
        'H' => number(hour),
        'm' => number(time.minute().into()),
        's' => number(time.second().into()),
        'S' => format!("{:09}", time.subsec_nanosecond())[..count].into(),
        'A' => number(nanos_of_day(time) / 1_000_000),
        'n' => number(time.subsec_nanosecond().into()),
        'N' => number(nanos_of_day(time)),
        'V' => at.time_zone().iana_name().unwrap_or("UTC").into(),
        'z' => at.strftime("%Z").to_string(),
        _ => offset(letter, count, at.offset().seconds()),
    }
}

fn nanos_of_day(time: Time) -> i64 {
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000_000 + i64::from(time.subsec_nanosecond())
}

/// Two letters are the last two digits; more are the least width.
fn year(year: i64, count: usize) -> String {
    if count == 2 { format!("{:02}", year.rem_euclid(100)) } else { format!("{year:0count$}") }
}

fn text(full: &str, short: &str, count: usize) -> String {
    match count {
        1..=3 => short.into(),
        4 => full.into(),
        _ => full[..1].into(),
    }
}

/// The Saturday that ends the date's week: its year is the week's year.
fn last_of_week(date: Date) -> Date {
    let to_saturday = i64::from(Weekday::Saturday.to_sunday_zero_offset() - date.weekday().to_sunday_zero_offset());
    date.saturating_add(jiff::Span::new().days(to_saturday))
}

/// `X`, `x`, `Z` and `O`.
fn offset(letter: char, count: usize, seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let all = seconds.abs();
    let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60);
    let localized = letter == 'O' || (letter == 'Z' && count == 4);
    match (letter, count) {
        _ if localized && seconds == 0 => "GMT".into(),
        ('O', 1) if minutes == 0 => format!("GMT{sign}{hours}"),
        ('O', 1) => format!("GMT{sign}{hours}:{minutes:02}"),
        _ if localized => format!("GMT{sign}{hours:02}:{minutes:02}"),
        ('X', _) | ('Z', 5) if seconds == 0 => "Z".into(),
        ('X' | 'x', 1) if minutes == 0 => format!("{sign}{hours:02}"),
        ('X' | 'x', 1 | 2) | ('Z', 1..=3) => format!("{sign}{hours:02}{minutes:02}"),
        (_, 4) if rest != 0 => format!("{sign}{hours:02}{minutes:02}{rest:02}"),
        (_, 4) => format!("{sign}{hours:02}{minutes:02}"),
        (_, 5) if rest != 0 => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    fn check(at: &str, zone: &str, cases: &[(&str, &str)]) {
        let at: Timestamp = at.parse().unwrap();
        let at = at.to_zoned(TimeZone::get(zone).unwrap());
        for (pattern, expected) in cases {
            let parsed = Pattern::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {e:?}"));
            assert_eq!(parsed.format(&at), *expected, "{pattern} at {at}");
        }
    }

    #[test]
    fn fields_are_javas() {
        check(
            "2018-08-27T10:30:05.123456789Z",
            "UTC",
            &[
                ("yyyy/MM/dd/HH/", "2018/08/27/10/"),
                ("yyyy-MM-dd'T'HH:mm:ss", "2018-08-27T10:30:05"),
                ("'year='yyyy'/month='MM", "year=2018/month=08"),
                ("yy u uu uuu uuuuu", "18 2018 18 2018 02018"),
                ("M MM MMM MMMM MMMMM L", "8 08 Aug August A 8"),
                ("d dd D DD DDD", "27 27 239 239 239"),
                ("E EEEE EEEEE e ee c", "Mon Monday M 2 02 2"),
                ("a h hh H K k m s", "AM 10 10 10 10 10 30 5"),
                ("S SSS SSSSSSSSS n", "1 123 123456789 123456789"),
                ("A N", "37805123 37805123456789"),
                ("Q QQ QQQ QQQQ G GGGG", "3 03 Q3 3rd quarter AD Anno Domini"),
                ("VV z X XXX x xxx Z ZZZZ ZZZZZ O", "UTC UTC Z Z +00 +00:00 +0000 GMT Z GMT"),
                ("''yyyy''", "'2018'"),
                ("'o''clock'", "o'clock"),
                ("[HH][mm]", "1030"),
                ("pppd-ppH", " 27-10"),
                ("W F", "5 6"),
                ("", ""),
            ],
        );
        check(
            "2018-01-05T00:07:09Z",
            "UTC",
            &[("D DD DDD", "5 05 005"), ("h hh K k kk", "12 12 0 24 24"), ("ppd", " 5"), ("A", "429000")],
        );
    }

    #[test]
    fn the_zone_moves_date_and_hour() {
        let offsets = "X XX XXX x Z ZZZZ ZZZZZ O OOOO";
        check(
            "2018-08-27T20:30:00Z",
            "Asia/Tokyo",
            &[
                ("yyyy/MM/dd/HH VV", "2018/08/28/05 Asia/Tokyo"),
                (offsets, "+09 +0900 +09:00 +09 +0900 GMT+09:00 +09:00 GMT+9 GMT+09:00"),
            ],
        );
        check("2018-08-27T20:30:00Z", "Asia/Kolkata", &[("X XXX O", "+0530 +05:30 GMT+5:30")]);
        check("2018-01-01T03:00:00Z", "America/New_York", &[("yyyy DDD HH z x", "2017 365 22 EST -05")]);
    }

    #[test]
    fn upper_case_y_is_the_year_of_the_week() {
        for (at, expected) in [
            ("2018-12-29T12:00:00Z", "2018 52"),
            ("2018-12-30T12:00:00Z", "2019 1"),
            ("2019-01-01T12:00:00Z", "2019 1"),
            ("2021-01-02T12:00:00Z", "2021 1"),
            ("2021-01-03T12:00:00Z", "2021 2"),
            ("2016-12-31T12:00:00Z", "2016 53"),
        ] {
            check(at, "UTC", &[("YYYY w", expected)]);
        }
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for (pattern, at, message) in [
            ("yyyy/TT", 5, "unknown pattern letter 'T'"),
            ("ddd", 0, "too many pattern letters: d (at most 2)"),
            ("DDDD", 0, "too many pattern letters: D (at most 3)"),
            ("HH'h", 2, "quoted literal without its end (')"),
            ("yyyy{", 4, "'{' is reserved: write it as '{' in quotes"),
            ("[HH", 0, "'[' without ']'"),
            ("HH]", 2, "']' without '['"),
            ("V", 0, "the zone's id is written \"VV\""),
            ("cc", 0, "\"cc\" is no field: c, ccc, cccc or ccccc"),
            ("OO", 0, "a localized offset is written \"O\" or \"OOOO\""),
            ("pp", 0, "pad letter 'p' must be followed by a letter to pad"),
        ] {
            assert_eq!(Pattern::parse(pattern), Err(PatternError { at, message: message.into() }), "{pattern}");
        }
    }
}
