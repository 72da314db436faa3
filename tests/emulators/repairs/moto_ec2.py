"""moto's EC2, repaired toward AWS."""

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.instances import Instance
from moto.ec2.responses.instances import InstanceResponse

from .common import REPAIRS, around

MAX_USER_DATA = 16384


def network_users(backend):
    """What stands in the VPC: what it is, its subnets and its security groups. A load balancer, database or cache
    holds network interfaces in its subnets."""
    from moto.elasticache.models import elasticache_backends
    from moto.elbv2.models import elbv2_backends
    from moto.rds.models import rds_backends

    account, region = backend.account_id, backend.region_name
    for instance in backend.all_instances():
        if instance.state != "terminated":
            yield instance.id, {instance.subnet_id}, {group.id for group in instance.security_groups}
    for balancer in elbv2_backends[account][region].load_balancers.values():
        yield balancer.name, {subnet.id for subnet in balancer.subnets}, set(balancer.security_groups)
    rds = rds_backends[account][region]
    for database in rds.databases.values():
        subnets = {subnet.id for subnet in getattr(database.db_subnet_group, "_subnets", [])}
        yield database.db_instance_identifier, subnets, set(database.vpc_security_group_ids)
    caches = elasticache_backends[account][region]
    for cluster in caches.cache_clusters.values():
        group = caches.cache_subnet_groups.get(cluster.cache_subnet_group_name)
        yield cluster.cache_cluster_id, set(group.subnet_ids if group else []), set(cluster.security_group_ids)


def violation(resource, user):
    return EC2ClientError("DependencyViolation", f"resource {resource} has a dependent object: {user}")


def root_volume(self):
    """AWS has 8 GiB for the root volume of Amazon Linux, as of most of Linux; moto has 15 for every image."""
    mappings = original_mappings.fget(self)
    for mapping in mappings:
        mapping["Ebs"]["VolumeSize"] = 8
    return mappings


original_mappings = Ami.block_device_mappings
Ami.block_device_mappings = property(root_volume)
REPAIRS.append(("Ami.block_device_mappings", root_volume))


@around(InstanceResponse, "run_instances")
def client_token(original, self):
    """AWS answers a used ClientToken with the first result, and refuses it with other parameters; moto launches
    again."""
    token = self._get_param("ClientToken")
    # The SDK signs and counts anew for each attempt; only the parameters make two requests the same.
    asked = {key: str(value) for key, value in self.data.items()}
    launched = self.ec2_backend.__dict__.setdefault("_launched_by_token", {})
    if token in launched:
        before, answer = launched[token]
        if before != asked:
            raise EC2ClientError("IdempotentParameterMismatch", f"{token} was used with other parameters")
        return answer
    answer = original(self)
    if token:
        launched[token] = (asked, answer)
    return answer


@around(EC2Backend, "run_instances")
def groups_of_interface(original, self, image_id, count, user_data, security_group_names, **kwargs):
    """AWS reports the first network interface's groups as the instance's, and refuses unknown ones; moto keeps them
    on the interface only, and makes up a group for an unknown id."""
    groups = [group for nic in kwargs.get("nics", []) for group in nic.pop("Groups", [])]
    kwargs["security_group_ids"] = kwargs.get("security_group_ids", []) + groups
    return original(self, image_id, count, user_data, security_group_names, **kwargs)


@around(InstanceResponse, "run_instances")
def user_data_size(original, self):
    """AWS refuses user data over 16 KB; moto takes any."""
    from base64 import b64decode

    if len(b64decode(self._get_param("UserData") or "")) > MAX_USER_DATA:
        raise EC2ClientError("InvalidParameterValue", "User data is limited to 16384 bytes")
    return original(self)


@around(EC2Backend, "modify_instance_security_groups")
def groups_follow(original, self, instance_id, new_group_id_list):
    """AWS sets the groups of the primary interface, which are the instance's; moto adds to the interface's."""
    instance = original(self, instance_id, new_group_id_list)
    instance.nics[0]._group_set = list(instance.security_groups)
    return instance


@around(EC2Backend, "modify_instance_attribute")
def type_while_stopped(original, self, instance_id, key, value):
    """AWS changes the type or the user data of a stopped instance only; moto of any."""
    instance = self.get_instance(instance_id)
    if key in ("instance_type", "user_data") and instance.state != "stopped":
        raise EC2ClientError(
            "IncorrectInstanceState", f"The instance '{instance_id}' is not in the 'stopped' state."
        )
    return original(self, instance_id, key, value)


@around(EC2Backend, "modify_instance_metadata_options")
def unnamed_options_stay(original, self, instance_id, **options):
    """AWS leaves alone the metadata options that are not named; moto resets them."""
    now = self.get_instance(instance_id).metadata_options
    fields = {
        "http_tokens": now.http_tokens,
        "hop_limit": now.http_put_response_hop_limit,
        "http_endpoint": now.http_endpoint,
        "http_protocol": now.http_protocol_ipv6,
        "metadata_tags": now.instance_metadata_tags,
    }
    for name, value in fields.items():
        if options.get(name) is None:
            options[name] = value
    return original(self, instance_id, **options)


@around(Instance, "terminate")
def groups_freed(original, self, *args, **kwargs):
    """AWS reports a terminated instance without groups and subnet, so neither is in use; moto keeps both."""
    answer = original(self, *args, **kwargs)
    self.security_groups = []
    return answer


@around(EC2Backend, "delete_security_group")
def group_in_use(original, self, name=None, group_id=None):
    """AWS refuses to delete a group that is in use or named by another group's rule; moto deletes it."""
    for user, _, groups in network_users(self):
        if group_id in groups:
            raise violation(group_id, user)
    for groups in self.groups.values():
        for other in groups.values():
            rules = other.ingress_rules + other.egress_rules
            if other.id != group_id and any(rule.source_group.get("GroupId") == group_id for rule in rules):
                raise violation(group_id, other.id)
    return original(self, name, group_id)


@around(EC2Backend, "delete_subnet")
def subnet_in_use(original, self, subnet_id):
    """AWS refuses to delete a subnet with network interfaces in it, and ends the associations of one that goes; moto
    does neither."""
    for user, subnets, _ in network_users(self):
        if subnet_id in subnets:
            raise violation(subnet_id, user)
    for table in self.route_tables.values():
        for key, subnet in list(table._associations.items()):
            if subnet == subnet_id:
                del table._associations[key]
    return original(self, subnet_id)


@around(EC2Backend, "associate_route_table")
def one_association(original, self, route_table_id, gateway_id=None, subnet_id=None):
    """AWS refuses a second route table for a subnet; moto answers with the association that is there."""
    for table in self.route_tables.values():
        if subnet_id and table.id != route_table_id and subnet_id in table._associations.values():
            raise EC2ClientError("Resource.AlreadyAssociated", f"{subnet_id} is associated already")
    return original(self, route_table_id, gateway_id=gateway_id, subnet_id=subnet_id)


@around(EC2Backend, "detach_internet_gateway")
def gateway_in_use(original, self, internet_gateway_id, vpc_id):
    """AWS refuses to detach a gateway while public addresses are mapped behind it; moto detaches it."""
    from moto.elbv2.models import elbv2_backends

    for instance in self.all_instances():
        if instance.vpc_id == vpc_id and instance.state != "terminated" and instance.public_ip:
            raise violation(vpc_id, instance.id)
    for balancer in elbv2_backends[self.account_id][self.region_name].load_balancers.values():
        if balancer.vpc_id == vpc_id and balancer.scheme != "internal":
            raise violation(vpc_id, balancer.name)
    return original(self, internet_gateway_id, vpc_id)
