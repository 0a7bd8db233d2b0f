//! `java.util.regex` rewritten in the syntax that `regex` and `fancy-regex` share.
//!
//! The translation walks the expression once, keeping Java's flags itself, so that the text it writes depends on none: every
//! class is spelled out (Java's `\d \w \s` are ASCII, its `.` stops at five line ends), every literal is escaped. What only a
//! backtracking engine can do (look-around, references, atomic and possessive parts) sets `backtracking`.

mod classes;
mod quote;

use quote::unquote;

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Java refuses it as well.
    #[error("{0}")]
    Illegal(String),
    /// Java takes it, we do not.
    #[error("{0}")]
    Unsupported(String),
}

/// Where a match may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchoring {
    Whole,
    Anywhere,
}

/// An expression in the other syntax.
#[derive(Debug)]
pub(crate) struct Translated {
    pub(crate) text: String,
    pub(crate) groups: usize,
    /// Names of groups with their numbers.
    pub(crate) names: Vec<(String, usize)>,
    pub(crate) backtracking: bool,
}

/// Nesting of groups and classes above which an expression is refused (the translation recurses).
const MAX_DEPTH: usize = 100;

/// The line ends of Java's `.`, `^` and `$`, for use in a class.
const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";

/// What never matches, in both engines.
const NEVER: &str = r"[^\x{0}-\x{10FFFF}]";

type Done = Result<(), PatternError>;

pub(crate) fn translate(java: &str, anchoring: Anchoring) -> Result<Translated, PatternError> {
    let mut translator = Translator {
        chars: unquote(java),
        at: 0,
        out: String::with_capacity(java.len() * 2),
        groups: 0,
        names: Vec::new(),
        flags: Flags::default(),
        depth: 0,
        whole: anchoring == Anchoring::Whole,
        backtracking: false,
    };
    translator.alternatives()?;
    if translator.peek().is_some() {
        return Err(illegal("unmatched )"));
    }
    let Translator { out, groups, names, backtracking, .. } = translator;
    let text = if anchoring == Anchoring::Whole { format!(r"\A(?:{out})\z") } else { out };
    Ok(Translated { text, groups, names, backtracking })
}

fn illegal(message: impl Into<String>) -> PatternError {
    PatternError::Illegal(message.into())
}

fn unsupported(message: impl Into<String>) -> PatternError {
    PatternError::Unsupported(message.into())
}

/// The flags of Java in force at a place.
#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    unicode_case: bool,
    unicode_classes: bool,
    multi_line: bool,
    dot_all: bool,
    unix_lines: bool,
    comments: bool,
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
    groups: usize,
    /// Names of groups with their numbers.
    names: Vec<(String, usize)>,
    flags: Flags,
    depth: usize,
    whole: bool,
    backtracking: bool,
}

impl Translator {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    /// With `(?x)`, steps over blanks and comments.
    fn skip_comments(&mut self) {
        while self.flags.comments {
            match self.peek() {
                Some(c) if c.is_ascii_whitespace() || c == '\u{b}' => self.at += 1,
                Some('#') => while self.next().is_some_and(|c| c != '\n') {},
                _ => return,
            }
        }
    }

    fn deeper(&mut self) -> Done {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(unsupported(format!("more than {MAX_DEPTH} groups or classes in one another")));
        }
        Ok(())
    }

    /// Up to the end or a closing parenthesis.
    fn alternatives(&mut self) -> Done {
        loop {
            self.skip_comments();
            match self.peek() {
                None | Some(')') => return Ok(()),
                Some('|') => {
                    self.at += 1;
                    self.out.push('|');
                }
                Some(_) => {
                    let start = self.out.len();
                    if self.atom()? {
                        self.quantifier(start)?;
                    }
                }
            }
        }
    }

    /// One unit; false when it was an inline flag, which cannot be repeated.
    fn atom(&mut self) -> Result<bool, PatternError> {
        match self.next() {
            Some('(') => return self.group(),
            Some('[') => {
                let start = self.out.len();
                self.class()?;
                if self.flags.ignore_case && self.flags.unicode_case {
                    self.out.insert_str(start, "(?i:");
                    self.out.push(')');
                }
            }
            Some('.') => self.dot(),
            Some('^') => self.line_start(),
            Some('$') => self.line_end(self.flags.multi_line),
            Some('\\') => self.escape()?,
            Some(c @ ('*' | '+' | '?')) => return Err(illegal(format!("dangling {c}"))),
            // As in Java, a count without anything before it repeats nothing.
            Some('{') if self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                self.at -= 1;
                self.out.push_str("(?:)");
            }
            Some('{') => return Err(illegal("illegal repetition: { without digits or before any character")),
            Some(c) => self.literal(c),
            None => {}
        }
        Ok(true)
    }

    fn literal(&mut self, c: char) {
        match c {
            _ if self.flags.ignore_case && self.flags.unicode_case => {
                self.out.push_str("(?i:");
                self.out.push_str(&escaped(c));
                self.out.push(')');
            }
            _ if self.flags.ignore_case && c.is_ascii_alphabetic() => {
                self.out.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
            }
            _ => self.out.push_str(&escaped(c)),
        }
    }

    fn dot(&mut self) {
        match (self.flags.dot_all, self.flags.unix_lines) {
            (true, _) => self.out.push_str("(?s:.)"),
            (false, true) => self.out.push_str(r"[^\n]"),
            (false, false) => self.out.push_str(&format!("[^{LINE_ENDS}]")),
        }
    }

    fn line_start(&mut self) {
        if !self.flags.multi_line {
            self.out.push_str(r"\A");
            return;
        }
        self.backtracking = true;
        self.out.push_str(if self.flags.unix_lines {
            r"(?:\A|(?<=\n)(?!\z))"
        } else {
            r"(?:\A|(?:(?<=[\n\x{85}\x{2028}\x{2029}])|(?<=\r)(?!\n))(?!\z))"
        });
    }

    /// `$` and `\Z`: before a final line end, or the end. Where the whole text must match and nothing follows, the end alone.
    fn line_end(&mut self, multi_line: bool) {
        if self.whole && self.depth == 0 && matches!(self.peek(), None | Some('|')) {
            self.out.push_str(r"\z");
            return;
        }
        self.backtracking = true;
        self.out.push_str(match (multi_line, self.flags.unix_lines) {
            (true, true) => r"(?=\n|\z)",
            (true, false) => r"(?:(?=[\r\x{85}\x{2028}\x{2029}]|\z)|(?<!\r)(?=\n))",
            (false, true) => r"(?=\n?\z)",
            (false, false) => r"(?:(?=\r\n\z|[\r\x{85}\x{2028}\x{2029}]?\z)|(?<!\r)(?=\n\z))",
        });
    }

    /// After `(`. Flags set inside end with the group.
    fn group(&mut self) -> Result<bool, PatternError> {
        self.deeper()?;
        let flags = self.flags;
        if self.eat('?') {
            if !self.special_group()? {
                self.depth -= 1;
                return Ok(false);
            }
        } else {
            self.groups += 1;
            self.out.push('(');
        }
        self.alternatives()?;
        if !self.eat(')') {
            return Err(illegal("unclosed group"));
        }
        self.out.push(')');
        self.flags = flags;
        self.depth -= 1;
        Ok(true)
    }

    /// After `(?`: writes the opening; false when it was an inline flag, closed already.
    fn special_group(&mut self) -> Result<bool, PatternError> {
        let open = match self.peek() {
            Some(':') => "(?:",
            Some('=') => "(?=",
            Some('!') => "(?!",
            Some('>') => "(?>",
            Some('<') => return self.angle_group().map(|()| true),
            _ => return self.flag_group(),
        };
        self.at += 1;
        self.backtracking |= open != "(?:";
        self.out.push_str(open);
        Ok(true)
    }

    fn angle_group(&mut self) -> Done {
        self.at += 1;
        match self.peek() {
            Some(c @ ('=' | '!')) => {
                self.at += 1;
                self.backtracking = true;
                self.out.push_str("(?<");
                self.out.push(c);
            }
            _ => {
                let name = self.name()?;
                if self.names.iter().any(|(known, _)| *known == name) {
                    return Err(illegal(format!("two groups named {name}")));
                }
                self.groups += 1;
                self.names.push((name, self.groups));
                self.out.push('(');
            }
        }
        Ok(())
    }

    /// `name>`.
    fn name(&mut self) -> Result<String, PatternError> {
        let rest = &self.chars[self.at..];
        let length = rest.iter().position(|c| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let name: String = rest[..length].iter().collect();
        self.at += length;
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !self.eat('>') {
            return Err(illegal("a group's name is a letter, letters and digits, >"));
        }
        Ok(name)
    }

    fn flag_group(&mut self) -> Result<bool, PatternError> {
        let mut on = true;
        loop {
            match self.next() {
                Some('-') => on = false,
                Some('i') => self.flags.ignore_case = on,
                Some('m') => self.flags.multi_line = on,
                Some('s') => self.flags.dot_all = on,
                Some('d') => self.flags.unix_lines = on,
                Some('x') => self.flags.comments = on,
                Some('u') => self.flags.unicode_case = on,
                Some('U') => {
                    self.flags.unicode_classes = on;
                    self.flags.unicode_case = on;
                }
                Some(':') => {
                    self.out.push_str("(?:");
                    return Ok(true);
                }
                Some(')') => return Ok(false),
                Some(c) => return Err(illegal(format!("unknown flag {c} in (?…)"))),
                None => return Err(illegal("unclosed group")),
            }
        }
    }

    /// What may follow the unit that starts at `start` of the output.
    fn quantifier(&mut self, start: usize) -> Done {
        self.skip_comments();
        let quantifier = match self.peek() {
            Some(c @ ('*' | '+' | '?')) => {
                self.at += 1;
                c.to_string()
            }
            Some('{') => self.counted()?,
            _ => return Ok(()),
        };
        if has_no_width(&self.out[start..]) {
            // `fancy-regex` repeats no bare assertion, but an alternative of one.
            self.out.insert_str(start, "(?:");
            self.out.push_str(&format!("|{NEVER})"));
        }
        self.out.push_str(&quantifier);
        match self.peek() {
            Some('?') => {
                self.at += 1;
                self.out.push('?');
            }
            Some('+') => {
                self.at += 1;
                self.backtracking = true;
                self.out.insert_str(start, "(?>");
                self.out.push(')');
            }
            _ => {}
        }
        Ok(())
    }

    /// `{n}`, `{n,}`, `{n,m}`.
    fn counted(&mut self) -> Result<String, PatternError> {
        let rest = &self.chars[self.at..];
        let close = rest.iter().position(|c| *c == '}').ok_or_else(|| illegal("illegal repetition: unclosed {"))?;
        let text: String = rest[..=close].iter().collect();
        let inner = &text[1..text.len() - 1];
        let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
        let number =
            |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
        let legal = match (number(least), most) {
            (Some(_), "") => true,
            (Some(least), most) => number(most).is_some_and(|most| least <= most),
            (None, _) => false,
        };
        if !legal {
            return Err(illegal(format!("illegal repetition {text}")));
        }
        self.at += close + 1;
        Ok(text)
    }

    /// After a backslash, outside of a class.
    fn escape(&mut self) -> Done {
        match self.peek() {
            Some('b') if self.chars.get(self.at + 1) == Some(&'{') => {
                return Err(unsupported(r"\b{g} is not supported"));
            }
            Some('b') => self.out.push_str(r"(?:\b)"),
            Some('B') => self.out.push_str(r"(?:\B)"),
            // Of a whole match, `\G` is the start; of several, the end of the one before.
            Some('G') if !self.whole => {
                self.backtracking = true;
                self.out.push_str(r"\G");
            }
            Some('A' | 'G') => self.out.push_str(r"\A"),
            Some('z') => self.out.push_str(r"\z"),
            Some('Z') => {
                self.at += 1;
                self.line_end(false);
                return Ok(());
            }
            Some('R') => self.out.push_str(r"(?:\r\n|[\n\x0B\x0C\r\x{85}\x{2028}\x{2029}])"),
            Some('X') => return Err(unsupported(r"\X is not supported")),
            Some('k') => return self.named_reference(),
            Some('1'..='9') => return self.reference(),
            _ => {
                if !self.set_escape()? {
                    let c = self.char_escape()?;
                    self.literal(c);
                }
                return Ok(());
            }
        }
        self.at += 1;
        Ok(())
    }

    fn named_reference(&mut self) -> Done {
        self.at += 1;
        if !self.eat('<') {
            return Err(illegal(r"\k is followed by <name>"));
        }
        let name = self.name()?;
        let group = self.names.iter().find(|(known, _)| *known == name).map(|(_, group)| *group);
        let group = group.ok_or_else(|| illegal(format!("no group named {name} before its reference")))?;
        self.push_reference(group);
        Ok(())
    }

    /// As many digits as there are groups so far; the rest are literals.
    fn reference(&mut self) -> Done {
        let mut group = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if group > 0 && longer > self.groups {
                break;
            }
            group = longer;
            self.at += 1;
        }
        if group > self.groups {
            // A group that is not there never matches.
            self.backtracking = true;
            self.out.push_str("(?!)");
        } else {
            self.push_reference(group);
        }
        Ok(())
    }

    fn push_reference(&mut self, group: usize) {
        self.backtracking = true;
        let open = if self.flags.ignore_case { "(?i:" } else { "(?:" };
        self.out.push_str(&format!("{open}\\{group})"));
    }
}

/// True where a unit of the output begins as one that takes no character: an assertion, or nothing at all.
fn has_no_width(mut unit: &str) -> bool {
    while let Some(inner) = unit.strip_prefix("(?:") {
        unit = inner;
    }
    [")", "(?=", "(?!", "(?<=", "(?<!", r"\A", r"\z", r"\b", r"\B", r"\G"].iter().any(|start| unit.starts_with(start))
}

/// A literal that means itself everywhere.
fn escaped(c: char) -> String {
    if c.is_ascii_alphanumeric() || !c.is_ascii() { c.to_string() } else { format!("\\x{{{:X}}}", u32::from(c)) }
}
