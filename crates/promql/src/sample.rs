//! What passes between the parts of the evaluator at one step.

use model::{Labels, METRIC_NAME};

/// One series' value at the step that is being evaluated.
#[derive(Clone, Debug)]
pub(crate) struct InstantSample {
    pub(crate) labels: Labels,
    /// The metric's name no longer describes the value. It stays until the end of the query, so that `label_replace`
    /// and grouping by name still see it (Prometheus: "delayed name removal").
    pub(crate) drop_name: bool,
    pub(crate) value: f64,
}

impl InstantSample {
    /// A value that belongs to no series.
    pub(crate) fn unlabelled(value: f64) -> InstantSample {
        InstantSample {
            labels: Labels::empty(),
            drop_name: false,
            value,
        }
    }

    /// The labels as the answer shows them.
    pub(crate) fn final_labels(&self) -> Labels {
        if self.drop_name {
            self.labels.without(METRIC_NAME)
        } else {
            self.labels.clone()
        }
    }
}

/// An instant vector at one step.
pub(crate) type InstantVector = Vec<InstantSample>;
