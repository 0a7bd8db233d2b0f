//! The JSONPaths of `Mapping` and `RecordRowPath`: names, and `[0:]` after one of them.

use crate::schema::Column;

/// Where a column's value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Names from the row's object.
    pub(super) outer: Vec<String>,
    /// Names from an element of the array that `outer` leads to: the row is repeated for each.
    pub(super) inner: Option<Vec<String>>,
}

impl Path {
    /// Of a column; without a mapping its name is meant.
    pub(super) fn of(column: &Column) -> Result<Path, String> {
        match &column.mapping {
            None => Ok(Path { outer: vec![column.name.clone()], inner: None }),
            Some(mapping) => Path::parse(mapping).map_err(|error| format!("column {:?}: {error}", column.name)),
        }
    }

    /// `$.a.b`, `$['a'].b`, `$.a[0:].b`; a plain name is taken as `$.name`.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        let malformed = || format!("Mapping {text:?} is not a path like $.a.b or $.a[0:].b");
        let mut path = Path { outer: Vec::new(), inner: None };
        let Some(mut rest) = text.strip_prefix('$') else {
            path.outer.push(text.to_owned());
            return if text.is_empty() { Err(malformed()) } else { Ok(path) };
        };
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("[0:]") {
                if path.inner.is_some() || path.outer.is_empty() {
                    return Err(malformed());
                }
                path.inner = Some(Vec::new());
                rest = after;
                continue;
            }
            let (name, after) = if let Some(quoted) = rest.strip_prefix("['") {
                quoted.split_once("']").ok_or_else(malformed)?
            } else {
                let name = rest.strip_prefix('.').ok_or_else(malformed)?;
                name.split_at(name.find(['.', '[']).unwrap_or(name.len()))
            };
            if name.is_empty() {
                return Err(malformed());
            }
            path.inner.as_mut().unwrap_or(&mut path.outer).push(name.to_owned());
            rest = after;
        }
        // `$.a[0:]` alone is the whole array.
        path.inner = path.inner.filter(|inner| !inner.is_empty());
        if path.outer.is_empty() { Err(malformed()) } else { Ok(path) }
    }

    /// The array that is flattened, if any.
    pub(super) fn array(&self) -> Option<&[String]> {
        self.inner.as_ref().map(|_| self.outer.as_slice())
    }
}

/// The names of a `RecordRowPath`.
pub(crate) fn row_path(text: &str) -> Result<Vec<String>, String> {
    if matches!(text, "$" | "$." | "") {
        return Ok(Vec::new());
    }
    let path = Path::parse(text.strip_suffix("[0:]").unwrap_or(text))?;
    match path.inner {
        None => Ok(path.outer),
        Some(_) => Err(format!("RecordRowPath {text:?}: an array stands last or not at all")),
    }
}
