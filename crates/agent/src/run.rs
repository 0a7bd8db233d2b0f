//! The agent as a whole: flows started, checkpoints written, progress reported, everything stopped.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{error, info, warn};

use crate::checkpoint::{CheckpointError, Saved, Store};
use crate::config::Config;
use crate::flow::Running;
use crate::log::host_name;
use crate::progress;
use crate::send::Sender;
use crate::sink::{Sink, connect};
use crate::tail::Tailer;

/// Checkpoints are written at most so often; a crash repeats what was acknowledged since the last one.
const CHECKPOINT_PERIOD: Duration = Duration::from_secs(1);
/// The original keeps this much of `shutdownTimeoutMillis` for itself.
const SHUTDOWN_RESERVE: Duration = Duration::from_millis(500);

/// How the agent ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// Reading stops, what is read is sent within `shutdownTimeoutMillis`, a checkpoint is written.
    Drain,
    /// At once and without a checkpoint, as `kill -9` does; for tests.
    Abort,
}

/// Why the agent ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No place for checkpoints.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Options of a flow.
    #[error("flow {flow}: dataProcessingOptions: {message}")]
    Options {
        /// The flow.
        flow: String,
        /// The converter's words.
        message: String,
    },
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// A defect: part of a flow ended. The process must end too, so that it is started again.
    #[error("flow {0} ended by itself")]
    FlowEnded(String),
}

/// Runs until `shutdown` completes, then drains.
pub async fn run(config: Config, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    let mut shutdown = pin!(shutdown);
    // Looking for credentials may take its time.
    let sinks = tokio::select! {
        sinks = connect(&config) => sinks,
        () = &mut shutdown => return Ok(()),
    };
    run_with(config, sinks, async {
        shutdown.await;
        Stop::Drain
    })
    .await
}

/// Runs with a sink per flow, in their order.
pub async fn run_with(
    config: Config,
    sinks: Vec<Arc<dyn Sink>>,
    stop: impl Future<Output = Stop>,
) -> Result<(), RunError> {
    if config.emit_metrics {
        info!("CloudWatch metrics are not emitted yet (cloudwatch.emitMetrics)");
    }
    let (store, saved) = Store::open(&config.checkpoint_file)?;
    let mut checkpoints = Checkpoints::new(store, saved, config.checkpoint_ttl);
    let host = host_name();
    let permits = Arc::new(Semaphore::new(config.max_sends));
    let urgent = Arc::new(Notify::new());
    let mut flows = Vec::new();
    let mut tailers = Vec::new();
    let mut senders = JoinSet::new();
    for (flow, sink) in config.flows.into_iter().zip(sinks) {
        let running = Arc::new(Running::new(flow, urgent.clone()));
        let (batches, receiver) = mpsc::unbounded_channel();
        let saved = checkpoints.saved.get(&running.flow.id).cloned();
        let tailer = Tailer::new(running.clone(), batches, &host, saved)
            .map_err(|error| RunError::Options { flow: running.flow.id.clone(), message: error.to_string() })?;
        tailers.push((running.flow.id.clone(), tailer));
        let (id, permits, sender) = (running.flow.id.clone(), permits.clone(), Sender::new(running.clone(), sink));
        senders.spawn(async move { (id, sender.run(receiver, permits).await) });
        flows.push(running);
    }
    // Where everything starts is durable before anything is read: a crash must not start elsewhere.
    checkpoints.write(&flows).await?;
    for (id, tailer) in tailers {
        info!("FileTailer[{id}]: Started");
        thread::Builder::new().name(id).spawn(move || tailer.run())?;
    }
    let result = supervise(&flows, &mut senders, &mut checkpoints, &urgent, config.status_period, stop).await;
    match result {
        Ok(Stop::Abort) => {
            flows.iter().for_each(|flow| flow.abort());
            return Ok(());
        }
        Ok(Stop::Drain) => drain(&flows, &mut senders, config.shutdown_timeout).await,
        Err(_) => flows.iter().for_each(|flow| flow.abort()),
    }
    let written = checkpoints.write(&flows).await;
    result?;
    Ok(written?)
}

type Senders = JoinSet<(String, Result<(), tokio::task::JoinError>)>;

/// Writes checkpoints and reports until it is time to stop.
async fn supervise(
    flows: &[Arc<Running>],
    senders: &mut Senders,
    checkpoints: &mut Checkpoints,
    urgent: &Notify,
    status_period: Duration,
    stop: impl Future<Output = Stop>,
) -> Result<Stop, RunError> {
    let started = Instant::now();
    let mut stop = pin!(stop);
    let mut checkpoint = interval(CHECKPOINT_PERIOD);
    let mut status = interval(status_period);
    checkpoint.set_missed_tick_behavior(MissedTickBehavior::Delay);
    status.set_missed_tick_behavior(MissedTickBehavior::Delay);
    status.tick().await;
    loop {
        tokio::select! {
            how = &mut stop => return Ok(how),
            Some(ended) = senders.join_next() => return Err(RunError::FlowEnded(name_of(ended))),
            _ = async { tokio::select! { _ = checkpoint.tick() => {} () = urgent.notified() => {} } } => {
                if let Err(error) = checkpoints.write(flows).await {
                    error!("{error}; trying again, a restart would repeat what is sent now");
                }
            }
            _ = status.tick() => progress::report(flows, started.elapsed()),
        }
    }
}

fn name_of(ended: Result<(String, Result<(), tokio::task::JoinError>), tokio::task::JoinError>) -> String {
    match ended {
        Ok((id, Ok(()))) => format!("{id} (its reader)"),
        Ok((id, Err(error))) => format!("{id} (a call: {error})"),
        Err(error) => format!("(a sender: {error})"),
    }
}

/// Lets the flows send what is read.
async fn drain(flows: &[Arc<Running>], senders: &mut Senders, at_most: Duration) {
    info!("stopping: sending what is read, for {} ms at most", at_most.as_millis());
    flows.iter().for_each(|flow| flow.stop());
    let all = async { while senders.join_next().await.is_some() {} };
    if timeout(at_most.saturating_sub(SHUTDOWN_RESERVE), all).await.is_err() {
        warn!("not everything could be sent in time: it is sent after the next start");
        flows.iter().for_each(|flow| flow.abort());
    }
}

/// The checkpoint as last written, and its file.
struct Checkpoints {
    store: Arc<Store>,
    saved: Saved,
    written: bool,
}

impl Checkpoints {
    /// Entries of flows and files that nobody has seen for longer than `ttl` are dropped.
    fn new(store: Store, mut saved: Saved, ttl: Duration) -> Checkpoints {
        let oldest = now().saturating_sub(ttl.as_secs() as i64);
        for entries in saved.values_mut() {
            // A file that is still there is never old: it would be read again from its start.
            entries.retain(|entry| entry.seen >= oldest || entry.path.exists());
        }
        Checkpoints { store: Arc::new(store), saved, written: false }
    }

    /// Writes what changed since the last time.
    async fn write(&mut self, flows: &[Arc<Running>]) -> Result<(), CheckpointError> {
        let now = now();
        let changes: HashMap<_, _> = flows
            .iter()
            .filter_map(|running| Some((running.flow.id.clone(), running.positions().take_changes(now)?)))
            .collect();
        if changes.is_empty() && self.written {
            return Ok(());
        }
        self.saved.extend(changes);
        for running in flows {
            self.saved.entry(running.flow.id.clone()).or_default();
        }
        let (store, saved) = (self.store.clone(), self.saved.clone());
        let written = tokio::task::spawn_blocking(move || store.write(&saved)).await;
        // A panic while writing is not known to have written.
        self.written = matches!(written, Ok(Ok(())));
        written.unwrap_or(Ok(()))
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}
