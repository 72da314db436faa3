//! What no emulator answers, read from bodies that are as AWS documents them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::*;
use crate::aws::table;
use crate::model::question::{Leave, Quota};

/// Gives the bodies in their order, and keeps what was asked.
#[derive(Clone, Debug)]
struct Recorded {
    bodies: Arc<Mutex<VecDeque<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Recorded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        self.asked.lock().unwrap().push(body);
        let body = self.bodies.lock().unwrap().pop_front().expect("an answer to this call");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(
            200.try_into().unwrap(),
            SdkBody::from(body),
        )))
    }
}

/// The answer to a question where AWS says this, and what it was asked.
async fn answered(question: Question, bodies: &[&str]) -> (Result<Value, Fault>, Vec<String>) {
    let arn = "arn:aws:sts::123456789012:assumed-role/S3Access/Mary";
    let caller = Caller { account: "123456789012".to_owned(), arn: arn.to_owned() };
    let bodies = bodies.iter().map(ToString::to_string).collect();
    let recorded = Recorded { bodies: Arc::new(Mutex::new(bodies)), asked: Arc::default() };
    let connector = SharedHttpConnector::new(recorded.clone());
    let key = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "tests");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("ap-southeast-1"))
        .credentials_provider(SharedCredentialsProvider::new(key))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    // Of the rows that questions have, and no other.
    let aws = Aws::with("ap-southeast-1", &config, &Arc::new(table(OPERATIONS)), false);
    let answer = answer(&aws, &caller, &question).await;
    assert!(recorded.bodies.lock().unwrap().is_empty(), "all of it is read");
    if let Ok(answer) = &answer {
        assert!(question.fits(answer), "{question:?}: {answer}");
    }
    let asked = recorded.asked.lock().unwrap().clone();
    (answer, asked)
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeAccountAttributes.html>; its example calls the
/// list by the name of its type, the service's model as it is here.
#[tokio::test]
async fn how_many_databases_rds_gives_and_how_many_there_are() {
    let body = r#"<DescribeAccountAttributesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
  <DescribeAccountAttributesResult>
    <AccountQuotas>
      <AccountQuota><AccountQuotaName>DBInstances</AccountQuotaName><Used>22</Used><Max>40</Max></AccountQuota>
      <AccountQuota><AccountQuotaName>AllocatedStorage</AccountQuotaName><Used>1220</Used><Max>100000</Max></AccountQuota>
    </AccountQuotas>
  </DescribeAccountAttributesResult>
  <ResponseMetadata><RequestId>1a05ac94-95a2-11e4-8e4c-9b1c1b0e5d5c</RequestId></ResponseMetadata>
</DescribeAccountAttributesResponse>"#;
    let (answer, asked) = answered(Question::DatabaseRoom, &[body]).await;
    let expected = json!({
        "DBInstances": {"most": 40, "used": 22},
        "AllocatedStorage": {"most": 100_000, "used": 1220},
    });
    assert_eq!(answer.unwrap(), expected);
    assert!(asked[0].contains("Action=DescribeAccountAttributes"), "{asked:?}");
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeKeyPairs.html>
#[tokio::test]
async fn the_key_pairs_of_these_names_and_none_that_a_wildcard_finds() {
    let body = r#"<DescribeKeyPairsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
  <keySet>
    <item><keyPairId>key-0a1b2c3d4e5f67890</keyPairId><keyType>rsa</keyType><keyName>ops</keyName></item>
    <item><keyPairId>key-0b1b2c3d4e5f67890</keyPairId><keyType>rsa</keyType><keyName>ops-2</keyName></item>
  </keySet>
</DescribeKeyPairsResponse>"#;
    let names = ["ops", "ops*", r"a\b"].map(str::to_owned).into();
    let (answer, asked) = answered(Question::KeyPairs(names), &[body]).await;
    assert_eq!(answer.unwrap(), json!(["ops"]));
    assert!(asked[0].contains("Filter.1.Name=key-name"), "{asked:?}");
    assert!(asked[0].contains("=a%5C%5Cb"), "a backslash is escaped by another: {asked:?}");
}

/// <https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeReservedCacheNodesOfferings.html>
#[tokio::test]
async fn the_nodes_that_elasticache_reserves_page_by_page() {
    let page = |marker: &str, node: &str| {
        format!(
            r#"<DescribeReservedCacheNodesOfferingsResponse xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/">
  <DescribeReservedCacheNodesOfferingsResult>{marker}
    <ReservedCacheNodesOfferings>
      <ReservedCacheNodesOffering>
        <Duration>31536000</Duration>
        <OfferingType>Heavy Utilization</OfferingType>
        <RecurringCharges>
          <RecurringCharge>
            <RecurringChargeFrequency>Hourly</RecurringChargeFrequency>
            <RecurringChargeAmount>0.123</RecurringChargeAmount>
          </RecurringCharge>
        </RecurringCharges>
        <FixedPrice>162.0</FixedPrice>
        <ProductDescription>redis</ProductDescription>
        <UsagePrice>0.0</UsagePrice>
        <ReservedCacheNodesOfferingId>SampleOfferingId</ReservedCacheNodesOfferingId>
        <CacheNodeType>{node}</CacheNodeType>
      </ReservedCacheNodesOffering>
    </ReservedCacheNodesOfferings>
  </DescribeReservedCacheNodesOfferingsResult>
  <ResponseMetadata><RequestId>521b420a-2961-11e1-bd06-6fe008f046c3</RequestId></ResponseMetadata>
</DescribeReservedCacheNodesOfferingsResponse>"#
        )
    };
    let (first, last) =
        (page("<Marker>next</Marker>", "cache.t3.micro"), page("", "cache.m7g.large"));
    let (answer, asked) = answered(Question::CacheNodes, &[&first, &last]).await;
    assert_eq!(answer.unwrap(), json!(["cache.m7g.large", "cache.t3.micro"]));
    assert!(!asked[0].contains("Marker") && asked[1].contains("Marker=next"), "{asked:?}");
}

#[tokio::test]
async fn no_offering_at_all_is_no_answer() {
    let body = r#"<DescribeReservedCacheNodesOfferingsResponse xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/">
  <DescribeReservedCacheNodesOfferingsResult><ReservedCacheNodesOfferings/></DescribeReservedCacheNodesOfferingsResult>
</DescribeReservedCacheNodesOfferingsResponse>"#;
    let (answer, _) = answered(Question::CacheNodes, &[body]).await;
    assert_eq!(answer.unwrap_err().message, "it lists nothing");
}

/// <https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html>, and as the AWS CLI's
/// reference has it.
#[tokio::test]
async fn how_much_service_quotas_gives() {
    let body = r#"{
  "Quota": {
    "ServiceCode": "ec2",
    "ServiceName": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "QuotaArn": "arn:aws:servicequotas:ap-southeast-1:123456789012:ec2/L-1216C47A",
    "QuotaCode": "L-1216C47A",
    "QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    "Value": 512.0,
    "Unit": "None",
    "Adjustable": true,
    "GlobalQuota": false,
    "UsageMetric": {
      "MetricNamespace": "AWS/Usage",
      "MetricName": "ResourceCount",
      "MetricDimensions": {"Class": "Standard/OnDemand", "Resource": "vCPU", "Service": "EC2", "Type": "Resource"},
      "MetricStatisticRecommendation": "Maximum"
    }
  }
}"#;
    let (answer, asked) = answered(Question::Quota(Quota::Vcpus), &[body]).await;
    assert_eq!(answer.unwrap(), json!(512));
    let asked: Value = serde_json::from_str(&asked[0]).unwrap();
    assert_eq!(asked, json!({"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}));
}

#[tokio::test]
async fn a_quota_without_a_value_is_no_answer() {
    let body = r#"{"Quota": {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}}"#;
    let (answer, _) = answered(Question::Quota(Quota::Vpcs), &[body]).await;
    assert_eq!(answer.unwrap_err().message, "L-F678F1CE has no value");
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBEngineVersions.html>
#[tokio::test]
async fn what_rds_makes_of_a_version() {
    let body = r#"<DescribeDBEngineVersionsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
  <DescribeDBEngineVersionsResult>
    <DBEngineVersions>
      <DBEngineVersion>
        <Engine>postgres</Engine>
        <EngineVersion>16.8</EngineVersion>
        <Status>deprecated</Status>
        <ValidUpgradeTarget>
          <UpgradeTarget>
            <Engine>postgres</Engine><EngineVersion>16.9</EngineVersion><Description>PostgreSQL 16.9-R1</Description>
            <AutoUpgrade>true</AutoUpgrade><IsMajorVersionUpgrade>false</IsMajorVersionUpgrade>
          </UpgradeTarget>
          <UpgradeTarget>
            <Engine>postgres</Engine><EngineVersion>17.4</EngineVersion><Description>PostgreSQL 17.4-R1</Description>
            <AutoUpgrade>false</AutoUpgrade><IsMajorVersionUpgrade>true</IsMajorVersionUpgrade>
          </UpgradeTarget>
        </ValidUpgradeTarget>
        <DBParameterGroupFamily>postgres16</DBParameterGroupFamily>
      </DBEngineVersion>
    </DBEngineVersions>
  </DescribeDBEngineVersionsResult>
</DescribeDBEngineVersionsResponse>"#;
    let (engine, version) = ("postgres".to_owned(), "16.8".to_owned());
    let (answer, asked) = answered(Question::DatabaseUpgrades { engine, version }, &[body]).await;
    assert_eq!(answer.unwrap(), json!(["16.9", "17.4"]));
    // What runs may be one that nobody gets any more.
    assert!(asked[0].contains("EngineVersion=16.8&IncludeAll=true"), "{asked:?}");
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html>
#[tokio::test]
async fn an_image_has_the_size_of_its_root_volume_among_others() {
    let body = r#"<DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
  <imagesSet>
    <item>
      <imageId>ami-1a2b3c4d</imageId><imageState>available</imageState><architecture>x86_64</architecture>
      <rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/sda1</rootDeviceName>
      <blockDeviceMapping>
        <item><deviceName>/dev/sdb</deviceName><virtualName>ephemeral0</virtualName></item>
        <item><deviceName>/dev/sdf</deviceName><ebs><volumeSize>100</volumeSize></ebs></item>
        <item>
          <deviceName>/dev/sda1</deviceName>
          <ebs><snapshotId>snap-1234567890abcdef0</snapshotId><volumeSize>15</volumeSize><volumeType>gp2</volumeType></ebs>
        </item>
      </blockDeviceMapping>
    </item>
    <item>
      <imageId>ami-5e6f7a8b</imageId><architecture>arm64</architecture>
      <rootDeviceType>instance-store</rootDeviceType><blockDeviceMapping/>
    </item>
  </imagesSet>
</DescribeImagesResponse>"#;
    let images = ["ami-1a2b3c4d", "ami-5e6f7a8b"].map(str::to_owned).into();
    let (answer, _) = answered(Question::Images(images), &[body]).await;
    let expected = json!({
        "ami-1a2b3c4d": {"architecture": "x86_64", "root_volume_size": 15},
        "ami-5e6f7a8b": {"architecture": "arm64", "root_volume_size": null},
    });
    assert_eq!(answer.unwrap(), expected);
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>
const ROLE: &str = r#"<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <GetRoleResult>
    <Role>
      <Path>/application_abc/component_xyz/</Path>
      <Arn>arn:aws:iam::123456789012:role/application_abc/component_xyz/S3Access</Arn>
      <RoleName>S3Access</RoleName>
      <AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%7D</AssumeRolePolicyDocument>
      <CreateDate>2012-05-08T23:34:01Z</CreateDate>
      <RoleId>AROADBQP57FF2AEXAMPLE</RoleId>
    </Role>
  </GetRoleResult>
  <ResponseMetadata><RequestId>df37e965-9967-11e1-a4c3-270EXAMPLE04</RequestId></ResponseMetadata>
</GetRoleResponse>"#;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>
const SIMULATED: &str = r#"<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
  <SimulatePrincipalPolicyResult>
    <IsTruncated>false</IsTruncated>
    <EvaluationResults>
      <member>
        <MatchedStatements/><MissingContextValues/>
        <EvalResourceName>*</EvalResourceName>
        <EvalDecision>allowed</EvalDecision>
        <EvalActionName>rds:CreateDBSubnetGroup</EvalActionName>
      </member>
      <member>
        <MatchedStatements/><MissingContextValues/>
        <EvalResourceName>*</EvalResourceName>
        <EvalDecision>implicitDeny</EvalDecision>
        <EvalActionName>rds:CreateDBInstance</EvalActionName>
      </member>
      <member>
        <MatchedStatements/>
        <MissingContextValues><member>aws:MultiFactorAuthPresent</member></MissingContextValues>
        <EvalResourceName>*</EvalResourceName>
        <EvalDecision>implicitDeny</EvalDecision>
        <EvalActionName>rds:DeleteDBInstance</EvalActionName>
      </member>
    </EvaluationResults>
  </SimulatePrincipalPolicyResult>
  <ResponseMetadata><RequestId>1cdb5b0a-4c15-11e5-b121-bd8c7EXAMPLE</RequestId></ResponseMetadata>
</SimulatePrincipalPolicyResponse>"#;

/// The session's ARN has the role's name, but not its path, and IAM knows policies by the role's own ARN alone.
#[tokio::test]
async fn of_an_assumed_role_the_roles_policies_are_asked() {
    let leave = |action: &str| Leave {
        action: action.to_owned(),
        resources: BTreeSet::from(["*".to_owned()]),
        context: BTreeMap::new(),
    };
    let actions = ["rds:CreateDBSubnetGroup", "rds:CreateDBInstance", "rds:DeleteDBInstance"];
    let leaves = actions.map(leave).into();
    let (answer, asked) = answered(Question::Denied(leaves), &[ROLE, SIMULATED]).await;
    // What hangs on a condition that only the request tells is not denied for sure.
    assert_eq!(answer.unwrap(), json!(["rds:CreateDBInstance"]));
    assert!(
        asked[0].contains("Action=GetRole") && asked[0].contains("RoleName=S3Access"),
        "{asked:?}"
    );
    let source = "PolicySourceArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fapplication_abc%2Fcomponent_xyz%2FS3Access";
    assert!(asked[1].contains(source), "{asked:?}");
}
