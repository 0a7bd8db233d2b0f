//! Words, as Elasticsearch's `standard` analyser finds them: the word boundaries of UAX #29, lower case, no stop words.

use std::iter::Peekable;
use std::ops::Range;

use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};
use unicode_segmentation::{UWordBoundIndices, UnicodeSegmentation};

/// The name of the analyser of text fields.
pub const STANDARD: &str = "standard";
/// The name of the one that leaves a value whole.
pub const KEYWORD: &str = "raw";
/// The longest word, in characters; a longer one is cut into several (Elasticsearch's `max_token_length`).
const MAX_WORD: usize = 255;

/// The analyser of text fields.
pub fn analyzer() -> TextAnalyzer {
    TextAnalyzer::from(Standard::default())
}

/// All analysers that the schema names.
pub fn analyzers() -> TokenizerManager {
    let analyzers = TokenizerManager::default();
    analyzers.register(STANDARD, analyzer());
    analyzers
}

#[derive(Clone, Default)]
struct Standard {
    token: Token,
}

impl Tokenizer for Standard {
    type TokenStream<'a> = Words<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Words<'a> {
        self.token.reset();
        let bounds = if text.is_ascii() {
            Bounds::Ascii(text.as_bytes(), 0)
        } else {
            Bounds::Unicode(text.split_word_bound_indices().peekable())
        };
        Words { text, bounds, rest: 0..0, token: &mut self.token }
    }
}

struct Words<'a> {
    text: &'a str,
    bounds: Bounds<'a>,
    /// What is left of a word that was too long.
    rest: Range<usize>,
    token: &'a mut Token,
}

impl TokenStream for Words<'_> {
    fn advance(&mut self) -> bool {
        if self.rest.is_empty() {
            let Some(word) = self.bounds.next() else { return false };
            self.rest = word;
        }
        let word = &self.text[self.rest.clone()];
        let cut = if word.len() <= MAX_WORD { None } else { word.char_indices().nth(MAX_WORD) };
        let end = cut.map_or(self.rest.end, |(at, _)| self.rest.start + at);
        let token = &mut *self.token;
        (token.offset_from, token.offset_to) = (self.rest.start, end);
        token.position = token.position.wrapping_add(1);
        lower(&self.text[self.rest.start..end], &mut token.text);
        self.rest.start = end;
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Character by character, as Lucene does it: a final sigma is a sigma, and no character becomes two.
fn lower(word: &str, out: &mut String) {
    out.clear();
    if word.is_ascii() {
        out.push_str(word);
        out.make_ascii_lowercase();
    } else {
        out.extend(word.chars().filter_map(|c| c.to_lowercase().next()));
    }
}

/// The ranges of words.
enum Bounds<'a> {
    Ascii(&'a [u8], usize),
    Unicode(Peekable<UWordBoundIndices<'a>>),
}

impl Iterator for Bounds<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        match self {
            Bounds::Ascii(text, at) => {
                let word = next_ascii(text, *at)?;
                *at = word.end;
                Some(word)
            }
            Bounds::Unicode(bounds) => next_unicode(bounds),
        }
    }
}

/// The rules of UAX #29 for ASCII: letters, digits and `_` stay together; `:` and `.` and `'` stay between letters, `,` and `;` and `.`
/// and `'` between digits; what has neither letter nor digit is no word.
fn next_ascii(text: &[u8], at: usize) -> Option<Range<usize>> {
    let joins = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut from = at;
    loop {
        let start = from + text[from..].iter().position(|&byte| joins(byte))?;
        let mut end = start + 1;
        while let Some(&byte) = text.get(end) {
            end += match (text[end - 1], byte, text.get(end + 1)) {
                (_, byte, _) if joins(byte) => 1,
                (before, b'.' | b'\'' | b':', Some(after))
                    if before.is_ascii_alphabetic() && after.is_ascii_alphabetic() =>
                {
                    2
                }
                (before, b'.' | b'\'' | b',' | b';', Some(after))
                    if before.is_ascii_digit() && after.is_ascii_digit() =>
                {
                    2
                }
                _ => break,
            };
        }
        if text[start..end].iter().any(u8::is_ascii_alphanumeric) {
            return Some(start..end);
        }
        from = end;
    }
}

fn next_unicode(bounds: &mut Peekable<UWordBoundIndices<'_>>) -> Option<Range<usize>> {
    let (start, word) = bounds.find(|(_, word)| word.chars().any(char::is_alphanumeric))?;
    let mut end = start + word.len();
    // UAX #29 leaves scripts that need a dictionary to the implementation; Lucene keeps a run of one together.
    if word.starts_with(needs_dictionary) {
        while let Some((at, more)) = bounds.next_if(|(_, more)| more.starts_with(needs_dictionary)) {
            end = at + more.len();
        }
    }
    Some(start..end)
}

/// Thai, Lao, Myanmar, Khmer.
fn needs_dictionary(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let (mut analyzer, mut words) = (analyzer(), Vec::new());
        let mut stream = analyzer.token_stream(text);
        while stream.advance() {
            assert_eq!(stream.token().position, words.len());
            words.push(stream.token().text.clone());
        }
        assert_eq!(words, expected, "{text}");
    }

    #[test]
    fn words() {
        check("", &[]);
        check(" ,.! ", &[]);
        check("The 2 QUICK Brown-Foxes jumped", &["the", "2", "quick", "brown", "foxes", "jumped"]);
        check("the dog's bone, o'clock'", &["the", "dog's", "bone", "o'clock"]);
        check(
            "dfs.DataNode$PacketResponder: 1,234.5 10.0.0.1:8080",
            &["dfs.datanode", "packetresponder", "1,234.5", "10.0.0.1", "8080"],
        );
        check("a.1 1.a 3d a_b __ _x_ x..y", &["a", "1", "1", "a", "3d", "a_b", "_x_", "x", "y"]);
        check(
            "blk_-1608999687919862906 /10.250.19.102:54106",
            &["blk_", "1608999687919862906", "10.250.19.102", "54106"],
        );
        check("k=v;w k:v GET /a/b?c=d", &["k", "v", "w", "k:v", "get", "a", "b", "c", "d"]);
    }

    #[test]
    fn other_scripts() {
        check("Größe ΣΊΣΥΦΟΣ İ", &["größe", "σίσυφοσ", "i"]);
        check("東京 is 大", &["東", "京", "is", "大"]);
        check("カタカナ ひら", &["カタカナ", "ひ", "ら"]);
        check("สวัสดีครับ ok", &["สวัสดีครับ", "ok"]);
        check("l’été", &["l’été"]);
    }

    #[test]
    fn both_ways_agree_on_ascii() {
        // A text that is not ASCII takes the long way: its ASCII words must come out as the short way finds them.
        let alphabet = b"aZ09_.,;:'- \"/$=";
        let mut seed = 7u64;
        for _ in 0..20_000 {
            let text: String = (0..8)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    alphabet[(seed >> 33) as usize % alphabet.len()] as char
                })
                .collect();
            let short: Vec<_> = Bounds::Ascii(text.as_bytes(), 0).collect();
            let long: Vec<_> = Bounds::Unicode(text.split_word_bound_indices().peekable()).collect();
            assert_eq!(short, long, "{text:?}");
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        let long = "x".repeat(MAX_WORD);
        check(&"x".repeat(2 * MAX_WORD + 3), &[&long, &long, "xxx"]);
        let wide = "é".repeat(MAX_WORD);
        check(&"é".repeat(MAX_WORD + 1), &[&wide, "é"]);
    }
}
