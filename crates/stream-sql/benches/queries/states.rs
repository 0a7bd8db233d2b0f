//! What is stored after each batch.

use stream_sql::State;

use crate::access_log::{SCHEMA, lines};
use crate::{counts, engine, sliding};

const BATCH: usize = 10_000;
const BATCHES: usize = 10;

/// Prints bytes of the state after the last of ten batches of 10,000 records, over ten minutes, as the function stores it, and of
/// the pages that were filled since the one before.
pub fn print() {
    println!("\nstate after a batch of {BATCH} records ({BATCHES} batches over ten minutes)");
    for (name, sql) in
        [("counts per minute and status", counts::SQL), ("sliding average of a minute by host", sliding::SQL)]
    {
        let application = engine::compile(SCHEMA, sql);
        let (mut state, mut rows, mut pages) = (State::default(), Vec::new(), 0);
        for batch in lines(BATCH * BATCHES).chunks(BATCH) {
            for line in batch {
                application.run(&mut state, engine::record(line), &mut rows);
                rows.clear();
            }
            pages = state.take_pages().iter().map(|(_, bytes)| bytes.len()).sum();
        }
        let bytes = serde_json::to_vec(&state).expect("a state is data").len();
        println!("{name}: {bytes} bytes, and {pages} of pages");
    }
}
