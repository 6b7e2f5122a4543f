//! The drafted plan as commented YAML: a file that a team goes on from, so it reads like one that somebody wrote.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plan::{LintFinding, MetricType, Place};

use super::draft::{Answers, Draft, DraftRule, Subject, Urgency};
use super::survey::{Survey, SurveyedFamily};

/// Beginnings of names that say something about what the service runs on and not about what it does.
const INFRASTRUCTURE: [&str; 7] = [
    "process_",
    "go_",
    "node_",
    "python_",
    "nodejs_",
    "jvm_",
    "promhttp_",
];

/// The longest help text that is taken over as a meaning.
const MEANING_CHARS_MAX: usize = 160;

/// The plan's text.
pub fn plan_text(survey: &Survey, answers: &Answers, draft: &Draft) -> String {
    let mut text = String::new();
    head(&mut text, survey, answers, draft);
    metrics(&mut text, survey, draft);
    rules(&mut text, draft);
    dashboards(&mut text, draft);
    probes(&mut text, answers);
    response(&mut text, answers, draft);
    promises(&mut text, draft);
    text
}

fn head(text: &mut String, survey: &Survey, answers: &Answers, draft: &Draft) {
    let service = literal(&answers.service);
    let url = literal(&answers.metrics_url);
    let (exposed, read) = (survey.len(), draft.families(survey).len());
    put(
        text,
        &format!(
            "# The monitoring plan of {name}, drafted by `belfry init` from what it exposes at {address}.\n\
             # Everything here is yours to change: `belfry check` says what does not fit, `belfry drill` proves that the alerts\n\
             # reach somebody, `belfry coverage` how much of the plan is true.\n\
             format: 1\nservice: {service}\n\n\
             targets:\n  - job: {service}\n    url: {url}\n    interval: 15s\n    timeout: 10s\n\n\
             # The machine that Belfry runs on: processor, memory, disks, network.\nhost:\n  interval: 15s\n\n\
             # What must be there. Of the {exposed} metrics that the service exposes these {read} are read by a rule, a chart or a\n\
             # promise below; an alert fires when one of them goes missing.\n",
            name = answers.service,
            address = answers.metrics_url,
        ),
    );
}

fn metrics(text: &mut String, survey: &Survey, draft: &Draft) {
    put(text, "metrics:\n");
    let needed = draft.needed(survey);
    for name in draft.families(survey) {
        let Some((name, family)) = survey.family(name) else {
            continue;
        };
        let Some(metric_type) = family.metric_type else {
            continue;
        };
        put(
            text,
            &format!("  - name: {name}\n    type: {}\n", metric_type.as_str()),
        );
        if let Some(unit) = unit_of(name) {
            put(text, &format!("    unit: {unit}\n"));
        }
        let group = if INFRASTRUCTURE.iter().any(|prefix| name.starts_with(prefix)) {
            "infrastructure"
        } else {
            "application"
        };
        put(
            text,
            &format!(
                "    meaning: {}\n    group: {group}\n",
                literal(&meaning(name, family))
            ),
        );
        if !appears_at_once(family, metric_type) {
            put(
                text,
                "    # Not there before something happened, so its absence is no alarm.\n    required: false\n",
            );
        } else if !needed.contains(name) {
            put(
                text,
                "    # Only charts read it, so its absence is no alarm.\n    required: false\n",
            );
        }
        let labels: Vec<&str> = family
            .labels
            .keys()
            .map(String::as_str)
            .filter(|label| !matches!(*label, "job" | "instance"))
            .collect();
        if !labels.is_empty() {
            put(text, &format!("    labels: [{}]\n", labels.join(", ")));
        }
    }
}

/// A series with labels comes with the first event that has them; without labels it is there from the start.
fn appears_at_once(family: &SurveyedFamily, metric_type: MetricType) -> bool {
    family.labels.is_empty() || metric_type == MetricType::Gauge
}

fn meaning(name: &str, family: &SurveyedFamily) -> String {
    let help = family.help.replace("\\n", " ").replace("\\\\", "\\");
    let help = help.trim();
    if help.is_empty() {
        return format!("{name}, as the service exposes it.");
    }
    let short: String = help.chars().take(MEANING_CHARS_MAX).collect();
    short.trim_end().to_owned()
}

/// The unit that a name ends with, by the convention of base units.
fn unit_of(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix("_total").unwrap_or(name);
    ["seconds", "bytes", "ratio", "celsius"]
        .into_iter()
        .find(|unit| name.ends_with(&format!("_{unit}")))
}

fn rules(text: &mut String, draft: &Draft) {
    put(
        text,
        "\n# When somebody is told. `critical` pages at once and escalates until somebody acknowledges; `warning` tells the first\n\
         # level once.\nrule_groups:\n",
    );
    let mut groups: BTreeMap<Subject, Vec<&DraftRule>> = BTreeMap::new();
    for rule in &draft.rules {
        groups.entry(rule.subject).or_default().push(rule);
    }
    for (subject, rules) in groups {
        put(
            text,
            &format!(
                "  - name: {}\n    interval: 15s\n    rules:\n",
                procedure_of(subject)
            ),
        );
        for rule in rules {
            let severity = match rule.urgency {
                Urgency::Critical => "critical",
                Urgency::Warning => "warning",
            };
            put(
                text,
                &format!(
                    "      - alert: {}\n        expr: {}\n        for: {}\n        severity: {severity}\n        summary: {}\n        \
                     description: {}\n        procedure: {}\n        escalation: standard\n",
                    rule.name,
                    literal(&rule.expr),
                    rule.hold,
                    literal(&rule.summary),
                    literal(&rule.description),
                    procedure_of(subject),
                ),
            );
        }
    }
}

fn dashboards(text: &mut String, draft: &Draft) {
    put(text, "\n# What people look at.\ndashboards:\n");
    for board in &draft.dashboards {
        put(
            text,
            &format!(
                "  - id: {}\n    title: {}\n    panels:\n",
                board.id, board.title
            ),
        );
        for panel in &board.panels {
            put(
                text,
                &format!(
                    "      - title: {}\n        kind: {}\n        unit: {}\n        queries:\n",
                    literal(&panel.title),
                    panel.kind,
                    panel.unit
                ),
            );
            for (expr, legend) in &panel.queries {
                put(
                    text,
                    &format!(
                        "          - expr: {}\n            legend: {}\n",
                        literal(expr),
                        literal(legend)
                    ),
                );
            }
        }
    }
}

fn probes(text: &mut String, answers: &Answers) {
    put(
        text,
        "\n# How long which log lines are kept. They come as JSON lines by `POST /api/v1/logs`, or from a file that Belfry follows:\n\
         #   follow:\n#     - path: /var/log/my-service.jsonl\n#       service: my-service\nlogs:\n  classes:\n",
    );
    for (level, keep) in [
        ("DEBUG", "7d"),
        ("INFO", "30d"),
        ("WARN", "90d"),
        ("ERROR", "1y"),
    ] {
        put(
            text,
            &format!("    - name: {level}\n      level: {level}\n      keep: {keep}\n"),
        );
    }
    if answers.health.is_empty() {
        put(
            text,
            "\n# No health endpoint was found. With one, Belfry knows more than that the metrics are answered:\n# probes:\n\
             #   - name: readiness\n#     kind: readiness\n#     url: http://127.0.0.1:8080/ready\n#     interval: 10s\n",
        );
        return;
    }
    put(text, "\nprobes:\n");
    for endpoint in &answers.health {
        let (kind, interval) = if endpoint.readiness {
            ("readiness", "10s")
        } else {
            ("liveness", "30s")
        };
        put(
            text,
            &format!(
                "  - name: {kind}\n    kind: {kind}\n    url: {}\n    interval: {interval}\n    timeout: 5s\n",
                literal(&endpoint.url)
            ),
        );
    }
}

fn response(text: &mut String, answers: &Answers, draft: &Draft) {
    put(
        text,
        "\n# Who is told when; contacts say who fills a role. A second level, told when nobody acknowledged for 15 minutes:\n\
         #     - after: 15m\n#       roles: [team-lead]\n\
         escalation_policies:\n  - name: standard\n    levels:\n      - after: 0\n        roles: [on-call]\n\n\
         # What the responder does. Steps that only look run by themselves when the incident opens, so the page carries their\n\
         # answers.\nprocedures:\n",
    );
    let mut subjects: Vec<Subject> = draft.rules.iter().map(|rule| rule.subject).collect();
    subjects.dedup();
    for subject in subjects {
        let title = match subject {
            Subject::Presence => "The service is gone",
            Subject::Requests => "Requests fail or are slow",
            Subject::Resources => "Something runs out",
            Subject::Failures => "Something inside fails",
        };
        put(
            text,
            &format!(
                "  - id: {}\n    title: {title}\n    steps:\n",
                procedure_of(subject)
            ),
        );
        for endpoint in answers
            .health
            .iter()
            .filter(|_| subject != Subject::Resources)
        {
            let kind = if endpoint.readiness {
                "readiness"
            } else {
                "liveness"
            };
            put(
                text,
                &format!("      - do: Ask the {kind} endpoint.\n        check: {kind}\n"),
            );
        }
        for (title, expr) in looks(draft, subject) {
            put(
                text,
                &format!(
                    "      - do: {}\n        query: {}\n",
                    literal(&format!("Look at: {title}")),
                    literal(expr)
                ),
            );
        }
        put(
            text,
            "      - do: See what was deployed in the last hours.\n        deployments: 6h\n      \
             - do: Read the errors of that time.\n        logs: level:ERROR\n      \
             - do: Mend it - start it again, go back to the version before, or give it more room.\n        changes: true\n",
        );
    }
}

/// What a responder looks at: the first charts that bear on the subject.
fn looks(draft: &Draft, subject: Subject) -> impl Iterator<Item = (&str, &str)> {
    let wanted = match subject {
        Subject::Presence => "overview",
        Subject::Requests => "overview",
        Subject::Resources => "resources",
        Subject::Failures => "details",
    };
    let boards = draft
        .dashboards
        .iter()
        .filter(move |board| board.id == wanted);
    boards
        .flat_map(|board| &board.panels)
        .take(3)
        .filter_map(|panel| {
            let (expr, _) = panel.queries.first()?;
            Some((panel.title.as_str(), expr.as_str()))
        })
}

fn promises(text: &mut String, draft: &Draft) {
    put(
        text,
        "\n# What is promised, each over the last 30 days.\nobjectives:\n",
    );
    for objective in &draft.objectives {
        put(
            text,
            &format!(
                "  - id: {}\n    title: {}\n    expr: {}\n    unit: {}\n    target: {}\n    window: 30d\n",
                objective.id,
                objective.title,
                literal(&objective.expr),
                objective.unit,
                literal(&objective.target)
            ),
        );
    }
    put(
        text,
        "\n# How much of each group of metrics must really arrive.\ncoverage:\n  application: 100%\n  infrastructure: 100%\n  business: 90%\n\n\
         # Each path through the service that matters, with the alerts that guard it.\ncritical_paths:\n",
    );
    let paths = [
        ("Being there", Subject::Presence),
        ("Answering requests", Subject::Requests),
        ("Having room", Subject::Resources),
    ];
    for (name, subject) in paths {
        let rules = draft.rules.iter().filter(|rule| rule.subject == subject);
        let names: Vec<&str> = rules.map(|rule| rule.name.as_str()).collect();
        if !names.is_empty() {
            put(
                text,
                &format!("  - name: {name}\n    alerts: [{}]\n", names.join(", ")),
            );
        }
    }
}

fn procedure_of(subject: Subject) -> &'static str {
    match subject {
        Subject::Presence => "service-gone",
        Subject::Requests => "requests",
        Subject::Resources => "resources",
        Subject::Failures => "failures",
    }
}

/// What lint finds in a draft, as waivers: a newcomer's plan checks clean, and what they may want to change stands in it.
pub fn waivers_text(findings: &[LintFinding]) -> String {
    let mut by_code: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for found in findings.iter().filter(|found| found.waived.is_none()) {
        let about = by_code.entry(found.diagnostic.code.as_str()).or_default();
        about.push(&found.about);
    }
    let mut text = String::new();
    if by_code.is_empty() {
        return text;
    }
    put(
        &mut text,
        "\n# What `belfry check` finds in this draft. `belfry explain CODE` says what each means; mend it, and take it away here.\nwaivers:\n",
    );
    for (code, mut about) in by_code {
        about.sort_unstable();
        about.dedup();
        let about: Vec<String> = about
            .into_iter()
            .map(|name| plan::literal(name, Place::Flow))
            .collect();
        put(
            &mut text,
            &format!(
                "  - code: {code}\n    about: [{}]\n    reason: As `belfry init` drafted it.\n",
                about.join(", ")
            ),
        );
    }
    text
}

fn literal(text: &str) -> String {
    plan::literal(text, Place::Block)
}

fn put(text: &mut String, part: &str) {
    // Writing to a String does not fail.
    let _ = text.write_str(part);
}
