//! Who a file is: its first bytes, beside device and inode, tell a reused inode and a truncated file from the same file.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::UNIX_EPOCH;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

/// First bytes looked at: one or a few log lines, with their times.
pub const PREFIX: usize = 1_024;

/// Hash of a file's first bytes. It grows with the file up to [`PREFIX`] bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// How many bytes.
    pub length: u32,
    /// First half of their MD5.
    pub hash: u64,
}

impl Fingerprint {
    /// Of a file as it is now.
    pub fn of(file: &File) -> io::Result<Fingerprint> {
        let mut buffer = [0; PREFIX];
        let length = read_full_at(file, &mut buffer, 0)?;
        Ok(Fingerprint { length: length as u32, hash: hash(&buffer[..length]) })
    }

    /// Whether a file begins with these bytes. No bytes say nothing: every file does.
    pub fn matches(&self, file: &File) -> io::Result<bool> {
        let mut buffer = [0; PREFIX];
        let wanted = (self.length as usize).min(PREFIX);
        let length = read_full_at(file, &mut buffer[..wanted], 0)?;
        Ok(length == wanted && hash(&buffer[..wanted]) == self.hash)
    }

    /// Whether more bytes would make it better.
    pub fn is_short(&self) -> bool {
        (self.length as usize) < PREFIX
    }
}

/// What the file system says of an inode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Birth in ns since 1970; 0 unknown.
    pub born: u64,
}

impl Known {
    /// Of a file.
    pub fn of(metadata: &Metadata) -> Known {
        let born = metadata.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Known { device: metadata.dev(), inode: metadata.ino(), born: born.map_or(0, |since| since.as_nanos() as u64) }
    }

    /// The same inode in the same life, as far as the file system can say.
    pub fn same(&self, other: &Known) -> bool {
        let life = self.born == other.born || self.born == 0 || other.born == 0;
        self.device == other.device && self.inode == other.inode && life
    }
}

/// Whether two files begin alike, over what both have of the first [`PREFIX`] bytes; not if one is empty.
pub fn begin_alike(one: &File, other: &File) -> io::Result<bool> {
    let (mut a, mut b) = ([0; PREFIX], [0; PREFIX]);
    let shorter = read_full_at(one, &mut a, 0)?.min(read_full_at(other, &mut b, 0)?);
    Ok(shorter > 0 && a[..shorter] == b[..shorter])
}

/// First half of the MD5: stable over versions and machines.
pub fn hash(bytes: &[u8]) -> u64 {
    let digest = Md5::digest(bytes);
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Reads until the buffer is full or the file ends.
pub fn read_full_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn first_bytes() {
        let check = |first: &[u8], then: &[u8], expected: bool| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(first).unwrap();
            let fingerprint = Fingerprint::of(&file).unwrap();
            let mut later = tempfile::tempfile().unwrap();
            later.write_all(then).unwrap();
            assert_eq!(fingerprint.matches(&later).unwrap(), expected, "{first:?} {then:?}");
        };
        check(b"a line\n", b"a line\n", true);
        check(b"a line\n", b"a line\nand another\n", true);
        check(b"a line\n", b"b line\nand another\n", false);
        check(b"a line\n", b"a lin", false);
        check(b"a line\n", b"", false);
        check(b"", b"anything", true);
        let long = [b'x'; 3 * PREFIX];
        check(&long, &[&long[..], b"more"].concat(), true);
    }

    #[test]
    fn lives_of_an_inode() {
        let one = Known { device: 1, inode: 2, born: 3 };
        assert!(one.same(&Known { born: 0, ..one }));
        assert!(!one.same(&Known { born: 4, ..one }));
        assert!(!one.same(&Known { inode: 4, ..one }));
    }
}
