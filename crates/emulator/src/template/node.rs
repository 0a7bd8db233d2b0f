//! A template as a tree that knows where each of its nodes was written.

use serde_json::{Number, Value};

/// Line and column, from 1. What SAM adds stands where the function that it was added for stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// What is wrong, and where.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Where.
    pub at: Place,
    /// What was found and what was expected.
    pub message: String,
}

/// The result of reading a part of a template.
pub type Result<T> = std::result::Result<T, Fault>;

/// A value and its place. Short-form tags are gone: `!Ref X` is `{Ref: X}`.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it begins.
    pub at: Place,
    /// What it is.
    pub kind: Kind,
}

/// The values of YAML as CloudFormation takes them.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written.
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is.
    pub at: Place,
    /// Its value.
    pub value: Node,
}

impl Place {
    /// An error here.
    pub fn fault(self, message: impl Into<String>) -> Fault {
        Fault { at: self, message: message.into() }
    }

    /// A text that stands here.
    pub fn text(self, text: impl Into<String>) -> Node {
        Node { at: self, kind: Kind::Text(text.into()) }
    }

    /// A list that stands here.
    pub fn list(self, items: impl IntoIterator<Item = Node>) -> Node {
        Node { at: self, kind: Kind::List(items.into_iter().collect()) }
    }

    /// A map that stands here.
    pub fn map<'k>(self, entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
        let entry = |(key, value): (&str, Node)| Entry { key: key.to_owned(), at: self, value };
        Node { at: self, kind: Kind::Map(entries.into_iter().map(entry).collect()) }
    }

    /// `!Ref id` here.
    pub fn reference(self, id: &str) -> Node {
        self.map([("Ref", self.text(id))])
    }

    /// `!GetAtt id.attribute` here.
    pub fn attribute(self, id: &str, attribute: &str) -> Node {
        self.map([("Fn::GetAtt", self.list([self.text(id), self.text(attribute)]))])
    }

    /// Any JSON here.
    pub fn json(self, value: &Value) -> Node {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(*value),
            Value::Number(value) => Kind::Number(value.clone()),
            Value::String(value) => Kind::Text(value.clone()),
            Value::Array(items) => Kind::List(items.iter().map(|item| self.json(item)).collect()),
            Value::Object(entries) => {
                return self.map(entries.iter().map(|(key, value)| (key.as_str(), self.json(value))));
            }
        };
        Node { at: self, kind }
    }
}

impl Node {
    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The keys of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        if let Kind::Map(entries) = &self.kind { entries } else { &[] }
    }

    /// The keys of what must be a map; `what` names it in the error.
    pub fn expect_map(&self, what: &str) -> Result<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(self.expected(what, "a map")),
        }
    }

    /// The items of what must be a list.
    pub fn expect_list(&self, what: &str) -> Result<&[Node]> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(self.expected(what, "a list")),
        }
    }

    /// What must be text.
    pub fn expect_text(&self, what: &str) -> Result<&str> {
        match &self.kind {
            Kind::Text(text) => Ok(text),
            _ => Err(self.expected(what, "a string")),
        }
    }

    /// The text of a scalar, as CloudFormation converts numbers and booleans.
    pub fn scalar(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(number) => Some(number.to_string()),
            Kind::Bool(value) => Some(value.to_string()),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The text of what must be a scalar.
    pub fn expect_scalar(&self, what: &str) -> Result<String> {
        self.scalar().ok_or_else(|| self.expected(what, "a string"))
    }

    /// The name and argument of an intrinsic function: a map of one key that is `Ref` or begins with `Fn::`.
    pub fn intrinsic(&self) -> Option<(&str, &Node)> {
        match self.entries() {
            [entry] if entry.key == "Ref" || entry.key.starts_with("Fn::") => Some((&entry.key, &entry.value)),
            _ => None,
        }
    }

    /// Whether this is `!Ref AWS::NoValue`.
    pub fn is_no_value(&self) -> bool {
        matches!(self.intrinsic(), Some(("Ref", Node { kind: Kind::Text(name), .. })) if name == "AWS::NoValue")
    }

    /// As JSON, without its places.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(value) => Value::Number(value.clone()),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Node::to_json).collect(),
            Kind::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
        }
    }

    /// The error of a node of another kind than `wanted`.
    pub fn expected(&self, what: &str, wanted: &str) -> Fault {
        let found = match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        };
        self.at.fault(format!("{what}: expected {wanted}, found {found}"))
    }
}

/// The error of a name that is none of those known, with the one that was probably meant.
pub fn unknown<'n>(at: Place, what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> Fault {
    /// Names beyond this are not listed in full.
    const MAX_LISTED: usize = 24;
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let nearest = known.iter().map(|other| (distance(name, other), *other)).min();
    let hint = match nearest {
        Some((distance, other)) if distance * 3 <= name.len().max(3) => format!("; did you mean {other:?}?"),
        _ if known.len() <= MAX_LISTED && !known.is_empty() => format!("; expected one of: {}", known.join(", ")),
        _ => String::new(),
    };
    at.fault(format!("unknown {what} {name:?}{hint}"))
}

/// Levenshtein's edit distance, in bytes, case ignored.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(!x.eq_ignore_ascii_case(&y));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
