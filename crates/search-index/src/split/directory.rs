//! A split as the engine's directory: files that are ranges of one object.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::{fmt, io};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, WatchCallback, WatchHandle, WritePtr,
};
use tantivy::{HasLen, Index, ReloadPolicy, Searcher};

use super::analyzer::analyzers;
use super::cache::Pieces;
use super::hot::File;

/// Decompressed blocks of documents that a searcher keeps (16 KiB each).
const DOCUMENT_BLOCKS: usize = 16;
/// The engine's name of the file that describes an index.
const META: &str = "meta.json";

/// Where the bytes of an object come from.
pub trait Source: fmt::Debug + Send + Sync + 'static {
    /// The bytes of a range of the object.
    fn read(&self, range: Range<u64>) -> io::Result<OwnedBytes>;
}

/// Files that are in memory, and which of its ranges were read.
pub struct Recorder {
    pieces: Pieces,
    reads: Mutex<Vec<Range<u64>>>,
}

impl Recorder {
    pub fn new(pieces: Pieces) -> Arc<Recorder> {
        Arc::new(Recorder { pieces, reads: Mutex::default() })
    }

    /// The ranges read since it was asked last, in the order of the reads.
    pub fn take(&self) -> Vec<Range<u64>> {
        std::mem::take(&mut self.reads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers exactly these ranges.
    pub fn put(&self, reads: Vec<Range<u64>>) {
        *self.reads.lock().unwrap_or_else(PoisonError::into_inner) = reads;
    }
}

impl Source for Recorder {
    fn read(&self, range: Range<u64>) -> io::Result<OwnedBytes> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).push(range.clone());
        self.pieces.get(&range).ok_or_else(|| io::Error::other("not within one file"))
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recorder")
    }
}

thread_local! {
    static MISSES: RefCell<Option<Vec<Range<u64>>>> = const { RefCell::new(None) };
}

/// Runs something of the engine, and tells which ranges it wanted and did not find in memory. It goes on as far as it can without
/// them, so one run tells all that it needs first.
pub fn misses<T>(run: impl FnOnce() -> T) -> (T, Vec<Range<u64>>) {
    /// Takes the list away again, also when the engine panics.
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            MISSES.take();
        }
    }
    MISSES.set(Some(Vec::new()));
    let guard = Guard;
    let value = run();
    let missed = MISSES.take().unwrap_or_default();
    drop(guard);
    (value, missed)
}

/// Adds a range that is likely wanted next to those that [`misses`] tells.
pub fn want(range: Range<u64>) {
    MISSES.with_borrow_mut(|misses| misses.as_mut().map(|misses| misses.push(range)));
}

/// The ranges of an object that a reader holds.
#[derive(Debug)]
pub struct Held {
    pub key: Arc<str>,
    pub pieces: RwLock<Pieces>,
}

impl Held {
    pub fn get(&self, range: &Range<u64>) -> Option<OwnedBytes> {
        self.pieces.read().unwrap_or_else(PoisonError::into_inner).get(range)
    }

    pub fn insert(&self, start: u64, bytes: OwnedBytes) {
        self.pieces.write().unwrap_or_else(PoisonError::into_inner).insert(start, bytes);
    }
}

impl Source for Held {
    fn read(&self, range: Range<u64>) -> io::Result<OwnedBytes> {
        if let Some(bytes) = self.get(&range) {
            return Ok(bytes);
        }
        want(range.clone());
        Err(io::Error::other(format!("{}: bytes {}..{} were not prefetched", self.key, range.start, range.end)))
    }
}

/// The files of a split.
#[derive(Clone)]
pub struct SplitDirectory {
    inner: Arc<Inner>,
}

struct Inner {
    source: Arc<dyn Source>,
    files: Vec<(PathBuf, Range<u64>)>,
    /// Files that are not in the object: the set of documents that are not deleted.
    extra: Option<(PathBuf, OwnedBytes)>,
    meta: Vec<u8>,
}

impl SplitDirectory {
    pub fn new(source: Arc<dyn Source>, files: &[File], meta: Vec<u8>) -> SplitDirectory {
        let files = files.iter().map(|file| (PathBuf::from(&file.name), file.range.clone())).collect();
        SplitDirectory { inner: Arc::new(Inner { source, files, extra: None, meta }) }
    }

    /// The same with a file more, and another `meta.json` that names it.
    pub fn with(&self, name: PathBuf, bytes: OwnedBytes, meta: Vec<u8>) -> SplitDirectory {
        let (source, files) = (self.inner.source.clone(), self.inner.files.clone());
        SplitDirectory { inner: Arc::new(Inner { source, files, extra: Some((name, bytes)), meta }) }
    }

    /// The engine's index.
    pub fn index(&self) -> tantivy::Result<Index> {
        let mut index = Index::open(self.clone())?;
        index.set_tokenizers(analyzers());
        Ok(index)
    }
}

/// A searcher over an index as it is.
pub fn searcher(index: &Index) -> tantivy::Result<Searcher> {
    let reader = index
        .reader_builder()
        .reload_policy(ReloadPolicy::Manual)
        .doc_store_cache_num_blocks(DOCUMENT_BLOCKS)
        .try_into()?;
    Ok(reader.searcher())
}

impl fmt::Debug for SplitDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SplitDirectory({:?})", self.inner.source)
    }
}

/// A file of a split.
#[derive(Debug)]
struct Handle {
    source: Arc<dyn Source>,
    range: Range<u64>,
}

impl HasLen for Handle {
    fn len(&self) -> usize {
        (self.range.end - self.range.start) as usize
    }
}

impl FileHandle for Handle {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.is_empty() {
            return Ok(OwnedBytes::empty());
        }
        let (start, end) = (self.range.start + range.start as u64, self.range.start + range.end as u64);
        if end > self.range.end {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "beyond the end of the file"));
        }
        self.source.read(start..end)
    }
}

fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a split never changes")
}

impl Directory for SplitDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        if let Some((_, bytes)) = self.inner.extra.as_ref().filter(|(name, _)| name == path) {
            return Ok(Arc::new(bytes.clone()));
        }
        let found = self.inner.files.iter().find(|(name, _)| name == path);
        let (_, range) = found.ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))?;
        Ok(Arc::new(Handle { source: self.inner.source.clone(), range: range.clone() }))
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(path == Path::new(META) || self.inner.files.iter().any(|(name, _)| name == path))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if path == Path::new(META) {
            return Ok(self.inner.meta.clone());
        }
        Err(OpenReadError::FileDoesNotExist(path.to_owned()))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: Arc::new(read_only()), filepath: path.to_owned() })
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(read_only(), path.to_owned()))
    }

    fn atomic_write(&self, _path: &Path, _data: &[u8]) -> io::Result<()> {
        Err(read_only())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    /// Nothing changes, so there is nothing to lock.
    fn acquire_lock(&self, _lock: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, _callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
