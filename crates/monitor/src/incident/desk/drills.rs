//! Which alerts fire on purpose. What opens for one of them is a drill: kept and shown like an incident, told to a sink, and
//! real from the first minute on as soon as somebody says that it is.

use alerting::{DrillPages, Incident, IncidentId, IncidentInput};
use model::Timestamp;

use super::draft::Draft;
use super::{ActionError, Desk};
use crate::incident::IncidentStoreError;

impl Desk {
    /// From now on what the rule of this alert finds is a drill.
    ///
    /// # Errors
    /// [`ActionError::Refused`] when an alert of the rule is pending or fires: that is real, and would be hidden.
    pub async fn begin_drill(&self, alert: &str, pages: DrillPages) -> Result<(), ActionError> {
        let mut state = self.lock().await?;
        let is_there = state
            .rules
            .get(alert)
            .is_some_and(|rule| !rule.instances.is_empty());
        let is_open = state.open.values().any(|own| own.head.title == alert);
        if is_there || is_open {
            return Err(ActionError::Refused(format!(
                "{alert} is pending or fires for real; a drill would hide it"
            )));
        }
        state.drilled.insert(alert.to_owned(), pages);
        Ok(())
    }

    /// From now on what the rule of this alert finds is real. Drills of it that are still open turn real: whoever would have
    /// been told is told now. Their numbers.
    ///
    /// # Errors
    /// The store's; the alert is then still drilled. Try again.
    pub async fn end_drill(
        &self,
        alert: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<Vec<IncidentId>, IncidentStoreError> {
        let state = self.lock().await?;
        let setup = self.setup.get();
        let mut draft = Draft::new(&setup, &state, now);
        let is_its = |own: &&Incident| own.drill.is_some() && own.head.title == alert;
        let open: Vec<IncidentId> = state
            .open
            .values()
            .filter(is_its)
            .map(Incident::id)
            .collect();
        for id in &open {
            let why = why.to_owned();
            draft.step(&state, *id, [], IncidentInput::TurnReal { why });
        }
        let mut state = self.record(state, draft, now).await?;
        state.drilled.remove(alert);
        Ok(open)
    }
}
