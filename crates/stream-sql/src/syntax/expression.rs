//! Expressions, by precedence: OR, AND, NOT, comparisons, `+ - ||`, `* /`, signs, what stands alone.

use super::lexer::Token;
use super::parser::Parser;
use super::reserved::{is_reserved, is_system_column};
use super::tree::{Binary, Call, Expr, ExprKind, Literal, Name, PeriodTest, Span, Test, Unary};
use crate::error::SqlError;
use crate::value::{SqlType, Value};

type Parsed<T> = Result<T, SqlError>;

fn binary(operator: Binary, left: Expr, right: Expr) -> Expr {
    Expr { span: left.span.until(right.span), kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)) }
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
            let mut left = parser.and()?;
            while parser.word("OR") {
                left = binary(Binary::Or, left, parser.and()?);
            }
            Ok(left)
        })
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut left = self.not()?;
        while self.word("AND") {
            left = binary(Binary::And, left, self.not()?);
        }
        Ok(left)
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
        loop {
            left = match self.comparison_operator() {
                Some(operator) => binary(operator, left, self.additive()?),
                None if self.is_word("IS") => self.is(left)?,
                None => match self.predicate(left)? {
                    (predicate, true) => predicate,
                    (left, false) => return Ok(left),
                },
            };
        }
    }

    fn comparison_operator(&mut self) -> Option<Binary> {
        let operator = match self.token() {
            Token::Symbol("=") => Binary::Equal,
            Token::Symbol("<>" | "!=") => Binary::NotEqual,
            Token::Symbol("<") => Binary::Less,
            Token::Symbol("<=") => Binary::LessEqual,
            Token::Symbol(">") => Binary::Greater,
            Token::Symbol(">=") => Binary::GreaterEqual,
            Token::Word(word) => Binary::Period(match word.as_str() {
                "CONTAINS" => PeriodTest::Contains,
                "OVERLAPS" => PeriodTest::Overlaps,
                "EQUALS" => PeriodTest::Equals,
                "PRECEDES" => PeriodTest::Precedes,
                "SUCCEEDS" => PeriodTest::Succeeds,
                _ => return None,
            }),
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
        for word in ["STRICTLY", "IMMEDIATELY", "LEADS", "LAGS"] {
            if self.is_word(word) {
                return self.unsupported(self.span(), word);
            }
        }
        let negated = self.is_word("NOT");
        let is = |word| self.is_word_ahead(usize::from(negated), word);
        if !["BETWEEN", "IN", "LIKE", "SIMILAR"].into_iter().any(is) {
            return Ok((left, false));
        }
        self.word("NOT");
        let start = left.span;
        let expr = Box::new(left);
        let kind = if self.word("BETWEEN") {
            let low = Box::new(self.additive()?);
            self.expect_word("AND")?;
            ExprKind::Between { expr, low, high: Box::new(self.additive()?), negated }
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

    fn additive(&mut self) -> Parsed<Expr> {
        let mut left = self.multiplicative()?;
        loop {
            let operator = match self.token() {
                Token::Symbol("+") => Binary::Add,
                Token::Symbol("-") => Binary::Subtract,
                Token::Symbol("||") => Binary::Concat,
                _ => return Ok(left),
            };
            self.advance();
            left = binary(operator, left, self.multiplicative()?);
        }
    }

    fn multiplicative(&mut self) -> Parsed<Expr> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.token() {
                Token::Symbol("*") => Binary::Multiply,
                Token::Symbol("/") => Binary::Divide,
                _ => return Ok(left),
            };
            self.advance();
            left = binary(operator, left, self.signed()?);
        }
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
        if self.is_word("INTERVAL") {
            return self.unsupported(self.span(), "CAST to an interval");
        }
        let (sql_type, _) = self.data_type()?;
        let end = self.expect_symbol(")")?;
        Ok(Expr { span: start.until(end), kind: ExprKind::Cast { expr, sql_type } })
    }

    /// Calls whose arguments are separated by words.
    fn special_call(&mut self, word: &str) -> Parsed<Expr> {
        let start = self.span();
        let open = |parser: &mut Parser| {
            parser.advance();
            parser.advance();
        };
        let kind = match word {
            "FLOOR" | "CEIL" | "CEILING" => {
                open(self);
                let expr = self.expr()?;
                if self.word("TO") {
                    let unit = self.unit()?;
                    ExprKind::Round { up: word != "FLOOR", expr: Box::new(expr), unit }
                } else {
                    self.call_of(start, if word == "FLOOR" { word } else { "CEIL" }, vec![expr]).kind
                }
            }
            "STEP" => {
                open(self);
                let expr = self.expr()?;
                self.expect_word("BY")?;
                let step = self.expr()?;
                self.call_of(start, word, vec![expr, step]).kind
            }
            "EXTRACT" => {
                open(self);
                let unit = self.unit()?;
                self.expect_word("FROM")?;
                ExprKind::Extract { unit, expr: Box::new(self.expr()?) }
            }
            "POSITION" => {
                open(self);
                let part = self.additive()?;
                self.expect_word("IN")?;
                let whole = self.additive()?;
                self.call_of(start, word, vec![part, whole]).kind
            }
            "SUBSTRING" => {
                open(self);
                self.substring(start)?
            }
            "OVERLAY" => {
                open(self);
                let mut args = vec![self.expr()?];
                self.expect_word("PLACING")?;
                args.push(self.expr()?);
                self.expect_word("FROM")?;
                args.push(self.expr()?);
                if self.word("FOR") {
                    args.push(self.expr()?);
                }
                self.call_of(start, word, args).kind
            }
            "TRIM" => {
                open(self);
                self.trim(start)?
            }
            "PERIOD" => {
                open(self);
                let from = Box::new(self.expr()?);
                self.expect_symbol(",")?;
                ExprKind::Period(from, Box::new(self.expr()?))
            }
            _ => return self.column_or_call(),
        };
        let end = self.expect_symbol(")")?;
        Ok(Expr { span: start.until(end), kind })
    }

    fn substring(&mut self, start: Span) -> Parsed<ExprKind> {
        let expr = self.additive()?;
        if self.word("SIMILAR") {
            let pattern = Box::new(self.additive()?);
            self.expect_word("ESCAPE")?;
            let escape = Box::new(self.additive()?);
            return Ok(ExprKind::SubstringSimilar { expr: Box::new(expr), pattern, escape });
        }
        let comma = self.symbol(",");
        if !comma {
            self.expect_word("FROM")?;
        }
        let mut args = vec![expr, self.additive()?];
        if if comma { self.symbol(",") } else { self.word("FOR") } {
            args.push(self.additive()?);
        }
        Ok(self.call_of(start, "SUBSTRING", args).kind)
    }

    /// `TRIM([LEADING | TRAILING | BOTH] [c] [FROM] s)`; becomes a call with the side as its first argument.
    fn trim(&mut self, start: Span) -> Parsed<ExprKind> {
        let mut side = "BOTH";
        for word in ["LEADING", "TRAILING", "BOTH"] {
            if self.word(word) {
                side = word;
            }
        }
        let text = |text: &str| {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            Expr::literal(start, Literal::Value(Value::Text(text.into()), SqlType::Char { length }))
        };
        let (characters, expr) = if self.word("FROM") {
            (text(" "), self.expr()?)
        } else {
            let first = self.expr()?;
            if self.word("FROM") { (first, self.expr()?) } else { (text(" "), first) }
        };
        Ok(self.call_of(start, "TRIM", vec![text(side), characters, expr]).kind)
    }

    /// A call that is written otherwise.
    fn call_of(&self, start: Span, name: &str, args: Vec<Expr>) -> Expr {
        let span = start.until(self.last_span());
        let name = Name { text: name.to_owned(), quoted: false, span: start };
        Expr { span, kind: ExprKind::Call(Call { name, args, star: false, distinct: None, over: None }) }
    }

    fn column_or_call(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if self.is_symbol_ahead(1, "(") {
            return self.call();
        }
        let mut path = vec![self.known_name()?];
        while self.symbol(".") {
            path.push(self.known_name()?);
        }
        Ok(Expr { span: start.until(self.last_span()), kind: ExprKind::Column(path) })
    }

    fn call(&mut self) -> Parsed<Expr> {
        let (token, start) = self.advance();
        let (Token::Word(text) | Token::Quoted(text)) = token else { return Err(self.unexpected("a name")) };
        let name = Name { text, quoted: false, span: start };
        self.expect_symbol("(")?;
        let mut call = Call { name, args: Vec::new(), star: self.symbol("*"), distinct: None, over: None };
        if !call.star && !self.is_symbol(")") {
            call.distinct = self.is_word("DISTINCT").then(|| self.advance().1);
            self.word("ALL");
            call.args = self.comma_separated(Parser::expr)?;
        }
        self.expect_symbol(")")?;
        for words in [["FROM", "FIRST"], ["FROM", "LAST"], ["IGNORE", "NULLS"], ["RESPECT", "NULLS"]] {
            if self.is_word(words[0]) && self.is_word_ahead(1, words[1]) {
                return self.unsupported(self.span(), &words.join(" "));
            }
        }
        if self.is_word("FILTER") {
            return self.unsupported(self.span(), "FILTER");
        }
        if self.word("OVER") {
            call.over = Some(Box::new(self.over()?));
        }
        Ok(Expr { span: start.until(self.last_span()), kind: ExprKind::Call(call) })
    }
}
