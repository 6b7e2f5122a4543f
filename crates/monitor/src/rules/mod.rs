//! Rules: one loop a group, from an expression to what the incident desk is told.

mod board;
mod evaluate;
mod group;
mod labels;
mod series;
mod template;

pub use board::{RuleBoard, RuleReport};
pub use evaluate::subject_of;
pub use group::RuleGroupLoop;
pub(crate) use labels::with_labels_of;
pub use series::AlertSeries;
pub use template::fill_template;
pub(crate) use template::readable;
