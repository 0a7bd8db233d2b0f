//! Line ids that were counted, as ranges of bytes per file.
//!
//! The agent's `recordIdField` gives each line `<file>-<start>-<end>` (docs/agent.md). Lines of a file come nearly in order, so what
//! was counted of a file is one range and a few pieces after it. Ids of another shape tell nothing and are counted each time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A file that no line came of for this long (stream time, ms) is forgotten: longer than any queue or retry holds a line back.
pub const KEPT_MS: i64 = 15 * 24 * 60 * 60 * 1000;

/// Files that are remembered; beyond, those untouched for longest are forgotten.
pub const MAX_FILES: usize = 4096;

/// Pieces of a file that are remembered; beyond, the lowest are forgotten: a repeat is a line that was read lately.
pub const MAX_RANGES: usize = 256;

/// Pieces of all files together (12 bytes to 30 each in the head); beyond, files untouched for longest are forgotten.
pub const MAX_ALL_RANGES: usize = 32_768;

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    files: BTreeMap<String, File>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    /// ROWTIME of its last line.
    touched: i64,
    /// Ascending, apart from each other.
    ranges: Vec<(u64, u64)>,
}

/// A line's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineId<'a> {
    file: &'a str,
    start: u64,
    end: u64,
}

impl LineId<'_> {
    /// Reads `<file>-<start>-<end>`.
    pub fn parse(id: &str) -> Option<LineId<'_>> {
        let (rest, end) = id.rsplit_once('-')?;
        let (file, start) = rest.rsplit_once('-')?;
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
        let (start, end) = (number(start)?, number(end)?);
        (!file.is_empty() && start < end).then_some(LineId { file, start, end })
    }
}

impl Seen {
    /// Notes a line at this time; whether it is a repeat, all of it counted before.
    pub fn note(&mut self, id: LineId<'_>, at: i64) -> bool {
        let file = match self.files.get_mut(id.file) {
            Some(file) => file,
            None => self.files.entry(id.file.to_owned()).or_default(),
        };
        file.touched = file.touched.max(at);
        file.note(id.start, id.end)
    }

    /// Forgets what is too old or too much; how many pieces of files that may still come again.
    pub fn trim(&mut self, now: i64) -> usize {
        self.files.retain(|_, file| file.touched > now.saturating_sub(KEPT_MS));
        let mut forgotten = 0;
        for file in self.files.values_mut() {
            let excess = file.ranges.len().saturating_sub(MAX_RANGES);
            file.ranges.drain(..excess);
            forgotten += excess;
        }
        let mut pieces: usize = self.files.values().map(|file| file.ranges.len()).sum();
        if self.files.len() > MAX_FILES || pieces > MAX_ALL_RANGES {
            let mut oldest: Vec<(i64, String)> =
                self.files.iter().map(|(name, file)| (file.touched, name.clone())).collect();
            oldest.sort_unstable();
            for (_, name) in oldest {
                if self.files.len() <= MAX_FILES && pieces <= MAX_ALL_RANGES {
                    break;
                }
                let gone = self.files.remove(&name).map_or(0, |file| file.ranges.len());
                pieces -= gone;
                forgotten += gone;
            }
        }
        forgotten
    }
}

impl File {
    fn note(&mut self, start: u64, end: u64) -> bool {
        // The pieces that touch the line: those from `first` that begin at or before its end.
        let first = self.ranges.partition_point(|range| range.1 < start);
        let after = first + self.ranges[first..].partition_point(|range| range.0 <= end);
        let touching = &self.ranges[first..after];
        if touching.iter().any(|range| range.0 <= start && end <= range.1) {
            return true;
        }
        let joined = touching.iter().fold((start, end), |all, range| (all.0.min(range.0), all.1.max(range.1)));
        self.ranges.splice(first..after, [joined]);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        assert_eq!(LineId::parse("a1b2-0-17"), Some(LineId { file: "a1b2", start: 0, end: 17 }));
        assert_eq!(LineId::parse("a-b-5-9").map(|id| id.file), Some("a-b"));
        for other in ["", "a", "a-1", "-1-2", "a-2-2", "a-3-2", "a-x-2", "a-+1-2", "a-1-99999999999999999999"] {
            assert_eq!(LineId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn ranges_join() {
        let mut file = File::default();
        let mut check = |start, end, repeat, ranges: &[(u64, u64)]| {
            assert_eq!(file.note(start, end), repeat, "{start}-{end}");
            assert_eq!(file.ranges, ranges, "{start}-{end}");
        };
        check(10, 20, false, &[(10, 20)]);
        check(10, 20, true, &[(10, 20)]);
        check(30, 40, false, &[(10, 20), (30, 40)]);
        check(0, 5, false, &[(0, 5), (10, 20), (30, 40)]);
        check(20, 30, false, &[(0, 5), (10, 40)]);
        check(12, 35, true, &[(0, 5), (10, 40)]);
        check(5, 10, false, &[(0, 40)]);
        // Cut otherwise the second time: only what lies in counted bytes is a repeat.
        check(38, 44, false, &[(0, 44)]);
    }

    #[test]
    fn like_a_set_of_bytes() {
        let mut file = File::default();
        let mut set = std::collections::BTreeSet::new();
        let mut random = 7u64;
        for _ in 0..5_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let start = (random >> 33) % 2_000;
            let end = start + 1 + (random >> 20) % 9;
            let repeat = (start..end).all(|byte| set.contains(&byte));
            assert_eq!(file.note(start, end), repeat, "{start}-{end}");
            set.extend(start..end);
            assert!(file.ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn old_and_many_are_forgotten() {
        let id = |file: &'static str, start, end| LineId { file, start, end };
        let mut seen = Seen::default();
        seen.note(id("old", 0, 1), 0);
        seen.note(id("new", 0, 1), 1);
        assert_eq!(seen.trim(KEPT_MS), 0);
        assert!(seen.note(id("new", 0, 1), KEPT_MS) && !seen.note(id("old", 0, 1), KEPT_MS));
        for piece in 0..300 {
            seen.note(id("new", piece * 10, piece * 10 + 2), KEPT_MS);
        }
        assert_eq!(seen.trim(KEPT_MS), 300 - MAX_RANGES);
        assert!(seen.note(id("new", 2_990, 2_992), KEPT_MS) && !seen.note(id("new", 0, 1), KEPT_MS));
        for file in 0..MAX_FILES as u64 {
            let file = format!("f{file}");
            seen.note(LineId { file: &file, start: 0, end: 1 }, KEPT_MS + 1);
        }
        seen.trim(KEPT_MS + 1);
        assert_eq!(seen.files.len(), MAX_FILES);
        assert!(!seen.files.contains_key("new"));
    }
}
