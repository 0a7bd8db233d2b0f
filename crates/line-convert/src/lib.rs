//! One record in, the converted record out: the Kinesis Agent's `dataProcessingOptions`, exactly.
//!
//! A [`Converter`] is a chain of steps read from the options of a flow. A record's bytes go through the steps in order; each
//! step converts ([`Outcome::Converted`]), drops the record ([`Outcome::Skip`]) or cannot ([`Outcome::Raw`]: the original bytes
//! are to be sent). `apache` is the hot step: the two access-log formats read by a byte scanner. The other log formats and the
//! users' own patterns are Java regular expressions, which `java-regex` runs.
//!
//! ```
//! let options = serde_json::json!([{"optionName": "CSVTOJSON", "customFieldNames": ["a", "b"]}]);
//! let converter = line_convert::Converter::new(&options).unwrap();
//! let mut out = Vec::new();
//! assert_eq!(converter.convert(b"1,2\n", &mut out), line_convert::Outcome::Converted);
//! assert_eq!(out, b"{\"a\":\"1\",\"b\":\"2\"}\n");
//! ```
//!
//! Absent: files, sockets, threads, AWS. The one clock is the original's: `ADDMETADATA` with `timestamp` stamps the time of the
//! conversion; a caller whose time is an input uses [`Converter::convert_at`].

pub mod apache;
mod csv;
pub mod json;
mod log;
mod metadata;
mod options;
mod single_line;
mod text;

pub use options::ConfigError;

use std::borrow::Cow;

use options::Options;
use serde_json::Value;

/// The names of `optionName`, in the original's order (its message lists them so).
const OPTION_NAMES: [&str; 7] =
    ["ADDMETADATA", "ADDEC2METADATA", "SINGLELINE", "CSVTOJSON", "LOGTOJSON", "ADDBRACKETS", "USINGPLUGGIN"];

/// A chain of `dataProcessingOptions`.
#[derive(Debug)]
pub struct Converter {
    steps: Vec<Step>,
    warnings: Vec<String>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The converted record is at the end of `out`.
    Converted,
    /// The record is to be dropped (it does not match the format).
    Skip,
    /// The conversion failed for the reason given: the original bytes are to be sent.
    Raw(String),
}

/// One step of the chain. A further converter is a variant here, a module of its own and a line in `OPTION_NAMES`.
#[derive(Debug)]
enum Step {
    Log(log::LogToJson),
    Csv(csv::CsvToJson),
    SingleLine(single_line::SingleLine),
    Metadata(metadata::AddMetadata),
    Brackets,
}

/// A step's result: `Ok(false)` skips the record, `Err` says why it stays as it was.
type StepResult = Result<bool, String>;

impl Converter {
    /// Reads the value of `dataProcessingOptions`: an array of objects; null is the empty chain.
    pub fn new(options: &Value) -> Result<Converter, ConfigError> {
        let list = match options {
            Value::Null => &[][..],
            Value::Array(list) => list,
            _ => return Err(ConfigError::new("dataProcessingOptions: expected a list of objects")),
        };
        let mut converter = Converter { steps: Vec::with_capacity(list.len()), warnings: Vec::new() };
        for (index, value) in list.iter().enumerate() {
            converter.add(value).map_err(|error| error.within(&format!("dataProcessingOptions[{index}]")))?;
        }
        Ok(converter)
    }

    fn add(&mut self, value: &Value) -> Result<(), ConfigError> {
        let options = Options::new(value)?;
        let step = match options.one_of("optionName", &OPTION_NAMES)? {
            "ADDMETADATA" => Step::Metadata(metadata::AddMetadata::new(&options)?),
            "SINGLELINE" => Step::SingleLine(single_line::SingleLine::new(&options)?),
            "CSVTOJSON" => Step::Csv(csv::CsvToJson::new(&options)?),
            "LOGTOJSON" => Step::Log(log::LogToJson::new(&options)?),
            "ADDBRACKETS" => Step::Brackets,
            "ADDEC2METADATA" => {
                // The original asks the instance and, finding nothing, sends the record unchanged. This version never asks.
                // It reads the options of a log format all the same, and stops at what is wrong in them.
                log::LogToJson::new(&options)?;
                self.warnings.push("ADDEC2METADATA: instance metadata is not read, records go on unchanged".into());
                return Ok(());
            }
            _ => {
                let class = options.required_string("className")?;
                return Err(ConfigError::new(format!(
                    "USINGPLUGGIN: className {class:?}: a Java class cannot be loaded here; expected another optionName"
                )));
            }
        };
        self.steps.push(step);
        Ok(())
    }

    /// True when the chain changes nothing, so that a caller may send the bytes as they are.
    pub fn is_identity(&self) -> bool {
        self.steps.is_empty()
    }

    /// What the configuration asked for and will not get, for the caller to log once.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Appends the converted record (with its final newline where the original's converter writes one) to `out`; on `Skip` and
    /// `Raw` leaves `out` as it was.
    pub fn convert(&self, record: &[u8], out: &mut Vec<u8>) -> Outcome {
        self.run(record, metadata::system_time, out)
    }

    /// The same with the time that `ADDMETADATA` stamps, in epoch milliseconds.
    pub fn convert_at(&self, record: &[u8], now: i64, out: &mut Vec<u8>) -> Outcome {
        self.run(record, || now, out)
    }

    fn run(&self, record: &[u8], now: impl Fn() -> i64, out: &mut Vec<u8>) -> Outcome {
        let start = out.len();
        let Some((last, first)) = self.steps.split_last() else {
            out.extend_from_slice(record);
            return Outcome::Converted;
        };
        let mut input = Cow::Borrowed(record);
        for step in first {
            let mut next = Vec::with_capacity(input.len() * 2);
            match step.apply(&input, &now, &mut next) {
                Ok(true) => input = Cow::Owned(next),
                other => return unconverted(other),
            }
        }
        match last.apply(&input, &now, out) {
            Ok(true) => Outcome::Converted,
            other => {
                out.truncate(start);
                unconverted(other)
            }
        }
    }
}

fn unconverted(result: StepResult) -> Outcome {
    match result {
        Ok(_) => Outcome::Skip,
        Err(why) => Outcome::Raw(why),
    }
}

impl Step {
    fn apply(&self, record: &[u8], now: &impl Fn() -> i64, out: &mut Vec<u8>) -> StepResult {
        match self {
            Step::Log(step) => step.apply(record, out),
            Step::Csv(step) => step.apply(record, out),
            Step::SingleLine(step) => Ok(step.apply(record, out)),
            Step::Metadata(step) => Ok(step.apply(record, now, out)),
            Step::Brackets => {
                // Nothing is trimmed: the record's newline stays inside the brackets.
                out.push(b'{');
                out.extend_from_slice(text::decode(record).as_bytes());
                out.push(b'}');
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests;
