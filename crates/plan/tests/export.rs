//! Exports as whole files: `testdata/export/FORMAT/…`, and the notes beside them in `notes.txt`.
//! `UPDATE_EXPECT=1 cargo nextest run -p plan --test export` writes them; read the difference, then.

use std::path::{Path, PathBuf};

use plan::{Contacts, Export, ExportFormat, Plan};

const PLAN: &str = include_str!("../testdata/export/plan.yaml");
const CONTACTS: &str = include_str!("../testdata/export/contacts.yaml");

fn read_both(plan: &str, contacts: &str) -> (Plan, Contacts) {
    let (plan, found) = plan::parse("plan.yaml", plan);
    assert_eq!(found, []);
    let (contacts, found) = plan::parse_contacts("contacts.yaml", contacts);
    assert_eq!(found, []);
    (plan.expect("a plan"), contacts.expect("contacts"))
}

#[test]
fn every_format_as_it_was() {
    let (plan, contacts) = read_both(PLAN, CONTACTS);
    for format in ExportFormat::ALL {
        let Export { files, notes } = plan::export(format, &plan, &contacts);
        let folder = folder().join(format.as_str());
        for file in &files {
            check(&folder.join(&file.name), &file.text);
        }
        let lines = notes.iter().map(|note| format!("{note}\n"));
        check(&folder.join("notes.txt"), &lines.collect::<String>());
    }
}

/// What is written is YAML (or JSON) that reads back.
#[test]
fn every_file_can_be_read() {
    let (plan, contacts) = read_both(PLAN, CONTACTS);
    for format in ExportFormat::ALL {
        for file in plan::export(format, &plan, &contacts).files {
            for document in documents(&file.name, &file.text) {
                assert!(document.is_object(), "{}: {document}", file.name);
            }
        }
    }
}

/// Fields that the tools demand, by format and kind: each document has them.
#[test]
fn every_document_has_what_its_tool_demands() {
    let (plan, contacts) = read_both(PLAN, CONTACTS);
    let check = |format: ExportFormat, pointers: &[(&str, &[&str])]| {
        for file in plan::export(format, &plan, &contacts).files {
            for document in documents(&file.name, &file.text) {
                let kind = document["kind"].as_str().unwrap_or(file.name.as_str());
                let wanted = pointers.iter().find(|(own, _)| kind.ends_with(own));
                let (_, wanted) = wanted.unwrap_or_else(|| panic!("{format:?}: {kind} is new"));
                for pointer in *wanted {
                    assert!(
                        document.pointer(pointer).is_some(),
                        "{kind} lacks {pointer}"
                    );
                }
            }
        }
    };
    let dashboard = [
        "/__inputs/0/pluginId",
        "/schemaVersion",
        "/uid",
        "/panels/0/gridPos/w",
        "/panels/0/datasource/uid",
        "/panels/0/targets/0/expr",
        "/panels/0/fieldConfig/defaults/unit",
    ];
    check(ExportFormat::Grafana, &[(".json", &dashboard)]);
    let retention = [
        "/limits_config/retention_period",
        "/limits_config/retention_stream/4/selector",
        "/compactor/retention_enabled",
        "/compactor/delete_request_store",
    ];
    check(ExportFormat::Loki, &[("loki-retention.yaml", &retention)]);
    let container = "/spec/template/spec/containers/0";
    let deployment = [
        "/name",
        "/livenessProbe/httpGet/port",
        "/readinessProbe/httpGet/path",
        "/startupProbe/failureThreshold",
    ]
    .map(|part| format!("{container}{part}"));
    let deployment = deployment.each_ref().map(String::as_str);
    let monitor = [
        "/apiVersion",
        "/metadata/name",
        "/spec/selector/matchLabels",
        "/spec/endpoints/0/port",
    ];
    check(
        ExportFormat::Kubernetes,
        &[("Deployment", &deployment), ("ServiceMonitor", &monitor)],
    );
    let metric = "/spec/ratioMetric/total/metricSource/spec/query";
    check(
        ExportFormat::OpenSlo,
        &[
            ("Service", &["/metadata/name"]),
            ("SLI", &["/metadata/name", metric]),
            (
                "SLO",
                &[
                    "/spec/service",
                    "/spec/indicatorRef",
                    "/spec/timeWindow/0/duration",
                    "/spec/budgetingMethod",
                    "/spec/objectives/0/target",
                ],
            ),
            (
                "AlertCondition",
                &[
                    "/spec/severity",
                    "/spec/condition/lookbackWindow",
                    "/spec/condition/threshold",
                ],
            ),
            (
                "AlertPolicy",
                &[
                    "/spec/conditions/0/conditionRef",
                    "/spec/notificationTargets/0/targetRef",
                ],
            ),
            ("AlertNotificationTarget", &["/spec/target"]),
        ],
    );
    check(
        ExportFormat::Blackbox,
        &[
            (
                "blackbox.yml",
                &[
                    "/modules/http_ready/prober",
                    "/modules/http_ready/http/valid_status_codes/0",
                ],
            ),
            (
                "prometheus-scrapes.yml",
                &[
                    "/scrape_configs/0/params/module/0",
                    "/scrape_configs/0/relabel_configs/2/replacement",
                ],
            ),
        ],
    );
}

fn documents(name: &str, text: &str) -> Vec<serde_json::Value> {
    if name.ends_with(".json") {
        return vec![serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))];
    }
    let parts = text.split("---\n").filter(|part| {
        let says_something = |line: &str| !line.is_empty() && !line.starts_with('#');
        part.lines().any(says_something)
    });
    parts
        .map(|part| {
            serde_saphyr::from_str(part).unwrap_or_else(|error| panic!("{name}: {error}\n{part}"))
        })
        .collect()
}

/// A plan that holds nothing gives notes and no panic.
#[test]
fn an_empty_plan() {
    let (plan, contacts) = read_both("format: 1\nservice: shop\n", "format: 1\n");
    for format in ExportFormat::ALL {
        let export = plan::export(format, &plan, &contacts);
        assert!(!export.notes.is_empty(), "{format:?}");
    }
}

/// No secret can be written, since only its place is known; the place must be there.
#[test]
fn secrets_are_places() {
    let (plan, contacts) = read_both(PLAN, CONTACTS);
    let export = plan::export(ExportFormat::Alertmanager, &plan, &contacts);
    let text = &export.files[0].text;
    for place in [
        "smtp_auth_password_file: /etc/alertmanager/secrets/mail_password",
        "credentials_file: /etc/alertmanager/secrets/shop_token",
    ] {
        assert!(text.contains(place), "{place}\n{text}");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/export")
}

#[expect(
    clippy::disallowed_methods,
    reason = "expectations are files of the source tree"
)]
fn check(path: &Path, text: &str) {
    if std::env::var("UPDATE_EXPECT").is_ok() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("can be made");
        std::fs::write(path, text).expect("the source tree can be written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}
