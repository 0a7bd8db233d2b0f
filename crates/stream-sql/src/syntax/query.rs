//! SELECT and its clauses.

use super::MAX_CHAIN;
use super::MAX_JOINS;
use super::lexer::Token;
use super::parser::Parser;
use super::tree::{
    Frame, From, FunctionArg, Item, Join, JoinKind, Name, Order, Over, Query, Select, SetOperator, Span, Stagger,
    Window,
};
use crate::error::SqlError;

type Parsed<T> = Result<T, SqlError>;

impl Parser {
    /// A query, in parentheses or not, and those that are set beside it.
    pub(super) fn query(&mut self) -> Parsed<Query> {
        self.nested(|parser| {
            let mut bare = !parser.is_symbol("(");
            let mut query = parser.query_term()?;
            for _ in 0..MAX_CHAIN {
                let (word, span) = (parser.token().clone(), parser.span());
                let operator = match &word {
                    Token::Word(word) if word == "UNION" => SetOperator::Union,
                    Token::Word(word) if word == "INTERSECT" => SetOperator::Intersect,
                    Token::Word(word) if word == "EXCEPT" => SetOperator::Except,
                    _ => return Ok(query),
                };
                if bare && query.order_by().is_some_and(|order| order.is_some()) {
                    return Err(parser.unexpected("the end of the query: ORDER BY is its last clause"));
                }
                parser.advance();
                let all = parser.word("ALL");
                bare = !parser.is_symbol("(");
                let mut right = Box::new(parser.query_term()?);
                // Behind the last query stands the order of them all.
                let order_by = if bare { right.order_by().and_then(Option::take) } else { None };
                query = Query::Set { operator, all, span, left: Box::new(query), right, order_by };
                bare = true;
            }
            Err(parser.span().error(format!("more than {MAX_CHAIN} queries are set beside each other")))
        })
    }

    fn query_term(&mut self) -> Parsed<Query> {
        if self.symbol("(") {
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(query);
        }
        if self.is_word("VALUES") {
            return self.values();
        }
        Ok(Query::Select(Box::new(self.select()?)))
    }

    fn values(&mut self) -> Parsed<Query> {
        let start = self.expect_word("VALUES")?;
        self.comma_separated(|parser| {
            parser.expect_symbol("(")?;
            parser.comma_separated(Parser::expr)?;
            parser.expect_symbol(")")
        })?;
        Ok(Query::Values { span: start.until(self.last_span()) })
    }

    fn select(&mut self) -> Parsed<Select> {
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
            only_once(&windows)?;
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
        let descending = self.word("DESC");
        if !descending {
            self.word("ASC");
        }
        let within = if self.word("WITHIN") { Some(self.expr()?) } else { None };
        Ok(Order { expr, descending, within })
    }

    fn from(&mut self) -> Parsed<From> {
        let mut from = self.relation()?;
        let mut joins = 0;
        loop {
            let span = self.span();
            joins += 1;
            if joins > MAX_JOINS + 1 {
                return Err(self.last_span().error(format!("FROM has more than {MAX_JOINS} joins")));
            }
            if self.symbol(",") {
                let right = self.relation()?;
                from = From::Join(Box::new(Join { left: from, right, kind: JoinKind::Inner, span, on: None }));
                continue;
            }
            if self.is_word("NATURAL") {
                return self.unsupported(span, "NATURAL JOIN");
            }
            let Some((kind, has_condition)) = self.join_words()? else { return Ok(from) };
            let span = span.until(self.last_span());
            let right = self.relation()?;
            if self.is_word("USING") {
                return self.unsupported(self.span(), "USING");
            }
            let on = if has_condition {
                self.expect_word("ON")?;
                Some(self.expr()?)
            } else {
                None
            };
            from = From::Join(Box::new(Join { left: from, right, kind, span, on }));
        }
    }

    /// The words before the right side of a join, if there is one: its kind, and whether it has a condition.
    fn join_words(&mut self) -> Parsed<Option<(JoinKind, bool)>> {
        let mut kind = JoinKind::Inner;
        if self.word("CROSS") {
            self.expect_word("JOIN")?;
            return Ok(Some((kind, false)));
        }
        let mut written = self.word("INNER");
        for (word, outer) in [("LEFT", JoinKind::Left), ("RIGHT", JoinKind::Right), ("FULL", JoinKind::Full)] {
            if !written && self.word(word) {
                self.word("OUTER");
                (kind, written) = (outer, true);
            }
        }
        if written {
            self.expect_word("JOIN")?;
        } else if !self.word("JOIN") {
            return Ok(None);
        }
        Ok(Some((kind, true)))
    }

    fn relation(&mut self) -> Parsed<From> {
        if self.is_word("TABLE") {
            return self.table_function();
        }
        if self.is_symbol("(") {
            self.advance();
            let query = Box::new(self.query()?);
            self.expect_symbol(")")?;
            let over = if self.word("OVER") { Some(self.over()?) } else { None };
            let (alias, columns) = self.table_alias()?;
            return Ok(From::Query { query, over, alias, columns });
        }
        let name = self.new_name()?;
        let over = if self.word("OVER") { Some(self.over()?) } else { None };
        let (alias, columns) = self.table_alias()?;
        Ok(From::Stream { name, over, alias, columns })
    }

    /// `AS t`, `AS t(c1, …)`
    fn table_alias(&mut self) -> Parsed<(Option<Name>, Vec<Name>)> {
        let alias = self.alias()?;
        let mut columns = Vec::new();
        if alias.is_some() && self.symbol("(") {
            columns = self.comma_separated(Parser::new_name)?;
            self.expect_symbol(")")?;
        }
        Ok((alias, columns))
    }

    /// `TABLE(name(CURSOR(query), …))`
    fn table_function(&mut self) -> Parsed<From> {
        self.advance();
        self.expect_symbol("(")?;
        let name = self.new_name()?;
        self.expect_symbol("(")?;
        let args = self.comma_separated(|parser| {
            let start = parser.span();
            if parser.word("CURSOR") {
                parser.expect_symbol("(")?;
                let query = parser.query()?;
                let end = parser.expect_symbol(")")?;
                return Ok(FunctionArg::Cursor { span: start.until(end), query });
            }
            parser.expr().map(FunctionArg::Expr)
        })?;
        self.expect_symbol(")")?;
        self.expect_symbol(")")?;
        let (alias, columns) = self.table_alias()?;
        Ok(From::Function { name, args, alias, columns })
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
            if !matches!(&keys[..], [Order { expr, descending: false, within: None }] if expr.is_rowtime()) {
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
                let unbounded = self.word("UNBOUNDED");
                if !unbounded {
                    self.expr()?;
                }
                let bound = if unbounded { "UNBOUNDED " } else { "" };
                let way = if self.is_word("FOLLOWING") { "FOLLOWING" } else { "PRECEDING" };
                return Err(span.error(format!("{bound}{way} is not allowed here: a window ends at the CURRENT ROW")));
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
            if self.is_word("FOLLOWING") {
                return Err(span.error("UNBOUNDED FOLLOWING is not allowed: a window ends at the CURRENT ROW"));
            }
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

fn only_once(windows: &[(Name, Window)]) -> Parsed<()> {
    for (place, (name, _)) in windows.iter().enumerate() {
        if windows[..place].iter().any(|(known, _)| known.text == name.text) {
            return Err(name.span.error(format!("Duplicate window names not allowed: '{}'", name.text)));
        }
    }
    Ok(())
}
