//! A day of a web server's access log.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

/// 2026-11-20T00:00:00Z
pub const MIDNIGHT: i64 = 1_795_132_800_000;

/// Milliseconds.
pub const DAY: i64 = 86_400_000;

const HOUR: i64 = 3_600_000;

/// When nothing happens: windows without a row, sessions that only time closes.
const SILENCE: std::ops::Range<i64> = 3 * HOUR + 1..5 * HOUR - 1;

const PATHS: [&str; 8] = ["/", "/cart", "/img/a.png", "/img/b.png", "/login", "/search?q=%C3%A4", "/help", "/it's"];
const STATUSES: [i64; 8] = [200, 200, 200, 304, 404, 500, 200, 503];

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its ROWTIME (epoch ms).
    pub at: i64,
    /// From 0.
    pub number: i64,
    /// Who asked.
    pub host: String,
    /// For what.
    pub path: String,
    /// What he got.
    pub status: i64,
    /// How much of it; NULL where the log has `-`.
    pub bytes: Option<i64>,
}

impl Line {
    /// As it arrives.
    pub fn json(&self) -> String {
        let Line { number, host, path, status, bytes, .. } = self;
        json!({ "number": number, "agent": "test", "host": host, "path": path, "status": status, "bytes": bytes })
            .to_string()
    }

    /// The other way round, of a line that arrived then.
    pub fn parse(json: &str, at: i64) -> Option<Line> {
        let line: serde_json::Value = serde_json::from_str(json).ok()?;
        let text = |name: &str| Some(line[name].as_str()?.to_owned());
        let (number, status) = (line["number"].as_i64()?, line["status"].as_i64()?);
        Some(Line { at, number, host: text("host")?, path: text("path")?, status, bytes: line["bytes"].as_i64() })
    }

    /// One without a time.
    pub fn random(random: &mut StdRng, number: i64) -> Line {
        // Few hosts and paths have most of the lines.
        let few = |random: &mut StdRng, of: usize| random.random_range(0..of).min(random.random_range(0..of));
        let host = format!("10.0.0.{}", few(random, 9));
        let path = PATHS[few(random, PATHS.len())].to_owned();
        let status = STATUSES[random.random_range(0..STATUSES.len())];
        let bytes = (status != 304).then(|| random.random_range(-5..5_000));
        Line { at: 0, number, host, path, status, bytes }
    }
}

/// A day of about `count` lines, the same for the same seed, in the order of time. Many stand at the same millisecond, the afternoon
/// has twice as many as the morning, and for two hours there are none.
pub fn day(seed: u64, count: usize) -> Vec<Line> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut times: Vec<i64> = (0..count)
        .map(|_| {
            let at = random.random_range(0..DAY).max(random.random_range(-DAY..DAY));
            if random.random_range(0..3) == 0 { at / 1_000 * 1_000 } else { at }
        })
        .filter(|at| !SILENCE.contains(at))
        .collect();
    times.sort_unstable();
    let line = |(number, at): (i64, i64)| Line { at: MIDNIGHT + at, ..Line::random(&mut random, number) };
    (0..).zip(times).map(line).collect()
}
