"""Elastic Load Balancing."""

from .world import REPAIRED, RIGHT, UNCHECKED, equal, fact, refused


def states(world, target_group):
    answer = world.elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    return [target["TargetHealth"]["State"] for target in answer]


def priorities(world, listener):
    answer = world.elb.describe_rules(ListenerArn=listener)["Rules"]
    return {r["RuleArn"]: r["Priority"] for r in answer if not r["IsDefault"]}


@fact("CreateLoadBalancer: the same name and settings again give the first one", REPAIRED, REPAIRED)
def balancer_again(world):
    vpc = world.vpc()
    subnets, group, name = world.two_subnets(vpc), world.group(vpc), world.name("alb")
    first = world.balancer(subnets, group, name)
    equal(world.balancer(subnets, group, name), first, "second answer")
    equal(len(world.elb.describe_load_balancers(Names=[name])["LoadBalancers"]), 1, "number")
    with refused("DuplicateLoadBalancerName"):
        world.balancer(subnets, world.group(vpc), name)


@fact("CreateTargetGroup: the same name and settings again give the first one", REPAIRED, REPAIRED)
def target_group_again(world):
    vpc, name = world.vpc(), world.name("tg")
    first = world.target_group(vpc, name)
    equal(world.target_group(vpc, name), first, "second answer")
    with refused("DuplicateTargetGroupName"):
        world.target_group(world.vpc(), name)


@fact("DescribeLoadBalancers: VPC and zones are those of the subnets", RIGHT, REPAIRED)
def balancer_place(world):
    vpc, balancer, _, _ = world.way_in()
    found = world.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
    equal(found["VpcId"], vpc, "VPC")
    equal(sorted(z["ZoneName"][-1] for z in found["AvailabilityZones"]), ["a", "b"], "zones")


@fact("CreateLoadBalancer: one subnet is refused", REPAIRED, REPAIRED)
def one_subnet(world):
    vpc = world.vpc()
    with refused("ValidationError"):
        world.balancer([world.subnet(vpc)], world.group(vpc))


@fact("CreateLoadBalancer: the state is `provisioning` at first", UNCHECKED, UNCHECKED)
def provisioning(world):
    _, balancer, _, _ = world.way_in()
    found = world.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
    equal(found["State"]["Code"], "provisioning", "state")


@fact("CreateListener: a port in use is DuplicateListener", REPAIRED, REPAIRED)
def listener_again(world):
    _, balancer, _, target_group = world.way_in()
    with refused("DuplicateListener"):
        world.listener(balancer, target_group)


@fact("CreateListener: HTTPS without a certificate is refused", UNCHECKED, UNCHECKED)
def https(world):
    _, balancer, _, target_group = world.way_in()
    with refused("CertificateNotFound", "ValidationError"):
        world.elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTPS",
            Port=443,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )


@fact("CreateRule: a priority in use is PriorityInUse", RIGHT, REPAIRED)
def priority_in_use(world):
    _, _, listener, target_group = world.way_in()
    world.rule(listener, 1, target_group)
    with refused("PriorityInUse"):
        world.rule(listener, 1, target_group)


@fact("CreateRule: priority 50001 is refused", REPAIRED, REPAIRED)
def priority_range(world):
    _, _, listener, target_group = world.way_in()
    with refused("ValidationError"):
        world.rule(listener, 50001, target_group)


@fact("SetRulePriorities: a swap is done in one call", REPAIRED, RIGHT)
def swap(world):
    _, _, listener, target_group = world.way_in()
    one, two = world.rule(listener, 1, target_group), world.rule(listener, 2, target_group)
    wanted = [{"RuleArn": one, "Priority": 2}, {"RuleArn": two, "Priority": 1}]
    world.elb.set_rule_priorities(RulePriorities=wanted)
    equal(priorities(world, listener), {one: "2", two: "1"}, "priorities")


@fact("SetRulePriorities: a priority held by a rule that is not moved is PriorityInUse", RIGHT, REPAIRED)
def no_swap(world):
    _, _, listener, target_group = world.way_in()
    one = world.rule(listener, 1, target_group)
    world.rule(listener, 2, target_group)
    with refused("PriorityInUse"):
        world.elb.set_rule_priorities(RulePriorities=[{"RuleArn": one, "Priority": 2}])


@fact("ModifyRule, ModifyTargetGroup, ModifyListener: as described then", REPAIRED, RIGHT)
def modify(world):
    vpc, _, listener, target_group = world.way_in()
    other = world.target_group(vpc)
    forward = [{"Type": "forward", "TargetGroupArn": other}]
    rule = world.rule(listener, 1, target_group)
    world.elb.modify_rule(RuleArn=rule, Actions=forward, Conditions=[{"Field": "path-pattern", "Values": ["/x/*"]}])
    found = world.elb.describe_rules(RuleArns=[rule])["Rules"][0]
    equal(found["Actions"][0]["TargetGroupArn"], other, "target group of the rule")
    equal(found["Conditions"][0]["PathPatternConfig"]["Values"], ["/x/*"], "path of the rule")
    world.elb.modify_listener(ListenerArn=listener, DefaultActions=forward)
    found = world.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    equal(found["DefaultActions"][0]["TargetGroupArn"], other, "default")
    world.elb.modify_target_group(TargetGroupArn=other, HealthCheckIntervalSeconds=15, HealthCheckTimeoutSeconds=4)
    found = world.elb.describe_target_groups(TargetGroupArns=[other])["TargetGroups"][0]
    equal([found["HealthCheckIntervalSeconds"], found["HealthCheckPath"]], [15, "/health"], "health check")


@fact("DeleteTargetGroup: refused while a listener or rule uses it", RIGHT, REPAIRED)
def target_group_in_use(world):
    vpc, _, listener, target_group = world.way_in()
    with refused("ResourceInUse"):
        world.elb.delete_target_group(TargetGroupArn=target_group)
    other = world.target_group(vpc)
    rule = world.rule(listener, 1, other)
    with refused("ResourceInUse"):
        world.elb.delete_target_group(TargetGroupArn=other)
    world.elb.delete_rule(RuleArn=rule)
    world.elb.delete_target_group(TargetGroupArn=other)


@fact("DeleteLoadBalancer: takes its listeners and rules with it, and frees the target groups", RIGHT, REPAIRED)
def balancer_goes(world):
    _, balancer, listener, target_group = world.way_in()
    rule = world.rule(listener, 1, target_group)
    world.elb.delete_load_balancer(LoadBalancerArn=balancer)
    with refused("ListenerNotFound"):
        world.elb.describe_listeners(ListenerArns=[listener])
    with refused("RuleNotFound"):
        world.elb.describe_rules(RuleArns=[rule])
    world.elb.delete_target_group(TargetGroupArn=target_group)


@fact("RegisterTargets: the state is `initial` at first, `unused` without a listener", UNCHECKED, UNCHECKED)
def health_at_first(world):
    vpc, subnet, group = world.home()
    target_group = world.target_group(vpc)
    world.elb.register_targets(TargetGroupArn=target_group, Targets=[{"Id": world.instance(subnet, group)}])
    equal(states(world, target_group), ["unused"], "state")


@fact("RegisterTargets: a registered target is described; deregistered, it is `draining`, later gone", UNCHECKED, UNCHECKED)
def draining(world):
    vpc, subnet, group = world.home()
    target_group, targets = world.target_group(vpc), [{"Id": world.instance(subnet, group)}]
    world.elb.register_targets(TargetGroupArn=target_group, Targets=targets)
    world.elb.deregister_targets(TargetGroupArn=target_group, Targets=targets)
    equal(states(world, target_group), ["draining"], "state")


@fact("DeregisterTargets: the target is no longer described", RIGHT, RIGHT)
def deregistered(world):
    vpc, subnet, group = world.home()
    target_group, targets = world.target_group(vpc), [{"Id": world.instance(subnet, group)}]
    world.elb.register_targets(TargetGroupArn=target_group, Targets=targets)
    equal(len(states(world, target_group)), 1, "targets before")
    world.elb.deregister_targets(TargetGroupArn=target_group, Targets=targets)
    equal(states(world, target_group), [], "targets after")


@fact("RegisterTargets: an unknown instance, and one that doesn't run, is InvalidTarget", REPAIRED, REPAIRED)
def bad_target(world):
    vpc, subnet, group = world.home()
    target_group, instance = world.target_group(vpc), world.instance(subnet, group)
    with refused("InvalidTarget"):
        world.elb.register_targets(TargetGroupArn=target_group, Targets=[{"Id": "i-0123456789abcdef0"}])
    world.ec2.stop_instances(InstanceIds=[instance])
    with refused("InvalidTarget"):
        world.elb.register_targets(TargetGroupArn=target_group, Targets=[{"Id": instance}])


@fact("DescribeTargetHealth: a stopped instance is `unused`", RIGHT, REPAIRED)
def stopped_target(world):
    vpc, subnet, group = world.home()
    target_group, instance = world.target_group(vpc), world.instance(subnet, group)
    world.elb.register_targets(TargetGroupArn=target_group, Targets=[{"Id": instance}])
    world.ec2.stop_instances(InstanceIds=[instance])
    equal(states(world, target_group), ["unused"], "state")


@fact("DescribeTags: more than 20 resources are refused", REPAIRED, REPAIRED)
def tags_at_most_20(world):
    vpc = world.vpc()
    arns = [world.target_group(vpc) for _ in range(21)]
    with refused("ValidationError"):
        world.elb.describe_tags(ResourceArns=arns)


@fact("CreateRule, CreateListener, CreateTargetGroup, CreateLoadBalancer: tags as created", RIGHT, RIGHT)
def tags(world):
    vpc = world.vpc()
    mine = [{"Key": "colour", "Value": "blue"}]
    made = world.elb.create_target_group(
        Name=world.name("tg"), Protocol="HTTP", Port=80, VpcId=vpc, Tags=mine
    )["TargetGroups"][0]["TargetGroupArn"]
    balancer = world.elb.create_load_balancer(
        Name=world.name("alb"), Subnets=world.two_subnets(vpc), Tags=mine
    )["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": made}]
    listener = world.elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward, Tags=mine
    )["Listeners"][0]["ListenerArn"]
    rule = world.elb.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=forward,
        Tags=mine,
    )["Rules"][0]["RuleArn"]
    arns = [made, balancer, listener, rule]
    answer = world.elb.describe_tags(ResourceArns=arns)["TagDescriptions"]
    equal({d["ResourceArn"]: d["Tags"] for d in answer}, {arn: mine for arn in arns}, "tags")
