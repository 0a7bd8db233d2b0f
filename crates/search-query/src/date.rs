//! Bounds of ranges, and date math (`now-1h/d`, `2026-11-20||+1M/d`).
//!
//! A text is split into its anchor and the operations after it; the anchor is read by whoever knows the field's format, the
//! operations are applied to its milliseconds:
//!
//! ```
//! use search_query::date::{Anchor, DateMath};
//! let (anchor, math) = DateMath::split("2026-11-20||+1M/d").unwrap();
//! assert_eq!(anchor, Anchor::Date("2026-11-20"));
//! assert_eq!(math.apply(1_795_132_800_000, false, &jiff::tz::TimeZone::UTC).unwrap(), 1_797_724_800_000);
//! ```

use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, Zoned};
use serde_json::Value;

use crate::RequestError;

/// A bound of a range.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// `gte`, `lte`.
    Included(Value),
    /// `gt`, `lt`.
    Excluded(Value),
    /// No bound.
    Unbounded,
}

/// What the operations start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor<'a> {
    /// `now`.
    Now,
    /// A date in the field's format. What its text leaves out is filled up (`2026-11-20` as the end of that day) only where the
    /// bound rounds up *and* [`DateMath::is_empty`].
    Date(&'a str),
}

/// A unit of date math.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

/// An operation of date math.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// `+3d`, `-1M`.
    Add(i64, Unit),
    /// `/d`.
    Round(Unit),
}

/// The operations after the anchor, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DateMath {
    /// The text had `now` or `||`, even if nothing came after.
    present: bool,
    operations: Vec<Operation>,
}

/// Operations of one expression at most.
pub const MAX_OPERATIONS: usize = 64;

impl DateMath {
    /// Takes a text apart: `now…`, `<date>||…` or `<date>`.
    ///
    /// # Errors
    /// `parse_exception` for math that cannot be read.
    pub fn split(text: &str) -> Result<(Anchor<'_>, DateMath), RequestError> {
        let (anchor, math) = match (text.strip_prefix("now"), text.split_once("||")) {
            (Some(math), _) => (Anchor::Now, math),
            (None, Some((date, math))) => (Anchor::Date(date), math),
            (None, None) => return Ok((Anchor::Date(text), DateMath::default())),
        };
        Ok((anchor, DateMath { present: true, operations: operations(math)? }))
    }

    /// The text had no math at all: only a date.
    pub fn is_empty(&self) -> bool {
        !self.present
    }

    /// Applies the operations to a moment (epoch ms), in a zone's calendar. `round_up` (bounds `gt` and `lte`) makes `/d` the last
    /// millisecond of the day instead of the first.
    ///
    /// # Errors
    /// `parse_exception` for a moment out of the calendar (years −9999 to 9999).
    pub fn apply(&self, ms: i64, round_up: bool, zone: &TimeZone) -> Result<i64, RequestError> {
        if self.operations.is_empty() {
            return Ok(ms);
        }
        self.moved(ms, round_up, zone).map_err(|e| failure(format!("date math leaves the calendar: {e}")))
    }

    fn moved(&self, ms: i64, round_up: bool, zone: &TimeZone) -> Result<i64, jiff::Error> {
        let mut at = Timestamp::from_millisecond(ms)?.to_zoned(zone.clone());
        for operation in &self.operations {
            at = match *operation {
                Operation::Add(count, unit) => at.checked_add(unit.span(count)?)?,
                Operation::Round(unit) if round_up => {
                    unit.start(&at)?.checked_add(unit.span(1)?)?.checked_sub(Span::new().milliseconds(1))?
                }
                Operation::Round(unit) => unit.start(&at)?,
            };
        }
        Ok(at.timestamp().as_millisecond())
    }
}

impl Unit {
    fn of(letter: char) -> Option<Unit> {
        Some(match letter {
            'y' => Unit::Year,
            'M' => Unit::Month,
            'w' => Unit::Week,
            'd' => Unit::Day,
            'h' | 'H' => Unit::Hour,
            'm' => Unit::Minute,
            's' => Unit::Second,
            _ => return None,
        })
    }

    fn span(self, count: i64) -> Result<Span, jiff::Error> {
        let span = Span::new();
        match self {
            Unit::Year => span.try_years(count),
            Unit::Month => span.try_months(count),
            Unit::Week => span.try_weeks(count),
            Unit::Day => span.try_days(count),
            Unit::Hour => span.try_hours(count),
            Unit::Minute => span.try_minutes(count),
            Unit::Second => span.try_seconds(count),
        }
    }

    /// The beginning of the unit that a moment lies in. Weeks begin on Monday.
    fn start(self, at: &Zoned) -> Result<Zoned, jiff::Error> {
        let date = at.date();
        let midnight = |date: jiff::civil::Date| date.to_zoned(at.time_zone().clone());
        match self {
            Unit::Year => midnight(date.first_of_year()),
            Unit::Month => midnight(date.first_of_month()),
            Unit::Week => {
                let since_monday = date.weekday().since(Weekday::Monday);
                midnight(date.checked_sub(Span::new().days(since_monday))?)
            }
            Unit::Day => midnight(date),
            Unit::Hour => at.with().minute(0).second(0).subsec_nanosecond(0).build(),
            Unit::Minute => at.with().second(0).subsec_nanosecond(0).build(),
            Unit::Second => at.with().subsec_nanosecond(0).build(),
        }
    }
}

fn operations(math: &str) -> Result<Vec<Operation>, RequestError> {
    let mut operations = Vec::new();
    let mut rest = math;
    while let Some(sign) = rest.chars().next() {
        if !matches!(sign, '/' | '+' | '-') {
            return Err(failure(format!("operator not supported for date math [{math}]")));
        }
        if operations.len() == MAX_OPERATIONS {
            return Err(failure(format!("more than [{MAX_OPERATIONS}] operations in date math [{math}]")));
        }
        let after = &rest[1..];
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = match digits {
            0 => 1,
            _ => after[..digits].parse().map_err(|_| failure(format!("number too large in date math [{math}]")))?,
        };
        let Some(letter) = after[digits..].chars().next() else {
            return Err(failure(format!("truncated date math [{math}]")));
        };
        let unit =
            Unit::of(letter).ok_or_else(|| failure(format!("unit [{letter}] not supported for date math [{math}]")))?;
        operations.push(match sign {
            '/' if count != 1 => {
                return Err(failure(format!("rounding `/` can only be used on single unit types [{math}]")));
            }
            '/' => Operation::Round(unit),
            '-' => Operation::Add(-count, unit),
            _ => Operation::Add(count, unit),
        });
        rest = &after[digits + 1..];
    }
    Ok(operations)
}

/// Reads a `time_zone`: `Z`, `UTC`, `+01:00`, `+0100`, `-5`, `UTC+1`, `Europe/Berlin`.
///
/// # Errors
/// `illegal_argument_exception` for a zone that does not exist.
pub fn zone(text: &str) -> Result<TimeZone, RequestError> {
    if matches!(text, "Z" | "z" | "UTC" | "GMT" | "UT") {
        return Ok(TimeZone::UTC);
    }
    let offset = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    if let Some(seconds) = offset_seconds(offset) {
        return Offset::from_seconds(seconds).map(TimeZone::fixed).map_err(|_| unknown_zone(text));
    }
    TimeZone::get(text).map_err(|_| unknown_zone(text))
}

/// `+01:00`, `+0100`, `+01`, `+1`, `-01:30:15` → seconds east of UTC.
fn offset_seconds(text: &str) -> Option<i32> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let parts: Vec<&str> = match digits.contains(':') {
        true => digits.split(':').collect(),
        false if !digits.is_ascii() => return None,
        false if digits.len() <= 2 => vec![digits],
        false => vec![digits.get(..2)?, digits.get(2..)?],
    };
    let part = |i: usize| match parts.get(i) {
        None => Some(0),
        Some(text) => text.parse::<u8>().ok().filter(|n| *n < 60).map(i32::from),
    };
    if parts.len() > 3 {
        return None;
    }
    Some(sign * (part(0)? * 3_600 + part(1)? * 60 + part(2)?))
}

fn unknown_zone(text: &str) -> RequestError {
    RequestError::illegal(format!("unknown time zone [{text}]"))
}

fn failure(reason: String) -> RequestError {
    RequestError { kind: "parse_exception", reason, status: 400 }
}
