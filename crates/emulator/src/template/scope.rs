//! What names mean in a template: parameters, pseudo-parameters, mappings, conditions, resources and their physical names.

use std::cell::RefCell;
use std::collections::HashMap;

use super::declare::Declared;
use super::names::{self, Named, STACK_NAME};
use super::node::{Fault, Kind, Node, Place, Result, unknown};
use super::parameters::{Value, Values};
use super::resolve::Resolver;
use crate::config::Config;

/// Everything that a name can stand for.
pub struct Scope<'t> {
    config: &'t Config,
    parameters: &'t Values,
    mappings: Option<&'t Node>,
    conditions: Option<&'t Node>,
    resources: HashMap<&'t str, &'t Declared>,
    // `None` while a value is being worked out: to need it then is a circle.
    truths: RefCell<HashMap<String, Option<bool>>>,
    names: RefCell<HashMap<String, Option<String>>>,
}

impl<'t> Scope<'t> {
    /// The scope of a template (its root) with these parameters and these resources, which are SAM's expanded ones.
    pub fn new(config: &'t Config, root: &'t Node, parameters: &'t Values, resources: &'t [Declared]) -> Self {
        Scope {
            config,
            parameters,
            mappings: root.get("Mappings"),
            conditions: root.get("Conditions"),
            resources: resources.iter().map(|resource| (resource.id.as_str(), resource)).collect(),
            truths: RefCell::default(),
            names: RefCell::default(),
        }
    }

    /// The value of a parameter or pseudo-parameter; `None` if there is none of this name.
    pub fn parameter(&self, name: &str, at: Place) -> Option<Node> {
        let config = self.config;
        let text = match name {
            "AWS::AccountId" => config.account.clone(),
            "AWS::Region" => config.region.clone(),
            "AWS::Partition" => "aws".to_owned(),
            "AWS::StackName" => STACK_NAME.to_owned(),
            "AWS::StackId" => config.arn("cloudformation", &format!("stack/{STACK_NAME}/{STACK_NAME}")),
            "AWS::URLSuffix" => "amazonaws.com".to_owned(),
            "AWS::NotificationARNs" => return Some(at.list([])),
            _ => match self.parameters.get(name)? {
                Value::Text(text) => text.clone(),
                Value::List(items) => return Some(at.list(items.iter().map(|item| at.text(item)))),
            },
        };
        Some(at.text(text))
    }

    /// The resource of this logical id.
    pub fn resource(&self, id: &str) -> Option<&'t Declared> {
        self.resources.get(id).copied()
    }

    /// The error of a `Ref` or `GetAtt` to nothing.
    pub fn unknown_target(&self, at: Place, what: &str, id: &str) -> Fault {
        let parameters = if what == "Ref" { Some(self.parameters.keys().map(String::as_str)) } else { None };
        unknown(
            at,
            &format!("target of {what}:"),
            id,
            self.resources.keys().copied().chain(parameters.into_iter().flatten()),
        )
    }

    /// `!Ref` of a resource.
    pub fn reference(&self, resource: &Declared) -> Result<String> {
        if let ("AWS::Lambda::Url", Some(target)) = (resource.kind.as_str(), resource.property("TargetFunctionArn")) {
            let target = Resolver::new(self).resolve(target)?.and_then(|node| node.scalar()).unwrap_or_default();
            let function = target.rsplit(':').next().unwrap_or_default();
            return Ok(self.config.arn("lambda", &format!("function:{function}")));
        }
        let name = self.name(resource)?;
        Ok(Named { id: &resource.id, kind: &resource.kind, name: &name }.reference(self.config))
    }

    /// `!GetAtt` of a resource.
    pub fn attribute(&self, resource: &Declared, attribute: &str, at: Place) -> Result<String> {
        let name = self.name(resource)?;
        let named = Named { id: &resource.id, kind: &resource.kind, name: &name };
        named.attribute(attribute, self.config).ok_or_else(|| {
            unknown(
                at,
                &format!("attribute of {} {}:", resource.kind, resource.id),
                attribute,
                named.attributes().iter().copied(),
            )
        })
    }

    /// The physical name of a resource: its name property, or one made for it.
    pub fn name(&self, resource: &Declared) -> Result<String> {
        match self.names.borrow_mut().entry(resource.id.clone()) {
            std::collections::hash_map::Entry::Occupied(entry) => {
                return entry.get().clone().ok_or_else(|| {
                    resource.at.fault(format!("circular dependency: the name of {} refers to itself", resource.id))
                });
            }
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(None),
        };
        let written = names::name_property(&resource.kind).and_then(|property| resource.property(property));
        let resolved = match written {
            Some(node) => Resolver::new(self).resolve(node)?,
            None => None,
        };
        let name = match resolved {
            Some(node) => node.expect_scalar(&format!("the name of {}", resource.id))?,
            None => names::generated_name(&resource.kind, &resource.id),
        };
        self.names.borrow_mut().insert(resource.id.clone(), Some(name.clone()));
        Ok(name)
    }

    /// Whether a resource or output with this condition is made.
    pub fn holds(&self, condition: Option<&Node>) -> Result<bool> {
        condition.map_or(Ok(true), |node| self.condition(node.expect_text("Condition")?, node.at))
    }

    /// The value of a condition by name.
    pub fn condition(&self, name: &str, at: Place) -> Result<bool> {
        if let Some(truth) = self.truths.borrow().get(name) {
            return truth.ok_or_else(|| at.fault(format!("circular dependency: condition {name} refers to itself")));
        }
        let Some(node) = self.conditions.and_then(|section| section.get(name)) else {
            let known = self.conditions.map_or(&[][..], Node::entries).iter().map(|entry| entry.key.as_str());
            return Err(unknown(at, "condition", name, known));
        };
        self.truths.borrow_mut().insert(name.to_owned(), None);
        let truth = self.evaluate(node)?;
        self.truths.borrow_mut().insert(name.to_owned(), Some(truth));
        Ok(truth)
    }

    fn evaluate(&self, node: &Node) -> Result<bool> {
        let [entry] = node.entries() else {
            return Err(node.expected("a condition", "one of !Equals, !And, !Or, !Not, !Condition"));
        };
        let all = |least: usize, most: usize| -> Result<&[Node]> {
            let items = entry.value.expect_list(&entry.key)?;
            if items.len() < least || items.len() > most {
                let message = format!("{}: expected {least} to {most} operands, found {}", entry.key, items.len());
                return Err(entry.value.at.fault(message));
            }
            Ok(items)
        };
        // And and Or have 2 to 10 operands (CloudFormation's condition functions).
        let truths = |items: &[Node]| items.iter().map(|item| self.evaluate(item)).collect::<Result<Vec<bool>>>();
        match entry.key.as_str() {
            "Condition" => self.condition(entry.value.expect_text("!Condition")?, entry.value.at),
            "Fn::Equals" => {
                let [a, b] = all(2, 2)? else { return Ok(false) };
                Ok(self.operand(a)? == self.operand(b)?)
            }
            "Fn::And" => Ok(truths(all(2, 10)?)?.into_iter().all(|truth| truth)),
            "Fn::Or" => Ok(truths(all(2, 10)?)?.into_iter().any(|truth| truth)),
            "Fn::Not" => Ok(!truths(all(1, 1)?)?.into_iter().all(|truth| truth)),
            other => Err(entry.at.fault(format!(
                "{other} is no condition: expected one of Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition"
            ))),
        }
    }

    /// A side of `Equals`: compared as text, so that 1 and "1" are equal, as they are to CloudFormation.
    fn operand(&self, node: &Node) -> Result<String> {
        let resolved = Resolver::for_conditions(self).resolve(node)?;
        Ok(resolved.map_or_else(String::new, |node| node.scalar().unwrap_or_else(|| node.to_json().to_string())))
    }

    /// `!FindInMap [map, key, name]`.
    pub fn find_in_map(&self, path: [(&str, Place); 3]) -> Result<Node> {
        let mut node = self.mappings.ok_or_else(|| path[0].1.fault("Fn::FindInMap: the template has no Mappings"))?;
        for (what, (key, at)) in ["mapping", "key of the mapping", "name in the mapping"].into_iter().zip(path) {
            let known = node.entries().iter().map(|entry| entry.key.as_str());
            node = node.get(key).ok_or_else(|| unknown(at, what, key, known))?;
        }
        match node.kind {
            Kind::Map(_) => Err(node.expected("a value of a mapping", "a string or a list")),
            _ => Ok(node.clone()),
        }
    }
}
