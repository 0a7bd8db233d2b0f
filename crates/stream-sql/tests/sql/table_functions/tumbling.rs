//! TOP_K_ITEMS_TUMBLING and COUNT_DISTINCT_ITEMS_TUMBLING.

use super::{Step, at, check, pump, run};

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
fn what_comes_out_can_be_queried_further() {
    let from = format!("{} AS t GROUP BY STEP(t.ROWTIME BY INTERVAL '2' SECOND)", top_k(9, 1));
    let sql =
        pump("n BIGINT, s BIGINT", &from).replacen("SELECT STREAM *", "SELECT STREAM COUNT(*), SUM(t.ITEM_COUNT)", 1);
    let steps = [
        at(1, r#"{"k":"a"} {"k":"b"}"#),
        at(1_500, r#"{"k":"a"} {"k":"a"} {"k":"c"}"#),
        at(2_000, "{}"),
        (4_000, None),
    ];
    check(&sql, &steps, &[r#"2000 {"N":2,"S":2}"#, r#"4000 {"N":2,"S":3}"#]);
    let ranked = format!(
        "TABLE(GROUP_RANK(CURSOR(SELECT STREAM * FROM {}), 'ITEM_COUNT', 'r', 'asc', 'asc', 0, 1))",
        top_k(9, 1)
    );
    check(
        &pump("k VARCHAR(4), n BIGINT, r INTEGER", &ranked),
        &steps,
        &[r#"1000 {"K":"a","N":1,"R":1}"#, r#"2000 {"K":"c","N":1,"R":1}"#],
    );
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
