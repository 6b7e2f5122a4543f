//! What operators and aggregations make of what is known about their sides.

use promql::{
    Aggregate, AggregateOp, Binary, BinaryOp, Cardinality, ExprKind, Grouping, ValueType,
};

use super::{Facts, Inferred, LabelSet, Nature, Share, Unit, Values, shares};

/// An operation on two sides.
pub(super) fn binary(binary: &Binary, left: &Inferred<'_>, right: &Inferred<'_>) -> Facts {
    let labels = labels(binary, left, right);
    let (left_facts, right_facts) = (&left.facts, &right.facts);
    if binary.op.is_set() {
        return set(binary.op, left_facts, right_facts, labels);
    }
    if binary.op.is_comparison() {
        return comparison(binary, left_facts, right_facts, labels);
    }
    let share = shares::of_operation(binary.op, left, right);
    let values = left_facts.values.computed(binary.op, right_facts.values);
    Facts {
        nature: nature(left_facts.nature, right_facts.nature),
        unit: unit(binary.op, left_facts, right_facts),
        values: match share {
            Share::Surely => Values::SHARE,
            Share::Likely | Share::No => values,
        },
        labels,
        share,
    }
}

fn set(op: BinaryOp, left: &Facts, right: &Facts, labels: LabelSet) -> Facts {
    if op != BinaryOp::Or {
        return Facts {
            labels,
            ..left.clone()
        };
    }
    Facts {
        nature: if left.nature == right.nature {
            left.nature
        } else {
            Nature::Computed
        },
        unit: if left.unit == right.unit {
            left.unit.clone()
        } else {
            Unit::Unknown
        },
        values: left.values.or(right.values),
        labels,
        share: left.share.min(right.share),
    }
}

fn comparison(binary: &Binary, left: &Facts, right: &Facts, labels: LabelSet) -> Facts {
    if binary.returns_bool {
        return Facts {
            nature: Nature::Computed,
            unit: Unit::count(),
            values: Values::FLAG,
            labels,
            share: Share::No,
        };
    }
    // The value is the vector's, whichever side it stands on.
    let (kept, other, op) = match (left.nature, right.nature) {
        (Nature::Number, nature) if nature != Nature::Number => (right, left, mirrored(binary.op)),
        _ => (left, right, binary.op),
    };
    Facts {
        values: kept.values.passing(op, other.values),
        labels,
        ..kept.clone()
    }
}

/// The comparison with its sides exchanged.
pub(crate) fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEqual => BinaryOp::GreaterEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEqual => BinaryOp::LessEqual,
        _ => op,
    }
}

fn nature(left: Nature, right: Nature) -> Nature {
    match (left, right) {
        (Nature::Number, nature) | (nature, Nature::Number) => nature,
        (Nature::Unknown, _) | (_, Nature::Unknown) => Nature::Unknown,
        _ => Nature::Computed,
    }
}

/// The unit of a calculation. A written number has none of its own, so it takes part only where that is plain.
fn unit(op: BinaryOp, left: &Facts, right: &Facts) -> Unit {
    let number = |facts: &Facts| facts.nature == Nature::Number;
    match (number(left), number(right)) {
        (true, true) => Unit::Unknown,
        (false, true) => with_number(op, &left.unit, right.values),
        (true, false) => match op {
            BinaryOp::Add | BinaryOp::Subtract => right.unit.clone(),
            BinaryOp::Multiply => with_number(op, &right.unit, left.values),
            _ => Unit::Unknown,
        },
        (false, false) => left.unit.clone().computed(op, right.unit.clone()),
    }
}

fn with_number(op: BinaryOp, unit: &Unit, number: Values) -> Unit {
    match op {
        BinaryOp::Add | BinaryOp::Subtract => unit.clone(),
        BinaryOp::Multiply if unit.is_ratio() && number.single() == Some(100.0) => {
            Unit::Plain("percent".to_owned())
        }
        BinaryOp::Divide if unit.is_percent() && number.single() == Some(100.0) => Unit::ratio(),
        _ => Unit::Unknown,
    }
}

/// The labels of the answer.
fn labels(binary: &Binary, left: &Inferred<'_>, right: &Inferred<'_>) -> LabelSet {
    let (left_labels, right_labels) = (left.facts.labels.clone(), right.facts.labels.clone());
    let scalar = |side: &Inferred<'_>| side.expr.value_type() == ValueType::Scalar;
    if scalar(right) {
        return left_labels;
    }
    if scalar(left) {
        return right_labels;
    }
    match binary.op {
        BinaryOp::Or => return left_labels.or(right_labels),
        BinaryOp::And | BinaryOp::Unless => return left_labels,
        _ => {}
    }
    let Some(matching) = &binary.matching else {
        return left_labels;
    };
    match matching.cardinality {
        Cardinality::OneToOne | Cardinality::ManyToMany if matching.on => {
            left_labels.only(&matching.labels)
        }
        Cardinality::OneToOne | Cardinality::ManyToMany => left_labels.all_but(&matching.labels),
        Cardinality::ManyToOne => left_labels.including(&matching.include, &right_labels),
        Cardinality::OneToMany => right_labels.including(&matching.include, &left_labels),
    }
}

/// An aggregation.
pub(super) fn aggregate(
    aggregate: &Aggregate,
    parameter: Option<&Inferred<'_>>,
    inner: &Facts,
) -> Facts {
    let grouped = match &aggregate.grouping {
        Grouping::By(names) => inner.labels.clone().only(names),
        Grouping::Without(names) => inner.labels.clone().all_but(names),
    };
    let keeping = |values: Values| Facts {
        values,
        labels: grouped.clone(),
        ..inner.clone()
    };
    let computed = |values: Values, unit: Unit| Facts {
        nature: Nature::Computed,
        unit,
        values,
        labels: grouped.clone(),
        share: Share::No,
    };
    match aggregate.op {
        // Which series are kept is chosen within groups; they keep all their labels.
        AggregateOp::Topk
        | AggregateOp::Bottomk
        | AggregateOp::Limitk
        | AggregateOp::LimitRatio => inner.clone(),
        AggregateOp::Min | AggregateOp::Max => keeping(inner.values),
        AggregateOp::Avg | AggregateOp::Quantile => keeping(inner.values.fractional()),
        AggregateOp::Sum => Facts {
            share: Share::No,
            ..keeping(inner.values.summed())
        },
        AggregateOp::Count => computed(Values::whole(1.0, f64::INFINITY), Unit::count()),
        AggregateOp::Group => computed(Values::of(1.0), Unit::count()),
        AggregateOp::Stddev | AggregateOp::Stdvar => computed(Values::FROM_ZERO, Unit::Unknown),
        AggregateOp::CountValues => {
            let label = parameter.and_then(|part| match part.expr.kind() {
                ExprKind::String(label) => Some(label.as_str()),
                _ => None,
            });
            let counted = computed(Values::whole(1.0, f64::INFINITY), Unit::count());
            Facts {
                labels: match label {
                    Some(label) => grouped.clone().with(label),
                    None => LabelSet::any(),
                },
                ..counted
            }
        }
    }
}
