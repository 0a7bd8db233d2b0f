//! The query protocol: a form in (`Attributes.entry.1.key=…`), XML out.
//!
//! The form's dotted names are a tree; what a node is (structure, list, map, number) is decided by the type that is read from
//! it, because the form itself does not say. Replies carry no XML namespace: the one of a service is not known here, and
//! neither botocore nor the Rust SDK looks at it.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::value::SeqDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde_json::Value;

use super::protocol::Reply;
use crate::error::ApiError;

/// The deepest name of a form, in dots: bounds the recursion. The deepest one of the services here has 7.
const MAX_DEPTH: usize = 32;

/// Fields of every form that are not the operation's input.
const ENVELOPE: &[&str] = &["Action", "Version"];

/// Reads an operation's input: dotted names become structures, `X.member.N` and `X.N` lists, `X.entry.N.key|value` (and
/// `Name|Value`) maps. Numbers and booleans are read from their text, where the input's type wants them; a number that is an
/// instant (`wire::types::Timestamp`) also from ISO 8601.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let malformed = |e: FormError| ApiError::bad_request("SerializationException", e.0);
    let mut root = IndexMap::new();
    for pair in pairs(body) {
        let (name, value) = pair.map_err(malformed)?;
        if !ENVELOPE.contains(&name.as_ref()) {
            insert(&mut root, &name, value).map_err(malformed)?;
        }
    }
    T::deserialize(Node::Fields(root)).map_err(malformed)
}

/// Writes an operation's output: `<OpResponse><OpResult>…</OpResult><ResponseMetadata>…`. An array is repeated `<member>`s, one
/// under the key `entry` repeated `<entry>`s (so a map is `{"entry": [{"key": …, "value": …}]}`); null is left out.
pub fn encode<T: Serialize>(operation: &str, request_id: &str, output: &T) -> Result<Reply, ApiError> {
    let output = serde_json::to_value(output).map_err(ApiError::internal)?;
    let mut xml = format!("<{operation}Response><{operation}Result>");
    write_value(&mut xml, &output);
    xml.push_str(&format!(
        "</{operation}Result><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{operation}Response>",
        escape(request_id)
    ));
    Ok(xml_reply(xml))
}

/// The `Action` of a form.
pub fn action(body: &[u8]) -> Option<String> {
    pairs(body).flatten().find_map(|(name, value)| (name == "Action").then(|| value.into_owned()))
}

/// An error: `<ErrorResponse><Error><Type>Sender</Type><Code>…`.
pub fn error(error: &ApiError, request_id: &str) -> Result<Reply, ApiError> {
    let side = if error.status.is_client_error() { "Sender" } else { "Receiver" };
    Ok(xml_reply(format!(
        "<ErrorResponse><Error><Type>{side}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{}</RequestId></ErrorResponse>",
        escape(error.query_code.unwrap_or(&error.code)),
        escape(&error.message),
        escape(request_id)
    )))
}

fn xml_reply(xml: String) -> Reply {
    Reply { content_type: "text/xml", body: xml.into() }
}

type Pair<'b> = (Cow<'b, str>, Cow<'b, str>);

/// The names and values of a form.
fn pairs(body: &[u8]) -> impl Iterator<Item = Result<Pair<'_>, FormError>> {
    body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &b""[..]),
        };
        Ok((unescape(name)?, unescape(value)?))
    })
}

fn unescape(text: &[u8]) -> Result<Cow<'_, str>, FormError> {
    let not_utf8 = |_| FormError("the form is not UTF-8 text".into());
    let text = std::str::from_utf8(text).map_err(not_utf8)?;
    if text.contains('+') {
        let text = text.replace('+', " ");
        let decoded = percent_decode_str(&text).decode_utf8().map_err(not_utf8)?;
        return Ok(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().map_err(not_utf8)
}

/// A place in the tree of a form's names.
enum Node {
    Text(String),
    Fields(IndexMap<String, Node>),
}

fn insert(root: &mut IndexMap<String, Node>, name: &str, value: Cow<'_, str>) -> Result<(), FormError> {
    let parts: Vec<&str> = name.split('.').collect();
    let Some((last, path)) = parts.split_last() else { return Ok(()) };
    if path.len() >= MAX_DEPTH {
        return Err(FormError(format!("a name of the form has more than {MAX_DEPTH} parts")));
    }
    let mut fields = root;
    for part in path {
        let node = fields.entry((*part).to_owned()).or_insert_with(|| Node::Fields(IndexMap::new()));
        // An empty list is written `X=`; whoever goes on with `X.member.1` did not mean it.
        if matches!(node, Node::Text(text) if text.is_empty()) {
            *node = Node::Fields(IndexMap::new());
        }
        fields = match node {
            Node::Fields(inner) => inner,
            Node::Text(_) => return Err(FormError(format!("{name}: {part} has a value and parts"))),
        };
    }
    fields.insert((*last).to_owned(), Node::Text(value.into_owned()));
    Ok(())
}

/// What was wrong with a form, with the name of the field.
#[derive(Debug)]
struct FormError(String);

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FormError {}

impl de::Error for FormError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        FormError(message.to_string())
    }
}

impl Node {
    /// The items of `member.N` or `N`, in the order of their numbers; the node itself when it is no list.
    fn into_list(self) -> Result<Vec<Node>, Node> {
        match self {
            Node::Text(text) if text.is_empty() => Ok(Vec::new()),
            Node::Fields(mut fields) if fields.len() == 1 && fields.contains_key("member") => {
                fields.swap_remove("member").map_or(Ok(Vec::new()), Node::into_list)
            }
            Node::Fields(fields) if !fields.is_empty() && fields.keys().all(|key| key.parse::<u32>().is_ok()) => {
                let mut items: Vec<_> = fields.into_iter().collect();
                items.sort_by_key(|(key, _)| key.parse::<u32>().unwrap_or(0));
                Ok(items.into_iter().map(|(_, node)| node).collect())
            }
            other => Err(other),
        }
    }

    /// The fields of a structure, or the pairs of a map (`entry.N.key`, `entry.N.value`).
    fn into_fields(self) -> Result<IndexMap<String, Node>, FormError> {
        let mut fields = match self {
            Node::Fields(fields) => fields,
            Node::Text(text) if text.is_empty() => return Ok(IndexMap::new()),
            Node::Text(_) => return Err(FormError("expected a structure, found text".into())),
        };
        if fields.len() != 1 || !fields.contains_key("entry") {
            return Ok(fields);
        }
        let entries = fields.swap_remove("entry").map_or(Ok(Vec::new()), Node::into_list);
        let entries = entries.map_err(|_| FormError("expected entry.N".into()))?;
        entries.into_iter().map(Node::into_entry).collect()
    }

    fn into_entry(self) -> Result<(String, Node), FormError> {
        let mut fields = self.into_fields()?;
        let mut take = |names: [&str; 2]| names.iter().find_map(|name| fields.swap_remove(*name));
        match (take(["key", "Name"]), take(["value", "Value"])) {
            (Some(Node::Text(key)), Some(value)) => Ok((key, value)),
            _ => Err(FormError("an entry needs key and value (or Name and Value)".into())),
        }
    }

    fn into_text(self) -> Result<String, FormError> {
        match self {
            Node::Text(text) => Ok(text),
            Node::Fields(_) => Err(FormError("expected a value, found a structure".into())),
        }
    }

    fn parse<T: std::str::FromStr>(self, expected: &str) -> Result<T, FormError> {
        let text = self.into_text()?;
        text.trim().parse().map_err(|_| FormError(format!("expected {expected}, found {text:?}")))
    }
}

/// Gives the fields of a structure to its type; what is wrong with one carries its name.
struct Fields {
    fields: indexmap::map::IntoIter<String, Node>,
    value: Option<(String, Node)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = FormError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, FormError> {
        let Some((key, node)) = self.fields.next() else { return Ok(None) };
        self.value = Some((key.clone(), node));
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, FormError> {
        let Some((key, node)) = self.value.take() else { return Err(FormError("a value without its key".into())) };
        seed.deserialize(node).map_err(|e| FormError(format!("{key}: {e}")))
    }
}

macro_rules! parsed {
    ($($method:ident $visit:ident $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
            visitor.$visit(self.parse($expected)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Node {
    type Error = FormError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        match self {
            Node::Text(text) => visitor.visit_string(text),
            fields => match fields.into_list() {
                Ok(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
                Err(fields) => fields.deserialize_map(visitor),
            },
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_map(Fields { fields: self.into_fields()?.into_iter(), value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FormError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        let items = self.into_list().map_err(|_| FormError("expected a list (member.N)".into()))?;
        visitor.visit_seq(SeqDeserializer::new(items.into_iter()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FormError> {
        visitor.visit_enum(self.into_text()?.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_unit()
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        visitor.visit_bool(match self.into_text()?.to_ascii_lowercase().as_str() {
            "true" | "1" => true,
            "false" | "0" => false,
            other => return Err(FormError(format!("expected true or false, found {other:?}"))),
        })
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FormError> {
        let text = self.into_text()?;
        let instant = |_| text.parse::<jiff::Timestamp>().map(|at| at.as_millisecond() as f64 / 1000.0);
        let number = text.trim().parse::<f64>().or_else(instant);
        visitor.visit_f64(number.map_err(|_| FormError(format!("expected a number or an instant, found {text:?}")))?)
    }

    parsed! {
        deserialize_i8 visit_i8 "an integer";
        deserialize_i16 visit_i16 "an integer";
        deserialize_i32 visit_i32 "an integer";
        deserialize_i64 visit_i64 "an integer";
        deserialize_u8 visit_u8 "a positive integer";
        deserialize_u16 visit_u16 "a positive integer";
        deserialize_u32 visit_u32 "a positive integer";
        deserialize_u64 visit_u64 "a positive integer";
        deserialize_f32 visit_f32 "a number";
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

impl IntoDeserializer<'_, FormError> for Node {
    type Deserializer = Node;
    fn into_deserializer(self) -> Node {
        self
    }
}

fn write_value(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => xml.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => xml.push_str(&number.to_string()),
        Value::String(text) => xml.push_str(&escape(text)),
        Value::Array(items) => items.iter().for_each(|item| write_element(xml, "member", item)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Array(items) if name == "entry" => {
                        items.iter().for_each(|item| write_element(xml, "entry", item));
                    }
                    value => write_element(xml, name, value),
                }
            }
        }
    }
}

fn write_element(xml: &mut String, name: &str, value: &Value) {
    if !value.is_null() {
        xml.push_str(&format!("<{name}>"));
        write_value(xml, value);
        xml.push_str(&format!("</{name}>"));
    }
}

/// Text of an element. A carriage return would be read as a line feed (XML 1.0, 2.11); characters that XML 1.0 cannot hold in
/// any form become U+FFFD, since one of them makes the whole reply unreadable.
fn escape(text: &str) -> Cow<'_, str> {
    let plain =
        |c: char| !matches!(c, '&' | '<' | '>' | '"' | '\u{fffe}' | '\u{ffff}') && (c >= ' ' || c == '\n' || c == '\t');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#xD;"),
            c if plain(c) => escaped.push(c),
            _ => escaped.push('\u{fffd}'),
        }
    }
    Cow::Owned(escaped)
}
