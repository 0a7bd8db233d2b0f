//! Writing and reading back through a store in a folder.

use std::sync::Arc;

use bytes::Bytes;
use ledger::{FileStore, ObjectStore, SourceId};
use search_index::manifest::Settings;
use search_index::mapping::Mapping;
use search_index::write::{DocumentId, Done, Op, Outcome, Part, Refused, Taken};
use search_index::{Catalog, Error, Options};

const NOW: i64 = 1_795_000_000_000;

struct Folder {
    catalog: Catalog,
    store: Arc<dyn ObjectStore>,
    _folder: tempfile::TempDir,
}

fn folder() -> Folder {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> = Arc::new(FileStore::open(folder.path()).unwrap());
    Folder { catalog: Catalog::new(store.clone(), Options::default()), store, _folder: folder }
}

fn index(id: &str, source: &str) -> Op {
    let id = DocumentId::Given(id.to_owned());
    Op::Index { id, source: Bytes::copy_from_slice(source.as_bytes()), if_seq_no: None }
}

fn delete(id: &str) -> Op {
    Op::Delete { id: id.to_owned(), if_seq_no: None }
}

async fn write(catalog: &Catalog, name: &str, ops: Vec<Op>) -> Vec<Result<Done, Refused>> {
    let parts = [Part { source: None, ops }];
    let taken = catalog.index(name).unwrap().write(&parts, &Settings::default(), NOW).await.unwrap();
    match taken.into_iter().next() {
        Some(Taken::Now(results)) => results,
        other => panic!("{other:?}"),
    }
}

async fn get(catalog: &Catalog, name: &str, id: &str) -> Option<(String, u64, u64)> {
    let found = catalog.index(name).unwrap().reader().await.unwrap().get(&[id]).await.unwrap().remove(0)?;
    assert_eq!(found.stored.id, id);
    Some((String::from_utf8(found.stored.source.to_vec()).unwrap(), found.seq_no, found.version))
}

fn outcomes(results: &[Result<Done, Refused>]) -> Vec<Option<Outcome>> {
    results.iter().map(|result| result.as_ref().ok().map(|done| done.outcome)).collect()
}

#[tokio::test]
async fn documents_are_written_replaced_and_deleted() {
    let folder = folder();
    let ops = vec![index("a", r#"{"n":1,"s":"x y"}"#), index("b", r#"{"n":2}"#), index("c", r#"{"n":"no number"}"#)];
    let results = write(&folder.catalog, "logs", ops).await;
    assert_eq!(outcomes(&results), [Some(Outcome::Created), Some(Outcome::Created), None]);
    let refused = results[2].as_ref().unwrap_err();
    assert_eq!((refused.id.as_deref(), refused.status, refused.kind), (Some("c"), 400, "document_parsing_exception"));

    let results = write(&folder.catalog, "logs", vec![index("a", r#"{"n":3}"#), delete("b"), delete("zz")]).await;
    assert_eq!(outcomes(&results), [Some(Outcome::Updated), Some(Outcome::Deleted), Some(Outcome::NotFound)]);
    // Another process sees the same.
    for catalog in [folder.catalog.clone(), Catalog::new(folder.store.clone(), Options::default())] {
        assert_eq!(get(&catalog, "logs", "a").await, Some((r#"{"n":3}"#.to_owned(), 2 << 20, 2)));
        assert_eq!(get(&catalog, "logs", "b").await, None);
        let state = catalog.index("logs").unwrap().reader().await.unwrap().state;
        assert_eq!((state.commit, state.documents(), state.splits.len()), (2, 1, 1));
        assert_eq!(state.mapping.fields.keys().collect::<Vec<_>>(), ["n", "s"]);
    }
    // Replaced within its own batch.
    let ops = vec![index("d", r#"{"n":4}"#), index("d", r#"{"n":5}"#), delete("a")];
    let results = write(&folder.catalog, "logs", ops).await;
    assert_eq!(outcomes(&results), [Some(Outcome::Created), Some(Outcome::Updated), Some(Outcome::Deleted)]);
    let catalog = Catalog::new(folder.store.clone(), Options::default());
    assert_eq!(get(&catalog, "logs", "d").await, Some((r#"{"n":5}"#.to_owned(), (3 << 20) + 1, 2)));
    assert_eq!(get(&catalog, "logs", "a").await, None);
}

#[tokio::test]
async fn a_source_counts_once() {
    let folder = folder();
    let part = |key: &str, count: usize, at: i64| Part {
        source: Some((SourceId::object("lake", key, "etag"), at)),
        ops: (0..count)
            .map(|n| {
                let id = DocumentId::Source(format!("{key}-{n}"));
                Op::Index { id, source: Bytes::from(format!(r#"{{"n":{n}}}"#)), if_seq_no: None }
            })
            .collect(),
    };
    let logs = folder.catalog.index("logs").unwrap();
    let kinds = |taken: Vec<Taken>| -> Vec<String> {
        let kind = |taken: &Taken| match taken {
            Taken::Now(results) => results.iter().filter(|result| result.is_ok()).count().to_string(),
            other => format!("{other:?}"),
        };
        taken.iter().map(kind).collect()
    };
    let defaults = Settings::default();
    let twice = [part("k1", 3, NOW), part("k2", 2, NOW), part("k1", 3, NOW), part("empty", 0, NOW)];
    assert_eq!(kinds(logs.write(&twice, &defaults, NOW).await.unwrap()), ["3", "2", "Before", "0"]);
    let again = [part("k2", 2, NOW), part("k3", 1, NOW), part("empty", 0, NOW)];
    assert_eq!(kinds(logs.write(&again, &defaults, NOW).await.unwrap()), ["Before", "1", "Before"]);
    let old = [part("old", 2, NOW - 20 * 86_400_000)];
    assert_eq!(kinds(logs.write(&old, &defaults, NOW).await.unwrap()), ["Stale"]);
    assert_eq!(logs.reader().await.unwrap().state.documents(), 6);
}

#[tokio::test]
async fn indexes_come_and_go() {
    let folder = folder();
    let catalog = &folder.catalog;
    let create = |name: &'static str| catalog.create(name, Settings::default(), Mapping::default(), NOW);
    for name in ["logs-1", "logs-2", "other"] {
        create(name).await.unwrap();
    }
    assert!(matches!(create("other").await, Err(Error::Exists(name)) if name == "other"));
    assert!(matches!(create("Other").await, Err(Error::InvalidName { .. })));
    write(catalog, "logs-2", vec![index("a", "{}")]).await;
    let check = async |catalog: &Catalog, patterns: &[&str], expected: &[&str]| {
        assert_eq!(catalog.resolve(patterns).await.unwrap(), expected, "{patterns:?}");
    };
    let fresh = Catalog::new(folder.store.clone(), Options::default());
    for catalog in [catalog, &fresh] {
        check(catalog, &["_all"], &["logs-1", "logs-2", "other"]).await;
        check(catalog, &["*", "-logs*"], &["other"]).await;
        check(catalog, &["logs*", "other"], &["logs-1", "logs-2", "other"]).await;
        check(catalog, &["none*"], &[]).await;
        assert!(matches!(catalog.resolve(&["none"]).await, Err(Error::NoSuchIndex(name)) if name == "none"));
    }
    catalog.delete("logs-2", NOW).await.unwrap();
    assert!(matches!(catalog.delete("logs-2", NOW).await, Err(Error::NoSuchIndex(_))));
    for catalog in [catalog, &fresh] {
        check(catalog, &["logs*"], &["logs-1"]).await;
        assert!(matches!(catalog.index("logs-2").unwrap().reader().await, Err(Error::NoSuchIndex(_))));
    }
    let results = write(catalog, "logs-2", vec![delete("a")]).await;
    assert_eq!(results[0].as_ref().unwrap_err().kind, "index_not_found_exception");
    write(catalog, "logs-2", vec![index("b", "{}")]).await;
    assert_eq!(get(&fresh, "logs-2", "a").await, None, "nothing is back from the dead");
    assert_eq!(get(&fresh, "logs-2", "b").await, Some(("{}".to_owned(), 1 << 20, 1)));
}

#[tokio::test]
async fn many_commits_are_kept_in_snapshots() {
    let folder = folder();
    for n in 0..240 {
        // Many tags make a split's entry large, so that snapshots come soon.
        let tags: Vec<String> = (0..10).map(|tag| format!("a rather long tag number {tag} of {n}")).collect();
        let source = format!(r#"{{"n":{n},"tags":{tags:?}}}"#);
        let id = DocumentId::Given((n % 200).to_string());
        let ops = vec![Op::Index { id, source: source.into(), if_seq_no: None }];
        let settings = Settings { tag_fields: vec!["tags".to_owned()], ..Settings::default() };
        let logs = folder.catalog.index("logs").unwrap();
        logs.write(&[Part { source: None, ops }], &settings, NOW).await.unwrap();
    }
    let fresh = Catalog::new(folder.store.clone(), Options::default());
    for n in [0, 1, 39, 40, 199] {
        let last = if n < 40 { n + 200 } else { n };
        let (source, seq_no, _) = get(&fresh, "logs", &n.to_string()).await.unwrap();
        assert!(source.starts_with(&format!(r#"{{"n":{last},"#)) && seq_no == (last + 1) << 20, "{source} {seq_no}");
    }
    let there = fresh.index("logs").unwrap().reader().await.unwrap().state;
    assert_eq!(there, folder.catalog.index("logs").unwrap().reader().await.unwrap().state);
    assert_eq!((there.commit, there.splits.len()), (240, 200));
    assert!(!folder.store.list("snapshots/", None).await.unwrap().is_empty());
    assert!(folder.store.head("heads/logs").await.unwrap().size < 160 * 1024);
}

/// Counts up one document by its sequence numbers, and takes ids that only one may create. Gives how many it got.
async fn race(catalog: Catalog, writer: usize, each: usize) -> usize {
    let mut created = 0;
    for n in 0..each {
        loop {
            let there = match catalog.index("logs").unwrap().reader().await {
                Ok(reader) => reader.get(&["counter"]).await.unwrap().remove(0),
                Err(Error::NoSuchIndex(_)) => None,
                Err(error) => panic!("{error}"),
            };
            let id = DocumentId::Given("counter".to_owned());
            let op = match &there {
                Some(found) => {
                    let json: serde_json::Value = serde_json::from_slice(&found.stored.source).unwrap();
                    let source = Bytes::from(format!(r#"{{"n":{}}}"#, json["n"].as_u64().unwrap() + 1));
                    Op::Index { id, source, if_seq_no: Some(found.seq_no) }
                }
                None => Op::Create { id, source: r#"{"n":1}"#.into() },
            };
            match write(&catalog, "logs", vec![op]).await.remove(0) {
                Ok(_) => break,
                Err(refused) => assert_eq!(refused.status, 409, "{refused:?}"),
            }
        }
        let source = Bytes::from(format!(r#"{{"w{writer}":{n}}}"#));
        let op = Op::Create { id: DocumentId::Given(format!("id-{n}")), source };
        created += usize::from(write(&catalog, "logs", vec![op]).await[0].is_ok());
    }
    created
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_race() {
    const WRITERS: usize = 4;
    const EACH: usize = 6;
    let folder = folder();
    let catalog = || Catalog::new(folder.store.clone(), Options::default());
    let tasks: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(race(catalog(), writer, EACH))).collect();
    let mut created = 0;
    for task in tasks {
        created += task.await.unwrap();
    }
    assert_eq!(created, EACH);
    let (source, ..) = get(&folder.catalog, "logs", "counter").await.unwrap();
    assert_eq!(source, format!(r#"{{"n":{}}}"#, WRITERS * EACH));
    // Those who lost the race to make the index have written nothing under a name that nobody would ever look at.
    let incarnation = folder.catalog.index("logs").unwrap().reader().await.unwrap().state.incarnation.clone().unwrap();
    let splits = folder.store.list("splits/", None).await.unwrap();
    assert!(splits.iter().all(|split| split.key.starts_with(&format!("splits/{incarnation}/"))), "{splits:?}");
}
