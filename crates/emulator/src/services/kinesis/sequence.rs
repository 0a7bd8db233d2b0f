//! Sequence numbers: 188 bits, written in decimal as 56 digits that begin with 49, like the real ones.
//!
//! From the top: a version (2), the second in which the shard was made, the shard's number, the record's index in its shard, the
//! second of its arrival, the shard's number again, the version again (the layout of the real ones, as
//! Kinesalite reads them). So
//! numbers rise within a shard with the index, and those of a child shard, which is made at a later second, stand above its
//! parents'. The tables keep the index alone; the rest of the number follows from the shard and the record's arrival.

/// The fields of a sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// The second in which the shard was made: 36 bits.
    pub created: i64,
    /// The shard's number.
    pub shard: i64,
    /// The record's index in the shard; 0 is the shard's own starting number, [`END`] its ending number.
    pub index: i64,
    /// The second of the record's arrival: 36 bits.
    pub arrived: i64,
}

/// The index in the ending number of a closed shard.
pub const END: i64 = i64::MAX;

const VERSION: u64 = 2;
const SECONDS: u64 = (1 << 36) - 1;
const CHUNK: u128 = 10_000_000_000_000_000_000;
const CHUNK_DIGITS: usize = 19;

impl Sequence {
    /// The number in decimal.
    pub fn to_decimal(self) -> String {
        let (created, arrived) = (self.created as u64 & SECONDS, self.arrived as u64 & SECONDS);
        let (shard, index) = (self.shard as u32, self.index as u64);
        let high = VERSION << 56 | created << 20 | u64::from(shard & 0xf) << 16 | index >> 48;
        let low = u128::from(index) << 80 | u128::from(arrived) << 36 | u128::from(shard) << 4 | u128::from(VERSION);
        let mut limbs = [high, (low >> 64) as u64, low as u64];
        let (last, middle) = (divide(&mut limbs), divide(&mut limbs));
        // 188 bits are less than 3 chunks: the quotient fits the last limb.
        format!("{}{middle:0CHUNK_DIGITS$}{last:0CHUNK_DIGITS$}", limbs[2])
    }

    /// Reads a number; `None` when it is not one of ours.
    pub fn parse(decimal: &str) -> Option<Self> {
        let mut limbs = [0u64; 3];
        if decimal.is_empty() {
            return None;
        }
        for digit in decimal.chars() {
            let mut carry = u128::from(digit.to_digit(10)?);
            for limb in limbs.iter_mut().rev() {
                let product = u128::from(*limb) * 10 + carry;
                (*limb, carry) = (product as u64, product >> 64);
            }
            if carry != 0 {
                return None;
            }
        }
        let [high, middle, low] = limbs;
        let low = u128::from(middle) << 64 | u128::from(low);
        let shard = (low >> 4) as u32;
        let fits = high >> 56 == VERSION && low as u64 & 0xf == VERSION && high >> 16 & 0xf == u64::from(shard & 0xf);
        let index = i64::try_from((high & 0xffff) << 48 | (low >> 80) as u64).ok()?;
        fits.then_some(Sequence {
            created: (high >> 20 & SECONDS) as i64,
            shard: i64::from(shard),
            index,
            arrived: ((low >> 36) as u64 & SECONDS) as i64,
        })
    }
}

/// Divides by 10^19 and returns the remainder.
fn divide(limbs: &mut [u64; 3]) -> u64 {
    let mut rest = 0u128;
    for limb in limbs {
        let dividend = rest << 64 | u128::from(*limb);
        *limb = (dividend / CHUNK) as u64;
        rest = dividend % CHUNK;
    }
    rest as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: i64 = 1_790_000_000;

    #[test]
    fn numbers_read_back_and_rise_with_shard_and_index() {
        let mut last = String::new();
        for (created, shard, index, arrived) in [
            (MADE, 0, 0, MADE),
            (MADE, 0, 1, MADE + 1),
            (MADE, 0, 2, MADE + 1),
            (MADE, 0, 1 << 50, MADE + 100),
            (MADE, 0, END, MADE + 100),
            (MADE, 7, 1, MADE),
            (MADE + 1, 1, 0, MADE + 100),
            (MADE + 1, 1, 5, MADE + 100_000),
            (MADE + 1, 18, 5, MADE),
        ] {
            let sequence = Sequence { created, shard, index, arrived };
            let decimal = sequence.to_decimal();
            assert_eq!(decimal.len(), 56, "{decimal}");
            assert!(decimal.starts_with("49"), "{decimal}");
            assert!(decimal > last, "{decimal} after {last}");
            assert_eq!(Sequence::parse(&decimal), Some(sequence));
            last = decimal;
        }
    }

    #[test]
    fn numbers_of_the_real_service_are_read() {
        // From Lambda's example event for Kinesis, and from the user guide's example of put-record.
        for (decimal, shard, arrived) in [
            ("49590338271490256608559692538361571095921575989136588898", 6, 1_545_084_650),
            ("49546986683135544286507457936321625675700192471156785154", 0, 1_421_279_386),
        ] {
            let sequence = Sequence::parse(decimal).unwrap();
            assert_eq!((sequence.shard, sequence.arrived), (shard, arrived));
            assert_eq!(sequence.to_decimal(), decimal);
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        let long = "9".repeat(129);
        for text in ["", "0", "-1", "49", "abc", "4954698668313554428650745793632162567570019247115678515x", &long] {
            assert_eq!(Sequence::parse(text), None, "{text}");
        }
    }
}
