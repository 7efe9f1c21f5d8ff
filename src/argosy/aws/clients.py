"""Clients of AWS's own SDK for Python, pointed at an endpoint of this machine."""

from dataclasses import dataclass, field
from typing import Any, Final

from argosy.errors import UsageError

_NOBODY: Final = "any"  # the simulator asks for a signature and does not look at it


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs the requests of a client.

    Attributes:
        access_key: Says who it is.
        secret_key: Never shown.
    """

    access_key: str = _NOBODY
    secret_key: str = field(default=_NOBODY, repr=False)


def client(service: str, url: str, region: str, signer: Signer) -> Any:  # boto3 makes its clients' classes at run time
    """A client of a service, which repeats nothing that fails.

    Args:
        service: As boto3 names it.
        url: Its `endpoint_url`.
        region: Its region.
        signer: Whose requests they are.

    Raises:
        UsageError: boto3 is not installed.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise UsageError("boto3 is not installed", hint='pip install "argosy[toolkit,aws]"') from error
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=signer.access_key,
        aws_secret_access_key=signer.secret_key,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=70),
    )


def runtime_client(url: str, region: str) -> Any:  # boto3 makes its clients' classes at run time
    """A `sagemaker-runtime` client with invented credentials, which repeats nothing that fails.

    Args:
        url: Its `endpoint_url`.
        region: Its region.

    Raises:
        UsageError: boto3 is not installed.
    """
    return client("sagemaker-runtime", url, region, Signer())
