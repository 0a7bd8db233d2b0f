//! `SINGLELINE`: the lines of a record joined to one.

use serde_json::Value;

use crate::{ConfigError, options::Options, text::decode};

/// What stands between the lines with `ESCAPE_NEW_LINE`: two backslashes and `n`, as the original writes it.
const ESCAPED_NEW_LINE: &str = "\\\\n";

#[derive(Debug)]
pub(crate) struct SingleLine {
    trim: bool,
    separator: &'static str,
}

impl SingleLine {
    pub(crate) fn new(options: &Options<'_>) -> Result<SingleLine, ConfigError> {
        let mut step = SingleLine { trim: true, separator: "" };
        // The original looks for its two names in a list and for nothing else: other names, and what is no list, are passed
        // over; a null stops its start.
        let names = match options.value("parseOptions") {
            Some(Value::Null) => return Err(ConfigError::new("SINGLELINE: parseOptions: expected a list, found null")),
            Some(Value::Array(names)) => names.as_slice(),
            _ => &[],
        };
        for name in names {
            match name.as_str() {
                Some("NO_TRIM") => step.trim = false,
                Some("ESCAPE_NEW_LINE") => step.separator = ESCAPED_NEW_LINE,
                _ => {}
            }
        }
        Ok(step)
    }

    pub(crate) fn apply(&self, record: &[u8], out: &mut Vec<u8>) -> bool {
        let text = decode(record);
        // Trailing empty lines vanish before anything is trimmed.
        for (place, line) in text.trim_end_matches('\n').split('\n').enumerate() {
            if place > 0 {
                out.extend_from_slice(self.separator.as_bytes());
            }
            let line = if self.trim { line.trim_matches(|c| c <= ' ') } else { line };
            out.extend_from_slice(line.as_bytes());
        }
        out.push(b'\n');
        true
    }
}
