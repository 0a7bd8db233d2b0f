//! A batch of Kinesis records as it is written to the index bucket.
//!
//! A line of JSON that tells where the batch ends, then for each record a line `<arrival ms> <bytes>` and the bytes. Where the
//! application asks for it, that line goes on with `<sequence number> <partition key as JSON>`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::sequence::Sequence;

/// The first line is shorter, whatever the numbers in it.
pub const MAX_HEADER_BYTES: usize = 512;

/// What the first line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The last record's sequence number: what the next batch follows.
    pub end: Sequence,
    /// Records that can never be read, reported in the lake's `failed/`: part of the batch, not in it.
    pub poison: u64,
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Where it ends.
    pub header: Header,
    /// Its records.
    pub records: Vec<Record>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `approximateArrivalTimestamp`, epoch ms.
    pub arrival: i64,
    /// What the producer put.
    pub data: Bytes,
    /// Where it was in its shard, if anybody asks.
    pub origin: Option<Origin>,
}

/// Where a record was in its shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The sequence number.
    pub sequence: String,
    /// The partition key.
    pub partition_key: String,
}

/// A segment that no batch wrote.
#[derive(Debug, thiserror::Error)]
#[error("not a batch: {0}")]
pub struct Malformed(&'static str);

impl Header {
    /// Reads the first line of a segment, of which the beginning is enough.
    pub fn read(beginning: &[u8]) -> Result<Header, Malformed> {
        let line = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
        serde_json::from_slice(line).map_err(|_| Malformed("expected a header in the first line"))
    }
}

impl Batch {
    /// As it is written.
    pub fn encode(&self) -> Vec<u8> {
        let size: usize = self.records.iter().map(|record| record.data.len() + 24).sum();
        let mut out = Vec::with_capacity(MAX_HEADER_BYTES + size);
        // Strings and numbers into memory: that cannot fail.
        let _ = serde_json::to_writer(&mut out, &self.header);
        out.push(b'\n');
        for record in &self.records {
            out.extend_from_slice(format!("{} {}", record.arrival, record.data.len()).as_bytes());
            if let Some(origin) = &record.origin {
                out.extend_from_slice(format!(" {} ", origin.sequence).as_bytes());
                // JSON has no line feeds in it.
                let _ = serde_json::to_writer(&mut out, &origin.partition_key);
            }
            out.push(b'\n');
            out.extend_from_slice(&record.data);
        }
        out
    }

    /// The other way round; the records share the segment's memory.
    pub fn decode(segment: &Bytes) -> Result<Batch, Malformed> {
        let header = Header::read(segment)?;
        let mut at = next_line(segment, 0)?;
        let mut records = Vec::new();
        while at < segment.len() {
            let start = next_line(segment, at)?;
            let line = std::str::from_utf8(&segment[at..start - 1]).map_err(|_| EXPECTED)?;
            let mut parts = line.splitn(4, ' ');
            let (Some(arrival), Some(length)) = (parts.next(), parts.next()) else { return Err(EXPECTED) };
            let (Ok(arrival), Ok(length)) = (arrival.parse(), length.parse::<usize>()) else { return Err(EXPECTED) };
            let origin = parts.next().zip(parts.next()).map(|(sequence, key)| origin(sequence, key)).transpose()?;
            let end = start.checked_add(length).filter(|end| *end <= segment.len());
            at = end.ok_or(Malformed("a record is cut off"))?;
            records.push(Record { arrival, data: segment.slice(start..at), origin });
        }
        Ok(Batch { header, records })
    }
}

const EXPECTED: Malformed = Malformed("expected «<arrival> <bytes>» before a record");

fn origin(sequence: &str, key: &str) -> Result<Origin, Malformed> {
    let partition_key = serde_json::from_str(key).map_err(|_| EXPECTED)?;
    Ok(Origin { sequence: sequence.to_owned(), partition_key })
}

fn next_line(segment: &[u8], from: usize) -> Result<usize, Malformed> {
    let length = memchr::memchr(b'\n', &segment[from..]).ok_or(Malformed("a line is cut off"))?;
    Ok(from + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let record = |arrival, data: &'static [u8]| Record { arrival, data: Bytes::from_static(data), origin: None };
        let from = |record: Record, sequence: &str, key: &str| {
            let origin = Some(Origin { sequence: sequence.to_owned(), partition_key: key.to_owned() });
            Record { origin, ..record }
        };
        let header = Header { end: Sequence::parse("4959").unwrap(), poison: 1 };
        let records = vec![
            record(5, b"{\"a\":1}\n"),
            from(record(6, b"x"), "49", "a key\nin \"two\" lines"),
            record(-1, b""),
            record(7, b"\n\xff\n1 2\n"),
        ];
        let batch = Batch { header, records };
        let encoded = Bytes::from(batch.encode());
        assert_eq!(Batch::decode(&encoded).unwrap(), batch);
        assert_eq!(Header::read(&encoded[..40]).unwrap(), batch.header);
        for cut in 0..encoded.len() - 1 {
            let cut = Batch::decode(&encoded.slice(..cut));
            assert!(cut.is_err() || cut.unwrap().records.len() < 4);
        }
    }

    #[test]
    fn the_header_is_short() {
        let header = Header { end: Sequence::parse(&"9".repeat(129)).unwrap(), poison: u64::MAX };
        assert!(serde_json::to_vec(&header).unwrap().len() < MAX_HEADER_BYTES);
    }
}
