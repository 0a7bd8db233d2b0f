//! The lines of files, plain or gzip, and of stdin.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use flate2::bufread::MultiGzDecoder;

/// The longest line (as index-writer's: docs/rules.md).
const MAX_LINE: usize = 16 << 20;

/// Lines of a batch at most, and batches that are read ahead.
const BATCH: usize = 1_000;
const AHEAD: usize = 4;

/// What is read of a file at once.
const BUFFER: usize = 1 << 16;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Lines of a file behind each other, without their ends.
#[derive(Debug)]
pub struct Batch {
    /// As it was named.
    pub file: Arc<str>,
    /// The number of the first line, from 1.
    first: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    fn new(file: &Arc<str>, first: u64) -> Batch {
        Batch { file: file.clone(), first, bytes: Vec::new(), ends: Vec::new() }
    }

    /// Each line with its number.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let lines = starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end]);
        (self.first..).zip(lines)
    }
}

/// Reads the files in turn (`-`: stdin), ahead of whoever takes the lines; a file that cannot be read is the last.
pub fn read(files: Vec<PathBuf>) -> Receiver<Result<Batch, String>> {
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        for file in files {
            match read_file(&file, &sender) {
                Ok(true) => {}
                // Nobody takes them any more.
                Ok(false) => return,
                Err(error) => return drop(sender.send(Err(error))),
            }
        }
    });
    receiver
}

/// Whether its lines were taken.
fn read_file(path: &Path, sender: &SyncSender<Result<Batch, String>>) -> Result<bool, String> {
    let name: Arc<str> = if path == Path::new("-") { "stdin".into() } else { path.display().to_string().into() };
    let failed = |error: std::io::Error| format!("{name}: {error}");
    let raw: Box<dyn Read> = match &*name {
        "stdin" => Box::new(std::io::stdin()),
        _ => Box::new(File::open(path).map_err(failed)?),
    };
    let mut raw = BufReader::with_capacity(BUFFER, raw);
    if raw.fill_buf().map_err(failed)?.starts_with(&GZIP) {
        let text = BufReader::with_capacity(BUFFER, MultiGzDecoder::new(raw));
        return split(text, &name, sender);
    }
    split(raw, &name, sender)
}

fn split<R: Read>(
    mut text: BufReader<R>,
    name: &Arc<str>,
    sender: &SyncSender<Result<Batch, String>>,
) -> Result<bool, String> {
    let mut batch = Batch::new(name, 1);
    let mut number = 0;
    loop {
        let start = batch.bytes.len();
        let read = (&mut text).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut batch.bytes);
        number += 1;
        let read = match read {
            Ok(read) if read <= MAX_LINE => read,
            read => {
                // The lines before it are good.
                batch.bytes.truncate(start);
                if !batch.ends.is_empty() && sender.send(Ok(batch)).is_err() {
                    return Ok(false);
                }
                let reason =
                    read.map_or_else(|e| e.to_string(), |_| format!("a line of more than {} MiB", MAX_LINE >> 20));
                return Err(format!("{name}:{number}: {reason}"));
            }
        };
        if read > 0 {
            let line = &batch.bytes[start..];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let end = start + line.strip_suffix(b"\r").unwrap_or(line).len();
            batch.bytes.truncate(end);
            batch.ends.push(end);
        }
        // The next line may take its time: what is there goes on.
        if (read == 0 || batch.ends.len() == BATCH || text.buffer().is_empty()) && !batch.ends.is_empty() {
            let next = Batch::new(name, number + 1);
            if sender.send(Ok(std::mem::replace(&mut batch, next))).is_err() {
                return Ok(false);
            }
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn check(content: &[u8], expected: &[(u64, &str)]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let mut found = Vec::new();
        for batch in read(vec![file.path().to_owned()]) {
            let batch = batch.unwrap();
            found.extend(batch.lines().map(|(number, line)| (number, String::from_utf8(line.to_vec()).unwrap())));
        }
        let found: Vec<(u64, &str)> = found.iter().map(|(number, line)| (*number, line.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_have_numbers() {
        check(b"", &[]);
        check(b"a", &[(1, "a")]);
        check(b"a\r\n\nb\n", &[(1, "a"), (2, ""), (3, "b")]);
    }

    #[test]
    fn gzip_of_several_members() {
        let member = |text: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        check(&[member(b"a\nb"), member(b"c\n")].concat(), &[(1, "a"), (2, "bc")]);
    }

    #[test]
    fn batches_end_anywhere() {
        let text: String = (0..50_000).map(|n| format!("{n}\n")).collect();
        let expected: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
        let expected: Vec<(u64, &str)> = (1..).zip(expected.iter().map(String::as_str)).collect();
        check(text.as_bytes(), &expected);
    }

    #[test]
    fn what_cannot_be_read() {
        let error = |path: &Path| read(vec![path.to_owned()]).into_iter().find_map(Result::err).unwrap();
        assert!(error(Path::new("/no/such")).starts_with("/no/such: "));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [0x1f, 0x8b, 8, 0, 0]).unwrap();
        assert!(error(file.path()).contains(":1: "));
        std::fs::write(file.path(), vec![b'a'; MAX_LINE + 1]).unwrap();
        assert!(error(file.path()).ends_with(":1: a line of more than 16 MiB"));
        std::fs::write(file.path(), [b"a\nb\n", &[b'c'; MAX_LINE + 1][..]].concat()).unwrap();
        let read: Vec<_> = read(vec![file.path().to_owned()]).into_iter().collect();
        let good: usize = read.iter().flatten().map(|batch| batch.lines().count()).sum();
        assert!(good == 2 && read.last().unwrap().is_err());
    }
}
