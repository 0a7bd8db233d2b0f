//! A cursor over JSON that skips what nobody wants: it finds where values end and no more.

/// A value as it stands in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Raw<'r> {
    /// Not there, or null.
    #[default]
    Null,
    Boolean(bool),
    Number(&'r [u8]),
    /// Between the quotes, and whether there are escapes.
    Text(&'r [u8], bool),
    /// An object or an array.
    Nested(&'r [u8]),
}

/// The record is no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

#[derive(Debug, Clone)]
pub(super) struct Cursor<'r> {
    bytes: &'r [u8],
    at: usize,
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that equals `byte`, exact for the first of them.
fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (LOW * u64::from(byte));
    difference.wrapping_sub(LOW) & !difference & HIGH
}

impl<'r> Cursor<'r> {
    pub(super) fn new(bytes: &'r [u8]) -> Cursor<'r> {
        Cursor { bytes, at: 0 }
    }

    /// What has not been taken.
    pub(super) fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no blank.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Takes the byte if it is next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// A member's name, raw, and whether it has escapes; the cursor is at its value then.
    #[inline]
    pub(super) fn key(&mut self) -> Result<(&'r [u8], bool), Malformed> {
        if !self.take(b'"') {
            return Err(Malformed);
        }
        let key = self.string()?;
        if self.take(b':') { Ok(key) } else { Err(Malformed) }
    }

    /// The rest of a text after its opening quote.
    #[inline]
    fn string(&mut self) -> Result<(&'r [u8], bool), Malformed> {
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = self.special(self.at).ok_or(Malformed)?;
            if self.bytes[self.at] == b'"' {
                let text = &self.bytes[start..self.at];
                self.at += 1;
                return Ok((text, escaped));
            }
            escaped = true;
            self.at += 2;
        }
    }

    /// Where the next quote or backslash is.
    #[inline]
    fn special(&self, mut at: usize) -> Option<usize> {
        while let Some(word) = self.bytes.get(at..at + 8).and_then(|word| word.try_into().ok()) {
            let word = u64::from_le_bytes(word);
            let found = equal(word, b'"') | equal(word, b'\\');
            if found != 0 {
                return Some(at + found.trailing_zeros() as usize / 8);
            }
            at += 8;
        }
        let tail = self.bytes.get(at..)?;
        tail.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|place| at + place)
    }

    /// Takes a value.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Raw<'r>, Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => {
                self.at += 1;
                self.string().map(|(text, escaped)| Raw::Text(text, escaped))
            }
            b'{' | b'[' => self.nested().map(Raw::Nested),
            _ => match self.scalar() {
                b"null" => Ok(Raw::Null),
                b"true" => Ok(Raw::Boolean(true)),
                b"false" => Ok(Raw::Boolean(false)),
                number @ [b'-' | b'0'..=b'9', ..] => Ok(Raw::Number(number)),
                _ => Err(Malformed),
            },
        }
    }

    /// Passes over a value.
    #[inline]
    pub(super) fn skip(&mut self) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => {
                self.at += 1;
                self.string().map(|_| ())
            }
            b'{' | b'[' => self.nested().map(|_| ()),
            _ => {
                if self.scalar().is_empty() {
                    return Err(Malformed);
                }
                Ok(())
            }
        }
    }

    /// What stands up to the next comma, bracket or blank.
    #[inline]
    fn scalar(&mut self) -> &'r [u8] {
        let start = self.at;
        let rest = &self.bytes[start..];
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' | b':' | b'"'));
        self.at += end.unwrap_or(rest.len());
        &self.bytes[start..self.at]
    }

    /// An object or array with all that is in it; brackets must match in number.
    fn nested(&mut self) -> Result<&'r [u8], Malformed> {
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match self.bytes.get(self.at).ok_or(Malformed)? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Ok(&self.bytes[start..self.at]);
                    }
                }
                b'"' => {
                    self.at += 1;
                    self.string()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
    }
}

/// A text's content, escapes resolved.
pub(super) fn unescape(raw: &[u8]) -> Option<String> {
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice(&quoted).ok()
}
