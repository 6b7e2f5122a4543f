//! The plan document of the service imports line by line, and the plan that runs is that import apart from what it marks as
//! added. `plan_import.account` is what the import says of each line; `UPDATE_EXPECT=1` writes it anew.

use std::path::{Path, PathBuf};

use plan::import::{Import, Options, Weight, document};
use serde_json::Value;

const PLAN: &str = include_str!("../../../plans/qr-service.yaml");

#[test]
fn every_line_of_the_document_is_accounted_for() {
    let Some((text, import)) = the_import() else {
        return;
    };
    let account = &import.account;
    assert_eq!(account.lines.len(), text.lines().count());
    let (mapped, explained, unread) = account.counts();
    assert_eq!((mapped, explained, unread), (100, 94, 0));
    let warnings: Vec<&str> = account
        .remarks
        .iter()
        .filter(|remark| remark.weight == Weight::Warning)
        .map(|remark| remark.text.as_str())
        .collect();
    assert_eq!(warnings.len(), 2, "{warnings:#?}");
    assert!(warnings[0].contains("`rate(http_errors_total[5m])` is events per second"));
    assert!(warnings[1].contains("\"Cache utilization\""));
    expect(
        Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/plan_import.account"
        )),
        &account.to_string(),
    );
}

#[test]
fn the_import_runs_as_it_is() {
    let Some((_, import)) = the_import() else {
        return;
    };
    let (plan, found) = plan::parse("import.yaml", &import.yaml);
    assert_eq!(found, []);
    let plan = plan.expect("nothing was found, so there is a plan");
    assert_eq!(
        (plan.metrics.len(), plan.rules().count(), plan.probes.len()),
        (22, 5, 3)
    );
    let contacts = include_str!("../../../plans/contacts.example.yaml");
    let (contacts, _) = plan::parse_contacts("contacts", contacts);
    let contacts = contacts.expect("the example is right");
    let roles = plan.escalation_policies[0]
        .levels
        .iter()
        .flat_map(|level| &level.roles);
    for role in roles {
        assert!(contacts.can_fill(role), "nobody is {role}");
    }
}

#[test]
fn the_plan_is_the_import_and_what_it_adds() {
    let Some((_, import)) = the_import() else {
        return;
    };
    let imported = tree(&import.yaml);
    let mut plan = tree(PLAN);
    // Waivers accept findings of lint; a document knows nothing of either.
    if let Some(keys) = plan.as_object_mut() {
        keys.remove("waivers");
    }
    let plan = without_added(plan);
    let mut differences = Vec::new();
    differ(&imported, &plan, "plan", &mut differences);
    assert!(
        differences.is_empty(),
        "the import and the plan without what it adds differ:\n{}",
        differences.join("\n")
    );
}

/// The document and its import; nothing, said loudly, where the document is not there.
fn the_import() -> Option<(String, Import)> {
    let path = shared_folder().join("plan/monitoring-plan.md");
    let Ok(bytes) = read(&path) else {
        eprintln!(
            "SKIPPED: no plan document; set BELFRY_SHARED to the folder that holds plan/monitoring-plan.md"
        );
        return None;
    };
    let options = Options {
        file: "monitoring-plan.md".to_owned(),
        service: Some("qr-service".to_owned()),
        base_url: Some("http://127.0.0.1:8765".to_owned()),
    };
    let import = document(&bytes, &options);
    assert_eq!(import.refused, []);
    Some((String::from_utf8_lossy(&bytes).into_owned(), import))
}

fn tree(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("the plan is YAML")
}

/// A tree without items that are `added: true` and without keys that `added` lists.
fn without_added(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let kept = items
                .into_iter()
                .filter(|item| item["added"] != Value::Bool(true));
            kept.map(without_added).collect()
        }
        Value::Object(keys) => {
            let added: Vec<Value> = keys
                .get("added")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let kept = keys
                .into_iter()
                .filter(|(key, _)| key != "added" && !added.iter().any(|own| own == key.as_str()));
            kept.map(|(key, value)| (key, without_added(value)))
                .collect()
        }
        other => other,
    }
}

/// Every place where two trees differ, with both sides.
fn differ(import: &Value, plan: &Value, at: &str, differences: &mut Vec<String>) {
    match (import, plan) {
        (Value::Object(one), Value::Object(other)) => {
            let further = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(further) {
                differ(
                    &import[key],
                    &plan[key],
                    &format!("{at}.{key}"),
                    differences,
                );
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (number, (one, other)) in one.iter().zip(other).enumerate() {
                differ(one, other, &format!("{at}[{number}]"), differences);
            }
        }
        _ if import == plan => {}
        _ => differences.push(format!(
            "{at}: the import has {import}, the plan has {plan}"
        )),
    }
}

/// The comparison itself can fail: a number, a name or an item that only one side has is found.
#[test]
fn differences_are_found() {
    let check = |from: &str, to: &str, expect: &str| {
        let changed = PLAN.replacen(from, to, 1);
        assert_ne!(changed, PLAN, "{from} is not in the plan");
        let mut differences = Vec::new();
        differ(
            &without_added(tree(PLAN)),
            &without_added(tree(&changed)),
            "plan",
            &mut differences,
        );
        assert_eq!(differences.len(), 1, "{differences:#?}");
        assert!(differences[0].starts_with(expect), "{differences:#?}");
    };
    check("for: 2m", "for: 3m", "plan.rule_groups[0].rules[0].for");
    check("keep: 90d", "keep: 91d", "plan.logs.classes[2].keep");
    check("    added: [meaning]\n", "", "plan.metrics[0].meaning");
    let panel = "            label: HighErrorRate\n";
    check(
        &format!("{panel}        added: true\n"),
        panel,
        "plan.dashboards[0].panels",
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test finds its corpus by the environment"
)]
fn shared_folder() -> PathBuf {
    std::env::var("BELFRY_SHARED").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test reads its corpus from disk"
)]
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// Compares with the file, or writes it where the developer asks for that.
#[expect(
    clippy::disallowed_methods,
    reason = "updating expectations writes the source tree"
)]
fn expect(path: &Path, found: &str) {
    if std::env::var("UPDATE_EXPECT").is_ok() {
        std::fs::write(path, found).expect("the source tree can be written");
    }
    let expected = read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    assert!(
        found == expected,
        "{} differs; found:\n{found}",
        path.display()
    );
}
