"""EC2's network: VPC, subnets, gateways, route tables, security groups."""

from .world import REPAIRED, RIGHT, equal, fact, permission, refused


def rules(world, group):
    wanted = [{"Name": "group-id", "Values": [group]}]
    return world.ec2.describe_security_group_rules(Filters=wanted)["SecurityGroupRules"]


def blocks(permissions):
    return sorted(r["CidrIp"] for p in permissions for r in p.get("IpRanges", []))


@fact("CreateVpc: comes with a main route table and a default security group", RIGHT, RIGHT)
def vpc_content(world):
    mine = [{"Name": "vpc-id", "Values": [world.vpc()]}]
    tables = world.ec2.describe_route_tables(Filters=mine)["RouteTables"]
    equal([a["Main"] for t in tables for a in t["Associations"]], [True], "main route table")
    groups = world.ec2.describe_security_groups(Filters=mine)["SecurityGroups"]
    equal([g["GroupName"] for g in groups], ["default"], "groups")


@fact("DescribeVpcAttribute: DNS support and host names, as set", RIGHT, RIGHT)
def dns(world):
    vpc = world.vpc()
    world.ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    for attribute, key in (("enableDnsHostnames", "EnableDnsHostnames"), ("enableDnsSupport", "EnableDnsSupport")):
        answer = world.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        equal(answer[key]["Value"], True, attribute)


@fact("DescribeSubnets, DescribeRouteTables, DescribeSecurityGroups, DescribeInternetGateways: filter by VPC", RIGHT, RIGHT)
def filter_by_vpc(world):
    (vpc, subnet, group), _ = world.home(), world.home()
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    equal([s["SubnetId"] for s in world.ec2.describe_subnets(Filters=mine)["Subnets"]], [subnet], "subnets")
    equal(len(world.ec2.describe_route_tables(Filters=mine)["RouteTables"]), 1, "route tables")
    found = [g["GroupId"] for g in world.ec2.describe_security_groups(Filters=mine)["SecurityGroups"]]
    assert group in found and len(found) == 2, found
    gateway = world.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    answer = world.ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    equal([g["InternetGatewayId"] for g in answer], [gateway], "gateways")


@fact("CreateSubnet: blocks that overlap are refused", RIGHT, REPAIRED)
def overlap(world):
    vpc = world.vpc()
    world.subnet(vpc, 1)
    with refused("InvalidSubnet.Conflict"):
        world.subnet(vpc, 1, "b")


@fact("DescribeSecurityGroupRules: filter by group", RIGHT, RIGHT)
def rules_by_group(world):
    (_, _, group), (_, _, other) = world.home(), world.home()
    world.allow(group, 80, cidr="0.0.0.0/0")
    world.allow(other, 81, cidr="0.0.0.0/0")
    equal({r["GroupId"] for r in rules(world, group)}, {group}, "groups")
    equal([r["FromPort"] for r in rules(world, group) if not r["IsEgress"]], [80], "ports")


@fact("AuthorizeSecurityGroupIngress, -Egress: a duplicate is refused", RIGHT, REPAIRED)
def duplicate_rule(world):
    _, _, group = world.home()
    world.allow(group, 80, cidr="0.0.0.0/0")
    with refused("InvalidPermission.Duplicate"):
        world.allow(group, 80, cidr="0.0.0.0/0")
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    with refused("InvalidPermission.Duplicate"):
        world.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=everything)


@fact("AuthorizeSecurityGroupIngress: two sources in one permission are two rules, revoked singly", RIGHT, REPAIRED)
def two_sources(world):
    _, _, group = world.home()
    both = permission(80)
    both["IpRanges"] = [{"CidrIp": "10.1.0.0/16"}, {"CidrIp": "10.2.0.0/16"}]
    world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[both])
    ids = {r["SecurityGroupRuleId"] for r in rules(world, group) if not r["IsEgress"]}
    equal(len(ids), 2, "number of rules")
    one = permission(80, cidr="10.1.0.0/16")
    world.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[one])
    equal(blocks(world.ingress(group)), ["10.2.0.0/16"], "what is left")


@fact("DescribeSecurityGroups: rules of the same protocol and ports are one permission", RIGHT, REPAIRED)
def one_permission(world):
    _, _, group = world.home()
    world.allow(group, 80, cidr="10.1.0.0/16")
    world.allow(group, 80, cidr="10.2.0.0/16")
    described = world.ingress(group)
    equal(len(described), 1, "number of permissions")
    equal(blocks(described), ["10.1.0.0/16", "10.2.0.0/16"], "sources")


@fact("DescribeSecurityGroups: filter by group", RIGHT, REPAIRED)
def groups_by_id(world):
    _, _, group = world.home()
    wanted = [{"Name": "group-id", "Values": [group]}]
    found = world.ec2.describe_security_groups(Filters=wanted)["SecurityGroups"]
    equal([g["GroupId"] for g in found], [group], "groups")


@fact("RevokeSecurityGroupIngress: a group-reference rule, as described, is revoked", RIGHT, REPAIRED)
def revoke_reference(world):
    vpc, _, group = world.home()
    world.allow(group, 3001, source=world.group(vpc))
    described = world.ingress(group)
    equal(len(described), 1, "rules before")
    world.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=described)
    equal(world.ingress(group), [], "rules after")


@fact("RevokeSecurityGroupEgress: ports mean nothing where the protocol is all", RIGHT, REPAIRED)
def revoke_everything(world):
    _, _, group = world.home()
    everything = {"IpProtocol": "-1", "FromPort": 0, "ToPort": 0, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    world.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])
    described = world.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
    equal(described["IpPermissionsEgress"], [], "rules after")


@fact("RevokeSecurityGroupIngress: an absent rule is InvalidPermission.NotFound", RIGHT, REPAIRED)
def revoke_absent(world):
    _, _, group = world.home()
    with refused("InvalidPermission.NotFound"):
        world.ec2.revoke_security_group_ingress(
            GroupId=group, IpPermissions=[permission(80, cidr="10.1.0.0/16")]
        )


@fact("DeleteSecurityGroup: refused while an instance or another group's rule uses it", REPAIRED, REPAIRED)
def group_in_use(world):
    vpc, subnet, group = world.home()
    instance, other = world.instance(subnet, group), world.group(vpc)
    world.allow(other, 80, source=group)
    with refused("DependencyViolation"):
        world.ec2.delete_security_group(GroupId=group)
    world.ec2.terminate_instances(InstanceIds=[instance])
    with refused("DependencyViolation"):
        world.ec2.delete_security_group(GroupId=group)
    world.ec2.delete_security_group(GroupId=other)
    world.ec2.delete_security_group(GroupId=group)


@fact("DeleteSecurityGroup, DeleteSubnet: refused while a load balancer, a database or a cache stands in it", REPAIRED, REPAIRED)
def in_use_by_services(world):
    vpc, balancer, _, _ = world.way_in()
    described = world.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"][0]
    with refused("DependencyViolation"):
        world.ec2.delete_security_group(GroupId=described["SecurityGroups"][0])
    with refused("DependencyViolation"):
        world.ec2.delete_subnet(SubnetId=described["AvailabilityZones"][0]["SubnetId"])
    _, subnets, group = world.cluster()
    with refused("DependencyViolation"):
        world.ec2.delete_security_group(GroupId=group)
    answer = world.cache.describe_cache_subnet_groups(CacheSubnetGroupName=subnets)
    with refused("DependencyViolation"):
        world.ec2.delete_subnet(SubnetId=answer["CacheSubnetGroups"][0]["Subnets"][0]["SubnetIdentifier"])
    home = world.two_subnets(vpc := world.vpc())
    group = world.group(vpc)
    world.database(world.db_subnet_group(home), VpcSecurityGroupIds=[group])
    with refused("DependencyViolation"):
        world.ec2.delete_security_group(GroupId=group)
    with refused("DependencyViolation"):
        world.ec2.delete_subnet(SubnetId=home[0])


@fact("DeleteSubnet: refused while an instance stands in it", REPAIRED, REPAIRED)
def subnet_in_use(world):
    _, subnet, group = world.home()
    instance = world.instance(subnet, group)
    with refused("DependencyViolation"):
        world.ec2.delete_subnet(SubnetId=subnet)
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.ec2.delete_subnet(SubnetId=subnet)


@fact("DetachInternetGateway: refused while a public address is in use behind it", REPAIRED, REPAIRED)
def gateway_in_use(world):
    vpc, subnet, group = world.home()
    gateway = world.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    instance = world.instance(subnet, group)
    with refused("DependencyViolation"):
        world.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    with refused("DependencyViolation"):
        world.ec2.delete_internet_gateway(InternetGatewayId=gateway)
    world.ec2.terminate_instances(InstanceIds=[instance])
    world.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    world.ec2.delete_internet_gateway(InternetGatewayId=gateway)


@fact("DeleteRouteTable: refused while a subnet goes by it", RIGHT, REPAIRED)
def table_in_use(world):
    vpc = world.vpc()
    table = world.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    world.ec2.associate_route_table(RouteTableId=table, SubnetId=world.subnet(vpc))
    with refused("DependencyViolation"):
        world.ec2.delete_route_table(RouteTableId=table)


@fact("DeleteSubnet: ends its association with a route table", REPAIRED, RIGHT)
def association_ends(world):
    vpc, subnet, _ = world.home()
    table = world.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    world.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    world.ec2.delete_subnet(SubnetId=subnet)
    world.ec2.delete_route_table(RouteTableId=table)


@fact("DeleteVpc: refused while it has content", RIGHT, RIGHT)
def vpc_in_use(world):
    vpc, _, _ = world.home()
    with refused("DependencyViolation"):
        world.ec2.delete_vpc(VpcId=vpc)


@fact("DeleteVpc: refused while it has route tables beside the main one", RIGHT, REPAIRED)
def table_left(world):
    vpc = world.vpc()
    world.ec2.create_route_table(VpcId=vpc)
    with refused("DependencyViolation"):
        world.ec2.delete_vpc(VpcId=vpc)


@fact("AssociateRouteTable: a subnet has one association at most", REPAIRED, REPAIRED)
def one_association(world):
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    first, second = (world.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in "12")
    world.ec2.associate_route_table(RouteTableId=first, SubnetId=subnet)
    with refused("Resource.AlreadyAssociated"):
        world.ec2.associate_route_table(RouteTableId=second, SubnetId=subnet)
