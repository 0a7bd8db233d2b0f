//! Where a record stands in its shard.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Digits of a sequence number at most (Kinesis API: `0|([1-9]\d{0,128})`).
const MAX_DIGITS: usize = 129;

/// A Kinesis sequence number, or the start of a shard; ordered as numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sequence(String);

impl Sequence {
    /// Before the first record.
    pub const START: Sequence = Sequence(String::new());

    /// A number as Kinesis writes it.
    pub fn parse(text: &str) -> Option<Sequence> {
        let digits = text.trim_start_matches('0');
        let valid =
            !text.is_empty() && digits.len() <= MAX_DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
        valid.then(|| Sequence(digits.to_owned()))
    }

    /// The number as Kinesis writes it; `None` at the start.
    pub fn number(&self) -> Option<&str> {
        (!self.0.is_empty()).then_some(&self.0)
    }

    /// Its name as a segment's position: names sort as the numbers do.
    pub fn position(&self) -> String {
        format!("{:03}-{}", self.0.len(), self.0)
    }

    /// The other way round.
    pub fn from_position(position: &str) -> Option<Sequence> {
        let (length, digits) = position.split_once('-')?;
        let sequence = if digits.is_empty() { Sequence::START } else { Sequence::parse(digits)? };
        (length.parse() == Ok(sequence.0.len())).then_some(sequence)
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Sequence) -> std::cmp::Ordering {
        // No leading zeros: the shorter is the lower.
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Sequence) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number().unwrap_or("start"))
    }
}

impl Serialize for Sequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Sequence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sequence, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Sequence::START);
        }
        Sequence::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("no sequence number: {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_numbers_do() {
        let numbers = [
            "",
            "9",
            "10",
            "4959033827149025660855969253836157109592",
            "49590338271490256608559692538361571095921575989136588898",
        ];
        let sequences: Vec<_> = numbers.iter().map(|text| Sequence::parse(text).unwrap_or(Sequence::START)).collect();
        for pair in sequences.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].position() < pair[1].position(), "{pair:?}");
        }
        for sequence in sequences {
            assert_eq!(Sequence::from_position(&sequence.position()), Some(sequence.clone()));
            let json = serde_json::to_string(&sequence).unwrap();
            assert_eq!(serde_json::from_str::<Sequence>(&json).unwrap(), sequence);
        }
        for wrong in ["", "12a", "-1", &"9".repeat(130)] {
            assert_eq!(Sequence::parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(Sequence::from_position("003-12"), None);
    }
}
