"""moto's Elastic Load Balancing, repaired toward AWS."""

from moto.elbv2.exceptions import DuplicateListenerError, ELBClientError, InvalidTargetError, PriorityInUseError
from moto.elbv2.models import ELBv2Backend

from .common import around

LAST_PRIORITY = 50000
TAGS_PER_CALL = 20


def invalid(message):
    return ELBClientError("ValidationError", message)


@around(ELBv2Backend, "create_load_balancer")
def balancer_again(original, self, name, **settings):
    """AWS answers the same name and settings with the load balancer that is there, and refuses other settings; moto
    makes a second one."""
    settings["scheme"] = settings.get("scheme") or "internet-facing"
    subnets = set(settings["subnet_ids"])
    for balancer in self.load_balancers.values():
        if balancer.name == name:
            same = (
                {subnet.id for subnet in balancer.subnets} == subnets
                and set(balancer.security_groups) == set(settings["security_groups"])
                and balancer.scheme == settings["scheme"]
            )
            if same:
                return balancer
            raise ELBClientError("DuplicateLoadBalancerName", f"A load balancer named {name} exists.")
    return original(self, name=name, **settings)


@around(ELBv2Backend, "create_load_balancer")
def two_zones(original, self, **settings):
    """AWS wants an application load balancer in two zones at least; moto takes one."""
    zones = {self.ec2_backend.get_subnet(subnet).availability_zone for subnet in settings["subnet_ids"]}
    if settings.get("loadbalancer_type") in (None, "application") and len(zones) < 2:
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    return original(self, **settings)


@around(ELBv2Backend, "create_target_group")
def target_group_again(original, self, name, **settings):
    """AWS answers the same name and settings with the target group that is there; moto refuses."""
    asked = {key: value for key, value in settings.items() if key != "tags"}
    made = self.__dict__.setdefault("_settings_of_target_groups", {})
    for group in self.target_groups.values():
        if group.name == name and made.get(group.arn) == asked:
            return group
    group = original(self, name, **settings)
    made[group.arn] = asked
    return group


@around(ELBv2Backend, "create_listener")
def port_in_use(original, self, load_balancer_arn, protocol, port, *args, **kwargs):
    """AWS refuses a second listener on a port; moto means to, but looks the port up among ARNs."""
    balancer = self.load_balancers.get(load_balancer_arn)
    if balancer and any(str(listener.port) == str(port) for listener in balancer.listeners.values()):
        raise DuplicateListenerError()
    return original(self, load_balancer_arn, protocol, port, *args, **kwargs)


def both_forms(rule):
    for condition in rule.conditions:
        if condition.get("Field") == "path-pattern":
            values = condition.get("Values") or condition.get("PathPatternConfig", {}).get("Values", [])
            condition.update({"Values": values, "PathPatternConfig": {"Values": values}})
    return rule


@around(ELBv2Backend, "create_rule")
def paths_described(original, self, *args, **kwargs):
    """AWS describes a path condition in both forms, `Values` and `PathPatternConfig`; moto in the one it was given."""
    return both_forms(original(self, *args, **kwargs))


@around(ELBv2Backend, "modify_rule")
def changed_paths_described(original, self, *args, **kwargs):
    """The same for a rule that is changed."""
    return both_forms(original(self, *args, **kwargs))


@around(ELBv2Backend, "create_rule")
def priority_range(original, self, listener_arn, conditions, priority, *args, **kwargs):
    """AWS takes priorities from 1 to 50000; moto takes any."""
    if not 1 <= int(priority) <= LAST_PRIORITY:
        raise invalid(f"Priority {priority} is not between 1 and {LAST_PRIORITY}")
    return original(self, listener_arn, conditions, priority, *args, **kwargs)


@around(ELBv2Backend, "set_rule_priorities")
def swap(_, self, rule_priorities):
    """AWS sets all priorities of a call at once, so that two may swap; moto refuses any that is taken before."""
    wanted = {item["RuleArn"]: item["Priority"] for item in rule_priorities}
    rules = self.describe_rules(listener_arn=None, rule_arns=list(wanted))
    if len(rules) < len(wanted):
        raise ELBClientError("RuleNotFound", "One or more rules not found")
    for rule in rules:
        listener = self.describe_listeners(None, [rule.listener_arn])[0]
        kept = [other.priority for other in listener.rules.values() if other.arn not in wanted]
        if wanted[rule.arn] in kept:
            raise PriorityInUseError()
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return rules


@around(ELBv2Backend, "register_targets")
def bad_target(original, self, target_group_arn, instances):
    """AWS refuses a target that does not exist or does not run; moto takes any."""
    for target in instances:
        instance = self.ec2_backend.get_instance_by_id(target["Id"])
        if target["Id"].startswith("i-") and (instance is None or instance.state != "running"):
            raise InvalidTargetError()
    return original(self, target_group_arn, instances)


@around(ELBv2Backend, "describe_tags")
def tags_at_most_20(original, self, resource_arns):
    """AWS tells the tags of at most 20 resources a call; moto of any number."""
    if len(resource_arns) > TAGS_PER_CALL:
        raise invalid(f"{len(resource_arns)} resources; at most {TAGS_PER_CALL} are allowed")
    return original(self, resource_arns)
