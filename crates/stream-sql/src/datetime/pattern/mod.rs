//! The patterns of `CHAR_TO_TIMESTAMP` and `TIMESTAMP_TO_CHAR`: Java's SimpleDateFormat, in UTC and English (weeks begin on Sunday,
//! and the first of a year or month is the one with its first day).

mod read;
mod write;
mod zone;

/// Full names; the first three letters are the short ones.
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
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The letters that stand for fields; the others are reserved.
const LETTERS: &str = "GyYMLwWDdFEuaHkKhmsSzZX";
/// The widest field.
const MAX_WIDTH: usize = 64;
/// The most letters of `X`.
const MAX_ISO_ZONE: usize = 3;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Format {
    text: Box<str>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Piece {
    Literal(char),
    /// A letter and how often it stands.
    Field(char, usize),
}

impl Format {
    /// Compiles a pattern; or says what is wrong with it. Quoted text is literal.
    pub(crate) fn new(text: &str) -> Result<Format, String> {
        let mut pieces = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if c == '\'' {
                if rest.next_if_eq(&'\'').is_some() {
                    pieces.push(Piece::Literal('\''));
                    continue;
                }
                loop {
                    match rest.next() {
                        Some('\'') if rest.next_if_eq(&'\'').is_some() => pieces.push(Piece::Literal('\'')),
                        Some('\'') => break,
                        Some(c) => pieces.push(Piece::Literal(c)),
                        None => return Err(format!("the pattern {text:?} has an open quote")),
                    }
                }
            } else if c.is_ascii_alphabetic() {
                let mut count = 1;
                while rest.next_if_eq(&c).is_some() {
                    count += 1;
                }
                if !LETTERS.contains(c) {
                    return Err(format!("the pattern {text:?} has the unknown letter {c}: a literal one is quoted"));
                }
                let most = if c == 'X' { MAX_ISO_ZONE } else { MAX_WIDTH };
                if count > most {
                    return Err(format!("the pattern repeats {c} more than {most} times"));
                }
                pieces.push(Piece::Field(c, count));
            } else {
                pieces.push(Piece::Literal(c));
            }
        }
        Ok(Format { text: text.into(), pieces })
    }
}

/// Milliseconds since 1970 of a text; or why it has none.
#[cfg(test)]
fn parse(pattern: &str, text: &str) -> Result<i64, String> {
    Format::new(pattern)?.parse(text)
}

/// The text of a time.
#[cfg(test)]
fn format(pattern: &str, ms: i64) -> Result<String, String> {
    Ok(Format::new(pattern)?.write(ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_patterns_say_what() {
        let cases = [
            ("yyyy-MM-ddTHH:mm", "unknown letter T"),
            ("Q", "unknown letter Q"),
            ("e", "unknown letter e"),
            ("'a", "open quote"),
            ("yyyy'", "open quote"),
            ("XXXX", "repeats X more than 3 times"),
        ];
        for (pattern, part) in cases {
            let error = Format::new(pattern).unwrap_err();
            assert!(error.contains(part), "{pattern}: {error}");
        }
        assert!(Format::new(&"y".repeat(65)).is_err());
    }
}
