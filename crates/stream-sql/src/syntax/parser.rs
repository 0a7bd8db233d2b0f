//! The cursor over the tokens, and what statements, queries and expressions share: names, types, qualifiers.

use super::MAX_DEPTH;
use super::lexer::{self, Token};
use super::reserved::{is_reserved, is_system_column};
use super::tree::{Name, Span};
use crate::datetime::calendar::Unit;
use crate::datetime::interval::{MAX_PRECISION, Qualifier};
use crate::error::SqlError;
use crate::value::SqlType;

/// The longest name ("Identifiers").
const MAX_NAME: usize = 128;
/// Digits of a DECIMAL ("Data types": 18).
pub(crate) const MAX_DECIMAL: u8 = 18;
/// Length of CHAR and VARCHAR.
const MAX_LENGTH: u32 = 65_535;

type Parsed<T> = Result<T, SqlError>;

pub(super) struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
}

impl Parser {
    pub(super) fn new(sql: &str) -> Parsed<Parser> {
        Ok(Parser { tokens: lexer::tokens(sql)?, at: 0, depth: 0 })
    }

    pub(super) fn token(&self) -> &Token {
        &self.tokens[self.at].0
    }

    /// The token so many places ahead.
    pub(super) fn ahead(&self, places: usize) -> &Token {
        &self.tokens[(self.at + places).min(self.tokens.len() - 1)].0
    }

    /// Where the current token is.
    pub(super) fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    /// Where the token before the current one is.
    pub(super) fn last_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].1
    }

    /// Takes the current token; `End` stays.
    pub(super) fn advance(&mut self) -> (Token, Span) {
        let taken = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        taken
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.is_word_ahead(0, word)
    }

    pub(super) fn is_word_ahead(&self, places: usize, word: &str) -> bool {
        matches!(self.ahead(places), Token::Word(text) if text == word)
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.is_symbol_ahead(0, symbol)
    }

    pub(super) fn is_symbol_ahead(&self, places: usize, symbol: &str) -> bool {
        matches!(self.ahead(places), Token::Symbol(text) if *text == symbol)
    }

    /// Takes the word if it is next.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the words if they are next, all of them.
    pub(super) fn words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(place, word)| self.is_word_ahead(place, word));
        if found {
            self.at += words.len();
        }
        found
    }

    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Parsed<Span> {
        if self.is_word(word) { Ok(self.advance().1) } else { Err(self.unexpected(word)) }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Parsed<Span> {
        if self.is_symbol(symbol) { Ok(self.advance().1) } else { Err(self.unexpected(&format!("\"{symbol}\""))) }
    }

    /// The current token is not what was expected.
    pub(super) fn unexpected(&self, expected: &str) -> SqlError {
        let found = match self.token() {
            Token::Word(word) => format!("\"{word}\""),
            Token::Quoted(name) => format!("\"\"{name}\"\""),
            Token::Text(text) | Token::UnicodeText(text) => format!("\"'{text}'\""),
            Token::Number(number) => format!("\"{number}\""),
            Token::Symbol(symbol) => format!("\"{symbol}\""),
            Token::End => "\"<EOF>\"".to_owned(),
        };
        let (line, column) = self.span().from;
        self.span().error(format!("Encountered {found} at line {line}, column {column}. Was expecting: {expected}"))
    }

    /// This construct is read, but not supported.
    pub(super) fn unsupported<T>(&self, span: Span, construct: &str) -> Parsed<T> {
        Err(span.error(format!("{construct} is not supported")))
    }

    /// Runs a rule that nests; too deep is an error.
    pub(super) fn nested<T>(&mut self, rule: impl FnOnce(&mut Parser) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.span().error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        let parsed = rule(self);
        self.depth -= 1;
        parsed
    }

    pub(super) fn comma_separated<T>(&mut self, mut rule: impl FnMut(&mut Parser) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![rule(self)?];
        while self.symbol(",") {
            list.push(rule(self)?);
        }
        Ok(list)
    }

    pub(super) fn end(&mut self) -> Parsed<()> {
        if *self.token() == Token::End { Ok(()) } else { Err(self.unexpected("the end of the text")) }
    }

    /// A name that is given: of a stream, a column, an alias. Reserved words must be quoted.
    pub(super) fn new_name(&mut self) -> Parsed<Name> {
        match self.token() {
            Token::Word(word) if is_reserved(word) => {
                Err(self.unexpected(&format!("a name ({word} is a reserved word: a name like it must be quoted)")))
            }
            _ => self.name(),
        }
    }

    /// A name that is looked up: system columns need no quotes.
    pub(super) fn known_name(&mut self) -> Parsed<Name> {
        match self.token() {
            Token::Word(word) if is_reserved(word) && is_system_column(word) => self.name(),
            _ => self.new_name(),
        }
    }

    fn name(&mut self) -> Parsed<Name> {
        let text = match self.token() {
            Token::Word(text) | Token::Quoted(text) => text.clone(),
            _ => return Err(self.unexpected("a name")),
        };
        let span = self.advance().1;
        if text.is_empty() || text.chars().count() > MAX_NAME || text.chars().any(char::is_control) {
            return Err(span.error(format!("a name has 1 to {MAX_NAME} characters, none of them a control code")));
        }
        Ok(Name { text, span })
    }

    /// An alias after an expression or a stream, with or without AS.
    pub(super) fn alias(&mut self) -> Parsed<Option<Name>> {
        if self.word("AS") {
            return self.known_name().map(Some);
        }
        match self.token() {
            Token::Quoted(_) => self.name().map(Some),
            Token::Word(word) if !is_reserved(word) && !matches!(word.as_str(), "WINDOWED" | "UNION") => {
                self.name().map(Some)
            }
            _ => Ok(None),
        }
    }

    pub(super) fn unsigned(&mut self) -> Parsed<u32> {
        match self.token() {
            Token::Number(number) => {
                let value = number.parse().map_err(|_| self.unexpected("a whole number"))?;
                self.advance();
                Ok(value)
            }
            _ => Err(self.unexpected("a whole number")),
        }
    }

    /// `(n)`, if there.
    fn length(&mut self) -> Parsed<Option<u32>> {
        if !self.symbol("(") {
            return Ok(None);
        }
        let length = self.unsigned()?;
        self.expect_symbol(")")?;
        Ok(Some(length))
    }

    pub(super) fn data_type(&mut self) -> Parsed<(SqlType, Span)> {
        let span = self.span();
        let Token::Word(word) = self.token().clone() else { return Err(self.unexpected("a type")) };
        let sql_type = match word.as_str() {
            "BOOLEAN" => SqlType::Boolean,
            "TINYINT" => SqlType::TinyInt,
            "SMALLINT" => SqlType::SmallInt,
            "INTEGER" | "INT" => SqlType::Integer,
            "BIGINT" => SqlType::BigInt,
            "REAL" => SqlType::Real,
            "DOUBLE" | "FLOAT" => SqlType::Double,
            "DECIMAL" | "DEC" | "NUMERIC" => SqlType::Decimal { precision: MAX_DECIMAL, scale: 0 },
            "CHAR" | "CHARACTER" => SqlType::Char { length: 1 },
            "VARCHAR" => SqlType::Varchar { length: MAX_LENGTH },
            "DATE" => SqlType::Date,
            "TIME" => SqlType::Time,
            "TIMESTAMP" => SqlType::Timestamp,
            "BINARY" | "VARBINARY" | "INTERVAL" => return self.unsupported(span, &format!("The type {word} here")),
            _ => return Err(self.unexpected("a type")),
        };
        self.advance();
        let sql_type = match sql_type {
            SqlType::Double => {
                self.word("PRECISION");
                sql_type
            }
            SqlType::Decimal { .. } => self.decimal(span)?,
            SqlType::Char { length } => {
                let varying = self.word("VARYING");
                let length = self.checked_length(span)?.unwrap_or(length);
                if varying { SqlType::Varchar { length } } else { SqlType::Char { length } }
            }
            SqlType::Varchar { length } => SqlType::Varchar { length: self.checked_length(span)?.unwrap_or(length) },
            // A precision of TIME or TIMESTAMP changes nothing: both hold milliseconds.
            SqlType::Time | SqlType::Timestamp => {
                self.length()?;
                sql_type
            }
            _ => sql_type,
        };
        Ok((sql_type, span.until(self.last_span())))
    }

    fn checked_length(&mut self, span: Span) -> Parsed<Option<u32>> {
        match self.length()? {
            Some(length) if !(1..=MAX_LENGTH).contains(&length) => {
                Err(span.error(format!("the length {length} is not from 1 to {MAX_LENGTH}")))
            }
            length => Ok(length),
        }
    }

    fn decimal(&mut self, span: Span) -> Parsed<SqlType> {
        let (mut precision, mut scale) = (u32::from(MAX_DECIMAL), 0);
        if self.symbol("(") {
            precision = self.unsigned()?;
            if self.symbol(",") {
                scale = self.unsigned()?;
            }
            self.expect_symbol(")")?;
        }
        match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(precision @ 1..=MAX_DECIMAL), Ok(scale)) if scale <= precision => {
                Ok(SqlType::Decimal { precision, scale })
            }
            _ => Err(span.error(format!(
                "DECIMAL({precision}, {scale}): the precision is from 1 to {MAX_DECIMAL}, the scale not more"
            ))),
        }
    }

    /// The unit that is next, not taken.
    pub(super) fn peek_unit(&self) -> Option<Unit> {
        match self.token() {
            Token::Word(word) => Unit::parse(word),
            _ => None,
        }
    }

    pub(super) fn unit(&mut self) -> Parsed<Unit> {
        let unit = self.peek_unit().ok_or_else(|| self.unexpected("YEAR, MONTH, DAY, HOUR, MINUTE or SECOND"))?;
        self.advance();
        Ok(unit)
    }

    /// `DAY(3)`, `MINUTE TO SECOND(3)`, `SECOND(2, 3)`
    pub(super) fn qualifier(&mut self) -> Parsed<Qualifier> {
        let span = self.span();
        let from = self.unit()?;
        let mut precision = None;
        if self.symbol("(") {
            let digits = self.unsigned()?;
            if from == Unit::Second && self.symbol(",") {
                self.unsigned()?;
            }
            self.expect_symbol(")")?;
            let valid = u8::try_from(digits).ok().filter(|digits| (1..=MAX_PRECISION).contains(digits));
            precision = Some(valid.ok_or_else(|| {
                let name = from.name();
                span.error(format!(
                    "Interval leading field precision '{digits}' out of range for INTERVAL {name}({digits})"
                ))
            })?);
        }
        // `FLOOR(x minute TO MINUTE)` never gets here: a second unit belongs to the qualifier only if it is a shorter one.
        let to = match self.ahead(1) {
            Token::Word(word) if self.is_word("TO") => {
                Unit::parse(word).filter(|to| *to > from && to.is_months() == from.is_months())
            }
            _ => None,
        };
        if to.is_some() {
            self.advance();
            self.advance();
            self.length()?;
        }
        Ok(Qualifier { from, to: to.unwrap_or(from), precision })
    }
}
