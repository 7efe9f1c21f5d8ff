"""The request header fields of InvokeEndpoint: their limits, and which of them a container sees."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from argosy import contract

TARGET_MODEL: Final = "X-Amzn-SageMaker-Target-Model"
TARGET_VARIANT: Final = "X-Amzn-SageMaker-Target-Variant"
TARGET_CONTAINER: Final = "X-Amzn-SageMaker-Target-Container-Hostname"
ENABLE_EXPLANATIONS: Final = "X-Amzn-SageMaker-Enable-Explanations"
STREAM_ACCEPT: Final = "X-Amzn-SageMaker-Accept"
_PREFIX_AWARE_ID: Final = "X-Amzn-SageMaker-Prefix-Aware-Id"
INFERENCE_COMPONENT: Final = "X-Amzn-SageMaker-Inference-Component"


@dataclass(frozen=True, slots=True)
class Field:
    """One header field of the API.

    Attributes:
        header: Its name on the wire.
        member: Its name in the API, as error texts spell it.
        longest: Largest number of characters.
        pattern: Java's regular expression, as the API's model and error texts have it.
        shortest: Smallest number of characters.
    """

    header: str
    member: str
    longest: int
    pattern: str
    shortest: int = 0

    def faults(self, value: str) -> list[str]:
        """The service's sentences about a value, none when it is right."""
        constraints = []
        if len(value) < self.shortest:
            constraints.append(f"Member must have length greater than or equal to {self.shortest}")
        if len(value) > self.longest:
            constraints.append(f"Member must have length less than or equal to {self.longest}")
        elif not _compiled(self.pattern).fullmatch(value):
            constraints.append(f"Member must satisfy regular expression pattern: {self.pattern}")
        return [f"Value '{value}' at '{self.member}' failed to satisfy constraint: {text}" for text in constraints]


_NAME: Final = r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
_SESSION_ID: Final = r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"
_ASCII: Final = r"\p{ASCII}*"
_PRINTABLE: Final = r"\A\S[\p{Print}]*\z"

_INVOCATION: Final = (
    Field("Content-Type", "contentType", 1024, _ASCII),
    Field("Accept", "accept", 1024, _ASCII),
    Field(contract.HEADER_CUSTOM_ATTRIBUTES, "customAttributes", int(contract.CUSTOM_ATTRIBUTES.value), _ASCII),
    Field(TARGET_MODEL, "targetModel", 1024, _PRINTABLE, 1),
    Field(TARGET_VARIANT, "targetVariant", 63, _NAME),
    Field(TARGET_CONTAINER, "targetContainerHostname", 63, _NAME),
    Field(contract.HEADER_INFERENCE_ID, "inferenceId", 64, _PRINTABLE, 1),
    Field(ENABLE_EXPLANATIONS, "enableExplanations", 64, ".*", 1),
    Field(INFERENCE_COMPONENT, "inferenceComponentName", 63, r"^[a-zA-Z0-9]([\-a-zA-Z0-9]*[a-zA-Z0-9])?$"),
    Field(contract.HEADER_SESSION_ID, "sessionId", 256, rf"^(NEW_SESSION)$|{_SESSION_ID}"),
    Field(_PREFIX_AWARE_ID, "prefixAwareId", 64, _PRINTABLE, 1),
)
FIELDS: Final[Mapping[str, Field]] = {field.header.lower(): field for field in _INVOCATION}
"""Of InvokeEndpoint, by name in lower case.

Source: botocore's sagemaker-runtime 2017-05-13 model (read 2026-11-22)."""

_NOT_OF_STREAMS: Final = ("accept", TARGET_MODEL.lower(), ENABLE_EXPLANATIONS.lower(), _PREFIX_AWARE_ID.lower())
STREAM_FIELDS: Final[Mapping[str, Field]] = {
    **{key: field for key, field in FIELDS.items() if key not in _NOT_OF_STREAMS},
    STREAM_ACCEPT.lower(): Field(STREAM_ACCEPT, "accept", 1024, _ASCII),
    contract.HEADER_SESSION_ID.lower(): Field(contract.HEADER_SESSION_ID, "sessionId", 256, _SESSION_ID),
}
"""Of InvokeEndpointWithResponseStream, from the same model: a stream cannot begin a session."""

_FORWARDED: Final = tuple((name, name.lower()) for name in contract.FORWARDED_HEADERS)
_ENDPOINT_NAME: Final = Field("", "endpointName", 63, _NAME)


def faults(endpoint_name: str, headers: Mapping[str, str], fields: Mapping[str, Field] = FIELDS) -> str | None:
    """The service's message about bad values, or None when all are right.

    Args:
        endpoint_name: From the request's path.
        headers: Names in lower case, values decoded as Latin-1.
        fields: Those of the operation, by name in lower case.
    """
    found = _ENDPOINT_NAME.faults(endpoint_name)
    for key, field in fields.items():
        value = headers.get(key)
        if value is not None:
            found += field.faults(value)
    return message(found)


def message(faults: Sequence[str]) -> str | None:
    """The service's message about some faults, or None when there are none."""
    if not faults:
        return None
    return f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} detected: {'; '.join(faults)}"


def of_invocation(headers: Mapping[str, str]) -> dict[str, str]:
    """The fields of InvokeEndpointWithResponseStream under the names that InvokeEndpoint has for them.

    Args:
        headers: Names in lower case.
    """
    named = {key: headers[key] for key in STREAM_FIELDS if key in headers}
    accept = named.pop(STREAM_ACCEPT.lower(), None)
    return named if accept is None else named | {"accept": accept}


def forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    """The fields that reach the container; SageMaker strips all others.

    Args:
        headers: Names in lower case.
    """
    return {name: headers[key] for name, key in _FORWARDED if key in headers}


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Java's pattern in Python's words."""
    python = pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]").replace(r"[\p{Print}]", r"[\x20-\x7e]").replace(r"\z", r"\Z")
    return re.compile(python)
