//! The four error correction levels: how much of a symbol may be destroyed and still be read.

use std::fmt;
use std::str::FromStr;

/// Error correction level of ISO/IEC 18004. Ordered from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EcLevel {
    /// About 7 % of the codewords can be restored.
    Low,
    /// About 15 %.
    Medium,
    /// About 25 %.
    Quartile,
    /// About 30 %.
    High,
}

impl EcLevel {
    /// Every level, weakest first.
    pub const ALL: [EcLevel; 4] = [
        EcLevel::Low,
        EcLevel::Medium,
        EcLevel::Quartile,
        EcLevel::High,
    ];

    /// The letter that the standard and every API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EcLevel::Low => "L",
            EcLevel::Medium => "M",
            EcLevel::Quartile => "Q",
            EcLevel::High => "H",
        }
    }

    /// Row of the tables in `version.rs`.
    pub(crate) fn index(self) -> usize {
        match self {
            EcLevel::Low => 0,
            EcLevel::Medium => 1,
            EcLevel::Quartile => 2,
            EcLevel::High => 3,
        }
    }
}

impl fmt::Display for EcLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EcLevel {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        EcLevel::ALL
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(text))
            .ok_or(ParseNameError {
                expected: "one of L, M, Q, H",
            })
    }
}

/// A name that is not in a closed list. Fix the request: [`ParseNameError::expected`] lists what may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseNameError {
    /// What would have been accepted, to be read after "must be".
    pub expected: &'static str,
}

impl fmt::Display for ParseNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be {}", self.expected)
    }
}

impl std::error::Error for ParseNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_in_either_case_are_levels() {
        for level in EcLevel::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(level.as_str().to_lowercase().parse(), Ok(level));
        }
        assert_eq!(
            "X".parse::<EcLevel>().unwrap_err().to_string(),
            "must be one of L, M, Q, H"
        );
    }
}
