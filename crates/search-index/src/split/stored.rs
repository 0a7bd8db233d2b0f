//! A document as it comes back from the engine's store.

use bytes::Bytes;
use tantivy::schema::OwnedValue;
use tantivy::schema::document::{DeserializeError, DocumentDeserialize, DocumentDeserializer};

use super::Stored;
use super::schema::{ID, SOURCE};

pub struct StoredDocument(pub Stored);

impl DocumentDeserialize for StoredDocument {
    fn deserialize<'de, D: DocumentDeserializer<'de>>(mut fields: D) -> Result<StoredDocument, DeserializeError> {
        let (mut id, mut source) = (None, None);
        while let Some((field, value)) = fields.next_field::<OwnedValue>()? {
            match value {
                OwnedValue::Str(value) if field == ID => id = Some(value),
                OwnedValue::Bytes(value) if field == SOURCE => source = Some(Bytes::from(value)),
                _ => return Err(DeserializeError::custom("a stored field that no split has")),
            }
        }
        let (Some(id), Some(source)) = (id, source) else {
            return Err(DeserializeError::custom("a document without _id or _source"));
        };
        Ok(StoredDocument(Stored { id, source }))
    }
}
