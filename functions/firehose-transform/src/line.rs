//! One line in, one JSON line out.

use line_convert::{Outcome, json};

use crate::{
    json_object::{INGESTED, Object},
    rules::Format,
};

/// Appends `line` (no newline in it, UTF-8) as one JSON object with `@ingested`, and a newline: the object that it is, else
/// what the first of `formats` that matches makes of it, else `{"message": line}`. An empty line leaves nothing.
pub fn transform(line: &str, ingested: i64, formats: &[Format], out: &mut Vec<u8>) {
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return;
    }
    let is_object = line.trim_start().starts_with('{');
    if let Some(object) = is_object.then(|| Object::scan(line.as_bytes())).flatten() {
        object.write_with_ingested(line.as_bytes(), ingested, out);
    } else if !formats.iter().any(|format| converted(line, ingested, format, out)) {
        out.extend_from_slice(b"{\"message\":");
        json::string(line, out);
        out.extend_from_slice(format!(",\"{INGESTED}\":{ingested}}}\n").as_bytes());
    }
}

fn converted(line: &str, ingested: i64, format: &Format, out: &mut Vec<u8>) -> bool {
    let mut object = Vec::with_capacity(line.len() * 2);
    if format.converter().convert_at(line.as_bytes(), ingested, &mut object) != Outcome::Converted {
        return false;
    }
    // A rule's formats make objects (`rules::Format` sees to it); the bounds may still refuse one.
    let found = Object::scan(&object);
    if let Some(found) = &found {
        found.write_with_ingested(&object, ingested, out);
    }
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rules;

    fn check(line: &str, expected: &str) {
        let rules = Rules::default();
        let mut out = b"before\n".to_vec();
        transform(line, 42, rules.formats("any"), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("before\n{expected}"), "{line:?}");
    }

    #[test]
    fn lines() {
        check("", "");
        check("\r", "");
        check(r#"{"a":1}"#, "{\"a\":1,\"@ingested\":42}\n");
        check("{\"a\":1}\r", "{\"a\":1,\"@ingested\":42}\n");
        check(r#"{"a":1"#, "{\"message\":\"{\\\"a\\\":1\",\"@ingested\":42}\n");
        check("[1]", "{\"message\":\"[1]\",\"@ingested\":42}\n");
        check("  plain\tü", "{\"message\":\"  plain\\tü\",\"@ingested\":42}\n");
        let common = r#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 -"#;
        let fields = "\"host\":\"1.2.3.4\",\"ident\":null,\"authuser\":null,\"datetime\":\"10/Oct/2000:13:55:36 -0700\",\
            \"request\":\"GET / HTTP/1.0\",\"response\":\"200\",\"bytes\":null";
        check(common, &format!("{{{fields},\"@ingested\":42}}\n"));
        let combined = format!(r#"{common} "http://a/" "curl/8""#);
        check(&combined, &format!("{{{fields},\"referer\":\"http://a/\",\"agent\":\"curl/8\",\"@ingested\":42}}\n"));
    }
}
