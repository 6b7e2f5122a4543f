//! The evaluator: resolves every selector once for all steps, then evaluates the tree step by step.
//!
//! A later issue makes this columnar; until then one select per selector and one pass per subquery keep the store's
//! work proportional to the query's range, whatever the number of steps.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use model::{Labels, Selection, SeriesSource, SourceError, Timestamp};
use regex::{Regex, RegexBuilder};

use crate::annotation::Annotations;
use crate::ast::{At, Expr, ExprKind, Subquery, VectorSelector};
use crate::operators::UnaryOp;
use crate::parser::PATTERNS_MAX;
use crate::query::EvalError;
use crate::sample::{InstantSample, InstantVector};
use crate::window::{Column, Window};
use crate::{Limits, Span, aggregate, binary, functions};

/// The largest compiled form of a pattern in `label_replace`, in bytes; the same as for matchers.
const REGEX_SIZE_MAX: usize = 1 << 20;

/// The times of a query, in milliseconds. An instant query starts where it ends and has no step.
#[derive(Copy, Clone, Debug)]
pub(crate) struct QueryTimes {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) step: i64,
    pub(crate) is_range: bool,
}

/// What an expression gives at one step.
#[derive(Clone, Debug)]
pub(crate) enum StepValue {
    Scalar(f64),
    Vector(InstantVector),
}

/// One query over one source.
pub(crate) struct Evaluator<'a> {
    source: &'a dyn SeriesSource,
    limits: &'a Limits,
    pub(crate) query: QueryTimes,
    /// Samples of each selector and subquery, by the node's address: the tree is borrowed and cannot move meanwhile.
    data: HashMap<*const Expr, Vec<Column>>,
    annotations: RefCell<Annotations>,
    samples: Cell<usize>,
    visits: Cell<u64>,
    patterns: RefCell<HashMap<String, Rc<Regex>>>,
}

impl<'a> Evaluator<'a> {
    /// Loads everything that `expr` needs at the query's times.
    pub(crate) fn new(
        source: &'a dyn SeriesSource,
        limits: &'a Limits,
        query: QueryTimes,
        expr: &Expr,
    ) -> Result<Evaluator<'a>, EvalError> {
        let mut evaluator = Evaluator {
            source,
            limits,
            query,
            data: HashMap::new(),
            annotations: RefCell::default(),
            samples: Cell::new(0),
            visits: Cell::new(0),
            patterns: RefCell::default(),
        };
        evaluator.load(expr, query.start, query.end)?;
        Ok(evaluator)
    }

    pub(crate) fn into_annotations(self) -> Annotations {
        self.annotations.into_inner()
    }

    pub(crate) fn warn(&self, span: Span, message: impl std::fmt::Display) {
        self.annotations.borrow_mut().warn(span, message);
    }

    pub(crate) fn info(&self, span: Span, message: impl std::fmt::Display) {
        self.annotations.borrow_mut().info(span, message);
    }

    /// Counts samples that are kept in memory.
    pub(crate) fn spend(&self, samples: usize) -> Result<(), EvalError> {
        let total = self.samples.get().saturating_add(samples);
        self.samples.set(total);
        if total > self.limits.samples_max {
            return Err(EvalError::TooManySamples {
                limit: self.limits.samples_max,
            });
        }
        Ok(())
    }

    fn visit(&self, samples: usize) -> Result<(), EvalError> {
        let total = self.visits.get().saturating_add(samples as u64);
        self.visits.set(total);
        if total > self.limits.visits_max {
            return Err(EvalError::TooManyVisits {
                limit: self.limits.visits_max,
            });
        }
        Ok(())
    }

    /// Loads the data for evaluations of `expr` at times from `first` to `last`.
    fn load(&mut self, expr: &Expr, first: i64, last: i64) -> Result<(), EvalError> {
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::String(_) => Ok(()),
            ExprKind::Paren(inner) | ExprKind::Unary(_, inner) => self.load(inner, first, last),
            ExprKind::Binary(binary) => {
                self.load(&binary.left, first, last)?;
                self.load(&binary.right, first, last)
            }
            ExprKind::Aggregate(aggregate) => {
                if let Some(parameter) = &aggregate.parameter {
                    self.load(parameter, first, last)?;
                }
                self.load(&aggregate.expr, first, last)
            }
            ExprKind::Call(call) => call
                .arguments
                .iter()
                .try_for_each(|argument| self.load(argument, first, last)),
            ExprKind::Selector(selector) => {
                let columns = self.select(selector, self.limits.lookback, first, last)?;
                self.data.insert(expr, columns);
                Ok(())
            }
            ExprKind::Matrix(selector, range) => {
                let columns = self.select(selector, *range, first, last)?;
                let columns = columns.into_iter().map(Column::without_stale_markers);
                self.data.insert(expr, columns.collect());
                Ok(())
            }
            ExprKind::Subquery(subquery) => {
                let columns = self.run_subquery(subquery, first, last)?;
                self.data.insert(expr, columns);
                Ok(())
            }
        }
    }

    fn select(
        &self,
        selector: &VectorSelector,
        length: Duration,
        first: i64,
        last: i64,
    ) -> Result<Vec<Column>, EvalError> {
        let first = self.reference(selector.at, selector.offset_ms, first);
        let last = self.reference(selector.at, selector.offset_ms, last);
        let from = first.saturating_sub(millis(length)).saturating_add(1);
        let samples_max = self.limits.samples_max - self.samples.get().min(self.limits.samples_max);
        let selection = Selection {
            matchers: &selector.matchers,
            from: Timestamp::from_millis(from),
            to: Timestamp::from_millis(last),
            samples_max,
        };
        let found = self
            .source
            .select(&selection)
            .map_err(|error| match error {
                SourceError::TooManySamples { .. } => EvalError::TooManySamples {
                    limit: self.limits.samples_max,
                },
                other @ SourceError::Unavailable(_) => EvalError::Source(other),
            })?;
        self.spend(found.iter().map(|series| series.values.len()).sum())?;
        let columns = found.into_iter().map(|series| Column {
            labels: series.labels,
            drop_name: false,
            times: series.timestamps,
            values: series.values,
        });
        Ok(columns.collect())
    }

    /// Evaluates a subquery's expression once at every time that any step will look at.
    fn run_subquery(
        &mut self,
        subquery: &Subquery,
        first: i64,
        last: i64,
    ) -> Result<Vec<Column>, EvalError> {
        let first = self.reference(subquery.at, subquery.offset_ms, first);
        let last = self.reference(subquery.at, subquery.offset_ms, last);
        let step = millis(subquery.step.unwrap_or(self.limits.subquery_step)).max(1);
        // Times are multiples of the step, so that the same moments are looked at whenever the query runs.
        let left = first.saturating_sub(millis(subquery.range));
        let start = left.div_euclid(step).saturating_add(1).saturating_mul(step);
        let count = (last.saturating_sub(start))
            .div_euclid(step)
            .saturating_add(1);
        // Each evaluation costs at least one, or an empty expression could run for ever.
        self.spend(usize::try_from(count.max(0)).unwrap_or(usize::MAX))?;
        if count <= 0 {
            return Ok(Vec::new());
        }
        self.load(&subquery.expr, start, start + (count - 1) * step)?;
        let mut columns: Vec<Column> = Vec::new();
        let mut index: HashMap<(Labels, bool), usize> = HashMap::new();
        for number in 0..count {
            let at = start + number * step;
            let time = Timestamp::from_millis(at);
            for sample in self.step(&subquery.expr, at)?.into_vector() {
                self.spend(1)?;
                let key = (sample.labels.clone(), sample.drop_name);
                let position = *index.entry(key).or_insert_with(|| {
                    columns.push(Column {
                        labels: sample.labels,
                        drop_name: sample.drop_name,
                        times: Vec::new(),
                        values: Vec::new(),
                    });
                    columns.len() - 1
                });
                let column = &mut columns[position];
                if column.times.last() == Some(&time) {
                    let span = subquery.expr.span();
                    return Err(EvalError::DuplicateSeries { span });
                }
                column.times.push(time);
                column.values.push(sample.value);
            }
        }
        columns.sort_by(|a, b| a.labels.cmp(&b.labels));
        Ok(columns)
    }

    /// The time that a selector looks at when the evaluation is at `at`.
    fn reference(&self, fixed: Option<At>, offset_ms: i64, at: i64) -> i64 {
        let at = match fixed {
            Some(At::Millis(millis)) => millis,
            Some(At::Start) => self.query.start,
            Some(At::End) => self.query.end,
            None => at,
        };
        at.saturating_sub(offset_ms)
    }

    /// Evaluates an expression that is a scalar or an instant vector.
    pub(crate) fn step(&self, expr: &Expr, at: i64) -> Result<StepValue, EvalError> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(StepValue::Scalar(number.0)),
            ExprKind::Paren(inner) => self.step(inner, at),
            ExprKind::Unary(op, operand) => Ok(sign(*op, self.step(operand, at)?)),
            ExprKind::Binary(binary) => binary::binary(self, expr.span(), binary, at),
            ExprKind::Selector(selector) => {
                let vector = self.latest(expr, selector, at, |_, value| value)?;
                Ok(StepValue::Vector(vector))
            }
            ExprKind::Aggregate(aggregate) => {
                let vector = aggregate::aggregate(self, aggregate, at)?;
                Ok(StepValue::Vector(vector))
            }
            ExprKind::Call(call) => functions::call(self, expr, call, at),
            // The parser lets these through only where nothing evaluates them step by step.
            ExprKind::String(_) | ExprKind::Matrix(..) | ExprKind::Subquery(_) => {
                Err(EvalError::BadExpression {
                    span: expr.span(),
                    message: format!("{} has no value at one time", expr.value_type()),
                })
            }
        }
    }

    pub(crate) fn vector(&self, expr: &Expr, at: i64) -> Result<InstantVector, EvalError> {
        Ok(self.step(expr, at)?.into_vector())
    }

    pub(crate) fn scalar(&self, expr: &Expr, at: i64) -> Result<f64, EvalError> {
        match self.step(expr, at)? {
            StepValue::Scalar(value) => Ok(value),
            StepValue::Vector(_) => Ok(f64::NAN),
        }
    }

    /// The latest sample of every series of a selector, as `value` sees it.
    pub(crate) fn latest(
        &self,
        expr: &Expr,
        selector: &VectorSelector,
        at: i64,
        value: impl Fn(Timestamp, f64) -> f64,
    ) -> Result<InstantVector, EvalError> {
        let at = self.reference(selector.at, selector.offset_ms, at);
        let columns = self.columns(expr);
        self.visit(columns.len())?;
        let vector = columns.iter().filter_map(|column| {
            let (time, found) = column.latest(at, self.limits.lookback)?;
            Some(InstantSample {
                labels: column.labels.clone(),
                drop_name: false,
                value: value(time, found),
            })
        });
        Ok(vector.collect())
    }

    /// Shows every non-empty window of a range vector to `look`.
    pub(crate) fn windows(
        &self,
        expr: &Expr,
        at: i64,
        mut look: impl FnMut(&Column, &Window<'_>) -> Result<(), EvalError>,
    ) -> Result<(), EvalError> {
        let expr = expr.without_parens();
        let (fixed, offset_ms, range) = match &expr.kind {
            ExprKind::Matrix(selector, range) => (selector.at, selector.offset_ms, *range),
            ExprKind::Subquery(subquery) => (subquery.at, subquery.offset_ms, subquery.range),
            _ => return Ok(()),
        };
        let end = self.reference(fixed, offset_ms, at);
        let start = end.saturating_sub(millis(range));
        for column in self.columns(expr) {
            let window = column.window(start, end, at);
            self.visit(window.values.len() + 1)?;
            if !window.values.is_empty() {
                look(column, &window)?;
            }
        }
        Ok(())
    }

    fn columns(&self, expr: &Expr) -> &[Column] {
        let key: *const Expr = expr;
        self.data.get(&key).map_or(&[], Vec::as_slice)
    }

    /// A compiled pattern that must match a whole value, compiled once per query.
    pub(crate) fn pattern(&self, text: &str, span: Span) -> Result<Rc<Regex>, EvalError> {
        if let Some(known) = self.patterns.borrow().get(text) {
            return Ok(known.clone());
        }
        if self.patterns.borrow().len() >= PATTERNS_MAX {
            let message = format!("a query may have {PATTERNS_MAX} regular expressions");
            return Err(EvalError::BadExpression { span, message });
        }
        let compile = |pattern: &str| {
            let built = RegexBuilder::new(pattern)
                .size_limit(REGEX_SIZE_MAX)
                .build();
            built.map_err(|error| EvalError::BadExpression {
                span,
                message: format!("invalid regular expression: {error}"),
            })
        };
        // The bare pattern first: wrapped in a group, `a)(b` would become valid.
        compile(text)?;
        let pattern = Rc::new(compile(&format!("^(?s:{text})$"))?);
        self.patterns
            .borrow_mut()
            .insert(text.to_owned(), pattern.clone());
        Ok(pattern)
    }
}

impl StepValue {
    pub(crate) fn into_vector(self) -> InstantVector {
        match self {
            StepValue::Scalar(value) => vec![InstantSample::unlabelled(value)],
            StepValue::Vector(vector) => vector,
        }
    }
}

fn sign(op: UnaryOp, value: StepValue) -> StepValue {
    match (op, value) {
        (UnaryOp::Plus, value) => value,
        (UnaryOp::Minus, StepValue::Scalar(value)) => StepValue::Scalar(-value),
        (UnaryOp::Minus, StepValue::Vector(mut vector)) => {
            for sample in &mut vector {
                sample.value = -sample.value;
                sample.drop_name = true;
            }
            StepValue::Vector(vector)
        }
    }
}

pub(crate) fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
