//! One file being followed. It owns no buffer: what is not consumed is read again, so that an idle file costs nothing.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::checkpoint::Entry;
use crate::fingerprint::{self, Fingerprint, Known, read_full_at};
use crate::positions::FileKey;

/// A rotated file that has not grown for this long is at its end: what is left without a newline is sent.
pub const ROTATED_GRACE: Duration = Duration::from_secs(5);
/// A file out of the pattern's sight is let go when it has not grown for this long; a writer may still hold it.
pub const DEPARTED_GRACE: Duration = Duration::from_secs(60);
/// A file that has not grown for this long is closed (its directory is still looked at).
pub const IDLE_CLOSE: Duration = Duration::from_secs(300);
/// A file that has not grown for this long is looked at only each [`QUIET_POLL`] when there are many files.
pub const QUIET_AFTER: Duration = Duration::from_secs(10);
/// See [`QUIET_AFTER`].
pub const QUIET_POLL: Duration = Duration::from_secs(1);

/// A file and how far it was read.
#[derive(Debug)]
pub struct Followed {
    /// Its position.
    pub key: FileKey,
    /// Where it was seen last.
    pub path: PathBuf,
    /// Its inode.
    pub known: Known,
    /// Open, but for idle files. Keeps a renamed or deleted file readable.
    pub file: Option<File>,
    /// Its first bytes.
    pub fingerprint: Fingerprint,
    /// How often it was truncated.
    pub generation: u32,
    /// Everything below is consumed.
    pub offset: u64,
    /// The end of a record was looked for up to here.
    pub scanned: u64,
    /// Bytes to read at `offset` for one record.
    pub want: usize,
    /// Where passing over a record that was too long began.
    pub discarding_from: Option<u64>,
    /// Its size at the last look.
    pub size: u64,
    /// Its time of change at the last look.
    pub modified: Option<SystemTime>,
    /// When it was looked at last.
    pub polled: Instant,
    /// When it grew last.
    pub grown: Instant,
    /// Renamed since it was seen first.
    pub renamed: bool,
    /// Since when the pattern does not find it.
    pub departed: Option<Instant>,
    /// The footer was found: nothing more is read.
    pub ended: bool,
    /// It appeared while the agent ran and was not read yet: it may be a copy.
    pub fresh: bool,
    /// It looks like a copy of another file that may be truncated next: since when, and of which.
    pub held: Option<(Instant, FileKey)>,
    /// First part of its lines' ids.
    pub line_id: Option<String>,
    /// An error was reported and is not over.
    pub failing: bool,
}

/// What became of a file since the last look.
#[derive(Debug, PartialEq)]
pub enum Look {
    /// The same file, perhaps longer.
    Same,
    /// Truncated, and perhaps filled again.
    Truncated,
}

impl Followed {
    /// A file that was just opened, at an entry's position.
    pub fn new(key: FileKey, file: File, metadata: &Metadata, entry: &Entry) -> Followed {
        let now = Instant::now();
        Followed {
            key,
            path: entry.path.clone(),
            known: Known::of(metadata),
            file: Some(file),
            fingerprint: entry.fingerprint,
            generation: entry.generation,
            offset: entry.offset,
            scanned: entry.offset,
            want: 0,
            discarding_from: entry.discarding.then_some(entry.offset),
            size: metadata.len(),
            modified: None,
            polled: now,
            grown: now,
            renamed: entry.rotated,
            departed: None,
            ended: false,
            fresh: false,
            held: None,
            line_id: entry.line_id.clone(),
            failing: false,
        }
    }

    /// Looks at the open file.
    pub fn look(&mut self) -> io::Result<Look> {
        let Some(file) = &self.file else { return Ok(Look::Same) };
        let metadata = file.metadata()?;
        let now = Instant::now();
        self.polled = now;
        let modified = metadata.modified().ok();
        if metadata.len() < self.offset {
            return Ok(Look::Truncated);
        }
        if metadata.len() == self.size && modified == self.modified {
            return Ok(Look::Same);
        }
        if !self.fingerprint.matches(file)? {
            return Ok(Look::Truncated);
        }
        if metadata.len() != self.size {
            self.grown = now;
        }
        self.size = metadata.len();
        self.modified = modified;
        self.scanned = self.scanned.min(self.size);
        Ok(Look::Same)
    }

    /// A longer fingerprint, if there is one now.
    pub fn lengthen_fingerprint(&mut self) -> io::Result<bool> {
        let Some(file) = self.file.as_ref().filter(|_| self.fingerprint.is_short()) else { return Ok(false) };
        if self.size <= u64::from(self.fingerprint.length) {
            return Ok(false);
        }
        self.fingerprint = Fingerprint::of(file)?;
        Ok(true)
    }

    /// Whether there are bytes that no record was looked for in.
    pub fn has_news(&self) -> bool {
        !self.ended && self.held.is_none() && self.size > self.scanned.max(self.offset)
    }

    /// Whether what is left without its end will get none, so that it is sent as it is.
    pub fn is_over(&self) -> bool {
        (self.renamed || self.departed.is_some()) && self.grown.elapsed() >= ROTATED_GRACE
    }

    /// Bytes not read.
    pub fn behind(&self) -> u64 {
        if self.ended { 0 } else { self.size.saturating_sub(self.offset) }
    }

    /// The entry of this file as it is now, at its read position.
    pub fn entry(&self) -> Entry {
        Entry {
            path: self.path.clone(),
            device: self.known.device,
            inode: self.known.inode,
            born: self.known.born,
            fingerprint: self.fingerprint,
            generation: self.generation,
            offset: self.offset,
            discarding: self.discarding_from.is_some(),
            rotated: self.renamed,
            line_id: self.line_id.clone(),
            seen: 0,
        }
    }

    /// First part of the lines' ids: host, inode, life and first line. Never the same for two files, the same after a
    /// restart and a rename.
    pub fn make_line_id(&mut self, host: &str) -> io::Result<&str> {
        if self.line_id.is_none() {
            let mut first = [0; fingerprint::PREFIX];
            let length = match &self.file {
                Some(file) => read_full_at(file, &mut first, 0)?,
                None => 0,
            };
            let line = &first[..memchr::memchr(b'\n', &first[..length]).unwrap_or(length)];
            let Known { device, inode, born } = self.known;
            let who = format!("{host}\n{device}\n{inode}\n{born}\n{}\n", self.generation);
            self.line_id = Some(format!("{:016x}", fingerprint::hash(&[who.as_bytes(), line].concat())));
        }
        Ok(self.line_id.as_deref().unwrap_or_default())
    }
}

/// Start of the last complete line, searched for at most `reach` bytes back: where `END_OF_FILE` begins.
pub fn last_line_start(file: &File, size: u64, reach: usize) -> io::Result<u64> {
    let end = last_line_end(file, size, reach)?;
    if end == 0 { Ok(0) } else { last_line_end(file, end - 1, reach) }
}

/// End of the last complete line below `size`; 0 without one.
pub fn last_line_end(file: &File, size: u64, reach: usize) -> io::Result<u64> {
    const STEP: usize = 64 << 10;
    let mut buffer = vec![0; STEP];
    let mut end = size;
    while end > 0 && size - end < reach as u64 {
        let start = end.saturating_sub(STEP as u64);
        let length = read_full_at(file, &mut buffer[..(end - start) as usize], start)?;
        if let Some(at) = memchr::memrchr(b'\n', &buffer[..length]) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(end)
}

/// Opens a file to be followed. A pipe or a device would block or never end.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    Ok((file, metadata))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_last_complete_line() {
        let check = |text: &[u8], start: u64, end: u64| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text).unwrap();
            let size = text.len() as u64;
            assert_eq!(last_line_start(&file, size, 1 << 20).unwrap(), start, "{} bytes", text.len());
            assert_eq!(last_line_end(&file, size, 1 << 20).unwrap(), end, "{} bytes", text.len());
        };
        check(b"", 0, 0);
        check(b"one", 0, 0);
        check(b"one\n", 0, 4);
        check(b"one\ntwo\n", 4, 8);
        check(b"one\ntwo\nthr", 4, 8);
        check(b"\n\n", 1, 2);
        let long = [&b"one\n"[..], &[b'x'; 200_000], b"\n"].concat();
        check(&long, 4, 200_005);
    }
}
