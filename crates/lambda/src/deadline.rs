//! When Lambda ends an invocation.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The moment at which an invocation is ended, whatever it is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// After this long from now.
    pub fn after(time: Duration) -> Deadline {
        Deadline(Instant::now() + time)
    }

    /// As the runtime tells it, by the wall clock: translated once, so that a clock that is set moves nothing.
    pub(crate) fn of_epoch_ms(ms: u64) -> Deadline {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Deadline::after(Duration::from_millis(ms).saturating_sub(now))
    }

    /// The time that is left.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let left = Deadline::of_epoch_ms(now + 60_000).remaining();
        assert!(left > Duration::from_secs(50) && left <= Duration::from_secs(61), "{left:?}");
        assert_eq!(Deadline::of_epoch_ms(now - 1).remaining(), Duration::ZERO);
        assert_eq!(Deadline::after(Duration::ZERO).remaining(), Duration::ZERO);
    }
}
