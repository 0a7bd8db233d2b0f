//! The two Apache access-log formats, by a byte scanner that takes exactly what the Kinesis Agent's expressions take.
//!
//! ```text
//! host ident authuser [d/Mon/yyyy:H:m:s +zone] "request" response bytes                    anything   common
//! host ident authuser [d/Mon/yyyy:H:m:s +zone] "request" response bytes "referer" "agent"  anything   combined
//! ```
//!
//! Every field ends at a byte that it cannot contain, so one pass from left to right decides as the expressions do with their
//! backtracking. The property test beside this reads the same rule as one regular expression.

use std::sync::LazyLock;

use memchr::{memchr, memchr2};

use crate::{
    json::{Keys, Layout},
    text::decode,
};

/// English, as every format here has them.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The names of a common log line's fields.
pub(crate) const COMMON_FIELDS: [&str; 7] = ["host", "ident", "authuser", "datetime", "request", "response", "bytes"];
/// The names of a combined log line's fields.
pub(crate) const COMBINED_FIELDS: [&str; 9] =
    ["host", "ident", "authuser", "datetime", "request", "response", "bytes", "referer", "agent"];

static COMMON_KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(&COMMON_FIELDS, Layout::Compact));
static COMBINED_KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(&COMBINED_FIELDS, Layout::Compact));

/// Appends a common log line (without its newline) as one JSON object, no newline; false = no match, `out` unchanged.
pub fn common_to_json(line: &[u8], out: &mut Vec<u8>) -> bool {
    to_json(line, Format::Common, &COMMON_KEYS, out)
}

/// Appends a combined log line (without its newline) as one JSON object, no newline; false = no match, `out` unchanged.
pub fn combined_to_json(line: &[u8], out: &mut Vec<u8>) -> bool {
    to_json(line, Format::Combined, &COMBINED_KEYS, out)
}

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Common,
    Combined,
}

/// The same under other keys. Bytes that are not UTF-8 are read as U+FFFD; a field that is `-` is null.
pub(crate) fn to_json(line: &[u8], format: Format, keys: &Keys, out: &mut Vec<u8>) -> bool {
    let text = decode(line);
    let Some(fields) = scan(&text, format) else { return false };
    out.reserve(text.len() + 128);
    keys.write(|column| fields.get(column).copied().filter(|field| *field != "-"), out);
    true
}

/// Whether the line has the format.
pub(crate) fn matches(line: &[u8], format: Format) -> bool {
    scan(&decode(line), format).is_some()
}

/// Finds the fields; the last two are empty in a common line.
fn scan(line: &str, format: Format) -> Option<[&str; 9]> {
    let mut cursor = Cursor { line, at: 0 };
    let host = cursor.token(is_host)?;
    let ident = cursor.token(is_user)?;
    let authuser = cursor.token(is_user)?;
    let datetime = cursor.datetime()?;
    let request = cursor.quoted()?;
    cursor.expect(b' ')?;
    let response = cursor.integer_or_dash()?;
    cursor.expect(b' ')?;
    let bytes = cursor.integer_or_dash()?;
    let (mut referer, mut agent) = ("", "");
    if format == Format::Combined {
        cursor.expect(b' ')?;
        referer = cursor.quoted()?;
        cursor.expect(b' ')?;
        agent = cursor.quoted()?;
    }
    is_one_line(&line.as_bytes()[cursor.at..])
        .then_some([host, ident, authuser, datetime, request, response, bytes, referer, agent])
}

/// A place in the line. `at` is always after an ASCII byte or at the start, so slices are whole characters.
struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.line.as_bytes()[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let taken = self.line.get(self.at..self.at + length)?;
        self.at += length;
        Some(taken)
    }

    /// A field up to the next blank, and the blank.
    fn token(&mut self, valid: fn(&[u8]) -> bool) -> Option<&'a str> {
        let length = memchr(b' ', self.rest())?;
        let token = self.take(length)?;
        self.at += 1;
        valid(token.as_bytes()).then_some(token)
    }

    /// One or more characters that are no quote, in quotes.
    fn quoted(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let length = memchr(b'"', self.rest()).filter(|length| *length > 0)?;
        let text = self.take(length)?;
        self.at += 1;
        Some(text)
    }

    fn digits(&mut self) -> Option<&'a str> {
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 { None } else { self.take(length) }
    }

    /// A signed integer or, where none is, a dash.
    fn integer_or_dash(&mut self) -> Option<&'a str> {
        let start = self.at;
        let sign = self.peek()?;
        if matches!(sign, b'+' | b'-') {
            self.at += 1;
        }
        if self.digits().is_none() && sign != b'-' {
            return None;
        }
        self.line.get(start..self.at)
    }

    /// `[d/Mon/yyyy:H:m:s[.frac] +zone] `, giving what is in the brackets.
    fn datetime(&mut self) -> Option<&'a str> {
        self.expect(b'[')?;
        let start = self.at;
        self.two_digits(1, 31)?;
        self.expect(b'/')?;
        self.month()?;
        self.expect(b'/')?;
        self.digits().filter(|year| !year.starts_with('0'))?;
        self.expect(b':')?;
        self.two_digits(0, 23)?;
        self.expect(b':')?;
        let minute = self.digits()?.as_bytes();
        (minute.len() == 2 && minute[0] <= b'5').then_some(())?;
        self.expect(b':')?;
        self.two_digits(0, 60)?;
        if matches!(self.peek()?, b'.' | b',' | b':') {
            self.at += 1;
            self.digits()?;
        }
        matches!(self.peek()?, b' ' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r').then(|| self.at += 1)?;
        if matches!(self.peek()?, b'+' | b'-') {
            self.at += 1;
        }
        self.digits()?;
        let text = self.line.get(start..self.at)?;
        self.expect(b']')?;
        self.expect(b' ')?;
        Some(text)
    }

    /// One or two digits in the range.
    fn two_digits(&mut self, least: u8, most: u8) -> Option<()> {
        let value = match self.digits()?.as_bytes() {
            [one] => one - b'0',
            [ten, one] => (ten - b'0') * 10 + (one - b'0'),
            _ => return None,
        };
        (least..=most).contains(&value).then_some(())
    }

    /// An English month, three letters or whole.
    fn month(&mut self) -> Option<()> {
        let length = self.rest().iter().take(10).position(|byte| *byte == b'/')?;
        let name = self.take(length)?;
        MONTHS.iter().any(|month| *month == name || (name.len() == 3 && month.starts_with(name))).then_some(())
    }
}

const WORD: u8 = 1;
const DASH: u8 = 2;
const DOT: u8 = 4;
const DIGIT: u8 = 8;

/// What each byte may be part of.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphabetic() || b == b'_' {
            class[byte] = WORD;
        } else if b.is_ascii_digit() {
            class[byte] = WORD | DIGIT;
        }
        byte += 1;
    }
    class[b'-' as usize] = DASH;
    class[b'.' as usize] = DOT;
    class
};

fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

/// Words of `[A-Za-z0-9_-]` joined by single dots, one more at the end allowed; or any mix of digits and dots.
fn is_host(token: &[u8]) -> bool {
    let named = || {
        let doubled = token.windows(2).any(|pair| pair == b"..");
        !doubled && token.first() != Some(&b'.') && token.iter().all(|byte| class(*byte) != 0)
    };
    !token.is_empty() && (token.iter().all(|byte| class(*byte) & (DOT | DIGIT) != 0) || named())
}

/// `[A-Za-z0-9._-]+`.
fn is_user(token: &[u8]) -> bool {
    !token.is_empty() && token.iter().all(|byte| class(*byte) != 0)
}

/// True when Java's `.` goes to the end: no LF, CR, U+0085, U+2028 or U+2029.
fn is_one_line(tail: &[u8]) -> bool {
    if tail.is_empty() {
        return true;
    }
    let unicode_end = || {
        let mut pairs = tail.windows(2);
        let mut triples = tail.windows(3);
        pairs.any(|bytes| bytes == [0xC2, 0x85])
            || triples.any(|b| b[..2] == [0xE2, 0x80] && matches!(b[2], 0xA8 | 0xA9))
    };
    memchr2(b'\n', b'\r', tail).is_none() && (tail.is_ascii() || !unicode_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    /// The rule once more, as one expression a field.
    fn reading(format: Format) -> Regex {
        let user = "([0-9A-Za-z._-]+)";
        let host = r"([0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*\.?|[0-9.]+)";
        let month = "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?\
            |Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)";
        let time = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:(?:[0-5]?[0-9]|60)(?:[.,:][0-9]+)?";
        let date = format!(r"((?:0?[1-9]|[12][0-9]|3[01])/{month}/[1-9][0-9]*:{time}[ \t\n\x0B\f\r][+-]?[0-9]+)");
        let (quoted, number) = (r#""([^"]+)""#, "([+-]?[0-9]+|-)");
        let more = if format == Format::Combined { format!(" {quoted} {quoted}") } else { String::new() };
        let rest = r"[^\n\r\u{85}\u{2028}\u{2029}]*";
        Regex::new(&format!(r"\A{host} {user} {user} \[{date}\] {quoted} {number} {number}{more}{rest}\z")).unwrap()
    }

    fn check(line: &str) {
        for (format, fields) in [(Format::Common, 7), (Format::Combined, 9)] {
            let expected = reading(format).captures(line).map(|groups| {
                (1..=fields).map(|group| groups.get(group).unwrap().as_str().to_owned()).collect::<Vec<_>>()
            });
            let got = scan(line, format).map(|found| found[..fields].iter().map(|f| f.to_string()).collect::<Vec<_>>());
            assert_eq!(got, expected, "{format:?} {line:?}");
        }
    }

    const PLAIN: &str = r#"1.2.3.4 - bob [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326 "-" "curl/8" tail"#;

    #[test]
    fn lines_near_the_rule() {
        check(PLAIN);
        let swaps = [
            ("1.2.3.4", &["", "a.", ".", "1..2", "a..b", ".a", "-", "a_b.c-d", "::1", "ü", "3..", "a b"][..]),
            ("bob", &["", "-", ".", "a@b", "b_c", "é"]),
            (
                "10/Oct",
                &["1/Oct", "01/May", "00/Oct", "0/Oct", "32/Oct", "31/October", "5/oct", "5/Octo", "5/", "005/Oct"],
            ),
            ("2000", &["0", "0200", "1", "20001", ""]),
            (
                "13:55:36",
                &[
                    "1:00:0",
                    "24:00:00",
                    "23:5:00",
                    "23:60:00",
                    "01:59:60",
                    "1:1:1",
                    "1:02:61",
                    "1:02:3.5",
                    "1:02:03,",
                    "1:02:03:4",
                    "001:00:00",
                ],
            ),
            (" -0700", &["\t0", "\n+1", "  +1", "\u{b}1", " Z", " +", " -07:00", "+0700"]),
            ("GET / HTTP/1.0", &["", " ", "a\\\"b", "é\u{2028}\n", "\\x16"]),
            ("200", &["-", "+", "-5", "+5", "--", "2x"]),
            ("2326", &["-", "-x", "+", "-5", "5x", ""]),
            ("curl/8", &["", "a\nb", "-"]),
            (" tail", &["", "\r", "x\u{85}", "\u{2029}", "\n", "é"]),
        ];
        for (part, replacements) in swaps {
            for replacement in replacements {
                check(&PLAIN.replacen(part, replacement, 1));
            }
        }
        for cut in 0..PLAIN.len() {
            check(&PLAIN[..cut]);
        }
    }

    proptest! {
        #[test]
        fn the_scanner_is_the_expression(
            host in "[a.0-]{0,4}", user in "[a.@-]{0,3}", day in "[0-3]?[0-9]", month in "(Jan|June?|May|Sep|dec|Sept)",
            year in "[0-2]?[0-9]{0,3}", time in "[0-2]?[0-9]:[0-6]?[0-9]:[0-6]?[0-9]([.:,][0-9]?)?",
            zone in "[ \t\n][+-]?[0-9]{0,4}", request in "[^\"]{0,6}\"?", status in "[+-]?[0-9]{0,2}",
            bytes in "[+-]?[0-9]{0,2}", more in "( \"[^\"]{0,3}\"){0,2}", tail in ".{0,3}[\r\n\u{85}\u{2028}]?",
        ) {
            check(&format!("{host} - {user} [{day}/{month}/{year}:{time}{zone}] \"{request}\" {status} {bytes}{more}{tail}"));
        }

        #[test]
        fn one_changed_byte(at in 0..PLAIN.len(), with in any::<char>()) {
            let mut line = PLAIN.to_owned();
            line.replace_range(at..=at, &with.to_string());
            check(&line);
        }
    }

    #[test]
    fn bytes_that_are_no_text_and_escapes() {
        let line = b"h - - [10/Oct/2000:13:55:36\t-0700] \"GET \xff\\\n\" - 1";
        let mut out = b"before ".to_vec();
        assert!(common_to_json(line, &mut out));
        let expected = "before {\"host\":\"h\",\"ident\":null,\"authuser\":null,\"datetime\":\"10/Oct/2000:13:55:36\\t-0700\",\
            \"request\":\"GET \u{FFFD}\\\\\\n\",\"response\":null,\"bytes\":\"1\"}";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = b"before".to_vec();
        assert!(!combined_to_json(line, &mut out));
        assert_eq!(out, b"before");
    }
}
