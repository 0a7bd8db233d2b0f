//! The source: how records become rows.

use serde::{Deserialize, Serialize};

use crate::value::SqlType;

/// A column of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, exact.
    pub name: String,
    /// Its type.
    pub sql_type: SqlType,
    /// JSONPath (`$.a.b`); none: the column's name. Of a CSV record, none: the order counts.
    pub mapping: Option<String>,
}

/// A source stream of an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `SOURCE_SQL_STREAM_001`, exact.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What its records are.
    pub format: Format,
}

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// JSON objects.
    Json {
        /// Names from the record to the object, or the array of objects, that holds the rows; empty for `$`.
        row_path: Vec<String>,
    },
    /// Lines of values.
    Csv {
        /// Between two columns.
        column_delimiter: String,
        /// Between two rows.
        row_delimiter: String,
    },
}

impl Default for Format {
    fn default() -> Format {
        Format::Json { row_path: Vec::new() }
    }
}

/// `InputSchema` as AWS writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct InputSchema {
    /// JSON or CSV.
    pub record_format: RecordFormat,
    /// `UTF-8`, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_encoding: Option<String>,
    /// In the order of the stream's columns.
    pub record_columns: Vec<RecordColumn>,
}

/// `RecordFormat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RecordFormat {
    /// `JSON` or `CSV`.
    pub record_format_type: RecordFormatType,
    /// How a record is taken apart.
    #[serde(default)]
    pub mapping_parameters: MappingParameters,
}

/// `RecordFormatType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum RecordFormatType {
    Json,
    Csv,
}

/// `MappingParameters`: those of the format.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingParameters {
    /// Of JSON.
    #[serde(rename = "JSONMappingParameters", default, skip_serializing_if = "Option::is_none")]
    pub json: Option<JsonMappingParameters>,
    /// Of CSV.
    #[serde(rename = "CSVMappingParameters", default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvMappingParameters>,
}

/// `JSONMappingParameters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct JsonMappingParameters {
    /// `$`, or the path of what holds the rows.
    pub record_row_path: String,
}

/// `CSVMappingParameters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CsvMappingParameters {
    /// Between two rows.
    pub record_row_delimiter: String,
    /// Between two columns.
    pub record_column_delimiter: String,
}

/// `RecordColumn`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct RecordColumn {
    /// Its name, exact.
    pub name: String,
    /// `VARCHAR(16)`, …
    pub sql_type: String,
    /// JSONPath of its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

impl InputSchema {
    /// The source of this name with this schema; or what is wrong with the schema.
    pub fn source(&self, name: &str) -> Result<Source, String> {
        if let Some(encoding) =
            self.record_encoding.as_deref().filter(|encoding| !encoding.eq_ignore_ascii_case("UTF-8"))
        {
            return Err(format!("RecordEncoding {encoding:?} is not supported: UTF-8 is"));
        }
        let mut columns: Vec<Column> = Vec::with_capacity(self.record_columns.len());
        for column in &self.record_columns {
            let sql_type = SqlType::parse(&column.sql_type)
                .map_err(|error| format!("column {:?}: SqlType {:?}: {error}", column.name, column.sql_type))?;
            if columns.iter().any(|earlier| earlier.name == column.name) {
                return Err(format!("column {:?} is there twice", column.name));
            }
            columns.push(Column { name: column.name.clone(), sql_type, mapping: column.mapping.clone() });
        }
        let source = Source { name: name.to_owned(), columns, format: self.format()? };
        crate::record::check(&source)?;
        Ok(source)
    }

    fn format(&self) -> Result<Format, String> {
        let parameters = &self.record_format.mapping_parameters;
        Ok(match self.record_format.record_format_type {
            RecordFormatType::Json => {
                let path = parameters.json.as_ref().map_or("$", |json| json.record_row_path.as_str());
                Format::Json { row_path: crate::record::row_path(path)? }
            }
            RecordFormatType::Csv => {
                let csv = parameters.csv.as_ref();
                let delimiter = |of: fn(&CsvMappingParameters) -> &String, default: &str| {
                    csv.map_or(default, |csv| of(csv)).to_owned()
                };
                let format = Format::Csv {
                    column_delimiter: delimiter(|csv| &csv.record_column_delimiter, ","),
                    row_delimiter: delimiter(|csv| &csv.record_row_delimiter, "\n"),
                };
                match &format {
                    Format::Csv { column_delimiter, row_delimiter }
                        if column_delimiter.is_empty() || row_delimiter.is_empty() =>
                    {
                        return Err("a delimiter of CSVMappingParameters is empty".into());
                    }
                    _ => format,
                }
            }
        })
    }
}
