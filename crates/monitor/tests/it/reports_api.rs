//! The review of an incident and the escalation report, from alert to text.

use serde_json::{Value, json};

use super::harness::{Answer, Belfry};

async fn text(belfry: &Belfry, path: &str) -> String {
    let answer: Answer = belfry.ask(&format!("GET {path}"), "").await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert_eq!(
        answer.header("content-type"),
        "text/markdown; charset=utf-8"
    );
    answer.body
}

/// NoStock fires, ada is told, notes something and acknowledges after some minutes; then boxes come.
async fn over(acknowledged_after_minutes: u64) -> Belfry {
    let belfry = Belfry::start().await;
    belfry.expose("stock 0\n");
    belfry.pass(60).await;
    let note = json!({"by": "ada", "text": "empty | <script>\nagain"}).to_string();
    belfry
        .ask("POST /api/belfry/v1/incidents/2/notes", &note)
        .await;
    belfry.pass(acknowledged_after_minutes * 60).await;
    belfry
        .ask(
            "POST /api/belfry/v1/incidents/2/acknowledge",
            r#"{"by":"ada","note":"on it"}"#,
        )
        .await;
    let tick = belfry
        .ask(
            "POST /api/belfry/v1/incidents/2/steps/4/tick",
            r#"{"by":"ada"}"#,
        )
        .await;
    assert_eq!(tick.status, 200, "{}", tick.body);
    belfry.expose("stock 9\n");
    belfry.pass(60).await;
    belfry
}

#[tokio::test(start_paused = true)]
async fn a_review_holds_what_happened() {
    let belfry = over(3).await;
    let review = text(&belfry, "/api/belfry/v1/incidents/2/review").await;
    for expect in [
        "# Incident 2: NoStock\n",
        "| severity | critical |\n",
        "| opened | 2026-11-23 09:00:",
        ": acknowledged by ada: on it |\n",
        ": the condition no longer holds |\n",
        "| people told | ada (level 1) |\n",
        "**Impact:** 0 boxes left at shop.test:80 (1 alert).",
        "| note | ada: empty \\| \\<script\\><br>again |\n",
        "| 4 | Order boxes. | ",
        "| ada | webhook | 1 | escalation | accepted",
        "| ada | webhook | 1 | resolved | accepted",
        "\n## Cause\n\n\n## What went well\n\n\n## What went badly\n\n\n## Actions\n",
    ] {
        assert!(
            review.contains(expect),
            "{expect:?} is missing in\n{review}"
        );
    }
    let columns = |line: &&str| line.starts_with('|');
    let (timeline, _) = review.split_once("## Evidence").unwrap();
    let (_, timeline) = timeline.split_once("## Timeline").unwrap();
    for line in timeline.lines().filter(columns) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 4, "{line}");
    }
    belfry
        .ask("GET /api/belfry/v1/incidents/99/review", "")
        .await
        .problem(404);
}

#[tokio::test(start_paused = true)]
async fn promises_are_counted() {
    let path = "/api/belfry/v1/escalation-report";
    let totals = |report: &Value, name: &str| {
        let kept = &report["totals"][name];
        format!("{} of {}", kept["in_time"], kept["of"])
    };
    for (minutes, levels, acknowledged) in [(3, 1, "1 of 1"), (20, 2, "0 of 1")] {
        let belfry = over(minutes).await;
        let report = belfry.get(&format!("{path}?month=2026-11")).await;
        assert_eq!(
            report["totals"]["incidents"], 2,
            "a warning and a critical one"
        );
        assert_eq!(report["totals"]["told"]["in_time"], levels + 1, "{report}");
        assert_eq!(report["totals"]["told"]["ratio"], 1.0);
        assert_eq!(report["totals"]["accepted"]["ratio"], 1.0);
        assert_eq!(totals(&report, "acknowledged"), acknowledged, "{report}");
        let critical = &report["incidents"][1];
        assert_eq!(critical["title"], "NoStock");
        let second = &critical["levels"][1];
        let state = if levels == 2 { "told" } else { "not_needed" };
        assert_eq!(
            (&second["level"], &second["state"]),
            (&json!(2), &json!(state))
        );
        assert_eq!(
            belfry.get(&format!("{path}?incident=2")).await["incidents"],
            json!([critical])
        );
        assert_eq!(
            belfry.get(&format!("{path}?month=2026-10")).await["incidents"],
            json!([])
        );
        assert_eq!(belfry.get(path).await, report, "the present month");
        let shown = text(&belfry, &format!("{path}?format=markdown")).await;
        let share = if levels == 2 {
            "| 0 | 1 | 0.0 % |"
        } else {
            "| 1 | 1 | 100.0 % |"
        };
        let line = format!("| acknowledged before the next level was due {share}\n");
        assert!(shown.contains(&line), "{shown}");
        assert!(
            shown.contains("| 2 NoStock | 1 | on-call | 2026-11-23 09:00:"),
            "{shown}"
        );
        for (query, status) in [("month=11", 400), ("format=pdf", 400), ("incident=99", 404)] {
            belfry
                .ask(&format!("GET {path}?{query}"), "")
                .await
                .problem(status);
        }
    }
}

/// The whole page, over a month with one incident that was taken and acted on.
#[tokio::test(start_paused = true)]
async fn a_month_is_a_page() {
    let belfry = over(3).await;
    let path = "/api/belfry/v1/report";
    let answer = belfry.ask(&format!("GET {path}?month=2026-11"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let page = answer.body;
    for expect in [
        "<h1>",
        ": 2026-11</h1>",
        "the month is not over",
        "<td>NoStock</td><td>critical</td><td>2026-11-23 09:",
        "<b>2</b>incidents",
        // Fired once, one incident, taken and acted on, never flapped, never drilled.
        "<td>NoStock</td><td>critical</td><td class=\"number\">1</td><td class=\"number\">1</td><td class=\"number\">1</td>\
         <td class=\"number\">1</td><td class=\"number\">0</td>\n<td>never</td><td><span class=\"good\">acted on</span>",
        "<svg role=\"img\"",
        "<td>ERROR</td>",
    ] {
        assert!(page.contains(expect), "{expect:?} is missing in\n{page}");
    }
    for (from, from_outside) in [("a script", "<script"), ("an address", "http")] {
        assert!(!page.contains(from_outside), "{from} stands in the page");
    }
    let empty = belfry
        .ask(&format!("GET {path}?month=2026-10"), "")
        .await
        .body;
    for expect in ["<b>0</b>incidents", "None.", "unproven", "nothing measured"] {
        assert!(empty.contains(expect), "{expect:?} is missing in\n{empty}");
    }
    belfry
        .ask(&format!("GET {path}?month=November"), "")
        .await
        .problem(400);
}
