//! A month on a page, for whoever answers for the service: were the targets kept, what happened, did escalation do what the plan says,
//! which alerts are worth having, how much of the plan is true, and are logs kept exactly as long as promised?
//!
//! [`MonthFacts`] is what was read, [`month_html`] what is said of it; both are pure.

mod facts;
mod page;
mod picture;
mod quality;

pub(crate) use facts::{Course, GroupCoverage, MonthFacts, Promise, RuleFacts};
pub(crate) use page::month_html;
