//! The errors of a topology file as people read them: the line, what is wrong in it, what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::topology::{Diagnostic, Diagnostics, Span};

#[cfg(test)]
mod tests;

/// Every error with its line, and how many there are. Ends with a newline.
pub fn render(diagnostics: &Diagnostics, colour: bool, width: usize) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width);
    let mut out = String::new();
    for error in diagnostics.errors() {
        out += &renderer.render(&[group(error, diagnostics)]);
        out += "\n\n";
    }
    let count = diagnostics.errors().len();
    let errors = if count == 1 { "error" } else { "errors" };
    out + &format!("{count} {errors} in {}\n", diagnostics.file())
}

fn group<'a>(error: &'a Diagnostic, diagnostics: &'a Diagnostics) -> Group<'a> {
    let text = diagnostics.text();
    let mut group = Group::with_title(Level::ERROR.primary_title(error.message.as_str()));
    if let Some(span) = error.span {
        let primary = AnnotationKind::Primary.span(within(text, span)).label(error.label.as_str());
        let also = error.also.iter().map(|also| {
            AnnotationKind::Context.span(within(text, also.span)).label(also.label.as_str())
        });
        let snippet =
            Snippet::source(text).path(diagnostics.file()).annotation(primary).annotations(also);
        group = group.element(snippet);
    }
    match &error.hint {
        Some(hint) => group.element(Level::HELP.message(hint.as_str())),
        None => group,
    }
}

/// The span as the renderer wants it: within the text.
fn within(text: &str, span: Span) -> std::ops::Range<usize> {
    let end = span.end.min(text.len());
    span.start.min(end)..end
}
