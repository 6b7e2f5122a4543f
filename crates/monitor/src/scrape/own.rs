//! Belfry's own metrics become samples like everybody else's, without a socket in between: rules and dashboards can look
//! at the monitor itself, also when its HTTP side is in trouble.

use std::sync::Arc;
use std::time::Duration;

use model::exposition::{ExpositionFormat, parse, parse_series};
use model::{Labels, LabelsBuilder, Timestamp};
use telemetry::Format;
use world::{Ticker, World};

use super::spread;
use crate::metrics::Recorder;
use crate::self_metrics::SelfMetrics;

/// The `job` of Belfry's own series. Plans may not use it for a target.
const OWN_JOB: &str = "belfry";
/// How often: the plan's interval for metrics collection.
const INTERVAL: Duration = Duration::from_secs(15);

/// Records Belfry's own metrics until dropped.
pub(crate) async fn run_own(
    world: World,
    instance: String,
    metrics: Arc<SelfMetrics>,
    recorder: Arc<Recorder>,
) {
    let mut ticker = Ticker::new(world.clock.clone(), INTERVAL, spread(OWN_JOB, INTERVAL));
    loop {
        let at = Timestamp::from(ticker.tick().await.at);
        let body = metrics.registry.render(Format::Text004);
        if recorder
            .record(at, samples(&body, &instance))
            .await
            .is_err()
        {
            metrics.own_samples_lost.inc();
        }
    }
}

fn samples(body: &str, instance: &str) -> Vec<(Labels, f64)> {
    // Written by our own crate a moment ago; a test holds the two to each other.
    let exposition = parse(body, ExpositionFormat::Text).unwrap_or_default();
    let labelled = exposition.samples.iter().filter_map(|sample| {
        let exposed = parse_series(sample.series).ok()?;
        let mut labels = LabelsBuilder::from(&exposed);
        labels.set("job", OWN_JOB).set("instance", instance);
        Some((labels.build(), sample.value))
    });
    labelled.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_our_own_exposition_is_read() {
        let metrics = SelfMetrics::new();
        metrics.scrape_failed("timeout");
        let body = metrics.registry.render(Format::Text004);
        let lines = body.lines().filter(|line| !line.starts_with('#')).count();
        let samples = samples(&body, "here");
        assert_eq!(samples.len(), lines);
        let failed =
            r#"belfry_scrape_failures_total{instance="here", job="belfry", reason="timeout"}"#;
        assert!(
            samples
                .iter()
                .any(|(labels, value)| labels.to_string() == failed && *value == 1.0)
        );
    }
}
