//! The codes of diagnostics. A code names a kind of mistake and never changes its meaning, so that people can search
//! for it and tools can rely on it; new kinds are added at the end.

use std::fmt;

/// A kind of mistake in a plan's or a contacts file's text.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// BF0001: the text is larger than any plan.
    TextTooLarge,
    /// BF0002: the text is not YAML, or passes a bound that guards against hostile YAML.
    BrokenYaml,
    /// BF0003: a key stands twice in one map.
    DuplicateKey,
    /// BF0004: a key that means nothing here.
    UnknownKey,
    /// BF0005: a key that must be there is not.
    MissingKey,
    /// BF0006: text where a list belongs, a map where text belongs, …
    WrongShape,
    /// BF0007: a format version that this Belfry does not read.
    UnknownFormat,
    /// BF0008: not a length of time, or one that is out of bounds.
    InvalidDuration,
    /// BF0009: not a number, or one that is out of bounds.
    InvalidNumber,
    /// BF0010: a word that is not among the possible ones.
    UnknownWord,
    /// BF0011: a name with characters or a length that names may not have, or a reserved one.
    InvalidName,
    /// BF0012: two things of one kind have the same name.
    DuplicateName,
    /// BF0013: a reference to something that the plan does not have.
    UnknownReference,
    /// BF0014: not an address that can be asked over HTTP.
    InvalidUrl,
    /// BF0015: a timeout that is longer than its interval.
    TimeoutPastInterval,
    /// BF0016: escalation levels that do not rise from 0.
    EscalationOrder,
    /// BF0017: a text, list or section that must not be empty is.
    Empty,
    /// BF0018: a PromQL expression that does not parse.
    ExpressionSyntax,
    /// BF0019: a PromQL expression of a type that cannot be used here.
    ExpressionType,
    /// BF0020: an expression reads a series that nothing exposes.
    UnknownMetric,
    /// BF0021: a log level that has no retention class, or several.
    LevelClasses,
    /// BF0022: an objective's target that is not `<` or `>` and a value in the objective's unit.
    InvalidTarget,
    /// BF0023: choices that exclude each other stand together, or none is made.
    OneOf,
    /// BF0024: a critical alert that would page nobody.
    NobodyPaged,
    /// BF0025: a secret in a file that people review and share.
    SecretInText,
    /// BF0026 (warning): an expression reads a series of Belfry's own that this Belfry is not known to write.
    UnknownBelfrySeries,
    /// BF0027: more items or a longer text than Belfry reads here.
    TooMany,
    /// BF0028: not a day, a time of day or a date, or one that does not fit the others.
    InvalidTime,
    /// BF0029: not a time zone by its IANA name.
    UnknownZone,
    /// BF0030: neither an alert's name nor matchers between braces.
    InvalidSelector,
    /// BF0031: an alert that would hold back itself, by itself or through others.
    HoldsItselfBack,
    /// BF0032: a message template that does not parse, or a subject of several lines.
    TemplateSyntax,
    /// BF0033: a request of a procedure to an address that is neither the plan's nor listed.
    ForbiddenAddress,
    /// BF0034: a body that is not JSON.
    InvalidJson,
    /// BF0035: not an address for mail.
    InvalidMailAddress,
    /// BF0036: a mail channel, but no mail server.
    NoMailServer,
    /// BF0037: mail without encryption to another machine.
    PlainMail,
    /// BF0038 (warning): a request that by its method changes something is said to change nothing.
    SaysItChangesNothing,
    /// BF0039 (warning): heartbeats are declared, but no rule reads their age.
    HeartbeatUnwatched,
}

impl Code {
    /// All codes, in order.
    pub const ALL: [Code; 39] = [
        Code::TextTooLarge,
        Code::BrokenYaml,
        Code::DuplicateKey,
        Code::UnknownKey,
        Code::MissingKey,
        Code::WrongShape,
        Code::UnknownFormat,
        Code::InvalidDuration,
        Code::InvalidNumber,
        Code::UnknownWord,
        Code::InvalidName,
        Code::DuplicateName,
        Code::UnknownReference,
        Code::InvalidUrl,
        Code::TimeoutPastInterval,
        Code::EscalationOrder,
        Code::Empty,
        Code::ExpressionSyntax,
        Code::ExpressionType,
        Code::UnknownMetric,
        Code::LevelClasses,
        Code::InvalidTarget,
        Code::OneOf,
        Code::NobodyPaged,
        Code::SecretInText,
        Code::UnknownBelfrySeries,
        Code::TooMany,
        Code::InvalidTime,
        Code::UnknownZone,
        Code::InvalidSelector,
        Code::HoldsItselfBack,
        Code::TemplateSyntax,
        Code::ForbiddenAddress,
        Code::InvalidJson,
        Code::InvalidMailAddress,
        Code::NoMailServer,
        Code::PlainMail,
        Code::SaysItChangesNothing,
        Code::HeartbeatUnwatched,
    ];

    /// The code as shown: `BF0001`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Code::TextTooLarge => "BF0001",
            Code::BrokenYaml => "BF0002",
            Code::DuplicateKey => "BF0003",
            Code::UnknownKey => "BF0004",
            Code::MissingKey => "BF0005",
            Code::WrongShape => "BF0006",
            Code::UnknownFormat => "BF0007",
            Code::InvalidDuration => "BF0008",
            Code::InvalidNumber => "BF0009",
            Code::UnknownWord => "BF0010",
            Code::InvalidName => "BF0011",
            Code::DuplicateName => "BF0012",
            Code::UnknownReference => "BF0013",
            Code::InvalidUrl => "BF0014",
            Code::TimeoutPastInterval => "BF0015",
            Code::EscalationOrder => "BF0016",
            Code::Empty => "BF0017",
            Code::ExpressionSyntax => "BF0018",
            Code::ExpressionType => "BF0019",
            Code::UnknownMetric => "BF0020",
            Code::LevelClasses => "BF0021",
            Code::InvalidTarget => "BF0022",
            Code::OneOf => "BF0023",
            Code::NobodyPaged => "BF0024",
            Code::SecretInText => "BF0025",
            Code::UnknownBelfrySeries => "BF0026",
            Code::TooMany => "BF0027",
            Code::InvalidTime => "BF0028",
            Code::UnknownZone => "BF0029",
            Code::InvalidSelector => "BF0030",
            Code::HoldsItselfBack => "BF0031",
            Code::TemplateSyntax => "BF0032",
            Code::ForbiddenAddress => "BF0033",
            Code::InvalidJson => "BF0034",
            Code::InvalidMailAddress => "BF0035",
            Code::NoMailServer => "BF0036",
            Code::PlainMail => "BF0037",
            Code::SaysItChangesNothing => "BF0038",
            Code::HeartbeatUnwatched => "BF0039",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
