use serde_json::{Value as Json, json};

use super::*;

fn mapping(mappings: Json) -> Mapping {
    Mapping::from_json(&mappings).unwrap()
}

fn show(value: &Value<'_>) -> Json {
    match value {
        Value::Text { text, keyword } => json!({"text": text, "keyword": keyword}),
        Value::Keyword(text) => json!(text),
        Value::Long(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Date(millis) => json!({"date": millis}),
        Value::Boolean(boolean) => json!(boolean),
    }
}

/// Reads one document, and compares paths with their values.
fn check(mapping: &Mapping, document: &str, expected: Json) {
    let parsed = mapping.parse("1", document.as_bytes()).unwrap_or_else(|error| panic!("{document}: {error}"));
    let values: Vec<Json> = parsed.values.iter().map(|(path, value)| json!([path, show(value)])).collect();
    assert_eq!(json!(values), expected, "{document}");
}

fn check_refused(mapping: &Mapping, document: &str, kind: &str, reason: &str) {
    let error = mapping.parse("1", document.as_bytes()).expect_err(document);
    assert_eq!(error.kind, kind, "{document}: {}", error.reason);
    assert!(error.reason.starts_with(reason), "{document}: {}", error.reason);
}

#[test]
fn new_fields_take_the_type_of_their_first_value() {
    let empty = Mapping::default();
    let text = |text: &str| json!({"text": text, "keyword": true});
    for (document, path, value, field) in [
        (
            r#"{"a": "x y"}"#,
            "a",
            text("x y"),
            json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}),
        ),
        (r#"{"a": 12}"#, "a", json!(12), json!({"type": "long"})),
        (r#"{"a": -1.5e3}"#, "a", json!(-1500.0), json!({"type": "float"})),
        (r#"{"a": true}"#, "a", json!(true), json!({"type": "boolean"})),
        (r#"{"a": "2026-11-20"}"#, "a", json!({"date": 1_795_132_800_000_i64}), json!({"type": "date"})),
        (
            r#"{"a": "2026/11/20"}"#,
            "a",
            json!({"date": 1_795_132_800_000_i64}),
            json!({"type": "date", "format": "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"}),
        ),
        (
            r#"{"a": "2026"}"#,
            "a",
            text("2026"),
            json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}),
        ),
        (r#"{"@ingested": 17}"#, "@ingested", json!({"date": 17}), json!({"type": "date"})),
        (r#"{"a": {"b": 1}}"#, "a.b", json!(1), json!({"type": "long"})),
        (r#"{"a.b": 1}"#, "a.b", json!(1), json!({"type": "long"})),
        (r#"{"a": [[null, {"b": [1]}]]}"#, "a.b", json!(1), json!({"type": "long"})),
    ] {
        check(&empty, document, json!([[path, value]]));
        let mut grown = Mapping::default();
        assert!(grown.extend(&empty.parse("1", document.as_bytes()).unwrap().new).unwrap());
        let pointer = format!("/properties/{}", path.replace('.', "/properties/"));
        assert_eq!(grown.to_json().pointer(&pointer), Some(&field), "{document}");
    }
    let parsed = empty.parse("1", br#"{"a": null, "b": [], "c": {}}"#).unwrap();
    assert!(parsed.values.is_empty() && parsed.new.is_empty());
}

fn all_types() -> Mapping {
    mapping(json!({"properties": {
        "t": {"type": "text", "fields": {"raw": {"type": "keyword", "ignore_above": 3}}},
        "k": {"type": "keyword", "ignore_above": 3},
        "l": {"type": "long"}, "b": {"type": "byte"}, "d": {"type": "double"}, "s": {"type": "scaled_float", "scaling_factor": 100},
        "at": {"type": "date", "format": "yyyy-MM-dd||epoch_second"}, "o": {"type": "boolean"}, "ip": {"type": "ip"},
        "m": {"type": "long", "ignore_malformed": true}, "c": {"type": "keyword", "copy_to": ["k", "all"]},
        "obj": {"properties": {"x": {"type": "long"}}}, "off": {"type": "object", "enabled": false}
    }}))
}

#[test]
fn values_are_taken_as_elasticsearch_coerces_them() {
    let mapping = all_types();
    for (document, expected) in [
        (r#"{"t": "abcd"}"#, json!([["t", {"text": "abcd", "keyword": false}]])),
        (
            r#"{"t": [1, true, "é\n"]}"#,
            json!([["t", {"text": "1", "keyword": true}], ["t", {"text": "true", "keyword": false}], ["t", {"text": "é\n", "keyword": true}]]),
        ),
        (r#"{"k": [1.0, "long"]}"#, json!([["k", "1.0"]])),
        (r#"{"l": ["12", 12.7, "-1.9", "", 1e3]}"#, json!([["l", 12], ["l", 12], ["l", -1], ["l", 1000]])),
        (r#"{"d": ["1.5", 2, -0.0]}"#, json!([["d", 1.5], ["d", 2.0], ["d", 0.0]])),
        (r#"{"s": 1.239}"#, json!([["s", 1.24]])),
        (
            r#"{"at": ["1970-01-02", 5, "6"]}"#,
            json!([["at", {"date": 86_400_000}], ["at", {"date": 5000}], ["at", {"date": 6000}]]),
        ),
        (r#"{"o": [true, "false", ""]}"#, json!([["o", true], ["o", false], ["o", false]])),
        (
            r#"{"ip": ["10.0.0.1", "::ffff:1.2.3.4", "2001:0db8::1"]}"#,
            json!([["ip", "10.0.0.1"], ["ip", "1.2.3.4"], ["ip", "2001:db8::1"]]),
        ),
        (r#"{"m": ["x", {"y": 1}, 3]}"#, json!([["m", 3]])),
        (r#"{"c": "ab"}"#, json!([["k", "ab"], ["all", {"text": "ab", "keyword": true}], ["c", "ab"]])),
        (r#"{"obj": [{"x": 1}, {"x": 2}], "obj.x": 3}"#, json!([["obj.x", 1], ["obj.x", 2], ["obj.x", 3]])),
        (r#"{"off": {"l": "x"}, "k": null}"#, json!([])),
    ] {
        check(&mapping, document, expected);
    }
    let parsed = mapping.parse("1", br#"{"t": ["abcd", "x", "long"]}"#).unwrap();
    assert_eq!(parsed.names(), ["t"]);
    assert_eq!(parsed.values()[1], ("t", FieldValue::TextAndKeyword("x")));
}

#[test]
fn refused_documents_name_place_field_and_value() {
    let mapping = all_types();
    const PARSING: &str = "document_parsing_exception";
    for (document, kind, reason) in [
        (
            r#"{"l": "abc"}"#,
            PARSING,
            "[1:7] failed to parse field [l] of type [long] in document with id '1'. Preview of field's value: 'abc'",
        ),
        (
            "{\n \"l\": [1, {\"a\": 2}]}",
            PARSING,
            "[2:11] failed to parse field [l] of type [long] in document with id '1'. Preview of field's value: '{\"a\": 2}'",
        ),
        (r#"{"b": 300}"#, PARSING, "[1:7] failed to parse field [b] of type [byte]"),
        (r#"{"l": 9223372036854775808}"#, PARSING, "[1:7] failed to parse field [l]"),
        (r#"{"d": 1e999}"#, PARSING, "[1:7] failed to parse field [d]"),
        (r#"{"at": "2026-13-01"}"#, PARSING, "[1:8] failed to parse field [at] of type [date]"),
        (r#"{"o": "yes"}"#, PARSING, "[1:7] failed to parse field [o] of type [boolean]"),
        (r#"{"ip": "1.2.3"}"#, PARSING, "[1:8] failed to parse field [ip] of type [ip]"),
        (
            r#"{"obj": 1}"#,
            PARSING,
            "[1:9] object mapping for [obj] tried to parse field [obj] as object, but found a concrete value",
        ),
        (
            r#"{"l.x": 1}"#,
            PARSING,
            "[1:9] Could not dynamically add mapping for field [l.x]. Existing mapping for [l] must be of type object but found [long].",
        ),
        (r#"{"n": {"x": 1}, "n": 2}"#, PARSING, "[1:22] object mapping for [n]"),
        (r#"{"_id": 1}"#, PARSING, "[1:2] Field [_id] is a metadata field and cannot be added inside a document."),
        (r#"{"": 1}"#, PARSING, "[1:6] field name cannot contain only whitespace"),
        (r#"{"a..b": 1}"#, PARSING, "[1:10] field name"),
        (r#"{"a": 1"#, PARSING, "[1:8] failed to parse: Unexpected end-of-input"),
        (r#"{"a": 1} x"#, PARSING, "[1:10] failed to parse: Unexpected character ('x' (code 120))"),
        ("[1]", PARSING, "[1:1] failed to parse"),
        ("", PARSING, "[1:1] failed to parse, document is empty"),
    ] {
        check_refused(&mapping, document, kind, reason);
    }
    let long = format!(r#"{{"c": "{}"}}"#, "x".repeat(40_000));
    check_refused(
        &mapping,
        &long,
        "illegal_argument_exception",
        "Document contains at least one immense term in field=\"c\"",
    );
    let deep = format!("{}1{}", r#"{"a":"#.repeat(21), "}".repeat(21));
    check_refused(&mapping, &deep, "illegal_argument_exception", "Limit of mapping depth [20] has been exceeded");
    check(&mapping, &format!(r#"{{"l": {}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000)), json!([["l", 1]]));
}

#[test]
fn dynamic_false_and_strict() {
    let mapping = mapping(json!({"dynamic": "strict", "properties": {
        "a": {"type": "long"}, "o": {"dynamic": false, "properties": {"x": {"type": "long"}}}, "p": {"dynamic": true, "properties": {}}
    }}));
    check(
        &mapping,
        r#"{"a": 1, "o": {"x": 2, "y": {"z": 3}}, "p": {"q": 4}}"#,
        json!([["a", 1], ["o.x", 2], ["p.q", 4]]),
    );
    let reason = "[1:7] mapping set to strict, dynamic introduction of [z] within [_doc] is not allowed";
    check_refused(&mapping, r#"{"z": 1}"#, "strict_dynamic_mapping_exception", reason);
    assert_eq!(mapping.to_json()["properties"]["o"]["dynamic"], "false");
}

#[test]
fn mappings_come_back_as_they_were_sent() {
    for mappings in [
        json!({}),
        json!({"_meta": {"a": 1}, "dynamic": "strict", "properties": {"a": {"properties": {"b": {"type": "keyword", "ignore_above": 10, "norms": false}}}}}),
        json!({"properties": {"t": {"type": "text", "fields": {"raw": {"type": "keyword"}}, "analyzer": "standard"}}}),
        json!({"properties": {"w": {"type": "wildcard"}, "n": {"type": "date_nanos"}, "d": {"type": "date", "format": "epoch_second"}}}),
        json!({"properties": {"o": {"type": "object", "enabled": false}}}),
    ] {
        let read = mapping(mappings.clone());
        assert_eq!(read.to_json(), mappings);
        let stored: Mapping = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
        assert_eq!(stored, read);
    }
}

#[test]
fn mappings_that_are_refused_name_the_parameter() {
    for (mappings, reason) in [
        (
            json!({"properties": {"a": {"type": "text", "analyzer": "english"}}}),
            "parameter [analyzer] of mapper [a] of type [text] is not supported as \"english\"",
        ),
        (
            json!({"properties": {"a": {"type": "keyword", "normalizer": "lowercase"}}}),
            "parameter [normalizer] of mapper [a]",
        ),
        (json!({"properties": {"a": {"type": "long", "coerce": false}}}), "parameter [coerce]"),
        (
            json!({"properties": {"a": {"type": "nested"}}}),
            "The mapper type [nested] declared on field [a] is not supported",
        ),
        (
            json!({"properties": {"a": {"type": "strnig"}}}),
            "The mapper type [strnig] declared on field [a] does not exist",
        ),
        (
            json!({"properties": {"a": {"type": "long", "foo": 1}}}),
            "unknown parameter [foo] on mapper [a] of type [long]",
        ),
        (
            json!({"properties": {"a": {"type": "date", "format": "YYYY"}}}),
            "Error parsing [format] on field [a]: Invalid format: [YYYY]",
        ),
        (
            json!({"properties": {"a": {"type": "text", "fields": {"en": {"type": "text"}}}}}),
            "the sub-field [a.en] of type [text]",
        ),
        (json!({"properties": {"a": {}, "b": {"foo": 1}}}), "No type specified for field [b]"),
        (json!({"dynamic_templates": [{}]}), "[dynamic_templates] of the root mapping"),
        (json!({"foo": 1}), "Root mapping definition has unsupported parameters:  [foo : 1]"),
        (
            json!({"properties": {"a": {"type": "scaled_float"}}}),
            "Field [a] misses required parameter [scaling_factor]",
        ),
    ] {
        let error = Mapping::from_json(&mappings).expect_err(&mappings.to_string());
        assert!(error.reason.starts_with(reason), "{}", error.reason);
        assert_eq!(error.kind, "mapper_parsing_exception");
    }
}

#[test]
fn merging_only_adds() {
    let mut grown = mapping(
        json!({"properties": {"a": {"type": "long"}, "t": {"type": "text"}, "o": {"properties": {"x": {"type": "date"}}}}}),
    );
    assert!(!grown.clone().merge(&mapping(json!({"properties": {"a": {"type": "long"}}}))).unwrap());
    assert!(grown.merge(&mapping(json!({"properties": {"t": {"type": "text", "fields": {"k": {"type": "keyword"}}}, "b": {"type": "ip"}}}))).unwrap());
    assert_eq!(grown.fields.len(), 4);
    let before = grown.clone();
    for (other, reason) in [
        (json!({"properties": {"a": {"type": "text"}}}), "mapper [a] cannot be changed from type [long] to [text]"),
        (
            json!({"properties": {"z": {"type": "long"}, "a": {"type": "integer"}}}),
            "mapper [a] cannot be changed from type [long] to [integer]",
        ),
        (
            json!({"properties": {"a": {"properties": {"b": {"type": "long"}}}}}),
            "can't merge a non object mapping [a] with an object mapping",
        ),
        (json!({"properties": {"o": {"type": "long"}}}), "can't merge a non object mapping [o] with an object mapping"),
        (
            json!({"properties": {"o": {"properties": {"x": {"type": "date", "format": "yyyy"}}}}}),
            "Mapper for [o.x] conflicts with existing mapper:\n\tCannot update parameter [format] from [strict_date_optional_time||epoch_millis] to [yyyy]",
        ),
    ] {
        assert_eq!(grown.merge(&mapping(other)).unwrap_err().reason, reason);
        assert_eq!(grown, before);
    }
    let deep = BTreeMap::from([(vec!["a"; 21].join("."), FieldType::Boolean)]);
    assert!(Mapping::default().extend(&deep).unwrap_err().reason.starts_with("Limit of mapping depth [20]"));
    let many: BTreeMap<String, FieldType> = (0..1_000).map(|n| (format!("f{n}"), FieldType::Boolean)).collect();
    assert!(grown.extend(&many).unwrap_err().reason.starts_with("Limit of total fields [1000] has been exceeded"));
    assert!(Mapping::default().extend(&many).unwrap());
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_values_or_an_error(source in "[\\[\\]{}:,\"\\\\a-dltk01.\\-e ]{0,40}") {
        let mapping = all_types();
        for text in [source.clone(), format!("{{{source}}}"), format!("{{\"l\":{source}}}")] {
            match mapping.parse("1", text.as_bytes()) {
                Ok(parsed) => {
                    proptest::prop_assert!(serde_json::from_str::<Json>(&text).is_ok());
                    proptest::prop_assert_eq!(parsed.values().len(), parsed.values.len());
                    mapping.clone().extend(&parsed.new).unwrap();
                }
                Err(error) => proptest::prop_assert!(!error.reason.is_empty()),
            }
        }
    }
}

#[test]
fn a_mapping_that_has_grown_knows_its_new_fields() {
    let mut grown = Mapping::default();
    let source = br#"{"a": "12"}"#;
    let new = grown.parse("1", source).unwrap().new;
    grown.extend(&new).unwrap();
    assert!(grown.parse("2", source).unwrap().new.is_empty());
}
