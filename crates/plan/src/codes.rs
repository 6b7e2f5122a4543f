//! The codes of diagnostics. A code names a kind of mistake and never changes its meaning, so that people can search
//! for it and tools can rely on it; new kinds are added at the end of their family: from `BF0001` what a text must keep to,
//! from `BF0101` what lint finds in a plan that could run.

use std::fmt;

/// Declares the codes once: variant, number, and what the mistake is.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal,)+) => {
        /// A kind of mistake in a plan's or a contacts file's text.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = concat!($number, ":")] $(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, in order.
            pub const ALL: &[Code] = &[$(Code::$name),+];

            /// The code as shown: `BF0001`, …
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $number,)+
                }
            }
        }
    };
}

codes! {
    /// The text is larger than any plan.
    TextTooLarge = "BF0001",
    /// The text is not YAML, or passes a bound that guards against hostile YAML.
    BrokenYaml = "BF0002",
    /// A key stands twice in one map.
    DuplicateKey = "BF0003",
    /// A key that means nothing here.
    UnknownKey = "BF0004",
    /// A key that must be there is not.
    MissingKey = "BF0005",
    /// Text where a list belongs, a map where text belongs, …
    WrongShape = "BF0006",
    /// A format version that this Belfry does not read.
    UnknownFormat = "BF0007",
    /// Not a length of time, or one that is out of bounds.
    InvalidDuration = "BF0008",
    /// Not a number, or one that is out of bounds.
    InvalidNumber = "BF0009",
    /// A word that is not among the possible ones.
    UnknownWord = "BF0010",
    /// A name with characters or a length that names may not have, or a reserved one.
    InvalidName = "BF0011",
    /// Two things of one kind have the same name.
    DuplicateName = "BF0012",
    /// A reference to something that the plan does not have.
    UnknownReference = "BF0013",
    /// Not an address that can be asked over HTTP.
    InvalidUrl = "BF0014",
    /// A timeout that is longer than its interval.
    TimeoutPastInterval = "BF0015",
    /// Escalation levels that do not rise from 0.
    EscalationOrder = "BF0016",
    /// A text, list or section that must not be empty is.
    Empty = "BF0017",
    /// A PromQL expression that does not parse.
    ExpressionSyntax = "BF0018",
    /// A PromQL expression of a type that cannot be used here.
    ExpressionType = "BF0019",
    /// An expression reads a series that nothing exposes.
    UnknownMetric = "BF0020",
    /// A log level that has no retention class, or several.
    LevelClasses = "BF0021",
    /// An objective's target that is not `<` or `>` and a value in the objective's unit.
    InvalidTarget = "BF0022",
    /// Choices that exclude each other stand together, or none is made.
    OneOf = "BF0023",
    /// A critical alert that would page nobody.
    NobodyPaged = "BF0024",
    /// A secret in a file that people review and share.
    SecretInText = "BF0025",
    /// Warning: an expression reads a series of Belfry's own that this Belfry is not known to write.
    UnknownBelfrySeries = "BF0026",
    /// More items or a longer text than Belfry reads here.
    TooMany = "BF0027",
    /// Not a day, a time of day or a date, or one that does not fit the others.
    InvalidTime = "BF0028",
    /// Not a time zone by its IANA name.
    UnknownZone = "BF0029",
    /// Neither an alert's name nor matchers between braces.
    InvalidSelector = "BF0030",
    /// An alert that would hold back itself, by itself or through others.
    HoldsItselfBack = "BF0031",
    /// A message template that does not parse, or a subject of several lines.
    TemplateSyntax = "BF0032",
    /// A request of a procedure to an address that is neither the plan's nor listed.
    ForbiddenAddress = "BF0033",
    /// A body that is not JSON.
    InvalidJson = "BF0034",
    /// Not an address for mail.
    InvalidMailAddress = "BF0035",
    /// A mail channel, but no mail server.
    NoMailServer = "BF0036",
    /// Mail without encryption to another machine.
    PlainMail = "BF0037",
    /// Warning: a request that by its method changes something is said to change nothing.
    SaysItChangesNothing = "BF0038",
    /// Warning: heartbeats are declared, but no rule reads their age.
    HeartbeatUnwatched = "BF0039",
    /// A drill that ends before its alert can fire.
    DrillTooShort = "BF0060",
}

impl Code {
    /// Whether it is a finding of lint: about a plan that could run, and waivable with a reason.
    pub fn is_lint(self) -> bool {
        self.as_str() >= "BF0101"
    }

    /// The code that is shown as this text.
    pub fn from_text(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
