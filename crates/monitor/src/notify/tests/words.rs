//! What a page says: Belfry's own words, whole, and templates that work and that fail.

use alerting::PageReason;
use model::Timestamp;

use super::{Case, OPENED, alert};
use crate::notify::message::{Message, message};

fn said(case: &Case) -> Message {
    message(&case.context())
}

#[test]
fn a_first_page_with_evidence() {
    let Message { subject, body } = said(&Case::new().with_evidence());
    assert_eq!(
        subject,
        "[CRITICAL] NoStock: 0 boxes left at shop:1 (shop, incident 12)"
    );
    assert_eq!(
        body,
        "CRITICAL: NoStock: 0 boxes left at shop:1. Since 2026-11-23T09:00:00Z, value 0, threshold < 1.
shop, incident 12. You are told because it fires; this is level 1 of 3.
Alert: NoStock{instance=\"shop:1\"}

Found so far:
1. Look at the stock.: stock = 0
2. Read what went wrong.: FAILED: the log store did not answer

What to do: Restock
1. Look at the stock.
2. Read what went wrong.
3. Ask the shop.
4. Order boxes.

Acknowledge and go on: http://belfry.test:9765/incidents/12
"
    );
}

#[test]
fn a_second_level_with_several_alerts() {
    let mut case = Case::new();
    case.page.level = 2;
    case.page.queued_at = Timestamp::from_millis(OPENED + 15 * 60_000);
    for (instance, value) in [("shop:2", 0.5), ("shop:3", f64::NAN)] {
        let (labels, mut member) = alert(instance, value);
        if value.is_nan() {
            member.no_data = true;
            member.summary = "no boxes".to_owned();
        } else {
            member.resolved_at = Some(case.page.queued_at);
        }
        case.detail.incident.members.insert(labels, member);
    }
    case.detail.incident.left_out = 7;
    let body = said(&case).body;
    assert!(
        body.starts_with(
            "CRITICAL: NoStock: 0 boxes left at shop:1. Since 2026-11-23T09:00:00Z (15 min), value 0, threshold < 1.
shop, incident 12. You are told because nobody has acknowledged it; this is level 2 of 3.

Alerts (2 firing):
- firing: 0 boxes left at shop:1, value 0, threshold < 1
  NoStock{instance=\"shop:1\"}
- firing: no boxes, threshold < 1, no data at present
  NoStock{instance=\"shop:3\"}
- over: 0.5 boxes left at shop:2, value 0.5, threshold < 1
  NoStock{instance=\"shop:2\"}
- and 7 more

What to do: Restock
"
        ),
        "{body}"
    );
}

#[test]
fn every_reason_is_said() {
    let check = |reason: PageReason, words: &str| {
        let mut case = Case::new();
        case.page.reason = reason;
        let body = said(&case).body;
        assert!(
            body.contains(&format!("You are told because {words}.")),
            "{body}"
        );
    };
    check(PageReason::Joined, "further alerts joined it");
    check(
        PageReason::AcknowledgementExpired,
        "the acknowledgement expired and it still fires",
    );
    check(
        PageReason::HoldEnded,
        "the silence or maintenance window ended and it still fires",
    );
    let resolved = said(&Case::new().resolved());
    assert_eq!(
        resolved.subject,
        "[RESOLVED] NoStock: 0 boxes left at shop:1 (shop, incident 12)"
    );
    assert!(
        resolved.body.starts_with(
            "RESOLVED: NoStock: 0 boxes left at shop:1. It began 2026-11-23T09:00:00Z and ended 2026-11-23T09:20:00Z.
shop, incident 12. You are told because it is over: the condition no longer holds.
"
        ),
        "{}",
        resolved.body
    );
    assert!(!resolved.body.contains("What to do"), "{}", resolved.body);
}

#[test]
fn a_summary_lists_what_it_carries() {
    let Message { subject, body } = said(&Case::new().summarised());
    assert_eq!(subject, "[SUMMARY] 3 incidents of shop");
    assert_eq!(
        body,
        "3 incidents of shop at once. You are told because many pages at once; this one carries 3 incidents.

- CRITICAL, open: NoStock: 0 boxes left at shop:1
  http://belfry.test:9765/incidents/12
- WARNING, open: NoStock: 0 boxes left at shop:1
  http://belfry.test:9765/incidents/13
- CRITICAL, open: NoStock: 0 boxes left at shop:1
  http://belfry.test:9765/incidents/14

All incidents: http://belfry.test:9765/incidents
"
    );
}

#[test]
fn templates_see_everything_that_is_documented() {
    let mut case = Case::new().with_evidence();
    case.setup.plan.messages.subject =
        Some("{{ severity | upper }} {{ title }} for {{ person }}".to_owned());
    case.setup.plan.messages.body = Some(
        "{{ service }} {{ kind }} {{ summary }} {{ level }}/{{ levels }} {{ reason }}: {{ why }}
{{ incident.id }} {{ incident.state }} {{ incident.opened_at }} {{ incident.open_seconds }}
{% for alert in alerts %}{{ alert.name }} {{ alert.labels.instance }} {{ alert.value }} {{ alert.threshold }} {{ alert.expr }} {{ alert.firing }}
{% endfor %}{% for own in evidence %}{{ own.step }} {{ own.title }} {{ own.state }} {{ own.finding }}
{% endfor %}{{ procedure.title }}: {{ procedure.steps | join(' / ') }}
{{ links.incident }} {{ links.belfry }} {{ summary_count }} {{ alerts_firing }} {{ alerts_left_out }}{{ unknown }}{{ alerts[0].annotations.procedure }}"
            .to_owned(),
    );
    let Message { subject, body } = said(&case);
    assert_eq!(subject, "CRITICAL NoStock for ada");
    assert_eq!(
        body,
        "shop firing 0 boxes left at shop:1 1/3 escalation: it fires; this is level 1 of 3
12 open 2026-11-23T09:00:00Z 0
NoStock shop:1 0 < 1 stock < 1 True
1 Look at the stock. done stock = 0
2 Read what went wrong. failed the log store did not answer
Restock: Look at the stock. / Read what went wrong. / Ask the shop. / Order boxes.
http://belfry.test:9765/incidents/12 http://belfry.test:9765 0 1 0restock
"
    );
}

/// Whatever a template does, the page says what it must, and why it does not say it as it was asked to.
#[test]
fn a_template_that_fails_falls_back() {
    let own = said(&Case::new());
    let check = |template: &str, why: &str| {
        let mut case = Case::new();
        case.setup.plan.messages.body = Some(template.to_owned());
        let found = said(&case);
        assert_eq!(found.subject, own.subject);
        assert!(
            found.body.starts_with(&own.body),
            "{template}: {}",
            found.body
        );
        let last = found.body.lines().last().unwrap();
        assert!(
            last.starts_with("The plan's template of the body failed ("),
            "{last}"
        );
        assert!(last.contains(why), "{template}: {last}");
        assert!(last.ends_with("these are Belfry's own words."), "{last}");
    };
    check("{{ title", "line 1");
    check("{{ title | no_such_filter }}", "no_such_filter");
    check("\n\n{{ missing.deeper.still }}", "line 3");
    check("{{ 1 / 0 }}", "line 1");
    check("  \n ", "it gives no text");
    check(
        "{% for a in range(9000) %}{% for b in range(9000) %}{{ a * b }}{% endfor %}{% endfor %}",
        "it ",
    );
    check(
        "{% for a in range(10000) %}{{ title }}{{ title }}{% endfor %}",
        "it gives more than 32768 bytes",
    );
    check(
        "{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}",
        "it takes too long",
    );
    check("{% include 'other' %}", "line 1");

    let mut case = Case::new();
    case.setup.plan.messages.subject = Some("{{ title.x.y }}".to_owned());
    let found = said(&case);
    assert_eq!(found.subject, own.subject);
    assert!(
        found
            .body
            .contains("The plan's template of the subject failed"),
        "{}",
        found.body
    );
}

#[test]
fn sizes_are_bounded_whatever_the_incident_holds() {
    let mut case = Case::new();
    for index in 0..2_000 {
        let (labels, mut member) = alert(&format!("shop:{index} {}", "ä".repeat(5_000)), 0.0);
        member.summary = "ü\n".repeat(5_000);
        case.detail.incident.members.insert(labels, member);
    }
    case.detail.incident.head.title = "ö".repeat(10_000);
    let Message { subject, body } = said(&case);
    assert!(subject.chars().count() <= 200, "{}", subject.len());
    assert!(body.len() < 64 * 1024, "{}", body.len());
    assert!(body.contains("and 1981 more"), "{body}");
}
