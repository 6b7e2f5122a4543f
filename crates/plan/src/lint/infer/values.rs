//! Which values an expression can have, as an interval: enough to tell a threshold that nothing reaches.
//!
//! NaN is outside of every interval, which is right for comparisons: they are false for it. An interval may be wider than
//! the truth and never narrower, so that a condition is never called impossible when it is not.

use promql::BinaryOp;

/// From `low` to `high`, both included.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Values {
    /// The least.
    pub(crate) low: f64,
    /// The greatest.
    pub(crate) high: f64,
    /// Whether only whole numbers are possible.
    pub(crate) whole: bool,
}

impl Values {
    /// Nothing is known.
    pub(crate) const ANY: Values = Values::between(f64::NEG_INFINITY, f64::INFINITY);
    /// Counts, sizes, lengths of time.
    pub(crate) const FROM_ZERO: Values = Values::between(0.0, f64::INFINITY);
    /// Shares.
    pub(crate) const SHARE: Values = Values::between(0.0, 1.0);
    /// Yes or no.
    pub(crate) const FLAG: Values = Values::whole(0.0, 1.0);

    pub(crate) const fn between(low: f64, high: f64) -> Values {
        Values {
            low,
            high,
            whole: false,
        }
    }

    pub(crate) const fn whole(low: f64, high: f64) -> Values {
        Values {
            low,
            high,
            whole: true,
        }
    }

    /// One number.
    pub(crate) fn of(number: f64) -> Values {
        if number.is_nan() {
            return Values::ANY;
        }
        Values {
            low: number,
            high: number,
            whole: number.fract() == 0.0,
        }
    }

    /// The number, where there is only one.
    pub(crate) fn single(self) -> Option<f64> {
        (self.low == self.high).then_some(self.low)
    }

    /// Either of two.
    pub(crate) fn or(self, other: Values) -> Values {
        Values {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
            whole: self.whole && other.whole,
        }
    }

    /// The same, but not only whole numbers: what averages and rates make of it.
    pub(crate) fn fractional(self) -> Values {
        Values {
            whole: false,
            ..self
        }
    }

    /// A sum over at least one series.
    pub(crate) fn summed(self) -> Values {
        let low = if self.low >= 0.0 {
            self.low
        } else {
            f64::NEG_INFINITY
        };
        let high = if self.high <= 0.0 {
            self.high
        } else {
            f64::INFINITY
        };
        Values { low, high, ..self }
    }

    /// The values between two bounds.
    pub(crate) fn clamped(self, low: f64, high: f64) -> Values {
        if low.is_nan() || high.is_nan() || low > high {
            return Values::ANY;
        }
        Values {
            low: self.low.clamp(low, high),
            high: self.high.clamp(low, high),
            whole: self.whole && low.fract() == 0.0 && high.fract() == 0.0,
        }
    }

    /// Of opposite sign.
    pub(crate) fn negated(self) -> Values {
        Values {
            low: -self.high,
            high: -self.low,
            ..self
        }
    }

    /// Without their sign.
    pub(crate) fn absolute(self) -> Values {
        if self.low >= 0.0 {
            return self;
        }
        let high = self.low.abs().max(self.high.abs());
        Values {
            low: 0.0,
            high,
            ..self
        }
    }

    /// What arithmetic makes of two.
    pub(crate) fn computed(self, op: BinaryOp, other: Values) -> Values {
        let whole = self.whole && other.whole;
        match op {
            BinaryOp::Add => Values {
                low: or_else(self.low + other.low, f64::NEG_INFINITY),
                high: or_else(self.high + other.high, f64::INFINITY),
                whole,
            },
            BinaryOp::Subtract => self.computed(BinaryOp::Add, other.negated()),
            BinaryOp::Multiply => Values {
                whole,
                ..self.product(other)
            },
            BinaryOp::Divide => self.quotient(other),
            BinaryOp::Modulo | BinaryOp::Power | BinaryOp::Atan2 => {
                let from_zero = self.low >= 0.0 && op != BinaryOp::Atan2;
                if from_zero {
                    Values::FROM_ZERO
                } else {
                    Values::ANY
                }
            }
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Unless => Values::ANY,
        }
    }

    fn product(self, other: Values) -> Values {
        let corners = [
            times(self.low, other.low),
            times(self.low, other.high),
            times(self.high, other.low),
            times(self.high, other.high),
        ];
        Values::between(
            corners.into_iter().fold(f64::INFINITY, f64::min),
            corners.into_iter().fold(f64::NEG_INFINITY, f64::max),
        )
    }

    fn quotient(self, divisor: Values) -> Values {
        if let Some(number) = divisor.single().filter(|number| *number != 0.0) {
            return self.product(Values::of(1.0 / number)).fractional();
        }
        if self.low >= 0.0 && divisor.low >= 0.0 {
            let low = or_else(self.low / divisor.high, 0.0);
            let high = if divisor.low > 0.0 {
                or_else(self.high / divisor.low, f64::INFINITY)
            } else {
                f64::INFINITY
            };
            return Values::between(low, high);
        }
        Values::ANY
    }

    /// What a comparison with other values always says; `None` when it may say either.
    pub(crate) fn compared(self, op: BinaryOp, other: Values) -> Option<bool> {
        match op {
            BinaryOp::Greater => decided(self.low > other.high, self.high <= other.low),
            BinaryOp::GreaterEqual => decided(self.low >= other.high, self.high < other.low),
            BinaryOp::Less => decided(self.high < other.low, self.low >= other.high),
            BinaryOp::LessEqual => decided(self.high <= other.low, self.low > other.high),
            BinaryOp::Equal => {
                let same = self.single().is_some() && self.single() == other.single();
                decided(same, self.apart(other))
            }
            BinaryOp::NotEqual => self.compared(BinaryOp::Equal, other).map(|same| !same),
            BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Modulo
            | BinaryOp::Power
            | BinaryOp::Atan2
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Unless => None,
        }
    }

    /// Whether no number is in both.
    fn apart(self, other: Values) -> bool {
        let between_wholes = |wholes: Values, other: Values| {
            wholes.whole && other.single().is_some_and(|number| number.fract() != 0.0)
        };
        self.high < other.low
            || other.high < self.low
            || between_wholes(self, other)
            || between_wholes(other, self)
    }

    /// The values that pass a comparison with others.
    pub(crate) fn passing(self, op: BinaryOp, other: Values) -> Values {
        match op {
            BinaryOp::Greater | BinaryOp::GreaterEqual => Values {
                low: self.low.max(other.low),
                ..self
            },
            BinaryOp::Less | BinaryOp::LessEqual => Values {
                high: self.high.min(other.high),
                ..self
            },
            BinaryOp::Equal => Values {
                low: self.low.max(other.low),
                high: self.high.min(other.high),
                whole: self.whole || other.whole,
            },
            BinaryOp::NotEqual
            | BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Modulo
            | BinaryOp::Power
            | BinaryOp::Atan2
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Unless => self,
        }
    }
}

fn decided(always: bool, never: bool) -> Option<bool> {
    match (always, never) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

/// A product in which nothing times infinity is nothing, as the ends of intervals want it.
fn times(left: f64, right: f64) -> f64 {
    if left == 0.0 || right == 0.0 {
        0.0
    } else {
        left * right
    }
}

fn or_else(number: f64, instead: f64) -> f64 {
    if number.is_nan() { instead } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_decided_only_by_what_is_possible() {
        let check = |values: Values, op, number: f64, expect| {
            assert_eq!(
                values.compared(op, Values::of(number)),
                expect,
                "{values:?} {op:?} {number}"
            );
        };
        check(Values::SHARE, BinaryOp::Greater, 1.0, Some(false));
        check(Values::SHARE, BinaryOp::Greater, 0.99, None);
        check(Values::SHARE, BinaryOp::LessEqual, 1.0, Some(true));
        check(Values::FROM_ZERO, BinaryOp::Less, 0.0, Some(false));
        check(Values::FROM_ZERO, BinaryOp::LessEqual, 0.0, None);
        check(Values::FROM_ZERO, BinaryOp::GreaterEqual, 0.0, Some(true));
        check(Values::FLAG, BinaryOp::Equal, 0.5, Some(false));
        check(Values::FLAG, BinaryOp::Equal, 0.0, None);
        check(Values::FLAG, BinaryOp::NotEqual, 2.0, Some(true));
        check(Values::ANY, BinaryOp::Greater, 1e300, None);
    }

    #[test]
    fn arithmetic_never_narrows() {
        let check = |left: Values, op, right: Values, low: f64, high: f64| {
            let found = left.computed(op, right);
            assert_eq!(
                (found.low, found.high),
                (low, high),
                "{left:?} {op:?} {right:?}"
            );
        };
        let one = Values::of(1.0);
        let infinity = f64::INFINITY;
        check(one, BinaryOp::Subtract, Values::SHARE, 0.0, 1.0);
        check(
            Values::SHARE,
            BinaryOp::Multiply,
            Values::of(100.0),
            0.0,
            100.0,
        );
        check(
            Values::FROM_ZERO,
            BinaryOp::Multiply,
            Values::of(0.0),
            0.0,
            0.0,
        );
        check(
            Values::FROM_ZERO,
            BinaryOp::Divide,
            Values::FROM_ZERO,
            0.0,
            infinity,
        );
        check(
            Values::FROM_ZERO,
            BinaryOp::Subtract,
            Values::FROM_ZERO,
            -infinity,
            infinity,
        );
        check(
            Values::ANY,
            BinaryOp::Divide,
            Values::FROM_ZERO,
            -infinity,
            infinity,
        );
        check(
            Values::of(6.0),
            BinaryOp::Divide,
            Values::of(-2.0),
            -3.0,
            -3.0,
        );
    }
}
