//! The `_id` of an output row.

use sha2::{Digest, Sha256};

/// What a row's `_id` is made of, besides its number.
#[derive(Clone, Debug)]
pub struct Identity {
    application: String,
    version: String,
    born: i64,
}

impl Identity {
    /// Of the rows of this version, in a state that was born at this time.
    pub fn new(application: &str, version: &str, born: i64) -> Identity {
        Identity { application: application.to_owned(), version: version.to_owned(), born }
    }

    /// Adds an id to a row, the JSON object at the end of `out`.
    pub fn add(id: &str, out: &mut Vec<u8>) {
        if out.last() == Some(&b'}') {
            out.pop();
        }
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.extend_from_slice(b"\"_id\":\"");
        out.extend_from_slice(id.as_bytes());
        out.extend_from_slice(b"\"}");
    }

    /// The id of the row with this number: the same in every repetition.
    pub fn of(&self, stream: &str, number: u64) -> String {
        let mut hash = Sha256::new();
        for part in [self.application.as_str(), &self.version, stream] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(self.born.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gets_its_id() {
        let check = |object: &str, expected: &str| {
            let mut out = format!("before\n{object}").into_bytes();
            Identity::add("5f", &mut out);
            let line = String::from_utf8(out).unwrap();
            assert_eq!(line, format!("before\n{expected}\"_id\":\"5f\"}}"));
        };
        check("{\"A\":1}", "{\"A\":1,");
        check("{}", "{");
    }

    #[test]
    fn ids_differ_by_all_that_they_are_made_of() {
        let ids = [
            Identity::new("a", "v", 1).of("S", 1),
            Identity::new("b", "v", 1).of("S", 1),
            Identity::new("a", "w", 1).of("S", 1),
            Identity::new("a", "v", 2).of("S", 1),
            Identity::new("a", "v", 1).of("T", 1),
            Identity::new("a", "v", 1).of("S", 2),
            Identity::new("av", "", 1).of("S", 1),
        ];
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
        assert_eq!(ids[0], Identity::new("a", "v", 1).of("S", 1));
    }
}
