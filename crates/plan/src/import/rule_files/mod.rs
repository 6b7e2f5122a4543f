//! Rule files of Prometheus as a plan, with an account of how faithfully each rule was carried.
//!
//! A rule file holds less than a plan (nobody is told, nothing is promised) and some things that a plan does not have: recorded
//! series, labels and texts made by templates, any severity. What is carried with a change says which; what cannot be carried
//! exactly in its meaning is left out with its reason.

mod annotations;
mod convert;
mod expand;
mod read;

use std::fmt;

use super::account::{Remark, Weight, counted};
use super::outline::Map;
use super::{Options, accepted};
use crate::Diagnostic;

/// How a rule was carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it is written.
    Exactly,
    /// With these changes.
    Changed(Vec<String>),
    /// Not as a rule of its own, for this reason.
    NotCarried(String),
}

impl Verdict {
    /// The word of the JSON report.
    pub fn as_str(&self) -> &'static str {
        match self {
            Verdict::Exactly => "exactly",
            Verdict::Changed(_) => "changed",
            Verdict::NotCarried(_) => "not carried",
        }
    }
}

/// One rule of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleAccount {
    /// The file, as the caller named it.
    pub file: String,
    /// Where it begins.
    pub line: usize,
    /// Its group.
    pub group: String,
    /// The alert's or the recorded series' name.
    pub name: String,
    /// Whether it records a series.
    pub records: bool,
    /// How it was carried.
    pub verdict: Verdict,
}

/// How faithfully rule files were carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fidelity {
    /// Every rule once, in the order of the files.
    pub rules: Vec<RuleAccount>,
    /// Choices and doubts.
    pub remarks: Vec<Remark>,
}

/// A plan made from rule files.
#[derive(Clone, Debug)]
pub struct RulesImport {
    /// The plan's text.
    pub yaml: String,
    /// How faithfully it holds what the files said.
    pub fidelity: Fidelity,
    /// Errors that the plan's text still has: about names that the caller gave. Empty for any files.
    pub refused: Vec<Diagnostic>,
}

/// Rule files as a plan. Each file is its name and its bytes.
pub fn rule_files(files: &[(String, Vec<u8>)], options: &Options) -> RulesImport {
    let mut fidelity = Fidelity::default();
    let mut groups = Vec::new();
    for (name, bytes) in files {
        let text = String::from_utf8_lossy(bytes);
        match read::groups(name, &text) {
            Ok(read) => groups.extend(read),
            Err(reason) => fidelity.warn(format!("nothing of {name} is carried: {reason}")),
        }
    }
    let mut outline = convert::plan(&groups, options, &mut fidelity);
    let (yaml, refused) = settle(&mut outline, &mut fidelity);
    RulesImport {
        yaml,
        fidelity,
        refused,
    }
}

/// The plan's text, without what the plan's own reader refuses; rules that go are no longer carried.
fn settle(outline: &mut Map, fidelity: &mut Fidelity) -> (String, Vec<Diagnostic>) {
    accepted(outline, |rules, reason| {
        for rule in rules {
            if let Some(account) = fidelity.rules.get_mut(*rule) {
                account.verdict = Verdict::NotCarried(reason.to_owned());
            }
        }
        if rules.is_empty() {
            fidelity.warn(format!("a part of the plan was taken out: {reason}"));
        }
    })
}

impl Fidelity {
    /// How many rules are carried exactly, with changes, and not.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count =
            |of: fn(&Verdict) -> bool| self.rules.iter().filter(|rule| of(&rule.verdict)).count();
        (
            count(|verdict| *verdict == Verdict::Exactly),
            count(|verdict| matches!(verdict, Verdict::Changed(_))),
            count(|verdict| matches!(verdict, Verdict::NotCarried(_))),
        )
    }

    /// How many remarks are warnings.
    pub fn warnings(&self) -> usize {
        let warnings = self.remarks.iter();
        warnings
            .filter(|remark| remark.weight == Weight::Warning)
            .count()
    }

    /// Whether every alert was carried and nothing needs a look.
    pub fn is_clean(&self) -> bool {
        let alert_lost =
            |rule: &RuleAccount| !rule.records && matches!(rule.verdict, Verdict::NotCarried(_));
        !self.rules.iter().any(alert_lost) && self.warnings() == 0
    }

    fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.remarks.push(Remark {
            line: None,
            weight: Weight::Note,
            text,
        });
    }

    fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.remarks.push(Remark {
            line: None,
            weight: Weight::Warning,
            text,
        });
    }
}

impl fmt::Display for Fidelity {
    /// A line for each rule with its changes below it, then the remarks, then the sums.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.rules {
            let RuleAccount {
                file,
                line,
                group,
                name,
                records,
                verdict,
            } = rule;
            let kind = if *records { "recorded series" } else { "alert" };
            write!(f, "{file}:{line}: {kind} {name} ({group}): ")?;
            match verdict {
                Verdict::Exactly => writeln!(f, "carried exactly")?,
                Verdict::Changed(changes) => {
                    writeln!(f, "carried with changes")?;
                    for change in changes {
                        writeln!(f, "    {change}")?;
                    }
                }
                Verdict::NotCarried(reason) => writeln!(f, "not carried: {reason}")?,
            }
        }
        writeln!(f)?;
        for remark in &self.remarks {
            writeln!(f, "{remark}")?;
        }
        let (exactly, changed, not) = self.counts();
        let (rules, warnings) = (
            counted(self.rules.len(), "rule"),
            counted(self.warnings(), "warning"),
        );
        writeln!(
            f,
            "{rules}: {exactly} carried exactly, {changed} with changes, {not} not carried; {warnings}"
        )
    }
}
