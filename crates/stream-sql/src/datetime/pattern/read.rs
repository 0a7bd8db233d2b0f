//! Texts to times. What follows the last field is ignored, and what is not read is that of 1970-01-01 00:00:00; but each element must
//! be in its range ("Char To Timestamp": 2009 is not an acceptable value for months).

use super::zone::take_zone;
use super::{DAYS, Format, MONTHS, Piece};
use crate::datetime::calendar::{days_from_civil, days_in_month, in_range};
use crate::datetime::{DAY, HOUR, MINUTE, SECOND};

/// Two-digit years are of the hundred years from here on. Java counts from eighty years ago; an engine has no clock, so this is 2026's.
const FIRST_YEAR: i64 = 1946;
/// A larger number is no year.
const MAX_YEAR: i64 = 200_000;

/// A number that was read, and as which one: of two that name a day, the later counts.
type Read = Option<(i64, usize)>;

/// What has been read.
#[derive(Debug, Default)]
struct Fields {
    year: Option<i64>,
    before_christ: bool,
    week_year: Option<i64>,
    month: Option<i64>,
    day: Read,
    day_of_year: Read,
    week_of_year: Read,
    week_of_month: Read,
    /// The second Tuesday of a month: 2.
    weekday_in_month: Read,
    /// 0 is Sunday.
    weekday: Read,
    hour_of_day: Option<i64>,
    half_day_hour: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    millisecond: i64,
    offset: i64,
}

impl Format {
    /// Milliseconds since 1970 of a text; or why it has none.
    pub(crate) fn parse(&self, text: &str) -> Result<i64, String> {
        self.read(text).ok_or_else(|| format!("{text:?} does not match the pattern {:?}", self.text))
    }

    fn read(&self, text: &str) -> Option<i64> {
        let mut rest = text;
        let mut fields = Fields::default();
        for (place, piece) in self.pieces.iter().enumerate() {
            match *piece {
                Piece::Literal(c) => rest = rest.strip_prefix(c)?,
                Piece::Field(letter, count) => {
                    // A number that runs into the next one has as many digits as its letters.
                    let abuts =
                        matches!(self.pieces.get(place + 1), Some(Piece::Field(next, n)) if is_number(*next, *n));
                    let text = rest.trim_start_matches([' ', '\t']);
                    rest = if is_number(letter, count) {
                        fields.number(letter, count, place + 1, if abuts { Some(count) } else { None }, text)?
                    } else {
                        fields.word(letter, place + 1, text)?
                    };
                }
            }
        }
        fields.milliseconds()
    }
}

fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count < 3,
        letter => !matches!(letter, 'G' | 'E' | 'a' | 'z' | 'Z' | 'X'),
    }
}

/// A number of so many digits at most, how many it has, and what follows.
pub(super) fn take_digits(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let add = |value: i64, digit: u8| value.checked_mul(10)?.checked_add(i64::from(digit - b'0'));
    let value = text[..digits].bytes().try_fold(0, add)?;
    (digits > 0).then_some((value, digits, &text[digits..]))
}

/// One of several words in full, or its first three letters, in which no two of them are alike.
fn take_word<'t>(text: &'t str, words: &[&str]) -> Option<(i64, &'t str)> {
    let strip = |word: &str| {
        let (start, rest) = text.split_at_checked(word.len())?;
        start.eq_ignore_ascii_case(word).then_some(rest)
    };
    (0..).zip(words).find_map(|(place, word)| {
        let short = strip(&word[..word.len().min(3)])?;
        Some((place, strip(word).unwrap_or(short)))
    })
}

fn within(value: i64, least: i64, most: i64) -> Option<i64> {
    (least..=most).contains(&value).then_some(value)
}

impl Fields {
    fn word<'t>(&mut self, letter: char, place: usize, text: &'t str) -> Option<&'t str> {
        let (value, rest) = match letter {
            'M' | 'L' => take_word(text, &MONTHS)?,
            'E' => take_word(text, &DAYS)?,
            'G' => take_word(text, &["AD", "BC"])?,
            'a' => take_word(text, &["AM", "PM"])?,
            _ => take_zone(text)?,
        };
        match letter {
            'M' | 'L' => self.month = Some(value + 1),
            'E' => self.weekday = Some((value, place)),
            'G' => self.before_christ = value == 1,
            'a' => self.afternoon = value == 1,
            _ => self.offset = value,
        }
        Some(rest)
    }

    fn number<'t>(
        &mut self,
        letter: char,
        count: usize,
        place: usize,
        width: Option<usize>,
        text: &'t str,
    ) -> Option<&'t str> {
        if width.is_some_and(|width| text.len() < width) {
            return None;
        }
        let (value, digits, rest) = take_digits(text, width.unwrap_or(18))?;
        let year = || match (count, digits) {
            (..=2, 2) => Some(FIRST_YEAR + (value - FIRST_YEAR).rem_euclid(100)),
            _ => within(value, 0, MAX_YEAR),
        };
        match letter {
            'y' => self.year = Some(year()?),
            'Y' => self.week_year = Some(year()?),
            'M' | 'L' => self.month = Some(within(value, 1, 12)?),
            'd' => self.day = Some((within(value, 1, 31)?, place)),
            'D' => self.day_of_year = Some((within(value, 1, 366)?, place)),
            'w' => self.week_of_year = Some((within(value, 1, 53)?, place)),
            'W' => self.week_of_month = Some((within(value, 0, 6)?, place)),
            'F' => self.weekday_in_month = Some((within(value, 1, 5)?, place)),
            // Monday is 1, Sunday is 7.
            'u' => self.weekday = Some((within(value, 1, 7)? % 7, place)),
            'H' => self.hour_of_day = Some(within(value, 0, 23)?),
            'k' => self.hour_of_day = Some(within(value, 1, 24)? % 24),
            // 24-hour values are taken as they are.
            'h' => self.half_day_hour = Some(if value == 12 { 0 } else { within(value, 0, 23)? }),
            'K' => self.half_day_hour = Some(within(value, 0, 23)?),
            'm' => self.minute = within(value, 0, 59)?,
            's' => self.second = within(value, 0, 59)?,
            _ => self.millisecond = within(value, 0, 999)?,
        }
        Some(rest)
    }

    fn milliseconds(&self) -> Option<i64> {
        let hour = match (self.hour_of_day, self.half_day_hour.unwrap_or_default()) {
            (Some(hour), _) => hour,
            (None, hour) if self.afternoon && hour < 12 => hour + 12,
            (None, hour) => hour,
        };
        let of_day = hour * HOUR + self.minute * MINUTE + self.second * SECOND + self.millisecond;
        in_range(self.days()? * DAY + of_day - self.offset)
    }

    /// Days since 1970, by the fields that name a day and were read last (as GregorianCalendar resolves them).
    fn days(&self) -> Option<i64> {
        let year = self.year.unwrap_or(1970);
        let year = if self.before_christ { 1 - year } else { year };
        let month = self.month.unwrap_or(1);
        let number = |read: Read, default| read.map_or(default, |(value, _)| value);
        let weekday = number(self.weekday, 0);
        let week = |first: i64, number: i64| first - weekday_of(first) + (number - 1) * 7 + weekday;
        if let (Some(year), None) = (self.week_year, self.year) {
            return Some(week(days_from_civil(year, 1, 1), number(self.week_of_year, 1)));
        }
        let place = |read: Read| read.map_or(0, |(_, place)| place);
        let with_weekday = |read: Read| match (read, self.weekday) {
            (Some((_, one)), Some((_, other))) => one.max(other),
            _ => 0,
        };
        let complete = [
            place(self.day),
            with_weekday(self.week_of_month),
            with_weekday(self.weekday_in_month),
            place(self.day_of_year),
            with_weekday(self.week_of_year),
        ];
        let weekday_in_month = place(self.weekday_in_month).max(place(self.weekday));
        let alone = [0, place(self.week_of_month), weekday_in_month, 0, place(self.week_of_year)];
        let places = if complete.iter().any(|place| *place > 0) { complete } else { alone };
        let last = (1..places.len()).fold(0, |last, rule| if places[rule] > places[last] { rule } else { last });
        let first_of_month = days_from_civil(year, month, 1);
        let first_of_year = days_from_civil(year, 1, 1);
        Some(match last {
            1 => week(first_of_month, number(self.week_of_month, 1)),
            2 => {
                let first = first_of_month + (weekday - weekday_of(first_of_month)).rem_euclid(7);
                first + (number(self.weekday_in_month, 1) - 1) * 7
            }
            3 => {
                let length = days_from_civil(year + 1, 1, 1) - first_of_year;
                first_of_year + within(number(self.day_of_year, 1), 1, length)? - 1
            }
            4 => week(first_of_year, number(self.week_of_year, 1)),
            _ => first_of_month + within(number(self.day, 1), 1, days_in_month(year, month))? - 1,
        })
    }
}

/// 0 is Sunday.
pub(super) fn weekday_of(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::super::{format, parse};

    fn shown(pattern: &str, text: &str) -> Option<String> {
        let shown = format("yyyy-MM-dd HH:mm:ss.SSS", parse(pattern, text).ok()?).unwrap();
        Some(shown.trim_end_matches(".000").trim_end_matches(" 00:00:00").to_owned())
    }

    #[test]
    fn texts_are_read() {
        let cases = [
            ("dd/MMM/yyyy:HH:mm:ss Z", "25/Mar/2018:15:25:37 -0700", "2018-03-25 22:25:37"),
            ("yyyyMMddHHmmssSSS", "20240229013000250", "2024-02-29 01:30:00.250"),
            ("yyyy-MM-dd'T'HH:mm:ssX", "2024-02-29T01:30:00Z", "2024-02-29 01:30:00"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2024-02-29T01:30:00.5+01:30", "2024-02-29 00:00:00.005"),
            ("EEE, d MMM yyyy hh:mm a z", "Thu, 29 Feb 2024 12:05 AM PST", "2024-02-29 08:05:00"),
            ("hh:mm a", "11:05 PM", "1970-01-01 23:05:00"),
            ("hh:mm a", "12:05 pm", "1970-01-01 12:05:00"),
            ("hh:mm", "13:05", "1970-01-01 13:05:00"),
            ("HH:mm a", "10:05 PM", "1970-01-01 10:05:00"),
            ("kk", "24", "1970-01-01"),
            ("K a", "0 PM", "1970-01-01 12:00:00"),
            ("a", "PM", "1970-01-01 12:00:00"),
            ("dd-MM-yy", "31-12-69", "1969-12-31"),
            ("dd-MM-yy", "31-12-45", "2045-12-31"),
            ("yy", "2009", "2009-01-01"),
            ("yy", "7", "0007-01-01"),
            ("yyyy", "09-16 03:15", "0009-01-01"),
            ("yyyyy", "02001", "2001-01-01"),
            ("y G", "44 BC", "-043-01-01"),
            ("yyyy-DDD", "2024-060", "2024-02-29"),
            ("MMM dd, yyyy", "March 7, 2010", "2010-03-07"),
            ("MMMM dd, yyyy", "mar 7, 2010", "2010-03-07"),
            ("LLL d", "May 1", "1970-05-01"),
            ("yyyyMMMdd", "2018Mar05", "2018-03-05"),
            ("yyyy-MM-dd", "  2018-  3-5 trailing", "2018-03-05"),
            ("yyyy ww", "2024 10", "2024-03-03"),
            ("yyyy ww EEE", "2024 10 Tue", "2024-03-05"),
            ("yyyy MM W u", "2024 03 2 7", "2024-03-03"),
            ("yyyy MM F EEEE", "2024 11 4 Thursday", "2024-11-28"),
            ("EEE", "Tue", "1970-01-06"),
            ("YYYY 'W'ww", "2025 W01", "2024-12-29"),
            ("h 'o''clock' a, zzzz", "3 o'clock PM, Pacific Daylight Time", "1970-01-01 22:00:00"),
            ("HH z", "00 GMT-08:00", "1970-01-01 08:00:00"),
            ("HH z", "00 utc", "1970-01-01"),
            ("HH Z", "00 +0000", "1970-01-01"),
        ];
        for (pattern, text, expected) in cases {
            let expected = expected.trim_end_matches(" 00:00:00");
            let shown = shown(pattern, text).unwrap_or_default();
            // Years of an era before Christ are counted in it.
            let shown = if expected.starts_with('-') { format!("-043{}", &shown[4..]) } else { shown };
            assert_eq!(shown, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_does_not_match_or_is_out_of_range_is_refused() {
        let cases = [
            ("MM/dd/yy hh:mm:ss", "2009/09/16 03:15:24"),
            ("yyyy hh", "2009-09-16 03:15:24"),
            ("yyyy-MM", "2024/02"),
            ("yyyy-MM-dd", "2024-02-30"),
            ("yyyy-MM-dd", "2023-02-29"),
            ("yyyy-MM-dd", "2023-13-01"),
            ("yyyy-MM-dd", "2023-00-01"),
            ("yyyy-DDD", "2023-366"),
            ("HH:mm", "24:00"),
            ("HH:mm", "23:60"),
            ("kk", "0"),
            ("ss.SSS", "01.123456"),
            ("HHmmss", "123"),
            ("MMM", "Foo"),
            ("MM", "Mar"),
            ("EEE", "Foo"),
            ("yyyy", ""),
            ("yyyy", "-1"),
            ("yyyy", "999999999"),
            ("yyyy", "999999999999999999999"),
            ("MM", "99999999999999999"),
            ("Z", "0100"),
            ("z", "XYZ"),
            ("Z", "+2400"),
            ("'a'b", "b"),
        ];
        for (pattern, text) in cases {
            assert_eq!(shown(pattern, text), None, "{pattern} {text}");
        }
    }
}
