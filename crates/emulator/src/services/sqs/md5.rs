//! The digests that SDKs check.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest, Md5};
use serde_json::{Map, Value};

/// MD5 of a text, hex.
pub fn text(text: &str) -> String {
    hex(Md5::digest(text))
}

/// MD5 of message attributes, hex; `None` without any. "Calculating the MD5 message digest for message attributes" in the
/// developer guide: in order of name, the name, the data type, one byte for the kind of value and the value, each with its
/// length before it in four bytes.
pub fn attributes(attributes: &Map<String, Value>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort();
    let mut digest = Md5::new();
    for name in names {
        let attribute = &attributes[name];
        let field = |name: &str| attribute.get(name).and_then(Value::as_str).unwrap_or_default();
        sized(&mut digest, name.as_bytes());
        sized(&mut digest, field("DataType").as_bytes());
        if field("DataType").starts_with("Binary") {
            digest.update([2]);
            sized(&mut digest, &BASE64_STANDARD.decode(field("BinaryValue")).unwrap_or_default());
        } else {
            digest.update([1]);
            sized(&mut digest, field("StringValue").as_bytes());
        }
    }
    Some(hex(digest.finalize()))
}

fn sized(digest: &mut Md5, bytes: &[u8]) {
    digest.update((bytes.len() as u32).to_be_bytes());
    digest.update(bytes);
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
