//! Rows on their way to stdout.

use std::io::{self, Write};

use stream_sql::{Application, OutputRow, Value};

use super::table::Tables;

/// The in-application streams: names, and names of their columns.
pub type Streams = Vec<(String, Vec<String>)>;

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns
    Table,
    /// A line {"stream": …, "rowtime": …, "row": {…}} each
    Json,
    /// A header and lines, of one stream
    Csv,
}

/// Prints rows.
#[derive(Debug)]
pub enum Printer {
    /// As tables.
    Table(Tables),
    /// As JSON lines.
    Json,
    /// As CSV of this stream; its header first.
    Csv {
        /// Whether the header is printed.
        headed: bool,
    },
}

impl Printer {
    /// Of a format.
    pub fn new(format: Format) -> Printer {
        match format {
            Format::Table => Printer::Table(Tables::default()),
            Format::Json => Printer::Json,
            Format::Csv => Printer::Csv { headed: false },
        }
    }

    /// Takes a row; it may be printed later.
    pub fn row(
        &mut self,
        row: OutputRow,
        application: &Application,
        streams: &Streams,
        out: &mut impl Write,
    ) -> io::Result<()> {
        match self {
            Printer::Table(tables) => tables.row(row, streams, out),
            Printer::Json => {
                let name = streams.get(row.stream).map_or("", |(name, _)| name);
                let mut line = b"{\"stream\":".to_vec();
                serde_json::to_writer(&mut line, name)?;
                write!(line, ",\"rowtime\":\"{}\",\"row\":", rowtime(&row))?;
                application.write_json(&row, &mut line);
                line.extend_from_slice(b"}\n");
                out.write_all(&line)
            }
            Printer::Csv { headed } => {
                if !std::mem::replace(headed, true) {
                    let columns = streams.get(row.stream).map_or(&[][..], |(_, columns)| columns);
                    let names = columns.iter().map(|name| quoted(name));
                    writeln!(
                        out,
                        "{}",
                        [String::from("ROWTIME")].into_iter().chain(names).collect::<Vec<_>>().join(",")
                    )?;
                }
                let mut line = rowtime(&row).into_bytes();
                line.push(b',');
                application.write_csv(&row, &mut line);
                line.push(b'\n');
                out.write_all(&line)
            }
        }
    }

    /// Prints what waits.
    pub fn flush(&mut self, streams: &Streams, out: &mut impl Write) -> io::Result<()> {
        match self {
            Printer::Table(tables) => tables.flush(streams, out),
            Printer::Json | Printer::Csv { .. } => out.flush(),
        }
    }
}

/// ROWTIME as text.
pub fn rowtime(row: &OutputRow) -> String {
    Value::Timestamp(row.rowtime).to_string()
}

/// A column's name as a field of CSV (RFC 4180).
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
