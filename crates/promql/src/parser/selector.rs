//! Selectors and what may follow an expression: `{…}`, `[range]`, `[range:step]`, `offset`, `@`.

use std::time::Duration;

use model::{METRIC_NAME, MatchOp, Matcher, Timestamp};

use super::{PATTERNS_MAX, ParseError, Parsed, Parser, check, node};
use crate::ast::{At, Expr, ExprKind, Subquery, VectorSelector};
use crate::lexer::TokenKind;
use crate::{Span, ValueType};

/// The most matchers of one selector: every series of a store may be tried against each of them.
const MATCHERS_MAX: usize = 200;

impl Parser {
    /// A selector whose name, if it has one before the braces, is already read.
    pub(super) fn selector(&mut self, name: Option<(String, Span)>) -> Parsed<Expr> {
        let start = name.as_ref().map_or(self.peek().span, |(_, span)| *span);
        let mut span = start;
        let mut selector = VectorSelector {
            name: None,
            matchers: Vec::new(),
            offset_ms: 0,
            at: None,
        };
        if let Some((name, _)) = name {
            set_name(&mut selector, name, start)?;
        }
        if self.peek_is("{") {
            span = span.to(self.braces(&mut selector)?);
        }
        check::selector(&selector, span)?;
        node(ExprKind::Selector(selector), span)
    }

    fn braces(&mut self, selector: &mut VectorSelector) -> Parsed<Span> {
        self.expect("{")?;
        while !self.peek_is("}") {
            self.matcher(selector)?;
            if !self.eat(",") {
                break;
            }
        }
        self.expect("}")
    }

    fn matcher(&mut self, selector: &mut VectorSelector) -> Parsed<()> {
        let start = self.peek().span;
        let quoted = matches!(self.peek().kind, TokenKind::String(_));
        let label = self.label_name()?;
        let Some(op) = self.match_op() else {
            if quoted && (self.peek_is(",") || self.peek_is("}")) {
                return set_name(selector, label, start);
            }
            let found = self.peek();
            let message = format!(
                "expected `=`, `!=`, `=~` or `!~` after the label's name, found {}",
                found.kind.describe()
            );
            return Err(ParseError::new(found.span, message));
        };
        let token = self.bump();
        let TokenKind::String(value) = &token.kind else {
            let message = format!(
                "expected a string in quotes, found {}",
                token.kind.describe()
            );
            return Err(ParseError::new(token.span, message));
        };
        if label == METRIC_NAME && selector.name.is_some() {
            let message = "the metric's name is set twice; keep the one before the braces";
            return Err(ParseError::new(start.to(token.span), message));
        }
        if matches!(op, MatchOp::Regex | MatchOp::NotRegex) {
            self.patterns += 1;
        }
        if self.patterns > PATTERNS_MAX {
            let message = format!("a query may have {PATTERNS_MAX} regular expressions");
            return Err(ParseError::new(token.span, message));
        }
        if selector.matchers.len() >= MATCHERS_MAX {
            let message = format!("a selector may have {MATCHERS_MAX} matchers");
            return Err(ParseError::new(token.span, message));
        }
        let matcher = Matcher::new(&label, op, value)
            .map_err(|error| ParseError::new(token.span, error.to_string()))?;
        selector.matchers.push(matcher);
        Ok(())
    }

    fn match_op(&mut self) -> Option<MatchOp> {
        let all = [
            MatchOp::Equal,
            MatchOp::NotEqual,
            MatchOp::Regex,
            MatchOp::NotRegex,
        ];
        let op = all.into_iter().find(|op| self.peek_is(op.as_str()))?;
        self.bump();
        Some(op)
    }

    /// What may follow any expression, repeatedly.
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            let token = self.peek().clone();
            let nested = expr.depth;
            if self.peek_is("[") {
                expr = self.brackets(expr)?;
            } else if self.peek_word("offset") {
                self.bump();
                let offset_ms = self.signed_millis("offset")?;
                let span = self.span_since(&expr);
                set_offset(&mut expr, offset_ms, token.span)?;
                expr.span = span;
            } else if self.eat("@") {
                let at = self.at()?;
                let span = self.span_since(&expr);
                set_at(&mut expr, at, token.span)?;
                expr.span = span;
            } else {
                return Ok(expr);
            }
            debug_assert!(expr.depth <= nested + 1, "one bracket adds one level");
        }
    }

    fn brackets(&mut self, expr: Expr) -> Parsed<Expr> {
        self.expect("[")?;
        let range = self.length("range")?;
        if self.eat(":") {
            let step = if self.peek_is("]") {
                None
            } else {
                Some(self.length("step")?)
            };
            self.expect("]")?;
            return self.subquery(expr, range, step);
        }
        let close = self.expect("]")?;
        let span = expr.span.to(close);
        let ExprKind::Selector(selector) = expr.kind else {
            let message = "a range follows a selector only; write `[range:]` to evaluate an expression over time";
            return Err(ParseError::new(span, message));
        };
        if selector.offset_ms != 0 || selector.at.is_some() {
            let message = "`offset` and `@` come after the range: `metric[5m] offset 1h`";
            return Err(ParseError::new(span, message));
        }
        node(ExprKind::Matrix(selector, range), span)
    }

    fn subquery(&mut self, expr: Expr, range: Duration, step: Option<Duration>) -> Parsed<Expr> {
        let span = self.span_since(&expr);
        if expr.value_type() != ValueType::Vector && expr.value_type() != ValueType::Scalar {
            let message = format!(
                "a subquery needs an instant vector, and this is {}",
                expr.value_type()
            );
            return Err(ParseError::new(expr.span, message));
        }
        let subquery = Subquery {
            expr,
            range,
            step,
            offset_ms: 0,
            at: None,
        };
        node(ExprKind::Subquery(Box::new(subquery)), span)
    }

    fn span_since(&self, expr: &Expr) -> Span {
        expr.span.to(self.tokens[self.index - 1].span)
    }

    /// A positive length: `5m`, or seconds as a number.
    fn length(&mut self, what: &str) -> Parsed<Duration> {
        let start = self.peek().span;
        let millis = self.signed_millis(what)?;
        if millis <= 0 {
            let message = format!("the {what} must be longer than nothing, such as `5m`");
            return Err(ParseError::new(start, message));
        }
        Ok(Duration::from_millis(millis as u64))
    }

    fn signed_millis(&mut self, what: &str) -> Parsed<i64> {
        let start = self.peek().span;
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        let token = self.bump();
        let millis = match token.kind {
            TokenKind::Duration(millis) => millis as f64,
            TokenKind::Number(seconds) => (seconds * 1000.0).round(),
            other => {
                let message = format!(
                    "the {what} is a duration such as `5m` or a number of seconds, found {}",
                    other.describe()
                );
                return Err(ParseError::new(token.span, message));
            }
        };
        // Nine thousand years are enough, and keep every sum of a few of them within i64.
        if !(0.0..=MILLIS_MAX).contains(&millis) {
            let message = format!("the {what} is too long");
            return Err(ParseError::new(start.to(token.span), message));
        }
        let millis = millis as i64;
        Ok(if negative { -millis } else { millis })
    }

    fn at(&mut self) -> Parsed<At> {
        let start = self.peek().span;
        for (word, at) in [("start", At::Start), ("end", At::End)] {
            if self.eat_word(word) {
                self.expect("(")?;
                self.expect(")")?;
                return Ok(at);
            }
        }
        let seconds = self.signed_number()?;
        if !seconds.is_finite() || seconds.abs() * 1000.0 > MILLIS_MAX {
            let message = "`@` needs a time in seconds since 1970, start() or end()";
            return Err(ParseError::new(start, message));
        }
        Ok(At::Millis(Timestamp::from_secs_f64(seconds).as_millis()))
    }
}

/// The longest offset, range or time that the grammar accepts, in milliseconds.
const MILLIS_MAX: f64 = 284e12;

fn set_name(selector: &mut VectorSelector, name: String, span: Span) -> Parsed<()> {
    let named = |matcher: &Matcher| matcher.name() == METRIC_NAME;
    if selector.matchers.iter().any(named) {
        let message = "the metric's name is set twice; keep the one before the braces";
        return Err(ParseError::new(span, message));
    }
    selector
        .matchers
        .insert(0, Matcher::equal(METRIC_NAME, &name));
    selector.name = Some(name);
    Ok(())
}

fn set_offset(expr: &mut Expr, offset_ms: i64, span: Span) -> Parsed<()> {
    let slot = match &mut expr.kind {
        ExprKind::Selector(selector) | ExprKind::Matrix(selector, _) => &mut selector.offset_ms,
        ExprKind::Subquery(subquery) => &mut subquery.offset_ms,
        _ => {
            let message = "`offset` follows a selector or a subquery: write it inside the call";
            return Err(ParseError::new(span, message));
        }
    };
    if *slot != 0 {
        let message = "`offset` stands here twice; keep one";
        return Err(ParseError::new(span, message));
    }
    *slot = offset_ms;
    Ok(())
}

fn set_at(expr: &mut Expr, at: At, span: Span) -> Parsed<()> {
    let slot = match &mut expr.kind {
        ExprKind::Selector(selector) | ExprKind::Matrix(selector, _) => &mut selector.at,
        ExprKind::Subquery(subquery) => &mut subquery.at,
        _ => {
            let message = "`@` follows a selector or a subquery: write it inside the call";
            return Err(ParseError::new(span, message));
        }
    };
    if slot.is_some() {
        let message = "`@` stands here twice; keep one";
        return Err(ParseError::new(span, message));
    }
    *slot = Some(at);
    Ok(())
}
