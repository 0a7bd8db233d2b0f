//! Pages: what a state without them weighs, and what is said of wrong ones.

use std::collections::HashMap;

use stream_sql::{Event, PageId, State, Value};

use super::{Record, compile};

const KEYS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// Ten rows a second, for so long.
fn run(query: &str, seconds: i64) -> (State, HashMap<PageId, Vec<u8>>) {
    let application = compile("a BIGINT, b DOUBLE", query).unwrap().with_page_rows(64);
    let (mut state, mut rows, mut stored) = (State::default(), Vec::new(), HashMap::new());
    for place in 0..seconds * 10 {
        let time = place * 100;
        if place % 50 == 0 {
            stored.extend(state.take_pages());
            state.wanted(time + 5_000).iter().for_each(|id| state.give(id, &stored[id]).unwrap());
        }
        let record =
            Record { k: Some(KEYS[place as usize * 7 % 10]), n: Some(-place), f: Some(place as f64 / 3.0), b: None };
        application.run(&mut state, record.event(time), &mut rows);
        assert_eq!(state.missing(), None);
    }
    stored.extend(state.take_pages());
    (state, stored)
}

#[test]
fn the_state_has_neither_rows_nor_pages() {
    let query =
        "COUNT(*) OVER w, AVG(f) OVER w FROM s WINDOW w AS (PARTITION BY k RANGE INTERVAL '10' MINUTE PRECEDING)";
    let (state, stored) = run(query, 1_200);
    let pages = state.pages();
    assert!((94..=95).contains(&pages.len()), "{}", pages.len());
    assert!(stored.len() > 180);
    let bytes = serde_json::to_vec(&state).unwrap().len();
    // A name for each page, a few numbers for each partition, and the page that is being filled.
    assert!(bytes < 100 * pages.len() + 200 * KEYS.len() + 64 * 30, "{bytes}");
}

/// MAX of numbers that descend: any row may be the greatest one some day.
#[test]
fn numbers_that_descend_are_a_few_for_each_page() {
    let query = "MAX(n) OVER w, FIRST_VALUE(f) OVER w FROM s WINDOW w AS (RANGE INTERVAL '10' MINUTE PRECEDING)";
    let (state, _) = run(query, 1_200);
    let bytes = serde_json::to_vec(&state).unwrap().len();
    assert!(bytes < 200 * state.pages().len() + 3 * 64 * 60, "{bytes}");
}

#[test]
fn wrong_pages_are_refused() {
    let query = "COUNT(*) OVER w, AVG(f) OVER w FROM s WINDOW w AS (RANGE INTERVAL '10' MINUTE PRECEDING)";
    let (mut state, stored) = run(query, 60);
    let before = state.clone();
    let id = state.pages()[0].clone();
    assert!(state.give(&id, b"").unwrap_err().contains("not its bytes"));
    assert!(state.give(&PageId("0-0-0-0".into()), &stored[&id]).unwrap_err().contains("not of this state"));
    assert_eq!(state, before);
    state.give(&id, &stored[&id]).unwrap();
    // What was stored once is not stored again.
    assert_eq!((state.take_pages(), &state), (Vec::new(), &before));
    assert!(id.0.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-'), "{id:?}");
}

#[test]
fn a_state_that_missed_a_page_stays_wrong() {
    let query = "COUNT(*) OVER w, AVG(f) OVER w FROM s WINDOW w AS (RANGE INTERVAL '10' MINUTE PRECEDING)";
    let (mut state, stored) = run(query, 60);
    let application = compile("a BIGINT, b DOUBLE", query).unwrap();
    let mut rows = Vec::new();
    application.run(&mut state, Event::Bound(600_001), &mut rows);
    let id = state.missing().unwrap().clone();
    assert_eq!(state.wanted(600_001).first(), Some(&id));
    state.give(&id, &stored[&id]).unwrap();
    assert_eq!(state.missing(), Some(&id));
}

/// All rows have left: no page is needed for that.
#[test]
fn a_long_silence_needs_no_pages() {
    let query =
        "COUNT(*) OVER w, AVG(f) OVER w FROM s WINDOW w AS (PARTITION BY k RANGE INTERVAL '10' MINUTE PRECEDING)";
    let (mut state, _) = run(query, 60);
    let (application, mut rows) = (compile("a BIGINT, b DOUBLE", query).unwrap(), Vec::new());
    application.run(&mut state, Record { f: Some(5.0), ..Record::default() }.event(700_000), &mut rows);
    assert_eq!((state.missing(), state.pages()), (None, Vec::new()));
    assert_eq!(rows[0].values, [Value::Integer(1), Value::Double(5.0)]);
}

#[test]
fn long_texts_fill_a_page_sooner() {
    let query = "FIRST_VALUE(k) OVER (RANGE INTERVAL '10' MINUTE PRECEDING) FROM s";
    let (application, mut state, mut rows) = (compile("a VARCHAR(8)", query).unwrap(), State::default(), Vec::new());
    for time in 0..3 {
        let values = vec![Value::Text("x".repeat(600_000).into())];
        application.run(&mut state, Event::Row { source: 0, rowtime: time, arrival: time, values }, &mut rows);
    }
    assert_eq!(state.take_pages().len(), 1);
}
