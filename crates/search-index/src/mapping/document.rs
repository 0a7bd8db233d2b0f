//! Documents, read by a mapping: one pass over the bytes, the values borrowed from them.

use std::borrow::Cow;

use super::json::{Malformed, Reader, Token, position};
use super::lookup::{Entry, Leaf, Lookup};
use super::value::{self, Bad};
use super::{DocumentError, Dynamic, FieldType, INGESTED, MAX_DEPTH, Mapping, Parsed};

/// Names that a document may not use for its own fields.
const METADATA: [&str; 11] = [
    "_id",
    "_index",
    "_source",
    "_type",
    "_routing",
    "_seq_no",
    "_primary_term",
    "_version",
    "_field_names",
    "_ignored",
    "_tier",
];

/// Characters of a value that an error shows.
const PREVIEW: usize = 256;

impl Mapping {
    /// Reads a document. `id` is only for the words of the error.
    pub fn parse<'a>(&'a self, id: &str, source: &'a [u8]) -> Result<Parsed<'a>, DocumentError> {
        let lookup = self.compiled.get(self);
        let mut document = Document { lookup, id, source, path: String::new(), parsed: Parsed::default() };
        let whole = Reader::new(source).map_err(Stop::from).and_then(|mut reader| document.root(&mut reader));
        match whole {
            Ok(()) => Ok(document.parsed),
            Err(stop) => Err(stop.into_error(source)),
        }
    }
}

/// Why reading ended: what is wrong, and the offset of the value.
enum Stop {
    Malformed(Malformed),
    Refused { kind: &'static str, at: usize, reason: String },
    Limit(String),
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Stop {
        Stop::Malformed(malformed)
    }
}

impl Stop {
    fn into_error(self, source: &[u8]) -> DocumentError {
        let (kind, at, reason) = match self {
            Stop::Malformed(Malformed { at, reason }) => {
                ("document_parsing_exception", at, format!("failed to parse: {reason}"))
            }
            Stop::Refused { kind, at, reason } => (kind, at, reason),
            Stop::Limit(reason) => return DocumentError { kind: "illegal_argument_exception", reason },
        };
        let (line, column) = position(source, at);
        DocumentError { kind, reason: format!("[{line}:{column}] {reason}") }
    }
}

fn refused<T>(at: usize, reason: String) -> Result<T, Stop> {
    Err(Stop::Refused { kind: "document_parsing_exception", at, reason })
}

struct Document<'a, 'i> {
    lookup: &'a Lookup,
    id: &'i str,
    source: &'a [u8],
    /// Of the member that is being read.
    path: String,
    parsed: Parsed<'a>,
}

impl<'a> Document<'a, '_> {
    fn root(&mut self, reader: &mut Reader<'a>) -> Result<(), Stop> {
        let at = reader.next_at();
        if at == self.source.len() {
            return refused(0, "failed to parse, document is empty".into());
        }
        if reader.token()? != Token::Object {
            return refused(at, "failed to parse: Malformed content, must start with an object".into());
        }
        self.object(reader)?;
        Ok(reader.end()?)
    }

    /// The members of an object whose path is the current one.
    fn object(&mut self, reader: &mut Reader<'a>) -> Result<(), Stop> {
        let outer = self.path.len();
        let mut first = true;
        loop {
            let at = reader.next_at();
            let Some(name) = reader.name(first)? else {
                return Ok(());
            };
            first = false;
            self.enter(&name, at)?;
            self.member(reader)?;
            self.path.truncate(outer);
        }
    }

    fn enter(&mut self, name: &str, at: usize) -> Result<(), Stop> {
        if self.path.is_empty() && name.starts_with('_') && METADATA.contains(&name) {
            return refused(
                at,
                format!(
                    "Field [{name}] is a metadata field and cannot be added inside a document. Use the index API request parameters."
                ),
            );
        }
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
        Ok(())
    }

    fn member(&mut self, reader: &mut Reader<'a>) -> Result<(), Stop> {
        let lookup = self.lookup;
        match lookup.get(&self.path) {
            Some((path, Entry::Leaf(leaf))) => {
                each(reader, |reader, token, at| self.leaf(reader, Cow::Borrowed(path), leaf, token, at))
            }
            Some((_, Entry::Object(_))) => each(reader, |reader, token, at| match token {
                Token::Object => self.object(reader),
                Token::Null => Ok(()),
                _ => refused(
                    at,
                    format!(
                        "object mapping for [{path}] tried to parse field [{path}] as object, but found a concrete value",
                        path = self.path
                    ),
                ),
            }),
            Some((_, Entry::Disabled)) => skip(reader),
            None => match lookup.dynamic(&self.path) {
                Dynamic::True => each(reader, |reader, token, at| self.dynamic(reader, token, at)),
                Dynamic::False => skip(reader),
                Dynamic::Strict => self.strict(reader.next_at()),
            },
        }
    }

    fn strict(&self, at: usize) -> Result<(), Stop> {
        let (parent, name) = self.path.rsplit_once('.').unwrap_or(("_doc", &self.path));
        let reason =
            format!("mapping set to strict, dynamic introduction of [{name}] within [{parent}] is not allowed");
        Err(Stop::Refused { kind: "strict_dynamic_mapping_exception", at, reason })
    }

    /// A value of a field that the mapping does not have.
    fn dynamic(&mut self, reader: &mut Reader<'a>, token: Token<'a>, at: usize) -> Result<(), Stop> {
        match (&token, self.parsed.new.get(&self.path)) {
            (Token::Null, _) => Ok(()),
            (_, Some(known)) => {
                let leaf = Leaf::new(known);
                self.leaf(reader, Cow::Owned(self.path.clone()), &leaf, token, at)
            }
            (Token::Object, None) => {
                self.check_path(at)?;
                if self.path.matches('.').count() + 2 > MAX_DEPTH {
                    let path = &self.path;
                    return Err(Stop::Limit(format!(
                        "Limit of mapping depth [{MAX_DEPTH}] has been exceeded due to object field [{path}]"
                    )));
                }
                self.object(reader)
            }
            (_, None) => {
                self.check_path(at)?;
                let field = infer(&self.path, &token, self.lookup.date_detection);
                let leaf = Leaf::new(&field);
                self.leaf(reader, Cow::Owned(self.path.clone()), &leaf, token, at)?;
                self.parsed.new.insert(self.path.clone(), field);
                Ok(())
            }
        }
    }

    /// Whether something new can stand at the current path.
    fn check_path(&self, at: usize) -> Result<(), Stop> {
        let path = &self.path;
        if path.split('.').any(|name| name.trim().is_empty()) {
            return refused(
                at,
                format!(
                    "field name cannot contain only whitespace, and no part of a dotted one can be empty: ['{path}']"
                ),
            );
        }
        if path.contains(['\0', '\u{1}']) {
            return refused(at, format!("field name cannot contain control characters: [{path:?}]"));
        }
        let above = path
            .match_indices('.')
            .find_map(|(dot, _)| self.parsed.new.get_key_value(&path[..dot]))
            .map(|(above, field)| (above.as_str(), field.name()))
            .or_else(|| self.lookup.leaf_above(path).map(|(above, leaf)| (above, leaf.name.as_str())));
        if let Some((above, name)) = above {
            return refused(
                at,
                format!(
                    "Could not dynamically add mapping for field [{path}]. Existing mapping for [{above}] must be of type object but found [{name}]."
                ),
            );
        }
        let inside = format!("{path}.");
        if self.parsed.new.range(inside.clone()..).next().is_some_and(|(other, _)| other.starts_with(&inside)) {
            return refused(
                at,
                format!(
                    "object mapping for [{path}] tried to parse field [{path}] as object, but found a concrete value"
                ),
            );
        }
        Ok(())
    }

    /// One value of a field.
    fn leaf(
        &mut self,
        reader: &mut Reader<'a>,
        path: Cow<'a, str>,
        leaf: &Leaf,
        token: Token<'a>,
        at: usize,
    ) -> Result<(), Stop> {
        for target in &leaf.copy_to {
            self.copy(reader, target, token.clone(), at)?;
        }
        let bad = match value::read(leaf, token) {
            Ok(None) => return Ok(()),
            Ok(Some(value)) => {
                self.parsed.values.push((path, value));
                return Ok(());
            }
            Err(bad) => bad,
        };
        if let Bad::Object = bad {
            reader.skip(&Token::Object)?;
        }
        match bad {
            _ if leaf.ignore_malformed => Ok(()),
            Bad::Immense => Err(Stop::Limit(format!(
                "Document contains at least one immense term in field=\"{path}\" (whose UTF8 encoding is longer than the max length {}), all of which were skipped.",
                value::MAX_KEYWORD
            ))),
            Bad::Object | Bad::Value(_) => {
                let (id, name) = (self.id, &leaf.name);
                let because = if let Bad::Value(because) = &bad { format!(": {because}") } else { String::new() };
                let preview: String = reader.since(at).trim_matches('"').chars().take(PREVIEW).collect();
                refused(
                    at,
                    format!(
                        "failed to parse field [{path}] of type [{name}] in document with id '{id}'. Preview of field's value: '{preview}'{because}"
                    ),
                )
            }
        }
    }

    /// `copy_to`: the value once more, for another field.
    fn copy(&mut self, reader: &mut Reader<'a>, target: &str, token: Token<'a>, at: usize) -> Result<(), Stop> {
        let lookup = self.lookup;
        if token == Token::Object {
            return Ok(());
        }
        if let Some((path, Entry::Leaf(leaf))) = lookup.get(target) {
            // Not further: Elasticsearch copies the source's value once, not along chains.
            if let Ok(Some(value)) = value::read(leaf, token) {
                self.parsed.values.push((Cow::Borrowed(path), value));
            }
            return Ok(());
        }
        let outer = std::mem::replace(&mut self.path, target.to_string());
        let read = self.dynamic(reader, token, at);
        self.path = outer;
        read
    }
}

/// A value, or each of an array's, however deep.
fn each<'a>(
    reader: &mut Reader<'a>,
    mut value: impl FnMut(&mut Reader<'a>, Token<'a>, usize) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut open = 0_usize;
    let mut first = true;
    loop {
        if open > 0 && !reader.element(first)? {
            open -= 1;
            first = false;
        } else {
            let at = reader.next_at();
            match reader.token()? {
                Token::Array => {
                    open += 1;
                    first = true;
                    continue;
                }
                token => value(reader, token, at)?,
            }
            first = false;
        }
        if open == 0 {
            return Ok(());
        }
    }
}

fn skip(reader: &mut Reader<'_>) -> Result<(), Stop> {
    let token = reader.token()?;
    Ok(reader.skip(&token)?)
}

/// The type of a field by its first value (Elasticsearch's dynamic field mapping).
fn infer(path: &str, token: &Token<'_>, date_detection: bool) -> FieldType {
    match token {
        _ if path == INGESTED => FieldType::Date { format: None },
        Token::Boolean(_) => FieldType::Boolean,
        Token::Number(text) if text.contains(['.', 'e', 'E']) => FieldType::Double { name: "float".into() },
        Token::Number(_) => FieldType::Long { name: "long".into() },
        Token::String(text) if date_detection => match value::looks_like_date(text) {
            Some(format) => FieldType::Date { format: format.map(String::from) },
            None => FieldType::dynamic_text(),
        },
        _ => FieldType::dynamic_text(),
    }
}
