//! The log-parsing functions: each reads the fields of a record out of a line. They are compiled with the script, and give parts of
//! the line without copying them.

mod fast_regex;
mod fast_syntax;
mod field;
mod fixed;
mod regex;
mod syslog;
mod variable;
mod w3c;

pub(crate) use fast_regex::FastRegexLog;
pub(crate) use field::Field;
pub(crate) use fixed::FixedColumnLog;
pub(crate) use regex::RegexLog;
pub(crate) use syslog::SysLog;
pub(crate) use variable::VariableColumnLog;
pub(crate) use w3c::W3cLog;

use super::RowError;
use crate::value::Datum;

/// A log-parsing function and its format.
#[derive(Debug, Clone)]
pub(crate) enum LogParser {
    Regex(RegexLog),
    FastRegex(FastRegexLog),
    FixedColumn(FixedColumnLog),
    VariableColumn(VariableColumnLog),
    Sys(SysLog),
    W3c(W3cLog),
}

impl LogParser {
    pub(crate) fn fields(&self) -> &[Field] {
        match self {
            LogParser::Regex(parser) => parser.fields(),
            LogParser::FastRegex(parser) => parser.fields(),
            LogParser::FixedColumn(parser) => parser.fields(),
            LogParser::VariableColumn(parser) => parser.fields(),
            LogParser::Sys(parser) => parser.fields(),
            LogParser::W3c(parser) => parser.fields(),
        }
    }

    /// Appends the fields of a line of a row with this ROWTIME; false if the line does not match, whatever has been appended.
    pub(crate) fn parse<'t>(&self, line: &'t str, rowtime: i64, out: &mut Vec<Datum<'t>>) -> Result<bool, RowError> {
        match self {
            LogParser::Regex(parser) => parser.parse(line, out),
            LogParser::FastRegex(parser) => parser.parse(line, out),
            LogParser::FixedColumn(parser) => parser.parse(line, out),
            LogParser::VariableColumn(parser) => parser.parse(line, out),
            LogParser::Sys(parser) => parser.parse(line, rowtime, out),
            LogParser::W3c(parser) => parser.parse(line, out),
        }
    }
}
