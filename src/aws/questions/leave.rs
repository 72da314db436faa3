//! What IAM would let these credentials do.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::PolicyEvaluationDecisionType::Allowed;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult};
use futures_util::future::try_join_all;

use crate::aws::{Aws, Caller, fault};
use crate::model::question::Leave;
use crate::model::{Class, Fault};

pub const ROLE: &str = "iam:GetRole";
pub const SIMULATE: &str = "iam:SimulatePrincipalPolicy";

/// What one call takes at most of actions and of resources, so that its answer is one of some hundred lines.
const ACTIONS: usize = 20;

/// Those that IAM denies for sure: what hangs on a condition whose value the request alone would tell is not among them.
pub async fn denied(
    aws: &Aws,
    caller: &Caller,
    leaves: &BTreeSet<Leave>,
) -> Result<BTreeSet<String>, Fault> {
    let Some(principal) = principal(aws, caller).await? else { return Ok(BTreeSet::new()) };
    // Those of one service on the same terms are asked for together, and each is held against its own resources.
    let mut alike: BTreeMap<(&str, &Context), Vec<&Leave>> = BTreeMap::new();
    for leave in leaves {
        let service = leave.action.split(':').next().unwrap_or_default();
        alike.entry((service, &leave.context)).or_default().push(leave);
    }
    let calls = alike.iter().flat_map(|((_, context), leaves)| {
        leaves.chunks(ACTIONS).map(|leaves| simulate(aws, &principal, leaves, context))
    });
    Ok(try_join_all(calls).await?.into_iter().flatten().collect())
}

type Context = BTreeMap<String, BTreeSet<String>>;

/// Whose policies are asked. None is the account's root, who may do everything.
async fn principal(aws: &Aws, caller: &Caller) -> Result<Option<String>, Fault> {
    let name = caller.arn.splitn(6, ':').nth(5).unwrap_or_default();
    let (kind, rest) = name.split_once('/').unwrap_or((name, ""));
    match kind {
        "root" => Ok(None),
        "user" if caller.arn.contains(":iam:") => Ok(Some(caller.arn.clone())),
        // The session tells the role's name, but not its path.
        "assumed-role" => {
            let role = rest.split('/').next().unwrap_or_default();
            let answer = aws.iam.get_role().role_name(role).send().await.map_err(fault(ROLE))?;
            Ok(answer.role.map(|role| role.arn))
        }
        _ => {
            let message = format!("{} is neither a user nor a role", caller.arn);
            Err(Fault::new(Class::Fatal, SIMULATE, "", message))
        }
    }
}

async fn simulate(
    aws: &Aws,
    principal: &str,
    leaves: &[&Leave],
    context: &Context,
) -> Result<BTreeSet<String>, Fault> {
    let actions: BTreeSet<&String> = leaves.iter().map(|leave| &leave.action).collect();
    let resources: BTreeSet<&String> = leaves.iter().flat_map(|leave| &leave.resources).collect();
    let entries = context.iter().map(|(key, values)| {
        ContextEntry::builder()
            .context_key_name(key)
            .context_key_type(match values.len() {
                1 => ContextKeyTypeEnum::String,
                _ => ContextKeyTypeEnum::StringList,
            })
            .set_context_key_values(Some(values.iter().cloned().collect()))
            .build()
    });
    let pages = aws
        .iam
        .simulate_principal_policy()
        .policy_source_arn(principal)
        .set_action_names(Some(actions.into_iter().cloned().collect()))
        .set_resource_arns(Some(resources.into_iter().cloned().collect()))
        .set_context_entries(Some(entries.collect()))
        .into_paginator()
        .items()
        .send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(SIMULATE))?;
    let own = |result: &EvaluationResult| {
        let named = |leave: &&&Leave| leave.action.eq_ignore_ascii_case(&result.eval_action_name);
        leaves.iter().find(named).filter(|leave| is_denied(result, &leave.resources)).copied()
    };
    Ok(found.iter().filter_map(own).map(|leave| leave.action.clone()).collect())
}

/// Whether the action is denied on any of its own resources; where the answer does not tell them apart, at all.
fn is_denied(result: &EvaluationResult, resources: &BTreeSet<String>) -> bool {
    let told = result.resource_specific_results();
    if told.is_empty() {
        return result.eval_decision != Allowed && result.missing_context_values().is_empty();
    }
    told.iter().filter(|one| resources.contains(&one.eval_resource_name)).any(|one| {
        let missing = one.missing_context_values().len() + result.missing_context_values().len();
        one.eval_resource_decision != Allowed && missing == 0
    })
}
