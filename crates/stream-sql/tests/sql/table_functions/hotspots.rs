//! HOTSPOTS.

use super::{Step, at, noise, pump, run};

#[test]
fn hotspots_are_where_rows_lie_close_together() {
    let from = "TABLE(HOTSPOTS(CURSOR(SELECT STREAM \"k\", \"n\", \"x\" FROM s), 100, 1.5, 4))";
    let sql = pump("k VARCHAR(4), n INTEGER, x DOUBLE, h VARCHAR(10000)", from);
    let far = |n: i64| format!(r#"{{"k":"far","n":{},"x":{}}}"#, n * 10, -n * 10);
    let mut records: Vec<String> = (0..30).map(far).collect();
    records.extend(
        [(5, 0.0), (6, 0.5), (5, 1.0), (7, 0.0), (6, 0.25)].map(|(n, x)| format!(r#"{{"k":"near","n":{n},"x":{x}}}"#)),
    );
    records.push(r#"{"k":"null","n":5}"#.into());
    records.extend((0..4).map(|_| r#"{"k":"same","n":-50,"x":-50}"#.to_owned()));
    let steps: Vec<Step> = (0..).zip(&records).map(|(time, record)| at(time, record)).collect();
    let rows = run(&sql, &steps, 1).0;
    let hotspots = |row: usize| -> String {
        let row: serde_json::Value = serde_json::from_str(rows[row].split_once(' ').unwrap().1).unwrap();
        row["H"].as_str().unwrap().replace(' ', "")
    };
    assert!((0..33).all(|row| hotspots(row) == "[]"));
    // (7, 0) has but two others within the radius, but is within that of one that has more.
    let four = r#"{"density":2.0,"maxValues":[7.0,1.0],"minValues":[5.0,0.0]}"#;
    let five = r#"{"density":2.5,"maxValues":[7.0,1.0],"minValues":[5.0,0.0]}"#;
    assert_eq!(hotspots(33), format!("[{four}]"));
    assert_eq!((hotspots(34), hotspots(35)), (format!("[{five}]"), format!("[{five}]")));
    let same = hotspots(39);
    assert!(same.starts_with(r#"[{"density":1777777.7"#) && same.ends_with(&format!("{five}]")), "{same}");
}

#[test]
fn hotspots_move_with_the_window() {
    let from = "TABLE(HOTSPOTS(CURSOR(SELECT STREAM \"x\" FROM s), 100, 0.01, 10))";
    let sql = pump("x DOUBLE, h VARCHAR(10000)", from);
    let place = |n: i64| match n {
        n if n % 5 != 0 => n as f64,
        n if n < 300 => 0.5 + noise(n) / 1_000.0,
        n => -7.5 + noise(n) / 1_000.0,
    };
    let steps: Vec<Step> = (0..500).map(|n| at(n, &format!(r#"{{"x":{}}}"#, place(n)))).collect();
    let rows = run(&sql, &steps, 33).0;
    for (n, row) in rows.iter().enumerate() {
        let (old, new) = (row.contains("minValues\\\":[0.5"), row.contains("minValues\\\":[-7.4"));
        assert_eq!((old, new), ((45..350).contains(&n), n >= 345), "{n}: {row}");
    }
}
