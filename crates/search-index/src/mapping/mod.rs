//! What the fields of an index are, as Elasticsearch's mappings have it.
//!
//! ```text
//! `mappings` of a request ─ Mapping::from_json ─▶ Mapping ─ to_json ─▶ `_mapping`
//! a document's bytes ─ Mapping::parse ─▶ values for the split's builder, and the fields that it brings ─ Mapping::merge ─▶ the next mapping
//! ```

mod date;
mod document;
mod elasticsearch;
mod json;
mod lookup;
mod merge;
mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

pub(crate) use date::zoned;
pub use date::{DateFormat, Fill, InvalidFormat};

use crate::split::FieldValue;

/// Fields of an index at most (Elasticsearch's `index.mapping.total_fields.limit`).
pub const MAX_FIELDS: usize = 1_000;

/// Objects inside objects at most (Elasticsearch's `index.mapping.depth.limit`).
pub const MAX_DEPTH: usize = 20;

/// The longest string that the dynamic `.keyword` keeps (Elasticsearch's dynamic mapping: `ignore_above: 256`).
pub const DYNAMIC_IGNORE_ABOVE: u32 = 256;

/// When a line arrived (epoch ms, firehose-transform writes it): a date in every index.
pub const INGESTED: &str = "@ingested";

/// A field's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldType {
    /// Analysed text. With `keyword`, the whole value too, under that sub-field's name.
    Text {
        /// Name (usually `keyword`) and `ignore_above` of the sub-field.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keyword: Option<(String, u32)>,
    },
    /// An exact value.
    Keyword {
        /// Longer values are not indexed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ignore_above: Option<u32>,
    },
    /// A whole number (`byte`, `short`, `integer`, `long`).
    Long {
        /// The name it was mapped with.
        name: String,
    },
    /// A number (`half_float`, `float`, `double`, `scaled_float`).
    Double {
        /// The name it was mapped with.
        name: String,
    },
    /// A moment, kept as milliseconds.
    Date {
        /// `format`; Elasticsearch's default when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<String>,
    },
    /// True or false.
    Boolean,
    /// An address, indexed as a keyword.
    Ip,
}

/// Whether fields that are not mapped become so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dynamic {
    /// They do.
    #[default]
    True,
    /// They are kept in `_source` and not indexed.
    False,
    /// The document is refused.
    Strict,
}

/// The fields of an index. Grows, by [`Mapping::merge`] and [`Mapping::extend`]; a field's type never changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Fields that are not mapped; [`Dynamic::True`] unless it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dynamic: Option<Dynamic>,
    /// Path (`a.b`) → type, leaves only.
    pub fields: BTreeMap<String, FieldType>,
    /// Path of an object → its own `dynamic`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objects: BTreeMap<String, Dynamic>,
    /// Path of a field → parameters that change nothing here, given back as they came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Map<String, Json>>,
    /// `_meta` and what else was sent and is only given back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, Json>,
    /// Made from the others when a document is first read; [`Mapping::merge`] and [`Mapping::extend`] forget it.
    #[serde(skip)]
    pub(crate) compiled: lookup::Compiled,
}

/// A mapping that cannot be, in the words of Elasticsearch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct MappingError {
    /// `error.type`: `mapper_parsing_exception`, `illegal_argument_exception`.
    pub kind: &'static str,
    /// `error.reason`.
    pub reason: String,
}

/// A document that the mapping refuses, in the words of Elasticsearch (status 400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DocumentError {
    /// `error.type`: `document_parsing_exception`, `strict_dynamic_mapping_exception`, `illegal_argument_exception`.
    pub kind: &'static str,
    /// `error.reason`; names line and column, field, type and value.
    pub reason: String,
}

/// What is indexed of one value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Words (`text`), and with `keyword` the whole value as well (`doc`).
    Text {
        /// The value.
        text: Cow<'a, str>,
        /// It is short enough for the sub-field.
        keyword: bool,
    },
    /// An exact value (keyword, ip).
    Keyword(Cow<'a, str>),
    /// A whole number.
    Long(i64),
    /// A finite number.
    Double(f64),
    /// Epoch milliseconds.
    Date(i64),
    /// True or false.
    Boolean(bool),
}

/// A document, read by a mapping.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed<'a> {
    /// Path and value, in the order of the document; several of one path from an array.
    pub values: Vec<(Cow<'a, str>, Value<'a>)>,
    /// Fields that the mapping did not have, to be merged into it in the commit that indexes the document.
    pub new: BTreeMap<String, FieldType>,
}

impl FieldType {
    /// Elasticsearch's name of the type.
    pub fn name(&self) -> &str {
        match self {
            FieldType::Text { .. } => "text",
            FieldType::Keyword { .. } => "keyword",
            FieldType::Long { name } | FieldType::Double { name } => name,
            FieldType::Date { .. } => "date",
            FieldType::Boolean => "boolean",
            FieldType::Ip => "ip",
        }
    }
}

impl<'a> Parsed<'a> {
    /// The values as the split's builder takes them.
    pub fn values(&self) -> Vec<(&str, FieldValue<'_>)> {
        self.values.iter().map(|(path, value)| (path.as_ref(), value.as_field_value())).collect()
    }

    /// Paths that have a value without an exact copy: for `exists`.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (path, value) in &self.values {
            if matches!(value, Value::Text { keyword: false, .. }) && !names.contains(&path.as_ref()) {
                names.push(path);
            }
        }
        names
    }
}

impl Value<'_> {
    fn as_field_value(&self) -> FieldValue<'_> {
        match self {
            Value::Text { text, keyword: false } => FieldValue::Text(text),
            Value::Text { text, keyword: true } => FieldValue::TextAndKeyword(text),
            Value::Keyword(text) => FieldValue::Keyword(text),
            Value::Long(number) => FieldValue::Long(*number),
            Value::Double(number) => FieldValue::Double(*number),
            Value::Date(millis) => FieldValue::Date(*millis),
            Value::Boolean(boolean) => FieldValue::Bool(*boolean),
        }
    }
}

#[cfg(test)]
mod tests;
