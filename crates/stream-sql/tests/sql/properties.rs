//! What holds for every operator, whatever comes: rows do not depend on how events were batched, where the state was stored and
//! loaded, how often time was told, or what comes later.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use stream_sql::{Application, Event, InputSchema, OutputRow, PageId, State};

const SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "k", "SqlType": "VARCHAR(4)", "Mapping": "$.k"}, {"Name": "n", "SqlType": "INTEGER", "Mapping": "$.n"},
    {"Name": "d", "SqlType": "DOUBLE", "Mapping": "$.d"}]}"#;

/// A reference table.
const TABLE_SCHEMA: &str = r#"{"RecordFormat": {"RecordFormatType": "JSON"}, "RecordColumns": [
    {"Name": "k", "SqlType": "VARCHAR(4)", "Mapping": "$.k"}, {"Name": "label", "SqlType": "VARCHAR(8)", "Mapping": "$.l"}]}"#;
const TABLE: &str = r#"{"k":"a","l":"one"} {"k":"b","l":"two"} {"k":"b","l":"three"} {"k":null,"l":"none"}"#;

/// So few that windows have several pages.
const PAGE_ROWS: usize = 3;

/// One script for each operator, and for ways to put them together. Sources: S and T, of the same columns.
const SCRIPTS: &[(&str, &str)] = &[
    (
        "rows",
        r#"CREATE STREAM o (k VARCHAR(8), n BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k" || 'x', 60 / "n" FROM s WHERE "k" <> 'c';"#,
    ),
    (
        "tumbling",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT, t BIGINT, m INTEGER, v DOUBLE);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT(*), SUM("n"), MIN("n"), STDDEV_POP("n") FROM s
        GROUP BY "k", STEP(s.ROWTIME BY INTERVAL '3' SECOND);"#,
    ),
    (
        "tumbling over a column",
        r#"CREATE STREAM o (t TIMESTAMP, n INTEGER, c BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM FLOOR(s.ROWTIME TO MINUTE), MONOTONIC("n"), COUNT("k") FROM s
        GROUP BY MONOTONIC("n"), FLOOR(s.ROWTIME TO MINUTE) HAVING COUNT(*) > 1;"#,
    ),
    (
        "first and last",
        r#"CREATE STREAM o (k VARCHAR(4), f INTEGER, l INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", FIRST_VALUE("n"), LAST_VALUE("n") FROM s
        GROUP BY "k", FLOOR(s.ROWTIME TO SECOND);"#,
    ),
    (
        "sliding over time",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT, t BIGINT, m INTEGER, a DOUBLE, x INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT(*) OVER w, SUM("n") OVER w, MAX("n") OVER w, AVG("d") OVER w,
            MIN("n") OVER (RANGE INTERVAL '5' SECOND PRECEDING) FROM s WHERE "n" < 9
        WINDOW w AS (PARTITION BY "k" RANGE INTERVAL '2' SECOND PRECEDING);"#,
    ),
    (
        "sliding over rows",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT, m INTEGER, l INTEGER, f INTEGER, z INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT("n") OVER w, MIN("n") OVER w, LAG("n", 2, -1) OVER w,
            FIRST_VALUE("n") IGNORE NULLS OVER w, LAST_VALUE("n") OVER (ROWS CURRENT ROW) FROM s
        WINDOW w AS (PARTITION BY "k" ROWS 3 PRECEDING);"#,
    ),
    (
        "decaying",
        r#"CREATE STREAM o (a DOUBLE);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM EXP_AVG("d", INTERVAL '2' SECOND) OVER (RANGE INTERVAL '9' SECOND PRECEDING) FROM s;"#,
    ),
    (
        "stagger",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT, a INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT(*), AVG("n") FROM s WHERE "n" IS NOT NULL
        WINDOWED BY STAGGER (PARTITION BY "k" RANGE INTERVAL '4' SECOND) HAVING COUNT(*) > 1;"#,
    ),
    (
        "cascade",
        r#"CREATE STREAM a (k VARCHAR(4), c BIGINT); CREATE STREAM o (c BIGINT, m BIGINT); CREATE STREAM u (c BIGINT);
        CREATE PUMP pu AS INSERT INTO u SELECT STREAM SUM("C") OVER (RANGE INTERVAL '9' SECOND PRECEDING) FROM o;
        CREATE PUMP po AS INSERT INTO o SELECT STREAM COUNT(*), MAX(c) FROM a GROUP BY STEP(a.ROWTIME BY INTERVAL '5' SECOND);
        CREATE PUMP pa AS INSERT INTO a SELECT STREAM "k", COUNT(*) FROM s GROUP BY "k", FLOOR(s.ROWTIME TO SECOND);"#,
    ),
    (
        "two pumps, one stream",
        r#"CREATE STREAM o (w VARCHAR(8), n BIGINT);
        CREATE PUMP p1 AS INSERT INTO o SELECT STREAM 'row', "n" FROM s WHERE "n" > 5;
        CREATE PUMP p2 AS INSERT INTO o SELECT STREAM 'sum', SUM("n") FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '2' SECOND);
        CREATE PUMP p3 AS INSERT INTO o SELECT STREAM 'other', "n" FROM t;"#,
    ),
    (
        "distinct",
        r#"CREATE STREAM o (t TIMESTAMP, k VARCHAR(4));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM DISTINCT STEP(s.ROWTIME BY INTERVAL '3' SECOND), "k" FROM s;"#,
    ),
    (
        "order of rows",
        r#"CREATE STREAM o (k VARCHAR(4), n INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", "n" FROM s ORDER BY FLOOR(s.ROWTIME TO SECOND), "n" DESC, "k";"#,
    ),
    (
        "order of groups",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT(*) FROM s GROUP BY "k", STEP(s.ROWTIME BY INTERVAL '4' SECOND)
        ORDER BY STEP(s.ROWTIME BY INTERVAL '4' SECOND), COUNT(*) DESC;"#,
    ),
    (
        "subquery",
        r#"CREATE STREAM o (k VARCHAR(4), r DOUBLE);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM x.k, x.c / x.t FROM (
            SELECT STREAM "k" AS k, CAST(COUNT(*) OVER (PARTITION BY "k" ROWS 9 PRECEDING) AS DOUBLE) AS c,
                COUNT(*) OVER (ROWS 9 PRECEDING) AS t FROM s) AS x WHERE x.t > 2;"#,
    ),
    (
        "running",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT, t BIGINT, d BIGINT, z INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", COUNT(*) OVER w, SUM("n") OVER w, SUM(DISTINCT "n") OVER w,
            NTH_VALUE("n", 2) FROM LAST OVER w FROM s WINDOW w AS (PARTITION BY "k" ROWS UNBOUNDED PRECEDING);"#,
    ),
    (
        "several rows of a window",
        r#"CREATE STREAM o (k VARCHAR(4), d DOUBLE, f INTEGER, n INTEGER, v DOUBLE);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", AVG(DISTINCT "d") OVER w, FIRST_VALUE("n") OVER w,
            NTH_VALUE("n", 3) OVER w, VAR_SAMP("d") OVER w FROM s WINDOW w AS (PARTITION BY "k" RANGE INTERVAL '6' SECOND PRECEDING);"#,
    ),
    (
        "one stream of two",
        r#"CREATE STREAM o (k VARCHAR(4), n INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", "n" FROM s UNION ALL SELECT STREAM "k", -"n" FROM t;"#,
    ),
    (
        "order within a time",
        r#"CREATE STREAM o (k VARCHAR(4), n INTEGER);
        CREATE PUMP p AS INSERT INTO o
        SELECT STREAM s.ROWTIME - "n" * INTERVAL '1' SECOND AS ROWTIME, "k", "n" FROM s WHERE "n" >= 0
        ORDER BY s.ROWTIME - "n" * INTERVAL '1' SECOND WITHIN INTERVAL '5' SECOND;"#,
    ),
    (
        "join of windows",
        r#"CREATE STREAM o (t TIMESTAMP, k VARCHAR(4), a INTEGER, b INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM ROWTIME, x."k", x."n", y."n"
        FROM s OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS x JOIN t OVER (RANGE INTERVAL '3' SECOND PRECEDING) AS y
        ON x."k" = y."k" AND x."n" <= y."n";"#,
    ),
    (
        "left join of rows with a window",
        r#"CREATE STREAM o (k VARCHAR(4), a INTEGER, b INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM x."k", x."n", y."n"
        FROM s AS x LEFT JOIN t OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS y ON x."k" = y."k";"#,
    ),
    (
        "full join of windows",
        r#"CREATE STREAM o (t TIMESTAMP, k VARCHAR(4), a INTEGER, b INTEGER);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM ROWTIME, x."k", x."n", y."n"
        FROM s OVER (RANGE INTERVAL '1' SECOND PRECEDING) AS x FULL OUTER JOIN t OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS y
        ON x."k" = y."k";"#,
    ),
    (
        "join of the last rows",
        r#"CREATE STREAM o (a INTEGER, b INTEGER, c BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM x."n", y."n", COUNT(*) OVER (RANGE INTERVAL '4' SECOND PRECEDING)
        FROM s OVER (ROWS 2 PRECEDING) AS x JOIN t OVER (ROWS 1 PRECEDING) AS y ON x."n" = y."n";"#,
    ),
    (
        "join with itself",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM x."k", COUNT(*)
        FROM s OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS x JOIN s OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS y
        ON x."k" = y."k" AND x."n" < y."n" GROUP BY x."k", FLOOR(ROWTIME TO SECOND);"#,
    ),
    (
        "join with a table",
        r#"CREATE STREAM o (k VARCHAR(4), n INTEGER, l VARCHAR(8));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM x."k", x."n", l."label" FROM s AS x LEFT JOIN "labels" AS l ON x."k" = l."k";"#,
    ),
    (
        "most frequent",
        r#"CREATE STREAM o (k VARCHAR(4), c BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM ITEM, ITEM_COUNT FROM
            TABLE(TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM s), 'k', 2, 3));"#,
    ),
    (
        "how many",
        r#"CREATE STREAM o (c BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM NUMBER_OF_DISTINCT_ITEMS FROM
            TABLE(COUNT_DISTINCT_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM s), 'n', 2));"#,
    ),
    (
        "ranks",
        r#"CREATE STREAM o (k VARCHAR(4), n INTEGER, r BIGINT);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "k", "n", "r" FROM
            TABLE(GROUP_RANK(CURSOR(SELECT STREAM "k", "n" FROM s), 'n', 'r', 'desc', 'asc', 0, 3));"#,
    ),
    (
        "scores",
        r#"CREATE STREAM o (n INTEGER, score DOUBLE);
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "n", ANOMALY_SCORE FROM
            TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM "n", "d" FROM s), 5, 10, 100, 1));"#,
    ),
    (
        "hotspots",
        r#"CREATE STREAM o (n INTEGER, h VARCHAR(9999));
        CREATE PUMP p AS INSERT INTO o SELECT STREAM "n", HOTSPOTS_RESULT FROM
            TABLE(HOTSPOTS(CURSOR(SELECT STREAM "n", "d" FROM s), 100, 1.5, 3));"#,
    ),
];

/// After everything.
const END: i64 = 9_000_000;

/// What happens: so long after the one before (ms; less than nothing: late).
#[derive(Debug, Clone)]
struct Step {
    after: i64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// A record of a source.
    Record(usize, String),
    /// No earlier row will come.
    Bound,
}

/// A step with its time.
#[derive(Debug, Clone)]
struct Timed<'a> {
    time: i64,
    what: &'a What,
}

fn step() -> impl Strategy<Value = Step> {
    let key = prop::sample::select(vec!["null", "\"a\"", "\"a\"", "\"b\"", "\"c\""]);
    let number = prop::sample::select(vec!["null", "-3", "0", "1", "2", "5", "7", "8", "9"]);
    let double = prop::sample::select(vec!["null", "0.5", "-2.25", "8", "0.125"]);
    let record = (key, number, double).prop_map(|(k, n, d)| format!(r#"{{"k":{k},"n":{n},"d":{d}}}"#));
    let bad = prop::sample::select(vec!["", "[", r#"{"n":"x","k":1,"d":{}}"#, r#"{"k":"longer"} {"n":3}"#]);
    let what = prop_oneof![
        12 => (0..2usize, record).prop_map(|(source, record)| What::Record(source, record)),
        1 => bad.prop_map(|record| What::Record(0, record.to_owned())),
        2 => Just(What::Bound),
    ];
    let after = prop_oneof![4 => Just(0), 6 => 1..900i64, 2 => 900..5_000i64, 1 => Just(1_000), 1 => -700..0i64];
    (after, what).prop_map(|(after, what)| Step { after, what })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..60)
}

fn timed(steps: &[Step]) -> Vec<Timed<'_>> {
    let mut now = 1_000_000;
    let time = |step: &Step| {
        now += step.after.max(0);
        // Who is late comes late, and time goes on from where it was.
        now + step.after.min(0)
    };
    let times: Vec<i64> = steps.iter().map(time).collect();
    steps.iter().zip(times).map(|(step, time)| Timed { time, what: &step.what }).collect()
}

fn compile(sql: &str) -> Application {
    let schema = |text: &str| serde_json::from_str::<InputSchema>(text).unwrap();
    let sources = ["S", "T"].map(|name| schema(SCHEMA).source(name).unwrap());
    let table = schema(TABLE_SCHEMA).source("labels").unwrap();
    let application = Application::compile(sql, &sources, &[table]).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    application.with_table("labels", TABLE.as_bytes()).unwrap().with_page_rows(PAGE_ROWS)
}

fn take(application: &Application, state: &mut State, step: &Timed<'_>, rows: &mut Vec<OutputRow>) {
    let time = step.time;
    let event = match step.what {
        What::Record(source, record) => {
            Event::Record { source: *source, rowtime: time, arrival: time, origin: None, bytes: record.as_bytes() }
        }
        What::Bound => Event::Bound(time),
    };
    application.run(state, event, rows);
}

/// All at once.
fn run(application: &Application, steps: &[Timed<'_>]) -> (Vec<OutputRow>, State) {
    let (mut state, mut rows) = (State::default(), Vec::new());
    steps.iter().for_each(|step| take(application, &mut state, step, &mut rows));
    (rows, state)
}

/// Ends of batches: true after a step.
fn batches<'s, 't>(steps: &'s [Timed<'t>], ends: &[bool]) -> Vec<&'s [Timed<'t>]> {
    let mut ends = ends.iter().cycle();
    let mut batches = Vec::new();
    let mut rest = steps;
    while !rest.is_empty() {
        let length = 1 + ends.by_ref().take(rest.len() - 1).take_while(|end| !**end).count();
        let (batch, others) = rest.split_at(length);
        batches.push(batch);
        rest = others;
    }
    batches
}

/// The state is stored after each batch, as JSON.
fn run_stored(application: &Application, batches: &[&[Timed<'_>]]) -> (Vec<OutputRow>, State) {
    let (mut state, mut rows) = (State::default(), Vec::new());
    for batch in batches {
        state = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
        batch.iter().for_each(|step| take(application, &mut state, step, &mut rows));
    }
    (rows, state)
}

/// The same, its pages apart from it: those that are likely to be needed are brought, others when they are missed.
fn run_paged(application: &Application, batches: &[&[Timed<'_>]], brings: bool) -> Vec<OutputRow> {
    let mut pages: HashMap<PageId, Vec<u8>> = HashMap::new();
    let (mut stored, mut rows) = (serde_json::to_vec(&State::default()).unwrap(), Vec::new());
    for batch in batches {
        let mut state: State = serde_json::from_slice(&stored).unwrap();
        let mut given = Vec::new();
        if brings {
            given = state.wanted(batch.iter().map(|step| step.time).max().unwrap_or_default());
        }
        // Each try brings one page more than the one before.
        loop {
            given.iter().for_each(|id| state.give(id, &pages[id]).unwrap());
            let before = rows.len();
            batch.iter().for_each(|step| take(application, &mut state, step, &mut rows));
            let Some(missing) = state.missing().cloned() else { break };
            assert!(!given.contains(&missing), "{missing:?} was given and is missing");
            given.push(missing);
            rows.truncate(before);
            state = serde_json::from_slice(&stored).unwrap();
        }
        pages.extend(state.take_pages());
        let named = state.pages();
        pages.retain(|id, _| named.contains(id));
        stored = serde_json::to_vec(&state).unwrap();
    }
    rows
}

/// The rows of each stream, in their order.
fn by_stream(rows: &[OutputRow]) -> BTreeMap<usize, Vec<&OutputRow>> {
    let mut streams: BTreeMap<usize, Vec<&OutputRow>> = BTreeMap::new();
    for row in rows {
        streams.entry(row.stream).or_default().push(row);
    }
    streams
}

fn each(check: impl Fn(&str, &Application)) {
    for (name, sql) in SCRIPTS {
        check(name, &compile(sql));
    }
}

fn cases(few: u32) -> ProptestConfig {
    let cases = if std::env::var_os("LOGMILL_LONG").is_some() { 20 * few } else { few };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn any_batches_give_the_same_rows_and_the_same_state(steps in steps(), ends in prop::collection::vec(any::<bool>(), 1..9)) {
        let steps = timed(&steps);
        let batches = batches(&steps, &ends);
        each(|name, application| {
            let whole = run(application, &steps);
            assert_eq!(whole, run_stored(application, &batches), "{name}");
            for brings in [true, false] {
                assert_eq!(whole.0, run_paged(application, &batches, brings), "{name}, pages apart");
            }
        });
    }

    /// Of each stream: what two pumps put out between two rows may come in another order when time is told step by step.
    #[test]
    fn time_may_be_told_more_often(steps in steps(), told in prop::collection::vec(0..1_500i64, 1..9)) {
        let steps = timed(&steps);
        each(|name, application| {
            let (mut whole, mut state) = run(application, &steps);
            application.run(&mut state, Event::Bound(END), &mut whole);
            let (mut state, mut rows) = (State::default(), Vec::new());
            let (mut now, mut told) = (1_000_000, told.iter().cycle());
            for (place, step) in steps.iter().enumerate() {
                // It is true: none of those that come is earlier.
                let earliest = steps[place..].iter().map(|step| step.time).min().unwrap_or_default();
                for after in told.by_ref().take(3) {
                    if now + after <= earliest {
                        now += after;
                        application.run(&mut state, Event::Bound(now), &mut rows);
                    }
                }
                now = now.max(earliest);
                take(application, &mut state, step, &mut rows);
            }
            application.run(&mut state, Event::Bound(END), &mut rows);
            let errors = application.streams().len() - 1;
            let without = |rows: &[OutputRow]| -> Vec<OutputRow> { rows.iter().filter(|row| row.stream != errors).cloned().collect() };
            let (whole, rows) = (without(&whole), without(&rows));
            assert_eq!(by_stream(&whole), by_stream(&rows), "{name}");
        });
    }

    #[test]
    fn what_came_out_does_not_depend_on_what_comes_later(steps in steps(), other in steps(), cut in 0..60usize) {
        let cut = cut.min(steps.len());
        let others: Vec<Step> = steps[..cut].iter().cloned().chain(other).collect();
        let (steps, others) = (timed(&steps), timed(&others));
        each(|name, application| {
            let (before, _) = run(application, &steps[..cut]);
            for later in [&steps, &others] {
                let (rows, _) = run(application, later);
                assert_eq!(&rows[..before.len()], &before[..], "{name}");
            }
        });
    }

    /// Of a time that was told to be over, and of an earlier one than the last, no row comes any more.
    #[test]
    fn rows_of_a_stream_ascend(steps in steps()) {
        let steps = timed(&steps);
        each(|name, application| {
            let errors = application.streams().len() - 1;
            let (mut state, mut rows) = (State::default(), Vec::new());
            let (mut over, mut last, mut seen) = (i64::MIN, BTreeMap::new(), 0);
            for step in &steps {
                take(application, &mut state, step, &mut rows);
                for row in rows[seen..].iter().filter(|row| row.stream != errors) {
                    let last = last.insert(row.stream, row.rowtime).unwrap_or(i64::MIN);
                    assert!(row.rowtime >= over.max(last), "{name}: {row:?} after {last}, {over} was over");
                }
                seen = rows.len();
                // Rows with a ROWTIME of their own are as late as they say.
                if matches!(step.what, What::Bound) && name != "order within a time" {
                    over = over.max(step.time);
                }
            }
        });
    }
}
