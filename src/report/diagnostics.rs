//! The errors of a topology file as people read them: the line, what is wrong in it, what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::value::printable;
use crate::topology::{Diagnostic, Diagnostics, Span};

#[cfg(test)]
mod tests;

/// More errors than these come of one slip, and each takes a walk through the file.
const SHOWN: usize = 100;

/// Every error with its line, and how many there are. Ends with a newline.
pub fn render(diagnostics: &Diagnostics, colour: bool, width: usize) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let out = snippets(diagnostics, &Level::ERROR, &renderer.term_width(width));
    let count = diagnostics.errors().len();
    let errors = if count == 1 { "error" } else { "errors" };
    let more = if count > SHOWN { format!("; the first {SHOWN} are shown") } else { String::new() };
    out + &format!("{count} {errors} in {}{more}\n", printable(diagnostics.file()))
}

/// The first of them, each with its line and an empty one behind it.
pub fn snippets(diagnostics: &Diagnostics, level: &Level<'_>, renderer: &Renderer) -> String {
    let source = shown(diagnostics.text());
    let mut out = String::new();
    for error in diagnostics.errors().iter().take(SHOWN) {
        out += &renderer.render(&[group(error, level, diagnostics, &source)]);
        out += "\n\n";
    }
    out
}

/// The file's text as it is shown. The renderer sees to all that steers a terminal but these, which some take for the
/// begin of a command; what stands for them has as many bytes, so that places hold.
fn shown(text: &str) -> String {
    text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "·")
}

fn group<'a>(
    error: &'a Diagnostic,
    level: &Level<'a>,
    diagnostics: &Diagnostics,
    text: &'a str,
) -> Group<'a> {
    let mut group = Group::with_title(level.clone().primary_title(printable(&error.message)));
    if let Some(span) = error.span {
        let primary =
            AnnotationKind::Primary.span(within(text, span)).label(printable(&error.label));
        let also = error.also.iter().map(|also| {
            AnnotationKind::Context.span(within(text, also.span)).label(printable(&also.label))
        });
        let snippet = Snippet::source(text)
            .path(printable(diagnostics.file()))
            .annotation(primary)
            .annotations(also);
        group = group.element(snippet);
    }
    match &error.hint {
        Some(hint) => group.element(
            Level::HELP.message(hint.lines().map(printable).collect::<Vec<_>>().join("\n")),
        ),
        None => group,
    }
}

/// The span as the renderer wants it: within the text.
fn within(text: &str, span: Span) -> std::ops::Range<usize> {
    let end = span.end.min(text.len());
    span.start.min(end)..end
}
