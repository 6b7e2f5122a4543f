//! The codes of diagnostics. A code names a kind of mistake and never changes its meaning, so that people can search
//! for it and tools can rely on it; new kinds are added at the end of their family: from `BF0001` what a text must keep to,
//! from `BF0101` what lint finds in a plan that could run.
//!
//! Each code has a page in `docs/codes` that explains it. A code without one does not compile.

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

            /// What the mistake is, as half a sentence that begins with a capital letter.
            pub fn meaning(self) -> &'static str {
                let said = match self {
                    $(Code::$name => concat!($($doc),+),)+
                };
                let said = said.trim();
                let said = said.strip_prefix("Warning: ").unwrap_or(said);
                said.strip_suffix('.').unwrap_or(said)
            }

            /// The code as shown: `BF0001`, …
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $number,)+
                }
            }

            /// The page that explains the code, in Markdown: `docs/codes`.
            pub fn page(self) -> &'static str {
                match self {
                    $(Code::$name => include_str!(concat!("../../../docs/codes/", $number, ".md")),)+
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
    /// Not the path of a file that a plan may include.
    InvalidPath = "BF0040",
    /// An included file that cannot be read.
    UnreadableFile = "BF0041",
    /// A file that includes itself, by itself or through others, or one that is included twice.
    IncludedAgain = "BF0042",
    /// A key that stands once in a plan, but in two of its files.
    StandsInTwoFiles = "BF0043",
    /// An environment variable that is not set, without a default.
    UnsetVariable = "BF0044",
    /// What begins like a value from the environment and does not end as one.
    VariableSyntax = "BF0045",
    /// A series of a test, its points or a sample's labels, that does not read as such.
    SeriesNotation = "BF0050",
    /// `added` names what is not there, or nothing.
    UnknownAddedKey = "BF0055",
    /// A drill that ends before its alert can fire.
    DrillTooShort = "BF0060",
    /// What events are counted by is not a metric's name or a selector of one metric's series.
    EventSelector = "BF0070",
    /// A metric of a type whose events cannot be counted like this.
    EventType = "BF0071",
    /// How many events may be bad does not follow from the target, and is not written.
    NoBudget = "BF0072",
    /// A budget that lets no event be bad, or every one.
    EmptyBudget = "BF0073",
    /// Windows of burn-rate alerts that do not fit each other or the objective's.
    BurnWindows = "BF0074",
    /// A burn-rate alert whose factor no share of bad events reaches.
    BurnOutOfReach = "BF0075",
    /// A budget, or alerts on one, of an objective that counts no events.
    BudgetWithoutEvents = "BF0076",
    /// Not a search for log lines.
    LogSearch = "BF0080",
    /// Lint: a counter's bare value, which only says how long the program has run.
    CounterWithoutRate = "BF0101",
    /// Lint: `rate`, `irate` or `increase` of something that also falls.
    RateOfGauge = "BF0102",
    /// Lint: `delta`, `deriv` or their like of a counter, which falls at every restart.
    DeltaOfCounter = "BF0103",
    /// Lint: a rate of counters that were added up before, so that one restart looks like a flood.
    RateOfAggregate = "BF0104",
    /// Lint: `histogram_quantile` of something that has no buckets.
    QuantileOfNoHistogram = "BF0105",
    /// Lint: `histogram_quantile` of buckets without `rate`: a quantile of everything since the start.
    QuantileOfLifetime = "BF0106",
    /// Lint: `histogram_quantile` over an aggregation that drops `le`.
    QuantileWithoutLe = "BF0107",
    /// Lint: a quantile for each combination of several labels, where hardly anything falls into one.
    QuantileOfEachPart = "BF0108",
    /// Lint: quantiles that are averaged or added, or buckets that are not added.
    QuantileAggregated = "BF0109",
    /// Lint: a quantile outside of 0 to 1.
    QuantileOutOfRange = "BF0110",
    /// Lint: a share that is compared with a number above 1.
    RatioAsAbsolute = "BF0111",
    /// Lint: something by the second under a name or text that speaks of a share.
    RateUnderShareName = "BF0112",
    /// Lint: `humanizePercentage` of something that is no share.
    PercentageOfNonRatio = "BF0113",
    /// Lint: a condition that no possible value satisfies.
    NeverTrue = "BF0114",
    /// Lint: a condition that every possible value satisfies.
    AlwaysTrue = "BF0115",
    /// Lint: a range that holds too few scrapes to tell a rate.
    RangeTooShort = "BF0116",
    /// Lint: `for` or `keep_firing_for` shorter than the time between two evaluations.
    ForBelowInterval = "BF0117",
    /// Lint: a subquery whose step is finer than the scrapes that it reads.
    SubqueryTooFine = "BF0118",
    /// Lint: a rule group that is evaluated more often than anything that it reads changes.
    GroupFasterThanScrape = "BF0119",
    /// Lint: a label that the series does not have.
    UnknownLabel = "BF0120",
    /// Lint: a text names a label that the expression's aggregation drops.
    TemplateLabelDropped = "BF0121",
    /// Lint: a text names a label that nothing in the expression has.
    TemplateLabelMissing = "BF0122",
    /// Lint: two sides of an operation whose labels can never be equal.
    SidesNeverMatch = "BF0123",
    /// Lint: several series of one side meet one of the other, without `group_left` or `group_right`.
    ManyToOne = "BF0124",
    /// Lint: a regular expression without any pattern in it.
    RegexIsPlainText = "BF0125",
    /// Lint: a matcher that every series satisfies, or none.
    IdleMatcher = "BF0126",
    /// Lint: an alert whose expression always yields a value.
    AlertWithoutCondition = "BF0127",
    /// Lint: a comparison with NaN, which is equal to nothing.
    ComparedWithNan = "BF0128",
    /// Lint: an alert that tells nobody what to do.
    AlertWithoutProcedure = "BF0129",
    /// Lint: an alert that tells nobody at all.
    AlertWithoutEscalation = "BF0130",
    /// Lint: an alert about metrics that no dashboard shows.
    AlertNotShown = "BF0131",
    /// Lint: two alerts of one severity that say the same.
    SameExpression = "BF0132",
    /// Lint: a critical alert that a single sample sets off.
    HastyCritical = "BF0133",
    /// Lint: a liveness probe that fails with what the service depends on.
    LivenessChecksDependencies = "BF0134",
    /// Lint: a liveness and a readiness probe that ask the same address.
    ProbesShareAddress = "BF0135",
    /// Lint: a dependency in a health answer that no alert reads.
    DependencyUnguarded = "BF0136",
    /// Lint: a critical path that is guarded by warnings alone.
    CriticalPathOnlyWarns = "BF0137",
    /// Lint: an expression that looks further back than samples are kept.
    RetentionBelowLookBack = "BF0138",
    /// Lint: a procedure that searches logs which are gone by then.
    LogsGoneBeforeRead = "BF0139",
    /// Lint: a required metric that no alert and no objective reads.
    MetricUnguarded = "BF0140",
    /// Lint: a required metric that no dashboard shows.
    MetricNotShown = "BF0141",
    /// Lint: a metric without a meaning for people.
    MetricWithoutMeaning = "BF0142",
    /// Lint: an objective that can be missed without any alert firing.
    ObjectiveBlind = "BF0143",
    /// Lint: an objective whose metrics no alert reads.
    ObjectiveUnguarded = "BF0144",
    /// Lint: an escalation level that no alert reaches.
    LevelNeverReached = "BF0145",
    /// Lint: a role that nobody fills.
    RoleUnfilled = "BF0146",
    /// Lint: a procedure that no alert leads to.
    ProcedureUnused = "BF0147",
    /// Lint: an escalation policy that nothing uses.
    PolicyUnused = "BF0148",
    /// Lint: a waiver that waives nothing.
    WaiverUnused = "BF0149",
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
