//! `belfry test FILE...`: tests of plans and of Prometheus' rule files, in promtool's format and a few keys more.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use model::{MatchOp, Matcher};
use plan::{Contacts, Diagnostic, Rules, TestFile};
use serde_json::{Value, json};
use world::{Disk, OsDisk};

use super::reading::{read, read_text};
use crate::plan_test::{self, Failure, Outcome};

#[derive(Args)]
pub(super) struct TestArguments {
    /// Test files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Run only tests whose name this regular expression finds.
    #[arg(long)]
    run: Option<String>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn test(arguments: &TestArguments) -> anyhow::Result<ExitCode> {
    let wanted = arguments.run.as_deref().map(finds);
    let wanted = wanted
        .transpose()
        .context("--run is not a regular expression")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut passed, mut failed, mut files) = (0, 0, Vec::new());
    for path in &arguments.files {
        let file = path.display().to_string();
        let read = Suite::read(path);
        let outcomes = match &read {
            Ok(suite) => runtime.block_on(
                suite.run(|name| wanted.as_ref().is_none_or(|wanted| wanted.matches(name))),
            ),
            Err(_) => Vec::new(),
        };
        let failing = outcomes
            .iter()
            .filter(|own| !own.failures.is_empty())
            .count();
        passed += outcomes.len() - failing;
        failed += failing + usize::from(read.is_err());
        if arguments.json {
            files.push(as_json(&file, &outcomes, read.err()));
        } else {
            show(&file, &outcomes, read.err());
        }
    }
    if arguments.json {
        println!(
            "{}",
            json!({"passed": passed, "failed": failed, "files": files})
        );
    } else {
        println!("{passed} passed, {failed} failed");
        if passed + failed == 0 {
            eprintln!("belfry: no test has such a name");
        }
    }
    Ok(if failed == 0 && passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Matches what a regular expression finds anywhere in a name; matchers know only whole values.
fn finds(pattern: &str) -> Result<Matcher, model::MatcherError> {
    Matcher::new("name", MatchOp::Regex, &format!(".*(?:{pattern}).*"))
}

/// A rule file, or a plan with all that it includes.
fn rules_of(path: &Path) -> anyhow::Result<Rules> {
    if plan::is_rule_file(&read_text(path)?) {
        return parsed(path, plan::parse_rules);
    }
    let (plan, _) = read(path, None)?;
    Ok(Rules::Plan(Box::new(plan)))
}

/// A test file with all that it names.
struct Suite {
    file: TestFile,
    rules: Vec<Rules>,
    /// By test.
    contacts: Vec<Option<Contacts>>,
}

impl Suite {
    fn read(path: &Path) -> anyhow::Result<Suite> {
        let file = parsed(path, plan::parse_tests)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut rules = Vec::new();
        for (name, place) in &file.rule_files {
            let at = || format!("{}:{}: rule_files", path.display(), place.line);
            if name.contains(['*', '?', '[']) {
                bail!(
                    "{}: name every file; patterns such as `{name}` are not read",
                    at()
                );
            }
            rules.push(rules_of(&folder.join(name)).with_context(at)?);
        }
        let contacts = |case: &plan::TestCase| {
            let named = case.contacts.as_ref();
            let read = named.map(|name| parsed(&folder.join(name), plan::parse_contacts));
            read.transpose()
                .with_context(|| format!("{}:{}: contacts", path.display(), case.place.line))
        };
        let contacts = file.tests.iter().map(contacts).collect::<Result<_, _>>()?;
        Ok(Suite {
            file,
            rules,
            contacts,
        })
    }

    async fn run(&self, wanted: impl Fn(&str) -> bool) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (case, contacts) in self.file.tests.iter().zip(&self.contacts) {
            if wanted(&plan_test::title(case)) {
                let contacts = contacts.as_ref();
                outcomes.push(plan_test::run(&self.file, case, &self.rules, contacts).await);
            }
        }
        outcomes
    }
}

/// Reads a file; all that is wrong with it is the error.
fn parsed<T>(
    path: &Path,
    parse: impl Fn(&str, &str) -> (Option<T>, Vec<Diagnostic>),
) -> anyhow::Result<T> {
    let name = path.display().to_string();
    let bytes = OsDisk
        .read(path)
        .with_context(|| format!("cannot read {name}"))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
    match parse(&name, &text) {
        (Some(read), _) => Ok(read),
        (None, diagnostics) => bail!("{}", plan::render(&diagnostics, &text, &name).trim_end()),
    }
}

fn show(file: &str, outcomes: &[Outcome], error: Option<anyhow::Error>) {
    println!("{file}");
    if let Some(error) = error {
        println!("  FAILED\n{error:#}");
    }
    for outcome in outcomes {
        let word = if outcome.failures.is_empty() {
            "ok    "
        } else {
            "FAILED"
        };
        println!("  {word} {}", outcome.name);
        for failure in &outcome.failures {
            println!("    {file}:{}: {}", failure.place.line, failure.about);
            for line in &failure.lines {
                println!("      {line}");
            }
        }
    }
}

fn as_json(file: &str, outcomes: &[Outcome], error: Option<anyhow::Error>) -> Value {
    let failure = |failure: &Failure| {
        let lines = failure.lines.iter().map(ToString::to_string);
        json!({
            "line": failure.place.line,
            "about": failure.about,
            "lines": lines.collect::<Vec<_>>(),
        })
    };
    let test = |outcome: &Outcome| {
        json!({
            "name": outcome.name,
            "line": outcome.place.line,
            "passed": outcome.failures.is_empty(),
            "failures": outcome.failures.iter().map(failure).collect::<Vec<_>>(),
        })
    };
    json!({
        "file": file,
        "error": error.map(|error| format!("{error:#}")),
        "tests": outcomes.iter().map(test).collect::<Vec<_>>(),
    })
}
