"""The door to AWS: calls go through as values, refusals come back as errors with cause and remedy.

Which credentials are used is boto3's to find out: variables, profiles, roles, `AWS_ENDPOINT_URL`. None of them is in a
value or an error of this module.
"""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

from argosy.aws import service_model
from argosy.aws.call import Call
from argosy.aws.identity import failures
from argosy.aws.permissions import actions
from argosy.aws.refusals import DENIED, explain, unanswered
from argosy.errors import AwsError, InvalidCallError, UsageError

_NOT_ENFORCED: Final[Mapping[str, tuple[str, ...]]] = {
    "StartChangeSet": ("entity.type", "entity.identifier", "changeName"),
    "InvokeEndpoint": ("body",),
    "InvokeEndpointWithResponseStream": ("body",),
}
"""Operation -> members whose constraint in botocore's model the service does not keep.

`MachineLearningProduct@1.0` has digits, `$CreateProductChange.Entity.Identifier` dots, a change's name more than one
letter, as AWS's own samples have them (aws-samples/aws-marketplace-reference-code); a body may have 25 MB, where the
model says 6.
Source: SageMaker's service quotas; AWS Marketplace seller guide, "Service restrictions and quotas" (read 2026-11-23).
"""

_SENT_ONCE: Final = frozenset({"AcceptAgreementRequest"})
"""Operations that boto3 may not repeat by itself when no answer came: a second one might be a second purchase."""


class Reader(Protocol):
    """What planning gets: calls that change nothing."""

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        """What a call answers; None where the service's code is one of `absent`. Any: the API's JSON.

        Raises:
            AwsError: AWS refuses or does not answer.
        """

    def pages(self, call: Call) -> Iterator[Any]:
        """The answers to a call that lists, page after page.

        Raises:
            AwsError: AWS refuses or does not answer.
        """


class Api(Reader, Protocol):
    """What applying gets: calls that write, too."""

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        """As `ask`, after the request was judged by the API's model, which boto3 does in part only.

        Raises:
            InvalidCallError: The request breaks the model; nothing was sent.
            AwsError: AWS refuses or does not answer.
        """


class EmptyAccount:
    """A `Reader` that answers as an account in which nothing is: for plans without credentials."""

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        """None where something may be absent, else an empty answer."""
        return None if absent else {}

    def pages(self, call: Call) -> Iterator[Any]:
        """No page."""
        return iter(())


class AwsApi:
    """AWS itself, through boto3: an `Api`.

    Raises:
        UsageError: boto3 is not installed, or its settings name what is not there, such as a profile.
    """

    def __init__(self) -> None:
        try:
            import boto3
            import botocore.config
            import botocore.session
        except ImportError as error:
            raise UsageError("boto3 is not installed", hint="pip install 'argosy[aws]'") from error
        self._config = botocore.config.Config(
            connect_timeout=10, read_timeout=70, retries={"total_max_attempts": 4, "mode": "standard"}
        )
        self._once = self._config.merge(botocore.config.Config(retries={"total_max_attempts": 1}))
        try:
            reading = botocore.session.Session()
            reading.get_scoped_config()  # a profile that is not there is said now
            reading.register_component("data_loader", service_model.loader())
            self._session: Any = boto3.Session(botocore_session=reading)  # Any: boto3 makes its clients at run time
        except failures() as error:
            raise UsageError(
                "boto3 cannot read its settings", got=type(error).__name__, hint="aws configure list"
            ) from None
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._making = threading.Lock()  # a session of boto3's makes one client at a time; the clients may be shared

    def credentials_fault(self) -> str | None:
        """Why there are no credentials, as a class of error; empty where boto3 finds none, None where it finds some."""
        try:
            return None if self._session.get_credentials() is not None else ""
        except failures() as error:
            return type(error).__name__

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        """See `Reader`."""
        import botocore
        import botocore.exceptions

        with _errors(call):
            try:
                return getattr(self._client(call), botocore.xform_name(call.operation))(**call.parameters)
            except botocore.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") in absent:
                    return None
                raise

    def pages(self, call: Call) -> Iterator[Any]:
        """See `Reader`."""
        import botocore

        with _errors(call):
            name = botocore.xform_name(call.operation)
            client = self._client(call)
            if not client.can_paginate(name):
                yield getattr(client, name)(**call.parameters)
                return
            yield from client.get_paginator(name).paginate(**call.parameters)

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        """See `Api`."""
        judge(call)
        return self.ask(call, absent)

    def _client(self, call: Call) -> Any:
        is_once = call.operation in _SENT_ONCE
        key = (call.service, call.region, is_once)
        with self._making:
            if key not in self._clients:
                config = self._once if is_once else self._config
                self._clients[key] = self._session.client(call.service, region_name=call.region, config=config)
            return self._clients[key]


def judge(call: Call) -> None:
    """Look at a request with the API's own model, at patterns, lengths and enumerations too, which boto3 leaves to AWS.

    Raises:
        InvalidCallError: It has unknown members, or values that the model does not take.
    """
    operation = service_model.load(call.service).operation(call.operation)
    if operation is None:
        raise InvalidCallError(call.action, ["there is no such operation"])
    faults = [f"there is no member `{path}`" for path in operation.unknown_members(call.parameters)]
    if not faults and (ill_typed := operation.ill_typed(call.parameters)):
        faults = [ill_typed]
    if not faults:
        free = _NOT_ENFORCED.get(call.operation, ())
        faults = [
            sentence
            for sentence in operation.violations(call.parameters)
            if not any(f"{path}' failed to satisfy" in sentence for path in free)
        ]
    if faults:
        raise InvalidCallError(call.action, faults)


@contextmanager
def _errors(call: Call) -> Iterator[None]:
    """Whatever boto3 raises, as one error of ours."""
    import botocore.exceptions

    action = actions(call)[0]
    try:
        yield
    except botocore.exceptions.ParamValidationError as error:
        raise InvalidCallError(call.action, [" ".join(str(error).split())]) from None
    except botocore.exceptions.ClientError as error:
        refused = error.response.get("Error", {})
        refusal = explain(str(refused.get("Code")), str(refused.get("Message", "")))
        hint = refusal.remedy
        if hint is None and refusal.code in DENIED:
            hint = f"allow {action} to whom the credentials belong to"
        raise AwsError(action, refusal.code, sentence=refusal.sentence, cause=refusal.cause, hint=hint) from None
    except failures() as error:
        why = unanswered(type(error).__name__)
        raise AwsError(action, why.code, cause=why.cause, hint=why.remedy) from None
