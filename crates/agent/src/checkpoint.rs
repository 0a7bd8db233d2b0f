//! The checkpoint file: JSON of our own beside the original's SQLite file, replaced atomically and fsynced.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fingerprint::{Fingerprint, Known};

/// Version of the format. Another one is refused: guessing would lose or repeat lines.
const VERSION: u32 = 1;

/// One file of a flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it was seen last.
    pub path: PathBuf,
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Time of birth in ns since 1970; 0 where the file system does not say.
    pub born: u64,
    /// Its first bytes.
    pub fingerprint: Fingerprint,
    /// How often it was truncated while followed.
    pub generation: u32,
    /// Everything below is stored at the destination.
    pub offset: u64,
    /// The offset is inside a record that was too long: go on after it.
    #[serde(default)]
    pub discarding: bool,
    /// It was renamed since it was seen first: its last line may never get a newline.
    #[serde(default)]
    pub rotated: bool,
    /// First part of its lines' ids, once one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// When it was there last, in seconds since 1970.
    pub seen: i64,
}

impl Entry {
    /// Its inode.
    pub fn known(&self) -> Known {
        Known { device: self.device, inode: self.inode, born: self.born }
    }

    /// The same file, found at a path.
    pub fn found_at(self, path: &Path) -> Entry {
        Entry { rotated: self.rotated || self.path != path, path: path.to_owned(), ..self }
    }
}

/// Everything saved: flow id → files. A flow without files has still been started.
pub type Saved = BTreeMap<String, Vec<Entry>>;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    flows: Saved,
}

/// Why there is no checkpoint to work with. The agent does not start then.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Of the file system.
    #[error("checkpoint file {path}: cannot {doing}: {source}")]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Another process holds it.
    #[error("checkpoint file {0} is in use by another logmill-agent: give each its own `checkpointFile`")]
    InUse(PathBuf),
    /// Not ours, or broken.
    #[error("checkpoint file {path}: {message}; move it away to start from `initialPosition`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// The file, locked for this process.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Held, never read: the kernel frees it when the process dies, however it dies.
    _lock: File,
}

impl Store {
    /// Opens the file that belongs to `checkpointFile` and reads what it says. Makes the directory if needed.
    pub fn open(checkpoint_file: &Path) -> Result<(Store, Saved), CheckpointError> {
        let path = with_suffix(checkpoint_file, ".logmill");
        let io = |doing| {
            let path = path.clone();
            move |source| CheckpointError::Io { path, doing, source }
        };
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(io("create its directory"))?;
        }
        let lock = File::create(with_suffix(&path, ".lock")).map_err(io("create its lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => CheckpointError::InUse(path.clone()),
            TryLockError::Error(source) => io("lock it")(source),
        })?;
        let saved = match fs::read(&path) {
            Ok(bytes) => read(&bytes).map_err(|message| CheckpointError::Unreadable { path: path.clone(), message })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Saved::new(),
            Err(error) => return Err(io("read it")(error)),
        };
        Ok((Store { path, _lock: lock }, saved))
    }

    /// Replaces the file; when this returns, the new one survives a power cut.
    pub fn write(&self, saved: &Saved) -> Result<(), CheckpointError> {
        self.replace(saved).map_err(|source| CheckpointError::Io { path: self.path.clone(), doing: "write it", source })
    }

    fn replace(&self, saved: &Saved) -> io::Result<()> {
        let temporary = with_suffix(&self.path, ".tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec(&Document { version: VERSION, flows: saved.clone() })?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        match self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(directory) => File::open(directory)?.sync_all(),
            None => File::open(".")?.sync_all(),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Saved, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let version: Version = serde_json::from_slice(bytes).map_err(|error| format!("not a checkpoint: {error}"))?;
    if version.version != VERSION {
        return Err(format!("version {}: expected {VERSION}", version.version));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(document.flows)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_again_beside_a_foreign_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deeper/checkpoints");
        fs::create_dir(directory.path().join("deeper")).unwrap();
        fs::write(&path, "SQLite format 3").unwrap();
        let (store, saved) = Store::open(&path).unwrap();
        assert!(saved.is_empty());
        let entry =
            Entry { path: "/l/a".into(), inode: 7, offset: 1 << 40, line_id: Some("x".into()), ..Entry::default() };
        let saved = Saved::from([("fh:s:/l/*".to_owned(), vec![entry]), ("empty".to_owned(), vec![])]);
        store.write(&saved).unwrap();
        store.write(&saved).unwrap();
        drop(store);
        assert_eq!(Store::open(&path).unwrap().1, saved);
        assert_eq!(fs::read_to_string(&path).unwrap(), "SQLite format 3");
    }

    #[test]
    fn one_process_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("c");
        let held = Store::open(&path).unwrap();
        assert!(matches!(Store::open(&path), Err(CheckpointError::InUse(_))));
        drop(held);
        assert!(Store::open(&path).is_ok());
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        let directory = tempfile::tempdir().unwrap();
        let check = |text: &str, words: &str| {
            fs::write(directory.path().join("c.logmill"), text).unwrap();
            let error = Store::open(&directory.path().join("c")).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("c.logmill"), "{text}: {error}");
        };
        check("", "not a checkpoint");
        check("{\"version\": 9, \"flows\": {}}", "version 9: expected 1");
        check("{\"version\": 1, \"flows\": 3}", "invalid type");
    }
}
