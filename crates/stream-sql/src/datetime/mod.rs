//! Dates, times and intervals: the calendar, the patterns of `CHAR_TO_TIMESTAMP`, the text of intervals.

pub(crate) mod calendar;
pub(crate) mod interval;
pub(crate) mod pattern;
pub(crate) mod text;

/// Milliseconds.
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;
