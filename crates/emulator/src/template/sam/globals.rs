//! `Globals: Function`: what every function says unless it says otherwise.

use crate::template::node::{Entry, Kind, Node, Result, unknown};

/// The section of functions; the others of SAM belong to types that the emulator does not know.
pub fn function(globals: Option<&Node>) -> Result<Option<&Node>> {
    let Some(globals) = globals else { return Ok(None) };
    for entry in globals.expect_map("Globals")? {
        if entry.key != "Function" {
            return Err(unknown(entry.at, "section of Globals:", &entry.key, ["Function"]));
        }
    }
    Ok(globals.get("Function"))
}

/// SAM's merge: maps are joined key by key, lists one after the other (the global one first), anything else is replaced.
pub fn merge(global: &Node, local: &Node) -> Node {
    let kind = match (&global.kind, &local.kind) {
        (Kind::Map(_), Kind::Map(_)) if global.intrinsic().is_none() && local.intrinsic().is_none() => {
            Kind::Map(merge_maps(global.entries(), local))
        }
        (Kind::List(first), Kind::List(second)) => Kind::List([first.as_slice(), second.as_slice()].concat()),
        _ => local.kind.clone(),
    };
    Node { at: local.at, kind }
}

fn merge_maps(global: &[Entry], local: &Node) -> Vec<Entry> {
    let joined = global.iter().map(|entry| match local.get(&entry.key) {
        Some(value) => Entry { value: merge(&entry.value, value), ..entry.clone() },
        None => entry.clone(),
    });
    let own = local.entries().iter().filter(|entry| !global.iter().any(|other| other.key == entry.key)).cloned();
    joined.chain(own).collect()
}
