//! The frame of a split's object, and the primitives that its own parts are written with.
//!
//! `docs/index-format.md` tells the layout in full.

use std::ops::Range;

/// The last bytes of every split.
pub const MAGIC: [u8; 8] = *b"LOGMILLS";
/// The version of the layout. A reader refuses others.
pub const VERSION: u32 = 1;
/// Bytes of the trailer: the hot part's length (u64) and CRC-32 (u32), the version (u32), the magic.
pub const TRAILER: usize = 24;
/// The body is checksummed in blocks of so many bytes: small enough that reading whole blocks adds little to a request, large
/// enough that the table stays below 0.03 % of the object.
pub const BLOCK: u64 = 16 << 10;

/// Why bytes are not what was written.
pub type Malformed = &'static str;

/// The hot part with its trailer.
pub fn seal(mut hot: Vec<u8>) -> Vec<u8> {
    let (len, crc) = (hot.len() as u64, crc32fast::hash(&hot));
    hot.extend_from_slice(&len.to_le_bytes());
    hot.extend_from_slice(&crc.to_le_bytes());
    hot.extend_from_slice(&VERSION.to_le_bytes());
    hot.extend_from_slice(&MAGIC);
    hot
}

/// The hot part out of the end of an object, checked. Returns the length of the hot part, which is the beginning of `tail`.
pub fn unseal(tail: &[u8]) -> Result<usize, Malformed> {
    let hot = tail.len().checked_sub(TRAILER).ok_or("shorter than its trailer")?;
    let mut trailer = Cursor::new(&tail[hot..]);
    let (len, crc, version) = (trailer.u64()?, trailer.u32()?, trailer.u32()?);
    if trailer.take(MAGIC.len())? != MAGIC {
        return Err("not a split: its last bytes are not the magic");
    }
    if version != VERSION {
        return Err("written by a version that this one cannot read");
    }
    if len != hot as u64 {
        return Err("the hot part is not where the manifest says");
    }
    if crc != crc32fast::hash(&tail[..hot]) {
        return Err("checksum of the hot part");
    }
    Ok(hot)
}

/// One CRC-32 for each [`BLOCK`] of the body, the last one shorter.
pub fn checksums(body: &[u8]) -> Vec<u32> {
    body.chunks(BLOCK as usize).map(crc32fast::hash).collect()
}

/// The smallest range of whole blocks around a range of a body of this length.
pub fn aligned(range: &Range<u64>, body: u64) -> Range<u64> {
    range.start / BLOCK * BLOCK..range.end.div_ceil(BLOCK).saturating_mul(BLOCK).min(body)
}

/// Whether bytes that begin at a block's beginning have the checksums that the table says.
pub fn intact(start: u64, bytes: &[u8], checksums: &[u32]) -> bool {
    let first = (start / BLOCK) as usize;
    bytes.chunks(BLOCK as usize).enumerate().all(|(n, block)| checksums.get(first + n) == Some(&crc32fast::hash(block)))
}

/// Writes a number, seven bits to a byte, the lowest first.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes bytes behind their length.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what was written, and never beyond its end.
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub fn new(rest: &'a [u8]) -> Cursor<'a> {
        Cursor { rest }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("ends early")?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| "ends early")
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.take(8)?.try_into().map(u64::from_le_bytes).map_err(|_| "ends early")
    }

    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number without end")
    }

    /// A count of things that take at least a byte each: never more than what is left, so that it can be allocated.
    pub fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.varint()?;
        if count > self.rest.len() as u64 { Err("more entries than bytes") } else { Ok(count as usize) }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.count()?;
        self.take(len)
    }
}

/// Sums of what a broken file may say.
pub fn add(a: u64, b: u64) -> Result<u64, Malformed> {
    a.checked_add(b).ok_or("a number too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(Cursor::new(&out).varint(), Ok(value));
            assert_eq!(Cursor::new(&out[..out.len() - 1]).varint(), Err("ends early"));
        }
    }

    #[test]
    fn a_broken_trailer_is_told() {
        let sealed = seal(b"hot part".to_vec());
        assert_eq!(unseal(&sealed), Ok(8));
        assert_eq!(unseal(&sealed[..10]), Err("shorter than its trailer"));
        assert_eq!(unseal(&sealed[1..]), Err("the hot part is not where the manifest says"));
        for position in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[position] ^= 1;
            assert!(unseal(&broken).is_err(), "{position}");
        }
    }

    #[test]
    fn blocks() {
        assert_eq!(aligned(&(1..2), 100_000), 0..BLOCK);
        assert_eq!(aligned(&(BLOCK..BLOCK + 1), BLOCK + 7), BLOCK..BLOCK + 7);
        let body: Vec<u8> = (0..50_000u32).map(|n| n as u8).collect();
        let table = checksums(&body);
        assert!(intact(BLOCK, &body[BLOCK as usize..], &table));
        assert!(!intact(BLOCK, &body[..BLOCK as usize - 1], &table));
    }
}
