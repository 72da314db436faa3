"""What the facts share: clients, throw-away resources, the register of facts, and how to expect a refusal."""

import itertools
from dataclasses import dataclass
from typing import Callable

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "ap-southeast-1"
AMI_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"

RIGHT, REPAIRED, UNCHECKED = "right", "repaired", "not checked there"


@dataclass
class Fact:
    text: str
    moto: str
    ministack: str
    check: Callable


FACTS: list[Fact] = []


def fact(text, moto, ministack):
    """Registers a check of one thing that AWS does, and how each emulator comes to show it, or that it doesn't."""

    def register(check):
        FACTS.append(Fact(text, moto, ministack, check))
        return check

    return register


class refused:
    """Expects the calls within to be refused with one of these error codes."""

    def __init__(self, *codes):
        self.codes = codes

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if error is None:
            raise AssertionError(f"was accepted; AWS answers {' or '.join(self.codes)}")
        if isinstance(error, ClientError):
            code = error.response["Error"]["Code"]
            assert code in self.codes, f"was refused with {code}; AWS answers {' or '.join(self.codes)}"
            return True
        return False


class World:
    """Clients of one emulator, and short ways to make what a fact needs. Nothing is cleaned up: facts don't meet."""

    def __init__(self, endpoint):
        def client(service):
            return boto3.client(
                service,
                endpoint_url=endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
            )

        self.ec2, self.elb, self.rds = client("ec2"), client("elbv2"), client("rds")
        self.cache, self.ssm, self.sts = client("elasticache"), client("ssm"), client("sts")
        self.iam, self.route53, self.acm = client("iam"), client("route53"), client("acm")
        self.quotas = client("service-quotas")
        self._counter = itertools.count(1)
        self.ami = self.ssm.get_parameter(Name=AMI_PARAMETER)["Parameter"]["Value"]

    def name(self, prefix):
        return f"{prefix}-{next(self._counter)}"

    def vpc(self):
        return self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def subnet(self, vpc, third=1, zone="a"):
        answer = self.ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{third}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )
        return answer["Subnet"]["SubnetId"]

    def two_subnets(self, vpc):
        return [self.subnet(vpc, 1, "a"), self.subnet(vpc, 2, "b")]

    def group(self, vpc):
        name = self.name("group")
        return self.ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name)["GroupId"]

    def allow(self, group, port, cidr=None, source=None):
        self.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[permission(port, cidr, source)]
        )

    def ingress(self, group):
        return self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]

    def instance(self, subnet, group, **more):
        """One instance, launched as ecdeploy launches: by a network interface."""
        public = more.pop("public", True)
        answer = self.ec2.run_instances(
            ImageId=self.ami,
            InstanceType="t3.small",
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": subnet,
                    "Groups": [group],
                    "AssociatePublicIpAddress": public,
                }
            ],
            **more,
        )
        return answer["Instances"][0]["InstanceId"]

    def home(self):
        """A VPC with a subnet and a group, for instances."""
        vpc = self.vpc()
        return vpc, self.subnet(vpc), self.group(vpc)

    def described(self, instance):
        answer = self.ec2.describe_instances(InstanceIds=[instance])
        return answer["Reservations"][0]["Instances"][0]

    def instances(self, **filters):
        """Ids of the instances that a filter lets through."""
        wanted = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
        answer = self.ec2.describe_instances(Filters=wanted)
        return [i["InstanceId"] for r in answer["Reservations"] for i in r["Instances"]]

    def balancer(self, subnets, group, name=None):
        answer = self.elb.create_load_balancer(
            Name=name or self.name("alb"), Subnets=subnets, SecurityGroups=[group]
        )
        return answer["LoadBalancers"][0]["LoadBalancerArn"]

    def target_group(self, vpc, name=None):
        answer = self.elb.create_target_group(
            Name=name or self.name("tg"), Protocol="HTTP", Port=80, VpcId=vpc, HealthCheckPath="/health"
        )
        return answer["TargetGroups"][0]["TargetGroupArn"]

    def listener(self, balancer, target_group):
        answer = self.elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )
        return answer["Listeners"][0]["ListenerArn"]

    def rule(self, listener, priority, target_group):
        answer = self.elb.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{priority}/*"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )
        return answer["Rules"][0]["RuleArn"]

    def way_in(self):
        """A load balancer with a listener: its VPC, ARN, listener and target group."""
        vpc = self.vpc()
        balancer = self.balancer(self.two_subnets(vpc), self.group(vpc))
        target_group = self.target_group(vpc)
        return vpc, balancer, self.listener(balancer, target_group), target_group

    def db_subnet_group(self, subnets):
        name = self.name("db-subnets")
        self.rds.create_db_subnet_group(
            DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=subnets
        )
        return name

    def database(self, group=None, **more):
        """A database in subnets of its own; its identifier."""
        vpc = self.vpc()
        name = self.name("db")
        more.setdefault("EngineVersion", "16")
        more.setdefault("ManageMasterUserPassword", True)
        self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="app",
            DBSubnetGroupName=group or self.db_subnet_group(self.two_subnets(vpc)),
            **more,
        )
        return name

    def db(self, name):
        return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def cluster(self):
        """A Redis: its id, its subnet group and its security group."""
        vpc = self.vpc()
        name, group = self.name("cache"), self.group(vpc)
        subnets = self.name("cache-subnets")
        self.cache.create_cache_subnet_group(
            CacheSubnetGroupName=subnets,
            CacheSubnetGroupDescription=subnets,
            SubnetIds=self.two_subnets(vpc),
        )
        self.cache.create_cache_cluster(
            CacheClusterId=name,
            Engine="redis",
            EngineVersion="7.1",
            CacheNodeType="cache.t3.micro",
            NumCacheNodes=1,
            PreferredAvailabilityZone=f"{REGION}b",
            CacheSubnetGroupName=subnets,
            SecurityGroupIds=[group],
            Tags=[{"Key": "colour", "Value": "blue"}],
        )
        return name, subnets, group

    def cluster_described(self, name):
        answer = self.cache.describe_cache_clusters(CacheClusterId=name, ShowCacheNodeInfo=True)
        return answer["CacheClusters"][0]


def permission(port, cidr=None, source=None):
    """One rule over TCP, by address block or by group."""
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    if cidr:
        rule["IpRanges"] = [{"CidrIp": cidr}]
    if source:
        rule["UserIdGroupPairs"] = [{"GroupId": source}]
    return rule


def equal(found, wanted, what="value"):
    assert found == wanted, f"{what} is {found!r}; on AWS {wanted!r}"
