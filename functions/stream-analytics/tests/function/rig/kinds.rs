//! An application of each kind of window over the stream `log-stream`.

/// Name and statements.
pub const KINDS: &[(&str, &str)] = &[
    (
        "rows",
        r#"CREATE STREAM "OUT" ("id" VARCHAR(32), "n" INTEGER);
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM s."id", s."n" FROM "SOURCE_SQL_STREAM_001" AS s;"#,
    ),
    (
        "tumbling",
        r#"CREATE STREAM "OUT" ("from" TIMESTAMP, "k" VARCHAR(4), "lines" BIGINT, "total" BIGINT, "least" INTEGER);
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM STEP(s.ROWTIME BY INTERVAL '5' SECOND), s."k", COUNT(*), SUM(s."n"), MIN(s."n")
        FROM "SOURCE_SQL_STREAM_001" AS s GROUP BY STEP(s.ROWTIME BY INTERVAL '5' SECOND), s."k";"#,
    ),
    (
        "sliding",
        r#"CREATE STREAM "OUT" ("id" VARCHAR(32), "lines" BIGINT, "most" INTEGER, "before" INTEGER, "last" BIGINT);
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM s."id", COUNT(*) OVER w, MAX(s."n") OVER w, LAG(s."n", 1) OVER r, SUM(s."n") OVER r
        FROM "SOURCE_SQL_STREAM_001" AS s
        WINDOW w AS (PARTITION BY s."k" RANGE INTERVAL '9' SECOND PRECEDING), r AS (ROWS 4 PRECEDING);"#,
    ),
    (
        "stagger",
        r#"CREATE STREAM "OUT" ("k" VARCHAR(4), "lines" BIGINT, "first" TIMESTAMP, "total" BIGINT);
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM s."k", COUNT(*), MIN(s.ROWTIME), SUM(s."n")
        FROM "SOURCE_SQL_STREAM_001" AS s WINDOWED BY STAGGER (PARTITION BY s."k" RANGE INTERVAL '7' SECOND);"#,
    ),
    (
        "cascaded",
        r#"CREATE STREAM "SECONDS" ("k" VARCHAR(4), "lines" BIGINT); CREATE STREAM "OUT" ("w" VARCHAR(8), "n" BIGINT);
        CREATE PUMP "P1" AS INSERT INTO "SECONDS" SELECT STREAM s."k", COUNT(*) FROM "SOURCE_SQL_STREAM_001" AS s
        GROUP BY s."k", FLOOR(s.ROWTIME TO SECOND);
        CREATE PUMP "P2" AS INSERT INTO "OUT" SELECT STREAM 'most', MAX(c."lines") FROM "SECONDS" AS c
        GROUP BY STEP(c.ROWTIME BY INTERVAL '6' SECOND);
        CREATE PUMP "P3" AS INSERT INTO "OUT" SELECT STREAM 'row', s."n" FROM "SOURCE_SQL_STREAM_001" AS s WHERE s."n" > 80;"#,
    ),
    (
        // Two windows that end between the same rows.
        "two-outputs",
        r#"CREATE STREAM "OUT" ("w" VARCHAR(8), "n" BIGINT); CREATE STREAM "OTHER" ("w" VARCHAR(8), "n" BIGINT);
        CREATE PUMP "P1" AS INSERT INTO "OUT" SELECT STREAM 'out', COUNT(*) FROM "SOURCE_SQL_STREAM_001" AS s GROUP BY FLOOR(s.ROWTIME TO SECOND);
        CREATE PUMP "P2" AS INSERT INTO "OTHER" SELECT STREAM 'other', SUM(s."n") FROM "SOURCE_SQL_STREAM_001" AS s
        GROUP BY STEP(s.ROWTIME BY INTERVAL '2' SECOND);"#,
    ),
    (
        "distinct",
        r#"CREATE STREAM "OUT" ("from" TIMESTAMP, "k" VARCHAR(4));
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM DISTINCT STEP(s.ROWTIME BY INTERVAL '5' SECOND), s."k"
        FROM "SOURCE_SQL_STREAM_001" AS s;"#,
    ),
    (
        "ordered",
        r#"CREATE STREAM "OUT" ("k" VARCHAR(4), "n" INTEGER);
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM s."k", s."n" FROM "SOURCE_SQL_STREAM_001" AS s
        ORDER BY FLOOR(s.ROWTIME TO SECOND), s."n" DESC;"#,
    ),
    (
        "joined",
        r#"CREATE STREAM "OUT" ("a" VARCHAR(32), "b" VARCHAR(32));
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM x."id", y."id"
        FROM "SOURCE_SQL_STREAM_001" OVER (RANGE INTERVAL '3' SECOND PRECEDING) AS x
        LEFT JOIN "SOURCE_SQL_STREAM_001" OVER (RANGE INTERVAL '2' SECOND PRECEDING) AS y ON x."k" = y."k" AND x."n" < y."n";"#,
    ),
    (
        "looked-up",
        r#"CREATE STREAM "OUT" ("id" VARCHAR(32), "label" VARCHAR(8));
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM s."id", l."label"
        FROM "SOURCE_SQL_STREAM_001" AS s LEFT JOIN "labels" AS l ON s."k" = l."k";"#,
    ),
    (
        "most-frequent",
        r#"CREATE STREAM "OUT" ("k" VARCHAR(4), "lines" BIGINT);
        CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM ITEM, ITEM_COUNT
        FROM TABLE(TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM "SOURCE_SQL_STREAM_001"), 'k', 2, 3));"#,
    ),
];

/// One for windows of so many rows that they have pages apart from the head; only lines with an id come out.
pub const PAGED: (&str, &str) = (
    "paged",
    r#"CREATE STREAM "OUT" ("id" VARCHAR(32), "lines" BIGINT, "total" BIGINT, "most" INTEGER);
    CREATE PUMP "P" AS INSERT INTO "OUT" SELECT STREAM x."id", x."lines", x."total", x."most" FROM (
        SELECT STREAM s."id" AS "id", COUNT(*) OVER w AS "lines", SUM(s."n") OVER w AS "total", MAX(s."n") OVER w AS "most"
        FROM "SOURCE_SQL_STREAM_001" AS s WINDOW w AS (RANGE INTERVAL '20' SECOND PRECEDING)) AS x
    WHERE x."id" IS NOT NULL;"#,
);

/// The reference table that one of them reads: its key in the rules bucket, and its rows.
pub const TABLE: (&str, &str) =
    ("rules/tables/labels.json", r#"{"k":"a","label":"one"} {"k":"b","label":"two"} {"k":"b","label":"three"}"#);

/// The rule of each: `source`, `ids` and `tables` as in its file, outputs of these streams.
pub fn rule(source: &str, ids: &str, tables: &str, streams: &[&str]) -> String {
    let outputs =
        streams.iter().map(|stream| format!(r#"{{"stream": "{stream}", "firehose": "summary", "format": "JSON"}}"#));
    let outputs = outputs.collect::<Vec<_>>().join(", ");
    format!(
        r#"{{"source": {source}, {ids}"referenceTables": [{tables}],
  "inputSchema": {{"RecordFormat": {{"RecordFormatType": "JSON"}}, "RecordColumns": [
    {{"Name": "id", "SqlType": "VARCHAR(32)", "Mapping": "$.id"}},
    {{"Name": "k", "SqlType": "VARCHAR(4)", "Mapping": "$.k"}},
    {{"Name": "n", "SqlType": "INTEGER", "Mapping": "$.n"}}]}},
  "outputs": [{outputs}]}}"#
    )
}

/// All of them (but the one for windows of many rows), or one.
pub fn applications(source: &str, only: Option<&str>) -> Vec<(&'static str, String, String)> {
    let table = format!(
        r#"{{"name": "labels", "s3": {{"key": "{}"}}, "schema": {{"RecordFormat": {{"RecordFormatType": "JSON"}}, "RecordColumns": [
            {{"Name": "k", "SqlType": "VARCHAR(4)", "Mapping": "$.k"}},
            {{"Name": "label", "SqlType": "VARCHAR(8)", "Mapping": "$.label"}}]}}}}"#,
        TABLE.0
    );
    let wanted = KINDS.iter().chain([&PAGED]).filter(|(name, _)| only.map_or(*name != PAGED.0, |only| only == *name));
    let tables = |statements: &str| if statements.contains("\"labels\"") { table.as_str() } else { "" };
    // Where ids tell repeats, rows that are taken twice are not seen: most go without.
    let ids = |name: &str| if name == "stagger" { r#""recordIdField": "id", "# } else { "" };
    let streams = |statements: &str| if statements.contains("\"OTHER\"") { &["OUT", "OTHER"][..] } else { &["OUT"] };
    wanted
        .map(|(name, statements)| {
            (*name, rule(source, ids(name), tables(statements), streams(statements)), (*statements).to_owned())
        })
        .collect()
}
