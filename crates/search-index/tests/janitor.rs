//! The janitor, beside writers, through a store in a folder.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use ledger::{ETag, FileStore, Meta, Object, ObjectStore, Precondition, SourceId, StoreError};
use search_index::janitor::{GRACE, Report};
use search_index::manifest::{Settings, State};
use search_index::write::{DocumentId, Op, Part, Taken};
use search_index::{Catalog, Error, Index, Options};

const NOW: i64 = 1_795_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

type Act = Box<dyn FnOnce(Arc<dyn ObjectStore>) -> BoxFuture<'static, ()> + Send>;

/// A store in which something happens before the next put of a key that begins so.
struct Staged {
    inner: Arc<dyn ObjectStore>,
    act: Mutex<Option<(&'static str, Act)>>,
}

#[async_trait]
impl ObjectStore for Staged {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.inner.get(key).await
    }
    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        self.inner.get_range(key, range).await
    }
    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        self.inner.get_if_changed(key, etag).await
    }
    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        self.inner.head(key).await
    }
    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }
    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        self.inner.list(prefix, start_after).await
    }
    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        let act = self.act.lock().unwrap().take_if(|(prefix, _)| key.starts_with(*prefix));
        if let Some((_, act)) = act {
            act(self.inner.clone()).await;
        }
        self.inner.put(key, body, precondition).await
    }
}

struct Stage {
    staged: Arc<Staged>,
    logs: Index,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let inner: Arc<dyn ObjectStore> = Arc::new(FileStore::open(folder.path()).unwrap());
        let staged = Arc::new(Staged { inner, act: Mutex::default() });
        let logs = logs(staged.clone());
        Stage { staged, logs, _folder: folder }
    }

    /// Before the next put of such a key.
    fn before<F: Future<Output = ()> + Send + 'static>(
        &self,
        prefix: &'static str,
        act: impl FnOnce(Index) -> F + Send + 'static,
    ) {
        let act: Act = Box::new(move |store| Box::pin(act(logs(store))));
        *self.staged.act.lock().unwrap() = Some((prefix, act));
    }

    fn acted(&self) -> bool {
        self.staged.act.lock().unwrap().is_none()
    }

    async fn keys(&self) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for prefix in ["splits/", "deletes/", "snapshots/", "positions/"] {
            keys.extend(self.staged.list(prefix, None).await.unwrap().into_iter().map(|meta| meta.key));
        }
        keys
    }
}

/// The index, as another process has it.
fn logs(store: Arc<dyn ObjectStore>) -> Index {
    Catalog::new(store, Options::default()).index("logs").unwrap()
}

fn put(id: &str, source: &str) -> Op {
    let id = DocumentId::Given(id.to_owned());
    Op::Index { id, source: Bytes::copy_from_slice(source.as_bytes()), if_seq_no: None }
}

fn delete(id: &str) -> Op {
    Op::Delete { id: id.to_owned(), if_seq_no: None }
}

async fn write(index: &Index, ops: Vec<Op>) {
    write_with(index, ops, &Settings::default()).await;
}

async fn write_with(index: &Index, ops: Vec<Op>, settings: &Settings) {
    let taken = index.write(&[Part { source: None, ops }], settings, NOW).await.unwrap();
    assert!(matches!(&taken[..], [Taken::Now(results)] if results.iter().all(Result::is_ok)), "{taken:?}");
}

async fn tidy(index: &Index, now: i64) -> Report {
    index.tidy(now, Duration::from_secs(1), || Duration::ZERO).await.unwrap()
}

async fn state(index: &Index) -> Arc<State> {
    index.reader().await.unwrap().state
}

/// Id → source, `_seq_no`, `_version`.
async fn documents(index: &Index, ids: &[String]) -> Vec<Option<(Bytes, u64, u64)>> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let found = index.reader().await.unwrap().get(&ids).await.unwrap();
    found.into_iter().map(|found| found.map(|found| (found.stored.source, found.seq_no, found.version))).collect()
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

/// Writes so many commits of one document each.
async fn fill(index: &Index, commits: usize) {
    for n in ids(commits) {
        write(index, vec![put(&n, &format!(r#"{{"n":{n}}}"#))]).await;
    }
}

#[tokio::test]
async fn a_join_keeps_what_is_there() {
    let stage = Stage::new();
    fill(&stage.logs, 12).await;
    write(&stage.logs, vec![put("3", r#"{"n":33}"#), delete("4"), put("5", "{}")]).await;
    write(&stage.logs, vec![put("5", r#"{"n":55}"#), put("a", "{}"), put("b", "{}"), put("c", "{}"), delete("b")])
        .await;
    let ids: Vec<String> = ids(12).into_iter().chain(["a".into(), "b".into(), "c".into()]).collect();
    let (before, there) = (documents(&stage.logs, &ids).await, state(&stage.logs).await);
    assert!(there.splits.len() > 8 && there.deleted() > 0);

    let over = stage.logs.tidy(NOW, Duration::ZERO, || Duration::ZERO).await.unwrap();
    assert_eq!((over.joined, over.unfinished), (0, true));
    let report = tidy(&stage.logs, NOW).await;
    assert_eq!((report.joined, report.into, report.unfinished), (there.splits.len(), 1, false));
    for index in [stage.logs.clone(), logs(stage.staged.clone())] {
        assert_eq!(documents(&index, &ids).await, before);
        let joined = state(&index).await;
        assert_eq!((joined.documents(), joined.deleted(), joined.splits.len()), (there.documents(), 0, 1));
        assert_eq!(joined.splits[0].seq, (there.splits[0].seq.0, there.splits.last().unwrap().seq.1));
    }
    assert_eq!(tidy(&stage.logs, NOW).await, Report::default());
    // What comes after finds what was joined.
    write(&stage.logs, vec![put("3", "{}"), delete("0")]).await;
    let after = documents(&stage.logs, &ids).await;
    assert_eq!((after[0].is_none(), after[3].as_ref().unwrap().2), (true, 3));
}

#[tokio::test]
async fn many_commits_become_few_splits_in_one_visit() {
    let stage = Stage::new();
    fill(&stage.logs, 300).await;
    let report = tidy(&stage.logs, NOW).await;
    let there = state(&stage.logs).await;
    assert_eq!((report.joined, report.into, there.splits.len()), (300, 2, 2));
    assert_eq!(there.documents(), 300);
    assert!(documents(&stage.logs, &ids(300)).await.iter().all(Option::is_some));
}

/// Deletes that are committed while a join is made: before its split is written, and before its commit.
#[tokio::test]
async fn deletes_of_the_meantime_are_kept() {
    for moment in ["splits/", "heads/"] {
        let stage = Stage::new();
        fill(&stage.logs, 10).await;
        write(&stage.logs, vec![put("w", "{}"), put("x", "{}"), put("y", "{}"), put("z", "{}")]).await;
        write(&stage.logs, vec![delete("x")]).await;
        stage.before(moment, |other| async move {
            write(&other, vec![delete("z"), put("y", r#"{"n":1}"#)]).await;
        });
        let report = tidy(&stage.logs, NOW).await;
        assert!(stage.acted());
        let there = state(&stage.logs).await;
        assert_eq!(report.joined, 11, "{moment}");
        let changed = ["x", "y", "z"].map(str::to_owned);
        let found = documents(&logs(stage.staged.clone()), &changed).await;
        assert_eq!((found[0].clone(), found[2].clone()), (None, None), "{moment}");
        assert_eq!(found[1].as_ref().map(|found| found.2), Some(2), "{moment}");
        assert_eq!((there.documents(), there.deleted(), there.splits.len()), (12, 2, 2), "{moment}");
        assert!(documents(&stage.logs, &ids(10)).await.iter().all(Option::is_some));
    }
}

#[tokio::test]
async fn a_join_is_given_up_when_an_input_is_gone() {
    let stage = Stage::new();
    fill(&stage.logs, 10).await;
    stage.before("heads/", |other| async move { write(&other, vec![delete("4")]).await });
    let report = tidy(&stage.logs, NOW).await;
    assert_eq!(report.joined, 0);
    assert_eq!(tidy(&stage.logs, NOW).await.joined, 9);
    let there = state(&stage.logs).await;
    assert_eq!((there.documents(), there.splits.len()), (9, 1));
    // Two janitors: one joins, the other finds nothing to do.
    fill(&stage.logs, 10).await;
    stage.before("heads/", |other| async move { _ = tidy(&other, NOW).await });
    tidy(&stage.logs, NOW).await;
    assert!(documents(&stage.logs, &ids(10)).await.iter().all(Option::is_some));
    assert_eq!(state(&stage.logs).await.documents(), 10);
}

#[tokio::test]
async fn splits_past_retention_are_dropped() {
    let stage = Stage::new();
    let settings =
        Settings { retention_days: Some(30), time_field: Some("@timestamp".to_owned()), ..Settings::default() };
    let at = |days: i64| {
        let at = jiff::Timestamp::from_millisecond(NOW - days * DAY).unwrap();
        format!(r#"{{"@timestamp":"{at}"}}"#)
    };
    write_with(&stage.logs, vec![put("old", &at(31)), put("older", &at(400))], &settings).await;
    write_with(&stage.logs, vec![put("new", &at(29)), put("old too", &at(31))], &settings).await;
    write_with(&stage.logs, vec![put("timeless", r#"{"n":1}"#)], &settings).await;
    assert_eq!(tidy(&stage.logs, NOW).await.expired, 1);
    let names = ["old", "older", "new", "old too", "timeless"].map(str::to_owned);
    let found = documents(&stage.logs, &names).await;
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true, true, true]);
    assert_eq!(tidy(&stage.logs, NOW + 2 * DAY).await.expired, 1);
    assert_eq!(state(&stage.logs).await.documents(), 1);
}

/// Everything that the last commit names, but for snapshots.
async fn named(index: &Index) -> BTreeSet<String> {
    let splits = state(index).await.splits.clone();
    splits.iter().flat_map(|split| [Some(split.key.clone()), split.deletes.clone()]).flatten().collect()
}

fn without_snapshots(keys: &BTreeSet<String>) -> BTreeSet<String> {
    keys.iter().filter(|key| !key.starts_with("snapshots/")).cloned().collect()
}

#[tokio::test]
async fn garbage_goes_when_no_reader_can_hold_it() {
    let stage = Stage::new();
    fill(&stage.logs, 20).await;
    write(&stage.logs, vec![put("a", "{}"), put("b", "{}")]).await;
    write(&stage.logs, vec![delete("a")]).await;
    // What a writer has left that died before its commit.
    let incarnation = state(&stage.logs).await.incarnation.clone().unwrap();
    let orphan = format!("splits/{incarnation}/00000000-dead");
    stage.staged.put(&orphan, Bytes::from_static(b"x"), &Precondition::None).await.unwrap();
    let before = stage.logs.reader().await.unwrap();
    assert_eq!(tidy(&stage.logs, NOW).await.joined, 21);

    // As long as a reader of before may live, what it holds is there.
    for minutes in [0, 5, 30, 59] {
        assert_eq!(tidy(&stage.logs, NOW + minutes * 60_000).await.collected, 0);
        assert_eq!(before.get(&["3", "a", "b"]).await.unwrap().iter().flatten().count(), 2);
        assert!(stage.keys().await.contains(&orphan));
    }
    write(&stage.logs, vec![put("c", "{}"), put("d", "{}")]).await;
    write(&stage.logs, vec![delete("d")]).await;
    for hour in 1..=6 {
        let now = NOW + hour * GRACE;
        tidy(&stage.logs, now).await;
        let keys = stage.keys().await;
        assert!(keys.is_superset(&named(&stage.logs).await));
        assert_eq!(logs(stage.staged.clone()).reader().await.unwrap().get(&["3", "c", "d"]).await.unwrap().len(), 3);
    }
    let keys = stage.keys().await;
    assert_eq!(without_snapshots(&keys), named(&stage.logs).await);
    assert!(keys.len() - without_snapshots(&keys).len() <= 3, "{keys:?}");
    // An index that does not change is left alone.
    let head = stage.staged.head("heads/logs").await.unwrap();
    assert_eq!(tidy(&stage.logs, NOW + 100 * DAY).await, Report::default());
    assert_eq!(stage.staged.head("heads/logs").await.unwrap(), head);
    assert_eq!(documents(&logs(stage.staged.clone()), &ids(20)).await.iter().flatten().count(), 20);
}

/// A writer that has written its split sleeps while the janitor makes its turns; it must not commit what may be collected.
#[tokio::test]
async fn a_writer_that_sleeps_writes_again() {
    for (turns, again) in [(1, false), (2, true), (4, true)] {
        let stage = Stage::new();
        fill(&stage.logs, 3).await;
        // Before the head is written: the split is.
        stage.before("heads/", move |other| async move {
            for turn in 0..turns {
                // Something changes, so that turns go on.
                write(&other, vec![put("turn", &format!(r#"{{"n":{turn}}}"#))]).await;
                tidy(&other, NOW + turn * GRACE).await;
            }
        });
        write(&stage.logs, vec![put("late", r#"{"n":4}"#)]).await;
        assert!(stage.acted());
        let first = stage.keys().await.len();
        for hour in 0..6 {
            tidy(&stage.logs, NOW + (turns + hour) * GRACE).await;
        }
        let found = documents(&logs(stage.staged.clone()), &["late".to_owned(), "2".to_owned()]).await;
        assert!(found.iter().all(Option::is_some), "{turns}");
        assert_eq!(without_snapshots(&stage.keys().await), named(&stage.logs).await, "{turns} {first}");
        let generation = |key: &str| u64::from_str_radix(&key.rsplit('/').next().unwrap()[..8], 16).unwrap();
        let late = state(&stage.logs).await.splits.last().unwrap().key.clone();
        assert_eq!(generation(&late) > 0, again, "{turns}: {late}");
    }
}

#[tokio::test]
async fn positions_are_collected() {
    let stage = Stage::new();
    for n in 0..40 {
        let source = Some((SourceId::object("lake", &n.to_string(), "etag"), NOW));
        let part = Part { source, ops: vec![put("same", &format!(r#"{{"n":{n}}}"#))] };
        stage.logs.write(&[part], &Settings::default(), NOW).await.unwrap();
    }
    let count = async || stage.keys().await.iter().filter(|key| key.starts_with("positions/")).count();
    assert_eq!(count().await, 40);
    for hour in 0..6 {
        tidy(&stage.logs, NOW + hour * GRACE).await;
    }
    assert!(count().await <= 16, "{}", count().await);
    let source = Some((SourceId::object("lake", "0", "etag"), NOW));
    let again = Part { source, ops: vec![put("same", "{}")] };
    assert_eq!(stage.logs.write(&[again], &Settings::default(), NOW).await.unwrap(), [Taken::Before]);
}

#[tokio::test]
async fn ended_lives_leave_nothing() {
    let stage = Stage::new();
    let catalog = Catalog::new(stage.staged.clone(), Options::default());
    fill(&stage.logs, 3).await;
    tidy(&stage.logs, NOW).await;
    let old = stage.keys().await;
    catalog.delete("logs", NOW).await.unwrap();
    assert_eq!(tidy(&stage.logs, NOW + GRACE - 1).await, Report::default());
    assert_eq!(stage.keys().await, old);
    write(&stage.logs, vec![put("new", "{}")]).await;
    assert_eq!(tidy(&stage.logs, NOW + GRACE).await.collected, old.len());
    assert!(stage.keys().await.is_disjoint(&old));
    assert!(documents(&stage.logs, &["new".to_owned()]).await[0].is_some());
    // One who slept through the end.
    let late = old.first().unwrap();
    stage.staged.put(late, Bytes::from_static(b"x"), &Precondition::None).await.unwrap();
    tidy(&stage.logs, NOW + 15 * DAY).await;
    assert!(!stage.keys().await.contains(late));
    // An index that never was.
    let none = catalog.index("none").unwrap();
    assert_eq!(tidy(&none, NOW).await, Report::default());
    assert!(matches!(none.reader().await, Err(Error::NoSuchIndex(_))));
}
