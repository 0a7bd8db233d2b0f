//! Random documents and queries against a plain evaluation in memory.

use proptest::prelude::*;

use super::*;

/// What the model keeps of a document.
#[derive(Debug, Clone)]
struct Plain {
    n: Option<i64>,
    k: Option<&'static str>,
    /// Minutes after 2026-11-20.
    at: Option<i64>,
}

const KEYS: [&str; 5] = ["a", "ab", "b", "ba", "c"];
const MIDNIGHT: i64 = 1_795_132_800_000;

#[derive(Debug, Clone)]
enum Asked {
    N(i64),
    NBetween(i64, i64),
    K(&'static str),
    KFrom(&'static str),
    KPrefix(&'static str),
    AtBetween(i64, i64),
    Has(&'static str),
    Not(Box<Asked>),
    Both(Box<Asked>, Box<Asked>),
    Either(Box<Asked>, Box<Asked>),
}

impl Asked {
    fn matches(&self, plain: &Plain) -> bool {
        match self {
            Asked::N(n) => plain.n == Some(*n),
            Asked::NBetween(from, to) => plain.n.is_some_and(|n| *from <= n && n < *to),
            Asked::K(k) => plain.k == Some(*k),
            Asked::KFrom(from) => plain.k.is_some_and(|k| *from <= k),
            Asked::KPrefix(prefix) => plain.k.is_some_and(|k| k.starts_with(prefix)),
            Asked::AtBetween(from, to) => plain.at.is_some_and(|at| *from < at && at <= *to),
            Asked::Has("n") => plain.n.is_some(),
            Asked::Has("k") => plain.k.is_some(),
            Asked::Has(_) => plain.at.is_some(),
            Asked::Not(asked) => !asked.matches(plain),
            Asked::Both(a, b) => a.matches(plain) && b.matches(plain),
            Asked::Either(a, b) => a.matches(plain) || b.matches(plain),
        }
    }

    fn query(&self) -> Value {
        match self {
            Asked::N(n) => json!({"term": {"n": n}}),
            Asked::NBetween(from, to) => json!({"range": {"n": {"gte": from, "lt": to}}}),
            Asked::K(k) => json!({"term": {"k": k}}),
            Asked::KFrom(from) => json!({"range": {"k": {"gte": from}}}),
            Asked::KPrefix(prefix) => json!({"prefix": {"k": prefix}}),
            Asked::AtBetween(from, to) => {
                json!({"range": {"at": {"gt": MIDNIGHT + from * 60_000, "lte": MIDNIGHT + to * 60_000}}})
            }
            Asked::Has(field) => json!({"exists": {"field": field}}),
            Asked::Not(asked) => json!({"bool": {"must_not": [asked.query()]}}),
            Asked::Both(a, b) => json!({"bool": {"must": [a.query()], "filter": [b.query()]}}),
            Asked::Either(a, b) => json!({"bool": {"should": [a.query(), b.query()]}}),
        }
    }
}

fn key() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(KEYS.to_vec())
}

fn plain() -> impl Strategy<Value = Plain> {
    (proptest::option::of(-5..5_i64), proptest::option::of(key()), proptest::option::of(0..200_i64))
        .prop_map(|(n, k, at)| Plain { n, k, at })
}

fn asked() -> impl Strategy<Value = Asked> {
    let leaf = prop_oneof![
        (-6..6_i64).prop_map(Asked::N),
        (-6..6_i64, -6..6_i64).prop_map(|(from, to)| Asked::NBetween(from, to)),
        key().prop_map(Asked::K),
        key().prop_map(Asked::KFrom),
        key().prop_map(Asked::KPrefix),
        (0..200_i64, 0..200_i64).prop_map(|(from, to)| Asked::AtBetween(from, to)),
        proptest::sample::select(vec!["n", "k", "at"]).prop_map(Asked::Has),
    ];
    leaf.prop_recursive(3, 12, 2, |inside| {
        prop_oneof![
            inside.clone().prop_map(|asked| Asked::Not(Box::new(asked))),
            (inside.clone(), inside.clone()).prop_map(|(a, b)| Asked::Both(Box::new(a), Box::new(b))),
            (inside.clone(), inside).prop_map(|(a, b)| Asked::Either(Box::new(a), Box::new(b))),
        ]
    })
}

async fn check(plains: &[Plain], asked: &[Asked], per_split: usize) {
    let f = Fixture::new();
    let mappings = json!({"properties": {"n": {"type": "long"}, "k": {"type": "keyword"}, "at": {"type": "date"}}});
    let document = |plain: &Plain| json!({"n": plain.n, "k": plain.k, "at": plain.at.map(|at| MIDNIGHT + at * 60_000)});
    let documents: Vec<Value> = plains.iter().map(document).collect();
    f.index("logs", mappings, &documents, per_split).await;
    for asked in asked {
        let matching: Vec<(usize, &Plain)> =
            plains.iter().enumerate().filter(|(_, plain)| asked.matches(plain)).collect();
        let mut sorted = matching.clone();
        sorted.sort_by_key(|(id, plain)| (std::cmp::Reverse(plain.n.unwrap_or(i64::MIN)), *id));
        let expected: Vec<String> = sorted.iter().take(7).map(|(id, _)| id.to_string()).collect();
        let body = json!({"query": asked.query(), "sort": [{"n": "desc"}, "_doc"], "size": 7, "track_total_hits": true, "aggs": {
            "k": {"terms": {"field": "k", "order": {"_key": "asc"}}, "aggs": {"n": {"sum": {"field": "n"}}}},
            "at": {"date_histogram": {"field": "at", "fixed_interval": "1h", "min_doc_count": 1}},
        }});
        let answer = f.search(&["logs"], body).await;
        assert_eq!(ids(&answer), expected, "{asked:?}");
        assert_eq!(answer.total.unwrap().value, matching.len() as u64, "{asked:?}");
        let aggregations = answer.aggregations.unwrap();
        let by_key = KEYS.iter().filter_map(|key| {
            let inside: Vec<_> = matching.iter().filter(|(_, plain)| plain.k == Some(*key)).collect();
            let sum = inside.iter().filter_map(|(_, plain)| plain.n).sum::<i64>() as f64;
            (!inside.is_empty()).then(|| json!({"key": key, "doc_count": inside.len(), "n": {"value": sum}}))
        });
        assert_eq!(aggregations["k"]["buckets"], json!(by_key.collect::<Vec<_>>()), "{asked:?}");
        let by_hour = (0..4).filter_map(|hour| {
            let count = matching.iter().filter(|(_, plain)| plain.at.is_some_and(|at| at / 60 == hour)).count();
            (count > 0).then(|| json!([MIDNIGHT + hour * 3_600_000, count]))
        });
        let found = aggregations["at"]["buckets"].as_array().unwrap().iter();
        let found: Vec<Value> = found.map(|bucket| json!([bucket["key"], bucket["doc_count"]])).collect();
        assert_eq!(json!(found), json!(by_hour.collect::<Vec<_>>()), "{asked:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn finds_what_a_plain_look_finds(
        plains in proptest::collection::vec(plain(), 1..40),
        asked in proptest::collection::vec(asked(), 12),
        per_split in 1..20_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&plains, &asked, per_split));
    }
}
