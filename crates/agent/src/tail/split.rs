//! Where records end: at each newline, or where `multiLineStartPattern` starts the next one.

use memchr::memchr;

use crate::pattern::LinePattern;

/// After a record that was too long, an unfinished line longer than this is no start of the next one.
const LONGEST_START: usize = 64 << 10;

/// The rule of a flow.
#[derive(Debug, Clone)]
pub struct Splitter {
    start: Option<LinePattern>,
}

impl Splitter {
    /// Lines, or records of several lines.
    pub fn new(start: Option<LinePattern>) -> Splitter {
        Splitter { start }
    }

    /// Whether a record may have several lines.
    pub fn is_multi_line(&self) -> bool {
        self.start.is_some()
    }

    /// Length of the record at the start of `data`, its newline included; `None`: its end is not there yet.
    pub fn next(&self, data: &[u8]) -> Option<usize> {
        let mut end = memchr(b'\n', data)? + 1;
        let Some(start) = &self.start else { return Some(end) };
        // The first line belongs to the record whatever it is. The next start needs its whole line to be recognised.
        while let Some(length) = memchr(b'\n', &data[end..]) {
            let line = &data[end..=end + length];
            if start.is_match(line) {
                return Some(end);
            }
            end += line.len();
        }
        None
    }

    /// Length of a last record that waits for what follows it, when nothing does: up to the last newline.
    pub fn pending(&self, data: &[u8]) -> Option<usize> {
        self.start.as_ref()?;
        memchr::memrchr(b'\n', data).map(|at| at + 1)
    }

    /// How much of `data` to pass over after a record that was too long, and whether a record starts after it.
    pub fn discard(&self, data: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(length) = memchr(b'\n', &data[at..]) {
            let line_end = at + length + 1;
            let Some(start) = &self.start else { return (line_end, true) };
            // `at` is a line's start except for the first, which is the middle of one.
            if at > 0 && start.is_match(&data[at..line_end]) {
                return (at, true);
            }
            at = line_end;
        }
        match &self.start {
            None => (data.len(), false),
            // The unfinished line may be a start. The newline before it stays, so that it is seen as a line the next time.
            Some(_) if data.len() - at < LONGEST_START => (at.saturating_sub(1), false),
            Some(_) => (data.len(), false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records<'a>(splitter: &Splitter, mut text: &'a str) -> Vec<&'a str> {
        let mut found = Vec::new();
        while let Some(length) = splitter.next(text.as_bytes()) {
            found.push(&text[..length]);
            text = &text[length..];
        }
        found.push(text);
        found
    }

    #[test]
    fn lines() {
        let splitter = Splitter::new(None);
        let check = |text: &str, expected: &[&str]| assert_eq!(records(&splitter, text), expected, "{text:?}");
        check("", &[""]);
        check("a\nb\r\n\nc", &["a\n", "b\r\n", "\n", "c"]);
        check("\n", &["\n", ""]);
        assert_eq!(splitter.pending(b"a\n"), None);
    }

    #[test]
    fn several_lines() {
        let splitter = Splitter::new(Some(LinePattern::at_start(r"\[").unwrap()));
        let check = |text: &str, expected: &[&str]| assert_eq!(records(&splitter, text), expected, "{text:?}");
        check("[a\n at b\n[c\n[d\n", &["[a\n at b\n", "[c\n", "[d\n"]);
        check("first\nmore\n[a\n", &["first\nmore\n", "[a\n"]);
        check("[a\n[b", &["[a\n[b"]);
        assert_eq!(splitter.pending(b"[a\n at\n[b"), Some(7));
        assert_eq!(splitter.pending(b"[a"), None);
    }

    #[test]
    fn after_a_record_that_was_too_long() {
        let lines = Splitter::new(None);
        assert_eq!(lines.discard(b"rest\nnext\n"), (5, true));
        assert_eq!(lines.discard(b"rest"), (4, false));
        let several = Splitter::new(Some(LinePattern::at_start(r"\[").unwrap()));
        assert_eq!(several.discard(b"rest\n at\n[b\n"), (9, true));
        assert_eq!(several.discard(b"[rest\n at\n[b"), (9, false));
        assert_eq!(several.discard(b"\n[b\n"), (1, true));
        assert_eq!(several.discard(b"rest"), (0, false));
        assert_eq!(several.discard(&[b'x'; LONGEST_START]), (LONGEST_START, false));
    }
}
