//! What a name in a request means in an index.

use crate::mapping::{FieldType, Mapping};

/// What a name in a request means in an index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Field<'m> {
    /// A mapped field; `Text` is its words.
    Leaf {
        /// Its path.
        path: &'m str,
        /// Its type.
        kind: &'m FieldType,
    },
    /// The keyword sub-field of a text field.
    Copy {
        /// The path of the text field, under which its exact values are.
        path: &'m str,
    },
    /// An object with mapped fields in it.
    Object,
    /// `_id`.
    Id,
    /// `_index`.
    Index,
    /// `_seq_no`.
    SeqNo,
    /// Nothing that the index knows.
    Unmapped,
}

impl<'m> Field<'m> {
    /// Looks a name up.
    pub fn resolve(mapping: &'m Mapping, name: &str) -> Field<'m> {
        match name {
            "_id" => return Field::Id,
            "_index" => return Field::Index,
            "_seq_no" => return Field::SeqNo,
            _ => {}
        }
        if let Some((path, kind)) = mapping.fields.get_key_value(name) {
            return Field::Leaf { path, kind };
        }
        if let Some((parent, sub)) = name.rsplit_once('.')
            && let Some((path, FieldType::Text { keyword: Some((own, _)) })) = mapping.fields.get_key_value(parent)
            && own == sub
        {
            return Field::Copy { path };
        }
        if inside(mapping, name).next().is_some() { Field::Object } else { Field::Unmapped }
    }

    /// Its type as Elasticsearch names it.
    pub fn type_name(&self) -> &'m str {
        match self {
            Field::Leaf { kind, .. } => kind.name(),
            Field::Copy { .. } => "keyword",
            Field::Object => "object",
            Field::Id => "_id",
            Field::Index => "_index",
            Field::SeqNo => "_seq_no",
            Field::Unmapped => "unmapped",
        }
    }

    /// The path of its column, if its values have one.
    pub fn column(&self) -> Option<&'m str> {
        match self {
            Field::Leaf { kind: FieldType::Text { .. }, .. } => None,
            Field::Leaf { path, .. } | Field::Copy { path } => Some(path),
            _ => None,
        }
    }
}

/// The fields inside an object.
pub(crate) fn inside<'m>(mapping: &'m Mapping, object: &str) -> impl Iterator<Item = (&'m str, &'m FieldType)> {
    let prefix = format!("{object}.");
    mapping
        .fields
        .range(prefix.clone()..)
        .take_while(move |(path, _)| path.starts_with(&prefix))
        .map(|(path, kind)| (path.as_str(), kind))
}

/// All names that a pattern of `*` means, sub-fields included.
pub(crate) fn matching(mapping: &Mapping, pattern: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (path, kind) in &mapping.fields {
        if wildcard(pattern, path) {
            names.push(path.clone());
        }
        if let FieldType::Text { keyword: Some((sub, _)) } = kind {
            let name = format!("{path}.{sub}");
            if wildcard(pattern, &name) {
                names.push(name);
            }
        }
    }
    names
}

/// Whether a pattern of `*` (any run of characters) matches a whole name.
pub(crate) fn wildcard(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return name.ends_with(part);
        }
        let Some(at) = name.find(part) else {
            return false;
        };
        name = &name[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "axbyc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("logs-*-x*", "logs-1-x2", true),
        ] {
            assert_eq!(wildcard(pattern, name), expected, "{pattern} {name}");
        }
    }
}
