"""Amazon ECR: whose registry a host is, and the login that it takes.

Source: Amazon ECR User Guide, "Private registry authentication" and "Making requests over IPv6" for the host names; API
reference, GetAuthorizationToken (read 2026-11-22).
"""

import base64
import re
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.aws.identity import failures
from argosy.errors import RegistryError

_HOST: Final = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn)"
)


@dataclass(frozen=True, slots=True)
class EcrRegistry:
    """A private registry of ECR: its host, the account that owns it, and its region."""

    host: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class EcrLogin:
    """User and password for basic authentication, good for twelve hours; the password is never shown."""

    user: str
    password: str = field(repr=False)


def registry_of(host: str) -> EcrRegistry | None:
    """The private ECR registry that a host name is, None for any other host.

    >>> registry_of("123456789012.dkr.ecr.eu-west-1.amazonaws.com").region
    'eu-west-1'
    """
    found = _HOST.fullmatch(host)
    return EcrRegistry(host, found["account"], found["region"]) if found else None


def authorization_token(registry: EcrRegistry) -> EcrLogin | None:
    """Ask ECR for a login with the AWS credentials of this machine; None where boto3 is not installed.

    AWS's own variables and files are boto3's to read: profiles, roles, `AWS_ENDPOINT_URL_ECR`.

    Raises:
        RegistryError: There are no AWS credentials, or ECR does not answer or refuses.
    """
    try:
        import boto3
        import botocore.exceptions
    except ImportError:
        return None
    try:
        client = boto3.Session().client("ecr", region_name=registry.region)
        login = parse_authorization(client.get_authorization_token())[1]
    except botocore.exceptions.ClientError as error:
        refusal: Any = error.response.get("Error", {})
        raise _no_token(registry, str(refusal.get("Code"))) from None
    except failures() as error:  # its sentence may hold a secret: a login in a URL, or what was no token
        raise _no_token(registry, type(error).__name__) from None
    return login


def parse_authorization(answer: Any) -> tuple[str, EcrLogin]:
    """What GetAuthorizationToken answers: the URL of the registry, and the login that it takes.

    Args:
        answer: As boto3 gives it. Any: the API's JSON.

    Raises:
        ValueError: There is no login in it.
        LookupError: There is no token in it.
    """
    granted = answer["authorizationData"][0]
    user, colon, password = base64.b64decode(str(granted["authorizationToken"]), validate=True).decode().partition(":")
    if not colon:
        raise ValueError
    return str(granted.get("proxyEndpoint", "")), EcrLogin(user, password)


def _no_token(registry: EcrRegistry, got: str) -> RegistryError:
    return RegistryError(
        "ECR gave no authorization token",
        got=got,
        where=registry.host,
        hint=f"aws ecr get-login-password --region {registry.region}  (it fails for the same reason; it needs AWS "
        "credentials that allow ecr:GetAuthorizationToken)",
    )
