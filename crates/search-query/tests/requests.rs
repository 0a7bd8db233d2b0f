//! Search requests: bodies, URLs, sort keys, limits.

mod show;

use search_query::query::Query;
use search_query::sort::{Key, Missing, Order, Sort};
use search_query::source_filter::SourceFilter;
use search_query::{RequestError, SearchRequest, TrackTotalHits};
use serde_json::{Value, json};

fn parameters(url: &str) -> Vec<(String, String)> {
    let pairs = url.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

fn parse(body: &str, url: &str) -> Result<SearchRequest, RequestError> {
    SearchRequest::parse(body.as_bytes(), &parameters(url))
}

fn check(body: Value, url: &str, expected: SearchRequest) {
    let parsed = parse(&body.to_string(), url).unwrap_or_else(|e| panic!("{body} {url}: {e}"));
    assert_eq!(parsed, expected, "{body} {url}");
}

fn refused(body: &str, url: &str, kind: &str, reason: &str) {
    let error = parse(body, url).expect_err(&format!("{body} {url}"));
    assert_eq!((error.kind, error.reason.as_str(), error.status), (kind, reason, 400), "{body} {url}");
}

fn only(change: impl FnOnce(&mut SearchRequest)) -> SearchRequest {
    let mut request = SearchRequest::default();
    change(&mut request);
    request
}

#[test]
fn nothing_asked() {
    for body in ["", " \n", "{}"] {
        assert_eq!(parse(body, ""), Ok(SearchRequest::default()), "{body:?}");
    }
    let without_effect =
        "timeout=1s&terminate_after=3&preference=_local&request_cache=true&pretty&analyze_wildcard=true&explain=false";
    check(json!({"timeout": "1s", "terminate_after": 10, "stats": ["a"]}), without_effect, SearchRequest::default());
    check(
        json!({"highlight": {}, "docvalue_fields": [], "explain": false, "script_fields": {}}),
        "",
        SearchRequest::default(),
    );
}

#[test]
fn bodies() {
    check(
        json!({"from": 10, "size": "20", "version": true, "seq_no_primary_term": true, "min_score": 0.5}),
        "",
        only(|r| (r.from, r.size, r.version, r.seq_no_primary_term, r.min_score) = (10, 20, true, true, Some(0.5))),
    );
    check(json!({"query": {"match_none": {}}}), "", only(|r| r.query = Query::MatchNone));
    check(json!({"post_filter": {"match_none": {}}}), "", only(|r| r.post_filter = Some(Query::MatchNone)));
    for (value, expected) in [
        (json!(true), TrackTotalHits::Exact),
        (json!("true"), TrackTotalHits::Exact),
        (json!(-1), TrackTotalHits::Exact),
        (json!(false), TrackTotalHits::No),
        (json!(100), TrackTotalHits::UpTo(100)),
        (json!("100"), TrackTotalHits::UpTo(100)),
    ] {
        check(json!({"track_total_hits": value}), "", only(|r| r.track_total_hits = expected));
    }
    // What elasticdump sends.
    check(
        json!({"query": {"match_all": {}}, "stored_fields": ["*"], "_source": true, "size": 100}),
        "",
        only(|r| r.size = 100),
    );
    check(json!({"stored_fields": ["*"]}), "", only(|r| r.source = SourceFilter::nothing()));
    check(json!({"stored_fields": "_none_", "_source": false}), "", only(|r| r.source = SourceFilter::nothing()));
    check(json!({"stored_fields": ["_source"]}), "", SearchRequest::default());
    let request = parse(r#"{"sort": ["a", "_doc"], "search_after": [1.5, null]}"#, "").unwrap();
    assert_eq!(request.search_after, Some(vec![json!(1.5), Value::Null]));
}

#[test]
fn urls_win() {
    let body = json!({"from": 1, "size": 2, "query": {"match_none": {}}, "_source": false, "track_total_hits": false});
    let request = parse(
        &body.to_string(),
        "from=3&size=4&q=a:b&_source_includes=x,y&track_total_hits=true&version&sort=t:desc,_score,u&min_score=2",
    )
    .unwrap();
    assert_eq!((request.from, request.size, request.version, request.min_score), (3, 4, true, Some(2.0)));
    assert_eq!(show::show(&request.query), r#"a:"b""#);
    assert_eq!(request.source.includes, ["x", "y"]);
    assert!(!request.source.none);
    assert_eq!(request.track_total_hits, TrackTotalHits::Exact);
    let keys: Vec<_> = request.sort.iter().map(|sort| (sort.key.clone(), sort.order)).collect();
    assert_eq!(
        keys,
        [(Key::Field("t".into()), Order::Desc), (Key::Score, Order::Desc), (Key::Field("u".into()), Order::Asc)]
    );
    for (url, expected) in [
        ("q=a b", r#"[]:"a b""#),
        ("q=a b&default_operator=AND", r#"[]:"a b" and"#),
        ("q=a&df=f", r#"f:"a""#),
        ("q=f:a&lenient=true", r#"f:"a""#),
    ] {
        assert_eq!(show::show(&parse("", url).unwrap().query), expected, "{url}");
    }
}

#[test]
fn only_a_query() {
    let query = |body: &str, url: &str| Query::parse_request(body.as_bytes(), &parameters(url));
    assert_eq!(query("", ""), Ok(Query::MatchAll));
    assert_eq!(query("{}", ""), Ok(Query::MatchAll));
    assert_eq!(query(r#"{"query":{"match_none":{}}}"#, ""), Ok(Query::MatchNone));
    assert_eq!(show::show(&query(r#"{"query":{"match_none":{}}}"#, "q=a:b").unwrap()), r#"a:"b""#);
    assert_eq!(query(r#"{"size":1}"#, "").unwrap_err().reason, "request does not support [size]");
    assert_eq!(query("[]", "").unwrap_err().reason, "Expected [START_OBJECT] but found [START_ARRAY]");
}

fn sort(key: Key, order: Order) -> Sort {
    Sort { key, order, missing: Missing::Last, unmapped_type: None, format: None }
}

#[test]
fn sort_keys() {
    let field = |name: &str| Key::Field(name.to_owned());
    for (value, expected) in [
        (json!("f"), vec![sort(field("f"), Order::Asc)]),
        (json!({"f": "desc"}), vec![sort(field("f"), Order::Desc)]),
        (
            json!(["_score", "_doc", "_seq_no"]),
            vec![sort(Key::Score, Order::Desc), sort(Key::Doc, Order::Asc), sort(Key::SeqNo, Order::Asc)],
        ),
        (
            json!([{"_score": {"order": "asc"}}, {"f": "asc", "g": {"order": "DESC", "mode": "max"}}]),
            vec![sort(Key::Score, Order::Asc), sort(field("f"), Order::Asc), sort(field("g"), Order::Desc)],
        ),
        (
            json!([{"f": {"missing": "_first", "unmapped_type": "long", "format": "epoch_millis"}}]),
            vec![Sort {
                missing: Missing::First,
                unmapped_type: Some("long".into()),
                format: Some("epoch_millis".into()),
                ..sort(field("f"), Order::Asc)
            }],
        ),
        (
            json!([{"f": {"missing": 5}}]),
            vec![Sort { missing: Missing::Value(json!(5)), ..sort(field("f"), Order::Asc) }],
        ),
        (json!([]), vec![]),
    ] {
        check(json!({"sort": value}), "", only(|r| r.sort = expected));
    }
}

#[test]
fn refused_requests() {
    let (parsing, illegal) = ("parsing_exception", "illegal_argument_exception");
    refused("[]", "", parsing, "Expected [START_OBJECT] but found [START_ARRAY]");
    refused(r#"{"foo":{}}"#, "", parsing, "Unknown key for a START_OBJECT in [foo].");
    refused(r#"{"foo":[1]}"#, "", parsing, "Unknown key for a START_ARRAY in [foo].");
    refused(r#"{"querry":{}}"#, "", parsing, "Unknown key for a START_OBJECT in [querry]. did you mean [query]?");
    refused(r#"{"size":-1}"#, "", illegal, "[size] parameter cannot be negative, found [-1]");
    refused("", "from=-1", illegal, "[from] parameter cannot be negative but was [-1]");
    refused("", "size=ten", illegal, "Failed to parse int parameter [size] with value [ten]");
    refused(r#"{"size":"ten"}"#, "", illegal, "Failed to parse [size]: [ten] is not a whole number");
    refused(r#"{"size":[]}"#, "", parsing, "[size] must be a whole number, found [START_ARRAY]");
    refused(
        r#"{"from":10,"size":9991}"#,
        "",
        illegal,
        "Result window is too large, from + size must be less than or equal to: [10000] but was [10001]. See the scroll api for a more \
         efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.",
    );
    refused(
        "",
        "track_total_hits=-2",
        illegal,
        "[track_total_hits] parameter must be positive or equals to -1, got -2",
    );
    refused(
        r#"{"version":"yes"}"#,
        "",
        illegal,
        "Failed to parse value [yes] of [version] as only [true] or [false] are allowed.",
    );
    refused(
        "",
        "seq_no_primary_term=1",
        illegal,
        "Failed to parse value [1] of [seq_no_primary_term] as only [true] or [false] are allowed.",
    );
    refused(
        "",
        "q=f:",
        "query_shard_exception",
        "Failed to parse query [f:]: encountered \"<EOF>\" at line 1, column 2.",
    );
    for key in [
        "highlight",
        "suggest",
        "rescore",
        "collapse",
        "knn",
        "script_fields",
        "runtime_mappings",
        "docvalue_fields",
        "fields",
    ] {
        refused(&json!({key: {"a": 1}}).to_string(), "", illegal, &format!("search [{key}] is not supported"));
    }
    refused("", "explain=true", illegal, "search [explain] is not supported");
    refused(r#"{"stored_fields":["a"]}"#, "", illegal, "stored_fields [a] is not supported");
    refused(
        r#"{"stored_fields":"_none_","_source":true}"#,
        "",
        illegal,
        "[stored_fields] cannot be disabled if [_source] is requested",
    );
    refused(r#"{"search_after":[1]}"#, "", illegal, "Sort must contain at least one field.");
    refused(r#"{"search_after":[1,2],"sort":"a"}"#, "", illegal, "search_after has 2 value(s) but sort has 1.");
    refused(
        r#"{"search_after":[1],"sort":"a","from":1}"#,
        "",
        illegal,
        "`from` parameter must be set to 0 when `search_after` is used.",
    );
    refused(r#"{"search_after":[],"sort":"a"}"#, "", illegal, "Values must contains at least one value.");
    refused(r#"{"search_after":[{}],"sort":"a"}"#, "", parsing, "[search_after] must be a value, found [START_OBJECT]");
    refused(r#"{"sort":{"a":"up"}}"#, "", illegal, "Unknown sort order [up]");
    refused("", "sort=a:up", illegal, "Unknown sort order [up]");
    refused(
        r#"{"sort":[5]}"#,
        "",
        illegal,
        "malformed sort format, within the sort array, an object, or an actual string are allowed, found [VALUE_NUMBER]",
    );
    refused(r#"{"sort":{"_script":{}}}"#, "", illegal, "sort [_script] is not supported");
    refused(r#"{"sort":{"a":{"mode":"avg"}}}"#, "", illegal, "sort by [a]: [mode] [avg] is not supported");
    refused(r#"{"sort":{"a":{"way":"up"}}}"#, "", parsing, "[a] sort unknown field [way]");
}

#[test]
fn syntax_errors_say_where() {
    for (body, place) in
        [("{", "[1:1] "), ("{\"size\": 1,\n  size}", "[2:3] "), ("{\"a\":1} x", "[1:9] "), ("\u{1}", "[1:1] ")]
    {
        let error = parse(body, "").expect_err(body);
        assert_eq!(error.kind, "x_content_parse_exception");
        assert!(error.reason.starts_with(place) && !error.reason.contains("column"), "{body}: {}", error.reason);
    }
    let deep = "{\"query\":".repeat(500) + &"}".repeat(500);
    assert!(parse(&deep, "").unwrap_err().reason.contains("recursion limit"));
}
