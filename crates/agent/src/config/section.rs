//! One object of the configuration, read key by key with the original's conversions.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::json::{Kind, Node};
use super::keys::{self, Support};

/// What is wrong, and on which line.
#[derive(Debug, PartialEq)]
pub struct Wrong {
    /// Line, from 1.
    pub line: usize,
    /// What, lower case.
    pub message: String,
}

/// An object and the table of keys that it may have.
pub struct Section<'a> {
    node: &'a Node,
    table: &'static [(&'static str, Support)],
}

impl<'a> Section<'a> {
    /// The node must be an object.
    pub fn new(node: &'a Node, table: &'static [(&'static str, Support)], what: &str) -> Result<Self, Wrong> {
        match node.kind {
            Kind::Object(_) => Ok(Section { node, table }),
            _ => Err(Wrong { line: node.line, message: format!("{what} is {}: expected an object", node.kind_name()) }),
        }
    }

    /// Line of the object.
    pub fn line(&self) -> usize {
        self.node.line
    }

    /// Warnings about keys that are unknown, given twice, or not supported yet.
    pub fn check_keys(&self, mut warn: impl FnMut(usize, String)) {
        let Kind::Object(entries) = &self.node.kind else { return };
        for (index, entry) in entries.iter().enumerate() {
            let key = &entry.key;
            if entries[..index].iter().any(|earlier| earlier.key == *key) {
                warn(entry.line, format!("key `{key}` is given twice: the last one counts"));
            }
            match keys::find(self.table, key) {
                None => warn(entry.line, unknown(self.table, key)),
                Some(Support::NotYet(default)) if text(&entry.value).as_deref() != Some(default) => {
                    warn(entry.line, format!("not supported yet: `{key}`, it has no effect"));
                }
                Some(_) => {}
            }
        }
    }

    /// The value of a key; JSON's null is the same as no key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        debug_assert!(keys::find(self.table, key).is_some(), "{key} is not in the table");
        let Kind::Object(entries) = &self.node.kind else { return None };
        let node = &entries.iter().rev().find(|entry| entry.key == key)?.value;
        (node.kind != Kind::Scalar(Value::Null)).then_some(node)
    }

    /// A string; numbers and booleans are taken as their text.
    pub fn string(&self, key: &str) -> Result<Option<String>, Wrong> {
        let Some(node) = self.get(key) else { return Ok(None) };
        text(node).map(Some).ok_or_else(|| wrong(node, format!("`{key}` is {}: expected a string", node.kind_name())))
    }

    /// A string that must be there and not be empty.
    pub fn required(&self, key: &str) -> Result<String, Wrong> {
        let missing =
            || Wrong { line: self.node.line, message: format!("Required configuration value missing: {key}") };
        self.string(key)?.filter(|value| !value.is_empty()).ok_or_else(missing)
    }

    /// A whole number, `"6000"` included, within a range.
    pub fn number(&self, key: &str, default: u64, range: RangeInclusive<u64>) -> Result<u64, Wrong> {
        let Some(node) = self.get(key) else { return Ok(default) };
        let value = text(node).and_then(|text| text.trim().parse::<i128>().ok()).ok_or_else(|| {
            let found = text(node).map_or(node.kind_name().to_owned(), |text| format!("`{text}`"));
            wrong(node, format!("`{key}` is {found}: expected a whole number"))
        })?;
        match u64::try_from(value) {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => Err(wrong(node, format!("`{key}` is {value}: expected {}", describe(&range)))),
        }
    }

    /// true/false/yes/no/t/f/y/n/1/0, any case.
    pub fn boolean(&self, key: &str, default: bool) -> Result<bool, Wrong> {
        let Some(node) = self.get(key) else { return Ok(default) };
        match text(node).map(|text| text.to_lowercase()).as_deref() {
            Some("true" | "yes" | "t" | "y" | "1") => Ok(true),
            Some("false" | "no" | "f" | "n" | "0") => Ok(false),
            _ => Err(wrong(node, format!("`{key}` is not a boolean: expected true or false"))),
        }
    }

    /// One of the original's enum values, exact upper case; the first is the default.
    pub fn choice<T: Copy>(&self, key: &str, values: &[(&str, T)]) -> Result<T, Wrong> {
        let Some(node) = self.get(key) else { return Ok(values[0].1) };
        let given = text(node).unwrap_or_default();
        let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
        values.iter().find(|(name, _)| *name == given).map(|(_, value)| *value).ok_or_else(|| {
            let legal = names.join(",");
            wrong(node, format!("Value({given}) is not legally accepted by key: {key}. Legal values are {legal}"))
        })
    }
}

/// An error at a node.
pub fn wrong(node: &Node, message: String) -> Wrong {
    Wrong { line: node.line, message }
}

fn unknown(table: &'static [(&'static str, Support)], key: &str) -> String {
    let other = if std::ptr::eq(table, keys::TOP) { keys::FLOW } else { keys::TOP };
    if keys::find(other, key).is_some() {
        let place = if std::ptr::eq(other, keys::TOP) { "the top level" } else { "a flow" };
        return format!("key `{key}` is ignored here: it belongs in {place}");
    }
    match keys::nearest(table, key) {
        Some(name) => format!("unknown key `{key}` is ignored: did you mean `{name}`?"),
        None => format!("unknown key `{key}` is ignored"),
    }
}

/// A scalar as text.
fn text(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar(Value::String(text)) => Some(text.clone()),
        Kind::Scalar(Value::Null) => Some(String::new()),
        Kind::Scalar(other) => Some(other.to_string()),
        _ => None,
    }
}

fn describe(range: &RangeInclusive<u64>) -> String {
    match *range.end() {
        u64::MAX => format!("{} or more", range.start()),
        end => format!("{} to {end}", range.start()),
    }
}
