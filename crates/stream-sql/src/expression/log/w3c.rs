//! W3C_LOG_PARSE: lines of web servers, by Apache's format strings. Each specifier is a column, all of them texts, as they stand in
//! the line: brackets around `%t` stay, quotes of the format do not.

use std::str::Chars;

use super::field::{Field, Fields, default_fields};
use crate::expression::RowError;
use crate::value::Datum;

/// The formats that have names. IIS's is not described; it is that of Microsoft's log file format, between commas.
const NAMED: [(&str, &str); 6] = [
    ("COMMON", "%h %l %u %t \"%r\" %>s %b"),
    ("COMMON WITH VHOST", "%v %h %l %u %t \"%r\" %>s %b"),
    ("NCSA EXTENDED", "%h %l %u %t \"%r\" %>s %b \"%[Referer]i\" \"%[User-agent]i\""),
    ("REFERER", "%[Referer]i ---> %U"),
    ("AGENT", "%[User-agent]i"),
    ("IIS", "%h, %u, %[date]t, %[time]t, %[service]n, %v, %A, %D, %I, %O, %s, %[windows]n, %m, %U, %q,"),
];

/// The letters of specifiers.
const LETTERS: &str = "aAbBCDefhHiIlmnoOpPqrstTuUvVX";
/// Those that are nothing without a name.
const NAMED_LETTERS: &str = "Ceino";
/// Those whose values may have blanks.
const LETTERS_WITH_BLANKS: &str = "CefinoqruU";

#[derive(Debug, Clone)]
pub(crate) struct W3cLog {
    /// What stands before the first specifier.
    start: Box<str>,
    specifiers: Vec<Specifier>,
    fields: Fields,
}

#[derive(Debug, Clone)]
struct Specifier {
    kind: Kind,
    /// What stands between it and the next one, or the end.
    end: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Of one word.
    Word,
    Text,
    /// Between quotes: those of the text are escaped.
    Quoted,
    /// `%t`, in brackets.
    Time,
}

impl W3cLog {
    /// A format by its name, or of specifiers; or what is wrong with it.
    pub(crate) fn new(format: &str) -> Result<W3cLog, String> {
        let named = NAMED.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(format.trim()));
        let format = named.map_or(format, |(_, format)| format);
        let (mut start, mut specifiers) = (String::new(), Vec::<Specifier>::new());
        let mut rest = format.chars();
        let mut literal = String::new();
        loop {
            match rest.next() {
                Some('%') if rest.as_str().starts_with('%') => literal.extend(rest.next()),
                Some('\\') => literal.push(unescaped(rest.next().ok_or("the format ends with a backslash")?)),
                next @ (Some('%') | None) => {
                    let text = std::mem::take(&mut literal);
                    let is_quoted = text.ends_with('"');
                    match specifiers.last_mut() {
                        Some(_) if next.is_some() && text.is_empty() => {
                            return Err(format!("{format:?}: nothing stands between two specifiers"));
                        }
                        Some(before) => before.end = text.into(),
                        None => start = text,
                    }
                    if next.is_none() {
                        break;
                    }
                    let mut kind = specifier(&mut rest)?;
                    if is_quoted && rest.as_str().trim_start_matches('\\').starts_with('"') {
                        kind = Kind::Quoted;
                    }
                    if kind == Kind::Time && before_ends_with(&start, &specifiers, '[') {
                        kind = Kind::Text;
                    }
                    specifiers.push(Specifier { kind, end: "".into() });
                }
                Some(c) => literal.push(c),
            }
        }
        if specifiers.is_empty() {
            let names = NAMED.map(|(name, _)| name).join(", ");
            return Err(format!("{format:?} is no log format: expected specifiers such as %h, or one of {names}"));
        }
        let fields = default_fields(specifiers.len())?;
        Ok(W3cLog { start: start.into(), specifiers, fields })
    }

    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn parse<'t>(&self, line: &'t str, out: &mut Vec<Datum<'t>>) -> Result<bool, RowError> {
        let Some(mut rest) = line.trim_end_matches(['\r', '\n']).strip_prefix(&*self.start) else { return Ok(false) };
        for (place, (specifier, field)) in self.specifiers.iter().zip(&self.fields).enumerate() {
            let next = self.specifiers.get(place + 1);
            let Some((value, after)) = specifier.take(rest, next.map(|next| next.kind)) else { return Ok(false) };
            out.push(field.value(Some(value.into()))?);
            rest = after;
        }
        Ok(true)
    }
}

fn before_ends_with(start: &str, specifiers: &[Specifier], c: char) -> bool {
    specifiers.last().map_or(start, |before| &before.end).ends_with(c)
}

/// `\"`, `\t` and `\n` as configurations of Apache write them.
fn unescaped(c: char) -> char {
    match c {
        't' => '\t',
        'n' => '\n',
        c => c,
    }
}

/// After `%`: `400,501{User-agent}i`, `!200[Referer]i`, `>s`, `b`.
fn specifier(rest: &mut Chars<'_>) -> Result<Kind, String> {
    let text = rest.as_str();
    let text = text.strip_prefix('!').unwrap_or(text);
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',').trim_start_matches(['<', '>']);
    let close = match text.chars().next() {
        Some('{') => Some('}'),
        Some('[') => Some(']'),
        _ => None,
    };
    let (name, text) = match close {
        Some(close) => {
            let (name, text) = text[1..].split_once(close).ok_or("a name in a specifier is not closed")?;
            (Some(name), text)
        }
        None => (None, text),
    };
    let mut characters = text.chars();
    let letter = characters.next().ok_or("the format ends with %")?;
    if !LETTERS.contains(letter) {
        return Err(format!("unknown specifier %{letter}: expected one of {LETTERS} after the %"));
    }
    if name.is_none_or(str::is_empty) && NAMED_LETTERS.contains(letter) {
        return Err(format!("%{letter} needs a name: %{{…}}{letter}"));
    }
    *rest = characters;
    Ok(match (letter, name) {
        ('t', None) => Kind::Time,
        ('t', Some(_)) => Kind::Text,
        (letter, _) if LETTERS_WITH_BLANKS.contains(letter) => Kind::Text,
        _ => Kind::Word,
    })
}

impl Specifier {
    /// Its value, and what follows its end.
    fn take<'t>(&self, text: &'t str, next: Option<Kind>) -> Option<(&'t str, &'t str)> {
        let is_end = |rest: &'t str| {
            let after = rest.strip_prefix(&*self.end)?;
            let fits = match next {
                None => after.is_empty(),
                Some(Kind::Time) => after.starts_with('['),
                Some(_) => true,
            };
            fits.then_some(after)
        };
        let split = |at: usize| is_end(&text[at..]).map(|after| (&text[..at], after));
        match self.kind {
            Kind::Time => split(text.strip_prefix('[')?.find(']')? + 2),
            // A word of a line is not empty.
            Kind::Word => {
                let blank = text.find([' ', '\t']).unwrap_or(text.len());
                ends(text, &self.end).take_while(|at| *at <= blank).find(|at| *at > 0).and_then(split)
            }
            Kind::Quoted => ends(text, &self.end).filter(|at| !is_escaped(&text[..*at])).find_map(split),
            Kind::Text => ends(text, &self.end).find_map(split),
        }
    }
}

/// Where an end stands; an empty one stands at the end of the line.
fn ends<'t>(text: &'t str, end: &'t str) -> impl Iterator<Item = usize> + 't {
    let last = end.is_empty().then_some(text.len());
    let places = text.match_indices(end).map(|(at, _)| at).take_while(move |_| last.is_none());
    last.into_iter().chain(places)
}

/// Whether what follows is escaped: behind an odd number of backslashes.
fn is_escaped(text: &str) -> bool {
    (text.len() - text.trim_end_matches('\\').len()) % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMBINED: &str =
        r#"1.2.3.4 - John Doe [24/May/2004:22:01:02 -0700] "GET /a \"b\" HTTP/1.1" 304 - "-" "Moz (X; \"y\\")""#;

    fn fields<'l>(format: &str, line: &'l str) -> Option<Vec<&'l str>> {
        let mut out = Vec::new();
        let is_match = W3cLog::new(format).unwrap().parse(line, &mut out).unwrap();
        let texts = out.into_iter().map(|value| match value {
            Datum::Text(std::borrow::Cow::Borrowed(text)) => text,
            other => panic!("{other:?}"),
        });
        is_match.then(|| texts.collect())
    }

    #[test]
    fn lines_are_read() {
        let common = r#"192.168.254.30 - John [24/May/2004:22:01:02 -0700] "GET /icons/apache_pb.gif HTTP/1.1" 304 0"#;
        let parts = [
            "192.168.254.30",
            "-",
            "John",
            "[24/May/2004:22:01:02 -0700]",
            "GET /icons/apache_pb.gif HTTP/1.1",
            "304",
            "0",
        ];
        assert_eq!(fields("COMMON", common).as_deref(), Some(&parts[..]));
        assert_eq!(fields(r#"%h %l %u %t \"%r\" %>s %b"#, &format!("{common}\r\n")).as_deref(), Some(&parts[..]));
        let bare = fields(r#"%h %l %u [%t] "%r" %>s %b"#, common).unwrap();
        assert_eq!(bare[3], "24/May/2004:22:01:02 -0700");
        let parts = [
            "1.2.3.4",
            "-",
            "John Doe",
            "[24/May/2004:22:01:02 -0700]",
            r#"GET /a \"b\" HTTP/1.1"#,
            "304",
            "-",
            "-",
            r#"Moz (X; \"y\\")"#,
        ];
        assert_eq!(fields("ncsa extended", COMBINED).as_deref(), Some(&parts[..]));
        assert_eq!(fields("COMMON", COMBINED), None);
        assert_eq!(fields("NCSA EXTENDED", common), None);
        assert_eq!(
            fields("COMMON WITH VHOST", &format!("example.com {common}")).unwrap()[..2],
            ["example.com", "192.168.254.30"]
        );
        assert_eq!(fields("REFERER", "http://a/ b ---> /c"), Some(vec!["http://a/ b", "/c"]));
        assert_eq!(fields("AGENT", "Mozilla/4.0 (x)"), Some(vec!["Mozilla/4.0 (x)"]));
        let iis = "1.2.3.4, -, 03/20/01, 7:55:20, W3SVC2, SALES1, 5.6.7.8, 4502, 163, 3223, 200, 0, GET, /a b.gif, -,";
        assert_eq!(fields("IIS", iis).unwrap()[2..5], ["03/20/01", "7:55:20", "W3SVC2"]);
        assert_eq!(fields("IIS", iis).unwrap()[13..], ["/a b.gif", "-"]);
        assert_eq!(fields("%400,501{User-agent}i|%!200[Referer]i|100%%", "a b|-|100%"), Some(vec!["a b", "-"]));
        assert_eq!(fields("[%{%d/%b %H}t] %D", "[24/May 22] 17"), Some(vec!["24/May 22", "17"]));
        assert_eq!(fields("%h %b", "a  b"), None);
        assert_eq!(fields("%h %b", ""), None);
        assert_eq!(fields("%t", "[a"), None);
    }

    #[test]
    fn wrong_formats_say_what() {
        let cases = [
            ("%h %Q", "unknown specifier %Q"),
            ("%h%b", "nothing stands between"),
            ("%i", "%i needs a name"),
            ("%{a", "is not closed"),
            ("%", "ends with %"),
            ("%h \\", "ends with a backslash"),
            ("COMBINED", "expected specifiers such as %h, or one of COMMON"),
            ("", "no log format"),
        ];
        for (format, part) in cases {
            let error = W3cLog::new(format).unwrap_err();
            assert!(error.contains(part), "{format}: {error}");
        }
    }
}
