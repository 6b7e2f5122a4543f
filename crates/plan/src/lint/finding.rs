//! Findings of lint, weighed against the plan's waivers.

use std::ops::Range;

use promql::Span;

use crate::context::{Context, Kind};
use crate::diagnostics::{Finding, quote};
use crate::limits::FINDINGS_MAX;
use crate::render::render_files;
use crate::scalar_map::place_within;
use crate::{Code, Diagnostic, Expression, Location, Plan, PlanFile};

/// Something that lint found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFinding {
    /// What is wrong, where, and what would be right.
    pub diagnostic: Diagnostic,
    /// The name of what it is about, which a waiver gives: an alert's, a metric's, a probe's, …
    pub about: String,
    /// Why the plan accepts it, if it does.
    pub waived: Option<String>,
}

/// What reading and linting a plan gives.
#[derive(Clone, Debug)]
pub struct Linted {
    /// The plan; only when no diagnostic is an error.
    pub plan: Option<Plan>,
    /// What reading has to say.
    pub diagnostics: Vec<Diagnostic>,
    /// What lint has to say, in the order of the text; nothing where there is no plan.
    pub findings: Vec<LintFinding>,
    /// The files that could be read, the main one first.
    pub files: Vec<PlanFile>,
}

impl Linted {
    /// Diagnostics of this plan over the lines that they are about.
    pub fn render(&self, diagnostics: &[Diagnostic]) -> String {
        render_files(diagnostics, &self.files)
    }
}

/// Collects findings about one plan.
pub(super) struct Findings<'c, 't> {
    context: &'c Context<'t>,
    plan: &'c Plan,
    found: Vec<LintFinding>,
}

impl<'c, 't> Findings<'c, 't> {
    pub(super) fn new(context: &'c Context<'t>, plan: &'c Plan) -> Findings<'c, 't> {
        Findings {
            context,
            plan,
            found: Vec::new(),
        }
    }

    /// A finding about a part of an expression.
    pub(super) fn in_expression(
        &mut self,
        code: Code,
        about: &str,
        (expression, part): (&Expression, Span),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let (whole, part) = (&expression.span, part.start..part.end);
        let at = place_within(self.context, whole, &expression.text, part);
        self.add(code, about, &at, message.into(), help.into());
    }

    /// A finding about something that has a name, shown there.
    pub(super) fn about(
        &mut self,
        code: Code,
        (kind, name): (Kind, &str),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let declared = &self.context.declared;
        let named = declared
            .iter()
            .find(|named| named.kind == kind && named.name == name);
        let at = named.map_or(0..0, |named| named.span.clone());
        self.add(code, name, &at, message.into(), help.into());
    }

    /// A finding about a name, shown elsewhere: a role of a policy, a dependency of a probe.
    pub(super) fn about_within(
        &mut self,
        code: Code,
        (about, within): (&str, (Kind, &str)),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let declared = &self.context.declared;
        let named = declared
            .iter()
            .find(|named| (named.kind, named.name.as_str()) == within);
        let at = named.map_or(0..0, |named| named.span.clone());
        self.add(code, about, &at, message.into(), help.into());
    }

    /// A finding about what is declared at a place.
    pub(super) fn at(
        &mut self,
        code: Code,
        (about, at): (&str, Location),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let files = &self.context.report.files;
        let start = files.byte(at.file, at.line, at.column);
        self.add(
            code,
            about,
            &(start..self.line_end(start)),
            message.into(),
            help.into(),
        );
    }

    fn line_end(&self, start: usize) -> usize {
        let files = &self.context.report.files;
        let file = files.of(start);
        let within = start - files.base(file);
        let rest = files.text(file).get(within..).unwrap_or("");
        start + rest.lines().next().map_or(0, |line| line.trim_end().len())
    }

    fn add(
        &mut self,
        code: Code,
        about: &str,
        at: &Range<usize>,
        message: String,
        mut help: String,
    ) {
        let waiver = self.plan.waiver(code, about);
        // Each kind for itself: what is waived must not crowd out what is open.
        let like = |own: &&LintFinding| own.waived.is_some() == waiver.is_some();
        if self.found.iter().filter(like).count() >= FINDINGS_MAX {
            return;
        }
        // A name that comes from the environment is shown as it is written.
        let shown = self.context.report.filled.as_written(about);
        // What one must write to accept it; the name is not always the one that the finding stands at.
        help.push_str(&format!("; or waive {code} about `{shown}`"));
        let finding = Finding {
            code,
            message,
            label: String::new(),
            help,
        };
        let Some(diagnostic) = self.context.report.placed_warning(at, finding) else {
            return;
        };
        self.found.push(LintFinding {
            diagnostic,
            about: shown,
            waived: waiver.map(|waiver| waiver.reason.clone()),
        });
    }

    /// All findings, with those about waivers that waive nothing.
    pub(super) fn finish(mut self, with_contacts: bool) -> Vec<LintFinding> {
        self.unused_waivers(with_contacts);
        self.found.sort_by(|left, right| {
            let key = |found: &LintFinding| {
                let span = found.diagnostic.span;
                (span.at.file, span, found.diagnostic.code)
            };
            key(left).cmp(&key(right))
        });
        self.found.dedup();
        self.found
    }

    fn unused_waivers(&mut self, with_contacts: bool) {
        // Past the bound nobody can tell what would have been found.
        if self.found.len() >= FINDINGS_MAX {
            return;
        }
        let filled = &self.context.report.filled;
        let plan = self.plan;
        for waiver in &plan.waivers {
            for name in &waiver.about {
                let shown = filled.as_written(name);
                let used = self
                    .found
                    .iter()
                    .any(|found| found.diagnostic.code == waiver.code && found.about == shown);
                if used || !asks(waiver.code, with_contacts) {
                    continue;
                }
                let message = format!("there is no {} about {} to waive", waiver.code, quote(name));
                let help = "take the waiver away, or correct its code or name";
                self.at(Code::WaiverUnused, (name, waiver.at), message, help);
            }
        }
    }
}

/// Whether lint looks for findings of this code; the rest belongs to checks that need a running Belfry.
fn asks(code: Code, with_contacts: bool) -> bool {
    let by_lint = (Code::CounterWithoutRate..=Code::WaiverUnused).contains(&code);
    by_lint && (with_contacts || code != Code::RoleUnfilled)
}
