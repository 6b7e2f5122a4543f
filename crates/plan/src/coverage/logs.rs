//! Log categories that must arrive, and the proof that each class keeps its lines for as long as promised and no longer.

use std::time::Duration;

use model::format_duration;

use super::observed::{Observed, ObservedCategory, ObservedClass};
use super::report::{
    CategoryReport, CategoryState, Covered, Hole, HoleKind, Report, RetentionReport,
    RetentionState, Share, Since,
};
use crate::{LogCategory, LogClass, Plan};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// By how much the oldest line may be older than promised: a file holds a day and goes when its last line may, with the next
/// round of maintenance.
const OVERDUE_SLACK: Duration = Duration::from_secs(24 * 3600 + 5 * 60);

/// How much younger than promised the oldest line may be and still prove the promise: lines do not come at every moment.
const KEPT_SLACK: Duration = DAY;

pub(super) fn add(plan: &Plan, observed: &Observed, report: &mut Report) {
    for category in &plan.logs.categories {
        add_category(observed, category, report);
    }
    let arriving = report.categories.iter().map(|own| own.state.covered());
    let arriving = Share::of("logs", "arriving", None, arriving);
    for class in &plan.logs.classes {
        add_class(observed, class, report);
    }
    let retained = report.retention.iter().map(|own| own.state.covered());
    let retained = Share::of("logs", "retained", None, retained);
    report.shares.extend([arriving, retained]);
    let planned = |name: &String| plan.logs.classes.iter().any(|class| class.name == *name);
    for (name, seen) in observed.classes.iter().filter(|(name, _)| !planned(name)) {
        let own = retention(name, seen, None, RetentionState::NotPlanned);
        report.retention.push(own);
    }
}

fn add_category(observed: &Observed, category: &LogCategory, report: &mut Report) {
    let nothing = ObservedCategory::default();
    let seen = observed.categories.get(&category.name).unwrap_or(&nothing);
    let state = category_state(observed, category, seen);
    report
        .holes
        .extend(category_hole(observed, category, seen, state));
    report.categories.push(CategoryReport {
        name: category.name.clone(),
        class: category.class.clone(),
        at: category.at,
        state,
        every: category.every,
        last_line: seen.last_line,
        lines_last_day: seen.lines_last_day,
    });
}

fn category_state(
    observed: &Observed,
    category: &LogCategory,
    seen: &ObservedCategory,
) -> CategoryState {
    let now = observed.now;
    let allowed = category.every.unwrap_or(DAY);
    let running = now.since(observed.started_at);
    let Some(last) = seen.last_line else {
        return match running <= allowed.min(Observed::EARLY) {
            true => CategoryState::Unknown,
            false => CategoryState::Never,
        };
    };
    if seen
        .class
        .as_ref()
        .is_some_and(|own| *own != category.class)
    {
        return CategoryState::WrongClass;
    }
    match (now.since(last) <= allowed, category.every) {
        (true, _) => CategoryState::Arriving,
        // Lines that came while nobody listened are sent again in the first moments.
        (false, Some(_)) if observed.is_early() => CategoryState::Unknown,
        (false, Some(_)) => CategoryState::Silent,
        (false, None) => CategoryState::Quiet,
    }
}

impl CategoryState {
    fn covered(self) -> Covered {
        match self {
            CategoryState::Arriving | CategoryState::Quiet => Some(true),
            CategoryState::Silent | CategoryState::WrongClass | CategoryState::Never => Some(false),
            CategoryState::Unknown => None,
        }
    }
}

fn category_hole(
    observed: &Observed,
    category: &LogCategory,
    seen: &ObservedCategory,
    state: CategoryState,
) -> Option<Hole> {
    let name = &category.name;
    let (kind, what, to_do) = match state {
        CategoryState::Arriving | CategoryState::Quiet | CategoryState::Unknown => return None,
        CategoryState::Silent => (
            HoleKind::CategorySilent,
            format!(
                "no line of {name} has come for {}, though one must every {}",
                length(
                    seen.last_line
                        .map_or(Duration::ZERO, |last| observed.now.since(last))
                ),
                format_duration(category.every.unwrap_or(DAY)),
            ),
            "see whether its sender still writes and ships it".to_owned(),
        ),
        CategoryState::Never => (
            HoleKind::CategoryNever,
            format!("no line of {name} is known to have come"),
            "let the service write one, or correct `lines`, by which its lines are told apart"
                .to_owned(),
        ),
        CategoryState::WrongClass => (
            HoleKind::CategoryClass,
            format!(
                "lines of {name} are kept as {}, and the plan says {}",
                seen.class.as_deref().unwrap_or("nothing"),
                category.class
            ),
            "correct the level or the category of its lines, or `class` in the plan".to_owned(),
        ),
    };
    let since = match state {
        CategoryState::Silent => seen.last_line,
        CategoryState::Never => Some(observed.started_at),
        CategoryState::Arriving
        | CategoryState::Quiet
        | CategoryState::WrongClass
        | CategoryState::Unknown => None,
    };
    Some(Hole {
        kind,
        about: name.clone(),
        place: String::new(),
        what,
        to_do,
        since: since.map(|at| Since {
            at,
            or_earlier: state == CategoryState::Never,
        }),
        at: Some(category.at),
    })
}

fn add_class(observed: &Observed, class: &LogClass, report: &mut Report) {
    let nothing = ObservedClass::default();
    let seen = observed.classes.get(&class.name).unwrap_or(&nothing);
    let state = retention_state(observed, class, seen);
    let mut own = retention(&class.name, seen, Some(class.keep), state);
    own.at = Some(class.at);
    report.retention.push(own);
    if state == RetentionState::Overdue {
        let age = seen
            .oldest
            .map_or(Duration::ZERO, |at| observed.now.since(at));
        report.holes.push(Hole {
            kind: HoleKind::RetentionOverdue,
            about: class.name.clone(),
            place: String::new(),
            what: format!(
                "lines of {} are promised to be gone after {}, and the oldest is {} old",
                class.name,
                format_duration(class.keep),
                length(age)
            ),
            to_do: "see why maintenance of the log store fails: `belfry_upkeep_failures_total` and Belfry's log"
                .to_owned(),
            since: None,
            at: Some(class.at),
        });
    }
}

fn retention(
    name: &str,
    seen: &ObservedClass,
    promised: Option<Duration>,
    state: RetentionState,
) -> RetentionReport {
    RetentionReport {
        class: name.to_owned(),
        at: None,
        state,
        promised,
        oldest: seen.oldest,
        next_deletion: seen.next_deletion,
        lines: seen.lines,
        bytes: seen.bytes,
    }
}

fn retention_state(observed: &Observed, class: &LogClass, seen: &ObservedClass) -> RetentionState {
    let Some(oldest) = seen.oldest else {
        return RetentionState::Empty;
    };
    let age = observed.now.since(oldest);
    let kept_for = observed
        .kept_since
        .map_or(Duration::ZERO, |since| observed.now.since(since));
    if age > class.keep + OVERDUE_SLACK {
        RetentionState::Overdue
    } else if age + KEPT_SLACK >= class.keep {
        RetentionState::Kept
    } else if kept_for < class.keep {
        RetentionState::TooEarly
    } else {
        RetentionState::Younger
    }
}

impl RetentionState {
    /// Whether the promise can be seen to be kept. What is younger than promised may have lost lines, or had none.
    fn covered(self) -> Covered {
        match self {
            RetentionState::Kept => Some(true),
            RetentionState::Overdue => Some(false),
            RetentionState::Empty
            | RetentionState::TooEarly
            | RetentionState::Younger
            | RetentionState::NotPlanned => None,
        }
    }
}

/// A length of time in whole seconds.
fn length(exact: Duration) -> String {
    format_duration(Duration::from_secs(exact.as_secs()))
}
