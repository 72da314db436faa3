//! Where the file says what a resource is.

use super::{Build, Desired};
use crate::model::Address;
use crate::topology::{self, Diagnostic, Diagnostics, Lines, Span};

impl Desired {
    /// Where the file says this field of a resource; where it says none, the block.
    pub fn span(&self, address: &Address, field: &'static str) -> Option<Span> {
        let own = self.field_spans.get(&(address.clone(), field));
        own.or_else(|| self.spans.get(address)).copied()
    }

    /// The line of the file in which a place stands.
    pub fn line(&self, span: Span) -> usize {
        Lines::of(&self.text).line(span.start)
    }

    /// Errors that show only against the account.
    pub fn complaint(&self, errors: Vec<Diagnostic>) -> Diagnostics {
        topology::complaint(&self.path, &self.text, errors)
    }

    /// A place in the file, for a message: `topology.toml:12`.
    pub fn place(&self, line: Option<&usize>) -> String {
        let path = self.path.display();
        line.map_or(path.to_string(), |line| format!("{path}:{line}"))
    }
}

impl Build<'_> {
    /// Notes where the file says fields of a resource.
    pub(super) fn says<const N: usize>(
        &mut self,
        address: &Address,
        fields: [(&'static str, Span); N],
    ) {
        let spans = fields.map(|(field, span)| ((address.clone(), field), span));
        self.desired.field_spans.extend(spans);
    }
}
