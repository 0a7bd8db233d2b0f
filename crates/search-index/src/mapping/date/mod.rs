//! Formats of dates: how a document's dates are read, what a range's bounds mean, and how answers write them.

mod iso;
mod parts;
mod pattern;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use parts::Fill;
use parts::Parts;
use pattern::Pattern;

/// Of a date field without `format`.
pub const DEFAULT_FORMAT: &str = "strict_date_optional_time||epoch_millis";

/// The formats that make a string a date although the field is not mapped, and the `format` that the new field gets.
pub(super) const DYNAMIC_FORMATS: [(&str, Option<&str>); 2] = [
    ("strict_date_optional_time", None),
    ("yyyy/MM/dd HH:mm:ss||yyyy/MM/dd", Some("yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis")),
];

/// The moments (epoch ms) that the index can keep: its columns are nanoseconds in 64 bits, 1677 to 2262.
pub const RANGE: std::ops::RangeInclusive<i64> = i64::MIN / 1_000_000..=i64::MAX / 1_000_000;

/// One or more formats of dates (`yyyy/MM/dd||epoch_millis`), compiled.
#[derive(Debug, Clone)]
pub struct DateFormat {
    text: String,
    formats: Vec<Format>,
}

#[derive(Debug, Clone)]
enum Format {
    OptionalTime { strict: bool },
    EpochMillis,
    EpochSecond,
    Pattern(Pattern),
}

/// A format that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid format: [{format}]: {reason}")]
pub struct InvalidFormat {
    /// The format.
    pub format: String,
    /// What is wrong.
    pub reason: String,
}

/// Elasticsearch's names for patterns; each with its `strict_` twin.
const NAMED: [(&str, &str); 22] = [
    ("date", "yyyy-MM-dd"),
    ("year_month_day", "yyyy-MM-dd"),
    ("year_month", "yyyy-MM"),
    ("year", "yyyy"),
    ("date_time", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"),
    ("date_time_no_millis", "yyyy-MM-dd'T'HH:mm:ssXXX"),
    ("date_hour", "yyyy-MM-dd'T'HH"),
    ("date_hour_minute", "yyyy-MM-dd'T'HH:mm"),
    ("date_hour_minute_second", "yyyy-MM-dd'T'HH:mm:ss"),
    ("date_hour_minute_second_millis", "yyyy-MM-dd'T'HH:mm:ss.SSS"),
    ("date_hour_minute_second_fraction", "yyyy-MM-dd'T'HH:mm:ss.SSS"),
    ("hour", "HH"),
    ("hour_minute", "HH:mm"),
    ("hour_minute_second", "HH:mm:ss"),
    ("hour_minute_second_millis", "HH:mm:ss.SSS"),
    ("hour_minute_second_fraction", "HH:mm:ss.SSS"),
    ("time", "HH:mm:ss.SSSXXX"),
    ("time_no_millis", "HH:mm:ssXXX"),
    ("basic_date", "yyyyMMdd"),
    ("basic_date_time", "yyyyMMdd'T'HHmmss.SSSX"),
    ("basic_date_time_no_millis", "yyyyMMdd'T'HHmmssX"),
    ("basic_time", "HHmmss.SSSX"),
];

impl DateFormat {
    /// The format of fields that name none.
    pub fn standard() -> DateFormat {
        DateFormat {
            text: DEFAULT_FORMAT.into(),
            formats: vec![Format::OptionalTime { strict: true }, Format::EpochMillis],
        }
    }

    /// The format of a field, or the standard one.
    pub fn or_standard(format: Option<&str>) -> Result<DateFormat, InvalidFormat> {
        format.map_or_else(|| Ok(DateFormat::standard()), str::parse)
    }

    /// Epoch milliseconds of a text; `None` if no format fits or the moment does not exist or cannot be kept. What the text leaves
    /// open is filled from below or above; without an offset of its own it is a time in `zone`.
    pub fn parse(&self, text: &str, fill: Fill, zone: &TimeZone) -> Option<i64> {
        self.formats.iter().find_map(|format| format.parse(text, fill, zone)).filter(|millis| RANGE.contains(millis))
    }

    /// A moment as the first format writes it, in a zone.
    pub fn format(&self, millis: i64, zone: &TimeZone) -> String {
        match self.formats.first() {
            Some(Format::EpochMillis) => millis.to_string(),
            Some(Format::EpochSecond) if millis % 1_000 == 0 => (millis / 1_000).to_string(),
            Some(Format::EpochSecond) => format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000)),
            Some(Format::Pattern(pattern)) => pattern.format(&zoned(millis, zone)),
            Some(Format::OptionalTime { .. }) | None => iso::format(&zoned(millis, zone)),
        }
    }
}

/// A moment in a zone; beyond the calendar (year ±9999) its last moment.
pub(crate) fn zoned(millis: i64, zone: &TimeZone) -> jiff::Zoned {
    let end = if millis < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(millis).unwrap_or(end).to_zoned(zone.clone())
}

impl Format {
    fn parse(&self, text: &str, fill: Fill, zone: &TimeZone) -> Option<i64> {
        match self {
            Format::OptionalTime { strict } => iso::parse(text, *strict)?.resolve(fill, zone),
            Format::EpochMillis => epoch(text, 1, fill),
            Format::EpochSecond => epoch(text, 1_000, fill),
            Format::Pattern(pattern) => {
                let mut parts = Parts::default();
                let rest = pattern.parse(text, &mut parts)?;
                if rest.is_empty() { parts.resolve(fill, zone) } else { None }
            }
        }
    }
}

/// A number of units since 1970, perhaps with a fraction. A number of whole seconds leaves its milliseconds open.
fn epoch(text: &str, unit: i64, fill: Fill) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || whole.starts_with('+') {
        return None;
    }
    let millis = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    let mut part = match fraction.is_empty() {
        true if fill == Fill::Up => unit - 1,
        true => 0,
        false => format!("{fraction:0<3.3}").parse::<i64>().ok()? * unit / 1_000,
    };
    if whole.starts_with('-') && !fraction.is_empty() {
        part = -part;
    }
    millis.checked_add(part)
}

impl FromStr for DateFormat {
    type Err = InvalidFormat;

    fn from_str(text: &str) -> Result<DateFormat, InvalidFormat> {
        let formats = text.split("||").map(|one| one_format(one.trim())).collect::<Result<Vec<_>, _>>();
        match formats {
            Ok(formats) => Ok(DateFormat { text: text.into(), formats }),
            Err(reason) => Err(InvalidFormat { format: text.into(), reason }),
        }
    }
}

fn one_format(name: &str) -> Result<Format, String> {
    match name {
        "" => return Err("No date pattern provided".into()),
        "strict_date_optional_time" | "strict_date_optional_time_nanos" | "iso8601" => {
            return Ok(Format::OptionalTime { strict: true });
        }
        "date_optional_time" => return Ok(Format::OptionalTime { strict: false }),
        "epoch_millis" => return Ok(Format::EpochMillis),
        "epoch_second" => return Ok(Format::EpochSecond),
        _ => {}
    }
    let plain = name.strip_prefix("strict_").unwrap_or(name);
    let pattern = NAMED.iter().find(|(named, _)| *named == plain).map_or(name, |(_, pattern)| pattern);
    Pattern::compile(pattern).map(Format::Pattern)
}

impl fmt::Display for DateFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// The zone that a date names: `UTC`, `Europe/Berlin`.
fn time_zone(name: &str) -> Option<TimeZone> {
    search_query::date::zone(name).ok()
}

#[cfg(test)]
mod tests;
