//! One test: its time passes, rules are evaluated, people acknowledge, and what the test asks about is compared.

use std::time::Duration;

use model::{Labels, Timestamp};
use plan::{AlertCheck, Contacts, Rules, TestCase, TestFile};
use promql::Limits;
use promql::testing::MemorySource;

use super::TestError;
use super::data::Data;
use super::file_rules::FileRules;
use super::plan_rules::PlanRules;
use super::verdict::{self, Failure, FiringAlert};
use crate::rules::vector_with_names;
use crate::stage::DecidedPage;

/// The most evaluations of one test: two months of minutes.
const EVALUATIONS_MAX: u128 = 100_000;

/// The rules of one file.
enum Unit<'p> {
    Plan(Box<PlanRules<'p>>),
    File(FileRules<'p>),
}

/// What a query over a test's data gives: labels, with names, and values.
pub(super) fn ask(
    source: &MemorySource,
    expr: &promql::Expr,
    at: Timestamp,
) -> Result<Vec<(Labels, f64)>, String> {
    let answer = promql::instant(source, expr, at, &Limits::default());
    let answer = answer.map_err(|error| error.to_string())?;
    vector_with_names(answer).map_err(|error| error.to_string())
}

/// Runs a test; what differs.
pub(super) async fn play(
    file: &TestFile,
    case: &TestCase,
    rules: &[Rules],
    contacts: Option<&Contacts>,
) -> Result<Vec<Failure>, TestError> {
    let mut play = Play::new(file, case, rules, contacts)?;
    let interval = file.evaluation_interval;
    let evaluations = case.length.as_millis() / interval.as_millis().max(1) + 1;
    if evaluations > EVALUATIONS_MAX {
        return Err(TestError(format!(
            "{evaluations} evaluations are more than the {EVALUATIONS_MAX} of a test; lengthen `evaluation_interval`"
        )));
    }
    for number in 0..evaluations as u32 {
        let passed = interval * number;
        play.evaluate(passed).await?;
        play.look_at_alerts(passed, passed + interval).await;
        play.acknowledge(passed, passed + interval).await?;
    }
    play.look_at_expressions(file.is_fuzzy);
    play.look_at_pages().await?;
    Ok(play.failures)
}

struct Play<'t> {
    case: &'t TestCase,
    units: Vec<Unit<'t>>,
    /// Which group of which unit, in the order of evaluation.
    order: Vec<(usize, usize)>,
    data: Data<'t>,
    source: MemorySource,
    failures: Vec<Failure>,
}

impl<'t> Play<'t> {
    fn new(
        file: &TestFile,
        case: &'t TestCase,
        rules: &'t [Rules],
        contacts: Option<&Contacts>,
    ) -> Result<Play<'t>, TestError> {
        let mut units = Vec::with_capacity(rules.len());
        let mut order: Vec<(usize, usize, usize)> = Vec::new();
        let rank = |name: &str| {
            let found = file.group_order.iter().position(|own| own == name);
            found.unwrap_or(file.group_order.len())
        };
        for (index, rules) in rules.iter().enumerate() {
            match rules {
                Rules::Plan(plan) => {
                    let groups = plan.rule_groups.iter().enumerate();
                    order.extend(groups.map(|(at, group)| (rank(&group.name), index, at)));
                    let rules = PlanRules::new(plan, case, contacts)?;
                    units.push(Unit::Plan(Box::new(rules)));
                }
                Rules::File(file) => {
                    let groups = file.groups.iter().enumerate();
                    order.extend(groups.map(|(at, group)| (rank(&group.name), index, at)));
                    units.push(Unit::File(FileRules::new(file, case)));
                }
            }
        }
        order.sort();
        let plan = units.iter().find_map(Unit::plan);
        let needs_plan = case.pages.is_some() || !case.acknowledgements.is_empty();
        if needs_plan && units.iter().filter_map(Unit::plan).count() != 1 {
            let why = "pages need exactly one plan among the `rule_files`";
            return Err(TestError(why.to_owned()));
        }
        Ok(Play {
            case,
            data: Data::new(case, plan.map(|own| own.plan))?,
            order: order
                .into_iter()
                .map(|(_, unit, group)| (unit, group))
                .collect(),
            units,
            source: MemorySource::default(),
            failures: Vec::new(),
        })
    }

    fn at(&self, passed: Duration) -> Timestamp {
        self.case.starts_at + passed
    }

    async fn evaluate(&mut self, passed: Duration) -> Result<(), TestError> {
        let now = self.at(passed);
        let units = &mut self.units;
        self.data
            .take_until(now, &mut self.source, |labels, at, value| {
                for unit in units.iter_mut() {
                    if let Unit::Plan(plan) = unit {
                        plan.seen.take(labels, at, value);
                    }
                }
            });
        for unit in &mut self.units {
            if let Unit::Plan(plan) = unit {
                plan.stage.pass_until(now).await?;
            }
        }
        for (unit, group) in &self.order {
            let evaluated = match &mut self.units[*unit] {
                Unit::Plan(plan) => plan.evaluate(*group, &mut self.source, now).await,
                Unit::File(file) => file.evaluate(*group, &mut self.source, now),
            };
            evaluated.map_err(|error| {
                let after = model::format_duration(passed);
                TestError(format!("the evaluation after {after} failed: {error}"))
            })?;
        }
        Ok(())
    }

    /// Compares the alerts of every check whose time is nearer to this evaluation than to the next.
    async fn look_at_alerts(&mut self, from: Duration, until: Duration) {
        let due = |check: &&AlertCheck| (from..until).contains(&check.at);
        for check in self.case.alerts.iter().filter(due) {
            let about = format!("{} after {}", check.alert, model::format_duration(check.at));
            let failure = match self.firing(&check.alert).await {
                Firing::Alerts(found, must_annotate) => {
                    let expected = &check.expected;
                    let lines = verdict::alerts(&check.alert, expected, found, must_annotate);
                    Failure::of(check.place, about, lines)
                }
                Firing::UnknownToPlan => {
                    let why = "the plan has no alert of this name".to_owned();
                    Failure::of(check.place, about, vec![verdict::Line::Reason(why)])
                }
            };
            self.failures.extend(failure);
        }
    }

    async fn firing(&self, alert: &str) -> Firing {
        let mut found: Option<Vec<FiringAlert>> = None;
        let (mut must_annotate, mut has_files) = (false, false);
        for unit in &self.units {
            let of_unit = match unit {
                Unit::Plan(plan) => plan.firing(alert).await,
                Unit::File(file) => {
                    has_files = true;
                    let firing = file.firing(alert);
                    must_annotate |= firing.is_some();
                    firing
                }
            };
            if let Some(own) = of_unit {
                found.get_or_insert_with(Vec::new).extend(own);
            }
        }
        match found {
            Some(found) => Firing::Alerts(found, must_annotate),
            // promtool takes an alert that is nowhere for one that does not fire.
            None if has_files => Firing::Alerts(Vec::new(), true),
            None => Firing::UnknownToPlan,
        }
    }

    async fn acknowledge(&mut self, from: Duration, until: Duration) -> Result<(), TestError> {
        let mut due: Vec<_> = self.case.acknowledgements.iter().collect();
        due.retain(|own| (from..until).contains(&own.at));
        due.sort_by_key(|own| own.at);
        for own in due {
            let now = self.at(own.at);
            for unit in &mut self.units {
                if let Unit::Plan(plan) = unit {
                    plan.stage.pass_until(now).await?;
                    plan.acknowledge(own, now).await?;
                }
            }
        }
        Ok(())
    }

    fn look_at_expressions(&mut self, is_fuzzy: bool) {
        for check in &self.case.expressions {
            let after = model::format_duration(check.at);
            let about = format!("{} after {after}", check.expr.text);
            let lines = match ask(&self.source, &check.expr.parsed, self.at(check.at)) {
                Ok(found) => verdict::samples(&check.expected, found, is_fuzzy),
                Err(why) => vec![verdict::Line::Reason(why)],
            };
            self.failures.extend(Failure::of(check.place, about, lines));
        }
    }

    /// Compares all pages until the end. Those that say that it is over count only where the test names one.
    async fn look_at_pages(&mut self) -> Result<(), TestError> {
        let Some(expected) = &self.case.pages else {
            return Ok(());
        };
        let end = self.at(self.case.length) + Duration::from_millis(1);
        let with_ends = expected.iter().any(|page| page.is_end);
        let mut found = Vec::new();
        for unit in &mut self.units {
            let Unit::Plan(plan) = unit else { continue };
            plan.stage.pass_until(end).await?;
            let decided = plan.stage.pages().await?;
            let counts = |page: &DecidedPage| with_ends || !page.is_end();
            found.extend(decided.into_iter().filter(counts));
        }
        let lines = verdict::pages(expected, found, self.case.starts_at);
        let place = expected.first().map_or(self.case.place, |page| page.place);
        let about = format!("pages within {}", model::format_duration(self.case.length));
        self.failures.extend(Failure::of(place, about, lines));
        Ok(())
    }
}

/// What is known of an alert.
enum Firing {
    /// What fires, and whether a test that names no annotations expects none.
    Alerts(Vec<FiringAlert>, bool),
    UnknownToPlan,
}

impl<'p> Unit<'p> {
    fn plan(&self) -> Option<&PlanRules<'p>> {
        match self {
            Unit::Plan(plan) => Some(plan),
            Unit::File(_) => None,
        }
    }
}
