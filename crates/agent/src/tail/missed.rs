//! Files that came and were rotated out of the pattern while the agent was down: the pattern says `app.log`, the file is
//! `app.log.1` by now and was never seen under its first name.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::Instant;

use tracing::info;

use super::Tailer;
use crate::checkpoint::Entry;
use crate::fingerprint::Known;
use crate::pattern::is_compressed;

/// Nanoseconds of a second: times of birth have them, times of checkpoints do not.
const NANOS: u64 = 1_000_000_000;

/// What tells a missed file from any other.
pub(super) struct Missed {
    /// Paths under which files of the pattern live.
    live: HashSet<PathBuf>,
    /// Inodes of the checkpoint.
    known: Vec<Known>,
    /// When the checkpoint was written, in seconds since 1970. Every file older than that is in it, or was none of ours.
    since: u64,
}

impl Missed {
    /// From the files there are and those of the checkpoint; `None`: the checkpoint has none, so it says nothing of its time.
    pub fn new<'a>(listed: impl Iterator<Item = &'a Path>, entries: &'a [Entry]) -> Option<Missed> {
        let since = entries.iter().map(|entry| entry.seen).max()?;
        let named = entries.iter().filter(|entry| !entry.rotated).map(|entry| entry.path.as_path());
        Some(Missed {
            live: listed.chain(named).map(Path::to_owned).collect(),
            known: entries.iter().map(Entry::known).collect(),
            since: u64::try_from(since).unwrap_or(0),
        })
    }

    fn is_missed(&self, path: &Path, metadata: &Metadata) -> bool {
        let known = &Known::of(metadata);
        // Changed before it was made: an old file that was unpacked or copied here.
        let is_old = metadata.modified().ok() < metadata.created().ok();
        // A birth of 0 is unknown.
        !is_old
            && known.born / NANOS >= self.since.max(1)
            && !self.known.iter().any(|other| other.same(known))
            && live_names(path).any(|name| self.live.contains(&name))
    }
}

/// The names that a file may have been rotated from: `app.log` for `app.log.1`, `app.log-20260101` or `app.log_2026.01`.
fn live_names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_cut = |pair: &[u8]| b".-_".contains(&pair[0]) && pair[1].is_ascii_digit();
    let cuts: Vec<usize> =
        name.as_bytes().windows(2).enumerate().filter(|(_, p)| is_cut(p)).map(|(at, _)| at).collect();
    cuts.into_iter().map(move |at| path.with_file_name(&name[..at]))
}

impl Tailer {
    /// Reads them from their starts.
    pub(super) fn follow_missed(&mut self, missed: &Missed) {
        let directories: HashSet<&Path> = missed.live.iter().filter_map(|path| path.parent()).collect();
        let siblings = directories.into_iter().filter_map(|directory| fs::read_dir(directory).ok()).flatten().flatten();
        for path in siblings.map(|sibling| sibling.path()).filter(|path| !is_compressed(path)) {
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let known = Known::of(&metadata);
            if !metadata.is_file()
                || !missed.is_missed(&path, &metadata)
                || self.files.iter().any(|file| file.known.same(&known))
            {
                continue;
            }
            info!("{} was made and rotated since the checkpoint: read from its start", path.display());
            if let Some(file) = self.open_at(&path, 0, |_, _| Ok(0)) {
                file.departed = Some(Instant::now());
                // It may be a copy of a file that was truncated.
                file.fresh = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_before_a_rotation() {
        let check = |path: &str, expected: &[&str]| {
            let names: Vec<_> = live_names(path.as_ref()).map(|path| path.display().to_string()).collect();
            assert_eq!(names, expected, "{path}");
        };
        check("/l/app.log.1", &["/l/app.log"]);
        check("/l/app.log-20260101", &["/l/app.log"]);
        check("/l/app.log.2026-01-02", &["/l/app.log", "/l/app.log.2026", "/l/app.log.2026-01"]);
        check("/l/app.log", &[]);
        check("/l/app.log.old", &[]);
        check("/l/app.log.", &[]);
    }
}
