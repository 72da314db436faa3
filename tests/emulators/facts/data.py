"""RDS and ElastiCache."""

from .world import REGION, REPAIRED, RIGHT, UNCHECKED, equal, fact, refused


@fact("CreateDBInstance: what is asked for is described", RIGHT, RIGHT)
def database_as_asked(world):
    vpc = world.vpc()
    group, subnets = world.group(vpc), world.db_subnet_group(world.two_subnets(vpc))
    name = world.database(
        subnets,
        MultiAZ=True,
        StorageEncrypted=True,
        StorageType="gp3",
        PubliclyAccessible=False,
        BackupRetentionPeriod=7,
        DeletionProtection=True,
        DBName="shop",
        Port=5433,
        VpcSecurityGroupIds=[group],
        Tags=[{"Key": "colour", "Value": "blue"}],
    )
    found = world.db(name)
    for key, wanted in {
        "MultiAZ": True,
        "StorageEncrypted": True,
        "StorageType": "gp3",
        "PubliclyAccessible": False,
        "BackupRetentionPeriod": 7,
        "DeletionProtection": True,
        "DBName": "shop",
        "MasterUsername": "app",
        "TagList": [{"Key": "colour", "Value": "blue"}],
    }.items():
        equal(found.get(key), wanted, key)
    equal(found["Endpoint"]["Port"], 5433, "port")
    equal([g["VpcSecurityGroupId"] for g in found["VpcSecurityGroups"]], [group], "groups")
    equal(found["DBSubnetGroup"]["DBSubnetGroupName"], subnets, "subnet group")


@fact("CreateDBInstance: ManageMasterUserPassword gives a MasterUserSecret", RIGHT, REPAIRED)
def secret(world):
    found = world.db(world.database())["MasterUserSecret"]
    assert found["SecretArn"].startswith("arn:aws:secretsmanager:"), found
    equal(found["SecretStatus"], "active", "SecretStatus")


@fact("CreateDBInstance: each has a resource id of its own", REPAIRED, RIGHT)
def resource_id(world):
    first, second = (world.db(world.database())["DbiResourceId"] for _ in "12")
    assert first != second, f"both are {first}"


@fact("CreateDBInstance: `16` becomes a full version", REPAIRED, REPAIRED)
def version(world):
    found = world.db(world.database(EngineVersion="16"))["EngineVersion"]
    assert found.startswith("16."), f"version is {found!r}"


@fact("CreateDBInstance: the state is `creating` at first", UNCHECKED, UNCHECKED)
def creating(world):
    equal(world.db(world.database())["DBInstanceStatus"], "creating", "state")


@fact("ModifyDBInstance: without ApplyImmediately the change is pending", REPAIRED, RIGHT)
def pending(world):
    name = world.database()
    world.rds.modify_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.small")
    found = world.db(name)
    equal(found["DBInstanceClass"], "db.t3.micro", "class")
    equal(found["PendingModifiedValues"].get("DBInstanceClass"), "db.t3.small", "pending class")


@fact("ModifyDBInstance: changes wait together, and are made together with one asked for at once", REPAIRED, REPAIRED)
def pending_together(world):
    name = world.database()
    world.rds.modify_db_instance(DBInstanceIdentifier=name, DBInstanceClass="db.t3.small")
    world.rds.modify_db_instance(DBInstanceIdentifier=name, MultiAZ=True)
    found = world.db(name)["PendingModifiedValues"]
    equal(found, {"DBInstanceClass": "db.t3.small", "MultiAZ": True}, "what waits")
    world.rds.modify_db_instance(DBInstanceIdentifier=name, AllocatedStorage=30, ApplyImmediately=True)
    found = world.db(name)
    equal(found["PendingModifiedValues"], {}, "what waits")
    equal([found[k] for k in ("DBInstanceClass", "MultiAZ", "AllocatedStorage")], ["db.t3.small", True, 30], "made")


@fact("ModifyDBInstance: applied at once where asked", RIGHT, RIGHT)
def modified(world):
    name = world.database()
    world.rds.modify_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.small",
        MultiAZ=True,
        BackupRetentionPeriod=3,
        DeletionProtection=True,
        ApplyImmediately=True,
    )
    found = world.db(name)
    for key, wanted in {
        "DBInstanceClass": "db.t3.small",
        "MultiAZ": True,
        "BackupRetentionPeriod": 3,
        "DeletionProtection": True,
    }.items():
        equal(found[key], wanted, key)


def with_own_password(world, *group, **more):
    return world.database(*group, ManageMasterUserPassword=False, MasterUserPassword="made-for-a-test", **more)


@fact("ModifyDBInstance: gives the password away, and takes it back", RIGHT, REPAIRED)
def password_handed_over(world):
    name = world.database()
    given = {"ManageMasterUserPassword": False, "MasterUserPassword": "made-for-a-test"}
    world.rds.modify_db_instance(DBInstanceIdentifier=name, **given)
    assert "MasterUserSecret" not in world.db(name), "RDS still keeps it"
    world.rds.modify_db_instance(DBInstanceIdentifier=name, ManageMasterUserPassword=True)
    assert world.db(name)["MasterUserSecret"]["SecretArn"], "RDS does not keep it"


@fact("CreateDBInstanceReadReplica: as asked, without backups, with an endpoint and resource id of its own", REPAIRED, REPAIRED)
def replica_as_asked(world):
    vpc = world.vpc()
    group, subnets = world.group(vpc), world.db_subnet_group(world.two_subnets(vpc))
    name = with_own_password(world, subnets, BackupRetentionPeriod=7)
    asked = {"DBInstanceClass": "db.t3.small", "VpcSecurityGroupIds": [group]}
    world.rds.create_db_instance_read_replica(
        DBInstanceIdentifier=f"{name}-replica", SourceDBInstanceIdentifier=name, **asked
    )
    found, source = world.db(f"{name}-replica"), world.db(name)
    equal(found["ReadReplicaSourceDBInstanceIdentifier"], name, "source")
    equal(source["ReadReplicaDBInstanceIdentifiers"], [f"{name}-replica"], "replicas")
    equal(found["DBInstanceClass"], "db.t3.small", "class")
    equal(found["BackupRetentionPeriod"], 0, "backups")
    equal([g["VpcSecurityGroupId"] for g in found["VpcSecurityGroups"]], [group], "groups")
    assert found["DbiResourceId"] != source["DbiResourceId"], "one resource id"
    assert found["Endpoint"]["Address"] != source["Endpoint"]["Address"], "one endpoint"


@fact("CreateDBInstanceReadReplica: none of a password that RDS keeps, none without backups", REPAIRED, REPAIRED)
def replica_refused(world):
    for code, name in {
        "InvalidParameterCombination": world.database(BackupRetentionPeriod=7),
        "InvalidDBInstanceState": with_own_password(world, BackupRetentionPeriod=0),
    }.items():
        with refused(code):
            world.rds.create_db_instance_read_replica(
                DBInstanceIdentifier=f"{name}-replica", SourceDBInstanceIdentifier=name
            )


@fact("With read replicas RDS does not take the password back; a replica leaves no final snapshot", REPAIRED, REPAIRED)
def replica_stays(world):
    name = with_own_password(world, BackupRetentionPeriod=7)
    replica = f"{name}-replica"
    world.rds.create_db_instance_read_replica(DBInstanceIdentifier=replica, SourceDBInstanceIdentifier=name)
    with refused("InvalidParameterCombination"):
        world.rds.modify_db_instance(DBInstanceIdentifier=name, ManageMasterUserPassword=True)
    with refused("InvalidParameterCombination"):
        world.rds.delete_db_instance(DBInstanceIdentifier=replica, FinalDBSnapshotIdentifier="last")
    world.rds.delete_db_instance(DBInstanceIdentifier=replica, SkipFinalSnapshot=True)
    equal(world.db(name).get("ReadReplicaDBInstanceIdentifiers", []), [], "replicas")
    world.rds.modify_db_instance(DBInstanceIdentifier=name, ManageMasterUserPassword=True)


@fact("DeleteDBInstance: refused while deletion protection is on", RIGHT, RIGHT)
def protected(world):
    name = world.database(DeletionProtection=True)
    with refused("InvalidParameterCombination"):
        world.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)


@fact("DeleteDBInstance: wants a final snapshot's name or SkipFinalSnapshot", REPAIRED, REPAIRED)
def final_snapshot(world):
    name = world.database()
    with refused("InvalidParameterCombination"):
        world.rds.delete_db_instance(DBInstanceIdentifier=name)
    snapshot = f"{name}-final"
    world.rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=snapshot)
    with refused("DBInstanceNotFound"):
        world.db(name)
    found = world.rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
    equal([s["DBInstanceIdentifier"] for s in found], [name], "snapshot")


@fact("DeleteDBInstance: a taken snapshot name is DBSnapshotAlreadyExists", RIGHT, REPAIRED)
def snapshot_taken(world):
    name, other = world.database(), world.database()
    world.rds.delete_db_instance(DBInstanceIdentifier=name, FinalDBSnapshotIdentifier=f"{name}-final")
    with refused("DBSnapshotAlreadyExists"):
        world.rds.delete_db_instance(DBInstanceIdentifier=other, FinalDBSnapshotIdentifier=f"{name}-final")


@fact("DeleteDBSubnetGroup: refused while a database uses it", REPAIRED, REPAIRED)
def db_subnets_in_use(world):
    group = world.db_subnet_group(world.two_subnets(world.vpc()))
    name = world.database(group)
    with refused("InvalidDBSubnetGroupStateFault"):
        world.rds.delete_db_subnet_group(DBSubnetGroupName=group)
    world.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    world.rds.delete_db_subnet_group(DBSubnetGroupName=group)


@fact("DescribeDBInstances, DescribeDBSubnetGroups: unknown names are NotFound, tags by ListTagsForResource", RIGHT, RIGHT)
def rds_names(world):
    with refused("DBInstanceNotFound"):
        world.db("absent")
    with refused("DBSubnetGroupNotFoundFault"):
        world.rds.describe_db_subnet_groups(DBSubnetGroupName="absent")
    name = world.name("db-subnets")
    made = world.rds.create_db_subnet_group(
        DBSubnetGroupName=name,
        DBSubnetGroupDescription=name,
        SubnetIds=world.two_subnets(world.vpc()),
        Tags=[{"Key": "colour", "Value": "blue"}],
    )["DBSubnetGroup"]
    found = world.rds.list_tags_for_resource(ResourceName=made["DBSubnetGroupArn"])["TagList"]
    equal(found, [{"Key": "colour", "Value": "blue"}], "tags")


@fact("DescribeCacheClusters: zone, subnet group, security groups, ARN, tags as created", REPAIRED, REPAIRED)
def cluster_as_asked(world):
    name, subnets, group = world.cluster()
    found = world.cluster_described(name)
    equal(found["PreferredAvailabilityZone"], f"{REGION}b", "zone")
    equal(found["CacheSubnetGroupName"], subnets, "subnet group")
    equal([g["SecurityGroupId"] for g in found.get("SecurityGroups", [])], [group], "groups")
    equal([found["CacheNodeType"], found["NumCacheNodes"]], ["cache.t3.micro", 1], "nodes")
    tags = world.cache.list_tags_for_resource(ResourceName=found["ARN"])["TagList"]
    equal(tags, [{"Key": "colour", "Value": "blue"}], "tags")


@fact("DescribeCacheClusters: ShowCacheNodeInfo gives the node's endpoint", REPAIRED, RIGHT)
def endpoint(world):
    name, _, _ = world.cluster()
    nodes = world.cluster_described(name)["CacheNodes"]
    equal([node["Endpoint"]["Port"] for node in nodes], [6379], "ports")
    assert nodes[0]["Endpoint"]["Address"], "no address"
    equal(nodes[0]["CacheNodeId"], "0001", "CacheNodeId")


@fact("DescribeCacheClusters: no nodes without ShowCacheNodeInfo", RIGHT, REPAIRED)
def nodes_where_asked(world):
    name, _, _ = world.cluster()
    found = world.cache.describe_cache_clusters(CacheClusterId=name)["CacheClusters"][0]
    equal(found.get("CacheNodes", []), [], "nodes")


@fact("DescribeCacheClusters: no ReplicationGroupId where there is none", RIGHT, REPAIRED)
def no_replication_group(world):
    name, _, _ = world.cluster()
    equal(world.cluster_described(name).get("ReplicationGroupId"), None, "ReplicationGroupId")


@fact("CreateCacheCluster: `7.1` is reported as `7.1.0`", REPAIRED, REPAIRED)
def cache_version(world):
    name, _, _ = world.cluster()
    equal(world.cluster_described(name)["EngineVersion"], "7.1.0", "version")


@fact("CreateCacheCluster: the state is `creating` at first", UNCHECKED, UNCHECKED)
def cache_creating(world):
    name, _, _ = world.cluster()
    equal(world.cluster_described(name)["CacheClusterStatus"], "creating", "state")


@fact("ModifyCacheCluster: node type and security groups, as described then", REPAIRED, REPAIRED)
def cluster_modified(world):
    name, _, _ = world.cluster()
    other = world.group(world.vpc())
    world.cache.modify_cache_cluster(
        CacheClusterId=name, CacheNodeType="cache.t3.small", SecurityGroupIds=[other], ApplyImmediately=True
    )
    found = world.cluster_described(name)
    equal(found["CacheNodeType"], "cache.t3.small", "node type")
    equal([g["SecurityGroupId"] for g in found.get("SecurityGroups", [])], [other], "groups")


@fact("DeleteCacheCluster: the cluster is gone after a while", REPAIRED, RIGHT)
def cluster_goes(world):
    name, _, _ = world.cluster()
    world.cache.delete_cache_cluster(CacheClusterId=name)
    listed = [c["CacheClusterId"] for c in world.cache.describe_cache_clusters()["CacheClusters"]]
    assert name not in listed, f"{name} is still listed"
    with refused("CacheClusterNotFound"):
        world.cluster_described(name)


@fact("DeleteReplicationGroup: the group is gone after a while", REPAIRED, RIGHT)
def replication_group_goes(world):
    name = world.name("replicas")
    world.cache.create_replication_group(
        ReplicationGroupId=name, ReplicationGroupDescription=name, CacheNodeType="cache.t3.micro", Engine="redis"
    )
    world.cache.delete_replication_group(ReplicationGroupId=name)
    with refused("ReplicationGroupNotFoundFault"):
        world.cache.describe_replication_groups(ReplicationGroupId=name)


@fact("CreateReplicationGroup: as many nodes as asked, each a cluster called `GROUP-001` and on", REPAIRED, REPAIRED)
def replication_group_nodes(world):
    name = world.name("replicas")
    world.cache.create_replication_group(
        ReplicationGroupId=name,
        ReplicationGroupDescription=name,
        CacheNodeType="cache.t3.micro",
        Engine="redis",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
    )
    world.cache.increase_replica_count(ReplicationGroupId=name, NewReplicaCount=3, ApplyImmediately=True)
    world.cache.decrease_replica_count(ReplicationGroupId=name, NewReplicaCount=2, ApplyImmediately=True)
    found = world.cache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]
    wanted = [f"{name}-{number:03}" for number in (1, 2, 3)]
    equal(sorted(found["MemberClusters"]), wanted, "nodes")
    nodes = world.cache.describe_cache_clusters()["CacheClusters"]
    nodes = [node["CacheClusterId"] for node in nodes if node.get("ReplicationGroupId") == name]
    equal(sorted(nodes), wanted, "clusters")


@fact("DeleteCacheSubnetGroup: deletes; refused while a cluster uses it", REPAIRED, RIGHT)
def cache_subnets_go(world):
    name, subnets, _ = world.cluster()
    with refused("CacheSubnetGroupInUse"):
        world.cache.delete_cache_subnet_group(CacheSubnetGroupName=subnets)
    world.cache.delete_cache_cluster(CacheClusterId=name)
    world.cache.delete_cache_subnet_group(CacheSubnetGroupName=subnets)
    with refused("CacheSubnetGroupNotFoundFault"):
        world.cache.describe_cache_subnet_groups(CacheSubnetGroupName=subnets)


@fact("ModifyCacheSubnetGroup, ModifyDBSubnetGroup: subnets, as described then", REPAIRED, RIGHT)
def subnets_modified(world):
    vpc = world.vpc()
    three = [*world.two_subnets(vpc), world.subnet(vpc, 3, "a")]
    _, name, _ = world.cluster()
    world.cache.modify_cache_subnet_group(CacheSubnetGroupName=name, SubnetIds=three)
    found = world.cache.describe_cache_subnet_groups(CacheSubnetGroupName=name)["CacheSubnetGroups"][0]
    equal({s["SubnetIdentifier"] for s in found["Subnets"]}, set(three), "cache subnets")
    group = world.db_subnet_group(three[:2])
    world.rds.modify_db_subnet_group(DBSubnetGroupName=group, SubnetIds=three)
    found = world.rds.describe_db_subnet_groups(DBSubnetGroupName=group)["DBSubnetGroups"][0]
    equal({s["SubnetIdentifier"] for s in found["Subnets"]}, set(three), "database subnets")
