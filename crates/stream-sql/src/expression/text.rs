//! Text functions. Places count characters, from 1.

use std::borrow::Cow;

use super::RowError;
use crate::value::Datum;

/// A part of a text by its bytes, borrowed if the text is.
pub(super) fn slice<'r>(text: Cow<'r, str>, from: usize, to: usize) -> Datum<'r> {
    match text {
        Cow::Borrowed(text) => Datum::Text(Cow::Borrowed(&text[from..to])),
        Cow::Owned(text) => Datum::text(&text[from..to]),
    }
}

/// The first characters of a text: what does not fit a column is cut off without a word ("VARCHAR truncated silently").
pub(crate) fn cut(text: Cow<'_, str>, length: u32) -> Cow<'_, str> {
    let length = length as usize;
    if text.len() <= length {
        return text;
    }
    let Some((end, _)) = text.char_indices().nth(length) else { return text };
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

/// The byte at which a character starts, or the end.
fn byte_of(text: &str, character: i64) -> usize {
    let Ok(skip) = usize::try_from(character.saturating_sub(1)) else { return 0 };
    text.char_indices().nth(skip).map_or(text.len(), |(at, _)| at)
}

/// `SUBSTRING(text FROM from [FOR length])`: a start before the text shortens the length.
pub(super) fn substring<'r>(text: Cow<'r, str>, from: i64, length: Option<i64>) -> Result<Datum<'r>, RowError> {
    let end = match length {
        Some(length) if length < 0 => return Err(RowError("SUBSTRING: the length is negative".into())),
        Some(length) => byte_of(&text, from.saturating_add(length)),
        None => text.len(),
    };
    let start = byte_of(&text, from.max(1)).min(end);
    Ok(slice(text, start, end))
}

/// `OVERLAY(text PLACING by FROM from FOR length)`: a place before the text leaves as much of it.
pub(super) fn overlay(text: &str, by: &str, from: i64, length: i64) -> Result<String, RowError> {
    if length < 0 {
        return Err(RowError("OVERLAY: the length is negative".into()));
    }
    let start = byte_of(text, from);
    let end = byte_of(text, from.saturating_add(length)).max(start);
    Ok([&text[..start], by, &text[end..]].concat())
}

/// Takes off any of the characters at a side.
pub(super) fn trim<'r>(text: Cow<'r, str>, characters: &str, side: &str) -> Datum<'r> {
    let is = |c: char| characters.contains(c);
    let end = if side == "LEADING" { text.len() } else { text.trim_end_matches(is).len() };
    let start = if side == "TRAILING" { 0 } else { end - text[..end].trim_start_matches(is).len() };
    slice(text, start, end)
}

/// Words between blanks, their first letter upper case, the others lower case.
pub(super) fn initcap(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut first = true;
    for c in text.chars() {
        if first {
            result.extend(c.to_uppercase());
        } else {
            result.extend(c.to_lowercase());
        }
        first = c == ' ';
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substrings_count_from_one() {
        for (from, length, expected) in [
            (3, Some(4), "3456"),
            (17, Some(4), ""),
            (-1, Some(4), "12"),
            (6, Some(0), ""),
            (8, Some(4), "89"),
            (4, None, "456789"),
        ] {
            assert_eq!(substring("123456789".into(), from, length), Ok(Datum::text(expected)), "{from} {length:?}");
        }
        assert_eq!(substring("äöü".into(), 2, Some(1)), Ok(Datum::text("ö")));
        assert!(substring("a".into(), 1, Some(-1)).is_err());
    }

    #[test]
    fn overlays() {
        assert_eq!(overlay("12345", "foo", 1, 3).unwrap(), "foo45");
        assert_eq!(overlay("12345", "foo", 5, 0).unwrap(), "1234foo5");
        assert_eq!(overlay("12345", "foo", 9, 9).unwrap(), "12345foo");
    }
}
