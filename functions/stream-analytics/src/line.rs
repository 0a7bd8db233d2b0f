//! Lines: the values of a record, and the two fields of a line that are ours.

use memchr::{memchr, memmem};
use serde_json::value::RawValue;

/// What firehose-transform adds as the last member of a line.
const INGESTED: &[u8] = b"\"@ingested\":";

/// The time at which Firehose took a line (epoch ms), if it says so.
pub fn ingested(line: &[u8]) -> Option<i64> {
    // As the last member, where firehose-transform writes it, it is top-level: what follows closes the object.
    let end = line.trim_ascii_end().strip_suffix(b"}")?;
    let digits = end.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (before, number) = end.split_at(end.len() - digits);
    if before.ends_with(INGESTED) {
        return std::str::from_utf8(number).ok()?.parse().ok();
    }
    // Written by another.
    memmem::find(line, INGESTED)?;
    sonic_rs::get(line, ["@ingested"]).ok()?.as_raw_str().parse().ok()
}

/// The line's id under this field.
pub fn id<'a>(line: &'a [u8], field: &str) -> Option<std::borrow::Cow<'a, str>> {
    memmem::find(line, field.as_bytes())?;
    let value = sonic_rs::get(line, [field]).ok()?;
    serde_json::from_str::<Text<'a>>(borrowed(line, value.as_raw_str())?).ok().map(|text| text.0)
}

#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// The same text with the lifetime of the line that it is part of.
fn borrowed<'a>(line: &'a [u8], part: &str) -> Option<&'a str> {
    let at = (part.as_ptr() as usize).checked_sub(line.as_ptr() as usize)?;
    std::str::from_utf8(line.get(at..at.checked_add(part.len())?)?).ok()
}

/// The JSON values of a record, of which producers join several; what cannot be taken apart stays together.
pub fn values<'a>(record: &'a [u8], mut take: impl FnMut(&'a [u8])) {
    let record = record.trim_ascii();
    if record.is_empty() {
        return;
    }
    // One line, as nearly all records are.
    if memchr(b'\n', record).is_none() && memmem::find(record, b"}{").is_none() {
        return take(record);
    }
    let mut at = 0;
    let mut values = serde_json::Deserializer::from_slice(record).into_iter::<&'a RawValue>();
    while let Some(Ok(value)) = values.next() {
        take(value.get().as_bytes());
        at = values.byte_offset();
    }
    let rest = record[at..].trim_ascii();
    if !rest.is_empty() {
        // Broken from here: line by line, so that one broken line costs no other.
        rest.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).for_each(take);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_of_arrival() {
        let check = |line: &str, expected| assert_eq!(ingested(line.as_bytes()), expected, "{line}");
        check(r#"{"a":1,"@ingested":1500000000123}"#, Some(1_500_000_000_123));
        check("{\"@ingested\":5}\n", Some(5));
        check(r#"{"@ingested":5,"a":1}"#, Some(5));
        check(r#"{"a":{"@ingested":5}}"#, None);
        check(r#"{"a":1}"#, None);
        check(r#"{"a":"\"@ingested\":5}"#, None);
        check("", None);
    }

    #[test]
    fn ids() {
        let check =
            |line: &str, expected: Option<&str>| assert_eq!(id(line.as_bytes(), "id").as_deref(), expected, "{line}");
        check(r#"{"a":1,"id":"f-0-8","@ingested":5}"#, Some("f-0-8"));
        check(r#"{"id":"a\"b"}"#, Some("a\"b"));
        check(r#"{"id":5}"#, None);
        check(r#"{"b":{"id":"x"}}"#, None);
        check("id", None);
    }

    #[test]
    fn a_record_may_hold_several_values() {
        let check = |record: &str, expected: &[&str]| {
            let mut found = Vec::new();
            values(record.as_bytes(), |value| found.push(std::str::from_utf8(value).unwrap().to_owned()));
            assert_eq!(found, expected, "{record:?}");
        };
        check("{\"a\":1}\n", &["{\"a\":1}"]);
        check("{\"a\":1}\n{\"a\":2}\n", &["{\"a\":1}", "{\"a\":2}"]);
        check("{\"a\":1}{\"a\":2}", &["{\"a\":1}", "{\"a\":2}"]);
        check("{\n  \"a\": 1\n}\n", &["{\n  \"a\": 1\n}"]);
        check("{\"a\":1}\nbroken\n{\"a\":2}\n", &["{\"a\":1}", "broken", "{\"a\":2}"]);
        check("broken", &["broken"]);
        check(" \n", &[]);
    }
}
