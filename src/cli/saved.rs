//! A saved plan, and the topology that it was made from.

use std::path::Path;

use super::Global;
use super::context::Wanted;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{self, Plan};

pub struct Saved {
    pub plan: Plan,
    /// What was said when it was made.
    pub global: Global,
    pub wanted: Wanted,
}

impl Saved {
    /// Reads it. `command` is what is run on it; `flags`, whether any was given on what a plan is for.
    ///
    /// # Errors
    /// When it or its topology can't be read, or flags would change what it is.
    pub fn load(global: &Global, path: &Path, command: &str, flags: bool) -> Result<Self> {
        let plan = plan::load(path)?;
        if !global.variables.is_empty() || flags {
            return Err(Error::new(
                ErrorKind::Usage,
                "a saved plan has its variables, its part and how it deletes in it; flags can't change them",
            )
            .hint("make a new plan with these flags: ecdeploy plan --out FILE"));
        }
        let named = global.topology.is_some();
        let global = Global {
            topology: global.topology.clone().or_else(|| Some(plan.origin.file.clone())),
            variables: plan.origin.variables.clone(),
            ..*global
        };
        let wanted = global.wanted().map_err(|error| match error.kind {
            // It may have been made on another machine.
            ErrorKind::File if !named => error.hint(format!(
                "the plan was made from that file; say where it lies here: ecdeploy {command} {} -f FILE",
                path.display()
            )),
            _ => error,
        })?;
        Ok(Self { plan, global, wanted })
    }
}
