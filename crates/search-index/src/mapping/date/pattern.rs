//! Java's patterns of dates (`yyyy-MM-dd HH:mm:ss.SSS`), as far as they name what a log writes.

use jiff::Zoned;

use super::iso::{digits, format_offset, fraction, offset};
use super::parts::Parts;
use super::time_zone;

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
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Item>);

#[derive(Debug, Clone)]
enum Item {
    Literal(String),
    Optional(Pattern),
    /// `yyyy`, `uuuu`; `yy` is 2000 to 2099.
    Year(usize),
    Month(usize),
    /// `MMM`, `MMMM`.
    MonthName {
        short: bool,
    },
    Day(usize),
    /// `E`, `EEEE`: read, not looked at.
    DayName {
        short: bool,
    },
    /// `H`.
    Hour(usize),
    /// `h`.
    Hour12(usize),
    AmPm,
    Minute(usize),
    Second(usize),
    Fraction(usize),
    /// `Z`, `xx`: `+0100`; `XX`, `X` write `Z` for UTC.
    Offset {
        zulu: bool,
        colon: bool,
    },
    /// `z`, `VV`.
    Zone,
}

impl Pattern {
    pub fn compile(text: &str) -> Result<Pattern, String> {
        let mut rest = text;
        let pattern = sequence(&mut rest)?;
        if rest.is_empty() { Ok(pattern) } else { Err("Pattern invalid as it contains ] without previous [".into()) }
    }

    /// Reads a text from its beginning; gives what is left.
    pub fn parse<'a>(&self, text: &'a str, parts: &mut Parts) -> Option<&'a str> {
        self.0.iter().try_fold(text, |rest, item| item.parse(rest, parts))
    }

    pub fn format(&self, at: &Zoned) -> String {
        let mut out = String::new();
        self.write(at, &mut out);
        out
    }

    fn write(&self, at: &Zoned, out: &mut String) {
        self.0.iter().for_each(|item| item.write(at, out));
    }
}

fn sequence(rest: &mut &str) -> Result<Pattern, String> {
    let mut items = Vec::new();
    while let Some(first) = rest.chars().next() {
        let run = rest.chars().take_while(|letter| *letter == first).count();
        match first {
            ']' => break,
            '[' => {
                *rest = &rest[1..];
                items.push(Item::Optional(sequence(rest)?));
                *rest = rest.strip_prefix(']').ok_or("Pattern ends with [ that is not closed")?;
            }
            '\'' => items.push(Item::Literal(quoted(rest)?)),
            _ if first.is_ascii_alphabetic() => {
                items.push(letters(first, run)?);
                *rest = &rest[run..];
            }
            _ => {
                items.push(Item::Literal(first.into()));
                *rest = &rest[first.len_utf8()..];
            }
        }
    }
    Ok(Pattern(items))
}

/// `'T'`; two quotes are one.
fn quoted(rest: &mut &str) -> Result<String, String> {
    if let Some(after) = rest.strip_prefix("''") {
        *rest = after;
        return Ok("'".into());
    }
    let mut text = String::new();
    let mut chars = rest[1..].char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        if char != '\'' {
            text.push(char);
        } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
            text.push('\'');
        } else {
            *rest = &rest[1 + at + 1..];
            return Ok(text);
        }
    }
    Err("Pattern ends with an incomplete string literal".into())
}

fn letters(letter: char, count: usize) -> Result<Item, String> {
    Ok(match (letter, count) {
        ('y' | 'u', 1 | 4) => Item::Year(4),
        ('y' | 'u', 2) => Item::Year(2),
        ('M' | 'L', 1 | 2) => Item::Month(count),
        ('M' | 'L', 3 | 4) => Item::MonthName { short: count == 3 },
        ('d', 1 | 2) => Item::Day(count),
        ('E', 1..=4) => Item::DayName { short: count < 4 },
        ('H', 1 | 2) => Item::Hour(count),
        ('h', 1 | 2) => Item::Hour12(count),
        ('a', 1) => Item::AmPm,
        ('m', 1 | 2) => Item::Minute(count),
        ('s', 1 | 2) => Item::Second(count),
        ('S', 1..=9) => Item::Fraction(count),
        ('X', 1 | 2) => Item::Offset { zulu: true, colon: false },
        ('X', 3) => Item::Offset { zulu: true, colon: true },
        ('Z', 1..=3) | ('x', 1 | 2) => Item::Offset { zulu: false, colon: false },
        ('x', 3) => Item::Offset { zulu: false, colon: true },
        ('z', 1..=3) | ('V', 2) => Item::Zone,
        _ => return Err(format!("pattern letters [{}] are not supported", letter.to_string().repeat(count))),
    })
}

impl Item {
    fn parse<'a>(&self, text: &'a str, parts: &mut Parts) -> Option<&'a str> {
        let narrow = |number: u32| number as i8;
        match self {
            Item::Literal(literal) => text.strip_prefix(literal.as_str()),
            Item::Optional(pattern) => {
                let mut inner = parts.clone();
                match pattern.parse(text, &mut inner) {
                    Some(rest) => {
                        *parts = inner;
                        Some(rest)
                    }
                    None => Some(text),
                }
            }
            Item::Year(width) => {
                let (year, rest) = digits(text, *width, *width)?;
                parts.year = Some(if *width == 2 { 2000 + year as i16 } else { year as i16 });
                Some(rest)
            }
            Item::Month(width) => number(text, *width, |month| parts.month = Some(narrow(month))),
            Item::Day(width) => number(text, *width, |day| parts.day = Some(narrow(day))),
            Item::Hour(width) => number(text, *width, |hour| parts.hour = Some(narrow(hour))),
            Item::Hour12(width) => number(text, *width, |hour| parts.hour12 = Some(narrow(hour))),
            Item::Minute(width) => number(text, *width, |minute| parts.minute = Some(narrow(minute))),
            Item::Second(width) => number(text, *width, |second| parts.second = Some(narrow(second))),
            Item::Fraction(width) => {
                let (nanos, rest) = fraction(text, *width, *width)?;
                parts.nanos = Some(nanos);
                Some(rest)
            }
            Item::MonthName { short } => {
                let (index, rest) = named(text, &MONTHS, *short)?;
                parts.month = Some(index as i8 + 1);
                Some(rest)
            }
            Item::DayName { short } => named(text, &DAYS, *short).map(|(_, rest)| rest),
            Item::AmPm => {
                let half = text.get(..2)?;
                parts.afternoon = half.eq_ignore_ascii_case("pm");
                (parts.afternoon || half.eq_ignore_ascii_case("am")).then(|| &text[2..])
            }
            Item::Offset { .. } => {
                let (seconds, rest) = offset(text)?;
                parts.offset = Some(seconds);
                Some(rest)
            }
            Item::Zone => {
                let end = text.find([' ', ')', ']']).unwrap_or(text.len());
                parts.zone = Some(time_zone(&text[..end])?);
                Some(&text[end..])
            }
        }
    }

    fn write(&self, at: &Zoned, out: &mut String) {
        let hour12 = (at.hour() + 11) % 12 + 1;
        let mut padded = |number: i64, width: usize| out.push_str(&format!("{number:0width$}"));
        match self {
            Item::Year(2) => padded(i64::from(at.year().rem_euclid(100)), 2),
            Item::Year(width) => padded(at.year().into(), *width),
            Item::Month(width) => padded(at.month().into(), *width),
            Item::Day(width) => padded(at.day().into(), *width),
            Item::Hour(width) => padded(at.hour().into(), *width),
            Item::Hour12(width) => padded(hour12.into(), *width),
            Item::Minute(width) => padded(at.minute().into(), *width),
            Item::Second(width) => padded(at.second().into(), *width),
            Item::Fraction(width) => out.push_str(&format!("{:09}", at.subsec_nanosecond())[..*width]),
            Item::Literal(literal) => out.push_str(literal),
            Item::Optional(pattern) => pattern.write(at, out),
            Item::MonthName { short } => out.push_str(name(MONTHS[at.month() as usize - 1], *short)),
            Item::DayName { short } => {
                out.push_str(name(DAYS[at.weekday().to_monday_zero_offset() as usize], *short));
            }
            Item::AmPm => out.push_str(if at.hour() < 12 { "AM" } else { "PM" }),
            Item::Offset { zulu, colon } => out.push_str(&format_offset(at.offset().seconds(), *zulu, *colon)),
            Item::Zone => match at.time_zone().iana_name() {
                Some(name) => out.push_str(name),
                None => out.push_str(&format_offset(at.offset().seconds(), true, true)),
            },
        }
    }
}

/// Exactly two digits, or with a width of one one or two.
fn number(text: &str, width: usize, set: impl FnOnce(u32)) -> Option<&str> {
    let (number, rest) = digits(text, width, 2)?;
    set(number);
    Some(rest)
}

fn name(full: &str, short: bool) -> &str {
    if short { &full[..3] } else { full }
}

fn named<'a>(text: &'a str, names: &[&str], short: bool) -> Option<(usize, &'a str)> {
    names.iter().enumerate().find_map(|(index, full)| {
        let name = name(full, short);
        text.get(..name.len()).filter(|found| found.eq_ignore_ascii_case(name)).map(|_| (index, &text[name.len()..]))
    })
}
