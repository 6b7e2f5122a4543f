//! Rules: one loop a group, from an expression to what the incident desk is told.

mod board;
mod completeness;
mod evaluate;
mod group;
mod labels;
mod series;
mod template;

pub use board::{RuleBoard, RuleReport};
pub(crate) use completeness::{Needs, SeenSources};
pub use evaluate::subject_of;
pub(crate) use evaluate::{Found, nameless, vector_with_names};
pub use group::RuleGroupLoop;
pub(crate) use group::followed_job;
pub(crate) use labels::with_labels_of;
pub use series::AlertSeries;
pub use template::fill_template;
pub(crate) use template::readable;
