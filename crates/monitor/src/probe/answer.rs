//! What a health endpoint's answer means: the status code first, then the `health+json` body where there is one.
//!
//! Follows draft-inadarei-api-health-check-06 (an expired draft that many services speak).

use serde::Deserialize;
use std::collections::BTreeMap;

/// The most dependencies that are read from one answer.
const DEPENDENCIES_MAX: usize = 50;
/// The longest text that is kept of an answer, in characters.
const TEXT_LENGTH_MAX: usize = 300;

/// How healthy something is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// All is well.
    Pass,
    /// It works, with concerns.
    Warn,
    /// It does not work.
    Fail,
}

impl Verdict {
    /// The word of the format.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        }
    }
}

/// One dependency that the answer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Its name: the part of the check's key before the colon.
    pub name: String,
    /// How it is; the worst of its checks.
    pub verdict: Verdict,
    /// What the answer says about it.
    pub detail: String,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Over all.
    pub verdict: Verdict,
    /// A sentence, possibly empty.
    pub output: String,
    /// Dependencies, by name.
    pub dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct HealthJson {
    status: Option<String>,
    #[serde(default)]
    output: Option<String>,
    #[serde(default)]
    checks: BTreeMap<String, Vec<CheckJson>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckJson {
    status: Option<String>,
    #[serde(default)]
    output: Option<String>,
    #[serde(default)]
    observed_value: Option<serde_json::Value>,
    #[serde(default)]
    observed_unit: Option<String>,
}

/// Reads an answer. A body that is not `health+json` is judged by its status code alone.
pub(super) fn read(status: u16, body: &[u8]) -> Answer {
    // 200-399 is success, as Kubernetes reads HTTP probes.
    let by_code = if (200..400).contains(&status) {
        Verdict::Pass
    } else {
        Verdict::Fail
    };
    let Ok(health) = serde_json::from_slice::<HealthJson>(body) else {
        let output = if by_code == Verdict::Fail {
            format!("answered {status}")
        } else {
            String::new()
        };
        return Answer {
            verdict: by_code,
            output,
            dependencies: Vec::new(),
        };
    };
    let by_body = health.status.as_deref().map_or(Verdict::Pass, verdict);
    let output = health
        .output
        .map(|text| cut(&text))
        .unwrap_or_else(|| match by_code {
            Verdict::Fail => format!("answered {status}"),
            Verdict::Pass | Verdict::Warn => String::new(),
        });
    Answer {
        verdict: by_code.max(by_body),
        output,
        dependencies: dependencies(health.checks),
    }
}

fn dependencies(checks: BTreeMap<String, Vec<CheckJson>>) -> Vec<Dependency> {
    let mut found: BTreeMap<String, Dependency> = BTreeMap::new();
    for (key, checks) in checks {
        let name = key.split(':').next().unwrap_or(&key).to_owned();
        if found.len() >= DEPENDENCIES_MAX && !found.contains_key(&name) {
            continue;
        }
        for check in checks {
            let verdict = check.status.as_deref().map_or(Verdict::Pass, verdict);
            let detail = describe(&key, &check);
            let dependency = found.entry(name.clone()).or_insert_with(|| Dependency {
                name: name.clone(),
                verdict: Verdict::Pass,
                detail: String::new(),
            });
            dependency.verdict = dependency.verdict.max(verdict);
            if !detail.is_empty() {
                let separator = if dependency.detail.is_empty() {
                    ""
                } else {
                    "; "
                };
                dependency.detail = cut(&format!("{}{separator}{detail}", dependency.detail));
            }
        }
    }
    found.into_values().collect()
}

fn describe(key: &str, check: &CheckJson) -> String {
    if let Some(output) = check.output.as_deref().filter(|output| !output.is_empty()) {
        return output.to_owned();
    }
    let what = key
        .split_once(':')
        .map_or(key, |(_, measurement)| measurement);
    match &check.observed_value {
        Some(value) => {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!(
                "{what} {value} {}",
                check.observed_unit.as_deref().unwrap_or("")
            )
            .trim_end()
            .to_owned()
        }
        None => String::new(),
    }
}

fn verdict(word: &str) -> Verdict {
    match word.to_ascii_lowercase().as_str() {
        "pass" | "ok" | "up" => Verdict::Pass,
        "warn" => Verdict::Warn,
        _ => Verdict::Fail,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_answers() {
        let check = |status: u16, body: &str, expect: &str| {
            let answer = read(status, body.as_bytes());
            let mut text = format!("{} {:?}", answer.verdict.as_str(), answer.output);
            for dependency in answer.dependencies {
                text.push_str(&format!(
                    " {}={} {:?}",
                    dependency.name,
                    dependency.verdict.as_str(),
                    dependency.detail
                ));
            }
            assert_eq!(text, expect, "{status} {body}");
        };
        check(200, "fine", "pass \"\"");
        check(503, "", "fail \"answered 503\"");
        check(302, "", "pass \"\"");
        check(200, r#"{"status":"warn","output":"slow"}"#, "warn \"slow\"");
        check(200, r#"{"status":"fail"}"#, "fail \"\"");
        check(503, r#"{"status":"pass"}"#, "fail \"answered 503\"");
        check(
            200,
            r#"{"status":"pass","checks":{"cache:size":[{"status":"pass","observedValue":5,"observedUnit":"bytes"}],
               "database:connection":[{"status":"fail","output":"gone"}],"database:latency":[{"status":"pass","observedValue":2}]}}"#,
            "pass \"\" cache=pass \"size 5 bytes\" database=fail \"gone; latency 2\"",
        );
    }
}
