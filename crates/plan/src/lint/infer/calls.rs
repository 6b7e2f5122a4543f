//! What functions make of what is known about their arguments. A function that is not listed keeps the labels and leaves
//! everything else unknown.

use model::{METRIC_NAME, MatchOp};
use promql::ExprKind;

use super::{Facts, Inferred, LabelSet, Nature, Share, Unit, Values, selector_of};

/// A function call.
pub(super) fn call(name: &str, arguments: &[Inferred<'_>]) -> Facts {
    let nothing = Facts::number(Values::ANY);
    let at = |index: usize| arguments.get(index).map_or(&nothing, |part| &part.facts);
    match name {
        "rate" | "irate" => growth(at(0), at(0).unit.clone().per_second()),
        "increase" => growth(at(0), at(0).unit.clone()),
        "delta" | "idelta" => computed(at(0), at(0).unit.clone(), Values::ANY),
        "deriv" => computed(at(0), at(0).unit.clone().per_second(), Values::ANY),
        "predict_linear" => computed(at(0), at(0).unit.clone(), Values::ANY),
        "histogram_quantile" => quantile(at(1)),
        "histogram_fraction" => Facts {
            nature: Nature::Computed,
            unit: Unit::ratio(),
            values: Values::SHARE,
            labels: at(2).labels.clone().without("le"),
            share: Share::Surely,
        },
        "absent" | "absent_over_time" => absent(arguments.first()),
        "scalar" => Facts {
            labels: LabelSet::none(),
            ..at(0).clone()
        },
        "vector" => Facts {
            nature: Nature::Computed,
            ..at(0).clone()
        },
        "label_replace" | "label_join" => relabelled(name, arguments),
        "histogram_quantiles" => Facts {
            nature: Nature::Quantile,
            ..Facts::of(LabelSet::any())
        },
        _ => over_time(name, arguments).unwrap_or_else(|| of_values(name, arguments)),
    }
}

fn growth(counter: &Facts, unit: Unit) -> Facts {
    Facts {
        nature: match counter.nature {
            Nature::Buckets => Nature::BucketGrowth,
            Nature::Unknown => Nature::Unknown,
            _ => Nature::Growth,
        },
        unit,
        values: Values::FROM_ZERO,
        labels: counter.labels.clone(),
        share: Share::No,
    }
}

fn computed(of: &Facts, unit: Unit, values: Values) -> Facts {
    Facts {
        nature: Nature::Computed,
        unit,
        values,
        labels: of.labels.clone(),
        share: Share::No,
    }
}

/// The unit of buckets is that of what they observed. Lengths of time and sizes are never below zero.
fn quantile(buckets: &Facts) -> Facts {
    let unit = match &buckets.unit {
        Unit::Plain(unit) | Unit::PerSecond(unit) => Unit::Plain(unit.clone()),
        Unit::Unknown => Unit::Unknown,
    };
    let values = match &unit {
        Unit::Plain(unit) if unit == "ratio" => Values::SHARE,
        Unit::Plain(unit) if unit == "seconds" || unit == "bytes" => Values::FROM_ZERO,
        Unit::Plain(_) | Unit::PerSecond(_) | Unit::Unknown => Values::ANY,
    };
    Facts {
        nature: Nature::Quantile,
        unit,
        values,
        labels: buckets.labels.clone().without("le"),
        share: Share::No,
    }
}

/// What is absent has only the labels that its selector fixes.
fn absent(argument: Option<&Inferred<'_>>) -> Facts {
    let selector = argument.and_then(|part| selector_of(part.bare().expr));
    let matchers = selector.map_or(&[][..], |selector| &selector.matchers);
    let fixed = matchers
        .iter()
        .filter(|matcher| matcher.op() == MatchOp::Equal && matcher.name() != METRIC_NAME)
        .filter(|matcher| !matcher.value().is_empty());
    let labels = fixed.fold(LabelSet::none(), |labels, matcher| {
        labels.with_value(matcher.name(), matcher.value())
    });
    Facts {
        nature: Nature::Computed,
        unit: Unit::count(),
        values: Values::of(1.0),
        labels,
        share: Share::No,
    }
}

fn relabelled(name: &str, arguments: &[Inferred<'_>]) -> Facts {
    let text = |index: usize| match arguments.get(index).map(|part| part.expr.kind()) {
        Some(ExprKind::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let Some(first) = arguments.first() else {
        return Facts::unknown();
    };
    let labels = first.facts.labels.clone();
    let labels = match (text(1), text(2)) {
        // An empty replacement takes the label away.
        (Some(label), Some("")) if name == "label_replace" => labels.without(label),
        (Some(label), _) => labels.with(label),
        (None, _) => LabelSet::any(),
    };
    Facts {
        labels,
        ..first.facts.clone()
    }
}

/// Functions over a window.
fn over_time(name: &str, arguments: &[Inferred<'_>]) -> Option<Facts> {
    let index = usize::from(name == "quantile_over_time");
    let inner = &arguments.get(index)?.facts;
    let counted = |low| Values::whole(low, f64::INFINITY);
    let keeping = |values: Values| Facts {
        nature: match inner.nature {
            Nature::Gauge => Nature::Gauge,
            Nature::Unknown => Nature::Unknown,
            _ => Nature::Computed,
        },
        values,
        ..inner.clone()
    };
    Some(match name {
        "last_over_time" | "first_over_time" => inner.clone(),
        "min_over_time" | "max_over_time" => keeping(inner.values),
        "avg_over_time" | "quantile_over_time" => keeping(inner.values.fractional()),
        "sum_over_time" => Facts {
            share: Share::No,
            ..keeping(inner.values.summed())
        },
        "count_over_time" => computed(inner, Unit::count(), counted(1.0)),
        "present_over_time" => computed(inner, Unit::count(), Values::of(1.0)),
        "changes" | "resets" => computed(inner, Unit::count(), counted(0.0)),
        "stddev_over_time" | "stdvar_over_time" | "mad_over_time" => {
            computed(inner, Unit::Unknown, Values::FROM_ZERO)
        }
        _ if name.ends_with("_over_time") || name == "double_exponential_smoothing" => {
            computed(inner, Unit::Unknown, Values::ANY)
        }
        _ => return None,
    })
}

/// Functions of single values.
fn of_values(name: &str, arguments: &[Inferred<'_>]) -> Facts {
    let date = |low, high| {
        let labels = arguments.first();
        let labels = labels.map_or_else(LabelSet::none, |part| part.facts.labels.clone());
        Facts {
            nature: Nature::Computed,
            values: Values::whole(low, high),
            ..Facts::of(labels)
        }
    };
    match name {
        "time" => {
            let time = Facts::number(Values::FROM_ZERO);
            return Facts {
                unit: Unit::seconds(),
                ..time
            };
        }
        "pi" => return Facts::number(Values::of(std::f64::consts::PI)),
        "minute" => return date(0.0, 59.0),
        "hour" => return date(0.0, 23.0),
        "day_of_week" => return date(0.0, 6.0),
        "day_of_month" => return date(1.0, 31.0),
        "days_in_month" => return date(28.0, 31.0),
        "day_of_year" => return date(1.0, 366.0),
        "month" => return date(1.0, 12.0),
        "year" => return date(f64::NEG_INFINITY, f64::INFINITY),
        _ => {}
    }
    let Some(first) = arguments.first() else {
        return Facts::number(Values::ANY);
    };
    let facts = &first.facts;
    let number = |index: usize| arguments.get(index).and_then(Inferred::number);
    let (low, high) = (f64::NEG_INFINITY, f64::INFINITY);
    let keeping = |values: Values| Facts {
        values,
        ..facts.clone()
    };
    match name {
        "abs" => keeping(facts.values.absolute()),
        "ceil" | "floor" | "round" => keeping(Values {
            low: facts.values.low.floor(),
            high: facts.values.high.ceil(),
            whole: name != "round" || arguments.len() == 1,
        }),
        "clamp" => keeping(
            facts
                .values
                .clamped(number(1).unwrap_or(low), number(2).unwrap_or(high)),
        ),
        "clamp_min" => keeping(facts.values.clamped(number(1).unwrap_or(low), high)),
        "clamp_max" => keeping(facts.values.clamped(low, number(1).unwrap_or(high))),
        "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc" => facts.clone(),
        "timestamp" => computed(facts, Unit::seconds(), Values::FROM_ZERO),
        "sqrt" | "exp" => computed(facts, Unit::Unknown, Values::FROM_ZERO),
        "sgn" => computed(facts, Unit::count(), Values::whole(-1.0, 1.0)),
        _ => Facts::of(facts.labels.clone()),
    }
}
