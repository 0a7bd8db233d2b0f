//! YAML (and so JSON) to nodes with their places: CloudFormation's dialect, with its short-form tags.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use serde_json::Number;

use super::node::{Entry, Fault, Kind, Node, Place, Result};

/// CloudFormation's limit of a template in S3 (AWS CloudFormation quotas: "Template body size in an S3 object").
pub const MAX_BYTES: usize = 1_048_576;

/// Nodes after aliases are expanded: far above any template of [`MAX_BYTES`], far below what aliases of aliases can make.
const MAX_NODES: usize = 200_000;

/// Lists and maps within one another.
const MAX_DEPTH: usize = 100;

/// The tags that stand for functions. The others of CloudFormation (`GetAZs`, `ImportValue`, `Cidr`, …) reach outside of the
/// template or are of no use in it.
const FUNCTIONS: [&str; 12] =
    ["And", "Base64", "Equals", "FindInMap", "GetAtt", "If", "Join", "Not", "Or", "Select", "Split", "Sub"];

/// Reads a template.
pub fn read(text: &str) -> Result<Node> {
    if text.len() > MAX_BYTES {
        let message = format!("a template of {} bytes: expected at most {MAX_BYTES}", text.len());
        return Err(Place { line: 1, column: 1 }.fault(message));
    }
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| place(e.marker()).fault(format!("not valid YAML: {}", e.info())))?;
        reader.event(event, span)?;
    }
    reader.root.ok_or_else(|| Place { line: 1, column: 1 }.fault("an empty file: expected a template"))
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

/// A list or map whose end has not come yet.
struct Open {
    node: Node,
    key: Option<(String, Place)>,
    tag: Option<String>,
    anchor: usize,
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<()> {
        let at = place(&span.start);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = function(tag.as_deref(), at)?;
                // A key is its text: a condition may be called Yes.
                let is_key = self.open.last().is_some_and(|o| o.key.is_none() && matches!(o.node.kind, Kind::Map(_)));
                let node = Node { at, kind: scalar(&text, style == ScalarStyle::Plain && tag.is_none() && !is_key) };
                self.complete(node, tag, anchor)
            }
            Event::SequenceStart(anchor, tag) => self.begin(Kind::List(Vec::new()), at, tag.as_deref(), anchor),
            Event::MappingStart(anchor, tag) => self.begin(Kind::Map(Vec::new()), at, tag.as_deref(), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.complete(open.node, open.tag, open.anchor),
                None => Err(at.fault("not valid YAML: an end without a beginning")),
            },
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(at.fault("a second YAML document: expected one template in the file"))
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn alias(&mut self, anchor: usize, at: Place) -> Result<()> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(at.fault("not valid YAML: an alias of something that contains it"));
        };
        let (nodes, depth) = size(node);
        self.nodes += nodes;
        if self.nodes > MAX_NODES || self.open.len() + depth > MAX_DEPTH {
            let message = format!("its aliases expand to more than {MAX_NODES} nodes or {MAX_DEPTH} levels");
            return Err(at.fault(message));
        }
        self.complete(node.clone(), None, 0)
    }

    fn begin(&mut self, kind: Kind, at: Place, tag: Option<&Tag>, anchor: usize) -> Result<()> {
        if self.open.len() >= MAX_DEPTH {
            return Err(at.fault(format!("nested more than {MAX_DEPTH} deep")));
        }
        let tag = function(tag, at)?;
        self.open.push(Open { node: Node { at, kind }, key: None, tag, anchor });
        Ok(())
    }

    /// Puts a whole node where it belongs: under the key, at the end of the list, or at the root.
    fn complete(&mut self, node: Node, tag: Option<String>, anchor: usize) -> Result<()> {
        let at = node.at;
        let node = match tag {
            Some(name) => at.map([(name.as_str(), argument(&name, node)?)]),
            None => node,
        };
        self.nodes += 1;
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut parent.node.kind {
            Kind::List(items) => items.push(node),
            Kind::Map(entries) => match parent.key.take() {
                Some((key, at)) => entries.push(Entry { key, at, value: node }),
                None => parent.key = Some((key(&node, entries)?, at)),
            },
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
        Ok(())
    }
}

/// The key of a map: a scalar that the map does not have yet.
fn key(node: &Node, entries: &[Entry]) -> Result<String> {
    let key = node.expect_scalar("a key")?;
    if key == "<<" {
        return Err(node.at.fault("the merge key \"<<\" is not part of CloudFormation's YAML: write the keys out"));
    }
    match entries.iter().find(|entry| entry.key == key) {
        Some(first) => Err(node.at.fault(format!("duplicate key {key:?}: it is already on line {}", first.at.line))),
        None => Ok(key),
    }
}

/// The function that a tag stands for.
fn function(tag: Option<&Tag>, at: Place) -> Result<Option<String>> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_yaml_core_schema() => Ok(None),
        Some(tag) => match tag.suffix.as_str() {
            name @ ("Ref" | "Condition") => Ok(Some(name.to_owned())),
            name if FUNCTIONS.contains(&name) => Ok(Some(format!("Fn::{name}"))),
            name => {
                let known = FUNCTIONS.into_iter().chain(["Ref", "Condition"]);
                Err(super::node::unknown(at, "function", name, known))
            }
        },
    }
}

/// The argument of a function in its long form: `!GetAtt A.B` is `[A, B]`.
fn argument(name: &str, node: Node) -> std::result::Result<Node, Fault> {
    match &node.kind {
        Kind::Text(text) if name == "Fn::GetAtt" => match text.split_once('.') {
            Some((id, attribute)) => Ok(node.at.list([node.at.text(id), node.at.text(attribute)])),
            None => Err(node.at.fault(format!("!GetAtt {text}: expected RESOURCE.ATTRIBUTE"))),
        },
        _ => Ok(node),
    }
}

/// How many nodes, and how many levels.
fn size(node: &Node) -> (usize, usize) {
    let add = |(nodes, depth): (usize, usize), inner: &Node| {
        let (more, deeper) = size(inner);
        (nodes + more, depth.max(deeper + 1))
    };
    match &node.kind {
        Kind::List(items) => items.iter().fold((1, 1), add),
        Kind::Map(entries) => entries.iter().map(|entry| &entry.value).fold((1, 1), add),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => (1, 1),
    }
}

/// Plain scalars become what YAML 1.1 makes of them, which is what CloudFormation and SAM read; dates stay text.
fn scalar(text: &str, plain: bool) -> Kind {
    if !plain {
        return Kind::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Kind::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Kind::Bool(false),
        _ => number(text).map_or_else(|| Kind::Text(text.to_owned()), Kind::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit())
        || (digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0."))
    {
        return None; // an account number with leading zeros is text
    }
    if let Ok(value) = text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
        return Some(value.into());
    }
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if plain && digits.contains('.') { text.parse().ok().and_then(Number::from_f64) } else { None }
}
