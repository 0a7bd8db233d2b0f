//! What the fields of an index are, as Elasticsearch's mappings have it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Fields of an index at most (Elasticsearch's `index.mapping.total_fields.limit`).
pub const MAX_FIELDS: usize = 1_000;

/// The longest string that the dynamic `.keyword` keeps (Elasticsearch's dynamic mapping: `ignore_above: 256`).
pub const DYNAMIC_IGNORE_ABOVE: u32 = 256;

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

/// The fields of an index. Grows; a field's type never changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// Fields that are not mapped.
    #[serde(default)]
    pub dynamic: Dynamic,
    /// Path (`a.b`) → type, leaves only.
    pub fields: BTreeMap<String, FieldType>,
    /// `_meta` and what else was sent and is only given back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, serde_json::Value>,
}
