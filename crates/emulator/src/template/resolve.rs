//! Intrinsic functions: a tree with them becomes one without, and what it needs of other resources is noted.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::node::{Entry, Kind, Node, Place, Result, unknown};
use super::scope::Scope;

/// The functions that are resolved here.
const FUNCTIONS: [&str; 8] =
    ["Fn::Base64", "Fn::FindInMap", "Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub"];

/// Resolves one resource's properties (or an output's value).
pub struct Resolver<'s, 't> {
    scope: &'s Scope<'t>,
    /// The logical ids that were referred to.
    pub needs: BTreeSet<String>,
    /// Within a branch or resource that is not made: names are checked, values are of no use.
    idle: bool,
    /// Conditions may not refer to resources.
    in_condition: bool,
}

impl<'s, 't> Resolver<'s, 't> {
    /// Resolves what is made.
    pub fn new(scope: &'s Scope<'t>) -> Self {
        Resolver { scope, needs: BTreeSet::new(), idle: false, in_condition: false }
    }

    /// Checks the names of what is not made.
    pub fn idle(scope: &'s Scope<'t>) -> Self {
        Resolver { idle: true, ..Self::new(scope) }
    }

    /// Resolves the operands of conditions.
    pub fn for_conditions(scope: &'s Scope<'t>) -> Self {
        Resolver { in_condition: true, ..Self::new(scope) }
    }

    /// The value of a node; `None` where it is `AWS::NoValue`.
    pub fn resolve(&mut self, node: &Node) -> Result<Option<Node>> {
        if let Some((function, argument)) = node.intrinsic() {
            return self.call(function, argument, node.at);
        }
        let kind = match &node.kind {
            Kind::List(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in items {
                    resolved.extend(self.resolve(item)?);
                }
                Kind::List(resolved)
            }
            Kind::Map(entries) => {
                let mut resolved = Vec::with_capacity(entries.len());
                for Entry { key, at, value } in entries {
                    if key.starts_with("Fn::") {
                        return Err(at.fault(format!("{key}: a function must be the only key of its map")));
                    }
                    let value = self.resolve(value)?;
                    resolved.extend(value.map(|value| Entry { key: key.clone(), at: *at, value }));
                }
                Kind::Map(resolved)
            }
            Kind::Null => return Err(node.at.fault("null is not allowed in a template: leave the key out")),
            other => other.clone(),
        };
        Ok(Some(Node { at: node.at, kind }))
    }

    fn call(&mut self, function: &str, argument: &Node, at: Place) -> Result<Option<Node>> {
        match function {
            "Ref" => self.reference(argument.expect_text("Ref")?, argument.at, at),
            "Fn::If" => self.choose(argument),
            "Fn::GetAtt" => self.get_att(argument, at).map(Some),
            "Fn::Sub" => self.substitute(argument, at).map(Some),
            "Fn::Join" => self.join(argument, at).map(Some),
            "Fn::Select" => self.select(argument, at).map(Some),
            "Fn::Split" => self.split(argument, at).map(Some),
            "Fn::FindInMap" => self.find_in_map(argument, at).map(Some),
            "Fn::Base64" => Ok(Some(at.text(STANDARD.encode(self.text(argument, "Fn::Base64")?)))),
            other => Err(unknown(at, "function", other, FUNCTIONS.into_iter().chain(["Ref"]))),
        }
    }

    fn reference(&mut self, name: &str, name_at: Place, at: Place) -> Result<Option<Node>> {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if let Some(value) = self.scope.parameter(name, at) {
            return Ok(Some(value));
        }
        let resource = self.need(name, "Ref", name_at)?;
        Ok(Some(at.text(self.scope.reference(resource)?)))
    }

    fn get_att(&mut self, argument: &Node, at: Place) -> Result<Node> {
        let (id, attribute, attribute_at) = match &argument.kind {
            Kind::Text(text) => match text.split_once('.') {
                Some((id, attribute)) => (id.to_owned(), attribute.to_owned(), argument.at),
                None => return Err(argument.at.fault(format!("Fn::GetAtt {text:?}: expected RESOURCE.ATTRIBUTE"))),
            },
            _ => match argument.expect_list("Fn::GetAtt")? {
                [id, attribute] => {
                    (id.expect_text("Fn::GetAtt")?.to_owned(), self.text(attribute, "Fn::GetAtt")?, attribute.at)
                }
                _ => return Err(argument.at.fault("Fn::GetAtt: expected [RESOURCE, ATTRIBUTE]")),
            },
        };
        let resource = self.need(&id, "GetAtt", argument.at)?;
        Ok(at.text(self.scope.attribute(resource, &attribute, attribute_at)?))
    }

    fn need(&mut self, id: &str, what: &str, at: Place) -> Result<&'t super::declare::Declared> {
        if self.in_condition {
            return Err(at.fault(format!("{what} {id:?} in a condition: expected a parameter or pseudo-parameter")));
        }
        let resource = self.scope.resource(id).ok_or_else(|| self.scope.unknown_target(at, what, id))?;
        if !self.idle {
            if !self.scope.holds(resource.condition.as_ref())? {
                let condition = resource.condition.as_ref().and_then(Node::scalar).unwrap_or_default();
                let message = format!("{what} to {id}, which is not made: its condition {condition} is false");
                return Err(at.fault(message));
            }
            self.needs.insert(id.to_owned());
        }
        Ok(resource)
    }

    fn choose(&mut self, argument: &Node) -> Result<Option<Node>> {
        let [condition, yes, no] = argument.expect_list("Fn::If")? else {
            return Err(argument.at.fault("Fn::If: expected [condition, value if true, value if false]"));
        };
        let holds = self.scope.condition(condition.expect_text("Fn::If's condition")?, condition.at)?;
        let (taken, other) = if holds { (yes, no) } else { (no, yes) };
        Resolver { in_condition: self.in_condition, ..Resolver::idle(self.scope) }.resolve(other)?;
        self.resolve(taken)
    }

    fn substitute(&mut self, argument: &Node, at: Place) -> Result<Node> {
        let (text, variables) = match &argument.kind {
            Kind::List(items) => match items.as_slice() {
                [text, variables] => (text, variables.expect_map("Fn::Sub's variables")?),
                _ => return Err(argument.at.fault("Fn::Sub: expected TEXT or [TEXT, {NAME: VALUE, …}]")),
            },
            _ => (argument, &[][..]),
        };
        let mut rest = text.expect_text("Fn::Sub")?;
        let mut out = String::with_capacity(rest.len());
        while let Some(start) = rest.find("${") {
            out.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else {
                return Err(text.at.fault(format!("Fn::Sub: {:?} has no closing }}", &rest[start..])));
            };
            let name = &rest[start + 2..start + length];
            rest = &rest[start + length + 1..];
            match name.strip_prefix('!') {
                Some(literal) => out.push_str(&format!("${{{literal}}}")),
                None => out.push_str(&self.variable(name.trim(), variables, text.at)?),
            }
        }
        out.push_str(rest);
        Ok(at.text(out))
    }

    fn variable(&mut self, name: &str, variables: &[Entry], at: Place) -> Result<String> {
        if let Some(entry) = variables.iter().find(|entry| entry.key == name) {
            return self.text(&entry.value, &format!("Fn::Sub's variable {name}"));
        }
        let value = match name.split_once('.') {
            Some((id, attribute)) => Some(self.get_att(&at.list([at.text(id), at.text(attribute)]), at)?),
            None => self.reference(name, at, at)?,
        };
        let value = value.ok_or_else(|| at.fault(format!("Fn::Sub: ${{{name}}} has no value")))?;
        value.expect_scalar(&format!("Fn::Sub's ${{{name}}}"))
    }

    fn join(&mut self, argument: &Node, at: Place) -> Result<Node> {
        let [delimiter, items] = argument.expect_list("Fn::Join")? else {
            return Err(argument.at.fault("Fn::Join: expected [delimiter, list]"));
        };
        let delimiter = delimiter.expect_scalar("Fn::Join's delimiter")?;
        let items = self.list(items, "Fn::Join's list")?;
        let texts: Vec<String> =
            items.iter().map(|item| item.expect_scalar("an item of Fn::Join")).collect::<Result<_>>()?;
        Ok(at.text(texts.join(&delimiter)))
    }

    fn select(&mut self, argument: &Node, at: Place) -> Result<Node> {
        let [index, items] = argument.expect_list("Fn::Select")? else {
            return Err(argument.at.fault("Fn::Select: expected [index, list]"));
        };
        let (index_at, index) = (index.at, self.text(index, "Fn::Select's index")?);
        let items = self.list(items, "Fn::Select's list")?;
        let item = index.parse::<usize>().ok().and_then(|index| items.get(index)).cloned();
        match item {
            Some(item) => Ok(item),
            None if self.idle => Ok(at.text("")),
            None => Err(index_at.fault(format!("Fn::Select: index {index} of a list of {}", items.len()))),
        }
    }

    fn split(&mut self, argument: &Node, at: Place) -> Result<Node> {
        let [delimiter, text] = argument.expect_list("Fn::Split")? else {
            return Err(argument.at.fault("Fn::Split: expected [delimiter, text]"));
        };
        let delimiter_text = delimiter.expect_text("Fn::Split's delimiter")?;
        if delimiter_text.is_empty() {
            return Err(delimiter.at.fault("Fn::Split: an empty delimiter"));
        }
        let text = self.text(text, "Fn::Split's text")?;
        Ok(at.list(text.split(delimiter_text).map(|part| at.text(part))))
    }

    fn find_in_map(&mut self, argument: &Node, at: Place) -> Result<Node> {
        let [map, key, name] = argument.expect_list("Fn::FindInMap")? else {
            return Err(argument.at.fault("Fn::FindInMap: expected [mapping, key, name]"));
        };
        let mut texts = Vec::new();
        for part in [map, key, name] {
            texts.push((self.text(part, "Fn::FindInMap")?, part.at));
        }
        let path = [(texts[0].0.as_str(), map.at), (texts[1].0.as_str(), key.at), (texts[2].0.as_str(), name.at)];
        match self.scope.find_in_map(path) {
            Err(_) if self.idle => Ok(at.text("")),
            found => found,
        }
    }

    fn text(&mut self, node: &Node, what: &str) -> Result<String> {
        match self.resolve(node)? {
            Some(value) => value.expect_scalar(what),
            None => Err(node.at.fault(format!("{what}: expected a string, found AWS::NoValue"))),
        }
    }

    fn list(&mut self, node: &Node, what: &str) -> Result<Vec<Node>> {
        match self.resolve(node)? {
            Some(value) => value.expect_list(what).map(<[Node]>::to_vec),
            None => Err(node.at.fault(format!("{what}: expected a list, found AWS::NoValue"))),
        }
    }
}
