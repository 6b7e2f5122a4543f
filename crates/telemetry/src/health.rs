//! Answers of health endpoints, as `application/health+json`.
//!
//! Follows draft-inadarei-api-health-check-06 (expired as a draft, but what readers know). A required component that
//! fails makes the whole fail; an optional one makes it warn, which is still an answer of 200: taking a service out of
//! traffic because of something that it can do without would turn a nuisance into an outage.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::log::{Level, rfc3339_micros};

/// The media type of these answers.
pub const CONTENT_TYPE: &str = "application/health+json";

/// How well something is. Ordered: `Pass < Warn < Fail`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Well.
    Pass,
    /// Works, with something to look at.
    Warn,
    /// Does not work.
    Fail,
}

impl Status {
    /// The word in the answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
        }
    }

    /// The HTTP status of an answer with this status.
    pub fn http_status(self) -> u16 {
        match self {
            Status::Pass | Status::Warn => 200,
            Status::Fail => 503,
        }
    }

    /// The level to log a change to this status at.
    pub fn level(self) -> Level {
        match self {
            Status::Pass => Level::Info,
            Status::Warn => Level::Warn,
            Status::Fail => Level::Error,
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Check {
    name: String,
    status: Status,
    body: Map<String, Value>,
}

impl Check {
    /// A check of a required component; `name` is `component:measurement`, for example `database:responseTime`.
    pub fn required(name: &str, status: Status) -> Check {
        Check {
            name: name.to_owned(),
            status,
            body: Map::new(),
        }
    }

    /// A check of a component that the service can do without: a failure counts as a warning.
    pub fn optional(name: &str, status: Status) -> Check {
        Check::required(name, status.min(Status::Warn))
    }

    /// What kind of component: `datastore`, `component` or `system`.
    pub fn component_type(self, kind: &str) -> Check {
        self.with("componentType", kind.into())
    }

    /// What was measured, and in which unit. NaN and the infinities are left out: JSON has no word for them.
    pub fn observed(self, value: f64, unit: &str) -> Check {
        match serde_json::Number::from_f64(value) {
            // Whole numbers are shown without a fraction: counts read better so.
            Some(_) if value.fract() == 0.0 && value.abs() < 9e15 => self
                .with("observedValue", (value as i64).into())
                .with("observedUnit", unit.into()),
            Some(number) => self
                .with("observedValue", Value::Number(number))
                .with("observedUnit", unit.into()),
            None => self.with("observedUnit", unit.into()),
        }
    }

    /// When it was looked at.
    pub fn time(self, at: SystemTime) -> Check {
        self.with("time", rfc3339_micros(at).into())
    }

    /// What is wrong, for people. Left out of checks that pass, as the draft asks.
    pub fn output(self, text: &str) -> Check {
        if self.status == Status::Pass {
            return self;
        }
        self.with("output", text.into())
    }

    /// How well the component is.
    pub fn status(&self) -> Status {
        self.status
    }

    fn with(mut self, name: &str, value: Value) -> Check {
        self.body.insert(name.to_owned(), value);
        self
    }
}

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Health {
    about: Map<String, Value>,
    checks: BTreeMap<String, Vec<Check>>,
    notes: Vec<String>,
    output: Option<String>,
    worst: Option<Status>,
}

impl Health {
    /// An answer of a service of this name and version.
    pub fn new(service_id: &str, release_id: &str) -> Health {
        let mut about = Map::new();
        // The draft's `version` is that of the public interface, `releaseId` that of the program.
        about.insert("version".to_owned(), "1".into());
        about.insert("releaseId".to_owned(), release_id.into());
        about.insert("serviceId".to_owned(), service_id.into());
        Health {
            about,
            ..Health::default()
        }
    }

    /// What the service is, in words.
    pub fn description(mut self, text: &str) -> Health {
        self.about.insert("description".to_owned(), text.into());
        self
    }

    /// Adds a check; several of one name are listed together.
    pub fn check(mut self, check: Check) -> Health {
        self.worst = self.worst.max(Some(check.status));
        self.checks
            .entry(check.name.clone())
            .or_default()
            .push(check);
        self
    }

    /// Makes the answer at least this bad, with a reason that no check covers: starting, draining.
    pub fn because(mut self, status: Status, output: &str) -> Health {
        self.worst = self.worst.max(Some(status));
        self.output = Some(output.to_owned());
        self
    }

    /// Adds a remark.
    pub fn note(mut self, text: &str) -> Health {
        self.notes.push(text.to_owned());
        self
    }

    /// The worst status of all; pass without any check.
    pub fn status(&self) -> Status {
        self.worst.unwrap_or(Status::Pass)
    }

    /// The HTTP status of the answer.
    pub fn http_status(&self) -> u16 {
        self.status().http_status()
    }

    /// The body of the answer.
    pub fn to_json(&self) -> String {
        let mut body = self.about.clone();
        body.insert("status".to_owned(), self.status().as_str().into());
        if !self.notes.is_empty() {
            body.insert("notes".to_owned(), json!(self.notes));
        }
        if let Some(output) = &self.output {
            body.insert("output".to_owned(), json!(output));
        }
        if !self.checks.is_empty() {
            let checks: Map<String, Value> = self
                .checks
                .iter()
                .map(|(name, checks)| (name.clone(), checks.iter().map(check_json).collect()))
                .collect();
            body.insert("checks".to_owned(), Value::Object(checks));
        }
        Value::Object(body).to_string()
    }
}

fn check_json(check: &Check) -> Value {
    let mut body = check.body.clone();
    body.insert("status".to_owned(), check.status.as_str().into());
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_required_check_decides() {
        let check = |checks: &[Check], expect: (Status, u16)| {
            let health = checks
                .iter()
                .cloned()
                .fold(Health::new("shop", "1.0"), Health::check);
            assert_eq!(
                (health.status(), health.http_status()),
                expect,
                "{checks:?}"
            );
        };
        let required = |status| Check::required("database:responseTime", status);
        let optional = |status| Check::optional("mail:responseTime", status);
        check(&[], (Status::Pass, 200));
        check(
            &[required(Status::Pass), optional(Status::Pass)],
            (Status::Pass, 200),
        );
        check(
            &[required(Status::Pass), optional(Status::Fail)],
            (Status::Warn, 200),
        );
        check(
            &[required(Status::Fail), optional(Status::Pass)],
            (Status::Fail, 503),
        );
    }

    #[test]
    fn the_answer_as_text() {
        let health = Health::new("shop", "1.0")
            .check(
                Check::required("database:responseTime", Status::Pass)
                    .component_type("datastore")
                    .observed(1.5, "ms")
                    .time(SystemTime::UNIX_EPOCH)
                    .output("left out: the check passes"),
            )
            .check(Check::required("cache:hitRate", Status::Pass).observed(f64::NAN, "ratio"))
            .because(Status::Fail, "draining");
        assert_eq!(
            health.to_json(),
            concat!(
                r#"{"checks":{"cache:hitRate":[{"observedUnit":"ratio","status":"pass"}],"#,
                r#""database:responseTime":[{"componentType":"datastore","observedUnit":"ms","observedValue":1.5,"#,
                r#""status":"pass","time":"1970-01-01T00:00:00.000000Z"}]},"output":"draining","#,
                r#""releaseId":"1.0","serviceId":"shop","status":"fail","version":"1"}"#
            )
        );
    }
}
