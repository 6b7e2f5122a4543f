//! What people do with incidents, silences and rotas. Each is recorded with who did it before it is answered.

use std::time::Duration;

use alerting::{Incident, IncidentHead, IncidentId, IncidentInput, Silence, TimelineKind};
use model::{Matcher, Timestamp};
use plan::Severity;
use world::random_hex;

use super::alerts::without_alerts;
use super::draft::Draft;
use super::{ActionError, Desk, Locked};
use crate::incident::{IncidentStoreError, StoredOverride};

/// The most silences that hold or will: more cannot be overlooked by anybody.
const SILENCES_MAX: usize = 500;
/// The most exceptions to rotas that hold or will.
const OVERRIDES_MAX: usize = 500;
/// The longest silence: longer is not a silence but a change of the plan.
const SILENCE_MAX: Duration = Duration::from_secs(366 * 24 * 3600);

/// An incident that somebody opens by hand.
#[derive(Clone, Debug)]
pub struct ManualIncident {
    /// What people call it.
    pub title: String,
    /// What is the matter; may be empty.
    pub text: String,
    /// How urgent.
    pub severity: Severity,
    /// The escalation policy; `None`: the plan's first.
    pub escalation: Option<String>,
    /// The procedure, if one fits.
    pub procedure: Option<String>,
    /// Who opens it.
    pub by: String,
}

impl Desk {
    /// Somebody takes an incident.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn acknowledge(
        &self,
        id: IncidentId,
        by: &str,
        note: &str,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        let input = IncidentInput::Acknowledge {
            by: by.to_owned(),
            note: note.to_owned(),
        };
        self.act(id, input, now).await
    }

    /// Somebody ends an incident. Where an alert's condition still holds, it fires anew after its `for`: ending by hand
    /// never hides what goes on.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn resolve(
        &self,
        id: IncidentId,
        by: &str,
        note: &str,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        let input = IncidentInput::Resolve {
            by: by.to_owned(),
            note: note.to_owned(),
        };
        self.act(id, input, now).await
    }

    /// Somebody writes something into an incident's timeline; into that of one that is over, too.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn note(
        &self,
        id: IncidentId,
        by: &str,
        text: &str,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        let input = IncidentInput::Note {
            kind: TimelineKind::Note,
            text: format!("{by}: {text}"),
        };
        self.act(id, input, now).await
    }

    /// Somebody opens an incident that no alert did.
    ///
    /// # Errors
    /// [`ActionError`].
    pub async fn open_by_hand(
        &self,
        manual: &ManualIncident,
        now: Timestamp,
    ) -> Result<IncidentId, ActionError> {
        let state = self.lock().await?;
        let setup = self.setup.get();
        let plan = &setup.plan;
        let policy = match &manual.escalation {
            Some(name) => Some(plan.escalation_policy(name).ok_or_else(|| {
                ActionError::Refused(format!("the plan has no escalation policy `{name}`"))
            })?),
            None => plan.escalation_policies.first(),
        };
        let procedure = manual.procedure.as_deref();
        if let Some(id) = procedure.filter(|id| plan.procedure(id).is_none()) {
            return Err(ActionError::Refused(format!(
                "the plan has no procedure `{id}`"
            )));
        }
        let mut draft = Draft::new(&setup, &state, now);
        let id = draft.next_id();
        draft.open(Incident::new(IncidentHead {
            id,
            title: manual.title.clone(),
            group: format!("by hand|{id}"),
            severity: manual.severity,
            opened_at: now,
            levels: policy.map_or(Vec::new(), |policy| policy.levels.clone()),
            acknowledgement_expires: policy.and_then(|policy| policy.acknowledgement_expires),
            page_interval: plan.incidents.page_interval,
            procedure: manual.procedure.clone(),
        }));
        let input = IncidentInput::OpenByHand {
            by: manual.by.clone(),
            text: manual.text.clone(),
        };
        draft.step(&state, id, [], input);
        self.record(state, draft, now).await?;
        Ok(id)
    }

    /// Somebody makes one incident part of another: its alerts go on there.
    ///
    /// # Errors
    /// [`ActionError`]; a critical incident does not go into a warning's, where it would stop escalating.
    pub async fn merge(
        &self,
        id: IncidentId,
        into: IncidentId,
        by: &str,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        let state = self.lock().await?;
        if id == into {
            return Err(ActionError::Refused(
                "an incident cannot be merged into itself".to_owned(),
            ));
        }
        let (Some(from), Some(target)) = (state.open.get(&id), state.open.get(&into)) else {
            return Err(ActionError::Refused(
                "both incidents must be open; look at /api/belfry/v1/incidents?state=open"
                    .to_owned(),
            ));
        };
        if from.drill.is_some() != target.drill.is_some() {
            return Err(ActionError::Refused(
                "one of them is a drill; what is real and a drill stay apart".to_owned(),
            ));
        }
        if from.head.severity > target.head.severity {
            return Err(ActionError::Refused(format!(
                "incident {id} is critical and {into} is a warning, which never escalates; merge {into} into {id}"
            )));
        }
        let setup = self.setup.get();
        let mut draft = Draft::new(&setup, &state, now);
        let alerts: Vec<_> = from.members.keys().cloned().collect();
        let taken = IncidentInput::TakeIn {
            by: by.to_owned(),
            other: Box::new(from.clone()),
        };
        let ended = IncidentInput::MergeInto {
            by: by.to_owned(),
            other: into,
        };
        draft.step(&state, id, [], ended);
        draft.step(&state, into, alerts, taken);
        self.record(state, draft, now).await?;
        Ok(())
    }

    /// Makes or changes a silence; its id. One that holds already and is about other alerts than before ends, and a new
    /// one begins, so that what was silenced when stays true.
    ///
    /// # Errors
    /// [`ActionError::Refused`] for times that make no sense and an id that is not there.
    pub async fn put_silence(
        &self,
        mut silence: Silence,
        now: Timestamp,
    ) -> Result<String, ActionError> {
        if silence.ends_at <= silence.starts_at || silence.ends_at <= now {
            return Err(ActionError::Refused(
                "a silence must end after it starts, and in the future".to_owned(),
            ));
        }
        if silence.ends_at.since(silence.starts_at.max(now)) > SILENCE_MAX {
            return Err(ActionError::Refused(
                "a silence lasts a year at most; what is never wanted belongs out of the plan"
                    .to_owned(),
            ));
        }
        // Without a matcher that needs a value, every alert there will ever be would be silenced.
        if silence.matchers.iter().all(|matcher| matcher.matches("")) {
            return Err(ActionError::Refused(
                "at least one matcher must not match the empty text, or everything is silenced"
                    .to_owned(),
            ));
        }
        let state = self.lock().await?;
        if state.silences.len() >= SILENCES_MAX {
            return Err(ActionError::Full(format!(
                "{SILENCES_MAX} silences hold or will; end some first"
            )));
        }
        silence.updated_at = now;
        let mut written = Vec::new();
        if !silence.id.is_empty() {
            let old = state.silences.iter().find(|old| old.id == silence.id);
            let old = old.ok_or_else(|| {
                ActionError::Refused("there is no such silence that holds or will".to_owned())
            })?;
            if old.is_active(now) && !same_matchers(&old.matchers, &silence.matchers) {
                written.push(Silence {
                    ends_at: now,
                    updated_at: now,
                    ..old.clone()
                });
                silence.id = String::new();
            }
        }
        if silence.id.is_empty() {
            silence.id = uuid(&random_hex(&*self.world.entropy, 16));
            silence.starts_at = silence.starts_at.max(now);
        }
        let id = silence.id.clone();
        written.push(silence);
        self.write_silences(state, written).await?;
        self.tick(now).await?;
        Ok(id)
    }

    /// Ends a silence now; whether it was there.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_silence(&self, id: &str, now: Timestamp) -> Result<bool, IncidentStoreError> {
        let state = self.lock().await?;
        let Some(old) = state.silences.iter().find(|old| old.id == id) else {
            return Ok(false);
        };
        let ended = Silence {
            starts_at: old.starts_at.min(now),
            ends_at: now,
            updated_at: now,
            ..old.clone()
        };
        self.write_silences(state, vec![ended]).await?;
        self.tick(now).await?;
        Ok(true)
    }

    /// Puts somebody on call for a while; the number of the exception.
    ///
    /// # Errors
    /// [`ActionError::Refused`] for a rota, a person or times that make no sense.
    pub async fn add_override(
        &self,
        added: StoredOverride,
        now: Timestamp,
    ) -> Result<i64, ActionError> {
        let setup = self.setup.get();
        let refuse = |why: String| Err(ActionError::Refused(why));
        if !setup
            .contacts
            .rotas
            .iter()
            .any(|rota| rota.name == added.rota)
        {
            return refuse(format!("there is no rota `{}`", added.rota));
        }
        if setup.contacts.person(&added.turn.person).is_none() {
            return refuse(format!("nobody is called `{}`", added.turn.person));
        }
        if added.turn.until <= added.turn.from
            || added.turn.until.as_millisecond() <= now.as_millis()
        {
            return refuse("it must end after it begins, and in the future".to_owned());
        }
        let mut state = self.lock().await?;
        if state.overrides.len() >= OVERRIDES_MAX {
            return Err(ActionError::Full(format!(
                "{OVERRIDES_MAX} exceptions hold or will; end some first"
            )));
        }
        // The lock goes into the work: a caller that goes away must not leave store and memory apart.
        self.with_store(move |store| {
            let id = store.put_override(&added)?;
            state.overrides.push(StoredOverride { id, ..added });
            Ok(id)
        })
        .await
        .map_err(ActionError::from)
    }

    /// Ends an exception to a rota now; whether it was there.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_override(&self, id: i64, now: Timestamp) -> Result<bool, IncidentStoreError> {
        let mut state = self.lock().await?;
        let end = jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or_default();
        self.with_store(move |store| {
            let was_there = store.end_override(id, now)?;
            for stored in &mut state.overrides {
                if stored.id == id {
                    stored.turn.until = end.max(stored.turn.from);
                }
            }
            Ok(was_there)
        })
        .await
    }

    async fn write_silences(
        &self,
        mut state: Locked,
        written: Vec<Silence>,
    ) -> Result<(), IncidentStoreError> {
        self.with_store(move |store| {
            store.put_silences(&written)?;
            for silence in written {
                state.silences.retain(|old| old.id != silence.id);
                state.silences.push(silence);
            }
            Ok(())
        })
        .await
    }

    async fn act(
        &self,
        id: IncidentId,
        input: IncidentInput,
        now: Timestamp,
    ) -> Result<(), ActionError> {
        let state = self.lock().await?;
        let setup = self.setup.get();
        let mut draft = Draft::new(&setup, &state, now);
        match state.open.get(&id) {
            Some(incident) => {
                if matches!(input, IncidentInput::Resolve { .. }) {
                    for rule in without_alerts(&state, &setup.plan, incident) {
                        draft.rule(rule);
                    }
                }
                draft.step(&state, id, [], input);
            }
            None => {
                let detail = self.with_store(move |store| store.detail(id)).await?;
                let incident = detail.ok_or(ActionError::NotFound)?.incident;
                if !matches!(input, IncidentInput::Note { .. }) {
                    return Err(ActionError::Resolved);
                }
                draft.put(incident, Vec::new());
                draft.step(&state, id, [], input);
            }
        }
        self.record(state, draft, now).await?;
        Ok(())
    }
}

fn same_matchers(one: &[Matcher], other: &[Matcher]) -> bool {
    let rows = |matchers: &[Matcher]| {
        let mut rows: Vec<String> = matchers
            .iter()
            .map(|own| format!("{}{}{:?}", own.name(), own.op().as_str(), own.value()))
            .collect();
        rows.sort_unstable();
        rows
    };
    rows(one) == rows(other)
}

/// 32 hexadecimal digits in the form of a UUID (version 4, RFC 9562), which `amtool` expects of a silence's id.
fn uuid(hex: &str) -> String {
    format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}
