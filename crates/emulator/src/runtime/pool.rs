//! The function processes: one invocation at a time each, more processes under load, an idle limit.

use std::collections::HashMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::output::LogQueue;
use super::program::Program;
use super::runtime_api::{self, RuntimeCall};
use super::spawner::Spawner;
use super::timing::Timing;
use super::{MAX_REQUEST, worker};
use crate::Ctx;
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::ApiError;
use crate::faults;
use crate::services::lambda;
use crate::store::Store;

/// Invocations under way at once, of all functions. An account has 1,000 (Lambda quotas), a new one often 10; each is a process
/// here, and this many are what a laptop bears.
const MAX_CONCURRENCY: usize = 64;

/// Requests of one process that wait for its worker: it makes one at a time, so this never fills.
const MAX_PENDING_CALLS: usize = 4;

/// What a function answered.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Its reply, or the error object (`errorType`, `errorMessage`).
    pub payload: Bytes,
    /// `Unhandled` when the function failed (error, exit, time-out).
    pub function_error: Option<String>,
    /// The last 4 KB that it printed.
    pub log_tail: String,
    /// The request id.
    pub request_id: String,
}

/// What a function has been doing since the start.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FunctionSnapshot {
    /// Its name.
    pub function: String,
    /// Its processes.
    pub processes: usize,
    /// Invocations under way.
    pub running: usize,
    /// Invocations that ended.
    pub invocations: u64,
    /// Of these, the failed ones.
    pub errors: u64,
    /// Invocations refused because too many were under way.
    pub throttles: u64,
    /// When the last one failed, epoch ms, and why.
    pub last_error: Option<(i64, String)>,
}

/// The processes of all functions.
pub struct Pool {
    inner: Arc<Inner>,
}

/// What the workers share with the pool.
pub struct Inner {
    pub config: Config,
    pub spawner: Spawner,
    pub logs: Arc<LogQueue>,
    pub stopping: watch::Sender<bool>,
    started: OnceLock<(SocketAddr, Store)>,
    fleets: Mutex<HashMap<String, Fleet>>,
    processes: Mutex<HashMap<String, mpsc::Sender<RuntimeCall>>>,
    workers: Mutex<JoinSet<()>>,
    timing: Mutex<Timing>,
}

/// The processes of one function.
#[derive(Default)]
struct Fleet {
    idle: Vec<Idle>,
    seen: FunctionSnapshot,
}

/// A process that waits for work. Dropping this sends it home.
struct Idle {
    process: String,
    revision: String,
    jobs: mpsc::Sender<Job>,
}

/// An invocation to be made.
pub struct Job {
    pub program: Arc<Program>,
    pub request_id: String,
    pub payload: Bytes,
    pub client_context: Option<String>,
    /// How many processes ended before they asked for it.
    pub failed_starts: u32,
    slot: Slot,
    reply: oneshot::Sender<Result<Invocation, ApiError>>,
}

/// The right to one of the invocations that may be under way.
struct Slot {
    pool: Arc<Inner>,
    function: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pool.seen(&self.function, |seen| seen.running -= 1);
    }
}

impl Pool {
    /// No processes yet: they start on demand.
    pub fn new(config: &Config) -> Self {
        let inner = Inner {
            config: config.clone(),
            spawner: Spawner::new(),
            logs: Arc::default(),
            stopping: watch::Sender::new(false),
            started: OnceLock::new(),
            fleets: Mutex::default(),
            processes: Mutex::default(),
            workers: Mutex::default(),
            timing: Mutex::default(),
        };
        Pool { inner: Arc::new(inner) }
    }

    /// Begins to listen for the processes; the future serves them and writes what they print. When it ends, they do.
    pub(super) async fn listen(&self, ctx: &Ctx) -> Result<impl Future<Output = ()> + Send + 'static, ApiError> {
        struct StopOnDrop(Arc<Inner>);
        impl Drop for StopOnDrop {
            fn drop(&mut self) {
                self.0.stopping.send_replace(true);
            }
        }
        let _ = std::fs::remove_dir_all(self.inner.tmp_root()); // what a kill -9 left behind
        std::fs::create_dir_all(self.inner.tmp_root())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        if self.inner.started.set((address, ctx.store.clone())).is_err() {
            return Err(ApiError::internal("the function processes were started twice"));
        }
        let guard = StopOnDrop(self.inner.clone());
        let store = ctx.store.clone();
        Ok(async move {
            let pool = &guard.0;
            tokio::join!(runtime_api::serve(listener, pool.clone()), pool.logs.run(store));
        })
    }

    /// Invokes `function` (a name) and waits for its answer. An `Err` is one of Lambda's own (no such function, throttled,
    /// payload too large); a function that fails is an [`Invocation`] with `function_error`.
    pub async fn invoke(&self, ctx: &Ctx, function: &str, payload: Bytes) -> Result<Invocation, ApiError> {
        self.invoke_as(ctx, function, payload, uuid::Uuid::new_v4().to_string(), None).await
    }

    /// The same under a given request id, with a client context (JSON).
    pub async fn invoke_as(
        &self,
        ctx: &Ctx,
        function: &str,
        payload: Bytes,
        request_id: String,
        client_context: Option<String>,
    ) -> Result<Invocation, ApiError> {
        check_request(payload.len())?;
        if ctx.faults.invocation() {
            return Err(faults::throttled("lambda"));
        }
        let name = function.to_owned();
        let spec = ctx.store.read(move |db| lambda::get_function(db, &name)).await?.spec;
        let slot = self.inner.reserve(&spec.name, spec.reserved_concurrency)?;
        let program = Arc::new(Program::find(&self.inner.config, spec));
        let (reply, answer) = oneshot::channel();
        self.inner.dispatch(Job { program, request_id, payload, client_context, failed_starts: 0, slot, reply });
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// What each function has been doing, by name.
    pub fn snapshot(&self) -> Vec<FunctionSnapshot> {
        let mut all: Vec<_> = lock(&self.inner.fleets).values().map(|fleet| fleet.seen.clone()).collect();
        all.sort_by(|a, b| a.function.cmp(&b.function));
        all
    }

    /// How long to wait before something is tried again.
    pub fn timing(&self) -> Timing {
        *lock(&self.inner.timing)
    }

    /// Other delays than Lambda's, for tests.
    pub fn set_timing(&self, timing: Timing) {
        *lock(&self.inner.timing) = timing;
    }

    /// Ends all processes.
    pub async fn stop(&self) {
        self.inner.stopping.send_replace(true);
        let mut workers = std::mem::take(&mut *lock(&self.inner.workers));
        while workers.join_next().await.is_some() {}
        if let Some((_, store)) = self.inner.started.get() {
            self.inner.logs.flush(store).await;
        }
    }
}

/// A synchronous request has at most 6 MB.
pub fn check_request(bytes: usize) -> Result<(), ApiError> {
    if bytes <= MAX_REQUEST {
        return Ok(());
    }
    let message = format!("Request must be smaller than {MAX_REQUEST} bytes for the InvokeFunction operation");
    Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message))
}

fn stopping() -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceException", "the emulator is stopping")
}

impl Inner {
    /// The sender to the worker of a process.
    pub fn process(&self, id: &str) -> Option<mpsc::Sender<RuntimeCall>> {
        lock(&self.processes).get(id).cloned()
    }

    /// Makes a process known to the Runtime API; returns `AWS_LAMBDA_RUNTIME_API` for it and what it will ask for.
    pub fn register(&self, id: &str) -> Option<(String, mpsc::Receiver<RuntimeCall>)> {
        let (address, _) = self.started.get()?;
        let (calls, queue) = mpsc::channel(MAX_PENDING_CALLS);
        lock(&self.processes).insert(id.to_owned(), calls);
        Some((format!("http://{address}/{id}"), queue))
    }

    /// The Runtime API forgets a process.
    pub fn forget(&self, id: &str) {
        lock(&self.processes).remove(id);
    }

    /// The folder of the processes' own folders.
    pub fn tmp_root(&self) -> std::path::PathBuf {
        let root = self.config.data_dir.join("tmp");
        std::path::absolute(&root).unwrap_or(root)
    }

    /// Counts a process in or out.
    pub fn count_process(&self, function: &str, change: isize) {
        self.seen(function, |seen| seen.processes = seen.processes.saturating_add_signed(change));
    }

    /// Gives a job to a process that waits for one, or starts another.
    pub fn dispatch(self: &Arc<Self>, mut job: Job) {
        while let Some(idle) = self.take_idle(&job.program) {
            match idle.jobs.try_send(job) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(back) | mpsc::error::TrySendError::Closed(back)) => job = back,
            }
        }
        let mut workers = lock(&self.workers);
        while workers.try_join_next().is_some() {}
        if *self.stopping.borrow() {
            let _ = job.reply.send(Err(stopping()));
        } else {
            workers.spawn(worker::run(self.clone(), job));
        }
    }

    /// Takes the process that waited least (the others reach their idle limit) and retires those of another revision.
    fn take_idle(&self, program: &Program) -> Option<Idle> {
        let mut fleets = lock(&self.fleets);
        let idle = &mut fleets.get_mut(&program.spec.name)?.idle;
        idle.retain(|idle| idle.revision == program.revision);
        idle.pop()
    }

    /// A process waits for work; the receiver is closed when it is to end.
    pub fn put_idle(&self, process: &str, program: &Program) -> mpsc::Receiver<Job> {
        let (jobs, queue) = mpsc::channel(1);
        let idle = Idle { process: process.to_owned(), revision: program.revision.clone(), jobs };
        lock(&self.fleets).entry(program.spec.name.clone()).or_default().idle.push(idle);
        queue
    }

    /// A process will take no more work.
    pub fn withdraw(&self, process: &str, function: &str) {
        if let Some(fleet) = lock(&self.fleets).get_mut(function) {
            fleet.idle.retain(|idle| idle.process != process);
        }
    }

    /// Ends a job with its answer, counts it, and tells whoever waits.
    pub fn finish(&self, job: Job, answer: Result<Invocation, ApiError>) {
        let failure = match &answer {
            Ok(invocation) if invocation.function_error.is_none() => None,
            Ok(invocation) => Some(String::from_utf8_lossy(&invocation.payload).chars().take(1000).collect()),
            Err(error) => Some(error.to_string()),
        };
        self.seen(&job.program.spec.name, |seen| {
            seen.invocations += 1;
            if let Some(failure) = failure {
                seen.errors += 1;
                seen.last_error = Some((now_ms(), failure));
            }
        });
        // First the slot: whoever was told may ask again at once.
        drop(job.slot);
        let _ = job.reply.send(answer); // nobody may wait any more
    }

    /// Ends a job because the emulator does.
    pub fn finish_stopping(&self, job: Job) {
        let _ = job.reply.send(Err(stopping()));
    }

    fn reserve(self: &Arc<Self>, function: &str, reserved: Option<u32>) -> Result<Slot, ApiError> {
        let mut fleets = lock(&self.fleets);
        let all: usize = fleets.values().map(|fleet| fleet.seen.running).sum();
        let fleet = fleets.entry(function.to_owned()).or_default();
        fleet.seen.function = function.to_owned();
        let refused = match reserved {
            Some(reserved) if fleet.seen.running >= reserved as usize => {
                Some("ReservedFunctionConcurrentInvocationLimit")
            }
            _ if all >= MAX_CONCURRENCY => Some("ConcurrentInvocationLimit"),
            _ => None,
        };
        if let Some(reason) = refused {
            fleet.seen.throttles += 1;
            let message = format!("Rate Exceeded. ({reason}Exceeded: function {function})");
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", message));
        }
        fleet.seen.running += 1;
        Ok(Slot { pool: self.clone(), function: function.to_owned() })
    }

    fn seen(&self, function: &str, change: impl FnOnce(&mut FunctionSnapshot)) {
        let mut fleets = lock(&self.fleets);
        let fleet = fleets.entry(function.to_owned()).or_default();
        fleet.seen.function = function.to_owned();
        change(&mut fleet.seen);
    }
}

/// The data behind these locks is whole at every step: a panic of another holder does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
