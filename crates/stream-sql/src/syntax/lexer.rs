//! Tokens with their places.

use super::tree::Span;
use crate::error::SqlError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// An unquoted word, upper-cased.
    Word(String),
    /// A quoted name.
    Quoted(String),
    Text(String),
    /// `u&'…'`, escapes not yet resolved.
    UnicodeText(String),
    Number(String),
    Symbol(&'static str),
    End,
}

/// The longest first.
const SYMBOLS: [&str; 19] =
    ["<>", "!=", "<=", ">=", "||", "(", ")", ",", ";", ".", "*", "/", "+", "-", "=", "<", ">", "[", "]"];

pub(super) struct Lexer<'a> {
    rest: std::str::Chars<'a>,
    line: u32,
    column: u32,
    /// Place of the last character taken.
    last: (u32, u32),
}

/// All tokens of a text, `End` last.
pub(super) fn tokens(sql: &str) -> Result<Vec<(Token, Span)>, SqlError> {
    let mut lexer = Lexer { rest: sql.chars(), line: 1, column: 1, last: (1, 1) };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let from = (lexer.line, lexer.column);
        let token = lexer.token(from)?;
        let is_end = token == Token::End;
        let to = if is_end { from } else { lexer.last };
        tokens.push((token, Span { from, to }));
        if is_end {
            return Ok(tokens);
        }
    }
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.rest.as_str().starts_with(text)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.last = (self.line, self.column);
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            text.push(c);
            self.next();
        }
        text
    }

    /// Blanks and comments: `--` and `//` to the end of the line, `/* … */`.
    fn skip_blank(&mut self) -> Result<(), SqlError> {
        loop {
            self.take_while(char::is_whitespace);
            if self.starts_with("--") || self.starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if self.starts_with("/*") {
                let from = (self.line, self.column);
                self.skip(2);
                while !self.starts_with("*/") {
                    let open = Span { from, to: self.last };
                    self.next().ok_or_else(|| open.error("the comment is not closed"))?;
                }
                self.skip(2);
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self, from: (u32, u32)) -> Result<Token, SqlError> {
        let Some(c) = self.peek() else { return Ok(Token::End) };
        if matches!(c, 'u' | 'U') && self.rest.as_str()[1..].starts_with("&'") {
            self.skip(2);
            return Ok(Token::UnicodeText(self.delimited('\'', from)?));
        }
        if c.is_alphabetic() || c == '_' {
            let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '$');
            return Ok(Token::Word(word.to_uppercase()));
        }
        if c.is_ascii_digit() || (c == '.' && self.rest.as_str()[1..].starts_with(|c: char| c.is_ascii_digit())) {
            return Ok(Token::Number(self.number()));
        }
        match c {
            '\'' => Ok(Token::Text(self.delimited('\'', from)?)),
            '"' => Ok(Token::Quoted(self.delimited('"', from)?)),
            _ => match SYMBOLS.into_iter().find(|symbol| self.starts_with(symbol)) {
                Some(symbol) => {
                    self.skip(symbol.len());
                    Ok(Token::Symbol(symbol))
                }
                None => {
                    let (line, column) = from;
                    let message = format!("Lexical error at line {line}, column {column}. Encountered: \"{c}\"");
                    Err(Span { from, to: from }.error(message))
                }
            },
        }
    }

    fn number(&mut self) -> String {
        let mut text = self.take_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') {
            self.next();
            text.push('.');
            text += &self.take_while(|c| c.is_ascii_digit());
        }
        let mut exponent = self.rest.clone();
        if matches!(exponent.next(), Some('e' | 'E')) {
            let sign = matches!(exponent.clone().next(), Some('+' | '-'));
            if exponent.nth(usize::from(sign)).is_some_and(|c| c.is_ascii_digit()) {
                text.extend(self.next());
                if sign {
                    text.extend(self.next());
                }
                text += &self.take_while(|c| c.is_ascii_digit());
            }
        }
        text
    }

    /// What stands between two delimiters; a doubled one stands for itself.
    fn delimited(&mut self, delimiter: char, from: (u32, u32)) -> Result<String, SqlError> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some(c) if c != delimiter => text.push(c),
                Some(_) if self.peek() == Some(delimiter) => text.extend(self.next()),
                Some(_) => return Ok(text),
                None => return Err(Span { from, to: self.last }.error(format!("the text has no closing {delimiter}"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_places() {
        let tokens = tokens("a -- x\n /* y\n */ \"b\"\"c\" // z\n<= 1.5e-3 u&'\\0009' 'it''s'").unwrap();
        let shown: Vec<_> = tokens.iter().map(|(token, span)| (token.clone(), span.from, span.to)).collect();
        let expected = [
            (Token::Word("A".into()), (1, 1), (1, 1)),
            (Token::Quoted("b\"c".into()), (3, 5), (3, 10)),
            (Token::Symbol("<="), (4, 1), (4, 2)),
            (Token::Number("1.5e-3".into()), (4, 4), (4, 9)),
            (Token::UnicodeText("\\0009".into()), (4, 11), (4, 19)),
            (Token::Text("it's".into()), (4, 21), (4, 27)),
            (Token::End, (4, 28), (4, 28)),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_open_is_named_where_it_opens() {
        for (sql, at) in [("a 'b", (1, 3)), ("a\n/* b", (2, 1)), ("a ? b", (1, 3))] {
            let error = tokens(sql).unwrap_err();
            assert_eq!((error.line, error.column), at, "{sql}");
        }
    }
}
