//! `_source`: which parts of a document come back.
//!
//! A filter is applied to the document's bytes: what is kept is copied as it stands, so numbers keep their text and fields their
//! order.

use std::borrow::Cow;

use serde_json::Value;

use crate::RequestError;
use crate::pattern::matches;
use crate::wire;

/// How deep a filter looks into a document (serde_json's own limit: no document that was read as JSON is deeper).
pub const MAX_DEPTH: usize = 128;

/// Which parts of a document come back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceFilter {
    /// `_source: false`: none at all.
    pub none: bool,
    /// Patterns of paths (`a.b`, `a.*`); empty: all.
    pub includes: Vec<String>,
    /// Patterns of paths to leave out.
    pub excludes: Vec<String>,
}

impl SourceFilter {
    /// No `_source` at all.
    pub fn nothing() -> SourceFilter {
        SourceFilter { none: true, ..SourceFilter::default() }
    }

    /// Reads `_source` of a body: `true`, `false`, a pattern, some, or `{"includes": …, "excludes": …}`.
    ///
    /// # Errors
    /// `parsing_exception` for another form.
    pub fn parse(value: &Value) -> Result<SourceFilter, RequestError> {
        let mut filter = SourceFilter::default();
        match value {
            Value::Bool(all) => filter.none = !all,
            Value::String(_) | Value::Array(_) => filter.includes = wire::texts(value, "_source")?,
            Value::Object(object) => {
                for (key, value) in object {
                    match key.as_str() {
                        "includes" | "include" => filter.includes = wire::texts(value, key)?,
                        "excludes" | "exclude" => filter.excludes = wire::texts(value, key)?,
                        _ => return Err(wire::unknown_key(key, value)),
                    }
                }
            }
            _ => {
                return Err(RequestError::parsing(format!(
                    "Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] in [_source] but found [{}]",
                    wire::token(value)
                )));
            }
        }
        Ok(filter)
    }

    /// Reads the URL's `_source`, `_source_includes` and `_source_excludes` (and their older names with `include`, `exclude`);
    /// nothing if there are none.
    pub fn from_parameters(parameters: &[(String, String)]) -> Option<SourceFilter> {
        let mut filter = None;
        for (name, value) in parameters {
            let list = || value.split(',').map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect();
            let filter = match name.as_str() {
                "_source" | "_source_includes" | "_source_include" | "_source_excludes" | "_source_exclude" => {
                    filter.get_or_insert_with(SourceFilter::default)
                }
                _ => continue,
            };
            match (name.as_str(), value.as_str()) {
                ("_source", "true" | "") => {}
                ("_source", "false") => filter.none = true,
                ("_source_excludes" | "_source_exclude", _) => filter.excludes = list(),
                _ => filter.includes = list(),
            }
        }
        filter
    }

    /// Everything comes back.
    pub fn is_all(&self) -> bool {
        !self.none && self.includes.is_empty() && self.excludes.is_empty()
    }

    /// The parts of a document (a JSON object) that come back. A path that is included brings all that is inside, also where dots are
    /// written inside names; what is excluded goes wherever it is. `none` is the caller's: it leaves `_source` out. A document that
    /// is not a JSON object comes back as it is.
    pub fn filter<'a>(&self, source: &'a [u8]) -> Cow<'a, [u8]> {
        if self.includes.is_empty() && self.excludes.is_empty() {
            return Cow::Borrowed(source);
        }
        let mut filtering =
            Filtering { filter: self, source, at: 0, path: String::new(), out: Vec::with_capacity(source.len()) };
        filtering.skip_space();
        match filtering.peek() {
            Some(b'{') if filtering.object(self.includes.is_empty(), 0).is_some() => Cow::Owned(filtering.out),
            _ => Cow::Borrowed(source),
        }
    }
}

/// A filter on its way through a document. `None` from a method: not JSON.
struct Filtering<'a> {
    filter: &'a SourceFilter,
    source: &'a [u8],
    at: usize,
    /// Of the value at hand, without the elements of arrays.
    path: String,
    out: Vec<u8>,
}

impl Filtering<'_> {
    /// Copies what is kept of the object at hand. Says whether anything of it was kept.
    fn object(&mut self, included: bool, depth: usize) -> Option<bool> {
        self.at += 1;
        self.out.push(b'{');
        let mut kept = false;
        self.skip_space();
        if self.peek()? == b'}' {
            return self.close(b'}', false);
        }
        loop {
            self.skip_space();
            let key = self.at;
            self.skip_string()?;
            let key = &self.source[key..self.at];
            self.skip_space();
            self.take(b':')?;
            self.skip_space();
            let parent = self.path.len();
            self.descend(key)?;
            let begin = self.out.len();
            if kept {
                self.out.push(b',');
            }
            self.out.extend_from_slice(key);
            self.out.push(b':');
            match self.verdict(parent, included) {
                None => self.drop_value(begin)?,
                Some(included) if self.value(included, depth)? => kept = true,
                Some(_) => self.out.truncate(begin),
            }
            self.path.truncate(parent);
            self.skip_space();
            if self.take(b',').is_none() {
                return self.close(b'}', kept);
            }
        }
    }

    /// The same for the elements of an array.
    fn array(&mut self, included: bool, depth: usize) -> Option<bool> {
        self.at += 1;
        self.out.push(b'[');
        let mut kept = false;
        self.skip_space();
        if self.peek()? == b']' {
            return self.close(b']', false);
        }
        loop {
            self.skip_space();
            let begin = self.out.len();
            if kept {
                self.out.push(b',');
            }
            match self.value(included, depth)? {
                true => kept = true,
                false => self.out.truncate(begin),
            }
            self.skip_space();
            if self.take(b',').is_none() {
                return self.close(b']', kept);
            }
        }
    }

    /// Copies the value at hand; says whether it stays.
    fn value(&mut self, included: bool, depth: usize) -> Option<bool> {
        if depth >= MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            _ if included && self.filter.excludes.is_empty() => self.copy_value(),
            b'{' => Some(self.object(included, depth + 1)? || included),
            b'[' => Some(self.array(included, depth + 1)? || included),
            _ if included => self.copy_value(),
            _ => {
                self.skip_value()?;
                Some(false)
            }
        }
    }

    /// What the filter says of the path at hand: `None` is excluded, else whether it is included. A name with dots is as many names.
    fn verdict(&self, parent: usize, mut included: bool) -> Option<bool> {
        let dots = self.path.bytes().enumerate().skip(parent + 1).filter(|(_, b)| *b == b'.').map(|(at, _)| at);
        for end in dots.chain([self.path.len()]) {
            let path = &self.path[..end];
            if self.filter.excludes.iter().any(|pattern| matches(pattern, path)) {
                return None;
            }
            included = included || self.filter.includes.iter().any(|pattern| matches(pattern, path));
        }
        Some(included)
    }

    fn descend(&mut self, key: &[u8]) -> Option<()> {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        match key.contains(&b'\\') {
            true => self.path.push_str(&serde_json::from_slice::<String>(key).ok()?),
            false => self.path.push_str(std::str::from_utf8(&key[1..key.len() - 1]).ok()?),
        }
        Some(())
    }

    fn drop_value(&mut self, begin: usize) -> Option<()> {
        self.out.truncate(begin);
        self.skip_value()
    }

    fn copy_value(&mut self) -> Option<bool> {
        let begin = self.at;
        self.skip_value()?;
        self.out.extend_from_slice(&self.source[begin..self.at]);
        Some(true)
    }

    fn close(&mut self, bracket: u8, kept: bool) -> Option<bool> {
        self.take(bracket)?;
        self.out.push(bracket);
        Some(kept)
    }

    fn peek(&self) -> Option<u8> {
        self.source.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn skip_string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.take(b'"')
    }

    fn skip_value(&mut self) -> Option<()> {
        let mut open = 0usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    self.at += 1;
                }
                _ if open > 0 => self.at += 1,
                _ => {
                    while !matches!(self.peek(), None | Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')) {
                        self.at += 1;
                    }
                }
            }
            if open == 0 {
                return Some(());
            }
        }
    }
}
