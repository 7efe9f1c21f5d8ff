"""What the service answers to invocations that name a model, container or component which is missing or not there.

Sources:
    A missing target model: https://github.com/aws/sagemaker-tensorflow-serving-container/issues/166, which is cut after
    "header". Inference components: https://github.com/aws-samples/amazon-kendra-langchain-extensions/issues/64, and for
    endpoints without them the tests of BerriAI/litellm. A download: the troubleshooting guide of
    awslabs/ml-container-creator, which leaves the end out; it is taken from the failure reason of an endpoint (all read
    2026-11-23).

UNSURE: the sentences about target containers and unknown inference components; AWS documents that there is a
ValidationError, not what it says. Clients go by its type.
"""

import uuid
from typing import Final

from argosy.simulator import answers
from argosy.simulator.answers import Answer
from argosy.simulator.storage.objects import ObjectUri

COMPONENT_REQUIRED: Final = (
    "Inference Component Name header is required for endpoints to which you plan to deploy inference components. "
    "Please include Inference Component Name header or consider using SageMaker models."
)
COMPONENT_NOT_ALLOWED: Final = (
    "Inference Component Name header is not allowed for endpoints to which you dont plan to deploy inference "
    "components. Please remove the Inference Component Name header and try again."
)


def target_model_not_supported(endpoint: str) -> Answer:
    """400: the client names a model, and the endpoint has but one."""
    message = f"Endpoint {endpoint} is not a multi-model endpoint and does not support target model header."
    return answers.validation_error(message, "TARGET_MODEL_HEADER_NOT_SUPPORTED")


def target_model_missing() -> Answer:
    """400: the client names none of the models."""
    return answers.validation_error(f"Request {uuid.uuid4()} is missing a target model header.")


def not_downloaded(url: str, note: str) -> Answer:
    """400: what a model or adapter is loaded from is not there, or cannot be unpacked."""
    place = f"url: {url}"
    if url.startswith("s3://"):
        uri = ObjectUri.parse(url)
        place = f"bucket: {uri.bucket}, key: {uri.key}"
    return answers.validation_error(
        f"Failed to download model data ({place}). Please ensure that there is an object located at the URL and that "
        "the role passed to CreateModel has permissions to download the object.",
        note=note,
    )


def target_container_missing(endpoint: str) -> Answer:
    """400: the client names none of the containers."""
    return answers.validation_error(
        f"Endpoint {endpoint} is configured for direct invocation and requires a value for TargetContainerHostname."
    )


def target_container_not_found(endpoint: str, hostname: str) -> Answer:
    """400: there is no container of that name."""
    return answers.validation_error(f"Target container hostname {hostname} does not exist in endpoint {endpoint}.")


def component_missing() -> Answer:
    """400: the client names none of the components."""
    return answers.validation_error(COMPONENT_REQUIRED)


def component_not_allowed() -> Answer:
    """400: the client names a component, and the endpoint has none."""
    return answers.validation_error(COMPONENT_NOT_ALLOWED)


def component_without_copies(note: str) -> Answer:
    """400: no copy of the component is in service.

    Source:
        "Unlock cost savings with the new scale down to zero feature in SageMaker Inference", AWS Machine Learning Blog,
        2024-12-03 (read 2026-11-23).
    """
    message = (
        "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if "
        "configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
    )
    return answers.validation_error(message, note=note)


def component_not_found(endpoint: str, component: str) -> Answer:
    """400: there is no component of that name."""
    return answers.validation_error(f"Inference Component {component} not found for endpoint {endpoint}.")
