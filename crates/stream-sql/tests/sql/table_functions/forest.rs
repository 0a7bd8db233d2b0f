//! RANDOM_CUT_FOREST, with an explanation and without.

use stream_sql::State;

use super::{Step, at, noise, run};

fn forest(list: &str, args: &str) -> String {
    let from = format!("TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM {list} FROM s){args}))");
    format!("CREATE STREAM o (score DOUBLE);\nCREATE PUMP p AS INSERT INTO o\nSELECT STREAM ANOMALY_SCORE FROM {from}")
}

/// The scores of rows.
fn scores(sql: &str, records: impl Iterator<Item = String>, reload: usize) -> (Vec<f64>, State) {
    let steps: Vec<Step> = (0..).zip(records).map(|(time, record)| (time, Some(record))).collect();
    let (rows, state) = run(sql, &steps, reload);
    let score = |row: &String| {
        let score = row.split(r#"{"SCORE":"#).nth(1).unwrap().trim_end_matches('}').parse();
        score.unwrap_or(f64::NAN)
    };
    (rows.iter().map(score).collect(), state)
}

/// The row of the highest score.
fn highest(scores: &[f64]) -> usize {
    (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap()
}

#[test]
fn an_outlier_scores_highest() {
    let outlier = 444;
    let record = |n: i64| match n {
        444 => r#"{"n":80,"x":9.0,"k":"far"}"#.to_owned(),
        n => format!(r#"{{"n":{},"x":{},"k":"near"}}"#, 50 + n % 7, noise(n)),
    };
    // Storing it now and then changes nothing, nor does a column of text.
    for (list, args, reload) in [("\"k\", \"n\", \"x\"", "", 300), ("\"n\", \"x\"", ", 20", 50)] {
        let (scores, _) = scores(&forest(list, args), (0..500).map(record), reload);
        assert!(scores[..256].iter().all(|score| *score == 0.0));
        assert_eq!(highest(&scores), outlier);
        assert!(scores[outlier] > 4.0, "{}", scores[outlier]);
        let ordinary = scores[256..].iter().filter(|score| **score < 1.5).count();
        assert!(ordinary > 200, "{ordinary}");
    }
}

#[test]
fn a_shingle_sees_what_is_out_of_season() {
    // A wave, of which a part is flat: no value of it is unusual, but so many of one after another are.
    let wave = |n: i64| if (700..720).contains(&n) { 0.0 } else { (n as f64 / 4.0).sin() };
    let records = || (0..900).map(|n| format!(r#"{{"x":{}}}"#, wave(n)));
    let (shingled, _) = scores(&forest("\"x\"", ", 50, 256, 100000, 4"), records(), 100);
    let (plain, _) = scores(&forest("\"x\"", ", 50, 256"), records(), 100);
    assert!((700..724).contains(&highest(&shingled)), "{}", highest(&shingled));
    let usual = |scores: &[f64]| scores[400..700].iter().copied().fold(0.0, f64::max);
    let (peak, usually) = (shingled[highest(&shingled)], usual(&shingled));
    assert!(peak > 1.5 * usually, "{peak} {usually}");
    assert!(plain[700..724].iter().all(|score| *score < 2.0 * usual(&plain)));
    // Rows that are fewer than a shingle are no point.
    let (short, _) = scores(&forest("\"x\"", ", 5, 10, 100, 30"), records().take(60), 7);
    assert!(short[..30].iter().all(|score| *score == 0.0) && short[30..].iter().all(|score| *score > 0.0), "{short:?}");
}

#[test]
fn a_forest_forgets() {
    // What was unusual at first is so no more when it has been there for long.
    let record = |n: i64| format!(r#"{{"x":{}}}"#, noise(n) + if n < 500 { 0.0 } else { 50.0 });
    let (fast, _) = scores(&forest("\"x\"", ", 30, 50, 60"), (0..900).map(record), 90);
    assert!(fast[500] > 3.0, "{}", fast[500]);
    assert!(fast[800..].iter().all(|score| *score < 1.6));
}

#[test]
fn rows_without_all_numbers_have_no_score() {
    let record = |n: i64| if n % 10 == 5 { r#"{"n":1}"#.to_owned() } else { format!(r#"{{"n":1,"x":{}}}"#, noise(n)) };
    let (scores, _) = scores(&forest("\"n\", \"x\"", ", 5, 10"), (0..60).map(record), 1);
    for (n, score) in scores.iter().enumerate() {
        assert_eq!(score.is_nan(), n % 10 == 5, "{n}: {score}");
    }
}

#[test]
fn a_score_is_explained_by_its_columns() {
    let from = |args: &str| {
        let cursor = "CURSOR(SELECT STREAM \"n\" AS \"a \"\"q\"\"\", \"k\", \"x\" FROM s)";
        let from = format!("TABLE(RANDOM_CUT_FOREST_WITH_EXPLANATION({cursor}{args}))");
        format!(
            "CREATE STREAM o (score DOUBLE, why VARCHAR(512));\nCREATE PUMP p AS INSERT INTO o
             SELECT STREAM ANOMALY_SCORE, ANOMALY_EXPLANATION FROM {from}"
        )
    };
    let record = |n: i64| match n {
        301 => at(n, r#"{"n":-900,"x":0.5}"#),
        302 => at(n, r#"{"n":5,"x":77.5}"#),
        303 => at(n, r#"{"n":5}"#),
        n => at(n, &format!(r#"{{"n":{},"x":{}}}"#, n % 11, noise(n))),
    };
    let steps: Vec<Step> = (0..330).map(record).collect();
    let rows = run(&from(", 40, 64, 1000, 1, true"), &steps, 60).0;
    let read = |row: &str| {
        let row: serde_json::Value = serde_json::from_str(row.split_once(' ').unwrap().1).unwrap();
        (
            row["SCORE"].as_f64(),
            serde_json::from_str::<serde_json::Value>(row["WHY"].as_str().unwrap_or("null")).unwrap(),
        )
    };
    for (n, row) in rows.iter().enumerate() {
        let (Some(score), why) = read(row) else {
            assert_eq!(row, r#"303 {"SCORE":null,"WHY":null}"#);
            continue;
        };
        let number = |column: &str, member: &str| why[column][member].as_str().unwrap().parse::<f64>().unwrap();
        let (a, x) = (number("a \"q\"", "ATTRIBUTION_SCORE"), number("x", "ATTRIBUTION_SCORE"));
        assert!((a + x - score).abs() < 2e-4, "{row}");
        match n {
            0..64 => assert_eq!((score, &why["x"]["DIRECTION"]), (0.0, &"LOW".into())),
            301 => assert!(
                a > 5.0 * x && why["a \"q\""]["DIRECTION"] == "LOW" && number("a \"q\"", "STRENGTH") > 2.0,
                "{row}"
            ),
            302 => assert!(x > 5.0 * a && why["x"]["DIRECTION"] == "HIGH" && number("x", "STRENGTH") > 2.0, "{row}"),
            _ => assert!(score > 0.0 && score < 3.0, "{row}"),
        }
    }
    let plain = run(&from(""), &steps[..1], 1).0;
    let zero = r#"{\"ATTRIBUTION_SCORE\":\"0.0000\"}"#;
    assert_eq!(plain, [format!(r#"0 {{"SCORE":0.0,"WHY":"{{\"a \\\"q\\\"\":{zero},\"x\":{zero}}}"}}"#)]);
}

#[test]
fn the_state_of_a_forest_is_bounded() {
    let sql = forest("\"x\", \"n\"", ", 20, 64, 200");
    let size = |rows: i64| {
        let records = (0..rows).map(|n| format!(r#"{{"x":{},"n":{}}}"#, noise(n) * 1e300, n * n % 9_973));
        let (_, state) = scores(&sql, records, 500);
        serde_json::to_vec(&state).unwrap().len()
    };
    let (early, late) = (size(200), size(2_000));
    assert!(late < early + early / 10 && late < 20 * 64 * 80, "{early} {late}");
}
