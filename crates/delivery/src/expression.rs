//! A prefix with expressions: `logs/!{timestamp:yyyy}/!{firehose:random-string}/`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::pattern::Pattern;
use crate::prefix::PrefixError;

/// Characters of `!{firehose:random-string}` (custom prefixes, Firehose guide).
pub const RANDOM_STRING_LENGTH: usize = 11;

const RANDOM_ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// What a prefix is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    Timestamp(Pattern),
    RandomString,
    ErrorOutputType,
    /// `partitionKeyFromLambda` and the key.
    LambdaKey(String),
    /// `partitionKeyFromQuery` and the key.
    QueryKey(String),
}

/// A prefix that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    pub(crate) parts: Vec<Part>,
}

/// What an evaluation needs.
pub struct Evaluation<'a> {
    /// Arrival of the oldest record of the object.
    pub oldest: Timestamp,
    /// The zone of `!{timestamp:…}`.
    pub zone: TimeZone,
    /// Where random strings come from.
    pub random: &'a mut dyn FnMut() -> u64,
    /// `metadata.partitionKeys` of the records, with dynamic partitioning.
    pub lambda_keys: BTreeMap<String, String>,
    /// What the stream's own query found, with dynamic partitioning.
    pub query_keys: BTreeMap<String, String>,
}

impl<'a> Evaluation<'a> {
    /// At the arrival of an object's oldest record, in UTC, without partition keys.
    pub fn new(oldest: Timestamp, random: &'a mut dyn FnMut() -> u64) -> Self {
        Evaluation { oldest, zone: TimeZone::UTC, random, lambda_keys: BTreeMap::new(), query_keys: BTreeMap::new() }
    }
}

impl Expression {
    /// Reads the text of the setting `setting`; `!{` begins an expression wherever it stands.
    pub(crate) fn parse(setting: &'static str, text: &str) -> Result<Expression, PrefixError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("!{") {
            if start > 0 {
                parts.push(Part::Literal(rest[..start].to_owned()));
            }
            let column = |bytes: usize| text[..text.len() - rest.len() + bytes].chars().count() + 1;
            let error = |at: usize, message: String| PrefixError::Expression { setting, column: column(at), message };
            let inner = &rest[start + 2..];
            let Some(end) = inner.find('}') else {
                return Err(error(start, "expression without its end: expected !{namespace:value}".into()));
            };
            let (namespace, value) = inner[..end].split_once(':').ok_or_else(|| {
                error(start, format!("!{{{}}} has no colon: expected !{{namespace:value}}", &inner[..end]))
            })?;
            let value_at = start + 2 + namespace.len() + 1;
            parts.push(part(namespace, value, |into, message| {
                let (at, extra) = into.map_or((start, 0), |characters| (value_at, characters));
                PrefixError::Expression { setting, column: column(at) + extra, message }
            })?);
            rest = &inner[end + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Expression { parts })
    }

    /// Whether it is more than literal text.
    pub(crate) fn has_expressions(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Literal(_)))
    }

    pub(crate) fn has_timestamp(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Timestamp(_)))
    }

    /// The text for an object. `error_type` is what `error-output-type` stands for.
    pub(crate) fn evaluate(&self, error_type: &str, with: &mut Evaluation<'_>) -> Result<String, PrefixError> {
        let oldest = with.oldest.to_zoned(with.zone.clone());
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Timestamp(pattern) => text.push_str(&pattern.format(&oldest)),
                Part::RandomString => text.push_str(&random_string(with.random)),
                Part::ErrorOutputType => text.push_str(error_type),
                Part::LambdaKey(key) => text.push_str(key_of(&with.lambda_keys, "partitionKeyFromLambda", key)?),
                Part::QueryKey(key) => text.push_str(key_of(&with.query_keys, "partitionKeyFromQuery", key)?),
            }
        }
        Ok(text)
    }
}

/// One expression. `error` takes the character of the value it is about, or `None` for the expression as a whole.
fn part(
    namespace: &str,
    value: &str,
    error: impl Fn(Option<usize>, String) -> PrefixError,
) -> Result<Part, PrefixError> {
    match (namespace, value) {
        ("timestamp", "") => {
            Err(error(Some(0), "!{timestamp:} has no pattern: expected one such as yyyy/MM/dd".into()))
        }
        ("timestamp", pattern) => {
            Pattern::parse(pattern).map(Part::Timestamp).map_err(|e| error(Some(e.at), e.message))
        }
        ("firehose", "random-string") => Ok(Part::RandomString),
        ("firehose", "error-output-type") => Ok(Part::ErrorOutputType),
        ("firehose", other) => {
            Err(error(Some(0), format!("firehose has no value {other:?}: expected random-string or error-output-type")))
        }
        ("partitionKeyFromLambda" | "partitionKeyFromQuery", "") => {
            Err(error(Some(0), format!("{namespace} has no key")))
        }
        ("partitionKeyFromLambda", key) => Ok(Part::LambdaKey(key.to_owned())),
        ("partitionKeyFromQuery", key) => Ok(Part::QueryKey(key.to_owned())),
        (other, _) => Err(error(
            None,
            format!(
                "unknown namespace {other:?}: expected timestamp, firehose, partitionKeyFromLambda or partitionKeyFromQuery"
            ),
        )),
    }
}

fn random_string(random: &mut dyn FnMut() -> u64) -> String {
    (0..RANDOM_STRING_LENGTH).map(|_| char::from(RANDOM_ALPHABET[(random() % 36) as usize])).collect()
}

fn key_of<'k>(keys: &'k BTreeMap<String, String>, namespace: &'static str, key: &str) -> Result<&'k str, PrefixError> {
    let missing = || PrefixError::MissingKey { namespace, key: key.to_owned() };
    keys.get(key).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(missing)
}
