//! Stretches of time: where the one begins in which a moment lies, and where the next.

use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use search_query::aggregation::{CalendarUnit, Interval};

use crate::mapping::zoned;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How time is cut into buckets.
#[derive(Debug, Clone)]
pub(crate) enum Rounding {
    /// All of one width; `shift` is where one begins.
    Even {
        /// Milliseconds.
        width: i64,
        /// Milliseconds.
        shift: i64,
    },
    /// Widths that depend on the calendar.
    Calendar { unit: CalendarUnit, zone: TimeZone, offset: i64 },
    /// One width, on clocks that are changed.
    Clock { width: i64, zone: TimeZone, offset: i64 },
}

impl Rounding {
    pub fn new(interval: &Interval, zone: &TimeZone, offset: i64) -> Rounding {
        let width = match interval {
            Interval::Fixed(millis) => Some((i64::try_from(*millis).unwrap_or(i64::MAX).max(1), 0)),
            Interval::Calendar(CalendarUnit::Minute) => Some((MINUTE, 0)),
            Interval::Calendar(CalendarUnit::Hour) => Some((HOUR, 0)),
            Interval::Calendar(CalendarUnit::Day) => Some((DAY, 0)),
            // 1970 began on a Thursday, weeks on Monday.
            Interval::Calendar(CalendarUnit::Week) => Some((7 * DAY, 4 * DAY)),
            Interval::Calendar(_) => None,
        };
        let ahead = zone.to_fixed_offset().ok().map(|ahead| i64::from(ahead.seconds()) * 1_000);
        match (width, ahead, interval) {
            (Some((width, first)), Some(ahead), _) => Rounding::Even { width, shift: first + offset - ahead },
            (_, _, Interval::Calendar(unit)) => Rounding::Calendar { unit: *unit, zone: zone.clone(), offset },
            (_, _, Interval::Fixed(millis)) => {
                Rounding::Clock { width: i64::try_from(*millis).unwrap_or(i64::MAX).max(1), zone: zone.clone(), offset }
            }
        }
    }

    /// Where the stretch begins in which a moment lies.
    pub fn floor(&self, millis: i64) -> i64 {
        match self {
            Rounding::Even { width, shift } => {
                millis.saturating_sub(*shift).div_euclid(*width).saturating_mul(*width).saturating_add(*shift)
            }
            Rounding::Calendar { unit, zone, offset } => {
                let at = zoned(millis.saturating_sub(*offset), zone);
                start(&at, *unit).map_or(millis, |at| at.timestamp().as_millisecond().saturating_add(*offset))
            }
            Rounding::Clock { width, zone, offset } => {
                let at = millis.saturating_sub(*offset);
                let ahead = |millis| i64::from(zoned(millis, zone).offset().seconds()) * 1_000;
                let floor = (at + ahead(at)).div_euclid(*width) * *width;
                // The clock may have been changed in between.
                let start = floor - ahead(at);
                (floor - ahead(start)).min(at) + offset
            }
        }
    }

    /// Where the stretch after the one that begins here begins.
    pub fn next(&self, start: i64) -> i64 {
        match self {
            Rounding::Even { width, .. } => start.saturating_add(*width),
            Rounding::Calendar { unit, zone, offset } => {
                let at = zoned(start.saturating_sub(*offset), zone);
                let next = match unit {
                    CalendarUnit::Minute => at.checked_add(1.minute()),
                    CalendarUnit::Hour => at.checked_add(1.hour()),
                    CalendarUnit::Day => at.checked_add(1.day()),
                    CalendarUnit::Week => at.checked_add(1.week()),
                    CalendarUnit::Month => at.checked_add(1.month()),
                    CalendarUnit::Quarter => at.checked_add(3.months()),
                    CalendarUnit::Year => at.checked_add(1.year()),
                };
                next.map_or(i64::MAX, |at| self.floor(at.timestamp().as_millisecond().saturating_add(*offset)))
            }
            Rounding::Clock { width, .. } => {
                let next = self.floor(start.saturating_add(*width));
                if next > start { next } else { self.floor(start.saturating_add(2 * *width)) }
            }
        }
    }
}

fn start(at: &Zoned, unit: CalendarUnit) -> Option<Zoned> {
    let round = |unit| at.round(jiff::ZonedRound::new().smallest(unit).mode(jiff::RoundMode::Floor)).ok();
    match unit {
        CalendarUnit::Minute => round(jiff::Unit::Minute),
        CalendarUnit::Hour => round(jiff::Unit::Hour),
        CalendarUnit::Day => at.start_of_day().ok(),
        CalendarUnit::Week => {
            let days = i64::from(at.weekday().to_monday_zero_offset());
            at.checked_sub(days.days()).ok()?.start_of_day().ok()
        }
        CalendarUnit::Month => at.first_of_month().ok()?.start_of_day().ok(),
        CalendarUnit::Quarter => {
            let months = i64::from((at.month() - 1) % 3);
            at.first_of_month().ok()?.checked_sub(months.months()).ok()?.start_of_day().ok()
        }
        CalendarUnit::Year => at.first_of_year().ok()?.start_of_day().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(interval: Interval, zone: &str, offset: i64, at: &str, start: &str, next: &str) {
        let millis = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let rounding = Rounding::new(&interval, &search_query::date::zone(zone).unwrap(), offset);
        let floor = rounding.floor(millis(at));
        let show = |at: i64| jiff::Timestamp::from_millisecond(at).unwrap().to_string();
        assert_eq!(show(floor), show(millis(start)), "{interval:?} {zone} {at}");
        assert_eq!(show(rounding.next(floor)), show(millis(next)), "{interval:?} {zone} {at}");
        assert_eq!(rounding.floor(floor), floor);
    }

    #[test]
    fn stretches() {
        use CalendarUnit::*;
        let calendar = Interval::Calendar;
        const AT: &str = "2026-11-20T10:11:12.345Z";
        for (interval, zone, offset, start, next) in [
            (Interval::Fixed(90_000), "UTC", 0, "2026-11-20T10:10:30Z", "2026-11-20T10:12:00Z"),
            (Interval::Fixed(86_400_000), "+01:00", 0, "2026-11-19T23:00:00Z", "2026-11-20T23:00:00Z"),
            (Interval::Fixed(86_400_000), "UTC", 39_600_000, "2026-11-19T11:00:00Z", "2026-11-20T11:00:00Z"),
            (calendar(Minute), "UTC", 0, "2026-11-20T10:11:00Z", "2026-11-20T10:12:00Z"),
            (calendar(Week), "UTC", 0, "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
            (calendar(Month), "UTC", 0, "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
            (calendar(Quarter), "UTC", 0, "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            (calendar(Year), "-05:00", 0, "2026-01-01T05:00:00Z", "2027-01-01T05:00:00Z"),
            (calendar(Month), "Europe/Berlin", 0, "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
            (calendar(Month), "UTC", 86_400_000, "2026-11-02T00:00:00Z", "2026-12-02T00:00:00Z"),
        ] {
            check(interval, zone, offset, AT, start, next);
        }
        // The day on which Berlin's clocks go back has 25 hours.
        check(
            calendar(Day),
            "Europe/Berlin",
            0,
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        );
        check(
            Interval::Fixed(86_400_000),
            "Europe/Berlin",
            0,
            "2026-10-25T12:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        );
    }
}
