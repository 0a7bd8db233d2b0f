//! `Parameters`: their values, checked against what the template allows.

use std::collections::BTreeMap;

use regex::Regex;

use super::node::{Fault, Node, Place, Result, unknown};

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `String`, `Number`.
    Text(String),
    /// `CommaDelimitedList`, `List<Number>`.
    List(Vec<String>),
}

impl Value {
    /// As it was given.
    pub fn text(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::List(items) => items.join(","),
        }
    }
}

/// Values by name.
pub type Values = BTreeMap<String, Value>;

/// What a parameter may say.
const ATTRIBUTES: [&str; 11] = [
    "Type",
    "Default",
    "Description",
    "AllowedValues",
    "AllowedPattern",
    "ConstraintDescription",
    "MinLength",
    "MaxLength",
    "MinValue",
    "MaxValue",
    "NoEcho",
];

/// The values of the parameters of `section`: those given, otherwise the defaults.
pub fn values(section: Option<&Node>, given: &BTreeMap<String, String>) -> Result<Values> {
    let declared = section.map_or(Ok(&[][..]), |node| node.expect_map("Parameters"))?;
    let place = section.map_or(Place { line: 1, column: 1 }, |node| node.at);
    for name in given.keys() {
        if !declared.iter().any(|entry| entry.key == *name) {
            return Err(unknown(place, "parameter", name, declared.iter().map(|entry| entry.key.as_str())));
        }
    }
    declared
        .iter()
        .map(|entry| {
            let parameter = Parameter { name: &entry.key, node: &entry.value };
            Ok((entry.key.clone(), parameter.value(given.get(&entry.key), entry.at)?))
        })
        .collect()
}

struct Parameter<'n> {
    name: &'n str,
    node: &'n Node,
}

impl Parameter<'_> {
    fn value(&self, given: Option<&String>, at: Place) -> Result<Value> {
        for entry in self.node.expect_map(self.name)? {
            if !ATTRIBUTES.contains(&entry.key.as_str()) {
                let what = format!("attribute of parameter {}:", self.name);
                return Err(unknown(entry.at, &what, &entry.key, ATTRIBUTES));
            }
        }
        let (text, at) = match (given, self.node.get("Default")) {
            (Some(text), _) => (text.clone(), at),
            (None, Some(node)) => (node.expect_scalar(&format!("Default of parameter {}", self.name))?, node.at),
            (None, None) => {
                return Err(at.fault(format!("parameter {} has no Default and was given no value", self.name)));
            }
        };
        let kind = match self.node.get("Type") {
            Some(node) => (node.expect_text("Type")?, node.at),
            None => return Err(at.fault(format!("parameter {} has no Type", self.name))),
        };
        match kind.0 {
            "String" | "Number" => {
                self.check(&text, kind.0 == "Number", at)?;
                Ok(Value::Text(text))
            }
            "CommaDelimitedList" | "List<Number>" => {
                let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
                items.iter().try_for_each(|item| self.check(item, kind.0 == "List<Number>", at))?;
                Ok(Value::List(items))
            }
            other => Err(unknown(
                kind.1,
                &format!("Type of parameter {}:", self.name),
                other,
                ["String", "Number", "CommaDelimitedList", "List<Number>"],
            )),
        }
    }

    fn check(&self, text: &str, number: bool, at: Place) -> Result<()> {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
        if number && value.is_none() {
            return Err(self.refuse(text, at, "a number"));
        }
        if let Some(allowed) = self.node.get("AllowedValues") {
            let allowed = allowed.expect_list("AllowedValues")?;
            let allowed: Vec<String> = allowed.iter().filter_map(Node::scalar).collect();
            if !allowed.iter().any(|one| one == text) {
                return Err(self.refuse(text, at, &format!("one of {}", allowed.join(", "))));
            }
        }
        if let Some(node) = self.node.get("AllowedPattern") {
            let pattern = node.expect_text("AllowedPattern")?;
            let regex = Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|e| node.at.fault(format!("AllowedPattern of parameter {}: {e}", self.name)))?;
            if !regex.is_match(text) {
                return Err(self.refuse(text, at, &format!("a match of {pattern}")));
            }
        }
        let length = Some(text.chars().count() as f64);
        self.bounds(text, at, "Length", if number { None } else { length })?;
        self.bounds(text, at, "Value", if number { value } else { None })
    }

    fn bounds(&self, text: &str, at: Place, of: &str, value: Option<f64>) -> Result<()> {
        let Some(value) = value else { return Ok(()) };
        let bound = |name: String| -> Result<Option<f64>> {
            let Some(node) = self.node.get(&name) else { return Ok(None) };
            let number = node.expect_scalar(&name)?.parse().map_err(|_| node.expected(&name, "a number"))?;
            Ok(Some(number))
        };
        let (least, most) = (bound(format!("Min{of}"))?, bound(format!("Max{of}"))?);
        let name = of.to_lowercase();
        match (least, most) {
            (Some(least), _) if value < least => Err(self.refuse(text, at, &format!("a {name} of at least {least}"))),
            (_, Some(most)) if value > most => Err(self.refuse(text, at, &format!("a {name} of at most {most}"))),
            _ => Ok(()),
        }
    }

    fn refuse(&self, text: &str, at: Place, expected: &str) -> Fault {
        let why = self.node.get("ConstraintDescription").and_then(Node::scalar);
        let expected = why.unwrap_or_else(|| expected.to_owned());
        at.fault(format!("parameter {}: {text:?} is not allowed: expected {expected}", self.name))
    }
}
