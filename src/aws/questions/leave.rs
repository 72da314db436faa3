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
    // Those of one service are asked for together, and each is held against its own resources. What one request tells
    // for conditions does not hurt another.
    let mut services: BTreeMap<&str, (Context, Actions)> = BTreeMap::new();
    for leave in leaves {
        let service = leave.action.split(':').next().unwrap_or_default();
        let (context, actions) = services.entry(service).or_default();
        context.extend(leave.context.clone());
        actions.entry(leave.action.clone()).or_default().extend(leave.resources.iter().cloned());
    }
    let calls = services.into_values().flat_map(|(context, actions)| {
        let (all, principal) = (actions.into_iter().collect::<Vec<_>>(), &principal);
        let some: Vec<Actions> =
            all.chunks(ACTIONS).map(|some| some.iter().cloned().collect()).collect();
        some.into_iter().map(move |actions| {
            let context = context.clone();
            async move { simulate(aws, principal, &actions, &context).await }
        })
    });
    Ok(try_join_all(calls).await?.into_iter().flatten().collect())
}

type Context = BTreeMap<String, BTreeSet<String>>;
/// Each with its resources.
type Actions = BTreeMap<String, BTreeSet<String>>;

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
    actions: &Actions,
    context: &Context,
) -> Result<BTreeSet<String>, Fault> {
    let resources: BTreeSet<&String> = actions.values().flatten().collect();
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
        .set_action_names(Some(actions.keys().cloned().collect()))
        .set_resource_arns(Some(resources.into_iter().cloned().collect()))
        .set_context_entries(Some(entries.collect()))
        .into_paginator()
        .items()
        .send();
    let found: Vec<_> = pages.collect::<Result<_, _>>().await.map_err(fault(SIMULATE))?;
    let denied = found.iter().filter(|result| {
        actions.get(&result.eval_action_name).is_some_and(|own| is_denied(result, own))
    });
    Ok(denied.map(|result| result.eval_action_name.clone()).collect())
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
