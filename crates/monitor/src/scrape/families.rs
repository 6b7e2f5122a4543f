//! What a scrape says about metric families: type, unit and label names, and which ones it no longer has. Kept with bounds
//! and made anew only when something about it changed, because most scrapes are like the one before.

use std::collections::{BTreeMap, HashMap};

use model::exposition::Family;
use model::{Labels, METRIC_NAME, Timestamp};
use plan::coverage::{Exposed, ExposedFamily};

/// The most families of one target that are kept: far more than a program has that people look at.
const FAMILIES_MAX: usize = 10_000;

/// The most families that are remembered after they are gone: a few deployments' worth of renamed metrics.
const GONE_MAX: usize = 1_000;

/// A metric's name with the names of its labels.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub(super) name: Box<str>,
    labels: Box<[Box<str>]>,
}

impl Shape {
    pub(super) fn of(exposed: &Labels) -> Shape {
        let labels = exposed.iter().map(|(label, _)| label);
        Shape {
            name: exposed.metric_name().into(),
            labels: labels
                .filter(|label| *label != METRIC_NAME)
                .map(Into::into)
                .collect(),
        }
    }
}

/// `TYPE` and `UNIT` lines by family.
#[derive(Default)]
pub(super) struct Headers {
    by_family: BTreeMap<String, Header>,
}

#[derive(Default, PartialEq)]
struct Header {
    kind: String,
    unit: String,
}

impl Headers {
    /// Takes what a body says; whether that differs from what the last one said.
    pub(super) fn replace(&mut self, families: &[Family<'_>]) -> bool {
        let same = |family: &Family<'_>| {
            self.by_family
                .get(family.name)
                .is_some_and(|own| own.kind == family.kind && own.unit == family.unit)
        };
        if families.len() == self.by_family.len() && families.iter().all(same) {
            return false;
        }
        self.by_family = families
            .iter()
            .take(FAMILIES_MAX)
            .map(|family| {
                let header = Header {
                    kind: family.kind.to_owned(),
                    unit: family.unit.to_owned(),
                };
                (family.name.to_owned(), header)
            })
            .collect();
        true
    }

    /// The family that samples of a name belong to: their own name, or without the ending that its type gives them.
    fn family_of<'n>(&self, name: &'n str) -> &'n str {
        if self.by_family.contains_key(name) {
            return name;
        }
        let stems = ["_bucket", "_sum", "_count", "_total", "_created", "_info"]
            .into_iter()
            .filter_map(|suffix| Some((name.strip_suffix(suffix)?, suffix)));
        for (stem, suffix) in stems {
            let kind = self.by_family.get(stem).map(|header| header.kind.as_str());
            let fits = match kind {
                Some("histogram" | "gaugehistogram") => {
                    ["_bucket", "_sum", "_count", "_created"].contains(&suffix)
                }
                Some("summary") => ["_sum", "_count", "_created"].contains(&suffix),
                Some("counter") => ["_total", "_created"].contains(&suffix),
                Some("info") => suffix == "_info",
                _ => false,
            };
            if fits {
                return stem;
            }
        }
        name
    }
}

/// The families of a scrape. `counts` says how many series have each shape, `before` what the last whole scrape exposed and
/// when that was.
pub(super) fn exposed(
    headers: &Headers,
    counts: &HashMap<&Shape, usize>,
    before: (&Exposed, Timestamp),
) -> Exposed {
    let mut families: BTreeMap<String, ExposedFamily> = headers
        .by_family
        .iter()
        .map(|(name, header)| {
            let family = ExposedFamily {
                kind: header.kind.clone(),
                unit: header.unit.clone(),
                ..ExposedFamily::default()
            };
            (name.clone(), family)
        })
        .collect();
    for (shape, series) in counts {
        let name = headers.family_of(&shape.name);
        if !families.contains_key(name) {
            families.insert(name.to_owned(), ExposedFamily::default());
        }
        if let Some(family) = families.get_mut(name) {
            family.series += series;
            family
                .labels
                .extend(shape.labels.iter().map(|label| label.to_string()));
        }
    }
    let left_out = families.len().saturating_sub(FAMILIES_MAX);
    while families.len() > FAMILIES_MAX {
        families.pop_last();
    }
    let (before, last_whole) = before;
    let mut gone = before.gone.clone();
    let lost = |name: &&String| !families.contains_key(*name);
    let lost = before.families.keys().filter(lost);
    gone.extend(lost.map(|name| (name.clone(), last_whole)));
    gone.retain(|name, _| !families.contains_key(name));
    while gone.len() > GONE_MAX {
        let oldest = gone.iter().min_by_key(|(_, at)| **at);
        let Some(name) = oldest.map(|(name, _)| name.clone()) else {
            break;
        };
        gone.remove(&name);
    }
    Exposed {
        families,
        left_out,
        gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::exposition::{ExpositionFormat, parse, parse_series};

    fn families_of(body: &str, format: ExpositionFormat, before: (&Exposed, Timestamp)) -> Exposed {
        let exposition = parse(body, format).unwrap();
        let mut headers = Headers::default();
        headers.replace(&exposition.families);
        let shapes: Vec<Shape> = exposition
            .samples
            .iter()
            .map(|sample| Shape::of(&parse_series(sample.series).unwrap()))
            .collect();
        let mut counts = HashMap::new();
        for shape in &shapes {
            *counts.entry(shape).or_default() += 1;
        }
        exposed(&headers, &counts, before)
    }

    fn text(exposed: &Exposed) -> String {
        let family = |(name, family): (&String, &ExposedFamily)| {
            let labels: Vec<&str> = family.labels.iter().map(String::as_str).collect();
            let (kind, unit, series) = (&family.kind, &family.unit, family.series);
            format!("{name} [{kind}] [{unit}] {series} {}\n", labels.join(","))
        };
        exposed.families.iter().map(family).collect()
    }

    #[test]
    fn samples_belong_to_families() {
        let check = |format, body: &str, expect: &str| {
            let found = families_of(body, format, (&Exposed::default(), Timestamp::default()));
            assert_eq!(text(&found), expect, "{body}");
        };
        let plain = ExpositionFormat::Text;
        check(plain, "stock 5\n", "stock [] [] 1 \n");
        check(
            plain,
            "# TYPE wait histogram\nwait_bucket{shop=\"a\",le=\"1\"} 1\nwait_sum{shop=\"a\"} 1\nwait_count{shop=\"a\"} 1\n",
            "wait [histogram] [] 3 le,shop\n",
        );
        // Without a TYPE line nobody can tell.
        check(
            plain,
            "wait_bucket{le=\"1\"} 1\n",
            "wait_bucket [] [] 1 le\n",
        );
        check(
            plain,
            "# TYPE orders_total counter\n",
            "orders_total [counter] [] 0 \n",
        );
        check(
            ExpositionFormat::OpenMetrics,
            "# TYPE orders counter\n# UNIT orders boxes\norders_total{kind=\"x\"} 1\n# EOF\n",
            "orders [counter] [boxes] 1 kind\n",
        );
        // A gauge's own name may end like a counter's samples.
        check(
            plain,
            "# TYPE active gauge\nactive 1\nactive_total 2\n",
            "active [gauge] [] 1 \nactive_total [] [] 1 \n",
        );
    }

    #[test]
    fn what_is_gone_is_remembered_until_it_is_back() {
        let plain = ExpositionFormat::Text;
        let at = Timestamp::from_millis(5);
        let none = Exposed::default();
        let first = families_of("a 1\nb 1\n", plain, (&none, Timestamp::default()));
        let second = families_of("b 1\n", plain, (&first, at));
        assert_eq!(second.gone, BTreeMap::from([("a".to_owned(), at)]));
        let later = Timestamp::from_millis(9);
        let third = families_of("c 1\n", plain, (&second, later));
        let gone = [("a".to_owned(), at), ("b".to_owned(), later)];
        assert_eq!(third.gone, BTreeMap::from(gone));
        let back = families_of("a 1\nb 1\n", plain, (&third, later));
        assert_eq!(back.gone, BTreeMap::from([("c".to_owned(), later)]));
    }
}
