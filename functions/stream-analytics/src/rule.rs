//! `rules/analytics/<application>.json`, as it is written.

mod exported;
mod output;
mod schema;
mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use exported::Exported;
pub use output::{Destination, Output, OutputFormat};
pub use schema::{
    CsvMapping, Encoding, FormatType, JsonMapping, MappingParameters, RecordColumn, RecordFormat, Schema,
};
pub use table::{S3Object, TABLES_FOLDER, Table};

/// Outputs of an application at most (Kinesis Data Analytics quotas).
pub const MAX_OUTPUTS: usize = 3;

/// Reference tables of an application at most. Kinesis Data Analytics had one.
pub const MAX_TABLES: usize = 4;

/// In-application streams that an input became at most (Kinesis Data Analytics quotas).
const MAX_PARALLELISM: u32 = 64;

/// What the source's name begins with.
const NAME_PREFIX: &str = "SOURCE_SQL_STREAM";

/// Characters of a name (reference §2: identifiers).
const MAX_NAME: usize = 128;

/// An SQL application: where its rows come from, what they look like, and where the rows of its streams go. Its statements are in
/// the `.sql` file of the same name beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Wire", into = "Wire")]
#[schemars(with = "File")]
pub enum Rule {
    /// `{"enabled": false}`: it does not run.
    Off,
    /// It runs.
    On(Box<Running>),
}

/// What the file may hold: an application, or what `describe-application` printed of one.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code)] // for its schema
enum File {
    Application(Wire),
    Exported(Exported),
}

/// An application that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Where its rows come from.
    pub source: SourceStream,
    /// The in-application stream's name without its number.
    pub name_prefix: String,
    /// How many in-application streams the source is. All rows come into the first.
    pub input_parallelism: u32,
    /// What its rows look like.
    pub input_schema: Schema,
    /// The field whose line ids tell repeats.
    pub record_id_field: Option<String>,
    /// Tables to join with.
    pub reference_tables: Vec<Table>,
    /// Another value is another version.
    pub revision: Option<String>,
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
    /// `NamePrefix` as Kinesis Data Analytics has it: the source is the stream of this name and `_001` (`SOURCE_SQL_STREAM`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name_prefix: Option<String>,
    /// `InputParallelism`: how many streams the source is, `_001` to `_064` (1). All rows come into the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    input_parallelism: Option<u32>,
    /// `InputSchema` as Kinesis Data Analytics has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    input_schema: Option<Schema>,
    /// The field that the agent's `recordIdField` names: a line whose `<file>-<start>-<end>` was counted before is a repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record_id_field: Option<String>,
    /// Up to four: tables of S3 to join with, read when a version of the application begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reference_tables: Vec<Table>,
    /// Any text. Another one is another version: reference tables are read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
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

impl Running {
    /// The names of the in-application streams that the source is.
    pub fn source_names(&self) -> Vec<String> {
        (1..=self.input_parallelism).map(|number| format!("{}_{number:03}", self.name_prefix)).collect()
    }

    /// The same, if it can run.
    fn checked(self) -> Result<Running, String> {
        if self.outputs.is_empty() || self.outputs.len() > MAX_OUTPUTS {
            return Err(format!("outputs: expected 1 to {MAX_OUTPUTS}, found {}", self.outputs.len()));
        }
        if self.record_id_field.as_ref().is_some_and(String::is_empty) {
            return Err("recordIdField: expected the name of a field".to_owned());
        }
        if self.name_prefix.is_empty() || self.name_prefix.len() > MAX_NAME - "_001".len() {
            return Err(format!("namePrefix: expected up to {} characters", MAX_NAME - "_001".len()));
        }
        if !(1..=MAX_PARALLELISM).contains(&self.input_parallelism) {
            return Err(format!("inputParallelism: expected 1 to {MAX_PARALLELISM}, found {}", self.input_parallelism));
        }
        if self.reference_tables.len() > MAX_TABLES {
            return Err(format!(
                "referenceTables: expected at most {MAX_TABLES}, found {}",
                self.reference_tables.len()
            ));
        }
        // The lake's lines are JSON, whatever they were on the host.
        if matches!(self.source, SourceStream::Firehose(_))
            && self.input_schema.record_format.record_format_type == FormatType::Csv
        {
            return Err(
                "inputSchema: RecordFormatType: expected JSON, as the lines of a firehose source are".to_owned()
            );
        }
        for output in &self.outputs {
            match (&self.source, &output.destination) {
                (SourceStream::Firehose(source), Destination::Firehose(output))
                | (SourceStream::Kinesis(source), Destination::Kinesis(output))
                    if source == output =>
                {
                    return Err(format!("outputs: {output} is the source: its rows would come round for ever"));
                }
                _ => {}
            }
        }
        Ok(self)
    }
}

impl TryFrom<Wire> for Rule {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Rule, String> {
        if !wire.enabled {
            return Ok(Rule::Off);
        }
        let running = Running {
            source: wire.source.ok_or("source: expected {\"firehose\": NAME} or {\"kinesis\": NAME}")?,
            name_prefix: wire.name_prefix.unwrap_or_else(|| NAME_PREFIX.to_owned()),
            input_parallelism: wire.input_parallelism.unwrap_or(1),
            input_schema: wire.input_schema.ok_or("inputSchema: expected the InputSchema of the source")?,
            record_id_field: wire.record_id_field,
            reference_tables: wire.reference_tables,
            revision: wire.revision,
            outputs: wire.outputs,
        };
        Ok(Rule::On(Box::new(running.checked()?)))
    }
}

impl From<Rule> for Wire {
    fn from(rule: Rule) -> Wire {
        let off = Wire {
            enabled: false,
            source: None,
            name_prefix: None,
            input_parallelism: None,
            input_schema: None,
            record_id_field: None,
            reference_tables: Vec::new(),
            revision: None,
            outputs: Vec::new(),
        };
        match rule {
            Rule::Off => off,
            Rule::On(running) => Wire {
                enabled: true,
                source: Some(running.source),
                // What goes without saying is not said: the hash of a rule does not change with this program.
                name_prefix: Some(running.name_prefix).filter(|prefix| prefix != NAME_PREFIX),
                input_parallelism: Some(running.input_parallelism).filter(|count| *count != 1),
                input_schema: Some(running.input_schema),
                record_id_field: running.record_id_field,
                reference_tables: running.reference_tables,
                revision: running.revision,
                outputs: running.outputs,
            },
        }
    }
}
