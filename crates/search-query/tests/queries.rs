//! Queries in JSON.

mod show;

use search_query::query::{MAX_CLAUSES, MAX_NESTED_DEPTH, Query};
use serde_json::{Value, json};

fn check(query: Value, expected: &str) {
    let parsed = Query::parse(&query).unwrap_or_else(|e| panic!("{query}: {e}"));
    assert_eq!(show::show(&parsed), expected, "{query}");
}

fn refused(query: Value, kind: &str, reason: &str) {
    let error = Query::parse(&query).expect_err(&query.to_string());
    assert_eq!((error.kind, error.reason.as_str()), (kind, reason), "{query}");
}

#[test]
fn term_level() {
    check(json!({"term": {"f": "v"}}), r#"f="v""#);
    check(json!({"term": {"f": 5}}), "f=5");
    check(json!({"term": {"f": {"value": true}}}), "f=true");
    check(json!({"term": {"f": {"value": "v", "boost": 2, "_name": "n", "case_insensitive": true}}}), r#"f="v" i^2"#);
    check(json!({"term": {"f": {"term": "v"}}}), r#"f="v""#);
    check(json!({"terms": {"f": ["a", 1, false]}}), r#"f=["a",1,false]"#);
    check(json!({"terms": {"f": [], "boost": "1.5", "_name": "n"}}), "f=[]^1.5");
    check(json!({"exists": {"field": "a.b"}}), "a.b:*");
    check(json!({"ids": {"values": ["1", 2]}}), "ids(1,2)");
    check(json!({"ids": {"values": "1", "type": "_doc"}}), "ids(1)");
    check(json!({"prefix": {"f": "v"}}), "f:prefix(v)");
    check(
        json!({"prefix": {"f": {"value": "v", "rewrite": "constant_score", "case_insensitive": true}}}),
        "f:prefix(v) i",
    );
    check(json!({"wildcard": {"f": "v*"}}), "f:wild(v*)");
    check(json!({"wildcard": {"f": {"wildcard": "v?"}}}), "f:wild(v?)");
    check(json!({"regexp": {"f": {"value": "a+", "flags": "ALL", "max_determinized_states": 10000}}}), "f:/a+/");
    check(json!({"fuzzy": {"f": "v"}}), "f:v~");
    check(
        json!({"fuzzy": {"f": {"value": "v", "fuzziness": 1, "transpositions": true, "max_expansions": 50}}}),
        "f:v~1",
    );
    check(json!({"fuzzy": {"f": {"value": "abcd", "fuzziness": "AUTO:2,4"}}}), "f:abcd~2");
    check(json!({"fuzzy": {"f": {"value": "abc", "fuzziness": "auto:2,4"}}}), "f:abc~1");
    check(json!({"fuzzy": {"f": {"value": "abc", "fuzziness": "auto"}}}), "f:abc~");
}

#[test]
fn ranges() {
    check(json!({"range": {"f": {"gte": 1, "lt": "now/d"}}}), r#"f:[1 "now/d"}"#);
    check(json!({"range": {"f": {"gt": 1.5, "lte": null}}}), "f:{1.5 *]");
    check(json!({"range": {"f": {}}}), "f:[* *]");
    check(json!({"range": {"f": {"from": 1, "to": 2}}}), "f:[1 2]");
    check(json!({"range": {"f": {"from": 1, "to": 2, "include_lower": false, "include_upper": false}}}), "f:{1 2}");
    check(json!({"range": {"f": {"from": null, "to": 2, "include_lower": true, "boost": 1.0}}}), "f:[* 2]");
    check(
        json!({"range": {"f": {"gte": "20/11/2026", "format": "dd/MM/yyyy", "time_zone": "+01:00", "boost": 3}, "_name": "n"}}),
        r#"f:["20/11/2026" *] dd/MM/yyyy +01:00^3"#,
    );
}

#[test]
fn full_text() {
    check(json!({"match": {"f": "a b"}}), r#"f:"a b""#);
    check(json!({"match": {"f": 404}}), "f:404");
    check(json!({"match": {"f": {"query": "a b", "operator": "AND", "boost": 2}}}), r#"f:"a b" and^2"#);
    check(
        json!({"match": {"f": {"query": "a b", "minimum_should_match": "75%", "zero_terms_query": "none"}}}),
        r#"f:"a b">=75%"#,
    );
    check(json!({"match": {"f": {"query": "a b", "minimum_should_match": 2}}}), r#"f:"a b">=2"#);
    check(json!({"match": {"f": {"query": "a", "lenient": true}}}), r#"f:"a""#);
    check(json!({"match_phrase": {"f": "a b"}}), "f:phrase(a b)");
    check(json!({"match_phrase": {"f": {"query": "a b", "slop": 2}}}), "f:phrase(a b)~2");
    check(json!({"match_phrase_prefix": {"f": {"query": "a b", "max_expansions": 10}}}), "f:phrase(a b…)");
    check(json!({"multi_match": {"query": "a b", "fields": ["x", "y^2", "z.*"]}}), r#"[x,y^2,z.*]:"a b""#);
    check(json!({"multi_match": {"query": "a", "type": "most_fields", "tie_breaker": 0.3}}), r#"[]:"a""#);
    check(json!({"multi_match": {"query": "a b", "fields": "x", "type": "phrase"}}), r#"[x]:"a b" phrase"#);
    check(
        json!({"multi_match": {"query": "a b", "fields": ["x", "y^3"], "type": "phrase", "slop": 1}}),
        "(x:phrase(a b)~1 y:phrase(a b)~1^3)",
    );
    check(json!({"multi_match": {"query": "a b", "fields": ["x"], "type": "phrase_prefix"}}), "x:phrase(a b…)");
    check(
        json!({"multi_match": {"query": "a b", "fields": ["x", "y"], "type": "cross_fields", "operator": "and"}}),
        r#"(+[x,y]:"a" and +[x,y]:"b" and)"#,
    );
    check(
        json!({"multi_match": {"query": "a b", "fields": ["x", "y"], "minimum_should_match": "2"}}),
        r#"(x:"a b">=2 y:"a b">=2)"#,
    );
    check(json!({"query_string": {"query": "a AND f:b"}}), r#"(+[]:"a" +f:"b")"#);
    check(json!({"query_string": {"query": "a b", "default_field": "f", "default_operator": "and"}}), r#"f:"a b" and"#);
    check(
        json!({"query_string": {"query": "a", "fields": ["x^2", "y"], "boost": 2, "analyze_wildcard": true}}),
        r#"[x^2,y]:"a"^2"#,
    );
    check(
        json!({"query_string": {"query": "a OR b", "fields": ["*"], "minimum_should_match": 2}}),
        r#"([]:"a" []:"b")>=2"#,
    );
    check(
        json!({"query_string": {"query": "t:[2026 TO *]", "time_zone": "Europe/Berlin"}}),
        r#"t:["2026" *] Europe/Berlin"#,
    );
    check(json!({"simple_query_string": {"query": "a + b", "fields": ["f"]}}), r#"(+f:"a" +f:"b")"#);
}

#[test]
fn compound() {
    check(json!({"match_all": {}}), "*:*");
    check(json!({"match_all": {"boost": 2.5}}), "*:*^2.5");
    check(json!({"match_none": {}}), "none");
    check(json!({"bool": {}}), "*:*");
    check(
        json!({"bool": {"must": {"term": {"a": 1}}, "filter": [{"term": {"b": 2}}, {"exists": {"field": "c"}}]}}),
        "(+a=1 #b=2 #c:*)",
    );
    check(
        json!({"bool": {"should": [{"term": {"a": 1}}, {"term": {"b": 2}}], "must_not": {"term": {"c": 3}}, "minimum_should_match": 2}}),
        "(a=1 b=2 -c=3)>=2",
    );
    check(
        json!({"bool": {"must": [{"bool": {"must_not": [{"match_all": {}}]}}], "boost": 2, "adjust_pure_negative": true}}),
        "(+(-*:*))^2",
    );
    check(json!({"constant_score": {"filter": {"term": {"a": 1}}}}), "const(a=1)^1");
    check(json!({"constant_score": {"filter": {"term": {"a": 1}}, "boost": 1.2, "_name": "n"}}), "const(a=1)^1.2");
}

#[test]
fn refused_queries() {
    let parsing = "parsing_exception";
    let illegal = "illegal_argument_exception";
    refused(json!({"foo": {}}), parsing, "unknown query [foo]");
    refused(json!({"termz": {}}), parsing, "unknown query [termz] did you mean any of [term, terms]?");
    refused(json!({"bol": {}}), parsing, "unknown query [bol] did you mean [bool]?");
    refused(json!({}), illegal, "query malformed, empty clause found");
    refused(json!([]), parsing, "[_na] query malformed, must start with start_object, found [START_ARRAY]");
    refused(json!({"term": "x"}), parsing, "[term] query malformed, no start_object after query name");
    refused(
        json!({"match_all": {}, "term": {}}),
        parsing,
        "[match_all] malformed query, expected [END_OBJECT] but found [FIELD_NAME] [term]",
    );
    refused(json!({"match_all": {"f": 1}}), parsing, "[match_all] query does not support [f]");
    refused(json!({"term": {}}), parsing, "[term] query must name a field");
    refused(
        json!({"term": {"a": 1, "b": 2}}),
        parsing,
        "[term] query doesn't support multiple fields, found [a] and [b]",
    );
    refused(json!({"term": {"a": [1]}}), parsing, "[term] query does not support array of values");
    refused(json!({"term": {"a": null}}), illegal, "value cannot be null for [term] query of [a]");
    refused(json!({"term": {"a": {"value": 1, "foo": 2}}}), parsing, "[term] query does not support [foo]");
    refused(
        json!({"terms": {"a": [1], "b": [2]}}),
        parsing,
        "[terms] query does not support multiple fields, found [a] and [b]",
    );
    refused(
        json!({"terms": {"a": {"index": "i", "id": "1", "path": "p"}}}),
        illegal,
        "[terms] query: terms lookup of [a] is not supported",
    );
    refused(json!({"terms": {"a": "x"}}), parsing, "[terms] query does not support [a]");
    refused(
        json!({"terms": {"boost": 1}}),
        parsing,
        "[terms] query requires a field name, followed by array of terms or a document lookup specification",
    );
    refused(json!({"exists": {}}), parsing, "[exists] must be provided with a [field]");
    refused(json!({"range": {"f": 5}}), parsing, "[range] query does not support [f]");
    refused(json!({"range": {"f": {"gte": [1]}}}), parsing, "[gte] must be a value, found [START_ARRAY]");
    refused(json!({"range": {"f": {"above": 1}}}), parsing, "[range] query does not support [above]");
    refused(json!({"range": {"f": {"time_zone": "Mars"}}}), illegal, "unknown time zone [Mars]");
    refused(json!({"match": {"f": {"query": [1]}}}), parsing, "[match] unknown token [START_ARRAY] after [query]");
    refused(json!({"match": {"f": {"operator": "and"}}}), illegal, "[match] requires query value");
    refused(
        json!({"match": {"f": {"query": "a", "operator": "xor"}}}),
        illegal,
        "operator [xor] is neither [and] nor [or]",
    );
    refused(
        json!({"match": {"f": {"query": "a", "fuzziness": "AUTO"}}}),
        illegal,
        "[match] query: the option [fuzziness] is not supported",
    );
    refused(json!({"multi_match": {"fields": ["a"]}}), parsing, "No text specified for multi_match query");
    refused(json!({"query_string": {}}), parsing, "[query_string] must be provided with a [query]");
    refused(json!({"constant_score": {}}), parsing, "[constant_score] requires a 'filter' element");
    refused(json!({"bool": {"musty": []}}), parsing, "[bool] query does not support [musty]");
    refused(json!({"bool": {"must": [{}]}}), illegal, "query malformed, empty clause found");
    refused(
        json!({"bool": {"must": "x"}}),
        parsing,
        "[_na] query malformed, must start with start_object, found [VALUE_STRING]",
    );
    refused(
        json!({"match_all": {"boost": -1}}),
        illegal,
        "negative [boost] are not allowed in [boost], but found [-1]",
    );
    refused(
        json!({"fuzzy": {"f": {"value": "v", "fuzziness": 3}}}),
        parsing,
        "failed to parse [fuzziness]: [3] is not 0, 1, 2, AUTO or AUTO:low,high",
    );
    for kind in [
        "nested",
        "function_score",
        "has_child",
        "script",
        "geo_distance",
        "more_like_this",
        "match_bool_prefix",
        "dis_max",
    ] {
        refused(json!({kind: {"x": 1}}), illegal, &format!("query [{kind}] is not supported"));
        refused(json!({"bool": {"must": {kind: {}}}}), illegal, &format!("query [{kind}] is not supported"));
    }
}

#[test]
fn limits() {
    let nested = |depth: usize| (1..depth).fold(json!({"match_all": {}}), |query, _| json!({"bool": {"must": query}}));
    assert!(Query::parse(&nested(MAX_NESTED_DEPTH)).is_ok());
    let error = Query::parse(&nested(MAX_NESTED_DEPTH + 1)).unwrap_err();
    assert!(error.reason.contains("[indices.query.bool.max_nested_depth]"), "{error}");
    let wide = |clauses: usize| json!({"bool": {"should": vec![json!({"term": {"a": 1}}); clauses]}});
    assert!(Query::parse(&wide(MAX_CLAUSES - 1)).is_ok());
    assert_eq!(Query::parse(&wide(MAX_CLAUSES)).unwrap_err().kind, "too_many_nested_clauses");
    let terms = |count: usize| json!({"terms": {"a": vec![1; count]}});
    assert!(Query::parse(&terms(65_536)).is_ok());
    assert!(Query::parse(&terms(65_537)).unwrap_err().reason.contains("[index.max_terms_count]"));
    let regexp = |length: usize| json!({"regexp": {"a": "x".repeat(length)}});
    assert!(Query::parse(&regexp(1_000)).is_ok());
    assert!(Query::parse(&regexp(1_001)).unwrap_err().reason.contains("[index.max_regex_length]"));
}
