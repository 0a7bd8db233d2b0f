//! `logmill sql run` and `logmill check` of applications: files, pipes, exit codes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use logmill_tests::stack::{programs, repository};

fn logmill(arguments: &[&str]) -> Command {
    let mut command = Command::new(programs().join("logmill"));
    command.current_dir(repository()).args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    logmill(arguments).stdin(Stdio::null()).output().expect("logmill runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A web server's log of two minutes, plain and gzip.
fn logs(folder: &Path) -> [String; 2] {
    let line = |n: u32| {
        let (minute, second) = (n / 60, n % 60);
        format!("127.0.0.1 - - [27/Aug/2018:10:0{minute}:{second:02} +0000] \"GET /{n} HTTP/1.1\" 200 5 \"-\" \"t\"\n")
    };
    let lines: String = (0..90).map(line).collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(lines.as_bytes()).expect("memory takes bytes");
    let [plain, gzip] = ["access.log", "access.log.gz"].map(|name| folder.join(name));
    fs::write(&plain, lines).expect("a file");
    fs::write(&gzip, encoder.finish().expect("gzip")).expect("a file");
    [plain, gzip].map(|path| path.display().to_string())
}

#[test]
fn the_default_application_over_a_web_servers_log() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, gzip] = logs(folder.path());
    let expected = "ROWTIME,DATETIME,STATUS,STATUSCOUNT\n\
        2018-08-27 10:01:00.000,2018-08-27 10:01:00.000,200,60\n\
        2018-08-27 10:02:00.000,2018-08-27 10:02:00.000,200,30\n";
    for input in [plain.as_str(), &gzip, "-"] {
        let mut command =
            logmill(&["sql", "run", "log-aggregation", "--rowtime", "datetime", "--format", "csv", "--input", input]);
        command.stdin(fs::File::open(&gzip).unwrap());
        let output = command.output().expect("logmill runs");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), expected), "{output:?}");
        assert!(text(&output.stderr).contains("90 lines, 90 rows, 0 late, 0 failed"), "{output:?}");
    }
}

/// An application that counts by second, whatever comes.
fn counts(folder: &Path) -> String {
    let rule = folder.join("counts.json");
    let json = r#"{"source": {"kinesis": "s"}, "inputSchema": {"RecordFormat": {"RecordFormatType": "JSON"},
        "RecordColumns": [{"Name": "k", "SqlType": "VARCHAR(8)"}]},
        "outputs": [{"stream": "COUNTS", "firehose": "f", "format": "JSON"}]}"#;
    let sql = "CREATE STREAM counts (k VARCHAR(8), n INTEGER);\nCREATE PUMP p AS INSERT INTO counts\n  \
        SELECT STREAM \"k\", COUNT(*) FROM source_sql_stream_001 s GROUP BY \"k\", FLOOR(s.ROWTIME TO SECOND);\n";
    fs::write(&rule, json).expect("a file");
    fs::write(rule.with_extension("sql"), sql).expect("a file");
    rule.display().to_string()
}

#[test]
fn rows_come_while_the_pipe_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let rule = counts(folder.path());
    let arguments = ["sql", "run", &rule, "--input", "-", "--rowtime", "now", "--format", "json"];
    let mut child = logmill(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("logmill starts");
    let mut input = child.stdin.take().unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
    for key in ["a", "b"] {
        writeln!(input, "{{\"k\":\"{key}\"}}").unwrap();
        // The window closes as time passes, without another line.
        let row = rows.next().unwrap().unwrap();
        assert!(row.ends_with(&format!("\"row\":{{\"K\":\"{key}\",\"N\":1}}}}")), "{row}");
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(rows.next().is_none());
}

#[test]
fn exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let rule = counts(folder.path());
    let lines = folder.path().join("lines");
    fs::write(&lines, "{\"k\": \"a\"}\n{\n").unwrap();
    let lines = lines.display().to_string();
    let code = |arguments: &[&str]| run(arguments).status.code();
    assert_eq!(code(&["sql", "run", &rule, "--input", &lines]), Some(0));
    assert_eq!(code(&["sql", "run", &rule, "--input", &lines, "--strict"]), Some(1));
    assert_eq!(code(&["sql", "run", &rule]), Some(2));
    assert_eq!(code(&["sql", "run", &rule, "--input", &lines, "--stream", "none"]), Some(2));
    assert_eq!(code(&["sql", "run", "none", "--input", &lines]), Some(1));
}

#[test]
fn check_shows_the_line_and_a_caret() {
    let folder = tempfile::tempdir().unwrap();
    let rule = counts(folder.path());
    let sql = Path::new(&rule).with_extension("sql");
    fs::write(&sql, fs::read_to_string(&sql).unwrap().replace("GROUP BY \"k\"", "GROUP BY \"l\"")).unwrap();
    let output = run(&[
        "check",
        "infra/rules/analytics/log-aggregation.sql",
        &rule,
        &sql.to_string_lossy(),
        "infra/rules/index.json",
    ]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert!(
        lines[0].contains("ok  SQL application") && lines.last().unwrap().contains("ok  index rules"),
        "{output:?}"
    );
    let column = lines[2].find("\"l\"").expect("the line is shown") - 1;
    let place =
        format!("{}:3:{column}: From line 3, column {column} to line 3, column {}: ", sql.display(), column + 2);
    assert!(lines[1].starts_with(&place), "{output:?}");
    assert_eq!(lines[3].find('^'), Some(column + 1), "{output:?}");
}
