//! `rules/analytics/<application>.json`, as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Outputs of an application at most (Kinesis Data Analytics quotas).
pub const MAX_OUTPUTS: usize = 3;

/// An SQL application: where its rows come from, what they look like, and where the rows of its streams go. Its statements are in
/// the `.sql` file of the same name beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Wire", into = "Wire")]
#[schemars(with = "Wire")]
pub enum Rule {
    /// `{"enabled": false}`: it does not run.
    Off,
    /// It runs.
    On(Box<Running>),
}

/// An application that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Where its rows come from.
    pub source: SourceStream,
    /// What its rows look like.
    pub input_schema: Schema,
    /// The field whose line ids tell repeats.
    pub record_id_field: Option<String>,
    /// Where rows go.
    pub outputs: Vec<Output>,
}

/// The file's keys.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[schemars(rename = "Application")]
struct Wire {
    /// `false` switches the application off; nothing else is needed then.
    #[serde(default = "on")]
    enabled: bool,
    /// Where rows come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<SourceStream>,
    /// `InputSchema` as Kinesis Data Analytics has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_schema: Option<Schema>,
    /// The field that the agent's `recordIdField` names: a line whose `<file>-<start>-<end>` was counted before is a repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record_id_field: Option<String>,
    /// Up to three: where the rows of the in-application streams go.
    #[serde(default)]
    outputs: Vec<Output>,
}

fn on() -> bool {
    true
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceStream {
    /// What the delivery stream of this name brought into the lake: seconds after its buffer.
    Firehose(String),
    /// The Kinesis stream of this name: within seconds.
    Kinesis(String),
}

/// Where the rows of a stream go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The in-application stream, exactly as the statements make it (`DESTINATION_SQL_STREAM`).
    pub stream: String,
    /// The delivery stream that takes its rows.
    pub firehose: String,
    /// How a row is written.
    pub format: OutputFormat,
}

/// How a row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OutputFormat {
    /// A JSON object in a line of its own.
    #[serde(rename = "JSON")]
    Json,
}

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

impl TryFrom<Wire> for Rule {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Rule, String> {
        if !wire.enabled {
            return Ok(Rule::Off);
        }
        let source = wire.source.ok_or("source: expected {\"firehose\": NAME} or {\"kinesis\": NAME}")?;
        let input_schema = wire.input_schema.ok_or("inputSchema: expected the InputSchema of the source")?;
        if wire.outputs.is_empty() || wire.outputs.len() > MAX_OUTPUTS {
            return Err(format!("outputs: expected 1 to {MAX_OUTPUTS}, found {}", wire.outputs.len()));
        }
        if wire.record_id_field.as_ref().is_some_and(String::is_empty) {
            return Err("recordIdField: expected the name of a field".to_owned());
        }
        // The lake's lines are JSON, whatever they were on the host.
        if matches!(source, SourceStream::Firehose(_))
            && input_schema.record_format.record_format_type == FormatType::Csv
        {
            return Err(
                "inputSchema: RecordFormatType: expected JSON, as the lines of a firehose source are".to_owned()
            );
        }
        let record_id_field = wire.record_id_field;
        Ok(Rule::On(Box::new(Running { source, input_schema, record_id_field, outputs: wire.outputs })))
    }
}

impl From<Rule> for Wire {
    fn from(rule: Rule) -> Wire {
        match rule {
            Rule::Off => {
                Wire { enabled: false, source: None, input_schema: None, record_id_field: None, outputs: Vec::new() }
            }
            Rule::On(running) => {
                let Running { source, input_schema, record_id_field, outputs } = *running;
                Wire { enabled: true, source: Some(source), input_schema: Some(input_schema), record_id_field, outputs }
            }
        }
    }
}
