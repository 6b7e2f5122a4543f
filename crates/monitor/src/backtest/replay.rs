//! The replay: part by part, every evaluation of the past is made again, in order, on a stage for each variant of the plan.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alerting::Evaluation;
use model::{Labels, Timestamp};
use plan::{AlertRule, Contacts, Plan, RuleGroup};

use super::answers::Answers;
use super::instants::{Schedule, on_grid, while_alive};
use super::past::{POINTS_MAX, Past, PastError};
use super::report::{BacktestReport, Recorded, summarise};
use crate::incident::{HistoryFilter, SqliteIncidents};
use crate::probe::HTTP_STATUS_CODE;
use crate::rules::{Found, SeenSources, subject_of};
use crate::scrape::UP;
use crate::stage::{Stage, a_person_for_each_role};

/// Belfry writes this about itself; a store without it is another program's, which always ran.
const OWN_SERIES: &str = "belfry_rule_last_evaluation_timestamp_seconds";

/// Replays begin so long before what is asked for, and `for` and `keep_firing_for` more: what fired or flapped then is known.
const LEAD_IN: Duration = Duration::from_secs(60 * 60);

/// How far back the first scrapes are looked for: the longest interval of common plans, several times.
const SCRAPES_BEFORE: Duration = Duration::from_secs(10 * 60);

/// The most that one backtest may evaluate, in all variants together: a year of ten rules every 15 s.
const EVALUATIONS_MAX: u128 = 25_000_000;

/// The most history that a report is made from.
const HISTORY_MAX: usize = 500_000;

/// The part of the past that is asked about.
#[derive(Copy, Clone, Debug)]
pub struct Span {
    /// From when …
    pub from: Timestamp,
    /// … until when.
    pub until: Timestamp,
    /// Evaluates every group so often instead of when the live loops do.
    pub step: Option<Duration>,
}

/// A plan to be replayed.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What it is called in the report.
    pub name: String,
    /// The plan.
    pub plan: Plan,
    /// The one rule that is replayed; `None`: all. The others stay in the plan, since when a group is evaluated depends on
    /// all its rules.
    pub only: Option<String>,
    /// Who is paged; `None`: somebody for each role.
    pub contacts: Option<Contacts>,
}

impl Variant {
    /// The rules that are replayed.
    pub(super) fn rules(&self) -> impl Iterator<Item = &AlertRule> {
        self.plan
            .rules()
            .map(|(_, rule)| rule)
            .filter(|own| self.replays(own))
    }

    fn replays(&self, rule: &AlertRule) -> bool {
        self.only.as_ref().is_none_or(|only| rule.name == *only)
    }
}

/// Replays variants of a plan over a part of the past. All have the targets and probes of the first one. `progress` is told
/// the share that is done.
///
/// # Errors
/// [`PastError`] when the past does not answer, or when more is asked for than one backtest does.
pub async fn run(
    past: &dyn Past,
    variants: Vec<Variant>,
    span: Span,
    progress: &mut (dyn FnMut(f64) + Send),
) -> Result<Vec<BacktestReport>, PastError> {
    let Some(first) = variants.first() else {
        return Ok(Vec::new());
    };
    let longest = variants
        .iter()
        .flat_map(Variant::rules)
        .map(|rule| rule.hold + rule.keep_firing)
        .max();
    let begins = span.from - (LEAD_IN + longest.unwrap_or_default());
    let smallest = smallest_interval(&variants, span.step);
    bound(&variants, span, begins, smallest)?;
    let known = Known::of(past, &first.plan, begins, span.until).await?;
    let mut replays = variants
        .into_iter()
        .map(|variant| Replay::new(variant, begins, span.step, &known))
        .collect::<Result<Vec<_>, _>>()?;
    let length = smallest * POINTS_MAX as u32;
    let whole = span.until.since(begins).as_secs_f64().max(1.0);
    let mut from = begins;
    while from <= span.until {
        let until = (from + length - Duration::from_millis(1)).min(span.until);
        let part = Part::fetch(past, &known, from, until).await?;
        let mut answers = BTreeMap::new();
        for replay in &mut replays {
            replay.play(past, &part, &mut answers).await?;
        }
        progress(until.since(begins).as_secs_f64() / whole);
        from = until + Duration::from_millis(1);
    }
    let mut reports = Vec::with_capacity(replays.len());
    for replay in replays {
        reports.push(replay.report(span, &known).await?);
    }
    Ok(reports)
}

fn smallest_interval(variants: &[Variant], step: Option<Duration>) -> Duration {
    let groups = variants.iter().flat_map(|own| &own.plan.rule_groups);
    let smallest = groups.map(|group| group.interval).min();
    step.or(smallest).unwrap_or(Duration::from_secs(60))
}

fn bound(
    variants: &[Variant],
    span: Span,
    begins: Timestamp,
    smallest: Duration,
) -> Result<(), PastError> {
    let rules: usize = variants.iter().map(|own| own.rules().count()).sum();
    let each = span.until.since(begins).as_millis() / smallest.as_millis().max(1);
    let evaluations = each * rules as u128;
    if evaluations <= EVALUATIONS_MAX {
        return Ok(());
    }
    Err(PastError::Broken(format!(
        "{evaluations} evaluations are more than the {EVALUATIONS_MAX} of one backtest; ask for less time or fewer rules, or lengthen --step"
    )))
}

/// What is recorded at all about sources.
struct Known {
    /// Series of `up` and of the probes' status codes.
    series: Vec<Labels>,
    /// Jobs with scrapes.
    jobs: BTreeSet<String>,
    /// The selector of the scrapes.
    up: String,
    has_probes: bool,
    /// Whether the store is a Belfry's, whose own samples say when it ran.
    is_belfry: bool,
}

impl Known {
    async fn of(
        past: &dyn Past,
        plan: &Plan,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Known, PastError> {
        let jobs: Vec<String> = plan.targets.iter().map(|own| quoted(&own.job)).collect();
        let up = format!("{UP}{{job=~\"{}\"}}", jobs.join("|"));
        let mut series = past.series(&up, from, until).await?;
        let label = |own: &Labels| own.get("job").unwrap_or("").to_owned();
        let jobs = series.iter().map(label).collect();
        let probes = past.series(HTTP_STATUS_CODE, from, until).await?;
        let has_probes = !probes.is_empty();
        series.extend(probes);
        let own = past.series(OWN_SERIES, from, until).await?;
        Ok(Known {
            series,
            jobs,
            up,
            has_probes,
            is_belfry: !own.is_empty(),
        })
    }
}

/// A job's name within a pattern within quotes: names hold letters, digits and `-_.`.
fn quoted(job: &str) -> String {
    job.replace('.', "\\\\.")
}

/// What is recorded about sources in one part of the past.
struct Part {
    from: Timestamp,
    until: Timestamp,
    /// Samples about sources, rising in time.
    seen: Vec<(Timestamp, Labels, f64)>,
    /// When each job was scraped, rising.
    scrapes: BTreeMap<String, Vec<Timestamp>>,
    /// When Belfry wrote about itself, rising; `None` where it is not Belfry's store.
    alive: Option<Vec<Timestamp>>,
}

impl Part {
    async fn fetch(
        past: &dyn Past,
        known: &Known,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Part, PastError> {
        let length = until.since(from) + SCRAPES_BEFORE;
        let mut series = past.samples(&known.up, until, length).await?;
        if known.has_probes {
            series.extend(past.samples(HTTP_STATUS_CODE, until, length).await?);
        }
        let alive = if known.is_belfry {
            // A little longer on both sides: the nearest one may lie outside.
            let margin = Duration::from_secs(60);
            let own = past.samples(OWN_SERIES, until + margin, length + 2 * margin);
            let mut times: Vec<Timestamp> = own
                .await?
                .into_iter()
                .flat_map(|series| series.points)
                .map(|(at, _)| at)
                .collect();
            times.sort();
            Some(times)
        } else {
            None
        };
        let mut seen = Vec::new();
        let mut scrapes: BTreeMap<String, Vec<Timestamp>> = BTreeMap::new();
        for series in series {
            if series.labels.metric_name() == UP {
                let job = series.labels.get("job").unwrap_or("").to_owned();
                let times = series.points.iter().map(|(at, _)| *at);
                scrapes
                    .entry(job)
                    .or_default()
                    .extend(times.filter(|at| *at >= from));
            }
            let labels = series.labels;
            seen.extend(
                series
                    .points
                    .into_iter()
                    .map(|(at, value)| (at, labels.clone(), value)),
            );
        }
        seen.sort_by_key(|(at, ..)| *at);
        for times in scrapes.values_mut() {
            times.sort();
            times.dedup();
        }
        Ok(Part {
            from,
            until,
            seen,
            scrapes,
            alive,
        })
    }

    /// When a group was evaluated.
    fn instants(&self, schedule: &Schedule) -> Vec<Timestamp> {
        match schedule {
            Schedule::AfterScrapes(job) => self.scrapes.get(job).cloned().unwrap_or_default(),
            Schedule::Grid { interval, offset } => {
                let times = on_grid(*interval, *offset, self.from, self.until);
                match &self.alive {
                    Some(alive) => while_alive(times, alive),
                    None => times,
                }
            }
        }
    }
}

/// The answers of this part that are there already, by schedule and expression: variants mostly ask the same.
type Fetched = BTreeMap<(Schedule, String), Answers>;

/// One variant on its stage.
struct Replay {
    variant: Variant,
    stage: Stage,
    seen: SeenSources,
    /// Until when samples about sources were taken in.
    seen_until: Timestamp,
    /// By group.
    schedules: Vec<Schedule>,
    evaluations: u64,
    failed: u64,
}

impl Replay {
    fn new(
        variant: Variant,
        begins: Timestamp,
        step: Option<Duration>,
        known: &Known,
    ) -> Result<Replay, PastError> {
        let plan = &variant.plan;
        let schedule = |group: &RuleGroup| match Schedule::of(plan, group, step) {
            // Nothing is recorded of its scrapes: there is nothing to follow.
            Schedule::AfterScrapes(job) if !known.jobs.contains(&job) => Schedule::grid_of(group),
            schedule => schedule,
        };
        let contacts = variant
            .contacts
            .clone()
            .unwrap_or_else(|| a_person_for_each_role(plan));
        let store = SqliteIncidents::in_memory().map_err(broken)?;
        Ok(Replay {
            schedules: plan.rule_groups.iter().map(schedule).collect(),
            seen: SeenSources::new(plan, known.series.iter()),
            seen_until: Timestamp::MIN,
            stage: Stage::new(plan.clone(), contacts, begins, store).map_err(broken)?,
            variant,
            evaluations: 0,
            failed: 0,
        })
    }

    /// Makes every evaluation of one part again.
    async fn play(
        &mut self,
        past: &dyn Past,
        part: &Part,
        fetched: &mut Fetched,
    ) -> Result<(), PastError> {
        let mut evaluations: Vec<(Timestamp, usize)> = Vec::new();
        let mut groups = self.variant.plan.rule_groups.clone();
        for group in &mut groups {
            group.rules.retain(|rule| self.variant.replays(rule));
        }
        for (index, (group, schedule)) in groups.iter().zip(&self.schedules).enumerate() {
            if group.rules.is_empty() {
                continue;
            }
            let instants = part.instants(schedule);
            for text in group.rules.iter().flat_map(texts) {
                if let Entry::Vacant(entry) = fetched.entry((schedule.clone(), text)) {
                    let answers = Answers::fetch(past, &entry.key().1, &instants).await?;
                    entry.insert(answers);
                }
            }
            evaluations.extend(instants.into_iter().map(|at| (at, index)));
        }
        evaluations.sort();
        let mut seen = part.seen.iter().peekable();
        for (at, index) in evaluations {
            while let Some((seen_at, labels, value)) = seen.next_if(|own| own.0 <= at) {
                if *seen_at > self.seen_until {
                    self.seen.take(labels, *seen_at, *value);
                }
            }
            self.seen_until = self.seen_until.max(at);
            self.stage.pass_until(at).await.map_err(broken)?;
            for rule in &groups[index].rules {
                self.evaluate(rule, &self.schedules[index].clone(), fetched, at)
                    .await?;
            }
        }
        Ok(())
    }

    async fn evaluate(
        &mut self,
        rule: &AlertRule,
        schedule: &Schedule,
        fetched: &Fetched,
        at: Timestamp,
    ) -> Result<(), PastError> {
        let mut vectors = texts(rule)
            .into_iter()
            .map(|text| fetched.get(&(schedule.clone(), text))?.at(at));
        let (active, subject) = (vectors.next().flatten(), vectors.next());
        self.evaluations += 1;
        let found = match (active, subject) {
            (Some(active), None) => Some((active, None)),
            (Some(active), Some(Some(subject))) => Some((active, Some(subject))),
            (None, _) | (Some(_), Some(None)) => None,
        };
        let (evaluation, why) = match found {
            Some((active, subject)) => {
                let complete = self.seen.is_complete(rule, at);
                let found = Found::new(active, subject, complete);
                (found.evaluation, found.why)
            }
            None => {
                self.failed += 1;
                (Evaluation::Failed, String::new())
            }
        };
        let desk = &self.stage.desk;
        desk.evaluate(rule, &evaluation, &why, at)
            .await
            .map_err(broken)
    }

    async fn report(mut self, span: Span, known: &Known) -> Result<BacktestReport, PastError> {
        let end = span.until + Duration::from_millis(1);
        self.stage.pass_until(end).await.map_err(broken)?;
        let filter = HistoryFilter {
            rule: None,
            from: Timestamp::MIN,
            until: Timestamp::MAX,
            limit: HISTORY_MAX,
        };
        let desk = &self.stage.desk;
        let mut history = desk
            .with_store(move |store| store.history(&filter))
            .await
            .map_err(broken)?;
        history.reverse();
        let pages = self.stage.pages().await.map_err(broken)?;
        let jobs = self.variant.plan.targets.iter().map(|target| &target.job);
        let unknown = jobs.filter(|job| !known.jobs.contains(*job));
        Ok(summarise(
            &self.variant,
            span,
            Recorded {
                history,
                pages,
                evaluations: self.evaluations,
                failed: self.failed,
                jobs_without_scrapes: unknown.cloned().collect(),
            },
        ))
    }
}

/// The texts of a rule's expression, and of what it compares where it is a comparison.
fn texts(rule: &AlertRule) -> Vec<String> {
    let mut texts = vec![rule.expr.text.clone()];
    texts.extend(subject_of(&rule.expr.parsed).map(ToString::to_string));
    texts
}

fn broken(error: crate::incident::IncidentStoreError) -> PastError {
    PastError::Broken(error.to_string())
}
