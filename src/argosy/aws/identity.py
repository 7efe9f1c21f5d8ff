"""Who this machine is to AWS: where its credentials come from, its region, and whom they belong to.

No secret is read out of the credentials, and none is in what is returned.
"""

from dataclasses import dataclass
from typing import Any, Final

from argosy.errors import NetworkError, UsageError

STS: Final = "https://sts.amazonaws.com"
"""Where AWS says who somebody is, in no region in particular."""
_ASK_THE_NETWORK: Final = ("iam-role", "container-role")
_RUNS_A_PROGRAM: Final = "custom-process"
_CONNECT_S: Final = 5
_READ_S: Final = 15


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
    import botocore.exceptions

    session = _session()
    resolver = session.get_component("credential_provider")
    for method in (*_ASK_THE_NETWORK, _RUNS_A_PROGRAM):
        resolver.remove(method)
    try:
        found = resolver.load_credentials()
        if found is not None:
            return str(found.method)
        return _RUNS_A_PROGRAM if session.get_scoped_config().get("credential_process") else ""
    except botocore.exceptions.BotoCoreError as error:
        raise _refused(error) from error


def caller() -> Caller:
    """Ask AWS whom the credentials belong to.

    Raises:
        NetworkError: There are no credentials, AWS refuses them, or does not answer.
        UsageError: boto3 is not installed.
    """
    import botocore.exceptions

    try:
        answer: Any = _client().get_caller_identity()
    except botocore.exceptions.ClientError as error:
        refusal: Any = error.response.get("Error", {})
        raise NetworkError(
            "AWS refuses the credentials", got=f"{refusal.get('Code')}: {refusal.get('Message')}"[:300]
        ) from error
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.HTTPClientError) as error:
        raise NetworkError("AWS was not asked who this is", got=f"{type(error).__name__}: {error}"[:300]) from error
    return Caller(str(answer["Account"]), str(answer["Arn"]))


def endpoint() -> str:
    """The URL that `caller` asks, for what AWS's variables and files say."""
    return str(_client().meta.endpoint_url) if is_installed() else STS


def _client() -> Any:  # botocore makes its clients' classes at run time
    import botocore.config

    config = botocore.config.Config(connect_timeout=_CONNECT_S, read_timeout=_READ_S, retries={"total_max_attempts": 1})
    session = _session()
    named = session.get_config_variable("region") or "us-east-1"
    return session.create_client("sts", region_name=named, config=config)


def _session() -> Any:  # botocore has no types
    """A session of its own, whose providers may be taken out."""
    if not is_installed():
        raise UsageError("boto3 is not installed", hint="pip install 'argosy[aws]'")
    import botocore.exceptions
    import botocore.session

    try:
        session = botocore.session.Session()
        session.get_scoped_config()
    except botocore.exceptions.BotoCoreError as error:
        raise _refused(error) from error
    return session


def _refused(error: Exception) -> UsageError:
    return UsageError("AWS's own variables and files are wrong", got=f"{type(error).__name__}: {error}"[:300])
