//! Intervals: their qualifiers, what their literals may hold, and their text.

use std::fmt;

use super::SECOND;
use super::calendar::Unit;

/// What an unwritten leading precision is.
const DEFAULT_PRECISION: u8 = 2;
/// The largest leading precision.
pub(crate) const MAX_PRECISION: u8 = 10;

/// `DAY(3) TO SECOND(3)`: the fields of an interval. Its value is in months (YEAR, MONTH) or milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Qualifier {
    pub(crate) from: Unit,
    pub(crate) to: Unit,
    /// Digits of the leading field, where written.
    pub(crate) precision: Option<u8>,
}

impl Qualifier {
    pub(crate) fn is_months(self) -> bool {
        self.from.is_months()
    }

    /// Both kinds of intervals hold the same sort of value.
    pub(crate) fn is_like(self, other: Qualifier) -> bool {
        self.is_months() == other.is_months()
    }

    /// The fields of either.
    pub(crate) fn join(self, other: Qualifier) -> Qualifier {
        Qualifier { from: self.from.min(other.from), to: self.to.max(other.to), precision: None }
    }

    /// The value of a literal's text; or what is wrong with it.
    pub(crate) fn parse(self, text: &str) -> Result<i64, String> {
        let malformed = || format!("Illegal interval literal format '{text}' for INTERVAL {self}");
        let (sign, body) = match text.trim().as_bytes() {
            [b'-', rest @ ..] => (-1, rest),
            [b'+', rest @ ..] => (1, rest),
            rest => (1, rest),
        };
        let mut body = std::str::from_utf8(body).map_err(|_| malformed())?;
        let mut total: i64 = 0;
        for unit in units(self.from, self.to) {
            if unit != self.from {
                let separator = match unit {
                    Unit::Month => "-",
                    Unit::Hour => " ",
                    _ => ":",
                };
                body = body.strip_prefix(separator).ok_or_else(malformed)?;
            }
            let digits = body.bytes().take_while(u8::is_ascii_digit).count();
            let value: i64 = body[..digits].parse().map_err(|_| malformed())?;
            body = &body[digits..];
            self.check_field(unit, value)?;
            total = value.checked_mul(unit.length()).and_then(|v| total.checked_add(v)).ok_or_else(malformed)?;
        }
        if self.to == Unit::Second
            && let Some(fraction) = body.strip_prefix('.')
        {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 || digits > 3 {
                return Err(malformed());
            }
            let ms = fraction.bytes().take(digits).chain(*b"000").take(3).fold(0, |n, b| n * 10 + i64::from(b - b'0'));
            total += ms;
            body = &fraction[digits..];
        }
        if body.is_empty() { Ok(sign * total) } else { Err(malformed()) }
    }

    fn check_field(self, unit: Unit, value: i64) -> Result<(), String> {
        if unit != self.from {
            let limit = match unit {
                Unit::Month => 12,
                Unit::Hour => 24,
                _ => 60,
            };
            return if value < limit {
                Ok(())
            } else {
                Err(format!("Illegal value {value} of the field {}", unit.name()))
            };
        }
        let precision = self.precision.unwrap_or(DEFAULT_PRECISION);
        if value.to_string().len() > usize::from(precision) {
            return Err(format!(
                "Interval field value {value} exceeds precision of {}({precision}) field",
                unit.name()
            ));
        }
        Ok(())
    }

    /// The text of a value: the sign always, the leading field unpadded (`+2 00:06:11`).
    pub(crate) fn text(self, value: i64) -> String {
        use fmt::Write as _;
        let mut text = String::from(if value < 0 { '-' } else { '+' });
        let mut rest = value.unsigned_abs();
        for unit in units(self.from, self.to) {
            let length = unit.length().unsigned_abs();
            // Writing to a String does not fail.
            let _ = match unit {
                _ if unit == self.from => write!(text, "{}", rest / length),
                Unit::Month => write!(text, "-{:02}", rest / length),
                Unit::Hour => write!(text, " {:02}", rest / length),
                _ => write!(text, ":{:02}", rest / length),
            };
            rest %= length;
        }
        if self.to == Unit::Second && rest != 0 {
            let _ = write!(text, ".{rest:03}");
        }
        text
    }

    /// A field of a value: the leading one whole, the others within the next longer one.
    pub(crate) fn field(self, value: i64, unit: Unit) -> i64 {
        let whole = value / unit.length();
        match unit {
            _ if unit <= self.from => whole,
            Unit::Month => whole % 12,
            Unit::Hour => whole % 24,
            _ => whole % 60,
        }
    }

    /// Milliseconds beyond the seconds.
    pub(crate) fn milliseconds(value: i64) -> i64 {
        value % SECOND
    }
}

fn units(from: Unit, to: Unit) -> impl Iterator<Item = Unit> {
    use Unit::{Day, Hour, Minute, Month, Second, Year};
    [Year, Month, Day, Hour, Minute, Second].into_iter().filter(move |unit| (from..=to).contains(unit))
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.from.name())?;
        if let Some(precision) = self.precision {
            write!(f, "({precision})")?;
        }
        if self.to != self.from {
            write!(f, " TO {}", self.to.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qualifier(from: Unit, to: Unit, precision: Option<u8>) -> Qualifier {
        Qualifier { from, to, precision }
    }

    #[test]
    fn literals_are_held_to_their_precision() {
        let minute = qualifier(Unit::Minute, Unit::Minute, Some(2));
        assert_eq!(minute.parse("120").unwrap_err(), "Interval field value 120 exceeds precision of MINUTE(2) field");
        let second = |precision| qualifier(Unit::Second, Unit::Second, precision);
        assert_eq!(second(None).parse("60"), Ok(60_000));
        assert!(second(None).parse("120").is_err());
        assert_eq!(second(Some(3)).parse("120"), Ok(120_000));
        assert_eq!(qualifier(Unit::Minute, Unit::Second, None).parse("59:59.999"), Ok(3_599_999));
        assert_eq!(qualifier(Unit::Day, Unit::Hour, None).parse("-3 4"), Ok(-273_600_000));
        assert_eq!(qualifier(Unit::Year, Unit::Month, None).parse("1-2"), Ok(14));
        assert!(qualifier(Unit::Day, Unit::Hour, None).parse("3 24").is_err());
        assert!(qualifier(Unit::Day, Unit::Hour, None).parse("3").is_err());
    }

    #[test]
    fn text_has_a_sign_and_a_bare_leading_field() {
        assert_eq!(qualifier(Unit::Day, Unit::Second, None).text(173_171_000), "+2 00:06:11");
        assert_eq!(qualifier(Unit::Minute, Unit::Second, None).text(-371_000), "-6:11");
        assert_eq!(qualifier(Unit::Second, Unit::Second, None).text(371_000), "+371");
        assert_eq!(qualifier(Unit::Year, Unit::Month, None).text(14), "+1-02");
    }
}
