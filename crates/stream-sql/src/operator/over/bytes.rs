//! Rows of a page as bytes: whole numbers are as short as they can be, values say their type.

use crate::value::{Datum, Value};

/// Whole numbers: seven bits to a byte, the lowest first.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_signed(out: &mut Vec<u8>, tag: u8, number: i64) {
    out.push(tag);
    put_number(out, ((number << 1) ^ (number >> 63)) as u64);
}

pub(super) fn put_value(out: &mut Vec<u8>, value: &Datum<'_>) {
    match value {
        Datum::Null => out.push(0),
        Datum::Boolean(value) => out.push(1 + u8::from(*value)),
        Datum::Integer(value) => put_signed(out, 3, *value),
        Datum::Double(value) => {
            out.push(4);
            out.extend(value.to_bits().to_le_bytes());
        }
        Datum::Decimal(digits, scale) => {
            put_signed(out, 5, *digits);
            out.push(*scale);
        }
        Datum::Text(text) => {
            out.push(6);
            put_number(out, text.len() as u64);
            out.extend(text.as_bytes());
        }
        Datum::Date(days) => put_signed(out, 7, i64::from(*days)),
        Datum::Time(ms) => put_signed(out, 8, i64::from(*ms)),
        Datum::Timestamp(ms) => put_signed(out, 9, *ms),
        Datum::Interval(length) => put_signed(out, 10, *length),
    }
}

/// Reads what was put, `None` where there is no such thing.
pub(super) struct Reader<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) place: usize,
}

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.place)?;
        self.place += 1;
        Some(byte)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let part = self.bytes.get(self.place..self.place.checked_add(length)?)?;
        self.place += length;
        Some(part)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            0 => Value::Null,
            tag @ (1 | 2) => Value::Boolean(tag == 2),
            3 => Value::Integer(self.signed()?),
            4 => Value::Double(f64::from_bits(u64::from_le_bytes(self.take(8)?.try_into().ok()?))),
            5 => Value::Decimal(self.signed()?, self.byte()?),
            6 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Text(std::str::from_utf8(self.take(length)?).ok()?.into())
            }
            7 => Value::Date(self.signed()?.try_into().ok()?),
            8 => Value::Time(self.signed()?.try_into().ok()?),
            9 => Value::Timestamp(self.signed()?),
            10 => Value::Interval(self.signed()?),
            _ => return None,
        })
    }
}

/// FNV-1a of 64 bits: part of a page's name, and its checksum.
pub(super) fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Bytes in a state: in JSON and its like as hexadecimal digits.
pub(super) mod hex {
    use std::fmt::Write;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return bytes.serialize(serializer);
        }
        let digits = bytes.as_ref().map(|bytes| {
            let mut digits = String::with_capacity(bytes.len() * 2);
            // Writing to a string does not fail.
            bytes.iter().for_each(|byte| _ = write!(digits, "{byte:02x}"));
            digits
        });
        digits.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        if !deserializer.is_human_readable() {
            return Option::deserialize(deserializer);
        }
        let Some(digits) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let digit = |digit: u8| char::from(digit).to_digit(16).ok_or_else(|| D::Error::custom("no hexadecimal digit"));
        let byte = |pair: &[u8]| match pair {
            [high, low] => Ok((digit(*high)? << 4 | digit(*low)?) as u8),
            _ => Err(D::Error::custom("an odd number of hexadecimal digits")),
        };
        digits.as_bytes().chunks(2).map(byte).collect::<Result<_, _>>().map(Some)
    }
}
