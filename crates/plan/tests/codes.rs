//! The pages of the codes: each has its form, its wrong example gives the code, and its right one does not.

use plan::{Code, Diagnostic, Sources};

const SECTIONS: [&str; 4] = [
    "## What is wrong",
    "## Why it matters",
    "## Wrong",
    "## Right",
];

/// What cannot be written down in a page.
const WITHOUT_EXAMPLES: [Code; 1] = [Code::TextTooLarge];

const LINE_CHARS_MAX: usize = 120;

#[test]
fn pages_have_their_form() {
    for &code in Code::ALL {
        let page = code.page();
        let title = page.lines().next().unwrap_or_default();
        let rest = title.strip_prefix(&format!("# {code}: "));
        assert!(
            rest.is_some_and(|rest| !rest.is_empty() && !rest.ends_with('.')),
            "{code}: the title is `{title}`"
        );
        let headings: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, SECTIONS, "{code}");
        let longest = page.lines().map(|line| line.chars().count()).max();
        assert!(
            longest <= Some(LINE_CHARS_MAX),
            "{code}: a line is too long"
        );
    }
}

#[test]
fn wrong_examples_are_wrong_and_right_ones_right() {
    let with_examples = Code::ALL
        .iter()
        .filter(|code| !WITHOUT_EXAMPLES.contains(code));
    for &code in with_examples {
        let wrong = found(example(code, "## Wrong"));
        assert!(
            wrong.iter().any(|found| found.code == code),
            "{code}: the wrong example gives {wrong:?}"
        );
        let right = found(example(code, "## Right"));
        let at_fault = |found: &Diagnostic| found.is_error() || found.code == code;
        assert!(
            !right.iter().any(at_fault),
            "{code}: the right example gives {right:?}"
        );
    }
}

/// One block of an example: which file it is, and its text.
type Block = (&'static str, &'static str);

/// The example of a section: the plan or contacts file first, then the files that it includes by their names.
fn example(code: Code, section: &str) -> Vec<Block> {
    let page = code.page();
    let begins = page
        .find(&format!("\n{section}\n"))
        .expect("the section is there");
    let from = &page[begins + 1..];
    let from = from.split("\n## ").next().unwrap_or(from);
    let blocks = from.split("\n```yaml").skip(1).map(|fenced| {
        let (kind, rest) = fenced.split_once('\n').expect("the block has lines");
        let (text, _) = rest.split_once("\n```").expect("the block is closed");
        (kind.trim(), text)
    });
    let blocks: Vec<Block> = blocks.collect();
    assert!(!blocks.is_empty(), "{code}: {section} has no example");
    blocks
}

fn found(blocks: Vec<Block>) -> Vec<Diagnostic> {
    let (kind, text) = blocks[0];
    match kind {
        "" => {
            let people = blocks.iter().find(|(kind, _)| *kind == "contacts");
            let contacts =
                people.and_then(|(_, text)| plan::parse_contacts("contacts.yaml", text).0);
            let mut beside = Beside(blocks);
            let linted = plan::lint_files("example.yaml", text, contacts.as_ref(), &mut beside);
            let findings = linted.findings.into_iter().map(|found| found.diagnostic);
            linted.diagnostics.into_iter().chain(findings).collect()
        }
        "contacts" => plan::parse_contacts("example.yaml", text).1,
        "tests" => plan::parse_tests("example.yaml", text).1,
        other => panic!("an example is a plan, contacts or tests, not `{other}`"),
    }
}

/// The further blocks of an example, as files beside it. No variable is set.
struct Beside(Vec<Block>);

impl Sources for Beside {
    fn file(&mut self, name: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(kind, _)| *kind == name);
        found
            .map(|(_, text)| (*text).to_owned())
            .ok_or_else(|| "there is no such file".to_owned())
    }

    fn variable(&mut self, _: &str) -> Option<String> {
        None
    }
}
