//! Kubernetes: the probes of the service's container as a patch of its Deployment, and a ServiceMonitor for the Prometheus
//! operator.

use std::time::Duration;

use model::format_duration;

use super::yaml::{Map, document, documents, plain};
use super::{Export, dns_label};
use crate::{Plan, Probe, ProbeKind, Target};

/// Failures in a row before Kubernetes acts: its own default.
const FAILURES: u32 = 3;
/// How long a container may take to start before it is restarted.
const STARTS_WITHIN: Duration = Duration::from_secs(5 * 60);
/// How often a starting container is asked.
const STARTUP_PERIOD: Duration = Duration::from_secs(5);

pub(super) fn export(plan: &Plan) -> Export {
    let mut export = Export::default();
    probes(plan, &mut export);
    monitors(plan, &mut export);
    export
}

fn probes(plan: &Plan, export: &mut Export) {
    let of_kind = |kind: ProbeKind| plan.probes.iter().filter(move |probe| probe.kind == kind);
    let (liveness, readiness) = (
        of_kind(ProbeKind::Liveness).next(),
        of_kind(ProbeKind::Readiness).next(),
    );
    for kind in [ProbeKind::Liveness, ProbeKind::Readiness] {
        for further in of_kind(kind).skip(1) {
            export.note(format!(
                "a container has one probe of a kind; {} is left out",
                further.name
            ));
        }
    }
    for health in of_kind(ProbeKind::Health) {
        export.note(format!(
            "{} is for the health board; Kubernetes has no use for a detailed answer",
            health.name
        ));
    }
    if liveness.is_none() && readiness.is_none() {
        export.note("the plan has no liveness and no readiness probe");
        return;
    }
    let name = name_of_service(plan, export);
    let mut container = Map::new();
    container
        .comment("The container's name in the Deployment.")
        .put("name", name.as_str());
    if let Some(probe) = liveness.or(readiness) {
        container
            .comment(&format!(
                "Until this succeeds once, neither of the others runs. {} x {} s: it may take {} to start.",
                attempts(STARTS_WITHIN, STARTUP_PERIOD),
                STARTUP_PERIOD.as_secs(),
                format_duration(STARTS_WITHIN)
            ))
            .put("startupProbe", startup(probe));
    }
    if let Some(probe) = liveness {
        container
            .comment(&explain(probe, "the container is restarted"))
            .put("livenessProbe", container_probe(probe));
    }
    if let Some(probe) = readiness {
        container
            .comment(&explain(probe, "the pod gets no more traffic"))
            .put("readinessProbe", container_probe(probe));
    }
    let pod = Map::new().with("containers", vec![container]);
    let template = Map::new().with("spec", pod);
    let spec = Map::new().with("template", template);
    let map = Map::new()
        .with("apiVersion", "apps/v1")
        .with("kind", "Deployment")
        .with("metadata", Map::new().with("name", name.as_str()))
        .with("spec", spec);
    let head = format!(
        "Probes of {}, written by `belfry export kubernetes`: a patch.\n\
         kubectl patch deployment {name} --patch-file deployment-probes.yaml",
        plan.service
    );
    export.file("deployment-probes.yaml", document(&head, map));
    export.note("the ports are those of the plan's addresses; the container's may differ");
}

fn name_of_service(plan: &Plan, export: &mut Export) -> String {
    let name = dns_label(&plan.service);
    if name != plan.service {
        export.note(format!(
            "{} cannot be a name in Kubernetes; {name} is written instead",
            plan.service
        ));
    }
    name
}

fn attempts(within: Duration, period: Duration) -> u64 {
    within.as_secs().div_ceil(period.as_secs().max(1))
}

/// `3 failures, 30 s apart: after some 90 s …`
fn explain(probe: &Probe, what: &str) -> String {
    let period = seconds(probe.interval);
    format!(
        "{FAILURES} failures in a row, {period} s apart: after some {} s {what}.",
        u64::from(FAILURES) * period
    )
}

/// Whole seconds, as Kubernetes takes them; at least one.
fn seconds(length: Duration) -> u64 {
    length.as_millis().div_ceil(1000).max(1) as u64
}

fn startup(probe: &Probe) -> Map {
    Map::new()
        .with("httpGet", http_get(&probe.url))
        .with("periodSeconds", plain(STARTUP_PERIOD.as_secs()))
        .with("timeoutSeconds", plain(seconds(probe.timeout)))
        .with(
            "failureThreshold",
            plain(attempts(STARTS_WITHIN, STARTUP_PERIOD)),
        )
}

fn container_probe(probe: &Probe) -> Map {
    Map::new()
        .with("httpGet", http_get(&probe.url))
        .with("periodSeconds", plain(seconds(probe.interval)))
        .with("timeoutSeconds", plain(seconds(probe.timeout)))
        .with("failureThreshold", plain(FAILURES))
}

fn http_get(url: &str) -> Map {
    let address = Address::of(url);
    Map::new()
        .with("path", address.path)
        .with("port", plain(address.port))
        .with("scheme", address.scheme.to_ascii_uppercase())
}

/// The parts of a plan's address.
struct Address<'u> {
    scheme: &'static str,
    port: String,
    path: &'u str,
}

impl Address<'_> {
    fn of(url: &str) -> Address<'_> {
        let (scheme, rest) = match url.strip_prefix("https://") {
            Some(rest) => ("https", rest),
            None => ("http", url.strip_prefix("http://").unwrap_or(url)),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let path = &rest[end..];
        let authority = crate::values::host_and_port(url);
        let port = authority
            .rsplit_once(':')
            .map_or("80", |(_, port)| port)
            .to_owned();
        Address {
            scheme,
            port,
            path: if path.is_empty() { "/" } else { path },
        }
    }
}

fn monitors(plan: &Plan, export: &mut Export) {
    if plan.targets.is_empty() {
        export.note("the plan scrapes nothing");
        return;
    }
    let monitors: Vec<Map> = plan.targets.iter().map(monitor).collect();
    let head = "ServiceMonitors for the Prometheus operator, written by `belfry export kubernetes`.\n\
         Each finds Services with the label `app.kubernetes.io/name` and a port named `http`.";
    export.file("servicemonitor.yaml", documents(head, monitors));
    if plan.targets.iter().any(|target| target.url.contains('?')) {
        export.note("a query in a target's address becomes part of the path; write it as `params`");
    }
}

fn monitor(target: &Target) -> Map {
    let name = dns_label(&target.job);
    let address = Address::of(&target.url);
    let mut endpoint = Map::new();
    endpoint
        .comment(&format!(
            "The Service's port that leads to {} of the container.",
            address.port
        ))
        .put("port", "http")
        .put("path", address.path)
        .put("scheme", address.scheme)
        .put("interval", plain(format_duration(target.interval)))
        .put("scrapeTimeout", plain(format_duration(target.timeout)))
        .comment("The plan's expressions read this job.");
    let relabel = Map::new()
        .with("targetLabel", "job")
        .with("replacement", target.job.as_str());
    endpoint.put("relabelings", vec![relabel]);
    let labels = Map::new().with("app.kubernetes.io/name", name.as_str());
    let spec = Map::new()
        .with("selector", Map::new().with("matchLabels", labels))
        .with("sampleLimit", plain(target.sample_limit))
        .with("endpoints", vec![endpoint]);
    Map::new()
        .with("apiVersion", "monitoring.coreos.com/v1")
        .with("kind", "ServiceMonitor")
        .with("metadata", Map::new().with("name", name))
        .with("spec", spec)
}
