//! What good texts become: one line of values for each way of writing something, so that the next case is one line.

mod checker;

use std::fmt::Debug;
use std::time::Duration;

use checker::Schema;
use plan::{AlertSelector, Contacts, IncidentOptions, Plan, Shift, StepKind};

/// Reads a plan that holds what references need, and besides it the given text.
fn plan_of(text: &str) -> Plan {
    let whole = format!("{PLAN}{text}\n");
    let (plan, found) = plan::parse("plan.yaml", &whole);
    assert_eq!(found, [], "{text}");
    assert_eq!(Schema::of_plans().check(&whole), Ok(()), "{text}");
    plan.expect("nothing was found, so there is a plan")
}

const PLAN: &str = r#"
format: 1
service: shop
targets: [{job: shop, url: "http://127.0.0.1:8765/metrics"}]
metrics:
  - {name: app_build_info, type: gauge, meaning: Which build runs., group: application, labels: [version, revision]}
probes: [{name: ready, kind: readiness, url: "https://shop.example.org/ready"}]
"#;

const RULES: &str = r#"
escalation_policies: [{name: standard, levels: [{after: 0, roles: [on-call]}]}]
rule_groups:
  - name: g
    rules:
      - {alert: A, expr: up == 0, severity: warning}
      - {alert: B, expr: belfry_heartbeat_age_seconds > belfry_heartbeat_allowed_seconds, severity: warning}
"#;

#[test]
fn rules_and_policies() {
    let check = |text: &str, expect: &str| {
        let rule = format!("{{alert: A, expr: up == 0, severity: warning{text}}}");
        let plan = plan_of(&format!("rule_groups: [{{name: g, rules: [{rule}]}}]"));
        let (_, rule) = plan.rules().next().expect("the rule stands there");
        shows((rule.keep_firing, &rule.group_by), text, expect);
    };
    check("", "(0ns, None)");
    check(", keep_firing_for: 5m", "(300s, None)");
    check(
        ", group_by: [alertname, heartbeat]",
        r#"(0ns, Some(["alertname", "heartbeat"]))"#,
    );
    check(", group_by: []", "(0ns, Some([]))");

    let check = |text: &str, expect: &str| {
        let levels = "levels: [{after: 0, roles: [on-call]}]";
        let plan = plan_of(&format!(
            "escalation_policies: [{{name: p, {levels}{text}}}]"
        ));
        shows(
            plan.escalation_policies[0].acknowledgement_expires,
            text,
            expect,
        );
    };
    check("", "None");
    check(", acknowledgement_expires: 1h", "Some(3600s)");
}

#[test]
fn sections_of_one_map() {
    let check = |text: &str, show: fn(&Plan) -> String, expect: &str| {
        let plan = plan_of(&format!("{RULES}{text}"));
        assert_eq!(show(&plan), expect, "{text}");
    };
    let incidents = |plan: &Plan| {
        let IncidentOptions {
            group_by,
            page_interval,
        } = &plan.incidents;
        format!("{group_by:?} {page_interval:?}")
    };
    check("", incidents, r#"["alertname"] 300s"#);
    check("incidents: {group_by: []}", incidents, "[] 300s");
    check(
        "incidents: {group_by: [job, path], page_interval: 1m}",
        incidents,
        r#"["job", "path"] 60s"#,
    );

    let messages = |plan: &Plan| format!("{:?} {:?}", plan.messages.subject, plan.messages.body);
    check("", messages, "None None");
    check(
        r#"messages: {subject: "{{ title | upper }}"}"#,
        messages,
        r#"Some("{{ title | upper }}") None"#,
    );
    let body =
        "messages:\n  body: |\n    {% for alert in alerts %}{{ alert.summary }}\n    {% endfor %}";
    check(
        body,
        messages,
        r#"None Some("{% for alert in alerts %}{{ alert.summary }}\n{% endfor %}")"#,
    );

    let incoming = |plan: &Plan| format!("{:?}", plan.incoming_alerts);
    check("", incoming, "None");
    let expect = r#"Some(IncomingAlerts { escalation: "standard", severity: Warning })"#;
    check("incoming_alerts: {escalation: standard}", incoming, expect);
    let expect = r#"Some(IncomingAlerts { escalation: "standard", severity: Critical })"#;
    check(
        "incoming_alerts: {escalation: standard, severity: critical}",
        incoming,
        expect,
    );

    let deployments = |plan: &Plan| format!("{:?}", plan.deployments);
    check("", deployments, "None");
    let expect =
        r#"Some(DeploymentTracking { metric: "app_build_info", labels: ["version", "revision"] })"#;
    check(
        "deployments: {metric: app_build_info, labels: [version, revision]}",
        deployments,
        expect,
    );

    let reach = |plan: &Plan| format!("{:?}", plan.procedures_may_reach);
    check(
        "procedures_may_reach: [\"10.0.0.1:80\", \"[::1]:443\"]",
        reach,
        r#"["10.0.0.1:80", "[::1]:443"]"#,
    );
}

#[test]
fn heartbeats() {
    let check = |text: &str, expect: (u64, u64)| {
        let plan = plan_of(&format!("{RULES}heartbeats: [{{name: backup, {text}}}]"));
        let heartbeat = &plan.heartbeats[0];
        let found = (heartbeat.every.as_secs(), heartbeat.grace.as_secs());
        assert_eq!(found, expect, "{text}");
    };
    check("every: 1d", (86_400, 8_640));
    check("every: 5m", (300, 60));
    check("every: 5m, grace: 0", (300, 0));
    check("every: 1h, grace: 15m", (3_600, 900));
}

#[test]
fn inhibitions() {
    let check = |text: &str, expect: &str| {
        let plan = plan_of(&format!("{RULES}inhibitions: [{{name: down, {text}}}]"));
        let own = &plan.inhibitions[0];
        shows(
            (&own.equal, texts(&own.while_firing), texts(&own.hold_back)),
            text,
            expect,
        );
    };
    check("while: [A], hold_back: [B]", r#"([], ["A"], ["B"])"#);
    check(
        "while: [A], hold_back: [B], equal: [job, instance]",
        r#"(["job", "instance"], ["A"], ["B"])"#,
    );
    let text = r#"while: [A], hold_back: ['{severity="warning", job!~"a|b"}']"#;
    check(
        text,
        r#"([], ["A"], ["{severity=\"warning\", job!~\"a|b\"}"])"#,
    );
}

fn texts(selectors: &[AlertSelector]) -> Vec<&str> {
    selectors.iter().map(|own| own.text.as_str()).collect()
}

#[test]
fn selectors_select() {
    let check = |selector: &str, labels: &[(&str, &str)], expect: bool| {
        let text =
            format!("{RULES}inhibitions: [{{name: i, while: [A], hold_back: ['{selector}']}}]");
        let plan = plan_of(&text);
        let labels = model::Labels::from_pairs(labels.iter().copied());
        assert_eq!(
            plan.inhibitions[0].hold_back[0].selects(&labels),
            expect,
            "{selector}"
        );
    };
    check("B", &[("alertname", "B")], true);
    check("B", &[("alertname", "BB")], false);
    check(r#"{severity!="critical"}"#, &[("alertname", "X")], true);
    check(
        r#"{severity!="critical"}"#,
        &[("severity", "critical")],
        false,
    );
    check(
        r#"{job=~"api.*",severity="warning"}"#,
        &[("job", "api-1"), ("severity", "warning")],
        true,
    );
    check(
        r#"{job=~"api.*",severity="warning"}"#,
        &[("job", "api-1")],
        false,
    );
}

#[test]
fn maintenance_windows() {
    let check = |text: &str, expect: &str| {
        let whole =
            format!("{RULES}maintenance_windows: [{{name: w, reason: r, alerts: [A], {text}}}]");
        let plan = plan_of(&whole);
        let own = &plan.maintenance_windows[0];
        shows(
            (&own.days, own.from, own.length, own.zone.iana_name()),
            text,
            expect,
        );
    };
    let text = r#"from: "03:00", for: 1h, zone: Europe/Berlin"#;
    check(text, r#"([], 03:00:00, 3600s, Some("Europe/Berlin"))"#);
    let text = r#"days: [sat, Sun], from: "22:30", for: 90m, zone: UTC"#;
    check(
        text,
        r#"([Saturday, Sunday], 22:30:00, 5400s, Some("UTC"))"#,
    );
    let text = r#"days: [sat], from: "00:00", for: 6d23h, zone: Australia/Lord_Howe"#;
    check(
        text,
        r#"([Saturday], 00:00:00, 601200s, Some("Australia/Lord_Howe"))"#,
    );
}

#[test]
fn steps() {
    let check = |text: &str, expect: (&str, bool, bool, u64)| {
        let step = step_of(text);
        let kind = step.kind.as_str();
        let found = (kind, step.changes, step.automatic, step.timeout.as_secs());
        assert_eq!(found, expect, "{text}");
    };
    check("", ("manual", false, false, 10));
    check("changes: true", ("manual", true, false, 10));
    check("query: up", ("query", false, true, 10));
    check("logs: level:ERROR", ("logs", false, true, 10));
    check("check: ready, timeout: 30s", ("check", false, true, 30));
    check("deployments: 1h", ("deployments", false, true, 10));
    check("compare: up", ("compare", false, true, 10));
    check("query: up, changes: true", ("query", true, false, 10));
    check(
        r#"request: "http://127.0.0.1:8765/a""#,
        ("request", false, true, 10),
    );
    check(
        r#"request: "POST http://127.0.0.1:8765/a""#,
        ("request", true, false, 10),
    );
    check(
        r#"request: "POST http://127.0.0.1:8765/a", changes: false"#,
        ("request", false, true, 10),
    );
    check(
        r#"request: "POST http://127.0.0.1:8765/a", automatic: true"#,
        ("request", true, true, 10),
    );
    check(
        r#"request: "PUT http://127.0.0.1:8765/a", automatic: false"#,
        ("request", true, false, 10),
    );
    check(
        "command: [df, -h], timeout: 5m",
        ("command", true, false, 300),
    );
    check(
        "command: [df, -h], changes: false",
        ("command", false, true, 10),
    );
}

#[test]
fn what_steps_do() {
    let check = |text: &str, expect: &str| {
        let found = match step_of(text).kind {
            StepKind::Deployments(before) => format!("{before:?}"),
            StepKind::Compare { expr, before } => format!("{} {before:?}", expr.text),
            StepKind::Request(own) => {
                format!("{} {} {} {:?}", own.method, own.url, own.body, own.token)
            }
            StepKind::Command(own) => format!("{:?}", own.argv),
            StepKind::Manual | StepKind::Query(_) | StepKind::Logs(_) | StepKind::Check(_) => {
                String::new()
            }
        };
        assert_eq!(found, expect, "{text}");
    };
    check("deployments: 90m", "5400s");
    check("compare: up", "up 3600s");
    check("compare: up, before: 1w", "up 604800s");
    let text = r#"request: "PUT http://127.0.0.1:8765/admin", body: '{"workers": 8}', token_file: /run/token"#;
    check(
        text,
        r#"PUT http://127.0.0.1:8765/admin {"workers": 8} Some(File("/run/token"))"#,
    );
    let text = r#"request: "https://shop.example.org/admin", token_environment: SHOP_TOKEN"#;
    check(
        text,
        r#"GET https://shop.example.org/admin  Some(Environment("SHOP_TOKEN"))"#,
    );
    check(
        r#"request: "DELETE http://10.0.0.1/a""#,
        "DELETE http://10.0.0.1/a  None",
    );
    check(
        r#"command: [systemctl, restart, "a b"]"#,
        r#"["systemctl", "restart", "a b"]"#,
    );
}

fn step_of(text: &str) -> plan::Step {
    let step = format!("{{do: it, {text}}}");
    let text = format!(
        "procedures_may_reach: [\"10.0.0.1:80\"]\nprocedures: [{{id: p, title: P, steps: [{step}]}}]"
    );
    let mut plan = plan_of(&text);
    plan.procedures.remove(0).steps.remove(0)
}

/// Reads contacts of two people, Robin and Kim, and besides them the given text.
fn contacts_of(text: &str) -> Contacts {
    let whole = format!(
        "format: 1\npeople:\n  - {{name: Robin, channels: [{{type: log}}]}}\n  - {{name: Kim, channels: [{{type: log}}]}}\n{text}\n"
    );
    let (contacts, found) = plan::parse_contacts("contacts.yaml", &whole);
    assert_eq!(found, [], "{text}");
    assert_eq!(Schema::of_contacts().check(&whole), Ok(()), "{text}");
    contacts.expect("nothing was found, so there are contacts")
}

#[test]
fn channels() {
    let check = |text: &str, expect: &str| {
        let whole = format!(
            "format: 1\nmail_server: {{host: localhost, from: b@example.org}}\npeople: [{{name: R, channels: [{{{text}}}]}}]"
        );
        let (contacts, found) = plan::parse_contacts("contacts.yaml", &whole);
        assert_eq!(found, [], "{text}");
        assert_eq!(Schema::of_contacts().check(&whole), Ok(()), "{text}");
        let contacts = contacts.expect("nothing was found, so there are contacts");
        shows(&contacts.people[0].channels[0], text, expect);
    };
    let expect = r#"Webhook { url: "http://x/y", token: None, signing_key: None }"#;
    check(r#"type: webhook, url: "http://x/y""#, expect);
    let expect = r#"Webhook { url: "http://x/y", token: Some(File("t")), signing_key: Some(Environment("K")) }"#;
    check(
        r#"type: webhook, url: "http://x/y", token_file: t, signing_key_environment: K"#,
        expect,
    );
    check(
        "type: email, to: robin@example.org",
        r#"Email { to: "robin@example.org" }"#,
    );
    check("type: slack, url_file: s", r#"Slack { url: File("s") }"#);
    let expect = r#"PagerDuty { routing_key: Environment("PD"), url: "https://events.pagerduty.com/v2/enqueue" }"#;
    check("type: pagerduty, routing_key_environment: PD", expect);
    let expect = r#"PagerDuty { routing_key: File("k"), url: "http://127.0.0.1:1/x" }"#;
    check(
        r#"type: pagerduty, routing_key_file: k, url: "http://127.0.0.1:1/x""#,
        expect,
    );
    let expect = r#"Alertmanager { url: "http://am:9093/prefix" }"#;
    check(
        r#"type: alertmanager, url: "http://am:9093/prefix/""#,
        expect,
    );
    check(
        "type: command, command: [notify, --now]",
        r#"Command { argv: ["notify", "--now"] }"#,
    );
    check("type: log", "Log");
}

#[test]
fn mail_servers() {
    let check = |text: &str, expect: &str| {
        let contacts = contacts_of(&format!("mail_server: {{{text}}}"));
        let server = contacts.mail_server.expect("the server stands there");
        shows(
            (server.security, server.port, &server.ca_file, &server.login),
            text,
            expect,
        );
    };
    check(
        "host: mail.example.org, from: b@example.org",
        "(StartTls, 587, None, None)",
    );
    check(
        "host: mail.example.org, from: b@example.org, security: tls",
        "(Tls, 465, None, None)",
    );
    check(
        "host: 127.0.0.1, from: b@example.org, security: none",
        "(None, 25, None, None)",
    );
    check(
        "host: \"::1\", from: b@example.org, security: none, port: 2525",
        "(None, 2525, None, None)",
    );
    let text =
        "host: m, from: b@example.org, ca_file: ca.pem, username: b, password_environment: P";
    check(
        text,
        r#"(StartTls, 587, Some("ca.pem"), Some(("b", Environment("P"))))"#,
    );
}

#[test]
fn rotas() {
    let check = |text: &str, expect: &[&str]| {
        let contacts = contacts_of(&format!("rotas: [{{role: on-call, {text}}}]"));
        let found: Vec<String> = contacts.rotas[0].shifts.iter().map(shift).collect();
        assert_eq!(found, expect, "{text}");
        assert!(contacts.can_fill("on-call") && !contacts.can_fill("team-lead"));
    };
    let text = r#"zone: Europe/Berlin, hand_over: "Mon 09:00", every: week, since: 2026-01-05, people: [Robin, Kim]"#;
    check(
        text,
        &[r#" Europe/Berlin 09:00:00 [Monday] 7 2026-01-05 ["Robin", "Kim"]"#],
    );
    let text = r#"zone: UTC, hand_over: "09:00", every: day, since: 2026-01-06, people: [Kim]"#;
    check(text, &[r#" UTC 09:00:00 [] 1 2026-01-06 ["Kim"]"#]);
    let text =
        r#"zone: UTC, hand_over: "fri 17:00", every: 2 weeks, since: 2026-01-09, people: [Kim]"#;
    check(text, &[r#" UTC 17:00:00 [Friday] 14 2026-01-09 ["Kim"]"#]);
    let text =
        r#"zone: UTC, hand_over: "00:00", every: 3d, since: 2026-01-09, people: [Kim, Robin, Kim]"#;
    check(
        text,
        &[r#" UTC 00:00:00 [] 3 2026-01-09 ["Kim", "Robin", "Kim"]"#],
    );
    let text = r#"shifts: [
      {name: Europe, zone: Europe/Berlin, from: "08:00", days: [mon, tue, wed, thu, fri], every: week, since: 2026-01-05, people: [Robin]},
      {name: Asia, zone: Asia/Kathmandu, from: "08:00", every: day, since: 2026-01-05, people: [Kim]}]"#;
    check(
        text,
        &[
            r#"Europe Europe/Berlin 08:00:00 [Monday, Tuesday, Wednesday, Thursday, Friday] 7 2026-01-05 ["Robin"]"#,
            r#"Asia Asia/Kathmandu 08:00:00 [] 1 2026-01-05 ["Kim"]"#,
        ],
    );
}

fn shift(own: &Shift) -> String {
    let zone = own.zone.iana_name().unwrap_or("");
    let Shift {
        name,
        hand_over,
        days,
        turn_days,
        since,
        people,
        ..
    } = own;
    format!("{name} {zone} {hand_over} {days:?} {turn_days} {since} {people:?}")
}

/// An override's clocks are those of the rota: in Berlin 09:00 is 08:00 UTC in winter, and the hour that a spring night
/// lacks is the one after it.
#[test]
fn overrides() {
    let check = |from: &str, until: &str, expect: (&str, &str)| {
        let rota = r#"role: on-call, zone: Europe/Berlin, hand_over: "09:00", every: day, since: 2026-01-05, people: [Robin]"#;
        let text = format!(
            "rotas: [{{{rota}, overrides: [{{person: Kim, from: \"{from}\", until: \"{until}\"}}]}}]"
        );
        let contacts = contacts_of(&text);
        let own = &contacts.rotas[0].overrides[0];
        assert_eq!(
            (
                own.from.to_string().as_str(),
                own.until.to_string().as_str()
            ),
            expect
        );
    };
    check(
        "2026-12-24 09:00",
        "2026-12-27 09:00",
        ("2026-12-24T08:00:00Z", "2026-12-27T08:00:00Z"),
    );
    check(
        "2026-03-29 02:30",
        "2026-07-01 00:00",
        ("2026-03-29T01:30:00Z", "2026-06-30T22:00:00Z"),
    );
}

#[test]
fn dead_mans_switches() {
    let check = |text: &str, expect: &str| {
        let contacts = contacts_of(&format!("dead_mans_switch: {{{text}}}"));
        let switch = contacts.dead_mans_switch.expect("the switch stands there");
        shows((&switch.url, switch.interval), text, expect);
    };
    check(
        r#"url: "https://example.org/ping""#,
        r#"(Plain("https://example.org/ping"), 15s)"#,
    );
    check(
        "url_file: /run/ping, interval: 30s",
        r#"(Secret(File("/run/ping")), 30s)"#,
    );
    check(
        "url_environment: PING, interval: 1s",
        r#"(Secret(Environment("PING")), 1s)"#,
    );
}

#[test]
fn a_plan_that_says_nothing_of_these() {
    let plan = plan_of("");
    assert!(plan.inhibitions.is_empty() && plan.maintenance_windows.is_empty());
    assert!(plan.heartbeats.is_empty() && plan.procedures_may_reach.is_empty());
    assert_eq!(plan.incidents.page_interval, Duration::from_secs(300));
}

fn shows(found: impl Debug, text: &str, expect: &str) {
    assert_eq!(format!("{found:?}"), expect, "{text}");
}
