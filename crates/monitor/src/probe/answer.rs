//! What a health endpoint's answer means: the status code first, then the `health+json` body where there is one.
//!
//! Follows draft-inadarei-api-health-check-06 (an expired draft that many services speak).

use serde::Deserialize;
use serde_json::Value;
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
    /// Whether every check of it is of the machine or the process itself (`"componentType":"system"`), such as its memory: then
    /// it is no dependency unless the plan calls it one.
    pub is_system: bool,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Over all.
    pub verdict: Verdict,
    /// A sentence, possibly empty.
    pub output: String,
    /// Dependencies, by name.
    pub dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct HealthJson {
    #[serde(default)]
    status: Option<Value>,
    #[serde(default)]
    output: Option<Value>,
    #[serde(default)]
    checks: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckJson {
    status: Option<String>,
    #[serde(default)]
    output: Option<String>,
    #[serde(default)]
    observed_value: Option<Value>,
    #[serde(default)]
    observed_unit: Option<String>,
    #[serde(default)]
    component_type: Option<String>,
}

/// Reads an answer. A body that is not `health+json`, or uses words of its own, is judged by its status code alone.
pub(crate) fn read(status: u16, body: &[u8]) -> Answer {
    // 200-399 is success, as Kubernetes reads HTTP probes.
    let by_code = if (200..400).contains(&status) {
        Verdict::Pass
    } else {
        Verdict::Fail
    };
    let said = if by_code == Verdict::Fail {
        format!("answered {status}")
    } else {
        String::new()
    };
    let Ok(health) = serde_json::from_slice::<HealthJson>(body) else {
        return Answer {
            verdict: by_code,
            output: said,
            dependencies: Vec::new(),
        };
    };
    let by_body = health
        .status
        .as_ref()
        .and_then(Value::as_str)
        .and_then(verdict)
        .unwrap_or(Verdict::Pass);
    let output = health
        .output
        .as_ref()
        .and_then(Value::as_str)
        .map_or(said, cut);
    Answer {
        verdict: by_code.max(by_body),
        output,
        dependencies: dependencies(health.checks),
    }
}

/// The dependencies of the `checks` object; entries of another shape are passed over.
fn dependencies(checks: Value) -> Vec<Dependency> {
    let Value::Object(checks) = checks else {
        return Vec::new();
    };
    let mut found: BTreeMap<String, Dependency> = BTreeMap::new();
    for (key, checks) in checks {
        let name = cut(key.split(':').next().unwrap_or(&key));
        if found.len() >= DEPENDENCIES_MAX && !found.contains_key(&name) {
            continue;
        }
        let checks: Vec<CheckJson> = serde_json::from_value(checks).unwrap_or_default();
        for check in checks {
            let verdict = check
                .status
                .as_deref()
                .and_then(verdict)
                .unwrap_or(Verdict::Pass);
            let detail = describe(&key, &check);
            let dependency = found.entry(name.clone()).or_insert_with(|| Dependency {
                name: name.clone(),
                verdict: Verdict::Pass,
                detail: String::new(),
                is_system: true,
            });
            dependency.is_system &= check.component_type.as_deref() == Some("system");
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

/// What a word of the format means; `None` for a word that is not of it.
fn verdict(word: &str) -> Option<Verdict> {
    match word.to_ascii_lowercase().as_str() {
        "pass" | "ok" | "up" => Some(Verdict::Pass),
        "warn" => Some(Verdict::Warn),
        "fail" | "error" | "down" => Some(Verdict::Fail),
        _ => None,
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
        check(200, r#"{"status":"healthy"}"#, "pass \"\"");
        check(
            200,
            r#"{"status":"fail","checks":{"db":{"status":"fail"}}}"#,
            "fail \"\"",
        );
        check(503, r#"{"status":"pass"}"#, "fail \"answered 503\"");
        check(
            200,
            r#"{"status":"pass","checks":{"cache:size":[{"status":"pass","observedValue":5,"observedUnit":"bytes"}],
               "database:connection":[{"status":"fail","output":"gone"}],"database:latency":[{"status":"pass","observedValue":2}]}}"#,
            "pass \"\" cache=pass \"size 5 bytes\" database=fail \"gone; latency 2\"",
        );
    }
}
