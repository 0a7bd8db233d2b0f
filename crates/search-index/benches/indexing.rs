//! Indexing HDFS-like JSON logs: a split beside the engine itself with the same schema, one thread each; and opening a split.
//!
//! `cargo bench -p search-index --bench indexing`. Prints the sizes of both first.

#![allow(missing_docs)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ledger::{ETag, Meta, Object, ObjectStore, Precondition, StoreError};
use search_index::split::schema::{DOC, FIELD_NAMES, ID, SOURCE, TEXT};
use search_index::split::{
    BuildOptions, Builder, Built, Cache, Document, FieldValue, Row, SplitReader, analyzer, schema,
};
use tantivy::directory::RamDirectory;
use tantivy::schema::OwnedValue;
use tantivy::store::{Compressor, ZstdCompressor};
use tantivy::tokenizer::TokenizerManager;
use tantivy::{DateTime, Directory, IndexBuilder, IndexSettings, SingleSegmentIndexWriter, TantivyDocument};

const LINES: u64 = 50_000;

struct Line {
    id: String,
    source: String,
    time: i64,
    level: &'static str,
    class: String,
    message: String,
    pid: i64,
    host: String,
}

fn mix(n: u64) -> u64 {
    let n = (n ^ 0x9e37_79b9).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (n ^ (n >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 20
}

/// A line like those of the HDFS log that search engines are measured with.
fn line(n: u64) -> Line {
    let (block, size) = (mix(n), mix(n + 1) % 67_108_864);
    let (from, to) = (
        format!("10.250.{}.{}", mix(n + 2) % 20, mix(n + 3) % 250),
        format!("10.251.{}.{}", mix(n + 4) % 20, mix(n + 5) % 250),
    );
    let (class, message) = match mix(n + 6) % 4 {
        0 => ("dfs.DataNode$DataXceiver", format!("Receiving block blk_{block} src: /{from}:54106 dest: /{to}:50010")),
        1 => ("dfs.DataNode$PacketResponder", format!("PacketResponder {} for block blk_{block} terminating", n % 3)),
        2 => ("dfs.DataNode$PacketResponder", format!("Received block blk_{block} of size {size} from /{from}")),
        _ => (
            "dfs.FSNamesystem",
            format!(
                "BLOCK* NameSystem.addStoredBlock: blockMap updated: {to}:50010 is added to blk_{block} size {size}"
            ),
        ),
    };
    let level = if mix(n + 7).is_multiple_of(20) { "WARN" } else { "INFO" };
    let (time, pid) = (1_226_000_000_000 + n as i64 * 37, (mix(n + 8) % 30_000) as i64);
    let source = format!(
        r#"{{"@timestamp":{time},"severity_text":"{level}","class":"{class}","body":"{message}","pid":{pid},"resource":{{"host":"{from}","service":"datanode/{:02}"}}}}"#,
        n % 5
    );
    Line {
        id: format!("{:016x}{n:08x}", mix(n + 9)),
        source,
        time,
        level,
        class: class.to_owned(),
        message,
        pid,
        host: from,
    }
}

fn split(lines: &[Line]) -> Built {
    let options = BuildOptions { tag_fields: vec!["severity_text".to_owned()] };
    let mut builder = Builder::new(&options).expect("builder");
    for (seq_no, line) in lines.iter().enumerate() {
        let values = [
            ("@timestamp", FieldValue::Date(line.time)),
            ("severity_text", FieldValue::Keyword(line.level)),
            ("class", FieldValue::Keyword(&line.class)),
            ("body", FieldValue::Text(&line.message)),
            ("pid", FieldValue::Long(line.pid)),
            ("resource.host", FieldValue::TextAndKeyword(&line.host)),
        ];
        let document = Document { id: &line.id, source: line.source.as_bytes(), values: &values, names: &["body"] };
        builder.add(&document, Row { seq_no: seq_no as u64, version: 1 }).expect("add");
    }
    builder.finish().expect("finish")
}

/// The same with the engine's own documents. Returns the bytes of its files.
fn engine(lines: &[Line]) -> usize {
    let directory = RamDirectory::create();
    let analyzers = TokenizerManager::default();
    analyzers.register("standard", analyzer());
    let settings = IndexSettings {
        docstore_compression: Compressor::Zstd(ZstdCompressor::default()),
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    let mut writer: SingleSegmentIndexWriter = IndexBuilder::new()
        .schema(schema())
        .tokenizers(analyzers)
        .settings(settings)
        .single_segment_index_writer(directory.clone(), 50_000_000)
        .expect("writer");
    for line in lines {
        let text = |value: &str| OwnedValue::Str(value.to_owned());
        let mut document = TantivyDocument::new();
        document.add_text(ID, &line.id);
        document.add_bytes(SOURCE, line.source.as_bytes());
        document.add_object(
            TEXT,
            BTreeMap::from([("body".to_owned(), text(&line.message)), ("resource.host".to_owned(), text(&line.host))]),
        );
        let exact = [
            ("@timestamp".to_owned(), OwnedValue::Date(DateTime::from_timestamp_millis(line.time))),
            ("severity_text".to_owned(), text(line.level)),
            ("class".to_owned(), text(&line.class)),
            ("pid".to_owned(), OwnedValue::I64(line.pid)),
            ("resource.host".to_owned(), text(&line.host)),
        ];
        document.add_object(DOC, BTreeMap::from(exact));
        document.add_text(FIELD_NAMES, "body");
        writer.add_document(document).expect("add");
    }
    let index = writer.finalize().expect("finalize");
    let segment = index.searchable_segments().expect("segments").remove(0);
    let name = |extension: &str| format!("{}.{extension}", segment.id().uuid_string());
    let len = |extension| directory.open_read(name(extension).as_ref()).expect("file").num_bytes().get_bytes() as usize;
    ["term", "idx", "pos", "fieldnorm", "fast", "store"].into_iter().map(len).sum()
}

/// A store with one object.
struct One(Bytes);

#[async_trait]
impl ObjectStore for One {
    async fn get(&self, key: &str) -> Result<Object, StoreError> {
        self.get_range(key, 0..u64::MAX).await
    }

    async fn get_range(&self, _key: &str, range: Range<u64>) -> Result<Object, StoreError> {
        let end = range.end.min(self.0.len() as u64) as usize;
        Ok(Object { body: self.0.slice(range.start as usize..end), etag: ETag(String::new()) })
    }

    async fn get_if_changed(&self, key: &str, _etag: &ETag) -> Result<Option<Object>, StoreError> {
        self.get(key).await.map(Some)
    }

    async fn head(&self, key: &str) -> Result<Meta, StoreError> {
        Err(StoreError::NotFound { key: key.to_owned() })
    }

    async fn put(&self, key: &str, _body: Bytes, _precondition: &Precondition) -> Result<ETag, StoreError> {
        Err(StoreError::NotFound { key: key.to_owned() })
    }

    async fn delete(&self, _key: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn list(&self, _prefix: &str, _start_after: Option<&str>) -> Result<Vec<Meta>, StoreError> {
        Ok(Vec::new())
    }
}

fn indexing(criterion: &mut Criterion) {
    let lines: Vec<Line> = (0..LINES).map(line).collect();
    let bytes: usize = lines.iter().map(|line| line.source.len()).sum();
    let (built, raw) = (split(&lines), engine(&lines));
    let (size, hot) = (built.bytes.len(), built.meta.hot.end - built.meta.hot.start);
    println!(
        "{bytes} bytes of JSON; split {size} (hot part {hot}), engine's files {raw}: {:.3}",
        size as f64 / raw as f64
    );

    let mut group = criterion.benchmark_group("indexing");
    group.sample_size(10).throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("split", |bencher| bencher.iter(|| black_box(split(&lines))));
    group.bench_function("engine", |bencher| bencher.iter(|| black_box(engine(&lines))));
    group.finish();

    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    let store = Arc::new(One(built.bytes.clone()));
    criterion.bench_function("opening/cached", |bencher| {
        let cache = Cache::new(64 << 20, 8);
        bencher.iter_batched(
            || (),
            |()| runtime.block_on(SplitReader::open(store.clone(), cache.clone(), "one", &built.meta)).expect("open"),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, indexing);
criterion_main!(benches);
