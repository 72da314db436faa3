"""EC2 instances, their volumes and images."""

import base64
import ipaddress

from botocore.exceptions import ClientError

from .world import AMI_PARAMETER, REGION, REPAIRED, RIGHT, UNCHECKED, equal, fact, refused

ROOT = "/dev/xvda"


def tags(kind, **pairs):
    return {"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in pairs.items()]}


def root(size=8, kind="gp3", encrypted=True):
    ebs = {"VolumeSize": size, "VolumeType": kind, "Encrypted": encrypted, "DeleteOnTermination": True}
    return [{"DeviceName": ROOT, "Ebs": ebs}]


def volumes(world, instance):
    wanted = [{"Name": "attachment.instance-id", "Values": [instance]}]
    return world.ec2.describe_volumes(Filters=wanted)["Volumes"]


def user_data(world, instance):
    answer = world.ec2.describe_instance_attribute(InstanceId=instance, Attribute="userData")
    return base64.b64decode(answer["UserData"].get("Value", "")).decode()


@fact("SSM: the public parameter for Amazon Linux 2023 names an image that DescribeImages knows", RIGHT, RIGHT)
def image(world):
    ami = world.ssm.get_parameter(Name=AMI_PARAMETER)["Parameter"]["Value"]
    answer = world.ssm.get_parameters(Names=[AMI_PARAMETER])["Parameters"]
    equal([parameter["Value"] for parameter in answer], [ami], "GetParameters")
    found = world.ec2.describe_images(ImageIds=[ami])["Images"][0]
    equal(found["RootDeviceName"], ROOT, "RootDeviceName")
    mapping = found["BlockDeviceMappings"][0]
    equal(mapping["DeviceName"], ROOT, "BlockDeviceMappings")


@fact("DescribeImages: an unknown image is InvalidAMIID.NotFound", RIGHT, REPAIRED)
def unknown_image(world):
    with refused("InvalidAMIID.NotFound"):
        world.ec2.describe_images(ImageIds=["ami-00000000000000bad"])


@fact("RunInstances: a used ClientToken is answered with the first result", REPAIRED, REPAIRED)
def client_token(world):
    vpc, subnet, group = world.home()
    first = world.instance(subnet, group, ClientToken="once-and-only")
    equal(world.instance(subnet, group, ClientToken="once-and-only"), first, "second answer")
    equal(world.instances(vpc_id=vpc), [first], "instances")
    with refused("IdempotentParameterMismatch"):
        world.instance(subnet, group, ClientToken="once-and-only", KeyName="other")


@fact("RunInstances: NetworkInterfaces say subnet, groups and public address", REPAIRED, REPAIRED)
def network_interface(world):
    vpc, _, group = world.home()
    subnet = world.subnet(vpc, 2, "b")
    found = world.described(world.instance(subnet, group))
    equal(found["SubnetId"], subnet, "SubnetId")
    equal(found["VpcId"], vpc, "VpcId")
    equal([g["GroupId"] for g in found["SecurityGroups"]], [group], "SecurityGroups")
    equal(found["Placement"]["AvailabilityZone"], f"{REGION}b", "zone")
    assert found.get("PublicIpAddress"), "no public address"
    address = ipaddress.ip_address(found["PrivateIpAddress"])
    assert address in ipaddress.ip_network("10.0.2.0/24"), f"{address} lies outside the subnet"
    hidden = world.described(world.instance(subnet, group, public=False))
    assert not hidden.get("PublicIpAddress"), "a public address that nobody asked for"
    interface = found["NetworkInterfaces"][0]
    assert interface.get("Association", {}).get("PublicIp"), "the interface shows no public address"
    assert not hidden["NetworkInterfaces"][0].get("Association"), "the hidden interface shows a public address"


@fact("DescribeInstances: metadata options as launched", RIGHT, REPAIRED)
def metadata_options(world):
    _, subnet, group = world.home()
    options = {"HttpTokens": "required", "HttpEndpoint": "enabled"}
    found = world.described(world.instance(subnet, group, MetadataOptions=options))["MetadataOptions"]
    equal(found["HttpTokens"], "required", "HttpTokens")
    plain = world.described(world.instance(subnet, group))["MetadataOptions"]
    assert plain["HttpEndpoint"] == "enabled", plain


@fact("ModifyInstanceMetadataOptions: what is not named stays", REPAIRED, REPAIRED)
def modify_metadata_options(world):
    _, subnet, group = world.home()
    instance = world.instance(subnet, group, MetadataOptions={"HttpPutResponseHopLimit": 2})
    world.ec2.modify_instance_metadata_options(InstanceId=instance, HttpTokens="required")
    found = world.described(instance)["MetadataOptions"]
    equal(found["HttpTokens"], "required", "HttpTokens")
    equal(found["HttpPutResponseHopLimit"], 2, "HttpPutResponseHopLimit")
    equal(found["HttpEndpoint"], "enabled", "HttpEndpoint")


@fact("DescribeVolumes: one root volume of the size, type and encryption launched", RIGHT, REPAIRED)
def root_volume(world):
    _, subnet, group = world.home()
    specifications = [tags("instance", colour="blue"), tags("volume", colour="red")]
    instance = world.instance(
        subnet, group, BlockDeviceMappings=root(12), TagSpecifications=specifications
    )
    found = volumes(world, instance)
    equal(len(found), 1, "number of volumes")
    equal([found[0][k] for k in ("Size", "VolumeType", "Encrypted")], [12, "gp3", True], "volume")
    equal(found[0].get("Tags"), [{"Key": "colour", "Value": "red"}], "tags of the volume")
    described = world.described(instance)
    equal(described["Tags"], [{"Key": "colour", "Value": "blue"}], "tags of the instance")
    equal(described["RootDeviceName"], ROOT, "RootDeviceName")
    equal([m["DeviceName"] for m in described["BlockDeviceMappings"]], [ROOT], "mappings")


@fact("TerminateInstances: the root volume goes with its instance", RIGHT, REPAIRED)
def volume_goes(world):
    _, subnet, group = world.home()
    instance = world.instance(subnet, group, BlockDeviceMappings=root())
    world.ec2.terminate_instances(InstanceIds=[instance])
    equal(volumes(world, instance), [], "volumes")


@fact("TerminateInstances: the instance stays described for a while, terminated, with its tags", RIGHT, RIGHT)
def terminated(world):
    _, subnet, group = world.home()
    instance = world.instance(subnet, group, TagSpecifications=[tags("instance", colour="blue")])
    world.ec2.terminate_instances(InstanceIds=[instance])
    found = world.described(instance)
    equal(found["State"]["Name"], "terminated", "state")
    equal(found["Tags"], [{"Key": "colour", "Value": "blue"}], "tags")


@fact("DescribeInstances: a terminated instance has no security groups", RIGHT, REPAIRED)
def terminated_groups(world):
    _, subnet, group = world.home()
    instance = world.instance(subnet, group)
    world.ec2.terminate_instances(InstanceIds=[instance])
    equal(world.described(instance).get("SecurityGroups", []), [], "groups")


@fact("DescribeInstances: no KeyName where there is no key", RIGHT, REPAIRED)
def no_key(world):
    _, subnet, group = world.home()
    equal(world.described(world.instance(subnet, group)).get("KeyName"), None, "KeyName")


@fact("RunInstances: the state is `pending` at first", UNCHECKED, UNCHECKED)
def pending(world):
    _, subnet, group = world.home()
    equal(world.described(world.instance(subnet, group))["State"]["Name"], "pending", "state")


@fact("DescribeInstanceAttribute: user data as launched", RIGHT, REPAIRED)
def user_data_kept(world):
    _, subnet, group = world.home()
    equal(user_data(world, world.instance(subnet, group, UserData="#!/bin/sh\n")), "#!/bin/sh\n", "user data")


@fact("RunInstances: user data over 16 KB is refused", REPAIRED, REPAIRED)
def user_data_size(world):
    _, subnet, group = world.home()
    with refused("InvalidParameterValue"):
        world.instance(subnet, group, UserData="x" * 16385)


@fact("ModifyInstanceAttribute: the type changes, only while stopped", REPAIRED, REPAIRED)
def change_type(world):
    _, subnet, group = world.home()
    instance = world.instance(subnet, group)

    def change():
        world.ec2.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "t3.large"})

    with refused("IncorrectInstanceState"):
        change()
    world.ec2.stop_instances(InstanceIds=[instance])
    equal(world.described(instance)["State"]["Name"], "stopped", "state")
    change()
    equal(world.described(instance)["InstanceType"], "t3.large", "type")
    world.ec2.start_instances(InstanceIds=[instance])
    equal(world.described(instance)["State"]["Name"], "running", "state")


@fact("ModifyInstanceAttribute: security groups, as DescribeInstances then shows", REPAIRED, REPAIRED)
def change_groups(world):
    vpc, subnet, group = world.home()
    instance, other = world.instance(subnet, group), world.group(vpc)
    world.ec2.modify_instance_attribute(InstanceId=instance, Groups=[other])
    found = world.described(instance)
    equal([g["GroupId"] for g in found["SecurityGroups"]], [other], "SecurityGroups")
    interface = found["NetworkInterfaces"][0]
    equal([g["GroupId"] for g in interface["Groups"]], [other], "groups of the interface")


@fact("DescribeInstances: filters by VPC, subnet, group, state and tag", REPAIRED, REPAIRED)
def filters(world):
    (vpc, subnet, group), (_, other_subnet, other_group) = world.home(), world.home()
    ours = world.instance(subnet, group, TagSpecifications=[tags("instance", colour=vpc)])
    world.instance(other_subnet, other_group)
    equal(world.instances(vpc_id=vpc), [ours], "by vpc-id")
    equal(world.instances(subnet_id=subnet), [ours], "by subnet-id")
    equal(world.instances(**{"instance.group-id": group}), [ours], "by instance.group-id")
    equal(world.instances(**{"tag:colour": vpc}), [ours], "by tag")
    equal(world.instances(vpc_id=vpc, instance_state_name="stopped"), [], "by state")


@fact("DescribeInstances: MaxResults pages", RIGHT, UNCHECKED)
def paging(world):
    vpc, subnet, group = world.home()
    for _ in range(6):
        world.instance(subnet, group)
    wanted = [{"Name": "vpc-id", "Values": [vpc]}]
    answer = world.ec2.describe_instances(Filters=wanted, MaxResults=5)
    equal(len([i for r in answer["Reservations"] for i in r["Instances"]]), 5, "first page")
    assert answer.get("NextToken"), "no NextToken"


@fact("CreateTags: an `aws:` key is refused", UNCHECKED, UNCHECKED)
def reserved_tag(world):
    with refused("InvalidParameterValue"):
        world.ec2.create_tags(Resources=[world.vpc()], Tags=[{"Key": "aws:a", "Value": "b"}])


@fact("CreateTags: what doesn't exist is refused", UNCHECKED, UNCHECKED)
def tags_on_nothing(world):
    with refused("InvalidInstanceID.NotFound", "InvalidID"):
        world.ec2.create_tags(Resources=["i-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}])


@fact("RunInstances: an unknown subnet, group or image is refused", REPAIRED, REPAIRED)
def unknown_parts(world):
    _, subnet, group = world.home()
    for parts in (("subnet-0123456789abcdef0", group), (subnet, "sg-0123456789abcdef0")):
        try:
            world.instance(*parts)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            assert code.endswith(".NotFound"), f"{parts}: {code}"
        else:
            raise AssertionError(f"{parts} was accepted")
    good, world.ami = world.ami, "ami-00000000000000bad"
    try:
        with refused("InvalidAMIID.NotFound"):
            world.instance(subnet, group)
    finally:
        world.ami = good
