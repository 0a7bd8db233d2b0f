//! A model that computes each window anew for each row, and random rows for both.

use std::collections::{BTreeMap, HashMap, HashSet};

use proptest::prelude::*;
use stream_sql::{Application, Event, OutputRow, PageId, State, Value};

use super::{Record, compile, reloaded};

/// What a window has: rows with their ROWTIMEs, the current one last.
type Rows<'a> = [(i64, &'a Record)];

/// A call, its type, and what it gives.
type Function = (&'static str, &'static str, fn(&Rows<'_>) -> Value);

fn numbers(rows: &Rows<'_>) -> Vec<i64> {
    rows.iter().filter_map(|row| row.1.n).collect()
}

fn doubles(rows: &Rows<'_>) -> Vec<f64> {
    rows.iter().filter_map(|row| row.1.f).collect()
}

fn truths(rows: &Rows<'_>) -> Vec<bool> {
    rows.iter().filter_map(|row| row.1.b).collect()
}

fn integer(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Integer)
}

fn double(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::Double)
}

fn key(value: Option<&'static str>) -> Value {
    value.map_or(Value::Null, |k| Value::Text(k.into()))
}

fn average(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

fn variance(numbers: &[f64], sample: bool) -> Option<f64> {
    let (mut mean, mut squares) = (0.0, 0.0);
    for (count, number) in numbers.iter().enumerate() {
        let delta = number - mean;
        mean += delta / (count + 1) as f64;
        squares += delta * (number - mean);
    }
    let divisor = numbers.len() as i64 - i64::from(sample);
    (divisor > 0).then(|| squares / divisor as f64)
}

fn distinct(numbers: Vec<f64>) -> Vec<f64> {
    let mut seen = HashSet::new();
    numbers.into_iter().filter(|number| seen.insert((number + 0.0).to_bits())).collect()
}

fn exponential(rows: &Rows<'_>, half_life: f64) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (time, record) in rows {
        if let Some(number) = record.f {
            let weight = 0.5f64.powf((rows[rows.len() - 1].0 - time) as f64 / half_life);
            sum += weight * number;
            weights += weight;
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

const FUNCTIONS: &[Function] = &[
    ("COUNT(*)", "BIGINT", |rows| Value::Integer(rows.len() as i64)),
    ("COUNT(n)", "BIGINT", |rows| Value::Integer(numbers(rows).len() as i64)),
    ("COUNT(k)", "BIGINT", |rows| Value::Integer(rows.iter().filter(|row| row.1.k.is_some()).count() as i64)),
    ("SUM(n)", "BIGINT", |rows| integer(numbers(rows).into_iter().reduce(|a, b| a + b))),
    ("AVG(n)", "INTEGER", |rows| {
        let numbers = numbers(rows);
        integer((!numbers.is_empty()).then(|| numbers.iter().sum::<i64>() / numbers.len() as i64))
    }),
    ("SUM(DISTINCT n)", "BIGINT", |rows| {
        let numbers: HashSet<i64> = numbers(rows).into_iter().collect();
        integer(numbers.into_iter().reduce(|a, b| a + b))
    }),
    ("SUM(f)", "DOUBLE", |rows| double(doubles(rows).into_iter().reduce(|a, b| a + b))),
    ("AVG(f)", "DOUBLE", |rows| double(average(&doubles(rows)))),
    ("AVG(DISTINCT f)", "DOUBLE", |rows| double(average(&distinct(doubles(rows))))),
    ("VAR_POP(f)", "DOUBLE", |rows| double(variance(&doubles(rows), false))),
    ("VAR_SAMP(f)", "DOUBLE", |rows| double(variance(&doubles(rows), true))),
    ("STDDEV_POP(n)", "DOUBLE", |rows| {
        double(variance(&numbers(rows).iter().map(|n| *n as f64).collect::<Vec<_>>(), false).map(f64::sqrt))
    }),
    ("STDDEV(DISTINCT f)", "DOUBLE", |rows| double(variance(&distinct(doubles(rows)), true).map(f64::sqrt))),
    ("MIN(n)", "INTEGER", |rows| integer(numbers(rows).into_iter().min())),
    ("MAX(n)", "INTEGER", |rows| integer(numbers(rows).into_iter().max())),
    ("MIN(f)", "DOUBLE", |rows| double(doubles(rows).into_iter().min_by(f64::total_cmp))),
    ("MAX(f)", "DOUBLE", |rows| double(doubles(rows).into_iter().max_by(f64::total_cmp))),
    ("MAX(k)", "VARCHAR(8)", |rows| key(rows.iter().filter_map(|row| row.1.k).max())),
    ("ANY(b)", "BOOLEAN", |rows| truths(rows).into_iter().reduce(|a, b| a | b).map_or(Value::Null, Value::Boolean)),
    ("EVERY(b)", "BOOLEAN", |rows| truths(rows).into_iter().reduce(|a, b| a & b).map_or(Value::Null, Value::Boolean)),
    ("FIRST_VALUE(n)", "INTEGER", |rows| integer(rows[0].1.n)),
    ("FIRST_VALUE(n) IGNORE NULLS", "INTEGER", |rows| integer(numbers(rows).first().copied())),
    ("LAST_VALUE(k)", "VARCHAR(8)", |rows| key(rows[rows.len() - 1].1.k)),
    ("LAST_VALUE(n) IGNORE NULLS", "INTEGER", |rows| integer(numbers(rows).last().copied())),
    ("NTH_VALUE(f, 3)", "DOUBLE", |rows| double(rows.get(2).and_then(|row| row.1.f))),
    ("NTH_VALUE(n, 2) IGNORE NULLS", "INTEGER", |rows| integer(numbers(rows).get(1).copied())),
    ("NTH_VALUE(n, 3) FROM LAST", "INTEGER", |rows| integer(rows.iter().rev().nth(2).and_then(|row| row.1.n))),
    ("NTH_VALUE(n, 2) FROM LAST IGNORE NULLS", "INTEGER", |rows| integer(numbers(rows).iter().rev().nth(1).copied())),
    ("LAG(n)", "INTEGER", |rows| integer(rows.iter().rev().nth(1).and_then(|row| row.1.n))),
    ("LAG(n, 0, 5)", "INTEGER", |rows| integer(rows[rows.len() - 1].1.n)),
    ("LAG(n, 3, -7)", "INTEGER", |rows| rows.iter().rev().nth(3).map_or(Value::Integer(-7), |row| integer(row.1.n))),
    ("LAG(n, 2) IGNORE NULLS", "INTEGER", |rows| integer(rows.iter().rev().skip(1).filter_map(|row| row.1.n).nth(1))),
    ("EXP_AVG(f, INTERVAL '1' SECOND)", "DOUBLE", |rows| double(exponential(rows, 1_000.0))),
    ("EXP_AVG(f, INTERVAL '7' SECOND)", "DOUBLE", |rows| double(exponential(rows, 7_000.0))),
];

#[derive(Debug, Clone, Copy)]
enum Frame {
    Rows(usize),
    Range(i64),
    Unbounded,
}

const FRAMES: &[(&str, Frame)] = &[
    ("ROWS CURRENT ROW", Frame::Rows(0)),
    ("ROWS 1 PRECEDING", Frame::Rows(1)),
    ("ROWS 4 PRECEDING", Frame::Rows(4)),
    ("RANGE CURRENT ROW", Frame::Range(0)),
    ("RANGE INTERVAL '1' SECOND PRECEDING", Frame::Range(1_000)),
    ("RANGE INTERVAL '5' SECOND PRECEDING", Frame::Range(5_000)),
    ("RANGE INTERVAL '5' SECOND PRECEDING", Frame::Range(5_000)),
    ("RANGE INTERVAL '30' SECOND PRECEDING", Frame::Range(30_000)),
    ("", Frame::Unbounded),
];

/// A call in a SELECT: function, frame, whether it is partitioned.
type Call = (usize, usize, bool);

/// Milliseconds since the last, and a row or nothing but a bound; what is done before it.
type Step = (i64, Option<Record>, Before);

#[derive(Debug, Clone, Copy)]
enum Before {
    Nothing,
    Reload,
    /// And the pages that are likely to be wanted are given back, or not.
    Take {
        give: bool,
    },
}

fn expected(calls: &[Call], steps: &[Step]) -> Vec<Vec<Value>> {
    let (mut seen, mut results, mut now) = (Vec::<(i64, &Record)>::new(), Vec::new(), 0);
    for (gap, record, _) in steps {
        now += gap;
        let Some(record) = record else { continue };
        seen.push((now, record));
        let result = |(function, frame, partitioned): &Call| {
            let own = seen.iter().copied().filter(|row| !partitioned || row.1.k == record.k);
            let rows: Vec<_> = match FRAMES[*frame].1 {
                Frame::Range(length) => own.filter(|row| row.0 >= now - length).collect(),
                Frame::Rows(preceding) => {
                    let rows: Vec<_> = own.collect();
                    rows[rows.len().saturating_sub(preceding + 1)..].to_vec()
                }
                Frame::Unbounded => own.collect(),
            };
            FUNCTIONS[*function].2(&rows)
        };
        results.push(calls.iter().map(result).collect());
    }
    results
}

fn application(calls: &[Call]) -> Application {
    let columns: Vec<_> =
        calls.iter().enumerate().map(|(place, call)| format!("c{place} {}", FUNCTIONS[call.0].1)).collect();
    let list = calls.iter().map(|(function, frame, partitioned)| {
        let partition = if *partitioned { "PARTITION BY k " } else { "" };
        format!("{} OVER ({partition}{})", FUNCTIONS[*function].0, FRAMES[*frame].0)
    });
    let list = list.collect::<Vec<_>>().join(", ");
    compile(&columns.join(", "), &format!("{list} FROM s")).unwrap_or_else(|error| panic!("{list}\n{error}"))
}

/// The rows that come out, the state at the end, and how many pages were taken.
fn run(application: &Application, steps: &[Step], paged: bool) -> (Vec<OutputRow>, State, usize) {
    let (mut state, mut rows, mut now) = (State::default(), Vec::new(), 0);
    let mut stored = HashMap::<PageId, Vec<u8>>::new();
    for (gap, record, before) in steps {
        now += gap;
        match before {
            Before::Take { give } if paged => {
                stored.extend(state.take_pages());
                assert!(state.pages().iter().all(|id| stored.contains_key(id)));
                state = reloaded(&state);
                if *give {
                    state.wanted(now).iter().for_each(|id| state.give(id, &stored[id]).unwrap());
                }
            }
            Before::Reload => state = reloaded(&state),
            _ => {}
        }
        loop {
            let (mut next, known) = (state.clone(), rows.len());
            let event = record.map_or(Event::Bound(now), |record| record.event(now));
            application.run(&mut next, event, &mut rows);
            let Some(id) = next.missing().cloned() else {
                state = next;
                break;
            };
            assert!(!matches!(before, Before::Take { give: true }), "{id:?} was not wanted");
            rows.truncate(known);
            state.give(&id, &stored[&id]).unwrap();
        }
    }
    let pages = stored.len();
    state.pages().iter().for_each(|id| state.give(id, &stored[id]).unwrap());
    (rows, state, pages)
}

fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => {
            a.to_bits() == b.to_bits()
                || (a.is_nan() && b.is_nan())
                || a == b
                || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
        }
        _ => a == b,
    }
}

fn record() -> impl Strategy<Value = Record> {
    let double = prop_oneof![
        20 => (-8_000i32..8_000).prop_map(|number| f64::from(number) / 8.0),
        4 => Just(2.5),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
    ];
    let columns = (
        prop::sample::select(vec![None, Some("a"), Some("b"), Some("c"), Some("b")]),
        prop::option::weighted(0.8, -5i64..5),
        prop::option::weighted(0.8, double),
        prop::option::weighted(0.7, any::<bool>()),
    );
    columns.prop_map(|(k, n, f, b)| Record { k, n, f, b })
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop::sample::select(vec![0, 0, 1, 1, 50, 100, 400, 999, 1_000, 1_001, 4_000, 5_000, 31_000]);
    let before = prop_oneof![
        4 => Just(Before::Nothing),
        1 => Just(Before::Reload),
        2 => any::<bool>().prop_map(|give| Before::Take { give }),
    ];
    (gap, prop::option::weighted(0.9, record()), before)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_are_those_of_the_model(
        calls in prop::collection::vec((0..FUNCTIONS.len(), 0..FRAMES.len(), any::<bool>()), 1..6),
        steps in prop::collection::vec(step(), 1..80),
        page_rows in 1usize..6,
    ) {
        let application = application(&calls);
        let small = application.clone().with_page_rows(page_rows);
        let expected = expected(&calls, &steps);
        let (rows, ..) = run(&application, &steps, false);
        prop_assert_eq!(rows.len(), expected.len());
        for (place, (row, expected)) in rows.iter().zip(&expected).enumerate() {
            let equal = row.values.iter().zip(expected).all(|(a, b)| close(a, b));
            prop_assert!(equal, "row {place}: {:?} instead of {expected:?}", row.values);
        }
        let text = |rows: &[OutputRow]| rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>();
        let (unpaged, unpaged_state, _) = run(&small, &steps, false);
        let (paged, paged_state, _) = run(&small, &steps, true);
        prop_assert_eq!(text(&rows), text(&unpaged));
        prop_assert_eq!(text(&rows), text(&paged));
        // The same but for the names of the pages.
        let names = paged_state.pages().into_iter().map(|id| (format!("\"{}\"", id.0), "null".to_owned()));
        let json = names.collect::<BTreeMap<_, _>>().iter().fold(
            serde_json::to_string(&paged_state).unwrap(), |json, (name, null)| json.replace(name, null));
        prop_assert_eq!(json, serde_json::to_string(&unpaged_state).unwrap());
    }
}
