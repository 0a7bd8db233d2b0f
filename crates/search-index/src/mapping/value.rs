//! A JSON value as a field's type takes it.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::tz::TimeZone;

use super::date::{DYNAMIC_FORMATS, DateFormat, Fill};
use super::json::Token;
use super::lookup::{Kind, Leaf};
use super::{DYNAMIC_IGNORE_ABOVE, FieldType, Value};

/// Bytes of an exact value at most (Lucene's `IndexWriter.MAX_TERM_LENGTH`).
pub(super) const MAX_KEYWORD: usize = 32_766;

/// What a type does not take.
pub(super) enum Bad {
    /// An object, whose members are still to be skipped.
    Object,
    /// An exact value longer than [`MAX_KEYWORD`].
    Immense,
    /// Another value; why.
    Value(String),
}

impl FieldType {
    /// What a string becomes: text with an exact copy.
    pub(super) fn dynamic_text() -> FieldType {
        FieldType::Text { keyword: Some(("keyword".into(), DYNAMIC_IGNORE_ABOVE)) }
    }
}

/// What a value is indexed as; `None` if it is left out.
pub(super) fn read<'a>(leaf: &Leaf, token: Token<'a>) -> Result<Option<Value<'a>>, Bad> {
    match token {
        Token::Null => return Ok(None),
        Token::Object | Token::Array => return Err(Bad::Object),
        _ => {}
    }
    match &leaf.kind {
        Kind::Text(limit) => {
            let text = text(token);
            let keyword = limit.is_some_and(|limit| fits(&text, limit));
            if keyword && text.len() > MAX_KEYWORD {
                Err(Bad::Immense)
            } else {
                Ok(Some(Value::Text { text, keyword }))
            }
        }
        Kind::Keyword(limit) => {
            let text = text(token);
            match limit {
                Some(limit) if !fits(&text, *limit) => Ok(None),
                _ if text.len() > MAX_KEYWORD => Err(Bad::Immense),
                _ => Ok(Some(Value::Keyword(text))),
            }
        }
        Kind::Long(smallest, largest) => Ok(long(&leaf.name, token, *smallest, *largest)?.map(Value::Long)),
        Kind::Double { largest, scale } => Ok(double(&leaf.name, token, *largest, *scale)?.map(Value::Double)),
        Kind::Date(format) => date(format, token).map(|millis| Some(Value::Date(millis))),
        Kind::Boolean => boolean(token).map(|boolean| Some(Value::Boolean(boolean))),
        Kind::Ip => ip(token).map(Some),
    }
}

fn text(token: Token<'_>) -> Cow<'_, str> {
    match token {
        Token::String(text) => text,
        Token::Number(text) => Cow::Borrowed(text),
        Token::Boolean(true) => Cow::Borrowed("true"),
        Token::Boolean(false) => Cow::Borrowed("false"),
        Token::Null | Token::Object | Token::Array => Cow::Borrowed(""),
    }
}

/// Java counts UTF-16 units.
fn fits(text: &str, limit: u32) -> bool {
    text.len() <= limit as usize || text.encode_utf16().count() <= limit as usize
}

/// A number as text; `None` for the empty string, which `coerce` makes nothing of.
fn number(token: Token<'_>) -> Result<Option<Cow<'_, str>>, Bad> {
    match token {
        Token::String(text) if text.trim().is_empty() => Ok(None),
        Token::String(_) | Token::Number(_) => Ok(Some(text(token))),
        _ => Err(Bad::Value(format!("For input string: \"{}\"", text(token)))),
    }
}

fn long(name: &str, token: Token<'_>, smallest: i64, largest: i64) -> Result<Option<i64>, Bad> {
    let Some(text) = number(token)? else {
        return Ok(None);
    };
    let number = match text.parse::<i64>() {
        Ok(number) => Some(number),
        Err(_) => {
            let double = finite(name, &text)?.trunc();
            // The bounds of i64 as doubles; the upper one is one too much.
            (double >= i64::MIN as f64 && double < i64::MAX as f64).then_some(double as i64)
        }
    };
    match number {
        Some(number) if (smallest..=largest).contains(&number) => Ok(Some(number)),
        _ if name == "long" => Err(Bad::Value(format!("Value [{text}] is out of range for a long"))),
        _ => Err(Bad::Value(format!("Value [{text}] is out of range for {} {name}", article(name)))),
    }
}

fn article(name: &str) -> &'static str {
    if name.starts_with(['i', 'u']) { "an" } else { "a" }
}

fn double(name: &str, token: Token<'_>, largest: f64, scale: Option<f64>) -> Result<Option<f64>, Bad> {
    let Some(text) = number(token)? else {
        return Ok(None);
    };
    let number = finite(name, &text)?;
    if number.abs() > largest {
        return Err(Bad::Value(format!("[{name}] supports only finite values, but got [{text}]")));
    }
    // -0.0 and 0.0 are one value.
    Ok(Some(scale.map_or(number, |scale| (number * scale).round() / scale) + 0.0))
}

fn finite(name: &str, text: &str) -> Result<f64, Bad> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(Bad::Value(format!("[{name}] supports only finite values, but got [{text}]"))),
        Err(_) => Err(Bad::Value(format!("For input string: \"{text}\""))),
    }
}

fn date(format: &DateFormat, token: Token<'_>) -> Result<i64, Bad> {
    let millis = match &token {
        Token::String(text) => format.parse(text, Fill::Down, &TimeZone::UTC),
        Token::Number(text) => format.parse(text, Fill::Down, &TimeZone::UTC),
        _ => None,
    };
    millis.ok_or_else(|| Bad::Value(format!("failed to parse date field [{}] with format [{format}]", text(token))))
}

fn boolean(token: Token<'_>) -> Result<bool, Bad> {
    match &token {
        Token::Boolean(boolean) => Ok(*boolean),
        Token::String(text) if text == "true" => Ok(true),
        Token::String(text) if text == "false" || text.is_empty() => Ok(false),
        _ => Err(Bad::Value(format!("Failed to parse value [{}] as only [true] or [false] are allowed.", text(token)))),
    }
}

fn ip(token: Token<'_>) -> Result<Value<'_>, Bad> {
    let text = text(token);
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Ok(Value::Keyword(text)),
        Ok(address) => Ok(Value::Keyword(Cow::Owned(address.to_canonical().to_string()))),
        Err(_) => Err(Bad::Value(format!("'{text}' is not an IP string literal."))),
    }
}

/// Whether a string makes a field that is not mapped a date, and of which format.
pub(super) fn looks_like_date(text: &str) -> Option<Option<&'static str>> {
    // Elasticsearch takes no plain number for a date; and nothing that does not begin with a digit is one of its two formats.
    if !text.starts_with(|first: char| first.is_ascii_digit()) || text.parse::<f64>().is_ok() {
        return None;
    }
    DYNAMIC_FORMATS.iter().find_map(|(format, mapped)| {
        let format: DateFormat = format.parse().ok()?;
        format.parse(text, Fill::Down, &TimeZone::UTC).map(|_| *mapped)
    })
}
