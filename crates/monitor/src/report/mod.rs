//! Reports for people: what came of an incident, and whether the promises of escalation were kept. Pure functions of what
//! the store remembers; the HTTP side asks the store and chooses the form.

mod conformance;
mod conformance_text;
mod markdown;
mod month;
mod review;

pub(crate) use conformance::{
    Conformance, Kept, LevelConformance, TOLD_WITHIN, conformance, month, month_of,
};
pub(crate) use conformance_text::conformance_markdown;
pub(crate) use month::{Course, GroupCoverage, MonthFacts, Promise, RuleFacts, month_html};
pub(crate) use review::review_markdown;
