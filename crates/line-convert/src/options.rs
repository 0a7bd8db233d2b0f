//! Reading one object of `dataProcessingOptions` with the original's conversions and messages.

use serde_json::{Map, Value};

use crate::json::{self, Layout};

/// The options cannot be used: which option, which key, what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    pub(crate) fn new(message: impl Into<String>) -> ConfigError {
        ConfigError(message.into())
    }

    pub(crate) fn within(self, place: &str) -> ConfigError {
        ConfigError(format!("{place}: {}", self.0))
    }
}

/// One object of the list.
pub(crate) struct Options<'a> {
    fields: &'a Map<String, Value>,
}

impl<'a> Options<'a> {
    pub(crate) fn new(value: &'a Value) -> Result<Options<'a>, ConfigError> {
        match value {
            Value::Object(fields) => Ok(Options { fields }),
            _ => Err(ConfigError::new("expected an object with optionName")),
        }
    }

    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key)
    }

    /// Numbers and booleans are taken as their text; null is absent.
    pub(crate) fn string(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::Null => None,
            value => Some(text(value)),
        }
    }

    pub(crate) fn required_string(&self, key: &str) -> Result<String, ConfigError> {
        self.string(key).ok_or_else(|| ConfigError::new(format!("Required configuration value missing: {key}")))
    }

    /// One of the `legal` names, exactly.
    pub(crate) fn one_of(&self, key: &str, legal: &[&'static str]) -> Result<&'static str, ConfigError> {
        legal_name(key, &self.required_string(key)?, legal)
    }

    /// A list of names, `None` when the key is absent or null; a null in the list stays one.
    pub(crate) fn names(&self, key: &str) -> Result<Option<Vec<Option<String>>>, ConfigError> {
        match self.value(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => {
                Ok(Some(items.iter().map(|item| (!item.is_null()).then(|| text(item))).collect()))
            }
            Some(other) => Err(ConfigError::new(format!("Configuration value is not a list: {key}: {other}"))),
        }
    }

    /// `jsonFormat`.
    pub(crate) fn layout(&self) -> Result<Layout, ConfigError> {
        match self.string("jsonFormat") {
            None => Ok(Layout::Compact),
            Some(name) => match legal_name("jsonFormat", &name, &["COMPACT", "PRETTYPRINT"])? {
                "COMPACT" => Ok(Layout::Compact),
                _ => Ok(Layout::Pretty),
            },
        }
    }
}

/// Finds `name` among the `legal` ones; the message is the original's.
fn legal_name(key: &str, name: &str, legal: &[&'static str]) -> Result<&'static str, ConfigError> {
    legal.iter().find(|known| **known == name).copied().ok_or_else(|| {
        let legal = legal.join(",");
        ConfigError::new(format!("Value({name}) is not legally accepted by key: {key}. Legal values are {legal}"))
    })
}

/// The names where none of them is null: the original's printer refuses a null as a key, at each record.
pub(crate) fn named(names: Vec<Option<String>>) -> Option<Vec<String>> {
    names.into_iter().collect()
}

/// What Java's `toString` makes of a value: a list in brackets, an object's fields as `key=value` in braces.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => json::number(number),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Null | Value::Bool(_) => value.to_string(),
    }
}
