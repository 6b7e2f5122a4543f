//! What a service exposes, seen once: families with their types, the labels that split them and the values that those take.

use std::collections::{BTreeMap, BTreeSet};

use model::METRIC_NAME;
use model::exposition::{Exposition, parse_series};
use plan::MetricType;

/// The most values that are remembered of one label: enough to know what kind of values they are.
const LABEL_VALUES_MAX: usize = 20;

/// Labels that belong to a type and do not split a metric.
const TYPE_LABELS: [&str; 2] = ["le", "quantile"];

/// One metric family.
#[derive(Clone, Debug)]
pub struct SurveyedFamily {
    /// Its type; `None` where the service does not say, or says one that plans do not have.
    pub metric_type: Option<MetricType>,
    /// What it means, in the service's words.
    pub help: String,
    /// Its labels and some of their values.
    pub labels: BTreeMap<String, BTreeSet<String>>,
    /// The smallest and the largest value of its samples.
    pub values: (f64, f64),
}

/// Everything that a service exposes, by the names that queries use (a histogram without `_bucket`).
#[derive(Clone, Debug, Default)]
pub struct Survey {
    families: BTreeMap<String, SurveyedFamily>,
}

impl Survey {
    /// Looks through a body. Series that cannot be read are left out: the scrape itself will complain about them.
    pub fn of(exposition: &Exposition<'_>) -> Survey {
        let mut survey = Survey::default();
        let kinds: BTreeMap<&str, (&str, &str)> = exposition
            .families
            .iter()
            .map(|family| (family.name, (family.kind, family.help)))
            .collect();
        for sample in &exposition.samples {
            let Ok(labels) = parse_series(sample.series) else {
                continue;
            };
            let name = labels.get(METRIC_NAME).unwrap_or("");
            let (base, metric_type, help) = family_of(name, &kinds);
            let family = survey
                .families
                .entry(base.to_owned())
                .or_insert_with(|| SurveyedFamily {
                    metric_type,
                    help: help.to_owned(),
                    labels: BTreeMap::new(),
                    values: (sample.value, sample.value),
                });
            let (smallest, largest) = family.values;
            family.values = (smallest.min(sample.value), largest.max(sample.value));
            for (label, value) in labels.iter() {
                if label == METRIC_NAME || TYPE_LABELS.contains(&label) {
                    continue;
                }
                let values = family.labels.entry(label.to_owned()).or_default();
                if values.len() < LABEL_VALUES_MAX {
                    values.insert(value.to_owned());
                }
            }
        }
        survey
    }

    /// A family by its name, or by the name of one of its series (`…_bucket`, `…_sum`, `…_count`).
    pub fn family(&self, name: &str) -> Option<(&str, &SurveyedFamily)> {
        let parts = ["_bucket", "_sum", "_count"];
        let bases = parts.iter().filter_map(|part| name.strip_suffix(part));
        let found = self.families.get_key_value(name).or_else(|| {
            bases
                .filter_map(|base| self.families.get_key_value(base))
                .find(|(_, family)| {
                    matches!(
                        family.metric_type,
                        Some(MetricType::Histogram | MetricType::Summary)
                    )
                })
        });
        found.map(|(name, family)| (name.as_str(), family))
    }

    /// Whether a family is there under this name.
    pub fn has(&self, name: &str) -> bool {
        self.family(name).is_some()
    }

    /// Families of one type, by name.
    pub fn of_type(&self, wanted: MetricType) -> impl Iterator<Item = (&str, &SurveyedFamily)> {
        let families = self.families.iter();
        families
            .filter(move |(_, family)| family.metric_type == Some(wanted))
            .map(|(name, family)| (name.as_str(), family))
    }

    /// How many families there are.
    pub fn len(&self) -> usize {
        self.families.len()
    }

    /// Whether the service exposes nothing.
    pub fn is_empty(&self) -> bool {
        self.families.is_empty()
    }
}

/// The family that a sample's name belongs to, its type and its help.
fn family_of<'a>(
    name: &'a str,
    kinds: &BTreeMap<&str, (&'a str, &'a str)>,
) -> (&'a str, Option<MetricType>, &'a str) {
    for part in ["_bucket", "_sum", "_count"] {
        let Some(base) = name.strip_suffix(part) else {
            continue;
        };
        match kinds.get(base) {
            Some((kind @ ("histogram" | "summary"), help)) => return (base, type_of(kind), help),
            _ => continue,
        }
    }
    // OpenMetrics names a counter's family without the suffix of its samples.
    let family = kinds
        .get(name)
        .or_else(|| kinds.get(name.strip_suffix("_total")?));
    let (kind, help) = family.copied().unwrap_or_default();
    (name, type_of(kind), help)
}

fn type_of(word: &str) -> Option<MetricType> {
    let types = [
        MetricType::Counter,
        MetricType::Gauge,
        MetricType::Histogram,
        MetricType::Summary,
    ];
    types.into_iter().find(|own| own.as_str() == word)
}

#[cfg(test)]
mod tests {
    use model::exposition::{ExpositionFormat, parse};

    use super::*;

    fn survey(body: &str) -> Survey {
        Survey::of(&parse(body, ExpositionFormat::Text).expect("a body that can be read"))
    }

    #[test]
    fn a_histogram_is_one_family() {
        let found = survey(
            "# HELP work_seconds Time.\n# TYPE work_seconds histogram\n\
             work_seconds_bucket{step=\"a\",le=\"1\"} 2\nwork_seconds_bucket{step=\"a\",le=\"+Inf\"} 3\n\
             work_seconds_sum{step=\"a\"} 4\nwork_seconds_count{step=\"a\"} 3\n",
        );
        assert_eq!(found.len(), 1);
        let (name, family) = found.family("work_seconds_bucket").expect("it is there");
        assert_eq!(name, "work_seconds");
        assert_eq!(family.help, "Time.");
        assert_eq!(family.metric_type, Some(MetricType::Histogram));
        assert_eq!(
            family.labels.keys().collect::<Vec<_>>(),
            ["step"],
            "`le` splits nothing"
        );
    }

    #[test]
    fn a_counter_that_ends_like_a_part_stays_itself() {
        let found = survey("# TYPE item_count counter\nitem_count 5\nloose 1\n");
        assert!(found.has("item_count") && !found.has("item"));
        let (_, loose) = found.family("loose").expect("it is there");
        assert_eq!(loose.metric_type, None);
    }
}
