"""One invocation of an endpoint: its request as a call, and what its log says when the model failed."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from argosy import media_type
from argosy.aws import logs
from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.aws.runtime import STREAM
from argosy.errors import ModelError, UsageError
from argosy.planning.step import Change, Kind

MAX_BODY: Final = 25 * 10**6
"""Bytes of a body. Source: AWS Marketplace seller guide, "Service restrictions and quotas" (read 2026-11-23)."""

_MAX_ATTRIBUTES: Final = 1024
_BEFORE_MS: Final = 1000
_VISIBLE: Final = re.compile(r"[ -~]*")


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is sent.

    Attributes:
        endpoint: Name of the endpoint.
        region: Where it is.
        body: The body.
        content_type: Its media type.
        is_streamed: Whether the answer is asked for as a stream.
        options: Further members of the API's request: Accept, CustomAttributes, SessionId, InferenceId …
    """

    endpoint: str
    region: str
    body: bytes
    content_type: str
    is_streamed: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    def call(self) -> Call:
        """The call.

        Raises:
            UsageError: It is larger than SageMaker takes.
        """
        if len(self.body) > MAX_BODY:
            want = f"at most {MAX_BODY / 1e6:.0f} MB"
            hint = "argosy transform takes objects of any size"
            raise UsageError("the body is too large", got=f"{len(self.body) / 1e6:.1f} MB", want=want, hint=hint)
        attributes = self.options.get("CustomAttributes", "")
        if len(attributes) > _MAX_ATTRIBUTES or _VISIBLE.fullmatch(attributes) is None:
            want = f"at most {_MAX_ATTRIBUTES} visible ASCII characters"
            raise UsageError("custom attributes cannot be sent", got=f"{len(attributes)} characters", want=want)
        return self._call(self.body)

    def change(self) -> Change:
        """What a plan says of it: the request without the bytes of its body."""
        call = self._call(f"({len(self.body)} bytes)")
        title = f"an invocation of endpoint {self.endpoint} in {self.region}"
        return Change("invocation", title, Kind.CREATE, writes=(call,), reads=(self._log(0),))

    def explained(self, error: ModelError, reader: Reader, since_s: float) -> ModelError:
        """The error with what the container wrote to its log meanwhile.

        Args:
            error: What the model answered.
            reader: AWS.
            since_s: When the request was sent, in seconds since 1970.
        """
        lines = logs.last_lines(reader, self._log(int(since_s * 1000) - _BEFORE_MS))
        group = logs.ENDPOINTS.format(name=self.endpoint)
        hint = error.hint or f"aws logs tail {group} --region {self.region}"
        return ModelError(self.endpoint, error.status, sentence=error.sentence, lines=lines, hint=hint)

    def _call(self, body: Any) -> Call:
        operation = STREAM if self.is_streamed else "InvokeEndpoint"
        wanted = {"EndpointName": self.endpoint, "ContentType": self.content_type, **self.options, "Body": body}
        return Call("sagemaker-runtime", operation, self.region, wanted)

    def _log(self, since_ms: int) -> Call:
        return logs.log_call(self.region, logs.ENDPOINTS.format(name=self.endpoint), since_ms=since_ms)


def content_type_of(name: str, said: str | None) -> str:
    """The media type of a body.

    Args:
        name: Of its file; empty where it is no file's.
        said: What the user said.

    Raises:
        UsageError: Nobody said it, and the name does not tell it, or what was said is none.
    """
    found = said or (media_type.of_suffix(name) if name else None)
    if found is None:
        got = f"a file called `{name}`" if name else None
        raise UsageError("the media type of the body is not known", got=got, hint="--content-type text/csv")
    if media_type.parse(found) is None:
        raise UsageError("this is no media type", got=f"`{found}`", want="type/subtype", hint="--content-type text/csv")
    return found


def now_s() -> float:
    """The time as logs have it, in seconds since 1970."""
    return time.time()
