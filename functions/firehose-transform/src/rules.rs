//! `rules/firehose-transform.json`: which formats a stream's lines are tried against.
//!
//! ```json
//! {
//!   "streams": {"log-ingestion-stream": {"formats": [{"optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG"}]}},
//!   "default": {"formats": []}
//! }
//! ```
//!
//! A format is one entry of the agent's `dataProcessingOptions`. A line that is a JSON object already needs none.

use std::collections::BTreeMap;

use line_convert::Converter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use lambda::RuleError;

/// Key of the rule file in the rules bucket.
pub const RULE_FILE: &str = "rules/firehose-transform.json";

/// The rule file that the function is built with.
const DEFAULT: &str = include_str!("../../../infra/rules/firehose-transform.json");

/// The rule file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// By name of the delivery stream.
    #[serde(default)]
    streams: BTreeMap<String, Stream>,
    /// For every stream that is not named. Without it, their lines are JSON objects or plain messages.
    #[serde(default, rename = "default")]
    other: Stream,
}

/// The rule of one stream.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Stream {
    /// Tried in order; the first that matches a line makes its JSON. None: the line becomes `{"message": line}`.
    #[schemars(with = "Vec<Options>")]
    formats: Vec<Format>,
}

/// An entry of the agent's `dataProcessingOptions` that makes a JSON object of one line.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    /// The converter.
    option_name: OptionName,
    /// `LOGTOJSON`: COMMONAPACHELOG, COMBINEDAPACHELOG, APACHEERRORLOG, SYSLOG or RFC3339SYSLOG.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_format: Option<String>,
    /// `LOGTOJSON`: a Java regular expression for the whole line; needs a name for each of its groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    match_pattern: Option<String>,
    /// `LOGTOJSON`, `CSVTOJSON`: the names of the fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_field_names: Option<Vec<String>>,
    /// `CSVTOJSON`: a Java regular expression, by default a comma.
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    /// `ADDMETADATA`: any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<serde_json::Value>,
    /// `ADDMETADATA`: "true" adds the line's arrival time as `ts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
}

/// The converters whose output is one JSON object in one line.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
enum OptionName {
    #[serde(rename = "LOGTOJSON")]
    LogToJson,
    #[serde(rename = "CSVTOJSON")]
    CsvToJson,
    #[serde(rename = "ADDMETADATA")]
    AddMetadata,
}

/// A format, ready to convert.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Options")]
pub struct Format(Converter);

impl TryFrom<Options> for Format {
    type Error = String;

    fn try_from(options: Options) -> Result<Format, String> {
        if matches!(options.option_name, OptionName::CsvToJson)
            && options.custom_field_names.as_ref().is_some_and(Vec::is_empty)
        {
            // The agent takes it, and leaves nothing of any line.
            return Err("CSVTOJSON: customFieldNames: expected at least one name".into());
        }
        let options = serde_json::to_value([options]).map_err(|error| error.to_string())?;
        Converter::new(&options).map(Format).map_err(|error| {
            let message = error.to_string();
            // The place in a list of one says nothing; the file's line and column do.
            message.strip_prefix("dataProcessingOptions[0]: ").unwrap_or(&message).to_owned()
        })
    }
}

impl Format {
    pub(crate) fn converter(&self) -> &Converter {
        &self.0
    }
}

impl Rules {
    /// The formats of a delivery stream's lines, in order.
    pub fn formats(&self, stream: &str) -> &[Format] {
        &self.streams.get(stream).unwrap_or(&self.other).formats
    }
}

impl Default for Rules {
    /// The rules of `infra/rules/`.
    fn default() -> Rules {
        // A test reads the file; were it broken, no format would be known and every line still delivered.
        parse(DEFAULT).unwrap_or(Rules { streams: BTreeMap::new(), other: Stream::default() })
    }
}

/// Reads a rule file; the error names line, column and what was expected.
pub fn parse(text: &str) -> Result<Rules, RuleError> {
    lambda::rules::parse_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_is_good_and_names_the_tutorials_formats() {
        let rules = parse(DEFAULT).unwrap();
        assert_eq!(rules.formats("log-ingestion-stream").len(), 2);
        assert_eq!(rules.formats("another").len(), 2);
    }

    #[test]
    fn streams_have_their_own_formats() {
        let csv = r#"{"streams": {"s": {"formats": [{"optionName": "CSVTOJSON", "customFieldNames": ["a"]}]}}}"#;
        let rules = parse(csv).unwrap();
        assert_eq!((rules.formats("s").len(), rules.formats("t").len()), (1, 0));
    }

    fn check_error(text: &str, line: usize, part: &str) {
        let error = parse(text).unwrap_err();
        assert!(error.line == line && error.column > 0 && error.message.contains(part), "{text}: {error}");
    }

    #[test]
    fn broken_files_name_line_column_and_what_was_expected() {
        check_error("{\n\"stream\": {}}", 2, "unknown field `stream`, expected `streams` or `default`");
        check_error("{\"default\":\n {}}", 2, "missing field `formats`");
        check_error(
            "{\"default\": {\"formats\": [\n{\"optionName\": \"SINGLELINE\"}]}}",
            2,
            "expected one of `LOGTOJSON`",
        );
        let with = |options: &str| format!("{{\"default\":\n{{\"formats\":\n[{{\"optionName\": {options}}}]}}}}");
        check_error(&with("\"LOGTOJSON\""), 3, "Required configuration value missing: logFormat");
        check_error(&with("\"LOGTOJSON\", \"logFormat\": \"NGINX\""), 3, "Legal values are COMMONAPACHELOG");
        check_error(&with("\"CSVTOJSON\", \"customFieldNames\": []"), 3, "expected at least one name");
        check_error(&with("\"CSVTOJSON\", \"jsonFormat\": \"PRETTYPRINT\""), 3, "unknown field `jsonFormat`");
        let pattern = "\"LOGTOJSON\", \"logFormat\": \"SYSLOG\", \"matchPattern\": \"(\", \"customFieldNames\": []";
        check_error(&with(pattern), 3, "unclosed group");
    }

    #[test]
    fn the_schema_has_the_options() {
        let schema = serde_json::to_string(&schemars::schema_for!(Rules)).unwrap();
        for key in ["streams", "default", "formats", "optionName", "matchPattern", "LOGTOJSON"] {
            assert!(schema.contains(&format!("\"{key}\"")), "{key}: {schema}");
        }
    }
}
