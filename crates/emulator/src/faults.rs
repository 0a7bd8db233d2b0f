//! `--inject SEED`: services that fail by rule, for tests.

/// Decides, from a seed, which request fails and how.
pub struct Faults {
    _seed: Option<u64>,
}

impl Faults {
    /// No faults without a seed.
    pub fn new(seed: Option<u64>) -> Self {
        Faults { _seed: seed }
    }
}
