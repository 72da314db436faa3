"""Raw AWS calls for tests: `raw.py ENDPOINT` answers a line of JSON with a line of JSON until its input ends.

    {"service": "ec2", "operation": "describe_vpcs", "parameters": {}}  ->  {"answer": {...}} or {"error": "...", "code": "..."}

Operations are named as boto3 names them; all pages of a listing come as one answer.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

REGION = "ap-southeast-1"


def clients(endpoint):
    made = {}

    def client(service):
        if service not in made:
            made[service] = boto3.client(
                service,
                endpoint_url=endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(retries={"total_max_attempts": 1}),
            )
        return made[service]

    return client


def call(client, operation, parameters):
    # A page size asked for is a page size meant.
    if client.can_paginate(operation) and "MaxResults" not in parameters:
        answer = client.get_paginator(operation).paginate(**parameters).build_full_result()
    else:
        answer = getattr(client, operation)(**parameters)
    answer.pop("ResponseMetadata", None)
    return answer


def main(endpoint):
    client = clients(endpoint)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            reply = {"answer": call(client(asked["service"]), asked["operation"], asked["parameters"])}
        except ClientError as error:
            reply = {"error": str(error), "code": error.response["Error"]["Code"]}
        except BotoCoreError as error:
            reply = {"error": str(error), "code": type(error).__name__}
        print(json.dumps(reply, default=str), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
