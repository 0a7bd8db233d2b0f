//! Growing a mapping.

use std::collections::{BTreeMap, BTreeSet};

use super::{FieldType, MAX_DEPTH, MAX_FIELDS, Mapping, MappingError};

impl Mapping {
    /// Adds the fields, objects and parameters of another mapping. Tells whether anything changed; with an error nothing has.
    pub fn merge(&mut self, other: &Mapping) -> Result<bool, MappingError> {
        let mut merged = self.clone();
        for (path, field) in &other.fields {
            merged.add(path, field)?;
        }
        for (path, dynamic) in &other.objects {
            merged.check_object(path)?;
            merged.objects.insert(path.clone(), *dynamic);
        }
        for (path, parameters) in &other.parameters {
            merged.parameters.entry(path.clone()).or_default().extend(parameters.clone());
        }
        merged.other.extend(other.other.clone());
        merged.dynamic = other.dynamic.or(self.dynamic);
        merged.check_size(self)?;
        Ok(self.replace(merged))
    }

    /// Adds fields that a document brought ([`Parsed::new`](super::Parsed::new)); otherwise as [`Mapping::merge`].
    pub fn extend(&mut self, new: &BTreeMap<String, FieldType>) -> Result<bool, MappingError> {
        if new.is_empty() {
            return Ok(false);
        }
        let mut merged = self.clone();
        for (path, field) in new {
            merged.add(path, field)?;
        }
        merged.check_size(self)?;
        Ok(self.replace(merged))
    }

    fn replace(&mut self, merged: Mapping) -> bool {
        let changed = *self != merged;
        if changed {
            *self = merged;
            self.compiled.forget();
        }
        changed
    }

    fn add(&mut self, path: &str, field: &FieldType) -> Result<(), MappingError> {
        let Some(known) = self.fields.get_mut(path) else {
            self.check_object(path)?;
            if path.matches('.').count() + 1 > MAX_DEPTH {
                return Err(illegal(format!(
                    "Limit of mapping depth [{MAX_DEPTH}] has been exceeded due to object field [{path}]"
                )));
            }
            let inside = format!("{path}.");
            let object = self.objects.contains_key(path)
                || self.fields.range(inside.clone()..).next().is_some_and(|(other, _)| other.starts_with(&inside));
            if object {
                return Err(illegal(format!("can't merge a non object mapping [{path}] with an object mapping")));
            }
            self.fields.insert(path.into(), field.clone());
            return Ok(());
        };
        match (known, field) {
            (FieldType::Text { .. }, FieldType::Text { keyword: None }) => {}
            (FieldType::Text { keyword: Some((old, _)) }, FieldType::Text { keyword: Some((new, _)) })
                if old != new =>
            {
                return Err(illegal(format!(
                    "field [{path}] has the sub-field [{old}] already: a second one, [{new}], is not supported"
                )));
            }
            (FieldType::Text { keyword: old }, FieldType::Text { keyword: new }) => old.clone_from(new),
            (FieldType::Keyword { ignore_above: old }, FieldType::Keyword { ignore_above: new }) => {
                *old = new.or(*old);
            }
            (FieldType::Date { format: old }, FieldType::Date { format: new }) if old != new => {
                let shown =
                    |format: &Option<String>| format.clone().unwrap_or_else(|| super::date::DEFAULT_FORMAT.to_string());
                return Err(illegal(format!(
                    "Mapper for [{path}] conflicts with existing mapper:\n\tCannot update parameter [format] from [{}] to [{}]",
                    shown(old),
                    shown(new)
                )));
            }
            (known, field) if known != field => {
                let (known, field) = (known.name(), field.name());
                return Err(illegal(format!("mapper [{path}] cannot be changed from type [{known}] to [{field}]")));
            }
            _ => {}
        }
        Ok(())
    }

    /// An object or a field can stand here: no part of the path is a field.
    fn check_object(&self, path: &str) -> Result<(), MappingError> {
        let parents = path.match_indices('.').map(|(dot, _)| &path[..dot]);
        for above in parents {
            if self.fields.contains_key(above) {
                return Err(illegal(format!("can't merge a non object mapping [{above}] with an object mapping")));
            }
        }
        Ok(())
    }

    fn check_size(&self, before: &Mapping) -> Result<(), MappingError> {
        let (size, before) = (self.size(), before.size());
        if size > MAX_FIELDS && size > before {
            return Err(illegal(format!(
                "Limit of total fields [{MAX_FIELDS}] has been exceeded while adding new fields [{}]",
                size - before
            )));
        }
        Ok(())
    }

    /// Fields, sub-fields and objects, as Elasticsearch counts them.
    pub fn size(&self) -> usize {
        let mut objects: BTreeSet<&str> = self.objects.keys().map(String::as_str).collect();
        for path in self.fields.keys() {
            objects.extend(path.match_indices('.').map(|(dot, _)| &path[..dot]));
        }
        let subs = self.fields.values().filter(|field| matches!(field, FieldType::Text { keyword: Some(_) })).count();
        self.fields.len() + subs + objects.len()
    }
}

fn illegal(reason: String) -> MappingError {
    MappingError { kind: "illegal_argument_exception", reason }
}
