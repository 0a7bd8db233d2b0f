//! One record in, its output or why there is none.

use crate::{line, rules::Format, subscription};

/// What became of a record's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// JSON lines, each with its newline.
    Output(Vec<u8>),
    /// Nothing is to be delivered: empty lines, control messages.
    Nothing,
    /// The data cannot be read, for the reason given.
    Failed(String),
}

/// How records of a batch are read.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Of the stream, in order.
    pub formats: &'a [Format],
    /// Log groups with this prefix are never a source.
    pub own_log_groups: &'a str,
}

impl Reading<'_> {
    /// Transforms `data`, a gzip CloudWatch Logs record or lines; `ingested` is its arrival time in epoch milliseconds.
    pub fn transform(&self, data: &[u8], ingested: i64) -> Outcome {
        if subscription::is_gzip(data) {
            return subscription::transform(data, ingested, self.own_log_groups);
        }
        let text = match std::str::from_utf8(data) {
            Ok(text) => text,
            Err(error) => return Outcome::Failed(format!("not UTF-8: {error}")),
        };
        let mut out = Vec::with_capacity(data.len() * 2);
        for line in text.split('\n') {
            line::transform(line, ingested, self.formats, &mut out);
        }
        if out.is_empty() { Outcome::Nothing } else { Outcome::Output(out) }
    }
}
