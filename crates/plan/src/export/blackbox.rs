//! Modules of the blackbox exporter, and the scrapes that ask it, so that `probe_success` has the labels that rules read.

use std::time::Duration;

use model::format_duration;

use super::Export;
use super::yaml::{Map, document, plain};
use crate::{Plan, Probe};

/// Where the example expects the exporter.
const EXPORTER: &str = "127.0.0.1:9115";

/// The status codes from 200 to 399 that there are.
const SUCCESS: &str =
    "[200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308]";

/// The exporter gives up half a second before the scrape does.
const SCRAPE_SLACK: Duration = Duration::from_secs(1);

pub(super) fn export(plan: &Plan) -> Export {
    let mut export = Export::default();
    if plan.probes.is_empty() {
        export.note("the plan has no probes");
        return export;
    }
    let mut modules = Map::new();
    for probe in &plan.probes {
        modules.put(module_name(probe), module(probe));
    }
    let head = "Modules of the blackbox exporter, written by `belfry export blackbox`.";
    export.file(
        "blackbox.yml",
        document(head, Map::new().with("modules", modules)),
    );
    let jobs: Vec<Map> = plan.probes.iter().map(scrape).collect();
    let head = format!(
        "Scrapes for Prometheus that ask the exporter at {EXPORTER}, written by `belfry export blackbox`.\n\
         Add them to `scrape_configs` of prometheus.yml."
    );
    let scrapes = Map::new().with("scrape_configs", jobs);
    export.file("prometheus-scrapes.yml", document(&head, scrapes));
    for probe in &plan.probes {
        if !probe.dependencies.is_empty() {
            export.note(format!(
                "{} tells about {}; the exporter cannot read that out of the answer, so there is no `probe_dependency_up`",
                probe.name,
                super::listed(&probe.dependencies)
            ));
        }
    }
    export.note(
        "a probe fails on a status outside 200-399 or on silence; what a `health+json` answer says besides is not read",
    );
    export.note("`instance` and `job` come to `probe_success` beside `probe` and `kind`");
    export
}

fn module_name(probe: &Probe) -> String {
    format!("http_{}", probe.name)
}

fn module(probe: &Probe) -> Map {
    let mut http = Map::new();
    http.put("method", "GET")
        .comment("As Belfry and Kubernetes read an answer: a redirect is one, and is not followed.")
        .put("follow_redirects", plain(false))
        .put("valid_status_codes", plain(SUCCESS))
        .put("preferred_ip_protocol", "ip4");
    if probe.url.starts_with("https://") {
        http.put("fail_if_not_ssl", plain(true));
    }
    Map::new()
        .with("prober", "http")
        .with(
            "timeout",
            plain(format!("{}s", probe.timeout.as_secs_f64())),
        )
        .with("http", http)
}

fn scrape(probe: &Probe) -> Map {
    let timeout = (probe.timeout + SCRAPE_SLACK).min(probe.interval);
    let labels = Map::new()
        .with("probe", probe.name.as_str())
        .with("kind", probe.kind.as_str());
    let targets = Map::new()
        .with("targets", vec![probe.url.as_str()])
        .with("labels", labels);
    let relabel = |from: Option<&str>, to: &str, value: Option<&str>| {
        let mut map = Map::new();
        if let Some(from) = from {
            map.put("source_labels", vec![from]);
        }
        map.put("target_label", to);
        if let Some(value) = value {
            map.put("replacement", value);
        }
        map
    };
    let relabels = vec![
        relabel(Some("__address__"), "__param_target", None),
        relabel(Some("__param_target"), "instance", None),
        relabel(None, "__address__", Some(EXPORTER)),
    ];
    Map::new()
        .with("job_name", format!("probe-{}", probe.name))
        .with("metrics_path", "/probe")
        .with(
            "params",
            Map::new().with("module", vec![module_name(probe)]),
        )
        .with("scrape_interval", plain(format_duration(probe.interval)))
        .with("scrape_timeout", plain(format_duration(timeout)))
        .with("static_configs", vec![targets])
        .with("relabel_configs", relabels)
}
