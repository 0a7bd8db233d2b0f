//! Truncated files and their copies (`copytruncate`).
//!
//! A truncated file is read from 0; its old position becomes an orphan. A file that begins as the old one did takes the position
//! over and is read on at the same offset: one that lies beside it, one that was held back because it looked like a copy in the
//! making, or one that appears later.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tracing::info;

use super::file::{self, Followed};
use super::{Orphan, Tailer};
use crate::checkpoint::Entry;
use crate::fingerprint::{Fingerprint, Known, begin_alike};

/// A new file that begins like another one is perhaps a copy made before a truncation: it is not read for this long after it
/// grew last, but for [`COPY_LIMIT`] at most; then it is a file of its own.
const COPY_HOLD: Duration = Duration::from_secs(2);
/// See [`COPY_HOLD`]. Also how long the position of a truncated file waits for its copy to be found.
pub(super) const COPY_LIMIT: Duration = Duration::from_secs(30);

impl Tailer {
    /// A file's content was replaced: it is read from 0, and its old position waits for a copy.
    pub(super) fn truncated(&mut self, index: usize) {
        let file = &mut self.files[index];
        let old = Orphan { key: file.key, entry: file.entry(), since: Instant::now() };
        info!("{} was truncated after offset {}: read from its start", file.path.display(), file.offset);
        let metadata = file.file.as_ref().and_then(|file| file.metadata().ok());
        let fingerprint = file.file.as_ref().and_then(|file| Fingerprint::of(file).ok()).unwrap_or_default();
        let entry = Entry {
            fingerprint,
            generation: file.generation + 1,
            offset: 0,
            discarding: false,
            rotated: false,
            line_id: None,
            ..file.entry()
        };
        if let (Some(handle), Some(metadata)) = (file.file.take(), metadata) {
            let key = self.running.follow(entry.clone());
            *file = Followed::new(key, handle, &metadata, &entry);
            self.find_copy(old);
        }
        // The copy may be there and not be known yet.
        self.refreshed = None;
    }

    /// The same for a file that was truncated before the start.
    pub(super) fn orphan(&mut self, entry: Entry) {
        let key = self.running.follow(entry.clone());
        self.find_copy(Orphan { key, entry, since: Instant::now() });
    }

    /// A truncated file's content is read on in its copy beside it, whether the pattern finds that or not. Without one, the
    /// position waits for a file that is held, or comes.
    fn find_copy(&mut self, orphan: Orphan) {
        let is_free = |known: &Known| !self.files.iter().any(|file| file.known.same(known));
        let Some((handle, metadata, path)) = copy_beside(&orphan.entry, is_free) else {
            return self.orphans.push(orphan);
        };
        let entry = Entry { path: path.clone(), ..orphan.entry.clone() };
        let mut file = Followed::new(orphan.key, handle, &metadata, &entry);
        file.departed = Some(Instant::now());
        self.files.push(file);
        self.take_over(self.files.len() - 1, orphan);
    }

    /// Before a new file is read: is it the copy of a file that was truncated, or is going to be?
    pub(super) fn check_copy(&mut self, index: usize) {
        let new = &self.files[index];
        let Some(handle) = new.file.as_ref().filter(|_| new.fresh && new.size > 0) else { return };
        let is_copy = |orphan: &Orphan| {
            let entry = &orphan.entry;
            entry.fingerprint.length > 0
                && new.size >= entry.offset
                && entry.fingerprint.matches(handle).unwrap_or(false)
        };
        if let Some(found) = self.orphans.iter().position(is_copy) {
            let orphan = self.orphans.remove(found);
            return self.take_over(index, orphan);
        }
        let twin = match new.held {
            Some((since, twin)) => {
                let waits = new.grown.elapsed() < COPY_HOLD && since.elapsed() < COPY_LIMIT;
                self.files.iter().position(|other| other.key == twin && waits && new.size <= other.size)
            }
            None => self.files.iter().position(|other| begins_like(new, handle, other)),
        };
        let held = twin.map(|twin| (new.held.map_or_else(Instant::now, |(since, _)| since), self.files[twin].key));
        if let Some(twin) = twin.filter(|twin| self.files[*twin].file.is_none()) {
            // Its truncation is to be seen while the copy is held.
            self.reopen(twin);
        }
        let new = &mut self.files[index];
        new.fresh = held.is_some();
        new.held = held;
    }

    /// The copy goes on at the position of the file it is a copy of.
    fn take_over(&mut self, index: usize, orphan: Orphan) {
        let file = &mut self.files[index];
        info!(
            "{} is a copy of {}: read from {}",
            file.path.display(),
            orphan.entry.path.display(),
            orphan.entry.offset
        );
        let mut positions = self.running.positions();
        if file.key != orphan.key {
            positions.forget(file.key);
        }
        file.key = orphan.key;
        file.offset = orphan.entry.offset;
        file.scanned = orphan.entry.offset;
        file.discarding_from = orphan.entry.discarding.then_some(orphan.entry.offset);
        file.line_id = orphan.entry.line_id;
        (file.fresh, file.held) = (false, None);
        // Nobody writes to a copy: its last line is at its end.
        file.renamed = true;
        let own = file.entry();
        positions.identify(file.key, |entry| *entry = own);
    }
}

/// The newest copy of a truncated file in its directory: its name with something behind, its first bytes, long enough.
fn copy_beside(entry: &Entry, is_free: impl Fn(&Known) -> bool) -> Option<(File, Metadata, PathBuf)> {
    let name = entry.path.file_name()?.to_string_lossy().into_owned();
    if entry.fingerprint.length == 0 {
        return None;
    }
    let siblings = fs::read_dir(entry.path.parent()?).ok()?.flatten();
    let named = siblings.filter(|sibling| sibling.file_name().to_string_lossy().starts_with(&name));
    let copies = named.filter_map(|sibling| {
        let (handle, metadata) = file::open(&sibling.path()).ok()?;
        let fits = metadata.ino() != entry.inode && is_free(&Known::of(&metadata)) && metadata.len() >= entry.offset;
        (fits && entry.fingerprint.matches(&handle).unwrap_or(false)).then(|| (handle, metadata, sibling.path()))
    });
    copies.max_by_key(|(_, metadata, _)| metadata.modified().ok())
}

/// Whether a new file may be a copy, complete or in the making, of a file that was read.
fn begins_like(new: &Followed, handle: &File, other: &Followed) -> bool {
    if other.key == new.key || other.offset == 0 || new.size > other.size {
        return false;
    }
    if new.fingerprint.length == other.fingerprint.length {
        return new.fingerprint.hash == other.fingerprint.hash;
    }
    let alike = match &other.file {
        Some(other) => begin_alike(handle, other),
        // Closed for being idle.
        None => File::open(&other.path).and_then(|other| begin_alike(handle, &other)),
    };
    alike.unwrap_or(false)
}
