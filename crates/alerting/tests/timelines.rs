//! Runs the timelines in `timelines/*.txt`: each line is one evaluation or one event and what must follow from it.
//!
//! A timeline begins with `rule for=<duration> [keep_firing_for=<duration>] [severity=warning] [no_traffic=page]
//! [ack_expires=<duration>]` and continues with lines `<time> <input> -> <what changes>`. Inputs: `holds <value>`, `false
//! <value>` (the value is there, the condition is false), `nothing` (complete scrapes, no value), `nan`, `unknown` (a scrape
//! failed), `failed` (the expression could not be evaluated), `tick`, `ack <name>`, `resolve <name>`, `silence`, `window`,
//! `inhibit`, `release` (what holds pages back), `joins <name>` (another alert of the group fires), `clock <+|-><duration>` (the
//! machine's clock is set; times go on counting elapsed time). What changes: the instance's transition and the incident's
//! effects, or `-` for nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads its corpus from disk"
)]

use std::time::Duration;

use alerting::{
    Effect, Evaluation, Hold, HoldKind, Incident, IncidentHead, IncidentId, IncidentInput,
    PageReason, RuleState, TransitionKind,
};
use model::{Labels, Timestamp, parse_duration};
use plan::{AlertRule, EscalationLevel, Expression, Location, NoTraffic, Origin, Severity};

#[test]
fn every_timeline() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/timelines");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for timeline in text.split("\n\n").filter(|part| part.contains("rule ")) {
            check(&path.display().to_string(), timeline);
            count += 1;
        }
    }
    assert!(count >= 25, "only {count} timelines were found");
}

fn check(file: &str, timeline: &str) {
    let mut lines = timeline
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next().unwrap();
    let rule = rule(first);
    let mut desk = Desk {
        rule,
        ack_expires: option(first, "ack_expires").map(|text| parse_duration(text).unwrap()),
        state: RuleState::default(),
        incident: None,
        clock_ms: 0,
    };
    for line in lines {
        let (left, expect) = line
            .split_once("->")
            .unwrap_or_else(|| panic!("{file}: no `->` in {line}"));
        let (at, input) = left.trim().split_once(' ').unwrap();
        let now = Timestamp::from_millis(0) + parse_duration(at).unwrap();
        let found = desk.take(input.trim(), now).join(", ");
        let found = if found.is_empty() {
            "-".to_owned()
        } else {
            found
        };
        assert_eq!(found, expect.trim(), "{file}\n{timeline}\nat: {line}");
    }
}

struct Desk {
    rule: AlertRule,
    ack_expires: Option<Duration>,
    state: RuleState,
    incident: Option<Incident>,
    /// By how much the machine's clock was set.
    clock_ms: i64,
}

impl Desk {
    fn take(&mut self, input: &str, elapsed: Timestamp) -> Vec<String> {
        let now = Timestamp::from_millis(elapsed.as_millis() + self.clock_ms);
        let words: Vec<&str> = input.split_whitespace().collect();
        let hold = |kind| {
            IncidentInput::Hold(Some(Hold {
                kind,
                id: "1".to_owned(),
                why: "ada: works on it".to_owned(),
            }))
        };
        match words.as_slice() {
            ["tick"] => self.step(IncidentInput::Tick, now),
            ["silence"] => self.step(hold(HoldKind::Silence), now),
            ["window"] => self.step(hold(HoldKind::Window), now),
            ["inhibit"] => self.step(hold(HoldKind::Inhibition), now),
            ["release"] => self.step(IncidentInput::Hold(None), now),
            ["joins", name] => {
                let labels = Labels::from_pairs([("alertname", "Bad"), ("job", *name)]);
                self.step(fired(labels, 1.0), now)
            }
            ["clock", length] => {
                self.set_clock(length);
                Vec::new()
            }
            ["ack", name] => {
                let input = IncidentInput::Acknowledge {
                    by: (*name).to_owned(),
                    note: String::new(),
                };
                self.step(input, now)
            }
            ["resolve", name] => {
                let input = IncidentInput::Resolve {
                    by: (*name).to_owned(),
                    note: String::new(),
                };
                self.step(input, now)
            }
            words => self.evaluate(&evaluation(words), now),
        }
    }

    fn set_clock(&mut self, length: &str) {
        let (sign, length) = length.split_at(1);
        let millis = parse_duration(length).unwrap().as_millis() as i64;
        let by_ms = if sign == "-" { -millis } else { millis };
        self.clock_ms += by_ms;
        self.state.clock_was_set(by_ms);
        if let Some(incident) = &mut self.incident {
            incident.clock_was_set(by_ms);
        }
    }

    fn evaluate(&mut self, evaluation: &Evaluation, now: Timestamp) -> Vec<String> {
        let mut found = Vec::new();
        for transition in self.state.step(&self.rule, evaluation, now) {
            found.push(word(transition.kind));
            let labels = transition.labels;
            let input = match transition.kind {
                TransitionKind::BecamePending | TransitionKind::Calmed => continue,
                TransitionKind::Fired => fired(labels, transition.value),
                TransitionKind::LostData => IncidentInput::AlertLostData { labels },
                TransitionKind::DataCameBack => IncidentInput::AlertDataCameBack { labels },
                TransitionKind::Resolved(reason) => IncidentInput::AlertResolved { labels, reason },
            };
            found.extend(self.step(input, now));
        }
        found
    }

    fn step(&mut self, input: IncidentInput, now: Timestamp) -> Vec<String> {
        let fresh = || {
            Incident::new(IncidentHead {
                id: IncidentId(1),
                title: self.rule.name.clone(),
                group: self.rule.name.clone(),
                severity: self.rule.severity,
                opened_at: now,
                levels: levels(),
                acknowledgement_expires: self.ack_expires,
                page_interval: Duration::from_secs(300),
                procedure: None,
            })
        };
        let opens = matches!(input, IncidentInput::AlertFired { .. });
        let over = self
            .incident
            .as_ref()
            .is_none_or(|incident| incident.resolved.is_some());
        if opens && over {
            self.incident = Some(fresh());
        }
        let Some(incident) = &mut self.incident else {
            return Vec::new();
        };
        let effects = incident.step(input, now);
        for effect in &effects {
            if let Effect::Page { level, roles, .. } = effect {
                incident.told.entry(roles.join("+")).or_insert(*level);
            }
        }
        effects.into_iter().filter_map(effect).collect()
    }
}

fn fired(labels: Labels, value: f64) -> IncidentInput {
    IncidentInput::AlertFired {
        labels,
        value,
        summary: String::new(),
        foreign: None,
    }
}

fn evaluation(words: &[&str]) -> Evaluation {
    let labels = Labels::from_pairs([("job", "shop")]);
    let number = |text: &str| text.parse::<f64>().unwrap();
    let done =
        |active: Vec<(Labels, f64)>, subject: Vec<(Labels, f64)>, complete| Evaluation::Done {
            active,
            subject: Some(subject),
            complete,
        };
    match words {
        ["holds", value] => done(
            vec![(labels.clone(), number(value))],
            vec![(labels, number(value))],
            true,
        ),
        ["false", value] => done(vec![], vec![(labels, number(value))], true),
        ["late", value] => done(vec![], vec![(labels, number(value))], false),
        ["nothing"] => done(vec![], vec![], true),
        ["nan"] => done(vec![], vec![(labels, f64::NAN)], true),
        ["unknown"] => done(vec![], vec![], false),
        ["failed"] => Evaluation::Failed,
        other => panic!("no such input: {other:?}"),
    }
}

fn word(kind: TransitionKind) -> String {
    match kind {
        TransitionKind::BecamePending => "pending".to_owned(),
        TransitionKind::Fired => "fires".to_owned(),
        TransitionKind::Calmed => "calms".to_owned(),
        TransitionKind::LostData => "loses data".to_owned(),
        TransitionKind::DataCameBack => "data back".to_owned(),
        TransitionKind::Resolved(reason) => format!("resolves ({})", reason.as_str()),
    }
}

/// Pages only: what is written to the timeline is prose.
fn effect(effect: Effect) -> Option<String> {
    match effect {
        Effect::Timeline(..) => None,
        Effect::Page {
            level,
            roles,
            reason,
            ..
        } => {
            let why = match reason {
                PageReason::Escalation => String::new(),
                other => format!(" ({})", other.as_str()),
            };
            Some(format!("page {level} {}{why}", roles.join("+")))
        }
        Effect::PageResolved => Some("page resolved".to_owned()),
    }
}

fn levels() -> Vec<EscalationLevel> {
    let level = |minutes: u64, role: &str| EscalationLevel {
        after: Duration::from_secs(minutes * 60),
        roles: vec![role.to_owned()],
    };
    vec![level(0, "on-call"), level(15, "lead"), level(30, "boss")]
}

fn option<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_whitespace().find_map(|word| {
        word.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
    })
}

fn rule(line: &str) -> AlertRule {
    let option = |name: &str| option(line, name);
    let text = "x > 1".to_owned();
    AlertRule {
        name: "Bad".to_owned(),
        expr: Expression {
            parsed: promql::parse(&text).unwrap(),
            text,
            span: 0..0,
        },
        hold: parse_duration(option("for").unwrap_or("0")).unwrap(),
        keep_firing: parse_duration(option("keep_firing_for").unwrap_or("0")).unwrap(),
        group_by: None,
        severity: if option("severity") == Some("warning") {
            Severity::Warning
        } else {
            Severity::Critical
        },
        labels: Vec::new(),
        summary: String::new(),
        description: String::new(),
        procedure: None,
        escalation: None,
        no_traffic: if option("no_traffic") == Some("page") {
            NoTraffic::Page
        } else {
            NoTraffic::Resolve
        },
        sources: vec!["shop".to_owned()],
        service: None,
        origin: Origin::Document,
        at: Location::default(),
    }
}
