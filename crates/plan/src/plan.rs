//! The plan as the rest of Belfry sees it: typed, cross-checked, free of YAML.
//!
//! These are declarations only; what happens at run time (an alert instance, an incident) lives in `alerting`. The
//! text form and its errors live in `syntax` and `diagnostics`; nothing here knows serde.

use std::ops::Range;
use std::time::Duration;

use crate::{
    Budget, BurnAlerts, Code, DeploymentTracking, DrillOptions, EscalationPolicy, Events,
    Heartbeat, IncidentOptions, IncomingAlerts, Inhibition, MaintenanceWindow, Messages, Procedure,
};

/// A whole monitoring plan: everything that Belfry runs comes from one of these.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The service's name; the `service` label of incidents and the default source of logs. Where the plan holds several,
    /// the one that its main file names.
    pub service: String,
    /// What people call the plan.
    pub title: String,
    /// All services that the plan holds, its own first.
    pub services: Vec<Service>,
    /// The names of the files that the plan stands in, the main one first; [`Location::file`] counts in them.
    pub files: Vec<String>,
    /// What is scraped.
    pub targets: Vec<Target>,
    /// Whether and how often the machine's own figures (CPU, memory, disk, network) are collected.
    pub host: Option<HostCollection>,
    /// The metrics that must (or may) exist, and what they mean.
    pub metrics: Vec<Metric>,
    /// Alert rules by group, in the plan's order; then those that objectives became ([`Origin::Lowered`]).
    pub rule_groups: Vec<RuleGroup>,
    /// Dashboards, in the plan's order.
    pub dashboards: Vec<Dashboard>,
    /// How logs come in, are classed, and how long they are kept.
    pub logs: Logs,
    /// Health endpoints and how often they are probed.
    pub probes: Vec<Probe>,
    /// Who is told when.
    pub escalation_policies: Vec<EscalationPolicy>,
    /// What the responder does.
    pub procedures: Vec<Procedure>,
    /// The promised targets.
    pub objectives: Vec<Objective>,
    /// How much of each group of metrics must be covered.
    pub coverage: CoverageTargets,
    /// Paths through the service that must be guarded by an alert.
    pub critical_paths: Vec<CriticalPath>,
    /// How long samples are kept.
    pub metrics_retention: Duration,
    /// How alerts become incidents.
    pub incidents: IncidentOptions,
    /// Which alerts hold others back.
    pub inhibitions: Vec<Inhibition>,
    /// When pages are held back, again and again.
    pub maintenance_windows: Vec<MaintenanceWindow>,
    /// Templates of what is sent.
    pub messages: Messages,
    /// Jobs that must report.
    pub heartbeats: Vec<Heartbeat>,
    /// What happens to alerts that other programs send; `None`: the first policy, as warnings unless they say otherwise.
    pub incoming_alerts: Option<IncomingAlerts>,
    /// How deployments are seen.
    pub deployments: Option<DeploymentTracking>,
    /// Further addresses (`host:port`) that requests of procedures may go to.
    pub procedures_may_reach: Vec<String>,
    /// How alerts are drilled.
    pub drills: DrillOptions,
    /// Findings of lint and holes in coverage that are accepted, each with its reason.
    pub waivers: Vec<Waiver>,
}

/// A finding that the plan accepts.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// The finding's code.
    pub code: Code,
    /// The names of what it is about: alerts, metrics, probes, objectives, …
    pub about: Vec<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Where it is declared.
    pub at: Location,
}

/// One of the services of a plan.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name, as `service` labels have it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Where it is named.
    pub at: Location,
}

/// Where something stands in the plan's text, line and column counted from 1.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Which of [`Plan::files`], counted from 0: the main one is 0.
    pub file: usize,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Whether an item stands in the plan document, was added to close a gap that the document leaves, or follows from another.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// From the plan document, names and numbers verbatim.
    #[default]
    Document,
    /// Added beside it (`added: true`).
    Added,
    /// Written nowhere: it follows from an objective.
    Lowered,
}

/// Something that exposes metrics.
#[derive(Clone, Debug)]
pub struct Target {
    /// The `job` label of everything scraped from it.
    pub job: String,
    /// The `instance` label; host and port of the address unless the plan names one.
    pub instance: String,
    /// The address of its metrics.
    pub url: String,
    /// How often.
    pub interval: Duration,
    /// How long one scrape may take; at most the interval.
    pub timeout: Duration,
    /// The most samples one scrape may bring; past it the whole scrape fails.
    pub sample_limit: usize,
    /// The service that it belongs to, where it is another than the plan's own: see [`Plan::service_of`].
    pub service: Option<String>,
    /// Where it is declared.
    pub at: Location,
}

/// Collection of the machine's own figures.
#[derive(Clone, Debug)]
pub struct HostCollection {
    /// How often.
    pub interval: Duration,
}

/// A metric's type, as exposition names it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// Only goes up (or restarts at zero).
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
    /// Quantiles, sum and count.
    Summary,
}

impl MetricType {
    /// The word of the exposition formats.
    pub fn as_str(self) -> &'static str {
        match self {
            MetricType::Counter => "counter",
            MetricType::Gauge => "gauge",
            MetricType::Histogram => "histogram",
            MetricType::Summary => "summary",
        }
    }
}

/// Which coverage target a metric counts towards.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MetricGroup {
    /// What the program does.
    Application,
    /// What it runs on.
    Infrastructure,
    /// What it is for.
    Business,
}

impl MetricGroup {
    /// All groups, in reading order.
    pub const ALL: [MetricGroup; 3] = [
        MetricGroup::Application,
        MetricGroup::Infrastructure,
        MetricGroup::Business,
    ];

    /// The word of the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            MetricGroup::Application => "application",
            MetricGroup::Infrastructure => "infrastructure",
            MetricGroup::Business => "business",
        }
    }
}

/// A metric that the plan declares.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name, exactly as exposed in the text format.
    pub name: String,
    /// Its type.
    pub metric_type: MetricType,
    /// Its unit (`seconds`, `bytes`, `ratio`, …); empty for a plain count.
    pub unit: String,
    /// What it means, for people; empty where the plan does not say.
    pub meaning: String,
    /// The coverage group.
    pub group: MetricGroup,
    /// Whether its absence is an alert.
    pub required: bool,
    /// Labels that split it (besides `job` and `instance`).
    pub labels: Vec<String>,
    /// The `job` of the target that exposes it; `None` when Belfry itself writes it (host figures, probes, log counts).
    pub source: Option<String>,
    /// The service that it belongs to, where it is another than the plan's own: see [`Plan::service_of`].
    pub service: Option<String>,
    /// Document or added.
    pub origin: Origin,
    /// Where it is declared.
    pub at: Location,
}

/// Rules that are evaluated together.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// The group's name.
    pub name: String,
    /// How often it is evaluated.
    pub interval: Duration,
    /// Its rules, in order.
    pub rules: Vec<AlertRule>,
}

/// How urgent an alert is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Notifies once; never escalates.
    Warning,
    /// Pages at once and escalates until acknowledged.
    Critical,
}

impl Severity {
    /// The value of the `severity` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
        }
    }
}

/// What a rule does when complete scrapes bring no value for it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum NoTraffic {
    /// After the length of `for` a firing alert resolves as "no traffic".
    #[default]
    Resolve,
    /// Having no value is itself a reason to keep paging.
    Page,
}

/// A PromQL expression of the plan, with its text as written.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Verbatim.
    pub text: String,
    /// Parsed.
    pub parsed: promql::Expr,
    /// The bytes of the plan's text that it was read from, as written: with quotes, escapes and indentation.
    pub span: Range<usize>,
}

/// One alert rule.
#[derive(Clone, Debug)]
pub struct AlertRule {
    /// The alert's name.
    pub name: String,
    /// What is wrong when this yields a value.
    pub expr: Expression,
    /// How long it must hold before it fires.
    pub hold: Duration,
    /// How long it goes on firing after the condition ended, so that a short calm does not resolve it.
    pub keep_firing: Duration,
    /// Labels by which its alerts group into incidents; `None`: the plan's.
    pub group_by: Option<Vec<String>>,
    /// How urgent.
    pub severity: Severity,
    /// Labels added to the alert, besides `alertname` and `severity`.
    pub labels: Vec<(String, String)>,
    /// One line for a phone's screen; may hold `{{ $value }}` and `{{ $labels.x }}`.
    pub summary: String,
    /// More, for the incident page.
    pub description: String,
    /// The procedure that the responder follows.
    pub procedure: Option<String>,
    /// The escalation policy.
    pub escalation: Option<String>,
    /// What complete scrapes without a value mean.
    pub no_traffic: NoTraffic,
    /// The jobs whose scrapes must be complete for an empty answer to count; from the metrics' sources.
    pub sources: Vec<String>,
    /// The service that it belongs to, where it is another than the plan's own: then its alerts carry it as their label
    /// `service`, unless their series or the rule's labels have one.
    pub service: Option<String>,
    /// Document or added.
    pub origin: Origin,
    /// Where it is declared.
    pub at: Location,
}

/// A page of panels.
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// Its id in addresses.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its panels, in order.
    pub panels: Vec<Panel>,
    /// The service that it belongs to, where it is another than the plan's own: see [`Plan::service_of`].
    pub service: Option<String>,
}

/// How a panel draws.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PanelKind {
    /// Lines over time.
    Line,
    /// Stacked areas over time.
    Stacked,
    /// The present value, large.
    Stat,
    /// One bar a series, present values.
    Bars,
}

impl PanelKind {
    /// The word of the plan and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            PanelKind::Line => "line",
            PanelKind::Stacked => "stacked",
            PanelKind::Stat => "stat",
            PanelKind::Bars => "bars",
        }
    }

    /// Whether it shows present values rather than a course over time.
    pub fn shows_one_moment(self) -> bool {
        match self {
            PanelKind::Line | PanelKind::Stacked => false,
            PanelKind::Stat | PanelKind::Bars => true,
        }
    }
}

/// One chart.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// What it shows, in a sentence; may be empty.
    pub description: String,
    /// How it draws.
    pub kind: PanelKind,
    /// The unit of its values: `seconds`, `bytes`, `ratio`, `per_second`, `per_minute`, `count`, …
    pub unit: String,
    /// What it draws.
    pub queries: Vec<PanelQuery>,
    /// A line to draw across: an alert's threshold or an objective's target.
    pub thresholds: Vec<Threshold>,
    /// Where it is declared.
    pub at: Location,
}

/// One query of a panel.
#[derive(Clone, Debug)]
pub struct PanelQuery {
    /// The expression.
    pub expr: Expression,
    /// The legend; may hold `{{label}}`.
    pub legend: String,
}

/// A line across a panel.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// The value.
    pub value: f64,
    /// What it is.
    pub label: String,
}

/// How logs come in and how long they stay.
#[derive(Clone, Debug)]
pub struct Logs {
    /// Files to follow.
    pub follow: Vec<FollowedFile>,
    /// Retention classes; every line falls into exactly one.
    pub classes: Vec<LogClass>,
    /// What kinds of lines there are, for people and for coverage.
    pub categories: Vec<LogCategory>,
}

/// A log file that Belfry follows.
#[derive(Clone, Debug)]
pub struct FollowedFile {
    /// Its path; relative paths count from the working directory.
    pub path: String,
    /// The service that writes it.
    pub service: String,
}

/// A retention class. A category's class overrides the level's.
#[derive(Clone, Debug)]
pub struct LogClass {
    /// Its name (`DEBUG`, `SECURITY`, …).
    pub name: String,
    /// The level that falls into it, or …
    pub level: Option<model::Level>,
    /// … the category that does.
    pub category: Option<String>,
    /// How long lines are kept.
    pub keep: Duration,
    /// Where it is declared.
    pub at: Location,
}

/// A kind of line that the plan expects.
#[derive(Clone, Debug)]
pub struct LogCategory {
    /// What it is called.
    pub name: String,
    /// The class that it falls into.
    pub class: String,
    /// What its lines say, for people.
    pub meaning: String,
    /// What tells its lines apart: a line belongs to it that one of these finds. None: the lines whose own category has its
    /// name.
    pub lines: Vec<LogLines>,
    /// How often at least one of its lines must come; `None`: when something happens.
    pub every: Option<Duration>,
    /// Where it is declared.
    pub at: Location,
}

/// Log lines by a search as on the log page.
#[derive(Clone, Debug)]
pub struct LogLines {
    /// Verbatim.
    pub text: String,
    /// Parsed; of any time.
    pub query: model::LogQuery,
}

impl LogCategory {
    /// Whether a line belongs to it.
    pub fn has(&self, line: &model::LogEntry) -> bool {
        if self.lines.is_empty() {
            return line.category.as_ref() == Some(&self.name);
        }
        self.lines.iter().any(|lines| lines.query.matches(line))
    }
}

/// What a probe stands for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// Is the process alive?
    Liveness,
    /// May it get traffic? Uptime counts these.
    Readiness,
    /// The detailed answer, for the health board.
    Health,
}

impl ProbeKind {
    /// The word of the plan and of the `kind` label.
    pub fn as_str(self) -> &'static str {
        match self {
            ProbeKind::Liveness => "liveness",
            ProbeKind::Readiness => "readiness",
            ProbeKind::Health => "health",
        }
    }
}

/// A health endpoint that is probed.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub kind: ProbeKind,
    /// The address.
    pub url: String,
    /// How often.
    pub interval: Duration,
    /// How long one probe may take.
    pub timeout: Duration,
    /// The service's dependencies that the detailed answer names.
    pub dependencies: Vec<String>,
    /// The service that it belongs to, where it is another than the plan's own: see [`Plan::service_of`].
    pub service: Option<String>,
    /// Where it is declared.
    pub at: Location,
}

/// A promised target.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Its name in references.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The present value.
    pub expr: Expression,
    /// `true`: good below the target; `false`: good above.
    pub below: bool,
    /// The target value, in the unit.
    pub target: f64,
    /// `seconds`, `ratio`, …
    pub unit: String,
    /// The time over which it is promised.
    pub window: Duration,
    /// The service that it belongs to, where it is another than the plan's own: see [`Plan::service_of`].
    pub service: Option<String>,
    /// How its events are counted; `None`: it has no error budget.
    pub events: Option<Events>,
    /// The share of events that may be bad; there exactly where events are.
    pub budget: Option<Budget>,
    /// Alerts on how fast the budget is spent.
    pub burn_alerts: Option<BurnAlerts>,
    /// Where it is declared.
    pub at: Location,
}

/// The share of declared metrics of each group that must really arrive, 0..=1.
#[derive(Copy, Clone, Debug)]
pub struct CoverageTargets {
    /// Of the application's metrics.
    pub application: f64,
    /// Of the infrastructure's.
    pub infrastructure: f64,
    /// Of the business metrics.
    pub business: f64,
}

impl CoverageTargets {
    /// The target of a group.
    pub fn of(&self, group: MetricGroup) -> f64 {
        match group {
            MetricGroup::Application => self.application,
            MetricGroup::Infrastructure => self.infrastructure,
            MetricGroup::Business => self.business,
        }
    }
}

/// A path through the service that must be guarded.
#[derive(Clone, Debug)]
pub struct CriticalPath {
    /// What it is.
    pub name: String,
    /// The alerts that guard it.
    pub alerts: Vec<String>,
    /// The service that it belongs to, where it is another than the plan's own: see [`Plan::service_of`].
    pub service: Option<String>,
    /// Where it is declared.
    pub at: Location,
}

impl Plan {
    /// Every alert rule with its group, in the plan's order.
    pub fn rules(&self) -> impl Iterator<Item = (&RuleGroup, &AlertRule)> {
        self.rule_groups
            .iter()
            .flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
    }

    /// The name of the service that something belongs to, by its `service`.
    pub fn service_of<'p>(&'p self, own: &'p Option<String>) -> &'p str {
        own.as_deref().unwrap_or(&self.service)
    }

    /// The name of the file that something stands in.
    pub fn file_of(&self, at: Location) -> &str {
        self.files.get(at.file).map_or("", String::as_str)
    }

    /// The jobs whose scrapes must be complete for an empty answer of an expression to count.
    pub fn sources_of(&self, expr: &Expression) -> Vec<String> {
        crate::check::sources_of(self, expr)
    }

    /// An escalation policy by name.
    pub fn escalation_policy(&self, name: &str) -> Option<&EscalationPolicy> {
        self.escalation_policies
            .iter()
            .find(|policy| policy.name == name)
    }

    /// The waiver of a finding about something, if the plan has one.
    pub fn waiver(&self, code: Code, about: &str) -> Option<&Waiver> {
        self.waivers
            .iter()
            .find(|waiver| waiver.code == code && waiver.about.iter().any(|name| name == about))
    }

    /// A procedure by id.
    pub fn procedure(&self, id: &str) -> Option<&Procedure> {
        self.procedures.iter().find(|procedure| procedure.id == id)
    }
}
