//! CEL, as the team's own rules speak it: read and held against what they may name, before anything is asked.

use std::ops::Range;
use std::thread;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, SourceInfo};
use cel::parser::{ParseError, Parser};
use cel::{Context, Value};

use super::names;
use crate::topology::suggest;

/// In bytes. No rule needs more, and what it bounds is below.
const LONGEST: usize = 1000;
/// How deep brackets may stand in one another.
const DEEPEST: u16 = 32;
/// How often a list may be walked, in all and within a walk. The crate knows no bound of its own to what it does: each walk
/// within a walk multiplies the steps, and each `+` in one may double a text.
const WALKS: usize = 8;
const WALKS_IN_WALKS: usize = 2;
const PLUSES: usize = 16;
/// The parser and the evaluation go as deep as the text does, up to 32 KB a byte of it without optimisation; and no overflow
/// of a stack can be caught. LONGEST bytes of what goes deepest take half of this at most.
const STACK: usize = 64 << 20;
/// Of why something can't be told, so many characters are said.
const TOLD: usize = 200;

/// What is wrong with an expression, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub at: Range<usize>,
    pub message: String,
    pub label: String,
    pub hint: Option<String>,
}

/// One that was read. It lives on the stack that `aside` gives.
pub struct Expression {
    root: IdedExpr,
    /// Whether it speaks of a single change.
    pub of_change: bool,
    /// Whether it speaks of what only a rehearsal tells.
    pub of_rehearsal: bool,
}

/// Does the work on a thread whose stack is deep enough for it; nothing where the system gives none.
pub fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        worker.ok()?.join().ok()
    })
}

impl Expression {
    /// Only within `aside`.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        if text.len() > LONGEST {
            return Err(Wrong {
                at: 0..text.len(),
                message: "this expression is too long".to_owned(),
                label: format!("it has {} bytes, and may have {LONGEST}", text.len()),
                hint: Some("make it two rules".to_owned()),
            });
        }
        let parser = Parser::default().max_recursion_depth(DEEPEST).error_recovery_limit(1);
        let (root, source) = parser.parse_with_source_info(text).map_err(|errors| {
            errors.errors.first().map_or_else(|| unreadable(text), |error| syntax(text, error))
        })?;
        let mut walk = Walk { text, source: &source, scope: Vec::new(), walks: 0, pluses: 0 };
        walk.expression(&root)?;
        let mentions = |test: &dyn Fn(&str, Option<&str>) -> bool| mentions(&root, test);
        Ok(Self {
            of_change: mentions(&|name, _| name == names::CHANGE),
            of_rehearsal: mentions(&|name, field| {
                name == names::PLAN
                    && field.is_none_or(|field| names::OF_REHEARSAL.contains(&field))
            }),
            root,
        })
    }

    /// Whether it holds; or why that can't be told.
    pub fn holds(&self, context: &Context<'_, '_>) -> Result<bool, String> {
        match Value::resolve(&self.root, context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("it is not true or false, but of type {}", other.type_of())),
            // It may tell a whole value.
            Err(error) => Err(error.to_string().chars().take(TOLD).collect()),
        }
    }
}

fn unreadable(text: &str) -> Wrong {
    Wrong {
        at: 0..text.len(),
        message: "this is not CEL".to_owned(),
        label: "can't be read".to_owned(),
        hint: None,
    }
}

fn syntax(text: &str, error: &ParseError) -> Wrong {
    let (line, column) = error.pos;
    let before = usize::try_from(line).unwrap_or_default().saturating_sub(1);
    let start: usize =
        text.split_inclusive('\n').take(before).map(|line| line.chars().count()).sum();
    let column = usize::try_from(column).unwrap_or_default().saturating_sub(1);
    let at = place(text, start + column, 1);
    let what = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
    if what.contains("Recursion limit") {
        return Wrong {
            message: "this expression goes too deep".to_owned(),
            label: format!("more than {DEEPEST} within one another"),
            ..Wrong { at, ..unreadable(text) }
        };
    }
    // What could have stood there is nearly everything.
    let what = what.split(" expecting ").next().unwrap_or(what);
    let label = if at.is_empty() { "it ends too early" } else { "here" };
    Wrong { at, message: format!("this is not CEL: {what}"), label: label.to_owned(), hint: None }
}

/// Bytes of the text by its characters; one that lies beyond its end is the end.
fn place(text: &str, first: usize, length: usize) -> Range<usize> {
    let byte = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    byte(first)..byte(first.saturating_add(length))
}

/// Holds every name against what there is, and counts what takes time.
struct Walk<'a> {
    text: &'a str,
    source: &'a SourceInfo,
    /// What the walks of lists around here call their items.
    scope: Vec<&'a str>,
    walks: usize,
    pluses: usize,
}

impl<'a> Walk<'a> {
    fn expression(&mut self, at: &'a IdedExpr) -> Result<(), Wrong> {
        match &at.expr {
            Expr::Unspecified | Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.name(at.id, name),
            Expr::Select(select) => {
                self.expression(&select.operand)?;
                let Some(known) = self.fields(&select.operand) else { return Ok(()) };
                if known.contains(&select.field.as_str()) {
                    return Ok(());
                }
                let of = self.path(&select.operand);
                let hint = suggest::hint(&select.field, known.iter().copied());
                // A selection stands where its dot does.
                let mut at = self.at(at.id);
                at = at.end..(at.end + select.field.len()).min(self.text.len());
                let message = format!("`{of}` has no `{}`", select.field);
                Err(self.wrong(at, message, "not there", hint))
            }
            Expr::Call(call) => {
                self.function(at.id, call)?;
                call.target.iter().try_for_each(|target| self.expression(target))?;
                call.args.iter().try_for_each(|argument| self.expression(argument))
            }
            Expr::Comprehension(walk) => self.walk(at.id, walk),
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.expression(item)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => {
                    self.expression(&entry.key)?;
                    self.expression(&entry.value)
                }
                EntryExpr::StructField(field) => self.expression(&field.value),
            }),
            Expr::Struct(built) => {
                let message = format!("there is no type `{}` to make", built.type_name);
                Err(self.wrong(self.at(at.id), message, "not possible here", None))
            }
        }
    }

    fn name(&self, id: u64, name: &'a str) -> Result<(), Wrong> {
        let variables = [names::CHANGE, names::PLAN];
        let known = is_gathered(name)
            || variables.contains(&name)
            || names::TYPES.contains(&name)
            || self.scope.contains(&name);
        if known {
            return Ok(());
        }
        let hint = suggest::hint(name, variables.into_iter().chain(self.scope.iter().copied()));
        Err(self.wrong(self.at(id), format!("unknown variable `{name}`"), "not known", hint))
    }

    fn function(&mut self, id: u64, call: &CallExpr) -> Result<(), Wrong> {
        let name = call.func_name.as_str();
        // A walk that makes a list adds to it by one of its own.
        let own = matches!(call.args.first().map(|first| &first.expr), Some(Expr::Ident(name)) if is_gathered(name));
        if name == "_+_" && !own {
            self.pluses += 1;
            if self.pluses > PLUSES {
                let message = format!("this expression has more than {PLUSES} `+`");
                return Err(self.wrong(self.at(id), message, "one too many", None));
            }
        }
        let operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
        if operator || names::FUNCTIONS.contains(&name) || names::TYPES.contains(&name) {
            return Ok(());
        }
        // A call stands where its bracket does.
        let bracket = self.at(id).start;
        let at = match self.text.get(..bracket) {
            Some(before) if before.ends_with(name) => bracket - name.len()..bracket,
            _ => self.at(id),
        };
        let hint = suggest::hint(name, names::FUNCTIONS.iter().copied());
        Err(self.wrong(at, format!("unknown function `{name}`"), "not known", hint))
    }

    fn walk(&mut self, id: u64, walk: &'a ComprehensionExpr) -> Result<(), Wrong> {
        self.walks += 1;
        self.expression(&walk.iter_range)?;
        let before = self.scope.len();
        self.scope.push(&walk.iter_var);
        if self.walks > WALKS || self.scope.len() > WALKS_IN_WALKS {
            let message = "this expression would take too long".to_owned();
            let label = "a walk through a list too many";
            let hint = format!(
                "it may have {WALKS} of `all`, `exists`, `exists_one`, `filter` and `map`, and {WALKS_IN_WALKS} within \
                 one another"
            );
            return Err(self.wrong(self.at(id), message, label, Some(hint)));
        }
        let parts = [&walk.accu_init, &walk.loop_cond, &walk.loop_step, &walk.result];
        parts.into_iter().try_for_each(|part| self.expression(part))?;
        self.scope.truncate(before);
        Ok(())
    }

    /// The fields of what this is, where they are known.
    fn fields(&self, of: &IdedExpr) -> Option<&'static [&'static str]> {
        let path = self.path(of);
        let shadowed =
            self.scope.iter().any(|name| *name == path || path.starts_with(&format!("{name}.")));
        names::FIELDS.iter().find(|(name, _)| !shadowed && *name == path).map(|(_, fields)| *fields)
    }

    /// `plan.summary`; empty for what has no such name.
    fn path(&self, of: &IdedExpr) -> String {
        match &of.expr {
            Expr::Ident(name) => name.clone(),
            Expr::Select(select) if !select.test => match self.path(&select.operand) {
                path if path.is_empty() => path,
                path => format!("{path}.{}", select.field),
            },
            _ => String::new(),
        }
    }

    /// Tokens are counted in bytes, errors in characters.
    fn at(&self, id: u64) -> Range<usize> {
        let (first, last) = self.source.offset_for(id).unwrap_or_default();
        let start = self.text.floor_char_boundary(first as usize);
        start..self.text.ceil_char_boundary(last as usize + 1).max(start)
    }

    fn wrong(&self, at: Range<usize>, message: String, label: &str, hint: Option<String>) -> Wrong {
        Wrong { at, message, label: label.to_owned(), hint }
    }
}

/// What a walk gathers begins so, and nothing that anybody could write.
fn is_gathered(name: &str) -> bool {
    name.starts_with('@')
}

/// Whether any name in it passes the test, each with the field that is asked of it.
fn mentions(root: &IdedExpr, test: &dyn Fn(&str, Option<&str>) -> bool) -> bool {
    let inside = |part: &IdedExpr| mentions(part, test);
    match &root.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Struct(_) => false,
        Expr::Ident(name) => test(name, None),
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(name) => test(name, Some(&select.field)),
            _ => inside(&select.operand),
        },
        Expr::Call(call) => {
            call.target.as_deref().is_some_and(inside) || call.args.iter().any(inside)
        }
        Expr::Comprehension(walk) => {
            [&walk.iter_range, &walk.accu_init, &walk.loop_cond, &walk.loop_step, &walk.result]
                .into_iter()
                .any(inside)
        }
        Expr::List(list) => list.elements.iter().any(inside),
        Expr::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => inside(&entry.key) || inside(&entry.value),
            EntryExpr::StructField(field) => inside(&field.value),
        }),
    }
}
