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

/// The reference table that one of them reads: its key in the rules bucket, and its rows.
pub const TABLE: (&str, &str) =
    ("rules/tables/labels.json", r#"{"k":"a","label":"one"} {"k":"b","label":"two"} {"k":"b","label":"three"}"#);

/// The rule of each: `source` and `tables` as in its file.
pub fn rule(source: &str, tables: &str) -> String {
    format!(
        r#"{{"source": {source}, "recordIdField": "id", "referenceTables": [{tables}],
  "inputSchema": {{"RecordFormat": {{"RecordFormatType": "JSON"}}, "RecordColumns": [
    {{"Name": "id", "SqlType": "VARCHAR(32)", "Mapping": "$.id"}},
    {{"Name": "k", "SqlType": "VARCHAR(4)", "Mapping": "$.k"}},
    {{"Name": "n", "SqlType": "INTEGER", "Mapping": "$.n"}}]}},
  "outputs": [{{"stream": "OUT", "firehose": "summary", "format": "JSON"}}]}}"#
    )
}

/// All of them, or one.
pub fn applications(source: &str, only: Option<&str>) -> Vec<(&'static str, String, String)> {
    let table = format!(
        r#"{{"name": "labels", "s3": {{"key": "{}"}}, "schema": {{"RecordFormat": {{"RecordFormatType": "JSON"}}, "RecordColumns": [
            {{"Name": "k", "SqlType": "VARCHAR(4)", "Mapping": "$.k"}},
            {{"Name": "label", "SqlType": "VARCHAR(8)", "Mapping": "$.label"}}]}}}}"#,
        TABLE.0
    );
    let wanted = KINDS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let tables = |statements: &str| if statements.contains("\"labels\"") { table.as_str() } else { "" };
    wanted.map(|(name, statements)| (*name, rule(source, tables(statements)), (*statements).to_owned())).collect()
}
