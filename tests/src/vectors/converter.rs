//! `options` (the flow's dataProcessingOptions) and `input` → `result` and the record's text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use line_convert::{Converter, Outcome};
use serde_json::{Value, json};

use super::{Verdict, name};

struct Got {
    result: &'static str,
    text: Option<String>,
    error: Option<String>,
}

fn run(case: &Value) -> Result<Got, String> {
    let input = input(case)?;
    let got = |result, text, error| Ok(Got { result, text, error });
    let converter = match Converter::new(case.get("options").unwrap_or(&Value::Null)) {
        Ok(converter) => converter,
        Err(error) => return got("config_error", None, Some(error.to_string())),
    };
    let mut record = Vec::new();
    match converter.convert(&input, &mut record) {
        Outcome::Converted => {
            let text = String::from_utf8(record)
                .map_err(|e| format!("{}: the record is not UTF-8: {e}", name(case).unwrap_or("?")))?;
            got("ok", Some(text), None)
        }
        Outcome::Skip => got("skip", None, None),
        Outcome::Raw(why) => got("raw", None, Some(why)),
    }
}

/// `input`, or `input_base64` where the record is not UTF-8.
fn input(case: &Value) -> Result<Vec<u8>, String> {
    match case.get("input_base64").and_then(Value::as_str) {
        Some(text) => STANDARD.decode(text).map_err(|e| format!("{}: input_base64: {e}", name(case).unwrap_or("?"))),
        None => Ok(case.get("input").and_then(Value::as_str).unwrap_or_default().into()),
    }
}

pub(super) fn emit(case: &Value) -> Result<String, String> {
    let Got { result, text, error } = run(case)?;
    let mut line = json!({ "name": name(case)?, "result": result });
    if let Some(text) = text {
        line["text"] = text.into();
    }
    if let Some(error) = error {
        line["error"] = error.into();
    }
    Ok(line.to_string())
}

pub(super) fn judge(case: &Value) -> Result<Verdict, String> {
    let got = run(case)?;
    let result = case.get("result").and_then(Value::as_str).unwrap_or_default();
    let text = case.get("expected_text").and_then(Value::as_str);
    let same = got.result == result && (result != "ok" || got.text.as_deref() == text);
    if same {
        return Ok(Verdict::Pass);
    }
    let shown = |result: &str, text: Option<&str>| {
        format!("{result} {}", text.map_or(String::new(), |text| format!("{text:?}")))
    };
    let mut seen = shown(got.result, got.text.as_deref());
    if let Some(error) = &got.error {
        seen.push_str(error);
    }
    Ok(Verdict::Fail { expected: shown(result, text), got: seen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_is_no_text_comes_in_base64() {
        let brackets = json!([{"optionName": "ADDBRACKETS"}]);
        let case = |input: &str| json!({"name": "n", "options": brackets, "input_base64": input, "result": "ok", "expected_text": "{a\u{FFFD}}"});
        assert_eq!(judge(&case("Yf8=")), Ok(Verdict::Pass));
        assert!(judge(&case("Yf8")).unwrap_err().contains("n: input_base64"));
    }
}
