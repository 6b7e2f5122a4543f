//! Recipes: what is worth an alert and a chart, given what a service exposes. Each looks for the metrics that it needs and
//! adds nothing where they are missing, so that no rule of a drafted plan reads what nobody writes.

mod http;
mod known;
mod presence;
mod signs;

use super::draft::{Answers, Draft, DraftDashboard};
use super::survey::Survey;

/// The dashboard that is shown first.
pub(super) const OVERVIEW: &str = "overview";
/// The dashboard of processor, memory, disk and the like.
pub(super) const RESOURCES: &str = "resources";
/// The dashboard of whatever else the service counts.
pub(super) const DETAILS: &str = "details";

/// Drafts a plan.
pub fn draft(survey: &Survey, answers: &Answers) -> Draft {
    let board = |id, title| DraftDashboard {
        id,
        title,
        panels: Vec::new(),
    };
    let mut draft = Draft {
        dashboards: vec![
            board(OVERVIEW, "Overview"),
            board(RESOURCES, "Resources"),
            board(DETAILS, "Details"),
        ],
        ..Draft::default()
    };
    presence::add(&mut draft, answers);
    http::add(&mut draft, survey, answers);
    known::add(&mut draft, survey);
    signs::add(&mut draft, survey);
    signs::add_the_rest(&mut draft, survey);
    draft.rules.sort_by_key(|rule| rule.subject);
    draft.dashboards.retain(|board| !board.panels.is_empty());
    draft
}
