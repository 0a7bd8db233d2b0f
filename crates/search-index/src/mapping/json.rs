//! JSON, token by token, without a tree: every token knows where it stands, and strings without escapes are borrowed.

use std::borrow::Cow;

/// Arrays and objects inside each other at most, also in what is only skipped (Jackson's `StreamReadConstraints`).
const MAX_NESTING: usize = 1_000;

/// Not JSON: what was expected, and where (a byte's offset).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub at: usize,
    pub reason: String,
}

/// The beginning of a value; scalars whole.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Object,
    Array,
    String(Cow<'a, str>),
    /// As it was written.
    Number(&'a str),
    Boolean(bool),
    Null,
}

/// Reads tokens from the left to the right.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(source: &'a [u8]) -> Result<Reader<'a>, Malformed> {
        match std::str::from_utf8(source) {
            Ok(text) => Ok(Reader { text, at: 0 }),
            Err(error) => Err(Malformed { at: error.valid_up_to(), reason: "Invalid UTF-8".into() }),
        }
    }

    /// What was read since an offset.
    pub fn since(&self, at: usize) -> &'a str {
        &self.text[at..self.at]
    }

    fn malformed<T>(&self, expected: &str) -> Result<T, Malformed> {
        let reason = match self.text[self.at..].chars().next() {
            Some(found) => format!("Unexpected character ('{found}' (code {})): expected {expected}", found as u32),
            None => format!("Unexpected end-of-input: expected {expected}"),
        };
        Err(Malformed { at: self.at, reason })
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Where the next token begins.
    pub fn next_at(&mut self) -> usize {
        self.peek();
        self.at
    }

    /// Nothing but blanks may follow.
    pub fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.malformed("the end"),
        }
    }

    /// The next value, or its beginning.
    pub fn token(&mut self) -> Result<Token<'a>, Malformed> {
        match self.peek() {
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Object)
            }
            Some(b'[') => {
                self.at += 1;
                Ok(Token::Array)
            }
            Some(b'"') => Ok(Token::String(self.string()?)),
            Some(b't') => self.word("true", Token::Boolean(true)),
            Some(b'f') => self.word("false", Token::Boolean(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Token::Number(self.number()?)),
            _ => self.malformed("a value (JSON string, number, array, object or token 'null', 'true' or 'false')"),
        }
    }

    /// Inside an object: the next member's name (its value comes next), or the end.
    pub fn name(&mut self, first: bool) -> Result<Option<Cow<'a, str>>, Malformed> {
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => self.at += 1,
            _ if first => {}
            _ => return self.malformed("a comma to separate Object entries"),
        }
        if self.peek() != Some(b'"') {
            return self.malformed("a double-quote to start a field name");
        }
        let name = self.string()?;
        if self.peek() != Some(b':') {
            return self.malformed("a colon to separate field name and value");
        }
        self.at += 1;
        Ok(Some(name))
    }

    /// Inside an array: whether a value comes next, or the end.
    pub fn element(&mut self, first: bool) -> Result<bool, Malformed> {
        match self.peek() {
            Some(b']') => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                Ok(true)
            }
            _ if first => Ok(true),
            _ => self.malformed("a comma to separate Array entries"),
        }
    }

    /// Skips the rest of the value that a token began.
    pub fn skip(&mut self, begun: &Token<'_>) -> Result<(), Malformed> {
        let mut open = match begun {
            Token::Object => vec![(true, true)],
            Token::Array => vec![(false, true)],
            _ => return Ok(()),
        };
        while let Some((object, first)) = open.last_mut() {
            let more = if *object { self.name(*first)?.is_some() } else { self.element(*first)? };
            *first = false;
            if !more {
                open.pop();
                continue;
            }
            match self.token()? {
                Token::Object => open.push((true, true)),
                Token::Array => open.push((false, true)),
                _ => {}
            }
            if open.len() > MAX_NESTING {
                return Err(Malformed {
                    at: self.at,
                    reason: format!("Document nesting depth exceeds the maximum allowed ({MAX_NESTING})"),
                });
            }
        }
        Ok(())
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, Malformed> {
        if !self.text[self.at..].starts_with(word) {
            return self.malformed("'null', 'true' or 'false'");
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<&'a str, Malformed> {
        let from = self.at;
        let bytes = self.text.as_bytes();
        if bytes[self.at] == b'-' {
            self.at += 1;
        }
        match bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        match bytes.get(self.at) {
            None | Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') => Ok(&self.text[from..self.at]),
            Some(_) => self.malformed("space, comma or the end after a number"),
        }
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.text.as_bytes().get(self.at) {
            self.at += 1;
        }
        if self.at == from { self.malformed("a digit") } else { Ok(()) }
    }

    /// A string; the reader stands on its quote.
    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let from = self.at;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(&self.text[from..self.at - 1]));
                }
                Some(b'\\') => return self.unescape(from).map(Cow::Owned),
                Some(0..=0x1f) => return self.malformed("no control character in a string"),
                Some(_) => self.at += 1,
                None => return self.malformed("a closing quote"),
            }
        }
    }

    fn unescape(&mut self, from: usize) -> Result<String, Malformed> {
        let mut out = String::with_capacity(self.at - from + 64);
        let mut run = from;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    out.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[run..self.at]);
                    self.at += 1;
                    out.push(self.escape()?);
                    run = self.at;
                }
                Some(0..=0x1f) => return self.malformed("no control character in a string"),
                Some(_) => self.at += 1,
                None => return self.malformed("a closing quote"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let byte = self.text.as_bytes().get(self.at).copied();
        let plain = match byte {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte as char,
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return self.malformed("an escape"),
        };
        self.at += 1;
        Ok(plain)
    }

    /// After `\u`. Half a surrogate pair becomes the replacement character, as it would on the way to UTF-8 in Java.
    fn unicode(&mut self) -> Result<char, Malformed> {
        let high = self.hex()?;
        if (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, Malformed> {
        let digits =
            self.text.get(self.at..self.at + 4).filter(|four| four.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|four| u32::from_str_radix(four, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.malformed("four hexadecimal digits"),
        }
    }
}

/// Line and column of an offset, both from 1, as Jackson counts them (columns in bytes).
pub(super) fn position(source: &[u8], at: usize) -> (usize, usize) {
    let before = &source[..at.min(source.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = at - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(source: &[u8]) -> Result<(), Malformed> {
        let mut reader = Reader::new(source)?;
        let token = reader.token()?;
        reader.skip(&token)?;
        reader.end()
    }

    #[test]
    fn strings_are_as_serde_reads_them() {
        for text in [r#""""#, r#""a""#, r#""é\n\t\"\\\/""#, r#""\u00e9\ud83d\ude00""#, r#""x\u0041y""#] {
            let expected: String = serde_json::from_str(text).unwrap();
            let token = Reader::new(text.as_bytes()).unwrap().token().unwrap();
            assert_eq!(token, Token::String(expected.into()), "{text}");
        }
    }

    #[test]
    fn malformed_documents_name_the_place() {
        for (source, at) in [
            ("{", 1),
            ("{\"a\"}", 4),
            ("{\"a\":1,}", 7),
            ("[1 2]", 3),
            ("{\"a\":01}", 6),
            ("{\"a\":1e}", 7),
            ("\"a\nb\"", 2),
            ("tru", 0),
            ("{} x", 3),
            ("", 0),
            ("\"\\u12g4\"", 3),
        ] {
            assert_eq!(whole(source.as_bytes()).unwrap_err().at, at, "{source}");
        }
        assert_eq!(position(b"{\n \"a\": x}", 8), (2, 7));
        assert!(whole("[".repeat(1_001).as_bytes()).unwrap_err().reason.contains("nesting"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn accepts_what_serde_accepts(source in "[\\[\\]{}:,\"a1.\\-eE \\\\tu0]{0,24}") {
            prop_assert_eq!(whole(source.as_bytes()).is_ok(), serde_json::from_str::<serde::de::IgnoredAny>(&source).is_ok());
        }
    }
}
