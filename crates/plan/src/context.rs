//! What conversion carries along: the report, the names that the plan declares, and what it refers to.
//!
//! Names are noted the moment they are read, even when the rest of an item is broken: a rule with a misspelt severity
//! must not also make every reference to it wrong.

use std::ops::Range;
use std::time::Duration;

use crate::diagnostics::{Finding, Report};
use crate::node::Node;
use crate::services::Services;
use crate::{Code, MetricType};

/// What kind of thing a name is for. Names are unique within a kind.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Job,
    Metric,
    RuleGroup,
    Alert,
    Dashboard,
    LogClass,
    LogCategory,
    Probe,
    EscalationPolicy,
    Procedure,
    Objective,
    CriticalPath,
    Inhibition,
    MaintenanceWindow,
    Heartbeat,
    Person,
    Rota,
}

impl Kind {
    /// What people call it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Kind::Job => "target",
            Kind::Metric => "metric",
            Kind::RuleGroup => "rule group",
            Kind::Alert => "alert",
            Kind::Dashboard => "dashboard",
            Kind::LogClass => "log class",
            Kind::LogCategory => "log category",
            Kind::Probe => "probe",
            Kind::EscalationPolicy => "escalation policy",
            Kind::Procedure => "procedure",
            Kind::Objective => "objective",
            Kind::CriticalPath => "critical path",
            Kind::Inhibition => "inhibition",
            Kind::MaintenanceWindow => "maintenance window",
            Kind::Heartbeat => "heartbeat",
            Kind::Person => "person",
            Kind::Rota => "rota",
        }
    }

    /// The file that declares it.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Kind::Person | Kind::Rota => "contacts file",
            Kind::Job
            | Kind::Metric
            | Kind::RuleGroup
            | Kind::Alert
            | Kind::Dashboard
            | Kind::LogClass
            | Kind::LogCategory
            | Kind::Probe
            | Kind::EscalationPolicy
            | Kind::Procedure
            | Kind::Objective
            | Kind::CriticalPath
            | Kind::Inhibition
            | Kind::MaintenanceWindow
            | Kind::Heartbeat => "plan",
        }
    }
}

/// A name where it stands.
pub(crate) struct Named {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
}

/// A series that an expression reads.
pub(crate) struct SeriesRead {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
}

/// An alert that holds back another, both by name.
pub(crate) struct Hold {
    pub(crate) holder: String,
    pub(crate) held: String,
    pub(crate) span: Range<usize>,
}

/// A host and port that a procedure's request goes to.
pub(crate) struct Reach {
    pub(crate) address: String,
    pub(crate) span: Range<usize>,
}

/// How long a drill waits for its alert.
pub(crate) struct DrillTime {
    pub(crate) alert: String,
    pub(crate) within: Duration,
    pub(crate) alert_span: Range<usize>,
    pub(crate) span: Range<usize>,
}

/// The state of one conversion.
pub(crate) struct Context<'t> {
    pub(crate) report: Report<'t>,
    /// The services that its files belong to.
    pub(crate) services: Services,
    /// Whether maps may say what is added beside a document: those of a plan may.
    pub(crate) marks_added: bool,
    /// Names that the text declares.
    pub(crate) declared: Vec<Named>,
    /// Names that it refers to.
    pub(crate) referred: Vec<Named>,
    /// Declared metrics with their type, where that could be read.
    pub(crate) metric_types: Vec<(String, Option<MetricType>)>,
    /// What expressions read.
    pub(crate) reads: Vec<SeriesRead>,
    /// What inhibitions say, alert by alert.
    pub(crate) holds: Vec<Hold>,
    /// Hosts and ports that requests of procedures may go to, in small letters.
    pub(crate) reachable: Vec<String>,
    /// Those that they go to, in small letters.
    pub(crate) reached: Vec<Reach>,
    /// What faults of drills say.
    pub(crate) drill_times: Vec<DrillTime>,
    /// Where channels send mail.
    pub(crate) mail_channels: Vec<Range<usize>>,
}

impl<'t> Context<'t> {
    pub(crate) fn new(file: &'t str, text: &'t str) -> Context<'t> {
        Context {
            report: Report::new(file, text),
            services: Services::default(),
            marks_added: false,
            declared: Vec::new(),
            referred: Vec::new(),
            metric_types: Vec::new(),
            reads: Vec::new(),
            holds: Vec::new(),
            reachable: Vec::new(),
            reached: Vec::new(),
            drill_times: Vec::new(),
            mail_channels: Vec::new(),
        }
    }

    /// Notes that something has this name.
    pub(crate) fn declare(&mut self, kind: Kind, name: &str, node: &Node) {
        self.declared.push(Named {
            kind,
            name: name.to_owned(),
            span: node.span.clone(),
        });
    }

    /// Notes that something of this name must exist.
    pub(crate) fn refer(&mut self, kind: Kind, name: &str, node: &Node) {
        self.referred.push(Named {
            kind,
            name: name.to_owned(),
            span: node.span.clone(),
        });
    }

    /// The service that what stands at a place belongs to, where it is another than the plan's own.
    pub(crate) fn service_at(&self, byte: usize) -> Option<String> {
        self.services.of_file(self.report.files.of(byte))
    }

    /// The targets that something may belong to: those of its service, and all where that has none.
    pub(crate) fn jobs_for(&self, node: &Node) -> Vec<String> {
        let service = self.service_at(node.span.start);
        let jobs = self.declared.iter().filter(|own| own.kind == Kind::Job);
        let of_service = jobs.filter(|own| self.service_at(own.span.start) == service);
        let of_service: Vec<String> = of_service.map(|own| own.name.clone()).collect();
        if of_service.is_empty() {
            return self.names(Kind::Job).map(str::to_owned).collect();
        }
        of_service
    }

    /// The declared names of a kind, in the order of the text.
    pub(crate) fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.declared
            .iter()
            .filter(move |named| named.kind == kind)
            .map(|named| &*named.name)
    }

    /// Notes that procedures may ask the host and port of this address.
    pub(crate) fn may_reach(&mut self, address: &str) {
        self.reachable.push(address.to_ascii_lowercase());
    }

    /// Reports something that does not forbid the text.
    pub(crate) fn warning(
        &mut self,
        code: Code,
        at: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (message, help) = (message.into(), help.into());
        let label = String::new();
        self.report.warning(
            at,
            Finding {
                code,
                message,
                label,
                help,
            },
        );
    }

    /// Reports an error about a part of the text.
    pub(crate) fn error(
        &mut self,
        code: Code,
        at: &Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (message, label, help) = (message.into(), label.into(), help.into());
        self.report.error(
            at,
            Finding {
                code,
                message,
                label,
                help,
            },
        );
    }
}
