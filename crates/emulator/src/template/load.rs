//! From a file to resources that could be made: the pure part.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::declare::{self, Declared};
use super::names::Named;
use super::node::{Fault, Node, Place, Result, unknown};
use super::order::{Step, order};
use super::parameters::{self, Values};
use super::resolve::Resolver;
use super::scope::Scope;
use super::{read, sam, types};
use crate::config::Config;

/// What a template may have at its top.
const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Globals",
    "Resources",
];

/// What an output may say.
const OUTPUT_ATTRIBUTES: [&str; 4] = ["Value", "Description", "Condition", "Export"];

/// A template with nothing left to resolve.
#[derive(Debug, Clone)]
pub struct Template {
    /// The file.
    pub path: PathBuf,
    /// The parameters' values, defaults included.
    pub parameters: BTreeMap<String, String>,
    /// In the order of creation; those whose condition is false are not among them.
    pub resources: Vec<Resource>,
    /// `Outputs`.
    pub outputs: BTreeMap<String, String>,
}

/// A resource to make.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its logical id.
    pub id: String,
    /// `AWS::…`, never `AWS::Serverless::…`.
    pub kind: String,
    /// Its physical name, given or made.
    pub name: String,
    /// What `!Ref` gives.
    pub physical_id: String,
    /// Resolved, in the types of its schema.
    pub properties: Value,
    /// The logical ids that it needs.
    pub needs: Vec<String>,
    /// `Metadata: BuildProperties: Binary`, of a function.
    pub binary: Option<String>,
    /// Where it is declared.
    pub line: usize,
}

/// What is wrong with a template, and where.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}:{line}:{column}: {message}", path.display())]
pub struct TemplateError {
    /// The file.
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
}

impl TemplateError {
    /// The same in this file.
    fn new(path: &Path, fault: Fault) -> Self {
        let Fault { at: Place { line, column }, message } = fault;
        TemplateError { path: path.to_owned(), line, column, message }
    }
}

/// Reads a template, with values for its parameters and the account and region of `config`. Nothing is made.
pub fn load(
    path: &Path,
    given: &BTreeMap<String, String>,
    config: &Config,
) -> std::result::Result<Template, TemplateError> {
    parse(path)
        .and_then(|root| {
            let values = parameters::values(root.get("Parameters"), given)?;
            let resources = sam::expand(&root, declared(&root)?, &values)?;
            let parameters = values.iter().map(|(name, value)| (name.clone(), value.text())).collect();
            let (resources, outputs) = resolve(&root, &values, &resources, config)?;
            Ok(Template { path: path.to_owned(), parameters, resources, outputs })
        })
        .map_err(|fault| TemplateError::new(path, fault))
}

/// What has to be built for a template's functions: (`CodeUri` as a path from here, name of the binary), each once, whatever the
/// parameters.
pub fn binaries(path: &Path) -> std::result::Result<Vec<(String, String)>, TemplateError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = || {
        let root = parse(path)?;
        let shared = root.get("Globals").and_then(|globals| globals.get("Function")?.get("CodeUri"));
        let mut found = Vec::new();
        for function in declared(&root)?.iter().filter(|resource| resource.kind == sam::FUNCTION) {
            let Some(binary) = function.binary() else { continue };
            let code = match function.property("CodeUri").or(shared) {
                Some(node) => node.expect_text("CodeUri")?,
                None => ".",
            };
            let pair = (folder.join(code).display().to_string(), binary.to_owned());
            if !found.contains(&pair) {
                found.push(pair);
            }
        }
        Ok(found)
    };
    read().map_err(|fault| TemplateError::new(path, fault))
}

fn parse(path: &Path) -> Result<Node> {
    let start = Place { line: 1, column: 1 };
    let text = std::fs::read_to_string(path).map_err(|e| start.fault(format!("cannot read the template: {e}")))?;
    let root = read::read(&text)?;
    for entry in root.expect_map("the template")? {
        if !SECTIONS.contains(&entry.key.as_str()) && entry.key != "Outputs" {
            return Err(unknown(entry.at, "section", &entry.key, SECTIONS.into_iter().chain(["Outputs"])));
        }
    }
    Ok(root)
}

fn declared(root: &Node) -> Result<Vec<Declared>> {
    let section = root.get("Resources").ok_or_else(|| root.at.fault("the template has no Resources"))?;
    declare::resources(section)
}

type Resolved = (Vec<Resource>, BTreeMap<String, String>);

fn resolve(root: &Node, values: &Values, declared: &[Declared], config: &Config) -> Result<Resolved> {
    check_unique(declared, values)?;
    let scope = Scope::new(config, root, values, declared);
    // Conditions that nothing uses are checked too.
    for entry in root.get("Conditions").map_or(&[][..], Node::entries) {
        scope.condition(&entry.key, entry.at)?;
    }
    let mut resources = Vec::with_capacity(declared.len());
    let mut steps = Vec::with_capacity(declared.len());
    for resource in declared {
        types::check_type(&resource.kind, resource.kind_at)?;
        if let Some((made, step)) = make(&scope, resource)? {
            resources.push(Some(made));
            steps.push(step);
        }
    }
    let ordered = order(&steps)?.into_iter().filter_map(|n| resources[n].take()).collect();
    Ok((ordered, outputs(root, &scope)?))
}

/// A logical id names one thing: SAM's additions may clash with what is written, and a parameter with a resource.
fn check_unique(declared: &[Declared], values: &Values) -> Result<()> {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for resource in declared {
        if values.contains_key(&resource.id) {
            return Err(resource.at.fault(format!("{} is both a parameter and a resource", resource.id)));
        }
        if let Some(first) = seen.insert(&resource.id, resource.at) {
            let message = format!("{} is made twice: by this and on line {}", resource.id, first.line);
            return Err(resource.at.fault(message));
        }
    }
    Ok(())
}

/// A resource resolved, and what it needs; `None` if its condition is false (its names are checked all the same).
fn make(scope: &Scope<'_>, declared: &Declared) -> Result<Option<(Resource, Step)>> {
    let holds = scope.holds(declared.condition.as_ref())?;
    let mut resolver = if holds { Resolver::new(scope) } else { Resolver::idle(scope) };
    let properties = resolver.resolve(&declared.properties)?.unwrap_or_else(|| declared.at.map([]));
    let mut needs = resolver.needs;
    for node in &declared.depends_on {
        let id = node.expect_text("DependsOn")?;
        if scope.resource(id).is_none() {
            return Err(scope.unknown_target(node.at, "DependsOn", id));
        }
        needs.insert(id.to_owned());
    }
    let properties = types::properties(&declared.kind, &properties)?;
    if !holds {
        return Ok(None);
    }
    let name = scope.name(declared)?;
    let resource = Resource {
        id: declared.id.clone(),
        kind: declared.kind.clone(),
        physical_id: scope.reference(declared)?,
        name,
        properties,
        needs: needs.iter().cloned().collect(),
        binary: declared.binary().map(str::to_owned),
        line: declared.at.line,
    };
    let step = Step { id: declared.id.clone(), at: declared.at, needs: needs.into_iter().collect() };
    Ok(Some((resource, step)))
}

fn outputs(root: &Node, scope: &Scope<'_>) -> Result<BTreeMap<String, String>> {
    let mut outputs = BTreeMap::new();
    let Some(section) = root.get("Outputs") else { return Ok(outputs) };
    for entry in section.expect_map("Outputs")? {
        let what = format!("output {}", entry.key);
        for attribute in entry.value.expect_map(&what)? {
            if !OUTPUT_ATTRIBUTES.contains(&attribute.key.as_str()) {
                return Err(unknown(attribute.at, &format!("attribute of {what}:"), &attribute.key, OUTPUT_ATTRIBUTES));
            }
        }
        let value = entry.value.get("Value").ok_or_else(|| entry.at.fault(format!("{what} has no Value")))?;
        let holds = scope.holds(entry.value.get("Condition"))?;
        let mut resolver = if holds { Resolver::new(scope) } else { Resolver::idle(scope) };
        let resolved = resolver.resolve(value)?;
        if let (true, Some(node)) = (holds, resolved) {
            outputs.insert(entry.key.clone(), node.expect_scalar(&what)?);
        }
    }
    Ok(outputs)
}

impl Resource {
    /// What stands for the URL of an `AWS::Lambda::Url` until it is made.
    pub fn url_placeholder(&self, config: &Config) -> Option<String> {
        let named = Named { id: &self.id, kind: &self.kind, name: &self.name };
        (self.kind == "AWS::Lambda::Url").then(|| named.url_placeholder(config))
    }

    /// A property that is text.
    pub fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property)?.as_str()
    }
}
