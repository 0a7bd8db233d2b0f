//! SELECT and its clauses.

use super::lexer::Token;
use super::parser::Parser;
use super::tree::{Frame, From, Item, Name, Order, Over, Select, Span, Stagger, Window};
use crate::error::SqlError;

type Parsed<T> = Result<T, SqlError>;

impl Parser {
    /// A query, in parentheses or not.
    pub(super) fn query(&mut self) -> Parsed<Select> {
        self.nested(|parser| {
            let query = if parser.symbol("(") {
                let query = parser.query()?;
                parser.expect_symbol(")")?;
                query
            } else {
                parser.select()?
            };
            for word in ["UNION", "INTERSECT", "EXCEPT"] {
                if parser.is_word(word) {
                    return parser.unsupported(parser.span(), word);
                }
            }
            Ok(query)
        })
    }

    fn select(&mut self) -> Parsed<Select> {
        if self.is_word("VALUES") {
            return self.unsupported(self.span(), "VALUES");
        }
        let start = self.expect_word("SELECT")?;
        self.word("STREAM");
        let distinct = self.is_word("DISTINCT").then(|| self.advance().1);
        self.word("ALL");
        let items = self.comma_separated(Parser::item)?;
        self.expect_word("FROM")?;
        let from = self.from()?;
        let filter = if self.word("WHERE") { Some(self.expr()?) } else { None };
        let (mut group_by, mut stagger) = (None, None);
        let span = self.span();
        if self.words(&["GROUP", "BY"]) {
            group_by = Some((span, self.comma_separated(Parser::expr)?));
        } else if self.is_word("WINDOWED") {
            stagger = Some(self.stagger()?);
        }
        let span = self.span();
        let having = if self.word("HAVING") { Some((span, self.expr()?)) } else { None };
        let mut windows = Vec::new();
        if self.word("WINDOW") {
            windows = self.comma_separated(|parser| {
                let name = parser.new_name()?;
                parser.expect_word("AS")?;
                Ok((name, parser.window()?))
            })?;
        }
        let span = self.span();
        let order_by =
            if self.words(&["ORDER", "BY"]) { Some((span, self.comma_separated(Parser::order)?)) } else { None };
        let span = start.until(self.last_span());
        Ok(Select { span, distinct, items, from, filter, group_by, stagger, having, windows, order_by })
    }

    fn item(&mut self) -> Parsed<Item> {
        let span = self.span();
        if self.symbol("*") {
            return Ok(Item::Wildcard { qualifier: None, span });
        }
        if matches!(self.token(), Token::Word(_) | Token::Quoted(_))
            && self.is_symbol_ahead(1, ".")
            && self.is_symbol_ahead(2, "*")
        {
            let qualifier = Some(self.new_name()?);
            self.advance();
            self.advance();
            return Ok(Item::Wildcard { qualifier, span: span.until(self.last_span()) });
        }
        let expr = self.expr()?;
        Ok(Item::Expr { expr, alias: self.alias()? })
    }

    fn order(&mut self) -> Parsed<Order> {
        let expr = self.expr()?;
        if self.is_word("WITHIN") {
            return self.unsupported(self.span(), "ORDER BY … WITHIN");
        }
        let descending = self.word("DESC");
        if !descending {
            self.word("ASC");
        }
        Ok(Order { expr, descending })
    }

    fn from(&mut self) -> Parsed<From> {
        let from = self.relation()?;
        let span = self.span();
        if self.is_symbol(",") {
            return self.unsupported(span, "A join");
        }
        for word in ["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"] {
            if self.word(word) {
                self.skip_join()?;
                return Ok(From::Join { span });
            }
        }
        Ok(from)
    }

    /// Reads on to the end of the joins, so that what is wrong in the rest of the query is not taken for the join's fault.
    fn skip_join(&mut self) -> Parsed<()> {
        loop {
            for word in ["OUTER", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"] {
                while self.word(word) {}
            }
            self.relation()?;
            if self.word("ON") {
                self.expr()?;
            }
            let another = ["JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"];
            if !another.iter().any(|word| self.is_word(word)) {
                return Ok(());
            }
        }
    }

    fn relation(&mut self) -> Parsed<From> {
        if self.is_word("TABLE") {
            return self.table_function();
        }
        if self.is_symbol("(") {
            self.advance();
            let query = Box::new(self.query()?);
            self.expect_symbol(")")?;
            let alias = self.alias()?;
            let mut columns = Vec::new();
            if alias.is_some() && self.symbol("(") {
                columns = self.comma_separated(Parser::new_name)?;
                self.expect_symbol(")")?;
            }
            return Ok(From::Query { query, alias, columns });
        }
        let name = self.new_name()?;
        let over = if self.word("OVER") { Some(self.over()?) } else { None };
        Ok(From::Stream { name, over, alias: self.alias()? })
    }

    /// `TABLE(name(CURSOR(query), …))`
    fn table_function(&mut self) -> Parsed<From> {
        self.advance();
        self.expect_symbol("(")?;
        let name = self.new_name()?;
        self.expect_symbol("(")?;
        self.comma_separated(|parser| {
            if parser.word("CURSOR") {
                parser.expect_symbol("(")?;
                parser.query()?;
                return parser.expect_symbol(")").map(|_| ());
            }
            parser.expr().map(|_| ())
        })?;
        self.expect_symbol(")")?;
        self.expect_symbol(")")?;
        self.alias()?;
        Ok(From::Function { name })
    }

    fn stagger(&mut self) -> Parsed<Stagger> {
        let span = self.expect_word("WINDOWED")?;
        self.expect_word("BY")?;
        self.expect_word("STAGGER")?;
        self.expect_symbol("(")?;
        let partition = self.partition()?;
        self.expect_word("RANGE")?;
        let range = self.expr()?;
        self.word("PRECEDING");
        self.expect_symbol(")")?;
        Ok(Stagger { span, partition, range })
    }

    fn partition(&mut self) -> Parsed<Vec<super::tree::Expr>> {
        if self.words(&["PARTITION", "BY"]) { self.comma_separated(Parser::expr) } else { Ok(Vec::new()) }
    }

    /// After OVER: a window's name, or a window.
    pub(super) fn over(&mut self) -> Parsed<Over> {
        if self.is_symbol("(") {
            return self.window().map(Over::Inline);
        }
        let name: Name = self.new_name()?;
        Ok(Over::Named(name))
    }

    fn window(&mut self) -> Parsed<Window> {
        let start = self.expect_symbol("(")?;
        let partition = self.partition()?;
        let span = self.span();
        if self.words(&["ORDER", "BY"]) {
            // Allowed where it changes nothing: a stream is in the order of its ROWTIME.
            let keys = self.comma_separated(Parser::order)?;
            if !matches!(&keys[..], [Order { expr, descending: false }] if expr.is_rowtime()) {
                return Err(span.error("ORDER BY is not allowed in a window: rows are in the order of ROWTIME"));
            }
        }
        let frame = match (self.word("ROWS"), self.word("RANGE")) {
            (false, false) => Frame::Unbounded,
            (rows, _) => self.frame(rows)?,
        };
        let end = self.expect_symbol(")")?;
        Ok(Window { span: start.until(end), partition, frame })
    }

    fn frame(&mut self, rows: bool) -> Parsed<Frame> {
        let between = self.word("BETWEEN");
        let frame = self.frame_start(rows)?;
        if between {
            self.expect_word("AND")?;
            let span = self.span();
            if !self.words(&["CURRENT", "ROW"]) {
                let what =
                    if self.words(&["UNBOUNDED", "FOLLOWING"]) { "UNBOUNDED FOLLOWING is not allowed: " } else { "" };
                return Err(span.error(format!("{what}a window ends at the CURRENT ROW")));
            }
        }
        Ok(frame)
    }

    fn frame_start(&mut self, rows: bool) -> Parsed<Frame> {
        let span = self.span();
        if self.words(&["CURRENT", "ROW"]) {
            return Ok(if rows { Frame::CurrentRows } else { Frame::CurrentRange });
        }
        if self.word("UNBOUNDED") {
            self.expect_preceding(span)?;
            return Ok(Frame::Unbounded);
        }
        let size = self.expr()?;
        self.expect_preceding(span)?;
        Ok(if rows { Frame::Rows(size) } else { Frame::Range(size) })
    }

    fn expect_preceding(&mut self, span: Span) -> Parsed<()> {
        if self.word("PRECEDING") {
            return Ok(());
        }
        if self.is_word("FOLLOWING") {
            return Err(span.error("FOLLOWING is not supported: a window ends at the CURRENT ROW"));
        }
        Err(self.unexpected("PRECEDING"))
    }
}
