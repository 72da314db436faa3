//! Where the file says what a resource is.

use super::{Build, Desired};
use crate::error::Result;
use crate::model::Address;
use crate::topology::{self, Diagnostic, Diagnostics, Span};

impl Desired {
    /// Where the file says this field of a resource; where it says none, the block.
    pub fn span(&self, address: &Address, field: &'static str) -> Option<Span> {
        let own = self.field_spans.get(&(address.clone(), field));
        own.or_else(|| self.spans.get(address)).copied()
    }

    /// Errors that show only against the account.
    pub fn complaint(&self, errors: Vec<Diagnostic>) -> Diagnostics {
        topology::complaint(&self.path, &self.text, errors)
    }

    /// An error about a field of a resource, at its place.
    pub fn blame(&self, address: &Address, field: &'static str, message: String) -> Diagnostic {
        match self.span(address, field) {
            Some(span) => Diagnostic::at(span, message),
            None => Diagnostic::nowhere(format!("{address}: {message}")),
        }
    }

    /// # Errors
    /// With these, if there are any: they show only against the account.
    pub fn refuse(&self, errors: Vec<Diagnostic>) -> Result<()> {
        if errors.is_empty() { Ok(()) } else { Err(self.complaint(errors).refused()) }
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
