"""The request of InvokeEndpointAsync: its header fields, and the invocation that is made of one that is right.

Source:
    InvokeEndpointAsync in botocore's sagemaker-runtime 2017-05-13 model (read 2026-11-23).
"""

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from argosy import contract
from argosy.errors import UsageError
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Answer
from argosy.simulator.hosting.definition import AsyncInference
from argosy.simulator.request_headers import Field
from argosy.simulator.storage.objects import ObjectUri

LONGEST_BODY: Final = 128_000
"""Bytes of a body that comes with the request."""
LONGEST_OBJECT: Final = 2**30
"""Bytes of an object at `InputLocation`, and of a result; whether AWS means 10**9 or 2**30 by 1 GB, nobody knows."""

_CONTENT_TYPE: Final = "X-Amzn-SageMaker-Content-Type"
_ACCEPT: Final = "X-Amzn-SageMaker-Accept"
_INPUT_LOCATION: Final = "X-Amzn-SageMaker-InputLocation"
_OUTPUT_EXTENSION: Final = "X-Amzn-SageMaker-S3OutputPathExtension"
_FILENAME: Final = "X-Amzn-SageMaker-Filename"
_TTL: Final = "X-Amzn-SageMaker-RequestTTLSeconds"
_TIMEOUT: Final = "X-Amzn-SageMaker-InvocationTimeoutSeconds"
_OUTPUT_LOCATION: Final = "X-Amzn-SageMaker-OutputLocation"
_FAILURE_LOCATION: Final = "X-Amzn-SageMaker-FailureLocation"

_ASCII: Final = r"\p{ASCII}*"
FIELDS: Final = (
    Field(_CONTENT_TYPE, "contentType", 1024, _ASCII),
    Field(_ACCEPT, "accept", 1024, _ASCII),
    Field(contract.HEADER_CUSTOM_ATTRIBUTES, "customAttributes", int(contract.CUSTOM_ATTRIBUTES.value), _ASCII),
    Field(contract.HEADER_INFERENCE_ID, "inferenceId", 64, r"\A\S[\p{Print}]*\z", 1),
    Field(_INPUT_LOCATION, "inputLocation", 1024, r"^(https|s3)://([^/]+)/?(.*)$", 1),
    Field(_OUTPUT_EXTENSION, "s3OutputPathExtension", 512, r"^(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+$", 1),
    Field(_FILENAME, "filename", 32, r"^(?!.*\..*\.)[a-zA-Z0-9][a-zA-Z0-9-_\.]*$", 1),
)


@dataclass(frozen=True, slots=True)
class Number:
    """A header field that holds a whole number.

    Attributes:
        header: Its name on the wire.
        member: Its name in the API, as error texts spell it.
        smallest: The smallest that is right.
        largest: The largest that is right.
        default: What its absence means.
    """

    header: str
    member: str
    smallest: int
    largest: int
    default: int

    def read(self, headers: Mapping[str, str]) -> int:
        """The number, of a request without faults."""
        return int(headers.get(self.header.lower(), self.default))

    def faults(self, value: str) -> list[str]:
        """The service's sentences about a value, none when it is right."""
        start = f"Value '{value}' at '{self.member}' failed to satisfy constraint: Member must"
        if not re.fullmatch(r"-?[0-9]{1,18}", value):
            return [f"{start} be an integer"]
        if int(value) < self.smallest:
            return [f"{start} have value greater than or equal to {self.smallest}"]
        if int(value) > self.largest:
            return [f"{start} have value less than or equal to {self.largest}"]
        return []


_TTL_SECONDS: Final = Number(_TTL, "requestTTLSeconds", 60, 21_600, 21_600)
_TIMEOUT_SECONDS: Final = Number(_TIMEOUT, "invocationTimeoutSeconds", 1, 3600, 900)
NUMBERS: Final = (_TTL_SECONDS, _TIMEOUT_SECONDS)

_FORWARDED: Final = {
    "content-type": _CONTENT_TYPE,
    "accept": _ACCEPT,
    contract.HEADER_CUSTOM_ATTRIBUTES.lower(): contract.HEADER_CUSTOM_ATTRIBUTES,
}
"""What InvokeEndpoint calls a field, and what InvokeEndpointAsync does."""


@dataclass(frozen=True, slots=True)
class AsyncInvocation:
    """An invocation that was accepted.

    Attributes:
        id: Unique; those of one endpoint are in the order in which they came.
        endpoint: Name of its endpoint.
        inference_id: The client's, or one made here.
        region: The client's.
        headers: The fields that InvokeEndpoint would have, names in lower case.
        input: The object that holds the body; None when the body came with the request.
        output: Where the result goes.
        failure: Where the failure goes, if the endpoint has such a place.
        received: When it was accepted, in seconds since 1970.
        ttl_s: How long it may wait.
        timeout_s: How long the container may take.
    """

    id: str
    endpoint: str
    inference_id: str
    region: str
    headers: Mapping[str, str]
    input: str | None
    output: str
    failure: str | None
    received: float
    ttl_s: int
    timeout_s: int

    @property
    def accepted(self) -> Answer:
        """The 202 for it."""
        places = [(_OUTPUT_LOCATION, self.output)]
        if self.failure is not None:
            places.append((_FAILURE_LOCATION, self.failure))
        return answers.accepted(self.inference_id, tuple(places))


def faults(headers: Mapping[str, str], body_bytes: int) -> str | None:
    """The service's message about a request that cannot be right, or None.

    Args:
        headers: Names in lower case, values decoded as Latin-1.
        body_bytes: Length of the body.
    """
    found: list[str] = []
    for field in (*FIELDS, *NUMBERS):
        value = headers.get(field.header.lower())
        if value is not None:
            found += field.faults(value)
    if body_bytes > LONGEST_BODY:
        found.append(
            "Value at 'body' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_BODY}"
        )
    if found:
        return request_headers.message(found)
    if (_INPUT_LOCATION.lower() in headers) == (body_bytes > 0):
        # The API reference's words; what the service says nobody wrote down.
        return "Body and InputLocation are mutually exclusive. Provide exactly one of them."
    return None


def invocation(
    endpoint: str, config: AsyncInference, headers: Mapping[str, str], region: str, failure_suffix: str
) -> AsyncInvocation:
    """The invocation that a request without faults asks for.

    Args:
        endpoint: Name of the endpoint.
        config: What the endpoint says of results.
        headers: The request's, names in lower case.
        region: The client's.
        failure_suffix: Ends the name of a failure object.

    Raises:
        UsageError: A place that the endpoint or the request names is none in S3.
    """
    unique = str(uuid.uuid4())
    output = object_uri(config.output)
    extension = headers.get(_OUTPUT_EXTENSION.lower(), "").strip("/")
    filename = headers.get(_FILENAME.lower())
    failure = None
    if config.failure is not None:
        failure = str(object_uri(config.failure).child((filename or unique) + failure_suffix))
    source = headers.get(_INPUT_LOCATION.lower())
    received = time.time()
    fields = {name: headers[theirs.lower()] for name, theirs in _FORWARDED.items() if theirs.lower() in headers}
    inference_id = headers.get(contract.HEADER_INFERENCE_ID.lower()) or str(uuid.uuid4())
    return AsyncInvocation(
        id=f"{time.time_ns():020d}-{unique}",
        endpoint=endpoint,
        inference_id=inference_id,
        region=region,
        headers=fields | {contract.HEADER_INFERENCE_ID.lower(): inference_id},
        input=None if source is None else str(object_uri(source)),
        output=str((output.child(extension) if extension else output).child(filename or f"{unique}.out")),
        failure=failure,
        received=received,
        ttl_s=_TTL_SECONDS.read(headers),
        timeout_s=_TIMEOUT_SECONDS.read(headers),
    )


def object_uri(location: str) -> ObjectUri:
    """The object that `s3://BUCKET/KEY` names, or one of S3's own URLs.

    Raises:
        UsageError: It is no place in S3.

    >>> str(object_uri("https://b.s3.eu-west-1.amazonaws.com/in/1.csv"))
    's3://b/in/1.csv'
    """
    hosted = re.fullmatch(r"https://([^/]+)\.s3[.-][^/]*amazonaws\.com(?:\.cn)?/(.*)", location, re.DOTALL)
    hosted = hosted or re.fullmatch(r"https://s3[.-][^/]*amazonaws\.com(?:\.cn)?/([^/]+)/?(.*)", location, re.DOTALL)
    if hosted is not None:
        return ObjectUri(*hosted.groups())
    if location.startswith("https:"):
        raise UsageError("this is no URL of an object in S3", got=f"`{location}`", want="s3://BUCKET/KEY")
    return ObjectUri.parse(location)
