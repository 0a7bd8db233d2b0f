//! Names of the objects of an index.
//!
//! `<kind>/<incarnation>/<generation>-<uuid>`: what is written anew has a new name. The generation (eight hexadecimal digits) is the
//! one of the head that the writer had loaded; it tells the janitor whether a commit may still name the object, without a clock.

/// Before the name of an index: its head.
pub const HEADS: &str = "heads/";

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A split.
    Split,
    /// A deletion bitset.
    Deletes,
    /// A snapshot of a manifest.
    Snapshot,
    /// Source positions of a day.
    Positions,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Split, Kind::Deletes, Kind::Snapshot, Kind::Positions];

    fn folder(self) -> &'static str {
        match self {
            Kind::Split => "splits",
            Kind::Deletes => "deletes",
            Kind::Snapshot => "snapshots",
            Kind::Positions => "positions",
        }
    }

    /// Before everything of this kind in one life of an index.
    pub fn prefix(self, incarnation: &str) -> String {
        format!("{}/{incarnation}/", self.folder())
    }
}

/// A name for a new life of an index.
pub fn new_incarnation() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Gives names to new objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The life of the index.
    pub incarnation: String,
    /// The generation of the head that is built on.
    pub generation: u64,
}

impl Names {
    /// A name that no other object has.
    pub fn new(&self, kind: Kind) -> String {
        format!("{}{:08x}-{}", kind.prefix(&self.incarnation), self.generation, uuid::Uuid::new_v4().simple())
    }

    /// What the names of new positions begin with.
    pub fn positions(&self) -> String {
        format!("{}{:08x}/", Kind::Positions.prefix(&self.incarnation), self.generation)
    }

    /// Whether a commit onto this head may name the object: its life is this one, and the janitor does not think it forgotten.
    pub fn admits(&self, kind: Kind, key: &str) -> bool {
        generation(kind, &self.incarnation, key).is_some_and(|made| made + 1 >= self.generation)
    }
}

/// The generation in the name of an object of that life of an index.
pub fn generation(kind: Kind, incarnation: &str, key: &str) -> Option<u64> {
    let name = key.strip_prefix(&kind.prefix(incarnation))?;
    u64::from_str_radix(name.get(..8)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_generation() {
        let names = Names { incarnation: "a".to_owned(), generation: 255 };
        for kind in Kind::ALL {
            let key = if kind == Kind::Positions { names.positions() + "2026-11-20/x" } else { names.new(kind) };
            assert_eq!(generation(kind, "a", &key), Some(255), "{key}");
            assert_eq!(generation(kind, "b", &key), None, "{key}");
            for (generation, admitted) in [(254, true), (255, true), (256, true), (257, false)] {
                let names = Names { incarnation: "a".to_owned(), generation };
                assert_eq!(names.admits(kind, &key), admitted, "{key} {generation}");
            }
        }
        assert_eq!(generation(Kind::Split, "a", "splits/a/zz"), None);
    }
}
