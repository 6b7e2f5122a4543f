//! `belfry backtest PLAN`: when rules would have fired over stored history, how long, how often, and who would have been paged.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use model::Timestamp;
use plan::{AlertRule, Contacts, Expression, NoTraffic, Origin, Plan, RuleGroup, Severity};
use serde_json::{Value, json};
use world::{Clock, SystemClock, World};

use super::progress_line::ProgressLine;
use super::reading::read;
use crate::backtest::{self, BacktestReport, Firing, HttpPast, Span, Variant};
use crate::rules::readable;
use crate::time_text::{parse_time, rfc3339};

const URL_DEFAULT: &str = "http://127.0.0.1:9765";

/// What an expression that stands in no plan is called, and how often it is evaluated: as most plans have it.
const EXPRESSION: &str = "expression";
const EXPRESSION_EVERY: Duration = Duration::from_secs(15);

/// How many firings of a rule are listed; the sums count all.
const LISTED_MAX: usize = 20;

/// Sweeps over more lengths are no table that somebody reads.
const SWEEP_MAX: usize = 20;

#[derive(Args)]
pub(super) struct BacktestArguments {
    /// The plan's file.
    plan: PathBuf,
    /// The contacts' file. Without it each role is filled by somebody of its name.
    #[arg(long)]
    contacts: Option<PathBuf>,
    #[command(flatten)]
    past: PastArguments,
    /// Only this rule.
    #[arg(long)]
    rule: Option<String>,
    /// Another expression for the rule; without --rule, one that stands in no plan.
    #[arg(long)]
    expr: Option<String>,
    /// Other lengths of `for`, as in `1m,2m,5m`: one line for each.
    #[arg(long = "for", value_delimiter = ',')]
    hold: Vec<String>,
    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Which part of which past.
#[derive(Args)]
pub(super) struct PastArguments {
    /// Where the Belfry listens whose history is asked [default: http://127.0.0.1:9765].
    #[arg(long)]
    url: Option<String>,
    /// A Prometheus whose history is asked instead.
    #[arg(long, conflicts_with = "url")]
    prometheus: Option<String>,
    /// How far back.
    #[arg(long, default_value = "7d")]
    since: String,
    /// Until when, in RFC 3339; now, if not given.
    #[arg(long)]
    until: Option<String>,
    /// Evaluate every group so often, and not when it is evaluated live: coarser and faster.
    #[arg(long)]
    step: Option<String>,
}

pub(super) fn backtest(arguments: &BacktestArguments) -> anyhow::Result<ExitCode> {
    let (plan, contacts) = read(&arguments.plan, arguments.contacts.as_deref())?;
    let contacts = arguments.contacts.is_some().then_some(contacts);
    let variants = variants(arguments, plan, contacts)?;
    let reports = arguments
        .past
        .replay_over(variants, arguments.past.span_now()?)?;
    if arguments.json {
        let list: Vec<Value> = reports.iter().map(as_json).collect();
        println!("{}", json!({"variants": list}));
    } else {
        show(&reports);
    }
    Ok(ExitCode::SUCCESS)
}

impl PastArguments {
    /// Whether a store is named.
    pub(super) fn is_named(&self) -> bool {
        self.url.is_some() || self.prometheus.is_some()
    }

    /// The span, up to now unless it says otherwise.
    pub(super) fn span_now(&self) -> anyhow::Result<Span> {
        self.span(SystemClock::default().now().into())
    }

    /// Replays variants over a span.
    pub(super) fn replay_over(
        &self,
        variants: Vec<Variant>,
        span: Span,
    ) -> anyhow::Result<Vec<BacktestReport>> {
        let named = self.prometheus.as_deref().or(self.url.as_deref());
        let address = named.unwrap_or(URL_DEFAULT);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut progress = ProgressLine::new("backtest");
        runtime.block_on(async {
            let world = World::real().context("cannot set up the network")?;
            let past = HttpPast::new(world, address);
            let mut show = |share| progress.show(share);
            Ok(backtest::run(&past, variants, span, &mut show).await?)
        })
    }

    fn span(&self, now: Timestamp) -> anyhow::Result<Span> {
        let until = match &self.until {
            Some(text) => parse_time(text)
                .with_context(|| format!("--until: `{text}` is not a point in time"))?,
            None => now,
        };
        Ok(Span {
            from: until - length("--since", &self.since)?,
            until,
            step: self
                .step
                .as_ref()
                .map(|text| length("--step", text))
                .transpose()?,
        })
    }
}

fn length(flag: &str, text: &str) -> anyhow::Result<Duration> {
    let length = model::parse_duration(text);
    let length = length.map_err(|error| anyhow::anyhow!("{flag}: {error}"))?;
    if length < Duration::from_secs(1) {
        bail!("{flag}: write a second or more");
    }
    Ok(length)
}

/// The plan as it is, with one rule of it, or with that rule several times.
fn variants(
    arguments: &BacktestArguments,
    mut plan: Plan,
    contacts: Option<Contacts>,
) -> anyhow::Result<Vec<Variant>> {
    let only = match (&arguments.rule, &arguments.expr) {
        (Some(rule), expr) => {
            change(&mut plan, rule, expr.as_deref())?;
            Some(rule.clone())
        }
        (None, Some(expr)) => Some(add(&mut plan, expr)?),
        (None, None) => None,
    };
    let variant = |name: String, plan: Plan| Variant {
        name,
        plan,
        only: only.clone(),
        contacts: contacts.clone(),
    };
    let Some(rule) = &only else {
        if !arguments.hold.is_empty() {
            bail!("--for: name the rule with --rule, or write --expr");
        }
        return Ok(vec![variant("the plan".to_owned(), plan)]);
    };
    if arguments.hold.is_empty() {
        return Ok(vec![variant(rule.clone(), plan)]);
    }
    if arguments.hold.len() > SWEEP_MAX {
        bail!("--for: write at most {SWEEP_MAX} lengths");
    }
    let with = |text: &String| {
        let hold = model::parse_duration(text);
        let hold = hold.map_err(|error| anyhow::anyhow!("--for: {error}"))?;
        let mut plan = plan.clone();
        rule_of(&mut plan, rule)?.hold = hold;
        Ok(variant(
            format!("for {}", model::format_duration(hold)),
            plan,
        ))
    };
    arguments.hold.iter().map(with).collect()
}

fn rule_of<'p>(plan: &'p mut Plan, name: &str) -> anyhow::Result<&'p mut AlertRule> {
    let mut rules = plan
        .rule_groups
        .iter_mut()
        .flat_map(|group| &mut group.rules);
    let rule = rules.find(|rule| rule.name == name);
    rule.with_context(|| format!("the plan has no rule `{name}`"))
}

/// Gives a rule another expression, if there is one.
fn change(plan: &mut Plan, rule: &str, expr: Option<&str>) -> anyhow::Result<()> {
    let Some(text) = expr else {
        return rule_of(plan, rule).map(|_| ());
    };
    let expr = parsed(text)?;
    let sources = plan.sources_of(&expr);
    let rule = rule_of(plan, rule)?;
    (rule.expr, rule.sources) = (expr, sources);
    Ok(())
}

/// Adds an expression as a warning in a group of its own; its name.
fn add(plan: &mut Plan, text: &str) -> anyhow::Result<String> {
    let expr = parsed(text)?;
    let rule = AlertRule {
        name: EXPRESSION.to_owned(),
        service: None,
        sources: plan.sources_of(&expr),
        expr,
        hold: Duration::ZERO,
        keep_firing: Duration::ZERO,
        group_by: None,
        severity: Severity::Warning,
        labels: Vec::new(),
        summary: EXPRESSION.to_owned(),
        description: String::new(),
        procedure: None,
        escalation: plan.escalation_policies.first().map(|own| own.name.clone()),
        no_traffic: NoTraffic::Resolve,
        origin: Origin::Added,
        at: plan::Location::default(),
    };
    plan.rule_groups.push(RuleGroup {
        name: EXPRESSION.to_owned(),
        interval: EXPRESSION_EVERY,
        rules: vec![rule],
    });
    Ok(EXPRESSION.to_owned())
}

fn parsed(text: &str) -> anyhow::Result<Expression> {
    let parsed = promql::parse(text).map_err(|error| anyhow::anyhow!("--expr: {error}"))?;
    if parsed.value_type() != promql::ValueType::Vector {
        bail!(
            "--expr: a rule needs an instant vector, but this gives {}",
            parsed.value_type()
        );
    }
    Ok(Expression {
        text: text.to_owned(),
        span: 0..0,
        parsed,
    })
}

fn show(reports: &[BacktestReport]) {
    let Some(first) = reports.first() else { return };
    let span = first.span;
    println!(
        "{} to {} ({})",
        rfc3339(span.from),
        rfc3339(span.until),
        short(span.until.since(span.from))
    );
    for job in &first.jobs_without_scrapes {
        println!("note: no scrape of `{job}` is recorded; whatever is absent is taken for gone");
    }
    if first.failed > 0 {
        println!("note: {} evaluations have no answer", first.failed);
    }
    if reports.len() > 1 {
        println!("\n{:<24} {}", "", HEAD);
        for report in reports {
            for rule in &report.rules {
                println!("{:<24} {}", report.name, figures(report, rule));
            }
        }
        return;
    }
    println!(
        "{} evaluations\n\n{:<28} {}",
        first.evaluations, "alert", HEAD
    );
    for rule in &first.rules {
        println!("{:<28} {}", rule.rule, figures(first, rule));
    }
    for rule in first.rules.iter().filter(|rule| !rule.firings.is_empty()) {
        println!("\n{}", rule.rule);
        for firing in rule.firings.iter().take(LISTED_MAX) {
            println!("  {}", line(firing, span));
        }
        if rule.firings.len() > LISTED_MAX {
            println!("  and {} more", rule.firings.len() - LISTED_MAX);
        }
    }
    if !first.pages.is_empty() {
        println!("\npages");
        for ((alert, person), count) in &first.pages {
            println!("  {alert} to {person}: {count}");
        }
    }
}

const HEAD: &str = "fired   in all  longest  again  almost  pages";

fn figures(report: &BacktestReport, rule: &backtest::RuleFirings) -> String {
    let longest = rule.firings.iter().map(|own| own.length(report.span)).max();
    let of_rule = |((alert, _), _): &(&(String, String), &usize)| *alert == rule.rule;
    let pages: usize = report
        .pages
        .iter()
        .filter(of_rule)
        .map(|(_, count)| count)
        .sum();
    format!(
        "{:>5} {:>8} {:>8} {:>6} {:>7} {:>6}",
        rule.firings.len(),
        short(rule.length(report.span)),
        short(longest.unwrap_or_default()),
        rule.flapped,
        rule.calmed,
        pages,
    )
}

fn line(firing: &Firing, span: Span) -> String {
    let ended = if firing.until.is_some() {
        ""
    } else {
        ", fires still"
    };
    let before = if firing.from < span.from {
        ", since before"
    } else {
        ""
    };
    format!(
        "{}  {:<10} {} {}{ended}{before}",
        rfc3339(firing.from),
        short(firing.length(span)),
        readable(firing.value),
        firing.labels,
    )
}

/// A length in its two largest units: nobody compares the seconds of days.
pub(super) fn short(length: Duration) -> String {
    let unit = match length.as_secs() {
        0..3_600 => 1,
        3_600..172_800 => 60,
        _ => 3_600,
    };
    model::format_duration(Duration::from_secs(length.as_secs() / unit * unit))
}

/// A report for programs.
pub(super) fn as_json(report: &BacktestReport) -> Value {
    let span = report.span;
    let firing = |own: &Firing| {
        json!({
            "labels": own.labels.iter().collect::<std::collections::BTreeMap<_, _>>(),
            "from": rfc3339(own.from),
            "until": own.until.map(rfc3339),
            "seconds": own.length(span).as_secs_f64(),
            "value": own.value,
        })
    };
    let rule = |own: &backtest::RuleFirings| {
        json!({
            "rule": own.rule,
            "fired": own.firings.len(),
            "seconds": own.length(span).as_secs_f64(),
            "fired_again_within_an_hour": own.flapped,
            "held_shorter_than_for": own.calmed,
            "firings": own.firings.iter().map(firing).collect::<Vec<_>>(),
        })
    };
    let pages = report
        .pages
        .iter()
        .map(|((alert, person), count)| json!({"alert": alert, "to": person, "count": count}));
    json!({
        "name": report.name,
        "from": rfc3339(span.from),
        "until": rfc3339(span.until),
        "evaluations": report.evaluations,
        "evaluations_without_answer": report.failed,
        "jobs_without_scrapes": report.jobs_without_scrapes,
        "rules": report.rules.iter().map(rule).collect::<Vec<_>>(),
        "pages": pages.collect::<Vec<_>>(),
    })
}
