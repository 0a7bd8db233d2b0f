//! The health page: services, resources, queues, backlog, invocations. HTML for a browser, JSON and text for programs and
//! terminals; all three are made of the same [`Table`]s.

use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::Ctx;
use crate::clock::now_ms;
use crate::error::ApiError;
use crate::runtime::FunctionSnapshot;
use crate::services::{firehose, lambda};
use crate::wire::{HttpResponse, full};

/// What is emulated, for the page.
const SERVICES: &str = "s3, kinesis, firehose, lambda, sqs, sns, logs, monitoring, sts";

/// Characters of a cell of the text page: the widest table stays below 130 columns.
const MAX_CELL: usize = 60;

/// One part of the page.
struct Table {
    title: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

/// `?format=text`, `?format=json` or `Accept: application/json`, else HTML.
pub async fn page(ctx: &Ctx, request: &Parts) -> HttpResponse {
    let query = request.uri.query().unwrap_or_default();
    let accept = request.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let snapshot = ctx.pool.snapshot();
    let tables = match ctx.store.read(move |db| tables(db, &snapshot)).await {
        Ok(tables) => tables,
        Err(error) => return answer(http::StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
    };
    let ok = http::StatusCode::OK;
    if query.contains("format=json") || accept.starts_with("application/json") {
        answer(ok, "application/json", json_page(ctx, &tables))
    } else if query.contains("format=text") {
        answer(ok, "text/plain; charset=utf-8", text_page(ctx, &tables))
    } else {
        answer(ok, "text/html; charset=utf-8", html_page(ctx, &tables))
    }
}

fn answer(status: http::StatusCode, content_type: &'static str, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn tables(db: &Connection, processes: &[FunctionSnapshot]) -> Result<Vec<Table>, ApiError> {
    let now = now_ms();
    let lambda = lambda::overview(db)?;
    Ok(vec![
        select(
            db,
            "buckets",
            &["bucket", "objects", "bytes"],
            "SELECT b.name, count(o.key), coalesce(sum(o.size), 0) FROM s3_bucket b LEFT JOIN s3_object o ON o.bucket = b.name
             GROUP BY b.name ORDER BY b.name",
            now,
        )?,
        deliveries(db, now)?,
        select(
            db,
            "streams",
            &["stream", "shards", "retention hours"],
            "SELECT s.name, (SELECT count(*) FROM kinesis_shards WHERE stream = s.name), s.retention_hours
             FROM kinesis_streams s ORDER BY s.name",
            now,
        )?,
        functions(&lambda, processes),
        Table {
            title: "event source mappings",
            columns: &["source", "function", "enabled", "last result"],
            rows: lambda
                .mappings
                .iter()
                .map(|mapping| {
                    vec![json!(mapping.source), json!(mapping.function), json!(mapping.enabled), json!(mapping.last_result)]
                })
                .collect(),
        },
        Table {
            title: "schedules",
            columns: &["schedule", "expression", "function", "next"],
            rows: lambda
                .schedules
                .iter()
                .map(|schedule| {
                    vec![json!(schedule.name), json!(schedule.expression), json!(schedule.function), instant(schedule.next_at)]
                })
                .collect(),
        },
        Table {
            title: "function URLs",
            columns: &["function", "URL"],
            rows: lambda
                .urls
                .iter()
                .map(|url| vec![json!(url.function), json!(format!("http://127.0.0.1:{}/", url.port))])
                .collect(),
        },
        select(
            db,
            "queues",
            &["queue", "messages", "in flight", "oldest s"],
            "SELECT q.name, count(m.id), coalesce(sum(m.visible_at > ?1 AND m.receipt IS NOT NULL), 0),
             (?1 - min(m.sent_at)) / 1000
             FROM sqs_queues q LEFT JOIN sqs_messages m ON m.queue = q.id GROUP BY q.name ORDER BY q.name",
            now,
        )?,
        select(
            db,
            "topics",
            &["topic", "subscriptions"],
            "SELECT t.name, (SELECT count(*) FROM sns_subscriptions s WHERE substr(s.topic_arn, -length(t.name) - 1) = ':' || t.name) FROM sns_topics t ORDER BY t.name",
            now,
        )?,
    ])
}

/// A table from a query; `?1` is now.
fn select(
    db: &Connection,
    title: &'static str,
    columns: &'static [&'static str],
    query: &str,
    now: i64,
) -> Result<Table, ApiError> {
    let mut statement = db.prepare_cached(query)?;
    let named = statement.parameter_count() > 0;
    let mut found = if named { statement.query([now])? } else { statement.query([])? };
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let cell = |column| -> Result<Value, rusqlite::Error> {
            Ok(match row.get_ref(column)? {
                rusqlite::types::ValueRef::Integer(number) => json!(number),
                rusqlite::types::ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                _ => Value::Null,
            })
        };
        rows.push((0..columns.len()).map(cell).collect::<Result<_, _>>()?);
    }
    Ok(Table { title, columns, rows })
}

fn deliveries(db: &Connection, now: i64) -> Result<Table, ApiError> {
    let rows = firehose::overview(db)?.into_iter().map(|stream| {
        let waiting: i64 = stream.stages.iter().map(|stage| stage.records).sum();
        let bytes: i64 = stream.stages.iter().map(|stage| stage.bytes).sum();
        let oldest = stream.stages.iter().filter_map(|stage| stage.oldest).min().map(|oldest| (now - oldest) / 1000);
        vec![
            json!(stream.name),
            json!(waiting),
            json!(bytes),
            json!(oldest),
            json!(stream.objects),
            json!(stream.delivered_key),
            json!(stream.error),
        ]
    });
    Ok(Table {
        title: "delivery streams",
        columns: &["stream", "waiting", "bytes", "oldest s", "objects", "last object", "last error"],
        rows: rows.collect(),
    })
}

fn functions(lambda: &lambda::Overview, processes: &[FunctionSnapshot]) -> Table {
    let rows = lambda.functions.iter().map(|function| {
        let seen = processes.iter().find(|seen| seen.function == function.name);
        let number = |of: fn(&FunctionSnapshot) -> u64| json!(seen.map_or(0, of));
        vec![
            json!(function.name),
            number(|seen| seen.processes as u64),
            number(|seen| seen.running as u64),
            number(|seen| seen.invocations),
            number(|seen| seen.errors),
            number(|seen| seen.throttles),
            json!(function.pending_events),
            json!(seen.and_then(|seen| seen.last_error.as_ref()).map(|(_, error)| error)),
        ]
    });
    Table {
        title: "functions",
        columns: &[
            "function",
            "processes",
            "running",
            "invocations",
            "errors",
            "throttles",
            "waiting events",
            "last error",
        ],
        rows: rows.collect(),
    }
}

fn instant(ms: Option<i64>) -> Value {
    json!(ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()).map(|at| format!("{at:.0}")))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn json_page(ctx: &Ctx, tables: &[Table]) -> String {
    let parts = tables.iter().map(|table| {
        let rows = table.rows.iter().map(|row| {
            let fields = table.columns.iter().zip(row);
            Value::Object(fields.map(|(column, value)| (column.replace(' ', "_"), value.clone())).collect())
        });
        (table.title.replace(' ', "_"), rows.collect())
    });
    let mut page = serde_json::Map::from_iter([
        ("status".to_owned(), json!("ok")),
        ("endpoint".to_owned(), json!(ctx.config.endpoint())),
        ("services".to_owned(), json!(SERVICES.split(", ").collect::<Vec<_>>())),
    ]);
    page.extend(parts);
    Value::Object(page).to_string()
}

fn text_page(ctx: &Ctx, tables: &[Table]) -> String {
    let mut page = format!("logmill emulator at {}\nservices: {SERVICES}\n", ctx.config.endpoint());
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        page.push_str(&format!("\n{}\n", table.title));
        let text = |value: &Value| shortened(&cell(value));
        let rows: Vec<Vec<String>> = table.rows.iter().map(|row| row.iter().map(text).collect()).collect();
        let header: Vec<String> = table.columns.iter().map(|column| (*column).to_owned()).collect();
        let width = |column: usize| {
            rows.iter().chain([&header]).map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        for row in [&header].into_iter().chain(&rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            page.push_str(&format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end()));
        }
    }
    page
}

/// On one line that a terminal has room for. The end of a key or a message says more than its middle.
fn shortened(text: &str) -> String {
    let characters: Vec<char> = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let Some(over) = characters.len().checked_sub(MAX_CELL).filter(|over| *over > 0) else {
        return characters.into_iter().collect();
    };
    let head = MAX_CELL / 3;
    let tail = &characters[head + over + 1..];
    characters[..head].iter().chain(&['\u{2026}']).chain(tail).collect()
}

fn html_page(ctx: &Ctx, tables: &[Table]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">\
         <title>Logmill emulator</title><style>body{{font:14px/1.5 system-ui,sans-serif;margin:2em;color:#222}}\
         h2{{font-size:1.1em;margin:1.5em 0 .3em}}table{{border-collapse:collapse}}\
         th,td{{text-align:left;vertical-align:top;padding:.15em 1.5em .15em 0;border-bottom:1px solid #ddd}}\
         th,td:first-child{{white-space:nowrap}}td{{overflow-wrap:anywhere}}\
         td.n{{text-align:right;font-variant-numeric:tabular-nums}}</style>\
         <h1>Logmill emulator</h1><p>{} &middot; {SERVICES}</p>",
        escape(&ctx.config.endpoint())
    );
    for table in tables.iter().filter(|table| !table.rows.is_empty()) {
        page.push_str(&format!("<h2>{}</h2><table><tr>", table.title));
        table.columns.iter().for_each(|column| page.push_str(&format!("<th>{column}</th>")));
        page.push_str("</tr>");
        for row in &table.rows {
            page.push_str("<tr>");
            for value in row {
                let class = if value.is_number() { " class=\"n\"" } else { "" };
                page.push_str(&format!("<td{class}>{}</td>", escape(&cell(value))));
            }
            page.push_str("</tr>");
        }
        page.push_str("</table>");
    }
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_the_text_page_is_one_short_line() {
        let (a, b) = ("a".repeat(MAX_CELL / 3), "b".repeat(MAX_CELL - MAX_CELL / 3 - 1));
        for (text, expected) in [
            (String::new(), String::new()),
            ("one\ntwo".into(), "one two".into()),
            ("\u{e4}".repeat(MAX_CELL), "\u{e4}".repeat(MAX_CELL)),
            (format!("{a}xx{b}"), format!("{a}\u{2026}{b}")),
            (format!("{a}{}{b}", "x".repeat(500)), format!("{a}\u{2026}{b}")),
        ] {
            assert_eq!(shortened(&text), expected, "{text}");
        }
    }
}
