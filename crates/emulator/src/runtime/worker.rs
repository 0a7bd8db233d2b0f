//! One process and the task that works it: start, wait for its first `next`, then one invocation after the other.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::end::{End, describe, failure};
use super::output::Output;
use super::pool::{Inner, Job};
use super::program::{Program, log_group};
use super::runtime_api::{Event, RuntimeCall};
use crate::clock::now_ms;
use crate::services::lambda::LATEST;

/// How long a process may take until its first `next` (Lambda developer guide, init phase: 10 seconds).
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// How many processes are started for one invocation before the init error is its answer (Lambda starts once more).
const MAX_STARTS: u32 = 2;

/// How long a process waits for work before it is ended (Lambda says no number; minutes is what people measure).
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// Runs a process for `first` and for what comes after it, until it ends.
pub async fn run(pool: Arc<Inner>, first: Job) {
    let program = first.program.clone();
    let function = &program.spec.name;
    let mut process = match Process::start(&pool, &program).await {
        Ok(process) => process,
        Err(e) => {
            let message =
                format!("RequestId: {} Error: couldn't start {}: {e}", first.request_id, program.path.display());
            let answer = failure(&first.request_id, "Runtime.InvalidEntrypoint", &message, String::new());
            return pool.finish(first, Ok(answer));
        }
    };
    pool.count_process(function, 1);
    work(&pool, &program, &mut process, first).await;
    process.end(&pool).await;
    pool.count_process(function, -1);
}

async fn work(pool: &Arc<Inner>, program: &Program, process: &mut Process, first: Job) {
    if let Some(init) = process.initialise().await {
        return init_failed(pool, process, first, init);
    }
    let mut job = first;
    loop {
        let end = process.serve(program, &job).await;
        if matches!(end, End::Exit { taken: false, .. }) && job.failed_starts + 1 < MAX_STARTS {
            // It ended while it was idle: the event has done nothing to it.
            job.failed_starts += 1;
            return pool.dispatch(job);
        }
        let waiting = end.leaves_alive().then(|| pool.put_idle(&process.id, program));
        match end.invocation(&job.request_id, program.spec.timeout, process.output.take_tail()) {
            Some(invocation) => pool.finish(job, Ok(invocation)),
            None => pool.finish_stopping(job),
        }
        let Some(waiting) = waiting else { return };
        match process.wait(pool, program, waiting).await {
            Some(next) => job = next,
            None => return,
        }
    }
}

fn init_failed(pool: &Arc<Inner>, process: &Process, mut job: Job, end: End) {
    job.failed_starts += 1;
    let ms = process.started.elapsed().as_secs_f64() * 1000.0;
    process.output.finish();
    process.output.line(format!("INIT_REPORT Init Duration: {ms:.2} ms\tPhase: init\tStatus: error").as_bytes());
    if matches!(end, End::Stopping) {
        pool.finish_stopping(job);
    } else if job.failed_starts < MAX_STARTS {
        pool.dispatch(job);
    } else if let Some(answer) =
        end.invocation(&job.request_id, INIT_LIMIT.as_secs() as u32, process.output.take_tail())
    {
        pool.finish(job, Ok(answer));
    }
}

struct Process {
    id: String,
    child: Child,
    calls: mpsc::Receiver<RuntimeCall>,
    /// The process waits for its next event here.
    next: Option<oneshot::Sender<Event>>,
    output: Arc<Output>,
    reader: JoinHandle<()>,
    tmp: PathBuf,
    stopping: watch::Receiver<bool>,
    started: Instant,
    /// How long the start took; told once.
    init_ms: Option<f64>,
    max_memory_mb: u64,
}

/// What a process, or the end of the emulator, brings.
enum Happened {
    Next,
    Answer { request_id: String, is_error: bool, body: Option<Bytes>, accepted: oneshot::Sender<bool> },
    InitError(Bytes),
    Exit(Option<ExitStatus>),
    Stopping,
}

impl Process {
    async fn start(pool: &Inner, program: &Program) -> std::io::Result<Process> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let tmp = pool.tmp_root().join(&id);
        std::fs::create_dir_all(&tmp)?;
        let started = Self::start_in(pool, program, id.clone(), tmp.clone()).await;
        if started.is_err() {
            pool.forget(&id);
            let _ = std::fs::remove_dir_all(&tmp);
        }
        started
    }

    async fn start_in(pool: &Inner, program: &Program, id: String, tmp: PathBuf) -> std::io::Result<Process> {
        let (api, calls) =
            pool.register(&id).ok_or_else(|| std::io::Error::other("the Runtime API is not served yet"))?;
        let stream = format!("{}/[{LATEST}]{id}", jiff::Timestamp::now().strftime("%Y/%m/%d"));
        let (out, out_end) = std::io::pipe()?;
        let (err, err_end) = std::io::pipe()?;
        let mut command = program.command(&pool.config, &api, &stream, &tmp);
        command.stdin(Stdio::null()).stdout(out_end).stderr(err_end);
        let pipes = [not_blocking(out.into())?, not_blocking(err.into())?];
        let output = Output::new(pool.logs.clone(), &log_group(&program.spec.name), &stream, pipes)?;
        let started = Instant::now();
        let child = pool.spawner.spawn(command).await?;
        let reader = tokio::spawn(output.clone().run());
        let stopping = pool.stopping.subscribe();
        Ok(Process {
            id,
            child,
            calls,
            next: None,
            output,
            reader,
            tmp,
            stopping,
            started,
            init_ms: None,
            max_memory_mb: 0,
        })
    }

    async fn happens(&mut self) -> Happened {
        tokio::select! {
            // What a process said before it ended comes first.
            biased;
            Some(call) = self.calls.recv() => match call {
                RuntimeCall::Next(reply) => {
                    self.next = Some(reply);
                    Happened::Next
                }
                RuntimeCall::Answer { request_id, is_error, body, accepted } => {
                    Happened::Answer { request_id, is_error, body, accepted }
                }
                RuntimeCall::InitError(body) => Happened::InitError(body),
            },
            status = self.child.wait() => Happened::Exit(status.ok()),
            _ = self.stopping.wait_for(|stopping| *stopping) => Happened::Stopping,
        }
    }

    /// Waits for the first `next`; `Some` is how that failed.
    async fn initialise(&mut self) -> Option<End> {
        let until = self.started + INIT_LIMIT;
        loop {
            match timeout_at(until, self.happens()).await {
                Ok(Happened::Next) => break,
                Ok(Happened::Answer { accepted, .. }) => drop(accepted.send(false)),
                Ok(Happened::InitError(body)) => return Some(End::Error(body)),
                Ok(Happened::Exit(status)) => return Some(End::Exit { status, taken: false }),
                Ok(Happened::Stopping) => return Some(End::Stopping),
                Err(_) => return Some(End::TimedOut),
            }
        }
        self.init_ms = Some(self.started.elapsed().as_secs_f64() * 1000.0);
        None
    }

    /// Gives the process one event and waits for its answer. A process that did not answer is dead afterwards.
    async fn serve(&mut self, program: &Program, job: &Job) -> End {
        let id = &job.request_id;
        self.output.line(format!("START RequestId: {id} Version: {LATEST}").as_bytes());
        let begun = Instant::now();
        let limit = Duration::from_secs(program.spec.timeout.into());
        let end = timeout_at(begun + limit, self.answer(program, job)).await.unwrap_or(End::TimedOut);
        let end = if end.leaves_alive() { self.check_tmp(program, end).await } else { end };
        self.max_memory_mb = memory_mb(self.child.id()).unwrap_or(self.max_memory_mb);
        if !end.leaves_alive() {
            self.kill().await;
        }
        self.report(program, id, begun.elapsed(), &end);
        end
    }

    async fn answer(&mut self, program: &Program, job: &Job) -> End {
        let mut event = Some(Event {
            request_id: job.request_id.clone(),
            deadline: now_ms() + i64::from(program.spec.timeout) * 1000,
            function_arn: program.arn.clone(),
            client_context: job.client_context.clone(),
            payload: job.payload.clone(),
        });
        loop {
            if let Some(next) = self.next.take_if(|_| event.is_some())
                && let Some(sent) = event.take()
            {
                // It comes back when the process has closed its connection: it will ask again or end.
                event = next.send(sent).err();
            }
            match self.happens().await {
                Happened::Next | Happened::InitError(_) => {}
                Happened::Answer { request_id, is_error, body, accepted } => {
                    let ours = request_id == job.request_id;
                    let _ = accepted.send(ours);
                    match body {
                        _ if !ours => {}
                        Some(body) if is_error => return End::Error(body),
                        Some(body) => return End::Answer(body),
                        None => return End::TooLarge,
                    }
                }
                Happened::Exit(status) => return End::Exit { status, taken: event.is_none() },
                Happened::Stopping => return End::Stopping,
            }
        }
    }

    /// `/tmp` is a folder of no fixed size here: what went over the limit fails after the fact instead of in the middle.
    async fn check_tmp(&self, program: &Program, end: End) -> End {
        let tmp = self.tmp.clone();
        let used = tokio::task::spawn_blocking(move || folder_size(&tmp)).await.unwrap_or_default();
        if used > u64::from(program.spec.ephemeral_storage) * 1024 * 1024 { End::TmpFull(used) } else { end }
    }

    fn report(&mut self, program: &Program, id: &str, took: Duration, end: &End) {
        if end.leaves_alive() {
            self.output.catch_up();
        } else {
            self.output.finish();
        }
        match end {
            End::TimedOut => {
                let now = jiff::Timestamp::now();
                let seconds = program.spec.timeout;
                self.output.line(format!("{now:.3} {id} Task timed out after {seconds}.00 seconds").as_bytes());
            }
            End::Exit { status, .. } => {
                self.output.line(format!("RequestId: {id} Error: Runtime exited {}", describe(*status)).as_bytes());
            }
            _ => {}
        }
        let ms = took.as_secs_f64() * 1000.0;
        let init = self.init_ms.take().map_or(String::new(), |ms| format!("Init Duration: {ms:.2} ms\t"));
        self.output.line(format!("END RequestId: {id}").as_bytes());
        let report = format!(
            "REPORT RequestId: {id}\tDuration: {ms:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} \
             MB\t{init}",
            ms.ceil(),
            program.spec.memory,
            self.max_memory_mb,
        );
        self.output.line(report.as_bytes());
    }

    /// Waits for the next job. `None`: the process has ended, or is to.
    async fn wait(&mut self, pool: &Arc<Inner>, program: &Program, mut jobs: mpsc::Receiver<Job>) -> Option<Job> {
        let limit = sleep(IDLE_LIMIT);
        tokio::pin!(limit);
        loop {
            tokio::select! {
                biased;
                job = jobs.recv() => return job,
                happened = self.happens() => match happened {
                    Happened::Next | Happened::InitError(_) => continue,
                    Happened::Answer { accepted, .. } => drop(accepted.send(false)),
                    Happened::Exit(_) | Happened::Stopping => break,
                },
                () = &mut limit => break,
            }
        }
        pool.withdraw(&self.id, &program.spec.name);
        // Somebody may have given it a job in the meantime: that is for another process.
        jobs.close();
        while let Some(job) = jobs.recv().await {
            pool.dispatch(job);
        }
        None
    }

    async fn kill(&mut self) {
        if let Some(group) = self.child.id() {
            // SAFETY: a system call on a process group that is ours: the child has not been waited for, so its id is not reused.
            unsafe { libc::killpg(group as i32, libc::SIGKILL) };
        }
        let _ = self.child.wait().await;
    }

    async fn end(mut self, pool: &Inner) {
        pool.forget(&self.id);
        self.kill().await;
        self.output.finish();
        self.reader.abort();
        let tmp = self.tmp;
        // Many files may be in it; nobody waits for this.
        drop(tokio::task::spawn_blocking(move || std::fs::remove_dir_all(tmp)));
    }
}

fn not_blocking(fd: OwnedFd) -> std::io::Result<OwnedFd> {
    // SAFETY: the descriptor is open and ours; the call sets a flag of it.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } {
        0 => Ok(fd),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Bytes of the files in a folder and below.
fn folder_size(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(file) if file.is_dir() => folder_size(&entry.path()),
        Ok(file) => file.len(),
        Err(_) => 0, // removed meanwhile
    };
    entries.flatten().map(size).sum()
}

/// The most memory that a process has had, MB; `None` where the system does not say.
fn memory_mb(process: Option<u32>) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process?)).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb.div_ceil(1024))
}
