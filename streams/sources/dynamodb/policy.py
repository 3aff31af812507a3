"""The least IAM policy: what reading one table's stream needs, and nothing more.

README shows what this makes; a test keeps them the same.
"""

import json
from typing import Any

READING = ("dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords")
DESCRIBING = "dynamodb:DescribeTable"
# Only the start page's list of tables needs it; no table can be named for it.
LISTING = "dynamodb:ListTables"


def least_policy(table: str, region: str, account: str = "") -> dict[str, Any]:
    """For a table by its name; an unknown account or region is any."""
    partition = "aws-cn" if region.startswith("cn-") else "aws"
    if region.startswith("us-gov-"):
        partition = "aws-us-gov"
    arn = f"arn:{partition}:dynamodb:{region or '*'}:{account or '*'}:table/{table}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": list(READING), "Resource": f"{arn}/stream/*"},
            {"Effect": "Allow", "Action": DESCRIBING, "Resource": arn},
        ],
    }


def spelled_policy(table: str, region: str, account: str = "") -> str:
    """The policy as people paste it."""
    return json.dumps(least_policy(table, region, account), indent=2)


def account_of(arn: str) -> str:
    """The account in an ARN; "" if there is none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else ""
