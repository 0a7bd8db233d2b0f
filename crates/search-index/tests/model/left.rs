//! What is left in the store in the end.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use search_index::janitor::GRACE;
use search_index::write::{DocumentId, Op, Part};
use search_index::{Catalog, Options};
use serde_json::Value;

use super::actors::{INDEX, World};
use super::faults::head;
use super::seen::Seen;

/// Turns after the last change whose snapshots the next change lets the janitor collect.
const TURNS: usize = 2;

/// When nothing happens any more all garbage goes, and the index stays what it is.
pub async fn check(world: &World) {
    let catalog = Catalog::new(world.store.clone(), Options::default());
    let index = catalog.index(INDEX).unwrap();
    // The last change: nothing in the store is of a later generation.
    let source = Bytes::from_static(br#"{"n":0,"color":"red"}"#);
    let op = Op::Index { id: DocumentId::Given("last".to_owned()), source, if_seq_no: None };
    index.write(&[Part { source: None, ops: vec![op] }], &Default::default(), world.clock.now()).await.unwrap();
    let before = Seen::of(&index.reader().await.unwrap(), world.clock.now()).await.unwrap();
    let mut quiet = 0;
    for visit in 0.. {
        assert!(visit < 20, "there is always more to be collected");
        world.clock.advance(2 * GRACE);
        let report = index.tidy(world.clock.now(), Duration::MAX, || Duration::ZERO).await.unwrap();
        assert!(!report.unfinished);
        quiet = if report.collected == 0 { quiet + 1 } else { 0 };
        if quiet == 5 {
            break;
        }
    }
    let reader = index.reader().await.unwrap();
    Seen::of(&reader, world.clock.now()).await.unwrap().check(&before, "after all");

    let state = head(&world.store.body(&format!("heads/{INDEX}")).unwrap());
    let keys = world.store.keys();
    let splits = reader.state.splits.iter();
    let mut named: HashSet<String> =
        splits.flat_map(|split| [Some(split.key.clone()), split.deletes.clone()]).flatten().collect();
    named.insert(format!("heads/{INDEX}"));
    named.extend(
        [&state["snapshot"], &state["turn"]["snapshot"]].into_iter().filter_map(Value::as_str).map(str::to_owned),
    );
    let positions: Vec<String> = keys.iter().filter(|key| key.starts_with("positions/")).cloned().collect();
    let forgotten: HashSet<&str> = reader.state.positions.garbage(&positions).into_iter().collect();
    named.extend(positions.iter().filter(|key| !forgotten.contains(key.as_str())).cloned());
    for key in &named {
        assert!(keys.contains(key), "{key} is named and gone");
    }
    // Not in here: what was written into a life that had ended and was cleared already, hours later, and into one that was never
    // begun, because another writer began the index.
    let alive = format!("/{}/", reader.state.incarnation.as_ref().unwrap());
    let left: Vec<&String> = keys.iter().filter(|key| !named.contains(*key) && key.contains(&alive)).collect();
    // Of one turn there may be several: each who tried for it wrote his own.
    let turns: HashSet<&str> = left.iter().filter_map(|key| key.rsplit('/').next()?.split('-').next()).collect();
    assert!(left.iter().all(|key| key.starts_with("snapshots/")) && turns.len() <= TURNS, "left over: {left:#?}");
    let dead = keys.iter().filter(|key| !named.contains(*key) && !key.contains(&alive)).count();
    println!("left of lives that have ended: {dead}");
}
