"""What the services run on: IAM, SSM, Route 53, ACM, and a machine's profile."""

import json

from .world import REGION, REPAIRED, RIGHT, UNCHECKED, equal, fact, refused

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}]}
)
TAGS = [{"Key": "colour", "Value": "blue"}]


def profile(world, path="/"):
    """A profile that holds a role of its own name."""
    name = world.name("role")
    world.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=TRUST, Tags=TAGS)
    answer = world.iam.create_instance_profile(InstanceProfileName=name, Path=path, Tags=TAGS)
    world.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name, answer["InstanceProfile"]["Arn"]


@fact("GetAccountAuthorizationDetails: tells a role's tags, inline policies and attached ones", RIGHT, RIGHT)
def roles_in_full(world):
    name, _ = profile(world)
    world.iam.put_role_policy(RoleName=name, PolicyName="one", PolicyDocument=POLICY)
    two = world.iam.create_policy(PolicyName=world.name("two"), PolicyDocument=POLICY)["Policy"]
    world.iam.attach_role_policy(RoleName=name, PolicyArn=two["Arn"])
    roles = world.iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
    found = next(role for role in roles if role["RoleName"] == name)
    equal(found["Tags"], TAGS, "tags")
    equal(found["AssumeRolePolicyDocument"], json.loads(TRUST), "trust")
    equal(
        found["RolePolicyList"], [{"PolicyName": "one", "PolicyDocument": json.loads(POLICY)}], "policies"
    )
    attached = [{"PolicyName": two["PolicyName"], "PolicyArn": two["Arn"]}]
    equal(found["AttachedManagedPolicies"], attached, "attached")


@fact("DeleteRole: refused while the role has an inline policy or is in a profile", RIGHT, RIGHT)
def role_in_use(world):
    name, _ = profile(world)
    with refused("DeleteConflict"):
        world.iam.delete_role(RoleName=name)
    world.iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    world.iam.put_role_policy(RoleName=name, PolicyName="one", PolicyDocument=POLICY)
    with refused("DeleteConflict"):
        world.iam.delete_role(RoleName=name)


@fact("DeleteRole: refused while a policy is attached to the role", RIGHT, RIGHT)
def role_with_attached(world):
    name = world.name("role")
    world.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    policy = world.iam.create_policy(PolicyName=world.name("two"), PolicyDocument=POLICY)["Policy"]["Arn"]
    world.iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    with refused("DeleteConflict"):
        world.iam.delete_role(RoleName=name)


@fact("DeleteInstanceProfile: refused while it holds a role", RIGHT, RIGHT)
def profile_with_role(world):
    name, _ = profile(world)
    with refused("DeleteConflict"):
        world.iam.delete_instance_profile(InstanceProfileName=name)


@fact("ListInstanceProfiles: filtered by path, without tags", REPAIRED, REPAIRED)
def profiles_listed(world):
    profile(world)
    path = f"/{world.name('path')}/"
    name, _ = profile(world, path)
    found = world.iam.list_instance_profiles(PathPrefix=path)["InstanceProfiles"]
    equal([one["InstanceProfileName"] for one in found], [name], "profiles")
    equal([role["RoleName"] for role in found[0]["Roles"]], [name], "roles")
    equal(found[0].get("Tags", []), [], "tags")


@fact("ListInstanceProfileTags: tells them", REPAIRED, RIGHT)
def profile_tags(world):
    name, _ = profile(world)
    equal(world.iam.list_instance_profile_tags(InstanceProfileName=name)["Tags"], TAGS, "tags")


@fact("RunInstances: a profile that is not there is an invalid value", REPAIRED, REPAIRED)
def no_profile(world):
    _, subnet, group = world.home()
    with refused("InvalidParameterValue"):
        world.instance(subnet, group, IamInstanceProfile={"Arn": "arn:aws:iam::1:instance-profile/none"})


@fact("ReplaceIamInstanceProfileAssociation: the instance is described with the new one", REPAIRED, RIGHT)
def replaced(world):
    _, subnet, group = world.home()
    (_, first), (_, second) = profile(world), profile(world)
    instance = world.instance(subnet, group, IamInstanceProfile={"Arn": first})
    equal(world.described(instance)["IamInstanceProfile"]["Arn"], first, "first")
    wanted = [{"Name": "instance-id", "Values": [instance]}]
    answer = world.ec2.describe_iam_instance_profile_associations(Filters=wanted)
    [association] = answer["IamInstanceProfileAssociations"]
    world.ec2.replace_iam_instance_profile_association(
        AssociationId=association["AssociationId"], IamInstanceProfile={"Arn": second}
    )
    equal(world.described(instance)["IamInstanceProfile"]["Arn"], second, "second")


@fact("CreateListener: only one of HTTPS has a TLS policy", REPAIRED, RIGHT)
def no_tls(world):
    _, _, listener, _ = world.way_in()
    found = world.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]
    equal(found.get("SslPolicy"), None, "policy")


@fact("CreateListener: HTTPS without a certificate is refused", UNCHECKED, UNCHECKED)
def no_certificate(world):
    vpc = world.vpc()
    balancer = world.balancer(world.two_subnets(vpc), world.group(vpc))
    forward = [{"Type": "forward", "TargetGroupArn": world.target_group(vpc)}]
    with refused("ValidationError", "InvalidParameter"):
        world.elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTPS", Port=443, DefaultActions=forward
        )


@fact("DescribeParameters: filtered by tag", RIGHT, REPAIRED)
def parameters_by_tag(world):
    name, other, mark = f"/{world.name('p')}", f"/{world.name('p')}", world.name("mark")
    world.ssm.put_parameter(
        Name=name, Value="1", Type="String", Description="one", Tags=[{"Key": "mark", "Value": mark}]
    )
    world.ssm.put_parameter(Name=other, Value="1", Type="String")
    found = world.ssm.describe_parameters(ParameterFilters=[{"Key": "tag:mark", "Values": [mark]}])["Parameters"]
    equal([(one["Name"], one["Description"]) for one in found], [(name, "one")], "parameters")


@fact("DescribeParameters: as many a page as asked, up to 50", REPAIRED, RIGHT)
def parameters_a_page(world):
    mark = world.name("mark")
    for _ in range(12):
        world.ssm.put_parameter(
            Name=f"/{world.name('p')}", Value="1", Type="String", Tags=[{"Key": "mark", "Value": mark}]
        )
    wanted = [{"Key": "tag:mark", "Values": [mark]}]
    answer = world.ssm.describe_parameters(ParameterFilters=wanted, MaxResults=50)
    equal((len(answer["Parameters"]), answer.get("NextToken")), (12, None), "page")


@fact("PutParameter: refused where it exists, unless it may overwrite", RIGHT, RIGHT)
def parameter_there(world):
    name = f"/{world.name('p')}"
    world.ssm.put_parameter(Name=name, Value="1", Type="String")
    with refused("ParameterAlreadyExists"):
        world.ssm.put_parameter(Name=name, Value="2", Type="String")
    world.ssm.put_parameter(Name=name, Value="2", Type="String", Overwrite=True)
    equal(world.ssm.get_parameters(Names=[name])["Parameters"][0]["Value"], "2", "value")


@fact("ChangeResourceRecordSets: all of a batch or nothing", RIGHT, RIGHT)
def batch(world):
    zone = world.route53.create_hosted_zone(Name="a.example", CallerReference=world.name("zone"))
    zone = zone["HostedZone"]["Id"]

    def create(*names):
        sets = [
            {"Name": f"{name}.a.example", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"a"'}]}
            for name in names
        ]
        changes = [{"Action": "CREATE", "ResourceRecordSet": one} for one in sets]
        world.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    create("one")
    with refused("InvalidChangeBatch"):
        create("two", "one")
    sets = world.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    equal([one["Name"] for one in sets if one["Type"] == "TXT"], ["one.a.example."], "records")


@fact("ChangeResourceRecordSets: a record that is there is not created", REPAIRED, RIGHT)
def record_there(world):
    zone = world.route53.create_hosted_zone(Name="b.example", CallerReference=world.name("zone"))["HostedZone"]["Id"]

    def create(address):
        record = {"Name": "b.example", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": address}]}
        changes = [{"Action": "CREATE", "ResourceRecordSet": record}]
        world.route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})

    create("192.0.2.1")
    with refused("InvalidChangeBatch"):
        create("192.0.2.2")


@fact("RequestCertificate: not issued before it is validated", RIGHT, UNCHECKED)
def certificate_pending(world):
    arn = world.acm.request_certificate(DomainName="a.example", ValidationMethod="DNS")["CertificateArn"]
    found = world.acm.describe_certificate(CertificateArn=arn)["Certificate"]
    equal(found["Status"], "PENDING_VALIDATION", f"status in {REGION}")
