//! Objects that are not what was written.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use search_index::janitor::GRACE;
use search_index::search::search;
use search_index::write::{DocumentId, Op, Part};
use search_index::{Catalog, Error, Options};
use search_query::SearchRequest;

use super::clock::BEGIN;
use super::faults::head;
use super::memory::Memory;

/// Four commits, read by one who has cached nothing.
async fn written(store: &Arc<Memory>) -> Catalog {
    let index = Catalog::new(store.clone(), Options::default()).index("logs").unwrap();
    for n in 0..4 {
        let source = Bytes::from(format!("{{\"n\":{n}}}"));
        let ops = vec![Op::Index { id: DocumentId::Given(n.to_string()), source, if_seq_no: None }];
        index.write(&[Part { source: None, ops }], &Default::default(), BEGIN).await.unwrap();
    }
    Catalog::new(store.clone(), Options::default())
}

#[tokio::test]
async fn a_damaged_split_is_named_and_the_others_answer() {
    let store = Arc::new(Memory::default());
    let catalog = written(&store).await;
    let readers = catalog.readers(&["logs"]).await.unwrap();
    let damaged = readers[0].state.splits[1].key.clone();
    store.spoil(&damaged);
    for query in [r#"{"match_all":{}}"#, r#"{"range":{"n":{"gte":0}}}"#] {
        let body = format!(r#"{{"query":{query},"sort":["_seq_no"]}}"#);
        let request = SearchRequest::parse(body.as_bytes(), &[]).unwrap();
        let answer = search(&readers, &request, BEGIN).await.unwrap();
        let objects: Vec<&str> = answer.failures.iter().map(|failure| failure.object.as_str()).collect();
        let ids: Vec<&str> = answer.hits.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!((objects, ids), (vec![damaged.as_str()], vec!["0", "2", "3"]), "{query}");
    }
    let error = readers[0].get(&["1"]).await.unwrap_err();
    assert!(matches!(&error, Error::Corrupt { key, .. } if *key == damaged), "{error}");
}

#[tokio::test]
async fn a_damaged_snapshot_is_named() {
    let store = Arc::new(Memory::default());
    let index = written(&store).await.index("logs").unwrap();
    index.tidy(BEGIN + GRACE, Duration::MAX, || Duration::ZERO).await.unwrap();
    let state = head(&ledger::ObjectStore::get(&*store, "heads/logs").await.unwrap().body);
    let snapshot = state["snapshot"].as_str().unwrap();
    store.spoil(snapshot);
    let fresh = Catalog::new(store.clone(), Options::default());
    let error = fresh.index("logs").unwrap().reader().await.map(|reader| reader.name).unwrap_err();
    assert!(matches!(&error, Error::Corrupt { key, .. } if key == snapshot), "{error}");
}
