//! How fast a flow calls its destination: pauses after failures, fewer calls at once when it pushes back.

use std::time::{Duration, Instant};

/// Calls at once before the destination has shown how many it takes.
const FIRST_CALLS: usize = 8;
/// Jitter of the back-off, either way (the original's).
const JITTER: f64 = 0.3;

/// The pace of a flow.
#[derive(Debug)]
pub struct Pace {
    backoff: Backoff,
    calls: usize,
    resume: Instant,
    last_failure: Instant,
}

impl Pace {
    /// Nothing has failed yet.
    pub fn new(initial: Duration, max: Duration, now: Instant) -> Pace {
        Pace { backoff: Backoff::new(initial, max), calls: FIRST_CALLS, resume: now, last_failure: now }
    }

    /// No call before this.
    pub fn resume(&self) -> Instant {
        self.resume
    }

    /// Calls at once.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// A call that started at `started`, one of `calls` at once, has ended; `failed` of its records were not stored (0.0 to
    /// 1.0); `jitter` from -1 to 1.
    pub fn record(&mut self, failed: f64, started: Instant, calls: usize, jitter: f64, now: Instant) {
        if failed == 0.0 {
            self.backoff.record(0.0);
            // A success cuts the pause short.
            self.resume = now;
            if calls >= self.calls {
                self.calls += 1;
            }
        } else if started >= self.last_failure {
            self.backoff.record(failed);
            self.resume = now + self.backoff.delay(jitter);
            self.last_failure = now;
            self.calls = (self.calls.min(calls) / 2).max(1);
        }
        // A call that was under way when another one failed says nothing new: a burst would count as many failures in a row.
    }
}

/// The original's back-off: a number of failures that grows with each, falls to a tenth with a success.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Backoff {
    initial: Duration,
    max: Duration,
    failures: f64,
}

impl Backoff {
    /// No failures yet.
    fn new(initial: Duration, max: Duration) -> Backoff {
        Backoff { initial, max, failures: 0.0 }
    }

    /// `failed` of the records of a call failed, 1.0 for the whole call; 0.0 is a success.
    fn record(&mut self, failed: f64) {
        if failed > 0.0 {
            self.failures += failed;
        } else {
            self.failures = if self.failures / 10.0 < 1.0 { 0.0 } else { self.failures / 10.0 };
        }
    }

    /// The pause before the next call; `jitter` from -1 to 1.
    fn delay(&self, jitter: f64) -> Duration {
        if self.failures <= 0.0 {
            return Duration::ZERO;
        }
        // Below one whole failure in proportion: a few refused records of a call must not cost half the first pause.
        let factor = if self.failures < 1.0 { self.failures } else { (self.failures - 1.0).exp2() };
        let seconds = self.initial.as_secs_f64() * factor;
        Duration::from_secs_f64(seconds.min(self.max.as_secs_f64()) * (1.0 + JITTER * jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shard that takes 1,000 records a second and calls of 100 records: most of that gets through, in few calls.
    #[test]
    fn keeps_a_throttled_stream_busy() {
        const STEP: Duration = Duration::from_millis(10);
        let start = Instant::now();
        let mut pace = Pace::new(Duration::from_millis(100), Duration::from_secs(10), start);
        let (mut now, mut tokens, mut stored, mut sent) = (start, 1_000.0_f64, 0.0, 0.0);
        let mut under_way: Vec<Instant> = Vec::new();
        while now < start + Duration::from_secs(20) {
            let calls = under_way.len();
            for (ended, started) in under_way.drain(..).enumerate() {
                let taken = tokens.min(100.0).floor();
                (tokens, stored, sent) = (tokens - taken, stored + taken, sent + 100.0);
                pace.record(1.0 - taken / 100.0, started, calls - ended, 0.0, now);
            }
            if now >= pace.resume() {
                under_way.resize(pace.calls(), now);
            }
            now += STEP;
            tokens = (tokens + 10.0).min(1_000.0);
        }
        assert!(stored > 18_000.0, "{stored} records stored");
        assert!(sent < 3.0 * stored, "{sent} records sent for {stored}");
    }

    #[test]
    fn fewer_calls_after_a_burst_that_failed_and_more_again() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut pace = Pace::new(Duration::from_millis(100), Duration::from_secs(10), now);
        (1..=8).rev().for_each(|calls| pace.record(1.0, now, calls, 0.0, later));
        assert_eq!((pace.calls(), pace.resume()), (4, later + Duration::from_millis(100)));
        pace.record(1.0, later, 1, 0.0, later);
        assert_eq!((pace.calls(), pace.resume()), (1, later + Duration::from_millis(200)));
        pace.record(0.0, later, 1, 0.0, later);
        assert_eq!((pace.calls(), pace.resume()), (2, later));
        pace.record(0.0, later, 1, 0.0, later);
        assert_eq!(pace.calls(), 2, "not all were used");
    }

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
