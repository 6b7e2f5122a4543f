//! Every expression of the plan, with what it belongs to.

use promql::Span;

use super::infer::{Inferred, infer};
use crate::{AlertRule, Expression, Objective, PanelKind, PanelQuery, Plan, RuleGroup, StepKind};

/// What an expression is for.
#[derive(Copy, Clone)]
pub(super) enum Purpose<'p> {
    /// An alert's condition.
    Alert(&'p RuleGroup, &'p AlertRule),
    /// An objective's present value.
    Objective(&'p Objective),
    /// A line of a panel.
    Panel(PanelKind, &'p PanelQuery),
    /// A step of a procedure.
    Step,
}

/// An expression where it stands.
pub(super) struct Site<'p> {
    pub(super) purpose: Purpose<'p>,
    /// The name that a waiver gives: the alert's, the objective's, the panel's title, the procedure's id.
    pub(super) name: &'p str,
    pub(super) expression: &'p Expression,
    pub(super) root: Inferred<'p>,
}

impl<'p> Site<'p> {
    /// The rule, where it is an alert's.
    pub(super) fn rule(&self) -> Option<&'p AlertRule> {
        match self.purpose {
            Purpose::Alert(_, rule) => Some(rule),
            Purpose::Objective(_) | Purpose::Panel(..) | Purpose::Step => None,
        }
    }

    /// A part of the expression, for a finding.
    pub(super) fn part(&self, span: Span) -> (&'p Expression, Span) {
        (self.expression, span)
    }

    /// The text of a part.
    pub(super) fn text(&self, span: Span) -> &'p str {
        let text = self.expression.text.get(span.start..span.end);
        text.unwrap_or("").trim()
    }
}

/// All expressions, in the order of the plan's sections.
pub(super) fn sites(plan: &Plan) -> Vec<Site<'_>> {
    let site = |purpose, name, expression| Site {
        purpose,
        name,
        expression,
        root: infer(plan, &expression.parsed),
    };
    let mut sites: Vec<Site<'_>> = Vec::new();
    for (group, rule) in plan.rules() {
        sites.push(site(Purpose::Alert(group, rule), &rule.name, &rule.expr));
    }
    for objective in &plan.objectives {
        let purpose = Purpose::Objective(objective);
        sites.push(site(purpose, &objective.id, &objective.expr));
    }
    for panel in plan.dashboards.iter().flat_map(|board| &board.panels) {
        for query in &panel.queries {
            let purpose = Purpose::Panel(panel.kind, query);
            sites.push(site(purpose, &panel.title, &query.expr));
        }
    }
    for procedure in &plan.procedures {
        for step in &procedure.steps {
            if let StepKind::Query(expr) | StepKind::Compare { expr, .. } = &step.kind {
                sites.push(site(Purpose::Step, &procedure.id, expr));
            }
        }
    }
    sites
}
