"""ministack's Elastic Load Balancing, repaired toward AWS."""

from ministack.services import alb, ec2

from .common import around

LAST_PRIORITY = 50000
TAGS_PER_CALL = 20
ASKED = "_asked"


def get(p, key, default=""):
    return alb._p(p, key, default)


def invalid(message):
    return alb._error("ValidationError", message)


def settings(p):
    """What a request asks for, without what does not make two requests differ."""
    return {key: value for key, value in p.items() if not key.startswith("Tags.")}


def forwards(actions):
    """The target groups that actions send to."""
    for action in actions:
        if action.get("TargetGroupArn"):
            yield action["TargetGroupArn"]
        for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
            yield group["TargetGroupArn"]


def again(store, name_key, p, render):
    """The answer to a second creation with the same settings, if this is one."""
    for made in store.values():
        if made[name_key] == get(p, "Name") and made.get(ASKED) == settings(p):
            return render(made)
    return None


def remember(store, before, p):
    for arn, made in store.items():
        if arn not in before:
            made[ASKED] = settings(p)


@around(alb, "_create_lb")
def balancer_again(original, p):
    """AWS answers the same name and settings with the load balancer that is there, wants subnets in two zones, and
    takes the VPC from them; ministack refuses the first, takes one, and makes up a VPC."""
    subnets = [ec2._subnets.get(subnet) for subnet in alb._parse_member_list(p, "Subnets")]
    if None in subnets:
        return alb._error("SubnetNotFound", "The specified subnet does not exist.")
    if len({subnet["AvailabilityZone"] for subnet in subnets}) < 2:
        return invalid("At least two subnets in two different Availability Zones must be specified")
    done = again(
        alb._lbs,
        "LoadBalancerName",
        p,
        lambda lb: alb._xml(200, "CreateLoadBalancer", f"<LoadBalancers>{alb._lb_xml(lb)}</LoadBalancers>"),
    )
    before = set(alb._lbs)
    result = done or original({**p, "VpcId": subnets[0]["VpcId"]})
    remember(alb._lbs, before, p)
    return result


@around(alb, "_lb_xml")
def zones(original, balancer):
    """AWS tells the zone of each subnet; ministack says `a` of all."""
    xml = original(balancer)
    for subnet in balancer["Subnets"]:
        zone = ec2._subnets[subnet]["AvailabilityZone"] if subnet in ec2._subnets else ""
        xml = xml.replace(
            f"<ZoneName>{alb.get_region()}a</ZoneName><SubnetId>{subnet}<",
            f"<ZoneName>{zone}</ZoneName><SubnetId>{subnet}<",
        )
    return xml


@around(alb, "_create_tg")
def target_group_again(original, p):
    """AWS answers the same name and settings with the target group that is there; ministack refuses."""
    done = again(
        alb._tgs,
        "TargetGroupName",
        p,
        lambda group: alb._xml(200, "CreateTargetGroup", f"<TargetGroups>{alb._tg_xml(group)}</TargetGroups>"),
    )
    before = set(alb._tgs)
    result = done or original(p)
    remember(alb._tgs, before, p)
    return result


@around(alb, "_create_listener")
def port_in_use(original, p):
    """AWS refuses a second listener on a port; ministack makes it."""
    for listener in alb._listeners.values():
        if listener["LoadBalancerArn"] == get(p, "LoadBalancerArn") and str(listener["Port"]) == get(p, "Port"):
            return alb._error("DuplicateListener", "A listener already exists on this port for this load balancer")
    return original(p)


def on_listener(arn):
    return [rule for rule in alb._rules.values() if rule["ListenerArn"] == arn]


@around(alb, "_create_rule")
def priority(original, p):
    """AWS takes a priority from 1 to 50000 that is free; ministack takes any."""
    wanted = get(p, "Priority")
    if not 1 <= int(wanted) <= LAST_PRIORITY:
        return invalid(f"Priority {wanted} is not between 1 and {LAST_PRIORITY}")
    if any(rule["Priority"] == wanted for rule in on_listener(get(p, "ListenerArn"))):
        return alb._error("PriorityInUse", f"Priority '{wanted}' is currently in use")
    return original(p)


@around(alb, "_set_rule_priorities")
def priority_kept(original, p):
    """AWS refuses a priority that a rule holds which is not moved; ministack takes it."""
    wanted, number = {}, 1
    while arn := get(p, f"RulePriorities.member.{number}.RuleArn"):
        wanted[arn] = get(p, f"RulePriorities.member.{number}.Priority")
        number += 1
    for arn in wanted:
        if arn not in alb._rules:
            return alb._error("RuleNotFound", "One or more rules not found")
        kept = [r for r in on_listener(alb._rules[arn]["ListenerArn"]) if r["RuleArn"] not in wanted]
        if any(rule["Priority"] == wanted[arn] for rule in kept):
            return alb._error("PriorityInUse", f"Priority '{wanted[arn]}' is currently in use")
    return original(p)


@around(alb, "_delete_lb")
def listeners_go(original, p):
    """AWS deletes listeners and rules with their load balancer; ministack keeps them."""
    arn = get(p, "LoadBalancerArn")
    for listener in [key for key, one in alb._listeners.items() if one["LoadBalancerArn"] == arn]:
        alb._delete_listener({"ListenerArn": listener})
    for group in alb._tgs.values():
        group["LoadBalancerArns"] = [one for one in group["LoadBalancerArns"] if one != arn]
    return original(p)


@around(alb, "_delete_tg")
def target_group_in_use(original, p):
    """AWS refuses to delete a target group that a listener or rule sends to; ministack deletes it."""
    arn = get(p, "TargetGroupArn")
    used = [one["DefaultActions"] for one in alb._listeners.values()] + [r["Actions"] for r in alb._rules.values()]
    if any(arn in forwards(actions) for actions in used):
        return alb._error("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    return original(p)


@around(alb, "_describe_listeners")
def unknown_listener(original, p):
    """AWS refuses an unknown listener; ministack leaves it out."""
    if any(arn not in alb._listeners for arn in alb._parse_member_list(p, "ListenerArns")):
        return alb._error("ListenerNotFound", "One or more listeners not found")
    return original(p)


@around(alb, "_describe_rules")
def unknown_rule(original, p):
    """AWS refuses an unknown rule or listener; ministack leaves it out."""
    if any(arn not in alb._rules for arn in alb._parse_member_list(p, "RuleArns")):
        return alb._error("RuleNotFound", "One or more rules not found")
    if get(p, "ListenerArn") and get(p, "ListenerArn") not in alb._listeners:
        return alb._error("ListenerNotFound", "One or more listeners not found")
    return original(p)


def runs(instance):
    return ec2._instances.get(instance, {}).get("State", {}).get("Name") == "running"


@around(alb, "_register_targets")
def bad_target(original, p):
    """AWS refuses a target that does not exist or does not run; ministack takes any."""
    for target in alb._parse_targets_param(p):
        if target["Id"].startswith("i-") and not runs(target["Id"]):
            return alb._error("InvalidTarget", f"The following targets are not in a running state: '{target['Id']}'")
    return original(p)


@around(alb, "_describe_target_health")
def stopped_target(original, p):
    """AWS says `unused` of a target that does not run, and leaves out one that is terminated; ministack says
    `healthy` of all."""
    arn = get(p, "TargetGroupArn")
    if arn not in alb._tgs:
        return original(p)
    gone = [t["Id"] for t in alb._targets[arn] if t["Id"].startswith("i-") and not standing(t["Id"])]
    alb._targets[arn] = [target for target in alb._targets[arn] if target["Id"] not in gone]
    status, headers, body = original(p)
    text = body.decode() if isinstance(body, bytes) else body
    members = text.split("<member>")
    for number, member in enumerate(members):
        for target in alb._targets[arn]:
            if f"<Id>{target['Id']}</Id>" in member and target["Id"].startswith("i-") and not runs(target["Id"]):
                members[number] = member.replace("<State>healthy</State>", "<State>unused</State>")
    return status, headers, "<member>".join(members).encode()


def standing(instance):
    return ec2._instances.get(instance, {}).get("State", {}).get("Name", "terminated") != "terminated"


@around(alb, "_describe_tags")
def tags_at_most_20(original, p):
    """AWS tells the tags of at most 20 resources a call; ministack of any number."""
    count = len(alb._parse_member_list(p, "ResourceArns"))
    if count > TAGS_PER_CALL:
        return invalid(f"{count} resources; at most {TAGS_PER_CALL} are allowed")
    return original(p)
