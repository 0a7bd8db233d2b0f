//! What a scroll id carries.

use std::io::{Read, Write};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;

/// The longest cursor, before it is packed: a search as long as a URL's request may be would not fit into the next one.
const MAX_CURSOR: u64 = 1 << 20;

/// Where a scroll stands, and of what search. It holds nothing that its bearer could not ask for himself.
#[derive(Debug, Deserialize, Serialize)]
pub struct Cursor {
    /// Indexes that are not read to their end.
    pub indexes: Vec<String>,
    /// The body of the search.
    pub body: String,
    /// Its parameters.
    pub parameters: Vec<(String, String)>,
    /// How far it came.
    pub position: Position,
    /// `hits.total` as it was at the beginning: value, and whether there are more.
    pub total: Option<(u64, bool)>,
    /// When it is over (epoch ms).
    pub expires: i64,
}

/// How far a scroll came.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Position {
    /// Behind this `_seq_no` of the first of the indexes.
    Arrival(Option<u64>),
    /// Behind the hit with these values of `sort`.
    Sorted(Option<Vec<Value>>),
    /// Behind so many hits.
    Number(usize),
}

impl Cursor {
    /// As a scroll id.
    pub fn encode(&self) -> Result<String, ApiError> {
        let text = serde_json::to_vec(self).map_err(|error| ApiError::new(500, "exception", error.to_string()))?;
        if text.len() as u64 > MAX_CURSOR {
            return Err(ApiError::illegal(format!(
                "the search is {} bytes, a scroll takes {MAX_CURSOR} at most",
                text.len()
            )));
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(&text).and_then(|()| encoder.finish());
        Ok(BASE64_URL_SAFE_NO_PAD.encode(packed.map_err(|error| ApiError::new(500, "exception", error.to_string()))?))
    }

    /// Of a scroll id that is not over yet.
    pub fn decode(id: &str, now: i64) -> Result<Cursor, ApiError> {
        let unknown = || ApiError::illegal("Cannot parse scroll id");
        let packed = BASE64_URL_SAFE_NO_PAD.decode(id).map_err(|_| unknown())?;
        let mut text = Vec::new();
        ZlibDecoder::new(&*packed).take(MAX_CURSOR + 1).read_to_end(&mut text).map_err(|_| unknown())?;
        let cursor: Cursor = serde_json::from_slice(&text).map_err(|_| unknown())?;
        if cursor.expires < now {
            let cause = json!({"type": "search_context_missing_exception", "reason": "No search context found for this scroll id: it is over"});
            let shard = json!({"shard": -1, "index": null, "reason": cause});
            return Err(ApiError::all_shards_failed(404, json!([shard]), json!([cause])));
        }
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_until_it_is_over() {
        let cursor = Cursor {
            indexes: vec!["a".into()],
            body: r#"{"query":{"match_all":{}}}"#.into(),
            parameters: vec![("size".into(), "3".into())],
            position: Position::Sorted(Some(vec![json!(1.5), json!(7)])),
            total: Some((9, false)),
            expires: 1000,
        };
        let id = cursor.encode().unwrap();
        let back = Cursor::decode(&id, 1000).unwrap();
        assert_eq!((back.position, back.body, back.parameters), (cursor.position, cursor.body, cursor.parameters));
        assert_eq!(Cursor::decode(&id, 1001).unwrap_err().status, 404);
        for no_id in ["", "x", "AAAA", "\u{e4}"] {
            assert_eq!(Cursor::decode(no_id, 0).unwrap_err().reason, "Cannot parse scroll id", "{no_id:?}");
        }
    }
}
