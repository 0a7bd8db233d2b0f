//! Records that the Kinesis Producer Library aggregated: many user records in one Kinesis record.
//!
//! `F3 89 9A C2`, then the protobuf message `AggregatedRecord { repeated string partition_key_table = 1; repeated string
//! explicit_hash_key_table = 2; repeated Record records = 3; }` with `Record { uint64 partition_key_index = 1; uint64
//! explicit_hash_key_index = 2; bytes data = 3; }`, then the MD5 of the message (KPL aggregated record format). Whatever is not
//! exactly that is a plain record.

use md5::{Digest, Md5};

const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const MD5_BYTES: usize = 16;

/// A user record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord<'a> {
    pub partition_key: &'a str,
    pub data: &'a [u8],
}

/// The user records of an aggregated record; `None` for a plain one.
pub fn split(record: &[u8]) -> Option<Vec<UserRecord<'_>>> {
    let body = record.strip_prefix(&MAGIC)?;
    let (message, checksum) = body.split_at_checked(body.len().checked_sub(MD5_BYTES)?)?;
    if Md5::digest(message).as_slice() != checksum {
        return None;
    }
    let mut keys = Vec::new();
    let mut records = Vec::new();
    for field in Fields(message) {
        match field? {
            (1, Value::Bytes(key)) => keys.push(std::str::from_utf8(key).ok()?),
            (3, Value::Bytes(record)) => records.push(user_record(record)?),
            _ => {}
        }
    }
    let with_key = |(key, data): (usize, _)| Some(UserRecord { partition_key: keys.get(key)?, data });
    records.into_iter().map(with_key).collect()
}

fn user_record(message: &[u8]) -> Option<(usize, &[u8])> {
    let (mut key, mut data) = (None, None);
    for field in Fields(message) {
        match field? {
            (1, Value::Number(index)) => key = usize::try_from(index).ok(),
            (3, Value::Bytes(bytes)) => data = Some(bytes),
            _ => {}
        }
    }
    Some((key?, data?))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a protobuf message; `None` for what is not one.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[]; // nothing can be read after what was not understood
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Bytes(self.take(8)?),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Bytes(self.take(4)?),
            _ => return None,
        };
        Some((tag >> 3, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        assert!(bytes.len() < 128);
        [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
    }

    fn aggregated(message: &[u8]) -> Vec<u8> {
        [&MAGIC[..], message, &Md5::digest(message)].concat()
    }

    fn sample() -> Vec<u8> {
        let first = [&[1 << 3, 0][..], &field(3, b"one")].concat();
        // An explicit hash key index and tags are passed over.
        let second = [&[1 << 3, 1, 2 << 3, 0][..], &field(3, b"two"), &field(4, b"tag")].concat();
        [field(1, b"a"), field(1, b"b"), field(2, b"123"), field(3, &first), field(3, &second)].concat()
    }

    #[test]
    fn an_aggregated_record_is_its_user_records() {
        let record = aggregated(&sample());
        let expected =
            vec![UserRecord { partition_key: "a", data: b"one" }, UserRecord { partition_key: "b", data: b"two" }];
        assert_eq!(split(&record), Some(expected));
        assert_eq!(split(&aggregated(b"")), Some(vec![]));
    }

    #[test]
    fn anything_else_is_plain() {
        let good = aggregated(&sample());
        let mut wrong_sum = good.clone();
        *wrong_sum.last_mut().unwrap() ^= 1;
        let no_such_key = field(3, &[&[1 << 3, 7][..], &field(3, b"x")].concat());
        for (name, record) in [
            ("empty", vec![]),
            ("text", b"hello".to_vec()),
            ("magic alone", MAGIC.to_vec()),
            ("wrong sum", wrong_sum),
            ("cut", good[..good.len() - 1].to_vec()),
            ("no such key", aggregated(&no_such_key)),
            ("not protobuf", aggregated(&[0xff; 12])),
            ("length past the end", aggregated(&[3 << 3 | 2, 90, 1])),
        ] {
            assert_eq!(split(&record), None, "{name}");
        }
    }
}
