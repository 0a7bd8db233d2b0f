//! Expressions, by precedence: OR, AND, NOT, comparisons, `+ - ||`, `* /`, signs, what stands alone.

use super::MAX_CHAIN;
use super::lexer::Token;
use super::parser::Parser;
use super::reserved::{is_reserved, is_system_column};
use super::tree::{Binary, Expr, ExprKind, Literal, Span, Test, Unary};
use crate::error::SqlError;

type Parsed<T> = Result<T, SqlError>;

fn binary(operator: Binary, left: Expr, right: Expr) -> Expr {
    Expr { span: left.span.until(right.span), kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)) }
}

/// A tree of an operator that may be read from either side: as shallow as it can be, operands in order.
fn balanced(operator: Binary, mut operands: Vec<Expr>) -> Expr {
    match operands.pop() {
        Some(last) if !operands.is_empty() => {
            operands.push(last);
            let right = operands.split_off(operands.len().div_ceil(2));
            binary(operator, balanced(operator, operands), balanced(operator, right))
        }
        Some(only) => only,
        // There is no such list: a rule reads one operand at least.
        None => Expr::literal(Span { from: (1, 1), to: (1, 1) }, Literal::Null),
    }
}

impl Expr {
    /// Whether it is the bare word ROWTIME.
    pub(crate) fn is_rowtime(&self) -> bool {
        matches!(&self.kind, ExprKind::Column(path) if path.len() == 1 && path[0].text == "ROWTIME")
    }
}

impl Parser {
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.nested(|parser| {
            let mut operands = vec![parser.and()?];
            while parser.word("OR") {
                operands.push(parser.and()?);
            }
            Ok(balanced(Binary::Or, operands))
        })
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut operands = vec![self.not()?];
        while self.word("AND") {
            operands.push(self.not()?);
        }
        Ok(balanced(Binary::And, operands))
    }

    fn not(&mut self) -> Parsed<Expr> {
        let span = self.span();
        if !self.word("NOT") {
            return self.comparison();
        }
        let operand = self.nested(Parser::not)?;
        Ok(Expr { span: span.until(operand.span), kind: ExprKind::Unary(Unary::Not, Box::new(operand)) })
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let mut left = self.additive()?;
        for _ in 0..MAX_CHAIN {
            left = match self.comparison_operator() {
                Some(operator) => binary(operator, left, self.additive()?),
                None if self.is_word("IS") => self.is(left)?,
                None if self.is_period_test() => self.periods(left)?,
                None => match self.predicate(left)? {
                    (predicate, true) => predicate,
                    (left, false) => return Ok(left),
                },
            };
        }
        Err(self.chain_too_long())
    }

    pub(super) fn chain_too_long(&self) -> SqlError {
        self.span()
            .error(format!("more than {MAX_CHAIN} operators follow each other: use parentheses or a query in FROM"))
    }

    fn comparison_operator(&mut self) -> Option<Binary> {
        let operator = match self.token() {
            Token::Symbol("=") => Binary::Equal,
            Token::Symbol("<>" | "!=") => Binary::NotEqual,
            Token::Symbol("<") => Binary::Less,
            Token::Symbol("<=") => Binary::LessEqual,
            Token::Symbol(">") => Binary::Greater,
            Token::Symbol(">=") => Binary::GreaterEqual,
            _ => return None,
        };
        self.advance();
        Some(operator)
    }

    fn is(&mut self, left: Expr) -> Parsed<Expr> {
        self.advance();
        let negated = self.word("NOT");
        let expr = Box::new(left);
        let start = expr.span;
        let kind = if self.words(&["DISTINCT", "FROM"]) {
            ExprKind::Distinct { left: expr, right: Box::new(self.additive()?), negated }
        } else {
            let test = match self.token() {
                Token::Word(word) => match word.as_str() {
                    "NULL" => Some(Test::Null),
                    "TRUE" => Some(Test::True),
                    "FALSE" => Some(Test::False),
                    "UNKNOWN" => Some(Test::Unknown),
                    _ => None,
                },
                _ => None,
            };
            let test = test.ok_or_else(|| self.unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"))?;
            self.advance();
            ExprKind::Is { expr, test, negated }
        };
        Ok(Expr { span: start.until(self.last_span()), kind })
    }

    /// `[NOT] BETWEEN | IN | LIKE | SIMILAR TO`; or the left side back, and false.
    fn predicate(&mut self, left: Expr) -> Parsed<(Expr, bool)> {
        let negated = self.is_word("NOT");
        let is = |word| self.is_word_ahead(usize::from(negated), word);
        if !["BETWEEN", "IN", "LIKE", "SIMILAR"].into_iter().any(is) {
            return Ok((left, false));
        }
        self.word("NOT");
        let start = left.span;
        let expr = Box::new(left);
        let kind = if self.word("BETWEEN") {
            let symmetric = self.word("SYMMETRIC");
            if !symmetric {
                self.word("ASYMMETRIC");
            }
            let low = Box::new(self.additive()?);
            self.expect_word("AND")?;
            ExprKind::Between { expr, low, high: Box::new(self.additive()?), symmetric, negated }
        } else if self.word("IN") {
            self.expect_symbol("(")?;
            if self.is_word("SELECT") {
                return self.unsupported(self.span(), "IN with a query");
            }
            let list = self.comma_separated(Parser::expr)?;
            self.expect_symbol(")")?;
            ExprKind::In { expr, list, negated }
        } else {
            let similar = self.advance().0 == Token::Word("SIMILAR".into());
            if similar {
                self.expect_word("TO")?;
            }
            let pattern = Box::new(self.additive()?);
            let escape = if self.word("ESCAPE") { Some(Box::new(self.additive()?)) } else { None };
            ExprKind::Like { expr, pattern, escape, similar, negated }
        };
        Ok((Expr { span: start.until(self.last_span()), kind }, true))
    }

    pub(super) fn additive(&mut self) -> Parsed<Expr> {
        let mut left = self.multiplicative()?;
        for _ in 0..MAX_CHAIN {
            let operator = match self.token() {
                Token::Symbol("+") => Binary::Add,
                Token::Symbol("-") => Binary::Subtract,
                Token::Symbol("||") => Binary::Concat,
                _ => return Ok(left),
            };
            self.advance();
            left = binary(operator, left, self.multiplicative()?);
        }
        Err(self.chain_too_long())
    }

    fn multiplicative(&mut self) -> Parsed<Expr> {
        let mut left = self.signed()?;
        for _ in 0..MAX_CHAIN {
            let operator = match self.token() {
                Token::Symbol("*") => Binary::Multiply,
                Token::Symbol("/") => Binary::Divide,
                _ => return Ok(left),
            };
            self.advance();
            left = binary(operator, left, self.signed()?);
        }
        Err(self.chain_too_long())
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let span = self.span();
        let operator = match self.token() {
            Token::Symbol("-") => Unary::Minus,
            Token::Symbol("+") => Unary::Plus,
            _ => return self.primary(),
        };
        self.advance();
        let operand = self.nested(Parser::signed)?;
        Ok(Expr { span: span.until(operand.span), kind: ExprKind::Unary(operator, Box::new(operand)) })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        let span = self.span();
        match self.token().clone() {
            Token::Symbol("(") => self.parenthesised(),
            Token::Quoted(_) => self.column_or_call(),
            Token::Word(word) => match word.as_str() {
                "CASE" => self.case(),
                "CAST" => self.cast(),
                "EXISTS" => self.unsupported(span, "EXISTS"),
                "CURSOR" | "ROW" | "ARRAY" | "MULTISET" => self.unsupported(span, &word),
                _ if self.is_symbol_ahead(1, "(") => self.special_call(&word),
                "CURRENT_DATE"
                | "CURRENT_TIME"
                | "CURRENT_TIMESTAMP"
                | "LOCALTIME"
                | "LOCALTIMESTAMP"
                | "CURRENT_ROW_TIMESTAMP" => {
                    self.advance();
                    Ok(self.call_of(span, &word, Vec::new()))
                }
                _ if is_reserved(&word) && !is_system_column(&word) => Err(self.unexpected("an expression")),
                _ => self.column_or_call(),
            },
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// `(e)`, `(start, end)`, `(a - b) MINUTE`
    fn parenthesised(&mut self) -> Parsed<Expr> {
        let start = self.expect_symbol("(")?;
        if self.is_word("SELECT") {
            return self.unsupported(self.span(), "A query as a value");
        }
        let inner = self.expr()?;
        if self.symbol(",") {
            let end = Box::new(self.expr()?);
            let span = start.until(self.expect_symbol(")")?);
            return Ok(Expr { span, kind: ExprKind::Period(Box::new(inner), end) });
        }
        let span = start.until(self.expect_symbol(")")?);
        if self.peek_unit().is_none() {
            return Ok(Expr { span, kind: inner.kind });
        }
        let ExprKind::Binary(Binary::Subtract, left, right) = inner.kind else {
            return Err(self.unexpected("no interval qualifier here: it belongs to a difference of two datetimes"));
        };
        let qualifier = self.qualifier()?;
        Ok(Expr { span: start.until(self.last_span()), kind: ExprKind::Difference { left, right, qualifier } })
    }

    fn case(&mut self) -> Parsed<Expr> {
        let start = self.advance().1;
        let operand = if self.is_word("WHEN") { None } else { Some(Box::new(self.expr()?)) };
        let mut branches = Vec::new();
        while self.word("WHEN") {
            let when = self.expr()?;
            self.expect_word("THEN")?;
            branches.push((when, self.expr()?));
        }
        if branches.is_empty() {
            return Err(self.unexpected("WHEN"));
        }
        let otherwise = if self.word("ELSE") { Some(Box::new(self.expr()?)) } else { None };
        let end = self.expect_word("END")?;
        Ok(Expr { span: start.until(end), kind: ExprKind::Case { operand, branches, otherwise } })
    }

    fn cast(&mut self) -> Parsed<Expr> {
        let start = self.advance().1;
        self.expect_symbol("(")?;
        let expr = Box::new(self.expr()?);
        self.expect_word("AS")?;
        if self.word("INTERVAL") {
            let qualifier = self.qualifier()?;
            let end = self.expect_symbol(")")?;
            return Ok(Expr { span: start.until(end), kind: ExprKind::CastInterval { expr, qualifier } });
        }
        let (sql_type, _) = self.data_type()?;
        let end = self.expect_symbol(")")?;
        Ok(Expr { span: start.until(end), kind: ExprKind::Cast { expr, sql_type } })
    }
}
