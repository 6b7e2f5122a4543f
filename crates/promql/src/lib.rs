//! PromQL: parse, type, print, evaluate. The same text over the same data gives the same answer.
//!
//! Promise: knows no store, no clock and no IO. Data comes through [`model::SeriesSource`], times come as arguments.
//!
//! Source of the language and of every formula: the Prometheus 3 documentation ("Querying basics", "Operators",
//! "Functions") and the behaviour that its published test cases pin down; see `testdata/` for our own cases.
//! Native histograms are not part of the sample model yet, so functions over them answer with an empty vector.
//!
//! Reading order: [`parse`] gives an [`Expr`]; [`instant`] and [`range`] evaluate one over a source and give an [`Answer`].

mod aggregate;
mod annotation;
mod ast;
mod binary;
mod evaluator;
mod float;
mod functions;
mod histogram;
mod lexer;
mod limits;
mod operators;
mod parser;
mod printer;
mod query;
mod sample;
mod span;
mod sum;
pub mod testing;
mod window;

pub use annotation::Annotation;
pub use ast::{
    Aggregate, At, Binary, Call, Cardinality, Expr, ExprKind, Grouping, Matching, Number,
    SelectorRef, Subquery, ValueType, VectorSelector,
};
pub use functions::{Function, Optional, function_names, functions};
pub use limits::Limits;
pub use operators::{AggregateOp, BinaryOp, UnaryOp};
pub use parser::{DEPTH_MAX, PATTERNS_MAX, ParseError, TEXT_LENGTH_MAX, parse};
pub use query::{Answer, EvalError, MatrixSeries, Value, VectorSample, instant, range};
pub use span::Span;
