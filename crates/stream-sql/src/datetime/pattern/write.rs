//! Times to texts.

use super::read::weekday_of;
use super::{DAYS, Format, MONTHS, Piece};
use crate::datetime::calendar::{civil_from_days, days_from_civil};
use crate::datetime::text::write_number;
use crate::datetime::{DAY, HOUR, MINUTE, SECOND};

/// A time in its fields.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    days: i64,
    of_day: i64,
}

impl Format {
    /// The text of a time.
    pub(crate) fn write(&self, ms: i64) -> String {
        let days = ms.div_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        let parts = Parts { year, month, day, days, of_day: ms.rem_euclid(DAY) };
        let mut out = Vec::with_capacity(self.text.len());
        for piece in &self.pieces {
            match *piece {
                Piece::Literal(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                Piece::Field(letter, count) => match parts.word(letter, count) {
                    Some(word) => out.extend_from_slice(word.as_bytes()),
                    None => write_number(parts.number(letter, count), count, &mut out),
                },
            }
        }
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Parts {
    /// The field, if it is not written as a number.
    fn word(&self, letter: char, count: usize) -> Option<&'static str> {
        let name = |name: &'static str| if count >= 4 { name } else { &name[..3] };
        Some(match letter {
            'G' if self.year > 0 => "AD",
            'G' => "BC",
            'M' | 'L' if count >= 3 => name(MONTHS[self.month as usize - 1]),
            'E' => name(DAYS[weekday_of(self.days) as usize]),
            'a' if self.of_day / HOUR < 12 => "AM",
            'a' => "PM",
            'z' if count >= 4 => "Coordinated Universal Time",
            'z' => "UTC",
            'Z' => "+0000",
            'X' => "Z",
            _ => return None,
        })
    }

    fn number(&self, letter: char, count: usize) -> i64 {
        let hour = self.of_day / HOUR;
        // Of years before Christ the number is that of their era.
        let year = |year: i64| {
            let of_era = if year > 0 { year } else { 1 - year };
            if count == 2 { of_era % 100 } else { of_era }
        };
        match letter {
            'y' => year(self.year),
            'Y' => year(self.week().0),
            'M' | 'L' => self.month,
            'd' => self.day,
            'D' => self.days - days_from_civil(self.year, 1, 1) + 1,
            'F' => (self.day - 1) / 7 + 1,
            'w' => self.week().1,
            'W' => (self.day - 1 + weekday_of(self.days - self.day + 1)) / 7 + 1,
            'u' => (weekday_of(self.days) + 6) % 7 + 1,
            'H' => hour,
            'k' => (hour + 23) % 24 + 1,
            'K' => hour % 12,
            'h' => (hour + 11) % 12 + 1,
            'm' => self.of_day / MINUTE % 60,
            's' => self.of_day / SECOND % 60,
            _ => self.of_day % SECOND,
        }
    }

    /// The year that the week belongs to, and its number: a week with a first of January is the first one.
    fn week(&self) -> (i64, i64) {
        let sunday = self.days - weekday_of(self.days);
        let year = if sunday + 6 >= days_from_civil(self.year + 1, 1, 1) { self.year + 1 } else { self.year };
        let first = days_from_civil(year, 1, 1);
        (year, (sunday - first + weekday_of(first)) / 7 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{format, parse};

    #[test]
    fn times_are_written() {
        let cases = [
            ("2001-07-04 12:08:56.235", "yyyy.MM.dd G 'at' HH:mm:ss z", "2001.07.04 AD at 12:08:56 UTC"),
            ("2001-07-04 12:08:56.235", "EEE, MMM d, ''yy", "Wed, Jul 4, '01"),
            ("2001-07-04 12:08:56.235", "h:mm a", "12:08 PM"),
            ("2001-07-04 12:08:56.235", "hh 'o''clock' a, zzzz", "12 o'clock PM, Coordinated Universal Time"),
            ("2001-07-04 12:08:56.235", "K:mm a, z", "0:08 PM, UTC"),
            ("2001-07-04 12:08:56.235", "yyyyy.MMMMM.dd GGG hh:mm aaa", "02001.July.04 AD 12:08 PM"),
            ("2001-07-04 12:08:56.235", "yyMMddHHmmssZ", "010704120856+0000"),
            ("2001-07-04 12:08:56.235", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "2001-07-04T12:08:56.235Z"),
            ("2001-07-04 12:08:56.235", "XXX y yyy LLL LLLL E EE EEEE", "Z 2001 2001 Jul July Wed Wed Wednesday"),
            ("2001-07-04 12:08:56.007", "S SS SSS SSSS s", "7 07 007 0007 56"),
            ("2024-02-29 13:05:09.007", "D DDDD w W F u", "60 0060 9 5 5 4"),
            ("2024-03-03 00:00:00.000", "k kk K h H u", "24 24 0 12 0 7"),
            ("2024-12-29 00:00:00.000", "YYYY YY w W", "2025 25 1 5"),
            ("2023-12-30 00:00:00.000", "YYYY w", "2023 52"),
            ("2022-01-01 00:00:00.000", "YYYY w W", "2022 1 1"),
            ("2000-05-01 00:00:00.000", "yy", "00"),
        ];
        for (text, pattern, expected) in cases {
            let ms = parse("yyyy-MM-dd HH:mm:ss.SSS", text).unwrap();
            assert_eq!(format(pattern, ms).as_deref(), Ok(expected), "{pattern}");
        }
        assert_eq!(format("yyyy G", parse("yyyy G", "0044 BC").unwrap()).as_deref(), Ok("0044 BC"));
        for ms in [i64::MIN / 4, i64::MAX / 4] {
            format("yyyy YYYY w W D F", ms).unwrap();
        }
    }
}
