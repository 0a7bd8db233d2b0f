//! One pass over a line: is it one JSON object, and where does its top level end and name `@ingested`? No document is built.

use std::ops::Range;

/// The key that carries a line's arrival time.
pub(crate) const INGESTED: &str = "@ingested";

/// Nesting above which a line is no JSON to us (S3 readers and the index recurse; serde_json's own bound is 128).
pub(crate) const MAX_DEPTH: usize = 64;
/// Keys, at all levels together, above which a line is no JSON to us (OpenSearch takes 1,000 fields in a whole
/// index, `mapping.total_fields.limit`; ten times that in one line is an attack or an accident).
pub(crate) const MAX_FIELDS: usize = 10_000;

/// Where things are in an object's text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// The opening brace.
    open: usize,
    /// The closing brace.
    close: usize,
    /// Members in it, `@ingested` not counted.
    members: usize,
    /// Members named `@ingested`, each with the one comma that goes when it goes.
    ingested: Vec<Range<usize>>,
}

impl Object {
    /// Reads `text` as one object with nothing but blanks around it; `None` when it is none, or above the bounds.
    pub(crate) fn scan(text: &[u8]) -> Option<Object> {
        let mut scanner = Scanner { text, at: 0, fields: 0 };
        scanner.blanks();
        let object = scanner.top_level()?;
        scanner.blanks();
        (scanner.at == text.len()).then_some(object)
    }

    /// Appends the object with `@ingested` as its last member, in place of any that it had, and a newline.
    pub(crate) fn write_with_ingested(&self, text: &[u8], ingested: i64, out: &mut Vec<u8>) {
        let start = out.len();
        let mut copied = self.open;
        for member in &self.ingested {
            out.extend_from_slice(&text[copied..member.start]);
            copied = member.end;
        }
        out.extend_from_slice(&text[copied..self.close]);
        let end = out[start..].iter().rposition(|b| !is_blank(*b)).map_or(start, |last| start + last + 1);
        out.truncate(end);
        if self.members > 0 {
            out.push(b',');
        }
        out.extend_from_slice(format!("\"{INGESTED}\":{ingested}}}\n").as_bytes());
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    fields: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    fn top_level(&mut self) -> Option<Object> {
        let open = self.at;
        self.eat(b'{')?;
        let mut object = Object { open, close: 0, members: 0, ingested: Vec::new() };
        self.blanks();
        // Where the comma before the next member stands.
        let mut comma = None;
        while self.peek()? != b'}' || comma.is_some() {
            let start = self.at;
            let ingested = self.key()?;
            self.value(1)?;
            let end = self.at;
            let next_comma = self.separator()?;
            match (ingested, comma, next_comma) {
                (false, ..) => object.members += 1,
                // The comma before it goes with it; without one before, the one after.
                (true, Some(before), _) if object.members > 0 => object.ingested.push(before..end),
                (true, _, Some(after)) => object.ingested.push(start..after + 1),
                (true, ..) => object.ingested.push(start..end),
            }
            comma = next_comma;
            if comma.is_none() {
                break;
            }
        }
        object.close = self.at;
        self.at += 1;
        Some(object)
    }

    /// After a member: the comma's place, or `None` before the closing brace, where it stops.
    fn separator(&mut self) -> Option<Option<usize>> {
        self.blanks();
        match self.peek()? {
            b',' => {
                let comma = self.at;
                self.at += 1;
                self.blanks();
                Some(Some(comma))
            }
            b'}' => Some(None),
            _ => None,
        }
    }

    /// `"key" :` and blanks; true when it is `@ingested`.
    fn key(&mut self) -> Option<bool> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return None;
        }
        let key = self.string()?;
        let text = &self.text[key.clone()];
        let ingested = text == INGESTED.as_bytes()
            || (text.contains(&b'\\')
                && serde_json::from_slice::<String>(&self.text[key.start - 1..=key.end]).ok()? == INGESTED);
        self.blanks();
        self.eat(b':')?;
        self.blanks();
        Some(ingested)
    }

    /// A string; what is between its quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        self.eat(b'"')?;
        let start = self.at;
        loop {
            self.at += self.text[self.at..].iter().position(|b| matches!(b, b'"' | b'\\') || *b < b' ')?;
            match self.text[self.at] {
                b'"' => {
                    self.at += 1;
                    return Some(start..self.at - 1);
                }
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        self.at += 1;
        match self.peek()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let unit = self.unit()?;
                // A surrogate stands in a pair, or the text is no Unicode and readers refuse it.
                match unit {
                    0xD800..0xDC00 => {
                        self.eat(b'\\')?;
                        (self.peek()? == b'u' && (0xDC00..0xE000).contains(&self.unit()?)).then_some(())?;
                    }
                    0xDC00..0xE000 => return None,
                    _ => {}
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// `uXXXX`.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at + 1..self.at + 5)?;
        self.at += 5;
        digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' => self.list(b'}', depth),
            b'[' => self.list(b']', depth),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    /// A nested object or array.
    fn list(&mut self, close: u8, depth: usize) -> Option<()> {
        self.at += 1;
        self.blanks();
        if self.peek()? == close {
            self.at += 1;
            return Some(());
        }
        loop {
            if close == b'}' {
                self.key()?;
            }
            self.value(depth + 1)?;
            self.blanks();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => self.blanks(),
                _ if next == close => return Some(()),
                _ => return None,
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.text[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat(b'-');
        if self.eat(b'0').is_none() {
            self.digits()?;
        }
        if self.eat(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let object = Object::scan(text.as_bytes()).unwrap_or_else(|| panic!("no object: {text}"));
        let mut out = Vec::new();
        object.write_with_ingested(text.as_bytes(), 7, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}\n"), "{text}");
    }

    #[test]
    fn ingested_is_the_last_member() {
        check("{}", r#"{"@ingested":7}"#);
        check(" { } ", r#"{"@ingested":7}"#);
        check(r#"{"a":1}"#, r#"{"a":1,"@ingested":7}"#);
        check(
            r#" {"a" : [ {"@ingested":1} , "]}" ] } "#,
            r#" {"a" : [ {"@ingested":1} , "]}" ],"@ingested":7}"#.trim(),
        );
    }

    #[test]
    fn a_clients_ingested_is_replaced() {
        check(r#"{"@ingested":1}"#, r#"{"@ingested":7}"#);
        check(r#"{"@ingested":{"x":[1]},"a":2}"#, r#"{"a":2,"@ingested":7}"#);
        check(r#"{"a":2,"@ingested":1}"#, r#"{"a":2,"@ingested":7}"#);
        check(r#"{"a":2,"@ingested":1,"b":3}"#, r#"{"a":2,"b":3,"@ingested":7}"#);
        check(r#"{"\u0040ingested":1 , "@ingested":2}"#, r#"{ "@ingested":7}"#.replace("{ ", "{").as_str());
        check(r#"{"@ingested":1,"a":2,"@ingested":3,"b":4,"@ingested":5}"#, r#"{"a":2,"b":4,"@ingested":7}"#);
    }

    #[test]
    fn what_serde_takes_is_taken_and_nothing_else() {
        let texts = [
            r#"{"a":"\ud83c\udf89\/","b":-0.5e+3,"c":[],"d":{},"e":[true,false,null]}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":-}"#,
            r#"{"a":+1}"#,
            r#"{"a":.5}"#,
            r#"{"a":1e}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\ud83c"}"#,
            r#"{"a":"\udf89"}"#,
            "{\"a\":\"\t\"}",
            r#"{"a":1,}"#,
            r#"{,}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            r#"{"a":tru}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1}"#,
            r#"{"a":1"#,
            r#"{"a":1}}"#,
            r#"{"a":1} {}"#,
            "{\"a\":1}\r",
            "{",
            "",
            " ",
            "{\"a",
            r#"{"a":nul"#,
            r#"{"a":{"b":}}"#,
            "{\"a\":\"é\u{2028}\"}",
            r#"{"a":NaN}"#,
            r#"{"a":1E9,"a":0}"#,
        ];
        for text in texts {
            let expected = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok();
            assert_eq!(Object::scan(text.as_bytes()).is_some(), expected, "{text}");
        }
        assert!(Object::scan(b"[1]").is_none() && Object::scan(b"1").is_none());
    }

    /// Random edits of a document: what is taken is what serde takes, and what is written is that object with our key alone.
    #[test]
    fn random_edits_are_taken_as_serde_takes_them() {
        use serde_json::{Map, Value};
        const START: &str =
            r#" {"a":[1,-2.5e3,{"@ingested":{}}],"\u0040ingested":"x\ud83c\udf89","b":null , "@ingested":[true]} "#;
        const PIECES: &[u8] = br#"{}[]",:\u0@in1-.eE tfa"#;
        let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut below = |n: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % n as u64) as usize
        };
        let mut taken = 0;
        for _ in 0..20_000 {
            let mut text = START.as_bytes().to_vec();
            for _ in 0..=below(3) {
                let at = below(text.len());
                let piece = PIECES[below(PIECES.len())];
                match below(3) {
                    0 => text[at] = piece,
                    1 => text.insert(at, piece),
                    _ => drop(text.remove(at)),
                }
            }
            let shown = String::from_utf8_lossy(&text).into_owned();
            let object = Object::scan(&text);
            let Ok(mut expected) = serde_json::from_slice::<Map<String, Value>>(&text) else {
                // serde_json alone refuses numbers above f64.
                assert!(object.is_none() || shown.contains(['e', 'E']), "{shown}");
                continue;
            };
            taken += 1;
            let mut out = Vec::new();
            object.unwrap_or_else(|| panic!("not taken: {shown}")).write_with_ingested(&text, 7, &mut out);
            expected.insert(INGESTED.into(), 7.into());
            let got: Map<String, Value> = serde_json::from_slice(&out).unwrap_or_else(|e| panic!("{shown}: {e}"));
            assert_eq!(got, expected, "{shown}");
            let ours = format!("\"{INGESTED}\":7}}\n");
            assert!(out.ends_with(ours.as_bytes()), "{shown}");
        }
        assert!(taken > 1_000, "{taken}");
    }

    #[test]
    fn depth_and_fields_are_bounded() {
        let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(Object::scan(deep(MAX_DEPTH).as_bytes()).is_some());
        assert!(Object::scan(deep(MAX_DEPTH + 1).as_bytes()).is_none());
        let wide = |fields: usize| format!("{{{}}}", vec!["\"a\":1"; fields].join(","));
        assert!(Object::scan(wide(MAX_FIELDS).as_bytes()).is_some());
        assert!(Object::scan(wide(MAX_FIELDS + 1).as_bytes()).is_none());
    }
}
