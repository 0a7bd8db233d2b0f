//! SAM: an `AWS::Serverless::Function` becomes the function, its role, URL, invoke configuration and what its events need, with
//! the logical ids that SAM's own transform gives them. Every added resource stands where its function stands and has its
//! condition. Other `AWS::Serverless` types are unknown. A new event source goes into `events`.

mod events;
mod function;
mod globals;
mod role;

use super::declare::Declared;
use super::node::{Entry, Kind, Node, Result, unknown};
use super::parameters::{Value, Values};

pub use function::TYPE as FUNCTION;

/// The name of SAM's transform.
const TRANSFORM: &str = "AWS::Serverless-2016-10-31";

/// The resources with SAM's functions expanded.
pub fn expand(root: &Node, resources: Vec<Declared>, parameters: &Values) -> Result<Vec<Declared>> {
    let transformed = transforms(root)?;
    let globals = globals::function(root.get("Globals"))?;
    let mut expanded: Vec<Declared> = Vec::with_capacity(resources.len());
    for resource in resources {
        if resource.kind != FUNCTION {
            expanded.push(resource);
        } else if transformed {
            expanded.extend(function::expand(&resource, globals, parameters)?);
        } else {
            return Err(resource.kind_at.fault(format!("{FUNCTION} needs \"Transform: {TRANSFORM}\" in the template")));
        }
    }
    Ok(expanded)
}

fn transforms(root: &Node) -> Result<bool> {
    match root.get("Transform") {
        None => Ok(false),
        Some(node) => match node.expect_text("Transform")? {
            TRANSFORM => Ok(true),
            other => Err(unknown(node.at, "transform", other, [TRANSFORM])),
        },
    }
}

/// A resource that SAM adds for `function`.
fn added(function: &Declared, id: String, kind: &str, properties: Node) -> Declared {
    Declared {
        id,
        at: function.at,
        kind: kind.to_owned(),
        kind_at: function.kind_at,
        condition: function.condition.clone(),
        depends_on: Vec::new(),
        properties,
        metadata: None,
    }
}

/// A map of those of `entries` that have a value.
fn present<'k>(function: &Declared, entries: impl IntoIterator<Item = (&'k str, Option<Node>)>) -> Node {
    function.at.map(entries.into_iter().filter_map(|(key, value)| Some((key, value?))))
}

/// What SAM must know before it expands: a text, which may be a reference to a parameter.
fn literal(node: &Node, parameters: &Values, what: &str) -> Result<String> {
    match node.intrinsic() {
        Some(("Ref", Node { kind: Kind::Text(name), .. })) => match parameters.get(name) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => {
                Err(node.at.fault(format!("{what}: expected a string or a Ref to a parameter, found a Ref to {name}")))
            }
        },
        Some((function, _)) => {
            Err(node.at.fault(format!("{what}: expected a string or a Ref to a parameter, found {function}")))
        }
        None => node.expect_scalar(what),
    }
}

/// Refuses the keys of a map that are not `known`.
fn check_keys(entries: &[Entry], what: &str, known: &[&str]) -> Result<()> {
    match entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
        Some(entry) => Err(unknown(entry.at, &format!("property of {what}:"), &entry.key, known.iter().copied())),
        None => Ok(()),
    }
}
