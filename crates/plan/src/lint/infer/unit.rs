//! What a number counts. Units come from the plan's `unit`, and operations make others of them; where two do not fit
//! together the unit is unknown, which forbids nothing.

use promql::BinaryOp;

/// What a number counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nobody can tell.
    Unknown,
    /// Things, `seconds`, `bytes`, …; the empty text for things without a unit of their own.
    Plain(String),
    /// The same by the second.
    PerSecond(String),
}

impl Unit {
    /// Things without a unit of their own.
    pub(crate) fn count() -> Unit {
        Unit::Plain(String::new())
    }

    /// A part of a whole.
    pub(crate) fn ratio() -> Unit {
        Unit::Plain("ratio".to_owned())
    }

    /// Lengths of time.
    pub(crate) fn seconds() -> Unit {
        Unit::Plain("seconds".to_owned())
    }

    pub(crate) fn is_ratio(&self) -> bool {
        *self == Unit::ratio()
    }

    pub(crate) fn is_percent(&self) -> bool {
        *self == Unit::Plain("percent".to_owned())
    }

    /// What it is by the second.
    pub(crate) fn per_second(self) -> Unit {
        match self {
            Unit::Plain(unit) => Unit::PerSecond(unit),
            Unit::Unknown | Unit::PerSecond(_) => Unit::Unknown,
        }
    }

    /// How people say it.
    pub(crate) fn words(&self) -> String {
        match self {
            Unit::Unknown => "something".to_owned(),
            Unit::Plain(unit) if unit.is_empty() => "a count".to_owned(),
            Unit::Plain(unit) if unit == "ratio" => "a share".to_owned(),
            Unit::Plain(unit) => unit.clone(),
            Unit::PerSecond(unit) if unit.is_empty() => "a count by the second".to_owned(),
            Unit::PerSecond(unit) => format!("{unit} by the second"),
        }
    }

    /// The unit of two numbers in one operation.
    pub(crate) fn computed(self, op: BinaryOp, other: Unit) -> Unit {
        match op {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Modulo if self == other => self,
            BinaryOp::Divide => self.quotient(other),
            BinaryOp::Multiply if other.is_ratio() => self,
            BinaryOp::Multiply if self.is_ratio() => other,
            _ => Unit::Unknown,
        }
    }

    fn quotient(self, divisor: Unit) -> Unit {
        match (self, divisor) {
            (Unit::Unknown, _) | (_, Unit::Unknown) => Unit::Unknown,
            (left, right) if left == right => Unit::ratio(),
            // The average of what is counted.
            (Unit::PerSecond(unit), Unit::PerSecond(things)) if things.is_empty() => {
                Unit::Plain(unit)
            }
            (Unit::Plain(unit), Unit::Plain(things)) if things.is_empty() => Unit::Plain(unit),
            (Unit::Plain(unit), Unit::Plain(time)) if time == "seconds" => Unit::PerSecond(unit),
            (Unit::Plain(_) | Unit::PerSecond(_), Unit::Plain(_) | Unit::PerSecond(_)) => {
                Unit::Unknown
            }
        }
    }
}
