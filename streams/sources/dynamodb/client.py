"""Calls to DynamoDB and DynamoDB Streams: the only file here that knows boto3.

boto3 gives what it is best at: the credential chain, role assumption, endpoints and the signature.
The call itself goes straight over connections.py, because a poller makes hundreds a second: through
a boto3 client one costs 2 ms of CPU, and its parser makes 8,000 records a second.
"""

import json
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError, ClientError

from streams.errors import SourceError, SourceRefused, SourceUnavailable
from streams.sources import agent
from streams.sources.dynamodb.connections import Connections, NoAnswer
from streams.sources.dynamodb.faults import error_for
from streams.sources.dynamodb.options import DynamoDBOptions

# GetRecords may take long on a cold shard; beyond this the read is repeated from its position.
_CONNECT_SECONDS, _READ_SECONDS = 3, 10
# As many reads in flight as one poller may have.
_CONNECTIONS = 32
_TARGETS = {"dynamodb": "DynamoDB_20120810", "dynamodbstreams": "DynamoDBStreams_20120810"}


def boto_client(
    service: str,
    *,
    region: str,
    endpoint_url: str = "",
    access_key: str | None = None,
    secret_key: str | None = None,
) -> Any:
    """A plain boto3 client, for the demo's shop and the tests; credentials default to boto3's own
    chain."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url or None,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"mode": "standard", "total_max_attempts": 3}),
    )


def known_regions() -> list[str]:
    """The regions in which DynamoDB Streams exist."""
    return sorted(boto3.Session().get_available_regions("dynamodbstreams"))


class Client:
    """Signed JSON calls for one stream's table, region and role; safe to use from many threads."""

    def __init__(
        self,
        options: DynamoDBOptions,
        *,
        connect_seconds: float = _CONNECT_SECONDS,
        read_seconds: float = _READ_SECONDS,
    ) -> None:
        self._session = boto3.Session(region_name=options.region or None)
        self.region = options.region or self._session.region_name or ""
        if not self.region:
            raise SourceRefused(
                "No AWS region is known.",
                "Give --region, or set AWS_REGION or a default region in the AWS configuration.",
                kind="wrong-region",
            )
        self._options = options
        self._credentials = self._find_credentials()
        self._urls = {service: self._endpoint(service) for service in _TARGETS}
        self._connections = Connections(
            connect_seconds=connect_seconds, read_seconds=read_seconds, most_idle=_CONNECTIONS
        )

    def call(self, service: str, operation: str, arguments: dict[str, Any]) -> bytes:
        """The body of a successful answer; else one of the errors of streams/errors.py."""
        return bytes(self.view(service, operation, arguments))

    def view(self, service: str, operation: str, arguments: dict[str, Any]) -> bytes | memoryview:
        """The same; a long one without a copy, in memory that is used again after it."""
        request = AWSRequest(
            method="POST",
            url=self._urls[service],
            data=json.dumps(arguments).encode(),
            headers={
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"{_TARGETS[service]}.{operation}",
            },
        )
        return self._send(request, operation, "dynamodb")

    def _send(self, request: AWSRequest, operation: str, name: str) -> bytes | memoryview:
        """Sign for the service of that name, and send."""
        try:
            SigV4Auth(self._credentials, name, self.region).add_auth(request)
        except (BotoCoreError, ClientError) as error:  # a role that cannot be assumed any more
            raise self._no_credentials(error) from error
        headers = [*request.headers.items(), ("User-Agent", agent.user_agent())]
        try:
            answer = self._connections.call(
                request.method, request.url, headers, request.data or b""
            )
        except NoAnswer as error:
            raise SourceUnavailable(
                f"{request.url} does not answer ({error}).",
                "Check the endpoint URL and the network between this machine and it.",
            ) from error
        if answer.status != 200:
            raise error_for(operation, answer.status, bytes(answer.body), self._where())
        return answer.body

    def triggers(self, arn: str) -> list[str]:
        """The Lambda functions that read this stream; SourceError if that may not be listed.

        Reading needs no such permission: lambda:ListEventSourceMappings is optional.
        """
        service = self._options.endpoint_url or self._endpoint_of("lambda")
        query = urlencode({"EventSourceArn": arn, "MaxItems": 100})
        request = AWSRequest(
            method="GET", url=f"{service.rstrip('/')}/2015-03-31/event-source-mappings/?{query}"
        )
        answer = bytes(self._send(request, "ListEventSourceMappings", "lambda"))
        try:
            mappings = json.loads(answer)["EventSourceMappings"]
            return [str(mapping["FunctionArn"]).rpartition(":")[2] for mapping in mappings]
        except (ValueError, LookupError, TypeError) as error:
            raise SourceUnavailable(f"The answer is none of Lambda's ({error}).") from error

    @property
    def credentials_from(self) -> str:
        """Where boto3's chain found the credentials: env, shared-credentials-file, iam-role…; ""
        for those of a stand-in. No secret."""
        found = "" if self._credentials.method == "explicit" else self._credentials.method
        return str(found or "")

    def close(self) -> None:
        self._connections.close()

    def _where(self) -> str:
        endpoint = f" at {self._options.endpoint_url}" if self._options.endpoint_url else ""
        table = f"table {self._options.table}" if self._options.table else "DynamoDB"
        return f"{table} in {self.region}{endpoint}"

    def _endpoint(self, service: str) -> str:
        if self._options.endpoint_url:
            return self._options.endpoint_url.rstrip("/") + "/"
        return self._endpoint_of(service)

    def _endpoint_of(self, service: str) -> str:
        try:
            url = self._session.client(service, region_name=self.region).meta.endpoint_url
        except (BotoCoreError, ValueError) as error:
            raise SourceRefused(
                f"There is no {service} endpoint for region {self.region!r} ({error}).",
                "Check the spelling of the region.",
                kind="wrong-region",
            ) from error
        return str(url).rstrip("/") + "/"

    def _find_credentials(self) -> Any:
        try:
            credentials = self._session.get_credentials()
        except BotoCoreError as error:
            raise self._no_credentials(error) from error
        if credentials is None and self._options.endpoint_url:
            # Local stand-ins want a signature but check no key.
            credentials = Credentials("deltawatch", "deltawatch")
        if credentials is None:
            raise self._no_credentials(None)
        if not self._options.role_arn:
            return credentials
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._session._session.create_client,
            source_credentials=credentials,
            role_arn=self._options.role_arn,
            extra_args={"RoleSessionName": "deltawatch"},
        )
        return DeferredRefreshableCredentials(
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )

    def _no_credentials(self, error: Exception | None) -> SourceError:
        if error is None:
            return SourceRefused(
                "No AWS credentials were found.",
                "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or run on a machine "
                "or in a container with a role; Deltawatch uses boto3's own chain.",
                kind="access-denied",
            )
        return SourceRefused(
            f"The AWS credentials do not work ({type(error).__name__}: {error}).",
            f"Check the credentials, and that they may assume {self._options.role_arn}."
            if self._options.role_arn
            else "Check the credentials of boto3's chain.",
            kind="access-denied",
        )
