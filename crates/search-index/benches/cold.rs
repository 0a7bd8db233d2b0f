//! Queries cold from S3: round trips and bytes of one split of 500 MB and of 1,000 of 5 MB, by a store that counts them and takes 30 ms
//! for each GET.
//!
//! `cargo bench -p search-index --bench cold` builds a tenth of that; `-- --full` all of it (some minutes, 6 GB of memory).
//!
//! Round trips are those that wait for each other: of a GET one more than of the last GET of the same object that had ended when it
//! began; the manifest's come before the splits', and the documents' after.

mod lines;
mod store;

use std::sync::Arc;
use std::time::{Duration, Instant};

use search_index::manifest::Settings;
use search_index::search::search;
use search_index::write::{DocumentId, Op, Part};
use search_index::{Catalog, Options};
use search_query::SearchRequest;

use lines::{START, STEP, line, mapping};
use store::CountingStore;

/// What the design allows a query to read: so many bytes, or a tenth of the splits left after pruning.
const LIMIT: u64 = 4 << 20;

/// Dependent round trips, cold and with the manifest cached (design).
const TRIPS: (u32, u32) = (5, 3);

/// A query of the design's table.
struct Case {
    name: &'static str,
    body: String,
    /// The byte limit holds.
    bounded: bool,
}

fn cases(lines: u64) -> Vec<Case> {
    let (from, to) = (START + lines * STEP / 2, START + lines * STEP / 2 + lines * STEP / 100);
    let range = format!(r#"{{"range":{{"@timestamp":{{"gte":{from},"lt":{to},"format":"epoch_millis"}}}}}}"#);
    let over_time = r#""aggs":{"time":{"date_histogram":{"field":"@timestamp","fixed_interval":"1m"},
        "aggs":{"levels":{"terms":{"field":"level"}}}}}"#;
    let case = |name, bounded, body: String| Case { name, body, bounded };
    vec![
        case("a term in 1 of 1,000,000 documents", true, r#"{"query":{"match":{"message":"needle"}}}"#.into()),
        case("a term in 10 %", true, r#"{"query":{"term":{"level":"WARN"}}}"#.into()),
        case(
            "AND with a range over 1 % of the time",
            true,
            format!(
                r#"{{"query":{{"bool":{{"must":[{{"match":{{"message":"terminating"}}}}],"filter":[{range}]}}}}}}"#
            ),
        ),
        case(
            "date_histogram > terms over that range",
            true,
            format!(r#"{{"size":0,"query":{{"bool":{{"filter":[{range}]}}}},{over_time}}}"#),
        ),
        case("a frequent phrase", false, r#"{"query":{"match_phrase":{"message":"Receiving block"}}}"#.into()),
        case("date_histogram > terms over all", false, format!(r#"{{"size":0,{over_time}}}"#)),
    ]
}

/// Writes so many commits; joined into one split if `join`.
async fn build(store: &Arc<CountingStore>, commits: u64, lines_each: u64, join: bool) {
    let catalog = Catalog::new(store.clone(), Options { join_bytes: 1 << 30, ..Options::default() });
    catalog.create("logs", Settings::default(), mapping(), 0).await.expect("an index");
    let index = catalog.index("logs").expect("a name");
    let started = Instant::now();
    for commit in 0..commits {
        let numbers = commit * lines_each..(commit + 1) * lines_each;
        let ops = numbers.map(|number| Op::Create { id: DocumentId::Auto, source: line(number) }).collect();
        index.write(&[Part { source: None, ops }], &Settings::default(), 0).await.expect("a commit");
        if commit % 100 == 99 || join {
            eprintln!("{} of {commits} commits, {:.0?}", commit + 1, started.elapsed());
        }
    }
    if join {
        index.tidy(0, Duration::MAX, || Duration::ZERO).await.expect("a join");
    }
}

async fn measure(name: &str, commits: u64, lines_each: u64, join: bool) -> bool {
    let store = Arc::new(CountingStore::default());
    build(&store, commits, lines_each, join).await;
    let index = Catalog::new(store.clone(), Options::default()).index("logs").expect("a name");
    let reader = index.reader().await.expect("a reader");
    let sizes: Vec<u64> = reader.state.splits.iter().map(|split| split.meta.size).collect();
    println!(
        "\n{name}: {} splits of {:.1} MB",
        sizes.len(),
        sizes.iter().sum::<u64>() as f64 / sizes.len() as f64 / 1e6
    );
    println!("| query | hits | round trips cold | manifest cached | GETs | MB read | limit MB | ms |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut within = true;
    for case in cases(commits * lines_each) {
        within &= run(&store, &sizes, &case).await;
    }
    within
}

/// Asks in a process that has read nothing yet.
async fn run(store: &Arc<CountingStore>, sizes: &[u64], case: &Case) -> bool {
    let catalog = Catalog::new(store.clone(), Options { reads: 4096, ..Options::default() });
    let index = catalog.index("logs").expect("a name");
    let request = SearchRequest::parse(case.body.as_bytes(), &[]).expect("a request");
    store.reset();
    let started = Instant::now();
    let reader = index.reader().await.expect("a reader");
    let manifest = store.trips("");
    let answer = search(&[reader], &request, 0).await.expect("an answer");
    let took = started.elapsed();
    assert!(answer.failures.is_empty(), "{:?}", answer.failures);

    let splits = store.trips("splits/");
    let left = (answer.splits - answer.skipped) as u64 * (sizes.iter().sum::<u64>() / sizes.len() as u64);
    let limit = LIMIT.max(left / 10);
    let bytes = store.bytes();
    println!(
        "| {} | {} | {} | {splits} | {} | {:.2} | {} | {} |",
        case.name,
        answer.total.map_or(0, |total| total.value),
        manifest + splits,
        store.gets(),
        bytes as f64 / 1e6,
        if case.bounded { format!("{:.2}", limit as f64 / 1e6) } else { "-".to_owned() },
        took.as_millis(),
    );
    manifest + splits <= TRIPS.0 && splits <= TRIPS.1 && (!case.bounded || bytes <= limit)
}

fn main() {
    let full = std::env::args().any(|argument| argument == "--full");
    let share = if full { 1 } else { 10 };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let within = runtime.block_on(async {
        let one = measure("one large split", 8, 800_000 / share, true).await;
        let many = measure("many small splits", 1_000 / share, 60_000, false).await;
        one && many
    });
    println!("\n{}", if within { "all within the limits" } else { "NOT within the limits" });
}
