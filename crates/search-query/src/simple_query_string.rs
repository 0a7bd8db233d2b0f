//! `simple_query_string`: a syntax without errors. `+` and, `|` or, `-` not, `"phrase"~2`, `prefix*`, `fuzzy~1`, groups, `\`.
//! What cannot be meant as an operator is left out.

use crate::RequestError;
use crate::query::compound::{all_of, any_of};
use crate::query::{MAX_CLAUSES, Operator, Query, parse};
use crate::query_string::{Fields, MAX_GROUP_DEPTH, QueryStringOptions};

/// Reads a text.
///
/// # Errors
/// Only for a text of too many clauses.
pub(crate) fn parse(text: &str, options: &QueryStringOptions) -> Result<Query, RequestError> {
    let mut reader =
        Reader { chars: text.chars().collect(), at: 0, depth: 0, clauses: 0, fields: Fields::new(options) };
    let query = reader.group();
    if reader.clauses > MAX_CLAUSES {
        return Err(parse::too_many_clauses());
    }
    Ok(Query::QueryString(Box::new(query.unwrap_or(Query::MatchNone))))
}

struct Reader<'a> {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    clauses: usize,
    fields: Fields<'a>,
}

/// Clauses joined by one operator.
struct Joined {
    operator: Operator,
    clauses: Vec<Query>,
}

impl Joined {
    /// Another operator takes what was read so far as its left side: there is no precedence.
    fn push(&mut self, operator: Operator, clause: Query) {
        if operator != self.operator && self.clauses.len() > 1 {
            let before = std::mem::take(&mut self.clauses);
            self.clauses.push(Joined { operator: self.operator, clauses: before }.query());
        }
        self.operator = operator;
        self.clauses.push(clause);
    }

    fn query(self) -> Query {
        match self.operator {
            Operator::And => all_of(self.clauses),
            Operator::Or => any_of(self.clauses),
        }
    }
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Clauses up to a closing parenthesis or the end; at the top, a parenthesis that closes nothing is left out.
    fn group(&mut self) -> Option<Query> {
        let default = self.fields.operator();
        let mut joined = Joined { operator: default, clauses: Vec::new() };
        let mut operator = default;
        while let Some(c) = self.peek() {
            match c {
                ')' if self.depth > 0 => break,
                '+' => operator = Operator::And,
                '|' => operator = Operator::Or,
                ')' | ' ' | '\t' | '\n' | '\r' => {}
                _ => {
                    if let Some(clause) = self.clause() {
                        joined.push(operator, clause);
                    }
                    operator = default;
                    continue;
                }
            }
            self.at += 1;
        }
        (!joined.clauses.is_empty()).then(|| joined.query())
    }

    fn clause(&mut self) -> Option<Query> {
        let mut negated = false;
        while self.peek() == Some('-') {
            negated = !negated;
            self.at += 1;
        }
        let clause = match self.peek()? {
            '(' if self.depth < MAX_GROUP_DEPTH => {
                self.at += 1;
                self.depth += 1;
                let group = self.group();
                self.depth -= 1;
                self.at += 1;
                group
            }
            '(' => {
                self.at += 1;
                None
            }
            '"' => self.phrase(),
            _ => self.term(),
        }?;
        self.clauses += 1;
        Some(if negated { not(clause) } else { clause })
    }

    fn phrase(&mut self) -> Option<Query> {
        self.at += 1;
        let text = self.text(|c| c == '"').0;
        self.at += 1;
        let slop = self.tilde().flatten();
        (!text.is_empty()).then(|| self.fields.phrase(None, text, slop))
    }

    fn term(&mut self) -> Option<Query> {
        let (text, escaped) = self.text(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '"' | '(' | ')' | '+' | '|' | '~'));
        let fuzzy = self.tilde();
        match (text.strip_suffix('*'), fuzzy) {
            _ if text.is_empty() => None,
            (_, Some(distance)) => Some(self.fields.fuzzy(None, text, distance)),
            (Some(prefix), None) if !escaped && !prefix.is_empty() => Some(self.fields.prefix(None, prefix.to_owned())),
            _ => Some(self.fields.words(None, text)),
        }
    }

    /// Text up to a character, and whether its last one is escaped.
    fn text(&mut self, ends: impl Fn(char) -> bool) -> (String, bool) {
        let (mut text, mut escaped) = (String::new(), false);
        while let Some(c) = self.peek().filter(|c| !ends(*c)) {
            self.at += 1;
            escaped = c == '\\' && self.peek().is_some();
            if escaped {
                text.extend(self.peek());
                self.at += 1;
            } else {
                text.push(c);
            }
        }
        (text, escaped)
    }

    /// `~2`.
    fn tilde(&mut self) -> Option<Option<f32>> {
        if self.peek() != Some('~') {
            return None;
        }
        self.at += 1;
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        Some(self.chars[from..self.at].iter().collect::<String>().parse().ok())
    }
}

fn not(query: Query) -> Query {
    Query::Bool { must: vec![], filter: vec![], should: vec![], must_not: vec![query], minimum_should_match: None }
}
