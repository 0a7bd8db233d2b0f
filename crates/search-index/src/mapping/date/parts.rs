//! The fields of a date, as far as a text names them.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// How what a text leaves open is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// With the first moment.
    Down,
    /// With the last moment of the day, hour, minute, second. (Months and days that are left open are the first ones in both cases:
    /// Elasticsearch's "missing date components".)
    Up,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub year: Option<i16>,
    pub month: Option<i8>,
    pub day: Option<i8>,
    pub hour: Option<i8>,
    /// 1 to 12, with `afternoon`.
    pub hour12: Option<i8>,
    pub afternoon: bool,
    pub minute: Option<i8>,
    pub second: Option<i8>,
    pub nanos: Option<i32>,
    pub zone: Option<TimeZone>,
    pub offset: Option<i32>,
}

impl Parts {
    /// Epoch milliseconds; `None` if there is no such day or time.
    pub fn resolve(&self, fill: Fill, zone: &TimeZone) -> Option<i64> {
        let up = fill == Fill::Up;
        let hour = self.hour.or_else(|| self.hour12.map(|hour| hour % 12 + if self.afternoon { 12 } else { 0 }));
        let date = Date::new(self.year.unwrap_or(1970), self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?;
        let time = jiff::civil::Time::new(
            hour.unwrap_or(if up { 23 } else { 0 }),
            self.minute.unwrap_or(if up { 59 } else { 0 }),
            self.second.unwrap_or(if up { 59 } else { 0 }),
            self.nanos.unwrap_or(if up { 999_999_999 } else { 0 }),
        );
        self.at(DateTime::from_parts(date, time.ok()?), zone)
    }

    fn at(&self, civil: DateTime, zone: &TimeZone) -> Option<i64> {
        let timestamp = match (self.offset, &self.zone) {
            (Some(seconds), _) => Offset::from_seconds(seconds).ok()?.to_timestamp(civil).ok()?,
            (None, Some(zone)) => zone.to_timestamp(civil).ok()?,
            (None, None) => zone.to_timestamp(civil).ok()?,
        };
        Some(timestamp.as_nanosecond().div_euclid(1_000_000) as i64)
    }
}
