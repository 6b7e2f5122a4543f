//! Asking for a drill: what is refused at once, and what is written down for the loop to take.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alerting::DrillPages;
use model::Timestamp;
use plan::Plan;
use tokio::sync::Notify;

use super::real_drill::calm_within;
use crate::incident::{Desk, Drill, DrillId, DrillMode, DrillState, IncidentStoreError};

/// The most drills that are open: one for each alert of a large plan.
const OPEN_MAX: usize = 1_000;

/// What somebody asks for.
#[derive(Clone, Debug)]
pub struct DrillRequest {
    /// The alert.
    pub alert: String,
    /// How; `None`: really where the plan says how the alert is caused, virtually else.
    pub mode: Option<DrillMode>,
    /// Whether people are paged.
    pub pages: DrillPages,
    /// Who asks.
    pub by: String,
}

/// Why a drill is not begun.
#[derive(Debug)]
pub enum DrillRefused {
    /// The plan has no such alert.
    UnknownAlert(String),
    /// The plan does not say how the alert is caused: drill it virtually, or declare a fault.
    NoFault(String),
    /// The alert is drilled now, or is pending or fires for real. Try again when it is over.
    Taken(String),
    /// Too many drills are open. Try again later.
    Full,
    /// The store failed; try again.
    Store(IncidentStoreError),
}

impl fmt::Display for DrillRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DrillRefused::UnknownAlert(alert) => write!(f, "the plan has no alert `{alert}`"),
            DrillRefused::NoFault(alert) => write!(
                f,
                "the plan does not say how {alert} is caused; declare a fault under `drills`, or drill it virtually"
            ),
            DrillRefused::Taken(why) => f.write_str(why),
            DrillRefused::Full => write!(f, "{OPEN_MAX} drills are open; wait for some to end"),
            DrillRefused::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DrillRefused {}

/// Writes a drill down and wakes the loop; the drill as it stands.
///
/// # Errors
/// [`DrillRefused`]; each variant says what to do.
pub(crate) async fn ask(
    desk: &Desk,
    plan: &Plan,
    asked: &Notify,
    request: DrillRequest,
    now: Timestamp,
) -> Result<Drill, DrillRefused> {
    let rule = plan.rules().find(|(_, rule)| rule.name == request.alert);
    let Some((_, rule)) = rule else {
        return Err(DrillRefused::UnknownAlert(request.alert));
    };
    let fault = plan.drills.fault(&request.alert);
    let usual = if fault.is_some() {
        DrillMode::Real
    } else {
        DrillMode::Virtual
    };
    let mode = request.mode.unwrap_or(usual);
    if mode == DrillMode::Real {
        if fault.is_none() {
            return Err(DrillRefused::NoFault(request.alert));
        }
        // Looked at again when it begins; here so that whoever asks is told.
        let state = desk.rule_state(&request.alert).await;
        if !state.instances.is_empty() {
            return Err(DrillRefused::Taken(format!(
                "{} is pending or fires for real; a drill would hide it",
                request.alert
            )));
        }
    }
    let fault = fault.filter(|_| mode == DrillMode::Real);
    let calm = fault.map_or(Duration::ZERO, |fault| {
        fault.calm_within.unwrap_or_else(|| calm_within(plan, rule))
    });
    let drill = Drill {
        id: DrillId(0),
        alert: request.alert,
        mode,
        pages: request.pages,
        by: request.by,
        asked_at: now,
        state: DrillState::Queued,
        ended_at: None,
        outcome: None,
        reason: String::new(),
        incident: None,
        end: fault.map(|fault| fault.end.clone()),
        calm_within: calm,
        steps: Vec::new(),
    };
    let written = desk
        .with_store(move |store| {
            let open = store.open_drills()?;
            if open.len() >= OPEN_MAX {
                return Ok(Err(DrillRefused::Full));
            }
            if open.iter().any(|own| own.alert == drill.alert) {
                let why = format!("{} is being drilled", drill.alert);
                return Ok(Err(DrillRefused::Taken(why)));
            }
            let id = store.add_drill(&drill)?;
            Ok(Ok(Drill { id, ..drill }))
        })
        .await;
    let drill = written.map_err(DrillRefused::Store)??;
    asked.notify_one();
    Ok(drill)
}

/// What wakes the loop.
pub(crate) type Asked = Arc<Notify>;
