//! A mapping made ready for reading documents: what stands at a path is one look into a table.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value as Json;

use super::date::DateFormat;
use super::{Dynamic, FieldType, Mapping};

/// What is at a path.
#[derive(Debug)]
pub(super) enum Entry {
    /// An object; what happens to fields in it that are not mapped.
    Object(Dynamic),
    /// An object with `enabled: false`: never looked into.
    Disabled,
    Leaf(Leaf),
}

/// How the values of a field are read.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The type as Elasticsearch names it.
    pub name: String,
    pub kind: Kind,
    /// Bad values are left out instead of refusing the document.
    pub ignore_malformed: bool,
    /// Other fields that get the value too.
    pub copy_to: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// With the longest string that the keyword sub-field takes.
    Text(Option<u32>),
    Keyword(Option<u32>),
    /// Smallest and largest value.
    Long(i64, i64),
    /// Largest absolute value; values are rounded to one part in `scale`.
    Double {
        largest: f64,
        scale: Option<f64>,
    },
    Date(DateFormat),
    Boolean,
    Ip,
}

impl Leaf {
    pub fn new(field: &FieldType) -> Leaf {
        let kind = match field {
            FieldType::Text { keyword } => Kind::Text(keyword.as_ref().map(|(_, ignore_above)| *ignore_above)),
            FieldType::Keyword { ignore_above } => Kind::Keyword(*ignore_above),
            FieldType::Long { name } => whole(name),
            FieldType::Double { name } => Kind::Double { largest: largest(name), scale: None },
            // A format is checked when it enters a mapping.
            FieldType::Date { format } => {
                Kind::Date(DateFormat::or_standard(format.as_deref()).unwrap_or_else(|_| DateFormat::standard()))
            }
            FieldType::Boolean => Kind::Boolean,
            FieldType::Ip => Kind::Ip,
        };
        Leaf { name: field.name().into(), kind, ignore_malformed: false, copy_to: Vec::new() }
    }
}

fn whole(name: &str) -> Kind {
    match name {
        "byte" => Kind::Long(i8::MIN.into(), i8::MAX.into()),
        "short" => Kind::Long(i16::MIN.into(), i16::MAX.into()),
        "integer" => Kind::Long(i32::MIN.into(), i32::MAX.into()),
        "unsigned_long" => Kind::Long(0, i64::MAX),
        _ => Kind::Long(i64::MIN, i64::MAX),
    }
}

fn largest(name: &str) -> f64 {
    match name {
        "half_float" => 65_504.0,
        "float" => f32::MAX.into(),
        _ => f64::MAX,
    }
}

/// All paths of a mapping.
#[derive(Debug)]
pub(super) struct Lookup {
    entries: HashMap<String, Entry>,
    dynamic: Dynamic,
    /// Strings that look like dates make date fields.
    pub date_detection: bool,
}

impl Lookup {
    fn new(mapping: &Mapping) -> Lookup {
        let dynamic = mapping.dynamic.unwrap_or_default();
        let mut entries = HashMap::new();
        for (path, own) in &mapping.objects {
            entries.insert(path.clone(), Entry::Object(*own));
        }
        for path in mapping.fields.keys().chain(mapping.objects.keys()) {
            for (dot, _) in path.match_indices('.') {
                if !entries.contains_key(&path[..dot]) {
                    let inherited = nearest(&entries, &path[..dot]).unwrap_or(dynamic);
                    entries.insert(path[..dot].into(), Entry::Object(inherited));
                }
            }
        }
        for (path, field) in &mapping.fields {
            let mut leaf = Leaf::new(field);
            if let Some(parameters) = mapping.parameters.get(path) {
                refine(&mut leaf, parameters);
            }
            entries.insert(path.clone(), Entry::Leaf(leaf));
        }
        for (path, parameters) in &mapping.parameters {
            if parameters.get("enabled") == Some(&Json::Bool(false)) {
                entries.insert(path.clone(), Entry::Disabled);
            }
        }
        let date_detection = mapping.other.get("date_detection") != Some(&Json::Bool(false));
        Lookup { entries, dynamic, date_detection }
    }

    pub fn get(&self, path: &str) -> Option<(&str, &Entry)> {
        self.entries.get_key_value(path).map(|(path, entry)| (path.as_str(), entry))
    }

    /// What happens to a field that is not mapped: as the nearest object around it says.
    pub fn dynamic(&self, path: &str) -> Dynamic {
        nearest(&self.entries, path).unwrap_or(self.dynamic)
    }

    /// The field, if there is one, inside which a path would lie.
    pub fn leaf_above(&self, path: &str) -> Option<(&str, &Leaf)> {
        path.match_indices('.').find_map(|(dot, _)| match self.get(&path[..dot]) {
            Some((above, Entry::Leaf(leaf))) => Some((above, leaf)),
            _ => None,
        })
    }
}

fn nearest(entries: &HashMap<String, Entry>, path: &str) -> Option<Dynamic> {
    path.rmatch_indices('.').find_map(|(dot, _)| match entries.get(&path[..dot]) {
        Some(Entry::Object(dynamic)) => Some(*dynamic),
        Some(Entry::Disabled) => Some(Dynamic::False),
        _ => None,
    })
}

fn refine(leaf: &mut Leaf, parameters: &serde_json::Map<String, Json>) {
    leaf.ignore_malformed = parameters.get("ignore_malformed") == Some(&Json::Bool(true));
    leaf.copy_to = match parameters.get("copy_to") {
        Some(Json::String(one)) => vec![one.clone()],
        Some(Json::Array(several)) => several.iter().filter_map(|one| one.as_str().map(String::from)).collect(),
        _ => Vec::new(),
    };
    if let Some(name) = parameters.get("type").and_then(Json::as_str) {
        leaf.name = name.into();
    }
    if let Kind::Double { scale, .. } = &mut leaf.kind {
        *scale = parameters.get("scaling_factor").and_then(Json::as_f64);
    }
}

/// The table of a mapping, made when a document is first read. No part of the mapping's value: copies make their own.
#[derive(Debug, Default)]
pub(crate) struct Compiled(OnceLock<Box<Lookup>>);

impl Compiled {
    pub(super) fn get(&self, mapping: &Mapping) -> &Lookup {
        self.0.get_or_init(|| Box::new(Lookup::new(mapping)))
    }

    pub(super) fn forget(&mut self) {
        self.0 = OnceLock::new();
    }
}

impl Clone for Compiled {
    fn clone(&self) -> Compiled {
        Compiled::default()
    }
}

impl PartialEq for Compiled {
    fn eq(&self, _: &Compiled) -> bool {
        true
    }
}

impl Eq for Compiled {}
