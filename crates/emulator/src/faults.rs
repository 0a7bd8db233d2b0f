//! `--inject SEED`: services that fail by rule, for tests of whatever must survive them.
//!
//! Every request draws from one seeded sequence, so a seed gives the same mix of faults each time (which request meets which
//! depends on the order they come in). The emulator's own inner calls (notifications, deliveries) never fail this way; the
//! invocations of functions do, as Lambda throttles them.

use std::sync::Mutex;
use std::time::Duration;

use http::StatusCode;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::error::ApiError;

/// Shares of requests, in thousandths, that meet each fault. Together 12 %: a test sees all of them within a few hundred
/// requests, and the SDKs' three tries still get nearly everything through.
const RULES: &[(u32, Fault)] = &[
    (25, Fault::Throttle),
    (15, Fault::Internal),
    (15, Fault::Unavailable),
    (10, Fault::ResetBefore),
    (15, Fault::ResetAfter),
    (40, Fault::Slow),
];

/// Share of batch calls of which some entries fail, in thousandths.
const PARTIAL_BATCHES: u32 = 50;

/// Share of the entries that fail in such a batch, in thousandths.
const PARTIAL_ENTRIES: u32 = 300;

/// Share of invocations that Lambda throttles, in thousandths.
const THROTTLED_INVOCATIONS: u32 = 20;

/// The longest a slow answer is kept back.
const MAX_SLOW_MS: u64 = 400;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The service's own throttling error; nothing was done.
    Throttle,
    /// 500; nothing was done.
    Internal,
    /// 503; nothing was done.
    Unavailable,
    /// The connection is reset; nothing was done.
    ResetBefore,
    /// The request is carried out, and its answer lost.
    ResetAfter,
    /// The answer comes late.
    Slow,
}

/// Decides, from a seed, which request fails and how.
pub struct Faults {
    random: Option<Mutex<StdRng>>,
}

impl Faults {
    /// No faults without a seed.
    pub fn new(seed: Option<u64>) -> Self {
        Faults { random: seed.map(|seed| Mutex::new(StdRng::seed_from_u64(seed))) }
    }

    /// The fault of the next request, if it meets one.
    pub fn request(&self) -> Option<Fault> {
        let mut drawn = self.draw()?;
        RULES.iter().find_map(|(share, fault)| {
            if drawn < *share {
                return Some(*fault);
            }
            drawn -= share;
            None
        })
    }

    /// Which entries of the next batch call fail; empty when none do.
    pub fn entries(&self, count: usize) -> Vec<bool> {
        match self.draw() {
            Some(drawn) if drawn < PARTIAL_BATCHES => {
                (0..count).map(|_| self.draw().is_some_and(|drawn| drawn < PARTIAL_ENTRIES)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether Lambda throttles the next invocation.
    pub fn invocation(&self) -> bool {
        self.draw().is_some_and(|drawn| drawn < THROTTLED_INVOCATIONS)
    }

    /// How long the answer is kept back.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.draw().map_or(0, |drawn| u64::from(drawn) * MAX_SLOW_MS / 1000))
    }

    /// A number below 1,000.
    fn draw(&self) -> Option<u32> {
        let mut random = self.random.as_ref()?.lock().ok()?;
        Some(random.random_range(0..1000))
    }
}

/// The throttling error of a service, as its clients know it.
pub fn throttled(service: &str) -> ApiError {
    let (status, code) = match service {
        "firehose" => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException"),
        "kinesis" => (StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException"),
        "lambda" => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
        "s3" => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        "sqs" => (StatusCode::BAD_REQUEST, "RequestThrottled"),
        _ => (StatusCode::BAD_REQUEST, "ThrottlingException"),
    };
    ApiError::new(status, code, "injected fault: throttled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_and_all_of_them() {
        let run = |seed| {
            (0..1000)
                .map(|_| seed)
                .map({
                    let faults = Faults::new(seed);
                    move |_| faults.request()
                })
                .collect::<Vec<_>>()
        };
        let first = run(Some(7));
        assert_eq!(first, run(Some(7)));
        assert_ne!(first, run(Some(8)));
        for (_, fault) in RULES {
            assert!(first.contains(&Some(*fault)), "{fault:?}");
        }
        assert!(run(None).iter().all(Option::is_none));
    }
}
