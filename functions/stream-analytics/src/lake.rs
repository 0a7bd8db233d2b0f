//! Objects of the lake: how they are named, and their lines.

use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use ledger::SourceId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::fold::Fold;
use crate::line;

/// Bytes of an object's lines at most: a Firehose buffer is 128 MiB, and lines of a re-ingestion come back longer.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// Longest line that is taken (a record of Firehose or Kinesis is at most 1 MiB, 10 MiB where a stream allows it).
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of a key that are part of its position: S3 keys have 1,024.
const MAX_KEY_BYTES: usize = 600;

/// An object of the lake, as it was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LakeObject {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Without quotes.
    pub etag: String,
    /// When it was written (epoch ms).
    pub at: i64,
}

/// Where the lines of an object ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// All were taken.
    All,
    /// The fold takes no more; so many were, in this and earlier commits.
    Some(u64),
}

impl LakeObject {
    /// The delivery stream that brought it: `logs/<stream>/…`.
    pub fn stream(&self) -> Option<&str> {
        self.key.strip_prefix("logs/")?.split_once('/').map(|(stream, _)| stream)
    }

    /// Its identity.
    pub fn id(&self) -> SourceId {
        SourceId::object(&self.bucket, &self.key, &self.etag)
    }

    /// Under what its announcement is written: the same each time, in the order of the keys, which is that of time.
    pub fn position(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.bucket, &self.key, &self.etag] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash: String = hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let key = self.key.strip_prefix("logs/").unwrap_or(&self.key);
        let mut end = key.len().min(MAX_KEY_BYTES);
        while !key.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}.{hash}", &key[..end])
    }
}

/// Folds the lines of an object after the first `skip`. An error when the object cannot be read further: its lines up to there are
/// taken.
pub fn fold_lines(fold: &mut Fold<'_>, body: &Bytes, at: i64, skip: u64) -> io::Result<Lines> {
    let mut reader: Box<dyn BufRead> = if body.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(&body[..]).take(MAX_BYTES + 1)))
    } else {
        Box::new(&body[..])
    };
    let invalid = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let (mut buffer, mut bytes) = (Vec::new(), 0);
    for number in 0.. {
        buffer.clear();
        if (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut buffer)? == 0 {
            break;
        }
        bytes += buffer.len() as u64;
        if bytes > MAX_BYTES {
            return Err(invalid(format!("more than {MAX_BYTES} bytes of lines")));
        }
        if number < skip {
            continue;
        }
        if buffer.len() as u64 == MAX_LINE_BYTES {
            return Err(invalid(format!("a line of over {MAX_LINE_BYTES} bytes")));
        }
        if fold.stop().is_some() {
            return Ok(Lines::Some(number));
        }
        let line = buffer.trim_ascii();
        if !line.is_empty() {
            let arrival = line::ingested(line).unwrap_or(at);
            fold.line(arrival, arrival, None, line);
        }
    }
    Ok(Lines::All)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let object =
            |key: &str, etag: &str| LakeObject { bucket: "b".into(), key: key.into(), etag: etag.into(), at: 5 };
        let key = "logs/s/2026/11/20/10/s-1-2026-11-20-10-00-00-x.gz";
        assert_eq!(object(key, "e").stream(), Some("s"));
        assert_eq!(object("inbox/s/x", "e").stream(), None);
        assert!(object(key, "e").position().starts_with("s/2026/11/20/10/s-1-2026-11-20-10-00-00-x.gz."));
        assert_ne!(object(key, "e").position(), object(key, "f").position());
        assert!(object(&format!("logs/s/{}", "ü".repeat(500)), "e").position().len() < 640);
    }
}
