//! Tokens to a typed tree, by precedence climbing (Pratt). Every node passes [`check`] when it is made, so a tree that
//! exists is well typed and the evaluator need not doubt it.
//!
//! Source of the grammar and the precedences: Prometheus, "Querying basics" and "Operators".

mod check;
mod operation;
mod selector;

use std::fmt;

use crate::Span;
use crate::ast::{Aggregate, Call, Expr, ExprKind, Grouping, Number};
use crate::float::parse_float;
use crate::functions;
use crate::lexer::{Token, TokenKind, tokens};
use crate::operators::{AggregateOp, BinaryOp, UnaryOp};

/// The longest query, in bytes: far more than any rule needs, little enough to parse at once.
pub const TEXT_LENGTH_MAX: usize = 128 * 1024;

/// The deepest tree. Recursion follows the tree, so this bounds the stack; generated queries stay below 50.
pub const DEPTH_MAX: usize = 128;

/// The most regular expressions of one query. Each may take a mebibyte compiled, so this bounds what a query can hold.
pub const PATTERNS_MAX: usize = 100;

/// Why a text is not a query: where, what is wrong and what would be right. Fix the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The part of the text that is wrong.
    pub span: Span,
    /// What is wrong with it and what would be right.
    pub message: String,
}

impl ParseError {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> ParseError {
        ParseError {
            span,
            message: message.into(),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// Reads and types a query.
///
/// # Errors
/// [`ParseError`] with the place and what would be right there.
pub fn parse(text: &str) -> Result<Expr, ParseError> {
    if text.len() > TEXT_LENGTH_MAX {
        let message =
            format!("a query may have {TEXT_LENGTH_MAX} bytes; split it into recording rules");
        return Err(ParseError::new(Span::new(0, text.len()), message));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        index: 0,
        depth: 0,
        patterns: 0,
    };
    let expr = parser.expr(LOWEST)?;
    let token = parser.peek();
    if token.kind != TokenKind::End {
        let message = format!(
            "expected an operator or the end of the query, found {}",
            token.kind.describe()
        );
        return Err(ParseError::new(token.span, message));
    }
    Ok(expr)
}

/// Precedences; a larger one binds tighter.
const LOWEST: u8 = 1;
const POWER: u8 = 6;

struct Parser {
    tokens: Vec<Token>,
    index: usize,
    depth: usize,
    /// Regular expressions so far.
    patterns: usize,
}

type Parsed<T> = Result<T, ParseError>;

impl Parser {
    fn expr(&mut self, binding_min: u8) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_deep(self.peek().span));
        }
        let mut left = self.unary()?;
        while let Some((op, binding)) = self.peek_operator() {
            if binding < binding_min {
                break;
            }
            self.bump();
            let modifiers = self.modifiers(op)?;
            // Power groups to the right, everything else to the left.
            let right = self.expr(if op == BinaryOp::Power {
                binding
            } else {
                binding + 1
            })?;
            left = self.binary(op, left, right, modifiers)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let start = self.peek().span;
        let op = if self.eat("-") {
            UnaryOp::Minus
        } else if self.eat("+") {
            UnaryOp::Plus
        } else {
            return self.primary();
        };
        // `-2 ^ 2` is -(2 ^ 2), `-2 * 2` is (-2) * 2.
        let operand = self.expr(POWER)?;
        let span = start.to(operand.span);
        check::operand(&operand)?;
        node(ExprKind::Unary(op, Box::new(operand)), span)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let token = self.peek().clone();
        let expr = match &token.kind {
            TokenKind::Number(value) => {
                self.bump();
                node(ExprKind::Number(Number(*value)), token.span)?
            }
            TokenKind::Duration(millis) => {
                self.bump();
                node(
                    ExprKind::Number(Number(*millis as f64 / 1000.0)),
                    token.span,
                )?
            }
            TokenKind::String(text) => {
                self.bump();
                node(ExprKind::String(text.clone()), token.span)?
            }
            TokenKind::Symbol("(") => self.paren()?,
            TokenKind::Symbol("{") => self.selector(None)?,
            TokenKind::Ident(name) => self.word(name, token.span)?,
            TokenKind::NotText(_) | TokenKind::Symbol(_) | TokenKind::End => {
                let message = format!(
                    "expected a metric, a number, a function or `(`, found {}",
                    token.kind.describe()
                );
                return Err(ParseError::new(token.span, message));
            }
        };
        self.postfix(expr)
    }

    fn paren(&mut self) -> Parsed<Expr> {
        let open = self.expect("(")?;
        let inner = self.expr(LOWEST)?;
        let close = self.expect(")")?;
        node(ExprKind::Paren(Box::new(inner)), open.to(close))
    }

    /// An identifier: an aggregation, a function, a number word or a metric, told apart by what follows.
    fn word(&mut self, name: &str, span: Span) -> Parsed<Expr> {
        let next = self.peek_after().clone();
        if let Some(op) = aggregate_op(name) {
            let clause = matches!(&next, TokenKind::Ident(word) if is_grouping_word(word));
            if clause || next == TokenKind::Symbol("(") {
                return self.aggregate(op);
            }
        }
        if next == TokenKind::Symbol("(") {
            return self.call(name, span);
        }
        if let Some(value) = number_word(name) {
            self.bump();
            return node(ExprKind::Number(Number(value)), span);
        }
        self.bump();
        self.selector(Some((name.to_owned(), span)))
    }

    fn call(&mut self, name: &str, span: Span) -> Parsed<Expr> {
        let Some(function) = functions::find(name) else {
            return Err(check::unknown_function(name, span));
        };
        self.bump();
        let (arguments, list_span) = self.arguments()?;
        let span = span.to(list_span);
        check::arguments(function, &arguments, span)?;
        node(
            ExprKind::Call(Call {
                function,
                arguments,
            }),
            span,
        )
    }

    fn arguments(&mut self) -> Parsed<(Vec<Expr>, Span)> {
        let open = self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.peek_is(")") {
            arguments.push(self.expr(LOWEST)?);
            if !self.eat(",") {
                break;
            }
        }
        let close = self.expect(")")?;
        Ok((arguments, open.to(close)))
    }

    fn aggregate(&mut self, op: AggregateOp) -> Parsed<Expr> {
        let start = self.bump().span;
        let before = self.grouping()?;
        if let (AggregateOp::CountValues, TokenKind::NotText(shown)) = (op, self.peek_after()) {
            let message = format!("invalid label name {shown}");
            return Err(ParseError::new(self.peek().span, message));
        }
        let (mut arguments, list_span) = self.arguments()?;
        let mut span = start.to(list_span);
        let grouping = match before {
            Some(grouping) => grouping,
            None => {
                let after = self.grouping()?;
                if after.is_some() {
                    span = span.to(self.tokens[self.index - 1].span);
                }
                after.unwrap_or(Grouping::By(Vec::new()))
            }
        };
        check::aggregate(op, &arguments, span)?;
        let missing = || ParseError::new(span, "an aggregation needs an expression");
        let expr = arguments.pop().ok_or_else(missing)?;
        let aggregate = Aggregate {
            op,
            grouping,
            parameter: arguments.pop(),
            expr,
        };
        node(ExprKind::Aggregate(Box::new(aggregate)), span)
    }

    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        if self.eat_word("by") {
            return Ok(Some(Grouping::By(self.label_list()?)));
        }
        if self.eat_word("without") {
            return Ok(Some(Grouping::Without(self.label_list()?)));
        }
        Ok(None)
    }

    fn label_list(&mut self) -> Parsed<Vec<String>> {
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.peek_is(")") {
            labels.push(self.label_name()?);
            if !self.eat(",") {
                break;
            }
        }
        self.expect(")")?;
        Ok(labels)
    }

    fn label_name(&mut self) -> Parsed<String> {
        let token = self.bump();
        match token.kind {
            TokenKind::Ident(name) if model::is_label_name(&name) => Ok(name),
            TokenKind::String(name) if !name.is_empty() => Ok(name),
            other => Err(ParseError::new(
                token.span,
                format!("expected a label's name, found {}", other.describe()),
            )),
        }
    }

    fn signed_number(&mut self) -> Parsed<f64> {
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        let token = self.bump();
        let value = match &token.kind {
            TokenKind::Number(value) => Some(*value),
            TokenKind::Duration(millis) => Some(*millis as f64 / 1000.0),
            TokenKind::Ident(name) => number_word(name),
            TokenKind::String(_)
            | TokenKind::NotText(_)
            | TokenKind::Symbol(_)
            | TokenKind::End => None,
        };
        let Some(value) = value else {
            let message = format!("expected a number, found {}", token.kind.describe());
            return Err(ParseError::new(token.span, message));
        };
        Ok(if negative { -value } else { value })
    }

    fn peek(&self) -> &Token {
        // The last token is always the end, and nothing moves past it.
        &self.tokens[self.index.min(self.tokens.len() - 1)]
    }

    fn peek_after(&self) -> &TokenKind {
        &self.tokens[(self.index + 1).min(self.tokens.len() - 1)].kind
    }

    fn peek_is(&self, symbol: &str) -> bool {
        matches!(&self.peek().kind, TokenKind::Symbol(found) if *found == symbol)
    }

    fn peek_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, TokenKind::Ident(found) if found.eq_ignore_ascii_case(word))
    }

    fn bump(&mut self) -> Token {
        let token = self.peek().clone();
        if self.index < self.tokens.len() - 1 {
            self.index += 1;
        }
        token
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.peek_is(symbol);
        if found {
            self.bump();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        if found {
            self.bump();
        }
        found
    }

    fn expect(&mut self, symbol: &str) -> Parsed<Span> {
        let token = self.peek().clone();
        if self.eat(symbol) {
            return Ok(token.span);
        }
        let message = format!("expected `{symbol}`, found {}", token.kind.describe());
        Err(ParseError::new(token.span, message))
    }
}

fn node(kind: ExprKind, span: Span) -> Parsed<Expr> {
    let expr = Expr::new(kind, span);
    if expr.depth > DEPTH_MAX {
        return Err(too_deep(span));
    }
    Ok(expr)
}

fn too_deep(span: Span) -> ParseError {
    let message =
        format!("the query nests deeper than {DEPTH_MAX} levels; split it into recording rules");
    ParseError::new(span, message)
}

fn aggregate_op(name: &str) -> Option<AggregateOp> {
    AggregateOp::ALL
        .into_iter()
        .find(|op| op.as_str().eq_ignore_ascii_case(name))
}

fn is_grouping_word(word: &str) -> bool {
    word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("without")
}

fn number_word(name: &str) -> Option<f64> {
    let word = name.eq_ignore_ascii_case("inf") || name.eq_ignore_ascii_case("nan");
    word.then(|| parse_float(name))?
}

#[cfg(test)]
mod tests;
