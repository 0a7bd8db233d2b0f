//! Combined log lines to JSON: the byte scanner beside a loop of one regular expression for the same rule (the anchor).
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use line_convert::{Converter, apache, json};
use regex::Regex;

/// Lines in one pass.
const LINES: usize = 10_000;

/// Access-log lines whose lengths vary as those of real ones, about 200 bytes each.
fn lines() -> Vec<String> {
    let agents = [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1",
        "curl/8.4.0",
        "-",
    ];
    let line = |n: usize| {
        let (agent, referer) =
            (agents[n % 4], if n.is_multiple_of(3) { "-" } else { "https://www.example.com/list?page=2" });
        format!(
            "10.{}.{}.{} - - [{:02}/Oct/2023:13:{:02}:36 -0700] \"GET /api/v1/items/{n}?q=shoes&sort=price HTTP/1.1\" {} {} \
             \"{referer}\" \"{agent}\"",
            n % 256,
            n / 256 % 256,
            n % 7,
            1 + n % 28,
            n % 60,
            [200, 200, 200, 304, 404][n % 5],
            100 + n * 37 % 90_000
        )
    };
    (0..LINES).map(line).collect()
}

/// The rule as an expression, its groups written the same way.
fn regex_loop(regex: &Regex, line: &str, out: &mut Vec<u8>) {
    const KEYS: [&str; 9] =
        ["host", "ident", "authuser", "datetime", "request", "response", "bytes", "referer", "agent"];
    let Some(groups) = regex.captures(line) else { return };
    for (place, key) in KEYS.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{\"" } else { b",\"" });
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":");
        match groups.get(place + 1).map(|group| group.as_str()) {
            Some("-") | None => out.extend_from_slice(b"null"),
            Some(text) => json::string(text, out),
        }
    }
    out.push(b'}');
}

fn combined(c: &mut Criterion) {
    let lines = lines();
    let mut group = c.benchmark_group("combined to JSON");
    group.throughput(Throughput::Bytes(lines.iter().map(|line| line.len() as u64 + 1).sum()));
    group.sample_size(20);
    let mut out = Vec::with_capacity(8 << 20);

    group.bench_function("scanner", |b| {
        b.iter(|| {
            out.clear();
            assert!(lines.iter().all(|line| apache::combined_to_json(line.as_bytes(), &mut out)));
            out.len()
        });
    });
    let options = serde_json::json!([{"optionName": "LOGTOJSON", "logFormat": "COMBINEDAPACHELOG"}]);
    let converter = Converter::new(&options).unwrap();
    group.bench_function("converter", |b| {
        b.iter(|| {
            out.clear();
            for line in &lines {
                converter.convert(line.as_bytes(), &mut out);
            }
            out.len()
        });
    });
    let month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    let date = format!(r"[0-9]{{1,2}}/{month}/[0-9]{{4}}:[0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{1,2}} [+-]?[0-9]+");
    let regex = Regex::new(&format!(
        r#"\A([A-Za-z0-9_.-]+) ([A-Za-z0-9._-]+) ([A-Za-z0-9._-]+) \[({date})\] "([^"]+)" ([+-]?[0-9]+|-) ([+-]?[0-9]+|-) "([^"]+)" "([^"]+)""#
    ))
    .unwrap();
    group.bench_function("regex loop", |b| {
        b.iter(|| {
            out.clear();
            for line in &lines {
                regex_loop(&regex, line, &mut out);
            }
            out.len()
        });
    });
    group.finish();
}

criterion_group!(benches, combined);
criterion_main!(benches);
