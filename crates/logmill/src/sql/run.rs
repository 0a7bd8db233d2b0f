//! `logmill sql run`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use stream_analytics::application::Application;
use stream_analytics::engine::ERROR_STREAM;
use stream_sql::{Event, OutputRow, State, Value};

use super::lines::{self, Batch};
use super::printer::{Format, Printer, Streams};
use super::record::Records;
use super::rowtime::{self, Clock};
use crate::check;

const AFTER_HELP: &str = "APP is the rule of an application, its statements beside it (rules/analytics/counts.json and counts.sql), or its name in the
folder of --rules. Every line of the files is a record; lines of a delivery stream that are no JSON are read as its transform reads
them (firehose-transform.json in the folder above the rules), so that a web server's log can be taken as it is.

ROWTIME is the time at which a line arrived, as in AWS:
  (nothing)                        @ingested of the line, as the lake has it; a line without it comes 1 ms after the one before
  --rowtime COLUMN                 a column of the schema: epoch seconds or ms, ISO 8601, or 27/Aug/2018:10:15:05 +0000
  --rowtime '$.a.b'                the same of any field of a JSON record
  --rowtime … --rowtime-format F   in another format, as CHAR_TO_TIMESTAMP takes it
  --rowtime now                    the clock: windows close as time passes
By a column, lines that are earlier than one before them are late: reported and counted, as the engine does it.

Rows that fail go to stderr with file, line and reason, and so does the summary at the end. Windows that are open then are closed.

Examples:
  logmill sql run log-aggregation --input access.log --rowtime datetime
  aws s3 cp s3://BUCKET/logs/log-ingestion-stream/2026/11/20/16/X.gz - | logmill sql run log-aggregation --input -
  logmill sql run ./counts.json --input day1.gz day2.gz --format json | jq .row
  tail -f app.log | logmill sql run ./errors.json --input - --rowtime now --stream \"ERRORS\"

The exit code is 1 if the application does not compile or a file cannot be read, with --strict also if a row failed, and 2 for a
wrong use.";

/// How long rows wait to be printed when no line comes, and how often time passes then.
const TICK: Duration = Duration::from_millis(200);

/// Options of `sql run`.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// The application: its rule file, or its name
    #[arg(value_name = "APP")]
    application: String,
    /// The files, plain or gzip; - is stdin
    #[arg(long, short, value_name = "FILE", num_args = 1.., required = true)]
    input: Vec<PathBuf>,
    /// The folder of the applications that are named
    #[arg(long, value_name = "DIR", default_value = "infra/rules/analytics")]
    rules: PathBuf,
    /// Where ROWTIME comes from: COLUMN, '$.PATH' or now
    #[arg(long, value_name = "WHAT")]
    rowtime: Option<String>,
    /// How the time is written: a pattern of SimpleDateFormat
    #[arg(long, value_name = "PATTERN")]
    rowtime_format: Option<String>,
    /// A reference table's records; one of the rules bucket (rules/tables/…) is also found in the folder above the rules
    #[arg(long, value_name = "NAME=FILE", value_parser = table)]
    table: Vec<(String, PathBuf)>,
    /// The in-application streams to print, sources and error_stream too; by default the application's outputs
    #[arg(long, value_name = "NAME")]
    stream: Vec<String>,
    /// How to print rows
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Leave the windows open that are open at the end
    #[arg(long)]
    open: bool,
    /// Exit with 1 if a row failed
    #[arg(long)]
    strict: bool,
}

fn table(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("expected NAME=FILE")?;
    Ok((name.to_owned(), PathBuf::from(file)))
}

/// Why it does not run.
pub(super) enum Refused {
    Usage(String),
    Failed(String),
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> ExitCode {
    let started = Instant::now();
    let run = match Run::new(arguments) {
        Ok(run) => run,
        Err(Refused::Usage(message)) => {
            eprintln!("logmill: {message}");
            return ExitCode::from(2);
        }
        Err(Refused::Failed(message)) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match run.all(arguments, started, &mut out, &mut io::stderr().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Who reads the rows has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("logmill: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An application at work.
pub(super) struct Run {
    engine: stream_sql::Application,
    streams: Streams,
    state: State,
    records: Records,
    clock: Clock,
    printer: Printer,
    /// Whether rows of `error_stream` were asked for.
    prints_errors: bool,
    lines: u64,
    /// Lines without a ROWTIME.
    timeless: u64,
    /// ROWTIME of the latest row.
    last: i64,
    /// Rows of each stream.
    printed: Vec<u64>,
}

impl Run {
    pub(super) fn new(arguments: &Arguments) -> Result<Run, Refused> {
        let file = file(&arguments.application, &arguments.rules);
        let application = check::application(&file).map_err(Refused::Failed)?;
        let application = application
            .ok_or_else(|| Refused::Failed(format!("{}: switched off (\"enabled\": false)", file.display())))?;
        let folder = file.parent().and_then(Path::parent);
        let records = Records::new(&application, folder).map_err(Refused::Failed)?;
        let clock = Clock::new(&application, arguments.rowtime.as_deref(), arguments.rowtime_format.as_deref())
            .map_err(Refused::Usage)?;
        for pump in application.engine().stopped_pumps() {
            eprintln!("pump {pump} is STOPPED: it does nothing");
        }
        let engine = engine(&application, folder, arguments)?;
        let streams = engine.streams();
        Ok(Run {
            state: engine.start(),
            printed: vec![0; streams.len()],
            engine,
            streams,
            records,
            clock,
            printer: Printer::new(arguments.format),
            prints_errors: arguments.stream.iter().any(|name| name == ERROR_STREAM),
            lines: 0,
            timeless: 0,
            last: i64::MIN,
        })
    }

    /// Whether all went well.
    pub(super) fn all(
        mut self,
        arguments: &Arguments,
        started: Instant,
        out: &mut impl Write,
        err: &mut impl Write,
    ) -> io::Result<bool> {
        let lines = lines::read(arguments.input.clone());
        let mut unread = None;
        loop {
            match lines.recv_timeout(TICK) {
                Ok(Ok(batch)) => self.batch(&batch, out, err)?,
                Ok(Err(error)) => unread = Some(error),
                Err(RecvTimeoutError::Timeout) => {
                    if self.clock.is_wall() {
                        self.last = self.last.max(rowtime::wall());
                        self.pass(Event::Bound(self.last), out, err)?;
                    }
                    self.printer.flush(&self.streams, out)?;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if !arguments.open && self.last > i64::MIN {
            self.pass(Event::End(self.last), out, err)?;
        }
        self.printer.flush(&self.streams, out)?;
        if let Some(error) = &unread {
            writeln!(err, "{error}")?;
        }
        self.summary(started, err)?;
        let failed = self.state.counters.errors + self.timeless > 0;
        Ok(unread.is_none() && !(arguments.strict && failed))
    }

    fn batch(&mut self, batch: &Batch, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
        let mut rows = Vec::new();
        for (number, line) in batch.lines() {
            self.lines += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let record = self.records.of(line, self.last.max(0));
            let rowtime = match self.clock.of(line, &record) {
                // The machine's clock may be put back.
                Ok(rowtime) if self.clock.is_wall() => rowtime.max(self.last),
                Ok(rowtime) => rowtime,
                Err(error) => {
                    self.timeless += 1;
                    writeln!(err, "{}:{number}: {error}", batch.file)?;
                    continue;
                }
            };
            self.last = self.last.max(rowtime);
            let event = Event::Record { source: 0, rowtime, arrival: rowtime, origin: None, bytes: &record };
            self.engine.run(&mut self.state, event, &mut rows);
            for row in rows.drain(..) {
                self.print(row, &format_args!("{}:{number}", batch.file), out, err)?;
            }
        }
        Ok(())
    }

    /// Time passes, or is over.
    fn pass(&mut self, event: Event<'_>, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
        let mut rows = Vec::new();
        self.engine.run(&mut self.state, event, &mut rows);
        for row in rows {
            self.print(row, &"a window that closed", out, err)?;
        }
        Ok(())
    }

    fn print(
        &mut self,
        row: OutputRow,
        place: &dyn std::fmt::Display,
        out: &mut impl Write,
        err: &mut impl Write,
    ) -> io::Result<()> {
        let is_error = row.stream + 1 == self.streams.len();
        if is_error && !self.prints_errors {
            return writeln!(err, "{place}: {}", message_of(&self.streams, &row));
        }
        self.printed[row.stream] += 1;
        self.printer.row(row, &self.engine, &self.streams, out)
    }

    fn summary(&self, started: Instant, err: &mut impl Write) -> io::Result<()> {
        let seconds = started.elapsed().as_secs_f64();
        let stream_sql::Counters { rows, late, errors, truncated } = self.state.counters;
        for ((name, _), count) in self.streams.iter().zip(&self.printed).filter(|(_, count)| **count > 0) {
            writeln!(err, "{} of {name}", counted(*count, "row"))?;
        }
        let failed = errors.saturating_sub(late);
        let rate = rows as f64 / seconds.max(0.001);
        writeln!(
            err,
            "{}, {}, {late} late, {failed} failed; {seconds:.1} s, {rate:.0} rows/s",
            counted(self.lines, "line"),
            counted(rows, "row")
        )?;
        if truncated > 0 {
            writeln!(err, "{} too long for a column, cut off", counted(truncated, "text"))?;
        }
        if self.timeless > 0 {
            writeln!(err, "{} left out for want of a ROWTIME", counted(self.timeless, "line"))?;
        }
        if let Clock::Arrival { guessed: guessed @ 1.., .. } = self.clock {
            writeln!(err, "{} without @ingested came 1 ms after the one before (--rowtime)", counted(guessed, "line"))?;
        }
        Ok(())
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The rule file of an application that is named by its path or by its name.
fn file(application: &str, rules: &Path) -> PathBuf {
    let path = Path::new(application);
    if path.extension().is_some_and(|extension| extension == "json" || extension == "sql") {
        return path.with_extension("json");
    }
    rules.join(application).with_extension("json")
}

/// The engine with its tables, giving out what is asked for. Tables of the rules bucket are looked for in the rules' folder.
fn engine(
    application: &Application,
    folder: Option<&Path>,
    arguments: &Arguments,
) -> Result<stream_sql::Application, Refused> {
    let mut engine = application.engine().clone();
    let mut files: BTreeMap<&str, PathBuf> = BTreeMap::new();
    for table in application.tables() {
        let key = table.s3.key.strip_prefix("rules/").filter(|_| table.s3.bucket.is_none());
        files.extend(folder.zip(key).map(|(folder, key)| (table.name.as_str(), folder.join(key))));
    }
    files.retain(|_, file| file.is_file());
    files.extend(arguments.table.iter().map(|(name, file)| (name.as_str(), file.clone())));
    if let Some(missing) = application.tables().iter().find(|table| !files.contains_key(table.name.as_str())) {
        let (name, key) = (&missing.name, &missing.s3.key);
        return Err(Refused::Usage(format!("reference table {name} ({key}): expected --table {name}=FILE")));
    }
    for (name, file) in files {
        let failed = |error: String| Refused::Failed(format!("{}: {error}", file.display()));
        let records = std::fs::read(&file).map_err(|error| failed(error.to_string()))?;
        engine = engine.with_table(name, &records).map_err(failed)?;
    }
    let mut wanted: Vec<&str> = match arguments.stream.as_slice() {
        [] => application.outputs().collect(),
        streams => streams.iter().map(String::as_str).collect(),
    };
    wanted.sort_unstable();
    wanted.dedup();
    if arguments.format == Format::Csv && wanted.len() > 1 {
        return Err(Refused::Usage(format!("--format csv: one stream: --stream {}", wanted.join(" or "))));
    }
    wanted.push(ERROR_STREAM);
    let names: Vec<String> = engine.streams().into_iter().map(|(name, _)| name).collect();
    engine.with_outputs(&wanted).map_err(|unknown| {
        Refused::Usage(format!("--stream {unknown}: no such stream: expected one of {}", names.join(", ")))
    })
}

/// What a row of `error_stream` says.
pub fn message_of(streams: &Streams, row: &OutputRow) -> String {
    let columns = streams.get(row.stream).map_or(&[][..], |(_, columns)| columns);
    let of = |name: &str| columns.iter().position(|column| column == name).and_then(|place| row.values.get(place));
    let message = of("MESSAGE").map(Value::to_string).unwrap_or_default();
    match of("PUMP_NAME") {
        Some(Value::Text(pump)) => format!("pump {pump}: {message}"),
        _ => message,
    }
}
