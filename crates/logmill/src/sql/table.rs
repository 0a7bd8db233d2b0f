//! Aligned tables of rows that come one after another.

use std::collections::BTreeMap;
use std::io::{self, Write};

use stream_sql::{OutputRow, Value};

use super::printer::{Streams, rowtime};

/// Rows that are waited for: what they need is a column's width.
const FIRST: usize = 1_000;

/// The widest that a column is made; what is longer pushes the rest of its row.
const MAX_WIDTH: usize = 60;

/// Tables of several streams: rows are shown batch by batch, of each stream together.
#[derive(Debug, Default)]
pub struct Tables {
    waiting: Vec<OutputRow>,
    layouts: BTreeMap<usize, Layout>,
    /// The stream whose rows were printed last.
    last: Option<usize>,
}

/// How a stream's rows are laid out: as its first ones need it.
#[derive(Debug)]
struct Layout {
    columns: Vec<(usize, Side)>,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl Tables {
    /// Takes a row.
    pub fn row(&mut self, row: OutputRow, streams: &Streams, out: &mut impl Write) -> io::Result<()> {
        self.waiting.push(row);
        if self.waiting.len() < FIRST { Ok(()) } else { self.flush(streams, out) }
    }

    /// Prints what waits.
    pub fn flush(&mut self, streams: &Streams, out: &mut impl Write) -> io::Result<()> {
        let mut by_stream: BTreeMap<usize, Vec<OutputRow>> = BTreeMap::new();
        for row in self.waiting.drain(..) {
            by_stream.entry(row.stream).or_default().push(row);
        }
        for (stream, rows) in by_stream {
            let Some((name, columns)) = streams.get(stream) else { continue };
            let header: Vec<String> =
                ["ROWTIME"].into_iter().chain(columns.iter().map(String::as_str)).map(shown).collect();
            let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
            let layout = self.layouts.entry(stream).or_insert_with(|| Layout::new(&header, &cells, &rows));
            if self.last != Some(stream) {
                let blank = if self.last.is_some() { "\n" } else { "" };
                writeln!(out, "{blank}{name}\n{}", layout.line(&header))?;
                self.last = Some(stream);
            }
            for cells in &cells {
                writeln!(out, "{}", layout.line(cells))?;
            }
        }
        out.flush()
    }
}

impl Layout {
    fn new(header: &[String], cells: &[Vec<String>], rows: &[OutputRow]) -> Layout {
        let column = |place: usize| {
            let of_column = cells.iter().map(|cells| &cells[place]).chain([&header[place]]);
            let width = of_column.map(|cell| cell.chars().count()).max().unwrap_or_default();
            let number = |row: &OutputRow| {
                let value = place.checked_sub(1).and_then(|place| row.values.get(place));
                matches!(value, Some(Value::Integer(_) | Value::Double(_) | Value::Decimal(..)))
            };
            let is_null = |row: &OutputRow| place > 0 && matches!(row.values.get(place - 1), Some(Value::Null) | None);
            let right = rows.iter().any(number) && rows.iter().all(|row| number(row) || is_null(row));
            (width.min(MAX_WIDTH), if right { Side::Right } else { Side::Left })
        };
        Layout { columns: (0..header.len()).map(column).collect() }
    }

    fn line(&self, cells: &[String]) -> String {
        let aligned = cells.iter().zip(&self.columns).map(|(cell, (width, side))| match side {
            Side::Left => format!("{cell:<width$}"),
            Side::Right => format!("{cell:>width$}"),
        });
        aligned.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

fn cells(row: &OutputRow) -> Vec<String> {
    let values = row.values.iter().map(|value| shown(&value.to_string()));
    [rowtime(row)].into_iter().chain(values).collect()
}

/// A text that stays in its line.
fn shown(text: &str) -> String {
    if !text.contains(|c: char| c.is_control()) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
