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
        if self.is_word("ALTER") {
            return self.unsupported(span, "ALTER (pumps run with the application unless they are created STOPPED)");
        }
        if self.is_word("DROP") {
            return self.unsupported(span, "DROP (a script creates all that an application has)");
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
        if self.is_word("RENAME") {
            return self.unsupported(self.span(), "RENAME");
        }
        self.expect_symbol("(")?;
        let columns = self.comma_separated(|parser| {
            let name = parser.new_name()?;
            let (sql_type, _) = parser.data_type()?;
            let not_null = parser.words(&["NOT", "NULL"]);
            Ok(ColumnDefinition { name, sql_type, not_null })
        })?;
        self.expect_symbol(")")?;
        self.description()?;
        Ok(Statement::Stream { replace, name, columns })
    }

    fn create_pump(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.new_name()?;
        if self.is_word("RENAME") {
            return self.unsupported(self.span(), "RENAME");
        }
        let mut stopped = self.word("STOPPED");
        self.description()?;
        stopped |= self.word("STOPPED");
        self.expect_word("AS")?;
        let insert = Box::new(self.insert()?);
        Ok(Statement::Pump { replace, name, stopped, insert })
    }

    fn description(&mut self) -> Parsed<()> {
        if self.word("DESCRIPTION") {
            match self.token() {
                Token::Text(_) | Token::UnicodeText(_) => self.advance(),
                _ => return Err(self.unexpected("a text")),
            };
        }
        Ok(())
    }

    fn create_function(&mut self, replace: bool) -> Parsed<Statement> {
        let name = self.new_name()?;
        self.expect_symbol("(")?;
        let mut parameters = Vec::new();
        if !self.is_symbol(")") {
            parameters = self.comma_separated(|parser| {
                parser.word("IN");
                Ok((parser.new_name()?, parser.data_type()?.0))
            })?;
        }
        self.expect_symbol(")")?;
        self.expect_word("RETURNS")?;
        let (returns, _) = self.data_type()?;
        let null_on_null = self.characteristics()?;
        self.expect_word("RETURN")?;
        let body = self.expr()?;
        let function = CreateFunction { replace, name, parameters, returns, null_on_null, body };
        Ok(Statement::Function(Box::new(function)))
    }

    /// What is said of a function between its type and its body: all but `RETURNS NULL ON NULL INPUT` changes nothing here.
    fn characteristics(&mut self) -> Parsed<bool> {
        const SILENT: [&[&str]; 7] = [
            &["LANGUAGE", "SQL"],
            &["DETERMINISTIC"],
            &["NOT", "DETERMINISTIC"],
            &["CONTAINS", "SQL"],
            &["READS", "SQL", "DATA"],
            &["MODIFIES", "SQL", "DATA"],
            &["CALLED", "ON", "NULL", "INPUT"],
        ];
        let mut null_on_null = false;
        loop {
            if self.words(&["RETURNS", "NULL", "ON", "NULL", "INPUT"]) {
                null_on_null = true;
            } else if self.word("SPECIFIC") {
                self.new_name()?;
            } else if !SILENT.iter().any(|words| self.words(words)) {
                if self.is_word("LANGUAGE") {
                    return self.unsupported(self.span(), "A language other than SQL");
                }
                return Ok(null_on_null);
            }
        }
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
