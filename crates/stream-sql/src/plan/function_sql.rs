//! CREATE FUNCTION: the script's own functions.
//!
//! A function is bound once, where it is created, over its parameters; a call binds its arguments and keeps the body it shares with all
//! other calls. So an argument is computed once however often the body names it.

use std::rc::Rc;
use std::sync::Arc;

use super::expression::Binder;
use super::function::is_built_in;
use super::query::FlowColumn;
use super::scope::{Relation, Scope};
use super::types::{Type, Typed, fitted};
use crate::error::SqlError;
use crate::expression::{Body, Expr};
use crate::syntax::tree::{CreateFunction, Span};
use crate::value::SqlType;

/// The functions of a script, as far as they are created.
#[derive(Debug, Clone, Default)]
pub(super) struct Functions(Vec<SqlFunction>);

#[derive(Debug, Clone)]
struct SqlFunction {
    name: String,
    parameters: Vec<SqlType>,
    returns: SqlType,
    body: Arc<Body>,
    depth: usize,
}

impl Functions {
    /// Takes a function in; its body may call those that are there already.
    pub(super) fn create(this: &mut Rc<Functions>, function: &CreateFunction) -> Result<(), SqlError> {
        let name = &function.name;
        if is_built_in(&name.text) {
            return Err(name.span.error(format!("Function '{}' is built in: another name is needed", name.text)));
        }
        let parameters: Vec<SqlType> = function.parameters.iter().map(|(_, sql_type)| *sql_type).collect();
        let known = this.0.iter().position(|known| known.name == name.text && known.parameters == parameters);
        if known.is_some() && !function.replace {
            return Err(name.span.error(format!("Function '{}' already exists", name.text)));
        }
        let mut earlier = std::mem::take(this);
        // What is replaced cannot be called from what replaces it.
        known.map(|known| Rc::make_mut(&mut earlier).0.remove(known));
        let created = bind(function, parameters, &earlier)?;
        let mut functions = Rc::unwrap_or_clone(earlier);
        functions.0.push(created);
        *this = Rc::new(functions);
        Ok(())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|function| function.name == name)
    }

    /// The function that takes arguments of these types: rather one that takes just these than one they can be assigned to.
    fn find(&self, name: &str, args: &[Typed]) -> Option<&SqlFunction> {
        let named =
            || self.0.iter().filter(|function| function.name == name && function.parameters.len() == args.len());
        let all = |function: &&SqlFunction, test: fn(Type, SqlType) -> bool| {
            args.iter().zip(&function.parameters).all(|(arg, parameter)| test(arg.data_type, *parameter))
        };
        let exact = named().find(|function| all(function, |arg, parameter| arg == Type::Sql(parameter)));
        exact.or_else(|| named().find(|function| all(function, Type::is_assignable)))
    }
}

fn bind(function: &CreateFunction, parameters: Vec<SqlType>, earlier: &Rc<Functions>) -> Result<SqlFunction, SqlError> {
    let mut columns: Vec<FlowColumn> = Vec::with_capacity(parameters.len());
    for (place, (name, sql_type)) in function.parameters.iter().enumerate() {
        if columns.iter().any(|column| column.name == name.text) {
            return Err(name.span.error(format!("Duplicate name '{}' in parameter list", name.text)));
        }
        let value = Typed { expr: Expr::Column(place), data_type: Type::Sql(*sql_type) };
        columns.push(FlowColumn { name: name.text.clone(), value, hidden: false, span: name.span });
    }
    let scope = Scope { relations: vec![Relation { name: None, window: None, columns, rowtime: Some(Expr::Rowtime) }] };
    let mut binder = Binder::new(&scope);
    binder.functions = earlier.clone();
    let body = binder.bind(&function.body)?;
    if body.expr.reads_rowtime() {
        return Err(function.body.span.error("Column 'ROWTIME' not found: a function has its parameters alone"));
    }
    if !body.data_type.is_assignable(function.returns) {
        let message = format!("the function returns {}, its body is of type {}", function.returns, body.data_type);
        return Err(function.body.span.error(message));
    }
    let expr = fitted(body, function.returns).expr;
    let body = Body { size: expr.size(), expr, null_on_null: function.null_on_null };
    let name = function.name.text.clone();
    Ok(SqlFunction { name, parameters, returns: function.returns, body: Arc::new(body), depth: binder.deepest })
}

impl Binder<'_> {
    /// A call of a function of the script, its arguments bound.
    pub(super) fn call_of_script(&mut self, name: &str, args: Vec<Typed>, span: Span) -> Result<Typed, SqlError> {
        let functions = self.functions.clone();
        let function = functions.find(name, &args).ok_or_else(|| super::function::no_match(name, &args, span))?;
        self.enter(function.depth, span)?;
        let args = args.into_iter().zip(&function.parameters).map(|(arg, to)| fitted(arg, *to).expr).collect();
        Ok(Typed { expr: Expr::Apply(function.body.clone(), args), data_type: Type::Sql(function.returns) })
    }
}
