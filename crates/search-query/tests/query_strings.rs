//! `query_string` and `simple_query_string`: what Lucene makes of the same texts.

mod show;

use search_query::query::{Operator, Query};
use search_query::query_string::{MAX_GROUP_DEPTH, QueryStringOptions, parse};
use serde_json::json;
use show::show;

fn check(text: &str, expected: &str) {
    with(&QueryStringOptions::default(), text, expected);
}

fn with(options: &QueryStringOptions, text: &str, expected: &str) {
    let query = parse(text, options).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(show(&query), expected, "{text}");
}

#[test]
fn leaves() {
    check("error", r#"[]:"error""#);
    check("", "none");
    check("  ", "none");
    check("response:404", r#"response:"404""#);
    check("http.url:\"GET /a\"", "http.url:phrase(GET /a)");
    check("\"a b\"", r#"[]:"a b" phrase"#);
    check("\"a b\"~2", "*:phrase(a b)~2");
    check("f:\"a b\"~2^3", "f:phrase(a b)~2^3");
    check("f:a*", "f:prefix(a)");
    check("a*", "*:prefix(a)");
    check("f:a*b?", "f:wild(a*b?)");
    check("f:*b", "f:wild(*b)");
    check("f:a?", "f:wild(a?)");
    check(r"f:a\*b*", "f:prefix(a*b)");
    check(r"f:a\*b*c", r"f:wild(a\*b*c)");
    check("f:/joh?n(ath[oa]n)/", "f:/joh?n(ath[oa]n)/");
    check(r"f:/a\/b/", "f:/a/b/");
    check("f:roam~", "f:roam~");
    check("f:roam~1", "f:roam~1");
    check("f:roam~0.5", "f:roam~2");
    check("roam~", "*:roam~");
    check("f:a^2", r#"f:"a"^2"#);
    check("f:roam~1^2.5", "f:roam~1^2.5");
    check("*", "*:*");
    check("*:*", "*:*");
    check("f:*", "f:*");
    check("_exists_:f", "f:*");
    check("_exists_:\"a.b\"", "a.b:*");
    check(r"book.\*:x", r#"[book.*]:"x""#);
    check(r"f:a\:b\ c", r#"f:"a:b c""#);
    check(r"\(1\+1\)\=2", r#"[]:"(1+1)=2""#);
    check(r"f:\u0041b", r#"f:"Ab""#);
    check("f:2026-11-20", r#"f:"2026-11-20""#);
    check("f:a&b", r#"f:"a&b""#);
}

#[test]
fn ranges() {
    check("f:[1 TO 5]", r#"f:["1" "5"]"#);
    check("f:{1 TO 5}", r#"f:{"1" "5"}"#);
    check("f:[1 TO 5}", r#"f:["1" "5"}"#);
    check("f:[10 TO *]", r#"f:["10" *]"#);
    check("f:{* TO 2026-01-01}", r#"f:[* "2026-01-01"}"#);
    check("t:[now-1h/d TO \"2026-11-20 10:00\"]", r#"t:["now-1h/d" "2026-11-20 10:00"]"#);
    check("t:[2026-11-20T10:00:00Z TO now]^2", r#"t:["2026-11-20T10:00:00Z" "now"]^2"#);
    check("f:>10", r#"f:{"10" *]"#);
    check("f:>=10", r#"f:["10" *]"#);
    check("f:<10", r#"f:[* "10"}"#);
    check("f:(>=10 AND <20)", r#"(+f:["10" *] +f:[* "20"})"#);
    check(r"f:>\-1", r#"f:{"-1" *]"#);
    check("[a TO b]", r#"*:["a" "b"]"#);
}

#[test]
fn operators() {
    // Words that nothing separates are one text.
    check("quick brown fox", r#"[]:"quick brown fox""#);
    check("f:quick brown", r#"(f:"quick" []:"brown")"#);
    check("f:(quick brown)", r#"f:"quick brown""#);
    check("a b f:c", r#"([]:"a b" f:"c")"#);
    check("a b AND c", r#"(+[]:"b" +[]:"c" []:"a")"#);
    check("a AND b", r#"(+[]:"a" +[]:"b")"#);
    check("a && b || c", r#"(+[]:"a" +[]:"b" []:"c")"#);
    check("a OR b AND c", r#"(+[]:"b" +[]:"c" []:"a")"#);
    check("a NOT b", r#"([]:"a" -[]:"b")"#);
    check("a AND NOT b", r#"(+[]:"a" -[]:"b")"#);
    check("a AND !b", r#"(+[]:"a" -[]:"b")"#);
    check("NOT a", r#"(-[]:"a")"#);
    check("-a", r#"(-[]:"a")"#);
    check("+a -b c", r#"(+[]:"a" []:"c" -[]:"b")"#);
    check("(a OR b) AND c", r#"(+([]:"a" []:"b") +[]:"c")"#);
    check("(a OR b)^2 c", r#"(([]:"a" []:"b")^2 []:"c")"#);
    check("f:(a OR \"b c\" OR g:d)", r#"(f:"a" f:phrase(b c) g:"d")"#);
    check("a - b", r#"([]:"a" []:"b")"#);
    check(
        r"status:[400 TO 499] AND (path:\/api* OR path:\/web*)",
        r#"(+status:["400" "499"] +(path:prefix(/api) path:prefix(/web)))"#,
    );
}

#[test]
fn and_by_default() {
    let and = QueryStringOptions { operator: Operator::And, ..QueryStringOptions::default() };
    with(&and, "a b", r#"[]:"a b" and"#);
    with(&and, "f:a b", r#"(+f:"a" and +[]:"b" and)"#);
    with(&and, "f:a OR g:b", r#"(f:"a" and g:"b" and)"#);
    with(&and, "f:a OR g:b h:c", r#"(+h:"c" and f:"a" and g:"b" and)"#);
    with(&and, "f:a NOT g:b", r#"(+f:"a" and -g:"b" and)"#);
}

#[test]
fn fields() {
    let one = QueryStringOptions { fields: vec![("f".into(), 1.0)], ..QueryStringOptions::default() };
    with(&one, "a", r#"f:"a""#);
    with(&one, "\"a b\"", "f:phrase(a b)");
    with(&one, "a* *", "(f:prefix(a) f:*)");
    with(&one, "g:a", r#"g:"a""#);
    let two =
        QueryStringOptions { fields: vec![("f".into(), 2.0), ("g".into(), 1.0)], ..QueryStringOptions::default() };
    with(&two, "a", r#"[f^2,g]:"a""#);
    with(&two, "a*", "(f:prefix(a)^2 g:prefix(a))");
    with(&two, "\"a b\"~1", "(f:phrase(a b)~1^2 g:phrase(a b)~1)");
    let sloppy = QueryStringOptions { phrase_slop: 1, ..QueryStringOptions::default() };
    with(&sloppy, "f:\"a b\"", "f:phrase(a b)~1");
}

#[test]
fn patterns_of_fields() {
    for (text, pattern, over) in [
        ("err*", Some("*"), "f:prefix(err)"),
        (r"http.\*:/a/", Some("http.*"), "f:/a/"),
        ("[1 TO 2]", Some("*"), r#"f:["1" "2"]"#),
        ("roam~1", Some("*"), "f:roam~1"),
        (r"_exists_:a.\*", Some("a.*"), "f:*"),
        ("g:a*", None, "f:prefix(a)"),
        ("a", None, r#"[]:"a""#),
    ] {
        let Query::QueryString(query) = parse(text, &QueryStringOptions::default()).unwrap() else { panic!("{text}") };
        assert_eq!((query.pattern(), show(&query.over("f")).as_str()), (pattern, over), "{text}");
    }
}

#[test]
fn refused() {
    for (text, what) in [
        ("f:", r#"encountered "<EOF>" at line 1, column 2"#),
        ("a AND", r#"encountered "<EOF>" at line 1, column 5"#),
        ("AND a", r#"encountered "AND" at line 1, column 0"#),
        ("a OR OR b", r#"encountered "OR" at line 1, column 5"#),
        ("(a", r#"encountered "<EOF>" at line 1, column 2"#),
        ("a)", r#"encountered ")" at line 1, column 1"#),
        ("()", r#"encountered ")" at line 1, column 1"#),
        ("a:b:c", r#"encountered ":" at line 1, column 3"#),
        ("é \"a b", "encountered a phrase that does not end at line 1, column 2"),
        ("f:/abc", "encountered a regular expression that does not end at line 1, column 2"),
        ("f:[1 TO 5", "encountered a range that does not end at line 1, column 2"),
        ("f:[1 5]", "encountered a range without TO at line 1, column 2"),
        ("f:[]", "encountered a range without a bound at line 1, column 3"),
        ("a^", "encountered \"^\" without a number at line 1, column 1"),
        ("a^2^3", r#"encountered "^3" at line 1, column 3"#),
        ("a]", r#"encountered "]" at line 1, column 1"#),
        (r"a\", "term can not end with escape character: encountered <EOF> at line 1, column 0"),
        ("t:10:30", r#"encountered ":" at line 1, column 4"#),
    ] {
        let error = parse(text, &QueryStringOptions::default()).expect_err(text);
        assert_eq!(
            (error.kind, error.reason),
            ("query_shard_exception", format!("Failed to parse query [{text}]: {what}."))
        );
    }
    let strict = QueryStringOptions { leading_wildcard: false, ..QueryStringOptions::default() };
    assert!(parse("*a", &strict).unwrap_err().reason.contains("not allowed as first character"));
    let nested = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
    assert!(parse(&nested(MAX_GROUP_DEPTH), &QueryStringOptions::default()).is_ok());
    assert!(parse(&nested(MAX_GROUP_DEPTH + 1), &QueryStringOptions::default()).is_err());
    assert_eq!(
        parse(&"a OR ".repeat(2_000), &QueryStringOptions::default()).unwrap_err().kind,
        "too_many_nested_clauses"
    );
}

#[test]
fn simple() {
    for (text, expected) in [
        ("a b", r#"(f:"a" f:"b")"#),
        ("a + b", r#"(+f:"a" +f:"b")"#),
        ("a + b | c", r#"((+f:"a" +f:"b") f:"c")"#),
        ("a | -b", r#"(f:"a" (-f:"b"))"#),
        ("\"a b\"~2 c~1 d*", r#"(f:phrase(a b)~2 f:c~1 f:prefix(d))"#),
        ("(a | b) + c", r#"(+(f:"a" f:"b") +f:"c")"#),
        (r"a\+b d\*", r#"(f:"a+b" f:"d*")"#),
        ("((a", r#"f:"a""#),
        ("a ) b", r#"(f:"a" f:"b")"#),
        ("\"a", "f:phrase(a)"),
        ("+ | - ( )", "none"),
        ("", "none"),
    ] {
        let query = json!({"simple_query_string": {"query": text, "fields": ["f"]}});
        let query = Query::parse(&query).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(show(&query), expected, "{text}");
    }
}
