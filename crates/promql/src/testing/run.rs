//! Runs the commands of a file. Every instant case runs three ways, which must agree: as it is; pinned with `@` and asked
//! at other times; and as the middle of a short range.

use std::time::Duration;

use model::{Labels, METRIC_NAME, Timestamp};

use super::compare;
use super::memory::{MemorySource, matches};
use super::pin::{depends_on_range, pinned};
use super::points::Point;
use super::script::{Command, Eval, Load, Text, When, read};
use super::{Failure, Report, ScriptError};
use crate::{Answer, EvalError, Expr, Limits, Value, instant, parse, range};

/// How far from its own time a pinned query is asked, in milliseconds.
const PINNED_SHIFTS: [i64; 3] = [-600_000, 1, 86_400_000];

/// The distance of the steps around an instant.
const STEP: Duration = Duration::from_secs(60);

/// Runs one file.
///
/// # Errors
/// [`ScriptError`] for the first line that is not in the language; nothing is run then.
pub fn run(text: &str) -> Result<Report, ScriptError> {
    let mut store = Store::default();
    let mut report = Report::default();
    for command in read(text)? {
        match command {
            Command::Clear => store = Store::default(),
            Command::Load(load) => store.load(&load),
            Command::Eval(eval) => store.judge(&eval, &mut report),
        }
    }
    Ok(report)
}

#[derive(Default)]
struct Store {
    source: MemorySource,
    /// Series that hold native histograms, which the sample model cannot.
    native: Vec<Labels>,
    limits: Limits,
}

impl Store {
    fn load(&mut self, load: &Load) {
        for (labels, points) in &load.series {
            for (index, point) in points.iter().enumerate() {
                let at = Timestamp::from_millis(index as i64 * load.step);
                match point {
                    Point::Gap => {}
                    Point::Float(value) => self.source.insert(labels, at, *value),
                    Point::NativeHistogram => self.note_native(labels.clone()),
                }
            }
            let name = labels.metric_name();
            if let Some(base) = name.strip_suffix("_bucket").filter(|_| load.with_native) {
                self.note_native(labels.without("le").with(METRIC_NAME, base));
            }
        }
    }

    fn note_native(&mut self, labels: Labels) {
        if !self.native.contains(&labels) {
            self.native.push(labels);
        }
    }

    fn judge(&self, eval: &Eval, report: &mut Report) {
        let parsed = parse(&eval.query);
        if self.is_native(eval, parsed.as_ref().ok()) {
            report.native_histogram += 1;
            return;
        }
        report.total += 1;
        let judged = match &parsed {
            Ok(expr) => self.run(eval, expr),
            Err(error) => expect_failure(eval, &error.to_string()),
        };
        match judged {
            Ok(()) => report.passed += 1,
            Err(reason) => report.failures.push(Failure {
                line: eval.line,
                query: eval.query.clone(),
                reason,
            }),
        }
    }

    fn is_native(&self, eval: &Eval, expr: Option<&Expr>) -> bool {
        let expected = eval
            .series
            .iter()
            .any(|(_, points)| points.contains(&Point::NativeHistogram));
        let selectors = expr.map(Expr::selectors).unwrap_or_default();
        expected
            || selectors.iter().any(|selector| {
                let mut native = self.native.iter();
                native.any(|labels| matches(labels, selector.matchers))
            })
    }

    fn run(&self, eval: &Eval, expr: &Expr) -> Result<(), String> {
        let answer = match self.ask(expr, eval.when) {
            Ok(answer) => answer,
            Err(error) => return expect_failure(eval, &error.to_string()),
        };
        if eval.fail.is_some() {
            return Err(format!("expected a failure, got {:?}", answer.value));
        }
        compare::value(eval, &answer.value)?;
        compare::notes("warnings", &eval.warn, &answer.warnings, &eval.query)?;
        compare::notes("infos", &eval.info, &answer.infos, &eval.query)?;
        match eval.when {
            When::Instant(at) => self.run_otherwise(eval, expr, at, &answer.value),
            When::Range { .. } => Ok(()),
        }
    }

    fn ask(&self, expr: &Expr, when: When) -> Result<Answer, EvalError> {
        match when {
            When::Instant(at) => {
                instant(&self.source, expr, Timestamp::from_millis(at), &self.limits)
            }
            When::Range { from, to, step } => range(
                &self.source,
                expr,
                Timestamp::from_millis(from),
                Timestamp::from_millis(to),
                Duration::from_millis(step.max(0) as u64),
                &self.limits,
            ),
        }
    }

    fn run_otherwise(
        &self,
        eval: &Eval,
        expr: &Expr,
        at: i64,
        value: &Value,
    ) -> Result<(), String> {
        let printed = expr.to_string();
        if parse(&printed).as_ref() != Ok(expr) {
            return Err(format!("printed as {printed}, which reads differently"));
        }
        if let Some(pinned) = pinned(expr, at) {
            for shift in PINNED_SHIFTS {
                let answer = self.ask(&pinned, When::Instant(at + shift));
                let answer = answer.map_err(|error| format!("{pinned}: {error}"))?;
                compare::value(eval, &answer.value)
                    .map_err(|reason| format!("{pinned} at {}: {reason}", at + shift))?;
            }
        }
        let in_range = !eval.ordered
            && !depends_on_range(expr)
            && matches!(value, Value::Scalar(_) | Value::Vector(_));
        if in_range {
            self.run_in_range(eval, expr, at)
                .map_err(|reason| format!("as a range: {reason}"))?;
        }
        Ok(())
    }

    fn run_in_range(&self, eval: &Eval, expr: &Expr, at: i64) -> Result<(), String> {
        let middle = Timestamp::from_millis(at);
        let (from, to) = (middle - STEP, middle + STEP);
        let answer = range(&self.source, expr, from, to, STEP, &self.limits);
        let answer = answer.map_err(|error| error.to_string())?;
        let found = compare::at_step(&answer.value, middle);
        match eval.scalar {
            None => compare::vector(eval, &found),
            Some(expected) => match found.as_slice() {
                [(_, value)] if compare::equal(expected, *value) => Ok(()),
                _ => Err(format!("expected {expected}, got {found:?}")),
            },
        }
    }
}

fn expect_failure(eval: &Eval, message: &str) -> Result<(), String> {
    match &eval.fail {
        Some(expected) if expected.matches(message) => Ok(()),
        Some(Text::Exactly(expected)) => Err(format!(
            "expected the failure {expected:?}, got {message:?}"
        )),
        Some(Text::Matching(pattern)) => Err(format!(
            "expected a failure like {pattern}, got {message:?}"
        )),
        Some(Text::Any) | None => Err(format!("failed: {message}")),
    }
}
