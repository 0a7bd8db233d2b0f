//! Joins: of streams over windows, of a stream with a reference table; what comes out when, and what is refused where.

use stream_sql::{Application, Column, Event, Format, Source, SqlError, SqlType, State, Value};

/// Three sources of the same columns.
const SOURCES: [&str; 3] = ["A", "B", "C"];

fn source(name: &str, columns: &[(&str, &str)]) -> Source {
    let column = |(name, sql_type): &(&str, &str)| Column {
        name: (*name).to_owned(),
        sql_type: SqlType::parse(sql_type).unwrap(),
        mapping: None,
    };
    Source { name: name.to_owned(), columns: columns.iter().map(column).collect(), format: Format::default() }
}

fn compile(sql: &str) -> Result<Application, SqlError> {
    let sources = SOURCES.map(|name| source(name, &[("K", "INTEGER"), ("V", "VARCHAR(8)"), ("D", "DOUBLE")]));
    let names = [("ID", "INTEGER"), ("Name", "VARCHAR(8)"), ("N", "INTEGER")];
    let csv = Format::Csv { column_delimiter: ",".into(), row_delimiter: "\n".into() };
    let tables = [source("T", &names), Source { format: csv, ..source("Csv", &names) }];
    Application::compile(sql, &sources, &tables)
}

const T: &str = r#"{"ID":1,"Name":"one","N":10} {"ID":2,"Name":"two","N":0}
    {"ID":2,"Name":"deux","N":20}{"Name":"none","N":5}"#;
const CSV: &str = "1,one,10\n2,\"two\",0\n2,deux,20\n,none,5\n";

/// What happens: a row of a source (its place, ROWTIME, K, V), or nothing earlier will come.
#[derive(Debug, Clone)]
enum Step {
    Row(usize, i64, Option<i64>, &'static str),
    Bound(i64),
}
use Step::{Bound, Row};

fn row(source: usize, rowtime: i64, k: i64, v: &'static str) -> Step {
    Row(source, rowtime, Some(k), v)
}

/// Runs a script; `stream ROWTIME row` of each row. The state is stored and loaded between any two events, in JSON and in no way:
/// rows and states must agree.
fn run(sql: &str, steps: &[Step]) -> (Vec<String>, State) {
    let application = compile(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let application = application.with_table("T", T.as_bytes()).unwrap().with_table("Csv", CSV.as_bytes()).unwrap();
    let mut runs = [false, true].map(|reload| {
        let (mut state, mut rows) = (State::default(), Vec::new());
        for step in steps {
            let event = match step {
                Row(source, rowtime, k, v) => {
                    let k = k.map_or("null".to_owned(), |k| k.to_string());
                    let record = format!(r#"{{"K":{k},"V":"{v}","D":{k}}}"#);
                    let (source, rowtime) = (*source, *rowtime);
                    let event =
                        Event::Record { source, rowtime, arrival: rowtime, origin: None, bytes: record.as_bytes() };
                    application.run(&mut state, event, &mut rows);
                    None
                }
                Bound(time) => Some(Event::Bound(*time)),
            };
            event.into_iter().for_each(|event| application.run(&mut state, event, &mut rows));
            if reload {
                state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
            }
        }
        (rows, state)
    });
    assert_eq!(runs[0], runs[1], "{sql}");
    let (rows, state) = std::mem::take(&mut runs[0]);
    let names = application.streams();
    let shown = rows.iter().map(|row| {
        let mut json = Vec::new();
        application.write_json(row, &mut json);
        let values: Vec<serde_json::Value> = match serde_json::from_slice(&json).unwrap() {
            serde_json::Value::Object(object) if names[row.stream].0 == "error_stream" => {
                vec![object["MESSAGE"].clone()]
            }
            serde_json::Value::Object(object) => names[row.stream].1.iter().map(|name| object[name].clone()).collect(),
            other => vec![other],
        };
        let values: Vec<String> = values.iter().map(|value| value.to_string().replace('"', "")).collect();
        format!("{} {} {}", names[row.stream].0, row.rowtime, values.join(" "))
    });
    (shown.collect(), state)
}

/// Checks the rows of a query over two texts.
fn check(query: &str, steps: &[Step], expected: &[&str]) {
    let sql = format!("CREATE STREAM o (l VARCHAR(8), r VARCHAR(8));\nCREATE PUMP p AS INSERT INTO o {query};");
    let expected: Vec<String> = expected
        .iter()
        .map(|row| if row.starts_with("error") { (*row).to_owned() } else { format!("O {row}") })
        .collect();
    assert_eq!(run(&sql, steps).0, expected, "{query}");
}

fn steps() -> Vec<Step> {
    vec![
        row(0, 0, 1, "a1"),
        row(1, 0, 1, "b1"),
        row(0, 500, 2, "a2"),
        row(1, 1_000, 1, "b2"),
        row(1, 1_001, 1, "b3"),
        row(1, 1_500, 2, "b4"),
        Row(0, 1_500, None, "an"),
        Row(1, 1_500, None, "bn"),
        row(0, 2_000, 3, "a3"),
        Bound(9_000),
    ]
}

const WINDOWS: &str =
    "FROM a OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS x {} b OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS y";

fn windows(join: &str) -> String {
    format!("SELECT STREAM x.v, y.v {} ON x.k = y.k", WINDOWS.replace("{}", join))
}

#[test]
fn both_sides_have_windows() {
    let met = ["0 a1 b1", "1000 a1 b2", "1500 a2 b4"];
    check(&windows("JOIN"), &steps(), &met);
    check(&windows("INNER JOIN"), &steps(), &met);
    check(&windows("LEFT JOIN"), &steps(), &["0 a1 b1", "1000 a1 b2", "1500 a2 b4", "2500 an null", "3000 a3 null"]);
    check(
        &windows("RIGHT OUTER JOIN"),
        &steps(),
        &["0 a1 b1", "1000 a1 b2", "1500 a2 b4", "2001 null b3", "2500 null bn"],
    );
    let full = ["0 a1 b1", "1000 a1 b2", "1500 a2 b4", "2001 null b3", "2500 an null", "2500 null bn", "3000 a3 null"];
    check(&windows("FULL JOIN"), &steps(), &full);
    let comma = format!("SELECT STREAM x.v, y.v {} WHERE x.k = y.k AND x.v <> 'z'", WINDOWS.replace("{}", ","));
    check(&comma, &steps(), &met);
    let named = "SELECT STREAM x.v, y.v FROM a OVER w AS x JOIN b OVER w AS y ON x.k = y.k
        WINDOW w AS (ORDER BY ROWTIME RANGE INTERVAL '1' SECOND PRECEDING)";
    check(named, &steps(), &met);
    // As the developer guide has it: the window's name is the stream's.
    let by_window = named.replace("OVER w AS x", "OVER x").replace("OVER w AS y", "OVER w").replace("y.", "w.");
    check(&(by_window + ", x AS (RANGE INTERVAL '1' SECOND PRECEDING)"), &steps(), &met);
}

#[test]
fn a_side_without_a_window_meets_what_is_there() {
    let sides = |join: &str| {
        format!(
            "SELECT STREAM x.v, y.v FROM a OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS x {join} b AS y ON x.k = y.k"
        )
    };
    check(&sides("JOIN"), &steps(), &["0 a1 b1", "1000 a1 b2", "1500 a2 b4"]);
    check(&sides("LEFT JOIN"), &steps(), &["0 a1 b1", "1000 a1 b2", "1500 a2 b4", "2500 an null", "3000 a3 null"]);
    // Its own unmatched rows come at once.
    check(&sides("RIGHT JOIN"), &steps(), &["0 a1 b1", "1000 a1 b2", "1001 null b3", "1500 a2 b4", "1500 null bn"]);
    // The other way round: of equal times only those that have come.
    let flipped =
        "SELECT STREAM x.v, y.v FROM a AS x LEFT JOIN b OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS y ON x.k = y.k";
    check(flipped, &steps(), &["0 a1 null", "500 a2 null", "1500 an null", "2000 a3 null"]);
    let steps = [row(1, 5, 1, "b"), row(0, 5, 1, "a"), row(1, 5, 1, "late")];
    check(flipped, &steps, &["5 a b"]);
}

#[test]
fn windows_of_rows() {
    let sql = "SELECT STREAM x.v, y.v FROM a OVER (ROWS 1 PRECEDING) AS x LEFT JOIN b AS y ON x.k = y.k";
    let steps = [
        row(0, 1, 1, "a1"),
        row(0, 2, 2, "a2"),
        row(1, 3, 1, "b1"),
        row(0, 4, 1, "a3"),
        row(1, 5, 1, "b2"),
        row(0, 6, 7, "a4"),
        row(0, 7, 8, "a5"),
    ];
    check(sql, &steps, &["3 a1 b1", "5 a3 b2", "6 a2 null"]);
    let current = "SELECT STREAM x.v, y.v FROM a OVER (ROWS CURRENT ROW) AS x JOIN b AS y ON x.k = y.k";
    check(current, &steps, &["5 a3 b2"]);
    let at_once = "SELECT STREAM x.v, y.v FROM a OVER (RANGE CURRENT ROW) AS x JOIN b AS y ON x.k = y.k";
    check(at_once, &[row(0, 1, 1, "a1"), row(1, 1, 1, "b1"), row(1, 2, 1, "b2")], &["1 a1 b1"]);
}

#[test]
fn conditions_of_any_kind() {
    let steps = [row(0, 0, 1, "a1"), row(0, 1, 3, "a3"), row(1, 2, 2, "b2"), Row(1, 3, None, "bn"), Bound(9_999)];
    check(&windows("JOIN").replace("x.k = y.k", "x.k < y.k"), &steps, &["2 a1 b2"]);
    check(&windows("JOIN").replace("x.k = y.k", "x.d + 1 = y.k AND CHAR_LENGTH(x.v) = 2"), &steps, &["2 a1 b2"]);
    check(&windows("JOIN").replace("x.k = y.k", "y.d = x.k * 2"), &steps, &["2 a1 b2"]);
    check(&windows("LEFT JOIN").replace("x.k = y.k", "x.k = y.k OR y.k IS NULL"), &steps, &["3 a1 bn", "3 a3 bn"]);
    check(
        &windows("JOIN").replace(
            "x.k = y.k",
            "x.ROWTIME + INTERVAL '1' SECOND > y.ROWTIME AND ROWTIME = y.ROWTIME AND x.k + 1 = y.k",
        ),
        &steps,
        &["2 a1 b2"],
    );
    check(&windows("CROSS JOIN").replace(" ON x.k = y.k", ""), &steps, &["2 a1 b2", "2 a3 b2", "3 a1 bn", "3 a3 bn"]);
    let unknown = windows("FULL JOIN").replace("x.k = y.k", "NULL = y.k");
    check(&unknown, &steps, &["1000 a1 null", "1001 a3 null", "1002 null b2", "1003 null bn"]);
}

#[test]
fn a_condition_that_fails_drops_the_row_and_names_it() {
    let failing = windows("LEFT JOIN").replace("x.k = y.k", "10 / y.k = x.k");
    let steps = [row(0, 0, 5, "a5"), row(1, 1, 2, "b2"), row(1, 2, 0, "b0"), row(0, 3, 1, "a1"), Bound(9_999)];
    let (rows, state) = run(
        &format!("CREATE STREAM o (l VARCHAR(8), r VARCHAR(8)); CREATE PUMP p AS INSERT INTO o {failing};"),
        &steps,
    );
    let expected = ["O 1 a5 b2", "error_stream 2 division by zero", "error_stream 3 division by zero"];
    assert_eq!((&rows[..], state.counters.errors), (&expected.map(str::to_owned)[..], 2));
    let both = windows("LEFT JOIN").replace("x.k = y.k", "x.k > y.k / y.k");
    let (rows, state) =
        run(&format!("CREATE STREAM o (l VARCHAR(8), r VARCHAR(8)); CREATE PUMP p AS INSERT INTO o {both};"), &steps);
    assert_eq!((rows.len(), state.counters.errors), (3, 2), "{rows:?}");
    assert_eq!(rows[0], "O 1 a5 b2");
    let lookup = "SELECT STREAM x.v, t.\"Name\" FROM a AS x LEFT JOIN t ON x.k = t.id AND 10 / t.n = x.k";
    let (rows, _) = run(
        &format!("CREATE STREAM o (l VARCHAR(8), r VARCHAR(8)); CREATE PUMP p AS INSERT INTO o {lookup};"),
        &[row(0, 1, 1, "a1"), row(0, 2, 2, "a2"), row(0, 3, 3, "a3")],
    );
    assert_eq!((rows.len(), &rows[0][..], &rows[2][..]), (3, "O 1 a1 one", "O 3 a3 null"), "{rows:?}");
}

#[test]
fn reference_tables() {
    let steps = [row(0, 1, 1, "a1"), row(0, 2, 2, "a2"), row(0, 3, 3, "a3"), Row(0, 4, None, "an"), Bound(5)];
    for table in ["t", "\"Csv\""] {
        let left = ["1 a1 one", "2 a2 two", "2 a2 deux", "3 a3 null", "4 an null"];
        check(
            &format!("SELECT STREAM x.v, t.\"Name\" FROM a AS x LEFT JOIN {table} AS t ON x.k = t.id"),
            &steps,
            &left,
        );
        check(&format!("SELECT STREAM x.v, t.\"Name\" FROM {table} t RIGHT JOIN a AS x ON x.d = t.id"), &steps, &left);
        let inner = &left[..3];
        check(&format!("SELECT STREAM v, \"Name\" FROM a JOIN {table} ON k = id"), &steps, inner);
        check(
            &format!("SELECT STREAM v, \"Name\" FROM {table} JOIN a OVER (ROWS 2 PRECEDING) ON k = id"),
            &steps,
            inner,
        );
        check(&format!("SELECT STREAM v, \"Name\" FROM a, {table} WHERE k = id"), &steps, inner);
        check(
            &format!("SELECT STREAM v, \"Name\" FROM a JOIN {table} ON CAST(k AS VARCHAR(3)) = CAST(id AS VARCHAR(3))"),
            &steps,
            inner,
        );
        check(
            &format!("SELECT STREAM v, \"Name\" FROM a JOIN {table} t ON k = id AND t.n > 10"),
            &steps,
            &["2 a2 deux"],
        );
        check(
            &format!("SELECT STREAM v, \"Name\" FROM a JOIN {table} t ON k > id AND t.n > 0"),
            &steps,
            &["2 a2 one", "3 a3 one", "3 a3 deux"],
        );
        check(
            &format!("SELECT STREAM v, \"Name\" FROM a CROSS JOIN {table} t WHERE t.n = 5"),
            &steps[..1],
            &["1 a1 none"],
        );
        let query = format!(
            "(SELECT id + 0 AS i, UPPER(\"Name\") AS m FROM (SELECT * FROM {table} AS z WHERE n > 5) AS x WHERE id IS NOT NULL) AS q"
        );
        check(
            &format!("SELECT STREAM x.v, q.m FROM a AS x LEFT JOIN {query} ON x.k = q.i"),
            &steps,
            &["1 a1 ONE", "2 a2 DEUX", "3 a3 null", "4 an null"],
        );
        let renamed = query.replace("AS q", "AS q(k, name)");
        check(
            &format!("SELECT STREAM v, q.name FROM a, {renamed} WHERE a.k = q.k"),
            &steps,
            &["1 a1 ONE", "2 a2 DEUX"],
        );
        // Twice the same, and a query of its own.
        check(
            &format!(
                "SELECT STREAM p.\"Name\", q.\"Name\" FROM (SELECT STREAM k + 1 AS j, * FROM a WHERE k = 1) AS x
                JOIN {table} p ON x.k = p.id LEFT JOIN {table} q ON x.j = q.id"
            ),
            &steps,
            &["1 one two", "1 one deux"],
        );
        check(
            &format!(
                "SELECT STREAM p.\"Name\", q.\"Name\" FROM a, {table} p, {table} q WHERE p.id = k AND q.id = p.id AND q.n <> p.n"
            ),
            &steps,
            &["2 two deux", "2 deux two"],
        );
    }
    // The row's ROWTIME stays its own: groups and windows go on.
    let counted = "SELECT STREAM CAST(COUNT(*) AS VARCHAR(8)), t.\"Name\" FROM a AS x JOIN t ON x.k = t.id GROUP BY FLOOR(x.ROWTIME TO SECOND), t.\"Name\"";
    check(
        counted,
        &[row(0, 1, 1, ""), row(0, 2, 1, ""), row(0, 3, 2, ""), Bound(1_000)],
        &["1000 2 one", "1000 1 two", "1000 1 deux"],
    );
    let slid = "SELECT STREAM CAST(COUNT(*) OVER (PARTITION BY t.\"Name\" ROWS 9 PRECEDING) AS VARCHAR(8)), t.\"Name\" FROM a AS x JOIN t ON x.k = t.id";
    check(slid, &[row(0, 1, 1, ""), row(0, 2, 1, "")], &["1 1 one", "2 2 one"]);
}

#[test]
fn a_table_is_filled_with_records_of_its_format() {
    let sql = "CREATE STREAM o (n INTEGER, m VARCHAR(8));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM n, \"Name\" FROM a JOIN t ON k = id;
        CREATE PUMP q AS INSERT INTO o SELECT STREAM k, \"Name\" FROM a JOIN \"Csv\" c ON k = id;";
    let application = || compile(sql).unwrap();
    let error = |name: &str, records: &str| application().with_table(name, records.as_bytes()).unwrap_err();
    assert_eq!(
        error("T", r#"{"ID":1,"N":2} {"ID":"x"}"#),
        r#"table "T": record 2: column "ID": the value is no INTEGER"#
    );
    assert_eq!(error("T", r#"{"ID":1} [1]"#), r#"table "T": record 2: the record is not a JSON object"#);
    assert_eq!(error("Csv", "1,a,2\nx,y,3"), r#"table "Csv": record 2: column "ID": the value is no INTEGER"#);
    assert_eq!(error("NO", "{}"), r#"table "NO": there is no such reference table"#);
    // Nobody reads this one's N.
    assert!(application().with_table("Csv", b"1,a,many").is_ok());
    // Without records it is empty; with others it is another.
    let mut rows = Vec::new();
    for application in [
        application(),
        application().with_table("T", b"").unwrap(),
        application().with_table("T", br#"{"ID":1,"N":1}"#).unwrap().with_table("T", br#"{"ID":1,"N":2}"#).unwrap(),
    ] {
        let values = vec![Value::Integer(1)];
        let event = Event::Row { source: 0, rowtime: 1, arrival: 1, values };
        let mut state = State::default();
        application.run(&mut state, event, &mut rows);
        application.run(&mut state, Event::Bound(2), &mut rows);
    }
    let values: Vec<&Value> = rows.iter().map(|row| &row.values[0]).collect();
    assert_eq!(values, [&Value::Integer(2)]);
}

#[test]
fn a_stream_can_be_joined_with_itself() {
    let both = "SELECT STREAM x.v, y.v FROM a OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS x JOIN a OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS y ON x.k = y.k";
    let steps = [row(0, 1, 1, "1"), row(0, 2, 1, "2")];
    check(both, &steps, &["1 1 1", "2 2 1", "2 1 2", "2 2 2"]);
    // It meets itself, whichever side has the window.
    check(
        "SELECT STREAM x.v, y.v FROM a AS x JOIN a OVER (ROWS 1 PRECEDING) AS y ON x.k = y.k",
        &steps,
        &["1 1 1", "2 2 1", "2 2 2"],
    );
    check(
        "SELECT STREAM x.v, y.v FROM a OVER (ROWS 1 PRECEDING) AS x JOIN a AS y ON x.k = y.k",
        &steps,
        &["1 1 1", "2 1 2", "2 2 2"],
    );
}

#[test]
fn three_streams() {
    let w = "OVER (RANGE INTERVAL '1' SECOND PRECEDING)";
    let all = format!(
        "SELECT STREAM x.v || y.v, z.v FROM a {w} AS x JOIN b {w} AS y ON x.k = y.k JOIN c {w} AS z ON z.k = y.k"
    );
    // Whoever comes last; and a pair is there as long as both of its rows.
    for order in [[0, 1, 2], [0, 2, 1], [2, 1, 0], [2, 0, 1], [1, 2, 0]] {
        let steps: Vec<Step> =
            (1..).zip(order).map(|(time, source)| row(source, time * 500, 1, ["a", "b", "c"][source])).collect();
        check(&all, &steps, &["1500 ab c"]);
    }
    check(
        &all,
        &[row(0, 0, 1, "a"), row(1, 900, 1, "b"), row(2, 1_001, 1, "c"), row(0, 1_100, 1, "a2")],
        &["1100 a2b c"],
    );
    let left = all.replace("JOIN c", "LEFT JOIN c");
    let steps = [row(0, 0, 1, "a"), row(1, 900, 1, "b"), row(0, 950, 1, "a2"), row(2, 1_001, 1, "c"), Bound(9_999)];
    check(&left, &steps, &["1000 ab null", "1001 a2b c"]);
    let current =
        format!("SELECT STREAM x.v || y.v, z.v FROM a AS x, b {w} AS y, c {w} AS z WHERE x.k = y.k AND z.k = x.k");
    check(&current, &[row(1, 0, 1, "b"), row(2, 1, 1, "c"), row(0, 2, 1, "a"), row(2, 3, 1, "c2")], &["2 ab c"]);
    let looked_up =
        format!("SELECT STREAM t.\"Name\", z.v FROM a {w} AS x JOIN t ON x.k = t.id JOIN c {w} AS z ON z.k = t.n");
    check(&looked_up, &[row(0, 0, 1, "a"), row(2, 1, 10, "c"), row(0, 2, 1, "a")], &["1 one c", "2 one c"]);
}

#[test]
fn derived_streams_are_joined_in_the_order_of_rowtime() {
    let sql = "CREATE STREAM counts (k INTEGER, n VARCHAR(8)); CREATE STREAM o (l VARCHAR(8), r VARCHAR(8));
        CREATE PUMP p1 AS INSERT INTO counts SELECT STREAM k, CAST(COUNT(*) AS VARCHAR(8)) FROM a GROUP BY k, FLOOR(a.ROWTIME TO SECOND);
        CREATE PUMP p2 AS INSERT INTO counts SELECT STREAM k, v FROM b;
        CREATE PUMP j AS INSERT INTO o SELECT STREAM x.v, c.n FROM a AS x LEFT JOIN counts OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS c ON x.k = c.k;";
    let steps = [
        row(0, 100, 1, "a1"),
        row(0, 200, 1, "a2"),
        row(1, 300, 1, "b1"),
        row(0, 1_000, 1, "a3"),
        row(0, 2_500, 2, "a4"),
        Bound(9_000),
    ];
    let rows: Vec<String> = run(sql, &steps).0.into_iter().filter(|row| row.starts_with("O ")).collect();
    assert_eq!(rows, ["O 100 a1 null", "O 200 a2 null", "O 1000 a3 b1", "O 1000 a3 2", "O 2500 a4 null"]);
    // Into one of them nobody inserts.
    let silent = "CREATE STREAM s (k INTEGER); CREATE STREAM o (l VARCHAR(8)); CREATE PUMP p AS INSERT INTO o
        SELECT STREAM x.v FROM a AS x LEFT JOIN s OVER (ROWS 1 PRECEDING) ON x.k = s.k;";
    assert_eq!(run(silent, &[row(0, 1, 1, "a1")]).0, ["O 1 a1"]);
    // A query with a window of its own.
    let inner = "SELECT STREAM x.v, g.n FROM (SELECT STREAM k, CAST(SUM(k) AS VARCHAR(8)) AS n FROM b GROUP BY k, FLOOR(b.ROWTIME TO SECOND)) OVER (RANGE INTERVAL '5' SECOND PRECEDING) AS g
        JOIN a AS x ON x.k = g.k";
    check(inner, &[row(1, 1, 2, ""), row(1, 2, 2, ""), row(0, 900, 2, "no"), row(0, 1_000, 2, "yes")], &["1000 yes 4"]);
}

#[test]
fn what_comes_of_a_join_goes_on() {
    let grouped = windows("JOIN").replace("x.v, y.v", "CAST(COUNT(*) AS VARCHAR(8)), y.v")
        + " GROUP BY FLOOR(ROWTIME TO SECOND), y.v";
    check(&grouped, &steps(), &["1000 1 b1", "2000 1 b2", "2000 1 b4"]);
    // Rows that come out as unmatched fall into the group of the time at which they do.
    let left = windows("LEFT JOIN").replace("x.v, y.v", "CAST(COUNT(*) AS VARCHAR(8)), CAST(COUNT(y.v) AS VARCHAR(8))")
        + " GROUP BY FLOOR(ROWTIME TO SECOND)";
    check(&left, &steps(), &["1000 1 1", "2000 2 2", "3000 1 0", "4000 1 0"]);
    let last = "SELECT STREAM CAST(COUNT(*) AS VARCHAR(8)), y.v FROM a OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS x JOIN b AS y ON x.k = y.k GROUP BY y.v, STEP(y.ROWTIME BY INTERVAL '1' SECOND)";
    check(last, &steps(), &["1000 1 b1", "2000 1 b2", "2000 1 b4"]);
    let filtered = windows("FULL JOIN") + " WHERE x.v IS NULL OR y.v IS NULL";
    check(&filtered, &steps(), &["2001 null b3", "2500 an null", "2500 null bn", "3000 a3 null"]);
    let times = windows("LEFT JOIN").replace(
        "x.v, y.v",
        "CAST(UNIX_TIMESTAMP(x.ROWTIME) AS VARCHAR(8)), CAST(UNIX_TIMESTAMP(y.ROWTIME) AS VARCHAR(8))",
    );
    check(&times, &steps(), &["0 0 0", "1000 0 1000", "1500 500 1500", "2500 1500 null", "3000 2000 null"]);
    // A time of groups that is the end of one is not in it.
    let nested = "SELECT STREAM CAST(COUNT(*) AS VARCHAR(8)), '' FROM (SELECT STREAM COUNT(*) AS n FROM a GROUP BY FLOOR(a.ROWTIME TO SECOND)) AS g GROUP BY FLOOR(g.ROWTIME TO MINUTE)";
    check(nested, &[row(0, 1, 1, ""), row(0, 59_500, 1, ""), Bound(200_000)], &["60000 1 ", "120000 1 "]);
}

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    let pump = |query: &str| format!("CREATE STREAM o (l VARCHAR(8));\nCREATE PUMP p AS INSERT INTO o\n{query}");
    let w = "OVER (ROWS 1 PRECEDING)";
    let cases = [
        (pump("SELECT STREAM a.v FROM a JOIN b ON a.k = b.k"), (3, 26), "needs a window"),
        (pump("SELECT STREAM a.v FROM a, b"), (3, 25), "needs a window"),
        (pump(&format!("SELECT STREAM v FROM a {w} JOIN b ON a.k = b.k")), (3, 15), "Column 'V' is ambiguous"),
        (pump(&format!("SELECT STREAM a.v FROM a {w} JOIN b ON k = 1")), (3, 60), "Column 'K' is ambiguous"),
        (
            pump(&format!("SELECT STREAM a.v FROM a {w} JOIN b ON a.x = b.k")),
            (3, 60),
            "Column 'X' not found in table 'A'",
        ),
        (pump(&format!("SELECT STREAM a.v FROM a {w} JOIN b ON a.k = x.k")), (3, 66), "Table 'X' not found"),
        (
            pump(&format!("SELECT STREAM a.v FROM a {w} JOIN b ON a.k + b.k")),
            (3, 60),
            "must be a condition, not of type INTEGER",
        ),
        (pump(&format!("SELECT STREAM a.v FROM a {w} JOIN b ON a.k = b.v")), (3, 60), "Cannot apply '='"),
        (pump(&format!("SELECT STREAM a.v FROM a {w} JOIN b ON COUNT(*) = 1")), (3, 60), "no GROUP BY"),
        (pump(&format!("SELECT STREAM a.v FROM a {w} JOIN a ON a.k = a.k")), (3, 55), "Duplicate relation name 'A'"),
        (
            pump("SELECT STREAM a.v FROM a OVER (PARTITION BY k ROWS 1 PRECEDING) JOIN b ON a.k = b.k"),
            (3, 45),
            "PARTITION BY",
        ),
        (pump("SELECT STREAM a.v FROM a OVER (ORDER BY ROWTIME) JOIN b ON a.k = b.k"), (3, 31), "needs bounds"),
        (pump("SELECT STREAM a.v FROM a OVER (ORDER BY k ROWS 1 PRECEDING) JOIN b ON a.k = b.k"), (3, 32), "ORDER BY"),
        (
            pump("SELECT STREAM a.v FROM a OVER (RANGE INTERVAL '1' HOUR FOLLOWING) JOIN b ON a.k = b.k"),
            (3, 38),
            "FOLLOWING",
        ),
        (pump("SELECT STREAM a.v FROM a OVER w JOIN b ON a.k = b.k"), (3, 31), "Window 'W' not found"),
        (pump(&format!("SELECT STREAM v FROM a {w}")), (3, 29), "only in a join"),
        (
            pump(&format!("SELECT STREAM a.v FROM a {w} JOIN b {w} ON a.k = b.k JOIN c {w} ON c.k = a.k")),
            (3, 94),
            "ROWS window",
        ),
        (pump("SELECT STREAM \"Name\" FROM t"), (3, 27), "'T' is a reference table"),
        (
            pump("SELECT STREAM v FROM a JOIN (SELECT id FROM t ORDER BY id) AS x ON k = id"),
            (3, 47),
            "SELECT, FROM and WHERE alone",
        ),
        (pump("SELECT STREAM v FROM a RIGHT JOIN t ON k = id"), (3, 24), "keeps the rows of the stream"),
        (pump("SELECT STREAM v FROM a FULL OUTER JOIN t ON k = id"), (3, 24), "keeps the rows of the stream"),
        (pump("SELECT STREAM v FROM t LEFT JOIN a ON k = id"), (3, 24), "keeps the rows of the stream"),
        (pump("SELECT STREAM x.v FROM t AS x JOIN t AS y ON x.id = y.id"), (3, 31), "Two reference tables"),
        (pump(&format!("SELECT STREAM v FROM a JOIN t {w} ON k = id")), (3, 36), "has no window"),
        (pump("SELECT STREAM t.ROWTIME FROM a JOIN t ON k = id"), (3, 15), "Column 'ROWTIME' not found in table 'T'"),
        (pump("SELECT STREAM v FROM a JOIN t USING (k)"), (3, 31), "USING is not supported"),
        (pump(&format!("SELECT STREAM 1 FROM a{}", ", t".repeat(40))), (3, 73), "more than 16 joins"),
        (pump("SELECT STREAM v FROM a JOIN csv ON k = id"), (3, 29), "did you mean \"Csv\"?"),
        ("CREATE STREAM t (a INTEGER)".into(), (1, 15), "'T' is a reference table"),
        ("CREATE PUMP p AS INSERT INTO t SELECT STREAM k FROM a".into(), (1, 30), "nothing can be inserted"),
    ];
    let wrong = cases.into_iter().filter_map(|(sql, place, message)| {
        let Err(error) = compile(&sql) else { return Some(format!("{sql} is taken")) };
        let is_named = error.message.contains(message) && (error.line, error.column) == place;
        (!is_named).then(|| format!("{sql}\n{error}"))
    });
    assert_eq!(wrong.collect::<Vec<_>>().join("\n\n"), "");
}
