//! JSON with `//` and `/* */` comments, where every value and key remembers its line.

use std::fmt;

use serde_json::Value;

/// Deepest nesting read; a configuration has five levels.
const MAX_DEPTH: usize = 64;

/// A value and the line (from 1) on which it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Line of its first character.
    pub line: usize,
}

/// The value itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, booleans, numbers and strings.
    Scalar(Value),
    /// `[…]`
    List(Vec<Node>),
    /// `{…}` in the order written.
    Object(Vec<Entry>),
}

/// One `"key": value` of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Line of the key.
    pub line: usize,
    /// Its value.
    pub value: Node,
}

/// Why a text is not JSON.
#[derive(Debug, PartialEq, thiserror::Error)]
pub struct SyntaxError {
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// What was found or expected.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl Node {
    /// The same without positions, as the converters take their options.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::Array(items.iter().map(Node::to_value).collect()),
            Kind::Object(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.value.to_value())).collect())
            }
        }
    }

    /// What to call it in a message.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(Value::Null) => "null",
            Kind::Scalar(Value::Bool(_)) => "a boolean",
            Kind::Scalar(Value::Number(_)) => "a number",
            Kind::Scalar(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }
}

/// Reads one value that fills the text.
pub fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut parser = Parser { text, at: 0 };
    let node = parser.value(0)?;
    parser.blank()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.error("text after the end of the configuration")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn error(&self, message: impl Into<String>) -> SyntaxError {
        self.error_at(self.at, message)
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> SyntaxError {
        let before = &self.text.as_bytes()[..at];
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        SyntaxError { line: line_of(before), column: at - line_start + 1, message: message.into() }
    }

    /// Skips blanks and comments.
    fn blank(&mut self) -> Result<(), SyntaxError> {
        loop {
            let rest = &self.text[self.at..];
            if rest.starts_with([' ', '\t', '\r', '\n', '\u{feff}']) {
                self.at += rest.chars().next().map_or(0, char::len_utf8);
            } else if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let end = rest.find("*/").ok_or_else(|| self.error("comment is not closed: expected `*/`"))?;
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn expect(&mut self, wanted: u8, place: &str) -> Result<(), SyntaxError> {
        self.blank()?;
        if self.peek() != Some(wanted) {
            return Err(self.error(format!("expected `{}` {place}, found {}", wanted as char, self.found())));
        }
        self.at += 1;
        Ok(())
    }

    fn found(&self) -> String {
        self.text[self.at..].chars().next().map_or("the end of the file".to_owned(), |c| format!("`{c}`"))
    }

    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        self.blank()?;
        if depth > MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH}")));
        }
        let line = line_of(&self.text.as_bytes()[..self.at]);
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.list(depth)?,
            Some(b'"') => Kind::Scalar(Value::String(self.string()?)),
            _ => Kind::Scalar(self.word()?),
        };
        Ok(Node { kind, line })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, SyntaxError> {
        self.at += 1;
        let mut entries = Vec::new();
        self.blank()?;
        while self.peek() != Some(b'}') {
            if !entries.is_empty() {
                self.expect(b',', "or `}` after a value")?;
                self.blank()?;
            }
            let line = line_of(&self.text.as_bytes()[..self.at]);
            if self.peek() != Some(b'"') {
                return Err(self.error(format!("expected a key in double quotes, found {}", self.found())));
            }
            let key = self.string()?;
            self.expect(b':', "after a key")?;
            entries.push(Entry { key, line, value: self.value(depth + 1)? });
            self.blank()?;
        }
        self.at += 1;
        Ok(Kind::Object(entries))
    }

    fn list(&mut self, depth: usize) -> Result<Kind, SyntaxError> {
        self.at += 1;
        let mut items = Vec::new();
        self.blank()?;
        while self.peek() != Some(b']') {
            if !items.is_empty() {
                self.expect(b',', "or `]` after a value")?;
            }
            items.push(self.value(depth + 1)?);
            self.blank()?;
        }
        self.at += 1;
        Ok(Kind::List(items))
    }

    /// A string, by serde_json once its end is known.
    fn string(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    self.at = at + 1;
                    return serde_json::from_str(&self.text[start..self.at])
                        .map_err(|error| self.error_at(start, format!("bad string: {error}")));
                }
                b'\\' => at += 2,
                b'\n' => break,
                _ => at += 1,
            }
        }
        Err(self.error_at(start, "string is not closed"))
    }

    fn word(&mut self) -> Result<Value, SyntaxError> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        if end == 0 {
            return Err(self.error(format!("expected a value, found {}", self.found())));
        }
        let value = serde_json::from_str(&rest[..end])
            .map_err(|_| self.error(format!("`{}` is not a value (strings need double quotes)", &rest[..end])))?;
        self.at += end;
        Ok(value)
    }
}

fn line_of(before: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', before).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_comments_and_lines() {
        let node =
            parse("// c\n{ /* x\n */ \"a\": [1, \"//no\",\n true, null, -1.5e3],\n \"b\": {}\n} // end").unwrap();
        assert_eq!(node.to_value(), serde_json::json!({"a": [1, "//no", true, null, -1500.0], "b": {}}));
        let Kind::Object(entries) = &node.kind else { panic!("not an object") };
        assert_eq!((node.line, entries[0].line, entries[1].line), (2, 3, 5));
    }

    #[test]
    fn errors_have_their_position() {
        let check = |text: &str, position: (usize, usize), words: &str| {
            let error = parse(text).unwrap_err();
            assert_eq!((error.line, error.column), position, "{text}: {error}");
            assert!(error.message.contains(words), "{text}: {error}");
        };
        check("{\n  \"a\": 1,\n}", (3, 1), "expected a key in double quotes, found `}`");
        check("{\"a\" 1}", (1, 6), "expected `:`");
        check("{\"a\": 1\n \"b\": 2}", (2, 2), "expected `,` or `}`");
        check("[1,]", (1, 4), "expected a value, found `]`");
        check("{\"a\": yes}", (1, 7), "`yes` is not a value");
        check("{\"a\": \"b\n\"}", (1, 7), "string is not closed");
        check("{} x", (1, 4), "after the end");
        check("/* ", (1, 1), "comment is not closed");
        check("", (1, 1), "end of the file");
        check(&"[".repeat(100), (1, 66), "nested deeper");
    }
}
