//! `rules/index.json`: which objects of the lake go into which index.
//!
//! ```json
//! {"rules": [
//!   {"prefix": "logs/log-ingestion-stream/", "index": "access-log-{yyyy.MM.dd}",
//!    "timeField": "datetime", "timeFormat": "dd/MMM/yyyy:HH:mm:ss Z"},
//!   {"prefix": "inbox/request_data/", "retentionDays": 400, "timeField": "DATETIME", "timeFormat": "yyyy-MM-dd HH:mm:ss.SSS"}
//! ]}
//! ```
//!
//! The longest prefix of a key decides.

use std::sync::Arc;

use schemars::JsonSchema;
use search_index::manifest::Settings;
use search_index::mapping::{DateFormat, FieldType, Mapping};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use lambda::RuleError;

use crate::index_name::IndexName;

/// Key of the rule file in the rules bucket.
pub const RULE_FILE: &str = "rules/index.json";

/// The rule file that the function is built with.
const DEFAULT: &str = include_str!("../../../infra/rules/index.json");

/// Where lines with `_id` and `_op` are; their index is the key's second part.
pub const INBOX: &str = "inbox/";

/// Where delivery streams' lines are.
pub const LOGS: &str = "logs/";

/// The rule file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The longest prefix of an object's key decides. Objects under `inbox/` need no rule; those under `logs/` that no rule names
    /// are not indexed.
    #[schemars(with = "Vec<Wire>")]
    rules: Vec<Arc<Rule>>,
}

/// A rule.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Rule {
    /// Of keys.
    pub prefix: String,
    /// The index; the key's second part without it.
    pub index: Option<IndexName>,
    /// The field with a document's time.
    pub time_field: Option<String>,
    /// How it is written.
    pub time_format: DateFormat,
    /// The field with a document's id.
    pub id_field: Option<String>,
    /// What an index is created with.
    pub defaults: Defaults,
}

/// What an index is created with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Defaults {
    /// Settings.
    pub settings: Settings,
    /// Fields.
    pub mapping: Mapping,
}

/// A rule as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    /// Beginning of the keys of objects: `logs/<stream>/` or `inbox/<index>/`.
    prefix: String,
    /// The index, with parts of the document's time in UTC: `access-log-{yyyy.MM.dd}` (yyyy, MM, dd, HH). Needed under `logs/`;
    /// under `inbox/` the default is the key's second part.
    index: Option<String>,
    /// How the lines are written.
    #[serde(default)]
    format: Format,
    /// The field, at the top of the document, with its time. Without such a field, `@ingested` is the document's time.
    time_field: Option<String>,
    /// How the time is written: a Java pattern (`dd/MMM/yyyy:HH:mm:ss Z`), `epoch_millis`, `epoch_second`,
    /// `strict_date_optional_time`, or several separated by `||`. Default `strict_date_optional_time||epoch_millis`.
    time_format: Option<String>,
    /// The field, at the top of the document, that is its `_id`: a document with the same id replaces it. Without it the id
    /// follows from the object and the line.
    id_field: Option<String>,
    /// Documents whose time is older are dropped from the index; needs `timeField`. Default: kept for ever.
    #[schemars(range(min = 1))]
    retention_days: Option<u32>,
    /// Keyword fields with few values, by which searches skip parts of the index.
    #[serde(default)]
    tag_fields: Vec<String>,
    /// Elasticsearch's `mappings` of an index that is created. Fields that are not here are mapped as they come.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    mappings: Option<Box<RawValue>>,
}

/// How lines are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// A JSON object each.
    #[default]
    Json,
}

impl TryFrom<Wire> for Rule {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Rule, String> {
        let Wire { prefix, index, format: Format::Json, time_field, time_format, id_field, .. } = wire;
        let inbox = prefix.starts_with(INBOX);
        if !inbox && !prefix.starts_with(LOGS) {
            return Err(format!("prefix {prefix:?}: expected it to begin with logs/ or inbox/"));
        }
        if index.is_none() && !inbox {
            return Err(format!("prefix {prefix:?}: missing field `index`"));
        }
        if time_format.is_some() && time_field.is_none() {
            return Err("timeFormat: needs timeField".into());
        }
        if wire.retention_days == Some(0) {
            return Err("retentionDays: expected at least 1".into());
        }
        if wire.retention_days.is_some() && time_field.is_none() {
            return Err("retentionDays: needs timeField".into());
        }
        let mapping = mapping(wire.mappings.as_deref(), time_field.as_deref(), time_format.as_deref())?;
        let settings = Settings {
            tag_fields: wire.tag_fields,
            retention_days: wire.retention_days,
            time_field: time_field.clone(),
            ..Settings::default()
        };
        Ok(Rule {
            prefix,
            index: index.map(IndexName::try_from).transpose()?,
            time_field,
            time_format: DateFormat::or_standard(time_format.as_deref())
                .map_err(|error| format!("timeFormat: {error}"))?,
            id_field,
            defaults: Defaults { settings, mapping },
        })
    }
}

/// The fields that a rule knows: those of its `mappings`, and the time field, which is a date of its format.
fn mapping(
    mappings: Option<&RawValue>,
    time_field: Option<&str>,
    time_format: Option<&str>,
) -> Result<Mapping, String> {
    let mut mapping = match mappings {
        Some(mappings) => {
            let mappings = serde_json::from_str(mappings.get()).map_err(|error| error.to_string())?;
            Mapping::from_json(&mappings).map_err(|error| format!("mappings: {error}"))?
        }
        None => Mapping::default(),
    };
    if let Some(field) = time_field {
        let date = FieldType::Date { format: time_format.map(str::to_owned) };
        if !matches!(mapping.fields.entry(field.to_owned()).or_insert(date), FieldType::Date { .. }) {
            return Err(format!("timeField {field:?}: the mappings have it with a type other than date"));
        }
    }
    Ok(mapping)
}

impl Rule {
    /// What an object under `inbox/` without a rule goes by.
    fn inbox() -> Rule {
        Rule {
            prefix: INBOX.to_owned(),
            index: None,
            time_field: None,
            time_format: DateFormat::standard(),
            id_field: None,
            defaults: Defaults::default(),
        }
    }
}

impl Rules {
    /// The rule of an object; none: it is not indexed.
    pub fn of(&self, key: &str) -> Option<Arc<Rule>> {
        let named = self.rules.iter().filter(|rule| key.starts_with(&rule.prefix));
        let longest = named.max_by_key(|rule| rule.prefix.len()).cloned();
        longest.or_else(|| key.starts_with(INBOX).then(|| Arc::new(Rule::inbox())))
    }
}

impl Default for Rules {
    /// The rules of `infra/rules/`.
    fn default() -> Rules {
        // A test reads the file; were it broken, only the inbox would be indexed, and nothing lost.
        parse(DEFAULT).unwrap_or(Rules { rules: Vec::new() })
    }
}

/// Reads a rule file; the error names line, column and what was expected.
pub fn parse(text: &str) -> Result<Rules, RuleError> {
    lambda::rules::parse_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use search_index::mapping::Fill;

    fn read(rule: &Rule, time: &str) -> bool {
        rule.time_format.parse(time, Fill::Down, &TimeZone::UTC).is_some()
    }

    #[test]
    fn the_default_file_is_good_and_has_the_tutorials_indexes() {
        let rules = parse(DEFAULT).unwrap();
        for stream in ["log-ingestion-stream", "log-stream"] {
            let rule = rules.of(&format!("logs/{stream}/2026/11/20/10/x.gz")).unwrap();
            assert_eq!(rule.index.as_ref().unwrap().at(0), "access-log-1970.01.01");
            assert_eq!(rule.time_field.as_deref(), Some("datetime"));
            assert!(read(&rule, "20/Nov/2026:16:36:01 +0000"));
        }
        let summary = rules.of("inbox/request_data/2026/11/20/10/x.gz").unwrap();
        assert!(read(&summary, "2026-11-20 16:36:00.000"));
        assert!(rules.of("logs/another/2026/11/20/10/x.gz").is_none());
        assert!(rules.of("inbox/another/x.json").unwrap().index.is_none());
        assert!(rules.of("failed/index-writer/x.json").is_none());
    }

    #[test]
    fn the_longest_prefix_decides() {
        let rules = parse(
            r#"{"rules": [{"prefix": "logs/", "index": "all"}, {"prefix": "logs/a/", "index": "a"},
                {"prefix": "inbox/", "idField": "key"}]}"#,
        )
        .unwrap();
        let index = |key| rules.of(key).unwrap().index.as_ref().map(|index| index.at(0));
        assert_eq!(index("logs/a/x").as_deref(), Some("a"));
        assert_eq!(index("logs/ab/x").as_deref(), Some("all"));
        assert_eq!(rules.of("inbox/i/x").unwrap().id_field.as_deref(), Some("key"));
    }

    fn check_error(rule: &str, line: usize, part: &str) {
        let text = format!("{{\"rules\": [\n{rule}]}}");
        let error = parse(&text).unwrap_err();
        assert!(error.line == line && error.column > 0 && error.message.contains(part), "{text}: {error}");
    }

    #[test]
    fn broken_files_name_line_column_and_what_was_expected() {
        check_error(r#"{"index": "a"}"#, 2, "missing field `prefix`");
        check_error(r#"{"prefix": "logs/a/"}"#, 2, "missing field `index`");
        check_error(r#"{"prefix": "failed/", "index": "a"}"#, 2, "expected it to begin with logs/ or inbox/");
        check_error("{\"prefix\": \"logs/a/\",\n\"indx\": \"a\"}", 3, "unknown field `indx`, expected one of");
        check_error(r#"{"prefix": "logs/a/", "index": "A"}"#, 2, "lowercase");
        check_error(
            r#"{"prefix": "logs/a/", "index": "a", "format": "csv"}"#,
            2,
            "unknown variant `csv`, expected `json`",
        );
        check_error(r#"{"prefix": "logs/a/", "index": "a", "retentionDays": 3}"#, 2, "retentionDays: needs timeField");
        check_error(r#"{"prefix": "inbox/", "retentionDays": 0}"#, 2, "expected at least 1");
        check_error(r#"{"prefix": "inbox/", "timeFormat": "yyyy"}"#, 2, "needs timeField");
        check_error(
            r#"{"prefix": "inbox/", "timeField": "t", "timeFormat": "QQ{"}"#,
            2,
            "timeFormat: Invalid format: [QQ{]",
        );
    }

    #[test]
    fn the_schema_has_the_keys() {
        let schema = serde_json::to_string(&schemars::schema_for!(Rules)).unwrap();
        for key in [
            "prefix",
            "index",
            "format",
            "timeField",
            "timeFormat",
            "idField",
            "retentionDays",
            "tagFields",
            "mappings",
        ] {
            assert!(schema.contains(&format!("\"{key}\"")), "{key}: {schema}");
        }
    }
}
