"""The least policy is written once; README shows the same."""

import json
import re
from pathlib import Path

from streams.sources.dynamodb.policy import account_of, least_policy, spelled_policy

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_readme_shows_the_policy_that_the_pages_make() -> None:
    shown = re.search(r"```json\n(.*?)```", README.read_text(), re.DOTALL)
    assert shown
    assert json.loads(shown[1]) == least_policy("orders", "eu-central-1", "123456789012")


def test_what_is_not_known_is_any() -> None:
    text = spelled_policy("orders", "", "")
    assert '"arn:aws:dynamodb:*:*:table/orders/stream/*"' in text


def test_other_partitions_have_other_arns() -> None:
    assert '"arn:aws-cn:dynamodb:cn-north-1:*:table/a"' in spelled_policy("a", "cn-north-1")
    assert '"arn:aws-us-gov:dynamodb:us-gov-east-1' in spelled_policy("a", "us-gov-east-1")


def test_the_account_of_an_arn() -> None:
    assert account_of("arn:aws:dynamodb:eu-central-1:123456789012:table/a") == "123456789012"
    assert account_of("arn:aws:dynamodb:ddblocal:000000000000:table/a") == "000000000000"
    assert account_of("") == ""
