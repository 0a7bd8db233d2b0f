//! A broken object is an error that names it, or does no harm; never a panic, and never a wrong answer.

use super::*;
use crate::Error;
use crate::split::schema::{string_term, word_term};

const LINES: u64 = 2_000;

/// Everything that can be asked of a split.
async fn answers(
    store: &Arc<Counting>,
    built: &Built,
) -> Result<(Vec<Stored>, Vec<Option<u32>>, Option<Row>, u64), Error> {
    let reader = SplitReader::open(store.clone(), Cache::new(1 << 20, 4), "a", &built.meta).await?;
    let (level, word) = (string_term("level", "ERROR"), word_term("message", "terminating"));
    reader.prefetch(&wanted(&[level.clone(), word.clone()], &["size", "node.host"])).await?;
    let frequency = reader.run(|| {
        let searcher =
            reader.searcher(None).map_err(|error| tantivy::TantivyError::InternalError(error.to_string()))?;
        Ok(searcher.doc_freq(&level)? + searcher.doc_freq(&word)?)
    })?;
    let documents = reader.documents(&[0, 999, 1_999]).await?;
    let found = reader.find(&[&line(5).id, "absent"], None).await?;
    Ok((documents, found, reader.rows().await?.row(1_234), frequency))
}

#[tokio::test]
async fn a_changed_byte_anywhere() {
    let (store, built) = (Counting::new(), build(0..LINES));
    store.set("a", built.bytes.clone());
    let good = answers(&store, &built).await.unwrap();
    let hot = built.meta.hot.start as usize;
    // All of the hot part at small steps, the body at larger ones.
    let positions =
        (0..hot).step_by(hot / 80).chain((hot..built.bytes.len()).step_by(499)).chain([built.bytes.len() - 1]);
    let mut told = 0;
    for position in positions {
        let mut broken = built.bytes.to_vec();
        broken[position] ^= 0x41;
        store.set("a", Bytes::from(broken));
        match answers(&store, &built).await {
            Ok(answer) => assert_eq!(answer, good, "byte {position}"),
            Err(Error::Corrupt { key, .. }) => {
                assert_eq!(key, "a");
                told += 1;
            }
            Err(error) => panic!("byte {position}: {error}"),
        }
    }
    assert!(told > 50, "{told}");
}

#[tokio::test]
async fn a_shorter_object() {
    let (store, built) = (Counting::new(), build(0..LINES));
    for len in [0, 10, built.bytes.len() / 2, built.bytes.len() - 1] {
        store.set("a", built.bytes.slice(..len));
        assert!(matches!(answers(&store, &built).await, Err(Error::Corrupt { .. })), "{len}");
    }
}

#[tokio::test]
async fn another_object_under_its_name() {
    let (store, built) = (Counting::new(), build(0..LINES));
    store.set("a", build(5..300).bytes);
    assert!(matches!(answers(&store, &built).await, Err(Error::Corrupt { .. })));
    store.set("a", Bytes::from(vec![7; built.bytes.len()]));
    assert!(matches!(answers(&store, &built).await, Err(Error::Corrupt { .. })));
}

#[tokio::test]
async fn no_object() {
    let built = build(0..10);
    assert!(matches!(answers(&Counting::new(), &built).await, Err(Error::Store(_))));
}
