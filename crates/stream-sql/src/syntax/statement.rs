//! CREATE STREAM, CREATE PUMP, INSERT.

use super::lexer::Token;
use super::parser::Parser;
use super::tree::{ColumnDefinition, CreateFunction, Insert, Statement};
use crate::error::SqlError;

type Parsed<T> = Result<T, SqlError>;

impl Parser {
    pub(super) fn script(&mut self) -> Parsed<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            while self.symbol(";") {}
            if *self.token() == Token::End {
                return Ok(statements);
            }
            statements.push(self.statement()?);
            if !self.is_symbol(";") {
                self.end()?;
            }
        }
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let span = self.span();
        if self.is_word("INSERT") || self.is_word("SELECT") || self.is_word("VALUES") {
            return self
                .unsupported(span, "A query outside of a pump (CREATE PUMP … AS INSERT INTO … SELECT STREAM …)");
        }
        if self.is_word("ALTER") || self.is_word("DROP") {
            return self.unsupported(span, "ALTER or DROP");
        }
        self.expect_word("CREATE")?;
        let replace = self.words(&["OR", "REPLACE"]);
        if self.word("STREAM") {
            self.create_stream(replace)
        } else if self.word("PUMP") {
            self.create_pump(replace)
        } else if self.word("FUNCTION") {
            self.create_function(replace)
        } else {
            Err(self.unexpected(if replace {
                "STREAM, PUMP or FUNCTION"
            } else {
                "OR REPLACE, STREAM, PUMP or FUNCTION"
            }))
        }
    }

    fn create_stream(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.new_name()?;
        self.expect_symbol("(")?;
        let columns = self.comma_separated(|parser| {
            let name = parser.new_name()?;
            let (sql_type, _) = parser.data_type()?;
            let not_null = parser.words(&["NOT", "NULL"]);
            Ok(ColumnDefinition { name, sql_type, not_null })
        })?;
        self.expect_symbol(")")?;
        if self.word("DESCRIPTION") && !matches!(self.advance().0, Token::Text(_)) {
            return Err(self.unexpected("a text"));
        }
        Ok(Statement::CreateStream { replace, name, columns })
    }

    fn create_pump(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.new_name()?;
        let stopped = self.is_word("STOPPED").then(|| self.advance().1);
        self.expect_word("AS")?;
        let insert = Box::new(self.insert()?);
        Ok(Statement::CreatePump { replace, name, stopped, insert })
    }

    fn create_function(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.new_name()?;
        self.expect_symbol("(")?;
        let mut parameters = Vec::new();
        if !self.is_symbol(")") {
            parameters = self.comma_separated(|parser| Ok((parser.new_name()?, parser.data_type()?.0)))?;
        }
        self.expect_symbol(")")?;
        self.expect_word("RETURNS")?;
        let (returns, _) = self.data_type()?;
        self.words(&["LANGUAGE", "SQL"]);
        self.word("DETERMINISTIC");
        self.words(&["CONTAINS", "SQL"]);
        let null_on_null = self.words(&["RETURNS", "NULL", "ON", "NULL", "INPUT"]);
        if !null_on_null {
            self.words(&["CALLED", "ON", "NULL", "INPUT"]);
        }
        self.expect_word("RETURN")?;
        let body = self.expr()?;
        let function = CreateFunction { replace, name, parameters, returns, null_on_null, body };
        Ok(Statement::CreateFunction(Box::new(function)))
    }

    fn insert(&mut self) -> Parsed<Insert> {
        self.expect_word("INSERT")?;
        // EXPEDITED is read and changes nothing (its meaning is documented nowhere).
        self.word("EXPEDITED");
        self.expect_word("INTO")?;
        let target = self.new_name()?;
        let mut columns = Vec::new();
        if self.is_symbol("(") && !["SELECT", "VALUES"].iter().any(|word| self.is_word_ahead(1, word)) {
            self.advance();
            columns = self.comma_separated(Parser::known_name)?;
            self.expect_symbol(")")?;
        }
        Ok(Insert { target, columns, query: self.query()? })
    }
}
