//! A plan in a file.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{FORMAT, Plan};
use crate::error::{Error, ErrorKind, Result};
use crate::private;

/// Where there is no plan.
const MAKE_ONE: &str = "make one: ecdeploy plan --out FILE";
/// Where there is one that says more, or other things, than can be carried out here.
const MAKE_ANOTHER: &str = "another version of ecdeploy made it, or somebody edited it: make a new one: ecdeploy plan --out FILE";

/// What every plan has, of whatever form.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

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
    let refused = |what: &str, why: String| {
        Error::new(ErrorKind::File, format!("{} is not a plan of {what}: {why}", path.display()))
    };
    let Form { format } = serde_json::from_str(&text)
        .map_err(|error| refused("ecdeploy", error.to_string()).source(error).hint(MAKE_ONE))?;
    let foreign = |why: String| refused("this version of ecdeploy", why).hint(MAKE_ANOTHER);
    if format != FORMAT {
        return Err(foreign(format!("it has form {format}, not {FORMAT}")));
    }
    let plan: Plan =
        serde_json::from_str(&text).map_err(|error| foreign(error.to_string()).source(error))?;
    let count = plan.steps.len();
    let ordered = plan.steps.iter().enumerate().all(|(index, step)| {
        step.after.iter().all(|dependency| dependency.step < index.min(count))
    });
    if !ordered {
        return Err(foreign("its steps are not in order".into()));
    }
    Ok(plan)
}
