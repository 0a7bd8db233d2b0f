//! `Resources` as they are written: each with its type, condition, dependencies and unresolved properties.

use super::node::{Entry, Kind, Node, Place, Result, unknown};

/// A resource before anything is resolved.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Its logical id.
    pub id: String,
    /// Where that is.
    pub at: Place,
    /// `AWS::…`.
    pub kind: String,
    /// Where that is.
    pub kind_at: Place,
    /// The name of its `Condition`.
    pub condition: Option<Node>,
    /// `DependsOn`.
    pub depends_on: Vec<Node>,
    /// `Properties`, an empty map without any.
    pub properties: Node,
    /// `Metadata`.
    pub metadata: Option<Node>,
}

/// What a resource may say beside its properties.
const ATTRIBUTES: [&str; 9] = [
    "Type",
    "Properties",
    "Condition",
    "DependsOn",
    "Metadata",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "CreationPolicy",
];

/// The resources of the section.
pub fn resources(section: &Node) -> Result<Vec<Declared>> {
    section.expect_map("Resources")?.iter().map(resource).collect()
}

fn resource(entry: &Entry) -> Result<Declared> {
    let Entry { key: id, at, value: node } = entry;
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(at.fault(format!("logical id {id:?}: expected letters and digits only")));
    }
    for attribute in node.expect_map(id)? {
        if !ATTRIBUTES.contains(&attribute.key.as_str()) {
            return Err(unknown(attribute.at, &format!("attribute of {id}:"), &attribute.key, ATTRIBUTES));
        }
    }
    let kind = node.get("Type").ok_or_else(|| at.fault(format!("{id} has no Type")))?;
    let depends_on = match node.get("DependsOn") {
        None => Vec::new(),
        Some(one @ Node { kind: Kind::Text(_), .. }) => vec![one.clone()],
        Some(list) => list.expect_list(&format!("DependsOn of {id}"))?.to_vec(),
    };
    let properties = node.get("Properties").cloned().unwrap_or_else(|| at.map([]));
    properties.expect_map(&format!("Properties of {id}"))?;
    Ok(Declared {
        id: id.clone(),
        at: *at,
        kind: kind.expect_text(&format!("Type of {id}"))?.to_owned(),
        kind_at: kind.at,
        condition: node.get("Condition").cloned(),
        depends_on,
        properties,
        metadata: node.get("Metadata").cloned(),
    })
}

impl Declared {
    /// A property, unresolved.
    pub fn property(&self, name: &str) -> Option<&Node> {
        self.properties.get(name)
    }

    /// `Metadata: BuildProperties: Binary`.
    pub fn binary(&self) -> Option<&str> {
        match &self.metadata.as_ref()?.get("BuildProperties")?.get("Binary")?.kind {
            Kind::Text(name) => Some(name),
            _ => None,
        }
    }
}
