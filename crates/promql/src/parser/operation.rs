//! What stands between two expressions: the operator, `bool`, how series match and what fills gaps.

use super::{LOWEST, POWER, ParseError, Parsed, Parser, check, node};
use crate::ast::{Binary, Cardinality, Expr, ExprKind, Matching, Number};
use crate::lexer::TokenKind;
use crate::operators::BinaryOp;
use crate::{Span, ValueType};

/// What may stand between an operator and its right side.
pub(super) struct Modifiers {
    pub(super) returns_bool: bool,
    pub(super) matching: Matching,
    /// Whether any matching or filling was written, which only vectors allow.
    pub(super) written: bool,
    pub(super) span: Span,
}

impl Parser {
    pub(super) fn peek_operator(&self) -> Option<(BinaryOp, u8)> {
        let word = match &self.peek().kind {
            TokenKind::Symbol(symbol) => (*symbol).to_owned(),
            TokenKind::Ident(name) => name.to_ascii_lowercase(),
            TokenKind::Number(_)
            | TokenKind::Duration(_)
            | TokenKind::String(_)
            | TokenKind::NotText(_)
            | TokenKind::End => return None,
        };
        Some(match word.as_str() {
            "or" => (BinaryOp::Or, LOWEST),
            "and" => (BinaryOp::And, 2),
            "unless" => (BinaryOp::Unless, 2),
            "==" => (BinaryOp::Equal, 3),
            "!=" => (BinaryOp::NotEqual, 3),
            "<" => (BinaryOp::Less, 3),
            "<=" => (BinaryOp::LessEqual, 3),
            ">" => (BinaryOp::Greater, 3),
            ">=" => (BinaryOp::GreaterEqual, 3),
            "+" => (BinaryOp::Add, 4),
            "-" => (BinaryOp::Subtract, 4),
            "*" => (BinaryOp::Multiply, 5),
            "/" => (BinaryOp::Divide, 5),
            "%" => (BinaryOp::Modulo, 5),
            "atan2" => (BinaryOp::Atan2, 5),
            "^" => (BinaryOp::Power, POWER),
            _ => return None,
        })
    }

    pub(super) fn modifiers(&mut self, op: BinaryOp) -> Parsed<Modifiers> {
        let start = self.peek().span;
        let mut modifiers = Modifiers {
            returns_bool: self.eat_word("bool"),
            span: start,
            written: false,
            matching: Matching {
                on: false,
                labels: Vec::new(),
                cardinality: if op.is_set() {
                    Cardinality::ManyToMany
                } else {
                    Cardinality::OneToOne
                },
                include: Vec::new(),
                fill_left: None,
                fill_right: None,
            },
        };
        let list_follows = *self.peek_after() == TokenKind::Symbol("(");
        if list_follows && (self.peek_word("on") || self.peek_word("ignoring")) {
            modifiers.matching.on = self.peek_word("on");
            self.bump();
            modifiers.matching.labels = self.label_list()?;
            modifiers.written = true;
            self.group(op, &mut modifiers.matching)?;
        }
        self.fills(op, &mut modifiers)?;
        if modifiers.written {
            modifiers.span = start.to(self.tokens[self.index - 1].span);
        }
        Ok(modifiers)
    }

    fn group(&mut self, op: BinaryOp, matching: &mut Matching) -> Parsed<()> {
        let span = self.peek().span;
        let cardinality = if self.eat_word("group_left") {
            Cardinality::ManyToOne
        } else if self.eat_word("group_right") {
            Cardinality::OneToMany
        } else {
            return Ok(());
        };
        if op.is_set() {
            let message = format!(
                "`{}` matches many to many; leave the grouping away",
                op.as_str()
            );
            return Err(ParseError::new(span, message));
        }
        matching.cardinality = cardinality;
        if self.peek_is("(") {
            matching.include = self.label_list()?;
        }
        let both = |label: &&String| matching.on && matching.labels.contains(label);
        if let Some(label) = matching.include.iter().find(both) {
            let message = format!(
                "label `{label}` stands in `on` and in the grouping; it is already kept by `on`"
            );
            return Err(ParseError::new(span, message));
        }
        Ok(())
    }

    fn fills(&mut self, op: BinaryOp, modifiers: &mut Modifiers) -> Parsed<()> {
        loop {
            if *self.peek_after() != TokenKind::Symbol("(") {
                return Ok(());
            }
            let (left, right) = if self.peek_word("fill") {
                (true, true)
            } else if self.peek_word("fill_left") {
                (true, false)
            } else if self.peek_word("fill_right") {
                (false, true)
            } else {
                return Ok(());
            };
            let span = self.bump().span;
            if op.is_set() {
                return Err(ParseError::new(span, "set operators take no fill value"));
            }
            self.expect("(")?;
            let value = Some(Number(self.signed_number()?));
            self.expect(")")?;
            modifiers.written = true;
            if left {
                modifiers.matching.fill_left = value;
            }
            if right {
                modifiers.matching.fill_right = value;
            }
        }
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: Expr,
        right: Expr,
        modifiers: Modifiers,
    ) -> Parsed<Expr> {
        let span = left.span.to(right.span);
        check::binary(op, &left, &right, &modifiers)?;
        let vectors =
            left.value_type() == ValueType::Vector && right.value_type() == ValueType::Vector;
        let binary = Binary {
            op,
            left,
            right,
            returns_bool: modifiers.returns_bool,
            matching: vectors.then_some(modifiers.matching),
        };
        node(ExprKind::Binary(Box::new(binary)), span)
    }
}
