"""A WebSocket at the path of bidirectional streams: is it opened, and does it answer Ping?"""

import asyncio
import time
from contextlib import suppress
from typing import Final

from argosy.conformance.observing.trial import PATIENCE_S, Trial
from argosy.conformance.probes import ENDPOINT_HEADERS
from argosy.conformance.scenes.at_rest import Still
from argosy.conformance.scenes.streams import Bidirectional
from argosy.contract import LABEL_BIDIRECTIONAL
from argosy.errors import ContainerError, ImageError
from argosy.simulator.runtime import web_socket
from argosy.simulator.runtime.web_socket import Frame, FrameError, Opcode, UpgradeRefusedError, WebSocket

_PATH: Final = "/invocations-bidirectional-stream"
_GLANCE_S: Final = 2.0
"""How long a path is tried that nobody claimed to be there."""
_PINGS: Final = 2


def converse(trial: Trial, still: Still | None) -> Bidirectional:
    """Open a WebSocket, send Ping frames, and close.

    Args:
        trial: The container.
        still: The image at rest, for its label; None for a project.
    """
    label = _label(still)
    patience_s = PATIENCE_S if label == "true" else _GLANCE_S
    return asyncio.run(_converse(trial.container.url, label, patience_s))


def _label(still: Still | None) -> str | None:
    if still is None:
        return None
    try:
        labels = still.image.runtime.get("Labels") or {}
    except ImageError:
        return None
    return str(labels.get(LABEL_BIDIRECTIONAL, ""))


async def _converse(url: str, label: str | None, patience_s: float) -> Bidirectional:
    begun = time.monotonic()
    try:
        socket = await web_socket.connect(url, _PATH, dict(ENDPOINT_HEADERS), patience_s)
    except UpgradeRefusedError as refusal:
        return Bidirectional(label, False, str(refusal.status), seconds=time.monotonic() - begun)
    except ContainerError as error:
        return Bidirectional(label, False, error.message, seconds=time.monotonic() - begun)
    outcome, pongs = "101", 0
    try:
        for number in range(_PINGS):
            async with asyncio.timeout(patience_s):
                await socket.send(Frame(Opcode.PING, b"argosy %d" % number))
                pongs += await _is_answered(socket, b"argosy %d" % number)
    except (TimeoutError, ConnectionError, FrameError) as error:
        outcome = f"101, then {str(error) or f'nothing within {patience_s:g} s'}"
    finally:
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_GLANCE_S):
                await socket.send(web_socket.close_frame(web_socket.NORMAL_CLOSURE))
                await socket.close()
    return Bidirectional(label, True, outcome, _PINGS, pongs, time.monotonic() - begun)


async def _is_answered(socket: WebSocket, payload: bytes) -> bool:
    """Whether the Pong comes; what the container has to say by itself comes before it."""
    while (frame := await socket.receive()) is not None:
        if frame.opcode is Opcode.PONG and frame.payload == payload:
            return True
    return False
