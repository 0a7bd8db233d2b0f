//! Whatever is written, the answer is a tree or an error.

use search_query::date::DateMath;
use search_query::filter_path::FilterPath;
use search_query::query::Query;
use search_query::query_string::{QueryStringOptions, parse};
use search_query::source_filter::SourceFilter;
use serde_json::{Value, json};

/// Texts of some pieces, the same in every run.
fn texts(pieces: &'static [&'static str], count: u64) -> impl Iterator<Item = String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    (0..count).map(move |_| (0..next(12)).map(|_| pieces[next(pieces.len())]).collect())
}

const SYNTAX: &[&str] = &[
    "a", "é", "AND", "OR", "NOT", " ", " ", "+", "-", "!", "(", ")", ":", "\"", "~", "^", "2", "1.5", "[", "]", "{",
    "}", " TO ", "*", "?", "/", "\\", "\\u0041", ">", "<", "=", "&&", "||", "|",
];

#[test]
fn query_strings() {
    let mut trees = 0;
    for text in texts(SYNTAX, 50_000) {
        match parse(&text, &QueryStringOptions::default()) {
            Ok(_) => trees += 1,
            Err(error) => assert!(error.reason.starts_with(&format!("Failed to parse query [{text}]: ")), "{error}"),
        }
        Query::parse(&json!({"simple_query_string": {"query": text}})).expect("a syntax without errors");
    }
    assert!(trees > 5_000, "{trees}");
}

#[test]
fn date_math() {
    for text in texts(&["now", "||", "+", "-", "/", "1", "99", "d", "M", "y", "w", "x", "é", "2026-01-01"], 20_000) {
        if let Ok((_, math)) = DateMath::split(&text)
            && let Err(error) = math.apply(1_795_132_800_000, true, &jiff::tz::TimeZone::UTC)
        {
            assert!(error.reason.starts_with("date math leaves the calendar"), "{text}: {error}");
        }
    }
}

#[test]
fn documents() {
    let filters =
        [json!(["a"]), json!(["a.b", "c*"]), json!({"excludes": ["a.b"]})].map(|f| SourceFilter::parse(&f).unwrap());
    for text in
        texts(&["{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"c\\\"\"", " ", "1", "null", "\\", "\""], 50_000)
    {
        let document = format!("{{\"a\":{text}}}");
        for filter in &filters {
            let filtered = filter.filter(document.as_bytes());
            if serde_json::from_str::<Value>(&document).is_ok() {
                serde_json::from_slice::<Value>(&filtered).unwrap_or_else(|e| panic!("{document}: {e}"));
            }
        }
    }
}

#[test]
fn paths_of_answers() {
    let answer = json!({"a": [{"b": {"c": 1}}, 2], "c": {"a": {}}});
    for text in texts(&["a", "b", "c", "*", "**", ".", ",", "-", "\\"], 20_000) {
        assert!(FilterPath::parse(&text).apply(answer.clone()).is_object(), "{text}");
    }
}
