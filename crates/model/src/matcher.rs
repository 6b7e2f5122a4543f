//! Matchers select series by label. Regular expressions are anchored at both ends, as in Prometheus.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// The largest compiled form of one regular expression, in bytes. A hostile pattern is refused, not run.
const REGEX_SIZE_MAX: usize = 1 << 20;

/// How a matcher compares.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

impl MatchOp {
    /// All of them.
    pub const ALL: [MatchOp; 4] = [
        MatchOp::Equal,
        MatchOp::NotEqual,
        MatchOp::Regex,
        MatchOp::NotRegex,
    ];

    /// The operator that is written like this; `None` for a text that is none.
    pub fn from_symbol(symbol: &str) -> Option<MatchOp> {
        MatchOp::ALL.into_iter().find(|op| op.as_str() == symbol)
    }

    /// The operator as written in PromQL.
    pub fn as_str(self) -> &'static str {
        match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        }
    }
}

/// Why a matcher could not be made: its regular expression is invalid or too large. Fix the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatcherError(String);

impl fmt::Display for MatcherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MatcherError {}

/// One condition on one label. An absent label counts as the empty string.
#[derive(Clone)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Regex>,
}

impl Matcher {
    /// A matcher of any kind.
    ///
    /// # Errors
    /// [`MatcherError`] when `op` is a regular expression and `value` is not one, or is too large.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Matcher, MatcherError> {
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(anchored(value)?),
        };
        Ok(Matcher {
            name: name.to_owned(),
            op,
            value: value.to_owned(),
            regex,
        })
    }

    /// `name="value"`, which cannot fail.
    pub fn equal(name: &str, value: &str) -> Matcher {
        Matcher {
            name: name.to_owned(),
            op: MatchOp::Equal,
            value: value.to_owned(),
            regex: None,
        }
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The text that it compares with: a value or a pattern.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label value satisfies this matcher. Pass `""` for an absent label.
    pub fn matches(&self, value: &str) -> bool {
        let positive = match &self.regex {
            Some(regex) => regex.is_match(value),
            None => self.value == value,
        };
        match self.op {
            MatchOp::Equal | MatchOp::Regex => positive,
            MatchOp::NotEqual | MatchOp::NotRegex => !positive,
        }
    }

    /// Whether a series without the label satisfies this matcher.
    pub fn matches_empty(&self) -> bool {
        self.matches("")
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Matcher) -> bool {
        (self.op, &self.name, &self.value) == (other.op, &other.name, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:?}", self.name, self.op.as_str(), self.value)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn anchored(pattern: &str) -> Result<Regex, MatcherError> {
    // Compile the bare pattern first: wrapped in a group, `a)(b` would become valid.
    let compile = |text: &str| {
        RegexBuilder::new(text)
            .size_limit(REGEX_SIZE_MAX)
            .build()
            .map_err(|error| MatcherError(error.to_string()))
    };
    compile(pattern)?;
    compile(&format!("^(?s:{pattern})$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches() {
        let check = |op, pattern: &str, value: &str, expect: bool| {
            let matcher = Matcher::new("l", op, pattern).unwrap();
            assert_eq!(matcher.matches(value), expect, "{matcher} {value:?}");
        };
        check(MatchOp::Equal, "a", "a", true);
        check(MatchOp::NotEqual, "a", "", true);
        check(MatchOp::Regex, "a|b", "b", true);
        check(MatchOp::Regex, "a", "ab", false);
        check(MatchOp::Regex, "a.*", "a\nb", true);
        check(MatchOp::NotRegex, "a.+", "a", true);
    }

    #[test]
    fn refuses_bad_and_huge_patterns() {
        assert!(Matcher::new("l", MatchOp::Regex, "a)(b").is_err());
        assert!(Matcher::new("l", MatchOp::Regex, "((a{99}){99}){99}").is_err());
    }
}
