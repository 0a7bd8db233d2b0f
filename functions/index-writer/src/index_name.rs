//! Names of indexes that follow from a document's time: `access-log-{yyyy.MM.dd}`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longest name (Elasticsearch: 255 bytes).
const MAX_BYTES: usize = 255;

/// Characters that Elasticsearch refuses in a name.
const REFUSED: &[char] = &['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':', '{', '}'];

/// A name with places for parts of the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexName {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// As `strftime` writes it.
    Time(String),
}

impl TryFrom<String> for IndexName {
    type Error = String;

    fn try_from(text: String) -> Result<IndexName, String> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some(open) = rest.find('{') {
            let close = rest[open..].find('}').ok_or(format!("index {text:?}: '{{' without '}}'"))? + open;
            parts.push(Part::Text(rest[..open].to_owned()));
            parts.push(Part::Time(directives(&rest[open + 1..close])?));
            rest = &rest[close + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        let name = IndexName { parts };
        check_name(&name.at(0)).map_err(|reason| format!("index {text:?}: {reason}"))?;
        Ok(name)
    }
}

/// Letters of Java's patterns that an index name may have, as `strftime` knows them.
fn directives(pattern: &str) -> Result<String, String> {
    let mut translated = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches(letter).len();
        match &rest[..run] {
            "yyyy" | "uuuu" => translated.push_str("%Y"),
            "MM" => translated.push_str("%m"),
            "dd" => translated.push_str("%d"),
            "HH" => translated.push_str("%H"),
            other if other.chars().all(|c| "._-".contains(c)) => translated.push_str(other),
            other => return Err(format!("{{{pattern}}}: {other:?}: expected yyyy, MM, dd, HH, '.', '-' or '_'")),
        }
        rest = &rest[run..];
    }
    Ok(translated)
}

/// Whether Elasticsearch takes this name; the reason if not.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.len() > MAX_BYTES {
        return Err("expected a name of 1 to 255 bytes");
    }
    if name.chars().any(char::is_uppercase) {
        return Err("a name must be lowercase");
    }
    if name.contains(REFUSED) {
        return Err("a name must not have any of \\ / * ? \" < > | , # : { } or spaces");
    }
    if name.starts_with(['-', '_', '+', '.']) {
        return Err("a name must not start with '-', '_', '+' or '.'");
    }
    Ok(())
}

impl IndexName {
    /// Whether a time is needed to tell the name.
    pub fn needs_time(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Time(_)))
    }

    /// The name at a time (epoch ms), in UTC. A name changes with the hour at most.
    pub fn at(&self, ms: i64) -> String {
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC);
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Time(directives) => at.strftime(directives).to_string(),
        };
        self.parts.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_OF_2026: i64 = 1_798_761_599_999;

    fn check(pattern: &str, expected: Result<&str, &str>) {
        match (IndexName::try_from(pattern.to_owned()), expected) {
            (Ok(name), Ok(expected)) => assert_eq!(name.at(LAST_OF_2026), expected),
            (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
            (got, expected) => panic!("{pattern}: {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn names() {
        check("access-log-{yyyy.MM.dd}", Ok("access-log-2026.12.31"));
        check("a-{yyyy}-{HH}x", Ok("a-2026-23x"));
        check("request_data", Ok("request_data"));
        check("a-{YYYY}", Err("\"YYYY\": expected yyyy"));
        check("a-{yyyy", Err("without '}'"));
        check("Access", Err("lowercase"));
        check("a b", Err("spaces"));
        check("_a", Err("must not start"));
        check("", Err("1 to 255"));
        assert!(IndexName::try_from("a-{dd}".to_owned()).unwrap().needs_time());
        assert!(!IndexName::try_from("a".to_owned()).unwrap().needs_time());
    }
}
