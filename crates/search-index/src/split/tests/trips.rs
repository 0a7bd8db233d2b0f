//! Requests and round trips.

use std::sync::LazyLock;

use tantivy::DocAddress;
use tantivy::collector::{Count, DocSetCollector};
use tantivy::query::TermQuery;
use tantivy::schema::IndexRecordOption;

use super::store::Counts;
use super::*;
use crate::split::schema::{TEXT, date_term, id_term, long_term, string_term, word_term};

const LINES: u64 = 50_000;

static BUILT: LazyLock<Built> = LazyLock::new(|| build(0..LINES));

#[tokio::test]
async fn three_trips_to_the_documents() {
    let (store, built) = (Counting::new(), BUILT.clone());
    let reader = open(&store, "a", &built).await;
    let opened = store.take();
    assert_eq!((opened.trips, opened.gets), (1, 1));
    assert_eq!(opened.bytes as u64, built.meta.hot.end - built.meta.hot.start);

    let one = line(12_345);
    let word = word_term("message", one.message.split(' ').find(|word| word.starts_with("blk_")).unwrap());
    let terms =
        [word.clone(), string_term("level", "ERROR"), word_term("message", "block"), word_term("message", "none")];
    reader.prefetch(&wanted(&terms, &["@timestamp", "node.host", "no.such"])).await.unwrap();
    assert_eq!(store.take().trips, 1);
    let query = TermQuery::new(word, IndexRecordOption::WithFreqsAndPositions);
    assert_eq!(reader.searcher(None).unwrap().search(&query, &Count).unwrap(), 1);

    assert_eq!(reader.documents(&[12_345, 7, 19_000]).await.unwrap()[0], one.stored());
    assert_eq!(store.take().trips, 1);
    // What was read is not read again.
    reader.prefetch(&wanted(&terms, &["@timestamp"])).await.unwrap();
    reader.documents(&[12_345]).await.unwrap();
    assert_eq!(store.take().trips, 0);
}

#[tokio::test]
async fn a_term_and_its_postings_come_together() {
    let store = Counting::new();
    store.set("a", BUILT.bytes.clone());
    for n in (0..LINES).step_by(1_999) {
        let (one, reader) = (line(n), reopen(&store, "a", &BUILT).await);
        let block = one.message.split(' ').find(|word| word.starts_with("blk_")).unwrap();
        let terms = [
            word_term("message", block),
            word_term("message", "terminating"),
            string_term("node.host", &one.host),
            long_term("size", one.size),
            date_term("@timestamp", one.time),
            id_term(&one.id),
        ];
        store.take();
        reader.prefetch(&wanted(&terms, &[])).await.unwrap();
        assert_eq!(store.take().trips, 1, "{n}");
        let searcher = reader.searcher(None).unwrap();
        for (position, term) in terms.iter().enumerate().filter(|(position, _)| *position != 1) {
            let query = TermQuery::new(term.clone(), IndexRecordOption::WithFreqsAndPositions);
            let docs = searcher.search(&query, &DocSetCollector).unwrap();
            assert!(docs.contains(&DocAddress::new(0, n as u32)), "{position} of {n}");
        }
    }
}

#[tokio::test]
async fn a_rare_term_reads_little() {
    let (store, built) = (Counting::new(), BUILT.clone());
    let reader = open(&store, "a", &built).await;
    let one = line(33_333);
    reader.prefetch(&wanted(&[string_term("node.host", &one.host)], &[])).await.unwrap();
    reader.documents(&[33_333]).await.unwrap();
    let read = store.take();
    println!("{read:?} of {} bytes", built.bytes.len());
    assert!(read.bytes * 20 < built.bytes.len(), "{read:?}");
}

#[tokio::test]
async fn the_cache_spares_another_reader_all_trips() {
    let (store, built, cache) = (Counting::new(), BUILT.clone(), Cache::new(64 << 20, 64));
    store.set("a", built.bytes.clone());
    let terms = [string_term("level", "ERROR")];
    for trips in [6, 0] {
        let reader = SplitReader::open(store.clone(), cache.clone(), "a", &built.meta).await.unwrap();
        reader.prefetch(&wanted(&terms, &["size"])).await.unwrap();
        reader.documents(&[1, 10_000]).await.unwrap();
        reader.find(&[&line(5).id], None).await.unwrap();
        reader.rows().await.unwrap();
        assert!(store.take().trips <= trips);
    }
    // A cache too small for anything is no obstacle: the reader holds what it needs.
    let reader = SplitReader::open(store.clone(), Cache::new(0, 1), "a", &built.meta).await.unwrap();
    reader.prefetch(&wanted(&terms, &["size"])).await.unwrap();
    let query = TermQuery::new(terms[0].clone(), IndexRecordOption::Basic);
    assert!(reader.searcher(None).unwrap().search(&query, &Count).unwrap() > 0);
}

#[tokio::test]
async fn a_small_split_is_read_whole() {
    let (store, built) = (Counting::new(), build(0..100));
    let reader = open(&store, "a", &built).await;
    reader.prefetch(&wanted(&[string_term("level", "ERROR")], &["size"])).await.unwrap();
    assert_eq!(reader.documents(&[99]).await.unwrap(), [line(99).stored()]);
    assert_eq!(reader.find(&[&line(3).id], None).await.unwrap(), [Some(3)]);
    assert_eq!(reader.rows().await.unwrap().documents(), 100);
    assert_eq!(store.take(), Counts { trips: 1, gets: 1, bytes: built.bytes.len() });
}

#[tokio::test]
async fn an_id_takes_two_trips() {
    let (store, built) = (Counting::new(), BUILT.clone());
    let reader = open(&store, "a", &built).await;
    store.take();
    let ids: Vec<String> = (0..50).map(|n| line(n * 399).id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let expected: Vec<_> = (0..50).map(|n| Some(n * 399)).collect();
    assert_eq!(reader.find(&ids, None).await.unwrap(), expected);
    assert_eq!(store.take().trips, 2);
    assert_eq!(reader.find(&["no such", "nor this"], None).await.unwrap(), [None, None]);
    assert_eq!(store.take().trips, 0);
    reader.rows().await.unwrap();
    assert!(store.take().trips <= 1);
}

#[tokio::test]
async fn a_pattern_takes_two_trips() {
    let (store, built) = (Counting::new(), BUILT.clone());
    let reader = open(&store, "a", &built).await;
    store.take();
    let from = word_term("message", "blk_12");
    let (from, mut to) = (from.serialized_value_bytes().to_vec(), from.serialized_value_bytes().to_vec());
    *to.last_mut().unwrap() += 1;
    let pattern = Pattern {
        field: TEXT,
        range: from.clone()..to.clone(),
        test: Some(Arc::new(|term: &[u8]| term.ends_with(b"7"))),
        limit: 1_000,
        positions: false,
    };
    reader.prefetch(&Wanted { patterns: vec![pattern], ..Wanted::default() }).await.unwrap();
    assert!(store.take().trips <= 2);
    let searcher = reader.searcher(None).unwrap();
    let inverted = searcher.segment_reader(0).inverted_index(TEXT).unwrap();
    let mut terms = inverted.terms().range().ge(&from).lt(&to).into_stream().unwrap();
    let mut seen = 0;
    while terms.advance() {
        if terms.key().ends_with(b"7") {
            inverted.read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic).unwrap();
            seen += 1;
        }
    }
    let expected = (0..LINES).filter(|&n| {
        let block = format!("{}", mix(n));
        block.starts_with("12") && block.ends_with('7')
    });
    assert_eq!(seen, expected.count());
}

#[tokio::test]
async fn the_hot_part_is_small() {
    let built = &*BUILT;
    let (hot, size) = (built.meta.hot.end - built.meta.hot.start, built.meta.size);
    println!("{size} bytes, of which {hot} hot ({:.2} %)", hot as f64 / size as f64 * 100.0);
    assert!(size > 4_000_000);
    assert!(hot * 100 < size, "{hot} of {size}");
}
