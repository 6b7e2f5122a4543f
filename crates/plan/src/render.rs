//! The pretty form of diagnostics: the marked lines of the text with what is wrong and what would be right, in the
//! look that users of rustc know.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{Diagnostic, DiagnosticSeverity, PlanFile};

/// Shows diagnostics over their text. `text` must be the one that they are about; `name` heads every excerpt.
///
/// Without colour: the answer goes to logs, pages and tests as well as to terminals.
pub fn render(diagnostics: &[Diagnostic], text: &str, name: &str) -> String {
    shown(
        diagnostics
            .iter()
            .map(|diagnostic| (diagnostic, text, name)),
    )
}

/// The same over several files, each diagnostic with the text of its own.
pub(crate) fn render_files(diagnostics: &[Diagnostic], files: &[PlanFile]) -> String {
    shown(diagnostics.iter().map(|diagnostic| {
        let file = files.iter().find(|file| file.name == diagnostic.file);
        let text = file.map_or("", |file| file.text.as_str());
        (diagnostic, text, diagnostic.file.as_str())
    }))
}

fn shown<'a>(diagnostics: impl Iterator<Item = (&'a Diagnostic, &'a str, &'a str)>) -> String {
    let renderer = Renderer::plain().decor_style(DecorStyle::Ascii);
    let shown: Vec<String> = diagnostics
        .map(|(diagnostic, text, name)| renderer.render(&[group(diagnostic, text, name)]))
        .collect();
    shown.join("\n\n")
}

fn group<'a>(diagnostic: &'a Diagnostic, text: &'a str, name: &'a str) -> Group<'a> {
    let level = match diagnostic.severity {
        DiagnosticSeverity::Error => Level::ERROR,
        DiagnosticSeverity::Warning => Level::WARNING,
    };
    let (excerpt, first_line, start, end) = excerpt(diagnostic, text);
    let mark = AnnotationKind::Primary.span(start..end);
    let mark = if diagnostic.label.is_empty() {
        mark
    } else {
        mark.label(&diagnostic.label)
    };
    let snippet = Snippet::source(excerpt)
        .line_start(first_line)
        .path(name)
        .annotation(mark);
    let title = level
        .primary_title(&diagnostic.message)
        .id(diagnostic.code.as_str());
    let group = title.element(snippet);
    if diagnostic.help.is_empty() {
        return group;
    }
    group.element(Level::HELP.message(&diagnostic.help))
}

/// The marked line alone, so that showing many diagnostics costs their lines, not the whole text each time. A mark
/// over several lines (a block scalar) is cut at the end of its first.
fn excerpt<'a>(diagnostic: &Diagnostic, text: &'a str) -> (&'a str, usize, usize, usize) {
    let start = text.floor_char_boundary(diagnostic.span.start.min(text.len()));
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let end = text.floor_char_boundary(diagnostic.span.end.clamp(start, line_end));
    let line = &text[line_start..line_end];
    (
        line,
        diagnostic.span.at.line,
        start - line_start,
        end - line_start,
    )
}
