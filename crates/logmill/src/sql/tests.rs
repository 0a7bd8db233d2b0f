//! `sql run` over small files: what is printed, what is said, and the exit code.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use clap::Parser;

use super::run::{Arguments, Refused, Run};

/// Counts per minute and `k`, of JSON records.
const SQL: &str = r#"CREATE STREAM "COUNTS" (k VARCHAR(8), n INTEGER);
CREATE PUMP "P" AS INSERT INTO "COUNTS" SELECT STREAM "k", COUNT(*) FROM "SOURCE_SQL_STREAM_001"
GROUP BY "k", FLOOR("SOURCE_SQL_STREAM_001".ROWTIME TO MINUTE);
CREATE STREAM "ROWS" (k VARCHAR(8), q INTEGER);
CREATE PUMP "Q" AS INSERT INTO "ROWS" SELECT STREAM "k", 10 / "n" FROM "SOURCE_SQL_STREAM_001";"#;

const COLUMNS: &str = r#"{"Name": "k", "SqlType": "VARCHAR(8)"}, {"Name": "n", "SqlType": "INTEGER"},
    {"Name": "at", "SqlType": "TIMESTAMP"}"#;

fn rule(source: &str, format: &str) -> String {
    format!(
        r#"{{"source": {{"{source}": "s"}}, "inputSchema": {{"RecordFormat": {{"RecordFormatType": "{format}"}}, "RecordColumns": [{COLUMNS}]}},
        "outputs": [{{"stream": "COUNTS", "firehose": "f", "format": "JSON"}}]}}"#
    )
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// A folder with an application of each kind: `json.json`, `csv.json`, `lake.json`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, rule) in
        [("json", rule("kinesis", "JSON")), ("csv", rule("kinesis", "CSV")), ("lake", rule("firehose", "JSON"))]
    {
        fs::write(folder.path().join(format!("{name}.json")), rule).unwrap();
        fs::write(folder.path().join(format!("{name}.sql")), SQL).unwrap();
    }
    folder
}

/// Exit code, stdout and stderr. FOLDER in them stands for the folder.
fn run(folder: &Path, line: &str) -> (u8, String, String) {
    let path = folder.display().to_string();
    let words = ["run"].into_iter().chain(line.split_whitespace()).map(|word| word.replace("FOLDER", &path));
    let Line { arguments } = Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = match Run::new(&arguments) {
        Ok(run) => u8::from(!run.all(&arguments, Instant::now(), &mut out, &mut err).unwrap()),
        Err(Refused::Usage(message)) => {
            writeln!(err, "{message}").unwrap();
            2
        }
        Err(Refused::Failed(message)) => {
            writeln!(err, "{message}").unwrap();
            1
        }
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace(&path, "FOLDER");
    (code, text(out), text(err))
}

/// Runs over a file of this content; the summary's last line, of times, is left out.
fn check(line: &str, content: &str, code: u8, out: &str, err: &str) {
    let folder = folder();
    fs::write(folder.path().join("in"), content).unwrap();
    let found = run(folder.path(), &format!("--rules FOLDER {line}"));
    let said: Vec<&str> = found.2.lines().map(|line| line.split("; 0.").next().unwrap_or_default()).collect();
    assert_eq!((found.0, found.1.as_str(), said.join("\n").as_str()), (code, out, err.trim_end()), "{line}");
}

const LINES: &str = r#"{"k": "a", "n": 1, "at": "2026-11-20 10:00:01"}
{"k": "b", "n": 2, "at": "2026-11-20 10:00:59.999"}

{"k": "a", "n": 5, "at": "2026-11-20 10:01:00"}
"#;

#[test]
fn tables() {
    check(
        "json --input FOLDER/in --rowtime at",
        LINES,
        0,
        "COUNTS\n\
         ROWTIME                  K  N\n\
         2026-11-20 10:01:00.000  a  1\n\
         2026-11-20 10:01:00.000  b  1\n\
         2026-11-20 10:02:00.000  a  1\n",
        "3 rows of COUNTS\n4 lines, 3 rows, 0 late, 0 failed",
    );
    check(
        "json --input FOLDER/in --rowtime at --open --stream ROWS --stream COUNTS",
        LINES,
        0,
        "COUNTS\n\
         ROWTIME                  K  N\n\
         2026-11-20 10:01:00.000  a  1\n\
         2026-11-20 10:01:00.000  b  1\n\
         \n\
         ROWS\n\
         ROWTIME                  K   Q\n\
         2026-11-20 10:00:01.000  a  10\n\
         2026-11-20 10:00:59.999  b   5\n\
         2026-11-20 10:01:00.000  a   2\n",
        "2 rows of COUNTS\n3 rows of ROWS\n4 lines, 3 rows, 0 late, 0 failed",
    );
}

#[test]
fn json_and_csv() {
    let row = |time: &str, row: &str| {
        format!("{{\"stream\":\"COUNTS\",\"rowtime\":\"2026-11-20 10:{time}:00.000\",\"row\":{row}}}\n")
    };
    check(
        "json --input FOLDER/in --rowtime $.at --format json",
        LINES,
        0,
        &[row("01", r#"{"K":"a","N":1}"#), row("01", r#"{"K":"b","N":1}"#), row("02", r#"{"K":"a","N":1}"#)].concat(),
        "3 rows of COUNTS\n4 lines, 3 rows, 0 late, 0 failed",
    );
    check(
        "json --input FOLDER/in --stream ROWS --format csv",
        "{\"k\": \"a,\\\"b\", \"n\": 1, \"@ingested\": 5}\n{\"k\": null, \"n\": 3}\n{\"k\": \"\", \"@ingested\": 4}\n",
        0,
        "ROWTIME,K,Q\n\
         1970-01-01 00:00:00.005,\"a,\"\"b\",10\n\
         1970-01-01 00:00:00.006,,3\n\
         1970-01-01 00:00:00.006,\"\",\n",
        "3 rows of ROWS\n3 lines, 3 rows, 0 late, 0 failed\n1 line without @ingested came 1 ms after the one before (--rowtime)",
    );
}

#[test]
fn rows_that_fail_are_named_with_their_line() {
    let lines = r#"{"k": "a", "n": 0, "at": "2026-11-20T10:00:02Z"}
{"k": "b", "n": 1, "at": "2026-11-20T10:00:01Z"}
{"k": "c", "n": 1}
{"k":
"#;
    let said = "FOLDER/in:1: pump Q: division by zero\n\
         FOLDER/in:2: the row is late: a later ROWTIME has been in stream SOURCE_SQL_STREAM_001 before\n\
         FOLDER/in:3: no ROWTIME: at is NULL\n\
         FOLDER/in:4: no ROWTIME in at: the record is not a JSON object\n\
         1 row of COUNTS\n\
         4 lines, 2 rows, 1 late, 1 failed";
    let left = "2 lines left out for want of a ROWTIME";
    let row = "ROWTIME,K,N\n2026-11-20 10:01:00.000,a,1\n";
    for (option, code) in [("", 0), (" --strict", 1)] {
        let line = format!("json --input FOLDER/in --rowtime at --format csv{option}");
        check(&line, lines, code, row, &format!("{said}\n{left}"));
    }
}

#[test]
fn csv_records_may_hold_several_rows_and_their_time_in_any_format() {
    check(
        "csv --input FOLDER/in --rowtime at --rowtime-format MM/dd/yyyy-HH:mm --stream ROWS --format csv",
        "a,1,\"11/20/2026-10:00\"\nb,x,\"11/20/2026-10:00\"\n",
        0,
        "ROWTIME,K,Q\n2026-11-20 10:00:00.000,a,10\n",
        "FOLDER/in:2: column \"n\": the value is no INTEGER\n1 row of ROWS\n2 lines, 2 rows, 0 late, 1 failed",
    );
}

#[test]
fn lines_of_a_delivery_stream_are_converted() {
    let lines = "10.0.0.1 - - [27/Aug/2018:10:15:05 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"c\"\n{\"k\":\"a\"}\n";
    check(
        "lake --input FOLDER/in --stream SOURCE_SQL_STREAM_001 --format json --rowtime $.datetime",
        lines,
        0,
        "{\"stream\":\"SOURCE_SQL_STREAM_001\",\"rowtime\":\"2018-08-27 10:15:05.000\",\"row\":{\"k\":null,\"n\":null,\"at\":null}}\n",
        "FOLDER/in:2: no ROWTIME: $.datetime is NULL\n1 row of SOURCE_SQL_STREAM_001\n2 lines, 1 row, 0 late, 0 failed\n\
         1 line left out for want of a ROWTIME",
    );
}

#[test]
fn reference_tables_are_files() {
    let folder = folder();
    let rules = folder.path().join("analytics");
    fs::create_dir(&rules).unwrap();
    let table = r#""referenceTables": [{"name": "NAMES", "s3": {"key": "rules/tables/names.csv"}, "schema": {"RecordFormat":
        {"RecordFormatType": "CSV"}, "RecordColumns": [{"Name": "K", "SqlType": "VARCHAR(8)"}, {"Name": "NAME", "SqlType": "VARCHAR(8)"}]}}]"#;
    let json = rule("kinesis", "JSON").replace("\"outputs\"", &format!("{table}, \"outputs\""));
    fs::write(rules.join("join.json"), json).unwrap();
    let sql = r#"CREATE STREAM "COUNTS" (k VARCHAR(8), name VARCHAR(8));
        CREATE PUMP "P" AS INSERT INTO "COUNTS" SELECT STREAM s."k", t.name FROM "SOURCE_SQL_STREAM_001" AS s JOIN names AS t ON s."k" = t.k;"#;
    fs::write(rules.join("join.sql"), sql).unwrap();
    fs::write(folder.path().join("in"), LINES).unwrap();
    fs::write(folder.path().join("names"), "a,Ann\n").unwrap();
    let line = "FOLDER/analytics/join.json --input FOLDER/in --rowtime at --format csv";
    let (code, _, err) = run(folder.path(), line);
    assert_eq!(
        (code, err.as_str()),
        (2, "reference table NAMES (rules/tables/names.csv): expected --table NAMES=FILE\n")
    );
    let row = |time: &str, name: &str| format!("2026-11-20 10:0{time}.000,{name}\n");
    let (code, out, err) = run(folder.path(), &format!("{line} --table NAMES=FOLDER/names"));
    assert_eq!((code, out), (0, format!("ROWTIME,K,NAME\n{}{}", row("0:01", "a,Ann"), row("1:00", "a,Ann"))), "{err}");
    fs::create_dir(folder.path().join("tables")).unwrap();
    fs::write(folder.path().join("tables/names.csv"), "b,Bob\n").unwrap();
    let (code, out, err) = run(folder.path(), line);
    assert_eq!((code, out.as_str()), (0, "ROWTIME,K,NAME\n2026-11-20 10:00:59.999,b,Bob\n"), "{err}");
}

#[test]
fn what_is_wrong_is_said() {
    let usage = |line: &str, err: &str| check(line, LINES, 2, "", err);
    usage(
        "json --input FOLDER/in --stream counts",
        "--stream counts: no such stream: expected one of SOURCE_SQL_STREAM_001, COUNTS, ROWS, error_stream",
    );
    usage("json --input FOLDER/in --rowtime t", "--rowtime t: no such column: expected now, $.PATH, one of k, n, at");
    usage("csv --input FOLDER/in --rowtime $.at", "--rowtime $.at: records are CSV: expected one of k, n, at");
    usage("json --input FOLDER/in --rowtime-format yyyy", "--rowtime-format: expected --rowtime COLUMN too");
    usage(
        "json --input FOLDER/in --format csv --stream ROWS --stream COUNTS",
        "--format csv: one stream: --stream COUNTS or ROWS",
    );
    check("none --input FOLDER/in", LINES, 1, "", "FOLDER/none.json: No such file or directory (os error 2)");
    check(
        "json --input FOLDER/no",
        LINES,
        1,
        "",
        "FOLDER/no: No such file or directory (os error 2)\n0 lines, 0 rows, 0 late, 0 failed",
    );
}

#[test]
fn statements_that_are_wrong_are_shown() {
    let folder = folder();
    fs::write(folder.path().join("json.sql"), SQL.replace("10 / \"n\"", "10 / \"m\"")).unwrap();
    let (code, out, err) = run(folder.path(), "FOLDER/json.sql --input -");
    assert_eq!((code, out.as_str()), (1, ""));
    let lines: Vec<&str> = err.lines().collect();
    assert!(lines[0].starts_with("FOLDER/json.sql:5:63: From line 5, column 63 to line 5, column 65: "), "{err}");
    assert_eq!(
        lines[1],
        "  CREATE PUMP \"Q\" AS INSERT INTO \"ROWS\" SELECT STREAM \"k\", 10 / \"m\" FROM \"SOURCE_SQL_STREAM_001\";"
    );
    assert_eq!(lines[2].find('^'), lines[1].find("\"m\""));
}
