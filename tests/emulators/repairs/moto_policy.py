"""moto's enforcement of IAM policies, repaired toward AWS as far as a request tells what it is about."""

import json
import re
from fnmatch import fnmatchcase

from moto.iam.access_control import IAMPolicy, IAMRequestBase
from moto.iam.exceptions import NotFoundException

from .common import around

TAGGING = {
    "ec2": "ec2:CreateTags",
    "elasticloadbalancing": "elasticloadbalancing:AddTags",
    "rds": "rds:AddTagsToResource",
    "elasticache": "elasticache:AddTagsToResource",
    "secretsmanager": "secretsmanager:TagResource",
    "ssm": "ssm:AddTagsToResource",
    "iam:CreateRole": "iam:TagRole",
    "iam:CreateInstanceProfile": "iam:TagInstanceProfile",
}
# Each makes the role that its service works by, where the account has none yet.
LINKING = ("CreateLoadBalancer", "CreateDBInstance", "CreateCacheCluster", "CreateReplicationGroup")
PASSING = ("AddRoleToInstanceProfile", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation")
# The parameters that name what a call is about, and the form of its ARN.
NAMES = {
    "ssm": {"Name": "parameter{}", "Names": "parameter{}", "Path": "parameter{}", "ResourceId": "parameter{}"},
    "rds": {"DBInstanceIdentifier": "db:{}", "DBSubnetGroupName": "subgrp:{}"},
    "elasticache": {
        "CacheClusterId": "cluster:{}",
        "CacheSubnetGroupName": "subnetgroup:{}",
        "ReplicationGroupId": "replicationgroup:{}",
    },
    "secretsmanager": {"Name": "secret:{}-AbCdEf"},
}


@around(IAMRequestBase, "check_signature")
def any_signature(_, self):
    """AWS checks signatures; moto checks that of a REST request wrongly. Whose a request is, its key says."""


@around(IAMRequestBase, "check_action_permitted")
def by_resource_and_condition(_, self, resource):
    """AWS holds an action against the resource and conditions of a statement, and asks leave for what a call does besides:
    tags at creation, the role that is passed on, the service's own role, the secret. moto compares actions alone, and takes
    a statement that has a narrower resource for none. What a request does not tell - the tags of what it is about - counts
    as right."""
    if self._action == "sts:GetCallerIdentity":
        return
    policies = [IAMPolicy(policy)._policy_json for policy in self._access_key.collect_policies()]
    statements = [statement for policy in policies for statement in policy["Statement"]]
    asked = parameters(self)
    for action, arns, known in needed(self, asked):
        for arn in arns or [None]:
            if not any(allows(statement, action, arn, known) for statement in statements):
                self._action = action
                self._raise_access_denied()


def parameters(request):
    """A request's parameters: a dictionary, flat in the query protocol."""
    body = request._body or b""
    text = body if isinstance(body, str) else body.decode(errors="replace")
    if text.startswith("{"):
        return json.loads(text)
    return {key: values[0] if isinstance(values, list) else values for key, values in request._data.items()}


def needed(request, asked):
    """Each action that the call takes, the ARNs it is about as far as they are known, and the values for conditions."""
    service, name = request._service, request._action.partition(":")[2]
    known = {"aws:RequestedRegion": "us-east-1" if service in ("iam", "route53") else request._region}
    known |= {f"aws:RequestTag/{key}": value for key, value in tags(asked)}
    yield request._action, arns(request, service, name, asked), known
    tagging = TAGGING.get(service) or TAGGING.get(request._action)
    if tags(asked) and tagging and tagging != request._action:
        yield tagging, [], known | {f"{service}:CreateAction": name}
    if name in PASSING or any(key.startswith("IamInstanceProfile.") for key in asked):
        yield "iam:PassRole", [], {"iam:PassedToService": "ec2.amazonaws.com"}
    if name in LINKING:
        yield "iam:CreateServiceLinkedRole", [], {"iam:AWSServiceName": f"{service}.amazonaws.com"}
    if asked.get("ManageMasterUserPassword") == "true":
        for action in ("secretsmanager:CreateSecret", "secretsmanager:TagResource", "kms:DescribeKey"):
            yield action, [], {}
    if "FinalDBSnapshotIdentifier" in asked:
        yield "rds:CreateDBSnapshot", [], {}


def tags(asked):
    """The tags in a request, whichever way it has them."""
    listed = asked.get("Tags")
    if isinstance(listed, list):
        return [(tag["Key"], tag["Value"]) for tag in listed]
    return [(key, asked.get(f"{place[:-4]}.Value", "")) for place, key in asked.items() if re.search(r"Tag.*\.Key$", place)]


def arns(request, service, name, asked):
    """What the call is about, where it says so."""
    found = [value for key, value in asked.items() if key in ("RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn")]
    found += [value for value in (asked.get("SecretId"), asked.get("ResourceName")) if (value or "").startswith("arn:")]
    if service == "iam":
        return [iam_arn(request, asked)] if {"RoleName", "InstanceProfileName"} & asked.keys() else []
    for key, form in NAMES.get(service, {}).items():
        # A cache and a database name their group of subnets too, which is not what they are about.
        if key not in asked or ("SubnetGroupName" in key and "SubnetGroup" not in name):
            continue
        values = asked[key] if isinstance(asked[key], list) else [asked[key]]
        for value in values:
            account = "" if value.startswith("/aws/") else request.account_id
            found.append(f"arn:aws:{service}:{request._region}:{account}:{form.format(value)}")
    return found


def iam_arn(request, asked):
    """With its path: as asked for, or as it is. What is gone has none."""
    kind, key = ("instance-profile", "InstanceProfileName") if "InstanceProfileName" in asked else ("role", "RoleName")
    path = asked.get("Path")
    if not path:
        find = request.backend.get_instance_profile if kind == "instance-profile" else request.backend.get_role
        try:
            path = find(asked[key]).path
        except NotFoundException:
            path = "/"
    return f"arn:aws:iam::{request.account_id}:{kind}{path}{asked[key]}"


def allows(statement, action, arn, known):
    def any_of(element, value):
        patterns = statement[element] if isinstance(statement[element], list) else [statement[element]]
        return any(fnmatchcase(value, pattern) for pattern in patterns)

    holds = all(
        holds_for(operator, known.get(key), values, key)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )
    return statement["Effect"] == "Allow" and any_of("Action", action) and (arn is None or any_of("Resource", arn)) and holds


def holds_for(operator, value, values, key):
    if key.startswith(("aws:ResourceTag/", "route53:")):
        return True
    if operator == "Null":
        return [str(value is None).lower()] == values
    return value in values
