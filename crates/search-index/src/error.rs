//! What can go wrong.

use ledger::StoreError;

/// Why an operation on an index failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The index does not exist.
    #[error("no such index [{0}]")]
    NoSuchIndex(String),
    /// The index exists already.
    #[error("index [{0}] already exists")]
    Exists(String),
    /// Not a name of an index.
    #[error("invalid index name [{name}], {reason}")]
    InvalidName {
        /// The name.
        name: String,
        /// What it must be.
        reason: &'static str,
    },
    /// The mapping or settings cannot be.
    #[error("{0}")]
    Mapping(String),
    /// The request cannot be carried out on this index: Elasticsearch's type and reason.
    #[error("{reason}")]
    Request {
        /// `error.type`.
        kind: &'static str,
        /// `error.reason`.
        reason: String,
    },
    /// An object is not what was written.
    #[error("{key}: corrupt: {reason}")]
    Corrupt {
        /// The object.
        key: String,
        /// What was expected.
        reason: String,
    },
    /// The object store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifest could not be read or written.
    #[error(transparent)]
    Head(#[from] ledger::HeadError),
    /// The engine failed.
    #[error("{0}")]
    Engine(String),
}

impl From<tantivy::TantivyError> for Error {
    fn from(error: tantivy::TantivyError) -> Error {
        Error::Engine(error.to_string())
    }
}

impl From<crate::mapping::MappingError> for Error {
    fn from(error: crate::mapping::MappingError) -> Error {
        Error::Request { kind: error.kind, reason: error.reason }
    }
}
