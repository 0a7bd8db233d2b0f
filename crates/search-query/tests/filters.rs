//! `_source` and `filter_path`.

use search_query::filter_path::FilterPath;
use search_query::source_filter::SourceFilter;
use serde_json::{Value, json};

const DOCUMENT: &str = r#"{"a":{"b":1.50,"c":{"d":"x"},"e":{}},"list":[{"x":1,"y":2},{"y":3},7],"n":1e3,"a.b.z":true,"tags":["p","q"],"é":0}"#;

fn source(filter: Value, document: &str) -> String {
    let filter = SourceFilter::parse(&filter).unwrap();
    String::from_utf8(filter.filter(document.as_bytes()).into_owned()).unwrap()
}

#[test]
fn parts_of_a_document() {
    for (filter, expected) in [
        (json!(true), DOCUMENT),
        (json!(["*"]), DOCUMENT),
        (json!("n"), r#"{"n":1e3}"#),
        (json!(["a.b"]), r#"{"a":{"b":1.50},"a.b.z":true}"#),
        (json!(["a"]), r#"{"a":{"b":1.50,"c":{"d":"x"},"e":{}},"a.b.z":true}"#),
        (json!(["a.*"]), r#"{"a":{"b":1.50,"c":{"d":"x"},"e":{}},"a.b.z":true}"#),
        (json!(["a.c.d", "n"]), r#"{"a":{"c":{"d":"x"}},"n":1e3}"#),
        (json!(["*.d"]), r#"{"a":{"c":{"d":"x"}}}"#),
        (json!(["list.x"]), r#"{"list":[{"x":1}]}"#),
        (json!(["list"]), r#"{"list":[{"x":1,"y":2},{"y":3},7]}"#),
        (json!(["n.more", "tags.more", "nowhere"]), "{}"),
        (json!("é"), r#"{"é":0}"#),
        (json!({"excludes": ["a*", "list", "é"]}), r#"{"n":1e3,"tags":["p","q"]}"#),
        (json!({"includes": "a", "excludes": "a.b"}), r#"{"a":{"c":{"d":"x"},"e":{}}}"#),
        (
            json!({"include": ["a", "list"], "exclude": ["*.c", "list.y"]}),
            r#"{"a":{"b":1.50,"e":{}},"list":[{"x":1},{},7],"a.b.z":true}"#,
        ),
        (json!({"includes": ["a.c", "n"], "excludes": ["a.c.d"]}), r#"{"a":{"c":{}},"n":1e3}"#),
    ] {
        assert_eq!(source(filter.clone(), DOCUMENT), expected, "{filter}");
    }
}

#[test]
fn text_is_copied_as_it_stands() {
    for (document, expected) in [
        (" { \"k\" : [ 1.0 , 2 ] , \"x\" : 1 } ", "{\"k\":[ 1.0 , 2 ]}"),
        (r#"{"\u006b":"\"}{","x":{"k":0}}"#, r#"{"\u006b":"\"}{"}"#),
        (r#"{"k":123456789012345678901234567890.10}"#, r#"{"k":123456789012345678901234567890.10}"#),
        ("{}", "{}"),
        // not an object, not JSON: as it is
        ("[1]", "[1]"),
        (r#"{"k":"#, r#"{"k":"#),
        (r#"{"k" 1}"#, r#"{"k" 1}"#),
        ("", ""),
    ] {
        assert_eq!(source(json!("k"), document), expected);
    }
    assert_eq!(source(json!({"excludes": "x"}), r#"{"x":{"y":[1,{"z":"]"}]},"k":[{"x":1}]}"#), r#"{"k":[{"x":1}]}"#);
    let deep = "{\"a\":".repeat(200) + "1" + &"}".repeat(200);
    assert_eq!(source(json!("b"), &deep), deep);
}

#[test]
fn source_of_a_url() {
    let filter = |parameters: &[(&str, &str)]| {
        let parameters: Vec<_> = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        SourceFilter::from_parameters(&parameters)
    };
    assert_eq!(filter(&[("q", "x")]), None);
    assert_eq!(filter(&[("_source", "false")]), Some(SourceFilter::nothing()));
    assert!(filter(&[("_source", "true")]).unwrap().is_all());
    let both = SourceFilter { none: false, includes: vec!["a".into(), "b.*".into()], excludes: vec!["b.c".into()] };
    assert_eq!(filter(&[("_source", "a,b.*"), ("_source_excludes", "b.c")]), Some(both.clone()));
    assert_eq!(filter(&[("_source_excludes", "b.c"), ("_source_includes", "a, b.*")]), Some(both));
}

#[test]
fn refused_source() {
    for (filter, reason) in [
        (
            json!(3),
            "Expected one of [VALUE_BOOLEAN, VALUE_STRING, START_ARRAY, START_OBJECT] in [_source] but found [VALUE_NUMBER]",
        ),
        (json!({"only": ["a"]}), "Unknown key for a START_ARRAY in [only]."),
        (json!([{"a": 1}]), "[_source] must be a string, found [START_OBJECT]"),
    ] {
        assert_eq!(SourceFilter::parse(&filter).unwrap_err().reason, reason);
    }
}

#[test]
fn parts_of_an_answer() {
    let answer = json!({
        "took": 3, "errors": true, "_shards": {"total": 2, "failures": []},
        "hits": {"total": {"value": 2}, "hits": [{"_id": "1", "_source": {"a": 1, "b.c": 2}}, {"_id": "2", "_source": {"a": 3}}]},
        "items": [{"index": {"status": 400, "error": {"type": "x"}}}, {"create": {"status": 201}}],
    });
    for (paths, expected) in [
        ("", answer.clone()),
        ("took", json!({"took": 3})),
        ("hits.hits._id", json!({"hits": {"hits": [{"_id": "1"}, {"_id": "2"}]}})),
        ("hits.hits._source.a", json!({"hits": {"hits": [{"_source": {"a": 1}}, {"_source": {"a": 3}}]}})),
        (r"**.b\.c", json!({"hits": {"hits": [{"_source": {"b.c": 2}}]}})),
        ("hits.**._id , took", json!({"took": 3, "hits": {"hits": [{"_id": "1"}, {"_id": "2"}]}})),
        (
            "errors,items.*.error,items.*.status",
            json!({"errors": true, "items": [
            {"index": {"status": 400, "error": {"type": "x"}}}, {"create": {"status": 201}}]}),
        ),
        ("items.*.error", json!({"items": [{"index": {"error": {"type": "x"}}}]})),
        ("**.status", json!({"items": [{"index": {"status": 400}}, {"create": {"status": 201}}]})),
        ("t*k", json!({"took": 3})),
        ("_shards", json!({"_shards": {"total": 2, "failures": []}})),
        ("nothing,hits.none", json!({})),
        ("took.deeper", json!({})),
        ("-hits,-items", json!({"took": 3, "errors": true, "_shards": {"total": 2, "failures": []}})),
        (
            "-hits.hits._source,-items,-_shards,-took,-errors",
            json!({"hits": {"total": {"value": 2}, "hits": [{"_id": "1"}, {"_id": "2"}]}}),
        ),
        ("hits.**,-hits.hits", json!({"hits": {"total": {"value": 2}}})),
        ("hits,-**.value,-hits.hits", json!({})),
        ("-**", json!({})),
    ] {
        assert_eq!(FilterPath::parse(paths).apply(answer.clone()), expected, "{paths}");
    }
    assert_eq!(FilterPath::parse("*._id").apply(json!([{"a": {"_id": 1}}, {"b": 2}])), json!([{"a": {"_id": 1}}]));
    assert!(FilterPath::parse(" , ").is_empty());
}
