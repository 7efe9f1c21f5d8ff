"""The context that SageMaker's inference functions may take as their last argument.

It offers what scripts use of Multi Model Server's and TorchServe's context. Of what a script sets, an answer to
SageMaker can carry the media type, the status and the custom attributes; the platform drops every other header field.

Source:
    awslabs/multi-model-server mms/context.py, pytorch/serve ts/context.py (read 2026-11-22).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from argosy import contract
from argosy.serving import placement, settings
from argosy.serving.context import InvocationContext

_FIRST: Final = "the only request of this call is number 0"


class RequestProperties:
    """The header fields of the request, as `context.request_processor[0]` gives them.

    Args:
        fields: Names in SageMaker's spelling; those that were not sent are missing.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = dict(fields)

    def get_request_properties(self) -> dict[str, str]:
        """All header fields."""
        return dict(self._fields)

    def get_request_property(self, key: str) -> str | None:
        """One header field, whatever the spelling of its name, or None."""
        return next((value for name, value in self._fields.items() if name.lower() == key.lower()), None)


def system_properties(model_dir: Path) -> dict[str, object]:
    """`model_dir`, `gpu_id` (0 when there is a GPU, else None), `batch_size` (1) and `server_name`.

    A process that shares the machine's GPUs with others sees its own as number 0.
    """
    return {
        "model_dir": str(model_dir),
        "gpu_id": 0 if placement.own_gpus(settings.environment()) else None,
        "batch_size": 1,
        "server_name": "argosy",
    }


class ScriptContext:
    """What `context` is in `model_fn(model_dir, context)` and the others.

    Args:
        properties: Of the model process.
        invocation: What is answered, None while the model is loaded.

    Attributes:
        system_properties: Of the model process.
        model_name: `model`.
        request_processor: One entry, the request.
        content_type: What `set_response_content_type` was told, or None.
        status: What `set_response_status` was told.
        phrase: The sentence that goes with it.
    """

    model_name = "model"

    def __init__(self, properties: dict[str, object], invocation: InvocationContext | None = None) -> None:
        self.system_properties = properties
        self._invocation = invocation
        self.request_processor = [RequestProperties({} if invocation is None else _fields(invocation))]
        self.content_type: str | None = None
        self.status = 200
        self.phrase = ""

    def get_request_header(self, idx: int, key: str) -> str | None:
        """One header field of the request, whatever the spelling of its name, or None.

        Those that SageMaker passes on are there: Content-Type, Accept, custom attributes, inference and session id.
        """
        return self.request_processor[idx].get_request_property(key)

    def get_all_request_header(self, idx: int) -> dict[str, str]:
        """All header fields of the request."""
        return self.request_processor[idx].get_request_properties()

    def get_request_id(self, idx: int = 0) -> str:
        """The inference id that the client gave, empty when it gave none."""
        _require_first(idx)
        return self._invocation.inference_id if self._invocation is not None else ""

    def set_response_content_type(self, idx: int, value: str) -> None:
        """Say the media type of the answer; one that `output_fn` returns beside its body wins."""
        _require_first(idx)
        self.content_type = value

    def get_response_content_type(self, idx: int) -> str | None:
        """What `set_response_content_type` was told, or None."""
        _require_first(idx)
        return self.content_type

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:
        """Refuse the request with a 4xx; a 5xx is answered with 500, every other status with 200."""
        _require_first(idx)
        self.status, self.phrase = code, phrase

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        """Send the custom attributes; any other field is left out, as the platform would."""
        _require_first(idx)
        if key.lower() == contract.HEADER_CUSTOM_ATTRIBUTES.lower() and self._invocation is not None:
            self._invocation.reply_custom_attributes(value)


def _fields(invocation: InvocationContext) -> dict[str, str]:
    session = invocation.session
    found = {
        "Content-Type": invocation.content_type,
        "Accept": invocation.accept,
        contract.HEADER_CUSTOM_ATTRIBUTES: invocation.custom_attributes,
        contract.HEADER_INFERENCE_ID: invocation.inference_id,
        contract.HEADER_SESSION_ID: session.id if session is not None else "",
    }
    return {name: value for name, value in found.items() if value}


def _require_first(idx: int) -> None:
    if idx != 0:
        raise IndexError(_FIRST)
