//! `rate(…)` and `cron(…)`, as EventBridge writes them; cron in UTC.
//!
//! Cron has six fields: minutes, hours, day of month, month, day of week, year; each a list of numbers, names, ranges and steps
//! (`1,5-10,*/15`), days also `?` (exactly one of the two), `L` (last), `W` (nearest weekday), `n#m` (m-th of the month).

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Years that a cron's last field may name (EventBridge: 1970-2199).
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;

/// Days that are looked at for a tick: a leap day on a given weekday comes once in 40 years at most.
const MAX_DAYS_AHEAD: usize = 366 * 41;

/// From a tick that was missed longer ago than this the search for the last one begins here (ms): bounds the steps of it.
const CATCH_UP_MS: i64 = 24 * 3600 * 1000;

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// When something fires.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// Every so many milliseconds.
    Rate(i64),
    /// At the times of a calendar.
    Cron(Box<Cron>),
}

/// The six fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Cron {
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    day: Day,
    months: BTreeSet<i8>,
    years: BTreeSet<i16>,
}

#[derive(Debug, Clone, PartialEq)]
enum Day {
    OfMonth(BTreeSet<i8>),
    LastOfMonth,
    LastWeekday,
    NearestWeekday(i8),
    /// 1 = Sunday.
    OfWeek(BTreeSet<i8>),
    LastOfWeek(i8),
    NthOfWeek(i8, i8),
}

impl Expression {
    /// The first time after `now`, epoch ms, of something that starts now.
    pub fn next_after(&self, now: i64) -> Option<i64> {
        match self {
            Expression::Rate(period) => Some(now + period),
            Expression::Cron(cron) => cron.next_after(now),
        }
    }

    /// Of the times from `due`, which is one, until `now`: the last.
    pub fn last_until(&self, due: i64, now: i64) -> i64 {
        match self {
            Expression::Rate(period) => due + (now - due).max(0) / period * period,
            Expression::Cron(cron) => {
                let recent = cron.next_after(now - CATCH_UP_MS).filter(|at| *at <= now);
                let mut last = recent.map_or(due, |recent| recent.max(due));
                while let Some(next) = cron.next_after(last).filter(|next| *next <= now) {
                    last = next;
                }
                last
            }
        }
    }

    /// The first time after `now`, `tick` having been one.
    pub fn next_after_tick(&self, tick: i64, now: i64) -> Option<i64> {
        match self {
            Expression::Rate(period) => Some(self.last_until(tick, now) + period),
            Expression::Cron(cron) => cron.next_after(now.max(tick)),
        }
    }
}

impl FromStr for Expression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(rate) = inner("rate") {
            return parse_rate(rate);
        }
        match inner("cron") {
            Some(cron) => parse_cron(cron),
            None => Err("expected rate(VALUE UNIT) or cron(MINUTES HOURS DAY MONTH WEEKDAY YEAR)".into()),
        }
    }
}

fn parse_rate(text: &str) -> Result<Expression, String> {
    let mut words = text.split_whitespace();
    let (Some(value), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err("expected rate(VALUE UNIT)".into());
    };
    let value: i64 = value.parse().map_err(|_| format!("{value:?} is not a number"))?;
    if !(1..=1_000_000).contains(&value) {
        return Err(format!("{value} is not a positive number"));
    }
    let minute = 60 * 1000;
    let unit_ms = match (unit, value) {
        ("minute", 1) | ("minutes", 2..) => minute,
        ("hour", 1) | ("hours", 2..) => 60 * minute,
        ("day", 1) | ("days", 2..) => 24 * 60 * minute,
        _ => return Err(format!("unit {unit:?}: expected minute, hour or day for 1, minutes, hours or days for more")),
    };
    Ok(Expression::Rate(value * unit_ms))
}

fn parse_cron(text: &str) -> Result<Expression, String> {
    let fields: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
    let [minutes, hours, day, month, weekday, year] = fields.as_slice() else {
        return Err(format!("expected 6 fields, found {}", fields.len()));
    };
    let narrow = |set: BTreeSet<i16>| set.into_iter().map(|n| n as i8).collect::<BTreeSet<i8>>();
    let set = |name, text: &str, low, high, names| {
        set(text, low, high, names).map(narrow).map_err(|e| format!("{name} {text:?}: {e}"))
    };
    let day = match (day.as_str(), weekday.as_str()) {
        ("?", "?") => return Err("one of day of month and day of week must not be ?".into()),
        ("?", weekday) => day_of_week(weekday).map_err(|e| format!("day of week {weekday:?}: {e}"))?,
        (day, "?") => day_of_month(day).map_err(|e| format!("day of month {day:?}: {e}"))?,
        _ => return Err("one of day of month and day of week must be ?".into()),
    };
    Ok(Expression::Cron(Box::new(Cron {
        minutes: set("minutes", minutes, 0, 59, &[])?,
        hours: set("hours", hours, 0, 23, &[])?,
        day,
        months: set("month", month, 1, 12, MONTHS)?,
        years: self::set(year, *YEARS.start(), *YEARS.end(), &[]).map_err(|e| format!("year {year:?}: {e}"))?,
    })))
}

fn day_of_month(text: &str) -> Result<Day, String> {
    if text == "L" {
        return Ok(Day::LastOfMonth);
    }
    if text == "LW" {
        return Ok(Day::LastWeekday);
    }
    if let Some(day) = text.strip_suffix('W') {
        return Ok(Day::NearestWeekday(number(day, 1, 31, &[])? as i8));
    }
    Ok(Day::OfMonth(set(text, 1, 31, &[])?.into_iter().map(|n| n as i8).collect()))
}

fn day_of_week(text: &str) -> Result<Day, String> {
    if text == "L" {
        return Ok(Day::OfWeek(BTreeSet::from([7]))); // the last day of the week
    }
    if let Some(day) = text.strip_suffix('L') {
        return Ok(Day::LastOfWeek(number(day, 1, 7, DAYS)? as i8));
    }
    if let Some((day, nth)) = text.split_once('#') {
        return Ok(Day::NthOfWeek(number(day, 1, 7, DAYS)? as i8, number(nth, 1, 5, &[])? as i8));
    }
    Ok(Day::OfWeek(set(text, 1, 7, DAYS)?.into_iter().map(|n| n as i8).collect()))
}

/// A list of numbers, ranges and steps.
fn set(text: &str, low: i16, high: i16, names: &[&str]) -> Result<BTreeSet<i16>, String> {
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step, 1, high, &[])?)),
            None => (part, None),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (low, high),
            (_, Some((from, to))) => (number(from, low, high, names)?, number(to, low, high, names)?),
            (one, None) => {
                let one = number(one, low, high, names)?;
                (one, if step.is_some() { high } else { one })
            }
        };
        let step = step.unwrap_or(1) as usize;
        if from <= to {
            found.extend((from..=to).step_by(step));
        } else {
            // FRI-MON: round the end of the week or year.
            found.extend((from..=high).chain(low..=to).step_by(step));
        }
    }
    Ok(found)
}

fn number(text: &str, low: i16, high: i16, names: &[&str]) -> Result<i16, String> {
    if let Some(index) = names.iter().position(|name| *name == text) {
        return Ok(index as i16 + 1);
    }
    match text.parse::<i16>() {
        Ok(n) if (low..=high).contains(&n) && text.bytes().all(|b| b.is_ascii_digit()) => Ok(n),
        _ => Err(format!("{text:?} is not a number from {low} to {high}")),
    }
}

impl Cron {
    fn next_after(&self, now: i64) -> Option<i64> {
        // Whole minutes: the first that can fire is the next one.
        let from = Timestamp::from_millisecond(now).ok()?.to_zoned(TimeZone::UTC).datetime();
        let from = from.checked_add(1.minute()).ok()?;
        let mut date = from.date();
        let mut earliest = (from.hour(), from.minute());
        for _ in 0..MAX_DAYS_AHEAD {
            if date.year() > *self.years.last()? {
                return None;
            }
            if self.fires_on(date)
                && let Some((hour, minute)) = self.first_time(earliest)
            {
                let at = date.at(hour, minute, 0, 0).to_zoned(TimeZone::UTC).ok()?;
                return Some(at.timestamp().as_millisecond());
            }
            earliest = (0, 0);
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn first_time(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        if self.hours.contains(&hour)
            && let Some(minute) = self.minutes.range(minute..).next()
        {
            return Some((hour, *minute));
        }
        let hour = self.hours.range(hour + 1..).next()?;
        Some((*hour, *self.minutes.first()?))
    }

    fn fires_on(&self, date: Date) -> bool {
        self.years.contains(&date.year()) && self.months.contains(&date.month()) && self.day.matches(date)
    }
}

impl Day {
    fn matches(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_one_offset();
        let last = date.days_in_month();
        match self {
            Day::OfMonth(days) => days.contains(&date.day()),
            Day::LastOfMonth => date.day() == last,
            Day::LastWeekday => nearest_weekday(date, last) == Some(date.day()),
            Day::NearestWeekday(day) => nearest_weekday(date, *day) == Some(date.day()),
            Day::OfWeek(days) => days.contains(&weekday),
            Day::LastOfWeek(day) => weekday == *day && date.day() + 7 > last,
            Day::NthOfWeek(day, nth) => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
        }
    }
}

/// The weekday nearest to a day of the month of `date`, within that month.
fn nearest_weekday(date: Date, day: i8) -> Option<i8> {
    let last = date.days_in_month();
    let target = Date::new(date.year(), date.month(), day).ok()?;
    Some(match target.weekday() {
        Weekday::Saturday if day == 1 => 3,
        Weekday::Saturday => day - 1,
        Weekday::Sunday if day == last => day - 2,
        Weekday::Sunday => day + 1,
        _ => day,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn check(expression: &str, after: &str, expected: &[&str]) {
        let parsed: Expression = expression.parse().unwrap_or_else(|e| panic!("{expression}: {e}"));
        let mut at = ms(after);
        for expected in expected {
            at = parsed.next_after(at).unwrap_or_else(|| panic!("{expression}: no time after {at}"));
            assert_eq!(Timestamp::from_millisecond(at).unwrap().to_string(), *expected, "{expression}");
        }
    }

    #[test]
    fn the_next_times_of_an_expression() {
        // 2026-11-20 is a Friday.
        let now = "2026-11-20T17:02:30Z";
        for (expression, expected) in [
            ("rate(1 minute)", &["2026-11-20T17:03:30Z", "2026-11-20T17:04:30Z"][..]),
            ("rate(5 minutes)", &["2026-11-20T17:07:30Z"]),
            ("rate(1 day)", &["2026-11-21T17:02:30Z"]),
            ("cron(* * * * ? *)", &["2026-11-20T17:03:00Z", "2026-11-20T17:04:00Z"]),
            ("cron(0/15 * * * ? *)", &["2026-11-20T17:15:00Z", "2026-11-20T17:30:00Z"]),
            ("cron(2 17 * * ? *)", &["2026-11-21T17:02:00Z"]),
            ("cron(0 10 * * ? *)", &["2026-11-21T10:00:00Z", "2026-11-22T10:00:00Z"]),
            ("cron(15 12 * * ? *)", &["2026-11-21T12:15:00Z"]),
            ("cron(0 18 ? * MON-FRI *)", &["2026-11-20T18:00:00Z", "2026-11-23T18:00:00Z"]),
            ("cron(0 8 1 * ? *)", &["2026-12-01T08:00:00Z", "2027-01-01T08:00:00Z"]),
            ("cron(0/10 * ? * MON-FRI *)", &["2026-11-20T17:10:00Z"]),
            ("cron(0/5 8-17 ? * 2-6 *)", &["2026-11-20T17:05:00Z"]),
            ("cron(0 0 L * ? *)", &["2026-11-30T00:00:00Z", "2026-12-31T00:00:00Z"]),
            ("cron(0 0 LW * ? *)", &["2026-11-30T00:00:00Z", "2026-12-31T00:00:00Z", "2027-01-29T00:00:00Z"]),
            ("cron(0 0 1W * ? *)", &["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"]),
            ("cron(0 0 ? * 6L *)", &["2026-11-27T00:00:00Z", "2026-12-25T00:00:00Z"]),
            ("cron(0 9 ? * 2#1 *)", &["2026-12-07T09:00:00Z", "2027-01-04T09:00:00Z"]),
            ("cron(0 0 ? * SAT-MON *)", &["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"]),
            ("cron(30 6 29 FEB ? *)", &["2028-02-29T06:30:00Z", "2032-02-29T06:30:00Z"]),
            ("cron(0 0 1 1 ? 2030-2199)", &["2030-01-01T00:00:00Z"]),
        ] {
            check(expression, now, expected);
        }
        let past: Expression = "cron(0 0 1 1 ? 2020)".parse().unwrap();
        assert_eq!(past.next_after(ms(now)), None);
    }

    #[test]
    fn missed_ticks_are_one_tick() {
        let now = ms("2026-11-20T17:02:30Z");
        for (expression, due, last, next) in [
            ("rate(1 minute)", "2026-11-01T00:00:10Z", "2026-11-20T17:02:10Z", "2026-11-20T17:03:10Z"),
            ("rate(1 minute)", "2026-11-20T17:02:30Z", "2026-11-20T17:02:30Z", "2026-11-20T17:03:30Z"),
            ("cron(* * * * ? *)", "2026-01-01T00:00:00Z", "2026-11-20T17:02:00Z", "2026-11-20T17:03:00Z"),
            ("cron(0 8 1 * ? *)", "2026-02-01T08:00:00Z", "2026-11-01T08:00:00Z", "2026-12-01T08:00:00Z"),
        ] {
            let parsed: Expression = expression.parse().unwrap();
            let tick = parsed.last_until(ms(due), now);
            assert_eq!(tick, ms(last), "{expression}");
            assert_eq!(parsed.next_after_tick(tick, now), Some(ms(next)), "{expression}");
        }
    }

    #[test]
    fn expressions_that_are_refused() {
        for (expression, reason) in [
            ("", "expected rate"),
            ("every minute", "expected rate"),
            ("rate(0 minutes)", "positive"),
            ("rate(1 minutes)", "unit"),
            ("rate(5 minute)", "unit"),
            ("rate(5 seconds)", "unit"),
            ("rate(5)", "VALUE UNIT"),
            ("cron(* * * * *)", "6 fields"),
            ("cron(* * * * * *)", "must be ?"),
            ("cron(* * ? * ? *)", "must not be ?"),
            ("cron(60 * * * ? *)", "0 to 59"),
            ("cron(0 24 * * ? *)", "0 to 23"),
            ("cron(0 0 0 * ? *)", "1 to 31"),
            ("cron(0 0 1 13 ? *)", "1 to 12"),
            ("cron(0 0 ? * 8 *)", "1 to 7"),
            ("cron(0 0 ? * 2#6 *)", "1 to 5"),
            ("cron(0/0 0 1 * ? *)", "1 to 59"),
            ("cron(+1 0 1 * ? *)", "0 to 59"),
            ("cron(0 0 1 * ? 1900)", "1970"),
        ] {
            let error = expression.parse::<Expression>().expect_err(expression);
            assert!(error.contains(reason), "{expression}: {error}");
        }
    }
}
