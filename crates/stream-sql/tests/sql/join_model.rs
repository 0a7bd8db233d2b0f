//! Joins of two streams against a plain model that tries all pairs: all kinds, windows of all kinds.

use proptest::prelude::*;
use stream_sql::{Application, Column, Event, Format, Source, SqlType, State, Value};

/// Two sources of the same columns.
fn compile(sql: &str) -> Application {
    let column = |(name, sql_type): (&str, SqlType)| Column { name: name.to_owned(), sql_type, mapping: None };
    let columns = [("K", SqlType::Integer), ("V", SqlType::Varchar { length: 8 })];
    let source =
        |name: &str| Source { name: name.to_owned(), columns: columns.map(column).into(), format: Format::default() };
    Application::compile(sql, &["A", "B"].map(source), &[]).unwrap()
}

/// A row of the model: source, ROWTIME, key.
type Arrived = (usize, i64, Option<i64>);

/// A window of the model: none, so many milliseconds, or so many rows more.
#[derive(Debug, Clone, Copy)]
enum Reach {
    None,
    Range(i64),
    Rows(usize),
}

impl Reach {
    fn sql(self) -> String {
        match self {
            Reach::None => String::new(),
            Reach::Range(length) => format!("OVER (RANGE INTERVAL '{}' SECOND PRECEDING)", length / 1_000),
            Reach::Rows(rows) => format!("OVER (ROWS {rows} PRECEDING)"),
        }
    }

    /// When a row leaves the window, as the place of the first row that does not meet it, and as a time.
    fn end(self, arrived: &[Arrived], place: usize) -> (usize, i64) {
        let (side, time, _) = arrived[place];
        match self {
            Reach::None => (place, time),
            Reach::Range(length) => (arrived.partition_point(|row| row.1 <= time + length), time + length),
            Reach::Rows(rows) => {
                let mut own = (place + 1..arrived.len()).filter(|later| arrived[*later].0 == side);
                // The row that pushes it out comes before those that it does not meet.
                own.nth(rows).map_or((arrived.len(), i64::MAX), |pushes| (pushes, arrived[pushes].1))
            }
        }
    }
}

/// What a join of two sources gives, by trying all pairs.
fn model(
    arrived: &[Arrived],
    reach: [Reach; 2],
    outer: [bool; 2],
    end: i64,
) -> Vec<(i64, Option<usize>, Option<usize>)> {
    let (mut rows, mut met) = (Vec::new(), vec![false; arrived.len()]);
    for (later, (side, time, key)) in arrived.iter().enumerate() {
        for (earlier, (other, _, with)) in arrived[..later].iter().enumerate() {
            if side != other && key.is_some() && key == with && later < reach[*other].end(arrived, earlier).0 {
                (met[later], met[earlier]) = (true, true);
                let pair = if *side == 0 { (later, earlier) } else { (earlier, later) };
                rows.push((*time, Some(pair.0), Some(pair.1)));
            }
        }
    }
    for (place, (side, ..)) in arrived.iter().enumerate() {
        let leaves = reach[*side].end(arrived, place).1;
        if outer[*side] && !met[place] && leaves < end {
            let alone = if *side == 0 { (Some(place), None) } else { (None, Some(place)) };
            rows.push((leaves, alone.0, alone.1));
        }
    }
    rows.sort_unstable();
    rows
}

fn any_reach() -> impl Strategy<Value = Reach> {
    prop_oneof![
        Just(Reach::None),
        (1..4i64).prop_map(|seconds| Reach::Range(seconds * 1_000)),
        (1..4usize).prop_map(Reach::Rows),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_join_as_all_pairs_do(
        steps in prop::collection::vec((0..2usize, 0..4i64, prop::option::weighted(0.9, 0..4i64)), 0..40),
        reach in [any_reach(), any_reach()],
        kind in 0..4usize,
        has_key in any::<bool>(),
        is_derived in any::<bool>(),
    ) {
        prop_assume!(!matches!(reach, [Reach::None, Reach::None]));
        let (word, outer) = [
            ("JOIN", [false, false]),
            ("LEFT JOIN", [true, false]),
            ("RIGHT JOIN", [false, true]),
            ("FULL JOIN", [true, true]),
        ][kind];
        // Without an index the same comes out.
        let on = if has_key { "x.k = y.k" } else { "x.k <= y.k AND x.k >= y.k" };
        // And the same of a stream of another pump.
        let b = if is_derived { "derived" } else { "b" };
        let sql = format!(
            "CREATE STREAM o (l VARCHAR(8), r VARCHAR(8)); CREATE STREAM derived (k BIGINT, v VARCHAR(8));
            CREATE PUMP p AS INSERT INTO o SELECT STREAM x.v, y.v FROM a {} AS x {word} {b} {} AS y ON {on};
            CREATE PUMP d AS INSERT INTO derived SELECT STREAM k, v FROM b;",
            reach[0].sql(), reach[1].sql(),
        );
        let mut time = 0;
        let arrived: Vec<Arrived> = steps
            .iter()
            .map(|(side, after, key)| {
                // Rows often meet the end of a window.
                time += after * 250;
                (*side, time, *key)
            })
            .collect();
        let application = compile(&sql).with_outputs(&["O"]).unwrap();
        let (mut state, mut rows) = (State::default(), Vec::new());
        for (place, (source, rowtime, key)) in arrived.iter().enumerate() {
            let values = vec![key.map_or(Value::Null, Value::Integer), Value::Text(place.to_string().into())];
            let event = Event::Row { source: *source, rowtime: *rowtime, arrival: 0, values };
            application.run(&mut state, event, &mut rows);
            if place % 3 == 0 {
                state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
            }
        }
        let end = time + 1_500;
        application.run(&mut state, Event::Bound(end), &mut rows);
        prop_assert!(rows.is_sorted_by_key(|row| row.rowtime));
        let number = |value: &Value| match value {
            Value::Text(text) => text.parse::<usize>().ok(),
            _ => None,
        };
        let got = rows.iter().map(|row| (row.rowtime, number(&row.values[0]), number(&row.values[1])));
        let mut got: Vec<_> = got.collect();
        got.sort_unstable();
        prop_assert_eq!(got, model(&arrived, reach, outer, end));
    }
}
