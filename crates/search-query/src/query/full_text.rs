//! Queries of analysed text.

use serde_json::{Map, Value};

use super::compound::{all_of, any_of};
use super::parse::{Common, Tree, boosted};
use super::{Operator, Query};
use crate::RequestError;
use crate::pattern::is_pattern;
use crate::wire;

/// Options of text queries.
struct Text {
    common: Common,
    value: Option<Value>,
    operator: Operator,
    minimum_should_match: Option<String>,
    slop: u32,
}

impl Text {
    fn new(kind: &'static str) -> Text {
        let common = Common::new(kind);
        Text { common, value: None, operator: Operator::Or, minimum_should_match: None, slop: 0 }
    }

    fn take(&mut self, key: &str, value: &Value) -> Result<(), RequestError> {
        match key {
            "query" if value.is_object() || value.is_array() => {
                return Err(RequestError::parsing(format!(
                    "[match] unknown token [{}] after [query]",
                    wire::token(value)
                )));
            }
            "query" => self.value = (!value.is_null()).then(|| value.clone()),
            "operator" => self.operator = operator(&wire::text(value, key)?)?,
            "minimum_should_match" => self.minimum_should_match = minimum_should_match(value)?,
            "slop" => self.slop = wire::unsigned(value, key)?,
            // Without effect: a field named that cannot take the value stays an error, which says so.
            "lenient" => {
                wire::boolean(value, key)?;
            }
            "zero_terms_query" => {
                self.common.only(key, value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("none")))?
            }
            "analyzer" => self.common.only(key, value == "standard")?,
            "fuzziness" => self.common.only(key, value.is_null() || value == 0 || value == "0")?,
            // They say how fuzzy words, prefixes and synonyms are looked for.
            "prefix_length"
            | "max_expansions"
            | "fuzzy_transpositions"
            | "fuzzy_rewrite"
            | "auto_generate_synonyms_phrase_query" => {}
            // Removed from Elasticsearch, and without a meaning since 7.3.
            "cutoff_frequency" => {}
            _ => self.common.take(key, value)?,
        }
        Ok(())
    }

    fn read(kind: &'static str, body: &Map<String, Value>) -> Result<(String, Text, Value), RequestError> {
        let mut text = Text::new(kind);
        let (field, value) = wire::single(body, kind)?;
        match value {
            Value::Object(options) => options.iter().try_for_each(|(key, value)| text.take(key, value))?,
            Value::Array(_) => {
                return Err(RequestError::parsing(format!("[{kind}] unknown token [START_ARRAY] after [{field}]")));
            }
            short => text.take("query", short)?,
        }
        let value = text.value.take().ok_or_else(|| RequestError::illegal(format!("[{kind}] requires query value")))?;
        Ok((field.clone(), text, value))
    }
}

pub(super) fn match_(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let (field, text, value) = Text::read("match", body)?;
    text.common.only("slop", text.slop == 0)?;
    let Text { operator, minimum_should_match, common, .. } = text;
    Ok(common.boosted(Query::Match { field, value, operator, minimum_should_match }))
}

pub(super) fn match_phrase(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let (field, text, value) = Text::read("match_phrase", body)?;
    Ok(text.common.boosted(Query::MatchPhrase { field, value: wire::text(&value, "query")?, slop: text.slop }))
}

pub(super) fn match_phrase_prefix(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let (field, text, value) = Text::read("match_phrase_prefix", body)?;
    text.common.only("slop", text.slop == 0)?;
    Ok(text.common.boosted(Query::MatchPhrasePrefix { field, value: wire::text(&value, "query")? }))
}

pub(super) fn multi_match(body: &Map<String, Value>, _: &mut Tree) -> Result<Query, RequestError> {
    let mut text = Text::new("multi_match");
    let (mut fields, mut kind) = (Vec::new(), "best_fields".to_owned());
    for (key, value) in body {
        match key.as_str() {
            "fields" => fields = weighted(&wire::texts(value, key)?)?,
            "type" => kind = wire::text(value, key)?,
            // How the scores of fields are joined: always the best field's.
            "tie_breaker" => {
                wire::number(value, key)?;
            }
            _ => text.take(key, value)?,
        }
    }
    let value = text.value.take().ok_or_else(|| RequestError::parsing("No text specified for multi_match query"))?;
    let query = match kind.as_str() {
        "best_fields" | "most_fields" => any_field(fields, value, &text)?,
        "cross_fields" => across_fields(fields, value, &text)?,
        "phrase" if text.slop == 0 => Query::MultiMatch { fields, value, operator: text.operator, phrase: true },
        "phrase" => {
            let (value, slop) = (wire::text(&value, "query")?, text.slop);
            each_field(fields, &text, "slop", |field| Query::MatchPhrase { field, value: value.clone(), slop })?
        }
        "phrase_prefix" => {
            let value = wire::text(&value, "query")?;
            each_field(fields, &text, "type", |field| Query::MatchPhrasePrefix { field, value: value.clone() })?
        }
        "bool_prefix" => return Err(text.common.unsupported("type: bool_prefix")),
        _ => {
            return Err(RequestError::parsing(format!(
                "failed to parse [multi_match] query type [{kind}]. unknown type."
            )));
        }
    };
    Ok(text.common.boosted(query))
}

fn any_field(fields: Vec<(String, f32)>, value: Value, text: &Text) -> Result<Query, RequestError> {
    let operator = text.operator;
    match &text.minimum_should_match {
        None => Ok(Query::MultiMatch { fields, value, operator, phrase: false }),
        Some(minimum) => each_field(fields, text, "minimum_should_match", |field| Query::Match {
            field,
            value: value.clone(),
            operator,
            minimum_should_match: Some(minimum.clone()),
        }),
    }
}

/// `cross_fields`: the fields are as one, so that with `and` each word may be in another.
fn across_fields(fields: Vec<(String, f32)>, value: Value, text: &Text) -> Result<Query, RequestError> {
    let words = wire::text(&value, "query")?;
    let each = |word: &str| Query::MultiMatch {
        fields: fields.clone(),
        value: Value::String(word.to_owned()),
        operator: text.operator,
        phrase: false,
    };
    match (&text.minimum_should_match, text.operator) {
        (None, Operator::Or) => Ok(Query::MultiMatch { fields, value, operator: Operator::Or, phrase: false }),
        (None, Operator::And) => Ok(all_of(words.split_whitespace().map(each).collect())),
        (Some(minimum), _) => Ok(Query::Bool {
            must: Vec::new(),
            filter: Vec::new(),
            should: words.split_whitespace().map(each).collect(),
            must_not: Vec::new(),
            minimum_should_match: Some(minimum.clone()),
        }),
    }
}

/// One query for each field, of which one must match. What is written for one field alone cannot be asked of a pattern of fields.
fn each_field(
    fields: Vec<(String, f32)>,
    text: &Text,
    option: &str,
    query: impl Fn(String) -> Query,
) -> Result<Query, RequestError> {
    if fields.is_empty() || fields.iter().any(|(field, _)| is_pattern(field)) {
        return Err(text.common.unsupported(&format!("{option} without the names of all fields")));
    }
    Ok(any_of(fields.into_iter().map(|(field, boost)| boosted(query(field), boost)).collect()))
}

/// `and` or `or`.
pub(crate) fn operator(text: &str) -> Result<Operator, RequestError> {
    match text.to_ascii_lowercase().as_str() {
        "and" => Ok(Operator::And),
        "or" => Ok(Operator::Or),
        _ => Err(RequestError::illegal(format!("operator [{text}] is neither [and] nor [or]"))),
    }
}

/// `minimum_should_match` as text; none if there is none.
pub(super) fn minimum_should_match(value: &Value) -> Result<Option<String>, RequestError> {
    match value {
        Value::Null => Ok(None),
        _ => wire::text(value, "minimum_should_match").map(Some),
    }
}

/// `title^2` → (`title`, 2). `*` among them is all of them: none.
pub(crate) fn weighted(fields: &[String]) -> Result<Vec<(String, f32)>, RequestError> {
    let fields = fields
        .iter()
        .map(|field| match field.rsplit_once('^') {
            None => Ok((field.clone(), 1.0)),
            Some((name, boost)) => Ok((name.to_owned(), wire::score(&Value::String(boost.to_owned()), "boost")?)),
        })
        .collect::<Result<Vec<_>, RequestError>>()?;
    Ok(if fields.iter().any(|(field, boost)| field == "*" && *boost == 1.0) { Vec::new() } else { fields })
}
