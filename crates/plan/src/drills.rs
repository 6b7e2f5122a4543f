//! How alerts are drilled: how often, and how the service is broken so that one fires for real.

use std::time::Duration;

use crate::{Location, Origin, RequestStep};

/// How a plan's alerts are drilled.
#[derive(Clone, Debug)]
pub struct DrillOptions {
    /// For how long a passed drill proves an alert.
    pub every: Duration,
    /// How alerts are caused.
    pub faults: Vec<DrillFault>,
}

impl DrillOptions {
    /// How an alert is caused, if the plan says.
    pub fn fault(&self, alert: &str) -> Option<&DrillFault> {
        self.faults.iter().find(|fault| fault.alert == alert)
    }
}

/// A fault that makes an alert fire.
#[derive(Clone, Debug)]
pub struct DrillFault {
    /// The alert.
    pub alert: String,
    /// What breaks the service.
    pub inject: RequestStep,
    /// What mends it. It may be sent twice.
    pub end: RequestStep,
    /// How long after the fault the alert fires at the latest.
    pub within: Duration,
    /// How long after the fault ended the alert has ended at the latest; `None`: what follows from the rule.
    pub calm_within: Option<Duration>,
    /// Document or added.
    pub origin: Origin,
    /// Where it is declared.
    pub at: Location,
}
