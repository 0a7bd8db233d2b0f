//! From text to tokens. What is a term's character and what is not is Lucene's.

use super::SyntaxError;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// Characters before it.
    pub at: usize,
    pub kind: Kind,
}

/// The kinds of tokens. Terms are as written, with their backslashes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    And,
    Or,
    Not,
    Plus,
    Minus,
    /// `+`, `-` or `!` before a space: a term of no words.
    Bare,
    Open,
    Close,
    Colon,
    /// `*` alone.
    Star,
    /// `^2`.
    Boost(f32),
    /// `~`, `~1`.
    Fuzzy(Option<f32>),
    Quoted(String),
    Term(String),
    /// `abc*`, without the star.
    Prefix(String),
    /// With `*` or `?` elsewhere.
    Wild(String),
    Regex(String),
    Range(Range),
}

/// `[a TO b}`. No text: `*`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Range {
    pub from: Option<String>,
    pub from_included: bool,
    pub to: Option<String>,
    pub to_included: bool,
}

impl Kind {
    /// Whether it becomes a query.
    pub(super) fn is_clause(&self) -> bool {
        matches!(
            self,
            Kind::Star
                | Kind::Quoted(_)
                | Kind::Term(_)
                | Kind::Prefix(_)
                | Kind::Wild(_)
                | Kind::Regex(_)
                | Kind::Range(_)
        )
    }

    /// As it is named in a message.
    pub(super) fn image(&self) -> String {
        match self {
            Kind::And => "AND".into(),
            Kind::Or => "OR".into(),
            Kind::Not => "NOT".into(),
            Kind::Plus => "+".into(),
            Kind::Minus => "-".into(),
            Kind::Bare => "an operator".into(),
            Kind::Open => "(".into(),
            Kind::Close => ")".into(),
            Kind::Colon => ":".into(),
            Kind::Star => "*".into(),
            Kind::Boost(boost) => format!("^{boost}"),
            Kind::Fuzzy(_) => "~".into(),
            Kind::Quoted(text) => format!("\"{text}\""),
            Kind::Term(text) | Kind::Wild(text) => text.clone(),
            Kind::Prefix(text) => format!("{text}*"),
            Kind::Regex(text) => format!("/{text}/"),
            Kind::Range(_) => "a range".into(),
        }
    }
}

/// Takes a text apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    while lexer.skip_space() {
        let at = lexer.at;
        let kind = lexer.token()?;
        tokens.push(Token { at, kind });
    }
    Ok(tokens)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

fn starts_term(c: char) -> bool {
    !is_space(c)
        && !matches!(
            c,
            '+' | '-' | '!' | '(' | ')' | ':' | '^' | '[' | ']' | '"' | '{' | '}' | '~' | '*' | '?' | '\\' | '/'
        )
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Says whether there is more.
    fn skip_space(&mut self) -> bool {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.at < self.chars.len()
    }

    fn error<T>(&self, at: usize, what: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError { at, what: what.into() })
    }

    fn token(&mut self) -> Result<Kind, SyntaxError> {
        let begin = self.at;
        let c = self.chars[begin];
        self.at += 1;
        let bare = || self.chars.get(begin + 1).is_some_and(|next| is_space(*next));
        Ok(match c {
            '+' | '-' | '!' if bare() => Kind::Bare,
            '+' => Kind::Plus,
            '-' => Kind::Minus,
            '!' => Kind::Not,
            '(' => Kind::Open,
            ')' => Kind::Close,
            ':' => Kind::Colon,
            '"' => Kind::Quoted(self.until('"', begin, "a phrase that does not end")?),
            '/' => Kind::Regex(self.until('/', begin, "a regular expression that does not end")?),
            '^' => match self.number() {
                Some(boost) => Kind::Boost(boost),
                None => return self.error(begin, "encountered \"^\" without a number"),
            },
            '~' => Kind::Fuzzy(self.number()),
            '[' | '{' => self.range(begin, c == '[')?,
            ']' | '}' => return self.error(begin, format!("encountered \"{c}\"")),
            _ => {
                self.at = begin;
                self.term()?
            }
        })
    }

    /// The text up to a closing character, with its escapes.
    fn until(&mut self, close: char, begin: usize, otherwise: &str) -> Result<String, SyntaxError> {
        let from = self.at;
        while let Some(c) = self.peek() {
            self.at += 1;
            if c == close {
                return Ok(self.chars[from..self.at - 1].iter().collect());
            }
            if c == '\\' {
                self.at += 1;
            }
        }
        self.error(begin, format!("encountered {otherwise}"))
    }

    fn number(&mut self) -> Option<f32> {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit() || c == '.') {
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        let number = text.parse().ok().filter(|n: &f32| n.is_finite());
        if number.is_none() {
            self.at = from;
        }
        number
    }

    fn term(&mut self) -> Result<Kind, SyntaxError> {
        let begin = self.at;
        let mut stars = Vec::new();
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.at += 1;
                    if self.peek().is_none() {
                        return self.error(begin, "term can not end with escape character: encountered <EOF>");
                    }
                }
                '*' | '?' => stars.push(self.at - begin),
                '+' | '-' if self.at > begin => {}
                _ if starts_term(c) => {}
                _ => break,
            }
            self.at += 1;
        }
        let text: String = self.chars[begin..self.at].iter().collect();
        let length = self.at - begin;
        Ok(match (text.as_str(), stars.as_slice()) {
            ("AND" | "&&", _) => Kind::And,
            ("OR" | "||", _) => Kind::Or,
            ("NOT", _) => Kind::Not,
            ("*", _) => Kind::Star,
            (_, []) => Kind::Term(text),
            (prefix, [last]) if *last == length - 1 && prefix.ends_with('*') => {
                Kind::Prefix(prefix[..prefix.len() - 1].to_owned())
            }
            _ => Kind::Wild(text),
        })
    }

    fn range(&mut self, begin: usize, from_included: bool) -> Result<Kind, SyntaxError> {
        let from = self.bound(begin)?;
        match self.bound(begin)? {
            Some(to) if to == "TO" => {}
            _ => return self.error(begin, "encountered a range without TO"),
        }
        let to = self.bound(begin)?;
        self.skip_space();
        let to_included = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return self.error(begin, "encountered a range that does not end"),
        };
        self.at += 1;
        Ok(Kind::Range(Range { from, from_included, to, to_included }))
    }

    fn bound(&mut self, begin: usize) -> Result<Option<String>, SyntaxError> {
        if !self.skip_space() {
            return self.error(begin, "encountered a range that does not end");
        }
        if self.peek() == Some('"') {
            self.at += 1;
            return Ok(Some(unescaped(&self.until('"', begin, "a phrase that does not end")?)));
        }
        let from = self.at;
        while self.peek().is_some_and(|c| !is_space(c) && c != ']' && c != '}') {
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        match text.as_str() {
            "" => self.error(self.at, "encountered a range without a bound"),
            "*" => Ok(None),
            text => Ok(Some(unescaped(text))),
        }
    }
}

/// A term without the backslashes (`\u0041` is a character).
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('u') => {
                let rest = chars.as_str();
                match rest.get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
                    Some(c) => {
                        plain.push(c);
                        chars = rest[4..].chars();
                    }
                    None => plain.push('u'),
                }
            }
            Some(c) => plain.push(c),
            None => {}
        }
    }
    plain
}
