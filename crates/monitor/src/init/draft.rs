//! A plan before it is text: what the recipes put together.

use std::collections::BTreeSet;

use super::survey::Survey;

/// What the five questions answered.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The service's name.
    pub service: String,
    /// Where it shows its metrics.
    pub metrics_url: String,
    /// Its health endpoints that answered, by what they stand for.
    pub health: Vec<HealthEndpoint>,
    /// How fast 95 of 100 requests should be answered, in seconds.
    pub answer_within: f64,
    /// Who is told first.
    pub receiver: Receiver,
}

/// A health endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthEndpoint {
    /// Whether it says that the service may get traffic, and not only that it lives.
    pub readiness: bool,
    /// Its address.
    pub url: String,
}

/// Who is told first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// Nobody yet: pages go to Belfry's log.
    Log,
    /// Whatever listens at an address.
    Webhook(String),
    /// A mailbox, through a mail server.
    Mail {
        /// The mailbox.
        to: String,
        /// The server.
        server: String,
    },
}

/// How urgent a drafted rule is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Pages and escalates.
    Critical,
    /// Tells once.
    Warning,
}

/// What a rule is about; each subject has a procedure.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The service is gone or refuses traffic.
    Presence,
    /// Requests fail or are slow.
    Requests,
    /// Memory, processor, disk, connections run out.
    Resources,
    /// Something inside says that it fails.
    Failures,
}

/// An alert rule.
#[derive(Clone, Debug)]
pub struct DraftRule {
    /// Its name.
    pub name: String,
    /// When it fires.
    pub expr: String,
    /// For how long that must hold.
    pub hold: &'static str,
    /// How urgent it is.
    pub urgency: Urgency,
    /// What it is about.
    pub subject: Subject,
    /// One line for a telephone.
    pub summary: String,
    /// Why it matters.
    pub description: String,
}

/// A chart.
#[derive(Clone, Debug)]
pub struct DraftPanel {
    /// Its title.
    pub title: String,
    /// How it draws: a word of the plan.
    pub kind: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// Expressions with their legends.
    pub queries: Vec<(String, String)>,
}

/// A page of charts.
#[derive(Clone, Debug)]
pub struct DraftDashboard {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its panels.
    pub panels: Vec<DraftPanel>,
}

/// A promise.
#[derive(Clone, Debug)]
pub struct DraftObjective {
    /// Its id.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its present value.
    pub expr: String,
    /// The unit of that.
    pub unit: &'static str,
    /// What is promised.
    pub target: String,
}

/// Everything that will stand in the plan beside what the answers say.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Rules, in the order of their subjects.
    pub rules: Vec<DraftRule>,
    /// Dashboards; empty ones are not written.
    pub dashboards: Vec<DraftDashboard>,
    /// Promises.
    pub objectives: Vec<DraftObjective>,
}

impl Draft {
    /// The families that the draft reads: these are the metrics that the plan declares.
    pub fn families<'s>(&self, survey: &'s Survey) -> BTreeSet<&'s str> {
        let rules = self.rules.iter().map(|rule| &rule.expr);
        let panels = self.dashboards.iter().flat_map(|board| &board.panels);
        let queries = panels.flat_map(|panel| panel.queries.iter().map(|(expr, _)| expr));
        let promises = self.objectives.iter().map(|objective| &objective.expr);
        rules
            .chain(queries)
            .chain(promises)
            .flat_map(|expr| read_by(expr, survey))
            .collect()
    }

    /// The families that a rule or a promise reads: without one of these something is blind, so they are required.
    pub fn needed<'s>(&self, survey: &'s Survey) -> BTreeSet<&'s str> {
        let rules = self.rules.iter().map(|rule| &rule.expr);
        let promises = self.objectives.iter().map(|objective| &objective.expr);
        rules
            .chain(promises)
            .flat_map(|expr| read_by(expr, survey))
            .collect()
    }

    /// Adds a panel to a dashboard.
    pub fn panel(&mut self, dashboard: &'static str, panel: DraftPanel) {
        let board = self.dashboards.iter_mut().find(|own| own.id == dashboard);
        if let Some(board) = board {
            board.panels.push(panel);
        }
    }

    /// Whether some panel already reads a family.
    pub fn shows(&self, family: &str, survey: &Survey) -> bool {
        let panels = self.dashboards.iter().flat_map(|board| &board.panels);
        panels
            .flat_map(|panel| &panel.queries)
            .any(|(expr, _)| read_by(expr, survey).any(|name| name == family))
    }
}

/// The families that an expression reads.
fn read_by<'s>(expr: &str, survey: &'s Survey) -> impl Iterator<Item = &'s str> {
    let parsed = promql::parse(expr);
    let names: Vec<String> = parsed.as_ref().map_or(Vec::new(), |parsed| {
        let selectors = parsed.selectors();
        let named = selectors.iter().filter_map(|selector| selector.name);
        named.map(str::to_owned).collect()
    });
    names
        .into_iter()
        .filter_map(|name| survey.family(&name).map(|(family, _)| family))
}
