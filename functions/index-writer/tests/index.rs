//! The handler over indexes on a file store.

mod support;

use std::sync::Arc;

use index_writer::indexes::Catalogued;
use ledger::FileStore;
use search_index::mapping::FieldType;
use search_index::{Catalog, Options};
use serde_json::{Value, json};
use support::*;

const AT: &str = "2026-11-20T16:36:01.000Z";
const AT_MS: i64 = 1_795_192_561_000;
const LOGS: &str = "logs/log-ingestion-stream/2026/11/20/16/a.gz";

fn line(day: u32, id: &str, bytes: impl Into<Value>) -> String {
    json!({"datetime": format!("{day}/Nov/2026:10:00:00 +0000"), "response": "404", "bytes": bytes.into(),
        "@ingested": AT_MS, "line_id": id})
    .to_string()
}

async fn documents(catalog: &Catalog, index: &str, ids: &[&str]) -> Vec<Option<Value>> {
    let reader = catalog.index(index).unwrap().reader().await.unwrap();
    let found = reader.get(ids).await.unwrap();
    found.into_iter().map(|found| Some(serde_json::from_slice(&found?.stored.source).unwrap())).collect()
}

async fn count(catalog: &Catalog, index: &str) -> u64 {
    let state = catalog.index(index).unwrap().reader().await.unwrap().state;
    state.splits.iter().map(|split| u64::from(split.meta.documents - split.deleted)).sum()
}

#[tokio::test]
async fn lines_are_found_once() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::new(Arc::new(FileStore::open(folder.path()).unwrap()), Options::default());
    let lake = MemoryLake::default();
    let lines =
        [line(19, "a", "5316"), line(20, "b", "12"), line(20, "c", "many"), line(20, "b", "13"), "x".to_owned()];
    lake.add(LOGS, gzip(&lines.join("\n")), AT_MS);
    let inbox = "inbox/request_data/2026/11/20/16/s.json";
    lake.add(
        inbox,
        "{\"_id\":\"w\",\"DATETIME\":\"2026-11-20 16:36:00.000\",\"STATUS\":404,\"STATUSCOUNT\":2}\n{\"STATUS\":200}\n",
        AT_MS,
    );
    let context = context(lake, Catalogued::new(catalog.clone()));
    for id in ["1", "2"] {
        let messages = [message(id, LOGS, AT, None), message("i", inbox, AT, None)];
        assert_eq!(send(&context, &messages).await, [""; 0]);
        let indexes = catalog.resolve(&["*"]).await.unwrap();
        assert_eq!(indexes, ["access-log-2026.11.19", "access-log-2026.11.20", "request_data"]);
        let [b, c] = &documents(&catalog, "access-log-2026.11.20", &["b", "c"]).await[..] else { panic!() };
        assert_eq!(b.as_ref().unwrap()["bytes"], "13", "the later line with the id");
        assert_eq!(*c, None, "bytes is a number");
        assert_eq!(count(&catalog, "access-log-2026.11.20").await, 1);
        assert_eq!(count(&catalog, "request_data").await, 2);
        let [w] = &documents(&catalog, "request_data", &["w"]).await[..] else { panic!() };
        assert_eq!(w.as_ref().unwrap()["STATUSCOUNT"], 2);
        let failures = context.lake.only_failures();
        let told: Vec<_> =
            failures.iter().map(|f| (f["line"].as_u64().unwrap(), f["type"].as_str().unwrap())).collect();
        assert_eq!(told, [(3, "document_parsing_exception"), (5, "document_parsing_exception")]);
        // The second time what was refused is told from the mapping alone.
        context.lake.objects.borrow_mut().retain(|key, _| !key.starts_with("failed/"));
    }
    let mapping = catalog.index("access-log-2026.11.20").unwrap().reader().await.unwrap().state.mapping.clone();
    assert!(matches!(mapping.fields["datetime"], FieldType::Date { .. }));
    assert!(matches!(mapping.fields["@ingested"], FieldType::Date { .. }));
    assert!(matches!(mapping.fields["bytes"], FieldType::Long { .. }));
    assert!(matches!(mapping.fields["response"], FieldType::Text { keyword: Some(_) }));
}

#[tokio::test]
async fn a_document_of_two_megabytes_is_kept_whole() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = Catalog::new(Arc::new(FileStore::open(folder.path()).unwrap()), Options::default());
    let lake = MemoryLake::default();
    let text = "words and more of them ".repeat(100_000);
    lake.add("inbox/things/x.gz", gzip(&json!({"_id": "large", "text": text}).to_string()), AT_MS);
    let context = context(lake, Catalogued::new(catalog.clone()));
    assert_eq!(send(&context, &[message("1", "inbox/things/x.gz", AT, None)]).await, [""; 0]);
    assert_eq!(context.lake.failures().len(), 0);
    assert_eq!(documents(&catalog, "things", &["large"]).await[0].as_ref().unwrap()["text"], text);
}
