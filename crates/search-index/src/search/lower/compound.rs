//! `bool`, and how many of several clauses must match.

use search_query::query::Query;
use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur};

use crate::Error;

use super::{Lowered, Lowering, all, none};

impl Lowering<'_> {
    pub(super) fn boolean(
        &mut self,
        must: &[Query],
        filter: &[Query],
        should: &[Query],
        must_not: &[Query],
        minimum_should_match: Option<&str>,
    ) -> Result<Lowered, Error> {
        let mut clauses: Vec<(Occur, Lowered)> = Vec::new();
        for query in must {
            clauses.push((Occur::Must, self.query(query)?));
        }
        for query in filter {
            clauses.push((Occur::Must, Box::new(ConstScoreQuery::new(self.unscored(query)?, 0.0))));
        }
        let required = match minimum_should_match {
            Some(text) => minimum(text, should.len())?,
            None => usize::from(must.is_empty() && filter.is_empty() && !should.is_empty()),
        };
        if required > should.len() {
            return Ok(none());
        }
        // Clauses that need not match only score.
        if required > 0 || self.scored {
            for query in should {
                clauses.push((Occur::Should, self.query(query)?));
            }
        }
        if clauses.is_empty() || (required == 0 && must.is_empty() && filter.is_empty()) {
            clauses.push((
                Occur::Must,
                if must_not.is_empty() { all() } else { Box::new(ConstScoreQuery::new(all(), 0.0)) },
            ));
        }
        for query in must_not {
            clauses.push((Occur::MustNot, self.unscored(query)?));
        }
        if let [(Occur::Must, _)] = clauses.as_slice() {
            return Ok(clauses.swap_remove(0).1);
        }
        Ok(Box::new(BooleanQuery::with_minimum_required_clauses(clauses, required)))
    }
}

/// How many of some optional clauses `minimum_should_match` demands: `2`, `-1`, `75%`, `-25%`, `3<90%`, `2<-25% 9<-3`.
pub(super) fn minimum(text: &str, clauses: usize) -> Result<usize, Error> {
    let invalid = || Error::Request {
        kind: "illegal_argument_exception",
        reason: format!("invalid minimum_should_match [{text}]"),
    };
    if !text.contains('<') {
        return simple(text.trim(), clauses).ok_or_else(invalid);
    }
    let mut required = clauses;
    for condition in text.replace(" <", "<").replace("< ", "<").split_whitespace() {
        let (above, then) = condition.split_once('<').ok_or_else(invalid)?;
        let above: usize = above.parse().map_err(|_| invalid())?;
        let then = simple(then, clauses).ok_or_else(invalid)?;
        if clauses <= above {
            return Ok(required);
        }
        required = then;
    }
    Ok(required)
}

fn simple(text: &str, clauses: usize) -> Option<usize> {
    let of = clauses as i64;
    let wanted = match text.strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().ok()?;
            let part = (of as f64 * percent / 100.0) as i64;
            if percent < 0.0 { of + part } else { part }
        }
        None => {
            let number: i64 = text.parse().ok()?;
            if number < 0 { of.saturating_add(number) } else { number }
        }
    };
    Some(wanted.max(0) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimum_should_match() {
        for (text, clauses, expected) in [
            ("2", 5, 2),
            ("9", 5, 9),
            ("-1", 5, 4),
            ("-9", 5, 0),
            ("75%", 5, 3),
            ("-25%", 5, 4),
            ("3<90%", 3, 3),
            ("3<90%", 10, 9),
            ("2<-25% 9<-3", 2, 2),
            ("2<-25% 9<-3", 4, 3),
            ("2<-25% 9<-3", 12, 9),
        ] {
            assert_eq!(minimum(text, clauses).unwrap(), expected, "{text} of {clauses}");
        }
        for text in ["x", "1<", "<2", "50%%"] {
            assert!(minimum(text, 3).is_err(), "{text}");
        }
    }
}
