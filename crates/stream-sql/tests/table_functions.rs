//! Table functions: what they give for which rows, what they hold back, and what is refused where.
#![allow(missing_docs)]

use stream_sql::{Application, Event, InputSchema, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "k", "SqlType": "VARCHAR(4)"}, {"Name": "n", "SqlType": "INTEGER"}, {"Name": "x", "SqlType": "DOUBLE"},
    {"Name": "y", "SqlType": "REAL"}, {"Name": "d", "SqlType": "DECIMAL(9, 2)"}]}"#;

fn compile(sql: &str) -> Result<Application, stream_sql::SqlError> {
    let schema: InputSchema = serde_json::from_str(SCHEMA).unwrap();
    Application::compile(sql, &[schema.source("S").unwrap()], &[])
}

/// A pump that inserts what a FROM clause gives into `o`.
fn pump(columns: &str, from: &str) -> String {
    format!("CREATE STREAM o ({columns});\nCREATE PUMP p AS INSERT INTO o\nSELECT STREAM * FROM {from}")
}

/// What happens at a time: a record, or nothing earlier will come.
type Step = (i64, Option<String>);

fn at(time: i64, record: &str) -> Step {
    (time, Some(record.to_owned()))
}

/// Runs a script over records; `ROWTIME row` of each row of `o`, `error` of one that failed. The state is stored and loaded after
/// every `reload` events in JSON, and never: both must agree.
fn run(sql: &str, steps: &[Step], reload: usize) -> (Vec<String>, State) {
    let application = compile(sql).unwrap();
    let mut runs = [reload, usize::MAX].map(|reload| {
        let (mut state, mut rows) = (State::default(), Vec::new());
        for (place, (time, record)) in steps.iter().enumerate() {
            let event = match record {
                Some(record) => {
                    Event::Record { source: 0, rowtime: *time, arrival: *time, origin: None, bytes: record.as_bytes() }
                }
                None => Event::Bound(*time),
            };
            application.run(&mut state, event, &mut rows);
            if (place + 1) % reload == 0 {
                state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
            }
        }
        (rows, state)
    });
    assert_eq!(runs[0].0, runs[1].0, "{sql}");
    assert!(runs[0].1 == runs[1].1, "the state is another after it was stored: {sql}");
    let (rows, state) = std::mem::take(&mut runs[0]);
    let names = application.streams();
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        match names[row.stream].0.as_str() {
            "O" => format!("{} {}", row.rowtime, String::from_utf8(json).unwrap()),
            _ => "error".to_owned(),
        }
    });
    (shown.collect(), state)
}

fn check(sql: &str, steps: &[Step], expected: &[&str]) {
    assert_eq!(run(sql, steps, 1).0, expected, "{sql}");
}

fn top_k(k: u32, seconds: u32) -> String {
    format!("TABLE(TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM s), 'k', {k}, {seconds}))")
}

#[test]
fn top_k_gives_the_most_frequent_values_of_each_window() {
    let steps = [
        at(10_000, r#"{"k":"a"} {"k":"b"} {"k":"c"} {"k":"b"} {}"#),
        at(11_999, r#"{"k":"d"} {"k":"d"} {"k":"c"}"#),
        // A window ends where the clock's next one starts, not a length after its first row.
        at(12_000, r#"{"k":"e"}"#),
        at(19_000, "{}"),
        (30_000, None),
    ];
    let expected = [r#"12000 {"A":"b","N":2}"#, r#"12000 {"A":"c","N":2}"#, r#"14000 {"A":"e","N":1}"#];
    check(&pump("a VARCHAR(4), n BIGINT", &top_k(2, 2)), &steps, &expected);
}

#[test]
fn the_columns_of_top_k_have_several_names() {
    for list in ["\"k\", ITEM_COUNT", "ITEM, MOST_FREQUENT_VALUES", "t.ITEM, t.ITEM_COUNT"] {
        let sql = format!(
            "CREATE STREAM o (a VARCHAR(4), n BIGINT); CREATE PUMP p AS INSERT INTO o SELECT STREAM {list} FROM {} AS t",
            top_k(1, 1)
        );
        check(&sql, &[at(1, r#"{"k":"a"}"#), (1_000, None)], &[r#"1000 {"A":"a","N":1}"#]);
    }
    let named = pump("a VARCHAR(4), n BIGINT", &format!("{} AS t(u, v) WHERE t.v > 1", top_k(9, 1)));
    check(&named, &[at(1, r#"{"k":"a"} {"k":"b"} {"k":"b"}"#), (1_000, None)], &[r#"1000 {"A":"b","N":2}"#]);
}

#[test]
fn a_cursor_is_a_query() {
    let cursor = |query: &str| {
        let from = format!("TABLE(COUNT_DISTINCT_ITEMS_TUMBLING(CURSOR({query}), 'v', 1))");
        pump("n BIGINT", &from)
    };
    let steps = [at(1, r#"{"n":1} {"n":3} {"n":4} {"n":0}"#), (1_000, None)];
    check(&cursor("SELECT STREAM \"n\" / 2 AS \"v\" FROM s"), &steps, &[r#"1000 {"N":3}"#]);
    check(&cursor("SELECT STREAM \"n\" AS \"v\" FROM s WHERE \"n\" > 1"), &steps, &[r#"1000 {"N":2}"#]);
    check(&cursor("SELECT STREAM 12 / \"n\" AS \"v\" FROM s"), &steps, &["error", r#"1000 {"N":3}"#]);
    // Groups come at the end of their window, and are counted in the one after it.
    let counts = "SELECT STREAM COUNT(*) AS \"v\" FROM s GROUP BY \"n\", FLOOR(s.ROWTIME TO SECOND)";
    check(&cursor(counts), &[at(1, r#"{"n":1} {"n":2} {"n":2}"#), (2_000, None)], &[r#"2000 {"N":2}"#]);
    // A ROWTIME of its own is the one that counts.
    let own = "SELECT STREAM \"n\" AS \"v\", s.ROWTIME + INTERVAL '5' SECOND AS ROWTIME FROM s";
    check(&cursor(own), &[at(1, r#"{"n":1}"#), at(1_000, "{}")], &[r#"6000 {"N":1}"#]);
}

#[test]
fn distinct_items_are_counted_window_by_window() {
    let from = "TABLE(COUNT_DISTINCT_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM s), 'x', 60))";
    let sql = pump("n BIGINT", from);
    let steps = [
        at(59_999, r#"{"x":0.0} {"x":-0.0} {"x":1.5} {"x":null}"#),
        at(60_000, "{}"),
        at(239_000, r#"{"x":1}"#),
        (239_999, None),
        (240_000, None),
    ];
    check(&sql, &steps, &[r#"60000 {"N":2}"#, r#"120000 {"N":0}"#, r#"240000 {"N":1}"#]);
}

#[test]
fn many_distinct_items_are_estimated() {
    let from = "TABLE(COUNT_DISTINCT_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM s), 'n', 3600))";
    let record = |from: i32| {
        let rows: Vec<String> = (from..from + 1_000).map(|n| format!(r#"{{"n":{n}}}"#)).collect();
        at(i64::from(from), &rows.join(" "))
    };
    let counted = |distinct: i32, reload: usize| {
        let mut steps: Vec<Step> = (0..distinct / 1_000).map(|n| record(n * 1_000)).collect();
        steps.push(record(0));
        steps.iter_mut().for_each(|step| step.0 = 1);
        steps.push((3_600_000, None));
        let (rows, _) = run(&pump("n BIGINT", from), &steps, reload);
        rows[0].strip_prefix(r#"3600000 {"N":"#).unwrap().trim_end_matches('}').parse::<i32>().unwrap()
    };
    assert_eq!(counted(10_000, 3), 10_000);
    for distinct in [11_000, 30_000] {
        let count = counted(distinct, 7);
        assert!((count - distinct).abs() < distinct / 50, "{count} of {distinct}");
    }
}

fn group_rank(column: &str, ranks: &str, order: &str, limit: u32) -> String {
    let from = format!(
        "TABLE(GROUP_RANK(CURSOR(SELECT STREAM \"k\", \"n\" FROM s), '{column}', 'r', '{ranks}', '{order}', 0, {limit}))"
    );
    pump("k VARCHAR(4), n INTEGER, r INTEGER", &from)
}

#[test]
fn group_rank_ranks_the_rows_of_one_rowtime() {
    let steps = [
        at(5, r#"{"k":"a","n":2} {"k":"b","n":3} {"k":"c","n":2} {"k":"d"} {"k":"e","n":1}"#),
        (5, None),
        at(5, r#"{"k":"f","n":3}"#),
        at(6, r#"{"k":"g","n":9}"#),
        (7, None),
    ];
    let rows = |places: &str, g: bool| {
        let all = [
            ('a', r#"5 {"K":"a","N":2,"R":"#),
            ('b', r#"5 {"K":"b","N":3,"R":"#),
            ('c', r#"5 {"K":"c","N":2,"R":"#),
            ('d', r#"5 {"K":"d","N":null,"R":"#),
            ('e', r#"5 {"K":"e","N":1,"R":"#),
            ('f', r#"5 {"K":"f","N":3,"R":"#),
        ];
        let mut rows: Vec<String> = Vec::new();
        for place in places.split(' ') {
            let start = all.iter().find(|(name, _)| place.starts_with(*name)).unwrap().1;
            rows.push(format!("{start}{}}}", &place[1..]));
        }
        rows.extend(g.then(|| r#"6 {"K":"g","N":9,"R":1}"#.to_owned()));
        rows
    };
    for (column, ranks, order, limit, expected) in [
        ("n", "asc", "asc", 0, "e1 a2 c2 b4 f4 d6"),
        ("n", "desc", "asc", 0, "d1 b2 f2 a4 c4 e6"),
        ("n", "DESC", "desc", 0, "e6 a4 c4 b2 f2 d1"),
        ("n", "desc", "none", 0, "a4 b2 c4 d1 e6 f2"),
        ("n", "desc", "asc", 2, "d1 b2"),
        ("k", "desc", "asc", 1, "f1"),
    ] {
        let got = run(&group_rank(column, ranks, order, limit), &steps, 1).0;
        assert_eq!(got, rows(expected, true), "{column} {ranks} {order} {limit}");
    }
    // A bound of the group's own ROWTIME does not end it.
    assert_eq!(run(&group_rank("n", "asc", "asc", 0), &steps[..3], 1).0, Vec::<String>::new());
}

#[test]
fn held_rows_are_not_overtaken() {
    // The other pump's rows wait for those that GROUP_RANK holds.
    let sql = format!(
        "{};\nCREATE PUMP q AS INSERT INTO o SELECT STREAM 'row', \"n\", 0 FROM s WHERE \"n\" > 1",
        group_rank("n", "asc", "asc", 0)
    );
    let steps = [at(5, r#"{"k":"a","n":1} {"k":"b","n":1}"#), at(6, r#"{"k":"c","n":2}"#), (9, None)];
    let expected = [
        r#"5 {"K":"a","N":1,"R":1}"#,
        r#"5 {"K":"b","N":1,"R":1}"#,
        r#"6 {"K":"row","N":2,"R":0}"#,
        r#"6 {"K":"c","N":2,"R":1}"#,
    ];
    let mut got = run(&sql, &steps, 1).0;
    got[2..].sort_by_key(|row| !row.contains("row"));
    assert_eq!(got, expected);
}

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    let select = |call: &str| pump("a INTEGER", &format!("TABLE({call})"));
    let cursor = "CURSOR(SELECT STREAM * FROM s)";
    let top = |rest: &str| select(&format!("TOP_K_ITEMS_TUMBLING({cursor}, {rest})"));
    let rank = |rest: &str| select(&format!("GROUP_RANK({cursor}, {rest})"));
    let cases = [
        (select("FROBNICATE(CURSOR(SELECT STREAM * FROM s))"), 28, "table function FROBNICATE is not supported"),
        (select("TOP_K_ITEMS_TUMBLING('k', 1, 1)"), 28, "first argument is no CURSOR"),
        (top("'k', 1"), 28, "Invalid number of arguments to function 'TOP_K_ITEMS_TUMBLING': it is TOP_K_ITEMS"),
        (top("'k', 1, 1, 1"), 28, "Invalid number of arguments"),
        (top("'K', 1, 1"), 81, "Column 'K' not found in the CURSOR of TOP_K_ITEMS_TUMBLING: did you mean 'k'?"),
        (top("\"k\", 1, 1"), 81, "a name in single quotes"),
        (top("'', 1, 1"), 81, "a name in single quotes"),
        (top("'k', 0, 1"), 86, "K must be a whole number from 1 to 100000"),
        (top("'k', -1, 1"), 86, "K must be"),
        (top("'k', 100001, 1"), 86, "K must be"),
        (top("'k', '5', 1"), 86, "K must be"),
        (top("'k', 1 + 1, 1"), 86, "K must be"),
        (top("'k', 1, 3601"), 89, "the window must be a whole number from 1 to 3600"),
        (top(&format!("'k', 1, {cursor}")), 89, "There is one CURSOR"),
        (rank("'n', 'r', 'up', 'asc', 0, 0"), 81, "'asc' or 'desc'"),
        (rank("'n', 'r', 'asc', 1, 0, 0"), 88, "'asc', 'desc' or 'none'"),
        (rank("'n', 'r', 'asc', 'asc', -1, 0"), 95, "the idle time"),
        (rank("'n', 'r', 'asc', 'asc', 0, 2147483648"), 98, "the number of rows"),
        (rank("'m', 'r', 'asc', 'asc', 0, 0"), 71, "Column 'm' not found"),
        (select("TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM m FROM s), 'm', 1, 1)"), 70, "Column 'M' not found"),
    ];
    for (sql, column, message) in cases {
        let error = compile(&sql).unwrap_err();
        assert!(error.to_string().contains(message), "{sql}\n{error}");
        assert_eq!((error.line, error.column), (3, column), "{sql}\n{error}");
    }
}

/// Numbers that look random and are always the same.
fn noise(n: i64) -> f64 {
    ((n * 7_919 + 31) * (n + 104_729) % 1_009) as f64 / 1_009.0
}

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
    let outlier = 777;
    let record = |n: i64| match n {
        777 => r#"{"n":80,"x":9.0,"k":"far"}"#.to_owned(),
        n => format!(r#"{{"n":{},"x":{},"k":"near"}}"#, 50 + n % 7, noise(n)),
    };
    // Storing it now and then changes nothing, nor does a column of text.
    for (list, reload) in [("\"k\", \"n\", \"x\"", 50), ("\"n\", \"x\"", 333)] {
        let (scores, _) = scores(&forest(list, ""), (0..900).map(record), reload);
        assert!(scores[..256].iter().all(|score| *score == 0.0));
        assert_eq!(highest(&scores), outlier);
        assert!(scores[outlier] > 4.0, "{}", scores[outlier]);
        let ordinary = scores[256..].iter().filter(|score| **score < 1.5).count();
        assert!(ordinary > 600, "{ordinary}");
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
