//! `belfry init`: a plan for a service that Belfry has never seen, from what the service itself exposes.
//!
//! [`Survey`] is what it exposes, [`draft`] what is worth watching in that, [`plan_text`] and [`contacts_text`] the commented files that
//! people go on from. All of it is pure; the questions and requests are the command line's.

mod contacts_text;
mod draft;
mod plan_text;
mod recipes;
mod survey;

pub use contacts_text::contacts_text;
pub use draft::*;
pub use plan_text::{plan_text, waivers_text};
pub use recipes::draft;
pub use survey::{Survey, SurveyedFamily};
