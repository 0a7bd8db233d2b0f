//! The record of a line.

use std::borrow::Cow;
use std::path::Path;

use firehose_transform::rules::{self, Rules};
use stream_analytics::application::Application;
use stream_analytics::rule::SourceStream;

use crate::excerpt;

/// Makes records of lines: what a delivery stream would bring into the lake, of the lines that it would convert.
#[derive(Debug)]
pub struct Records {
    /// Of an application whose source is a delivery stream: its name, and the rules of all.
    transform: Option<(String, Rules)>,
}

impl Records {
    /// Of an application's source; the rules for lines that are no JSON are in `firehose-transform.json` of this folder, or those
    /// that the function is built with.
    pub fn new(application: &Application, folder: Option<&Path>) -> Result<Records, String> {
        let SourceStream::Firehose(stream) = application.source() else { return Ok(Records { transform: None }) };
        let file = folder.map(|folder| folder.join("firehose-transform.json")).filter(|file| file.is_file());
        let rules = match file {
            None => Rules::default(),
            Some(file) => {
                let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                rules::parse(&text)
                    .map_err(|error| excerpt::message(&file, &text, error.line, error.column, &error.message))?
            }
        };
        Ok(Records { transform: Some((stream.clone(), rules)) })
    }

    /// The record of a line that arrived at this time.
    pub fn of<'a>(&self, line: &'a [u8], arrival: i64) -> Cow<'a, [u8]> {
        match (&self.transform, std::str::from_utf8(line)) {
            (Some((stream, rules)), Ok(text)) if !text.trim_start().starts_with('{') => {
                let mut out = Vec::new();
                firehose_transform::line::transform(text, arrival, rules.formats(stream), &mut out);
                Cow::Owned(out)
            }
            _ => Cow::Borrowed(line),
        }
    }
}
