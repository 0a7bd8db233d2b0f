//! How a document's own time is written: Elasticsearch's `format` of a date, alternatives separated by `||`.
//!
//! Only to tell a document's index; whether its dates are what the mapping says is decided by the index.

use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What a rule without `timeFormat` takes (Elasticsearch's default).
const DEFAULT: &str = "strict_date_optional_time||epoch_millis";

/// A format, ready to read times with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat {
    alternatives: Vec<Alternative>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Alternative {
    Iso,
    EpochMillis,
    EpochSecond,
    /// A pattern as `strptime` knows it, and whether it tells the time of day.
    Pattern {
        directives: String,
        has_time: bool,
    },
}

impl Default for TimeFormat {
    fn default() -> TimeFormat {
        TimeFormat { alternatives: vec![Alternative::Iso, Alternative::EpochMillis] }
    }
}

impl TryFrom<String> for TimeFormat {
    type Error = String;

    fn try_from(text: String) -> Result<TimeFormat, String> {
        let alternatives = text.split("||").map(Alternative::parse).collect::<Result<_, _>>();
        Ok(TimeFormat { alternatives: alternatives.map_err(|reason| format!("timeFormat {text:?}: {reason}"))? })
    }
}

impl Alternative {
    fn parse(text: &str) -> Result<Alternative, String> {
        match text {
            "" => Err(format!("empty: expected a pattern such as yyyy-MM-dd HH:mm:ss, or {DEFAULT}")),
            "iso8601" | "date_optional_time" | "strict_date_optional_time" | "strict_date_optional_time_nanos"
            | "date_time" | "strict_date_time" => Ok(Alternative::Iso),
            "epoch_millis" => Ok(Alternative::EpochMillis),
            "epoch_second" => Ok(Alternative::EpochSecond),
            pattern => {
                let directives = directives(pattern)?;
                if !["%Y", "%y"].iter().any(|year| directives.contains(year)) {
                    return Err("expected a year (yyyy)".into());
                }
                Ok(Alternative::Pattern { has_time: directives.contains("%H") || directives.contains("%I"), directives })
            }
        }
    }

    fn read(&self, text: &str) -> Option<i64> {
        match self {
            Alternative::Iso => iso(text),
            Alternative::EpochMillis => text.parse().ok(),
            Alternative::EpochSecond => {
                let seconds: f64 = text.parse().ok()?;
                (seconds.abs() < 1e12).then(|| (seconds * 1000.0).round() as i64)
            }
            Alternative::Pattern { directives, has_time } => {
                let parsed = strtime::parse(directives, text).ok()?;
                match parsed.to_timestamp() {
                    Ok(at) => Some(at.as_millisecond()),
                    Err(_) if *has_time => utc(parsed.to_datetime().ok()?),
                    Err(_) => utc(parsed.to_date().ok()?.into()),
                }
            }
        }
    }
}

impl TimeFormat {
    /// The moment (epoch ms) of a text; UTC unless it says otherwise.
    pub fn read(&self, text: &str) -> Option<i64> {
        self.alternatives.iter().find_map(|alternative| alternative.read(text))
    }
}

fn utc(at: DateTime) -> Option<i64> {
    at.to_zoned(TimeZone::UTC).ok().map(|at: Zoned| at.timestamp().as_millisecond())
}

fn iso(text: &str) -> Option<i64> {
    // Digits alone are epoch milliseconds (or a bare year, which is no time of a log line).
    if !text.contains('-') {
        return None;
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_millisecond());
    }
    match text.parse::<DateTime>() {
        Ok(at) => utc(at),
        Err(_) => utc(text.parse::<Date>().ok()?.into()),
    }
}

/// Java's letters as `strptime` knows them.
fn directives(pattern: &str) -> Result<String, String> {
    let mut translated = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(first).len();
        let mut length = run;
        match &rest[..run] {
            "yyyy" | "uuuu" | "y" | "u" => translated.push_str("%Y"),
            "yy" | "uu" => translated.push_str("%y"),
            "MMMM" => translated.push_str("%B"),
            "MMM" => translated.push_str("%b"),
            "MM" | "M" => translated.push_str("%m"),
            "dd" | "d" => translated.push_str("%d"),
            "DDD" => translated.push_str("%j"),
            "EEEE" => translated.push_str("%A"),
            "E" | "EE" | "EEE" => translated.push_str("%a"),
            "HH" | "H" => translated.push_str("%H"),
            "hh" | "h" => translated.push_str("%I"),
            "a" => translated.push_str("%p"),
            "mm" | "m" => translated.push_str("%M"),
            "ss" | "s" => translated.push_str("%S"),
            "Z" | "ZZ" | "ZZZ" | "xx" | "XX" => translated.push_str("%z"),
            "xxx" | "XXX" | "ZZZZZ" => translated.push_str("%:z"),
            "VV" => translated.push_str("%Q"),
            fraction if first == 'S' && run <= 9 => translated.push_str(&format!("%{}f", fraction.len())),
            letters if first.is_ascii_alphabetic() => {
                return Err(format!("{letters:?} is not supported: expected letters such as yyyy, MM, MMM, dd, HH, mm, ss, SSS, Z"));
            }
            _ if first == '\'' => {
                let end = rest[1..].find('\'').ok_or("quoted literal without its end (')")?;
                translated.push_str(&if end == 0 { "'".to_owned() } else { rest[1..=end].replace('%', "%%") });
                length = end + 2;
            }
            literal => translated.push_str(&literal.replace('%', "%%")),
        }
        rest = &rest[length..];
    }
    Ok(translated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, text: &str, expected: Option<&str>) {
        let format = TimeFormat::try_from(format.to_owned()).unwrap();
        let expected = expected.map(|at| at.parse::<Timestamp>().unwrap().as_millisecond());
        assert_eq!(format.read(text), expected, "{format:?} {text}");
    }

    #[test]
    fn times() {
        let access_log = "dd/MMM/yyyy:HH:mm:ss Z";
        check(access_log, "10/Oct/2000:13:55:36 -0700", Some("2000-10-10T20:55:36Z"));
        check(access_log, "20/Nov/2026:16:36:01 +0000", Some("2026-11-20T16:36:01Z"));
        check(access_log, "20/Nov/2026:16:36:01", None);
        check("yyyy-MM-dd HH:mm:ss.SSS", "2026-11-20 16:36:00.125", Some("2026-11-20T16:36:00.125Z"));
        check("yyyy-MM-dd'T'HH:mm:ssXXX", "2026-11-20T16:36:00+01:00", Some("2026-11-20T15:36:00Z"));
        check("yyyy/MM/dd||epoch_second", "2026/11/20", Some("2026-11-20T00:00:00Z"));
        check("yyyy/MM/dd||epoch_second", "0.5", Some("1970-01-01T00:00:00.5Z"));
        check("EEE, d MMM yyyy h:mm a", "Fri, 20 Nov 2026 4:36 PM", Some("2026-11-20T16:36:00Z"));
        check(DEFAULT, "2026-11-20T16:36:01.5Z", Some("2026-11-20T16:36:01.5Z"));
        check(DEFAULT, "2026-11-20", Some("2026-11-20T00:00:00Z"));
        check(DEFAULT, "2026-11-20T16:36:01", Some("2026-11-20T16:36:01Z"));
        check(DEFAULT, "1500", Some("1970-01-01T00:00:01.5Z"));
        check(DEFAULT, "yesterday", None);
        assert_eq!(TimeFormat::default(), TimeFormat::try_from(DEFAULT.to_owned()).unwrap());
    }

    #[test]
    fn formats_that_cannot_be() {
        for (format, part) in
            [("", "empty"), ("HH:mm", "expected a year"), ("YYYY-MM-dd", "\"YYYY\" is not supported"), ("yyyy'T", "without its end")]
        {
            let error = TimeFormat::try_from(format.to_owned()).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
