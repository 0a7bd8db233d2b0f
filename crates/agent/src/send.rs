//! From batches to calls: several at once, retries first, back-off after failures, nothing ever dropped.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, error, warn};

use crate::batch::Batch;
use crate::flow::{Running, add};
use crate::sink::{PutError, Sink};

/// The same trouble of a flow is logged at most so often.
const TROUBLE_PERIOD: Duration = Duration::from_secs(10);
/// Jitter of the back-off, either way (the original's).
const JITTER: f64 = 0.3;

/// The original's back-off: a number of failures that grows with each, falls to a tenth with a success.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    failures: f64,
}

impl Backoff {
    /// No failures yet.
    pub fn new(initial: Duration, max: Duration) -> Backoff {
        Backoff { initial, max, failures: 0.0 }
    }

    /// `failed` of the records of a call failed, 1.0 for the whole call; 0.0 is a success.
    pub fn record(&mut self, failed: f64) {
        if failed > 0.0 {
            self.failures += failed;
        } else {
            self.failures = if self.failures / 10.0 < 1.0 { 0.0 } else { self.failures / 10.0 };
        }
    }

    /// The pause before the next call; `jitter` from -1 to 1.
    pub fn delay(&self, jitter: f64) -> Duration {
        if self.failures <= 0.0 {
            return Duration::ZERO;
        }
        // Below one whole failure in proportion: a few refused records of a call must not cost half the first pause.
        let factor = if self.failures < 1.0 { self.failures } else { (self.failures - 1.0).exp2() };
        let seconds = self.initial.as_secs_f64() * factor;
        Duration::from_secs_f64(seconds.min(self.max.as_secs_f64()) * (1.0 + JITTER * jitter))
    }
}

/// The sender of a flow.
pub struct Sender {
    running: Arc<Running>,
    sink: Arc<dyn Sink>,
    retries: VecDeque<Batch>,
    fresh: Option<Batch>,
    backoff: Backoff,
    resume: Instant,
    last_trouble: Option<Instant>,
}

type Answer = Result<Vec<Option<String>>, PutError>;

impl Sender {
    /// Nothing to send yet.
    pub fn new(running: Arc<Running>, sink: Arc<dyn Sink>) -> Sender {
        let backoff = Backoff::new(running.flow.retry_initial, running.flow.retry_max);
        Sender {
            running,
            sink,
            retries: VecDeque::new(),
            fresh: None,
            backoff,
            resume: Instant::now(),
            last_trouble: None,
        }
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
            let ready = Instant::now() >= self.resume;
            let waiting = !self.retries.is_empty() || self.fresh.is_some();
            tokio::select! {
                biased;
                Some(done) = calls.join_next(), if !calls.is_empty() => {
                    let (batch, answer) = done?;
                    self.finish(batch, answer);
                }
                () = sleep_until(self.resume), if waiting && !ready => {}
                Ok(permit) = permits.clone().acquire_owned(), if waiting && ready => {
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

    fn finish(&mut self, mut batch: Batch, answer: Answer) {
        let total = batch.len();
        let trouble = match answer {
            Err(error) => Some((matches!(error, PutError::Refused(_)), error.to_string())),
            Ok(answers) => {
                batch.acknowledge(|index| answers[index].is_some(), &self.running);
                add(&self.running.counters.sent, (total - batch.len()) as u64);
                answers.into_iter().flatten().next().map(|first| (false, first))
            }
        };
        self.backoff.record(if total == 0 { 0.0 } else { batch.len() as f64 / total as f64 });
        self.resume = Instant::now() + self.backoff.delay(rand::rng().random_range(-1.0..=1.0));
        if let Some((refused, text)) = trouble {
            self.report(refused, &text, batch.len(), total);
        }
        if batch.is_empty() {
            // A success cuts the pause short.
            self.resume = Instant::now();
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

async fn call(sink: Arc<dyn Sink>, batch: Batch, permit: OwnedSemaphorePermit) -> (Batch, Answer) {
    let answer = sink.put(batch.to_records()).await;
    drop(permit);
    (batch, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_table() {
        let check = |failures: &[f64], jitter: f64, millis: u64| {
            let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(10));
            failures.iter().for_each(|failed| backoff.record(*failed));
            assert_eq!(backoff.delay(jitter).as_millis() as u64, millis, "{failures:?} {jitter}");
        };
        check(&[], 0.0, 0);
        check(&[1.0], 0.0, 100);
        check(&[1.0], 1.0, 130);
        check(&[1.0], -1.0, 70);
        check(&[1.0, 1.0], 0.0, 200);
        check(&[1.0, 1.0, 1.0, 0.5, 0.5], 0.0, 800);
        check(&[1.0; 8], 0.0, 10_000);
        check(&[1.0; 5_000], 1.0, 13_000);
        check(&[0.5], 0.0, 50);
        check(&[0.01], 0.0, 1);
        check(&[1.0, 1.0, 0.0], 0.0, 0);
        check(&[&[1.0; 20][..], &[0.0]].concat(), 0.0, 200);
        check(&[&[1.0; 20][..], &[0.0, 0.0]].concat(), 0.0, 0);
    }
}
