//! The tree of a query. Every node knows where it stands in the text; comparing two trees ignores positions, so that
//! printing and parsing again gives an equal tree.

use std::fmt;
use std::time::Duration;

use model::{METRIC_NAME, MatchOp, Matcher};

use crate::{AggregateOp, BinaryOp, Function, Span, UnaryOp};

/// What an expression gives.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number.
    Scalar,
    /// One text.
    String,
    /// One number per series: an instant vector.
    Vector,
    /// A window of samples per series: a range vector.
    Matrix,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ValueType::Scalar => "a scalar",
            ValueType::String => "a string",
            ValueType::Vector => "an instant vector",
            ValueType::Matrix => "a range vector",
        })
    }
}

/// One expression with its place in the text.
#[derive(Clone, Debug)]
pub struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
    pub(crate) depth: usize,
}

impl PartialEq for Expr {
    /// Equal trees; positions are ignored.
    fn eq(&self, other: &Expr) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `1.5`, `0x1f`, `Inf`, `5m` (300)
    Number(Number),
    /// `"text"`
    String(String),
    /// `(expression)`, kept because the printer and positions need it
    Paren(Box<Expr>),
    /// `-x`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b`
    Binary(Box<Binary>),
    /// `up{job="api"}`
    Selector(VectorSelector),
    /// `up[5m]`
    Matrix(VectorSelector, Duration),
    /// `rate(x[5m])[1h:1m]`
    Subquery(Box<Subquery>),
    /// `sum by (job) (x)`
    Aggregate(Box<Aggregate>),
    /// `rate(x[5m])`
    Call(Call),
}

/// A number literal. Equality is of bits, so that `NaN` equals itself in a tree.
#[derive(Copy, Clone, Debug)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// Which series, and when relative to the evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSelector {
    /// The name written before (or quoted inside) the braces.
    pub name: Option<String>,
    /// All conditions; the first is the name's where there is a name.
    pub matchers: Vec<Matcher>,
    /// How far back to look, in milliseconds; negative looks ahead.
    pub offset_ms: i64,
    /// A fixed evaluation time.
    pub at: Option<At>,
}

/// The time that an `@` modifier fixes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// `@ 1609746000`, in milliseconds since the epoch
    Millis(i64),
    /// `@ start()`: the start of the query
    Start,
    /// `@ end()`: the end of the query
    End,
}

/// An expression evaluated at many times to give a range vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// What is evaluated.
    pub expr: Expr,
    /// How long the window is.
    pub range: Duration,
    /// The distance of its evaluations; the default step where absent.
    pub step: Option<Duration>,
    /// How far back to look, in milliseconds; negative looks ahead.
    pub offset_ms: i64,
    /// A fixed evaluation time.
    pub at: Option<At>,
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called.
    pub function: &'static Function,
    /// The arguments, checked against the function's signature.
    pub arguments: Vec<Expr>,
}

/// An aggregation over series.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// How values become one.
    pub op: AggregateOp,
    /// Which labels separate the groups.
    pub grouping: Grouping,
    /// The parameter of `topk`, `quantile`, `count_values` and their like.
    pub parameter: Option<Expr>,
    /// What is aggregated.
    pub expr: Expr,
}

/// Which labels separate the groups of an aggregation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// `by (…)`; without any clause, by none.
    By(Vec<String>),
    /// `without (…)`
    Without(Vec<String>),
}

/// An operation on two expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// What is computed.
    pub op: BinaryOp,
    /// The left side.
    pub left: Expr,
    /// The right side.
    pub right: Expr,
    /// Whether a comparison answers 0 or 1 instead of filtering.
    pub returns_bool: bool,
    /// How series of both sides find each other; only where both are vectors.
    pub matching: Option<Matching>,
}

/// How the series of two vectors find each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matching {
    /// `on (…)` rather than `ignoring (…)`.
    pub on: bool,
    /// The labels of that clause.
    pub labels: Vec<String>,
    /// How many series of each side may meet.
    pub cardinality: Cardinality,
    /// Labels that the result takes from the "one" side: those of `group_left (…)` or `group_right (…)`.
    pub include: Vec<String>,
    /// What stands for a missing series of the left side: `fill_left` or `fill`.
    pub fill_left: Option<Number>,
    /// What stands for a missing series of the right side: `fill_right` or `fill`.
    pub fill_right: Option<Number>,
}

impl Eq for Number {}

/// How many series of each side may meet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// No grouping clause.
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
    /// The set operators `and`, `or`, `unless`.
    ManyToMany,
}

/// One selector of a query, for linting and completion.
#[derive(Copy, Clone, Debug)]
pub struct SelectorRef<'a> {
    /// The metric's name, where the selector fixes one.
    pub name: Option<&'a str>,
    /// All conditions, the name's included.
    pub matchers: &'a [Matcher],
    /// The window, for a range selector.
    pub range: Option<Duration>,
    /// How far back it looks, in milliseconds; negative looks ahead.
    pub offset_ms: i64,
    /// Where it stands.
    pub span: Span,
}

impl Expr {
    /// What the expression is.
    pub fn kind(&self) -> &ExprKind {
        &self.kind
    }

    /// Where it stands in the text that was parsed.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What it gives. Parsing has checked the types, so this cannot fail.
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => inner.value_type(),
            ExprKind::Binary(binary) => {
                let scalars = binary.left.value_type() == ValueType::Scalar
                    && binary.right.value_type() == ValueType::Scalar;
                if scalars {
                    ValueType::Scalar
                } else {
                    ValueType::Vector
                }
            }
            ExprKind::Selector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix(..) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Call(call) => call.function.returns,
        }
    }

    /// All selectors, in the order of the text.
    pub fn selectors(&self) -> Vec<SelectorRef<'_>> {
        let mut found = Vec::new();
        self.visit(&mut |expr| match &expr.kind {
            ExprKind::Selector(selector) => found.push(selector_ref(selector, None, expr.span)),
            ExprKind::Matrix(selector, range) => {
                found.push(selector_ref(selector, Some(*range), expr.span));
            }
            ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Paren(_)
            | ExprKind::Unary(..)
            | ExprKind::Binary(_)
            | ExprKind::Subquery(_)
            | ExprKind::Aggregate(_)
            | ExprKind::Call(_) => {}
        });
        found
    }

    /// Calls `visitor` with this expression and everything below it, parents first, in the order of the text.
    pub fn visit<'a>(&'a self, visitor: &mut dyn FnMut(&'a Expr)) {
        visitor(self);
        for child in self.children() {
            child.visit(visitor);
        }
    }

    /// The expression without the parentheses around it.
    pub fn without_parens(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Selector(_)
            | ExprKind::Matrix(..) => Vec::new(),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => vec![inner],
            ExprKind::Binary(binary) => vec![&binary.left, &binary.right],
            ExprKind::Subquery(subquery) => vec![&subquery.expr],
            ExprKind::Aggregate(aggregate) => {
                let parameter = aggregate.parameter.as_ref();
                parameter.into_iter().chain([&aggregate.expr]).collect()
            }
            ExprKind::Call(call) => call.arguments.iter().collect(),
        }
    }

    /// A node whose depth is one more than its deepest child's.
    pub(crate) fn new(kind: ExprKind, span: Span) -> Expr {
        let mut expr = Expr {
            kind,
            span,
            depth: 1,
        };
        let below = expr.children().iter().map(|child| child.depth).max();
        expr.depth += below.unwrap_or(0);
        expr
    }
}

fn selector_ref(selector: &VectorSelector, range: Option<Duration>, span: Span) -> SelectorRef<'_> {
    let fixed = selector
        .matchers
        .iter()
        .find(|matcher| matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal);
    SelectorRef {
        name: fixed.map(Matcher::value),
        matchers: &selector.matchers,
        range,
        offset_ms: selector.offset_ms,
        span,
    }
}
