"""Where this folder leans on what uvicorn does not promise, looked for at start: a newer uvicorn is noticed."""

from types import FunctionType
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_SEAM: Final = (
    "connection_made", "connection_lost", "data_received", "on_message_begin", "on_url", "on_header",
    "on_headers_complete", "on_body", "on_message_complete", "on_response_complete", "shutdown", "pause_writing",
    "resume_writing", "send_400_response", "_start_asgi_task", "handle_websocket_upgrade", "_should_upgrade",
    "_unset_keepalive_if_required",
)  # fmt: skip
_SEAM_STATE: Final = {
    "cycle", "flow", "headers", "message_event", "more_body", "parser", "pipeline", "timeout_keep_alive_task",
    "transport", "url",
}  # fmt: skip
"""Attributes of an object, or of its `cycle`."""


def fits() -> bool:
    """Whether this uvicorn has all the names that `connections`, `short_path` and `http_protocol` lean on."""
    functions = [found for found in vars(HttpToolsProtocol).values() if isinstance(found, FunctionType)]
    used = {name for function in functions for name in function.__code__.co_names}
    return all(hasattr(HttpToolsProtocol, name) for name in _SEAM) and used >= _SEAM_STATE


class Busy:
    """Stands where uvicorn keeps its open request, so that the next one waits in its pipeline."""

    response_complete = False
    disconnected = False

    class message_event:  # noqa: N801 - the attribute's name is uvicorn's
        """Takes the call that uvicorn makes when the connection is lost."""

        @staticmethod
        def set() -> None:
            """Nobody waits."""
