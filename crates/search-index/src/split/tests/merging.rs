//! Several splits become one.

use super::*;
use crate::split::schema::string_term;

async fn input(store: &Arc<Counting>, lines: Range<u64>, seq_base: u64, gone: Option<Deleted>) -> Input {
    let built = build(lines.clone());
    Input { reader: open(store, &format!("{lines:?}"), &built).await, deleted: gone, seq_base }
}

#[tokio::test]
async fn documents_rows_and_ids_of_all() {
    let store = Counting::new();
    let gone: [Option<Deleted>; 4] =
        [None, Some(deleted((0..500).filter(|doc| doc % 5 == 0))), Some(deleted(0..200)), Some(deleted([0, 99]))];
    let ranges = [0..700, 700..1_200, 1_200..1_400, 1_400..1_500];
    let mut inputs = Vec::new();
    for (n, (lines, gone)) in ranges.iter().zip(&gone).enumerate() {
        inputs.push(input(&store, lines.clone(), (n as u64) << 20, gone.clone()).await);
    }
    let merged = merge(&inputs, &options()).await.unwrap();
    let built = merged.built.as_ref().unwrap();
    assert_eq!(built.meta.documents, 700 + 400 + 98);
    let reader = open(&store, "merged", built).await;

    let rows = reader.rows().await.unwrap();
    let (mut next, mut errors) = (0, 0);
    for (n, (lines, gone)) in ranges.iter().zip(&gone).enumerate() {
        for (doc, number) in lines.clone().enumerate() {
            let left = gone.as_ref().is_none_or(|gone| !gone.contains(doc as u32));
            assert_eq!(merged.moved(n, doc as u32), left.then_some(next));
            if left {
                let row = Row { seq_no: ((n as u64) << 20) + number * 2, version: 1 + number % 7 / 6 };
                assert_eq!(rows.row(next), Some(row));
                errors += usize::from(line(number).level == "ERROR");
                next += 1;
            }
        }
        assert_eq!(merged.moved(n, (lines.end - lines.start) as u32), None);
    }
    assert_eq!(next, built.meta.documents);

    assert_eq!(reader.documents(&[0, 700]).await.unwrap(), [line(0).stored(), line(701).stored()]);
    let (kept, dropped) = (line(1_300 + 101).id, line(700).id);
    assert_eq!(reader.find(&[&kept, &dropped], None).await.unwrap(), [Some(1_100), None]);
    let term = string_term("level", "ERROR");
    reader.prefetch(&wanted(std::slice::from_ref(&term), &[])).await.unwrap();
    assert_eq!(reader.searcher(None).unwrap().doc_freq(&term).unwrap() as usize, errors);

    assert_eq!(built.meta.times["@timestamp"], (line(0).time, line(1_499).time));
    assert_eq!(built.meta.tags["level"].len(), 3);
    assert!(!built.meta.tags.contains_key("node.host"));
}

#[tokio::test]
async fn nothing_is_left() {
    let store = Counting::new();
    let inputs = [input(&store, 0..10, 0, Some(deleted(0..10))).await];
    let merged = merge(&inputs, &options()).await.unwrap();
    assert!(merged.built.is_none());
    assert_eq!(merged.moved(0, 3), None);
    assert!(merge(&[], &options()).await.unwrap().built.is_none());
}

#[tokio::test]
async fn the_wrong_order_is_refused() {
    let store = Counting::new();
    let inputs = [input(&store, 10..20, 0, None).await, input(&store, 0..10, 0, None).await];
    assert!(merge(&inputs, &options()).await.is_err());
}

#[tokio::test]
async fn merging_twice_is_merging() {
    let store = Counting::new();
    let mut readers = Vec::new();
    for n in 0..4u64 {
        readers.push(input(&store, n * 100..(n + 1) * 100, 0, None).await);
    }
    let left = merge(&readers[..2], &options()).await.unwrap().built.unwrap();
    let right = merge(&readers[2..], &options()).await.unwrap().built.unwrap();
    let again = [
        Input { reader: open(&store, "left", &left).await, deleted: None, seq_base: 0 },
        Input { reader: open(&store, "right", &right).await, deleted: Some(deleted([5])), seq_base: 0 },
    ];
    let built = merge(&again, &options()).await.unwrap().built.unwrap();
    let reader = open(&store, "all", &built).await;
    let documents = reader.documents(&[0, 204, 205, 398]).await.unwrap();
    assert_eq!(documents, [0, 204, 206, 399].map(|n| line(n).stored()));
    assert_eq!(reader.rows().await.unwrap().row(205).unwrap().seq_no, 412);
}
