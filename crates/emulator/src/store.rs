//! Durable state: one SQLite database in the data directory, written by one thread.
//!
//! Everything an operation changes (the object, its notification, the queue entry that it becomes) is written by one closure
//! over one [`Tx`], so that what the caller was told and what follows from it are on disk together or not at all. The write
//! has reached the operating system before the caller is answered: `kill -9` loses nothing; `fsync` (off by default) makes it
//! survive a power cut too. Closures that arrive together share one commit.
//!
//! A commit wakes whoever waits for what it wrote: [`Tx::wake`] names it, [`Store::watch`] waits for it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::now_ms;
use crate::config::Config;
use crate::error::ApiError;

/// Version of the tables. A data directory of another version is refused at start.
pub const DATA_VERSION: i64 = 1;

/// Marks the database as ours ("LGML").
const APPLICATION_ID: i64 = 0x4c47_4d4c;

/// The database's file in the data directory.
const DATABASE: &str = "state.db";

/// Folders beside it whose content nobody but the emulator may put there: it removes what it does not know.
const OWN_FOLDERS: [&str; 2] = ["objects", "tmp"];

/// How many closures share a commit at most: bounds the wait of the first of them.
const MAX_GROUP: usize = 64;

/// Connections kept open for reading: as many as there can be readers at work on a small machine.
const MAX_IDLE_READERS: usize = 8;

/// What a commit can wake.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wake {
    /// Messages became visible in the SQS queue of this name.
    Queue(String),
    /// Records were put into the Kinesis stream of this name.
    Stream(String),
    /// Records were put into, or delivered by, the Firehose stream of this name.
    Delivery(String),
    /// Asynchronous Lambda events were queued.
    AsyncEvents,
    /// Resources were made, changed or removed (mappings, schedules, URLs): runtimes look again.
    Resources,
}

/// Why the state could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds the directory.
    #[error("data directory {0} is in use by another emulator (its lock file is held)")]
    InUse(PathBuf),
    /// Written by another version.
    #[error(
        "data directory {dir} was written by another version of the emulator (data version {found}, this one reads \
         {DATA_VERSION}): start it with that version, or with another --data-dir"
    )]
    Version {
        /// The directory.
        dir: PathBuf,
        /// The version found in it.
        found: i64,
    },
    /// Not ours: what we would write over, or take for left-overs of ours and remove, is somebody else's.
    #[error("data directory {dir} holds {name:?}, which is not the emulator's: choose an empty --data-dir")]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// What was found in it.
        name: &'static str,
    },
    /// The file system or the database said no.
    #[error("data directory {dir}: {source}")]
    Io {
        /// The directory.
        dir: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

type Outcome = Result<Box<dyn std::any::Any + Send>, ApiError>;
type Work = Box<dyn FnOnce(&Tx<'_>) -> Outcome + Send>;

struct Job {
    work: Work,
    reply: oneshot::Sender<Outcome>,
}

/// What the writer is asked for.
enum Request {
    Write(Job),
    /// To close the database, let go of the directory, and say so.
    Close(oneshot::Sender<()>),
}

/// A write in progress. Dereferences to the [`Connection`], so that statements are `tx.prepare_cached(…)`.
pub struct Tx<'c> {
    connection: &'c Connection,
    config: &'c Config,
    now: i64,
    wakes: RefCell<HashSet<Wake>>,
}

impl Tx<'_> {
    /// The account, region and endpoint that names are made of.
    pub fn config(&self) -> &Config {
        self.config
    }

    /// The instant of this write, epoch milliseconds: one for everything in it.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Wakes the watchers of `what` once this write is committed.
    pub fn wake(&self, what: Wake) {
        self.wakes.borrow_mut().insert(what);
    }
}

impl Deref for Tx<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// A handle on the state; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    requests: mpsc::UnboundedSender<Request>,
    readers: Mutex<Vec<Connection>>,
    watches: Watches,
    writer: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Inner {
    /// The directory is free when the last handle is gone.
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Close(oneshot::channel().0));
        // A closure can be what holds the last handle: then this is the writer.
        if let Some(writer) = self.writer.take().filter(|writer| writer.thread().id() != std::thread::current().id()) {
            let _ = writer.join();
        }
    }
}

type Watches = Arc<Mutex<HashMap<Wake, watch::Sender<()>>>>;

impl Store {
    /// Opens (or makes) the state in the data directory of `config` with the tables of `schema`, a list of
    /// `CREATE TABLE IF NOT EXISTS` scripts.
    pub fn open(config: &Arc<Config>, schema: &[&str]) -> Result<Store, OpenError> {
        let dir = config.data_dir.as_path();
        let io = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Io { dir: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(|e| io(e.into()))?;
        let lock = File::create(dir.join("lock")).map_err(|e| io(e.into()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(OpenError::InUse(dir.to_owned())),
            Err(std::fs::TryLockError::Error(e)) => return Err(io(e.into())),
        }
        if !dir.join(DATABASE).exists()
            && let Some(name) = OWN_FOLDERS.into_iter().find(|name| dir.join(name).exists())
        {
            return Err(OpenError::Foreign { dir: dir.to_owned(), name });
        }
        let connection = Connection::open(dir.join(DATABASE)).map_err(|e| io(e.into()))?;
        check_version(&connection, dir)?;
        let synchronous = if config.fsync { "FULL" } else { "OFF" };
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = OFF;
                 PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000;"
            ))
            .map_err(|e| io(e.into()))?;
        for script in schema {
            connection.execute_batch(script).map_err(|e| io(e.into()))?;
        }
        connection.set_prepared_statement_cache_capacity(256);

        let watches = Watches::default();
        let (requests, queue) = mpsc::unbounded_channel();
        let writer_watches = watches.clone();
        let writer_config = config.clone();
        let write = move || {
            let closed = write_loop(&connection, &writer_config, queue, &writer_watches);
            // The directory is free when nobody writes to it any more, whoever still holds a handle on the state.
            drop(connection);
            drop(lock);
            if let Some(closed) = closed {
                let _ = closed.send(());
            }
        };
        let writer = std::thread::Builder::new().name("store-writer".into()).spawn(write).map_err(|e| io(e.into()))?;
        let (readers, writer) = (Mutex::default(), Some(writer));
        Ok(Store { inner: Arc::new(Inner { dir: dir.to_owned(), requests, readers, watches, writer }) })
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Ends the writing, after the writes that were asked for before, and frees the data directory for another process. Writes
    /// fail afterwards.
    pub async fn close(&self) {
        let (closed, done) = oneshot::channel();
        if self.inner.requests.send(Request::Close(closed)).is_ok() {
            let _ = done.await; // an error: it was closed by somebody else meanwhile
        }
        self.inner.readers.lock().expect("readers").clear();
    }

    /// Runs `work` in a transaction; an error undoes all of it. Returns after the commit.
    pub async fn write<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, ApiError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(|tx| work(tx).map(|value| Box::new(value) as Box<dyn std::any::Any + Send>));
        let closed = || ApiError::internal("the emulator's state is closed");
        self.inner.requests.send(Request::Write(Job { work, reply })).map_err(|_| closed())?;
        let outcome = answer.await.map_err(|_| closed())?;
        outcome.and_then(|value| {
            value.downcast::<T>().map(|value| *value).map_err(|_| ApiError::internal("write returned another type"))
        })
    }

    /// Runs `work` on a connection that sees the last commit and cannot write.
    pub async fn read<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
    {
        let inner = self.inner.clone();
        tokio::task::spawn_blocking(move || {
            let idle = inner.readers.lock().expect("readers").pop();
            let connection = match idle {
                Some(connection) => connection,
                None => open_reader(&inner.dir)?,
            };
            // One snapshot for all statements of the closure.
            connection.execute_batch("BEGIN")?;
            let result = work(&connection);
            connection.execute_batch("COMMIT")?;
            let mut readers = inner.readers.lock().expect("readers");
            if readers.len() < MAX_IDLE_READERS {
                readers.push(connection);
            }
            result
        })
        .await
        .map_err(ApiError::internal)?
    }

    /// A receiver that changes at each commit that wakes `what`. Take it first, look at the state, then wait: nothing is missed.
    pub fn watch(&self, what: Wake) -> watch::Receiver<()> {
        let mut watches = self.inner.watches.lock().expect("watches");
        let mut receiver = watches.entry(what).or_insert_with(|| watch::channel(()).0).subscribe();
        receiver.mark_unchanged();
        receiver
    }
}

fn open_reader(dir: &Path) -> Result<Connection, ApiError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(dir.join(DATABASE), flags)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

fn check_version(connection: &Connection, dir: &Path) -> Result<(), OpenError> {
    let foreign = || OpenError::Foreign { dir: dir.to_owned(), name: DATABASE };
    let io = |e: rusqlite::Error| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => foreign(),
        _ => OpenError::Io { dir: dir.to_owned(), source: e.into() },
    };
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let id = pragma("application_id").map_err(io)?;
    let found = pragma("user_version").map_err(io)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(io)?;
    match (id, found, tables) {
        (0, 0, 0) => {
            connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(io)?;
            connection.pragma_update(None, "user_version", DATA_VERSION).map_err(io)
        }
        (APPLICATION_ID, DATA_VERSION, _) => Ok(()),
        (APPLICATION_ID, found, _) => Err(OpenError::Version { dir: dir.to_owned(), found }),
        _ => Err(foreign()),
    }
}

/// Writes until it is told to close, or until nobody has a handle any more; returns whom to tell that it is closed.
fn write_loop(
    connection: &Connection,
    config: &Config,
    mut queue: mpsc::UnboundedReceiver<Request>,
    watches: &Watches,
) -> Option<oneshot::Sender<()>> {
    loop {
        let mut group = Vec::new();
        let mut close = None;
        let mut next = Some(queue.blocking_recv()?);
        while let Some(request) = next {
            match request {
                Request::Write(job) => group.push(job),
                Request::Close(closed) => close = Some(closed),
            }
            let more = group.len() < MAX_GROUP && close.is_none();
            next = if more { queue.try_recv().ok() } else { None };
        }
        let mut wakes = HashSet::new();
        let outcomes = write_group(connection, config, group, &mut wakes);
        // First the watchers: whoever has its answer can rely on it that they were woken.
        wake(watches, &wakes);
        for (reply, outcome) in outcomes {
            let _ = reply.send(outcome); // the caller may have gone away
        }
        if close.is_some() {
            return close;
        }
    }
}

fn wake(watches: &Watches, wakes: &HashSet<Wake>) {
    // A watch without a receiver is of no use to anybody: it is made again by the next one to look.
    watches.lock().expect("watches").retain(|what, sender| {
        if wakes.contains(what) {
            sender.send_replace(());
        }
        sender.receiver_count() > 0
    });
}

type Answered = Vec<(oneshot::Sender<Outcome>, Outcome)>;

fn write_group(connection: &Connection, config: &Config, group: Vec<Job>, wakes: &mut HashSet<Wake>) -> Answered {
    let mut answered: Answered = Vec::with_capacity(group.len());
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    for Job { work, reply } in group {
        let outcome = match &begun {
            Ok(()) => savepoint(connection, config, work, wakes),
            Err(e) => Err(ApiError::internal(format!("emulator state: {e}"))),
        };
        answered.push((reply, outcome));
    }
    if begun.is_ok()
        && let Err(e) = connection.execute_batch("COMMIT")
    {
        let _ = connection.execute_batch("ROLLBACK");
        wakes.clear();
        for (_, outcome) in &mut answered {
            *outcome = Err(ApiError::internal(format!("emulator state: {e}")));
        }
    }
    answered
}

/// One closure of a group: what it changed is kept only if it succeeds, whatever becomes of its neighbours.
fn savepoint(connection: &Connection, config: &Config, work: Work, wakes: &mut HashSet<Wake>) -> Outcome {
    connection.execute_batch("SAVEPOINT job")?;
    let tx = Tx { connection, config, now: now_ms(), wakes: RefCell::default() };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&tx)))
        .unwrap_or_else(|_| Err(ApiError::internal("the operation panicked; see the emulator's log")));
    let end = if outcome.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
    connection.execute_batch(end)?;
    if outcome.is_ok() {
        wakes.extend(tx.wakes.into_inner());
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &[&str] = &["CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, v INTEGER) STRICT"];

    fn count(connection: &Connection) -> Result<i64, ApiError> {
        Ok(connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn an_error_undoes_only_its_own_write() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Arc::new(Config::new(dir.path())), SCHEMA).unwrap();
        let writes = (0..100).map(|n| {
            store.write(move |tx| {
                tx.execute("INSERT INTO t VALUES (?1, ?2)", (n.to_string(), n))?;
                if n % 2 == 0 { Ok(()) } else { Err(ApiError::bad_request("Odd", "odd")) }
            })
        });
        let failed = futures::future::join_all(writes).await.into_iter().filter(Result::is_err).count();
        assert_eq!(failed, 50);
        assert_eq!(store.read(count).await.unwrap(), 50);
    }

    #[tokio::test]
    async fn a_commit_wakes_its_watchers() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Arc::new(Config::new(dir.path())), SCHEMA).unwrap();
        let mut watch = store.watch(Wake::Queue("q".into()));
        store
            .write(|tx| {
                tx.wake(Wake::Queue("other".into()));
                Ok(())
            })
            .await
            .unwrap();
        assert!(!watch.has_changed().unwrap());
        for _ in 0..100 {
            store
                .write(|tx| {
                    tx.wake(Wake::Queue("q".into()));
                    Ok(())
                })
                .await
                .unwrap();
            // Woken before the write was answered.
            assert!(watch.has_changed().unwrap());
            watch.mark_unchanged();
        }
    }

    #[tokio::test]
    async fn a_closed_store_frees_its_directory_whoever_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let config = Arc::new(Config::new(dir.path()));
        let store = Store::open(&config, SCHEMA).unwrap();
        assert_eq!(store.read(count).await.unwrap(), 0);
        // What was asked for before is written.
        let before = store.write(|tx| Ok(tx.execute("INSERT INTO t VALUES ('a', 1)", [])?));
        let (before, ()) = tokio::join!(biased; before, store.close());
        before.unwrap();
        let again = Store::open(&config, SCHEMA).unwrap();
        assert_eq!(again.read(count).await.unwrap(), 1);
        let error = store.write(|_| Ok(())).await.unwrap_err();
        assert!(error.message.contains("closed"), "{error}");
        store.close().await; // a second time does nothing
    }

    #[test]
    fn a_directory_is_refused_when_in_use_foreign_or_of_another_version() {
        let dir = tempfile::tempdir().unwrap();
        let first = Store::open(&Arc::new(Config::new(dir.path())), SCHEMA).unwrap();
        assert!(matches!(Store::open(&Arc::new(Config::new(dir.path())), SCHEMA), Err(OpenError::InUse(_))));
        drop(first);

        let set_version = |n: i64| {
            Connection::open(dir.path().join("state.db")).unwrap().pragma_update(None, "user_version", n).unwrap();
        };
        set_version(DATA_VERSION + 1);
        let error = Store::open(&Arc::new(Config::new(dir.path())), SCHEMA).err().unwrap().to_string();
        assert!(error.contains("data version 2, this one reads 1"), "{error}");

        let is_foreign = |make: &dyn Fn(&Path)| {
            let foreign = tempfile::tempdir().unwrap();
            make(foreign.path());
            let opened = Store::open(&Arc::new(Config::new(foreign.path())), SCHEMA);
            assert!(matches!(opened, Err(OpenError::Foreign { .. })));
        };
        is_foreign(&|dir| Connection::open(dir.join(DATABASE)).unwrap().execute_batch("CREATE TABLE x (y)").unwrap());
        is_foreign(&|dir| std::fs::write(dir.join(DATABASE), "a text of more than a few bytes").unwrap());
        is_foreign(&|dir| std::fs::create_dir(dir.join("tmp")).unwrap());
        is_foreign(&|dir| std::fs::create_dir(dir.join("objects")).unwrap());
    }
}
