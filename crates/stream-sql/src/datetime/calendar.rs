//! The proleptic Gregorian calendar, in UTC.

use super::{DAY, HOUR, MINUTE, SECOND};

/// A unit of `FLOOR`, `CEIL`, `EXTRACT` and of intervals, the longest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    pub(crate) fn parse(word: &str) -> Option<Unit> {
        Some(match word {
            "YEAR" => Unit::Year,
            "MONTH" => Unit::Month,
            "DAY" => Unit::Day,
            "HOUR" => Unit::Hour,
            "MINUTE" => Unit::Minute,
            "SECOND" => Unit::Second,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Year => "YEAR",
            Unit::Month => "MONTH",
            Unit::Day => "DAY",
            Unit::Hour => "HOUR",
            Unit::Minute => "MINUTE",
            Unit::Second => "SECOND",
        }
    }

    /// Its length: in months for YEAR and MONTH, in milliseconds for the others.
    pub(crate) fn length(self) -> i64 {
        match self {
            Unit::Year => 12,
            Unit::Month => 1,
            Unit::Day => DAY,
            Unit::Hour => HOUR,
            Unit::Minute => MINUTE,
            Unit::Second => SECOND,
        }
    }

    pub(crate) fn is_months(self) -> bool {
        matches!(self, Unit::Year | Unit::Month)
    }
}

/// The farthest time from 1970: a hundred million days (the limit of ECMAScript). Calculations on times within it cannot overflow.
const FARTHEST: i64 = 100_000_000 * DAY;

/// A time, if it is not farther away than any calendar goes.
pub(crate) fn in_range(ms: i64) -> Option<i64> {
    (-FARTHEST..=FARTHEST).contains(&ms).then_some(ms)
}

/// Days since 1970 of a date; months and days may lie outside their range and roll over.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + (day - 1)
}

/// Year, month, day.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// How many days a month has.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    days_from_civil(year, month + 1, 1) - days_from_civil(year, month, 1)
}

/// A time plus months: the day stays, or is the last of a shorter month. `None` if that is too far away.
pub(crate) fn add_months(ms: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil_from_days(ms.div_euclid(DAY));
    let total = (year * 12 + month - 1).checked_add(months)?;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
    if year.abs() > FARTHEST / DAY / 365 {
        return None;
    }
    let days = days_from_civil(year, month, 1) + day.min(days_in_month(year, month)) - 1;
    in_range(days * DAY + ms.rem_euclid(DAY))
}

/// Whole months from one time to another.
pub(crate) fn months_between(from: i64, to: i64) -> i64 {
    if to < from {
        return -months_between(to, from);
    }
    let (from_year, from_month, _) = civil_from_days(from.div_euclid(DAY));
    let (to_year, to_month, _) = civil_from_days(to.div_euclid(DAY));
    let months = (to_year - from_year) * 12 + to_month - from_month;
    if add_months(from, months).is_some_and(|reached| reached > to) { months - 1 } else { months }
}

/// The start of the unit a time lies in.
pub(crate) fn floor(ms: i64, unit: Unit) -> i64 {
    let (year, month, _) = match unit {
        Unit::Year | Unit::Month => civil_from_days(ms.div_euclid(DAY)),
        _ => return ms.div_euclid(unit.length()) * unit.length(),
    };
    days_from_civil(year, if unit == Unit::Year { 1 } else { month }, 1) * DAY
}

/// The first start of a unit that is not before a time.
pub(crate) fn ceil(ms: i64, unit: Unit) -> i64 {
    let start = floor(ms, unit);
    match unit {
        _ if start == ms => ms,
        Unit::Year | Unit::Month => add_months(start, unit.length()).unwrap_or(ms),
        _ => start + unit.length(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(civil_from_days(19_782), (2024, 2, 29));
        assert_eq!(days_from_civil(2023, 14, 29), 19_782);
    }

    #[test]
    fn months_end_with_the_month() {
        let day = |y, m, d| days_from_civil(y, m, d) * DAY;
        assert_eq!(add_months(day(2024, 1, 31), 1), Some(day(2024, 2, 29)));
        assert_eq!(add_months(day(2024, 3, 31), -13), Some(day(2023, 2, 28)));
        assert_eq!(months_between(day(2024, 1, 31), day(2024, 2, 29)), 1);
        assert_eq!(months_between(day(2024, 2, 1), day(2024, 1, 2)), 0);
        assert_eq!(ceil(day(2024, 2, 2), Unit::Month), day(2024, 3, 1));
    }
}
