//! Searches from end to end: documents are written, requests are read as they come over the wire.

mod aggregations;
mod failures;
mod model;
mod queries;
mod sorting;
mod store;
mod trips;

use std::sync::Arc;

use bytes::Bytes;
use search_query::SearchRequest;
use serde_json::{Value, json};

use crate::manifest::Settings;
use crate::mapping::Mapping;
use crate::write::{DocumentId, Op, Part, Taken};
use crate::{Catalog, Error, Options, Reader};

use super::{Answer, search};
use store::Slow;

/// 2026-11-20T12:00:00Z.
const NOW: i64 = 1_795_176_000_000;

/// Indices in a folder of their own.
struct Fixture {
    store: Arc<Slow>,
    catalog: Catalog,
}

impl Fixture {
    fn new() -> Fixture {
        let store = Arc::new(Slow::new());
        let catalog = Catalog::new(store.clone(), Options::default());
        Fixture { store, catalog }
    }

    /// An index with documents `0`, `1`, …; as many in each split.
    async fn index(&self, name: &str, mappings: Value, documents: &[Value], per_split: usize) {
        let settings = Settings { tag_fields: vec!["host".into()], ..Settings::default() };
        let mapping = Mapping::from_json(&mappings).unwrap();
        self.catalog.create(name, settings.clone(), mapping, NOW).await.unwrap();
        for (number, some) in documents.chunks(per_split).enumerate() {
            let op = |(place, document): (usize, &Value)| Op::Index {
                id: DocumentId::Given((number * per_split + place).to_string()),
                source: Bytes::from(document.to_string()),
                if_seq_no: None,
            };
            let ops = some.iter().enumerate().map(op).collect();
            self.write(name, ops).await;
        }
    }

    /// As another process sees it, which has read nothing yet.
    fn forgetful(&self) -> Fixture {
        Fixture { store: self.store.clone(), catalog: Catalog::new(self.store.clone(), Options::default()) }
    }

    async fn write(&self, name: &str, ops: Vec<Op>) {
        let index = self.catalog.index(name).unwrap();
        let taken = index.write(&[Part { source: None, ops }], &Settings::default(), NOW).await.unwrap();
        for taken in taken {
            let Taken::Now(done) = taken else { panic!("{taken:?}") };
            for done in done {
                done.unwrap();
            }
        }
    }

    async fn readers(&self, names: &[&str]) -> Vec<Reader> {
        let mut readers = Vec::new();
        for name in names {
            readers.push(self.catalog.index(name).unwrap().reader().await.unwrap());
        }
        readers
    }

    async fn try_search(&self, names: &[&str], body: Value) -> Result<Answer, Error> {
        let request = SearchRequest::parse(body.to_string().as_bytes(), &[]).unwrap_or_else(|e| panic!("{body}: {e}"));
        search(&self.readers(names).await, &request, NOW).await
    }

    async fn search(&self, names: &[&str], body: Value) -> Answer {
        let answer = self.try_search(names, body.clone()).await.unwrap_or_else(|error| panic!("{body}: {error}"));
        assert!(answer.failures.is_empty(), "{body}: {:?}", answer.failures);
        answer
    }

    /// The ids that a query finds in `logs`, in the order of the index.
    async fn check(&self, query: Value, expected: &[&str]) {
        let answer = self.search(&["logs"], json!({"query": query, "sort": ["_doc"], "size": 1000})).await;
        assert_eq!(ids(&answer), expected, "{query}");
        assert_eq!(answer.total.unwrap().value, expected.len() as u64, "{query}");
        // Scored, and counted without hits, it is the same.
        let scored = self.search(&["logs"], json!({"query": query, "size": 1000})).await;
        let mut found = ids(&scored);
        found.sort_by_key(|id| id.parse::<u64>().unwrap());
        let mut sorted = expected.to_vec();
        sorted.sort_by_key(|id| id.parse::<u64>().unwrap());
        assert_eq!(found, sorted, "{query}");
        let counted = self.search(&["logs"], json!({"query": query, "size": 0, "track_total_hits": true})).await;
        assert_eq!(counted.total.unwrap().value, expected.len() as u64, "{query}");
    }

    async fn check_refused(&self, body: Value, kind: &str, reason: &str) {
        match self.try_search(&["logs"], body.clone()).await {
            Err(Error::Request { kind: found, reason: words }) => {
                assert_eq!(found, kind, "{body}: {words}");
                assert!(words.contains(reason), "{body}: {words}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.id.as_str()).collect()
}
