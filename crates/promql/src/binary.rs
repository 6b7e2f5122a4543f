//! Operations on two sides, and how their series find each other.
//!
//! Source of the matching rules: Prometheus, "Operators", "Vector matching".

use std::collections::{HashMap, HashSet};

use model::{Labels, LabelsBuilder, METRIC_NAME};

use crate::Span;
use crate::ast::{Binary, Cardinality, Matching};
use crate::evaluator::{Evaluator, StepValue};
use crate::operators::BinaryOp;
use crate::printer::quoted;
use crate::query::EvalError;
use crate::sample::{InstantSample, InstantVector};

/// Evaluates an operation at `at` (milliseconds).
pub(crate) fn binary(
    evaluator: &Evaluator<'_>,
    span: Span,
    binary: &Binary,
    at: i64,
) -> Result<StepValue, EvalError> {
    let left = evaluator.step(&binary.left, at)?;
    let right = evaluator.step(&binary.right, at)?;
    let vector = match (left, right) {
        (StepValue::Scalar(left), StepValue::Scalar(right)) => {
            return Ok(StepValue::Scalar(scalars(binary.op, left, right)));
        }
        (StepValue::Vector(vector), StepValue::Scalar(scalar)) => {
            with_scalar(binary, vector, |value| (value, scalar))
        }
        (StepValue::Scalar(scalar), StepValue::Vector(vector)) => {
            with_scalar(binary, vector, |value| (scalar, value))
        }
        (StepValue::Vector(left), StepValue::Vector(right)) => {
            let Some(matching) = &binary.matching else {
                return Ok(StepValue::Vector(Vec::new()));
            };
            if binary.op.is_set() {
                set(binary.op, matching, left, right)
            } else {
                Matcher {
                    binary,
                    matching,
                    span,
                }
                .join(left, right)?
            }
        }
    };
    Ok(StepValue::Vector(vector))
}

fn scalars(op: BinaryOp, left: f64, right: f64) -> f64 {
    match compare(op, left, right) {
        Some(holds) => f64::from(u8::from(holds)),
        None => compute(op, left, right),
    }
}

/// What a comparison says; `None` for operators that compute.
fn compare(op: BinaryOp, left: f64, right: f64) -> Option<bool> {
    Some(match op {
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        BinaryOp::Less => left < right,
        BinaryOp::LessEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterEqual => left >= right,
        BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Modulo
        | BinaryOp::Power
        | BinaryOp::Atan2
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Unless => return None,
    })
}

fn compute(op: BinaryOp, left: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide => left / right,
        BinaryOp::Modulo => left % right,
        BinaryOp::Power => left.powf(right),
        BinaryOp::Atan2 => left.atan2(right),
        BinaryOp::Equal
        | BinaryOp::NotEqual
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Unless => f64::NAN,
    }
}

/// The value of one pair, or `None` where a comparison filters it away.
fn value(binary: &Binary, left: f64, right: f64, kept: f64) -> Option<f64> {
    match compare(binary.op, left, right) {
        Some(holds) if binary.returns_bool => Some(f64::from(u8::from(holds))),
        Some(holds) => holds.then_some(kept),
        None => Some(compute(binary.op, left, right)),
    }
}

/// Whether the result is no longer what the metric's name says.
fn changes_meaning(binary: &Binary) -> bool {
    !binary.op.is_comparison() || binary.returns_bool
}

fn with_scalar(
    binary: &Binary,
    vector: InstantVector,
    sides: impl Fn(f64) -> (f64, f64),
) -> InstantVector {
    let computed = vector.into_iter().filter_map(|sample| {
        let (left, right) = sides(sample.value);
        Some(InstantSample {
            value: value(binary, left, right, sample.value)?,
            drop_name: sample.drop_name || changes_meaning(binary),
            labels: sample.labels,
        })
    });
    computed.collect()
}

/// The labels by which two series find each other.
fn signature(labels: &Labels, matching: &Matching) -> Labels {
    let listed = |name: &str| matching.labels.iter().any(|label| label == name);
    if matching.on {
        labels.filter(listed)
    } else {
        labels.filter(|name| name != METRIC_NAME && !listed(name))
    }
}

fn set(
    op: BinaryOp,
    matching: &Matching,
    left: InstantVector,
    right: InstantVector,
) -> InstantVector {
    let signatures = |vector: &InstantVector| -> HashSet<Labels> {
        let all = vector.iter();
        all.map(|sample| signature(&sample.labels, matching))
            .collect()
    };
    if op == BinaryOp::Or {
        let known = signatures(&left);
        let new = right
            .into_iter()
            .filter(|sample| !known.contains(&signature(&sample.labels, matching)));
        return left.into_iter().chain(new).collect();
    }
    let other = signatures(&right);
    let wanted = op == BinaryOp::And;
    left.into_iter()
        .filter(|sample| other.contains(&signature(&sample.labels, matching)) == wanted)
        .collect()
}

/// One vector-to-vector operation.
struct Matcher<'a> {
    binary: &'a Binary,
    matching: &'a Matching,
    span: Span,
}

impl Matcher<'_> {
    fn join(&self, left: InstantVector, right: InstantVector) -> Result<InstantVector, EvalError> {
        let fills = self.matching.fill_left.is_some() || self.matching.fill_right.is_some();
        if (left.is_empty() || right.is_empty()) && !fills {
            return Ok(Vec::new());
        }
        // From here on "one" is the side whose series are unique per signature.
        let swapped = self.matching.cardinality == Cardinality::OneToMany;
        let (many, one) = if swapped {
            (right, left)
        } else {
            (left, right)
        };
        let one = self.unique(one, if swapped { "left" } else { "right" })?;
        // As in Prometheus, `group_right` swaps the sides before the fill values apply: "left" is then the many side.
        let (fill_one, fill_many) = (self.matching.fill_right, self.matching.fill_left);
        let mut result = Joined::default();
        let mut matched: HashSet<Labels> = HashSet::new();
        for sample in many {
            let key = signature(&sample.labels, self.matching);
            let first = matched.insert(key.clone());
            let filler;
            let partner = match (one.index.get(&key), fill_one) {
                (Some(position), _) => &one.samples[*position],
                (None, Some(fill)) => {
                    filler = InstantSample {
                        labels: key.clone(),
                        drop_name: true,
                        value: fill.0,
                    };
                    &filler
                }
                (None, None) => continue,
            };
            self.pair(&mut result, &sample, partner, key, first)?;
        }
        if let Some(fill) = fill_many {
            for partner in &one.samples {
                let key = signature(&partner.labels, self.matching);
                if matched.insert(key.clone()) {
                    let filler = InstantSample {
                        labels: key.clone(),
                        drop_name: true,
                        value: fill.0,
                    };
                    self.pair(&mut result, &filler, partner, key, true)?;
                }
            }
        }
        Ok(result.samples)
    }

    /// Computes one pair. Pairs that a comparison filters away still count as a match, so that an ambiguous query fails
    /// at once and not only when its values happen to pass.
    fn pair(
        &self,
        result: &mut Joined,
        many: &InstantSample,
        one: &InstantSample,
        key: Labels,
        first: bool,
    ) -> Result<(), EvalError> {
        let labels = self.result_labels(&many.labels, &one.labels);
        if self.matching.cardinality == Cardinality::OneToOne {
            if !first {
                return Err(self.error(format!(
                    "multiple matches for labels {}: many-to-one matching must be explicit (group_left/group_right)",
                    show(&key)
                )));
            }
        } else if !result.seen.insert((key, labels.clone())) {
            return Err(self.error(
                "multiple matches for labels: grouping labels must ensure unique matches"
                    .to_owned(),
            ));
        }
        let swapped = self.matching.cardinality == Cardinality::OneToMany;
        let (left, right) = if swapped {
            (one.value, many.value)
        } else {
            (many.value, one.value)
        };
        if let Some(value) = value(self.binary, left, right, left) {
            result.samples.push(InstantSample {
                labels,
                drop_name: many.drop_name || changes_meaning(self.binary),
                value,
            });
        }
        Ok(())
    }

    /// The samples of the "one" side by signature.
    fn unique(&self, samples: InstantVector, side: &str) -> Result<One, EvalError> {
        let mut index = HashMap::with_capacity(samples.len());
        for (position, sample) in samples.iter().enumerate() {
            let key = signature(&sample.labels, self.matching);
            if let Some(other) = index.insert(key.clone(), position) {
                let other: &InstantSample = &samples[other];
                return Err(self.error(format!(
                    "found duplicate series for the match group {} on the {side} hand-side of the operation: [{}, {}];many-to-many matching not allowed: matching labels must be unique on one side",
                    show(&key),
                    show(&other.labels),
                    show(&sample.labels)
                )));
            }
        }
        Ok(One { samples, index })
    }

    fn result_labels(&self, many: &Labels, one: &Labels) -> Labels {
        let matching = self.matching;
        let mut labels = many.clone();
        if changes_meaning(self.binary) && !self.binary.returns_bool && matching.on {
            labels = labels.without(METRIC_NAME);
        }
        if matching.cardinality == Cardinality::OneToOne {
            let listed = |name: &str| matching.labels.iter().any(|label| label == name);
            labels = labels.filter(|name| listed(name) == matching.on);
        }
        if matching.include.is_empty() {
            return labels;
        }
        let mut builder = LabelsBuilder::from(&labels);
        for label in &matching.include {
            builder.set(label, one.get(label).unwrap_or(""));
        }
        builder.build()
    }

    fn error(&self, message: String) -> EvalError {
        EvalError::Matching {
            span: self.span,
            message,
        }
    }
}

/// The side whose signatures are unique.
struct One {
    samples: InstantVector,
    index: HashMap<Labels, usize>,
}

#[derive(Default)]
struct Joined {
    samples: InstantVector,
    seen: HashSet<(Labels, Labels)>,
}

/// Labels as Prometheus shows them in messages: the name is a label like any other.
fn show(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={}", quoted(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}
