"""moto's RDS and ElastiCache, repaired toward AWS."""

import copy
import uuid
from types import SimpleNamespace

from moto.core.responses import ActionResult
from moto.elasticache.exceptions import CacheSubnetGroupNotFound, ElastiCacheException
from moto.elasticache.models import CacheSubnetGroup, ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse
from moto.rds.exceptions import RDSClientError
from moto.rds.models import RDSBackend

from .common import around

# What a major version stands for. AWS's choice moves with time; any will do.
POSTGRES, REDIS = {"16": "16.8", "17": "17.4"}, {"7.1": "7.1.0", "7.0": "7.0.7"}


@around(RDSBackend, "create_db_instance")
def full_version(original, self, db_kwargs):
    """AWS makes a full version of a major one; moto keeps what it was given."""
    version = db_kwargs.get("engine_version")
    return original(self, {**db_kwargs, "engine_version": POSTGRES.get(version, version)})


@around(RDSBackend, "create_db_instance")
def resource_id(original, self, db_kwargs):
    """AWS gives each database a resource id of its own; moto the same one to all."""
    database = original(self, db_kwargs)
    database.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"
    return database


# What waits for the maintenance window unless ApplyImmediately is given.
WAITS = {
    "db_instance_class": "DBInstanceClass",
    "allocated_storage": "AllocatedStorage",
    "storage_type": "StorageType",
    "engine_version": "EngineVersion",
    "multi_az": "MultiAZ",
}


@around(RDSBackend, "modify_db_instance")
def modify_waits(original, self, db_instance_identifier, db_kwargs):
    """AWS makes a change in the maintenance window unless ApplyImmediately is given, and then with all that waits; moto
    makes it at once."""
    database = self.describe_db_instances(db_instance_identifier)[0]
    coming = getattr(database, "coming", {})
    if db_kwargs.pop("apply_immediately", False):
        db_kwargs = {**coming, **db_kwargs}
        coming = {}
    else:
        coming = {**coming, **{key: db_kwargs.pop(key) for key in WAITS if key in db_kwargs}}
    database = original(self, db_instance_identifier, db_kwargs)
    database.coming = coming
    database.pending_modified_values = {WAITS[key]: value for key, value in coming.items() if key in WAITS}
    return database


@around(RDSBackend, "create_db_instance_read_replica")
def replica_of_its_own(original, self, db_kwargs):
    """AWS wants backups of the source, and a password that RDS does not keep; the replica has a resource id of its own and
    no backups. moto copies whatever the source is."""
    source = self.find_db_from_id(db_kwargs["source_db_instance_identifier"])
    if getattr(source, "master_user_secret", None):
        raise RDSClientError("InvalidParameterCombination", "RDS manages the master password of the source.")
    if not source.backup_retention_period:
        raise RDSClientError("InvalidDBInstanceState", "Automated backups are not enabled for the source.")
    replica = original(self, db_kwargs)
    replica.dbi_resource_id = f"db-{uuid.uuid4().hex[:26].upper()}"
    replica.backup_retention_period = 0
    replica.coming, replica.pending_modified_values = {}, {}
    return replica


@around(RDSBackend, "modify_db_instance")
def password_of_replicas(original, self, db_instance_identifier, db_kwargs):
    """AWS keeps no password of a database with replicas; moto does."""
    database = self.describe_db_instances(db_instance_identifier)[0]
    if db_kwargs.get("manage_master_user_password") and database.replicas:
        raise RDSClientError("InvalidParameterCombination", "The database has read replicas.")
    return original(self, db_instance_identifier, db_kwargs)


@around(RDSBackend, "delete_db_instance")
def no_snapshot_of_replicas(original, self, db_instance_identifier, **options):
    """AWS takes no final snapshot of a replica; moto does."""
    database = self.databases.get(db_instance_identifier)
    if database and database.is_replica and options.get("final_db_snapshot_identifier"):
        raise RDSClientError("InvalidParameterCombination", "A replica leaves no final snapshot.")
    return original(self, db_instance_identifier=db_instance_identifier, **options)


@around(RDSBackend, "delete_db_instance")
def final_snapshot(original, self, db_instance_identifier, **options):
    """AWS wants a final snapshot's name or SkipFinalSnapshot; moto deletes all the same."""
    if not options.get("skip_final_snapshot") and not options.get("final_db_snapshot_identifier"):
        raise RDSClientError(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
        )
    return original(self, db_instance_identifier=db_instance_identifier, **options)


@around(RDSBackend, "delete_subnet_group")
def db_subnets_in_use(original, self, subnet_name):
    """AWS refuses to delete a subnet group in use; moto deletes it."""
    if any(database._db_subnet_group_name == subnet_name for database in self.databases.values()):
        raise RDSClientError(
            "InvalidDBSubnetGroupStateFault", f"Cannot delete the subnet group '{subnet_name}': it is in use."
        )
    return original(self, subnet_name)


@around(RDSBackend, "modify_db_subnet_group")
def modified_group_stays(original, self, subnet_name, description, subnets):
    """AWS keeps a subnet group that is modified; moto forgets it."""
    self.subnet_groups[subnet_name] = original(self, subnet_name, description, subnets)
    return self.subnet_groups[subnet_name]


@around(ElastiCacheBackend, "create_cache_cluster")
def full_cache_version(original, self, **settings):
    """AWS reports `7.1` as `7.1.0`; moto as it was given."""
    version = settings.get("engine_version")
    return original(self, **{**settings, "engine_version": REDIS.get(version, version)})


@around(ElastiCacheResponse, "describe_cache_clusters")
def cluster_in_full(_, self):
    """AWS reports security groups, the nodes where asked, and those of replication groups; moto none of these."""
    wanted = self._get_param("CacheClusterId")
    nodes = [node for node in nodes_of_groups(self.elasticache_backend) if wanted in (None, node.cache_cluster_id)]
    clusters = nodes if wanted and nodes else self.elasticache_backend.describe_cache_clusters(cache_cluster_id=wanted)
    clusters = clusters if wanted else [*clusters, *nodes]
    with_nodes = self._get_bool_param("ShowCacheNodeInfo")
    return ActionResult({"CacheClusters": [in_full(cluster, self.region, with_nodes) for cluster in clusters]})


def nodes_of_groups(backend):
    for group in backend.replication_groups.values():
        for name in group.member_clusters:
            yield SimpleNamespace(
                cache_cluster_id=name,
                cache_cluster_status="available",
                replication_group_id=group.replication_group_id,
                arn=group.arn.replace(f":replicationgroup:{group.replication_group_id}", f":cluster:{name}"),
                engine=group.engine,
                engine_version=REDIS.get(group.engine_version, group.engine_version),
                cache_node_type=group.cache_node_type,
                num_cache_nodes=1,
                port=group.port,
                preferred_availability_zone=None,
                cache_subnet_group_name=group.cache_subnet_group_name,
                security_group_ids=group.security_group_ids or [],
            )


def count_nodes(group, wanted):
    group.member_clusters = [f"{group.replication_group_id}-{number:03}" for number in range(1, wanted + 1)]


def replicas_counted(self):
    group = self.elasticache_backend.describe_replication_groups(self._get_param("ReplicationGroupId"))[0]
    count_nodes(group, self._get_int_param("NewReplicaCount") + 1)
    return ActionResult({"ReplicationGroup": group})


@around(ElastiCacheBackend, "create_replication_group")
def nodes_asked_for(original, self, **settings):
    """AWS makes as many nodes as NumCacheClusters says; moto one."""
    group = original(self, **settings)
    if settings.get("num_cache_clusters"):
        count_nodes(group, settings["num_cache_clusters"])
    return group


@around(ElastiCacheResponse, "increase_replica_count")
def more_replicas(_, self):
    """AWS has IncreaseReplicaCount; moto has not."""
    return replicas_counted(self)


@around(ElastiCacheResponse, "decrease_replica_count")
def fewer_replicas(_, self):
    """AWS has DecreaseReplicaCount; moto has not."""
    return replicas_counted(self)


def in_full(cluster, region, with_nodes):
    view = copy.copy(cluster)
    view.security_groups = [{"SecurityGroupId": group, "Status": "active"} for group in cluster.security_group_ids]
    if with_nodes:
        port = int(cluster.port)
        view.cache_nodes = [
            {
                "CacheNodeId": f"{number:04}",
                "CacheNodeStatus": "available",
                "Endpoint": {
                    "Address": f"{cluster.cache_cluster_id}.abc123.{number:04}.apse1.cache.amazonaws.com",
                    "Port": port,
                },
                "CustomerAvailabilityZone": cluster.preferred_availability_zone or f"{region}a",
            }
            for number in range(1, cluster.num_cache_nodes + 1)
        ]
    return view


@around(ElastiCacheResponse, "modify_cache_cluster")
def modify_cluster(_, self):
    """AWS has ModifyCacheCluster; moto has not."""
    name = self._get_param("CacheClusterId")
    cluster = self.elasticache_backend.describe_cache_clusters(cache_cluster_id=name)[0]
    for parameter, attribute in {
        "CacheNodeType": "cache_node_type",
        "EngineVersion": "engine_version",
        "SecurityGroupIds": "security_group_ids",
        "NumCacheNodes": "num_cache_nodes",
    }.items():
        value = self._get_param(parameter)
        if value is not None:
            setattr(cluster, attribute, REDIS.get(value, value) if parameter == "EngineVersion" else value)
    return ActionResult({"CacheCluster": in_full(cluster, self.region, with_nodes=False)})


@around(ElastiCacheBackend, "delete_cache_cluster")
def cluster_goes(original, self, cache_cluster_id):
    """On AWS `deleting` ends; in moto it does not."""
    cluster = original(self, cache_cluster_id)
    self.cache_clusters.pop(cache_cluster_id)
    return cluster


@around(ElastiCacheBackend, "delete_replication_group")
def replication_group_goes(original, self, replication_group_id, retain_primary_cluster):
    """The same for replication groups."""
    group = original(self, replication_group_id, retain_primary_cluster)
    self.replication_groups.pop(replication_group_id)
    return group


@around(ElastiCacheResponse, "delete_cache_subnet_group")
def delete_subnets(_, self):
    """AWS has DeleteCacheSubnetGroup, and refuses it while a cluster uses the group; moto has not."""
    backend, name = self.elasticache_backend, self._get_param("CacheSubnetGroupName")
    if name not in backend.cache_subnet_groups:
        raise CacheSubnetGroupNotFound(name)
    if any(cluster.cache_subnet_group_name == name for cluster in backend.cache_clusters.values()):
        raise ElastiCacheException("CacheSubnetGroupInUse", f"Cache subnet group {name} is in use by a cache cluster.")
    backend.cache_subnet_groups.pop(name)
    return ActionResult({})


@around(ElastiCacheResponse, "modify_cache_subnet_group")
def modify_subnets(_, self):
    """AWS has ModifyCacheSubnetGroup; moto has not."""
    backend, name = self.elasticache_backend, self._get_param("CacheSubnetGroupName")
    now = backend.describe_cache_subnet_groups(name)[0]
    changed = CacheSubnetGroup(
        backend.account_id,
        self.region,
        name,
        self._get_param("CacheSubnetGroupDescription") or now.cache_subnet_group_description,
        self._get_param("SubnetIds") or now.subnet_ids,
        now.tags,
    )
    backend.cache_subnet_groups[name] = changed
    return ActionResult({"CacheSubnetGroup": changed})
