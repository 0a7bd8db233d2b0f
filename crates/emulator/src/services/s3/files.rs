//! Body files: `objects/xx/UUID` in the data directory, written once, never changed.
//!
//! A file has its final name from the start: the name is random and nobody learns it before the commit that points to it, so a
//! half-written file is never read, and after a crash it is one that no row names.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::stream::{self, Stream};
use md5::{Digest, Md5};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::checksum::{Hashers, Sums};
use super::objects::{self, Object};
use super::{Body, errors};
use crate::Ctx;
use crate::error::ApiError;

/// Read from a file at once: large enough that the hop to the blocking pool does not show.
const BLOCK: usize = 256 * 1024;

/// How often a key is looked up again because its file was replaced between the look and the opening.
const MAX_REOPENS: usize = 100;

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn root(ctx: &Ctx) -> PathBuf {
    ctx.store.dir().join("objects")
}

pub(super) fn path(ctx: &Ctx, file: &str) -> PathBuf {
    root(ctx).join(file)
}

/// Runs what waits for the disk where it may wait.
pub(super) async fn blocking<T, F>(work: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, ApiError> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?
}

/// A body being written; its file is removed again unless it is finished. All methods block.
pub(super) struct Sink {
    name: String,
    path: PathBuf,
    file: Option<File>,
    fsync: bool,
    size: i64,
    md5: Md5,
    hashers: Hashers,
}

impl Sink {
    pub(super) fn create(ctx: &Ctx, hashers: Hashers) -> Result<Sink, ApiError> {
        let (name, path, file) = create(ctx)?;
        let fsync = ctx.config.fsync;
        Ok(Sink { name, path, file: Some(file), fsync, size: 0, md5: Md5::new(), hashers })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.md5.update(bytes);
        self.hashers.update(bytes);
        self.size += bytes.len() as i64;
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Ok(()),
        }
    }

    pub(super) fn finish(mut self) -> Result<(Body, Sums), ApiError> {
        if self.fsync
            && let Some(file) = &self.file
        {
            file.sync_all()?;
            if let Some(dir) = self.path.parent() {
                File::open(dir)?.sync_all()?;
            }
        }
        self.file = None;
        let md5 = hex(&std::mem::take(&mut self.md5).finalize());
        let sums = std::mem::take(&mut self.hashers).finish();
        Ok((Body { file: std::mem::take(&mut self.name), size: self.size, md5 }, sums))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = fs::remove_file(&self.path); // what is left is removed at the next start
        }
    }
}

/// A new file: its name below `objects/`, its path, and the file.
fn create(ctx: &Ctx) -> io::Result<(String, PathBuf, File)> {
    let id = uuid::Uuid::new_v4().to_string();
    let name = format!("{}/{id}", &id[..2]);
    let path = path(ctx, &name);
    let file = match File::create_new(&path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(root(ctx).join(&id[..2]))?;
            File::create_new(&path)?
        }
        other => other?,
    };
    Ok((name, path, file))
}

/// Writes a body that is all there.
pub(super) async fn write(ctx: &Ctx, bytes: Bytes, hashers: Hashers) -> Result<(Body, Sums), ApiError> {
    let ctx = ctx.clone();
    blocking(move || {
        let mut sink = Sink::create(&ctx, hashers)?;
        sink.write(&bytes)?;
        sink.finish()
    })
    .await
}

/// Writes `length` bytes of each of the files, from `offset`, one after another into a new body. Blocks.
pub(super) fn concatenate(
    ctx: &Ctx,
    sources: Vec<(File, u64, u64)>,
    hashers: Hashers,
) -> Result<(Body, Sums), ApiError> {
    let mut sink = Sink::create(ctx, hashers)?;
    let mut block = vec![0; BLOCK];
    for (mut file, offset, length) in sources {
        io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
        let mut rest = file.take(length);
        let mut copied = 0;
        loop {
            let n = rest.read(&mut block)?;
            if n == 0 {
                break;
            }
            sink.write(&block[..n])?;
            copied += n as u64;
        }
        if copied != length {
            return Err(ApiError::internal(format!("a body file has {copied} bytes where {length} were expected")));
        }
    }
    sink.finish()
}

/// A second name for the bytes of a body: they are never changed, so a copy need not copy them. Blocks.
pub(super) fn link(ctx: &Ctx, object: &Object) -> io::Result<String> {
    let (name, path, file) = create(ctx)?;
    drop(file);
    fs::remove_file(&path)?;
    fs::hard_link(self::path(ctx, &object.file), &path)?;
    Ok(name)
}

/// Opens the object of a key: the row and the file belong together.
pub(super) async fn open(ctx: &Ctx, bucket: &str, key: &str) -> Result<(Object, File), ApiError> {
    for _ in 0..MAX_REOPENS {
        let (files, bucket, key) = (root(ctx), bucket.to_owned(), key.to_owned());
        let opened = ctx.store.read(move |db| {
            let object = objects::get(db, &bucket, &key)?;
            match File::open(files.join(&object.file)) {
                Ok(file) => Ok(Some((object, file))),
                // Replaced and removed since our snapshot of the tables: look again.
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
                Err(e) => Err(e.into()),
            }
        });
        if let Some(opened) = opened.await? {
            return Ok(opened);
        }
    }
    Err(ApiError::internal(format!("the body file of {bucket}/{key} is missing")))
}

/// Streams `length` bytes of a file from `offset`.
pub(super) fn stream(file: File, offset: u64, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    let file = tokio::fs::File::from_std(file);
    stream::try_unfold((file, Some(offset), length), |(mut file, seek, left)| async move {
        if let Some(offset) = seek.filter(|&offset| offset > 0) {
            file.seek(io::SeekFrom::Start(offset)).await?;
        }
        let take = left.min(BLOCK as u64);
        if take == 0 {
            return Ok(None);
        }
        let mut block = bytes::BytesMut::with_capacity(take as usize);
        let mut limited = (&mut file).take(take);
        if limited.read_buf(&mut block).await? == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "a body file is shorter than its object"));
        }
        let left = left - block.len() as u64;
        Ok(Some((block.freeze(), (file, None, left))))
    })
}

pub(super) async fn read_all(ctx: &Ctx, bucket: &str, key: &str) -> Result<Option<Bytes>, ApiError> {
    match open(ctx, bucket, key).await {
        Ok((object, mut file)) => {
            blocking(move || {
                let mut bytes = Vec::with_capacity(object.size as usize);
                file.read_to_end(&mut bytes)?;
                Ok(Some(bytes.into()))
            })
            .await
        }
        Err(e) if e.status == errors::no_such_key("").status => Ok(None),
        Err(e) => Err(e),
    }
}

/// Removes files that no row names any more. A failure leaves them to the next start.
pub(super) async fn remove(ctx: &Ctx, files: Vec<String>) {
    if files.is_empty() {
        return;
    }
    let root = root(ctx);
    let removed = tokio::task::spawn_blocking(move || {
        for file in files {
            if let Err(error) = fs::remove_file(root.join(&file)) {
                tracing::debug!(%file, %error, "body file not removed");
            }
        }
    });
    let _ = removed.await;
}

/// Removes a body that no object will point to: the transaction that should have pointed to it failed.
pub async fn remove_body(ctx: &Ctx, body: Body) {
    remove(ctx, vec![body.file]).await;
}

/// Removes the body files that no row names: what a crash left. Called once at start, before anything can write a body.
pub async fn remove_orphans(ctx: &Ctx) -> Result<(), ApiError> {
    let root = root(ctx);
    let removed = ctx.store.read(move |db| {
        let mut named = HashSet::new();
        for table in ["s3_object", "s3_part"] {
            let mut statement = db.prepare(&format!("SELECT file FROM {table}"))?;
            for file in statement.query_map([], |row| row.get::<_, String>(0))? {
                named.insert(file?);
            }
        }
        remove_unnamed(&root, &named)
    });
    let removed = removed.await?;
    if removed > 0 {
        tracing::info!(removed, "body files without an object removed");
    }
    Ok(())
}

fn remove_unnamed(root: &Path, named: &HashSet<String>) -> Result<usize, ApiError> {
    let mut removed = 0;
    let folders = match fs::read_dir(root) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    for folder in folders {
        let folder = folder?;
        for file in fs::read_dir(folder.path())? {
            let file = file?;
            let name = format!("{}/{}", folder.file_name().to_string_lossy(), file.file_name().to_string_lossy());
            if !named.contains(&name) {
                fs::remove_file(file.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}
