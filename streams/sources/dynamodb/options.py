"""What a DynamoDB stream's configuration may say."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from streams.errors import SourceRefused

_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}\Z")
_TABLE_ARN = re.compile(
    r"arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):[0-9]*:table/([A-Za-z0-9_.-]{3,255})"
)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]+\Z|[a-z]+\Z")


@dataclass(frozen=True)
class DynamoDBOptions:
    """`table` is required; an empty `region` means boto3's own default region."""

    table: str
    region: str = ""
    endpoint_url: str = ""
    role_arn: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "DynamoDBOptions":
        """Check the options; SourceRefused names the wrong one and how it is written."""
        unknown = set(given) - set(cls.__dataclass_fields__)
        if unknown:
            raise _wrong(
                f"Unknown option: {', '.join(sorted(unknown))}.",
                f"A DynamoDB stream has: {', '.join(cls.__dataclass_fields__)}.",
            )
        texts = {name: str(value or "").strip() for name, value in given.items()}
        if match := _TABLE_ARN.match(texts.get("table", "")):
            texts["region"] = texts.get("region") or match[1]
            texts["table"] = match[2]
        options = cls(**{"table": "", **texts})
        options._check()
        return options

    @classmethod
    def of_place(cls, given: Mapping[str, Any]) -> "DynamoDBOptions":
        """Options without a table, to ask what tables there are; SourceRefused as above."""
        options = cls(**{"table": "", **{k: str(v or "").strip() for k, v in given.items()}})
        options._check_place()
        return options

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    def _check(self) -> None:
        if not _TABLE.match(self.table):
            raise _wrong(
                f"{self.table!r} is no table name.",
                "A table name has 3 to 255 letters, digits, dots, dashes and underscores.",
            )
        self._check_place()

    def _check_place(self) -> None:
        if self.region and not _REGION.match(self.region):
            raise SourceRefused(
                f"{self.region!r} is no AWS region.",
                "Write the region like eu-central-1.",
                kind="wrong-region",
            )
        if self.endpoint_url and not _is_address(self.endpoint_url):
            raise _wrong(
                f"{self.endpoint_url!r} is no endpoint URL.",
                "Write it like http://127.0.0.1:8000, or leave it empty for AWS itself.",
            )
        if self.role_arn and not _ROLE_ARN.match(self.role_arn):
            raise _wrong(
                f"{self.role_arn!r} is no role ARN.",
                "Write it like arn:aws:iam::123456789012:role/deltawatch-reader.",
            )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


def _wrong(sentence: str, fix: str) -> SourceRefused:
    return SourceRefused(sentence, fix, kind="options")
