"""ministack's VPC and security groups, repaired toward AWS."""

import ipaddress

from ministack.services import alb, ec2, elasticache, rds

from .common import around
from .mini_instances import get, living

SOURCES = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")


def users():
    """What stands in the network: its name, its subnets and its security groups. A load balancer, database or cache
    holds network interfaces in its subnets."""
    for instance in living():
        groups = {group["GroupId"] for group in instance["SecurityGroups"]}
        yield instance["InstanceId"], {instance["SubnetId"]}, groups
    for balancer in alb._lbs.values():
        yield balancer["LoadBalancerName"], set(balancer["Subnets"]), set(balancer["SecurityGroups"])
    for database in rds._instances.values():
        subnets = {subnet["SubnetIdentifier"] for subnet in database["DBSubnetGroup"].get("Subnets", [])}
        groups = {group["VpcSecurityGroupId"] for group in database["VpcSecurityGroups"]}
        yield database["DBInstanceIdentifier"], subnets, groups
    for cluster in elasticache._clusters.values():
        group = elasticache._subnet_groups.get(cluster["CacheSubnetGroupName"], {})
        subnets = {subnet["SubnetIdentifier"] for subnet in group.get("Subnets", [])}
        yield cluster["CacheClusterId"], subnets, {g["SecurityGroupId"] for g in cluster["SecurityGroups"]}


def violation(resource, user):
    return ec2._error("DependencyViolation", f"resource {resource} has a dependent object: {user}", 400)


@around(ec2, "_create_subnet")
def overlap(original, p):
    """AWS refuses a block that overlaps another subnet's or leaves the VPC's; ministack takes any."""
    block = ipaddress.ip_network(get(p, "CidrBlock"))
    vpc = ec2._vpcs.get(get(p, "VpcId"))
    if vpc and not block.subnet_of(ipaddress.ip_network(vpc["CidrBlock"])):
        return ec2._error("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.", 400)
    for subnet in ec2._subnets.values():
        if subnet["VpcId"] == get(p, "VpcId") and block.overlaps(ipaddress.ip_network(subnet["CidrBlock"])):
            return ec2._error("InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet", 400)
    return original(p)


@around(ec2, "_delete_subnet")
def subnet_in_use(original, p):
    """AWS refuses to delete a subnet with network interfaces in it, and ends the associations of one that goes;
    ministack does neither."""
    subnet = get(p, "SubnetId")
    for user, subnets, _ in users():
        if subnet in subnets:
            return violation(subnet, user)
    result = original(p)
    for table in ec2._route_tables.values():
        table["Associations"] = [a for a in table["Associations"] if a.get("SubnetId") != subnet]
    return result


@around(ec2, "_delete_route_table")
def table_in_use(original, p):
    """AWS refuses to delete a route table that subnets go by; ministack deletes it."""
    table = ec2._route_tables.get(get(p, "RouteTableId"), {})
    for association in table.get("Associations", []):
        return violation(table["RouteTableId"], association["RouteTableAssociationId"])
    return original(p)


@around(ec2, "_associate_route_table")
def one_association(original, p):
    """AWS lets a subnet go by one route table; ministack by many."""
    for table in ec2._route_tables.values():
        if any(association.get("SubnetId") == get(p, "SubnetId") for association in table["Associations"]):
            return ec2._error("Resource.AlreadyAssociated", f"{get(p, 'SubnetId')} is associated already", 400)
    return original(p)


@around(ec2, "_delete_vpc")
def tables_left(original, p):
    """AWS refuses to delete a VPC with route tables beside the main one; ministack deletes them too."""
    for table in ec2._route_tables.values():
        main = any(association.get("Main") for association in table["Associations"])
        if table["VpcId"] == get(p, "VpcId") and not main:
            return violation(get(p, "VpcId"), table["RouteTableId"])
    return original(p)


@around(ec2, "_detach_internet_gateway")
def gateway_in_use(original, p):
    """AWS refuses to detach a gateway while public addresses are mapped behind it; ministack detaches it."""
    for instance in living(get(p, "VpcId")):
        if instance["PublicIpAddress"]:
            return violation(get(p, "VpcId"), instance["InstanceId"])
    for balancer in alb._lbs.values():
        if balancer["VpcId"] == get(p, "VpcId") and balancer["Scheme"] != "internal":
            return violation(get(p, "VpcId"), balancer["LoadBalancerName"])
    return original(p)


@around(ec2, "_delete_internet_gateway")
def gateway_attached(original, p):
    """AWS refuses to delete a gateway that is attached; ministack deletes it."""
    gateway = ec2._internet_gateways.get(get(p, "InternetGatewayId"), {})
    for attachment in gateway.get("Attachments", []):
        return violation(get(p, "InternetGatewayId"), attachment["VpcId"])
    return original(p)


@around(ec2, "_delete_security_group")
def group_in_use(original, p):
    """AWS refuses to delete a group that is in use or named by another group's rule; ministack deletes it."""
    group = get(p, "GroupId")
    for user, _, groups in users():
        if group in groups:
            return violation(group, user)
    for other in ec2._security_groups.values():
        rules = other["IpPermissions"] + other["IpPermissionsEgress"]
        named = {pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]}
        if other["GroupId"] != group and group in named:
            return violation(group, other["GroupId"])
    return original(p)


@around(ec2, "_parse_ip_permissions")
def one_source_a_rule(original, p, prefix):
    """AWS makes a rule of each source in a permission, knows a group by its id whatever else a reference says, and
    knows no ports where the protocol is all; ministack keeps and compares permissions whole."""
    rules = []
    for permission in original(p, prefix):
        if permission["IpProtocol"] == "-1":
            permission = {key: value for key, value in permission.items() if key not in ("FromPort", "ToPort")}
        for source in SOURCES:
            for entry in permission.get(source, []):
                if source == "UserIdGroupPairs":
                    entry = {key: value for key, value in entry.items() if key in ("GroupId", "Description")}
                rules.append({**permission, **{other: [] for other in SOURCES}, source: [entry]})
    return rules


@around(ec2, "_rules_match")
def references_match(original, a, b):
    """AWS compares rules without their descriptions; ministack forgets those of group references."""
    return original(bare(a), bare(b))


def bare(rule):
    pairs = [{"GroupId": pair["GroupId"]} for pair in rule.get("UserIdGroupPairs", [])]
    return {**rule, "UserIdGroupPairs": pairs}


@around(ec2, "_sg_xml")
def one_permission_a_port(original, group):
    """AWS describes rules of one protocol and ports as one permission; ministack each by itself."""
    merged = {key: merge(group[key]) for key in ("IpPermissions", "IpPermissionsEgress")}
    return original({**group, **merged})


def merge(rules):
    by_ports = {}
    for rule in rules:
        ports = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        whole = by_ports.setdefault(ports, {**rule, **{source: [] for source in SOURCES}})
        for source in SOURCES:
            whole[source] = whole[source] + rule.get(source, [])
    return list(by_ports.values())


@around(ec2, "_authorize_sg_ingress")
def duplicate_ingress(original, p):
    """AWS refuses a rule that is there; ministack takes it for done."""
    return duplicate(p, "IpPermissions") or original(p)


@around(ec2, "_authorize_sg_egress")
def duplicate_egress(original, p):
    """The same for rules that let out."""
    return duplicate(p, "IpPermissionsEgress") or original(p)


def duplicate(p, direction):
    there = ec2._security_groups.get(get(p, "GroupId"), {}).get(direction, [])
    asked = ec2._parse_ip_permissions(p, "IpPermissions")
    if any(ec2._rules_match(rule, other) for rule in asked for other in there):
        return ec2._error("InvalidPermission.Duplicate", "the specified rule already exists", 400)
    return None


@around(ec2, "_revoke_sg_ingress")
def absent_ingress(original, p):
    """AWS refuses to revoke a rule that is not there; ministack takes it for done."""
    return absent(p, "IpPermissions") or original(p)


@around(ec2, "_revoke_sg_egress")
def absent_egress(original, p):
    """The same for rules that let out."""
    return absent(p, "IpPermissionsEgress") or original(p)


def absent(p, direction):
    there = ec2._security_groups.get(get(p, "GroupId"), {}).get(direction, [])
    asked = ec2._parse_ip_permissions(p, "IpPermissions")
    if any(not any(ec2._rules_match(rule, other) for other in there) for rule in asked):
        return ec2._error("InvalidPermission.NotFound", "The specified rule does not exist.", 400)
    return None


@around(ec2, "_describe_security_groups")
def groups_by_id(original, p):
    """AWS filters groups by id; ministack takes such a filter and ignores it."""
    wanted = ec2._parse_filters(p).get("group-id")
    if not wanted:
        return original(p)
    known = [group for group in wanted if group in ec2._security_groups]
    named = {f"GroupId.{number}": group for number, group in enumerate(known, 1)}
    return original({**p, **(named or {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": "none"})})
