//! Mappings as Elasticsearch writes them.
//!
//! A parameter either means something here, or changes nothing of what a search finds and is given back as it came, or is refused
//! by name.

use serde_json::{Map, Value as Json, json};

use super::date::DateFormat;
use super::{Dynamic, FieldType, MAX_DEPTH, Mapping, MappingError};

/// `ignore_above` of a keyword that names none (Java's largest int).
const UNLIMITED: u32 = i32::MAX as u32;

/// Parameters of any field that change nothing here: everything is indexed and has a column.
const KEPT: [&str; 19] = [
    "boost",
    "coerce",
    "copy_to",
    "doc_values",
    "eager_global_ordinals",
    "fielddata",
    "fielddata_frequency_filter",
    "ignore_malformed",
    "index",
    "index_options",
    "index_phrases",
    "index_prefixes",
    "locale",
    "meta",
    "norms",
    "position_increment_gap",
    "store",
    "term_vector",
    "split_queries_on_whitespace",
];

/// Parameters of the root that are kept.
const ROOT_KEPT: [&str; 6] = ["_meta", "_source", "_routing", "_field_names", "_size", "date_detection"];

/// Types of Elasticsearch that are not there.
const UNSUPPORTED: [&str; 33] = [
    "aggregate_metric_double",
    "alias",
    "annotated_text",
    "binary",
    "completion",
    "date_range",
    "dense_vector",
    "double_range",
    "flattened",
    "float_range",
    "geo_point",
    "geo_shape",
    "histogram",
    "icu_collation_keyword",
    "integer_range",
    "ip_range",
    "join",
    "long_range",
    "murmur3",
    "nested",
    "passthrough",
    "percolator",
    "point",
    "rank_feature",
    "rank_features",
    "search_as_you_type",
    "semantic_text",
    "shape",
    "sparse_vector",
    "token_count",
    "unsigned_integer",
    "version",
    "rank_vectors",
];

impl Mapping {
    /// Reads Elasticsearch's `mappings` (`{"dynamic": …, "properties": {…}}`).
    pub fn from_json(mappings: &Json) -> Result<Mapping, MappingError> {
        let mut mapping = Mapping::default();
        let Json::Object(root) = mappings else {
            return refuse(format!("Expected map for mappings but got {mappings}"));
        };
        for (name, value) in root {
            match name.as_str() {
                "dynamic" => mapping.dynamic = Some(dynamic(value, "_doc")?),
                "properties" => mapping.properties(value, "")?,
                name if root_is_kept(name, value) => {
                    mapping.other.insert(name.into(), value.clone());
                }
                "_source"
                | "dynamic_templates"
                | "dynamic_date_formats"
                | "numeric_detection"
                | "runtime"
                | "_routing" => {
                    return refuse(format!("[{name}] of the root mapping definition is not supported as {value}"));
                }
                _ => return refuse(format!("Root mapping definition has unsupported parameters:  [{name} : {value}]")),
            }
        }
        let mut empty = Mapping::default();
        empty.merge(&mapping)?;
        Ok(mapping)
    }

    fn properties(&mut self, properties: &Json, parent: &str) -> Result<(), MappingError> {
        let Json::Object(properties) = properties else {
            return refuse(format!("Expected map for property [properties] on field [{parent}] but got {properties}"));
        };
        for (name, definition) in properties {
            let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
            if path.split('.').any(|part| part.trim().is_empty()) || path.contains(['\0', '\u{1}']) {
                return refuse(format!("field name cannot be an empty string: [{path}]"));
            }
            let Json::Object(definition) = definition else {
                return refuse(format!("Expected map for property [{path}] but got {definition}"));
            };
            match definition.get("type").map(|kind| kind.as_str().unwrap_or_default()) {
                Some("object") => self.object(&path, definition)?,
                None if definition.contains_key("properties") || definition.contains_key("dynamic") => {
                    self.object(&path, definition)?;
                }
                None if definition.contains_key("enabled") || definition.is_empty() => {
                    self.object(&path, definition)?
                }
                None => return refuse(format!("No type specified for field [{path}]")),
                Some(kind) => {
                    let (field, kept) = field(&path, kind, definition)?;
                    self.fields.insert(path.clone(), field);
                    if !kept.is_empty() {
                        self.parameters.insert(path, kept);
                    }
                }
            }
        }
        Ok(())
    }

    fn object(&mut self, path: &str, definition: &Map<String, Json>) -> Result<(), MappingError> {
        if path.matches('.').count() + 2 > MAX_DEPTH {
            let reason = format!("Limit of mapping depth [{MAX_DEPTH}] has been exceeded due to object field [{path}]");
            return Err(MappingError { kind: "illegal_argument_exception", reason });
        }
        for (name, value) in definition {
            match name.as_str() {
                "type" => {}
                "properties" => self.properties(value, path)?,
                "dynamic" => {
                    self.objects.insert(path.into(), dynamic(value, path)?);
                }
                "enabled" if value == &json!(true) || value == "true" => {}
                "enabled" => {
                    self.objects.insert(path.into(), Dynamic::False);
                    self.parameters.entry(path.into()).or_default().insert(name.clone(), json!(false));
                }
                "subobjects" if value == &json!(true) => {}
                _ => return refuse(format!("unknown parameter [{name}] on mapper [{path}] of type [object]")),
            }
        }
        Ok(())
    }

    /// As Elasticsearch's `_mapping` gives it back: what stands under `mappings`.
    pub fn to_json(&self) -> Json {
        let mut root = Map::new();
        for (name, value) in &self.other {
            root.insert(name.clone(), value.clone());
        }
        if let Some(dynamic) = self.dynamic {
            root.insert("dynamic".into(), dynamic_name(dynamic));
        }
        for (path, dynamic) in &self.objects {
            let object = place(&mut root, path);
            match self.parameters.get(path) {
                Some(parameters) => {
                    object.insert("type".into(), json!("object"));
                    object.extend(parameters.clone());
                }
                None => {
                    object.insert("dynamic".into(), dynamic_name(*dynamic));
                }
            }
        }
        for (path, field) in &self.fields {
            let definition = place(&mut root, path);
            definition.extend(field.to_json());
            if let Some(parameters) = self.parameters.get(path) {
                definition.extend(parameters.clone());
            }
        }
        Json::Object(root)
    }
}

/// The definition at a path, with the `properties` above it made where they are missing.
fn place<'a>(root: &'a mut Map<String, Json>, path: &str) -> &'a mut Map<String, Json> {
    let mut at = root;
    for name in path.split('.') {
        at = member(member(at, "properties"), name);
    }
    at
}

fn member<'a>(object: &'a mut Map<String, Json>, name: &str) -> &'a mut Map<String, Json> {
    let member = object.entry(name).or_insert_with(|| Json::Object(Map::new()));
    if !member.is_object() {
        *member = Json::Object(Map::new());
    }
    match member {
        Json::Object(object) => object,
        _ => unreachable!("made an object above"),
    }
}

impl FieldType {
    fn to_json(&self) -> Map<String, Json> {
        let mut definition = Map::new();
        definition.insert("type".into(), json!(self.name()));
        match self {
            FieldType::Text { keyword: Some((name, limit)) } => {
                let mut sub = json!({"type": "keyword"});
                if *limit != UNLIMITED {
                    sub["ignore_above"] = json!(limit);
                }
                definition.insert("fields".into(), json!({name: sub}));
            }
            FieldType::Keyword { ignore_above: Some(limit) } => {
                definition.insert("ignore_above".into(), json!(limit));
            }
            FieldType::Date { format: Some(format) } => {
                definition.insert("format".into(), json!(format));
            }
            _ => {}
        }
        definition
    }
}

/// A leaf and the parameters of it that are only given back.
fn field(
    path: &str,
    kind: &str,
    definition: &Map<String, Json>,
) -> Result<(FieldType, Map<String, Json>), MappingError> {
    let mut field = match kind {
        "text" | "match_only_text" => FieldType::Text { keyword: None },
        "keyword" | "constant_keyword" | "wildcard" => FieldType::Keyword { ignore_above: None },
        "byte" | "short" | "integer" | "long" | "unsigned_long" => FieldType::Long { name: kind.into() },
        "half_float" | "float" | "double" | "scaled_float" => FieldType::Double { name: kind.into() },
        "date" | "date_nanos" => FieldType::Date { format: None },
        "boolean" => FieldType::Boolean,
        "ip" => FieldType::Ip,
        _ if UNSUPPORTED.contains(&kind) => {
            return refuse(format!("The mapper type [{kind}] declared on field [{path}] is not supported."));
        }
        _ => {
            return refuse(format!(
                "The mapper type [{kind}] declared on field [{path}] does not exist. It might have been created within a future version or requires a plugin to be installed. Check the documentation."
            ));
        }
    };
    let mut kept = Map::new();
    if kind != field.name() {
        kept.insert("type".into(), json!(kind));
    }
    for (name, value) in definition {
        if name != "type" && !set(&mut field, path, name, value)? {
            keep(path, kind, name, value)?;
            kept.insert(name.clone(), value.clone());
        }
    }
    if kind == "scaled_float" && !kept.contains_key("scaling_factor") {
        return refuse(format!("Field [{path}] misses required parameter [scaling_factor]"));
    }
    Ok((field, kept))
}

/// Parameters that are part of the type.
fn set(field: &mut FieldType, path: &str, name: &str, value: &Json) -> Result<bool, MappingError> {
    match (field, name) {
        (FieldType::Text { keyword }, "fields") => *keyword = sub_field(path, value)?,
        (FieldType::Keyword { ignore_above }, "ignore_above") => *ignore_above = Some(limit(path, value)?),
        (FieldType::Date { format }, "format") => {
            let text = value.as_str().unwrap_or_default();
            if let Err(error) = text.parse::<DateFormat>() {
                return refuse(format!("Error parsing [format] on field [{path}]: {error}"));
            }
            *format = Some(text.into());
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn sub_field(path: &str, fields: &Json) -> Result<Option<(String, u32)>, MappingError> {
    let Some(fields) = fields.as_object() else {
        return refuse(format!("expected map for property [fields] on field [{path}] but got {fields}"));
    };
    let mut subs = fields.iter();
    let Some((name, definition)) = subs.next() else {
        return Ok(None);
    };
    if let Some((second, _)) = subs.next() {
        return refuse(format!("a second sub-field, [{second}], of [{path}] is not supported"));
    }
    let Some(definition) = definition.as_object() else {
        return refuse(format!("expected map for sub-field [{path}.{name}] but got {definition}"));
    };
    let kind = definition.get("type").and_then(Json::as_str).unwrap_or_default();
    if !matches!(kind, "keyword" | "wildcard") {
        return refuse(format!("the sub-field [{path}.{name}] of type [{kind}] is not supported, only [keyword] is"));
    }
    match field(&format!("{path}.{name}"), kind, definition)? {
        (FieldType::Keyword { ignore_above }, _) => Ok(Some((name.clone(), ignore_above.unwrap_or(UNLIMITED)))),
        _ => Ok(None),
    }
}

fn limit(path: &str, value: &Json) -> Result<u32, MappingError> {
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    match number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0) {
        Some(limit) => Ok(limit.min(UNLIMITED)),
        None => refuse(format!("[ignore_above] of field [{path}] must be positive, got [{value}]")),
    }
}

/// Whether a parameter changes nothing as it is given.
fn keep(path: &str, kind: &str, name: &str, value: &Json) -> Result<(), MappingError> {
    let harmless = match name {
        "analyzer" | "search_analyzer" | "search_quote_analyzer" => kind == "text" && value == "standard",
        "similarity" => value == "BM25",
        "coerce" => value == &json!(true) || value == "true",
        "split_queries_on_whitespace" => value == &json!(false),
        "fields" => value.as_object().is_some_and(Map::is_empty),
        "null_value" => value.is_null(),
        "scaling_factor" => kind == "scaled_float" && value.as_f64().is_some_and(|factor| factor > 0.0),
        _ if KEPT.contains(&name) => true,
        "normalizer" | "value" | "script" | "on_script_error" | "time_series_dimension" | "time_series_metric" => false,
        _ => return refuse(format!("unknown parameter [{name}] on mapper [{path}] of type [{kind}]")),
    };
    if harmless {
        Ok(())
    } else {
        refuse(format!("parameter [{name}] of mapper [{path}] of type [{kind}] is not supported as {value}"))
    }
}

fn root_is_kept(name: &str, value: &Json) -> bool {
    match name {
        "_source" => value
            .as_object()
            .is_some_and(|source| source.iter().all(|(name, on)| name == "enabled" && on == &json!(true))),
        "_routing" => value.get("required") != Some(&json!(true)),
        "numeric_detection" => value == &json!(false),
        "dynamic_templates" => value.as_array().is_some_and(Vec::is_empty),
        "dynamic_date_formats" => value == &json!(["strict_date_optional_time", "yyyy/MM/dd HH:mm:ss Z||yyyy/MM/dd Z"]),
        "runtime" => value.as_object().is_some_and(Map::is_empty),
        _ => ROOT_KEPT.contains(&name),
    }
}

fn dynamic(value: &Json, path: &str) -> Result<Dynamic, MappingError> {
    match value {
        Json::Bool(true) => Ok(Dynamic::True),
        Json::Bool(false) => Ok(Dynamic::False),
        Json::String(text) if text == "true" => Ok(Dynamic::True),
        Json::String(text) if text == "false" => Ok(Dynamic::False),
        Json::String(text) if text == "strict" => Ok(Dynamic::Strict),
        _ => refuse(format!("[dynamic] of [{path}] is not supported as {value}")),
    }
}

fn dynamic_name(dynamic: Dynamic) -> Json {
    json!(match dynamic {
        Dynamic::True => "true",
        Dynamic::False => "false",
        Dynamic::Strict => "strict",
    })
}

fn refuse<T>(reason: String) -> Result<T, MappingError> {
    Err(MappingError { kind: "mapper_parsing_exception", reason })
}
