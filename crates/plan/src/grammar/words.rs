//! The words that keys choose from, each with what it stands for: once, for the converters as well as for the grammar.

use jiff::civil::Weekday;
use model::Level;

use super::Shape;
use super::contacts::{
    ALERTMANAGER_CHANNEL, COMMAND_CHANNEL, EMAIL_CHANNEL, LOG_CHANNEL, PAGERDUTY_CHANNEL,
    SLACK_CHANNEL, WEBHOOK_CHANNEL,
};
use crate::{MailSecurity, MetricGroup, MetricType, NoTraffic, PanelKind, ProbeKind, Severity};

pub(crate) const METRIC_TYPES: [(&str, MetricType); 4] = [
    ("counter", MetricType::Counter),
    ("gauge", MetricType::Gauge),
    ("histogram", MetricType::Histogram),
    ("summary", MetricType::Summary),
];

pub(crate) const METRIC_GROUPS: [(&str, MetricGroup); 3] = [
    ("application", MetricGroup::Application),
    ("infrastructure", MetricGroup::Infrastructure),
    ("business", MetricGroup::Business),
];

pub(crate) const SEVERITIES: [(&str, Severity); 2] = [
    ("critical", Severity::Critical),
    ("warning", Severity::Warning),
];

pub(crate) const NO_TRAFFIC: [(&str, NoTraffic); 2] =
    [("resolve", NoTraffic::Resolve), ("page", NoTraffic::Page)];

/// What an expected page says: whether it is the end.
pub(crate) const SAYS: [(&str, bool); 2] = [("firing", false), ("resolved", true)];

pub(crate) const PANEL_KINDS: [(&str, PanelKind); 4] = [
    ("line", PanelKind::Line),
    ("stacked", PanelKind::Stacked),
    ("stat", PanelKind::Stat),
    ("bars", PanelKind::Bars),
];

pub(crate) const LEVELS: [(&str, Level); 4] = [
    ("DEBUG", Level::Debug),
    ("INFO", Level::Info),
    ("WARN", Level::Warn),
    ("ERROR", Level::Error),
];

pub(crate) const PROBE_KINDS: [(&str, ProbeKind); 3] = [
    ("liveness", ProbeKind::Liveness),
    ("readiness", ProbeKind::Readiness),
    ("health", ProbeKind::Health),
];

/// Written in any case, as people do.
pub(crate) const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The methods of a step's request.
pub(crate) const METHODS: [(&str, &str); 5] = [
    ("GET", "GET"),
    ("POST", "POST"),
    ("PUT", "PUT"),
    ("PATCH", "PATCH"),
    ("DELETE", "DELETE"),
];

/// The keys that say what a step does; a step without any of them is done by a person.
pub(crate) const STEP_KINDS: [&str; 7] = [
    "query",
    "logs",
    "check",
    "deployments",
    "compare",
    "request",
    "command",
];

pub(crate) const MAIL_SECURITY: [(&str, MailSecurity); 3] = [
    ("starttls", MailSecurity::StartTls),
    ("tls", MailSecurity::Tls),
    ("none", MailSecurity::None),
];

/// What a channel is, before its details.
#[derive(Copy, Clone)]
pub(crate) enum ChannelType {
    Webhook,
    Email,
    Slack,
    PagerDuty,
    Alertmanager,
    Command,
    Log,
}

pub(crate) const CHANNELS: [(&str, ChannelType); 7] = [
    ("webhook", ChannelType::Webhook),
    ("email", ChannelType::Email),
    ("slack", ChannelType::Slack),
    ("pagerduty", ChannelType::PagerDuty),
    ("alertmanager", ChannelType::Alertmanager),
    ("command", ChannelType::Command),
    ("log", ChannelType::Log),
];

impl ChannelType {
    /// The keys that a channel of this type has.
    pub(crate) const fn shape(self) -> &'static Shape {
        match self {
            ChannelType::Webhook => &WEBHOOK_CHANNEL,
            ChannelType::Email => &EMAIL_CHANNEL,
            ChannelType::Slack => &SLACK_CHANNEL,
            ChannelType::PagerDuty => &PAGERDUTY_CHANNEL,
            ChannelType::Alertmanager => &ALERTMANAGER_CHANNEL,
            ChannelType::Command => &COMMAND_CHANNEL,
            ChannelType::Log => &LOG_CHANNEL,
        }
    }
}

/// The words alone, for the grammar.
pub(super) const fn words<T: Copy, const N: usize>(
    list: &[(&'static str, T); N],
) -> [&'static str; N] {
    let mut words = [""; N];
    let mut at = 0;
    while at < N {
        words[at] = list[at].0;
        at += 1;
    }
    words
}
