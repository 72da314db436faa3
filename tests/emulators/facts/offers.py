"""What AWS offers, how much of it, and whose leave there is: what a plan is held against before anything is changed."""

from .world import AMI_PARAMETER, REGION, REPAIRED, RIGHT, UNCHECKED, equal, fact


@fact("DescribeInstanceTypeOfferings: by zone, and none of a type that is not there", RIGHT, UNCHECKED)
def offered_by_zone(world):
    wanted = {"Name": "instance-type", "Values": ["t3.small", "t9.huge"]}
    found = world.ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=[wanted])
    found = {(one["InstanceType"], one["Location"]) for one in found["InstanceTypeOfferings"]}
    equal(found, {("t3.small", f"{REGION}{zone}") for zone in "abc"}, "offerings")


@fact("DescribeInstanceTypes: vCPUs and architectures, filtered by type", RIGHT, UNCHECKED)
def types_filtered(world):
    wanted = {"Name": "instance-type", "Values": ["t3.small", "t4g.small", "t9.huge"]}
    found = world.ec2.describe_instance_types(Filters=[wanted])["InstanceTypes"]
    found = {
        one["InstanceType"]: (one["VCpuInfo"]["DefaultVCpus"], one["ProcessorInfo"]["SupportedArchitectures"])
        for one in found
    }
    equal(found, {"t3.small": (2, ["x86_64"]), "t4g.small": (2, ["arm64"])}, "types")


@fact("DescribeImages: filtered by id, with the architecture", RIGHT, RIGHT)
def images_filtered(world):
    image = world.ssm.get_parameters(Names=[AMI_PARAMETER])["Parameters"][0]["Value"]
    wanted = {"Name": "image-id", "Values": [image, "ami-00000000000000000"]}
    found = world.ec2.describe_images(Filters=[wanted])["Images"]
    equal([(one["ImageId"], one["Architecture"]) for one in found], [(image, "x86_64")], "images")


@fact("DescribeImages: the root volume of Amazon Linux 2023 has 8 GiB", REPAIRED, RIGHT)
def root_volumes(world):
    image = world.ssm.get_parameters(Names=[AMI_PARAMETER])["Parameters"][0]["Value"]
    found = world.ec2.describe_images(ImageIds=[image])["Images"][0]
    sizes = {one["DeviceName"]: one["Ebs"]["VolumeSize"] for one in found["BlockDeviceMappings"]}
    equal(sizes[found["RootDeviceName"]], 8, "GiB")


@fact("DescribeDBEngineVersions: those of an engine", UNCHECKED, RIGHT)
def database_versions(world):
    found = world.rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
    majors = {one["EngineVersion"].split(".")[0] for one in found}
    assert {"16", "17"} <= majors, majors


@fact("DescribeOrderableDBInstanceOptions: an option for each type of disk, none of an unknown class", UNCHECKED, REPAIRED)
def database_orders(world):
    def disks(name):
        asked = {"Engine": "postgres", "EngineVersion": "16.8", "DBInstanceClass": name}
        found = world.rds.describe_orderable_db_instance_options(**asked)["OrderableDBInstanceOptions"]
        return {one["StorageType"] for one in found}

    equal(disks("db.t3.micro"), {"gp2", "gp3"}, "disks")
    equal(disks("db.t9.huge"), set(), "disks of none")


@fact("DescribeAccountAttributes of RDS: what is given, and what is used", UNCHECKED, UNCHECKED)
def database_room(world):
    found = world.rds.describe_account_attributes()["AccountQuotas"]
    assert "DBInstances" in {one["AccountQuotaName"] for one in found}, found


@fact("DescribeCacheEngineVersions: those of an engine", UNCHECKED, RIGHT)
def cache_versions(world):
    found = world.cache.describe_cache_engine_versions(Engine="redis")["CacheEngineVersions"]
    assert any(one["EngineVersion"].startswith("7.1") for one in found), found


@fact("DescribeReservedCacheNodesOfferings: the types of nodes there are", UNCHECKED, UNCHECKED)
def cache_nodes(world):
    found = world.cache.describe_reserved_cache_nodes_offerings()["ReservedCacheNodesOfferings"]
    assert "cache.t3.micro" in {one["CacheNodeType"] for one in found}, found


@fact("DescribeAccountLimits: how much of load balancing is given", RIGHT, UNCHECKED)
def balancing_room(world):
    found = {one["Name"] for one in world.elb.describe_account_limits()["Limits"]}
    assert {"application-load-balancers", "rules-per-application-load-balancer"} <= found, found


@fact("GetServiceQuota: VPCs, rules of a security group, security groups of an interface", RIGHT, UNCHECKED)
def quotas_of_networks(world):
    def quota(code):
        return world.quotas.get_service_quota(ServiceCode="vpc", QuotaCode=code)["Quota"]["Value"]

    found = [quota(code) for code in ("L-F678F1CE", "L-0EA8095F", "L-2AFB9258")]
    equal(found, [5, 60, 5], "quotas")


@fact("GetServiceQuota: vCPUs of standard instances", UNCHECKED, UNCHECKED)
def quota_of_machines(world):
    answer = world.quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")
    assert answer["Quota"]["Value"] > 0, answer
