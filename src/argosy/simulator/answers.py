"""What the SageMaker Runtime API answers, to the letter: statuses, error types, texts and fields.

Pure functions. The texts were seen in clients' error reports and in the API's model
(botocore, sagemaker-runtime 2017-05-13, read 2026-11-22); `x-amzn-ErrorType` names the exception that clients raise.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from argosy import contract
from argosy.errors import ContainerError, ContainerTimeoutError

ACCOUNT: Final = "123456789012"
"""The account of AWS's own documentation."""
REGION: Final = "us-east-1"
"""Where a request says no other region."""

ERROR_TYPE: Final = "x-amzn-ErrorType"
NO_STATUS: Final = 0
"""`OriginalStatusCode` when the container did not answer."""

NO_RESPONSE: Final = (
    "Amazon SageMaker could not get a response from the {endpoint} endpoint. This can occur when CPU or memory "
    "utilization is high. To check your utilization, see Amazon CloudWatch. To fix this problem, use an instance type "
    "with more CPU capacity or memory."
)
"""What the service says of a container that does not answer at all."""
_TIMED_OUT: Final = (
    "Your invocation timed out while waiting for a response from container {container}. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer to a client.

    Attributes:
        status: The HTTP status.
        headers: Name and value pairs, Content-Length excepted.
        body: The whole body.
        note: A sentence for the person at the simulator, not sent.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an invocation went, as error texts name it.

    Attributes:
        endpoint: Name of the endpoint.
        container: `primary` for a single container.
        region: Region of the client.
        account: The endpoint's.
    """

    endpoint: str
    container: str = "primary"
    region: str = REGION
    account: str = ACCOUNT

    @property
    def log_group(self) -> str:
        """The endpoint's group in CloudWatch Logs."""
        return f"/aws/sagemaker/Endpoints/{self.endpoint}"

    @property
    def log_stream_arn(self) -> str:
        """The `LogStreamArn` field."""
        return f"arn:aws:logs:{self.region}:{self.account}:log-group:{self.log_group}"

    @property
    def see_logs(self) -> str:
        """The last sentence of a ModelError's message."""
        return (
            f"See https://{self.region}.console.aws.amazon.com/cloudwatch/home?region={self.region}"
            f"#logEventViewer:group={self.log_group} in account {self.account} for more information."
        )


def model_error(place: Place, status: int, body: bytes) -> Answer:
    """The container answered, but not with success: 424 ModelError.

    A status that is neither 2xx nor 4xx counts as the server's fault. What SageMaker makes of 3xx nobody wrote down.
    """
    kind = "client" if 400 <= status < 500 else "server"
    original = body.decode(errors="replace")
    message = f'Received {kind} error ({status}) from {place.container} with message "{original}". {place.see_logs}'
    return _model_error(place, status, message, original)


def no_answer(place: Place, error: ContainerError) -> Answer:
    """The container did not answer in time, or not at all: 424 ModelError with `OriginalStatusCode` 0.

    Source:
        The text of a connection that broke: https://github.com/aws/amazon-sagemaker-examples/issues/2815
        (read 2026-11-23). UNSURE: that it is said of every answer that does not come, and nothing else is.
    """
    if isinstance(error, ContainerTimeoutError):
        return no_response(place, error.message)
    original = NO_RESPONSE.format(endpoint=place.endpoint)
    message = f'Received server error (0) from {place.container} with message "{original}". {place.see_logs}'
    return _model_error(place, NO_STATUS, message, original, error.message)


def no_response(place: Place, note: str | None = None) -> Answer:
    """The container did not answer in time: 424 ModelError with `OriginalStatusCode` 0."""
    original = _TIMED_OUT.format(container=place.container)
    message = f'Received server error (0) from {place.container} with message "{original}" {place.see_logs}'
    return _model_error(place, NO_STATUS, message, original, note)


def response_too_large(place: Place, note: str) -> Answer:
    """The container's body is larger than the service passes on: 424 ModelError.

    Seen for error bodies (https://github.com/aws/sagemaker-python-sdk/issues/4324); that bodies of a 200 end the same
    way is a guess.
    """
    message = (
        f"Received server error (500) from {place.container} and could not load the entire response body. "
        f"{place.see_logs}"
    )
    return _model_error(place, 500, message, "", note)


def validation_error(message: str, code: str | None = None, note: str | None = None) -> Answer:
    """400 ValidationError.

    Args:
        message: The service's sentence.
        code: The `ErrorCode` field, where one is known.
        note: For the person at the simulator.
    """
    fields = {"ErrorCode": code, "Message": message} if code else {"Message": message}
    return _error(400, "ValidationError", fields, note)


def endpoint_not_found(name: str, account: str = ACCOUNT) -> Answer:
    """400 ValidationError for an endpoint that does not exist."""
    return validation_error(f"Endpoint {name} of account {account} not found.")


def unsupported_header(endpoint: str, header: str) -> Answer:
    """400 ValidationError for a header field that this kind of endpoint cannot serve."""
    return validation_error(f"Endpoint {endpoint} does not support the header {header}.")


def service_unavailable(note: str) -> Answer:
    """503 ServiceUnavailable, with the words of the API's model; clients try again."""
    return _error(503, "ServiceUnavailable", {"Message": "The service is unavailable. Try your call again."}, note)


def model_not_ready(note: str) -> Answer:
    """429 ModelNotReadyException, with the words of the API's model."""
    message = (
        "Either a serverless endpoint variant's resources are still being provisioned, or a multi-model endpoint is "
        "still downloading or loading the target model. Wait and try your request again."
    )
    return _error(429, "ModelNotReadyException", {"Message": message}, note)


def internal_failure(note: str) -> Answer:
    """500 InternalFailure, with the words of the API's model: the simulator itself could not do its part."""
    return _error(500, "InternalFailure", {"Message": "An internal failure occurred."}, note)


def throttled(note: str) -> Answer:
    """400 ThrottlingException, which says nothing: https://github.com/opensearch-project/ml-commons/issues/2429.

    The service's body is `{"message": null}` (read 2026-11-23); clients try again.
    """
    return _error(400, "ThrottlingException", {"message": None}, note)


def body_too_large(limit_bytes: int) -> Answer:
    """413, which the API's model does not know: clients call the error `413`."""
    body = json.dumps({"message": f"HTTP content length exceeded {limit_bytes} bytes."}).encode()
    return Answer(413, (("Content-Type", "application/json"),), body)


def not_simulated(status: int, message: str) -> Answer:
    """What this simulator does not do: an answer that clients neither retry nor take for the service's."""
    return _error(status, "NotSimulated", {"Message": message})


def wrong_inference_type(name: str, account: str = ACCOUNT) -> Answer:
    """400 ValidationError: an asynchronous endpoint was invoked as another one is, or the other way round.

    UNSURE: how the sentence begins. Its end was seen for both
    (https://github.com/strands-agents/harness-sdk/issues/1969 has the case, read 2026-11-23).
    """
    return validation_error(f"Endpoint {name} of account {account} does not support this inference type.")


def accepted(inference_id: str, places: tuple[tuple[str, str], ...]) -> Answer:
    """202 of InvokeEndpointAsync.

    Args:
        inference_id: The invocation's.
        places: Header fields that say where the result and a failure will be.
    """
    body = json.dumps({"InferenceId": inference_id}).encode()
    return Answer(202, (("Content-Type", "application/json"), *places), body)


def _model_error(place: Place, status: int, message: str, original: str, note: str | None = None) -> Answer:
    limit = int(contract.ERROR_MESSAGE.value)
    fields = {
        "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if 400 <= status < 500 else "INTERNAL_FAILURE_FROM_MODEL",
        "LogStreamArn": place.log_stream_arn,
        "Message": message[:limit],
        "OriginalMessage": original[:limit],
        "OriginalStatusCode": status,
    }
    return _error(424, "ModelError", fields, note)


def _error(status: int, type_: str, fields: Mapping[str, str | int | None], note: str | None = None) -> Answer:
    headers = (("Content-Type", "application/json"), (ERROR_TYPE, type_))
    return Answer(status, headers, json.dumps(fields).encode(), note)
