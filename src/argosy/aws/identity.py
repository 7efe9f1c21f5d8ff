"""Who this machine is to AWS: where its credentials come from, its region, and whom they belong to.

No secret is read out of the credentials, and none is in what is returned: of an error only its code or class is kept,
since its sentence may repeat a URL with a login, or what a program of the user's wrote.
"""

import urllib.parse
from dataclasses import dataclass
from typing import Any, Final

from argosy.errors import NetworkError, UsageError

STS: Final = "https://sts.amazonaws.com"
"""Where AWS says who somebody is, in no region in particular."""
_ASK_THE_NETWORK: Final = ("iam-role", "container-role")
_RUNS_A_PROGRAM: Final = "custom-process"
_CONNECT_S: Final = 5
_READ_S: Final = 15
_NOBODY: Final = "nobody"  # where only the URL is asked for, no credentials are looked up


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom credentials belong to: the account, and the user or role in it."""

    account: str
    arn: str


def is_installed() -> bool:
    """Whether AWS's SDK is."""
    try:
        import boto3  # noqa: F401 - whether it is there is the question
    except ImportError:
        return False
    return True


def region() -> str:
    """The region that AWS's variables and files name, empty when they name none.

    Raises:
        UsageError: boto3 is not installed, or AWS's files are wrong.
    """
    return str(_session().get_config_variable("region") or "")


def credentials_source() -> str:
    """Where the credentials come from, as botocore names it (`env`, `sso`, `shared-credentials-file`); empty: nowhere.

    Nothing is asked over the network and no program is run: an instance's own role is not looked for, and a program
    that gives credentials is believed to give some.

    Raises:
        UsageError: boto3 is not installed, or AWS's files are wrong.
    """
    session = _session()
    resolver = session.get_component("credential_provider")
    for method in (*_ASK_THE_NETWORK, _RUNS_A_PROGRAM):
        resolver.remove(method)
    try:
        found = resolver.load_credentials()
        if found is not None:
            return str(found.method)
        return _RUNS_A_PROGRAM if session.get_scoped_config().get("credential_process") else ""
    except failures() as error:
        raise _refused(error) from None


def caller() -> Caller:
    """Ask AWS whom the credentials belong to.

    Raises:
        NetworkError: There are no credentials, AWS refuses them, or does not answer; `got` is a code or a class.
        UsageError: boto3 is not installed.
    """
    import botocore.exceptions

    try:
        answer: Any = _client().get_caller_identity()
    except botocore.exceptions.ClientError as error:
        refusal: Any = error.response.get("Error", {})
        raise NetworkError("AWS refuses the credentials", got=refusal.get("Code")) from None
    except failures() as error:
        raise NetworkError("AWS was not asked who this is", got=type(error).__name__) from None
    return Caller(str(answer["Account"]), str(answer["Arn"]))


def endpoint() -> str:
    """The URL that `caller` asks, for what AWS's variables and files say; it may have a login: see `without_login`.

    Raises:
        UsageError: AWS's variables or files are wrong.
    """
    if not is_installed():
        return STS
    try:
        return str(_client(aws_access_key_id=_NOBODY, aws_secret_access_key=_NOBODY).meta.endpoint_url)
    except failures() as error:
        raise _refused(error) from None


def without_login(url: str) -> str:
    """A URL without the user and password in it, as it may be shown.

    >>> without_login("http://user:secret@127.0.0.1:9/x")
    'http://127.0.0.1:9/x'
    """
    try:
        parts = urllib.parse.urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def failures() -> tuple[type[Exception], ...]:
    """What AWS's SDK raises where it was not an answer of AWS's.

    Beside its own classes: what comes of a `credential_process` that is not there, or writes no JSON or other JSON than
    it should, and of an endpoint that is no URL.
    """
    import botocore.exceptions

    own = (botocore.exceptions.BotoCoreError, botocore.exceptions.HTTPClientError)
    return (*own, OSError, ValueError, LookupError, TypeError, AttributeError)


def _client(**credentials: str) -> Any:  # botocore makes its clients' classes at run time
    import botocore.config

    config = botocore.config.Config(connect_timeout=_CONNECT_S, read_timeout=_READ_S, retries={"total_max_attempts": 1})
    session = _session()
    named = session.get_config_variable("region") or "us-east-1"
    return session.create_client("sts", region_name=named, config=config, **credentials)


def _session() -> Any:  # botocore has no types
    """A session of its own, whose providers may be taken out."""
    if not is_installed():
        raise UsageError("boto3 is not installed", hint="pip install 'argosy[aws]'")
    import botocore.session

    try:
        session = botocore.session.Session()
        session.get_scoped_config()
    except failures() as error:
        raise _refused(error) from None
    return session


def _refused(error: Exception) -> UsageError:
    return UsageError("AWS's own variables and files are wrong", got=type(error).__name__, hint="aws configure list")
