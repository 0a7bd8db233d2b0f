//! Columns and calls: those with arguments between commas, and those whose arguments are separated by words.

use super::lexer::Token;
use super::parser::Parser;
use super::tree::{Call, End, Expr, ExprKind, Literal, Name, Nulls, Span};
use crate::error::SqlError;
use crate::value::{SqlType, Value};

type Parsed<T> = Result<T, SqlError>;

impl Parser {
    /// Calls whose arguments are separated by words.
    pub(super) fn special_call(&mut self, word: &str) -> Parsed<Expr> {
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
    pub(super) fn call_of(&self, start: Span, name: &str, args: Vec<Expr>) -> Expr {
        let span = start.until(self.last_span());
        let name = Name { text: name.to_owned(), span: start };
        Expr {
            span,
            kind: ExprKind::Call(Call { name, args, star: false, distinct: None, nulls: None, from: None, over: None }),
        }
    }

    pub(super) fn column_or_call(&mut self) -> Parsed<Expr> {
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
        let name = Name { text, span: start };
        self.expect_symbol("(")?;
        let star = self.symbol("*");
        let mut call = Call { name, args: Vec::new(), star, distinct: None, nulls: None, from: None, over: None };
        if !call.star && !self.is_symbol(")") {
            call.distinct = self.is_word("DISTINCT").then(|| self.advance().1);
            self.word("ALL");
            call.args = self.comma_separated(Parser::expr)?;
        }
        self.expect_symbol(")")?;
        // After any other call it begins the next clause: streams may have these names.
        for (word, end) in [("FIRST", End::First), ("LAST", End::Last)] {
            if call.name.text == "NTH_VALUE" && self.words(&["FROM", word]) {
                call.from = Some(end);
            }
        }
        for (word, nulls) in [("IGNORE", Nulls::Ignore), ("RESPECT", Nulls::Respect)] {
            if self.words(&[word, "NULLS"]) {
                call.nulls = Some(nulls);
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
