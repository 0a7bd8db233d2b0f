//! Which files are followed: the first look, new files, renames, deletions, truncations and their copies.
//!
//! A file is its inode, as long as its first bytes stay the same. `rename + create`: the inode is found under a new name, or kept
//! open until its end; the new file is read from 0. `copytruncate`: the file is shorter or begins otherwise; its old position
//! goes to the copy (`copies`).

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use tracing::{info, warn};

use super::Tailer;
use super::file::{self, Followed};
use super::missed::Missed;
use crate::checkpoint::Entry;
use crate::config::InitialPosition;
use crate::fingerprint::{Fingerprint, Known};
use crate::pattern::Listing;

/// A directory changed so recently may change again without another time: clocks of file systems tick every few ms.
const CLOCK_TICK: Duration = Duration::from_millis(50);

impl Tailer {
    /// The first look, which decides where everything starts.
    pub(super) fn start(&mut self, saved: Option<Vec<Entry>>) {
        let listing = self.list();
        match saved {
            None => self.start_anew(listing),
            Some(entries) => self.resume(listing, entries),
        }
        if self.files.is_empty() {
            info!("FileTailer[{}]: no file matches yet", self.running.flow.id);
        }
    }

    /// Without a checkpoint: the newest file of each directory from the initial position, older ones from their ends.
    fn start_anew(&mut self, listing: Listing) {
        let reach = self.longest;
        let from_start = self.running.flow.initial_position == InitialPosition::StartOfFile;
        let newest = newest_of_directories(&listing);
        let mut older = 0;
        for (index, (path, _)) in listing.files.iter().enumerate() {
            let is_newest = newest.contains(&index);
            older += usize::from(!is_newest);
            self.open_at(path, 0, |handle, size| match (is_newest, from_start) {
                (true, true) => Ok(0),
                (true, false) => file::last_line_start(handle, size, reach),
                (false, _) => file::last_line_end(handle, size, reach),
            });
        }
        if older > 0 {
            let id = &self.running.flow.id;
            info!("FileTailer[{id}]: {older} older file(s) match; only what is added to them is read");
        }
    }

    /// With a checkpoint: files go on where they were, others are new since then.
    pub(super) fn resume(&mut self, listing: Listing, mut entries: Vec<Entry>) {
        let missed = Missed::new(listing.files.iter().map(|(path, _)| path.as_path()), &entries);
        // Of several lives of one inode, the last one that fits.
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.generation));
        for (path, metadata) in &listing.files {
            let known = Known::of(metadata);
            let is_same = |entry: &Entry| is_same(entry, &known);
            // Not readable now says nothing of its content: its entry waits.
            if let Err(error) = File::open(path) {
                self.report_unreadable(path, &error);
                continue;
            }
            match entries.iter().position(|entry| is_same(entry) && begins_as(path, entry, metadata.len())) {
                Some(index) => {
                    let entry = entries.remove(index).found_at(path);
                    self.open_entry(path, entry, metadata);
                }
                None => {
                    let before = entries.iter().position(is_same).map(|index| entries.remove(index));
                    let generation = before.as_ref().map_or(0, |entry| entry.generation + 1);
                    self.open_new(path, generation);
                    if let Some(entry) = before {
                        info!("{} was truncated since the checkpoint: read from its start", path.display());
                        self.orphan(entry);
                    }
                }
            }
        }
        for entry in entries {
            // An earlier life of a file that is followed: it was truncated, and its copy was not found before the stop.
            if self.files.iter().any(|file| is_same(&entry, &file.known)) {
                self.orphan(entry);
            } else if !self.follow_elsewhere(&entry) {
                self.running.positions().remember(entry);
            }
        }
        if let Some(missed) = missed {
            self.follow_missed(&missed);
        }
    }

    /// Lists the directories when it is time, or when one of them changed.
    pub(super) fn refresh_if_due(&mut self) {
        let period = self.running.flow.refresh;
        let due = self.refreshed.is_none_or(|last| last.elapsed() >= period)
            || self.directories.iter().any(|(path, changed)| changed.is_none() || *changed != Some(changed_at(path)));
        if due {
            let listing = self.list();
            self.reconcile(listing);
            self.let_go();
        }
    }

    fn list(&mut self) -> Listing {
        let before = SystemTime::now();
        let mut listing = self.running.flow.files.list();
        self.refreshed = Some(Instant::now());
        for (path, error) in &listing.unreadable {
            self.report_unreadable(path, error);
        }
        let sure = |changed: SystemTime| changed + CLOCK_TICK < before;
        self.directories = listing
            .directories
            .drain(..)
            .map(|path| {
                let changed = Some(changed_at(&path)).filter(|changed| sure(*changed));
                (path, changed)
            })
            .collect();
        listing
    }

    fn reconcile(&mut self, listing: Listing) {
        let inode_of = |file: &Followed| (file.known.device, file.known.inode);
        let mut unseen: HashMap<_, _> =
            self.files.iter().enumerate().map(|(index, file)| (inode_of(file), index)).collect();
        let mut new = Vec::new();
        for (path, metadata) in listing.files {
            match unseen.remove(&(metadata.dev(), metadata.ino())) {
                Some(index) => self.seen(index, path, &metadata),
                None => new.push((path, metadata)),
            }
        }
        for index in unseen.into_values() {
            self.unseen(index);
        }
        for (path, metadata) in new {
            // A second name of a followed inode is the same file.
            if self.files.iter().any(|file| inode_of(file) == (metadata.dev(), metadata.ino())) {
                continue;
            }
            let known = Known::of(&metadata);
            let recalled = self
                .running
                .positions()
                .recall(|entry| is_same(entry, &known) && begins_as(&path, entry, metadata.len()));
            match recalled {
                Some(entry) => self.open_entry(&path, entry.found_at(&path), &metadata),
                None => self.open_new(&path, 0),
            }
        }
    }

    /// A followed file is there, perhaps under another name.
    fn seen(&mut self, index: usize, path: PathBuf, metadata: &Metadata) {
        let file = &mut self.files[index];
        file.departed = None;
        if file.path != path {
            file.renamed = true;
            file.path.clone_from(&path);
            self.running.positions().identify(file.key, |entry| *entry = std::mem::take(entry).found_at(&path));
        }
        if file.file.is_none() {
            self.reopen_if_changed(index, metadata);
        }
    }

    /// A file that was closed for being idle is opened again when something happened to it.
    fn reopen_if_changed(&mut self, index: usize, metadata: &Metadata) {
        let file = &mut self.files[index];
        let same_life = file.known.same(&Known::of(metadata));
        if same_life && metadata.len() == file.size && metadata.modified().ok() == file.modified {
            return;
        }
        self.reopen(index);
    }

    /// Opens a file again that was closed for being idle.
    pub(super) fn reopen(&mut self, index: usize) {
        let file = &mut self.files[index];
        match file::open(&file.path) {
            Ok((handle, metadata)) => {
                let same_life = file.known.same(&Known::of(&metadata));
                file.known = Known::of(&metadata);
                file.file = Some(handle);
                file.modified = None;
                file.grown = Instant::now();
                if !same_life {
                    self.truncated(index);
                }
            }
            Err(error) => self.report_failure(index, &error),
        }
    }

    /// The pattern does not find a followed file any more.
    fn unseen(&mut self, index: usize) {
        let file = &mut self.files[index];
        if file.departed.is_none() {
            file.departed = Some(Instant::now());
            if file.file.is_none()
                && let Some((handle, metadata, path)) = elsewhere(&file.entry())
            {
                file.size = metadata.len();
                (file.file, file.path) = (Some(handle), path);
            }
        }
    }

    /// Closes idle files and ends those that are gone and read.
    fn let_go(&mut self) {
        let mut positions = self.running.positions();
        self.files.retain_mut(|file| {
            let idle = file.grown.elapsed();
            let read = file.ended || file.offset >= file.size;
            let Some(departed) = file.departed else {
                if read && idle >= file::IDLE_CLOSE {
                    file.file = None;
                }
                return true;
            };
            let over = idle >= file::DEPARTED_GRACE && departed.elapsed() >= file::DEPARTED_GRACE;
            let gone = over && !file.has_news() && positions.is_clear(file.key);
            if gone {
                let deleted =
                    file.file.as_ref().is_some_and(|file| file.metadata().is_ok_and(|data| data.nlink() == 0));
                if let Some(entry) = positions.forget(file.key).filter(|_| !deleted) {
                    positions.remember(entry);
                }
            }
            !gone
        });
        self.orphans.retain(|orphan| {
            let waits = orphan.since.elapsed() < super::copies::COPY_LIMIT;
            if !waits {
                positions.forget(orphan.key);
            }
            waits
        });
    }

    fn open_new(&mut self, path: &Path, generation: u32) {
        if let Some(file) = self.open_at(path, generation, |_, _| Ok(0)) {
            file.fresh = true;
        }
    }

    pub(super) fn open_at(
        &mut self,
        path: &Path,
        generation: u32,
        offset: impl FnOnce(&File, u64) -> io::Result<u64>,
    ) -> Option<&mut Followed> {
        let opened = file::open(path).and_then(|(handle, metadata)| {
            let fingerprint = Fingerprint::of(&handle)?;
            let offset = offset(&handle, metadata.len())?;
            let Known { device, inode, born } = Known::of(&metadata);
            let path = path.to_owned();
            let entry = Entry { path, device, inode, born, fingerprint, generation, offset, ..Entry::default() };
            Ok((handle, metadata, entry))
        });
        match opened {
            Ok((handle, metadata, entry)) => {
                self.unreadable.remove(path);
                let key = self.running.follow(entry.clone());
                self.files.push(Followed::new(key, handle, &metadata, &entry));
                self.files.last_mut()
            }
            Err(error) => {
                self.report_unreadable(path, &error);
                None
            }
        }
    }

    /// Goes on with a file of the checkpoint.
    fn open_entry(&mut self, path: &Path, entry: Entry, listed: &Metadata) {
        match file::open(path) {
            Ok((handle, metadata)) if Known::of(&metadata).same(&Known::of(listed)) => {
                let key = self.running.follow(entry.clone());
                self.files.push(Followed::new(key, handle, &metadata, &entry));
            }
            other => {
                // Renamed in between, or not readable now: the next listing finds it.
                self.running.positions().remember(entry);
                self.refreshed = None;
                if let Err(error) = other {
                    self.report_unreadable(path, &error);
                }
            }
        }
    }

    fn report_unreadable(&mut self, path: &Path, error: &io::Error) {
        // Gone again is no failure.
        if error.kind() != io::ErrorKind::NotFound && self.unreadable.insert(path.to_owned()) {
            warn!("{} cannot be opened, trying again: {error}", path.display());
        }
    }

    /// A file of the checkpoint that was renamed out of the pattern while nobody looked is read to its end.
    fn follow_elsewhere(&mut self, entry: &Entry) -> bool {
        let Some((handle, metadata, path)) = elsewhere(entry).filter(|(_, data, _)| data.len() > entry.offset) else {
            return false;
        };
        info!("{} is now {}: read to its end", entry.path.display(), path.display());
        let entry = Entry { path, ..entry.clone() };
        let key = self.running.follow(entry.clone());
        let mut file = Followed::new(key, handle, &metadata, &entry);
        file.departed = Some(Instant::now());
        self.files.push(file);
        true
    }
}

/// A file of an entry in the same directory under any name.
fn elsewhere(entry: &Entry) -> Option<(File, Metadata, PathBuf)> {
    let siblings = fs::read_dir(entry.path.parent()?).ok()?;
    siblings.flatten().filter(|sibling| sibling.ino() == entry.inode).find_map(|sibling| {
        let (handle, metadata) = file::open(&sibling.path()).ok()?;
        let same = is_same(entry, &Known::of(&metadata)) && begins_as(&sibling.path(), entry, metadata.len());
        same.then(|| (handle, metadata, sibling.path()))
    })
}

/// Indexes of the newest file of each directory; of two as new, the shorter (a rotation has just made it).
fn newest_of_directories(listing: &Listing) -> Vec<usize> {
    let mut newest: HashMap<Option<&Path>, usize> = HashMap::new();
    let age = |index: usize| {
        let metadata = &listing.files[index].1;
        (metadata.modified().ok(), std::cmp::Reverse(metadata.len()))
    };
    for (index, (path, _)) in listing.files.iter().enumerate() {
        let best = newest.entry(path.parent()).or_insert(index);
        if age(index) > age(*best) {
            *best = index;
        }
    }
    newest.into_values().collect()
}

/// The entry's inode. Device numbers may change with a reboot; the time of birth does not.
fn is_same(entry: &Entry, known: &Known) -> bool {
    let was = entry.known();
    was.same(known) || (was.born != 0 && (was.inode, was.born) == (known.inode, known.born))
}

/// Whether a file can be the one of the entry, by its content.
fn begins_as(path: &Path, entry: &Entry, size: u64) -> bool {
    size >= entry.offset && File::open(path).and_then(|file| entry.fingerprint.matches(&file)).unwrap_or(false)
}

/// When a directory changed; a missing one never did.
fn changed_at(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}
