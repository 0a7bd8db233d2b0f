//! Warm queries over one split, beside the engine itself with the same schema and the same lines: 10 hits with `_source`, counted.
//!
//! `cargo bench -p search-index --bench warm`.

#![allow(missing_docs)]

mod lines;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ledger::FileStore;
use search_index::manifest::Settings;
use search_index::search::search;
use search_index::split::schema::{DOC, ID, SOURCE, TEXT, string_term, word_term};
use search_index::split::{analyzer, schema};
use search_index::write::{DocumentId, Op, Part};
use search_index::{Catalog, Options, Reader};
use search_query::SearchRequest;
use tantivy::aggregation::agg_req::Aggregations;
use tantivy::aggregation::{AggContextParams, AggregationCollector};
use tantivy::collector::{Count, TopDocs};
use tantivy::directory::RamDirectory;
use tantivy::query::{BooleanQuery, PhraseQuery, Query, TermQuery};
use tantivy::schema::{IndexRecordOption, OwnedValue};
use tantivy::tokenizer::TokenizerManager;
use tantivy::{DateTime, IndexBuilder, Searcher, SingleSegmentIndexWriter, TantivyDocument};

use lines::{line, mapping};

const LINES: u64 = 200_000;

const AGGREGATIONS: &str = r#"{"time":{"date_histogram":{"field":"FIELD@timestamp","fixed_interval":"1m"},
    "aggs":{"levels":{"terms":{"field":"FIELDlevel"}}}}}"#;

async fn index(folder: &std::path::Path) -> Reader {
    let store = Arc::new(FileStore::open(folder).expect("a store"));
    let catalog = Catalog::new(store, Options { cache_bytes: 1 << 30, ..Options::default() });
    catalog.create("logs", Settings::default(), mapping(), 0).await.expect("an index");
    let index = catalog.index("logs").expect("a name");
    let ops = (0..LINES).map(|number| Op::Create { id: DocumentId::Auto, source: line(number) }).collect();
    index.write(&[Part { source: None, ops }], &Settings::default(), 0).await.expect("a commit");
    index.reader().await.expect("a reader")
}

fn engine() -> Searcher {
    let analyzers = TokenizerManager::default();
    analyzers.register("standard", analyzer());
    let index = IndexBuilder::new().schema(schema()).tokenizers(analyzers);
    let mut writer: SingleSegmentIndexWriter =
        index.single_segment_index_writer(RamDirectory::create(), 500_000_000).expect("a writer");
    for number in 0..LINES {
        let source = line(number);
        let value: serde_json::Value = serde_json::from_slice(&source).expect("JSON");
        let text = |name: &str| OwnedValue::Str(value[name].as_str().unwrap_or_default().to_owned());
        let time = DateTime::from_timestamp_millis(value["@timestamp"].as_i64().unwrap_or_default());
        let mut document = TantivyDocument::new();
        document.add_text(ID, format!("{number:032x}"));
        document.add_bytes(SOURCE, &source);
        document.add_object(TEXT, BTreeMap::from([("message".to_owned(), text("message"))]));
        let mut exact: BTreeMap<String, OwnedValue> =
            ["level", "class", "host"].into_iter().map(|name| (name.to_owned(), text(name))).collect();
        exact.insert("@timestamp".to_owned(), OwnedValue::Date(time));
        document.add_object(DOC, exact);
        writer.add_document(document).expect("a document");
    }
    let index = writer.finalize().expect("an index");
    index.reader().expect("a reader").searcher()
}

fn hits(searcher: &Searcher, query: &dyn Query) -> usize {
    let (top, count) = searcher.search(query, &(TopDocs::with_limit(10).order_by_score(), Count)).expect("hits");
    for (_, address) in top {
        black_box(searcher.doc::<TantivyDocument>(address).expect("a document"));
    }
    count
}

fn aggregated(searcher: &Searcher, query: &dyn Query) -> usize {
    let request: Aggregations = serde_json::from_str(&AGGREGATIONS.replace("FIELD", "doc.")).expect("aggregations");
    let collector = AggregationCollector::from_aggs(request, AggContextParams::default());
    let results = searcher.search(query, &collector).expect("aggregations");
    serde_json::to_string(&results).expect("JSON").len()
}

fn warm(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (reader, searcher) = (runtime.block_on(index(folder.path())), engine());
    let basic = |term| -> Box<dyn Query> { Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs)) };
    let word = |word| word_term("message", word);
    let cases: Vec<(&str, String, Box<dyn Query>)> = vec![
        ("term", r#"{"query":{"term":{"level":"WARN"}}}"#.into(), basic(string_term("level", "WARN"))),
        (
            "and",
            r#"{"query":{"match":{"message":{"query":"block terminating","operator":"and"}}}}"#.into(),
            Box::new(BooleanQuery::intersection(vec![basic(word("block")), basic(word("terminating"))])),
        ),
        (
            "phrase",
            r#"{"query":{"match_phrase":{"message":"Receiving block"}}}"#.into(),
            Box::new(PhraseQuery::new(vec![word("receiving"), word("block")])),
        ),
        (
            "date_histogram",
            format!(r#"{{"size":0,"aggs":{}}}"#, AGGREGATIONS.replace("FIELD", "")),
            Box::new(tantivy::query::AllQuery),
        ),
    ];
    for (name, body, query) in cases {
        let body = body.replacen('{', r#"{"track_total_hits":true,"#, 1);
        let request = SearchRequest::parse(body.as_bytes(), &[]).expect("a request");
        let readers = [reader.clone()];
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.bench_function("index", |bencher| {
            bencher.iter(|| black_box(runtime.block_on(search(&readers, &request, 0)).expect("an answer")));
        });
        group.bench_function("engine", |bencher| {
            let run = if name == "date_histogram" { aggregated } else { hits };
            bencher.iter(|| black_box(run(&searcher, &*query)));
        });
        group.finish();
    }
}

criterion_group!(benches, warm);
criterion_main!(benches);
