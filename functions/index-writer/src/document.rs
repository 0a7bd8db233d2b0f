//! A line as an operation on an index.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use jiff::tz::TimeZone;
use search_index::mapping::{Fill, INGESTED};
use search_index::write::{DocumentId, Op};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::lake::Identity;
use crate::rules::{INBOX, Rule};

/// Elasticsearch's word for a document that cannot be read.
pub const PARSING: &str = "document_parsing_exception";

/// What a line comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The index.
    pub index: String,
    /// What to do.
    pub op: Op,
}

/// A line that cannot be indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecidable {
    /// The index, if it was decided.
    pub index: Option<String>,
    /// Why.
    pub reason: String,
}

/// How the lines of an object are read.
pub struct Reader<'r> {
    rule: &'r Rule,
    source: &'r Identity,
    inbox: bool,
    /// An inbox's index, from the key.
    second_part: &'r str,
    /// Names change with the hour at most: the last hour and its name.
    named: Option<(i64, String)>,
}

const MS_PER_HOUR: i64 = 60 * 60 * 1000;

impl<'r> Reader<'r> {
    /// By the rule of this object.
    pub fn new(rule: &'r Rule, source: &'r Identity) -> Reader<'r> {
        let second_part = source.key.split('/').nth(1).unwrap_or_default();
        Reader { rule, source, inbox: source.key.starts_with(INBOX), second_part, named: None }
    }

    /// Reads a line; none for a blank one.
    pub fn read(&mut self, number: u64, line: &Bytes) -> Result<Option<Document>, Undecidable> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let undecidable = |reason: String| Undecidable { index: None, reason };
        let text = std::str::from_utf8(line).map_err(|error| undecidable(format!("not UTF-8: {error}")))?;
        let members: Members<'_> = serde_json::from_str(text)
            .map_err(|error| undecidable(format!("failed to parse: not a JSON object: {error}")))?;
        let index = self.index(&members).map_err(undecidable)?;
        let decided = |reason: String| Undecidable { index: Some(index.clone()), reason };
        let op = self.op(number, line, text, &members).map_err(decided)?;
        Ok(Some(Document { index, op }))
    }

    fn index(&mut self, members: &Members<'_>) -> Result<String, String> {
        let Some(name) = &self.rule.index else { return Ok(self.second_part.to_owned()) };
        let at = if name.needs_time() { self.time(members)? } else { 0 };
        let hour = at.div_euclid(MS_PER_HOUR);
        match &self.named {
            Some((known, text)) if *known == hour => Ok(text.clone()),
            _ => {
                let text = name.at(at);
                self.named = Some((hour, text.clone()));
                Ok(text)
            }
        }
    }

    /// The document's own time, else its arrival.
    fn time(&self, members: &Members<'_>) -> Result<i64, String> {
        if let Some((field, value)) =
            self.rule.time_field.as_deref().and_then(|field| Some((field, members.get(field)?)))
        {
            let text = scalar(value).ok_or(format!("field [{field}]: expected a time, found {value}"))?;
            let read = self.rule.time_format.parse(&text, Fill::Down, &TimeZone::UTC);
            return read.ok_or(format!("field [{field}]: failed to parse date {text:?} with the rule's timeFormat"));
        }
        match members.get(INGESTED).map(|value| value.parse::<i64>()) {
            Some(Ok(at)) => Ok(at),
            Some(Err(_)) => Err(format!("field [{INGESTED}]: expected epoch milliseconds")),
            None => match &self.rule.time_field {
                Some(field) => Err(format!("no time: neither field [{field}] nor [{INGESTED}]")),
                None => Err(format!("no time: no field [{INGESTED}]")),
            },
        }
    }

    fn op(&self, number: u64, line: &Bytes, text: &str, members: &Members<'_>) -> Result<Op, String> {
        if !self.inbox {
            return Ok(Op::Index { id: self.id(number, members, None)?, source: line.clone(), if_seq_no: None });
        }
        let given = members.get("_id").map(|value| scalar(value).ok_or("_id: expected a string"));
        let given = given.transpose()?;
        let op = members.get("_op").map(|value| scalar(value).ok_or("_op: expected a string")).transpose()?;
        let source = || members.without(line, text, &["_id", "_op"]);
        match op.as_deref() {
            None | Some("index") => {
                Ok(Op::Index { id: self.id(number, members, given)?, source: source(), if_seq_no: None })
            }
            Some("create") => Ok(Op::Create { id: self.id(number, members, given)?, source: source() }),
            Some("delete") => match self.id(number, members, given)? {
                DocumentId::Given(id) => Ok(Op::Delete { id, if_seq_no: None }),
                _ => Err("_op delete: needs _id".into()),
            },
            Some(other) => Err(format!("_op {other:?}: expected index, create or delete")),
        }
    }

    fn id(&self, number: u64, members: &Members<'_>, given: Option<Cow<'_, str>>) -> Result<DocumentId, String> {
        let of_field = || -> Result<Option<Cow<'_, str>>, String> {
            let Some(field) = &self.rule.id_field else { return Ok(None) };
            let Some(value) = members.get(field) else { return Ok(None) };
            scalar(value).map(Some).ok_or(format!("field [{field}]: expected an id, found {value}"))
        };
        let given = match given {
            Some(given) => Some(given),
            None => of_field()?,
        };
        match given {
            Some(id) if id.is_empty() => Err("an _id must not be empty".into()),
            Some(id) => Ok(DocumentId::Given(id.into_owned())),
            None => Ok(DocumentId::Source(self.source.line_id(number))),
        }
    }
}

/// A string, unescaped, or a number as it is written; none for anything else.
fn scalar(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'_>>(value).ok().map(|text| text.0),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(value)),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of a JSON object, values as they are written. Of a repeated name the last counts.
struct Members<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Members<'a> {
    /// A value; `null` is none.
    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| *value).filter(|value| *value != "null")
    }

    /// The object without some of its members; the bytes of the others as they are.
    fn without(&self, line: &Bytes, text: &str, names: &[&str]) -> Bytes {
        if !self.0.iter().any(|(name, _)| names.contains(&name.as_ref())) {
            return line.clone();
        }
        // A member reaches from the end of the one before it, with the comma, to the end of its value.
        let mut out = Vec::with_capacity(text.len());
        let mut from = text.find('{').map_or(0, |brace| brace + 1);
        out.push(b'{');
        for (name, value) in &self.0 {
            let end = value.as_ptr() as usize - text.as_ptr() as usize + value.len();
            if !names.contains(&name.as_ref()) {
                if out.len() > 1 {
                    out.push(b',');
                }
                out.extend_from_slice(text[from..end].trim_start_matches([',', ' ', '\t', '\r']).as_bytes());
            }
            from = end;
        }
        out.push(b'}');
        out.into()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Members<'a>, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(Text(name)) = map.next_key()? {
                    members.push((name, map.next_value::<&'de RawValue>()?.get()));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    const LOGS_KEY: &str = "logs/log-ingestion-stream/2026/11/20/16/a.gz";

    fn read(rules: &str, key: &str, line: &str) -> Result<Option<Document>, Undecidable> {
        let rules: Rules = if rules.is_empty() { Rules::default() } else { crate::rules::parse(rules).unwrap() };
        let source = Identity { bucket: "lake".into(), key: key.into(), etag: "e".into(), modified: 0 };
        let rule = rules.of(key).unwrap();
        Reader::new(&rule, &source).read(7, &Bytes::copy_from_slice(line.as_bytes()))
    }

    fn described(document: Document) -> String {
        let id = |id: DocumentId| match id {
            DocumentId::Given(id) => id,
            DocumentId::Source(id) => format!("#{}", id.len()),
            DocumentId::Auto => "auto".into(),
        };
        let text = |source: Bytes| String::from_utf8(source.to_vec()).unwrap();
        let op = match document.op {
            Op::Index { id: i, source, .. } => format!("index {} {}", id(i), text(source)),
            Op::Create { id: i, source } => format!("create {} {}", id(i), text(source)),
            Op::Delete { id, .. } => format!("delete {id}"),
            Op::Update { .. } => "update".into(),
        };
        format!("{} {op}", document.index)
    }

    fn check(rules: &str, key: &str, line: &str, expected: &str) {
        assert_eq!(described(read(rules, key, line).unwrap().unwrap()), expected, "{line}");
    }

    fn check_error(rules: &str, key: &str, line: &str, index: Option<&str>, part: &str) {
        let error = read(rules, key, line).unwrap_err();
        assert!(error.reason.contains(part), "{line}: {error:?}");
        assert_eq!(error.index.as_deref(), index, "{line}");
    }

    #[test]
    fn lines_of_a_stream() {
        let line = r#"{"datetime":"31/Dec/2026:23:30:00 -0100","response":"404","@ingested":5}"#;
        check("", LOGS_KEY, line, &format!("access-log-2027.01.01 index #32 {line}"));
        let message = r#" {"message":"x", "@ingested": 1795191361000}"#;
        check("", LOGS_KEY, message, &format!("access-log-2026.11.20 index #32 {message}"));
        let null = r#"{"datetime":null,"@ingested":1795191361000}"#;
        check("", LOGS_KEY, null, &format!("access-log-2026.11.20 index #32 {null}"));
        assert_eq!(read("", LOGS_KEY, "  \t").unwrap(), None);
        check_error("", LOGS_KEY, r#"{"a":1}"#, None, "neither field [datetime] nor [@ingested]");
        check_error("", LOGS_KEY, r#"{"datetime":"now","@ingested":1}"#, None, "failed to parse date \"now\"");
        check_error("", LOGS_KEY, r#"{"datetime":[1]}"#, None, "expected a time, found [1]");
        check_error("", LOGS_KEY, r#"{"@ingested":"x"}"#, None, "expected epoch milliseconds");
        for broken in ["x", "[1]", "{\"a\":", "{\"a\":1}{", "1"] {
            check_error("", LOGS_KEY, broken, None, "not a JSON object");
        }
    }

    #[test]
    fn a_field_as_the_id() {
        let rules = r#"{"rules": [{"prefix": "logs/s/", "index": "s", "idField": "id"}]}"#;
        check(rules, "logs/s/x", r#"{"id":"a\nb"}"#, "s index a\nb {\"id\":\"a\\nb\"}");
        check(rules, "logs/s/x", r#"{"id":17}"#, r#"s index 17 {"id":17}"#);
        check(rules, "logs/s/x", r#"{"_id":"x"}"#, r#"s index #32 {"_id":"x"}"#);
        check_error(rules, "logs/s/x", r#"{"id":{}}"#, Some("s"), "expected an id");
        check_error(rules, "logs/s/x", r#"{"id":""}"#, Some("s"), "must not be empty");
    }

    #[test]
    fn lines_of_an_inbox() {
        let key = "inbox/things/2026/11/20/16/w-1.json";
        check("", key, r#"{"a":1}"#, r#"things index #32 {"a":1}"#);
        check("", key, r#"{"_id":"i","a":1.50}"#, r#"things index i {"a":1.50}"#);
        check(
            "",
            key,
            r#"{ "a" : [1, 2] , "_id":"i", "_op":"create" ,"b":"\u00e9"}"#,
            "things create i {\"a\" : [1, 2],\"b\":\"\\u00e9\"}",
        );
        check("", key, r#"{"_op":"index","_id":3}"#, "things index 3 {}");
        check("", key, r#"{"_op":"delete","_id":"i"}"#, "things delete i");
        check("", key, r#"{"a":{"_id":1}}"#, r#"things index #32 {"a":{"_id":1}}"#);
        check_error("", key, r#"{"_op":"delete"}"#, Some("things"), "needs _id");
        check_error("", key, r#"{"_op":"update","_id":"i"}"#, Some("things"), "expected index, create or delete");
        check_error("", key, r#"{"_id":[]}"#, Some("things"), "_id: expected a string");
    }

    #[test]
    fn ids_follow_from_object_and_line() {
        let source = |etag: &str| Identity { bucket: "b".into(), key: "k".into(), etag: etag.into(), modified: 1 };
        assert_eq!(source("e").line_id(1), Identity { modified: 2, ..source("e") }.line_id(1));
        assert_ne!(source("e").line_id(1), source("e").line_id(2));
        assert_ne!(source("e").line_id(1), source("f").line_id(1));
        assert_ne!(source("e").line_id(1), source("e").hash());
    }
}
