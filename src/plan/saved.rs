//! A plan in a file.

use std::fs;
use std::path::Path;

use super::{FORMAT, Plan};
use crate::error::{Error, ErrorKind, Result};
use crate::private;

/// Where there is no plan.
const MAKE_ONE: &str = "make one: ecdeploy plan --out FILE";

/// Writes the plan, readable by its owner only. The same plan gives the same bytes.
///
/// # Errors
/// When the file can't be written.
pub fn save(plan: &Plan, path: &Path) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut text = serde_json::to_vec_pretty(plan)?;
        text.push(b'\n');
        private::write(path, &text)
    };
    write().map_err(|error| {
        Error::new(ErrorKind::File, format!("can't write {}: {error}", path.display()))
            .source(error)
            .hint("choose a place for --out that can be written")
    })
}

/// Reads a saved plan.
///
/// # Errors
/// When the file can't be read, or holds something else.
pub fn load(path: &Path) -> Result<Plan> {
    let text = fs::read_to_string(path).map_err(|error| {
        Error::new(ErrorKind::File, format!("can't read {}: {error}", path.display()))
            .source(error)
            .hint(MAKE_ONE)
    })?;
    let not_a_plan = |why: String| {
        Error::new(ErrorKind::File, format!("{} is not a plan of ecdeploy: {why}", path.display()))
            .hint(MAKE_ONE)
    };
    let plan: Plan =
        serde_json::from_str(&text).map_err(|error| not_a_plan(error.to_string()).source(error))?;
    if plan.format != FORMAT {
        return Err(not_a_plan(format!("it has form {}, not {FORMAT}", plan.format)));
    }
    let count = plan.steps.len();
    let ordered = plan.steps.iter().enumerate().all(|(index, step)| {
        step.after.iter().all(|dependency| dependency.step < index.min(count))
    });
    if !ordered {
        return Err(not_a_plan("its steps are not in order".into()));
    }
    Ok(plan)
}
