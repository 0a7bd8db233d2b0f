//! How long to wait before something is tried again.

/// The delays between attempts, ms. Lambda's own by default; tests shorten them ([`super::Pool::set_timing`]).
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Before the second and the third attempt of an asynchronous event that failed (Lambda developer guide: one minute, then
    /// two).
    pub async_retries: [i64; 2],
    /// Before an event is tried again that could not be run: the first delay, doubled each time up to the second (Lambda
    /// developer guide: 1 second to 5 minutes).
    pub throttled: [i64; 2],
    /// Before a batch of a stream is tried again: the first delay, doubled up to the second (ours: Lambda gives no numbers).
    pub stream_retries: [i64; 2],
}

impl Default for Timing {
    fn default() -> Self {
        Timing { async_retries: [60_000, 120_000], throttled: [1_000, 300_000], stream_retries: [200, 30_000] }
    }
}

/// The `n`-th delay (from 0) of a series that doubles from `[first, …]` up to `[…, most]`.
pub fn back_off([first, most]: [i64; 2], n: u32) -> i64 {
    first.saturating_mul(1 << n.min(30)).clamp(first.min(most), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_back_off_doubles_and_is_bounded() {
        for (n, expected) in [(0, 1_000), (1, 2_000), (5, 32_000), (9, 300_000), (40, 300_000), (u32::MAX, 300_000)] {
            assert_eq!(back_off([1_000, 300_000], n), expected, "{n}");
        }
    }
}
