"""Clients of AWS's own SDK for Python, pointed at an endpoint of this machine."""

from typing import Any, Final

from argosy.errors import UsageError

_NOBODY: Final = "any"  # the simulator asks for a signature and does not look at it


def runtime_client(url: str, region: str) -> Any:  # boto3 makes its clients' classes at run time
    """A `sagemaker-runtime` client with invented credentials, which repeats nothing that fails.

    Args:
        url: Its `endpoint_url`.
        region: Its region.

    Raises:
        UsageError: boto3 is not installed.
    """
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise UsageError("boto3 is not installed", hint='pip install "argosy[toolkit,aws]"') from error
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=_NOBODY,
        aws_secret_access_key=_NOBODY,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=70),
    )
