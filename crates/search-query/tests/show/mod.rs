//! Queries as short text, so that a case is a line.

use search_query::date::Bound;
use search_query::query::{Operator, Query};
use serde_json::Value;

/// `field=value` exact, `field:value` analysed, `{a|b}` one of several, `+ # -` required, filtering, prohibited.
pub fn show(query: &Query) -> String {
    match query {
        Query::MatchAll => "*:*".into(),
        Query::MatchNone => "none".into(),
        Query::Term { field, value, case_insensitive } => format!("{field}={value}{}", case(*case_insensitive)),
        Query::Terms { field, values } => format!("{field}={}", Value::from(values.clone())),
        Query::Match { field, value, operator, minimum_should_match } => {
            format!("{field}:{value}{}{}", and(*operator), at_least(minimum_should_match))
        }
        Query::MatchPhrase { field, value, slop: 0 } => format!("{field}:phrase({value})"),
        Query::MatchPhrase { field, value, slop } => format!("{field}:phrase({value})~{slop}"),
        Query::MatchPhrasePrefix { field, value } => format!("{field}:phrase({value}…)"),
        Query::MultiMatch { fields, value, operator, phrase } => {
            let fields: Vec<String> =
                fields.iter().map(|(f, b)| if *b == 1.0 { f.clone() } else { format!("{f}^{b}") }).collect();
            format!("[{}]:{value}{}{}", fields.join(","), and(*operator), if *phrase { " phrase" } else { "" })
        }
        Query::Range { field, from, to, format, time_zone } => {
            let text = |value: &Value| value.to_string();
            let from = match from {
                Bound::Included(value) => format!("[{}", text(value)),
                Bound::Excluded(value) => format!("{{{}", text(value)),
                Bound::Unbounded => "[*".into(),
            };
            let to = match to {
                Bound::Included(value) => format!("{}]", text(value)),
                Bound::Excluded(value) => format!("{}}}", text(value)),
                Bound::Unbounded => "*]".into(),
            };
            let options: String = [format, time_zone].into_iter().flatten().map(|o| format!(" {o}")).collect();
            format!("{field}:{from} {to}{options}")
        }
        Query::Exists { field } => format!("{field}:*"),
        Query::Prefix { field, value, case_insensitive } => {
            format!("{field}:prefix({value}){}", case(*case_insensitive))
        }
        Query::Wildcard { field, value, case_insensitive } => {
            format!("{field}:wild({value}){}", case(*case_insensitive))
        }
        Query::Regexp { field, value, case_insensitive } => format!("{field}:/{value}/{}", case(*case_insensitive)),
        Query::Fuzzy { field, value, distance: None } => format!("{field}:{value}~"),
        Query::Fuzzy { field, value, distance: Some(distance) } => format!("{field}:{value}~{distance}"),
        Query::Ids { values } => format!("ids({})", values.join(",")),
        Query::Bool { must, filter, should, must_not, minimum_should_match } => {
            let part = |sign: &str, queries: &[Query]| -> Vec<String> {
                queries.iter().map(|query| format!("{sign}{}", show(query))).collect()
            };
            let parts = [part("+", must), part("#", filter), part("", should), part("-", must_not)].concat();
            format!("({}){}", parts.join(" "), at_least(minimum_should_match))
        }
        Query::ConstantScore { filter, boost } => format!("const({})^{boost}", show(filter)),
        Query::Boost { query, boost } => format!("{}^{boost}", show(query)),
        Query::QueryString(query) => show(query),
    }
}

fn case(insensitive: bool) -> &'static str {
    if insensitive { " i" } else { "" }
}

fn and(operator: Operator) -> &'static str {
    if operator == Operator::And { " and" } else { "" }
}

fn at_least(minimum: &Option<String>) -> String {
    minimum.as_ref().map(|minimum| format!(">={minimum}")).unwrap_or_default()
}
