//! Buffering by size and by interval: the first one wins.

/// Default of `SizeInMBs` for S3 (BufferingHints, Firehose API).
pub const DEFAULT_SIZE_MB: u64 = 5;

/// Default of `IntervalInSeconds` for S3 (BufferingHints, Firehose API).
pub const DEFAULT_INTERVAL_SECONDS: u64 = 300;

/// Least `SizeInMBs` (BufferingHints, Firehose API).
pub const MIN_SIZE_MB: u64 = 1;

/// Greatest `SizeInMBs` (BufferingHints, Firehose API).
pub const MAX_SIZE_MB: u64 = 128;

/// Greatest `IntervalInSeconds`; 0 delivers at once (BufferingHints, Firehose API).
pub const MAX_INTERVAL_SECONDS: u64 = 900;

const MB: u64 = 1024 * 1024;

/// Hints outside what Firehose takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {value}: expected {min} to {max}")]
pub struct HintsError {
    what: &'static str,
    value: u64,
    min: u64,
    max: u64,
}

/// When a buffer is due, and what must never be in one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hints {
    /// Bytes from which on it is due; counted before compression.
    pub size: u64,
    /// Milliseconds from its first record on.
    pub interval_ms: i64,
    /// Bytes that a batch never exceeds unless a single record does: the limit of a request that carries it.
    pub cap: u64,
}

impl Default for Hints {
    fn default() -> Self {
        Hints::from_bytes(DEFAULT_SIZE_MB * MB, DEFAULT_INTERVAL_SECONDS)
    }
}

impl Hints {
    /// The `BufferingHints` of an S3 destination.
    pub fn new(size_mb: u64, interval_seconds: u64) -> Result<Hints, HintsError> {
        within("SizeInMBs", size_mb, MIN_SIZE_MB, MAX_SIZE_MB)?;
        within("IntervalInSeconds", interval_seconds, 0, MAX_INTERVAL_SECONDS)?;
        Ok(Hints::from_bytes(size_mb * MB, interval_seconds))
    }

    /// Hints of any size, without a cap.
    pub fn from_bytes(size: u64, interval_seconds: u64) -> Hints {
        Hints { size, interval_ms: interval_seconds as i64 * 1000, cap: u64::MAX }
    }

    /// The same hints for batches that travel in a request of at most `cap` bytes.
    pub fn with_cap(self, cap: u64) -> Hints {
        Hints { cap, ..self }
    }
}

fn within(what: &'static str, value: u64, min: u64, max: u64) -> Result<(), HintsError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(HintsError { what, value, min, max }) }
}

/// What is to be done with a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet; by this instant (epoch ms) the buffer is due. `None` with nothing in it.
    Wait(Option<i64>),
    /// What is in it is a batch, the record just offered included.
    Flush,
    /// What is in it is a batch; the record just offered did not fit under the cap and is to be offered again after it.
    FlushBefore,
}

/// What waits. Rebuilt from durable rows with [`Buffer::resume`] or filled record by record with [`Buffer::offer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    hints: Hints,
    records: u64,
    bytes: u64,
    since: i64,
}

impl Buffer {
    /// Nothing in it.
    pub fn new(hints: Hints) -> Buffer {
        Buffer { hints, records: 0, bytes: 0, since: 0 }
    }

    /// A buffer that cuts a batch from a backlog: only size and cap matter, however old the records are.
    pub fn cut(hints: Hints) -> Buffer {
        Buffer::new(Hints { interval_ms: i64::MAX, ..hints })
    }

    /// As it stands: `records` of `bytes` together, the first of which came at `since` (epoch ms).
    pub fn resume(hints: Hints, records: u64, bytes: u64, since: i64) -> Buffer {
        Buffer { hints, records, bytes, since }
    }

    /// Records in it.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes in it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A record of `bytes` that came at `now` (epoch ms).
    pub fn offer(&mut self, bytes: u64, now: i64) -> Decision {
        if self.records > 0 && self.bytes.saturating_add(bytes) > self.hints.cap {
            return Decision::FlushBefore;
        }
        if self.records == 0 {
            self.since = now;
        }
        self.records += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.tick(now)
    }

    /// Whether it is due at `now` (epoch ms).
    pub fn tick(&self, now: i64) -> Decision {
        if self.records == 0 {
            return Decision::Wait(None);
        }
        let due = self.since.saturating_add(self.hints.interval_ms);
        if self.bytes >= self.hints.size || now >= due { Decision::Flush } else { Decision::Wait(Some(due)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offers sizes at instants to a buffer of 100 bytes, 1 s and a cap of 150.
    fn check(offers: &[(u64, i64, Decision)]) {
        let mut buffer = Buffer::new(Hints::from_bytes(100, 1).with_cap(150));
        for (index, (bytes, now, expected)) in offers.iter().enumerate() {
            assert_eq!(buffer.offer(*bytes, *now), *expected, "offer {index} of {offers:?}");
        }
    }

    #[test]
    fn size_or_age_flushes_and_the_cap_is_never_passed() {
        use Decision::*;
        check(&[(10, 0, Wait(Some(1000))), (10, 999, Wait(Some(1000))), (10, 1000, Flush)]);
        check(&[(99, 5, Wait(Some(1005))), (1, 6, Flush)]);
        check(&[(100, 0, Flush)]);
        check(&[(99, 0, Wait(Some(1000))), (52, 1, FlushBefore)]);
        check(&[(99, 0, Wait(Some(1000))), (51, 1, Flush)]);
        // A record above the cap goes alone: refusing it for ever would stop the stream.
        check(&[(400, 0, Flush), (1, 1, FlushBefore)]);
        check(&[(0, 7, Wait(Some(1007))), (0, 1007, Flush)]);
    }

    #[test]
    fn ticks_look_at_the_first_record() {
        let hints = Hints::from_bytes(100, 1);
        for (records, bytes, since, now, expected) in [
            (0, 0, 0, 5000, Decision::Wait(None)),
            (1, 1, 100, 1099, Decision::Wait(Some(1100))),
            (1, 1, 100, 1100, Decision::Flush),
            (9, 100, 100, 100, Decision::Flush),
        ] {
            assert_eq!(Buffer::resume(hints, records, bytes, since).tick(now), expected, "{records} {bytes} {now}");
        }
        let at_once = Hints::new(1, 0).unwrap();
        assert!(matches!(Buffer::cut(at_once).offer(1, 50), Decision::Wait(_)));
        assert_eq!(Buffer::new(at_once).offer(1, 50), Decision::Flush);
    }

    #[test]
    fn hints_are_within_what_firehose_takes() {
        assert_eq!(Hints::default(), Hints::new(5, 300).unwrap());
        assert!(Hints::new(1, 0).is_ok() && Hints::new(128, 900).is_ok());
        for (size, interval, message) in [
            (0, 60, "SizeInMBs is 0: expected 1 to 128"),
            (129, 60, "SizeInMBs is 129: expected 1 to 128"),
            (5, 901, "IntervalInSeconds is 901: expected 0 to 900"),
        ] {
            assert_eq!(Hints::new(size, interval).unwrap_err().to_string(), message);
        }
    }
}
