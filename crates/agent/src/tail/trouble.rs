//! Warnings about single records.

use std::cmp::Ordering;
use std::fmt;
use std::time::{Duration, Instant};

use tracing::{debug, warn};

/// Warnings of a flow in a second; the rest are counted in the progress lines.
const RECORD_WARNINGS: u32 = 5;

/// Warnings about single records, at most so many a second: a format that matches no line must not fill the disk.
#[derive(Default)]
pub struct Trouble {
    second: Option<Instant>,
    reported: u32,
}

impl Trouble {
    /// A warning, or a debug line when there were too many.
    pub fn report(&mut self, line: fmt::Arguments<'_>) {
        let now = Instant::now();
        if self.second.is_none_or(|second| now - second >= Duration::from_secs(1)) {
            *self = Trouble { second: Some(now), reported: 0 };
        }
        self.reported += 1;
        match self.reported.cmp(&RECORD_WARNINGS) {
            Ordering::Less => warn!("{line}"),
            Ordering::Equal => warn!("{line} (further ones of this second at level debug)"),
            Ordering::Greater => debug!("{line}"),
        }
    }
}
