//! The lines of a bulk, as operations.

use bytes::Bytes;
use search_index::write::{DocumentId, Op};
use search_query::source_filter::SourceFilter;

use super::action::{Action, Kind};
use crate::api::document::not_an_alias;
use crate::api::update;
use crate::api::written::{check_id, condition};
use crate::error::ApiError;

/// What a bulk's path and parameters say for all its lines.
#[derive(Debug, Default)]
pub struct Defaults<'a> {
    /// The index of the path; empty without one.
    pub index: &'a str,
    /// `require_alias`
    pub require_alias: bool,
    /// `_source…`: what comes back of updated documents.
    pub source: Option<SourceFilter>,
}

/// An operation of a bulk.
#[derive(Debug)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Its index.
    pub index: String,
    /// The id that it came with.
    pub id: Option<String>,
    /// What comes back of the updated document.
    pub source: Option<SourceFilter>,
}

/// What is to be done, or why that cannot be.
pub type Operation = Result<Op, ApiError>;

/// Reads the lines. Blank ones do not count (rsyslog sends one after every document), a final newline need not be there. What
/// cannot be read at all is an error of the whole request, and nothing of it is done.
pub fn items(body: &Bytes, defaults: &Defaults<'_>) -> Result<Vec<(Item, Operation)>, ApiError> {
    let mut lines = Lines { rest: body, number: 0 };
    let mut items = Vec::new();
    while let Some((number, line)) = lines.next() {
        let action = Action::parse(line, number)?;
        let document = match action.kind {
            Kind::Delete => Bytes::new(),
            _ => match lines.next() {
                Some((_, line)) => body.slice_ref(line),
                None => {
                    let reason = format!("Malformed bulk request: the action on line [{number}] has no document");
                    return Err(ApiError::illegal(reason));
                }
            },
        };
        items.push(item(action, document, defaults)?);
    }
    if items.is_empty() {
        return Err(match body.trim_ascii().is_empty() {
            true => ApiError::no_body(),
            false => ApiError::validation("no requests added"),
        });
    }
    Ok(items)
}

/// An item. As in Elasticsearch, one that lacks its index or id fails the request; any other fault only itself.
fn item(action: Action<'_>, document: Bytes, defaults: &Defaults<'_>) -> Result<(Item, Operation), ApiError> {
    let index = action.index.as_deref().filter(|index| !index.is_empty()).unwrap_or(defaults.index);
    if index.is_empty() {
        return Err(ApiError::validation("index is missing"));
    }
    if action.id.is_none() && matches!(action.kind, Kind::Update | Kind::Delete) {
        return Err(ApiError::validation("id is missing"));
    }
    let mut item = Item {
        kind: action.kind,
        index: index.to_owned(),
        id: action.id.as_deref().map(str::to_owned),
        source: action.source.clone().or_else(|| defaults.source.clone()),
    };
    let op = op(action, document, &mut item, defaults);
    Ok((item, op))
}

fn op(action: Action<'_>, document: Bytes, item: &mut Item, defaults: &Defaults<'_>) -> Operation {
    if let Some(parameter) = action.unsupported {
        return Err(ApiError::unsupported(&format!("[{parameter}] of a write")));
    }
    if action.require_alias.unwrap_or(defaults.require_alias) {
        return Err(not_an_alias(&item.index));
    }
    let if_seq_no = condition(action.if_seq_no, action.if_primary_term)?;
    let given = item.id.clone().unwrap_or_default();
    if item.id.is_some() {
        check_id(&given)?;
    }
    let id = || if item.id.is_some() { DocumentId::Given(given.clone()) } else { DocumentId::Auto };
    Ok(match action.kind {
        Kind::Index => Op::Index { id: id(), source: document, if_seq_no },
        Kind::Create if if_seq_no.is_some() => {
            return Err(ApiError::validation("create operations do not support compare and set. use index instead"));
        }
        Kind::Create => Op::Create { id: id(), source: document },
        Kind::Delete => Op::Delete { id: given, if_seq_no },
        Kind::Update => {
            let body = update::Body::parse(&document)?;
            if action.source.is_none() && body.source.is_some() {
                item.source = body.source.clone();
            }
            body.op(given, if_seq_no, false)?
        }
    })
}

/// Lines that are not blank, with their numbers from 1; a carriage return at the end is space.
struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<(usize, &'a [u8])> {
        while !self.rest.is_empty() {
            let (line, rest) = match memchr::memchr(b'\n', self.rest) {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &self.rest[..0]),
            };
            self.rest = rest;
            self.number += 1;
            let line = line.trim_ascii();
            if !line.is_empty() {
                return Some((self.number, line));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &'static str, expected: &[&str]) {
        let defaults = Defaults { index: "logs", ..Defaults::default() };
        let items = items(&Bytes::from(body), &defaults).unwrap();
        let shown: Vec<String> = items
            .iter()
            .map(|(item, op)| match op {
                Ok(Op::Index { source, .. } | Op::Create { source, .. }) => {
                    format!("{} {} {}", item.kind.name(), item.index, String::from_utf8_lossy(source))
                }
                Ok(Op::Update { doc, upsert, .. }) => {
                    format!("update {} {} {}", item.index, String::from_utf8_lossy(doc), upsert.is_some())
                }
                Ok(Op::Delete { id, .. }) => format!("delete {} {id}", item.index),
                Err(error) => format!("{} {} {}", item.kind.name(), item.index, error.kind),
            })
            .collect();
        assert_eq!(shown, expected, "{body:?}");
    }

    fn fails(body: &'static str, status: u16, reason: &str) {
        let error = items(&Bytes::from(body), &Defaults::default()).unwrap_err();
        assert_eq!(error.status, status);
        assert!(error.reason.contains(reason), "{error}");
    }

    #[test]
    fn lines_of_many_writers() {
        check("{\"index\":{}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"2\"}}\n", &["index logs {\"a\":1}", "delete logs 2"]);
        // rsyslog's empty lines, CRLF, no final newline
        check(
            "{\"create\":{}}\r\n{\"a\":1}\r\n\r\n\n{\"index\":{\"_index\":\"b\"}}\n{}",
            &["create logs {\"a\":1}", "index b {}"],
        );
        check(
            "{\"update\":{\"_id\":\"1\"}}\n{\"doc\": {\"a\": 1}, \"doc_as_upsert\": true}\n",
            &["update logs {\"a\": 1} true"],
        );
        // Faults of an item are its own.
        check(
            "{\"update\":{\"_id\":\"1\"}}\n{\"script\":\"x\"}\n{\"index\":{\"version\":3,\"version_type\":\"external\"}}\n{}\n{\"index\":{\"require_alias\":true}}\n{}\n",
            &[
                "update logs illegal_argument_exception",
                "index logs illegal_argument_exception",
                "index logs index_not_found_exception",
            ],
        );
    }

    #[test]
    fn what_fails_the_whole_request() {
        fails("", 400, "request body is required");
        fails("\n\n", 400, "request body is required");
        fails("{\"index\":{}}\n{}\n", 400, "1: index is missing;");
        fails("{\"delete\":{\"_index\":\"a\"}}\n", 400, "1: id is missing;");
        fails("{\"index\":{\"_index\":\"a\"}}\n", 400, "line [1] has no document");
        fails(
            "{\"index\":{\"_index\":\"a\"}}\n{}\n3\n",
            400,
            "line [3], expected START_OBJECT but found [VALUE_NUMBER]",
        );
    }
}
