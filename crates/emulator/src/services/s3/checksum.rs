//! Checksums of bodies: the algorithms, computing them in one pass, and those of a multipart object.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use serde::{Deserialize, Serialize};

use super::errors::invalid_request;
use crate::error::ApiError;

/// An algorithm of `x-amz-checksum-…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Algorithm {
    #[serde(rename = "CRC32")]
    Crc32,
    #[serde(rename = "CRC32C")]
    Crc32c,
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
    #[serde(rename = "SHA1")]
    Sha1,
    #[serde(rename = "SHA256")]
    Sha256,
}

/// Values by algorithm, base64.
pub(super) type Sums = BTreeMap<Algorithm, String>;

/// All of them.
pub(super) const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

/// What S3 computes for an object whose uploader named no algorithm (S3 user guide, "Checking object integrity").
pub(super) const DEFAULT: Algorithm = Algorithm::Crc64Nvme;

impl Algorithm {
    /// As `x-amz-sdk-checksum-algorithm` has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    /// The header or trailer of its value.
    pub(super) fn header(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// By its name, in any case.
    pub(super) fn parse(name: &str) -> Result<Algorithm, ApiError> {
        ALGORITHMS.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
            invalid_request(format!(
                "Checksum algorithm provided is unsupported: {name:?}. Please try again with any of the valid types: \
                 [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
            ))
        })
    }

    /// Whether a checksum of the whole can only be made of the parts' checksums (CRCs can be of either kind).
    pub(super) fn only_composite(self) -> bool {
        matches!(self, Algorithm::Sha1 | Algorithm::Sha256)
    }
}

/// Computes several checksums in one pass.
#[derive(Default)]
pub(super) struct Hashers(ChecksumHasher);

impl Hashers {
    pub(super) fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Hashers {
        let mut hasher = ChecksumHasher::default();
        for algorithm in algorithms {
            match algorithm {
                Algorithm::Crc32 => hasher.crc32 = Some(Default::default()),
                Algorithm::Crc32c => hasher.crc32c = Some(Default::default()),
                Algorithm::Crc64Nvme => hasher.crc64nvme = Some(Default::default()),
                Algorithm::Sha1 => hasher.sha1 = Some(s3s::crypto::Sha1::new()),
                Algorithm::Sha256 => hasher.sha256 = Some(s3s::crypto::Sha256::new()),
            }
        }
        Hashers(hasher)
    }

    pub(super) fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    pub(super) fn finish(self) -> Sums {
        let sums = self.0.finalize();
        [
            (Algorithm::Crc32, sums.checksum_crc32),
            (Algorithm::Crc32c, sums.checksum_crc32c),
            (Algorithm::Crc64Nvme, sums.checksum_crc64nvme),
            (Algorithm::Sha1, sums.checksum_sha1),
            (Algorithm::Sha256, sums.checksum_sha256),
        ]
        .into_iter()
        .filter_map(|(algorithm, value)| Some((algorithm, value?)))
        .collect()
    }
}

/// The checksum of a multipart object of type COMPOSITE: the checksum of its parts' checksums, and their number. `None` when
/// a part has none of this algorithm.
pub(super) fn composite<'p>(algorithm: Algorithm, parts: impl Iterator<Item = &'p Sums>) -> Option<String> {
    let mut hashers = Hashers::new([algorithm]);
    let mut count = 0;
    for sums in parts {
        hashers.update(&BASE64_STANDARD.decode(sums.get(&algorithm)?).ok()?);
        count += 1;
    }
    let sum = hashers.finish().remove(&algorithm)?;
    Some(format!("{sum}-{count}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let mut hashers = Hashers::new(ALGORITHMS);
        hashers.update(b"123456");
        hashers.update(b"789");
        let sums = hashers.finish();
        for (algorithm, hex) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let bytes = BASE64_STANDARD.decode(&sums[&algorithm]).unwrap();
            assert_eq!(super::super::files::hex(&bytes), hex, "{}", algorithm.name());
        }
    }

    #[test]
    fn composite_is_the_checksum_of_the_parts_checksums() {
        let part = |text: &[u8]| {
            let mut hashers = Hashers::new([Algorithm::Crc32]);
            hashers.update(text);
            hashers.finish()
        };
        let parts = [part(b"123456789"), part(b"123456789")];
        let mut whole = Hashers::new([Algorithm::Crc32]);
        whole.update(&[0xcb, 0xf4, 0x39, 0x26, 0xcb, 0xf4, 0x39, 0x26]);
        let expected = format!("{}-2", whole.finish()[&Algorithm::Crc32]);
        assert_eq!(composite(Algorithm::Crc32, parts.iter()), Some(expected));
        assert_eq!(composite(Algorithm::Sha1, parts.iter()), None);
    }

    #[test]
    fn an_unknown_algorithm_is_refused() {
        assert_eq!(Algorithm::parse("crc32c").unwrap(), Algorithm::Crc32c);
        assert!(Algorithm::parse("MD5").unwrap_err().message.contains("\"MD5\""));
    }
}
