//! The action lines of a bulk.

use std::borrow::Cow;
use std::fmt;

use search_query::source_filter::SourceFilter;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::error::ApiError;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `index`
    Index,
    /// `create`
    Create,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Index => "index",
            Kind::Create => "create",
            Kind::Update => "update",
            Kind::Delete => "delete",
        }
    }
}

/// An action line.
#[derive(Debug, PartialEq)]
pub struct Action<'a> {
    /// What is to be done.
    pub kind: Kind,
    /// `_index`
    pub index: Option<Cow<'a, str>>,
    /// `_id`
    pub id: Option<Cow<'a, str>>,
    /// `if_seq_no`
    pub if_seq_no: Option<u64>,
    /// `if_primary_term`
    pub if_primary_term: Option<u64>,
    /// `require_alias`
    pub require_alias: Option<bool>,
    /// `_source` of an update: the document is to come back, in part.
    pub source: Option<SourceFilter>,
    /// A parameter that this index cannot do.
    pub unsupported: Option<&'static str>,
}

impl<'a> Action<'a> {
    /// Reads a line; its number is for the messages.
    pub fn parse(line: &'a [u8], number: usize) -> Result<Action<'a>, ApiError> {
        let malformed =
            |problem: String| ApiError::illegal(format!("Malformed action/metadata line [{number}], {problem}"));
        let raw: &RawValue = serde_json::from_slice(line).map_err(|error| malformed(format!("not JSON: {error}")))?;
        let expect_object = |raw: &RawValue| match token(raw) {
            "START_OBJECT" => Ok(()),
            found => Err(malformed(format!("expected START_OBJECT but found [{found}]"))),
        };
        expect_object(raw)?;
        let mut members = Members::of(raw).into_iter();
        let Some((name, metadata)) = members.next() else {
            return Err(malformed("expected FIELD_NAME but found [END_OBJECT]".into()));
        };
        let kind = match &*name {
            "index" => Kind::Index,
            "create" => Kind::Create,
            "update" => Kind::Update,
            "delete" => Kind::Delete,
            other => {
                return Err(malformed(format!(
                    "expected field [create], [delete], [index] or [update] but found [{other}]"
                )));
            }
        };
        expect_object(metadata)?;
        if members.next().is_some() {
            return Err(malformed("expected END_OBJECT but found [FIELD_NAME]".into()));
        }
        let mut action = Action::new(kind);
        for (name, value) in Members::of(metadata) {
            action.set(&name, value, number)?;
        }
        Ok(action)
    }

    fn new(kind: Kind) -> Action<'a> {
        let (index, id, source) = (None, None, None);
        Action {
            kind,
            index,
            id,
            if_seq_no: None,
            if_primary_term: None,
            require_alias: None,
            source,
            unsupported: None,
        }
    }

    /// Takes a parameter. What only places a document (`routing`), names its type, or names a pipeline (those that are stored do
    /// nothing) is accepted.
    fn set(&mut self, name: &str, raw: &'a RawValue, line: usize) -> Result<(), ApiError> {
        let wrong = |what: &str| {
            ApiError::illegal(format!("Action/metadata line [{line}]: [{name}] expected {what}, found {raw}"))
        };
        let number = || raw.get().trim_matches('"').parse().map(Some).map_err(|_| wrong("a whole number"));
        if name == "_source" {
            let value = serde_json::from_str(raw.get()).map_err(|_| wrong("a filter"))?;
            self.source = Some(SourceFilter::parse(&value)?);
            return Ok(());
        }
        if matches!(token(raw), "START_OBJECT" | "START_ARRAY") && name != "dynamic_templates" {
            return Err(ApiError::illegal(format!(
                "Malformed action/metadata line [{line}], expected a simple value for field [{name}] but found [{}]",
                token(raw)
            )));
        }
        match name {
            "_index" => self.index = text(raw),
            "_id" => self.id = text(raw),
            "if_seq_no" => self.if_seq_no = number()?,
            "if_primary_term" => self.if_primary_term = number()?,
            "require_alias" => self.require_alias = Some(raw.get().trim_matches('"') == "true"),
            "op_type" if self.kind == Kind::Index && raw.get() == "\"create\"" => self.kind = Kind::Create,
            "version" | "_version" => self.unsupported = Some("version"),
            "version_type" | "_version_type" if raw.get() != "\"internal\"" => self.unsupported = Some("version_type"),
            "_type"
            | "_routing"
            | "_retry_on_conflict"
            | "_version_type"
            | "dynamic_templates"
            | "list_executed_pipelines"
            | "op_type"
            | "pipeline"
            | "require_data_stream"
            | "retry_on_conflict"
            | "routing"
            | "version_type" => {}
            other => {
                return Err(ApiError::illegal(format!(
                    "Action/metadata line [{line}] contains an unknown parameter [{other}]"
                )));
            }
        }
        Ok(())
    }
}

/// Elasticsearch's name of the token that a value begins with.
fn token(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'{') => "START_OBJECT",
        Some(b'[') => "START_ARRAY",
        Some(b'"') => "VALUE_STRING",
        Some(b't' | b'f') => "VALUE_BOOLEAN",
        Some(b'n') | None => "VALUE_NULL",
        Some(_) => "VALUE_NUMBER",
    }
}

/// A string without its quotes; numbers and booleans as they are written.
fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get() {
        "null" => None,
        quoted if quoted.starts_with('"') && !quoted.contains('\\') => {
            Some(Cow::Borrowed(&quoted[1..quoted.len() - 1]))
        }
        quoted if quoted.starts_with('"') => serde_json::from_str(quoted).ok().map(Cow::Owned),
        bare => Some(Cow::Borrowed(bare)),
    }
}

/// The members of an object, in order, their values unread.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Of a text that is an object; JSON it is already.
    fn of(raw: &'a RawValue) -> Vec<(Cow<'a, str>, &'a RawValue)> {
        serde_json::from_str::<Members<'a>>(raw.get()).map(|members| members.0).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(4);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let got = match Action::parse(line.as_bytes(), 3) {
            Ok(action) => format!(
                "{} {} {}",
                action.kind.name(),
                action.index.unwrap_or(Cow::Borrowed("-")),
                action.id.unwrap_or(Cow::Borrowed("-"))
            ),
            Err(error) => error.reason,
        };
        assert_eq!(got, expected, "{line}");
    }

    #[test]
    fn action_lines() {
        check(r#"{"index":{}}"#, "index - -");
        check(r#"{"index":{"_index":"a","_type":"_doc","_id":"1","routing":"x","pipeline":"p"}}"#, "index a 1");
        check(r#"{"index":{"_id":"a\"b","op_type":"create"}}"#, "create - a\"b");
        check(r#"{"delete":{"_id":7,"if_seq_no":"3","if_primary_term":1}}"#, "delete - 7");
        check(r#"{ "update" : { "_index" : "a" , "_source" : ["x"] } } "#, "update a -");
        check(r#"{"create":{"_id":null}}"#, "create - -");
    }

    #[test]
    fn malformed_action_lines_are_named() {
        let begin = "Malformed action/metadata line [3], ";
        check(r#""index""#, &format!("{begin}expected START_OBJECT but found [VALUE_STRING]"));
        check(r#"{"index":"a"}"#, &format!("{begin}expected START_OBJECT but found [VALUE_STRING]"));
        check(r#"{}"#, &format!("{begin}expected FIELD_NAME but found [END_OBJECT]"));
        check(r#"{"index":{},"delete":{}}"#, &format!("{begin}expected END_OBJECT but found [FIELD_NAME]"));
        check(
            r#"{"put":{}}"#,
            &format!("{begin}expected field [create], [delete], [index] or [update] but found [put]"),
        );
        check(
            r#"{"index":{"_id":["1"]}}"#,
            &format!("{begin}expected a simple value for field [_id] but found [START_ARRAY]"),
        );
        check(r#"{"index":{"foo":1}}"#, "Action/metadata line [3] contains an unknown parameter [foo]");
        check(
            r#"{"index":{"if_seq_no":"x"}}"#,
            "Action/metadata line [3]: [if_seq_no] expected a whole number, found \"x\"",
        );
        assert!(
            Action::parse(b"{\"index\":", 3)
                .unwrap_err()
                .reason
                .starts_with("Malformed action/metadata line [3], not JSON")
        );
    }
}
