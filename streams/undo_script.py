"""The text of an undo plan's script. Plain Python."""

SCRIPT = '''\
"""Brings one item back to an earlier version, if nobody has changed it since. Made by Deltawatch.

    python undo.py          says what it would write
    python undo.py --run    writes it
"""
{said}

import base64
import json
import sys

import boto3
from botocore.exceptions import ClientError

{facts}
REQUEST = json.loads(r\'\'\'{request}\'\'\')


def with_binaries(value):
    """boto3 takes binaries as bytes, JSON has them in base64."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {{kind: base64.b64decode(content)}}
    if kind == "BS":
        return {{kind: [base64.b64decode(member) for member in content]}}
    if kind == "M":
        return {{kind: {{name: with_binaries(member) for name, member in content.items()}}}}
    if kind == "L":
        return {{kind: [with_binaries(member) for member in content]}}
    return value


def main():
    request = dict(REQUEST)
    for part in ("Item", "Key", "ExpressionAttributeValues"):
        if part in request:
            request[part] = {{name: with_binaries(value) for name, value in request[part].items()}}
    print(OPERATION, json.dumps(REQUEST, indent=1))
    if "--run" not in sys.argv[1:]:
        print("Nothing was written. Run it with --run to write.")
        return 0
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=ENDPOINT_URL)
    write = client.put_item if OPERATION == "PutItem" else client.delete_item
    try:
        write(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        print("Not written: the item is no longer as it was when the plan was made.")
        return 1
    print("Written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''
