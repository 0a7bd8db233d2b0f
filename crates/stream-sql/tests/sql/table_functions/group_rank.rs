//! GROUP_RANK.

use super::{at, pump, run};

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
