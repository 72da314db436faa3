"""ministack's RDS and ElastiCache, repaired toward AWS."""

from ministack.services import elasticache, rds

from .common import around

# What a major version stands for. AWS's choice moves with time; any will do.
POSTGRES, REDIS = {"16": "16.8", "17": "17.4"}, {"7.1": "7.1.0", "7.0": "7.0.7"}


def get(p, key, default=""):
    return rds._p(p, key, default)


def versioned(p, full):
    version = get(p, "EngineVersion")
    return {**p, "EngineVersion": full[version]} if version in full else p


def managed(name):
    account, region = rds.get_account_id(), rds.get_region()
    return {
        "SecretArn": f"arn:aws:secretsmanager:{region}:{account}:secret:rds!db-{name}",
        "SecretStatus": "active",
        "KmsKeyId": f"arn:aws:kms:{region}:{account}:key/aws-managed",
    }


@around(rds, "_describe_orderable_options")
def each_disk(original, p):
    """AWS lists an option for each type of disk; ministack one, of gp2."""
    status, headers, body = original(p)
    text = body.decode() if isinstance(body, bytes) else body
    option = "<OrderableDBInstanceOption>"
    begin, end = text.find(option), text.rfind("</OrderableDBInstanceOptions>")
    options = text[begin:end] if begin >= 0 else ""
    text = text[:end] + options.replace("<StorageType>gp2<", "<StorageType>gp3<") + text[end:]
    return status, headers, text.encode() if isinstance(body, bytes) else text


@around(rds, "_create_db_instance")
def secret(original, p):
    """AWS makes a secret where it manages the master password, and a full version of a major one; ministack neither."""
    result = original(versioned(p, POSTGRES))
    name = get(p, "DBInstanceIdentifier")
    if result[0] != 200 or get(p, "ManageMasterUserPassword") != "true":
        return result
    rds._instances[name]["MasterUserSecret"] = managed(name)
    return rds._single_instance_response("CreateDBInstanceResponse", "CreateDBInstanceResult", rds._instances[name])


@around(rds, "_instance_xml")
def secret_described(original, instance):
    """AWS describes that secret."""
    found = instance.get("MasterUserSecret", {})
    fields = "".join(f"<{key}>{value}</{key}>" for key, value in found.items())
    return original(instance) + (f"<MasterUserSecret>{fields}</MasterUserSecret>" if found else "")


@around(rds, "_modify_db_instance")
def all_that_waits(original, p):
    """With ApplyImmediately AWS makes all that waits, too, and what is asked for later joins what waits; ministack leaves
    the former waiting, and forgets it with the latter."""
    instance = rds._instances.get(get(p, "DBInstanceIdentifier"))
    if not instance:
        return original(p)
    waited = dict(instance.get("PendingModifiedValues") or {})
    at_once = get(p, "ApplyImmediately") == "true"
    instance["PendingModifiedValues"] = {}
    if at_once:
        instance.update(waited)
    result = original(p)
    if result[0] != 200:
        return result
    if not at_once:
        instance["PendingModifiedValues"] = {**waited, **instance["PendingModifiedValues"]}
    return rds._single_instance_response("ModifyDBInstanceResponse", "ModifyDBInstanceResult", instance)


def combination(why):
    return rds._error("InvalidParameterCombination", why, 400)


@around(rds, "_modify_db_instance")
def password_handed_over(original, p):
    """AWS gives the password away, and takes it back unless there are replicas; ministack does neither."""
    name, asked = get(p, "DBInstanceIdentifier"), get(p, "ManageMasterUserPassword")
    instance = rds._instances.get(name)
    if instance and asked == "true":
        if instance.get("ReadReplicaDBInstanceIdentifiers"):
            return combination("The database has read replicas.")
        instance["MasterUserSecret"] = managed(name)
    if instance and asked == "false":
        if not get(p, "MasterUserPassword"):
            return combination("MasterUserPassword is required.")
        instance.pop("MasterUserSecret", None)
    return original(p)


@around(rds, "_create_read_replica")
def replica_as_asked(original, p):
    """AWS wants backups of the source and a password that RDS does not keep, and gives the replica what is asked for and no
    backups; ministack copies the source."""
    source = rds._instances.get(get(p, "SourceDBInstanceIdentifier"), {})
    if source.get("MasterUserSecret"):
        return combination("RDS manages the master password of the source.")
    if source and not source["BackupRetentionPeriod"]:
        return rds._error("InvalidDBInstanceState", "Automated backups are not enabled for the source.", 400)
    result = original(p)
    if result[0] != 200:
        return result
    replica = rds._instances[get(p, "DBInstanceIdentifier")]
    groups = rds._parse_member_list(p, "VpcSecurityGroupIds")
    replica.update(
        BackupRetentionPeriod=0,
        PendingModifiedValues={},
        DBInstanceClass=get(p, "DBInstanceClass") or source["DBInstanceClass"],
        MultiAZ=get(p, "MultiAZ") == "true",
        DeletionProtection=get(p, "DeletionProtection") == "true",
        Endpoint={**source["Endpoint"], "Address": f"{get(p, 'DBInstanceIdentifier')}.{rds._MINISTACK_HOST}"},
        VpcSecurityGroups=[{"VpcSecurityGroupId": group, "Status": "active"} for group in groups],
    )
    return rds._single_instance_response(
        "CreateDBInstanceReadReplicaResponse", "CreateDBInstanceReadReplicaResult", replica
    )


@around(rds, "_delete_db_instance")
def replica_goes(original, p):
    """AWS takes no final snapshot of a replica, and forgets a replica that is gone; ministack takes one, and its source still
    names it."""
    name, snapshot = get(p, "DBInstanceIdentifier"), get(p, "FinalDBSnapshotIdentifier")
    source = rds._instances.get(name, {}).get("ReadReplicaSourceDBInstanceIdentifier")
    if source and snapshot:
        return combination("A replica leaves no final snapshot.")
    result = original(p)
    if result[0] == 200 and source in rds._instances:
        rds._instances[source]["ReadReplicaDBInstanceIdentifiers"].remove(name)
    return result


@around(rds, "_delete_db_instance")
def final_snapshot(original, p):
    """AWS wants a final snapshot's name that is free, or SkipFinalSnapshot; ministack deletes all the same."""
    name, skip = get(p, "FinalDBSnapshotIdentifier"), get(p, "SkipFinalSnapshot") == "true"
    if not skip and not name:
        return rds._error(
            "InvalidParameterCombination",
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            400,
        )
    if not skip and name in rds._snapshots:
        return rds._error("DBSnapshotAlreadyExists", f"Cannot create the snapshot {name}: it exists.", 400)
    return original(p)


@around(rds, "_delete_subnet_group")
def db_subnets_in_use(original, p):
    """AWS refuses to delete a subnet group in use; ministack deletes it."""
    name = get(p, "DBSubnetGroupName")
    if any(one["DBSubnetGroup"]["DBSubnetGroupName"] == name for one in rds._instances.values()):
        return rds._error(
            "InvalidDBSubnetGroupStateFault", f"Cannot delete the subnet group '{name}': it is in use.", 400
        )
    return original(p)


def groups(p):
    given = elasticache._extract_configs(p, "SecurityGroupIds", ("SecurityGroupId", "member"))
    return [{"SecurityGroupId": group, "Status": "active"} for group in given]


@around(elasticache, "_create_cache_cluster")
def cluster_as_asked(original, p):
    """AWS keeps a cluster's zone and security groups, and reports `7.1` as `7.1.0`; ministack forgets the former."""
    result = original(versioned(p, REDIS))
    if result[0] != 200:
        return result
    cluster = elasticache._clusters[get(p, "CacheClusterId")]
    cluster["SecurityGroups"] = groups(p)
    cluster["PreferredAvailabilityZone"] = get(p, "PreferredAvailabilityZone") or cluster["PreferredAvailabilityZone"]
    return elasticache._xml_cluster_response("CreateCacheClusterResponse", "CreateCacheClusterResult", cluster)


@around(elasticache, "_modify_cache_cluster")
def groups_modified(original, p):
    """AWS changes a cluster's security groups; ministack does not."""
    cluster = elasticache._clusters.get(get(p, "CacheClusterId"))
    if cluster and groups(p):
        cluster["SecurityGroups"] = groups(p)
    return original(versioned(p, REDIS))


def members_counted(original, p):
    result = original(p)
    group = elasticache._replication_groups.get(get(p, "ReplicationGroupId"))
    if result[0] != 200 or not group:
        return result
    old = group["MemberClusters"]
    shard = group["NodeGroups"][0]["NodeGroupMembers"]
    for number, member in enumerate(shard, 1):
        member["CacheClusterId"] = f"{group['ReplicationGroupId']}-{number:03}"
    group["MemberClusters"] = [member["CacheClusterId"] for member in shard]
    for name in group["MemberClusters"]:
        model = elasticache._clusters[old[0]]
        arn = elasticache._arn_cluster(name)
        elasticache._clusters.setdefault(name, {**model, "CacheClusterId": name, "CacheClusterArn": arn})
    for name in set(old) - set(group["MemberClusters"]):
        elasticache._clusters.pop(name, None)
    return result


@around(elasticache, "_increase_replica_count")
def more_replicas(original, p):
    """AWS makes clusters of the new replicas; ministack none."""
    return members_counted(original, p)


@around(elasticache, "_decrease_replica_count")
def fewer_replicas(original, p):
    """AWS takes the clusters of replicas away with them; ministack leaves them."""
    return members_counted(original, p)


@around(elasticache, "_create_replication_group")
def nodes_named(original, p):
    """AWS numbers the nodes of a group with one shard `GROUP-001`; ministack `GROUP-0001-001`."""
    result = original(p)
    return members_counted(lambda _: result, p) if result[0] == 200 else result


@around(elasticache, "_cluster_xml_inner")
def no_replication_group(original, cluster):
    """AWS leaves out the replication group of a cluster that has none; ministack gives an empty one."""
    return original(cluster).replace("<ReplicationGroupId></ReplicationGroupId>", "")


@around(elasticache, "_describe_cache_clusters")
def nodes_where_asked(original, p):
    """AWS describes nodes only where ShowCacheNodeInfo asks for them; ministack always."""
    if get(p, "ShowCacheNodeInfo") == "true":
        return original(p)
    kept = {name: cluster["CacheNodes"] for name, cluster in elasticache._clusters.items()}
    for cluster in elasticache._clusters.values():
        cluster["CacheNodes"] = []
    try:
        return original(p)
    finally:
        for name, nodes in kept.items():
            elasticache._clusters[name]["CacheNodes"] = nodes
