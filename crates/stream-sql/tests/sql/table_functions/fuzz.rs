//! Whatever is called over whatever rows: nothing panics, and a stored state goes on as it was.

use proptest::prelude::*;

use super::{Step, compile, run};

/// Calls of table functions, most of them right.
fn call() -> impl Strategy<Value = String> {
    let cursor = prop::sample::select(vec![
        "SELECT STREAM * FROM s",
        "SELECT STREAM \"x\", \"n\", \"k\" FROM s",
        "SELECT STREAM \"x\" FROM s WHERE \"n\" <> 3",
        "SELECT STREAM \"x\" * 1e308 AS \"x\", 1 / \"n\" AS \"n\" FROM s",
        "SELECT STREAM \"n\", s.ROWTIME - INTERVAL '1' SECOND AS ROWTIME FROM s",
        "SELECT STREAM \"k\" AS \"n\", COUNT(*) AS \"x\" FROM s GROUP BY \"k\", FLOOR(s.ROWTIME TO SECOND)",
        "SELECT STREAM ANOMALY_SCORE AS \"x\", \"n\" FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM \"n\" FROM s), 2, 10))",
        "SELECT STREAM NULL AS \"n\", \"x\" FROM s",
    ]);
    let arg = prop::sample::select(vec![
        "'n'",
        "'x'",
        "'k'",
        "'asc'",
        "'desc'",
        "0",
        "1",
        "2",
        "10",
        "30",
        "100",
        "1000",
        "-1",
        "0.5",
        "1e-300",
        "1e300",
        "TRUE",
        "NULL",
        "n",
        "1 + 1",
        "2147483648",
    ]);
    let any = (
        prop::sample::select(vec!["TOP_K_ITEMS_TUMBLING", "GROUP_RANK", "HOTSPOTS", "RANDOM_CUT_FOREST"]),
        prop::collection::vec(arg, 0..6).prop_map(|args| args.join(", ")),
    );
    let right = prop::sample::select(vec![
        ("TOP_K_ITEMS_TUMBLING", "'n', 2, 1"),
        ("TOP_K_ITEMS_TUMBLING", "'x', 100000, 3600"),
        ("COUNT_DISTINCT_ITEMS_TUMBLING", "'x', 1"),
        ("GROUP_RANK", "'n', 'r', 'asc', 'desc', 1, 2"),
        ("RANDOM_CUT_FOREST_WITH_EXPLANATION", "3, 10, 11, 2, TRUE"),
        ("RANDOM_CUT_FOREST", "4, 10, 2147483647, 1"),
        ("HOTSPOTS", "100, 1e-300, 2"),
        ("HOTSPOTS", "100, 1e300, 100"),
    ])
    .prop_map(|(function, args)| (function, args.to_owned()));
    (cursor, prop_oneof![1 => any, 3 => right]).prop_map(|(cursor, (function, args))| {
        let comma = if args.is_empty() { "" } else { ", " };
        format!("TABLE({function}(CURSOR({cursor}){comma}{args})) AS t WHERE t.ROWTIME IS NOT NULL")
    })
}

fn record() -> impl Strategy<Value = String> {
    let number =
        prop::sample::select(vec!["0", "-0.0", "1", "2", "3", "-7", "1e300", "-1e300", "5e-324", "null", "\"a\""]);
    let whole = prop::sample::select(vec!["0", "1", "2", "3", "2147483647", "-2147483648", "null"]);
    (number, whole).prop_map(|(x, n)| format!(r#"{{"x":{x},"n":{n},"k":"{n}","d":{n}}}"#))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_call_over_any_rows(call in call(), records in prop::collection::vec(record(), 0..130), reload in 1usize..40) {
        let sql = format!("CREATE STREAM o (a BIGINT); CREATE PUMP p AS INSERT INTO o SELECT STREAM 1 FROM {call}");
        if compile(&sql).is_ok() {
            let mut steps: Vec<Step> = (0..).zip(records).map(|(n, record)| (n * n * 3, Some(record))).collect();
            steps.push((i64::MAX, None));
            run(&sql, &steps, reload);
        }
    }
}
