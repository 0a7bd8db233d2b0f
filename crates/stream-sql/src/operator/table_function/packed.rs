//! Lists of 64-bit numbers as text: eleven characters a number, where JSON's digits would be twenty.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Of 6 bits each.
const WIDTH: usize = 11;

/// What has 64 bits.
pub(super) trait Word: Copy {
    fn to_word(self) -> u64;
    fn from_word(word: u64) -> Self;
}

impl Word for u64 {
    fn to_word(self) -> u64 {
        self
    }

    fn from_word(word: u64) -> u64 {
        word
    }
}

impl Word for f64 {
    fn to_word(self) -> u64 {
        self.to_bits()
    }

    fn from_word(word: u64) -> f64 {
        f64::from_bits(word)
    }
}

pub(super) fn serialize<S: Serializer, W: Word>(list: &[W], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = String::with_capacity(list.len() * WIDTH);
    for word in list.iter().map(|item| item.to_word()) {
        text.extend((0..WIDTH).map(|place| char::from(DIGITS[(word >> (6 * place)) as usize & 63])));
    }
    serializer.serialize_str(&text)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>, W: Word>(deserializer: D) -> Result<Vec<W>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digit = |byte: &u8| DIGITS.iter().position(|digit| digit == byte);
    let word = |digits: &[u8]| {
        let places = digits.iter().enumerate();
        let word = places.map(|(place, byte)| digit(byte).map(|digit| (digit as u64) << (6 * place)));
        word.sum::<Option<u64>>().map(W::from_word)
    };
    let list: Option<Vec<W>> = text.as_bytes().chunks(WIDTH).map(word).collect();
    list.filter(|_| text.len() % WIDTH == 0).ok_or_else(|| D::Error::custom("a list of numbers is damaged"))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Lists(#[serde(with = "super")] Vec<u64>, #[serde(with = "super")] Vec<f64>);

    #[test]
    fn come_back_as_they_were() {
        let lists = Lists(vec![0, 1, u64::MAX, 1 << 63], vec![-1.5, f64::INFINITY, f64::MIN_POSITIVE]);
        let text = serde_json::to_string(&lists).unwrap();
        assert_eq!(text.len(), 7 * WIDTH + 7);
        assert_eq!(serde_json::from_str::<Lists>(&text).unwrap(), lists);
        assert_eq!(serde_json::from_str::<Lists>(r#"["",""]"#).unwrap(), Lists(Vec::new(), Vec::new()));
        for damaged in [r#"["AAA",""]"#, r#"["AAAAAAAAAA!",""]"#, r#"["///////////",""]"#] {
            // The last has more than 64 bits, which are cut off.
            assert_eq!(serde_json::from_str::<Lists>(damaged).is_ok(), damaged.contains("///"), "{damaged}");
        }
    }
}
