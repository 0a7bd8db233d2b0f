//! What every [`ObjectStore`] and everything built on it must do: one suite, run on the file system here and on S3 in the tests.
//!
//! Each part works under a prefix of its own, so that a store may be used again. Failures panic, as tests do.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::store::MAX_PAGE;
use crate::{
    Append, Applied, ETag, Head, Meta, Object, ObjectStore, Positions, Precondition, Seen, Segments, SourceId,
    StoreError, fold,
};

type Store = Arc<dyn ObjectStore>;

/// Runs all of it.
pub async fn run(store: Store) {
    objects(&store).await;
    listing(&store).await;
    let seeds = if std::env::var_os("LOGMILL_LONG").is_some() { 50 } else { 1 };
    for seed in 1..=seeds {
        random_operations(&store, seed).await;
    }
    racing_puts(&store).await;
    head_unchanged(&store).await;
    everything_once(store.clone()).await;
    everything_once(Between::over(&store, Meddling::LosesEvery(3))).await;
    head_built_upon(&store).await;
    head_landing_late(&store).await;
    zombies(&store).await;
    positions(&store).await;
}

/// The parts that must commit each thing once whatever answers are lost: for a store behind something that loses them.
pub async fn everything_once(store: Store) {
    racing_heads(&store).await;
    outbox(&store).await;
    segments(&store).await;
}

fn prefix() -> String {
    format!("suite/{}/", uuid::Uuid::new_v4().simple())
}

fn is_precondition<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Precondition { .. }))
}

fn is_not_found<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NotFound { .. }))
}

async fn objects(store: &Store) {
    let key = prefix() + "über/a b+%~=&";
    assert!(is_not_found(store.get(&key).await));
    assert!(is_not_found(store.head(&key).await));
    assert!(is_not_found(store.put(&key, "x".into(), &Precondition::Matches(ETag("\"none\"".into()))).await));
    store.delete(&key).await.expect("deleting what is not there");

    let first = store.put(&key, "first".into(), &Precondition::Absent).await.expect("a first put");
    assert!(is_precondition(store.put(&key, "again".into(), &Precondition::Absent).await));
    assert_eq!(store.get(&key).await.expect("it"), Object { body: "first".into(), etag: first.clone() });
    assert!(store.get_if_changed(&key, &first).await.expect("it").is_none());

    let second = store.put(&key, "second".into(), &Precondition::Matches(first.clone())).await.expect("its turn");
    assert_ne!(first, second);
    assert!(is_precondition(store.put(&key, "late".into(), &Precondition::Matches(first.clone())).await));
    let changed = store.get_if_changed(&key, &first).await.expect("it").expect("a change");
    assert_eq!(changed, Object { body: "second".into(), etag: second.clone() });
    assert_eq!(store.head(&key).await.expect("it"), Meta { key: key.clone(), size: 6, etag: second });
    for (range, expected) in
        [(0..3, "sec"), (3..6, "ond"), (4..100, "nd"), (6..9, ""), (9..12, ""), (0..0, ""), (2..2, "")]
    {
        assert_eq!(store.get_range(&key, range).await.expect("a range").body, expected);
    }
    store.put(&key, "third".into(), &Precondition::None).await.expect("any put");
    store.delete(&key).await.expect("deleting");
    assert!(is_not_found(store.get(&key).await));
    store.put(&key, "again".into(), &Precondition::Absent).await.expect("a first put after a delete");
}

async fn listing(store: &Store) {
    let prefix = prefix();
    let names = ["a", "a/b", "a/b/c", "a.b", "a-b", "b//c", "ü"];
    for name in names {
        store.put(&format!("{prefix}{name}"), "x".into(), &Precondition::None).await.expect("a put");
    }
    let list = |under: &str, after: Option<&str>| {
        let (under, after) = (format!("{prefix}{under}"), after.map(|after| format!("{prefix}{after}")));
        let (store, cut) = (store.clone(), prefix.len());
        async move {
            let page = store.list(&under, after.as_deref()).await.expect("a page");
            page.into_iter().map(|meta| meta.key[cut..].to_owned()).collect::<Vec<_>>()
        }
    };
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(list("", None).await, sorted);
    assert_eq!(list("a/", None).await, ["a/b", "a/b/c"]);
    assert_eq!(list("a", Some("a.b")).await, ["a/b", "a/b/c"]);
    assert!(list("none", None).await.is_empty());
    assert!(names.len() < MAX_PAGE);
}

/// Random puts, deletes and reads give what a map gives.
async fn random_operations(store: &Store, seed: u64) {
    let prefix = prefix();
    let mut random = StdRng::seed_from_u64(seed);
    let mut model: BTreeMap<String, (Bytes, ETag)> = BTreeMap::new();
    for step in 0..200 {
        let key = format!("{prefix}{}", random.random_range(0..8));
        let there = model.get(&key).cloned();
        match random.random_range(0..5) {
            0 => {
                store.delete(&key).await.expect("a delete");
                model.remove(&key);
            }
            1 => match (store.get(&key).await, there) {
                (Ok(object), Some((body, etag))) => assert_eq!(object, Object { body, etag }),
                (got, expected) => assert!(is_not_found(got) && expected.is_none(), "step {step}"),
            },
            kind => {
                let body = Bytes::from(format!("{step} {}", "x".repeat(random.random_range(0..2000))));
                let precondition = match kind {
                    2 => Precondition::None,
                    3 => Precondition::Absent,
                    _ => Precondition::Matches(there.clone().map_or(ETag("\"0\"".into()), |(_, etag)| etag)),
                };
                let holds = match precondition {
                    Precondition::None => true,
                    Precondition::Absent => there.is_none(),
                    Precondition::Matches(_) => there.is_some(),
                };
                match store.put(&key, body.clone(), &precondition).await {
                    Ok(etag) => {
                        assert!(holds, "step {step}");
                        model.insert(key, (body, etag));
                    }
                    Err(StoreError::Precondition { .. } | StoreError::NotFound { .. }) => {
                        assert!(!holds, "step {step}")
                    }
                    Err(error) => panic!("step {step}: {error}"),
                }
            }
        }
    }
    let listed = store.list(&prefix, None).await.expect("a page");
    let expected = model.into_iter().map(|(key, (body, etag))| Meta { key, size: body.len() as u64, etag });
    assert_eq!(listed, expected.collect::<Vec<_>>());
}

async fn racing_puts(store: &Store) {
    const WRITERS: usize = 8;
    let prefix = prefix();
    for round in 0..10 {
        let key = format!("{prefix}{round}");
        let tasks: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (store, key) = (store.clone(), key.clone());
                tokio::spawn(async move {
                    let body = Bytes::from(format!("writer {writer}"));
                    (body.clone(), store.put(&key, body, &Precondition::Absent).await)
                })
            })
            .collect();
        let mut winners = Vec::new();
        for task in tasks {
            match task.await.expect("a writer") {
                (body, Ok(_)) => winners.push(body),
                (_, Err(StoreError::Precondition { .. })) => {}
                (_, Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(winners, [store.get(&key).await.expect("it").body]);
    }
}

async fn racing_heads(store: &Store) {
    const WRITERS: u64 = 4;
    const EACH: u64 = 10;
    let key = prefix() + "head";
    let tasks: Vec<_> = (0..WRITERS)
        .map(|_| {
            let head: Head<u64> = Head::new(store.clone(), &key);
            tokio::spawn(async move {
                for _ in 0..EACH {
                    head.update(|count, _| *count += 1).await.expect("an update");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer");
    }
    let head: Head<u64> = Head::new(store.clone(), &key);
    assert_eq!(head.load().await.expect("the head").state, WRITERS * EACH);
}

async fn outbox(store: &Store) {
    let head: Head<u64> = Head::new(store.clone(), &(prefix() + "head"));
    for n in 0..5 {
        head.update(|state, outbox| {
            *state += 1;
            outbox.push("topic", format!("effect {n}")).map(drop)
        })
        .await
        .expect("an update")
        .expect("room");
    }
    let waiting = head.load().await.expect("the head").outbox;
    let ids: Vec<u64> = waiting.waiting().iter().map(|effect| effect.id).collect();
    assert_eq!(ids, [0, 1, 2, 3, 4]);
    // Sent, and killed before that was written down: the same effects with the same ids are sent again.
    assert_eq!(head.load().await.expect("the head").outbox, waiting);
    head.update(|_, outbox| outbox.done(&ids[..3])).await.expect("an update");
    let left = head.load().await.expect("the head").outbox;
    assert_eq!(left.waiting(), &waiting.waiting()[3..]);
}

/// A source of numbers is read in batches of other bounds each time, by two who do not know of each other; every number counts
/// once. The state is the last number taken in and the sum.
async fn segments(store: &Store) {
    const LAST: u64 = 40;
    let prefix = prefix();
    let segments = Segments::new(store.clone(), &format!("{prefix}segments/"));
    let workers: Vec<_> = (0..2)
        .map(|worker| {
            let (segments, store, prefix) = (segments.clone(), store.clone(), prefix.clone());
            tokio::spawn(async move {
                let head: Head<(u64, u64)> = Head::new(store, &format!("{prefix}head"));
                let mut random = StdRng::seed_from_u64(worker);
                let mut follows = 0;
                while follows < LAST {
                    // Now and then a writer is late: it goes on from what it read before, like one that was thought dead.
                    if random.random_range(0..4) > 0 {
                        follows = chain_end(&head, &segments).await;
                        if follows == LAST {
                            break;
                        }
                    }
                    let end = (follows + random.random_range(1..5)).min(LAST);
                    segments.append(&position(follows), end.to_string().as_bytes()).await.expect("an append");
                    if random.random_range(0..3) == 0 {
                        fold(&head, &segments, |state, _, segment| take(state, segment)).await.expect("a fold");
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("a worker");
    }
    let head: Head<(u64, u64)> = Head::new(store.clone(), &format!("{prefix}head"));
    while !segments.list(None).await.expect("a page").is_empty() {
        fold(&head, &segments, |state, _, segment| take(state, segment)).await.expect("a fold");
    }
    assert_eq!(head.load().await.expect("the head").state, (LAST, (1..=LAST).sum()));
}

fn position(follows: u64) -> String {
    format!("{follows:020}")
}

/// Where the next batch begins: after the head, and after the segments that continue it.
async fn chain_end(head: &Head<(u64, u64)>, segments: &Segments) -> u64 {
    let mut end = head.load().await.expect("the head").state.0;
    while let Some(segment) = segments.read(&position(end)).await.expect("a read") {
        end = number(&segment.payload);
    }
    end
}

fn number(payload: &[u8]) -> u64 {
    std::str::from_utf8(payload).expect("text").parse().expect("a number")
}

fn take(state: &mut (u64, u64), segment: &crate::Segment) -> Applied {
    let (follows, end) = (number(segment.position.as_bytes()), number(&segment.payload));
    match follows.cmp(&state.0) {
        std::cmp::Ordering::Less => Applied::Stale,
        std::cmp::Ordering::Greater => Applied::Waits,
        std::cmp::Ordering::Equal => {
            state.1 += (follows + 1..=end).sum::<u64>();
            state.0 = end;
            Applied::Folded
        }
    }
}

/// What is known already is not loaded again.
async fn head_unchanged(store: &Store) {
    let head: Head<u64> = Head::new(store.clone(), &(prefix() + "head"));
    let absent = head.load().await.expect("the head");
    assert!(absent.etag().is_none() && head.load_if_changed(&absent).await.expect("the head").is_none());
    head.update(|count, _| *count += 1).await.expect("a commit");
    let first = head.load_if_changed(&absent).await.expect("the head").expect("a change");
    assert!(first.state == 1 && head.load_if_changed(&first).await.expect("the head").is_none());
    head.update(|count, _| *count += 1).await.expect("a commit");
    let second = head.load_if_changed(&first).await.expect("the head").expect("a change");
    assert!(second.state == 2 && second.etag() != first.etag());
}

/// A commit whose answer is lost, and upon which another has built before it is tried again, counts once.
async fn head_built_upon(store: &Store) {
    let key = prefix() + "head";
    let between = Between::over(store, Meddling::BuildsUpon(key.clone()));
    let head: Head<u64> = Head::new(between, &key);
    head.update(|count, _| *count += 1).await.expect("the first commit");
    head.update(|count, _| *count += 1).await.expect("the commit whose answer is lost");
    let plain: Head<u64> = Head::new(store.clone(), &key);
    assert_eq!(plain.load().await.expect("the head").state, 102);
}

/// A commit that is still under way while it is tried again (a time-out, then S3's 409) counts once.
async fn head_landing_late(store: &Store) {
    let key = prefix() + "head";
    let head: Head<u64> = Head::new(Between::over(store, Meddling::LandsLate(key.clone())), &key);
    for _ in 0..3 {
        head.update(|count, _| *count += 1).await.expect("a commit");
    }
    assert_eq!(head.load().await.expect("the head").state, 3);
}

/// Killed late, a writer still writes after its successor: nothing of it counts.
async fn zombies(store: &Store) {
    let prefix = prefix();
    let head: Head<(u64, u64)> = Head::new(store.clone(), &format!("{prefix}head"));
    let segments = Segments::new(store.clone(), &format!("{prefix}segments/"));
    let mut late = head.load().await.expect("the head");
    assert_eq!(segments.append(&position(0), b"3").await.expect("an append"), Append::Written);
    let done = fold(&head, &segments, |state, _, segment| take(state, segment)).await.expect("a fold");
    assert_eq!((done.folded, done.stale, done.lost), (1, 0, false));

    late.state = (9, 9);
    assert!(head.commit(late).await.expect("an answer").is_none(), "a late head must lose");
    // Its segment was collected, so the put succeeds; it does not continue the chain.
    assert_eq!(segments.append(&position(0), b"2").await.expect("an append"), Append::Written);
    let done = fold(&head, &segments, |state, _, segment| take(state, segment)).await.expect("a fold");
    assert_eq!((done.folded, done.stale), (0, 1));
    assert_eq!(head.load().await.expect("the head").state, (3, 6));
    assert!(segments.list(None).await.expect("a page").is_empty());
}

async fn positions(store: &Store) {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let prefix = prefix();
    let now = 1_800_000_000_000;
    let id = |n: u32| SourceId::object("bucket", &format!("key {n}"), "etag");
    let mut positions = Positions::default();
    for n in 0..40 {
        assert_eq!(positions.check(&**store, &[(id(n), now)], now).await.expect("a check"), [Seen::New]);
        positions = positions.with(&**store, &prefix, &[(id(n), now)], now).await.expect("positions");
    }
    let all: Vec<_> = (0..41).map(|n| (id(n), now)).collect();
    let seen = positions.check(&**store, &all, now).await.expect("a check");
    assert!(seen[..40].iter().all(|seen| *seen == Seen::Known) && seen[40] == Seen::New, "{seen:?}");
    assert_eq!(positions.check(&**store, &[(id(1), now)], now + 16 * DAY).await.expect("a check"), [Seen::Stale]);

    // What a lost commit, and joining, left behind is known as garbage; what is named is not.
    let orphan = positions.with(&**store, &prefix, &[(id(99), now)], now).await.expect("positions");
    let listed: Vec<String> =
        store.list(&prefix, None).await.expect("a page").into_iter().map(|meta| meta.key).collect();
    assert_eq!(orphan.garbage(&listed).len() + 1, positions.garbage(&listed).len());
    let later =
        positions.with(&**store, &prefix, &[(id(50), now + 20 * DAY)], now + 20 * DAY).await.expect("positions");
    assert_eq!(later.garbage(&listed).len(), listed.len(), "old days are dropped");
    assert_ne!(SourceId::log_batch(["ab", "c"]), SourceId::log_batch(["a", "bc"]));
}

/// A store whose answers go wrong.
struct Between {
    inner: Store,
    meddling: Meddling,
    puts: AtomicU64,
    /// What [`Meddling::LandsLate`] holds back.
    late: tokio::sync::Mutex<Option<(Bytes, Precondition)>>,
}

enum Meddling {
    /// Each put is carried out, and of every nth the answer is lost.
    LosesEvery(u64),
    /// After the second put of this key another commit builds on it, and then the answer is lost.
    BuildsUpon(String),
    /// The second put of this key is carried out only when the next one comes.
    LandsLate(String),
}

impl Between {
    fn over(inner: &Store, meddling: Meddling) -> Store {
        Arc::new(Between { inner: inner.clone(), meddling, puts: AtomicU64::new(0), late: Default::default() })
    }
}

#[async_trait]
impl ObjectStore for Between {
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
        let number = self.puts.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(&self.meddling, Meddling::LandsLate(head) if key == head) {
            let mut late = self.late.lock().await;
            if number == 2 {
                *late = Some((body, precondition.clone()));
                return Err(StoreError::Transient { key: key.to_owned(), reason: "under way".to_owned() });
            }
            if let Some((body, precondition)) = late.take() {
                self.inner.put(key, body, &precondition).await.expect("the put that was under way");
            }
        }
        let result = self.inner.put(key, body, precondition).await;
        let lost = match &self.meddling {
            Meddling::LosesEvery(nth) => number.is_multiple_of(*nth),
            Meddling::BuildsUpon(head) => key == head && number == 2,
            Meddling::LandsLate(_) => false,
        };
        if lost && matches!(self.meddling, Meddling::BuildsUpon(_)) {
            let other: Head<u64> = Head::new(self.inner.clone(), key);
            other.update(|count, _| *count += 100).await.expect("another's commit");
        }
        if lost {
            Err(StoreError::Transient { key: key.to_owned(), reason: "the answer was lost".to_owned() })
        } else {
            result
        }
    }
}
