//! Deployments that nobody announced: the labels of the plan's build metric change, or an instance comes back with others. What
//! was deployed shortly before is the first question about most incidents.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Labels, METRIC_NAME, Matcher, Timestamp};
use plan::DeploymentTracking;
use telemetry::log::Logger;
use world::{Ticker, World};

use crate::incident::{Deployment, Desk, IncidentStoreError};
use crate::metrics::MetricsBackend;
use crate::setup::CurrentSetup;

/// How often the build metric is looked at: after every other scrape.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How far back a look reads: two scrapes of the slowest usual interval.
const LOOK_BACK: Duration = Duration::from_secs(2 * 60);
/// How far back the last known version of an instance is looked up at a start.
const KNOWN_SINCE: Duration = Duration::from_secs(395 * 24 * 3600);
/// How many deployments are read for that.
const KNOWN_MAX: usize = 10_000;

/// Sees deployments until dropped.
pub(crate) struct DeploymentWatch {
    /// Time.
    pub world: World,
    /// Where the build metric is.
    pub backend: Arc<dyn MetricsBackend>,
    /// Where deployments are written down.
    pub desk: Arc<Desk>,
    /// Which metric it is.
    pub setup: Arc<CurrentSetup>,
    /// Belfry's own log.
    pub log: Logger,
}

impl DeploymentWatch {
    /// Looks until dropped.
    pub(crate) async fn run(self) {
        let mut ticker = Ticker::new(
            self.world.clock.clone(),
            LOOK_EVERY,
            Duration::from_secs(20),
        );
        // What was seen last of each instance, from the store at first, so that a restart sees nothing new.
        let mut known: Option<BTreeMap<String, String>> = None;
        loop {
            let at = Timestamp::from(ticker.tick().await.at);
            let setup = self.setup.get();
            let Some(tracking) = &setup.plan.deployments else {
                continue;
            };
            if known.is_none() {
                known = self.remembered(at).await.ok();
            }
            if let Some(known) = &mut known {
                let metrics = setup.plan.metrics.iter();
                let metric = metrics.into_iter().find(|own| own.name == tracking.metric);
                let service = metric.map_or(&*setup.plan.service, |own| {
                    setup.plan.service_of(&own.service)
                });
                self.look(tracking, service, known, at).await;
            }
        }
    }

    async fn remembered(
        &self,
        now: Timestamp,
    ) -> Result<BTreeMap<String, String>, IncidentStoreError> {
        let deployments = self
            .desk
            .with_store(move |store| store.deployments(now - KNOWN_SINCE, now, KNOWN_MAX))
            .await?;
        // The newest first: the first of an instance is its present one.
        let mut known = BTreeMap::new();
        for deployment in deployments {
            if deployment.by.is_empty() {
                known
                    .entry(deployment.instance)
                    .or_insert(deployment.version);
            }
        }
        Ok(known)
    }

    async fn look(
        &self,
        tracking: &DeploymentTracking,
        service: &str,
        known: &mut BTreeMap<String, String>,
        at: Timestamp,
    ) {
        let matchers = vec![Matcher::equal(METRIC_NAME, &tracking.metric)];
        // A store that fails now is asked again in half a minute.
        let Ok(series) = self.backend.series(matchers, at - LOOK_BACK, at).await else {
            return;
        };
        for (instance, version) in versions(&series, tracking) {
            // Two builds in one look: the scrape between old and new; the next look sees one.
            let [version] = version.as_slice() else {
                continue;
            };
            if known.get(&instance) == Some(version) {
                continue;
            }
            let deployment = Deployment {
                at,
                service: service.to_owned(),
                instance: instance.clone(),
                version: version.clone(),
                by: String::new(),
                note: first_sight(known, &instance).to_owned(),
            };
            let recorded = self
                .desk
                .with_store(move |store| store.put_deployment(&deployment))
                .await;
            if recorded.is_ok() {
                self.log
                    .info("a deployment was seen")
                    .field("target", instance.as_str())
                    .field("version", version.as_str())
                    .emit();
                known.insert(instance, version.clone());
            }
        }
    }
}

/// What an instance that Belfry never saw before shows may have run there for long.
fn first_sight(known: &BTreeMap<String, String>, instance: &str) -> &'static str {
    if known.contains_key(instance) {
        ""
    } else {
        "seen for the first time"
    }
}

/// The versions that each instance shows, as its labels say them.
fn versions(series: &[Labels], tracking: &DeploymentTracking) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for labels in series {
        let words: Vec<&str> = tracking
            .labels
            .iter()
            .filter_map(|name| labels.get(name))
            .collect();
        let instance = labels.get("instance").unwrap_or("").to_owned();
        versions.entry(instance).or_default().push(words.join(" "));
    }
    versions
}
