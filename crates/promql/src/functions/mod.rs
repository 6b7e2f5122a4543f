//! All functions in one table: name, signature and body. Parser, evaluator, lint and completion read the same rows.

mod calendar;
mod call;
mod labels;
mod math;
mod over_time;
mod rate;
mod sorting;

use std::fmt;

pub(crate) use call::{call, string};

use crate::ValueType;
use crate::window::Window;

/// One function of the language.
pub struct Function {
    /// Its name, as written in a query.
    pub name: &'static str,
    /// The types of its arguments, optional ones included.
    pub arguments: &'static [ValueType],
    /// Which of the last arguments may be left away or repeated.
    pub optional: Optional,
    /// What a call gives.
    pub returns: ValueType,
    pub(crate) body: Body,
}

/// How the number of a function's arguments may vary.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Optional {
    /// Exactly the listed arguments.
    No,
    /// The last one may be left away.
    Last,
    /// The last one may be given any number of times, also never.
    AnyNumberOfLast,
}

/// How a function is computed.
#[derive(Copy, Clone)]
pub(crate) enum Body {
    /// Value by value.
    Math(fn(f64) -> f64),
    /// Value by value, with scalars after the vector. `None` leaves the series out.
    MathWith(fn(f64, &[f64]) -> Option<f64>),
    /// From the parts of a date.
    Calendar(fn(&calendar::Date) -> f64),
    /// From one window.
    Window(fn(&Window<'_>) -> Option<f64>),
    /// From one window, and the value is still the metric's own.
    WindowKeepingName(fn(&Window<'_>) -> Option<f64>),
    /// From one window of a counter; asks whether the metric is one.
    Counter(fn(&Window<'_>) -> Option<f64>),
    /// From one window and scalars. An error is a text for the user.
    WindowWith(fn(&Window<'_>, &[f64]) -> Result<Option<f64>, String>),
    /// Two scalars to one.
    Scalars(fn(f64, f64) -> f64),
    /// Everything that sees more than one series or value.
    Special(Special),
}

/// Functions that fit no simpler form.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Absent,
    AbsentOverTime,
    End,
    HistogramFraction,
    HistogramQuantile,
    HistogramQuantiles,
    /// Functions over native histograms, which the sample model does not hold: no float has an answer.
    NativeHistogram,
    LabelJoin,
    LabelReplace,
    Pi,
    QuantileOverTime,
    Range,
    Scalar,
    Sort,
    SortDesc,
    SortByLabel,
    SortByLabelDesc,
    Start,
    Step,
    Time,
    Timestamp,
    Vector,
}

impl Function {
    /// The fewest and, where there is a bound, the most arguments.
    pub fn argument_counts(&self) -> (usize, Option<usize>) {
        let listed = self.arguments.len();
        match self.optional {
            Optional::No => (listed, Some(listed)),
            Optional::Last => (listed - 1, Some(listed)),
            Optional::AnyNumberOfLast => (listed - 1, None),
        }
    }

    /// The type that the argument at `index` must have.
    pub fn argument_type(&self, index: usize) -> ValueType {
        let last = self.arguments.len().saturating_sub(1);
        self.arguments
            .get(index.min(last))
            .copied()
            .unwrap_or(ValueType::Vector)
    }

    /// The signature for people, such as `round(vector, [scalar]) -> vector`.
    pub fn signature(&self) -> String {
        let last = self.arguments.len().saturating_sub(1);
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .enumerate()
            .map(|(index, kind)| match self.optional {
                Optional::Last if index == last => format!("[{}]", type_name(*kind)),
                Optional::AnyNumberOfLast if index == last => format!("{}...", type_name(*kind)),
                Optional::No | Optional::Last | Optional::AnyNumberOfLast => {
                    type_name(*kind).to_owned()
                }
            })
            .collect();
        let arguments = arguments.join(", ");
        format!("{}({arguments}) -> {}", self.name, type_name(self.returns))
    }
}

impl PartialEq for Function {
    /// Names are unique in the table.
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.signature())
    }
}

/// All functions, ordered by name.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    TABLE.iter()
}

/// The names of all functions, ordered.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|function| function.name)
}

/// The function of a name; names are case-sensitive.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let position = TABLE.binary_search_by(|function| function.name.cmp(name));
    position.ok().map(|index| &TABLE[index])
}

fn type_name(kind: ValueType) -> &'static str {
    match kind {
        ValueType::Scalar => "scalar",
        ValueType::String => "string",
        ValueType::Vector => "vector",
        ValueType::Matrix => "range-vector",
    }
}

const fn function(
    name: &'static str,
    arguments: &'static [ValueType],
    returns: ValueType,
    body: Body,
) -> Function {
    Function {
        name,
        arguments,
        optional: Optional::No,
        returns,
        body,
    }
}

const fn math(name: &'static str, body: fn(f64) -> f64) -> Function {
    function(
        name,
        &[ValueType::Vector],
        ValueType::Vector,
        Body::Math(body),
    )
}

const fn math_with(
    name: &'static str,
    arguments: &'static [ValueType],
    body: fn(f64, &[f64]) -> Option<f64>,
) -> Function {
    function(name, arguments, ValueType::Vector, Body::MathWith(body))
}

const fn window(name: &'static str, body: fn(&Window<'_>) -> Option<f64>) -> Function {
    function(
        name,
        &[ValueType::Matrix],
        ValueType::Vector,
        Body::Window(body),
    )
}

const fn date(name: &'static str, body: fn(&calendar::Date) -> f64) -> Function {
    optional(
        Optional::Last,
        function(
            name,
            &[ValueType::Vector],
            ValueType::Vector,
            Body::Calendar(body),
        ),
    )
}

const fn special(
    name: &'static str,
    arguments: &'static [ValueType],
    returns: ValueType,
    body: Special,
) -> Function {
    function(name, arguments, returns, Body::Special(body))
}

const fn optional(optional: Optional, function: Function) -> Function {
    Function {
        optional,
        ..function
    }
}

const S: ValueType = ValueType::Scalar;
const T: ValueType = ValueType::String;
const V: ValueType = ValueType::Vector;
const M: ValueType = ValueType::Matrix;

/// Ordered by name, because [`find`] searches by halving; a test checks it.
static TABLE: &[Function] = &[
    math("abs", f64::abs),
    special("absent", &[V], V, Special::Absent),
    special("absent_over_time", &[M], V, Special::AbsentOverTime),
    math("acos", f64::acos),
    math("acosh", f64::acosh),
    math("asin", f64::asin),
    math("asinh", f64::asinh),
    math("atan", f64::atan),
    math("atanh", f64::atanh),
    window("avg_over_time", over_time::avg),
    math("ceil", f64::ceil),
    window("changes", over_time::changes),
    math_with("clamp", &[V, S, S], math::clamp),
    math_with("clamp_max", &[V, S], math::clamp_max),
    math_with("clamp_min", &[V, S], math::clamp_min),
    math("cos", f64::cos),
    math("cosh", f64::cosh),
    window("count_over_time", over_time::count),
    date("day_of_month", calendar::day_of_month),
    date("day_of_week", calendar::day_of_week),
    date("day_of_year", calendar::day_of_year),
    date("days_in_month", calendar::days_in_month),
    math("deg", f64::to_degrees),
    window("delta", rate::delta),
    window("deriv", rate::deriv),
    function(
        "double_exponential_smoothing",
        &[M, S, S],
        V,
        Body::WindowWith(over_time::double_exponential_smoothing),
    ),
    special("end", &[], S, Special::End),
    math("exp", f64::exp),
    function(
        "first_over_time",
        &[M],
        V,
        Body::WindowKeepingName(over_time::first),
    ),
    math("floor", f64::floor),
    special("histogram_avg", &[V], V, Special::NativeHistogram),
    special("histogram_count", &[V], V, Special::NativeHistogram),
    special(
        "histogram_fraction",
        &[S, S, V],
        V,
        Special::HistogramFraction,
    ),
    special("histogram_quantile", &[S, V], V, Special::HistogramQuantile),
    optional(
        Optional::AnyNumberOfLast,
        special(
            "histogram_quantiles",
            &[V, T, S, S],
            V,
            Special::HistogramQuantiles,
        ),
    ),
    special("histogram_stddev", &[V], V, Special::NativeHistogram),
    special("histogram_stdvar", &[V], V, Special::NativeHistogram),
    special("histogram_sum", &[V], V, Special::NativeHistogram),
    date("hour", calendar::hour),
    window("idelta", rate::idelta),
    function("increase", &[M], V, Body::Counter(rate::increase)),
    window("irate", rate::irate),
    optional(
        Optional::AnyNumberOfLast,
        special("label_join", &[V, T, T, T], V, Special::LabelJoin),
    ),
    special("label_replace", &[V, T, T, T, T], V, Special::LabelReplace),
    function(
        "last_over_time",
        &[M],
        V,
        Body::WindowKeepingName(over_time::last),
    ),
    math("ln", f64::ln),
    math("log10", f64::log10),
    math("log2", f64::log2),
    window("mad_over_time", over_time::mad),
    function("max_of", &[S, S], S, Body::Scalars(math::max)),
    window("max_over_time", over_time::max),
    function("min_of", &[S, S], S, Body::Scalars(math::min)),
    window("min_over_time", over_time::min),
    date("minute", calendar::minute),
    date("month", calendar::month),
    special("pi", &[], S, Special::Pi),
    function(
        "predict_linear",
        &[M, S],
        V,
        Body::WindowWith(rate::predict_linear),
    ),
    window("present_over_time", over_time::present),
    special("quantile_over_time", &[S, M], V, Special::QuantileOverTime),
    math("rad", f64::to_radians),
    special("range", &[], S, Special::Range),
    function("rate", &[M], V, Body::Counter(rate::rate)),
    window("resets", over_time::resets),
    optional(Optional::Last, math_with("round", &[V, S], math::round)),
    special("scalar", &[V], S, Special::Scalar),
    math("sgn", math::sgn),
    math("sin", f64::sin),
    math("sinh", f64::sinh),
    special("sort", &[V], V, Special::Sort),
    optional(
        Optional::AnyNumberOfLast,
        special("sort_by_label", &[V, T], V, Special::SortByLabel),
    ),
    optional(
        Optional::AnyNumberOfLast,
        special("sort_by_label_desc", &[V, T], V, Special::SortByLabelDesc),
    ),
    special("sort_desc", &[V], V, Special::SortDesc),
    math("sqrt", f64::sqrt),
    special("start", &[], S, Special::Start),
    window("stddev_over_time", over_time::stddev),
    window("stdvar_over_time", over_time::stdvar),
    special("step", &[], S, Special::Step),
    window("sum_over_time", over_time::sum),
    math("tan", f64::tan),
    math("tanh", f64::tanh),
    special("time", &[], S, Special::Time),
    special("timestamp", &[V], V, Special::Timestamp),
    window("ts_of_first_over_time", over_time::ts_of_first),
    window("ts_of_last_over_time", over_time::ts_of_last),
    window("ts_of_max_over_time", over_time::ts_of_max),
    window("ts_of_min_over_time", over_time::ts_of_min),
    special("vector", &[S], V, Special::Vector),
    date("year", calendar::year),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_ordered() {
        let names: Vec<_> = function_names().collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn signatures() {
        let check = |name: &str, expect: &str| assert_eq!(find(name).unwrap().signature(), expect);
        check("round", "round(vector, [scalar]) -> vector");
        check("time", "time() -> scalar");
        check(
            "sort_by_label",
            "sort_by_label(vector, string...) -> vector",
        );
    }
}
