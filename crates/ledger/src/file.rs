//! An object store in a folder.
//!
//! A key becomes a path whose parts are percent-encoded, so that no key leaves the folder, and `a` and `a/b` can both be there: an
//! object's file ends in `%o`, which no encoded part can. A file begins with its ETag; it is written beside its place, synced
//! and renamed. Conditional puts take a lock file, so that processes race as they do on S3.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::store::{ETag, MAX_PAGE, Meta, Object, ObjectStore, Precondition, StoreError};

/// Characters of a key that stand for themselves in a file name; a part of dots alone is encoded nevertheless.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'=').remove(b'@');

/// File names may have 255 bytes on the usual file systems; an encoded part is cut into folders of this length.
const MAX_PART: usize = 200;

/// The ETag in front of the bytes: 32 hexadecimal digits.
const HEADER: usize = 32;

/// An object store in a folder.
#[derive(Debug, Clone)]
pub struct FileStore {
    root: PathBuf,
}

impl FileStore {
    /// In this folder, which is made if need be.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<FileStore> {
        let root = root.into();
        fs::create_dir_all(root.join("objects"))?;
        fs::create_dir_all(root.join("writing"))?;
        Ok(FileStore { root })
    }

    fn path(&self, key: &str) -> PathBuf {
        let mut path = self.root.join("objects");
        let mut parts = key.split('/').peekable();
        while let Some(part) = parts.next() {
            let mut encoded = match part {
                "" => "%e".to_owned(),
                dots if dots.bytes().all(|b| b == b'.') => dots.replace('.', "%2E"),
                part => utf8_percent_encode(part, PLAIN).to_string(),
            };
            while encoded.len() > MAX_PART {
                let rest = encoded.split_off(MAX_PART);
                path.push(encoded + "%-");
                encoded = rest;
            }
            path.push(if parts.peek().is_none() { encoded + "%o" } else { encoded });
        }
        path
    }

    /// Runs on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        key: &str,
        work: impl FnOnce(&FileStore, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (store, owned) = (self.clone(), key.to_owned());
        tokio::task::spawn_blocking(move || work(&store, &owned)).await.map_err(|e| other(key, e))?
    }

    fn open_object(&self, key: &str) -> Result<(File, ETag, u64), StoreError> {
        let mut file = File::open(self.path(key)).map_err(|e| io_error(key, e))?;
        let mut etag = [0; HEADER];
        file.read_exact(&mut etag).map_err(|e| io_error(key, e))?;
        let size = file.metadata().map_err(|e| io_error(key, e))?.len() - HEADER as u64;
        Ok((file, ETag(String::from_utf8_lossy(&etag).into_owned()), size))
    }

    fn read(&self, key: &str, range: Option<Range<u64>>) -> Result<Object, StoreError> {
        let (mut file, etag, size) = self.open_object(key)?;
        let range = range.unwrap_or(0..size);
        let mut body = Vec::new();
        file.seek(SeekFrom::Start(HEADER as u64 + range.start))
            .and_then(|_| file.take(range.end.saturating_sub(range.start)).read_to_end(&mut body))
            .map_err(|e| io_error(key, e))?;
        Ok(Object { body: body.into(), etag })
    }

    fn write(&self, key: &str, body: &[u8], precondition: &Precondition) -> Result<ETag, StoreError> {
        let etag = ETag(Sha256::digest(body)[..HEADER / 2].iter().map(|byte| format!("{byte:02x}")).collect());
        let temporary = self.root.join("writing").join(uuid::Uuid::new_v4().simple().to_string());
        let written = write_synced(&temporary, &etag, body).map_err(|e| io_error(key, e));
        let placed = written.and_then(|()| self.place(key, &temporary, precondition));
        if placed.is_err() {
            let _ = fs::remove_file(&temporary); // rubbish in `writing` is never read
        }
        placed.map(|()| etag)
    }

    fn place(&self, key: &str, temporary: &Path, precondition: &Precondition) -> Result<(), StoreError> {
        let lock = File::create(self.root.join("lock")).map_err(|e| io_error(key, e))?;
        lock.lock().map_err(|e| io_error(key, e))?;
        match precondition {
            Precondition::None => {}
            Precondition::Absent if self.path(key).exists() => {
                return Err(StoreError::Precondition { key: key.to_owned() });
            }
            Precondition::Absent => {}
            Precondition::Matches(expected) => {
                if self.open_object(key)?.1 != *expected {
                    return Err(StoreError::Precondition { key: key.to_owned() });
                }
            }
        }
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)
            .and_then(|()| fs::rename(temporary, &path))
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|e| io_error(key, e))
    }

    fn keys(&self, prefix: &str) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut folders = vec![(self.root.join("objects"), String::new())];
        while let Some((folder, path)) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if let Some(part) = name.strip_suffix("%o") {
                    keys.push(format!("{path}{}", decode(part)));
                } else if let Some(part) = name.strip_suffix("%-") {
                    folders.push((entry.path(), format!("{path}{}", decode(part))));
                } else {
                    folders.push((entry.path(), format!("{path}{}/", decode(&name))));
                }
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort_unstable();
        Ok(keys)
    }
}

fn decode(part: &str) -> String {
    if part == "%e" { String::new() } else { percent_decode_str(part).decode_utf8_lossy().into_owned() }
}

fn write_synced(path: &Path, etag: &ETag, body: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(etag.0.as_bytes())?;
    file.write_all(body)?;
    file.sync_all()
}

fn io_error(key: &str, error: io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => StoreError::NotFound { key: key.to_owned() },
        _ => other(key, error),
    }
}

fn other(key: &str, error: impl std::fmt::Display) -> StoreError {
    StoreError::Other { key: key.to_owned(), reason: error.to_string() }
}

#[async_trait]
impl ObjectStore for FileStore {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.blocking(key, |store, key| store.read(key, None)).await
    }

    async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        self.blocking(key, |store, key| store.read(key, Some(range))).await
    }

    async fn get_if_changed(&self, key: &str, etag: &ETag) -> Result<Option<Object>, StoreError> {
        let etag = etag.clone();
        self.blocking(key, move |store, key| {
            let object = store.read(key, None)?;
            Ok((object.etag != etag).then_some(object))
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        self.blocking(key, |store, key| {
            let (_, etag, size) = store.open_object(key)?;
            Ok(Meta { key: key.to_owned(), size, etag })
        })
        .await
    }

    async fn put(&self, key: &str, body: Bytes, precondition: &Precondition) -> Result<ETag, StoreError> {
        let precondition = precondition.clone();
        self.blocking(key, move |store, key| store.write(key, &body, &precondition)).await
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.blocking(key, |store, key| match fs::remove_file(store.path(key)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error(key, e)),
            _ => Ok(()),
        })
        .await
    }

    async fn list(&self, prefix: &str, start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        let start_after = start_after.map(str::to_owned);
        self.blocking(prefix, move |store, prefix| {
            let keys = store.keys(prefix).map_err(|e| io_error(prefix, e))?;
            let after = keys.into_iter().filter(|key| start_after.as_ref().is_none_or(|start| key > start));
            let mut page = Vec::new();
            for key in after.take(MAX_PAGE) {
                match store.open_object(&key) {
                    Ok((_, etag, size)) => page.push(Meta { key, size, etag }),
                    Err(StoreError::NotFound { .. }) => {} // deleted while listing
                    Err(error) => return Err(error),
                }
            }
            Ok(page)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn passes_the_suite() {
        let folder = tempfile::tempdir().unwrap();
        crate::suite::run(Arc::new(FileStore::open(folder.path()).unwrap())).await;
    }

    #[test]
    fn a_key_never_becomes_a_path_outside() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::open(folder.path()).unwrap();
        for key in [
            "../../etc/passwd",
            "/etc/passwd",
            "a/../../b",
            "..",
            "a\0b",
            "c:\\x",
            "%2E%2E/x",
            "a//b",
            &"long".repeat(250),
        ] {
            store.write(key, b"x", &Precondition::Absent).unwrap_or_else(|e| panic!("{key}: {e}"));
            assert!(store.path(key).starts_with(folder.path().join("objects")), "{key}");
            assert!(store.keys(key).unwrap().contains(&key.to_owned()), "{key}");
        }
    }
}
