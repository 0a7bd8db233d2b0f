//! What goes in comes out.

use std::collections::BTreeSet;

use tantivy::collector::{Count, DocSetCollector};
use tantivy::query::{AllQuery, PhraseQuery, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocAddress, Term};

use super::*;
use crate::split::schema::{bool_term, date_term, double_term, long_term, name_term, string_term, word_term};

const LINES: u64 = 3_000;

/// The documents that a term finds.
async fn found(reader: &SplitReader, term: Term, deleted: Option<&Deleted>) -> BTreeSet<u32> {
    reader.prefetch(&wanted(std::slice::from_ref(&term), &[])).await.unwrap();
    let query = TermQuery::new(term, IndexRecordOption::Basic);
    let docs = reader.searcher(deleted).unwrap().search(&query, &DocSetCollector).unwrap();
    docs.into_iter().map(|address| address.doc_id).collect()
}

fn expected(matches: impl Fn(&Line) -> bool) -> BTreeSet<u32> {
    (0..LINES).filter(|&n| matches(&line(n))).map(|n| n as u32).collect()
}

#[tokio::test]
async fn terms_of_every_type() {
    let (store, built) = (Counting::new(), build(0..LINES));
    let reader = open(&store, "a", &built).await;
    let one = line(700);
    for (term, docs) in [
        (word_term("message", "terminating"), expected(|line| line.message.contains("terminating"))),
        (word_term("message", "absent"), expected(|_| false)),
        (word_term("node.host", &one.host), expected(|line| line.host == one.host)),
        (string_term("node.host", &one.host), expected(|line| line.host == one.host)),
        (string_term("level", "ERROR"), expected(|line| line.level == "ERROR")),
        (long_term("size", one.size), expected(|line| line.size == one.size)),
        (date_term("@timestamp", one.time), expected(|line| line.time / 1_000 == one.time / 1_000)),
        (name_term("message"), expected(|_| true)),
        (name_term("level"), expected(|_| false)),
    ] {
        assert_eq!(found(&reader, term.clone(), None).await, docs, "{term:?}");
    }
}

#[tokio::test]
async fn values_of_every_type() {
    let mut builder = Builder::new(&BuildOptions::default()).unwrap();
    let values = [
        ("tags", FieldValue::Keyword("b")),
        ("tags", FieldValue::Keyword("a")),
        ("text", FieldValue::Text("first value")),
        ("text", FieldValue::Text("second value")),
        ("ratio", FieldValue::Double(2.0)),
        ("ratio", FieldValue::Double(f64::NAN)),
        ("ok", FieldValue::Bool(true)),
        ("at", FieldValue::Date(1_999)),
        ("at", FieldValue::Date(-5)),
    ];
    builder
        .add(&Document { id: "1", source: b"{}", values: &values, names: &[] }, Row { seq_no: 0, version: 1 })
        .unwrap();
    let none = Document { id: "2", source: b"", values: &[], names: &[] };
    builder.add(&none, Row { seq_no: 1, version: 1 }).unwrap();
    let built = builder.finish().unwrap();
    assert_eq!(built.meta.times, [("at".to_owned(), (-5, 1_999))].into());

    let reader = open(&Counting::new(), "a", &built).await;
    let first = BTreeSet::from([0]);
    for term in [
        string_term("tags", "a"),
        string_term("tags", "b"),
        double_term("ratio", 2.0),
        bool_term("ok", true),
        date_term("at", 1_000),
        date_term("at", -5),
        word_term("text", "second"),
    ] {
        assert_eq!(found(&reader, term.clone(), None).await, first, "{term:?}");
    }
    let words = |words: [&str; 2]| words.map(|word| word_term("text", word));
    for (phrase, hits) in [(words(["second", "value"]), 1), (words(["value", "second"]), 0)] {
        reader.prefetch(&wanted(&phrase, &[])).await.unwrap();
        let query = PhraseQuery::new(phrase.to_vec());
        assert_eq!(reader.searcher(None).unwrap().search(&query, &Count).unwrap(), hits);
    }

    reader.prefetch(&wanted(&[], &["at", "ratio", "tags"])).await.unwrap();
    let searcher = reader.searcher(None).unwrap();
    let columns = searcher.segment_reader(0).fast_fields();
    let at = columns.date(&schema::column("at")).unwrap();
    let mut millis: Vec<_> = at.values_for_doc(0).map(|at| at.into_timestamp_millis()).collect();
    millis.sort_unstable();
    assert_eq!(millis, [-5, 1_999]);
    assert_eq!(columns.f64(&schema::column("ratio")).unwrap().values_for_doc(0).collect::<Vec<_>>(), [2.0]);
    assert_eq!(columns.str(&schema::column("tags")).unwrap().unwrap().num_terms(), 2);
}

#[tokio::test]
async fn deleted_documents_are_not_found() {
    let (store, built) = (Counting::new(), build(0..LINES));
    let reader = open(&store, "a", &built).await;
    let gone = deleted((0..LINES as u32).filter(|doc| doc % 3 == 1));
    let docs = found(&reader, string_term("level", "WARN"), Some(&gone)).await;
    let left: BTreeSet<u32> = expected(|line| line.level == "WARN").into_iter().filter(|doc| doc % 3 != 1).collect();
    assert_eq!(docs, left);
    let searcher = reader.searcher(Some(&gone)).unwrap();
    assert_eq!(searcher.num_docs(), LINES - 1_000);
    assert_eq!(searcher.search(&AllQuery, &Count).unwrap() as u64, LINES - 1_000);
    let all = deleted(0..LINES as u32 + 10);
    assert_eq!(reader.searcher(Some(&all)).unwrap().search(&AllQuery, &Count).unwrap(), 0);
}

#[tokio::test]
async fn documents_ids_and_rows() {
    let (store, built) = (Counting::new(), build(0..LINES));
    let reader = open(&store, "a", &built).await;
    let docs = [2_999, 0, 17, 17, 1_500];
    let stored = reader.documents(&docs).await.unwrap();
    assert_eq!(stored, docs.map(|doc| line(doc.into()).stored()));
    assert!(matches!(reader.documents(&[3_000]).await, Err(crate::Error::Engine(_))));

    let ids: Vec<String> =
        docs.iter().map(|&doc| line(doc.into()).id).chain(["x".to_owned(), "y".to_owned()]).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = reader.find(&ids, None).await.unwrap();
    assert_eq!(found, [Some(2_999), Some(0), Some(17), Some(17), Some(1_500), None, None]);
    let found = reader.find(&ids, Some(&deleted([17, 0]))).await.unwrap();
    assert_eq!(found, [Some(2_999), None, None, None, Some(1_500), None, None]);

    let rows = reader.rows().await.unwrap();
    assert_eq!(rows.documents(), LINES as u32);
    assert_eq!(rows.row(13), Some(Row { seq_no: 26, version: 2 }));
    assert_eq!(rows.docs(20..25), 10..13);
}

#[tokio::test]
async fn of_two_with_one_id_the_last_that_is_left() {
    let mut builder = Builder::new(&BuildOptions::default()).unwrap();
    for seq_no in 0..3 {
        let document = Document { id: "same", source: b"{}", values: &[], names: &[] };
        builder.add(&document, Row { seq_no, version: seq_no + 1 }).unwrap();
    }
    let again = Document { id: "same", source: b"{}", values: &[], names: &[] };
    assert!(builder.add(&again, Row { seq_no: 2, version: 1 }).is_err());
    let reader = open(&Counting::new(), "a", &builder.finish().unwrap()).await;
    assert_eq!(reader.find(&["same"], None).await.unwrap(), [Some(2)]);
    assert_eq!(reader.find(&["same"], Some(&deleted([2]))).await.unwrap(), [Some(1)]);
    assert_eq!(reader.find(&["same"], Some(&deleted([0, 1, 2]))).await.unwrap(), [None]);
}

#[tokio::test]
async fn what_the_manifest_keeps() {
    let meta = build(0..LINES).meta;
    assert_eq!(meta.documents, LINES as u32);
    assert_eq!(meta.source_bytes, (0..LINES).map(|n| line(n).source.len() as u64).sum::<u64>());
    assert_eq!(meta.times["@timestamp"], (line(0).time, line(LINES - 1).time));
    assert_eq!(meta.tags["level"], ["ERROR", "INFO", "WARN"].map(str::to_owned).into());
    assert_eq!(meta.tags["absent"], BTreeSet::new());
    assert!(!meta.tags.contains_key("node.host"));
    assert_eq!(meta.hot.end, meta.size);
}

#[tokio::test]
async fn what_was_not_prefetched_is_an_error() {
    let (store, built) = (Counting::new(), build(0..LINES));
    let reader = open(&store, "a", &built).await;
    let searcher = reader.searcher(None).unwrap();
    let query = TermQuery::new(string_term("level", "WARN"), IndexRecordOption::Basic);
    let error = searcher.search(&query, &Count).unwrap_err().to_string();
    assert!(error.contains("were not prefetched"), "{error}");
    assert!(searcher.doc::<tantivy::TantivyDocument>(DocAddress::new(0, 1)).is_err());
}

#[tokio::test]
async fn no_documents() {
    let built = Builder::new(&options()).unwrap().finish().unwrap();
    assert_eq!(built.meta.documents, 0);
    let reader = open(&Counting::new(), "a", &built).await;
    assert_eq!(found(&reader, string_term("level", "WARN"), None).await, BTreeSet::new());
    assert_eq!(reader.find(&["1"], None).await.unwrap(), [None]);
    assert_eq!(reader.rows().await.unwrap().row(0), None);
    assert!(reader.documents(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_too_long() {
    let (long, just) = ("é".repeat(40_000), "x".repeat(schema::MAX_TERM));
    let mut builder = Builder::new(&BuildOptions { tag_fields: vec!["a".to_owned(), "b".to_owned()] }).unwrap();
    let values = [
        ("a", FieldValue::TextAndKeyword(&long)),
        ("b", FieldValue::Keyword("short")),
        ("c", FieldValue::Keyword(&just)),
    ];
    let document = Document { id: "1", source: long.as_bytes(), values: &values, names: &[] };
    builder.add(&document, Row { seq_no: 0, version: 1 }).unwrap();
    assert!(builder.add(&Document { id: &long, ..document }, Row { seq_no: 1, version: 1 }).is_err());
    let built = builder.finish().unwrap();
    assert_eq!(built.meta.tags, [("b".to_owned(), ["short".to_owned()].into())].into());

    let reader = open(&Counting::new(), "a", &built).await;
    assert_eq!(reader.documents(&[0]).await.unwrap()[0].source, long.as_bytes());
    assert_eq!(found(&reader, word_term("a", &"é".repeat(255)), None).await, BTreeSet::from([0]));
    assert_eq!(found(&reader, string_term("c", &just), None).await, BTreeSet::from([0]));
    reader.prefetch(&wanted(&[], &["a", "c"])).await.unwrap();
    let searcher = reader.searcher(None).unwrap();
    let columns = searcher.segment_reader(0).fast_fields();
    assert!(columns.str(&schema::column("a")).unwrap().is_none());
    assert!(columns.str(&schema::column("c")).unwrap().is_some());
}

#[tokio::test]
async fn names_that_cannot_be() {
    let mut builder = Builder::new(&BuildOptions::default()).unwrap();
    let names = ["a\0", "a\0b", "\u{1}", "a.\u{1}b", "", ".", "a..b", "a.b", "ü"];
    let values = names.map(|name| (name, FieldValue::TextAndKeyword("x")));
    builder
        .add(&Document { id: "1", source: b"{}", values: &values, names: &names }, Row { seq_no: 0, version: 1 })
        .unwrap();
    let reader = open(&Counting::new(), "a", &builder.finish().unwrap()).await;
    for name in ["a.b", "ü"] {
        assert_eq!(found(&reader, string_term(name, "x"), None).await, BTreeSet::from([0]));
        reader.prefetch(&wanted(&[], &[name])).await.unwrap();
        let searcher = reader.searcher(None).unwrap();
        assert!(searcher.segment_reader(0).fast_fields().str(&schema::column(name)).unwrap().is_some());
    }
    for name in names {
        reader.prefetch(&wanted(&[string_term(name, "x")], &[name])).await.unwrap();
    }
}

#[tokio::test]
async fn moments_beyond_reach() {
    let mut builder = Builder::new(&BuildOptions::default()).unwrap();
    for (n, millis) in [253_402_300_799_999, i64::MAX, i64::MIN, 0].into_iter().enumerate() {
        let values = [("at", FieldValue::Date(millis))];
        let row = Row { seq_no: n as u64, version: 1 };
        builder.add(&Document { id: &n.to_string(), source: b"{}", values: &values, names: &[] }, row).unwrap();
    }
    let built = builder.finish().unwrap();
    assert_eq!(built.meta.times["at"], (i64::MIN, i64::MAX));
    let reader = open(&Counting::new(), "a", &built).await;
    assert_eq!(found(&reader, date_term("at", i64::MAX), None).await, BTreeSet::from([0, 1]));
    assert_eq!(found(&reader, date_term("at", i64::MIN), None).await, BTreeSet::from([2]));
}

#[test]
fn may_go_to_other_threads() {
    fn send<T: Send>(_: impl Fn(&'static SplitReader) -> T) {}
    fn sync<T: Send + Sync>() {}
    sync::<SplitReader>();
    sync::<Cache>();
    fn builder<T: Send>() {}
    builder::<Builder>();
    send(|reader| {
        reader.prefetch(const { &Wanted { terms: BTreeMap::new(), patterns: Vec::new(), columns: BTreeSet::new() } })
    });
    send(|reader| reader.find(&["a"], None));
    send(|reader| reader.documents(&[1]));
    send(|_| merge(&[], const { &BuildOptions { tag_fields: Vec::new() } }));
}
