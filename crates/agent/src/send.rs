//! From batches to calls: several at once, retries first, back-off after failures, nothing ever dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep_until;
use tracing::{debug, error, warn};

use crate::batch::Batch;
use crate::flow::{Running, add};
use crate::pace::Pace;
use crate::sink::{PutError, Sink};

/// The same trouble of a flow is logged at most so often.
const TROUBLE_PERIOD: Duration = Duration::from_secs(10);
/// The sender of a flow.
pub struct Sender {
    running: Arc<Running>,
    sink: Arc<dyn Sink>,
    retries: VecDeque<Batch>,
    fresh: Option<Batch>,
    pace: Pace,
    last_trouble: Option<Instant>,
}

type Answer = Result<Vec<Option<String>>, PutError>;

impl Sender {
    /// Nothing to send yet.
    pub fn new(running: Arc<Running>, sink: Arc<dyn Sink>) -> Sender {
        let pace = Pace::new(running.flow.retry_initial, running.flow.retry_max, Instant::now());
        Sender { running, sink, retries: VecDeque::new(), fresh: None, pace, last_trouble: None }
    }

    /// Sends until the tailer is done and everything is acknowledged. The error is a panic of a call.
    pub async fn run(
        mut self,
        mut batches: UnboundedReceiver<Batch>,
        permits: Arc<Semaphore>,
    ) -> Result<(), JoinError> {
        let mut calls = JoinSet::new();
        let mut more = true;
        loop {
            let resume = self.pace.resume();
            let ready = Instant::now() >= resume;
            let room = calls.len() < self.pace.calls();
            let waiting = !self.retries.is_empty() || self.fresh.is_some();
            tokio::select! {
                biased;
                Some(done) = calls.join_next(), if !calls.is_empty() => {
                    let (batch, started, answer) = done?;
                    self.finish(batch, answer, started, calls.len() + 1);
                }
                () = sleep_until(resume.into()), if waiting && !ready => {}
                Ok(permit) = permits.clone().acquire_owned(), if waiting && ready && room => {
                    if let Some(batch) = self.retries.pop_front().or_else(|| self.fresh.take()) {
                        calls.spawn(call(self.sink.clone(), batch, permit));
                    }
                }
                batch = batches.recv(), if more && self.fresh.is_none() => {
                    more = batch.is_some();
                    self.fresh = batch;
                }
                else => return Ok(()),
            }
        }
    }

    fn finish(&mut self, mut batch: Batch, answer: Answer, started: Instant, calls: usize) {
        let total = batch.len();
        let trouble = match answer {
            Err(error) => Some((matches!(error, PutError::Refused(_)), error.to_string())),
            Ok(answers) => {
                batch.acknowledge(|index| answers[index].is_some(), &self.running);
                add(&self.running.counters.sent, (total - batch.len()) as u64);
                answers.into_iter().flatten().next().map(|first| (false, first))
            }
        };
        let failed = if total == 0 { 0.0 } else { batch.len() as f64 / total as f64 };
        self.pace.record(failed, started, calls, rand::rng().random_range(-1.0..=1.0), Instant::now());
        if let Some((refused, text)) = trouble {
            self.report(refused, &text, batch.len(), total);
        }
        if batch.is_empty() {
            self.running.budget.give_back(batch.bytes);
        } else {
            self.retries.push_back(batch);
        }
    }

    fn report(&mut self, refused: bool, text: &str, failed: usize, total: usize) {
        let flow = &self.running.flow;
        let (id, stream) = (&flow.id, flow.destination.stream());
        if self.last_trouble.is_some_and(|last| last.elapsed() < TROUBLE_PERIOD) {
            return debug!("{id}: {failed} of {total} records failed: {text}");
        }
        self.last_trouble = Some(Instant::now());
        if refused {
            error!("flow {id}: stream `{stream}` refused {total} records, they are kept and tried again: {text}");
        } else {
            warn!("flow {id}: {failed} of {total} records failed at stream `{stream}`, they are tried again: {text}");
        }
    }
}

async fn call(sink: Arc<dyn Sink>, batch: Batch, permit: OwnedSemaphorePermit) -> (Batch, Instant, Answer) {
    let started = Instant::now();
    let answer = sink.put(batch.to_records()).await;
    drop(permit);
    (batch, started, answer)
}
