//! What the tailer, the sender and the reporter of one flow share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::checkpoint::Entry;
use crate::config::Flow;
use crate::fingerprint::Fingerprint;
use crate::positions::{FileKey, Positions};

/// Bytes of a flow read and not yet acknowledged. The original's bound is publishQueueCapacity alone: 100 × 4 MiB, its
/// out-of-memory complaint. Four full calls under way keep any stream busy (5 MiB/s is Firehose's limit).
const IN_FLIGHT_BYTES: usize = 16 << 20;

/// One flow while it runs.
#[derive(Debug)]
pub struct Running {
    /// Its configuration.
    pub flow: Flow,
    /// What it has done.
    pub counters: Counters,
    /// What may be in flight.
    pub budget: Budget,
    positions: Mutex<Positions>,
    /// A checkpoint is due now and not only when its period is over.
    urgent: Arc<Notify>,
    stop: AtomicBool,
    abort: AtomicBool,
}

impl Running {
    /// Not started yet. `urgent` is told when the next checkpoint should not wait.
    pub fn new(flow: Flow, urgent: Arc<Notify>) -> Running {
        let budget = Budget { capacity: flow.queue_capacity, used: Mutex::default(), changed: Condvar::new() };
        Running {
            flow,
            counters: Counters::default(),
            budget,
            positions: Mutex::default(),
            urgent,
            stop: AtomicBool::new(false),
            abort: AtomicBool::new(false),
        }
    }

    /// The flow's positions. Held for moments only.
    pub fn positions(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file, or a file's next life, that is read from now on. A crash must find it again though it is renamed by then.
    pub fn follow(&self, entry: Entry) -> FileKey {
        let key = self.positions().follow(entry);
        self.urgent.notify_one();
        key
    }

    /// A longer fingerprint of a file: without it, a crash would take the file's next life for this one.
    pub fn recognise(&self, key: FileKey, fingerprint: Fingerprint) {
        self.positions().identify(key, |entry| entry.fingerprint = fingerprint);
        self.urgent.notify_one();
    }

    /// Reading stops; what is read is still sent.
    pub fn stop(&self) {
        self.stop.store(true, Relaxed);
        self.budget.changed.notify_all();
    }

    /// The tailer ends at once.
    pub fn abort(&self) {
        self.abort.store(true, Relaxed);
        self.stop();
    }

    /// Whether reading is over.
    pub fn is_stopping(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// Whether not even what is read shall be handed on.
    pub fn is_aborted(&self) -> bool {
        self.abort.load(Relaxed)
    }
}

/// Back-pressure: the batches and bytes in flight.
#[derive(Debug)]
pub struct Budget {
    capacity: usize,
    used: Mutex<Used>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Used {
    batches: usize,
    bytes: usize,
}

impl Budget {
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the room for a batch; a first one always has it.
    pub fn take(&self, bytes: usize) -> bool {
        let mut used = self.used();
        let room = used.batches < self.capacity && used.bytes + bytes <= IN_FLIGHT_BYTES;
        if room || used.batches == 0 {
            used.batches += 1;
            used.bytes += bytes;
            return true;
        }
        false
    }

    /// Gives the room of a batch back.
    pub fn give_back(&self, bytes: usize) {
        let mut used = self.used();
        used.batches -= 1;
        used.bytes -= bytes;
        self.changed.notify_all();
    }

    /// Sleeps until something is given back, the flow stops, or the time is over.
    pub fn wait(&self, at_most: Duration) {
        // Waking early for no reason is harmless: it is one more look at the files.
        drop(self.changed.wait_timeout(self.used(), at_most));
    }
}

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Records found in the files.
    pub parsed: AtomicU64,
    /// Their bytes.
    pub bytes: AtomicU64,
    /// Made by converters.
    pub transformed: AtomicU64,
    /// Dropped by converters.
    pub skipped: AtomicU64,
    /// Acknowledged.
    pub sent: AtomicU64,
    /// Cut to the record limit.
    pub truncated: AtomicU64,
    /// Sent as they were because a converter failed.
    pub raw: AtomicU64,
    /// Without the id that the flow asks for.
    pub without_id: AtomicU64,
    /// Bytes in the files not read yet, at the last look.
    pub bytes_behind: AtomicU64,
    /// Files not begun, at the last look.
    pub files_behind: AtomicU64,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Relaxed);
}

/// Reads a counter.
pub fn get(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}

/// Sets a counter.
pub fn set(counter: &AtomicU64, value: u64) {
    counter.store(value, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_bounded_by_batches_and_bytes() {
        let budget = Budget { capacity: 2, used: Mutex::default(), changed: Condvar::new() };
        assert!(budget.take(2 * IN_FLIGHT_BYTES), "a first one always goes");
        assert!(!budget.take(1));
        budget.give_back(2 * IN_FLIGHT_BYTES);
        assert!(budget.take(1) && budget.take(1) && !budget.take(1));
        budget.give_back(1);
        assert!(!budget.take(IN_FLIGHT_BYTES) && budget.take(IN_FLIGHT_BYTES - 1));
    }
}
