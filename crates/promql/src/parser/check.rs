//! The type rules. Each check gets a node's parts before the node is made, so messages can name the part that is wrong.

use std::cmp::Reverse;

use super::operation::Modifiers;
use super::{ParseError, Parsed};
use crate::ast::{Expr, VectorSelector};
use crate::functions::{Function, function_names};
use crate::operators::{AggregateOp, BinaryOp};
use crate::{Span, ValueType};

/// A name this many edits away is offered as what was meant.
const SUGGESTION_DISTANCE_MAX: usize = 3;

/// Names longer than this are no misspelt function, and comparing them would only cost time.
const SUGGESTION_LENGTH_MAX: usize = 64;

pub(super) fn selector(selector: &VectorSelector, span: Span) -> Parsed<()> {
    let selective = selector
        .matchers
        .iter()
        .any(|matcher| !matcher.matches_empty());
    if selective {
        return Ok(());
    }
    let message = "this selects every series; name a metric or add a matcher that the empty text does not satisfy";
    Err(ParseError::new(span, message))
}

pub(super) fn operand(expr: &Expr) -> Parsed<()> {
    match expr.value_type() {
        ValueType::Scalar | ValueType::Vector => Ok(()),
        other @ (ValueType::String | ValueType::Matrix) => Err(ParseError::new(
            expr.span,
            format!("an operator needs scalars or instant vectors, and this is {other}"),
        )),
    }
}

pub(super) fn binary(op: BinaryOp, left: &Expr, right: &Expr, modifiers: &Modifiers) -> Parsed<()> {
    operand(left)?;
    operand(right)?;
    let scalars = [left, right].map(|side| side.value_type() == ValueType::Scalar);
    let span = left.span.to(right.span);
    if modifiers.returns_bool && !op.is_comparison() {
        let message = "`bool` belongs to comparisons only";
        return Err(ParseError::new(modifiers.span, message));
    }
    if scalars == [true, true] && op.is_comparison() && !modifiers.returns_bool {
        let message = format!("comparing two scalars needs `bool`: `{} bool`", op.as_str());
        return Err(ParseError::new(span, message));
    }
    if scalars != [false, false] {
        if op.is_set() {
            let message = format!("`{}` needs an instant vector on both sides", op.as_str());
            return Err(ParseError::new(span, message));
        }
        if modifiers.written {
            let message = "matching labels needs an instant vector on both sides";
            return Err(ParseError::new(modifiers.span, message));
        }
    }
    Ok(())
}

pub(super) fn aggregate(op: AggregateOp, arguments: &[Expr], span: Span) -> Parsed<()> {
    let wanted: Vec<ValueType> = op
        .parameter_type()
        .into_iter()
        .chain([ValueType::Vector])
        .collect();
    if arguments.len() != wanted.len() {
        let message = format!(
            "`{}` takes {} argument(s), found {}",
            op.as_str(),
            wanted.len(),
            arguments.len()
        );
        return Err(ParseError::new(span, message));
    }
    for (argument, wanted) in arguments.iter().zip(wanted) {
        expect_type(op.as_str(), argument, wanted)?;
    }
    Ok(())
}

pub(super) fn arguments(function: &'static Function, arguments: &[Expr], span: Span) -> Parsed<()> {
    let (least, most) = function.argument_counts();
    let too_many = most.is_some_and(|most| arguments.len() > most);
    if arguments.len() < least || too_many {
        let message = format!(
            "`{}` takes other arguments: {}",
            function.name,
            function.signature()
        );
        return Err(ParseError::new(span, message));
    }
    for (index, argument) in arguments.iter().enumerate() {
        expect_type(function.name, argument, function.argument_type(index))?;
    }
    Ok(())
}

fn expect_type(name: &str, argument: &Expr, wanted: ValueType) -> Parsed<()> {
    let found = argument.value_type();
    if found == wanted {
        return Ok(());
    }
    let hint = match (wanted, found) {
        (ValueType::Matrix, ValueType::Vector) => "; add a range such as `[5m]`",
        (ValueType::Vector, ValueType::Matrix) => {
            "; leave the range away or wrap it, for example in rate()"
        }
        (ValueType::Vector, ValueType::Scalar) => "; vector() makes one of a scalar",
        (ValueType::Scalar, ValueType::Vector) => "; scalar() makes one of a single series",
        _ => "",
    };
    let message = format!("`{name}` needs {wanted} here, and this is {found}{hint}");
    Err(ParseError::new(argument.span, message))
}

pub(super) fn unknown_function(name: &str, span: Span) -> ParseError {
    let nearest = function_names()
        .filter(|_| name.len() <= SUGGESTION_LENGTH_MAX)
        // Of equally near names, the one that begins alike the longest: people err at the end.
        .map(|known| (distance(name, known), Reverse(prefix(name, known)), known))
        .filter(|(distance, ..)| *distance <= SUGGESTION_DISTANCE_MAX)
        .min();
    let hint = nearest.map_or(String::new(), |(.., known)| {
        format!("; did you mean `{known}`?")
    });
    ParseError::new(span, format!("there is no function `{name}`{hint}"))
}

fn prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count()
}

/// The number of single-letter edits between two names (Levenshtein), row by row.
fn distance(a: &str, b: &str) -> usize {
    let b = b.as_bytes();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
