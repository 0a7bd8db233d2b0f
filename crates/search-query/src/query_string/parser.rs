//! From tokens to clauses, as Lucene's classic parser joins them: `AND` makes both its sides required, `OR` neither; there is no
//! precedence.

use super::lexer::{Kind, Token, unescaped};
use super::{Fields, MAX_GROUP_DEPTH, SyntaxError};
use crate::query::parse::boosted;
use crate::query::{Operator, Query};

/// Whether a clause must, may or must not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occurrence {
    Must,
    Should,
    MustNot,
}

/// What stands before a clause: `+` or `-`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Modifier {
    None,
    Required,
    Prohibited,
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    /// Of the end, for messages.
    end: usize,
    depth: usize,
    fields: &'a Fields<'a>,
}

/// Reads a whole text. No clause at all finds nothing.
pub(super) fn parse(tokens: &[Token], end: usize, fields: &Fields) -> Result<Query, SyntaxError> {
    let mut parser = Parser { tokens, at: 0, end, depth: 0, fields };
    if tokens.is_empty() {
        return Ok(Query::MatchNone);
    }
    let query = parser.clauses(None)?;
    match parser.peek() {
        None => Ok(query.unwrap_or(Query::MatchNone)),
        Some(_) => parser.unexpected(),
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn unexpected<T>(&self) -> Result<T, SyntaxError> {
        Err(match self.tokens.get(self.at) {
            Some(token) => SyntaxError { at: token.at, what: format!("encountered \"{}\"", token.kind.image()) },
            None => SyntaxError { at: self.end, what: "encountered \"<EOF>\"".into() },
        })
    }

    /// Clauses up to the end or a closing parenthesis. `None` if they have no words.
    fn clauses(&mut self, field: Option<&str>) -> Result<Option<Query>, SyntaxError> {
        let mut clauses: Vec<(Occurrence, Query)> = Vec::new();
        let mut first = true;
        while first || !matches!(self.peek(), None | Some(Kind::Close)) {
            let operator = self.fields.operator();
            if let Some(words) = self.words() {
                let occurrence = if operator == Operator::And { Occurrence::Must } else { Occurrence::Should };
                clauses.push((occurrence, self.fields.words(field, words)));
                first = false;
                continue;
            }
            let conjunction = if first { None } else { self.conjunction() };
            let modifier = self.modifier();
            let clause = self.clause(field)?;
            first = false;
            if let Some((occurrence @ (Occurrence::Must | Occurrence::Should), _)) = clauses.last_mut() {
                match conjunction {
                    Some(Operator::And) => *occurrence = Occurrence::Must,
                    Some(Operator::Or) if operator == Operator::And => *occurrence = Occurrence::Should,
                    _ => {}
                }
            }
            let occurrence = match (modifier, conjunction) {
                (Modifier::Prohibited, _) => Occurrence::MustNot,
                (Modifier::Required, _) | (_, Some(Operator::And)) => Occurrence::Must,
                (_, None) if operator == Operator::And => Occurrence::Must,
                _ => Occurrence::Should,
            };
            clauses.extend(clause.map(|query| (occurrence, query)));
        }
        Ok(joined(clauses))
    }

    /// Two or more terms in a row that no operator touches are one text, so that a field's analysis sees them together.
    fn words(&mut self) -> Option<String> {
        let term = |at: usize| match self.tokens.get(at).map(|token| &token.kind) {
            Some(Kind::Term(text)) => Some(text),
            _ => None,
        };
        let free = |at: usize| {
            !matches!(
                self.tokens.get(at).map(|token| &token.kind),
                Some(Kind::Colon | Kind::Star | Kind::Fuzzy(_) | Kind::Boost(_) | Kind::And | Kind::Or)
            )
        };
        let mut words = unescaped(term(self.at)?);
        let mut end = self.at + 1;
        while let Some(word) = term(end).filter(|_| free(end + 1)) {
            words.push(' ');
            words.push_str(&unescaped(word));
            end += 1;
        }
        (end > self.at + 1).then(|| {
            self.at = end;
            words
        })
    }

    fn conjunction(&mut self) -> Option<Operator> {
        let operator = match self.peek()? {
            Kind::And => Operator::And,
            Kind::Or => Operator::Or,
            _ => return None,
        };
        self.at += 1;
        Some(operator)
    }

    fn modifier(&mut self) -> Modifier {
        let modifier = match self.peek() {
            Some(Kind::Plus) => Modifier::Required,
            Some(Kind::Minus | Kind::Not) => Modifier::Prohibited,
            _ => return Modifier::None,
        };
        self.at += 1;
        modifier
    }

    fn clause(&mut self, field: Option<&str>) -> Result<Option<Query>, SyntaxError> {
        let named = match (self.peek(), self.tokens.get(self.at + 1).map(|token| &token.kind)) {
            (Some(Kind::Term(name)), Some(Kind::Colon)) => Some(unescaped(name)),
            (Some(Kind::Star), Some(Kind::Colon)) => Some("*".to_owned()),
            _ => None,
        };
        if named.is_some() {
            self.at += 2;
        }
        let field = named.as_deref().or(field);
        if self.peek() == Some(&Kind::Open) { self.group(field) } else { self.leaf(field) }
    }

    fn group(&mut self, field: Option<&str>) -> Result<Option<Query>, SyntaxError> {
        if self.depth == MAX_GROUP_DEPTH {
            let at = self.tokens[self.at].at;
            return Err(SyntaxError {
                at,
                what: format!("encountered more than {MAX_GROUP_DEPTH} groups inside each other"),
            });
        }
        self.at += 1;
        self.depth += 1;
        let query = self.clauses(field)?;
        self.depth -= 1;
        if self.peek() != Some(&Kind::Close) {
            return self.unexpected();
        }
        self.at += 1;
        let (_, boost) = self.suffixes(false);
        Ok(query.map(|query| boosted(query, boost)))
    }

    fn leaf(&mut self, field: Option<&str>) -> Result<Option<Query>, SyntaxError> {
        let Some(kind) = self.peek().filter(|kind| kind.is_clause() || **kind == Kind::Bare) else {
            return self.unexpected();
        };
        let position = self.tokens[self.at].at;
        self.at += 1;
        let (fuzzy, boost) = self.suffixes(!matches!(kind, Kind::Range(_)));
        let query = match kind {
            Kind::Bare => return Ok(None),
            Kind::Quoted(text) => self.fields.phrase(field, unescaped(text), fuzzy.flatten()),
            Kind::Term(text) => match fuzzy {
                Some(distance) => self.fields.fuzzy(field, unescaped(text), distance),
                None => self.fields.term(field, unescaped(text)),
            },
            Kind::Prefix(text) => self.fields.prefix(field, unescaped(text)),
            Kind::Star => self.fields.anything(field),
            Kind::Wild(text) if text.starts_with(['*', '?']) && !self.fields.leading_wildcard() => {
                let what = "'*' or '?' not allowed as first character in WildcardQuery: encountered a pattern".into();
                return Err(SyntaxError { at: position, what });
            }
            Kind::Wild(text) => self.fields.wildcard(field, text.clone()),
            Kind::Regex(text) => self.fields.regexp(field, text.replace("\\/", "/")),
            Kind::Range(range) => self.fields.range(field, range),
            _ => return self.unexpected(),
        };
        Ok(Some(boosted(query, boost)))
    }

    /// `~1` and `^2`, in either order.
    fn suffixes(&mut self, fuzzy_allowed: bool) -> (Option<Option<f32>>, f32) {
        let (mut fuzzy, mut boost) = (None, None);
        loop {
            match self.peek() {
                Some(Kind::Fuzzy(distance)) if fuzzy_allowed && fuzzy.is_none() => fuzzy = Some(*distance),
                Some(Kind::Boost(factor)) if boost.is_none() => boost = Some(*factor),
                _ => return (fuzzy, boost.unwrap_or(1.0)),
            }
            self.at += 1;
        }
    }
}

/// Clauses as one query. If all are prohibited, the rest of the documents are found.
fn joined(mut clauses: Vec<(Occurrence, Query)>) -> Option<Query> {
    if let [(Occurrence::Must | Occurrence::Should, _)] = clauses.as_slice() {
        return clauses.pop().map(|(_, query)| query);
    }
    if clauses.is_empty() {
        return None;
    }
    let (mut must, mut should, mut must_not) = (Vec::new(), Vec::new(), Vec::new());
    for (occurrence, query) in clauses {
        match occurrence {
            Occurrence::Must => must.push(query),
            Occurrence::Should => should.push(query),
            Occurrence::MustNot => must_not.push(query),
        }
    }
    Some(Query::Bool { must, filter: Vec::new(), should, must_not, minimum_should_match: None })
}
