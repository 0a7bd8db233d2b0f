//! Bytes to text as the original's runtime decodes them.

use std::borrow::Cow;

/// UTF-8 with each malformed part replaced by U+FFFD. As `String::from_utf8_lossy`, but an encoded surrogate (ED A0..BF 80..BF)
/// is one malformed part, not three.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut swallow = 0;
    for chunk in bytes.utf8_chunks() {
        if !chunk.valid().is_empty() {
            swallow = 0;
            text.push_str(chunk.valid());
        }
        match (chunk.invalid(), swallow) {
            ([], _) => {}
            ([0xA0..=0xBF], 2) | ([0x80..=0xBF], 1) => swallow -= 1,
            (invalid, _) => {
                text.push('\u{FFFD}');
                swallow = if invalid == [0xED] { 2 } else { 0 };
            }
        }
    }
    Cow::Owned(text)
}

/// The record without its one final newline.
pub(crate) fn without_newline(record: &[u8]) -> &[u8] {
    record.strip_suffix(b"\n").unwrap_or(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_parts_become_one_replacement_each() {
        let cases: [(&[u8], &str); 7] = [
            (b"plain", "plain"),
            (b"\xff\xfe", "\u{FFFD}\u{FFFD}"),
            (b"a\xed\xa0\x80b", "a\u{FFFD}b"),
            (b"\xed\xa0\x80\xed\xb0\x80", "\u{FFFD}\u{FFFD}"),
            (b"\xe2\x82", "\u{FFFD}"),
            (b"\xc0\x80", "\u{FFFD}\u{FFFD}"),
            (b"\xed\xa0x", "\u{FFFD}x"),
        ];
        for (bytes, text) in cases {
            assert_eq!(decode(bytes), text, "{bytes:?}");
        }
    }
}
