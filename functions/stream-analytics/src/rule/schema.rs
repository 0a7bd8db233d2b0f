//! `InputSchema` as Kinesis Data Analytics has it: of the source, and of a reference table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `InputSchema`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Schema {
    /// The format of a record.
    pub record_format: RecordFormat,
    /// `UTF-8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_encoding: Option<Encoding>,
    /// The columns.
    pub record_columns: Vec<RecordColumn>,
}

/// The format of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct RecordFormat {
    /// `JSON` or `CSV`.
    pub record_format_type: FormatType,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping_parameters: Option<MappingParameters>,
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum FormatType {
    Json,
    Csv,
}

/// The encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Encoding {
    /// UTF-8.
    #[serde(rename = "UTF-8")]
    Utf8,
}

/// More about a format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingParameters {
    /// Of `JSON`.
    #[serde(default, rename = "JSONMappingParameters", skip_serializing_if = "Option::is_none")]
    pub json: Option<JsonMapping>,
    /// Of `CSV`.
    #[serde(default, rename = "CSVMappingParameters", skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvMapping>,
}

/// Of `JSON`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct JsonMapping {
    /// `$`.
    pub record_row_path: String,
}

/// Of `CSV`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct CsvMapping {
    /// Between columns.
    pub record_column_delimiter: String,
    /// Between rows.
    pub record_row_delimiter: String,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct RecordColumn {
    /// Its name, exact.
    pub name: String,
    /// Its SQL type (`VARCHAR(16)`).
    pub sql_type: String,
    /// JSONPath (`$.a.b`); none for CSV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}
