"""Amazon S3, or any server that speaks its API: the calls that the simulator makes.

Where it is and who calls is boto3's to find out: `AWS_ENDPOINT_URL_S3`, profiles, roles, regions.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from argosy.aws.identity import failures
from argosy.errors import StorageError, UsageError

_MIB: Final = 2**20
_NOT_FOUND: Final = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})


@dataclass(frozen=True, slots=True)
class S3Object:
    """An object that is there: its key, its size in bytes, and its entity tag without quotes."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class S3Access:
    """An S3 that is not boto3's to find.

    Attributes:
        url: Where it is.
        access_key: Who asks.
        secret_key: Never shown.
        region: Of who asks.
    """

    url: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str


class S3Client:
    """The calls, with errors of our own.

    Args:
        access: Where S3 is and who asks; None leaves both to boto3.

    Raises:
        StorageError: boto3 is not installed.
        UsageError: Its settings name what is not there, such as a profile.
    """

    def __init__(self, access: S3Access | None = None) -> None:
        try:
            import boto3
            import boto3.s3.transfer
            import botocore.config
        except ImportError as error:
            raise StorageError(
                "S3 is reached through boto3, which is not installed", hint="pip install 'argosy[aws]'"
            ) from error
        # Checksums that the API does not require are unknown to many of the servers that speak it.
        config = botocore.config.Config(
            request_checksum_calculation="when_required", response_checksum_validation="when_required"
        )
        # Any: boto3 makes its clients at run time.
        named: dict[str, str] = {}
        if access is not None:
            named = {"endpoint_url": access.url, "region_name": access.region}
            named |= {"aws_access_key_id": access.access_key, "aws_secret_access_key": access.secret_key}
        try:
            self._client: Any = boto3.Session().client("s3", config=config, **named)
        except failures() as error:
            what = "boto3 cannot read its settings"
            raise UsageError(what, got=type(error).__name__, hint="aws configure list") from None
        self._transfer: Any = boto3.s3.transfer.TransferConfig(
            multipart_threshold=8 * _MIB, multipart_chunksize=16 * _MIB, max_concurrency=4
        )

    def list(self, bucket: str, prefix: str) -> Iterator[S3Object]:
        """The objects whose keys begin with a prefix, in the order of their keys' UTF-8 bytes.

        Raises:
            StorageError: S3 refuses or does not answer.
        """
        with _errors(bucket, prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for found in page.get("Contents", ()):
                    yield S3Object(found["Key"], found["Size"], found["ETag"].strip('"'))

    def head(self, bucket: str, key: str) -> S3Object | None:
        """The object with exactly this key, None when there is none.

        Raises:
            StorageError: There is no such bucket, or S3 refuses or does not answer.
        """
        found = self._if_there(bucket, key, lambda: self._client.head_object(Bucket=bucket, Key=key))
        if found is None:
            with _errors(bucket, key):
                self._client.head_bucket(Bucket=bucket)  # a head says 404 for a missing bucket, too
            return None
        return S3Object(key, found["ContentLength"], found["ETag"].strip('"'))

    def download(self, bucket: str, key: str, stream: BinaryIO) -> None:
        """Write an object into a seekable file, several ranges at a time.

        Raises:
            StorageError: It is not there, or S3 refuses or does not answer.
        """
        with _errors(bucket, key):
            self._client.download_fileobj(bucket, key, stream, Config=self._transfer)

    def upload(self, bucket: str, key: str, stream: BinaryIO, content_type: str | None = None) -> None:
        """Store what a seekable file holds from its position on; a large one in parts, removed again when one fails.

        Args:
            bucket: Where it goes.
            key: Its name there.
            stream: What it holds.
            content_type: Its media type; None leaves it to S3.

        Raises:
            StorageError: S3 refuses or does not answer.
        """
        with _errors(bucket, key):
            fields = {} if content_type is None else {"ContentType": content_type}
            self._client.upload_fileobj(stream, bucket, key, ExtraArgs=fields, Config=self._transfer)

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; nothing happens when there is none.

        Raises:
            StorageError: S3 refuses or does not answer.
        """
        with _errors(bucket, key):
            self._client.delete_object(Bucket=bucket, Key=key)

    @staticmethod
    def _if_there(bucket: str, key: str, call: Callable[[], Any]) -> Any:
        """What a call answers, None for what is not there."""
        import botocore.exceptions

        with _errors(bucket, key):
            try:
                return call()
            except botocore.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") in _NOT_FOUND:
                    return None
                raise


@contextmanager
def _errors(bucket: str, key: str) -> Iterator[None]:
    """Whatever boto3 raises, as one error of ours."""
    import boto3.exceptions
    import botocore.exceptions

    where = f"s3://{bucket}/{key}"
    try:
        yield
    except botocore.exceptions.ClientError as error:
        refusal: Any = error.response.get("Error", {})
        code = str(refusal.get("Code"))
        got = f"{code}: {refusal.get('Message')}"[:300]
        hint = f"aws s3 mb s3://{bucket}" if code == "NoSuchBucket" else None
        raise StorageError(f"S3 refused {error.operation_name}", got=got, where=where, hint=hint) from error
    except (
        boto3.exceptions.Boto3Error,
        botocore.exceptions.BotoCoreError,
        botocore.exceptions.HTTPClientError,
    ) as error:
        own = isinstance(error, boto3.exceptions.Boto3Error)  # botocore's own sentences repeat a URL with its login
        raise StorageError(
            "S3 cannot be asked",
            got=f"{type(error).__name__}: {error}"[:300] if own else type(error).__name__,
            where=where,
            hint=f"aws s3 ls s3://{bucket}/  (it fails for the same reason)",
        ) from None
