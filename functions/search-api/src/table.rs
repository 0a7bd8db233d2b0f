//! Tables of `_cat`: chosen, sorted and aligned columns, or JSON.

use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::reply::Reply;
use crate::router::{Call, Outcome};

/// A column.
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Other names of it.
    pub aliases: &'static [&'static str],
    /// What `help` says.
    pub description: &'static str,
    /// It is shown unless others are asked for.
    pub default: bool,
    /// Numbers stand on the right.
    pub right: bool,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number.
    Number(u64),
    /// Bytes, shown with a unit.
    Bytes(u64),
    /// Nothing.
    None,
}

/// A shown column: text left-aligned.
pub const fn text(name: &'static str, aliases: &'static [&'static str], description: &'static str) -> Column {
    Column { name, aliases, description, default: true, right: false }
}

/// A shown column: numbers, right-aligned.
pub const fn number(name: &'static str, aliases: &'static [&'static str], description: &'static str) -> Column {
    Column { name, aliases, description, default: true, right: true }
}

impl Column {
    /// Shown only when asked for.
    pub const fn hidden(mut self) -> Column {
        self.default = false;
        self
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// The answer of a `_cat` path: `help`, `h`, `s`, `v`, `bytes`, `format`.
pub fn answer(call: &Call, columns: &[Column], mut rows: Vec<Vec<Cell>>) -> Outcome {
    if call.flag("help", false)? {
        return Ok(text_reply(help(columns)));
    }
    let shown = shown(call.parameter("h"), columns)?;
    sort(call.parameter("s"), columns, &mut rows)?;
    let bytes = call.parameter("bytes");
    let show = |cell: &Cell| show(cell, bytes);
    match call.parameter("format").unwrap_or("text") {
        "json" => {
            let row = |row: &Vec<Cell>| -> Result<Value, ApiError> {
                let mut object = Map::new();
                for (index, name) in &shown {
                    let value =
                        if row[*index] == Cell::None { Value::Null } else { Value::String(show(&row[*index])?) };
                    object.insert((*name).to_owned(), value);
                }
                Ok(Value::Object(object))
            };
            Reply::ok(&rows.iter().map(row).collect::<Result<Vec<_>, _>>()?)
        }
        "text" | "txt" => {
            let mut lines = Vec::with_capacity(rows.len() + 1);
            if call.flag("v", false)? {
                lines.push(shown.iter().map(|(_, name)| (*name).to_owned()).collect());
            }
            for row in &rows {
                lines.push(shown.iter().map(|(index, _)| show(&row[*index])).collect::<Result<Vec<_>, _>>()?);
            }
            let right: Vec<bool> = shown.iter().map(|(index, _)| columns[*index].right).collect();
            Ok(text_reply(aligned(&lines, &right)))
        }
        other => Err(ApiError::unsupported(&format!("[format={other}]"))),
    }
}

fn text_reply(text: String) -> Reply {
    Reply { status: 200, headers: Vec::new(), content: crate::reply::Content::Text(text) }
}

fn help(columns: &[Column]) -> String {
    let lines: Vec<Vec<String>> = columns
        .iter()
        .map(|column| {
            let aliases = if column.aliases.is_empty() { "-".to_owned() } else { column.aliases.join(",") };
            vec![column.name.to_owned(), format!("| {aliases}"), format!("| {}", column.description)]
        })
        .collect();
    aligned(&lines, &[false; 3])
}

/// Index and shown name of the columns. A name that there is none of is left out, as Elasticsearch does.
fn shown<'a>(h: Option<&'a str>, columns: &'a [Column]) -> Result<Vec<(usize, &'a str)>, ApiError> {
    let Some(h) = h.filter(|h| !h.is_empty()) else {
        let default = columns.iter().enumerate().filter(|(_, column)| column.default);
        return Ok(default.map(|(index, column)| (index, column.name)).collect());
    };
    let mut shown = Vec::new();
    for name in h.split(',').map(str::trim) {
        if let Some(prefix) = name.strip_suffix('*') {
            let fitting = columns.iter().enumerate().filter(|(_, column)| column.name.starts_with(prefix));
            shown.extend(fitting.map(|(index, column)| (index, column.name)));
        } else if let Some(index) = columns.iter().position(|column| column.is(name)) {
            shown.push((index, name));
        }
    }
    Ok(shown)
}

/// Sorts by `column`, `column:desc`, several with commas; the first one counts most.
fn sort(s: Option<&str>, columns: &[Column], rows: &mut [Vec<Cell>]) -> Result<(), ApiError> {
    for key in s.unwrap_or_default().split(',').filter(|key| !key.is_empty()).rev() {
        let (name, order) = key.split_once(':').unwrap_or((key, "asc"));
        let index = columns.iter().position(|column| column.is(name)).ok_or_else(|| {
            ApiError::new(
                400,
                "unsupported_operation_exception",
                format!("Unable to sort by unknown sort key `{name}`"),
            )
        })?;
        rows.sort_by(|one, other| {
            let order_of = compare(&one[index], &other[index]);
            if order == "desc" { order_of.reverse() } else { order_of }
        });
    }
    Ok(())
}

fn compare(one: &Cell, other: &Cell) -> std::cmp::Ordering {
    match (one, other) {
        (Cell::Number(a) | Cell::Bytes(a), Cell::Number(b) | Cell::Bytes(b)) => a.cmp(b),
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::None, Cell::None) => std::cmp::Ordering::Equal,
        (Cell::None, _) => std::cmp::Ordering::Less,
        _ => std::cmp::Ordering::Greater,
    }
}

fn show(cell: &Cell, unit: Option<&str>) -> Result<String, ApiError> {
    Ok(match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::None => String::new(),
        Cell::Bytes(bytes) => match unit {
            None | Some("") => size(*bytes),
            Some("b") => bytes.to_string(),
            Some("k" | "kb") => (bytes >> 10).to_string(),
            Some("m" | "mb") => (bytes >> 20).to_string(),
            Some("g" | "gb") => (bytes >> 30).to_string(),
            Some(other) => return Err(ApiError::unsupported(&format!("[bytes={other}]"))),
        },
    })
}

/// Bytes as Elasticsearch writes them: one decimal, cut off (`3.4kb`).
fn size(bytes: u64) -> String {
    let (shift, unit) = match bytes {
        0..0x400 => return format!("{bytes}b"),
        0x400..0x10_0000 => (10, "kb"),
        0x10_0000..0x4000_0000 => (20, "mb"),
        0x4000_0000..0x100_0000_0000 => (30, "gb"),
        _ => (40, "tb"),
    };
    let whole = bytes >> shift;
    let tenth = ((bytes - (whole << shift)) * 10) >> shift;
    if tenth == 0 { format!("{whole}{unit}") } else { format!("{whole}.{tenth}{unit}") }
}

fn aligned(lines: &[Vec<String>], right: &[bool]) -> String {
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..right.len()).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for line in lines {
        let begin = text.len();
        for ((cell, width), right) in line.iter().zip(&widths).zip(right) {
            if text.len() > begin {
                text.push(' ');
            }
            text.push_str(&if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") });
        }
        // The last column is not filled up.
        let end = begin + text[begin..].trim_end().len();
        text.truncate(end);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_elasticsearch_writes_them() {
        for (bytes, expected) in
            [(0, "0b"), (1023, "1023b"), (1024, "1kb"), (3550, "3.4kb"), (5 << 30, "5gb"), (3 << 39, "1.5tb")]
        {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let lines = [vec!["a".to_owned(), "10".to_owned()], vec!["bcd".to_owned(), "2".to_owned()]];
        assert_eq!(aligned(&lines, &[false, true]), "a   10\nbcd  2\n");
        assert_eq!(aligned(&lines, &[true, false]), "  a 10\nbcd 2\n");
    }
}
