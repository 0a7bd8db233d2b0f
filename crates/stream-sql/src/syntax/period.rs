//! `CONTAINS`, `STRICTLY PRECEDES`, …: tests of periods, which chain.

use super::MAX_CHAIN;
use super::lexer::Token;
use super::parser::Parser;
use super::tree::{Expr, ExprKind, PeriodManner, PeriodRelation, PeriodTest};
use crate::error::SqlError;

type Parsed<T> = Result<T, SqlError>;

impl PeriodRelation {
    fn parse(word: &str) -> Option<PeriodRelation> {
        Some(match word {
            "CONTAINS" => PeriodRelation::Contains,
            "OVERLAPS" => PeriodRelation::Overlaps,
            "EQUALS" => PeriodRelation::Equals,
            "PRECEDES" => PeriodRelation::Precedes,
            "SUCCEEDS" => PeriodRelation::Succeeds,
            "LEADS" => PeriodRelation::Leads,
            "LAGS" => PeriodRelation::Lags,
            _ => return None,
        })
    }

    /// Whether it can be strict or immediate.
    fn takes(self, manner: PeriodManner) -> bool {
        use PeriodRelation::{Contains, Equals, Overlaps};
        match manner {
            PeriodManner::Plain => true,
            PeriodManner::Strictly => self != Equals,
            PeriodManner::Immediately => !matches!(self, Contains | Overlaps | Equals),
        }
    }
}

impl Parser {
    pub(super) fn is_period_test(&self) -> bool {
        let qualified = self.is_word("STRICTLY") || self.is_word("IMMEDIATELY");
        matches!(self.ahead(usize::from(qualified)), Token::Word(word) if PeriodRelation::parse(word).is_some())
    }

    /// The tests behind a period: `q`, and with `p PRECEDES q PRECEDES r` also `r`.
    pub(super) fn periods(&mut self, first: Expr) -> Parsed<Expr> {
        let start = first.span;
        let mut rest = Vec::new();
        while self.is_period_test() {
            if rest.len() == MAX_CHAIN {
                return Err(self.chain_too_long());
            }
            rest.push((self.period_test()?, self.additive()?));
        }
        let kind = ExprKind::Periods { first: Box::new(first), rest };
        Ok(Expr { span: start.until(self.last_span()), kind })
    }

    fn period_test(&mut self) -> Parsed<PeriodTest> {
        let manner = match (self.word("STRICTLY"), self.word("IMMEDIATELY")) {
            (true, _) => PeriodManner::Strictly,
            (_, true) => PeriodManner::Immediately,
            _ => PeriodManner::Plain,
        };
        let relation = match self.token() {
            Token::Word(word) => PeriodRelation::parse(word).filter(|relation| relation.takes(manner)),
            _ => None,
        };
        let expected = match manner {
            PeriodManner::Strictly => "CONTAINS, OVERLAPS, PRECEDES, SUCCEEDS, LEADS or LAGS",
            _ => "PRECEDES, SUCCEEDS, LEADS or LAGS",
        };
        let relation = relation.ok_or_else(|| self.unexpected(expected))?;
        self.advance();
        Ok(PeriodTest { relation, manner })
    }
}
