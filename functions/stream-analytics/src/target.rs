//! Whom an effect is for, as it is written in the outbox.

use std::fmt;

/// Whom an effect is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A delivery stream: the payload is a record, of lines.
    Firehose(&'a str),
    /// A Kinesis stream: the payload is records ([`crate::records`]).
    Kinesis(&'a str),
    /// A new object of the lake with this key: the payload is its lines. With `.gz` at its end it is compressed.
    Lake(&'a str),
}

impl Target<'_> {
    /// Reads it. What has no kind is a delivery stream: outboxes of earlier builds hold their names alone.
    pub fn parse(target: &str) -> Target<'_> {
        match target.split_once(':') {
            Some(("kinesis", name)) => Target::Kinesis(name),
            Some(("lake", key)) => Target::Lake(key),
            Some(("firehose", name)) => Target::Firehose(name),
            _ => Target::Firehose(target),
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Firehose(name) => write!(f, "firehose:{name}"),
            Target::Kinesis(name) => write!(f, "kinesis:{name}"),
            Target::Lake(key) => write!(f, "lake:{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for target in [Target::Firehose("a.b"), Target::Kinesis("c"), Target::Lake("inbox/i/2018/x:y.json.gz")] {
            assert_eq!(Target::parse(&target.to_string()), target);
        }
        assert_eq!(Target::parse("summary"), Target::Firehose("summary"));
    }
}
