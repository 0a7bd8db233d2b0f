//! Which ids a split may have.

use xorf::{BinaryFuse16, Descriptor, Filter};

use super::format::{Cursor, Malformed};

/// Up to so many ids are kept as their hashes: that is exact to 2⁻⁵⁰, and smaller than a filter's overhead.
const FEW: usize = 256;

/// Kinds of the part, its first byte.
const SORTED: u8 = 0;
const FUSE: u8 = 1;

/// A set of ids that may say yes to an id that it does not have (once in 2¹⁶), and never no to one that it has.
pub enum Ids {
    Sorted(Vec<u64>),
    Fuse(BinaryFuse16),
}

/// The 64-bit hash of an id: FNV-1a, with the finaliser of MurmurHash3 so that all bits depend on all bytes.
pub fn hash(id: &[u8]) -> u64 {
    let mut hash =
        id.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl Ids {
    /// Of these hashes, in any order.
    pub fn new(mut hashes: Vec<u64>) -> Ids {
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.len() <= FEW {
            return Ids::Sorted(hashes);
        }
        // Construction is random and gives up after many tries; the list is right, only larger.
        BinaryFuse16::try_from(&hashes).map(Ids::Fuse).unwrap_or(Ids::Sorted(hashes))
    }

    /// Bytes of memory.
    pub fn size(&self) -> usize {
        match self {
            Ids::Sorted(hashes) => hashes.len() * 8,
            Ids::Fuse(filter) => filter.fingerprints.len() * 2,
        }
    }

    /// Whether the split may have the id of this [`hash`].
    pub fn may_have(&self, hash: u64) -> bool {
        match self {
            Ids::Sorted(hashes) => hashes.binary_search(&hash).is_ok(),
            Ids::Fuse(filter) => filter.contains(&hash),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        match self {
            Ids::Sorted(hashes) => {
                std::iter::once(SORTED).chain(hashes.iter().flat_map(|hash| hash.to_le_bytes())).collect()
            }
            Ids::Fuse(filter) => {
                let mut out = vec![FUSE];
                out.extend_from_slice(&filter.descriptor.seed.to_le_bytes());
                out.extend_from_slice(&filter.descriptor.segment_length.to_le_bytes());
                out.extend_from_slice(&filter.descriptor.segment_count_length.to_le_bytes());
                out.extend(filter.fingerprints.iter().flat_map(|fingerprint| fingerprint.to_le_bytes()));
                out
            }
        }
    }

    pub fn decode(bytes: &[u8]) -> Result<Ids, Malformed> {
        let mut cursor = Cursor::new(bytes);
        match cursor.take(1)?[0] {
            SORTED => {
                let hashes = cursor.rest().chunks(8).map(|hash| hash.try_into().map(u64::from_le_bytes));
                hashes.collect::<Result<_, _>>().map(Ids::Sorted).map_err(|_| "half a hash")
            }
            FUSE => fuse(&mut cursor).map(Ids::Fuse),
            _ => Err("an unknown kind of filter"),
        }
    }
}

fn fuse(cursor: &mut Cursor<'_>) -> Result<BinaryFuse16, Malformed> {
    let (seed, segment_length, segment_count_length) = (cursor.u64()?, cursor.u32()?, cursor.u32()?);
    let fingerprints: Box<[u16]> =
        cursor.rest().chunks_exact(2).map(|fingerprint| u16::from_le_bytes([fingerprint[0], fingerprint[1]])).collect();
    // A lookup reads at up to two segments beyond what the descriptor counts.
    let reach = u64::from(segment_count_length) + 2 * u64::from(segment_length);
    if !segment_length.is_power_of_two() || reach > fingerprints.len() as u64 {
        return Err("a filter that does not fit its descriptor");
    }
    let segment_length_mask = segment_length - 1;
    Ok(BinaryFuse16 {
        descriptor: Descriptor { seed, segment_length, segment_length_mask, segment_count_length },
        fingerprints,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: usize) {
        let ids: Vec<String> = (0..count).map(|n| format!("id-{n}")).collect();
        let built = Ids::new(ids.iter().map(|id| hash(id.as_bytes())).collect());
        let bytes = built.encode();
        let read = Ids::decode(&bytes).unwrap();
        assert_eq!(matches!(read, Ids::Fuse(_)), count > FEW);
        assert!(ids.iter().all(|id| read.may_have(hash(id.as_bytes()))));
        let wrong = (0..10_000).filter(|n| read.may_have(hash(format!("other-{n}").as_bytes()))).count();
        assert!(wrong < 10, "{wrong} of 10,000");
        assert!(count < 10_000 || bytes.len() < count * 5 / 2, "{} bytes for {count}", bytes.len());
    }

    #[test]
    fn what_it_has_it_says() {
        for count in [0, 1, 2, 255, 256, 257, 300, 1_000, 50_000] {
            check(count);
        }
    }

    #[test]
    fn hashes_are_fixed() {
        assert_eq!(hash(b""), 0xefd0_1f60_ba99_2926);
        assert_ne!(hash(b"a"), hash(b"b"));
    }

    #[test]
    fn broken_bytes_are_told() {
        let bytes = Ids::new((0..1_000).map(|n: u64| hash(&n.to_le_bytes())).collect()).encode();
        assert!(Ids::decode(&[]).is_err());
        assert!(Ids::decode(&[7]).is_err());
        assert!(Ids::decode(&[SORTED, 1, 2]).is_err());
        assert!(Ids::decode(&bytes[..bytes.len() - 2]).is_err());
    }
}
