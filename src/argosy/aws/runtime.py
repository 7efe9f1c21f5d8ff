"""Invocations of endpoints: sent once, since each may be paid for, with answers as they come.

Source: API reference of the SageMaker runtime, InvokeEndpoint and InvokeEndpointWithResponseStream: the client's socket
timeout should be 70 s for a model that takes 60 (read 2026-11-23).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import judge
from argosy.aws.call import Call
from argosy.aws.identity import failures
from argosy.aws.permissions import actions
from argosy.aws.refusals import MAY_BE_DONE, explain, unanswered
from argosy.errors import AwsError, ModelError, UsageError

READ_S: Final = 70
"""Seconds that a client waits for an answer: longer than SageMaker waits for the container."""

STREAM: Final = "InvokeEndpointWithResponseStream"
_PART: Final = 64 * 1024
_HEADERS: Final = ("ContentType", "InvokedProductionVariant", "CustomAttributes", "NewSessionId", "ClosedSessionId")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a model, as its head has come.

    Attributes:
        status: Of HTTP.
        headers: The API's names for them -> values, those that there are.
        parts: The body, part by part; reading it raises what happens on the way.
    """

    status: int
    headers: Mapping[str, str]
    parts: Iterator[bytes]


class Runtime:
    """The runtime API of a region.

    Args:
        region: Where the endpoints are.

    Raises:
        UsageError: boto3 is not installed, or its settings name what is not there.
    """

    def __init__(self, region: str) -> None:
        try:
            import boto3
            import botocore.config
        except ImportError as error:
            raise UsageError("boto3 is not installed", hint="pip install 'argosy[aws]'") from error
        config = botocore.config.Config(connect_timeout=10, read_timeout=READ_S, retries={"total_max_attempts": 1})
        try:
            # Any: boto3 makes its clients at run time.
            self._client: Any = boto3.Session().client("sagemaker-runtime", region_name=region, config=config)
        except failures() as error:
            what = "boto3 cannot read its settings"
            raise UsageError(what, got=type(error).__name__, hint="aws configure list") from None

    def invoke(self, call: Call) -> Answer:
        """Send a request, once.

        Args:
            call: `InvokeEndpoint` or `InvokeEndpointWithResponseStream`.

        Raises:
            ModelError: The container answered 4xx or 5xx.
            InvalidCallError: The request breaks the API's model; nothing was sent.
            AwsError: SageMaker refuses, or does not answer.
        """
        import botocore

        judge(call)
        with _errors(call):
            found = getattr(self._client, botocore.xform_name(call.operation))(**call.parameters)
        headers = {name: str(found[name]) for name in _HEADERS if found.get(name)}
        status = int(found["ResponseMetadata"]["HTTPStatusCode"])
        read = _stream if call.operation == STREAM else _body
        return Answer(status, headers, read(call, found["Body"]))


def _body(call: Call, body: Any) -> Iterator[bytes]:
    with _errors(call):
        yield from body.iter_chunks(_PART)


def _stream(call: Call, events: Any) -> Iterator[bytes]:
    """The parts of a stream, as SageMaker cuts them; whatever breaks it is no good end."""
    import botocore.exceptions

    try:
        for event in events:
            if "PayloadPart" in event:
                yield event["PayloadPart"]["Bytes"]
    except botocore.exceptions.EventStreamError as error:
        broken: Any = error.response.get("Error", {})
        raise _broken_off(call, f"{broken.get('Code')}: {broken.get('Message', '')}") from None
    except Exception as error:  # urllib3's classes and those of the parser of events are promised nowhere
        raise _broken_off(call, type(error).__name__) from None


def _broken_off(call: Call, sentence: str) -> ModelError:
    hint = "what had come is printed; each invocation is sent once, so send it again if that is wanted"
    return ModelError(str(call.parameters["EndpointName"]), sentence=sentence, hint=hint)


@contextmanager
def _errors(call: Call) -> Iterator[None]:
    """Whatever boto3 raises, as errors of ours."""
    import botocore.exceptions

    action, endpoint = actions(call)[0], str(call.parameters["EndpointName"])
    try:
        yield
    except botocore.exceptions.ClientError as error:
        refused: Any = error.response.get("Error", {})
        if refused.get("Code") == "ModelError":
            answer: Any = error.response
            said = str(answer.get("OriginalMessage") or refused.get("Message", ""))
            raise ModelError(endpoint, int(answer.get("OriginalStatusCode") or 0) or 500, sentence=said) from None
        refusal = explain(str(refused.get("Code")), str(refused.get("Message", "")))
        raise AwsError(
            action, refusal.code, sentence=refusal.sentence, cause=refusal.cause, hint=refusal.remedy
        ) from None
    except failures() as error:
        why = unanswered(type(error).__name__)
        hint = (
            why.remedy if why.remedy and why.code not in MAY_BE_DONE else "it was sent once; it may have been answered"
        )
        raise AwsError(action, why.code, cause=why.cause, hint=hint) from None
