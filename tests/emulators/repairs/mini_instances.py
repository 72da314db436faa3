"""ministack's EC2 instances, volumes and images, repaired toward AWS."""

import base64
import ipaddress
import random
import re

from ministack.services import ec2

from .common import action, around

MAX_USER_DATA = 16384
TOKEN, PUBLIC, OPTIONS = "_token", "_public", "_metadata_options"
DEFAULT_OPTIONS = {
    "HttpTokens": "optional",
    "HttpEndpoint": "enabled",
    "HttpPutResponseHopLimit": "1",
    "HttpProtocolIpv6": "disabled",
    "InstanceMetadataTags": "disabled",
}
# What a request carries beside its parameters.
ENVELOPE = {"Action", "Version"}


def get(p, key, default=""):
    return ec2._p(p, key, default)


def missing(kind, resource):
    return ec2._error(f"{kind}.NotFound", f"The ID '{resource}' does not exist", 400)


def living(vpc=None):
    """Instances that are not terminated."""
    for instance in ec2._instances.values():
        if instance["State"]["Name"] != "terminated" and vpc in (None, instance["VpcId"]):
            yield instance


def known_images():
    return {image[0] for image in ec2._STUB_AMIS} | set(ec2._images)


def answer(instances):
    body = "".join(ec2._instance_xml(instance) for instance in instances)
    return ec2._xml(
        200,
        "RunInstancesResponse",
        f"<instancesSet>{body}</instancesSet><reservationId>r-{instances[0]['InstanceId'][2:]}</reservationId>"
        f"<ownerId>{ec2.get_account_id()}</ownerId><groupSet/>",
    )


@around(ec2, "_run_instances")
def shown_as_launched(original, p):
    """AWS places an instance in its subnet's zone and address range, gives a public address only where asked, and
    makes the root volume that the request describes; ministack has one answer for all."""
    before = set(ec2._instances)
    failed = original(p)
    made = [instance for key, instance in ec2._instances.items() if key not in before]
    if failed[0] != 200:
        return failed
    for instance in made:
        settle(p, instance)
    return answer(made)


def settle(p, instance):
    subnet = ec2._subnets[instance["SubnetId"]]
    instance["Placement"]["AvailabilityZone"] = subnet["AvailabilityZone"]
    taken = {other["PrivateIpAddress"] for other in living()}
    # AWS keeps the first four addresses and the last.
    free = [str(a) for a in list(ipaddress.ip_network(subnet["CidrBlock"]))[4:-1] if str(a) not in taken]
    instance["PrivateIpAddress"] = random.choice(free)
    instance["PrivateDnsName"] = f"ip-{instance['PrivateIpAddress'].replace('.', '-')}.ec2.internal"
    if p.get(PUBLIC) != "true":
        instance["PublicIpAddress"] = instance["PublicDnsName"] = ""
    given = {key: get(p, f"MetadataOptions.{key}") for key in DEFAULT_OPTIONS}
    instance[OPTIONS] = {key: given[key] or default for key, default in DEFAULT_OPTIONS.items()}
    for mapping in instance["BlockDeviceMappings"]:
        volume = ec2._volumes[mapping["Ebs"]["VolumeId"]]
        volume["AvailabilityZone"] = subnet["AvailabilityZone"]
        ebs = "BlockDeviceMapping.1.Ebs."
        volume["Size"] = int(get(p, ebs + "VolumeSize") or volume["Size"])
        volume["VolumeType"] = get(p, ebs + "VolumeType") or volume["VolumeType"]
        volume["Encrypted"] = get(p, ebs + "Encrypted") == "true"
        ec2._parse_tag_specs(p, "volume", volume["VolumeId"])


@around(ec2, "_run_instances")
def client_token(original, p):
    """AWS answers a used ClientToken with the first result, and refuses it with other parameters; ministack launches
    again."""
    token = get(p, "ClientToken")
    asked = {key: value for key, value in p.items() if key not in ENVELOPE}
    before = [i for i in ec2._instances.values() if token and i.get(TOKEN, (None,))[0] == token]
    if before and before[0][TOKEN][1] != asked:
        return ec2._error("IdempotentParameterMismatch", f"{token} was used with other parameters", 400)
    if before:
        return answer(before)
    known = set(ec2._instances)
    result = original(p)
    for key, instance in ec2._instances.items():
        if key not in known:
            instance[TOKEN] = (token, asked)
    return result


@around(ec2, "_run_instances")
def network_interface(original, p):
    """AWS takes subnet, groups and public address from the first network interface; ministack does not read it."""
    p, nic = dict(p), "NetworkInterface.1."
    if get(p, nic + "SubnetId"):
        p["SubnetId"] = get(p, nic + "SubnetId")
        for number, group in enumerate(ec2._parse_member_list(p, nic + "SecurityGroupId"), 1):
            p[f"SecurityGroupId.{number}"] = group
    subnet = ec2._subnets.get(get(p, "SubnetId"), {})
    by_subnet = "true" if subnet.get("MapPublicIpOnLaunch") else "false"
    p[PUBLIC] = get(p, nic + "AssociatePublicIpAddress") or by_subnet
    return original(p)


@around(ec2, "_run_instances")
def known_parts(original, p):
    """AWS refuses an unknown subnet, group or image, and user data over 16 KB; ministack takes any."""
    for key, kind, known in (
        ("SubnetId", "InvalidSubnetID", ec2._subnets),
        ("ImageId", "InvalidAMIID", known_images()),
    ):
        value = get(p, key) or get(p, f"NetworkInterface.1.{key}")
        if value and value not in known:
            return missing(kind, value)
    for prefix in ("SecurityGroupId", "NetworkInterface.1.SecurityGroupId"):
        for group in ec2._parse_member_list(p, prefix):
            if group not in ec2._security_groups:
                return missing("InvalidGroup", group)
    if len(base64.b64decode(get(p, "UserData"))) > MAX_USER_DATA:
        return ec2._error("InvalidParameterValue", "User data is limited to 16384 bytes", 400)
    return original(p)


@around(ec2, "_instance_xml")
def in_full(original, instance):
    """AWS describes metadata options and network interfaces, leaves out what is empty, and shows a terminated
    instance without its network; ministack does not."""
    gone = instance["State"]["Name"] == "terminated"
    shown = {**instance, "SecurityGroups": []} if gone else instance
    xml = original(shown)
    options = "".join(
        f"<{key[0].lower()}{key[1:]}>{value}</{key[0].lower()}{key[1:]}>"
        for key, value in instance.get(OPTIONS, DEFAULT_OPTIONS).items()
    )
    more = f"<metadataOptions><state>applied</state>{options}</metadataOptions>"
    if gone:
        xml = re.sub(r"<(subnetId|vpcId|ipAddress|privateIpAddress)>[^<]*</\1>", "", xml)
    else:
        more += f"<networkInterfaceSet>{interface(instance)}</networkInterfaceSet>"
    xml = re.sub(r"<(keyName|ipAddress|dnsName)></\1>", "", xml)
    return xml[: xml.rindex("</item>")] + more + "</item>"


def interface(instance):
    public = instance["PublicIpAddress"]
    association = f"<association><publicIp>{public}</publicIp></association>" if public else ""
    groups = "".join(
        f"<item><groupId>{group['GroupId']}</groupId><groupName>{group['GroupName']}</groupName></item>"
        for group in instance["SecurityGroups"]
    )
    return (
        f"<item><networkInterfaceId>eni-{instance['InstanceId'][2:]}</networkInterfaceId>"
        f"<subnetId>{instance['SubnetId']}</subnetId><vpcId>{instance['VpcId']}</vpcId><status>in-use</status>"
        f"<privateIpAddress>{instance['PrivateIpAddress']}</privateIpAddress>{association}"
        f"<attachment><deviceIndex>0</deviceIndex><status>attached</status></attachment>"
        f"<groupSet>{groups}</groupSet></item>"
    )


@around(ec2, "_matches_filters")
def filters(original, instance, wanted):
    """AWS filters instances by VPC, subnet and group; ministack takes such filters and ignores them."""
    groups = [group["GroupId"] for group in instance["SecurityGroups"]]
    values = {
        "vpc-id": [instance["VpcId"]],
        "subnet-id": [instance["SubnetId"]],
        "instance-id": [instance["InstanceId"]],
        "instance.group-id": groups,
        "network-interface.group-id": groups,
        "availability-zone": [instance["Placement"]["AvailabilityZone"]],
    }
    fits = all(set(values[name]) & set(wanted[name]) for name in values if name in wanted)
    return fits and original(instance, wanted)


@around(ec2, "_describe_instance_attribute")
def user_data_kept(original, p):
    """AWS gives user data back; ministack gives none."""
    instance = ec2._instances.get(get(p, "InstanceId"))
    if get(p, "Attribute") != "userData" or instance is None:
        return original(p)
    return ec2._xml(
        200,
        "DescribeInstanceAttributeResponse",
        f"<instanceId>{instance['InstanceId']}</instanceId>"
        f"<userData><value>{instance['UserData']}</value></userData>",
    )


@action(ec2, "ModifyInstanceAttribute")
def modify_attribute(p):
    """AWS has ModifyInstanceAttribute, and changes type and user data of a stopped instance only; ministack has it
    not."""
    instance = ec2._instances.get(get(p, "InstanceId"))
    if instance is None:
        return missing("InvalidInstanceID", get(p, "InstanceId"))
    for key in ("InstanceType", "UserData"):
        value = get(p, f"{key}.Value")
        if get(p, "Attribute").lower() == key.lower():
            value = get(p, "Value")
        if value and instance["State"]["Name"] != "stopped":
            return ec2._error(
                "IncorrectInstanceState", f"The instance '{instance['InstanceId']}' is not in the 'stopped' state.", 400
            )
        if value:
            instance[key] = value
    groups = ec2._parse_member_list(p, "GroupId")
    for group in groups:
        if group not in ec2._security_groups:
            return missing("InvalidGroup", group)
    if groups:
        names = {group: ec2._security_groups[group]["GroupName"] for group in groups}
        instance["SecurityGroups"] = [{"GroupId": group, "GroupName": names[group]} for group in groups]
    return ec2._xml(200, "ModifyInstanceAttributeResponse", "<return>true</return>")


@action(ec2, "ModifyInstanceMetadataOptions")
def modify_metadata_options(p):
    """AWS has ModifyInstanceMetadataOptions, and leaves alone what is not named; ministack has it not."""
    instance = ec2._instances.get(get(p, "InstanceId"))
    if instance is None:
        return missing("InvalidInstanceID", get(p, "InstanceId"))
    named = {key: get(p, key) for key in DEFAULT_OPTIONS if get(p, key)}
    instance[OPTIONS] = {**instance.get(OPTIONS, DEFAULT_OPTIONS), **named}
    return ec2._xml(
        200, "ModifyInstanceMetadataOptionsResponse", f"<instanceId>{instance['InstanceId']}</instanceId>"
    )


@around(ec2, "_terminate_instances")
def volumes_go(original, p):
    """AWS deletes the volumes that are marked to go with their instance; ministack keeps them."""
    result = original(p)
    gone = set(ec2._parse_member_list(p, "InstanceId")) if result[0] == 200 else set()
    for key, volume in list(ec2._volumes.items()):
        if any(a["InstanceId"] in gone and a["DeleteOnTermination"] for a in volume["Attachments"]):
            del ec2._volumes[key]
    return result


@around(ec2, "_describe_images")
def unknown_image(original, p):
    """AWS refuses an unknown image id; ministack leaves it out."""
    for image in ec2._parse_member_list(p, "ImageId"):
        if image not in known_images():
            return ec2._error("InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist", 400)
    return original(p)
