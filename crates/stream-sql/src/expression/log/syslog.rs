//! SYS_LOG_PARSE: `Mon dd hh:mm:ss message`, as RFC 3164 has it; a priority (`<34>`) before it is passed over.

use super::field::{Field, Fields, default_fields};
use crate::datetime::calendar::{civil_from_days, days_from_civil, days_in_month, in_range};
use crate::datetime::pattern::MONTHS;
use crate::datetime::{DAY, HOUR, MINUTE, SECOND};
use crate::expression::RowError;
use crate::value::{Datum, SqlType};

#[derive(Debug, Clone)]
pub(crate) struct SysLog {
    fields: Fields,
}

impl SysLog {
    /// COLUMN1, the time, and COLUMN2, the message.
    pub(crate) fn new() -> Result<SysLog, String> {
        let mut fields = default_fields(2)?;
        fields[0].sql_type = SqlType::Timestamp;
        Ok(SysLog { fields })
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn parse<'t>(&self, line: &'t str, rowtime: i64, out: &mut Vec<Datum<'t>>) -> Result<bool, RowError> {
        let Some((time, message)) = header(line, rowtime) else { return Ok(false) };
        out.push(Datum::Timestamp(time));
        out.push(self.fields[1].value(Some(message.into()))?);
        Ok(true)
    }
}

/// The time and what follows the blank behind it.
fn header(line: &str, rowtime: i64) -> Option<(i64, &str)> {
    let line = without_priority(line);
    let (name, rest) = line.split_at_checked(3)?;
    let month = (1..).zip(MONTHS).find(|(_, month)| month[..3].eq_ignore_ascii_case(name))?.0;
    let (day, rest) = number(rest.strip_prefix(' ')?.trim_start_matches(' '), 31)?;
    let (hour, rest) = number(rest.strip_prefix(' ')?, 23)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 59)?;
    let (second, rest) = number(rest.strip_prefix(':')?, 59)?;
    let message = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    let of_day = hour * HOUR + minute * MINUTE + second * SECOND;
    Some((time_of(month, day, of_day, rowtime)?, message))
}

fn without_priority(line: &str) -> &str {
    let inner = line.strip_prefix('<').and_then(|line| line.split_once('>'));
    match inner {
        Some((digits, rest)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => line,
    }
}

/// One or two digits.
fn number(text: &str, most: i64) -> Option<(i64, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let value = text[..digits].parse().ok().filter(|value| *value <= most)?;
    Some((value, &text[digits..]))
}

/// The line does not say its year: the last one in which its time is not more than a day after ROWTIME, so that a line of December
/// that comes in January is of the year before.
fn time_of(month: i64, day: i64, of_day: i64, rowtime: i64) -> Option<i64> {
    let (year, ..) = civil_from_days(in_range(rowtime)?.div_euclid(DAY));
    // A leap day was at most eight years ago.
    (0..=9).map(|back| year + 1 - back).find_map(|year| {
        let is_date = (1..=days_in_month(year, month)).contains(&day);
        let time = days_from_civil(year, month, day) * DAY + of_day;
        (is_date && time <= rowtime.saturating_add(DAY)).then_some(time)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datetime::text::{parse_timestamp, write_timestamp};

    #[test]
    fn headers() {
        let cases = [
            ("Oct 11 22:14:15 mymachine su: failed", Some(("2025-10-11 22:14:15.000", "mymachine su: failed"))),
            ("<34>Jan  1 00:00:00 m", Some(("2026-01-01 00:00:00.000", "m"))),
            ("Jan 02 09:59:59", Some(("2026-01-02 09:59:59.000", ""))),
            ("jan 3 10:00:00  x", Some(("2025-01-03 10:00:00.000", " x"))),
            ("Feb 29 1:2:3 x", Some(("2024-02-29 01:02:03.000", "x"))),
            ("Feb 30 01:02:03 x", None),
            ("Oct 11 24:14:15 x", None),
            ("Oct 11 22:14 x", None),
            ("Öct 11 22:14:15 x", None),
            ("<34Oct 11 22:14:15 x", None),
            ("", None),
        ];
        let rowtime = parse_timestamp("2026-01-01 10:00:00").unwrap();
        for (line, expected) in cases {
            let shown = header(line, rowtime).map(|(time, message)| {
                let mut text = Vec::new();
                write_timestamp(time, true, &mut text);
                (String::from_utf8(text).unwrap(), message)
            });
            let shown = shown.as_ref().map(|(time, message)| (time.as_str(), *message));
            assert_eq!(shown, expected, "{line}");
        }
        header("Oct 11 22:14:15 x", i64::MAX);
        header("Oct 11 22:14:15 x", i64::MIN);
    }
}
