//! What queries cost over access-log JSON, parse included; each beside the same work over `serde_json::Value`.
#![allow(missing_docs)]

mod access_log;
mod counts;
mod dates;
mod engine;
mod groups;
mod lookup;
mod sliding;
mod states;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    counts::bench(&mut criterion);
    sliding::bench(&mut criterion);
    dates::bench(&mut criterion);
    lookup::bench(&mut criterion);
    criterion.final_summary();
    // Nothing was asked for by name (`cargo bench` itself says `--bench`).
    if std::env::args().skip(1).all(|argument| argument == "--bench") {
        groups::print();
        states::print();
    }
}
