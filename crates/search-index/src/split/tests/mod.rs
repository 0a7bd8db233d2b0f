//! Splits from end to end, over a store that counts.

mod corruption;
mod documents;
mod merging;
mod store;
mod trips;

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use store::Counting;

use super::*;

/// A document's parts, owned.
#[derive(Debug, Clone)]
struct Line {
    id: String,
    source: String,
    time: i64,
    level: &'static str,
    message: String,
    size: i64,
    host: String,
}

/// A number that looks random, and is always the same.
fn mix(n: u64) -> u64 {
    let n = (n ^ 0x9e37_79b9).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (n ^ (n >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 20
}

/// A line like those of HDFS.
fn line(n: u64) -> Line {
    let (block, size) = (mix(n), (mix(n + 1) % 100_000) as i64);
    let (time, host) = (1_226_000_000_000 + n as i64 * 37, format!("10.250.{}.{}", mix(n + 2) % 20, mix(n + 3) % 250));
    let level = ["INFO", "INFO", "INFO", "WARN", "ERROR"][(mix(n + 4) % 5) as usize];
    let message = match mix(n + 5) % 3 {
        0 => format!("Receiving block blk_{block} src: /{host}:54106 dest: /{host}:50010"),
        1 => format!("PacketResponder {} for block blk_{block} terminating", n % 3),
        _ => format!(
            "BLOCK* NameSystem.addStoredBlock: blockMap updated: {host}:50010 is added to blk_{block} size {size}"
        ),
    };
    let source = format!(
        r#"{{"@timestamp":{time},"level":"{level}","message":"{message}","size":{size},"node":{{"host":"{host}"}}}}"#
    );
    Line { id: format!("{block:x}-{n}"), source, time, level, message, size, host }
}

impl Line {
    fn add(&self, builder: &mut Builder, row: Row) -> u32 {
        let values = [
            ("@timestamp", FieldValue::Date(self.time)),
            ("level", FieldValue::Keyword(self.level)),
            ("message", FieldValue::Text(&self.message)),
            ("size", FieldValue::Long(self.size)),
            ("node.host", FieldValue::TextAndKeyword(&self.host)),
        ];
        let document = Document { id: &self.id, source: self.source.as_bytes(), values: &values, names: &["message"] };
        builder.add(&document, row).unwrap()
    }

    fn stored(&self) -> Stored {
        Stored { id: self.id.clone(), source: Bytes::from(self.source.clone()) }
    }
}

fn options() -> BuildOptions {
    BuildOptions { tag_fields: vec!["level".to_owned(), "node.host".to_owned(), "absent".to_owned()] }
}

fn build(lines: Range<u64>) -> Built {
    let mut builder = Builder::new(&options()).unwrap();
    for n in lines {
        line(n).add(&mut builder, Row { seq_no: n * 2, version: 1 + n % 7 / 6 });
    }
    builder.finish().unwrap()
}

/// A split that is stored, and opened with a cache of its own.
async fn open(store: &Arc<Counting>, key: &str, built: &Built) -> Arc<SplitReader> {
    store.set(key, built.bytes.clone());
    reopen(store, key, built).await
}

async fn reopen(store: &Arc<Counting>, key: &str, built: &Built) -> Arc<SplitReader> {
    SplitReader::open(store.clone(), Cache::new(64 << 20, 64), key, &built.meta).await.unwrap()
}

fn wanted(terms: &[tantivy::Term], columns: &[&str]) -> Wanted {
    Wanted {
        terms: terms.iter().map(|term| (term.clone(), true)).collect::<BTreeMap<_, _>>(),
        patterns: Vec::new(),
        columns: columns.iter().map(|&path| path.to_owned()).collect(),
    }
}

fn deleted(docs: impl IntoIterator<Item = u32>) -> Deleted {
    Arc::new(docs.into_iter().collect::<RoaringBitmap>())
}
