//! The index against a plain map: writers, readers and cleaners who are killed, sleep for hours and lose answers.
//!
//! ```text
//! actors ─ each its own Catalog ─▶ Faults (by a seed) ─▶ Memory (exact preconditions)
//!        └ what was asked, answered and committed ─▶ History: the same on a map, commit by commit ─▶ what each must have seen
//! ```
//!
//! Who made which commit is taken from the heads that were written, so that a write without an answer is no riddle. `LOGMILL_LONG`
//! tries more seeds.

mod actors;
mod clock;
mod damage;
mod faults;
mod history;
mod left;
mod memory;
mod retention;
mod seen;

use std::sync::Arc;

use search_index::{Catalog, Options};
use tokio::task::JoinSet;

use actors::{Actor, INDEX, LAMBDA, World};
use clock::Clock;
use faults::{Rates, head};
use history::History;
use seen::Seen;

const RATES: Rates = Rates { killed: 6, lost: 15, refused: 15, late: 15, asleep: 5, minutes: 180 };

fn seeds() -> std::ops::Range<u64> {
    0..if std::env::var_os("LOGMILL_LONG").is_some() { 60 } else { 3 }
}

#[tokio::test]
async fn whatever_goes_wrong_the_index_is_the_map() {
    for seed in seeds() {
        println!("seed {seed}");
        let world = run(seed).await;
        let history = History::of(&world.written.lock().unwrap());
        for (incarnation, commit, seen) in world.read.lock().unwrap().iter() {
            let expected = Seen::expected(&history.at(incarnation, *commit));
            seen.check(&expected, &format!("seed {seed}, commit {commit}"));
        }
        last(&world, &history, seed).await;
        left::check(&world).await;
        println!("joined, collected: {:?}", world.tidied.lock().unwrap());
    }
}

/// Everyone at once, until all are done.
async fn run(seed: u64) -> Arc<World> {
    let quiet = Rates { asleep: 2, minutes: LAMBDA, ..Rates::default() };
    let world = Arc::new(World {
        store: Arc::default(),
        clock: Arc::new(Clock::new(8)),
        written: Default::default(),
        read: Default::default(),
        tidied: Default::default(),
    });
    let actor = |number: u64, rates| Actor::new(&world, rates, seed * 100 + number);
    let mut all = JoinSet::new();
    for number in 0..3 {
        all.spawn(actor(number, RATES).write(60));
    }
    all.spawn(actor(10, quiet).read(15));
    all.spawn(actor(11, quiet).read(15));
    all.spawn(actor(13, RATES).tidy(40));
    all.spawn(actor(14, RATES).tidy(40));
    all.spawn(actor(12, Rates { minutes: LAMBDA, ..RATES }).delete((seed % 3) as usize));
    while let Some(done) = all.join_next().await {
        if let Err(error) = done {
            panic!("seed {seed}: {error}");
        }
    }
    world
}

/// The last commit is what the map is, for one that has read nothing before.
async fn last(world: &World, history: &History, seed: u64) {
    let catalog = Catalog::new(world.store.clone(), Options::default());
    let state = head(&world.store.body(&format!("heads/{INDEX}")).unwrap());
    let Some(incarnation) = state["incarnation"].as_str() else {
        assert!(catalog.index(INDEX).unwrap().reader().await.is_err());
        return;
    };
    let expected = Seen::expected(&history.at(incarnation, u64::MAX));
    let reader = catalog.index(INDEX).unwrap().reader().await.unwrap();
    Seen::of(&reader, world.clock.now()).await.unwrap().check(&expected, &format!("seed {seed}, at last"));
}
