//! Literals.

use super::lexer::Token;
use super::parser::{MAX_DECIMAL, Parser};
use super::tree::{Expr, ExprKind, Literal, Span};
use crate::datetime::text::{parse_date, parse_time, parse_timestamp};
use crate::error::SqlError;
use crate::value::{SqlType, Value};

type Parsed<T> = Result<T, SqlError>;

impl Expr {
    pub(super) fn literal(span: Span, literal: Literal) -> Expr {
        Expr { span, kind: ExprKind::Literal(literal) }
    }
}

impl Parser {
    /// A literal, if one is next.
    pub(super) fn literal(&mut self) -> Parsed<Option<Expr>> {
        let span = self.span();
        let literal = match self.token().clone() {
            Token::Number(number) => {
                self.advance();
                number_literal(&number).ok_or_else(|| span.error(format!("Numeric literal '{number}' out of range")))?
            }
            Token::Text(text) => {
                self.advance();
                text_literal(text)
            }
            Token::UnicodeText(text) => {
                self.advance();
                text_literal(self.unicode(&text, span)?)
            }
            Token::Word(word) => match word.as_str() {
                "NULL" | "UNKNOWN" => {
                    self.advance();
                    Literal::Null
                }
                "TRUE" | "FALSE" => {
                    self.advance();
                    Literal::Value(Value::Boolean(word == "TRUE"), SqlType::Boolean)
                }
                "DATE" | "TIME" | "TIMESTAMP" => match self.ahead(1).clone() {
                    Token::Text(text) => {
                        self.advance();
                        let end = self.advance().1;
                        datetime(&word, &text).ok_or_else(|| {
                            span.until(end)
                                .error(format!("Illegal {word} literal '{text}': not in format '{}'", format_of(&word)))
                        })?
                    }
                    _ => return Ok(None),
                },
                "INTERVAL" => self.interval()?,
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Expr::literal(span.until(self.last_span()), literal)))
    }

    fn interval(&mut self) -> Parsed<Literal> {
        let span = self.advance().1;
        let negative = match (self.symbol("-"), self.symbol("+")) {
            (true, _) => -1,
            _ => 1,
        };
        let Token::Text(text) = self.token().clone() else { return Err(self.unexpected("the text of an interval")) };
        self.advance();
        let qualifier = self.qualifier()?;
        let value = qualifier.parse(&text).map_err(|message| span.until(self.last_span()).error(message))?;
        Ok(Literal::Interval(negative * value, qualifier))
    }

    /// Resolves the escapes of `u&'…' [UESCAPE 'c']`.
    fn unicode(&mut self, text: &str, span: Span) -> Parsed<String> {
        let mut escape = '\\';
        if self.word("UESCAPE") {
            let mut chars = match self.token() {
                Token::Text(text) => text.chars(),
                _ => return Err(self.unexpected("one character in quotes")),
            };
            escape = match (chars.next(), chars.next()) {
                (Some(c), None) if !c.is_ascii_hexdigit() => c,
                _ => return Err(self.unexpected("one character in quotes that is no hexadecimal digit")),
            };
            self.advance();
        }
        let mut result = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != escape {
                result.push(c);
            } else if rest.as_str().starts_with(escape) {
                result.extend(rest.next());
            } else {
                let code = rest.as_str().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                result.push(
                    code.and_then(char::from_u32)
                        .ok_or_else(|| span.error("a unicode escape is not four hexadecimal digits"))?,
                );
                rest = rest.as_str()[4..].chars();
            }
        }
        Ok(result)
    }
}

fn text_literal(text: String) -> Literal {
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    Literal::Value(Value::Text(text.into()), SqlType::Char { length })
}

/// `1` is an INTEGER or BIGINT, `1.5` a DECIMAL, `1e2` a DOUBLE.
fn number_literal(text: &str) -> Option<Literal> {
    if text.contains(['e', 'E']) {
        return text.parse().ok().map(|value| Literal::Value(Value::Double(value), SqlType::Double));
    }
    let Some((whole, fraction)) = text.split_once('.') else {
        let value: i64 = text.parse().ok()?;
        let sql_type = if i32::try_from(value).is_ok() { SqlType::Integer } else { SqlType::BigInt };
        return Some(Literal::Value(Value::Integer(value), sql_type));
    };
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').len().max(fraction.len()).max(1);
    let precision = u8::try_from(significant).ok().filter(|precision| *precision <= MAX_DECIMAL)?;
    let scale = u8::try_from(fraction.len()).ok()?;
    let value = digits.parse().ok()?;
    Some(Literal::Value(Value::Decimal(value, scale), SqlType::Decimal { precision, scale }))
}

fn datetime(word: &str, text: &str) -> Option<Literal> {
    let (value, sql_type) = match word {
        "DATE" => (Value::Date(parse_date(text)?), SqlType::Date),
        "TIME" => (Value::Time(parse_time(text)?), SqlType::Time),
        _ => (Value::Timestamp(parse_timestamp(text)?), SqlType::Timestamp),
    };
    Some(Literal::Value(value, sql_type))
}

fn format_of(word: &str) -> &'static str {
    match word {
        "DATE" => "yyyy-MM-dd",
        "TIME" => "HH:mm:ss",
        _ => "yyyy-MM-dd HH:mm:ss",
    }
}
