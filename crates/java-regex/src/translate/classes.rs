//! Character classes, predefined sets, properties and the escapes that stand for one character.

use super::{Done, PatternError, Translator, escaped, illegal, unsupported};

/// Horizontal white space, for use in a class.
const HORIZONTAL: &str = r" \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";
/// Vertical white space, for use in a class.
const VERTICAL: &str = r"\n\x0B\x0C\r\x{85}\x{2028}\x{2029}";

impl Translator {
    /// After `[`: writes the class. `]` is a literal where nothing stands before it.
    pub(super) fn class(&mut self) -> Done {
        self.deeper()?;
        self.out.push('[');
        if self.eat('^') {
            self.out.push('^');
        }
        let mut empty = true;
        loop {
            self.skip_comments();
            let next = self.next().ok_or_else(|| illegal("unclosed character class"))?;
            match next {
                ']' if !empty => break,
                '[' => self.class()?,
                '&' if self.peek() == Some('&') => {
                    while self.eat('&') {}
                    self.skip_comments();
                    if empty || matches!(self.peek(), None | Some(']')) {
                        return Err(unsupported("&& without a class on both sides"));
                    }
                    self.out.push_str("&&");
                }
                '\\' if self.set_escape()? => {}
                '\\' => {
                    let first = self.char_escape()?;
                    self.range_or_char(first)?;
                }
                first => self.range_or_char(first)?,
            }
            empty = false;
        }
        self.out.push(']');
        self.depth -= 1;
        Ok(())
    }

    fn range_or_char(&mut self, first: char) -> Done {
        self.skip_comments();
        let is_range = self.peek() == Some('-') && !matches!(self.chars.get(self.at + 1), None | Some('[' | ']'));
        if !is_range {
            self.push_range(first, first);
            return Ok(());
        }
        self.at += 1;
        let last = match self.next() {
            Some('\\') => self.char_escape()?,
            Some(last) => last,
            None => return Err(illegal("unclosed character class")),
        };
        if last < first {
            return Err(illegal(format!("illegal character range {first}-{last}")));
        }
        self.push_range(first, last);
        Ok(())
    }

    /// Java folds ASCII only, unless `(?u)` (then the whole class is folded by the engine).
    fn push_range(&mut self, first: char, last: char) {
        self.push_span(first, last);
        if self.flags.ignore_case {
            let shared = |low: char, high: char| (first.max(low), last.min(high));
            let (low, high) = shared('a', 'z');
            if low <= high {
                self.push_span(low.to_ascii_uppercase(), high.to_ascii_uppercase());
            }
            let (low, high) = shared('A', 'Z');
            if low <= high {
                self.push_span(low.to_ascii_lowercase(), high.to_ascii_lowercase());
            }
        }
    }

    fn push_span(&mut self, first: char, last: char) {
        self.out.push_str(&escaped(first));
        if first != last {
            self.out.push('-');
            self.out.push_str(&escaped(last));
        }
    }

    /// After a backslash: a predefined set, written as a class of its own (which may stand in another); false = none.
    pub(super) fn set_escape(&mut self) -> Result<bool, PatternError> {
        let Some(c) = self.peek() else { return Err(illegal("the expression ends in a backslash")) };
        let unicode = self.flags.unicode_classes;
        let set = match c.to_ascii_lowercase() {
            'd' if unicode => r"\d",
            'w' if unicode => r"\w",
            's' if unicode => r"\s",
            'd' => "0-9",
            'w' => "0-9A-Za-z_",
            's' => r" \t\n\x0B\x0C\r",
            'h' => HORIZONTAL,
            'v' => VERTICAL,
            'p' => {
                self.at += 1;
                return self.property(c == 'P').map(|()| true);
            }
            _ => return Ok(false),
        };
        self.at += 1;
        self.push_set(set, c.is_ascii_uppercase());
        Ok(true)
    }

    fn push_set(&mut self, set: &str, negated: bool) {
        self.out.push_str(if negated { "[^" } else { "[" });
        self.out.push_str(set);
        self.out.push(']');
    }

    /// After `\p` or `\P`: a letter or a name in braces.
    fn property(&mut self, negated: bool) -> Done {
        let name: String = match self.next() {
            Some('{') => {
                let rest = &self.chars[self.at..];
                let close = rest.iter().position(|c| *c == '}').ok_or_else(|| illegal("unclosed property"))?;
                self.at += close + 1;
                rest_text(&self.chars[self.at - close - 1..self.at - 1])
            }
            Some(c) => c.to_string(),
            None => return Err(illegal("the expression ends in a property")),
        };
        let set = property_set(&name, self.flags.unicode_classes)?;
        self.push_set(&set, negated);
        Ok(())
    }

    /// After a backslash: the one character that the escape stands for.
    pub(super) fn char_escape(&mut self) -> Result<char, PatternError> {
        let c = self.next().ok_or_else(|| illegal("the expression ends in a backslash"))?;
        match c {
            't' => Ok('\t'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            'f' => Ok('\x0C'),
            'a' => Ok('\x07'),
            'e' => Ok('\x1B'),
            '0' => self.octal(),
            'x' => self.hex(),
            'u' => self.unicode(),
            'c' => {
                let control =
                    self.next().filter(char::is_ascii).ok_or_else(|| illegal(r"illegal control escape \c"))?;
                Ok(char::from(control as u8 ^ 64))
            }
            'N' => Err(unsupported(r"\N{name} is not supported")),
            c if c.is_ascii_alphanumeric() => Err(illegal(format!("illegal escape \\{c}"))),
            c => Ok(c),
        }
    }

    /// One to three digits, at most 0377.
    fn octal(&mut self) -> Result<char, PatternError> {
        let mut value = 0;
        let mut digits = 0;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(8))
            && digits < 3
            && value * 8 + digit <= 0o377
        {
            value = value * 8 + digit;
            digits += 1;
            self.at += 1;
        }
        if digits == 0 { Err(illegal("illegal octal escape")) } else { as_char(value) }
    }

    fn hex(&mut self) -> Result<char, PatternError> {
        if !self.eat('{') {
            let value = self.hex_digits(2)?;
            return as_char(value);
        }
        let rest = &self.chars[self.at..];
        let close = rest.iter().position(|c| *c == '}').ok_or_else(|| illegal("unclosed hexadecimal escape"))?;
        let value = self.hex_digits(close)?;
        self.at += 1;
        as_char(value)
    }

    /// `\uXXXX`, two of them for a surrogate pair.
    fn unicode(&mut self) -> Result<char, PatternError> {
        let high = self.hex_digits(4)?;
        if (0xD800..0xDC00).contains(&high) && self.chars[self.at..].starts_with(&['\\', 'u']) {
            self.at += 2;
            let low = self.hex_digits(4)?;
            if (0xDC00..0xE000).contains(&low) {
                return as_char(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            }
        }
        as_char(high)
    }

    fn hex_digits(&mut self, count: usize) -> Result<u32, PatternError> {
        let text = self.chars.get(self.at..self.at + count).map(rest_text).unwrap_or_default();
        let legal = (1..=8).contains(&count) && text.chars().all(|c| c.is_ascii_hexdigit());
        let value = legal.then(|| u32::from_str_radix(&text, 16).ok()).flatten();
        self.at += count;
        value.ok_or_else(|| illegal("illegal hexadecimal escape"))
    }
}

fn rest_text(chars: &[char]) -> String {
    chars.iter().collect()
}

fn as_char(value: u32) -> Result<char, PatternError> {
    char::from_u32(value).ok_or_else(|| unsupported(format!("U+{value:04X} alone is no character")))
}

/// The content of a class for a property's name; POSIX names are ASCII unless `(?U)`.
fn property_set(name: &str, unicode: bool) -> Result<String, PatternError> {
    let set = match (name, unicode) {
        ("Lower", false) => "a-z",
        ("Upper", false) => "A-Z",
        ("Alpha", false) => "A-Za-z",
        ("Digit", false) => "0-9",
        ("Alnum", false) => "0-9A-Za-z",
        ("Punct", false) => "!-/:-@\\[-`{-~",
        ("Graph", false) => "!-~",
        ("Print", false) => " -~",
        ("Blank", false) => r" \t",
        ("Cntrl", false) => r"\x00-\x1F\x7F",
        ("XDigit", false) => "0-9A-Fa-f",
        ("Space", false) => r" \t\n\x0B\x0C\r",
        ("Lower", true) | ("javaLowerCase", _) => r"\p{Lowercase}",
        ("Upper", true) | ("javaUpperCase", _) => r"\p{Uppercase}",
        ("Alpha", true) => r"\p{Alphabetic}",
        ("Digit", true) | ("javaDigit", _) => r"\p{Nd}",
        ("Alnum", true) => r"\p{Alphabetic}\p{Nd}",
        ("Punct", true) => r"\p{P}",
        ("Blank", true) => r"\p{Zs}\t",
        ("Cntrl", true) => r"\p{Cc}",
        ("XDigit", true) => r"\p{Nd}\p{Hex_Digit}",
        ("Space", true) | ("IsWhite_Space" | "IsWhiteSpace", _) => r"\s",
        ("ASCII", _) => r"\x00-\x7F",
        ("L1", _) => r"\x00-\x{FF}",
        ("all", _) => r"\x00-\x{10FFFF}",
        ("LC", _) => r"\p{Lu}\p{Ll}\p{Lt}",
        ("LD", _) | ("javaLetterOrDigit", _) => r"\p{L}\p{Nd}",
        ("javaLetter" | "javaAlphabetic", _) => r"\p{L}",
        _ => return unicode_property(name),
    };
    Ok(set.to_owned())
}

/// Categories, scripts and binary properties, which the engines know under the same names.
fn unicode_property(name: &str) -> Result<String, PatternError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ' ';
    let (key, value) = name.split_once('=').unwrap_or(("", name));
    if name.starts_with("In") || matches!(key, "blk" | "block") {
        return Err(unsupported(format!(
            r"\p{{{name}}}: a block of Unicode is not supported, expected a script or category"
        )));
    }
    if name.starts_with("java") {
        return Err(unsupported(format!(r"\p{{{name}}} is not supported")));
    }
    let value = value.strip_prefix("Is").unwrap_or(value);
    if !matches!(key, "" | "sc" | "script" | "gc" | "general_category") || value.is_empty() || !value.chars().all(legal)
    {
        return Err(illegal(format!(r"unknown property \p{{{name}}}")));
    }
    let set = format!(r"\p{{{value}}}");
    match regex::Regex::new(&set) {
        Ok(_) => Ok(set),
        Err(_) => Err(illegal(format!(r"unknown property \p{{{name}}}"))),
    }
}
