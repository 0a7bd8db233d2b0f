//! Statements of each kind of window, and beside each what it must give.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Line, OWNERS, Row, SOURCE, TABLE};

/// How long windows are (ms, whole seconds).
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// Tumbling ones.
    pub step: i64,
    /// Sliding ones.
    pub slide: i64,
    /// Stagger ones.
    pub session: i64,
}

/// One kind.
#[derive(Debug, Clone, Copy)]
pub struct Pump {
    /// The kind: name of its output stream, and value of each row's column `kind`.
    pub kind: &'static str,
    /// Whether it reads the reference table.
    pub reads_table: bool,
    /// Its statements.
    pub statements: fn(&Windows) -> String,
    /// The rows that must come of lines, in their order; lines stand in the order in which they were taken.
    pub rows: fn(&[Line], &Windows) -> Vec<Row>,
}

/// All kinds.
pub const PUMPS: [Pump; 7] = [
    Pump { kind: "tumbling", reads_table: false, statements: tumbling_statements, rows: tumbling },
    Pump { kind: "cascaded", reads_table: false, statements: cascaded_statements, rows: cascaded },
    Pump { kind: "sliding", reads_table: false, statements: sliding_statements, rows: sliding },
    Pump { kind: "ordered", reads_table: false, statements: ordered_statements, rows: ordered },
    Pump { kind: "top", reads_table: false, statements: top_statements, rows: top },
    Pump { kind: "stagger", reads_table: false, statements: stagger_statements, rows: stagger },
    Pump { kind: "joined", reads_table: true, statements: joined_statements, rows: joined },
];

/// Windows over paths are so many times as long as others.
const LONG: i64 = 10;

/// How many paths `top` gives.
const TOP: usize = 5;

/// An interval literal.
fn interval(ms: i64) -> String {
    let seconds = (ms / 1_000).to_string();
    format!("INTERVAL '{seconds}' SECOND({})", seconds.len())
}

/// A TIMESTAMP as JSON has it.
pub fn timestamp(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).expect("a time of this age").to_zoned(TimeZone::UTC);
    at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// The different values, in the order in which they first come.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// SUM: NULL of nothing.
fn sum(values: impl Iterator<Item = Option<i64>>) -> Option<i64> {
    values.flatten().reduce(|a, b| a + b)
}

/// AVG of integers: cut off, NULL of nothing.
fn average(values: impl Iterator<Item = Option<i64>> + Clone) -> Option<i64> {
    Some(sum(values.clone())? / values.flatten().count() as i64)
}

fn tumbling_statements(windows: &Windows) -> String {
    let step = interval(windows.step);
    format!(
        r#"CREATE STREAM "tumbling" ("kind" VARCHAR(16), "from" TIMESTAMP, "status" INTEGER, "lines" BIGINT, "bytes" BIGINT, "average" BIGINT);
        CREATE PUMP "tumbling_pump" AS INSERT INTO "tumbling"
        SELECT STREAM 'tumbling', STEP(s.ROWTIME BY {step}), s."status", COUNT(*), SUM(s."bytes"), AVG(s."bytes")
        FROM "{SOURCE}" AS s GROUP BY STEP(s.ROWTIME BY {step}), s."status";
        "#
    )
}

/// Counts per window and status.
fn tumbling(lines: &[Line], windows: &Windows) -> Vec<Row> {
    let mut rows = Vec::new();
    for window in lines.chunk_by(|a, b| a.at.div_euclid(windows.step) == b.at.div_euclid(windows.step)) {
        let from = window[0].at.div_euclid(windows.step) * windows.step;
        for status in distinct(window.iter().map(|line| line.status)) {
            let of_status = || window.iter().filter(|line| line.status == status);
            let bytes = of_status().map(|line| line.bytes);
            let columns = json!({
                "kind": "tumbling", "from": timestamp(from), "status": status, "lines": of_status().count(),
                "bytes": sum(bytes.clone()), "average": average(bytes),
            });
            rows.push(Row { rowtime: from + windows.step, columns });
        }
    }
    rows
}

fn cascaded_statements(windows: &Windows) -> String {
    let (step, long) = (interval(windows.step), interval(3 * windows.step));
    format!(
        r#"CREATE STREAM "steps" ("status" INTEGER, "lines" BIGINT);
        CREATE PUMP "steps_pump" AS INSERT INTO "steps" SELECT STREAM s."status", COUNT(*)
        FROM "{SOURCE}" AS s WHERE s."status" <> 304 GROUP BY s."status", STEP(s.ROWTIME BY {step});
        CREATE STREAM "cascaded" ("kind" VARCHAR(16), "status" INTEGER, "steps" BIGINT, "most" BIGINT, "lines" BIGINT);
        CREATE PUMP "cascaded_pump" AS INSERT INTO "cascaded"
        SELECT STREAM 'cascaded', c."status", COUNT(*), MAX(c."lines"), SUM(c."lines")
        FROM "steps" AS c GROUP BY STEP(c.ROWTIME BY {long}), c."status" HAVING COUNT(*) > 1;
        "#
    )
}

/// Counts of counts: a count stands at the end of its window.
fn cascaded(lines: &[Line], windows: &Windows) -> Vec<Row> {
    let lines: Vec<Line> = lines.iter().filter(|line| line.status != 304).cloned().collect();
    let (counts, long) = (tumbling(&lines, windows), 3 * windows.step);
    let mut rows = Vec::new();
    for window in counts.chunk_by(|a, b| a.rowtime.div_euclid(long) == b.rowtime.div_euclid(long)) {
        let end = (window[0].rowtime.div_euclid(long) + 1) * long;
        for status in distinct(window.iter().map(|count| count.columns["status"].clone())) {
            let of_status = window.iter().filter(|count| count.columns["status"] == status);
            let lines: Vec<i64> = of_status.filter_map(|count| count.columns["lines"].as_i64()).collect();
            let columns = json!({
                "kind": "cascaded", "status": status, "steps": lines.len(), "most": lines.iter().max(), "lines": lines.iter().sum::<i64>(),
            });
            if lines.len() > 1 {
                rows.push(Row { rowtime: end, columns });
            }
        }
    }
    rows
}

fn sliding_statements(windows: &Windows) -> String {
    let slide = interval(windows.slide);
    format!(
        r#"CREATE STREAM "sliding" ("kind" VARCHAR(16), "number" INTEGER, "lines" BIGINT, "errors" BIGINT, "permille" BIGINT,
            "ofhost" BIGINT, "largest" BIGINT, "lastfour" BIGINT);
        CREATE PUMP "sliding_pump" AS INSERT INTO "sliding"
        SELECT STREAM 'sliding', s."number", COUNT(*) OVER w, SUM(CASE WHEN s."status" >= 500 THEN 1 ELSE 0 END) OVER w,
            SUM(CASE WHEN s."status" >= 500 THEN 1 ELSE 0 END) OVER w * 1000 / COUNT(*) OVER w,
            COUNT(*) OVER h, MAX(s."bytes") OVER h, AVG(s."bytes") OVER (PARTITION BY s."host" ROWS 3 PRECEDING)
        FROM "{SOURCE}" AS s
        WINDOW w AS (RANGE {slide} PRECEDING), h AS (PARTITION BY s."host" RANGE {slide} PRECEDING);
        "#
    )
}

/// The error rate, and more, of the lines up to each, both ends of the time included.
fn sliding(lines: &[Line], windows: &Windows) -> Vec<Row> {
    let mut rows = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let so_far = || lines[..=place].iter().rev();
        let window: Vec<&Line> = so_far().take_while(|other| other.at >= line.at - windows.slide).collect();
        let errors = window.iter().filter(|other| other.status >= 500).count();
        let of_host: Vec<&&Line> = window.iter().filter(|other| other.host == line.host).collect();
        let last_four = so_far().filter(|other| other.host == line.host).take(4).map(|other| other.bytes);
        let columns = json!({
            "kind": "sliding", "number": line.number, "lines": window.len(), "errors": errors,
            "permille": errors * 1_000 / window.len(), "ofhost": of_host.len(),
            "largest": of_host.iter().filter_map(|other| other.bytes).max(), "lastfour": average(last_four),
        });
        rows.push(Row { rowtime: line.at, columns });
    }
    rows
}

fn ordered_statements(windows: &Windows) -> String {
    let long = interval(LONG * windows.step);
    format!(
        r#"CREATE STREAM "ordered" ("kind" VARCHAR(16), "path" VARCHAR(256), "lines" BIGINT);
        CREATE PUMP "ordered_pump" AS INSERT INTO "ordered" SELECT STREAM 'ordered', s."path", COUNT(*)
        FROM "{SOURCE}" AS s WHERE s."status" = 200 GROUP BY STEP(s.ROWTIME BY {long}), s."path"
        ORDER BY STEP(s.ROWTIME BY {long}), COUNT(*) DESC, s."path";
        "#
    )
}

/// The paths by how often they were asked for, then by name.
fn ordered(lines: &[Line], windows: &Windows) -> Vec<Row> {
    let lines: Vec<Line> = lines.iter().filter(|line| line.status == 200).cloned().collect();
    paths("ordered", &lines, LONG * windows.step, |count, path| (Reverse(count), path.to_owned()), usize::MAX)
}

fn top_statements(windows: &Windows) -> String {
    let seconds = LONG * windows.step / 1_000;
    format!(
        r#"CREATE STREAM "top" ("kind" VARCHAR(16), "path" VARCHAR(256), "lines" BIGINT);
        CREATE PUMP "top_pump" AS INSERT INTO "top" SELECT STREAM 'top', ITEM, ITEM_COUNT
        FROM TABLE(TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM "path" FROM "{SOURCE}"), 'path', {TOP}, {seconds}));
        "#
    )
}

/// The paths asked for most often; of several as often those that came first.
fn top(lines: &[Line], windows: &Windows) -> Vec<Row> {
    paths("top", lines, LONG * windows.step, |count, _| Reverse(count), TOP)
}

/// The first paths of each window by this order, which leaves those alike that it does not tell apart.
fn paths<K: Ord>(kind: &str, lines: &[Line], length: i64, order: impl Fn(usize, &str) -> K, first: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for window in lines.chunk_by(|a, b| a.at.div_euclid(length) == b.at.div_euclid(length)) {
        let count = |path: &str| window.iter().filter(|line| line.path == path).count();
        let mut paths = distinct(window.iter().map(|line| line.path.as_str()));
        paths.sort_by_key(|path| order(count(path), path));
        for path in paths.into_iter().take(first) {
            let rowtime = (window[0].at.div_euclid(length) + 1) * length;
            rows.push(Row { rowtime, columns: json!({ "kind": kind, "path": path, "lines": count(path) }) });
        }
    }
    rows
}

fn stagger_statements(windows: &Windows) -> String {
    let session = interval(windows.session);
    format!(
        r#"CREATE STREAM "stagger" ("kind" VARCHAR(16), "host" VARCHAR(64), "lines" BIGINT, "first" TIMESTAMP, "last" TIMESTAMP, "bytes" BIGINT);
        CREATE PUMP "stagger_pump" AS INSERT INTO "stagger"
        SELECT STREAM 'stagger', s."host", COUNT(*), MIN(s.ROWTIME), MAX(s.ROWTIME), SUM(s."bytes")
        FROM "{SOURCE}" AS s WINDOWED BY STAGGER (PARTITION BY s."host" RANGE {session});
        "#
    )
}

/// Sessions: one opens with a host's line, and its later lines belong to it, until the time is over.
fn stagger(lines: &[Line], windows: &Windows) -> Vec<Row> {
    let mut sessions: Vec<Vec<&Line>> = Vec::new();
    for line in lines {
        let open = sessions.iter_mut().rev().find(|session| session[0].host == line.host);
        match open.filter(|session| line.at < session[0].at + windows.session) {
            Some(session) => session.push(line),
            None => sessions.push(vec![line]),
        }
    }
    let row = |session: &Vec<&Line>| {
        let (first, last) = (session[0], session[session.len() - 1]);
        let columns = json!({
            "kind": "stagger", "host": first.host, "lines": session.len(), "first": timestamp(first.at), "last": timestamp(last.at),
            "bytes": sum(session.iter().map(|line| line.bytes)),
        });
        Row { rowtime: first.at + windows.session, columns }
    };
    sessions.iter().map(row).collect()
}

fn joined_statements(_: &Windows) -> String {
    format!(
        r#"CREATE STREAM "joined" ("kind" VARCHAR(16), "number" INTEGER, "owner" VARCHAR(16), "status" INTEGER);
        CREATE PUMP "joined_pump" AS INSERT INTO "joined"
        SELECT STREAM 'joined', s."number", o."owner", s."status"
        FROM "{SOURCE}" AS s LEFT JOIN "{TABLE}" AS o ON s."host" = o."host" WHERE s."status" >= 500;
        "#
    )
}

/// Errors with the owners of their hosts, or with nobody.
fn joined(lines: &[Line], _: &Windows) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in lines.iter().filter(|line| line.status >= 500) {
        let mut owners: Vec<Value> =
            OWNERS.iter().filter(|(host, _)| *host == line.host).map(|(_, owner)| json!(owner)).collect();
        if owners.is_empty() {
            owners.push(Value::Null);
        }
        for owner in owners {
            let columns = json!({ "kind": "joined", "number": line.number, "owner": owner, "status": line.status });
            rows.push(Row { rowtime: line.at, columns });
        }
    }
    rows
}
