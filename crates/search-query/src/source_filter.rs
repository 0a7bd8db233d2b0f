//! `_source`: which parts of a document come back.

/// Which parts of a document come back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceFilter {
    /// `_source: false`: none at all.
    pub none: bool,
    /// Patterns of paths (`a.b`, `a.*`); empty: all.
    pub includes: Vec<String>,
    /// Patterns of paths to leave out.
    pub excludes: Vec<String>,
}
